//! `cargo xtask fuzz`: each target of `fuzz/` for a while, guided by coverage, on the stable toolchain.
//!
//! The targets use libFuzzer. What `cargo fuzz` asks of a nightly compiler is the sanitizers; the counters that guide the
//! fuzzer are a pass that stable offers too, and our code has no `unsafe` that a sanitizer would watch. So the flags are
//! given here, and nothing is installed. See `docs/decisions/0010-fuzzing-on-stable.md`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::process::{self, cargo, output, program, root, target};

/// Arguments of `cargo xtask fuzz`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Seconds for each target
    #[arg(long, default_value_t = 20)]
    seconds: u32,
    /// Only the targets whose name contains this
    target: Option<String>,
}

/// Flags that make the compiler count which edges run and which values are compared.
const COVERAGE: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "-Cdebug-assertions=on",
    "-Coverflow-checks=on",
    "--cfg",
    "fuzzing",
];

/// Builds the targets and runs each.
///
/// # Errors
/// When one finds an input that panics, hangs or takes too much memory; the input is kept under `target/fuzz/`.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let targets = targets(args.target.as_deref())?;
    ensure!(!targets.is_empty(), "no such target");
    let triple = host()?;
    let built = target().join("fuzz");
    process::run(
        cargo()
            .args(["build", "--release", "--quiet", "--manifest-path", "fuzz/Cargo.toml", "--target", &triple])
            .arg("--target-dir")
            .arg(&built)
            // Naming the target keeps the flags from build scripts and macros.
            .env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join("\u{1f}")),
    )?;
    for name in targets {
        let corpus = built.join("corpus").join(&name);
        let found = built.join("found").join(&name);
        fs::create_dir_all(&corpus)?;
        fs::create_dir_all(&found)?;
        let mut fuzzer = program(built.join(&triple).join("release").join(&name));
        fuzzer.arg(&corpus);
        let seeds = root().join("fuzz/seeds").join(&name);
        if seeds.is_dir() {
            fuzzer.arg(seeds);
        }
        fuzzer.arg(format!("-artifact_prefix={}/", found.display()));
        fuzzer.arg(format!("-max_total_time={}", args.seconds));
        fuzzer.args(["-max_len=4096", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]);
        told(&name, &mut fuzzer).with_context(|| format!("{name} found an input; it is in {}", found.display()))?;
    }
    Ok(())
}

/// Runs one fuzzer and tells what it did in a line; all that it prints when it found something.
fn told(name: &str, fuzzer: &mut Command) -> anyhow::Result<()> {
    let done = fuzzer.output().context("starting the fuzzer")?;
    let log = String::from_utf8_lossy(&done.stderr);
    let number = |label: &str| log.lines().find_map(|line| line.strip_prefix(label)).map_or("?", str::trim);
    let (runs, new) = (number("stat::number_of_executed_units:"), number("stat::new_units_added:"));
    println!("fuzz {name}: {runs} inputs, {new} of them reached something new");
    if !done.status.success() {
        eprintln!("{log}");
        bail!("the fuzzer ended with {}", done.status);
    }
    Ok(())
}

/// Names of the targets, each a file in `fuzz/targets/`.
fn targets(part: Option<&str>) -> anyhow::Result<Vec<String>> {
    let folder = root().join("fuzz/targets");
    let mut names = Vec::new();
    for file in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
        let file = file?.path();
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if Path::new(&file).extension().is_some_and(|kind| kind == "rs") && part.is_none_or(|part| name.contains(part))
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// The triple of this machine.
fn host() -> anyhow::Result<String> {
    let told = output(program("rustc").arg("-vV"))?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc -vV told no host")?.to_owned())
}
