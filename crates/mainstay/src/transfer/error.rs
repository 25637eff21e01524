//! Why rows could not be moved.

use mainstay_store::StoreError;

use crate::migrations::MigrationError;

/// Why an import, an export or a seed stopped.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// What was asked makes no sense for this table or file; nothing was read or written.
    #[error("{0}")]
    Misuse(String),
    /// A file cannot be read or written.
    #[error("{what}: {error}")]
    File {
        /// The file and what was done with it.
        what: String,
        /// What the system says.
        #[source]
        error: std::io::Error,
    },
    /// A record of a file that must be right is not.
    #[error("{file}:{line}: {reason}")]
    Record {
        /// The file.
        file: String,
        /// The line on which the record begins, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// More records were wrong than the caller takes.
    #[error("stopped: more than {max} bad records; the first: line {line}: {reason}")]
    TooManyBad {
        /// The most that are taken.
        max: u64,
        /// Line of the first one of this run.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The rows of a table cannot be put where they should go.
    #[error("{table}: {reason}")]
    Table {
        /// The table.
        table: String,
        /// What is wrong.
        reason: String,
    },
    /// Tables cannot be made or changed.
    #[error("{}", chain(.0))]
    Tables(#[from] MigrationError),
    /// The store could not do its part.
    #[error("{}", store_message(.0))]
    Store(#[from] StoreError),
}

impl TransferError {
    pub(super) fn file(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> TransferError {
        let what = what.into();
        move |error| TransferError::File { what, error }
    }
}

/// An error with all that it came from.
fn chain(error: &MigrationError) -> String {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// What the store said, with the cause beneath it where that is what the operator has to mend.
fn store_message(error: &StoreError) -> String {
    match error {
        StoreError::CannotWrite(cause) | StoreError::Unavailable(cause) | StoreError::SchemaChanged(cause) => {
            format!("{error}: {cause}")
        }
        _ => error.to_string(),
    }
}

/// Why the store refused a row, for whoever wrote the file.
pub(super) fn reason_of(fault: &StoreError) -> String {
    match fault {
        StoreError::Duplicate { columns, .. } => format!("{fault} ({})", columns.join(", ")),
        StoreError::Reference { .. } => "the row that it refers to is not there".to_owned(),
        _ => fault.to_string(),
    }
}
