//! Values of one database as values of another's columns.

use mainstay_schema::{Type, Value};

/// A value that was read from a column of type `from`, for a column of type `to`. Between columns of one type nothing is
/// made of a value but what it is; where the types differ, it is what its text stands for.
///
/// # Errors
/// The value, if the column holds none such.
pub(super) fn convert(from: &Type, to: &Type, value: Value) -> Result<Value, Value> {
    if from != to && !value.is_null() {
        let read = value.to_text().and_then(|text| Value::parse(to, &text).ok());
        return read.ok_or(value);
    }
    match (to, value) {
        (Type::Decimal { precision, scale }, Value::Decimal(number)) => {
            number.fit(*precision, *scale).map(Value::Decimal).map_err(|_| Value::Decimal(number))
        }
        (to, value) if is_of(to, &value) => Ok(value),
        (_, value) => Err(value),
    }
}

/// Whether a column of this type holds the value as it is.
fn is_of(ty: &Type, value: &Value) -> bool {
    match (ty, value) {
        (_, Value::Null)
        | (Type::Bool, Value::Bool(_))
        | (Type::BigInt, Value::Int(_))
        | (Type::Uuid, Value::Uuid(_))
        | (Type::Bytes, Value::Bytes(_))
        | (Type::Date, Value::Date(_))
        | (Type::Time, Value::Time(_))
        | (Type::Timestamp, Value::Timestamp(_))
        | (Type::Json, Value::Json(_)) => true,
        (Type::Int, Value::Int(number)) => i32::try_from(*number).is_ok(),
        (Type::Float, Value::Float(number)) => number.is_finite(),
        (Type::Text, Value::Text(text)) => !text.contains('\0'),
        (Type::Decimal { precision, scale }, Value::Decimal(number)) => number.fit(*precision, *scale).is_ok(),
        (Type::Array(item), Value::Array(items)) => items.iter().all(|value| is_of(item, value)),
        _ => false,
    }
}

/// What a value is, for people, without telling it: it may be somebody's.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Int(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Decimal(_) => "a decimal number",
        Value::Text(text) if text.contains('\0') => "text with NUL",
        Value::Text(_) => "text",
        Value::Uuid(_) => "a uuid",
        Value::Bytes(_) => "octets",
        Value::Date(_) => "a date",
        Value::Time(_) => "a time",
        Value::Timestamp(_) => "a timestamp",
        Value::Json(_) => "a JSON document",
        Value::Array(_) => "a list",
    }
}

#[cfg(test)]
mod tests {
    use mainstay_schema::value::Decimal;

    use super::*;

    fn decimal(text: &str) -> Value {
        Value::Decimal(Decimal::parse(text).unwrap())
    }

    #[test]
    fn a_value_is_taken_as_it_is_or_not_at_all() {
        let money = Type::Decimal { precision: 6, scale: 2 };
        for (ty, value, expected) in [
            (Type::Int, Value::Int(7), Some(Value::Int(7))),
            (Type::Int, Value::Int(1 << 40), None),
            (Type::BigInt, Value::Int(1 << 40), Some(Value::Int(1 << 40))),
            (Type::Int, Value::Null, Some(Value::Null)),
            (Type::Text, Value::Text("a".into()), Some(Value::Text("a".into()))),
            (Type::Text, Value::Text("a\0".into()), None),
            (Type::Text, Value::Int(7), None),
            (Type::Float, Value::Float(f64::INFINITY), None),
            (money.clone(), decimal("1.5"), Some(decimal("1.50"))),
            (money.clone(), decimal("1.555"), None),
            (money, decimal("12345.00"), None),
            (
                Type::Array(Box::new(Type::Int)),
                Value::Array(vec![Value::Int(1), Value::Null]),
                None.or(Some(Value::Array(vec![Value::Int(1), Value::Null]))),
            ),
            (Type::Array(Box::new(Type::Int)), Value::Array(vec![Value::Text("1".into())]), None),
        ] {
            assert_eq!(convert(&ty, &ty, value.clone()).ok(), expected, "{value:?} in {ty}");
        }
    }

    #[test]
    fn between_types_the_text_counts() {
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(convert(&Type::Text, &Type::Int, text("12")), Ok(Value::Int(12)));
        assert_eq!(convert(&Type::BigInt, &Type::Bool, Value::Int(1)), Ok(Value::Bool(true)));
        assert_eq!(convert(&Type::BigInt, &Type::Bool, Value::Int(2)), Err(Value::Int(2)));
        assert_eq!(convert(&Type::Text, &Type::Date, text("2026-02-30")), Err(text("2026-02-30")));
        assert_eq!(convert(&Type::Text, &Type::Date, Value::Null), Ok(Value::Null));
    }
}
