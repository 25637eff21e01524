//! The server's values on their way into a sink, and as typed values for those tests that are made here.
//!
//! A collection may hold what its schema does not say: such a value is shown as what it is.

use bson::spec::BinarySubtype;
use bson::{RawBsonRef, RawDocument};
use mainstay_query::evaluate;
use mainstay_query::plan::{Expr, PathStep};
use mainstay_schema::value::{Decimal, Json, float_text};
use mainstay_schema::{Table, Type, Value};
use mainstay_store::sink::put;
use mainstay_store::{Cell, RowSink, StoreError};
use mongodb::bson;

use super::{decimals, json, moments, names};

/// Puts the value of an expression on a document into the sink.
///
/// # Errors
/// [`StoreError::Value`] if a cast fails.
pub(super) fn give(
    table: &Table,
    document: &RawDocument,
    expr: &Expr,
    sink: &mut dyn RowSink,
    text: &mut String,
) -> Result<(), StoreError> {
    if expr.path.is_empty() && expr.cast.is_none() {
        cell(field(document, names::field(table, expr.column)), &table.column(expr.column).ty, sink, text);
        return Ok(());
    }
    put(sink, &expression(table, document, expr)?);
    Ok(())
}

/// The value of an expression on a document.
///
/// # Errors
/// [`StoreError::Value`] if a cast fails.
pub(super) fn expression(table: &Table, document: &RawDocument, expr: &Expr) -> Result<Value, StoreError> {
    let kept = field(document, names::field(table, expr.column));
    let base = match (expr.path.as_slice(), &table.column(expr.column).ty) {
        ([], ty) => value(kept, ty),
        (path, _) => match walk(kept, path) {
            None => Value::Null,
            Some(part) if expr.as_text => as_text(part),
            Some(part) => {
                let mut text = String::new();
                json::write(part, &mut text);
                Value::Json(canonical(text))
            }
        },
    };
    match &expr.cast {
        Some(ty) => evaluate::cast(&base, ty).map_err(StoreError::Value),
        None => Ok(base),
    }
}

/// What a field holds; null where it is missing.
pub(super) fn field<'d>(document: &'d RawDocument, name: &str) -> RawBsonRef<'d> {
    document.get(name).ok().flatten().unwrap_or(RawBsonRef::Null)
}

fn walk<'d>(start: RawBsonRef<'d>, path: &[PathStep]) -> Option<RawBsonRef<'d>> {
    path.iter().try_fold(start, |at, step| match (step, at) {
        (PathStep::Key(key), RawBsonRef::Document(document)) => document.get(key).ok().flatten(),
        (PathStep::Index(index), RawBsonRef::Array(items)) if *index >= 0 => {
            items.get(usize::try_from(*index).ok()?).ok().flatten()
        }
        (PathStep::Index(index), RawBsonRef::Array(items)) => {
            let items: Vec<RawBsonRef<'d>> = items.into_iter().flatten().collect();
            let back = usize::try_from(index.unsigned_abs()).ok()?;
            items.get(items.len().checked_sub(back)?).copied()
        }
        _ => None,
    })
}

/// The part of a document that `->>` gives.
fn as_text(part: RawBsonRef<'_>) -> Value {
    let mut text = String::new();
    json::write(part, &mut text);
    match text.as_bytes().first() {
        Some(b'n') => Value::Null,
        Some(b'"') => serde_json::from_str(&text).map_or(Value::Null, Value::Text),
        _ => Value::Text(canonical(text).as_str().to_owned()),
    }
}

/// Text that is JSON as its canonical form; that of other programs need not be.
fn canonical(text: String) -> Json {
    Json::parse(&text).unwrap_or_else(|_| Json::from_canonical(text))
}

