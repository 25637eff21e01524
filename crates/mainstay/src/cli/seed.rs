//! `mainstay seed`.

use super::{Failure, Folder, Globals};

/// Arguments of `mainstay seed`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mainstay seed shop")]
pub(super) struct Args {
    #[command(flatten)]
    folder: Folder,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    globals.open(&args.folder.folder)?;
    Err(anyhow::anyhow!("seed is not there yet").into())
}
