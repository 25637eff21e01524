//! Values in SQLite: how each column type is kept, bound, and read back.
//!
//! `bool`, `int` and `bigint` are INTEGER, `float` is REAL, `bytes` is BLOB; everything else is TEXT in the canonical
//! form of [`Value`], so that a read copies it to the answer as it is. Called by every other file of this folder.

use mainstay_query::evaluate::to_json;
use mainstay_schema::value::{Decimal, Json, float_text};
use mainstay_schema::{Type, Value};
use mainstay_store::Cell;
use rusqlite::Statement;
use rusqlite::types::{ToSqlOutput, Value as Native, ValueRef};
use serde::de::IgnoredAny;

use super::render::Bind;

/// The type in a `STRICT` table's declaration.
pub(super) fn declared(ty: &Type) -> &'static str {
    match ty {
        Type::Bool | Type::Int | Type::BigInt => "INTEGER",
        Type::Float => "REAL",
        Type::Bytes => "BLOB",
        Type::Decimal { .. }
        | Type::Text
        | Type::Uuid
        | Type::Date
        | Type::Time
        | Type::Timestamp
        | Type::Json
        | Type::Array(_) => "TEXT",
    }
}

/// The collation that orders values of this type; `None` where byte order does.
pub(super) fn collation(ty: &Type) -> Option<&'static str> {
    match ty {
        Type::Decimal { .. } => Some(DECIMAL),
        Type::Json => Some(JSON),
        Type::Array(item) if **item == Type::Json => Some(DOCUMENTS),
        Type::Array(_) => Some(ARRAY),
        _ => None,
    }
}

/// Orders decimal digits as numbers.
pub(super) const DECIMAL: &str = "decimal";
/// Orders arrays item by item.
pub(super) const ARRAY: &str = "array";
/// Orders JSON documents by kind, then by value.
pub(super) const JSON: &str = "json";
/// Orders arrays of JSON documents item by item.
pub(super) const DOCUMENTS: &str = "documents";

/// Binds parameter number `index`, from 1, if it is known yet.
pub(super) fn apply(statement: &mut Statement<'_>, index: usize, parameter: &Bind<'_>) -> rusqlite::Result<()> {
    match parameter {
        Bind::Value(value) => bind(statement, index, value),
        Bind::Int(number) => statement.raw_bind_parameter(index, number),
        Bind::Native(value) => statement.raw_bind_parameter(index, value),
        Bind::Text(text) => statement.raw_bind_parameter(index, text),
        Bind::Given(value) => bind_ref(statement, index, (*value).into()),
        Bind::List(items) => statement.raw_bind_parameter(index, items),
        Bind::Later => Ok(()),
    }
}

/// Binds one value, copying nothing on our side but what has to change its form.
pub(super) fn bind(statement: &mut Statement<'_>, index: usize, value: &Value) -> rusqlite::Result<()> {
    match value {
        Value::Null => statement.raw_bind_parameter(index, rusqlite::types::Null),
        Value::Bool(value) => statement.raw_bind_parameter(index, i64::from(*value)),
        Value::Int(value) => statement.raw_bind_parameter(index, value),
        Value::Float(value) => statement.raw_bind_parameter(index, value),
        Value::Decimal(value) => statement.raw_bind_parameter(index, value.as_str()),
        Value::Text(value) | Value::Date(value) | Value::Time(value) | Value::Timestamp(value) => {
            statement.raw_bind_parameter(index, value)
        }
        Value::Uuid(value) => statement.raw_bind_parameter(index, &*value.hyphenated().encode_lower(&mut [0; 36])),
        Value::Bytes(value) => statement.raw_bind_parameter(index, value),
        Value::Json(value) => statement.raw_bind_parameter(index, value.as_str()),
        Value::Array(_) => statement.raw_bind_parameter(index, native(value)),
    }
}

/// Binds what another statement's row holds.
pub(super) fn bind_ref(statement: &mut Statement<'_>, index: usize, value: ValueRef<'_>) -> rusqlite::Result<()> {
    statement.raw_bind_parameter(index, ToSqlOutput::Borrowed(value))
}

/// The value as SQLite keeps it.
pub(super) fn native(value: &Value) -> Native {
    match value {
        Value::Null => Native::Null,
        Value::Bool(value) => Native::Integer(i64::from(*value)),
        Value::Int(value) => Native::Integer(*value),
        Value::Float(value) => Native::Real(*value),
        Value::Bytes(value) => Native::Blob(value.clone()),
        Value::Array(_) => to_json(value).map_or(Native::Null, |json| Native::Text(json.as_str().to_owned())),
        other => other.to_text().map_or(Native::Null, Native::Text),
    }
}

