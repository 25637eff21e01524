//! SQLite's errors in the words of [`StoreError`]: the only place that knows native codes.
//!
//! No text of a statement ever reaches the caller; it may be in the source, which is for the log.

use std::sync::Arc;

use mainstay_schema::{Function, Schema, Table};
use mainstay_store::StoreError;
use rusqlite::{Error, ffi};

use super::functions;

/// Says what an error means. `written` is the table that the statement writes to.
pub(super) fn translate(error: Error, schema: &Schema, written: Option<&Table>) -> StoreError {
    let (code, message) = match &error {
        Error::SqliteFailure(native, message) => (native.extended_code, message.clone().unwrap_or_default()),
        Error::SqlInputError { error: native, msg, .. } => (native.extended_code, msg.clone()),
        // Other programs may have put any octets into a column of text.
        Error::Utf8Error(..) => return StoreError::NoText,
        // Ours, that did not pass through SQLite.
        Error::UserFunctionError(_) => {
            return functions::take_error().unwrap_or_else(|| StoreError::Internal(Box::new(error)));
        }
        _ => return StoreError::Internal(Box::new(error)),
    };
    match code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            let found = duplicate(schema, &message).or_else(|| found_duplicate(schema, &message, written));
            found.unwrap_or_else(|| StoreError::Internal(Box::new(error)))
        }
        ffi::SQLITE_CONSTRAINT_NOTNULL => {
            not_null(schema, &message).unwrap_or_else(|| StoreError::Internal(Box::new(error)))
        }
        ffi::SQLITE_CONSTRAINT_CHECK if message.starts_with(CHECK) => StoreError::Check {
            table: written.map_or_else(|| "".into(), |table| table.name.clone()),
            check: message[CHECK.len()..].to_owned(),
        },
        ffi::SQLITE_CONSTRAINT_TRIGGER if !message.starts_with("FOREIGN KEY") => StoreError::Raised { message },
        // An action that refuses (`RESTRICT`) comes as a trigger's.
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY | ffi::SQLITE_CONSTRAINT_TRIGGER if message.starts_with("FOREIGN KEY") => {
            StoreError::Reference { table: written.map_or_else(|| "".into(), |table| table.name.clone()), broken: None }
        }
        _ => by_primary_code(code & 0xff, &message, error),
    }
}

/// Says what an error means that the statement of a function met. What its SQL itself complains about, of values that
/// the caller brought, is told in SQLite's words.
pub(super) fn of_function(error: Error, schema: &Schema, function: &Function) -> StoreError {
    let message = match &error {
        Error::SqliteFailure(native, Some(message)) if native.extended_code == ffi::SQLITE_ERROR => message.clone(),
        _ => String::new(),
    };
    match translate(error, schema, None) {
        StoreError::Internal(_) if !message.is_empty() => {
            StoreError::Function { function: function.name.clone(), message }
        }
        other => other,
    }
}

fn by_primary_code(code: i32, message: &str, error: Error) -> StoreError {
    match code {
        ffi::SQLITE_INTERRUPT => StoreError::Deadline,
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => StoreError::Overloaded,
        ffi::SQLITE_FULL | ffi::SQLITE_IOERR | ffi::SQLITE_READONLY | ffi::SQLITE_CANTOPEN => {
            StoreError::CannotWrite(Box::new(error))
        }
        ffi::SQLITE_NOMEM | ffi::SQLITE_NOTADB => StoreError::Unavailable(Box::new(error)),
        ffi::SQLITE_SCHEMA => StoreError::SchemaChanged(Box::new(error)),
        ffi::SQLITE_ERROR if let Some(column) = computed_column(message) => StoreError::Computed { column },
        ffi::SQLITE_ERROR if message.starts_with("ON CONFLICT clause does not match") => StoreError::Unsupported {
            what: "A merge by this key: its index has another order of text than its columns.".to_owned(),
        },
        ffi::SQLITE_ERROR if is_about_names(message) => StoreError::SchemaChanged(Box::new(error)),
        ffi::SQLITE_ERROR | ffi::SQLITE_CONSTRAINT => match functions::take_error() {
            Some(error) => error,
            None => StoreError::Internal(Box::new(error)),
        },
        _ => StoreError::Internal(Box::new(error)),
    }
}

/// How the message of a broken check begins; its name or its text follows.
const CHECK: &str = "CHECK constraint failed: ";

/// The computed column that a statement wanted to write.
fn computed_column(message: &str) -> Option<Arc<str>> {
    let starts = ["cannot INSERT into generated column \"", "cannot UPDATE generated column \""];
    let name = starts.iter().find_map(|start| message.strip_prefix(start))?;
    Some(name.strip_suffix('"')?.into())
}

