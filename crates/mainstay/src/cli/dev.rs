//! `mainstay dev`.

use super::{Failure, Folder, Globals};

/// Arguments of `mainstay dev`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mainstay dev shop")]
pub(super) struct Args {
    #[command(flatten)]
    folder: Folder,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    globals.open(&args.folder.folder)?;
    Err(anyhow::anyhow!("dev is not there yet").into())
}
