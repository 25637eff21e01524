//! What the SQL of a function computes, as values of the types that its head declares.
//!
//! SQLite knows five kinds of values and we know thirteen types: a sum of decimals comes as a double, a truth value as
//! a number, an instant as whatever text its author made. Here they become canonical or are refused.

use mainstay_schema::value::float_text;
use mainstay_schema::{Type, Value, ValueError};
use rusqlite::types::ValueRef;

/// The value of type `ty` that a computed one stands for. A double is rounded to the digits of a decimal.
///
/// # Errors
/// [`ValueError`] if it stands for none.
pub(super) fn value(ty: &Type, native: ValueRef<'_>) -> Result<Value, ValueError> {
    match (native, ty) {
        (ValueRef::Null, _) => Ok(Value::Null),
        (ValueRef::Integer(number), Type::Bool) => Ok(Value::Bool(number != 0)),
        (ValueRef::Integer(number), Type::Bytes) => Err(refused(ty, number.to_string())),
        (ValueRef::Integer(number), _) => Value::parse(ty, &number.to_string()),
        (ValueRef::Real(number), Type::Decimal { scale, .. }) if number.is_finite() => {
            Value::parse(ty, &format!("{number:.scale$}", scale = usize::from(*scale)))
        }
        (ValueRef::Real(number), Type::Int | Type::BigInt) if number.fract() == 0.0 => {
            Value::parse(ty, &format!("{number:.0}"))
        }
        (ValueRef::Real(number), Type::Float | Type::Text | Type::Json) if number.is_finite() => {
            Value::parse(ty, &float_text(number))
        }
        (ValueRef::Real(number), _) => Err(refused(ty, float_text(number))),
        (ValueRef::Blob(octets), Type::Bytes) => Ok(Value::Bytes(octets.to_vec())),
        (ValueRef::Blob(octets), _) => Err(refused(ty, format!("{} octets", octets.len()))),
        (ValueRef::Text(text), _) => {
            let text = String::from_utf8_lossy(text);
            match ty {
                Type::Array(_) if text.trim_start().starts_with('[') => Value::parse_json(ty, &text),
                _ => Value::parse(ty, &text),
            }
        }
    }
}

fn refused(ty: &Type, text: String) -> ValueError {
    ValueError::Syntax { ty: ty.wire_name(), text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_computed_becomes_canonical_or_is_refused() {
        let decimal = Type::Decimal { precision: 12, scale: 2 };
        let list = Type::Array(Box::new(Type::Int));
        for (ty, native, expected) in [
            (&Type::Bool, ValueRef::Integer(2), Some("true")),
            (&Type::Int, ValueRef::Real(3.0), Some("3")),
            (&Type::Int, ValueRef::Real(3.5), None),
            (&Type::Int, ValueRef::Integer(1 << 40), None),
            (&Type::BigInt, ValueRef::Text(b"12"), Some("12")),
            (&Type::BigInt, ValueRef::Real(1e300), None),
            (&decimal, ValueRef::Real(0.1 + 0.2), Some("0.30")),
            (&decimal, ValueRef::Integer(5), Some("5.00")),
            (&decimal, ValueRef::Text(b"5.5"), Some("5.50")),
            (&decimal, ValueRef::Real(f64::INFINITY), None),
            (&Type::Float, ValueRef::Integer(1), Some("1")),
            (&Type::Text, ValueRef::Integer(7), Some("7")),
            (&Type::Text, ValueRef::Text("ä".as_bytes()), Some("ä")),
            (&Type::Timestamp, ValueRef::Text(b"2026-11-23T10:00:00Z"), Some("2026-11-23T10:00:00+00:00")),
            (&Type::Date, ValueRef::Text(b"2026-11-23"), Some("2026-11-23")),
            (&Type::Date, ValueRef::Text(b"yesterday"), None),
            (&Type::Json, ValueRef::Text(b"{ \"a\": 1 }"), Some("{\"a\":1}")),
            (&Type::Json, ValueRef::Text(b"{"), None),
            (&list, ValueRef::Text(b"[1,2]"), Some("{\"1\",\"2\"}")),
            (&Type::Bytes, ValueRef::Blob(b"\x01"), Some("\\x01")),
            (&Type::Bytes, ValueRef::Integer(1), None),
            (&Type::Text, ValueRef::Blob(b"x"), None),
        ] {
            let found = value(ty, native).ok().and_then(|value| value.to_text());
            assert_eq!(found.as_deref(), expected, "{ty} {native:?}");
        }
        assert_eq!(value(&Type::Int, ValueRef::Null), Ok(Value::Null));
    }
}
