//! What a serving command does before it serves: tables and first rows for a new database, a look at an old one.

use anyhow::Context;
use mainstay_schema::Schema;
use mainstay_schema::diff::diff;
use mainstay_store::Store;

use super::{Console, Failure};
use crate::migrations::{self, Allow, History};
use crate::project::{Project, SEED_FOLDER};
use crate::transfer::{self, SeedMode};

/// Makes the tables and the first rows of a new database. Tables that are there are never changed.
///
/// # Errors
/// [`Failure::Usage`] if the tables that are there differ from the schema.
pub(super) async fn prepare(project: &Project, store: &dyn Store, console: &Console) -> Result<(), Failure> {
    if project.settings.store.introspect {
        let left_out = project.schema.found().map(|found| found.left_out.as_slice()).unwrap_or_default();
        if !left_out.is_empty() {
            let count = left_out.len();
            console
                .note(format!("{count} things in the database are not served; `mainstay doctor` says which and why"));
        }
        return Ok(());
    }
    if is_new(store).await? {
        return create(project, store, console).await;
    }
    let history = History::read(store, project).await.map_err(anyhow::Error::from)?;
    let pending = migrations::pending(&history).map_err(anyhow::Error::from)?;
    let refuse = |problem: &str| {
        let remedy = "see what differs with `mainstay migrate plan`, then run `mainstay migrate apply`";
        Err(Failure::Usage(format!("{problem}; {remedy}")))
    };
    match pending.files.as_slice() {
        [] if diff(&history.current, &project.schema).is_empty() => Ok(()),
        [] => refuse("the tables of the database differ from schema/"),
        [first, ..] => refuse(&format!("migrations/{}.sql was not applied to the database", first.name)),
    }
}

/// Whether no table was ever made in this database.
pub(super) async fn is_new(store: &dyn Store) -> anyhow::Result<bool> {
    let applied = store.migrations().await.context("cannot read which migrations were applied")?;
    Ok(applied.is_empty())
}

/// The schema of the tables as they are.
pub(super) async fn applied_schema(store: &dyn Store) -> anyhow::Result<Schema> {
    let applied = store.migrations().await.context("cannot read which migrations were applied")?;
    match applied.last() {
        None => Ok(Schema::default()),
        Some(last) => Schema::from_json(&last.schema).with_context(|| format!("the record of {}", last.name)),
    }
}

/// Makes the tables of a new database, by the migrations if there are any, and puts the first rows into them.
pub(super) async fn create(project: &Project, store: &dyn Store, console: &Console) -> Result<(), Failure> {
    migrations::sync(project, store, Allow::All).await.context("the tables cannot be made")?;
    let seeded = transfer::seed(store, &project.schema, &project.seed_folder(), SeedMode::Empty).await;
    let seeded =
        seeded.context("the tables are made, but seed/ cannot be put into them; mend it, then run `mainstay seed`")?;
    console.note(format!("made {} with {} rows of {SEED_FOLDER}/", project.database_place(), seeded.rows()));
    Ok(())
}
