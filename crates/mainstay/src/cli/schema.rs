//! `mainstay schema`: the JSON Schemas that give editors completion in project files.

use mainstay_schema::editor;

use super::{Failure, Globals};
use crate::config;

/// Arguments of `mainstay schema`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mainstay schema > .mainstay/schema.json")]
pub(super) struct Args {
    /// The one of mainstay.toml, instead of that of the files in schema/
    #[arg(long)]
    settings: bool,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let schema = if args.settings { config::json_schema() } else { editor::json_schema() };
    globals.console().line(schema.trim_end());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::generated;

    #[test]
    fn the_schema_of_schema_files_is_what_the_code_gives() {
        generated::check("docs/schema/tables.json", &editor::json_schema());
    }
}
