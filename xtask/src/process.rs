//! Running other programs from the workspace's root. Used by every command.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Folder of everything that is built.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// The cargo that runs this program.
pub(crate) fn cargo() -> Command {
    program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A program, to be run in the workspace's root.
pub(crate) fn program(name: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root());
    command
}

/// Runs a command after printing it.
///
/// # Errors
/// When it cannot be started, or ends with anything but success.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let words = words(command);
    eprintln!("$ {words}");
    let status = command.status().with_context(|| format!("starting `{words}`"))?;
    if !status.success() {
        bail!("`{words}` failed: {status}");
    }
    Ok(())
}

/// Runs a command and returns what it prints.
///
/// # Errors
/// When it cannot be started, or ends with anything but success.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let words = words(command);
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("starting `{words}`"))?;
    if !output.status.success() {
        bail!("`{words}` failed: {}", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("what `{words}` printed"))
}

/// Whether a program is there: whether it can be started with `--version`.
pub(crate) fn is_there(name: &str) -> bool {
    Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

fn words(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
