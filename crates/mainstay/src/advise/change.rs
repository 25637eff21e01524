//! Advice as changes of a schema.

use mainstay_schema::{Index, IndexColumn, Schema, Table};

/// A change that a piece of advice asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A new index.
    Add {
        /// The table.
        table: String,
        /// Its columns, each with whether it is in descending order.
        columns: Vec<(String, bool)>,
    },
    /// An index that goes.
    Drop {
        /// The table.
        table: String,
        /// Name of the index in the database.
        index: String,
    },
}

impl Change {
    /// The table that it is about.
    pub fn table(&self) -> &str {
        match self {
            Change::Add { table, .. } | Change::Drop { table, .. } => table,
        }
    }
}

/// The schema with the changes made. What is not there any more is passed over.
pub fn changed(schema: &Schema, changes: &[Change]) -> Schema {
    let mut tables: Vec<Table> = schema.tables().to_vec();
    for change in changes {
        match change {
            Change::Add { table, columns } => {
                let Some(table) = tables.iter_mut().find(|other| *other.name == **table) else { continue };
                let parts = columns.iter().map(|(name, descending)| {
                    let column = table.find_column(name)?.id;
                    Some(IndexColumn { column, descending: *descending })
                });
                let Some(parts) = parts.collect::<Option<Vec<_>>>() else { continue };
                let words: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
                let name = format!("{}_{}_idx", table.name, words.join("_"));
                table.indexes.push(Index { name: name.into(), columns: parts, unique: false, condition: None });
            }
            Change::Drop { table, index } => {
                if let Some(table) = tables.iter_mut().find(|other| *other.name == **table) {
                    table.indexes.retain(|other| *other.name != **index);
                }
            }
        }
    }
    match schema.found() {
        Some(found) => Schema::of_found(tables, found.clone()),
        None => Schema::new(tables),
    }
}
