//! What went wrong in a store, in words that mean the same on every engine.

use std::sync::Arc;

use mainstay_query::evaluate::AssignError;
use mainstay_schema::{Column, ColumnId, Reference, Schema, Table, Value, ValueError, Violation};

/// The error of the driver beneath, for the log only.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a store could not carry out a plan. Nothing of a plan that failed has happened, unless the error says so.
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
    #[error("{}", reference_message(table, broken.as_deref()))]
    Reference {
        /// The table written to.
        table: Arc<str>,
        /// Which reference and key, where the store tells.
        broken: Option<Box<BrokenReference>>,
    },
    /// Null in a column that must have a value (23502).
    #[error("null value in column \"{column}\" of relation \"{table}\" violates not-null constraint")]
    NotNull {
        /// The table.
        table: Arc<str>,
        /// The column.
        column: Arc<str>,
    },
    /// A row that a check of the store itself refuses (23514).
    #[error("new row for relation \"{table}\" violates check constraint \"{check}\"")]
    Check {
        /// The table.
        table: Arc<str>,
        /// Name of the check, or its text where it has none.
        check: String,
    },
    /// A trigger of the store refused the write, in its own words (P0001).
    #[error("{message}")]
    Raised {
        /// The words.
        message: String,
    },
    /// A value for a column that the store computes (428C9).
    #[error("cannot write a value into column \"{column}\"")]
    Computed {
        /// The column.
        column: Arc<str>,
    },
    /// A stored text is not UTF-8, and so cannot be shown (22021).
    #[error("invalid byte sequence for encoding \"UTF8\"")]
    NoText,
    /// A value that was computed from what was there is one that its column does not accept (23514).
    #[error("new row for relation \"{table}\" violates check constraint \"{table}_{}_check\"", violation.column)]
    Violation {
        /// The table.
        table: Arc<str>,
        /// Which check.
        violation: Violation,
    },
    /// A JSON patch does not apply to a row: a test failed, or a place is not there (409).
    #[error("the patch does not apply to column \"{column}\" of relation \"{table}\"")]
    Patch {
        /// The table.
        table: Arc<str>,
        /// The column.
        column: Arc<str>,
        /// What did not apply, and where.
        reason: String,
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
    /// Several rows of a view that was to have one, by what it declares (21000).
    #[error("more than one row of \"{table}\" where its key says that there is one")]
    SeveralRows {
        /// The view.
        table: Arc<str>,
    },
    /// One key twice in one merge (21000).
    #[error("ON CONFLICT DO UPDATE command cannot affect row a second time")]
    RepeatedKey,
    /// The SQL of a function failed on what it was given (22000).
    #[error("{message}")]
    Function {
        /// The function.
        function: Arc<str>,
        /// What the engine says.
        message: String,
    },
    /// The deadline passed while the statement ran (57014).
    #[error("canceling statement due to statement timeout")]
    Deadline,
    /// The store has more work waiting than it takes; try again (503).
    #[error("the store is busy")]
    Overloaded,
    /// The store did not answer, or not yet; retrying may help (503).
    #[error("the store is unavailable")]
    Unavailable(#[source] BoxError),
    /// One of several stores did not answer, or not yet; retrying may help, and the others go on (503).
    #[error("the store {store} is unavailable")]
    Down {
        /// Its name in the settings.
        store: Arc<str>,
        /// What it said.
        #[source]
        cause: BoxError,
    },
    /// More rows of one store would have to be held to be joined with those of another than may be (400).
    #[error(
        "more than {max} rows of \"{table}\" in the store {store} would have to be joined with those of another store"
    )]
    TooManyRows {
        /// The table.
        table: Arc<str>,
        /// The store that keeps it.
        store: Arc<str>,
        /// Rows that may be held.
        max: u64,
    },
    /// The write is done, and what other stores have of its rows could not be read afterwards. The only error after which
    /// something has happened.
    #[error("the rows were written, but what belongs to them in other stores could not be read")]
    AfterWrite(#[source] Box<StoreError>),
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
    /// The database refused in its own words, and nothing above says the same.
    #[error("{0}")]
    Database(Box<DatabaseError>),
    /// Anything else, a bug here or below (XX000).
    #[error("internal error of the store")]
    Internal(#[source] BoxError),
}

impl StoreError {
    /// What is wrong with an assignment to a column of a row.
    pub fn of_assignment(table: &Table, column: &Column, error: AssignError) -> StoreError {
        match error {
            AssignError::Value(error) => StoreError::Value(error),
            AssignError::Check(violation) => StoreError::Violation { table: table.name.clone(), violation },
            AssignError::NotNull => StoreError::NotNull { table: table.name.clone(), column: column.name.clone() },
            AssignError::Patch(reason) => {
                StoreError::Patch { table: table.name.clone(), column: column.name.clone(), reason }
            }
        }
    }
}

/// What a database said itself, field by field: callers of its wire format match on these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DatabaseError {
    /// The SQLSTATE: five letters and digits.
    pub code: Box<str>,
    /// What is wrong.
    pub message: String,
    /// What makes this case particular.
    pub details: Option<String>,
    /// What may be done about it.
    pub hint: Option<String>,
}

