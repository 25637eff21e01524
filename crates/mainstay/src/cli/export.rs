//! `mainstay export TABLE [DIR]`.

use std::path::PathBuf;

use super::{Failure, Folder, Globals, block_on};
use crate::stores::Stores;
use crate::transfer::{ExportRequest, RecordFormat, Target, export};

/// Arguments of `mainstay export`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The rows are those of one moment, whatever is written meanwhile. CSV keeps everything: an empty field
is null, \"\" is empty text, and `mainstay import` of the file gives the same rows.

Examples:
  mainstay export products shop > products.csv
  mainstay export orders shop --output orders.ndjson.gz --query 'status=eq.new&order=placed_at'"
)]
pub(super) struct Args {
    /// The table or view
    #[arg(value_name = "TABLE")]
    table: String,
    #[command(flatten)]
    folder: Folder,
    /// How records lie in the file, where its ending does not say so
    #[arg(long, value_enum)]
    format: Option<RecordFormat>,
    /// The file, instead of the terminal; compressed when it ends in .gz
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Which rows and columns, as in the query of a request: select, filters, order, limit
    #[arg(long, value_name = "QUERY", default_value = "")]
    query: String,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let project = globals.open(&args.folder.folder)?;
    let target = match &args.output {
        None => Target::Stdout,
        Some(path) => Target::File { path: path.clone(), replace: args.force },
    };
    let request = ExportRequest { table: args.table.clone(), format: args.format, query: args.query.clone(), target };
    let done = block_on(async {
        let stores = Stores::open_existing(&project)?;
        let store = stores.whole();
        stores.require_current().await?;
        let done = export(&**store, &project.schema, &request).await;
        store.close().await;
        Ok(done?)
    })?;
    let console = globals.console();
    match &done.file {
        // The standard output holds the rows and nothing else.
        None => {}
        Some(_) if globals.json => console.value(&done),
        Some(file) => console.line(format!("{}: {} rows to {}", done.table, done.rows, file.display())),
    }
    Ok(())
}
