//! TOML values to values of a column's type.

use toml::de::{DeInteger, DeValue};

use crate::types::Type;
use crate::value::{Json, Value};

/// The TOML value as one of this type; `None` if it is none.
pub(super) fn literal(ty: &Type, value: &DeValue<'_>) -> Option<Value> {
    match (ty, value) {
        (Type::Json, DeValue::String(source)) => Value::parse(ty, source).ok(),
        (Type::Json, other) => Json::parse(&json_text(other)?).ok().map(Value::Json),
        (Type::Bool, DeValue::Boolean(flag)) => Some(Value::Bool(*flag)),
        (Type::Int | Type::BigInt | Type::Float | Type::Decimal { .. }, DeValue::Integer(number)) => {
            Value::parse(ty, &integer_text(number)?).ok()
        }
        (Type::Float | Type::Decimal { .. }, DeValue::Float(number)) => Value::parse(ty, number.as_str()).ok(),
        (Type::Date | Type::Time | Type::Timestamp, DeValue::Datetime(time)) => {
            Value::parse(ty, &time.to_string()).ok()
        }
        (Type::Array(item), DeValue::Array(items)) => {
            items.iter().map(|part| literal(item, part.get_ref())).collect::<Option<_>>().map(Value::Array)
        }
        (
            Type::Text | Type::Uuid | Type::Bytes | Type::Date | Type::Time | Type::Timestamp | Type::Decimal { .. },
            DeValue::String(text),
        ) => Value::parse(ty, text).ok(),
        _ => None,
    }
}

/// How a value of this type is written in TOML.
pub(super) fn example(ty: &Type) -> String {
    match ty {
        Type::Bool => "true or false".to_owned(),
        Type::Int => "a whole number from -2147483648 to 2147483647".to_owned(),
        Type::BigInt => "a whole number of 64 bits".to_owned(),
        Type::Float => "a number, as in 1.5".to_owned(),
        Type::Decimal { precision, scale } => {
            format!("a number with at most {} digits before the point and {scale} after it", precision - scale)
        }
        Type::Text => "a text in quotes".to_owned(),
        Type::Uuid => "a uuid in quotes, as in \"0192f0c4-7a3b-7c11-9d5e-3f2a1b0c9d8e\"".to_owned(),
        Type::Bytes => "hex digits in quotes, as in '\\x00ff'".to_owned(),
        Type::Date => "a date, as in 2026-11-23".to_owned(),
        Type::Time => "a time, as in 10:00:00".to_owned(),
        Type::Timestamp => "an instant, as in 2026-11-23T10:00:00Z".to_owned(),
        Type::Json => "a JSON document in quotes, as in '{\"a\":1}'".to_owned(),
        Type::Array(item) => format!("a list, each item {}", example(item)),
    }
}

/// The length here, if it is a whole number from 0.
pub(super) fn length(value: &DeValue<'_>) -> Option<Value> {
    match literal(&Type::BigInt, value) {
        Some(Value::Int(length)) if length >= 0 => Some(Value::Int(length)),
        _ => None,
    }
}

fn integer_text(number: &DeInteger<'_>) -> Option<String> {
    i128::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number.to_string())
}

fn json_text(value: &DeValue<'_>) -> Option<String> {
    Some(match value {
        DeValue::String(text) => Json::string(text).as_str().to_owned(),
        DeValue::Integer(number) => integer_text(number)?,
        DeValue::Float(number) => Value::parse(&Type::Float, number.as_str()).ok()?.to_text()?,
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(time) => Json::string(&time.to_string()).as_str().to_owned(),
        DeValue::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| json_text(item.get_ref())).collect::<Option<_>>()?;
            format!("[{}]", items.join(","))
        }
        DeValue::Table(members) => {
            let member = |(key, value): (&toml::Spanned<_>, &toml::Spanned<_>)| {
                let key: &toml::de::DeString<'_> = key.get_ref();
                Some(format!("{}:{}", Json::string(key).as_str(), json_text(value.get_ref())?))
            };
            format!("{{{}}}", members.iter().map(member).collect::<Option<Vec<_>>>()?.join(","))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(ty: &Type, source: &str) -> Option<String> {
        literal(ty, DeValue::parse(source).expect(source).get_ref()).and_then(|value| value.to_text())
    }

    #[test]
    fn literals_by_type() {
        let decimal = Type::Decimal { precision: 12, scale: 2 };
        let list = Type::Array(Box::new(Type::Int));
        for (ty, source, expected) in [
            (&Type::Bool, "true", "true"),
            (&Type::Int, "-1_000", "-1000"),
            (&Type::Int, "0xff", "255"),
            (&Type::BigInt, "9223372036854775807", "9223372036854775807"),
            (&Type::Float, "1", "1"),
            (&Type::Float, "1.5e3", "1500"),
            (&decimal, "0.10", "0.10"),
            (&decimal, "9999999999.99", "9999999999.99"),
            (&decimal, "'0.1'", "0.10"),
            (&Type::Date, "2026-11-23", "2026-11-23"),
            (&Type::Date, "'2026-11-23'", "2026-11-23"),
            (&Type::Time, "10:00:00.50", "10:00:00.5"),
            (&Type::Timestamp, "2026-11-23T10:00:00+01:00", "2026-11-23T09:00:00+00:00"),
            (&Type::Bytes, r"'\x00FF'", r"\x00ff"),
            (&Type::Json, "'{ \"a\": 1 }'", r#"{"a":1}"#),
            (&Type::Json, "{ b = [1, 2.5, 'x'], a = true }", r#"{"a":true,"b":[1,2.5,"x"]}"#),
            (&list, "[1, 2]", r#"{"1","2"}"#),
        ] {
            assert_eq!(read(ty, source).as_deref(), Some(expected), "{ty} {source}");
        }
    }

    #[test]
    fn literals_of_another_type_are_refused() {
        let decimal = Type::Decimal { precision: 4, scale: 2 };
        for (ty, source) in [
            (&Type::Bool, "1"),
            (&Type::Bool, "'true'"),
            (&Type::Int, "'1'"),
            (&Type::Int, "1.0"),
            (&Type::Int, "2147483648"),
            (&Type::Float, "nan"),
            (&Type::Float, "inf"),
            (&decimal, "0.105"),
            (&decimal, "100"),
            (&Type::Text, "1"),
            (&Type::Text, "\"\\u0000\""),
            (&Type::Uuid, "'x'"),
            (&Type::Date, "2026-11-23T10:00:00Z"),
            (&Type::Date, "'2026-02-30'"),
            (&Type::Json, "'{'"),
            (&Type::Array(Box::new(Type::Int)), "1"),
            (&Type::Array(Box::new(Type::Int)), "['a']"),
        ] {
            assert_eq!(read(ty, source), None, "{ty} {source}");
        }
        assert!(length(DeValue::parse("-1").unwrap().get_ref()).is_none());
        assert_eq!(length(DeValue::parse("0").unwrap().get_ref()), Some(Value::Int(0)));
    }
}
