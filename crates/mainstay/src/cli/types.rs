//! `mainstay types [DIR]`: the rows of a project as types of a programming language.

use std::path::PathBuf;

use anyhow::Context;

use super::{Failure, Folder, Globals};
use crate::types::{self, Language};

/// Arguments of `mainstay types`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mainstay types shop --lang typescript --out src/database.ts")]
pub(super) struct Args {
    #[command(flatten)]
    folder: Folder,
    /// The language
    #[arg(long, value_enum)]
    lang: Language,
    /// Write to a file instead of the terminal
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let project = globals.open_with_functions(&args.folder.folder)?;
    let text = types::types(&project.schema, args.lang);
    match &args.out {
        None => globals.console().line(text.trim_end()),
        Some(file) => std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?,
    }
    Ok(())
}
