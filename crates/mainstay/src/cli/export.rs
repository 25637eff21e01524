//! `mainstay export`.

use super::{Failure, Folder, Globals};

/// Arguments of `mainstay export`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mainstay export products shop > products.csv")]
pub(super) struct Args {
    /// The table
    #[arg(value_name = "TABLE")]
    table: String,
    #[command(flatten)]
    folder: Folder,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    globals.open(&args.folder.folder)?;
    Err(anyhow::anyhow!("export is not there yet").into())
}
