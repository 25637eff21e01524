//! `mainstay copy [DIR] --from URL --to URL`.

use std::path::PathBuf;
use std::sync::Arc;

use mainstay_store::Store;
use serde_json::json;

use super::{Console, Failure, Folder, Globals, block_on};
use crate::config::{self, Environment, Override, Settings, StoreUrl};
use crate::project::Project;
use crate::transfer::copy::{Copied, CopyRequest, Job, SourceEnd, TargetEnd, analyze, prepare, prove, run as copy};
use crate::transfer::{Progress, Silent, Terminal, TransferError};
use crate::wire;

/// Rows in one transaction.
const BATCH_ROWS: usize = 5000;
/// Page cache of a file that rows are written to, in KiB: pages of keys are touched in random order.
const CACHE_KIB: u32 = 64 * 1024;
/// Characters of a hash that are shown to people.
const HASH_SHOWN: usize = 16;

/// Arguments of `mainstay copy`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Nothing is written into the source, and nothing into a target that has rows. A copy that was
interrupted goes on where it stopped when the same command is given again. In the end all rows of
both databases are read and compared; the command exits with 1 if they are not the same.

Examples:
  mainstay copy shop --to postgres://shop@localhost/shop
  mainstay copy --from postgres://localhost/chinook --to sqlite:chinook.db
  mainstay copy --from mysql://localhost/chinook --to postgres://localhost/chinook
  mainstay copy shop --from env:PRODUCTION_URL --except events --dry-run")]
pub(super) struct Args {
    #[command(flatten)]
    folder: Folder,
    /// The database that rows come from, instead of the project's own; env:NAME takes the URL from a variable
    #[arg(long, value_name = "URL")]
    from: Option<String>,
    /// The database that they go to, instead of the project's own; env:NAME takes the URL from a variable
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Copy this table; may be given several times, or with commas between the names
    #[arg(long, value_name = "TABLE", value_delimiter = ',')]
    only: Vec<String>,
    /// Leave this table out; may be given several times, or with commas between the names
    #[arg(long, value_name = "TABLE", value_delimiter = ',')]
    except: Vec<String>,
    /// Say what would be copied and what stands against it, and write nothing
    #[arg(long, conflicts_with_all = ["verify", "restart"])]
    dry_run: bool,
    /// Copy nothing; compare the rows that are in both databases
    #[arg(long, conflicts_with = "restart")]
    verify: bool,
    /// Remove what an unfinished copy brought, and begin anew
    #[arg(long)]
    restart: bool,
    /// Rows in one transaction
    #[arg(long, value_name = "ROWS", default_value_t = BATCH_ROWS)]
    batch: usize,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    if args.from.is_none() && args.to.is_none() {
        return Err(Failure::Usage(
            "give --from, --to or both: the project's own database is the other end".to_owned(),
        ));
    }
    let from = End::of("--from", args.from.as_deref(), args, globals)?;
    let to = End::of("--to", args.to.as_deref(), args, globals)?;
    if from.same_place() == to.same_place() {
        return Err(Failure::Usage(format!("both ends are {}", from.place())));
    }
    let console = globals.console();
    let request = CopyRequest {
        only: args.only.clone(),
        except: args.except.clone(),
        batch_rows: args.batch,
        restart: args.restart,
        verify: args.verify,
    };
    let copied = block_on(async {
        let source = from.open_source()?;
        let copied = work(args, &request, &from, &*source, &to, &console).await;
        source.close().await;
        copied
    })?;
    let Some(copied) = copied else { return Ok(()) };
    print(&copied, &console);
    if copied.equal { Ok(()) } else { Err(Failure::Negative) }
}

/// Does all that is done between two open databases; gives nothing if nothing was to be done.
async fn work(
    args: &Args,
    request: &CopyRequest,
    from: &End,
    source: &dyn Store,
    to: &End,
    console: &Console,
) -> Result<Option<Copied>, Failure> {
    let seen = to.look()?;
    let target =
        TargetEnd { store: seen.as_deref(), place: to.place(), settings: &to.settings.store, declared: to.declared() };
    let job = prepare(&SourceEnd { store: source, place: from.place() }, &target, request).await;
    if let Some(seen) = &seen {
        seen.close().await;
    }
    let job = job?;
    if !console.json {
        job.notes.iter().for_each(|note| console.note(format!("note: {note}")));
    }
    if args.dry_run {
        dry_run(&job, console);
        return Ok(None);
    }
    let target = to.open_target()?;
    let is_quiet = console.json;
    let progress =
        |table: &str| -> Box<dyn Progress> { if is_quiet { Box::new(Silent) } else { Box::new(Terminal::new(table)) } };
    let done = async {
        let mut notes = Vec::new();
        if !args.verify {
            copy(&job, source, &*target, to.settings.store.url.database(), &progress).await?;
            notes = analyze(&job, &*target, &mut *progress("counting for the planner")).await;
        }
        let mut copied = prove(&job, source, &*target).await?;
        if !console.json {
            notes.iter().for_each(|note| console.note(format!("note: {note}")));
        }
        copied.notes.extend(notes);
        Ok::<_, TransferError>(copied)
    };
    let done = done.await;
    target.close().await;
    Ok(Some(done?))
}

