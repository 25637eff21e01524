//! What is known of tables that Mainstay did not make, beyond what a declared table has.
//!
//! A file of another program keeps to its own rules: any value may be in a column, some columns are computed, rows may
//! have no key. Stores that find their tables fill this in; a [`Schema`](crate::Schema) of declared tables has none.

use std::sync::Arc;

use crate::ids::{ColumnId, TableId};

/// What is known of found tables, in the order of their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// One entry a table.
    pub tables: Vec<FoundTable>,
    /// One entry a result of a stored function, in the order of [`Schema::results`](crate::Schema::results); none where no more
    /// is known of them than their columns.
    pub results: Vec<FoundTable>,
    /// The schema of the database that they are in, where a database has several.
    pub namespace: Option<Arc<str>>,
    /// Mainstay made the tables, so values are kept in the forms of declared ones.
    pub is_ours: bool,
    /// What was left out of the schema, one sentence each.
    pub left_out: Vec<String>,
}

/// What is known of one found table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundTable {
    /// The name under which the store has a number for each row, where rows have no other key.
    pub row_number: Option<Arc<str>>,
    /// Whether it is a view, which may be one that can be written to.
    pub is_view: bool,
    /// Whether the store runs statements of its own when rows change.
    pub has_triggers: bool,
    /// The columns of indexes that hold no more than the beginnings of values: they lead to rows, and that is all.
    pub led_to: Vec<Vec<ColumnId>>,
    /// One entry a column, in the order of their ids.
    pub columns: Vec<FoundColumn>,
}

/// What is known of one found column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundColumn {
    /// The type as it was declared; empty where none was.
    pub declared: String,
    /// Values of any kind are kept as they come: numbers beside text that looks like them.
    pub loose: bool,
    /// The store computes the values; nobody can write them.
    pub computed: bool,
    /// The values are of a kind that has no form of its own here, such as networks and ranges: they are shown as the store
    /// prints them.
    pub opaque: bool,
}

impl Found {
    /// What is known of a table, which may be the result of a function.
    pub fn table(&self, table: TableId) -> Option<&FoundTable> {
        self.tables.get(table.index()).or_else(|| self.results.get(table.index().checked_sub(self.tables.len())?))
    }
}