/// A key of a found table that its schema does not have, such as an index on an expression.
fn found_duplicate(schema: &Schema, message: &str, written: Option<&Table>) -> Option<StoreError> {
    schema.found()?;
    let listed = message.strip_prefix("UNIQUE constraint failed: ")?;
    let index = listed.strip_prefix("index '").and_then(|rest| rest.strip_suffix('\''));
    let table = written?;
    let (key, columns) = (index.unwrap_or(listed).into(), Vec::new());
    Some(StoreError::Duplicate { table: table.name.clone(), key, columns, values: None })
}

fn is_about_names(message: &str) -> bool {
    ["no such table", "no such column", "has no column named"].iter().any(|part| message.contains(part))
}

/// `UNIQUE constraint failed: orders.id, orders.line` names columns; the schema knows whose key they are. Names may
/// hold any character, so the message is compared with what each key would print rather than taken apart.
fn duplicate(schema: &Schema, message: &str) -> Option<StoreError> {
    let listed = message.strip_prefix("UNIQUE constraint failed: ")?;
    for table in schema.tables() {
        if !listed.starts_with(&*table.name) && !listed.starts_with("index '") {
            continue;
        }
        let primary = format!("{}_pkey", table.name);
        let keys = std::iter::once((primary.as_str(), table.primary_key.clone()))
            .chain(table.uniques.iter().map(|key| (&*key.name, key.columns.clone())))
            .chain(
                table
                    .indexes
                    .iter()
                    .filter(|index| index.unique)
                    .map(|index| (&*index.name, index.columns.iter().map(|column| column.column).collect())),
            );
        for (name, columns) in keys {
            let columns: Vec<_> = columns.iter().map(|column| table.column(*column).name.clone()).collect();
            let printed: Vec<String> = columns.iter().map(|column| format!("{}.{column}", table.name)).collect();
            if listed == printed.join(", ") || listed == format!("index '{name}'") {
                return Some(StoreError::Duplicate {
                    table: table.name.clone(),
                    key: name.into(),
                    columns,
                    values: None,
                });
            }
        }
    }
    None
}

fn not_null(schema: &Schema, message: &str) -> Option<StoreError> {
    let named = message.strip_prefix("NOT NULL constraint failed: ")?;
    schema.tables().iter().find_map(|table| {
        let column = named.strip_prefix(&*table.name)?.strip_prefix('.')?;
        let column = table.find_column(column)?;
        Some(StoreError::NotNull { table: table.name.clone(), column: column.name.clone() })
    })
}

/// The error of a store that was closed, or whose thread is gone.
pub(super) fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".into())
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn check(extended_code: i32, message: &str, expected: &str) {
        let schema = sample::schema();
        let native = Error::SqliteFailure(ffi::Error::new(extended_code), Some(message.to_owned()));
        let found = format!("{:?}", translate(native, &schema, schema.find("orders")));
        assert!(found.starts_with(expected), "{message}: {found}");
    }

    #[test]
    fn constraints_are_named() {
        check(
            ffi::SQLITE_CONSTRAINT_PRIMARYKEY,
            "UNIQUE constraint failed: orders.id",
            "Duplicate { table: \"orders\", key: \"orders_pkey\", columns: [\"id\"]",
        );
        check(
            ffi::SQLITE_CONSTRAINT_UNIQUE,
            "UNIQUE constraint failed: customers.email",
            "Duplicate { table: \"customers\", key: \"customers_email_key\", columns: [\"email\"]",
        );
        check(
            ffi::SQLITE_CONSTRAINT_NOTNULL,
            "NOT NULL constraint failed: orders.total",
            "NotNull { table: \"orders\", column: \"total\" }",
        );
        for code in [ffi::SQLITE_CONSTRAINT_FOREIGNKEY, ffi::SQLITE_CONSTRAINT_TRIGGER] {
            check(code, "FOREIGN KEY constraint failed", "Reference { table: \"orders\", broken: None }");
        }
        check(ffi::SQLITE_CONSTRAINT_UNIQUE, "UNIQUE constraint failed: other.x", "Internal");
    }

    #[test]
    fn trouble_of_the_engine_keeps_its_kind() {
        check(ffi::SQLITE_FULL, "database or disk is full", "CannotWrite");
        check(ffi::SQLITE_IOERR_WRITE, "disk I/O error", "CannotWrite");
        check(ffi::SQLITE_BUSY, "database is locked", "Overloaded");
        check(ffi::SQLITE_BUSY_SNAPSHOT, "database is locked", "Overloaded");
        check(ffi::SQLITE_INTERRUPT, "interrupted", "Deadline");
        check(ffi::SQLITE_ERROR, "no such column: t0.nope", "SchemaChanged");
        check(ffi::SQLITE_ERROR, "near \"x\": syntax error", "Internal");
        check(ffi::SQLITE_CORRUPT, "database disk image is malformed", "Internal");
    }
}