fn dry_run(job: &Job, console: &Console) {
    if console.json {
        let tables: Vec<_> = job.tables().map(|(table, rows)| json!({ "table": table, "rows": rows })).collect();
        return console.value(&json!({ "tables": tables, "notes": job.notes, "resumed": job.is_resumed() }));
    }
    for (table, rows) in job.tables() {
        console.line(format!("{table}: {rows} rows"));
    }
    console.line(match job.is_resumed() {
        true => "this goes on with the copy that was begun; nothing was written",
        false => "nothing was written",
    });
}

fn print(copied: &Copied, console: &Console) {
    if console.json {
        return console.value(copied);
    }
    let width = copied.tables.iter().map(|table| table.table.chars().count()).max().unwrap_or(0);
    for table in &copied.tables {
        let hash = |text: &str| text.get(..HASH_SHOWN).unwrap_or(text).to_owned();
        let name = &table.table;
        console.line(match table.equal {
            true => format!("{name:width$}  {:>10} rows  {}  equal", table.rows, hash(&table.hash)),
            false => format!(
                "{name:width$}  {:>10} rows  {}  NOT EQUAL to {} rows  {}",
                table.rows,
                hash(&table.hash),
                table.target_rows,
                hash(&table.target_hash)
            ),
        });
    }
    let (from, to) = (&copied.from, &copied.to);
    match copied.equal {
        true => console.line(format!("{from} and {to} hold the same rows")),
        false => console.note(format!(
            "{from} and {to} do not hold the same rows; if the source was written to meanwhile, copy again while it is not"
        )),
    }
}

/// One of the two databases.
struct End {
    folder: PathBuf,
    settings: Settings,
    /// Whose own database it is.
    project: Option<Project>,
}

impl End {
    fn of(option: &str, url: Option<&str>, args: &Args, globals: &Globals) -> Result<End, Failure> {
        let folder = args.folder.folder.clone();
        let Some(url) = url else {
            // Of a project of several stores, it is the one called `main`.
            let project = globals.open(&folder)?.parts().swap_remove(0);
            return Ok(End { folder, settings: project.settings.clone(), project: Some(project) });
        };
        let environment = Environment::of_process(&folder).map_err(Failure::Mistakes)?;
        let url = match url.strip_prefix("env:") {
            None => url,
            Some(name) => environment
                .value(name)
                .ok_or_else(|| Failure::Usage(format!("{option}: the environment variable {name} is not set")))?,
        };
        StoreUrl::parse(url).map_err(|problem| {
            let right = "write sqlite:FILE, with the path as the project folder sees it, postgres://USER@HOST/DATABASE, \
                         mysql://USER@HOST/DATABASE, mongodb://HOST/DATABASE, or env:NAME";
            Failure::Usage(format!("{option} {problem}; {right}"))
        })?;
        let set = |name, text: &str| Override::new("stores.main", name, text).expect("the store has these settings");
        let overrides = [globals.set.as_slice(), &[set("url", url), set("introspect", "true")]].concat();
        let settings = config::load(&folder, "", &environment, &overrides).map_err(Failure::Mistakes)?;
        Ok(End { folder, settings, project: None })
    }

    /// Where it is, without anything secret.
    fn place(&self) -> String {
        self.settings.store.url.place(&self.folder)
    }

    /// The same for two names of one database.
    fn same_place(&self) -> String {
        let file = self.settings.store.url.file(&self.folder).and_then(|file| file.canonicalize().ok());
        file.map_or_else(|| self.place(), |file| file.display().to_string())
    }

    /// The tables that the project declares, where it does.
    fn declared(&self) -> Option<Arc<mainstay_schema::Schema>> {
        let project = self.project.as_ref()?;
        let declares = project.schema.tables().iter().any(|table| !table.internal);
        (declares && !self.settings.store.introspect).then(|| project.schema.clone())
    }

    fn open_source(&self) -> anyhow::Result<Arc<dyn Store>> {
        match &self.project {
            Some(project) => wire::existing_store(project),
            None => wire::store_at(&self.settings.store, &self.folder),
        }
    }

    /// Opens it to look at it; nothing if there is none.
    fn look(&self) -> anyhow::Result<Option<Arc<dyn Store>>> {
        if self.settings.store.url.file(&self.folder).is_some_and(|file| !file.exists()) {
            return Ok(None);
        }
        let settings = config::StoreSettings { introspect: true, ..self.settings.store.clone() };
        wire::store_at(&settings, &self.folder).map(Some)
    }

    /// Opens it to fill it, making it if there is none.
    fn open_target(&self) -> anyhow::Result<Arc<dyn Store>> {
        let mut settings = self.settings.clone();
        settings.store.introspect = false;
        settings.store.cache_kib = settings.store.cache_kib.max(CACHE_KIB);
        match &self.project {
            Some(project) => wire::store(&Project { settings, ..project.clone() }),
            None => wire::store_at(&settings.store, &self.folder),
        }
    }
}
