//! `mainstay doctor`.

use super::{Failure, Folder, Globals};

/// Arguments of `mainstay doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mainstay doctor shop")]
pub(super) struct Args {
    #[command(flatten)]
    folder: Folder,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    globals.open(&args.folder.folder)?;
    Err(anyhow::anyhow!("doctor is not there yet").into())
}
