//! `mainstay import TABLE FILE [DIR]`.

use std::path::PathBuf;

use super::{Failure, Folder, Globals, block_on};
use crate::stores::Stores;
use crate::transfer::{ImportRequest, Imported, OnConflict, Progress, RecordFormat, Silent, Terminal, import};

/// Records in one transaction. Measured on 386,326 rows with a composite key, a reference and two indexes: 50,000 take
/// three quarters of the time of the processor that 10,000 take, and half the time on the clock; more gains little.
const BATCH_RECORDS: usize = 50_000;
/// Page cache of the database while it imports, in KiB: pages of indexes are touched in random order.
const CACHE_KIB: u32 = 64 * 1024;

/// Arguments of `mainstay import`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "An import that was interrupted goes on where it stopped when the same command is given again: no row
comes twice and none is lost. Bad records are set aside in a file with their lines and reasons while
the rest goes on; the command then exits with 1.

Examples:
  mainstay import products products.csv shop
  mainstay import products prices.ndjson.gz shop --on-conflict merge
  mainstay import products list.csv shop --map Nr=id --map Remarks= --dry-run"
)]
pub(super) struct Args {
    /// The table
    #[arg(value_name = "TABLE")]
    table: String,
    /// CSV, JSON or NDJSON, also compressed with gzip
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    folder: Folder,
    /// How records lie in the file, where its ending does not say so
    #[arg(long, value_enum)]
    format: Option<RecordFormat>,
    /// Records in one transaction
    #[arg(long, value_name = "RECORDS", default_value_t = BATCH_RECORDS)]
    batch: usize,
    /// What happens to a row whose primary key is in the table already
    #[arg(long, value_enum, default_value = "fail")]
    on_conflict: OnConflict,
    /// Put a field of the file into another column; without a column, leave the field out
    #[arg(long, value_name = "FIELD=COLUMN")]
    map: Vec<String>,
    /// Check the types and the validation of every record and write nothing; keys and references are the database's to
    /// check, when rows are written
    #[arg(long)]
    dry_run: bool,
    /// Go on with an interrupted import; this is what happens anyway
    #[arg(long, conflicts_with = "restart")]
    resume: bool,
    /// Begin with the first record again, whatever an earlier run did
    #[arg(long)]
    restart: bool,
    /// Where bad records are set aside, instead of FILE.bad.csv
    #[arg(long, value_name = "FILE")]
    bad: Option<PathBuf>,
    /// Stop when more records than this are bad
    #[arg(long, value_name = "RECORDS", default_value_t = 1000)]
    bad_max: u64,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let mut project = globals.open(&args.folder.folder)?;
    project.settings.store.cache_kib = project.settings.store.cache_kib.max(CACHE_KIB);
    let console = globals.console();
    let request = ImportRequest {
        table: args.table.clone(),
        file: args.file.clone(),
        format: args.format,
        batch_records: args.batch,
        on_conflict: args.on_conflict,
        map: args.map.clone(),
        dry_run: args.dry_run,
        restart: args.restart,
        bad_file: args.bad.clone(),
        bad_max: args.bad_max,
    };
    let mut progress: Box<dyn Progress> = match globals.json {
        true => Box::new(Silent),
        false => Box::new(Terminal::new(&args.table)),
    };
    let done = block_on(async {
        let stores = Stores::open(&project)?;
        let store = stores.whole();
        stores.require_current().await?;
        let done = import(&**store, &project.schema, &request, &mut *progress).await;
        store.close().await;
        Ok(done?)
    })?;
    if globals.json {
        console.value(&done);
    } else {
        console.line(summary(&done));
        for bad in &done.first_bad {
            console.note(format!("{}:{}: {}", args.file.display(), bad.line, bad.reason));
        }
        if done.bad > done.first_bad.len() as u64 {
            console.note(format!("and {} more", done.bad - done.first_bad.len() as u64));
        }
    }
    if done.bad > 0 && !done.already_done { Err(Failure::Negative) } else { Ok(()) }
}

fn summary(done: &Imported) -> String {
    let Imported { table, rows, records, .. } = done;
    if done.already_done {
        return format!("{table}: this file was imported already ({rows} rows); --restart imports it again");
    }
    let mut text = match done.dry_run {
        true => format!("{table}: {rows} of {records} records are right"),
        false => format!("{table}: {rows} rows from {records} records"),
    };
    let this_run = records - done.resumed_at;
    text += &format!(" in {:.1} s ({:.0}/s)", done.seconds, this_run as f64 / done.seconds.max(0.001));
    if done.dry_run {
        text += "; nothing was written";
    }
    if done.resumed_at > 0 {
        text += &format!("; went on after record {}", done.resumed_at);
    }
    if done.skipped > 0 {
        text += &format!("; {} were there already", done.skipped);
    }
    if done.bad > 0 {
        text += &format!("; {} bad", done.bad);
        if let Some(file) = &done.bad_file {
            text += &format!(", set aside in {}", file.display());
        }
    }
    text
}
