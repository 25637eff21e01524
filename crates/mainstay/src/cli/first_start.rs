//! What a serving command does before it serves: tables and first rows for a new database, a look at an old one.

use anyhow::Context;
use mainstay_schema::Schema;
use mainstay_schema::diff::diff;
use mainstay_store::{Migrated, Store};

use super::{Console, Failure};
use crate::migrations::{self, Allow, History};
use crate::project::{Project, SEED_FOLDER};
use crate::stores::{Part, Stores};
use crate::transfer::{self, SeedMode};

/// Makes the tables and the first rows of a new database. Tables that are there are never changed.
///
/// # Errors
/// [`Failure::Usage`] if the tables that are there differ from the schema.
pub(super) async fn prepare(project: &Project, stores: &Stores, console: &Console) -> Result<(), Failure> {
    let left_out = project.schema.found().map(|found| found.left_out.as_slice()).unwrap_or_default();
    if !left_out.is_empty() {
        let count = left_out.len();
        console.note(format!("{count} things in the database are not served; `mainstay doctor` says which and why"));
    }
    for part in stores.parts().iter().filter(|part| !part.project.settings.store.introspect) {
        if !is_new(part).await? {
            require_applied(&part.project, &*part.store).await?;
        }
    }
    create(project, stores, console).await
}

/// Refuses tables that differ from the schema.
async fn require_applied(project: &Project, store: &dyn Store) -> Result<(), Failure> {
    let history = History::read(store, project).await.map_err(anyhow::Error::from)?;
    let pending = migrations::pending(&history).map_err(anyhow::Error::from)?;
    let refuse = |problem: &str| {
        let remedy = "see what differs with `mainstay migrate plan`, then run `mainstay migrate apply`";
        Err(Failure::Usage(format!("{problem}; {remedy}")))
    };
    match pending.files.as_slice() {
        [] if diff(&history.current, &project.schema).is_empty() => Ok(()),
        [] => refuse("the tables of the database differ from schema/"),
        [first, ..] => refuse(&format!("{} was not applied to the database", first.file)),
    }
}

/// Whether no table was ever made in this database.
async fn is_new(part: &Part) -> anyhow::Result<bool> {
    Ok(applied(part).await?.is_empty())
}

/// The schema of the tables as they are.
pub(super) async fn applied_schema(part: &Part) -> anyhow::Result<Schema> {
    match applied(part).await?.last() {
        None => Ok(Schema::default()),
        Some(last) => Schema::from_json(&last.schema).with_context(|| format!("the record of {}", last.name)),
    }
}

/// What was applied to a database; it is the first that a command asks of it.
async fn applied(part: &Part) -> anyhow::Result<Vec<Migrated>> {
    part.store.migrations().await.with_context(|| {
        let place = part.project.database_place();
        format!("cannot read which migrations were applied to {place} (store `{}`)", part.project.store_name())
    })
}

/// Makes the tables of new databases, by the migrations if there are any, and puts the first rows into them.
pub(super) async fn create(project: &Project, stores: &Stores, console: &Console) -> Result<(), Failure> {
    let mut made = Vec::new();
    for part in stores.parts().iter().filter(|part| !part.project.settings.store.introspect) {
        if is_new(part).await? {
            let synced = migrations::sync(&part.project, &*part.store, Allow::All).await;
            synced.context("the tables cannot be made")?;
            made.push(part.project.database_place());
        }
    }
    if made.is_empty() {
        return Ok(());
    }
    let seeded = transfer::seed(&**stores.whole(), &project.schema, &project.seed_folder(), SeedMode::Empty).await;
    let seeded =
        seeded.context("the tables are made, but seed/ cannot be put into them; mend it, then run `mainstay seed`")?;
    console.note(format!("made {} with {} rows of {SEED_FOLDER}/", made.join(" and "), seeded.rows()));
    Ok(())
}
