//! `console` blocks: commands and what they print.

use std::path::Path;
use std::process::Command;

use crate::blocks::{Page, matches};

/// The executable under test, run in `folder` with nothing of our own settings around it.
pub(crate) fn mainstay(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mainstay"));
    clean(&mut command, folder);
    command
}

fn clean(command: &mut Command, folder: &Path) {
    command.current_dir(folder).env("NO_COLOR", "1").env("LC_ALL", "C.UTF-8");
    for (name, _) in std::env::vars() {
        if name.starts_with("MAINSTAY_") || matches!(name.as_str(), "DATABASE_URL" | "PORT" | "HOST" | "RUST_LOG") {
            command.env_remove(name);
        }
    }
}

/// Runs the page's commands in order in one folder, which holds a copy of the examples.
pub(crate) fn run(page: &mut Page) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    crate::requests::copy(&crate::root().join("examples"), &folder.path().join("examples"));
    let mut wrong = Vec::new();
    for block in page.blocks.iter_mut().filter(|block| block.language == "console") {
        let mut actual = String::new();
        for line in block.text.lines().filter_map(|line| line.strip_prefix("$ ")) {
            actual.push_str(&format!("$ {line}\n"));
            // What the two commands of the README do is tested as a whole elsewhere; here they would run for ever.
            if line.starts_with("cargo ") || line.starts_with("git ") {
                continue;
            }
            actual.push_str(&shell(folder.path(), line));
        }
        if !matches(&block.text, &actual) {
            wrong.push(format!("{}: expected\n{}\nbut got\n{actual}", block.place, block.text));
            block.text = actual.trim_end().to_owned();
        }
    }
    wrong
}

fn shell(folder: &Path, line: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_mainstay"));
    let search = std::env::join_paths(
        program
            .parent()
            .map(Path::to_owned)
            .into_iter()
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    );
    let mut command = Command::new("bash");
    clean(&mut command, folder);
    command.args(["-c", &format!("{line} 2>&1")]).env("PATH", search.expect("a search path"));
    let output = command.output().expect("bash");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
