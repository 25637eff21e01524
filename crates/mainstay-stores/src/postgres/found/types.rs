//! PostgreSQL's types → ours. A type says how the operands of filters and the values of bodies are read; whatever is
//! none of ours is text, which the server reads as what it is.

use mainstay_schema::Type;

use super::catalog::CatalogColumn;

/// The type of a column.
pub(super) fn data_type(column: &CatalogColumn) -> Type {
    if let Some(item) = &column.item {
        let is_plain = column.item_kind.as_deref() == Some("b");
        let item = if is_plain { named(item, column.modifier) } else { enum_or_text(column) };
        return Type::Array(Box::new(item));
    }
    match column.kind.as_str() {
        "c" => Type::Json,
        "b" if column.base_schema == "pg_catalog" => named(&column.base, column.modifier),
        _ => Type::Text,
    }
}

/// Whether the driver does not know the binary form of a column, which is then asked for as text: see
/// [`CellKind::of`](crate::postgres::CellKind::of).
pub(super) fn is_opaque(column: &CatalogColumn) -> bool {
    match (&column.item, column.item_kind.as_deref()) {
        (Some(item), Some("b")) => !is_read(item),
        (Some(_), kind) => kind != Some("e"),
        (None, _) => match column.kind.as_str() {
            "e" => false,
            "b" if column.base_schema == "pg_catalog" => !is_read(&column.base),
            _ => column.base != "citext",
        },
    }
}

/// Types of the server whose binary form is known.
fn is_read(name: &str) -> bool {
    const READ: [&str; 20] = [
        "bool",
        "int2",
        "int4",
        "int8",
        "oid",
        "float4",
        "float8",
        "numeric",
        "text",
        "varchar",
        "bpchar",
        "name",
        "uuid",
        "bytea",
        "date",
        "time",
        "timetz",
        "timestamp",
        "timestamptz",
        "json",
    ];
    name == "jsonb" || READ.contains(&name)
}

fn enum_or_text(column: &CatalogColumn) -> Type {
    match column.item_kind.as_deref() {
        Some("c") => Type::Json,
        _ => Type::Text,
    }
}

/// Digits of a decimal without bounds on either side of the point.
const DIGITS_MAX: u8 = 38;

fn named(name: &str, modifier: i32) -> Type {
    match name.trim_start_matches('_') {
        "bool" => Type::Bool,
        "int2" | "int4" => Type::Int,
        "int8" => Type::BigInt,
        "float4" | "float8" => Type::Float,
        "numeric" => decimal(modifier),
        "uuid" => Type::Uuid,
        "bytea" => Type::Bytes,
        "date" => Type::Date,
        "time" => Type::Time,
        "timestamptz" => Type::Timestamp,
        "json" | "jsonb" => Type::Json,
        _ => Type::Text,
    }
}

/// `numeric(p,s)`; what has no bounds, or others than ours, is read as text, digit by digit.
fn decimal(modifier: i32) -> Type {
    let bits = modifier - 4;
    if modifier < 4 {
        return Type::Text;
    }
    let (precision, scale) = (bits >> 16 & 0xffff, bits & 0x7ff);
    match (u8::try_from(precision), u8::try_from(scale)) {
        (Ok(precision), Ok(scale)) if precision <= DIGITS_MAX && scale <= precision => {
            Type::Decimal { precision, scale }
        }
        _ => Type::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_have_their_bounds() {
        assert_eq!(decimal(((10 << 16) | 2) + 4), Type::Decimal { precision: 10, scale: 2 });
        assert_eq!(decimal(-1), Type::Text);
        assert_eq!(decimal(((1000 << 16) | 2) + 4), Type::Text);
    }
}
