//! Typed values, and the one place where text and JSON become them.
//!
//! A [`Value`] is always canonical: two values of one type are equal exactly if the type says so, and `Date`, `Time`
//! and `Timestamp` are kept as text whose byte order is the order of time. Nothing passes through `f64` but `float`.

mod decimal;
mod json;
mod parse;

pub use decimal::Decimal;
pub use json::Json;

use std::cmp::Ordering;

use crate::error::ValueError;
use crate::types::Type;

/// Deepest nesting of a JSON document that is taken.
pub const JSON_DEPTH_MAX: usize = 64;
/// Digits of a decimal on either side of the point that are read before the number is refused as too long.
pub const DECIMAL_DIGITS_MAX: usize = 100;

/// A value of one of the column types, or null.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// `bool`.
    Bool(bool),
    /// `int` and `bigint`.
    Int(i64),
    /// `float`; always finite.
    Float(f64),
    /// `decimal`, padded to the scale of its column.
    Decimal(Decimal),
    /// `text`.
    Text(String),
    /// `uuid`.
    Uuid(uuid::Uuid),
    /// `bytes`.
    Bytes(Vec<u8>),
    /// `date` as `2026-11-23`.
    Date(String),
    /// `time` as `10:00:00` or `10:00:00.5`: up to six digits of fraction, no trailing zeros.
    Time(String),
    /// `timestamp` in UTC as `2026-11-23T10:00:00+00:00`, fraction as in `Time`.
    Timestamp(String),
    /// `json`.
    Json(Json),
    /// An array; elements are of its item type or null.
    Array(Vec<Value>),
}

impl Value {
    /// Reads the text form that filters, CSV and forms carry. The text `NULL` means nothing special here.
    ///
    /// # Errors
    /// [`ValueError`] if the text is not a value of `ty`, or not one that it can hold.
    pub fn parse(ty: &Type, text: &str) -> Result<Value, ValueError> {
        parse::from_text(ty, text)
    }

    /// Reads one JSON value given as its source text: strings are taken for any type, numbers for numeric types,
    /// arrays for array types, anything for `json`. JSON `null` is [`Value::Null`] for every type.
    ///
    /// # Errors
    /// [`ValueError`] if it is not a value of `ty`, not one that `ty` can hold, or not JSON.
    pub fn parse_json(ty: &Type, source: &str) -> Result<Value, ValueError> {
        parse::from_json(ty, source)
    }

    /// The text form that [`Value::parse`] reads back to an equal value; `None` for null.
    pub fn to_text(&self) -> Option<String> {
        Some(match self {
            Value::Null => return None,
            Value::Bool(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            Value::Float(value) => float_text(*value),
            Value::Decimal(value) => value.as_str().to_owned(),
            Value::Text(value) | Value::Date(value) | Value::Time(value) | Value::Timestamp(value) => value.clone(),
            Value::Uuid(value) => value.to_string(),
            Value::Bytes(value) => bytes_text(value),
            Value::Json(value) => value.as_str().to_owned(),
            Value::Array(items) => array_text(items),
        })
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Orders two values of one type; `None` if either is null, or they are of different types. JSON is ordered
    /// as [`Json::compare`] says, arrays item by item with null last.
    pub fn compare(&self, other: &Value) -> Option<Ordering> {
        Some(match (self, other) {
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Int(a), Value::Int(b)) => a.cmp(b),
            (Value::Float(a), Value::Float(b)) => a.partial_cmp(b)?,
            (Value::Decimal(a), Value::Decimal(b)) => a.cmp(b),
            (Value::Text(a), Value::Text(b))
            | (Value::Date(a), Value::Date(b))
            | (Value::Time(a), Value::Time(b))
            | (Value::Timestamp(a), Value::Timestamp(b)) => a.cmp(b),
            (Value::Uuid(a), Value::Uuid(b)) => a.cmp(b),
            (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
            (Value::Json(a), Value::Json(b)) => Json::compare(a.as_str(), b.as_str()),
            (Value::Array(a), Value::Array(b)) => compare_items(a, b)?,
            _ => return None,
        })
    }
}

fn compare_items(a: &[Value], b: &[Value]) -> Option<Ordering> {
    for (left, right) in a.iter().zip(b) {
        let order = match (left.is_null(), right.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => left.compare(right)?,
        };
        if order != Ordering::Equal {
            return Some(order);
        }
    }
    Some(a.len().cmp(&b.len()))
}

/// The shortest digits that read back to the same double; whole numbers without a point, as PostgreSQL prints them.
pub fn float_text(value: f64) -> String {
    let text = format!("{value:?}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// `\x` and two lower-case hex digits an octet.
pub fn bytes_text(value: &[u8]) -> String {
    let mut text = String::with_capacity(2 + value.len() * 2);
    text.push_str("\\x");
    for byte in value {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    text
}

/// PostgreSQL's array literal: `{a,"b c",NULL}`.
fn array_text(items: &[Value]) -> String {
    let mut text = String::from("{");
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        match item.to_text() {
            None => text.push_str("NULL"),
            Some(item) => {
                text.push('"');
                for c in item.chars() {
                    if matches!(c, '"' | '\\') {
                        text.push('\\');
                    }
                    text.push(c);
                }
                text.push('"');
            }
        }
    }
    text.push('}');
    text
}
