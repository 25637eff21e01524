//! Why tables could not be changed.

use std::path::PathBuf;

use mainstay_schema::error::RecordError;
use mainstay_store::StoreError;

/// Why a migration was not written or not applied. The database is as it was before the migration that is named.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// A file cannot be read or written.
    #[error("{}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: std::io::Error,
    },
    /// A file of statements without the schema that belongs to it, or the other way around.
    #[error("{} is missing; a migration is two files, .sql and .json, of one name", path.display())]
    Half {
        /// The file that is missing.
        path: PathBuf,
    },
    /// A recorded schema that cannot be read.
    #[error("{place}")]
    Record {
        /// Which one.
        place: String,
        /// Why.
        #[source]
        error: RecordError,
    },
    /// The schema says nothing that the last migration does not.
    #[error("nothing changed: the tables of schema/ are those of {last}")]
    NothingChanged {
        /// The last migration, or the empty database.
        last: String,
    },
    /// The statements do not lead to the schema.
    #[error("the migration does not lead to the schema: {0}")]
    Unproven(String),
    /// The statements cannot be tried: the server does not answer, or its user may not make a scratch schema.
    #[error("the migration cannot be proved, so it was not written")]
    Untried(#[source] StoreError),
    /// A file was edited after it was applied.
    #[error("{file} was edited after it was applied; put it back as it was and write a new migration")]
    Edited {
        /// The file.
        file: String,
    },
    /// The database is not where a pending migration starts.
    #[error(
        "{file} does not start from the tables that are there: the database was changed by `mainstay dev`, \
         or by a migration that is not in this folder; `mainstay migrate plan` shows what differs from schema/, and \
         `mainstay dev` applies it"
    )]
    Astray {
        /// The file of the pending migration.
        file: String,
    },
    /// The database is not as the schema says.
    #[error(
        "the database is not as schema/ says; `mainstay migrate plan` shows what differs, `mainstay migrate apply` applies it"
    )]
    Behind,
    /// A new migration would not be the last by its name.
    #[error("{last} is later than the clock of this machine; a new migration would come before it")]
    Clock {
        /// The file of the last migration.
        last: String,
    },
    /// The store refused.
    #[error("{place}")]
    Store {
        /// Which migration.
        place: String,
        /// Why.
        #[source]
        error: StoreError,
    },
}

impl MigrationError {
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> MigrationError {
        let path = path.into();
        move |error| MigrationError::File { path, error }
    }
}
