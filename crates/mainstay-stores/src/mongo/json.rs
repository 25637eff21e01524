//! JSON documents as BSON, and back to the same text.
//!
//! A number becomes the first of int32, int64, double and Decimal128 that prints with the digits that it came with; one
//! that none of them prints so is refused. `null` at the top is [`NULL`], since a field that is null is a column that is
//! null.

use std::fmt;

use bson::{Bson, Decimal128, Document, RawArray, RawBsonRef, RawDocument};
use mainstay_schema::value::{Json, bytes_text, float_text};
use mongodb::bson;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{decimals, moments};

/// What stands for a document that is `null`, as opposed to no document.
pub(super) const NULL: Bson = Bson::MinKey;

/// Why a document cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unkept {
    /// Where: keys and indexes, outermost first.
    pub(super) path: String,
    /// What, and what would be right.
    pub(super) what: String,
}

/// A document as BSON.
///
/// # Errors
/// What of it cannot be kept.
pub(super) fn to_bson(json: &Json) -> Result<Bson, Unkept> {
    if json.as_str() == "null" {
        return Ok(NULL);
    }
    part(json.as_str()).map_err(|mut unkept| {
        unkept.path = unkept.path.trim_start_matches('.').to_owned();
        unkept
    })
}

fn part(json: &str) -> Result<Bson, Unkept> {
    let unkept = |what: String| Unkept { path: String::new(), what };
    match json.as_bytes().first() {
        Some(b'{') => {
            let members: Members<'_> = serde_json::from_str(json).map_err(|error| unkept(error.to_string()))?;
            let mut document = Document::new();
            for (name, value) in members.0 {
                if name.contains('\0') {
                    return Err(unkept("a member whose name holds the character NUL".to_owned()));
                }
                let value = part(value.get()).map_err(|inner| inner.below(&name))?;
                document.insert(name, value);
            }
            Ok(Bson::Document(document))
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(json).map_err(|error| unkept(error.to_string()))?;
            let items = items.into_iter().enumerate();
            let items = items.map(|(at, item)| part(item.get()).map_err(|inner| inner.below(&at.to_string())));
            items.collect::<Result<Vec<_>, _>>().map(Bson::Array)
        }
        Some(b'"') => serde_json::from_str(json).map(Bson::String).map_err(|error| unkept(error.to_string())),
        Some(b't') => Ok(Bson::Boolean(true)),
        Some(b'f') => Ok(Bson::Boolean(false)),
        Some(b'n') => Ok(Bson::Null),
        _ => number(json).ok_or_else(|| {
            unkept(format!("the number {json}; it keeps 34 digits, and no exponent as it is written here"))
        }),
    }
}

/// The BSON number that prints with these digits.
pub(super) fn number(digits: &str) -> Option<Bson> {
    if let Ok(whole) = digits.parse::<i64>()
        && whole.to_string() == digits
    {
        return Some(i32::try_from(whole).map_or(Bson::Int64(whole), Bson::Int32));
    }
    if let Ok(float) = digits.parse::<f64>()
        && float.is_finite()
        && float_text(float) == digits
    {
        return Some(Bson::Double(float));
    }
    let decimal: Decimal128 = digits.parse().ok()?;
    let mut text = String::new();
    write_decimal(decimal, &mut text);
    (text == digits).then_some(Bson::Decimal128(decimal))
}

/// Writes a decimal with all its digits and without an exponent where it has no more than a hundred; what is no number
/// is a string, as PostgreSQL has it.
pub(super) fn write_decimal(decimal: Decimal128, text: &mut String) {
    if decimals::write(decimal, text).is_some() {
        return;
    }
    let printed = decimal.to_string();
    if printed.ends_with(|c: char| c.is_ascii_digit()) {
        text.push_str(&printed);
    } else {
        text.push_str(Json::string(&printed).as_str());
    }
}

