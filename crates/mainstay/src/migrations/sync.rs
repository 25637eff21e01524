//! Bringing a database to the schema without a migration file, as `dev` does.

use mainstay_engine::{Clock, SystemClock};
use mainstay_store::{Migration, Store};
use serde::Serialize;

use super::apply::{AppliedFile, apply, pending};
use super::error::MigrationError;
use super::history::History;
use super::{is_same, plan};
use crate::project::Project;

/// How names of migrations without a file begin.
pub(super) const DIRECT: &str = "dev_";

/// Which changes are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allow {
    /// Those that lose nothing.
    Safe,
    /// All.
    All,
}

/// What bringing a database to the schema did, or would.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Synced {
    /// Migration files that were applied or noted.
    pub files: Vec<AppliedFile>,
    /// What was done beyond them, in words; or what would be, when `waiting`.
    pub steps: Vec<String>,
    /// What that destroys, in words.
    pub losses: Vec<String>,
    /// Whether the steps were not done, because they destroy something and only safe changes were allowed.
    pub waiting: bool,
}

impl Synced {
    /// Whether the database is as the schema says.
    pub fn is_done(&self) -> bool {
        !self.waiting
    }

    /// Takes what was done, or waits, in another store along.
    pub fn add(&mut self, other: Synced) {
        self.files.extend(other.files);
        // What was done needs no telling beside what waits for an answer.
        if other.waiting && !self.waiting {
            self.steps.clear();
            self.losses.clear();
        }
        if other.waiting || !self.waiting {
            self.steps.extend(other.steps);
            self.losses.extend(other.losses);
        }
        self.waiting |= other.waiting;
    }

    /// Whether anything was done.
    pub fn did_anything(&self) -> bool {
        !self.files.is_empty() || (!self.steps.is_empty() && !self.waiting)
    }
}

/// Applies the migration files that fit, then whatever else lies between the database and `schema/`.
///
/// # Errors
/// [`MigrationError`]; what was applied before stays.
pub async fn sync(project: &Project, store: &dyn Store, allow: Allow) -> Result<Synced, MigrationError> {
    let mut synced = Synced::default();
    if project.settings.store.introspect {
        // The tables are another program's.
        return Ok(synced);
    }
    let history = History::read(store, project).await?;
    match pending(&history) {
        Ok(files) if allow == Allow::Safe && !files.losses().is_empty() => {
            synced.steps = files.files.iter().flat_map(|file| file.steps.clone()).collect();
            synced.losses = files.losses();
            synced.waiting = true;
            return Ok(synced);
        }
        Ok(_) => synced.files = apply(store, &history).await?.files,
        // The database went another way; what differs is done directly, and the files are noted if they then fit.
        Err(MigrationError::Astray { .. }) => {}
        Err(error) => return Err(error),
    }
    let history = History::read(store, project).await?;
    if is_same(history.database, &history.current, &project.schema) {
        return Ok(synced);
    }
    let plan = plan(history.database, &history.current, &project.schema);
    (synced.steps, synced.losses) = (plan.steps, plan.losses);
    if allow == Allow::Safe && !synced.losses.is_empty() {
        synced.waiting = true;
        return Ok(synced);
    }
    let name = format!("{DIRECT}{}", SystemClock.now().strftime("%Y%m%dT%H%M%S_%6f"));
    let migration = Migration { name, sql: plan.sql, schema: project.schema.to_json() };
    let outcome = store.migrate(migration).await;
    outcome.map_err(|error| MigrationError::Store { place: "schema/".to_owned(), error })?;
    let history = History::read(store, project).await?;
    if pending(&history).is_ok_and(|files| files.files.iter().all(|file| file.noted)) {
        synced.files.extend(apply(store, &history).await?.files);
    }
    Ok(synced)
}

/// Makes the tables of a database in which nothing was made yet, and else only looks whether it is as `schema/` says.
///
/// # Errors
/// [`MigrationError::Behind`] if it is not.
pub async fn require_current(project: &Project, store: &dyn Store) -> Result<(), MigrationError> {
    if project.settings.store.introspect {
        return Ok(());
    }
    let history = History::read(store, project).await?;
    if history.applied.is_empty() {
        // Where nothing was ever made, nothing can be lost.
        return sync(project, store, Allow::All).await.map(drop);
    }
    match is_same(history.database, &history.current, &project.schema) {
        true => Ok(()),
        false => Err(MigrationError::Behind),
    }
}
