//! Tables that Mainstay keeps for itself in every project.

use crate::ids::{ColumnId, TableId};
use crate::model::{Column, Table, TableKind};
use crate::types::Type;

/// Name of the table that tells how far each import has come, in the store called `main`.
const IMPORTS: &str = "_mainstay_imports";

/// Puts the internal tables of a store behind the declared ones.
pub(super) fn append(tables: &mut Vec<Table>, store: Option<&str>) {
    tables.push(imports(TableId(tables.len() as u32), store));
}

/// How far each import has come, so that one that was interrupted goes on where it stopped. Each store has its own, since
/// it is written together with the rows.
fn imports(id: TableId, store: Option<&str>) -> Table {
    let name = store.map_or_else(|| IMPORTS.to_owned(), |store| format!("{IMPORTS}_{store}"));
    let columns = [
        ("id", Type::Text, "Fingerprint of the file and the table."),
        ("file", Type::Text, "The file as it was named."),
        ("rows", Type::BigInt, "Rows written."),
        ("lines", Type::BigInt, "Lines read."),
        ("bad", Type::BigInt, "Lines set aside."),
        ("finished", Type::Bool, "Whether the whole file was read."),
        ("updated_at", Type::Timestamp, "When this row was written last."),
    ];
    let columns = columns.into_iter().enumerate().map(|(at, column)| internal_column(at, column)).collect();
    Table {
        description: Some("How far each import has come.".to_owned()),
        primary_key: vec![ColumnId(0)],
        internal: true,
        store: store.map(Into::into),
        ..Table::new(id, name, TableKind::Table, columns)
    }
}

fn internal_column(at: usize, (name, ty, description): (&str, Type, &str)) -> Column {
    Column { optional: false, description: Some(description.to_owned()), ..Column::new(ColumnId(at as u32), name, ty) }
}
