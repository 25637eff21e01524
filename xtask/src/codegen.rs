//! `cargo xtask codegen`: the files in the repository that are made from the code.
//!
//! Tests of the `mainstay` crate hold those files to the code: the settings page, the JSON Schemas. The same tests write
//! them when asked to, so this command asks.

use crate::process::{self, cargo};

/// Arguments of `cargo xtask codegen`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Fail when a file differs instead of writing it
    #[arg(long)]
    check: bool,
}

/// Part of the names of the tests that hold a file to the code.
const TESTS: &str = "is_what_the_code_gives";

/// Writes the files, or checks them.
///
/// # Errors
/// When a file differs under `--check`, or the tests do not build.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let mut command = cargo();
    command.args(["test", "--quiet", "--workspace", "--", TESTS]);
    if !args.check {
        command.env("UPDATE_EXPECT", "1");
    }
    process::run(&mut command)
}
