//! Which changes of type keep every value.

use crate::types::Type;

/// Digits before the point that hold every value of a 32-bit and of a 64-bit integer.
const INT_DIGITS: u8 = 10;
const BIGINT_DIGITS: u8 = 19;

/// Whether every value of `from` has one of `to` that means the same.
pub(super) fn keeps_all(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (from, to) if from == to => true,
        // Every type has a text form that reads back to the same value.
        (_, Type::Text) => true,
        (Type::Int, Type::BigInt | Type::Float) => true,
        (Type::Int, Type::Decimal { precision, scale }) => precision - scale >= INT_DIGITS,
        (Type::BigInt, Type::Decimal { precision, scale }) => precision - scale >= BIGINT_DIGITS,
        (Type::Decimal { precision, scale }, Type::Decimal { precision: digits, scale: after }) => {
            after >= scale && digits - after >= precision - scale
        }
        (Type::Date, Type::Timestamp) => true,
        (Type::Array(from), Type::Array(to)) => keeps_all(from, to),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::types::parse_type;

    #[test]
    fn wider_types_keep_all_and_narrower_ones_do_not() {
        for (narrow, wide) in [
            ("int", "bigint"),
            ("int", "float"),
            ("int", "decimal(12,2)"),
            ("bigint", "decimal(19,0)"),
            ("decimal(12,2)", "decimal(14,4)"),
            ("date", "timestamp"),
            ("uuid", "text"),
            ("json", "text"),
            ("int[]", "bigint[]"),
        ] {
            let (narrow, wide) = (parse_type(narrow).unwrap(), parse_type(wide).unwrap());
            assert!(keeps_all(&narrow, &wide), "{narrow} to {wide}");
            assert!(!keeps_all(&wide, &narrow), "{wide} to {narrow}");
        }
        for (from, to) in [
            ("int", "decimal(10,1)"),
            ("bigint", "float"),
            ("bigint", "decimal(18,0)"),
            ("decimal(12,2)", "decimal(12,3)"),
            ("decimal(12,2)", "float"),
            ("text", "json"),
            ("bool", "int"),
            ("time", "timestamp"),
            ("int", "int[]"),
        ] {
            assert!(!keeps_all(&parse_type(from).unwrap(), &parse_type(to).unwrap()), "{from} to {to}");
        }
    }
}
