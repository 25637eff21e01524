//! What went wrong in a store, in words that mean the same on every engine.

use std::sync::Arc;

use mainstay_schema::ValueError;

/// The error of the driver beneath, for the log only.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a store could not carry out a plan. Nothing of a plan that failed has happened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A unique or primary key already holds this value (23505).
    #[error("duplicate key value violates unique constraint \"{key}\"")]
    Duplicate {
        /// The table.
        table: Arc<str>,
        /// Name of the key; `{table}_pkey` for the primary key.
        key: Arc<str>,
        /// Its columns.
        columns: Vec<Arc<str>>,
        /// The values, where the store tells them.
        values: Option<Vec<String>>,
    },
    /// A row points at something that is not there, or something that is pointed at would go away (23503).
    #[error("foreign key constraint of table \"{table}\" would be violated")]
    Reference {
        /// The table written to.
        table: Arc<str>,
    },
    /// Null in a column that must have a value (23502).
    #[error("null value in column \"{column}\" of relation \"{table}\" violates not-null constraint")]
    NotNull {
        /// The table.
        table: Arc<str>,
        /// The column.
        column: Arc<str>,
    },
    /// More or other rows were affected than the plan expected (PGRST116, PGRST124).
    #[error("{affected} rows affected")]
    Unexpected {
        /// Rows that would have been affected.
        affected: u64,
        /// Whether exactly one was expected, or at most a number.
        single: bool,
    },
    /// A cast of a stored value failed (22P02, 22003, 22008).
    #[error("{0}")]
    Value(ValueError),
    /// One key twice in one merge (21000).
    #[error("ON CONFLICT DO UPDATE command cannot affect row a second time")]
    RepeatedKey,
    /// The deadline passed while the statement ran (57014).
    #[error("canceling statement due to statement timeout")]
    Deadline,
    /// The store has more work waiting than it takes; try again (503).
    #[error("the store is busy")]
    Overloaded,
    /// The store did not answer, or not yet; retrying may help (503).
    #[error("the store is unavailable")]
    Unavailable(#[source] BoxError),
    /// The disk is full or the file cannot be written (53100, 503).
    #[error("the store cannot write")]
    CannotWrite(#[source] BoxError),
    /// The tables are not as the schema says; the schema must be loaded again (42P01, 42703).
    #[error("the store's tables differ from the schema")]
    SchemaChanged(#[source] BoxError),
    /// What was asked is not possible on this store (PGRST127).
    #[error("{what}")]
    Unsupported {
        /// What, naming the store.
        what: String,
    },
    /// A migration step failed; the old schema is still there.
    #[error("migration failed: {message}")]
    Migration {
        /// Which step and why.
        message: String,
    },
    /// Anything else, a bug here or below (XX000).
    #[error("internal error of the store")]
    Internal(#[source] BoxError),
}
