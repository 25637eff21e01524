//! `mainstay import`.

use super::{Failure, Folder, Globals};

/// Arguments of `mainstay import`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mainstay import products products.csv shop")]
pub(super) struct Args {
    /// The table
    #[arg(value_name = "TABLE")]
    table: String,
    /// CSV, JSON or NDJSON, also compressed with gzip
    #[arg(value_name = "FILE")]
    file: std::path::PathBuf,
    #[command(flatten)]
    folder: Folder,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    globals.open(&args.folder.folder)?;
    Err(anyhow::anyhow!("import is not there yet").into())
}
