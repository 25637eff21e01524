//! Tables that Mainstay keeps for itself in every project.

use crate::ids::{ColumnId, TableId};
use crate::model::{Access, Checks, Column, Table, TableKind};
use crate::types::Type;

/// Puts the internal tables behind the declared ones.
pub(super) fn append(tables: &mut Vec<Table>) {
    tables.push(imports(TableId(tables.len() as u32)));
}

/// How far each import has come, so that one that was interrupted goes on where it stopped.
fn imports(id: TableId) -> Table {
    let columns = [
        ("id", Type::Text, "Fingerprint of the file and the table."),
        ("file", Type::Text, "The file as it was named."),
        ("rows", Type::BigInt, "Rows written."),
        ("lines", Type::BigInt, "Lines read."),
        ("bad", Type::BigInt, "Lines set aside."),
        ("finished", Type::Bool, "Whether the whole file was read."),
        ("updated_at", Type::Timestamp, "When this row was written last."),
    ];
    Table {
        id,
        name: "_mainstay_imports".into(),
        was: None,
        kind: TableKind::Table,
        description: Some("How far each import has come.".to_owned()),
        columns: columns.into_iter().enumerate().map(|(at, column)| internal_column(at, column)).collect(),
        primary_key: vec![ColumnId(0)],
        uniques: Vec::new(),
        references: Vec::new(),
        indexes: Vec::new(),
        fulltexts: Vec::new(),
        access: Access::default(),
        internal: true,
    }
}

fn internal_column(at: usize, (name, ty, description): (&str, Type, &str)) -> Column {
    Column {
        id: ColumnId(at as u32),
        name: name.into(),
        was: None,
        ty,
        optional: false,
        default: None,
        touched: false,
        checks: Checks::default(),
        description: Some(description.to_owned()),
    }
}
