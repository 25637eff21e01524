//! Under which names columns are kept.

use mainstay_schema::{ColumnId, Table};

/// The field that every document has and that is unique in its collection.
pub(super) const ID: &str = "_id";

/// The field of a column: its name, but for a column that is the whole primary key, which is the document's `_id`.
pub(super) fn field(table: &Table, column: ColumnId) -> &str {
    if is_id(table, column) { ID } else { &table.column(column).name }
}

/// Whether a column is the document's `_id`.
pub(super) fn is_id(table: &Table, column: ColumnId) -> bool {
    table.primary_key == [column]
}

/// Whether the server takes a name for that of a field wherever it stands, and not for a path or an operator.
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('$') && !name.contains(['.', '\0'])
}

/// The field of a document in the making that holds the rows of a member; no column has such a name.
pub(super) fn member(position: usize) -> String {
    format!("mainstay:{position}")
}