/// Puts what a column holds into the sink.
pub(super) fn cell(kept: RawBsonRef<'_>, ty: &Type, sink: &mut dyn RowSink, text: &mut String) {
    text.clear();
    match (ty, kept) {
        (_, RawBsonRef::Null | RawBsonRef::Undefined) => sink.cell(Cell::Null),
        (Type::Json, kept) => {
            json::write(kept, text);
            sink.cell(Cell::Json(text));
        }
        (Type::Array(_), kept @ RawBsonRef::Array(_)) => {
            json::write(kept, text);
            sink.cell(Cell::Json(text));
        }
        (Type::Float, RawBsonRef::Int32(number)) => sink.cell(Cell::Float(number.into())),
        (Type::Decimal { .. }, RawBsonRef::Int32(number)) => {
            text.push_str(&number.to_string());
            sink.cell(Cell::Digits(text));
        }
        (Type::Decimal { .. }, RawBsonRef::Int64(number)) => {
            text.push_str(&number.to_string());
            sink.cell(Cell::Digits(text));
        }
        (_, RawBsonRef::Boolean(value)) => sink.cell(Cell::Bool(value)),
        (_, RawBsonRef::Int32(value)) => sink.cell(Cell::Int(value.into())),
        (_, RawBsonRef::Int64(value)) => sink.cell(Cell::Int(value)),
        (_, RawBsonRef::Double(value)) if value.is_finite() => sink.cell(Cell::Float(value)),
        (_, RawBsonRef::Decimal128(value)) => match decimals::write(value, text) {
            Some(()) => sink.cell(Cell::Digits(text)),
            None => sink.cell(Cell::Text(&value.to_string())),
        },
        (Type::Date | Type::Time, RawBsonRef::String(value)) if is_plain(value) => sink.cell(Cell::Plain(value)),
        (_, RawBsonRef::String(value)) => sink.cell(Cell::Text(value)),
        (_, RawBsonRef::ObjectId(value)) => sink.cell(Cell::Text(&value.to_hex())),
        (_, RawBsonRef::DateTime(value)) => match moments::write(value.timestamp_millis(), text) {
            Some(()) => sink.cell(Cell::Plain(text)),
            None => sink.cell(Cell::Text(&value.timestamp_millis().to_string())),
        },
        (_, RawBsonRef::Binary(value)) => match <[u8; 16]>::try_from(value.bytes) {
            Ok(octets) if value.subtype == BinarySubtype::Uuid => {
                let uuid = uuid::Uuid::from_bytes(octets);
                sink.cell(Cell::Plain(uuid.hyphenated().encode_lower(&mut [0; 36])));
            }
            _ => sink.cell(Cell::Bytes(value.bytes)),
        },
        (_, other) => {
            json::write(other, text);
            sink.cell(Cell::Json(text));
        }
    }
}

/// Whether a text is of the characters that dates and times are of.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'-' | b':' | b'.'))
}

/// What a column holds, as a value.
pub(super) fn value(kept: RawBsonRef<'_>, ty: &Type) -> Value {
    match (ty, kept) {
        (_, RawBsonRef::Null | RawBsonRef::Undefined) => Value::Null,
        (Type::Json, kept) => {
            let mut text = String::new();
            json::write(kept, &mut text);
            Value::Json(canonical(text))
        }
        (Type::Array(item), RawBsonRef::Array(items)) => {
            Value::Array(items.into_iter().flatten().map(|each| value(each, item)).collect())
        }
        (Type::Float, RawBsonRef::Int32(number)) => Value::Float(number.into()),
        (Type::Decimal { .. }, RawBsonRef::Int32(number)) => decimal(&number.to_string()),
        (Type::Decimal { .. }, RawBsonRef::Int64(number)) => decimal(&number.to_string()),
        (_, RawBsonRef::Boolean(value)) => Value::Bool(value),
        (_, RawBsonRef::Int32(value)) => Value::Int(value.into()),
        (_, RawBsonRef::Int64(value)) => Value::Int(value),
        (Type::Decimal { .. }, RawBsonRef::Double(value)) => decimal(&float_text(value)),
        (_, RawBsonRef::Double(value)) if value.is_finite() => Value::Float(value),
        (_, RawBsonRef::Decimal128(value)) => {
            let mut text = String::new();
            match decimals::write(value, &mut text) {
                Some(()) => decimal(&text),
                None => Value::Text(value.to_string()),
            }
        }
        (Type::Date, RawBsonRef::String(text)) => Value::Date(text.to_owned()),
        (Type::Time, RawBsonRef::String(text)) => Value::Time(text.to_owned()),
        (_, RawBsonRef::String(text)) => Value::Text(text.to_owned()),
        (_, RawBsonRef::ObjectId(id)) => Value::Text(id.to_hex()),
        (_, RawBsonRef::DateTime(moment)) => {
            let mut text = String::new();
            match moments::write(moment.timestamp_millis(), &mut text) {
                Some(()) => Value::Timestamp(text),
                None => Value::Text(moment.timestamp_millis().to_string()),
            }
        }
        (_, RawBsonRef::Binary(value)) => match <[u8; 16]>::try_from(value.bytes) {
            Ok(octets) if value.subtype == BinarySubtype::Uuid => Value::Uuid(uuid::Uuid::from_bytes(octets)),
            _ => Value::Bytes(value.bytes.to_vec()),
        },
        (_, other) => {
            let mut text = String::new();
            json::write(other, &mut text);
            Value::Json(canonical(text))
        }
    }
}

fn decimal(digits: &str) -> Value {
    Decimal::parse(digits).map_or_else(|_| Value::Text(digits.to_owned()), Value::Decimal)
}

/// The row that a document is: a value for every column of the table.
pub(super) fn row(table: &Table, document: &RawDocument) -> Vec<Value> {
    let kept = |column: &mainstay_schema::Column| value(field(document, names::field(table, column.id)), &column.ty);
    table.columns.iter().map(kept).collect()
}
