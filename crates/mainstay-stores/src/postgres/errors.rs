//! PostgreSQL's errors in the words of [`StoreError`]: the only place that knows SQLSTATEs on their way in.
//!
//! Everything is decided by the fields of an error, never by its message, which comes in the server's language. The one
//! text that is looked into is the detail of a broken key, for the values between its parentheses.

use std::sync::Arc;

use mainstay_schema::{Reference, Schema, Table};
use mainstay_store::{BrokenReference, DatabaseError, ReferenceEnd, StoreError};
use tokio_postgres::error::{DbError, SqlState};

use crate::server::DriverError;

/// Why a session could not do what it was told.
pub type Failure = crate::server::Failure<tokio_postgres::Error>;

impl DriverError for tokio_postgres::Error {
    fn words(&self) -> Option<String> {
        let error = self.as_db_error()?;
        let mut words = error.message().to_owned();
        for more in [error.detail(), error.hint()].into_iter().flatten() {
            words.push_str("; ");
            words.push_str(more.trim_end_matches('.'));
        }
        Some(words)
    }

    fn is_conflict(&self) -> bool {
        self.as_db_error().is_some_and(|error| {
            [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(error.code())
        })
    }

    fn is_broken(&self) -> bool {
        self.as_db_error().is_none()
    }

    fn meaning(self) -> StoreError {
        match self.as_db_error().map(told) {
            None if is_ours(&self) => StoreError::Internal(Box::new(self)),
            None | Some(Told::Unavailable) => StoreError::Unavailable(Box::new(self)),
            Some(Told::Deadline) => StoreError::Deadline,
            Some(Told::CannotWrite) => StoreError::CannotWrite(Box::new(self)),
            Some(Told::SchemaChanged) => StoreError::SchemaChanged(Box::new(self)),
            Some(Told::Own(words)) => StoreError::Database(words),
        }
    }
}

impl Failure {
    /// The error that the server sent, if it is one.
    pub fn server(&self) -> Option<&DbError> {
        match self {
            Failure::Driver(error) => error.as_db_error(),
            _ => None,
        }
    }

    /// Whether the statement was prepared before the tables changed, or is not prepared any more: preparing it again
    /// heals that.
    pub fn is_stale(&self) -> bool {
        self.server().is_some_and(|error| {
            *error.code() == SqlState::INVALID_SQL_STATEMENT_NAME
                || (*error.code() == SqlState::FEATURE_NOT_SUPPORTED
                    && error.routine() == Some("RevalidateCachedQuery"))
        })
    }