/// The reference that a write would have broken, and the key that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenReference {
    /// Which end of the reference the write touched.
    pub end: ReferenceEnd,
    /// Name of the constraint; `None` where it is not told.
    pub constraint: Option<Arc<str>>,
    /// The table at this end: of the row that points, or of the row that is pointed at.
    pub table: Arc<str>,
    /// Its columns.
    pub columns: Vec<Arc<str>>,
    /// What they hold; `None` where it is not told.
    pub values: Option<Vec<String>>,
    /// The table at the other end; `None` where it is not told.
    pub other: Option<Arc<str>>,
    /// Number of the row in the body, from 1, where there are several. Stores leave it to the engine.
    pub row: Option<usize>,
}

/// The end of a reference that a write touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferenceEnd {
    /// A row was written that points at nothing.
    Pointing,
    /// A row would go, or change its key, while others point at it.
    Target,
}

impl BrokenReference {
    /// A row of `table` with these values in the columns of `reference` points at nothing.
    pub fn missing<'v>(
        schema: &Schema,
        table: &Table,
        reference: &Reference,
        values: impl IntoIterator<Item = &'v Value>,
    ) -> BrokenReference {
        BrokenReference {
            end: ReferenceEnd::Pointing,
            constraint: Some(reference.name.clone()),
            table: table.name.clone(),
            columns: names(table, &reference.columns),
            values: Some(texts(values)),
            other: Some(schema.table(reference.target).name.clone()),
            row: None,
        }
    }

    /// A row with these values in the target columns of `reference` is still pointed at by rows of `owner`.
    pub fn held<'v>(
        schema: &Schema,
        owner: &Table,
        reference: &Reference,
        values: impl IntoIterator<Item = &'v Value>,
    ) -> BrokenReference {
        let target = schema.table(reference.target);
        BrokenReference {
            end: ReferenceEnd::Target,
            constraint: Some(reference.name.clone()),
            table: target.name.clone(),
            columns: names(target, &reference.target_columns),
            values: Some(texts(values)),
            other: Some(owner.name.clone()),
            row: None,
        }
    }
}

fn names(table: &Table, columns: &[ColumnId]) -> Vec<Arc<str>> {
    columns.iter().map(|column| table.column(*column).name.clone()).collect()
}

fn texts<'v>(values: impl IntoIterator<Item = &'v Value>) -> Vec<String> {
    values.into_iter().map(|value| value.to_text().unwrap_or_else(|| "null".to_owned())).collect()
}

fn reference_message(table: &str, broken: Option<&BrokenReference>) -> String {
    let Some(broken) = broken else { return format!("foreign key constraint of table \"{table}\" would be violated") };
    let table = &broken.table;
    let constraint = match &broken.constraint {
        Some(name) => format!("foreign key constraint \"{name}\""),
        None => "a foreign key constraint".to_owned(),
    };
    match (broken.end, &broken.other) {
        (ReferenceEnd::Pointing, _) => format!("insert or update on table \"{table}\" violates {constraint}"),
        (ReferenceEnd::Target, None) => format!("update or delete on table \"{table}\" violates {constraint}"),
        (ReferenceEnd::Target, Some(other)) => {
            format!("update or delete on table \"{table}\" violates {constraint} on table \"{other}\"")
        }
    }
}
