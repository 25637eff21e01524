//! What Mainstay noted in a file whose tables it made. Decimals, documents and lists are text to SQLite, and truth values are
//! numbers.

use mainstay_schema::Type;
use rusqlite::{Connection, OptionalExtension, Result};

use super::super::types;
use crate::found::Noted;

/// The notes; nothing in a file that Mainstay did not make.
pub(super) fn read(connection: &Connection) -> Result<Option<Noted>> {
    let is_there = "SELECT 1 FROM sqlite_schema WHERE name = '_mainstay_migrations' AND type = 'table'";
    if !connection.prepare(is_there)?.exists([])? {
        return Ok(None);
    }
    let last = "SELECT schema FROM _mainstay_migrations ORDER BY position DESC LIMIT 1";
    let text: Option<String> = connection.query_row(last, [], |row| row.get(0)).optional()?;
    Ok(text.and_then(|text| Noted::read(&text)))
}

/// The type of a column, if it is still declared as that type is.
pub(super) fn data_type(noted: &Noted, table: &str, column: &str, declared: &str) -> Option<Type> {
    noted.data_type(table, column).filter(|noted| types::declared(noted) == declared).cloned()
}