/// Writes a value as JSON. What JSON has no word for becomes the text that a column of its type would have.
pub(super) fn write(value: RawBsonRef<'_>, text: &mut String) {
    match value {
        RawBsonRef::Null | RawBsonRef::Undefined | RawBsonRef::MinKey => text.push_str("null"),
        RawBsonRef::Boolean(value) => text.push_str(if value { "true" } else { "false" }),
        RawBsonRef::Int32(value) => text.push_str(&value.to_string()),
        RawBsonRef::Int64(value) => text.push_str(&value.to_string()),
        RawBsonRef::Double(value) if value.is_finite() => text.push_str(&float_text(value)),
        RawBsonRef::Double(value) => text.push_str(if value.is_nan() {
            "\"NaN\""
        } else if value > 0.0 {
            "\"Infinity\""
        } else {
            "\"-Infinity\""
        }),
        RawBsonRef::Decimal128(value) => write_decimal(value, text),
        RawBsonRef::String(value) | RawBsonRef::Symbol(value) | RawBsonRef::JavaScriptCode(value) => {
            text.push_str(Json::string(value).as_str());
        }
        RawBsonRef::ObjectId(value) => text.push_str(Json::string(&value.to_hex()).as_str()),
        RawBsonRef::DateTime(value) => {
            let mut moment = String::new();
            if moments::write(value.timestamp_millis(), &mut moment).is_none() {
                moment = value.timestamp_millis().to_string();
            }
            text.push_str(Json::string(&moment).as_str());
        }
        RawBsonRef::Binary(value) => match <[u8; 16]>::try_from(value.bytes) {
            Ok(octets) if value.subtype == bson::spec::BinarySubtype::Uuid => {
                text.push_str(Json::string(&uuid::Uuid::from_bytes(octets).to_string()).as_str());
            }
            _ => text.push_str(Json::string(&bytes_text(value.bytes)).as_str()),
        },
        RawBsonRef::Document(value) => write_document(value, text),
        RawBsonRef::Array(value) => write_array(value, text),
        other => text.push_str(Json::string(&format!("{other:?}")).as_str()),
    }
}

fn write_document(document: &RawDocument, text: &mut String) {
    text.push('{');
    let start = text.len();
    for (name, value) in document.iter().flatten() {
        if text.len() > start {
            text.push(',');
        }
        text.push_str(Json::string(name.as_str()).as_str());
        text.push(':');
        write(value, text);
    }
    text.push('}');
}

fn write_array(array: &RawArray, text: &mut String) {
    text.push('[');
    let start = text.len();
    for value in array.into_iter().flatten() {
        if text.len() > start {
            text.push(',');
        }
        write(value, text);
    }
    text.push(']');
}

impl Unkept {
    fn below(mut self, step: &str) -> Unkept {
        self.path = format!(".{step}{}", self.path);
        self
    }
}

/// The members of an object in their order.
struct Members<'j>(Vec<(String, &'j RawValue)>);

impl<'de: 'j, 'j> Deserialize<'de> for Members<'j> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Vec<(String, &'de RawValue)>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
                Ok(Vec::new())
            }
        }
        deserializer.deserialize_map(Object).map(Members)
    }
}

#[cfg(test)]
mod tests {
    use bson::RawBson;

    use super::*;

    fn there_and_back(source: &str) -> Result<String, Unkept> {
        let bson = to_bson(&Json::parse(source).unwrap())?;
        let raw = RawBson::try_from(bson).unwrap();
        let mut text = String::new();
        write(raw.as_raw_bson_ref(), &mut text);
        Ok(text)
    }

    #[test]
    fn documents_come_back_with_the_same_text() {
        for source in [
            "null",
            "true",
            "0",
            "-1",
            "2147483648",
            "9223372036854775807",
            "12345678901234567890.5",
            "1.0",
            "1.50",
            "0.1",
            "1e21",
            "0.0000001",
            "5e-324",
            "-0",
            "\"a\\\"\\n\"",
            "[]",
            "{}",
            "[1,null,[2.0]]",
            r#"{"":1,"$gt":{"$where":"x"},"a.b":[{"c":null}],"_id":"x"}"#,
        ] {
            assert_eq!(there_and_back(source).unwrap(), Json::parse(source).unwrap().as_str(), "{source}");
        }
    }

    #[test]
    fn what_cannot_be_kept_is_refused_with_its_place() {
        for (source, path) in [
            ("1e5", ""),
            ("-0.0", ""),
            (r#"{"a":[0,{"b":1e400}]}"#, "a.1.b"),
            (r#"{"a":12345678901234567890123456789012345.5}"#, "a"),
        ] {
            let unkept = there_and_back(source).unwrap_err();
            assert_eq!(unkept.path, path, "{source}");
            assert!(unkept.what.contains("the number"), "{}", unkept.what);
        }
    }
}
