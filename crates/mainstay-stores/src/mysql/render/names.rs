//! Names of types, and text as a literal.

use mainstay_schema::Type;

/// Text as an SQL literal. Backslashes are no escapes, by `sql_mode`.
pub(in crate::mysql) fn text_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// What the servers call a type whose values have a length of their own.
pub(in crate::mysql) fn type_name(ty: &Type) -> String {
    match ty {
        Type::Bool => "tinyint".to_owned(),
        Type::Int => "int".to_owned(),
        Type::BigInt => "bigint".to_owned(),
        Type::Float => "double".to_owned(),
        Type::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
        Type::Date => "date".to_owned(),
        Type::Time => "time(6)".to_owned(),
        Type::Timestamp => "datetime(6)".to_owned(),
        Type::Text | Type::Uuid | Type::Bytes | Type::Json | Type::Array(_) => "longtext".to_owned(),
    }
}
