//! Rows by their keys: which rows a filter names, and the filters that name rows.

use mainstay_query::plan::{Comparison, Expr, Filter, Test};
use mainstay_schema::{ColumnId, Table, Type, Value};
use mainstay_store::StoreError;
use mongodb::bson::{Bson, Document, RawBson, doc};

use crate::mongo::{cells, names, types};

/// Values of the columns of a key.
pub(super) type Key = Vec<Value>;
/// A value for each column of a table.
pub(super) type Row = Vec<Value>;

/// The values of some columns of a row.
pub(super) fn key_of(row: &[Value], columns: &[ColumnId]) -> Key {
    columns.iter().map(|column| row[column.index()].clone()).collect()
}

/// What tells keys apart: the texts of their values. `None` where a part is null, which equals nothing.
pub(super) fn text_of(key: &[Value]) -> Option<Vec<String>> {
    key.iter()
        .map(|value| match value {
            // Two zeros are one key, and look different.
            Value::Float(0.0) => Some("0".to_owned()),
            value => value.to_text(),
        })
        .collect()
}

/// What a value of the server is.
pub(in crate::mongo) fn value_of(ty: &Type, kept: &Bson) -> Value {
    RawBson::try_from(kept.clone()).map_or(Value::Null, |kept| cells::value(kept.as_raw_bson_ref(), ty))
}

/// A value of a column as it will be read once it is kept.
pub(super) fn kept(table: &Table, column: ColumnId, value: &Value) -> Result<Value, StoreError> {
    let column = table.column(column);
    Ok(value_of(&column.ty, &types::keep(table, column, value)?))
}

/// Whether a row has one of these keys.
pub(super) fn key_in(columns: &[ColumnId], keys: &[Key]) -> Filter {
    if let [column] = columns {
        let list = keys.iter().flatten().cloned().collect();
        return Filter::Test { expr: Expr::column(*column), test: Test::In(list) };
    }
    let has = |key: &Key| {
        let equals = |(column, value): (&ColumnId, &Value)| Filter::Test {
            expr: Expr::column(*column),
            test: Test::Compare(Comparison::Eq, value.clone()),
        };
        Filter::all(columns.iter().zip(key).map(equals))
    };
    Filter::Or(keys.iter().map(has).collect())
}

/// How the filters of writes compare texts: as those of reads do, whatever the collection says.
pub(super) fn collation() -> Document {
    doc! { "locale": "simple" }
}

/// The document that has a key, as a filter of the server.
pub(super) fn one(table: &Table, columns: &[ColumnId], key: &[Value]) -> Result<Document, StoreError> {
    let mut filter = Document::new();
    for (column, value) in columns.iter().zip(key) {
        // Named, so that no value is ever read as an operator.
        let value = types::keep(table, table.column(*column), value)?;
        filter.insert(names::field(table, *column), doc! { "$eq": value });
    }
    Ok(filter)
}

/// The documents that have one of these keys, as a filter of the server.
pub(super) fn any(table: &Table, columns: &[ColumnId], keys: &[Key]) -> Result<Document, StoreError> {
    if let [column] = columns {
        let values = keys.iter().flatten().map(|value| types::keep(table, table.column(*column), value));
        let values = values.collect::<Result<Vec<Bson>, _>>()?;
        return Ok(doc! { names::field(table, *column): { "$in": values } });
    }
    let each = keys.iter().map(|key| one(table, columns, key).map(Bson::from)).collect::<Result<Vec<Bson>, _>>()?;
    Ok(doc! { "$or": each })
}

/// The primary key of the one row that a filter names, and what else the row must pass. A value that no row can hold as it
/// is names none: what it is equal to is for the reads to say.
pub(super) fn known(table: &Table, filter: &Filter) -> Option<(Key, Filter)> {
    let mut rest = match filter {
        Filter::And(parts) => parts.clone(),
        one => vec![one.clone()],
    };
    let mut key = Key::new();
    for column in &table.primary_key {
        let at = rest.iter().position(|part| match part {
            Filter::Test { expr, test: Test::Compare(Comparison::Eq, value) } => {
                let is_kept = || kept(table, *column, value).is_ok_and(|kept| kept == *value);
                expr.as_column() == Some(*column) && !value.is_null() && is_kept()
            }
            _ => false,
        })?;
        if let Filter::Test { test: Test::Compare(_, value), .. } = rest.swap_remove(at) {
            key.push(value);
        }
    }
    (!key.is_empty()).then(|| (key, Filter::all(rest)))
}
