//! Which migrations were applied to a database, and which not.

use mainstay_schema::Schema;
use mainstay_store::{Migrated, Store};
use serde::Serialize;

use super::error::MigrationError;
use super::files::{self, MigrationFile};
use crate::config::Database;
use crate::project::Project;

/// The migrations of a project and of its database.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// The engine of the database.
    pub database: Database,
    /// The folder of the files, as messages name it.
    pub folder: String,
    /// The files, oldest first.
    pub files: Vec<MigrationFile>,
    /// The schema from which the first file starts.
    pub nothing: Schema,
    /// What was applied, oldest first.
    pub applied: Vec<Migrated>,
    /// The schema of the database as the last migration left it.
    pub current: Schema,
}

/// Where a migration stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// It was applied.
    Applied {
        /// When.
        at: String,
    },
    /// It was applied, and its file says something else since.
    Edited {
        /// When it was applied.
        at: String,
    },
    /// It was applied, and there is no file: `dev` did it, or the file was removed.
    WithoutFile {
        /// When it was applied.
        at: String,
    },
    /// It was not applied.
    Pending,
}

impl History {
    /// Reads the files of a project and what its database remembers.
    ///
    /// # Errors
    /// [`MigrationError`] if either cannot be read.
    pub async fn read(store: &dyn Store, project: &Project) -> Result<History, MigrationError> {
        let files = files::read(&project.migrations_folder())?;
        let applied = applied(store).await?;
        let nothing = files::nothing(project.store_name());
        let current = last(&applied)?.unwrap_or_else(|| nothing.clone());
        let folder = project.migrations_name();
        Ok(History { database: project.database(), folder, files, nothing, applied, current })
    }

    /// The files of a project that has no database yet.
    ///
    /// # Errors
    /// [`MigrationError`] if they cannot be read.
    pub fn without_database(project: &Project) -> Result<History, MigrationError> {
        let files = files::read(&project.migrations_folder())?;
        let nothing = files::nothing(project.store_name());
        let current = nothing.clone();
        let folder = project.migrations_name();
        Ok(History { database: project.database(), folder, files, nothing, applied: Vec::new(), current })
    }

    /// The file of a migration, as messages name it.
    pub(super) fn file(&self, name: &str) -> String {
        format!("{}/{name}.sql", self.folder)
    }

    /// Every migration with where it stands, in the order of their names.
    pub fn states(&self) -> Vec<(String, State)> {
        let mut states: Vec<_> = self.files.iter().map(|file| (file.name.clone(), self.state(file))).collect();
        let has_file = |migrated: &&Migrated| self.files.iter().any(|file| file.name == migrated.name);
        let without = self.applied.iter().filter(|migrated| !has_file(migrated));
        states.extend(without.map(|one| (one.name.clone(), State::WithoutFile { at: one.applied_at.clone() })));
        states.sort_by(|(one, _), (other, _)| one.cmp(other));
        states
    }

    /// Where a file stands.
    pub fn state(&self, file: &MigrationFile) -> State {
        match self.applied.iter().find(|migrated| migrated.name == file.name) {
            None => State::Pending,
            Some(migrated) if migrated.sql == file.sql || migrated.sql == noted(&file.sql) => {
                State::Applied { at: migrated.applied_at.clone() }
            }
            Some(migrated) => State::Edited { at: migrated.applied_at.clone() },
        }
    }

    /// The files that were not applied, with the schema that each starts from.
    pub(super) fn pending(&self) -> Vec<(&Schema, &MigrationFile)> {
        let pairs = self.files.iter().enumerate().filter(|(_, file)| self.state(file) == State::Pending);
        pairs
            .map(|(at, file)| (at.checked_sub(1).map(|before| &self.files[before].schema), file))
            .map(|(before, file)| (before.unwrap_or(&self.nothing), file))
            .collect()
    }
}

/// The tables of a database as they were after the last migration; `None` if there was none.
///
/// # Errors
/// [`MigrationError`] if what it remembers cannot be read.
pub(crate) async fn recorded(store: &dyn Store) -> Result<Option<Schema>, MigrationError> {
    last(&applied(store).await?)
}

async fn applied(store: &dyn Store) -> Result<Vec<Migrated>, MigrationError> {
    let applied = store.migrations().await;
    applied.map_err(|error| MigrationError::Store { place: "the database".to_owned(), error })
}

fn last(applied: &[Migrated]) -> Result<Option<Schema>, MigrationError> {
    let Some(last) = applied.last() else { return Ok(None) };
    let schema = Schema::from_json(&last.schema);
    schema.map(Some).map_err(|error| MigrationError::Record { place: format!("migration {}", last.name), error })
}

/// The statements of a file that leads to what is there already, as they are remembered: nothing but comments.
pub(super) fn noted(sql: &str) -> String {
    let mut text = String::from("-- What this leads to was there already, so it was only noted:\n");
    for line in sql.lines() {
        text.push_str("-- ");
        text.push_str(line);
        text.push('\n');
    }
    text
}
