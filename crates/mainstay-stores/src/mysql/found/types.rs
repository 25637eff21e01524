//! The servers' types → ours. A type says how the operands of filters and the values of bodies are read; whatever is none
//! of ours is text, which the server reads as what it is.

use mainstay_schema::Type;

use super::catalog::CatalogColumn;

/// Digits of a decimal, as many as ours can have.
const DIGITS_MAX: u64 = 38;
/// Digits of the largest unsigned 64-bit integer, which ours do not reach.
const UNSIGNED_DIGITS: u8 = 20;

/// The type of a column; `holds_documents` where a check of MariaDB says so.
pub(super) fn data_type(column: &CatalogColumn, holds_documents: bool) -> Type {
    let is_unsigned = column.column_type.contains("unsigned");
    match column.data_type.as_str() {
        // By its width, which says nothing of what it can hold: so everybody writes truth values.
        "tinyint" if column.column_type.starts_with("tinyint(1)") && !is_unsigned => Type::Bool,
        "bit" if column.column_type == "bit(1)" => Type::Bool,
        "tinyint" | "smallint" | "mediumint" | "year" => Type::Int,
        "int" if !is_unsigned => Type::Int,
        "int" => Type::BigInt,
        "bigint" if !is_unsigned => Type::BigInt,
        "bigint" => Type::Decimal { precision: UNSIGNED_DIGITS, scale: 0 },
        "float" | "double" => Type::Float,
        "decimal" => match (column.precision, column.scale) {
            (Some(precision), Some(scale)) if precision <= DIGITS_MAX => {
                Type::Decimal { precision: precision as u8, scale: scale.min(precision) as u8 }
            }
            _ => Type::Text,
        },
        "date" => Type::Date,
        "time" => Type::Time,
        // An instant: connections are in UTC. `datetime` is no instant, but whatever the clock on the wall showed.
        "timestamp" => Type::Timestamp,
        "json" => Type::Json,
        "longtext" if holds_documents => Type::Json,
        "bit" | "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" | "vector" => Type::Bytes,
        "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon"
        | "geometrycollection" | "geomcollection" => Type::Bytes,
        _ => Type::Text,
    }
}

/// Whether a column is what our migrations make for a type that the servers have no word for.
pub(super) fn is_kept_so(ty: &Type, column_type: &str) -> bool {
    match ty {
        Type::Uuid => column_type == "binary(16)",
        Type::Timestamp => column_type == "datetime(6)",
        Type::Json | Type::Array(_) => column_type == "longtext",
        _ => false,
    }
}

/// The values of an `enum`, in their order.
pub(super) fn variants(column: &CatalogColumn) -> Vec<String> {
    if column.data_type == "enum" { words(&column.column_type) } else { Vec::new() }
}

/// The words of `enum('a','b')` or of `set('a','b')`, in their order.
pub(in crate::mysql) fn words(column_type: &str) -> Vec<String> {
    let list = column_type.strip_prefix("enum(").or_else(|| column_type.strip_prefix("set("));
    let Some(mut rest) = list.and_then(|rest| rest.strip_suffix(')')) else { return Vec::new() };
    let mut variants = Vec::new();
    while let Some(inside) = rest.strip_prefix('\'') {
        let mut value = String::new();
        let mut letters = inside.char_indices().peekable();
        let mut end = inside.len();
        while let Some((at, c)) = letters.next() {
            match c {
                '\'' if letters.peek().is_some_and(|(_, next)| *next == '\'') => drop(letters.next()),
                '\'' => {
                    end = at + 1;
                    break;
                }
                _ => {}
            }
            value.push(c);
        }
        variants.push(value);
        rest = inside[end..].strip_prefix(',').unwrap_or_default();
    }
    variants
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(data_type: &str, column_type: &str) -> CatalogColumn {
        CatalogColumn {
            table: String::new(),
            name: String::new(),
            data_type: data_type.into(),
            column_type: column_type.into(),
            precision: None,
            scale: None,
            is_nullable: false,
            default: None,
            extra: String::new(),
            comment: String::new(),
            generation: String::new(),
        }
    }

    #[test]
    fn width_and_sign_decide() {
        for (data_type, column_type, expected) in [
            ("tinyint", "tinyint(1)", Type::Bool),
            ("tinyint", "tinyint(4)", Type::Int),
            ("tinyint", "tinyint", Type::Int),
            ("tinyint", "tinyint(1) unsigned", Type::Int),
            ("int", "int(10) unsigned", Type::BigInt),
            ("bigint", "bigint unsigned", Type::Decimal { precision: 20, scale: 0 }),
            ("bit", "bit(1)", Type::Bool),
            ("bit", "bit(8)", Type::Bytes),
            ("datetime", "datetime(6)", Type::Text),
            ("timestamp", "timestamp", Type::Timestamp),
            ("binary", "binary(16)", Type::Bytes),
            ("char", "char(36)", Type::Text),
            ("uuid", "uuid", Type::Text),
        ] {
            assert_eq!(data_type_of(data_type, column_type), expected, "{column_type}");
        }
        assert_eq!(super::data_type(&column("longtext", "longtext"), true), Type::Json);
    }

    fn data_type_of(data_type: &str, column_type: &str) -> Type {
        super::data_type(&column(data_type, column_type), false)
    }

    #[test]
    fn variants_are_read() {
        for (text, expected) in [
            ("enum('a','b')", &["a", "b"][..]),
            ("enum('it''s','a,b','')", &["it's", "a,b", ""]),
            ("enum('open", &[]),
            ("set('a','b')", &[]),
        ] {
            let data_type = text.split('(').next().unwrap_or_default();
            assert_eq!(variants(&column(data_type, text)), expected, "{text}");
        }
    }
}
