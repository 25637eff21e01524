//! Values on the two sides of a link between tables of different stores, which may be of different types there.
//!
//! Two values are the same when their canonical texts are, so a link is exact and the same in both directions: the text
//! `42` is the number 42, and `042` is no number of ours at all. What does not convert is linked to nothing.

use crate::types::Type;
use crate::value::Value;

/// Whether a link may compare values of these types: of one type, or of two that have canonical texts in common.
pub fn is_linkable(one: &Type, other: &Type) -> bool {
    let is_key = |ty: &Type| !matches!(ty, Type::Json | Type::Array(_));
    match (one, other) {
        (Type::Int, Type::BigInt) | (Type::BigInt, Type::Int) => true,
        (Type::Text, Type::Uuid | Type::Int | Type::BigInt) | (Type::Uuid | Type::Int | Type::BigInt, Type::Text) => {
            true
        }
        (one, other) => one == other && is_key(one),
    }
}

/// What a link compares of a value, the same on both sides; `None` for null, which is linked to nothing.
pub fn key(value: &Value) -> Option<String> {
    match value {
        // The two zeros are equal and have two texts.
        Value::Float(number) if *number == 0.0 => Some("0".to_owned()),
        value => value.to_text(),
    }
}

/// The value of type `ty` that is linked to `value`; `None` if there is none.
pub fn carried(value: &Value, ty: &Type) -> Option<Value> {
    let text = key(value)?;
    match (value, ty) {
        (Value::Text(_), Type::Text) | (Value::Uuid(_), Type::Uuid) | (Value::Int(_), Type::BigInt) => {
            Some(value.clone())
        }
        (_, Type::Text) => Some(Value::Text(text)),
        (_, ty) => Value::parse(ty, &text).ok().filter(|there| key(there).as_deref() == Some(&*text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "0190c5a2-0000-7000-8000-000000000001";

    /// What a value of one type is on a side of another, as text.
    #[track_caller]
    fn check(from: &Type, text: &str, to: &Type, expected: Option<&str>) {
        let value = Value::parse(from, text).unwrap();
        let there = carried(&value, to);
        assert_eq!(there.as_ref().and_then(Value::to_text).as_deref(), expected, "{from} {text} as {to}");
        if let Some(there) = there {
            assert!(is_linkable(from, to) && is_linkable(to, from));
            assert_eq!(carried(&there, from), Some(value), "and back");
        }
    }

    #[test]
    fn what_has_one_text_is_one_value() {
        check(&Type::Text, "42", &Type::Int, Some("42"));
        check(&Type::Int, "-7", &Type::Text, Some("-7"));
        check(&Type::Int, "7", &Type::BigInt, Some("7"));
        check(&Type::BigInt, "2147483647", &Type::Int, Some("2147483647"));
        check(&Type::Text, UUID, &Type::Uuid, Some(UUID));
        check(&Type::Uuid, UUID, &Type::Text, Some(UUID));
        check(&Type::Float, "-0", &Type::Float, Some("0"));
        let price = Type::Decimal { precision: 5, scale: 2 };
        check(&price, "1.5", &price, Some("1.50"));
        check(&Type::Date, "2026-11-27", &Type::Date, Some("2026-11-27"));
    }

    #[test]
    fn other_writings_are_other_values() {
        for text in ["042", "+42", " 42", "42.0", "4e1", ""] {
            check(&Type::Text, text, &Type::Int, None);
        }
        check(&Type::Text, &UUID.to_uppercase(), &Type::Uuid, None);
        check(&Type::Text, &UUID.replace('-', ""), &Type::Uuid, None);
        check(&Type::BigInt, "2147483648", &Type::Int, None);
        check(&Type::Text, "9223372036854775808", &Type::BigInt, None);
        assert_eq!(carried(&Value::Null, &Type::Text), None);
    }

    #[test]
    fn documents_and_lists_are_no_keys() {
        for ty in [Type::Json, Type::Array(Box::new(Type::Int))] {
            assert!(!is_linkable(&ty, &ty) && !is_linkable(&ty, &Type::Text));
        }
        assert!(!is_linkable(&Type::Uuid, &Type::Int) && !is_linkable(&Type::Float, &Type::Int));
    }
}