    /// What it means to a caller who knows the tables: constraints are told as every store tells them.
    ///
    /// `written` is the table that the statement writes to.
    pub fn translate(self, schema: &Schema, written: Option<&Table>) -> StoreError {
        let known = self.server().and_then(|error| constraint(error, schema, written));
        known.unwrap_or_else(|| self.verbatim())
    }
}

/// Whether an error without an answer of the server is a mistake of this program: parameters that do not fit.
fn is_ours(error: &tokio_postgres::Error) -> bool {
    use std::error::Error as _;
    !error.is_closed() && error.source().is_none_or(|source| !source.is::<std::io::Error>())
}

enum Told {
    Deadline,
    Unavailable,
    CannotWrite,
    SchemaChanged,
    Own(Box<DatabaseError>),
}

fn told(error: &DbError) -> Told {
    let code = error.code().code();
    match &code[..2] {
        _ if code == "57014" => Told::Deadline,
        // The disk, not the number of connections or the memory.
        _ if code == "53100" || code == "58030" => Told::CannotWrite,
        _ if code == "53400" => own(error),
        "08" | "53" => Told::Unavailable,
        _ if code.starts_with("57P0") => Told::Unavailable,
        _ if code == "0A000" && error.routine() == Some("RevalidateCachedQuery") => Told::SchemaChanged,
        _ => own(error),
    }
}

fn own(error: &DbError) -> Told {
    Told::Own(Box::new(DatabaseError {
        code: error.code().code().into(),
        message: error.message().to_owned(),
        details: error.detail().map(str::to_owned),
        hint: error.hint().map(str::to_owned),
    }))
}

/// A broken constraint of a table that the schema knows; unknown tables and columns are the schema's fault.
fn constraint(error: &DbError, schema: &Schema, written: Option<&Table>) -> Option<StoreError> {
    let table = || error.table().and_then(|name| schema.find(name));
    match error.code().code() {
        "42P01" | "42703" => {
            let source = format!("{}: {}", error.code().code(), error.message());
            Some(StoreError::SchemaChanged(source.into()))
        }
        "23502" => {
            let (table, column) = (table()?, error.column()?);
            let column = table.find_column(column)?.name.clone();
            Some(StoreError::NotNull { table: table.name.clone(), column })
        }
        "23514" => Some(StoreError::Check { table: table()?.name.clone(), check: error.constraint()?.to_owned() }),
        "23505" => duplicate(table()?, error.constraint()?, error.detail()),
        "23503" => reference(schema, table()?, error.constraint()?, error.detail(), written),
        "P0001" => Some(StoreError::Raised { message: error.message().to_owned() }),
        _ => None,
    }
    .filter(|_| error.code().code() != "P0001" || (error.detail().is_none() && error.hint().is_none()))
}

fn duplicate(table: &Table, name: &str, detail: Option<&str>) -> Option<StoreError> {
    let index = || table.indexes.iter().find(|index| index.unique && *index.name == *name);
    let columns = match table.uniques.iter().find(|key| *key.name == *name) {
        Some(key) => key.columns.clone(),
        None if name == format!("{}_pkey", table.name) => table.primary_key.clone(),
        None => index()?.columns.iter().map(|column| column.column).collect(),
    };
    let columns: Vec<Arc<str>> = columns.iter().map(|column| table.column(*column).name.clone()).collect();
    let values = detail.and_then(|detail| values(detail, &columns));
    Some(StoreError::Duplicate { table: table.name.clone(), key: name.into(), columns, values })
}

fn reference(
    schema: &Schema,
    owner: &Table,
    name: &str,
    detail: Option<&str>,
    written: Option<&Table>,
) -> Option<StoreError> {
    let found: &Reference = owner.references.iter().find(|reference| *reference.name == *name)?;
    let target = schema.table(found.target);
    let names = |table: &Table, columns: &[_]| -> Vec<Arc<str>> {
        columns.iter().map(|column| table.column(*column).name.clone()).collect()
    };
    let (pointing, pointed) = (names(owner, &found.columns), names(target, &found.target_columns));
    let here = detail.and_then(|detail| values(detail, &pointing));
    let there = detail.and_then(|detail| values(detail, &pointed));
    // The detail names the columns of the end that was touched. Where both ends name theirs alike, the table tells: a
    // reference from a table to itself cannot have the same columns at both ends.
    let is_pointing = match (&here, &there) {
        (Some(_), None) => true,
        (None, Some(_)) => false,
        _ => written.is_some_and(|written| written.name == owner.name),
    };
    let broken = match is_pointing {
        true => BrokenReference {
            end: ReferenceEnd::Pointing,
            constraint: Some(found.name.clone()),
            table: owner.name.clone(),
            columns: pointing,
            values: here,
            other: Some(target.name.clone()),
            row: None,
        },
        false => BrokenReference {
            end: ReferenceEnd::Target,
            constraint: Some(found.name.clone()),
            table: target.name.clone(),
            columns: pointed,
            values: there,
            other: Some(owner.name.clone()),
            row: None,
        },
    };
    Some(StoreError::Reference { table: broken.table.clone(), broken: Some(Box::new(broken)) })
}

/// What stands for the values of these columns in a detail like `Key (a, b)=(1, 2) already exists.`, in any language.
/// Values that hold commas cannot be told apart; then they come as one.
fn values(detail: &str, columns: &[Arc<str>]) -> Option<Vec<String>> {
    let start = format!("({})=(", columns.join(", "));
    let rest = &detail[detail.find(&start)? + start.len()..];
    let inside = &rest[..rest.rfind(')')?];
    let parts: Vec<String> = inside.split(", ").map(str::to_owned).collect();
    Some(if parts.len() == columns.len() { parts } else { vec![inside.to_owned()] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_key() {
        let columns = |names: &[&str]| names.iter().map(|name| Arc::from(*name)).collect::<Vec<_>>();
        for (detail, names, expected) in [
            ("Key (email)=(a@b.c) already exists.", &["email"][..], Some(&["a@b.c"][..])),
            ("Schlüssel »(email)=(a)« existiert bereits.", &["email"], Some(&["a"])),
            ("Key (a, b)=(1, 2) is not present in table \"t\".", &["a", "b"], Some(&["1", "2"])),
            ("Key (a, b)=(1, x, y) already exists.", &["a", "b"], Some(&["1, x, y"])),
            ("Key (t)=(a (b)) already exists.", &["t"], Some(&["a (b)"])),
            ("Key (lower(email))=(a) already exists.", &["email"], None),
        ] {
            let expected = expected.map(|parts| parts.iter().map(|part| (*part).to_owned()).collect());
            assert_eq!(values(detail, &columns(names)), expected, "{detail}");
        }
    }
}
