//! `mainstay explain`.

use super::{Failure, Folder, Globals};

/// Arguments of `mainstay explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mainstay explain GET '/rest/v1/products?price=gt.10' shop")]
pub(super) struct Args {
    /// HTTP method
    #[arg(value_name = "METHOD")]
    method: String,
    /// Path and query, as in a request
    #[arg(value_name = "PATH")]
    path: String,
    #[command(flatten)]
    folder: Folder,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    globals.open(&args.folder.folder)?;
    Err(anyhow::anyhow!("explain is not there yet").into())
}
