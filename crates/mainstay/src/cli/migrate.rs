//! `mainstay migrate plan|apply|status|new [DIR]`.

use super::{Failure, Folder, Globals};

/// Arguments of `mainstay migrate`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mainstay migrate plan shop")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show what would change in the database
    Plan(Folder),
    /// Change the database
    Apply(Folder),
    /// Show which migrations were applied
    Status(Folder),
    /// Write a migration file from what differs between the schema and the last migration
    New(Folder),
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let (Action::Plan(folder) | Action::Apply(folder) | Action::Status(folder) | Action::New(folder)) = &args.action;
    globals.open(&folder.folder)?;
    Err(anyhow::anyhow!("migrate is not there yet").into())
}
