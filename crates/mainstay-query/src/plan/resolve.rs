//! Names in a request → tables, columns and types of the schema. What is looked up here never travels on as text.

use std::sync::Arc;

use mainstay_schema::{Column, ColumnId, Schema, Table, TableId, TableKind, Type, near, nearest};

use super::Expr;
use crate::error::{ParseError, PlanError};
use crate::request::Field;

/// The table or view that a request names. Those that Mainstay keeps for itself do not exist for it.
pub(super) fn table<'s>(schema: &'s Schema, name: &str) -> Result<&'s Table, PlanError> {
    schema.find(name).filter(|table| !table.internal).ok_or_else(|| {
        let names: Vec<&str> =
            schema.tables().iter().filter(|table| !table.internal).map(|table| &*table.name).collect();
        // Among very many names some other is always near.
        let suggestion = if names.len() < HINTED_TABLES_MAX { nearest(name, names, NAME_PERCENT_MAX) } else { None };
        PlanError::UnknownTable {
            schema: WIRE_SCHEMA,
            table: name.to_owned(),
            suggestion: suggestion.map(str::to_owned),
        }
    })
}

/// A table that the schema does not have: what the schema knows of the columns of its tables does not hold for these.
pub(super) fn unknown_table(name: &str, columns: impl IntoIterator<Item = (Arc<str>, Type)>) -> Table {
    let column = |(position, (name, ty))| Column::new(ColumnId(position as u32), name, ty);
    let columns = columns.into_iter().enumerate().map(column).collect();
    Table::new(TableId(u32::MAX), name, TableKind::Table, columns)
}

/// The column that a select, filter or order names.
pub(super) fn column<'s>(table: &'s Table, name: &str) -> Result<&'s Column, PlanError> {
    table.find_column(name).ok_or_else(|| PlanError::UnknownColumn {
        table: table.name.to_string(),
        column: name.to_owned(),
        suggestion: near(name, table.columns.iter().map(|column| &*column.name)).map(str::to_owned),
    })
}

/// The column that a body or a `columns` parameter names.
pub(super) fn body_column<'s>(table: &'s Table, name: &str) -> Result<&'s Column, PlanError> {
    table
        .find_column(name)
        .ok_or_else(|| PlanError::UnknownBodyColumn { table: table.name.to_string(), column: name.to_owned() })
}

/// A column with its JSON path; a column of another type than JSON counts as the JSON that stands for its value.
pub(super) fn expr(table: &Table, field: &Field) -> Result<Expr, PlanError> {
    Ok(Expr {
        column: column(table, &field.name)?.id,
        path: field.path.iter().map(|step| step.to.clone()).collect(),
        as_text: field.path.last().is_some_and(|step| step.as_text),
        cast: None,
    })
}

/// The type that a cast names, for a value of type `from`.
pub(super) fn cast(from: &Type, name: &str) -> Result<Type, PlanError> {
    let to = match name.to_ascii_lowercase().as_str() {
        "text" | "varchar" | "character varying" => Type::Text,
        "int" | "integer" | "int4" => Type::Int,
        "bigint" | "int8" => Type::BigInt,
        "numeric" | "decimal" => numeric(from),
        "float" | "float8" | "double precision" => Type::Float,
        "bytea" | "bytes" => Type::Bytes,
        "bool" | "boolean" => Type::Bool,
        "date" => Type::Date,
        "time" => Type::Time,
        "timestamp" | "timestamptz" | "timestamp with time zone" => Type::Timestamp,
        "uuid" => Type::Uuid,
        "json" | "jsonb" => Type::Json,
        _ => return Err(PlanError::UnknownType { name: name.to_owned() }),
    };
    if is_castable(from, &to) { Ok(to) } else { Err(PlanError::NoCast { from: from.wire_name(), to: to.wire_name() }) }
}

/// The exact number type that loses nothing of `from`; for types without a scale of their own, one with enough digits
/// on either side of the point.
fn numeric(from: &Type) -> Type {
    match from {
        Type::Decimal { .. } => from.clone(),
        Type::Int | Type::BigInt => Type::Decimal { precision: 38, scale: 0 },
        _ => Type::Decimal { precision: 38, scale: 18 },
    }
}

/// Whether a cast has a meaning, as in PostgreSQL; whether it succeeds is a matter of each value.
fn is_castable(from: &Type, to: &Type) -> bool {
    let is_number = |ty: &Type| matches!(ty, Type::Int | Type::BigInt | Type::Float | Type::Decimal { .. });
    from == to
        || matches!(to, Type::Text | Type::Json)
        || matches!(from, Type::Text | Type::Json)
        || (is_number(from) && is_number(to))
        || matches!((from, to), (Type::Bool, Type::Int) | (Type::Int, Type::Bool))
        || matches!((from, to), (Type::Timestamp, Type::Date | Type::Time) | (Type::Date, Type::Timestamp))
}

/// The error that this version lacks something.
pub(super) fn not_implemented(details: String) -> PlanError {
    PlanError::Parse(ParseError::NotImplemented { details })
}

/// Most letters in a hundred that may differ where another name of a table or function is proposed.
pub(super) const NAME_PERCENT_MAX: usize = 25;

/// In a schema of so many tables no other name is proposed.
const HINTED_TABLES_MAX: usize = 500;

/// Name of the schema on the wire.
pub(super) const WIRE_SCHEMA: &str = "public";