/// The value of type `ty` that SQLite keeps as `native`.
///
/// What another program left there and is no value of `ty` comes back as what it is, so that nothing is hidden.
pub(super) fn value(ty: &Type, native: ValueRef<'_>) -> Value {
    match (native, ty) {
        (ValueRef::Null, _) => Value::Null,
        (ValueRef::Integer(number), Type::Bool) => Value::Bool(number != 0),
        (ValueRef::Integer(number), Type::Float) => Value::Float(number as f64),
        // Other programs keep decimal numbers as SQLite's own numbers, which have the digits that they show, and SQLite
        // takes a document that is a number for one.
        (ValueRef::Integer(number), Type::Decimal { .. }) => decimal(&number.to_string(), Value::Int(number)),
        (ValueRef::Real(number), Type::Decimal { .. }) => decimal(&float_text(number), Value::Float(number)),
        (ValueRef::Integer(number), Type::Json) => text_value(ty, &number.to_string()).unwrap_or(Value::Int(number)),
        (ValueRef::Real(number), Type::Json) => text_value(ty, &float_text(number)).unwrap_or(Value::Float(number)),
        (ValueRef::Integer(number), _) => Value::Int(number),
        (ValueRef::Real(number), _) => Value::Float(number),
        (ValueRef::Blob(octets), _) => Value::Bytes(octets.to_vec()),
        (ValueRef::Text(text), _) => {
            let text = String::from_utf8_lossy(text);
            text_value(ty, &text).unwrap_or_else(|| Value::Text(text.into_owned()))
        }
    }
}

fn decimal(digits: &str, otherwise: Value) -> Value {
    Decimal::parse(digits).map_or(otherwise, Value::Decimal)
}

fn text_value(ty: &Type, text: &str) -> Option<Value> {
    Some(match ty {
        Type::Decimal { .. } => Value::Decimal(Decimal::parse(text).ok()?),
        Type::Uuid => Value::Uuid(uuid::Uuid::try_parse(text).ok()?),
        Type::Date => Value::Date(text.to_owned()),
        Type::Time => Value::Time(text.to_owned()),
        Type::Timestamp => Value::Timestamp(text.to_owned()),
        // Ours is in canonical form, that of other programs may not be.
        Type::Json => Value::Json(Json::parse(text).ok()?),
        Type::Array(_) => Value::parse_json(ty, text).ok()?,
        _ => return None,
    })
}

/// How a result column becomes a [`Cell`], decided once per statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellKind {
    /// 0 or 1.
    Bool,
    /// Any number.
    Number,
    /// Digits.
    Digits,
    /// Text that may hold anything.
    Text,
    /// Text of letters, digits and few signs.
    Plain,
    /// Octets.
    Bytes,
    /// JSON text.
    Json,
}

impl CellKind {
    /// The kind for a declared type.
    pub(super) fn of(ty: &Type) -> CellKind {
        match ty {
            Type::Bool => CellKind::Bool,
            Type::Int | Type::BigInt | Type::Float => CellKind::Number,
            Type::Decimal { .. } => CellKind::Digits,
            Type::Text => CellKind::Text,
            Type::Uuid | Type::Date | Type::Time | Type::Timestamp => CellKind::Plain,
            Type::Bytes => CellKind::Bytes,
            Type::Json | Type::Array(_) => CellKind::Json,
        }
    }

