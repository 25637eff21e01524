//! Names of types.

use std::borrow::Cow;

use mainstay_schema::{ColumnId, Schema, Table, Type};

/// What PostgreSQL calls a type.
pub(in crate::postgres) fn type_name(ty: &Type) -> Cow<'static, str> {
    match ty {
        Type::Bool => "boolean".into(),
        Type::Int => "integer".into(),
        Type::BigInt => "bigint".into(),
        Type::Float => "double precision".into(),
        Type::Decimal { precision, scale } => format!("numeric({precision},{scale})").into(),
        Type::Text => "text".into(),
        Type::Uuid => "uuid".into(),
        Type::Bytes => "bytea".into(),
        Type::Date => "date".into(),
        Type::Time => "time".into(),
        Type::Timestamp => "timestamp with time zone".into(),
        // Not `jsonb`: a document comes back as it was sent. It is compared as `jsonb`.
        Type::Json => "json".into(),
        Type::Array(item) => format!("{}[]", type_name(item)).into(),
    }
}

/// What PostgreSQL calls the type of a column: as it was declared, where the table was found.
pub(in crate::postgres) fn column_type<'s>(schema: &'s Schema, table: &Table, column: ColumnId) -> Cow<'s, str> {
    let about = schema.found().and_then(|found| found.table(table.id));
    match about.and_then(|about| about.columns.get(column.index())) {
        Some(about) if !about.declared.is_empty() => about.declared.as_str().into(),
        _ => type_name(&table.column(column).ty),
    }
}
