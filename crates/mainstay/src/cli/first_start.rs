//! What a serving command does before it serves: tables and first rows for a new database, a look at an old one.

use anyhow::Context;
use mainstay_engine::{Clock, SystemClock};
use mainstay_store::{Migration, Store};

use super::tables::{Standing, standing};
use super::{Console, Failure};
use crate::project::Project;
use crate::transfer::{self, SeedMode};

/// Makes the tables and the first rows of a new database. Tables that are there are never changed.
///
/// # Errors
/// [`Failure::Usage`] if the tables that are there differ from the schema.
pub(super) async fn prepare(project: &Project, store: &dyn Store, console: &Console) -> Result<(), Failure> {
    match standing(project, store).await? {
        Standing::New => create(project, store, console).await,
        Standing::Current => Ok(()),
        Standing::Behind(_) => {
            let problem = "the tables of the database differ from schema/";
            let remedy = "see what differs with `mainstay migrate plan`, then run `mainstay migrate apply`";
            Err(Failure::Usage(format!("{problem}; {remedy}")))
        }
    }
}

async fn create(project: &Project, store: &dyn Store, console: &Console) -> Result<(), Failure> {
    let migration = Migration {
        name: format!("dev_{}", SystemClock.now().strftime("%Y%m%dT%H%M%S_%6f")),
        sql: mainstay_stores::sqlite::migrate::create(&project.schema),
        schema: project.schema.to_json(),
    };
    store.migrate(migration).await.context("the tables cannot be made")?;
    seed(project, store, console).await
}

/// Puts the first rows into the tables.
async fn seed(project: &Project, store: &dyn Store, console: &Console) -> Result<(), Failure> {
    let seeded = transfer::seed(store, &project.schema, &project.seed_folder(), SeedMode::Empty).await;
    let seeded =
        seeded.context("the tables are made, but seed/ cannot be put into them; mend it, then `mainstay seed`")?;
    if seeded.rows() > 0 {
        console.note(format!("put the {} rows of seed/ into {} tables", seeded.rows(), seeded.tables.len()));
    }
    Ok(())
}
