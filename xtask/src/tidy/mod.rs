//! `cargo xtask tidy`: the workspace's own rules, those that neither the compiler nor clippy knows.
//!
//! A rule gets the tracked files and adds what it finds; all findings are printed, each as `file:line: what is wrong`.

mod contract;
mod dependencies;
mod documents;
mod files;

use anyhow::{Context, bail};

use crate::process::{output, program, root};

/// What the rules found.
#[derive(Default)]
struct Findings(Vec<String>);

impl Findings {
    fn add(&mut self, file: &str, line: usize, what: impl std::fmt::Display) {
        self.0.push(format!("{file}:{line}: {what}"));
    }
}

/// A tracked text file.
struct File {
    /// Path from the workspace's root, with `/`.
    path: String,
    text: String,
}

/// Runs every rule.
///
/// # Errors
/// When a rule found something.
pub(crate) fn run() -> anyhow::Result<()> {
    let files = tracked()?;
    let mut findings = Findings::default();
    dependencies::check(&mut findings)?;
    for file in &files {
        files::check(file, &mut findings);
        documents::check(file, &files, &mut findings);
    }
    contract::check(&files, &mut findings);
    for finding in &findings.0 {
        println!("{finding}");
    }
    if !findings.0.is_empty() {
        bail!("{} findings", findings.0.len());
    }
    println!("tidy: {} files follow the rules", files.len());
    Ok(())
}

/// The text files that git knows, and those it would add; binary files are left out.
fn tracked() -> anyhow::Result<Vec<File>> {
    let listed = output(program("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]))?;
    let mut files = Vec::new();
    for path in listed.split('\0').filter(|path| !path.is_empty()) {
        let full = root().join(path);
        if !full.is_file() {
            continue;
        }
        let bytes = std::fs::read(&full).with_context(|| format!("reading {path}"))?;
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(File { path: path.to_owned(), text });
        }
    }
    Ok(files)
}
