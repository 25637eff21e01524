//! What `doctor` finds in the database.

use std::time::{Duration, Instant};

use anyhow::Context;
use mainstay_schema::Schema;
use mainstay_schema::diff::diff;
use mainstay_store::{Store, StoreError};
use mainstay_stores::SqliteStore;
use mainstay_stores::sqlite::check;

use super::Finding;
use crate::cli::{Failure, block_on};
use crate::migrations::{self, History};
use crate::project::Project;
use crate::{server, wire};

/// How to go on with a file that is damaged.
const RESTORE: &str = "stop the server, keep a copy of the file, and restore the last backup";

/// Longest wait for a look at the settings of a file.
const LOOK_TIME_MAX: Duration = Duration::from_secs(10);

/// Looks at the database, and at its tables if it can be opened.
pub(super) fn examine(project: &Project) -> Vec<Finding> {
    let Some(file) = project.database_file() else { return on_server(project) };
    if !file.exists() {
        return vec![Finding::ok("database", "not there yet; the first start makes it")];
    }
    let sound = match check::problems(&file) {
        Ok(problems) if problems.is_empty() => Finding::ok("database", format!("{} is sound", file.display())),
        Ok(problems) => return vec![Finding::fail("database", problems.join(", "), RESTORE)],
        Err(error) => return vec![Finding::fail("database", told(&error.into()), RESTORE)],
    };
    let tables = block_on(async {
        let store = wire::sqlite_store(project, &file)?;
        let findings = async {
            let mut findings = tables(project, &store).await?;
            if project.settings.store.introspect {
                findings.push(journal(&store).await?);
            }
            Ok::<_, anyhow::Error>(findings)
        };
        let findings = findings.await;
        store.close().await;
        Ok::<_, Failure>(findings?)
    });
    let tables = tables.unwrap_or_else(|failure| {
        vec![Finding::fail("tables", failure.to_string(), "see that no other program holds or has changed the file")]
    });
    std::iter::once(sound).chain(tables).collect()
}

/// Looks at a database of a server.
fn on_server(project: &Project) -> Vec<Finding> {
    let place = project.database_place();
    let findings = block_on(async {
        let version = server::version(&project.settings.store).await.map_err(anyhow::Error::from)?;
        let answers = Finding::ok("database", format!("{place} answers ({version})"));
        let store = wire::store(project)?;
        let tables = tables(project, &*store).await.unwrap_or_else(|error| {
            vec![Finding::fail(
                "tables",
                told(&error),
                "see that the user may read them, and may create schemas or databases",
            )]
        });
        store.close().await;
        Ok::<_, Failure>(std::iter::once(answers).chain(tables).collect())
    });
    findings.unwrap_or_else(|failure| {
        let remedy = "see that the server runs, and that this user may connect to the database";
        vec![Finding::fail("database", format!("{place} cannot be used ({failure})"), remedy)]
    })
}

async fn tables(project: &Project, store: &dyn Store) -> anyhow::Result<Vec<Finding>> {
    if project.settings.store.introspect {
        return Ok(vec![found(project)]);
    }
    let applied = store.migrations().await.context("cannot read which migrations were applied")?;
    let Some(last) = applied.last() else {
        return Ok(vec![Finding::ok("tables", "none yet; the first start makes them")]);
    };
    let recorded = Schema::from_json(&last.schema).with_context(|| format!("the record of {}", last.name))?;
    let compared = match store.drift(recorded.clone().into()).await {
        Ok(differences) => drift(&differences),
        // A server's user may read without being allowed to make the tables that they would be compared with.
        Err(StoreError::Database(words)) => {
            let found = format!("cannot be compared with the last migration ({})", words.message);
            Finding::warn(
                "tables",
                found,
                "look with a user who may create schemas (PostgreSQL) or databases (MySQL, MariaDB)",
            )
        }
        Err(error) => return Err(anyhow::Error::from(error).context("cannot look at the tables")),
    };
    Ok(vec![compared, schema(project, &recorded), pending(project, store).await])
}

/// What is there to know about the tables of a database that is served as it was found.
fn found(project: &Project) -> Finding {
    let left_out = project.schema.found().map(|found| found.left_out.as_slice()).unwrap_or_default();
    match left_out {
        [] => Finding::ok("tables", "all are served"),
        some => Finding::warn("tables", format!("left out: {}", some.join("; ")), "the rest is served"),
    }
}

/// How another program's file is written to.
async fn journal(store: &SqliteStore) -> anyhow::Result<Finding> {
    let is_logged = store.is_write_ahead(Instant::now() + LOOK_TIME_MAX).await.context("cannot look at the file")?;
    if is_logged {
        return Ok(Finding::ok("journal", "write-ahead: reads and writes do not wait for each other"));
    }
    let remedy = "if every program that uses it may: sqlite3 FILE 'PRAGMA journal_mode = wal'";
    Ok(Finding::warn("journal", "rollback: reads wait while a write commits, and writes for reads", remedy))
}

/// Whether another program changed the tables.
fn drift(differences: &[String]) -> Finding {
    if differences.is_empty() {
        return Finding::ok("tables", "as the last migration left them");
    }
    let found = format!("another program changed them: {}", differences.join(", "));
    Finding::fail("tables", found, "change them back, or write the same into schema/")
}

/// Whether the schema asks for other tables.
fn schema(project: &Project, recorded: &Schema) -> Finding {
    let steps = diff(recorded, &project.schema).steps.len();
    if steps == 0 {
        return Finding::ok("schema", "the tables are as it says");
    }
    let found = format!("the tables are {steps} steps behind it");
    Finding::fail("schema", found, "look at them with `mainstay migrate plan`")
}

async fn pending(project: &Project, store: &dyn Store) -> Finding {
    let history = History::read(store, project).await;
    match history.and_then(|history| migrations::pending(&history)) {
        Ok(pending) if pending.files.is_empty() => Finding::ok("migrations", "all are applied"),
        Ok(pending) => {
            let names: Vec<&str> = pending.files.iter().map(|file| file.name.as_str()).collect();
            Finding::warn("migrations", format!("{} not applied", names.join(", ")), "run `mainstay migrate apply`")
        }
        Err(error) => Finding::fail("migrations", told(&error.into()), "see `mainstay migrate status`"),
    }
}

fn told(error: &anyhow::Error) -> String {
    format!("{error:#}")
}
