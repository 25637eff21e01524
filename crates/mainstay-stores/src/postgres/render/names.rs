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

/// Whether a type, as the server writes it, is one of those that every server has and that cells are read of.
pub(in crate::postgres) fn is_own(ty: &str) -> bool {
    let name = ty.strip_suffix("[]").unwrap_or(ty);
    // What stands in parentheses bounds a type and is not its name: `timestamp(3) with time zone`.
    let bare = match (name.find('('), name.find(')')) {
        (Some(open), Some(close)) if open < close => format!("{}{}", &name[..open], &name[close + 1..]),
        _ => name.to_owned(),
    };
    OWN.contains(&bare.as_str())
}

const OWN: [&str; 23] = [
    "boolean",
    "smallint",
    "integer",
    "bigint",
    "oid",
    "real",
    "double precision",
    "numeric",
    "text",
    "character varying",
    "character",
    "name",
    "uuid",
    "bytea",
    "date",
    "time",
    "timestamp",
    "time without time zone",
    "time with time zone",
    "timestamp without time zone",
    "timestamp with time zone",
    "json",
    "jsonb",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_the_server_are_told_from_those_of_a_database() {
        for ty in ["integer", "numeric(10,2)", "timestamp(3) with time zone", "text[]", "character varying(5)[]"] {
            assert!(is_own(ty), "{ty}");
        }
        for ty in ["mood", "api.mood", "citext", "int4range", "\"integer\"", "text[][]", "interval"] {
            assert!(!is_own(ty), "{ty}");
        }
        // What we declare ourselves.
        for ty in [Type::Time, Type::Float, Type::Decimal { precision: 3, scale: 1 }, Type::Array(Box::new(Type::Bool))]
        {
            assert!(is_own(&type_name(&ty)), "{ty}");
        }
    }
}
