//! Tables that Mainstay made, found in a database: what it noted of its last migration tells the types for which an engine has
//! no words of its own.

use std::collections::HashMap;

use mainstay_schema::{Schema, Type};

/// The types of columns, as the last migration left them.
pub(crate) struct Noted(HashMap<(String, String), Type>);

impl Noted {
    /// Reads a schema as the migrations keep it; nothing where a later version wrote it.
    pub(crate) fn read(json: &str) -> Option<Noted> {
        let schema = Schema::from_json(json).ok()?;
        let columns = schema.tables().iter().flat_map(|table| table.columns.iter().map(move |column| (table, column)));
        let name = |(table, column): (&mainstay_schema::Table, &mainstay_schema::Column)| {
            ((table.name.to_string(), column.name.to_string()), column.ty.clone())
        };
        Some(Noted(columns.map(name).collect()))
    }

    /// The type of a column, if the table is one of ours and has not become another for all that this knows.
    pub(crate) fn data_type(&self, table: &str, column: &str) -> Option<&Type> {
        self.0.get(&(table.to_owned(), column.to_owned()))
    }
}
