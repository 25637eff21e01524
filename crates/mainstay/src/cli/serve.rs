//! `mainstay serve`.

use super::{Failure, Folder, Globals};

/// Arguments of `mainstay serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mainstay serve shop --listen 127.0.0.1:8080")]
pub(super) struct Args {
    /// Address to listen on; port 0 picks a free one
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    #[command(flatten)]
    folder: Folder,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    globals.open(&args.folder.folder)?;
    Err(anyhow::anyhow!("serve is not there yet").into())
}
