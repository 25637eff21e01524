//! `mainstay schema`: the JSON Schemas that give editors completion in project files.

use super::{Failure, Globals};
use crate::config;

/// Arguments of `mainstay schema`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mainstay schema --settings > mainstay.schema.json")]
pub(super) struct Args {
    /// The one of mainstay.toml, instead of that of the files in schema/
    #[arg(long)]
    settings: bool,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    if !args.settings {
        return Err(Failure::Usage("the JSON Schema of schema files is not there yet; see --settings".to_owned()));
    }
    globals.console().value(&config::json_schema());
    Ok(())
}
