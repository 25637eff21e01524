//! Tables that Mainstay made, found in a file: what it noted of its last migration tells their types, of which SQLite has
//! no words for most. Decimals, documents and lists are text to it, and truth values are numbers.

use std::collections::HashMap;

use mainstay_schema::{Schema, Type};
use rusqlite::{Connection, OptionalExtension, Result};

use super::super::types;

/// What the last migration left; nothing in a file that Mainstay did not make.
pub(super) struct Noted(HashMap<(String, String), Type>);

impl Noted {
    pub(super) fn read(connection: &Connection) -> Result<Option<Noted>> {
        let is_there = "SELECT 1 FROM sqlite_schema WHERE name = '_mainstay_migrations' AND type = 'table'";
        if !connection.prepare(is_there)?.exists([])? {
            return Ok(None);
        }
        let last = "SELECT schema FROM _mainstay_migrations ORDER BY position DESC LIMIT 1";
        let text: Option<String> = connection.query_row(last, [], |row| row.get(0)).optional()?;
        // One of a later version tells nothing that is understood here.
        let schema = text.and_then(|text| Schema::from_json(&text).ok());
        Ok(schema.map(|schema| {
            let tables = schema.tables().iter();
            let columns = tables.flat_map(|table| table.columns.iter().map(move |column| (table, column)));
            Noted(
                columns
                    .map(|(table, column)| ((table.name.to_string(), column.name.to_string()), column.ty.clone()))
                    .collect(),
            )
        }))
    }

    /// The type of a column, if it is still declared as that type is.
    pub(super) fn data_type(&self, table: &str, column: &str, declared: &str) -> Option<Type> {
        let noted = self.0.get(&(table.to_owned(), column.to_owned()))?;
        (types::declared(noted) == declared).then(|| noted.clone())
    }
}
