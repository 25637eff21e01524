//! `mainstay schema`: the JSON Schemas that give editors completion in project files, and the XML Schemas of rows.

use mainstay_http::Problem;
use mainstay_query::request::ReadRequest;
use mainstay_query::{Actor, Limits, plan};
use mainstay_schema::editor;

use super::{Failure, Folder, Globals};
use crate::config;

/// Arguments of `mainstay schema`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mainstay schema > .mainstay/schema.json
  mainstay schema --xsd orders shop > orders.xsd")]
pub(super) struct Args {
    /// The one of mainstay.toml, instead of that of the files in schema/
    #[arg(long)]
    settings: bool,
    /// The XML Schema of the rows of this table or view, as answers and bodies in XML hold them
    #[arg(long, value_name = "TABLE", conflicts_with = "settings")]
    xsd: Option<String>,
    #[command(flatten)]
    folder: Folder,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    if let Some(table) = &args.xsd {
        let project = globals.open(&args.folder.folder)?;
        let request = ReadRequest { table: table.clone(), ..ReadRequest::default() };
        let read = plan::read(&project.schema, &Limits::default(), &request);
        let read = read.map_err(|error| Failure::Usage(Problem::of(error.into(), &Actor::System).told()))?;
        let shape = read.shape(&project.schema);
        globals.console().line(mainstay_http::xml_schema(&shape).trim_end());
        return Ok(());
    }
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
