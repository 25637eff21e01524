//! `mainstay advise [DIR]`: what would make the database faster or safer, and the changes for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use mainstay_engine::{Clock, SystemClock};
use mainstay_store::Statistics;
use serde_json::json;

use super::{Failure, Folder, Globals, block_on};
use crate::advise::{Advice, Change, changed, edit, examine, heed};
use crate::migrations::{self, MigrationError};
use crate::project::{self, Project};
use crate::statements::{self, Statement};
use crate::stores::Stores;

/// How long the database may take to tell what it has counted.
const TIME_MAX: Duration = Duration::from_secs(60);
/// Folder of the statements for tables that another program made.
const STATEMENTS_FOLDER: &str = "advice";

/// Slow statements that are shown to people; programs get all.
const SLOW_SHOWN: usize = 10;

/// Arguments of `mainstay advise`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Where tables are declared, --write changes the files of schema/ and writes the migration; where
they were found, it writes the statements to a file, for whoever looks after the database.

Examples:
  mainstay advise shop
  mainstay advise --store postgres://localhost/chinook --write"
)]
pub(super) struct Args {
    #[command(flatten)]
    folder: Folder,
    /// Write the changes down; the database stays as it is
    #[arg(long)]
    write: bool,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let project = globals.open(&args.folder.folder)?;
    let console = globals.console();
    let statistics: Statistics = block_on(async {
        let stores = Stores::open_existing(&project)?;
        let mut all = Statistics::default();
        for part in stores.parts() {
            let one = part.store.statistics(Instant::now() + TIME_MAX).await.map_err(anyhow::Error::from)?;
            all.days = all.days.or(one.days);
            all.uncounted = all.uncounted.or(one.uncounted);
            all.tables.extend(one.tables);
            all.indexes.extend(one.indexes);
        }
        stores.whole().close().await;
        Ok(all)
    })?;
    let slow = statements::read(&project)?;
    let advice = heed(&project.schema, &slow, examine(&project.schema, &statistics));
    let changes: Vec<Change> = advice.iter().filter_map(|one| one.change.clone()).collect();
    let written = match args.write && !changes.is_empty() {
        true => write(&project, &changes, globals)?,
        false => Vec::new(),
    };
    if console.json {
        let uncounted = &statistics.uncounted;
        console.value(&json!({ "advice": advice, "slow": slow, "written": written, "uncounted": uncounted }));
        return Ok(());
    }
    advice.iter().for_each(|one| console.line(words(one)));
    slow.iter().take(SLOW_SHOWN).for_each(|one| console.line(slow_words(one)));
    if let Some(why) = &statistics.uncounted {
        console.note(format!("whether indexes are used is not known: {why}"));
    }
    if advice.is_empty() {
        console.line("nothing to advise");
    } else if !args.write && !changes.is_empty() {
        console.note("--write writes the changes down");
    }
    written.iter().for_each(|file| console.line(format!("wrote {}", file.display())));
    Ok(())
}

fn words(advice: &Advice) -> String {
    let Advice { table, found, remedy, rows, .. } = advice;
    let rows = rows.map_or_else(String::new, |rows| format!(" (about {rows} rows)"));
    format!("{table}{rows}: {found}; {remedy}")
}

fn slow_words(slow: &Statement) -> String {
    let Statement { outline, count, total_ms, p99_ms, worst_ms, .. } = slow;
    format!(
        "slow: {outline}: {count} times, {total_ms} ms in all, 99 of 100 within {p99_ms} ms, {worst_ms} ms at worst"
    )
}

/// Writes the changes down; gives the files.
fn write(project: &Project, changes: &[Change], globals: &Globals) -> Result<Vec<PathBuf>, Failure> {
    let mut written = Vec::new();
    for part in project.parts() {
        let is_own = |change: &&Change| part.schema.find(change.table()).is_some();
        let own: Vec<Change> = changes.iter().filter(is_own).cloned().collect();
        if !own.is_empty() {
            written.extend(match part.settings.store.introspect {
                true => write_statements(&part, &own)?,
                false => write_schema(&part, &own, globals)?,
            });
        }
    }
    Ok(written)
}

/// The statements for tables of another program.
fn write_statements(project: &Project, changes: &[Change]) -> Result<Vec<PathBuf>, Failure> {
    let plan = migrations::plan(project.database(), &project.schema, &changed(&project.schema, changes));
    let folder = project.folder.join(STATEMENTS_FOLDER);
    let time = SystemClock.now().strftime("%Y%m%dT%H%M%S");
    // Each of several stores has a file of its own.
    let file = folder.join(match &project.part {
        None => format!("{time}.sql"),
        Some(store) => format!("{time}_{store}.sql"),
    });
    let steps: String = plan.steps.iter().map(|step| format!("-- {}\n", step.replace(['\n', '\r'], " "))).collect();
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&file, format!("{steps}\n{}", plan.sql)))
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(vec![file])
}

/// The changes of the schema files, and the migration where the project has any.
fn write_schema(before: &Project, changes: &[Change], globals: &Globals) -> Result<Vec<PathBuf>, Failure> {
    let folder = &before.folder;
    let has_migrations = match migrations::is_behind(before)? {
        Some(true) => {
            let problem = "schema/ has changes that no migration has; write that first: mainstay migrate new";
            return Err(Failure::Usage(problem.to_owned()));
        }
        is_behind => is_behind.is_some(),
    };
    let files = project::schema_files(folder).map_err(Failure::Mistakes)?;
    let edited = edit(&files, changes).map_err(anyhow::Error::from)?;
    let put = |path: &Path, text: &str| {
        fs::write(folder.join(path), text).with_context(|| format!("cannot write {}", path.display()))
    };
    for file in &edited {
        put(&file.path, &file.text)?;
    }
    let mut written: Vec<PathBuf> = edited.iter().map(|file| folder.join(&file.path)).collect();
    let migration = || -> Result<Option<PathBuf>, Failure> {
        let project = globals.open(folder)?;
        if !has_migrations {
            return Ok(None);
        }
        let is_it = |part: &Project| part.store_name() == before.store_name();
        let project = project.parts().into_iter().find(is_it).context("the settings of the stores have changed")?;
        let made = block_on(async {
            let made = migrations::write_new(&project, Some("indexes")).await;
            Ok::<Result<_, MigrationError>, Failure>(made)
        })?;
        Ok(Some(made?.file))
    };
    match migration() {
        Ok(file) => {
            written.extend(file);
            Ok(written)
        }
        Err(failure) => {
            // What does not lead to a schema, or to no migration, is not left behind.
            for file in files.iter().filter(|file| edited.iter().any(|new| new.path == file.path)) {
                put(&file.path, &file.text)?;
            }
            Err(failure)
        }
    }
}