    /// The cell for a native value. Other programs and views may leave anything in a column, and an answer must stay
    /// well-formed all the same: what is not what the type promises goes out as the text or number that it is.
    pub(super) fn cell(self, native: ValueRef<'_>) -> Result<Cell<'_>, rusqlite::Error> {
        Ok(match native {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(number @ (0 | 1)) if self == CellKind::Bool => Cell::Bool(number == 1),
            ValueRef::Integer(number) => Cell::Int(number),
            ValueRef::Real(number) if number.is_finite() => Cell::Float(number),
            // A view may compute an infinity; JSON has none.
            ValueRef::Real(number) => Cell::Plain(if number > 0.0 { "Infinity" } else { "-Infinity" }),
            ValueRef::Blob(octets) => Cell::Bytes(octets),
            ValueRef::Text(text) => {
                let text = std::str::from_utf8(text).map_err(|error| rusqlite::Error::Utf8Error(0, error))?;
                match self {
                    CellKind::Digits if is_digits(text) => Cell::Digits(text),
                    CellKind::Plain if text.bytes().all(is_plain) => Cell::Plain(text),
                    CellKind::Json if serde_json::from_str::<IgnoredAny>(text).is_ok() => Cell::Json(text),
                    _ => Cell::Text(text),
                }
            }
        })
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':' | b'+' | b'.')
}

/// Whether canonical decimal digits, and so a JSON number, is what this is.
fn is_digits(text: &str) -> bool {
    let body = text.as_bytes();
    let body = body.strip_prefix(b"-").unwrap_or(body);
    let whole = body.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_whole = whole == 1 || (whole > 1 && body[0] != b'0');
    is_whole
        && match &body[whole..] {
            [] => true,
            [b'.', fraction @ ..] => !fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_comes_back() {
        for (ty, text) in [
            (Type::Bool, "true"),
            (Type::Int, "-5"),
            (Type::BigInt, "9223372036854775807"),
            (Type::Float, "1.5"),
            (Type::Decimal { precision: 12, scale: 2 }, "12.50"),
            (Type::Text, "a \"b\""),
            (Type::Uuid, "0190a5b2-7e1c-7c3a-9b1d-000000000001"),
            (Type::Bytes, "\\x00ff"),
            (Type::Date, "2026-11-23"),
            (Type::Time, "10:00:00.5"),
            (Type::Timestamp, "2026-11-23T10:00:00.5+00:00"),
            (Type::Json, "{\"a\":[1,null]}"),
            (Type::Array(Box::new(Type::Text)), "{a,\"b,c\",NULL}"),
            (Type::Array(Box::new(Type::Decimal { precision: 5, scale: 1 })), "{1.0,20.5}"),
        ] {
            let expected = Value::parse(&ty, text).unwrap();
            assert_eq!(value(&ty, ValueRef::from(&native(&expected))), expected, "{ty} {text}");
        }
    }

    #[test]
    fn decimals_may_be_kept_as_numbers() {
        let ty = Type::Decimal { precision: 10, scale: 2 };
        let decimal = |text: &str| Value::Decimal(Decimal::parse(text).unwrap());
        assert_eq!(value(&ty, ValueRef::Real(0.99)), decimal("0.99"));
        assert_eq!(value(&ty, ValueRef::Real(-1e-7)), decimal("-0.0000001"));
        assert_eq!(value(&ty, ValueRef::Integer(4)), decimal("4"));
        assert_eq!(value(&ty, ValueRef::Real(f64::INFINITY)), Value::Float(f64::INFINITY));
    }

    #[test]
    fn what_another_program_keeps_in_other_words_is_what_it_stands_for() {
        let decimal = Type::Decimal { precision: 12, scale: 2 };
        for (ty, native, expected) in [
            (&decimal, ValueRef::Real(9.99), "9.99"),
            (&decimal, ValueRef::Integer(10), "10"),
            (&Type::Json, ValueRef::Integer(1), "1"),
            (&Type::Json, ValueRef::Text(b"{ \"b\": 1, \"a\": 2 }"), "{\"a\":2,\"b\":1}"),
        ] {
            let found = value(ty, native);
            assert_eq!(found.to_text().as_deref(), Some(expected), "{ty} {native:?}");
            assert_eq!(
                found.compare(&Value::parse(ty, expected).unwrap()),
                Some(std::cmp::Ordering::Equal),
                "{found:?}"
            );
        }
    }

    #[test]
    fn text_that_is_not_what_the_column_promises_stays_text() {
        for (kind, text, expected) in [
            (CellKind::Digits, "12.50", Cell::Digits("12.50")),
            (CellKind::Digits, "012", Cell::Text("012")),
            (CellKind::Digits, "1.", Cell::Text("1.")),
            (CellKind::Digits, "NaN", Cell::Text("NaN")),
            (CellKind::Plain, "2026-11-23", Cell::Plain("2026-11-23")),
            (CellKind::Plain, "\",\"x", Cell::Text("\",\"x")),
            (CellKind::Json, "[1]", Cell::Json("[1]")),
            (CellKind::Json, "[1", Cell::Text("[1")),
            (CellKind::Number, "x", Cell::Text("x")),
        ] {
            assert_eq!(kind.cell(ValueRef::Text(text.as_bytes())).unwrap(), expected, "{kind:?} {text}");
        }
        assert!(CellKind::Text.cell(ValueRef::Text(b"\xff")).is_err());
    }
}
