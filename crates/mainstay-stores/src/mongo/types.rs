//! Values as the server keeps them. What it cannot keep exactly is refused with its place, never rounded; but for the
//! digits of a timestamp below a millisecond, which are cut off.

use bson::oid::ObjectId;
use bson::spec::BinarySubtype;
use bson::{Binary, Bson, DateTime, Decimal128};
use mainstay_schema::model::Texts;
use mainstay_schema::{Column, Table, Type, Value};
use mainstay_store::StoreError;
use mongodb::bson;

use super::{json, moments};

/// Digits that a decimal of the server has.
pub(super) const DECIMAL_DIGITS_MAX: u8 = 34;

/// The value of a column as it is kept.
///
/// # Errors
/// [`StoreError::Unsupported`] with the place of what cannot be kept.
pub(super) fn keep(table: &Table, column: &Column, value: &Value) -> Result<Bson, StoreError> {
    to_bson(value, column.texts).map(|kept| widened(&column.ty, kept)).map_err(|unkept| {
        let place = if unkept.path.is_empty() { String::new() } else { format!(".{}", unkept.path) };
        let what = format!(
            "the store mongodb cannot keep what \"{}\".{}{place} would hold: {}",
            table.name, column.name, unkept.what
        );
        StoreError::Unsupported { what }
    })
}

/// A value that rows are compared with; `None` if no row can hold it.
pub(super) fn operand(value: &Value, texts: Texts) -> Option<Bson> {
    to_bson(value, texts).ok()
}

fn to_bson(value: &Value, texts: Texts) -> Result<Bson, json::Unkept> {
    let unkept = |what: String| json::Unkept { path: String::new(), what };
    Ok(match value {
        Value::Null => Bson::Null,
        Value::Bool(value) => Bson::Boolean(*value),
        // The validators of collections say which of the two it is; to comparisons they are one.
        Value::Int(value) => i32::try_from(*value).map_or(Bson::Int64(*value), Bson::Int32),
        Value::Float(value) => Bson::Double(*value),
        Value::Decimal(value) => {
            let decimal: Result<Decimal128, _> = value.as_str().parse();
            let exact = decimal.ok().filter(|decimal| {
                let mut text = String::new();
                json::write_decimal(*decimal, &mut text);
                text == value.as_str()
            });
            let what =
                || unkept(format!("the number {}, of which it keeps {DECIMAL_DIGITS_MAX} digits", value.as_str()));
            Bson::Decimal128(exact.ok_or_else(what)?)
        }
        Value::Text(text) if texts == Texts::ObjectIds => match object_id(text) {
            Some(id) => Bson::ObjectId(id),
            None => return Err(unkept("a text that is no object id; it has 24 hex digits in lower case".to_owned())),
        },
        Value::Text(text) | Value::Date(text) | Value::Time(text) => Bson::String(text.clone()),
        Value::Uuid(value) => Bson::Binary(Binary { subtype: BinarySubtype::Uuid, bytes: value.as_bytes().to_vec() }),
        Value::Bytes(octets) => Bson::Binary(Binary { subtype: BinarySubtype::Generic, bytes: octets.clone() }),
        Value::Timestamp(text) => match moments::milliseconds(text) {
            Some((milliseconds, _)) => Bson::DateTime(DateTime::from_millis(milliseconds)),
            None => return Err(unkept(format!("the timestamp {text}"))),
        },
        Value::Json(document) => json::to_bson(document)?,
        Value::Array(items) => {
            let items = items.iter().map(|item| to_bson(item, Texts::Plain));
            Bson::Array(items.collect::<Result<_, _>>()?)
        }
    })
}

/// The value of a column whose type says how wide its integers are.
fn widened(ty: &Type, bson: Bson) -> Bson {
    match (ty, bson) {
        (Type::BigInt, Bson::Int32(value)) => Bson::Int64(value.into()),
        (Type::Array(item), Bson::Array(items)) if **item == Type::BigInt => {
            Bson::Array(items.into_iter().map(|each| widened(item, each)).collect())
        }
        (_, bson) => bson,
    }
}

/// The object id that a text is.
pub(super) fn object_id(text: &str) -> Option<ObjectId> {
    let is_canonical = text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    if is_canonical { ObjectId::parse_str(text).ok() } else { None }
}
