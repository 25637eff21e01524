//! `mainstay seed [DIR]`.

use super::{Failure, Folder, Globals, block_on};
use crate::stores::Stores;
use crate::transfer::{SeedMode, seed};

/// Arguments of `mainstay seed`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Each file of seed/ is named after its table: seed/products.csv, seed/orders.ndjson, seed/users.json. A table
that holds rows is left alone, so that the command can be given again.

Example:
  mainstay seed shop"
)]
pub(super) struct Args {
    #[command(flatten)]
    folder: Folder,
    /// Also where a table holds rows: those with the same primary key take the values of the file
    #[arg(long)]
    again: bool,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let project = globals.open(&args.folder.folder)?;
    let mode = if args.again { SeedMode::Again } else { SeedMode::Empty };
    let seeded = block_on(async {
        let stores = Stores::open(&project)?;
        let store = stores.whole();
        stores.require_current().await?;
        let seeded = seed(&**store, &project.schema, &project.seed_folder(), mode).await;
        store.close().await;
        Ok(seeded?)
    })?;
    let console = globals.console();
    if globals.json {
        console.value(&seeded);
    } else if seeded.tables.is_empty() {
        console.line("there is nothing to seed: put a file for a table into seed/, such as seed/products.csv");
    } else {
        for table in &seeded.tables {
            console.line(match table.rows {
                Some(rows) => format!("{}: {rows} rows", table.table),
                None => format!("{}: left alone, it holds rows", table.table),
            });
        }
    }
    Ok(())
}
