//! MongoDB's Extended JSON: JSON in which what JSON has no words for is an object with one member, such as
//! `{"$oid": "…"}`. Files of `mongoexport` come in this form, and `mongoimport` takes it.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use mainstay_schema::Type;
use mainstay_schema::value::bytes_text;
use serde_json::value::RawValue;

use super::fields::members;

/// Levels of a document: what MongoDB itself keeps.
const DEPTH_MAX: usize = 100;

/// The same value in plain JSON: numbers as their digits, dates and ids as texts.
///
/// # Errors
/// What has no form here.
pub(super) fn plain(text: &str) -> Result<Cow<'_, str>, String> {
    below(text, 0)
}

fn below(text: &str, depth: usize) -> Result<Cow<'_, str>, String> {
    if depth > DEPTH_MAX {
        return Err(format!("a document has more than {DEPTH_MAX} levels"));
    }
    match text.trim_start().as_bytes().first() {
        Some(b'{') => {
            let all = members(text)?;
            if let [(name, value)] = all.as_slice()
                && name.starts_with('$')
            {
                return typed(name, value, depth).map(Cow::Owned);
            }
            if let Some((name, value)) = all.iter().find(|(name, _)| name == "$regularExpression" || name == "$code") {
                return typed(name, value, depth).map(Cow::Owned);
            }
            let parts = all.iter().map(|(name, value)| Ok(format!("{}:{}", quoted(name), below(value, depth + 1)?)));
            Ok(Cow::Owned(format!("{{{}}}", parts.collect::<Result<Vec<_>, String>>()?.join(","))))
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| error.to_string())?;
            let parts = items.iter().map(|item| below(item.get(), depth + 1));
            Ok(Cow::Owned(format!("[{}]", parts.collect::<Result<Vec<_>, String>>()?.join(","))))
        }
        _ => Ok(Cow::Borrowed(text)),
    }
}

/// What an object with the one member `name` stands for.
fn typed(name: &str, value: &str, depth: usize) -> Result<String, String> {
    let word = || serde_json::from_str::<String>(value).map_err(|_| format!("{name} is no text"));
    match name {
        "$oid" => Ok(quoted(&word()?.to_ascii_lowercase())),
        "$uuid" | "$symbol" => Ok(quoted(&word()?)),
        "$numberInt" | "$numberLong" | "$numberDouble" | "$numberDecimal" => {
            let digits = word()?;
            let is_number = serde_json::from_str::<serde_json::Number>(&digits).is_ok();
            Ok(if is_number { digits } else { quoted(&digits) })
        }
        "$date" => date(value),
        "$binary" => binary(value),
        "$undefined" => Ok("null".to_owned()),
        "$timestamp" | "$regularExpression" | "$minKey" | "$maxKey" | "$code" | "$dbPointer" | "$scope" => {
            Err(format!("a value of the type {name} has no form here"))
        }
        // A member of somebody's own, which begins like MongoDB's words.
        _ => Ok(format!("{{{}:{}}}", quoted(name), below(value, depth + 1)?)),
    }
}

/// `"2026-11-27T10:00:00Z"`, or milliseconds since 1970 as `{"$numberLong": "…"}`.
fn date(value: &str) -> Result<String, String> {
    if let Ok(text) = serde_json::from_str::<String>(value) {
        return Ok(quoted(&text));
    }
    let number = plain(value)?;
    let moment = number.parse().ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    moment.map(|moment| quoted(&moment.to_string())).ok_or_else(|| "$date is no time".to_owned())
}

fn binary(value: &str) -> Result<String, String> {
    let wrong = || "$binary holds base64 and subType".to_owned();
    let all = members(value)?;
    let text = |name: &str| {
        let (_, value) = all.iter().find(|(other, _)| other == name)?;
        serde_json::from_str::<String>(value).ok()
    };
    let octets = STANDARD.decode(text("base64").ok_or_else(wrong)?).map_err(|_| wrong())?;
    let kind = u8::from_str_radix(&text("subType").ok_or_else(wrong)?, 16).map_err(|_| wrong())?;
    match (kind, <[u8; 16]>::try_from(octets.as_slice())) {
        (4, Ok(octets)) => Ok(quoted(&uuid::Uuid::from_bytes(octets).to_string())),
        (3, _) => Err("a uuid in the old order of octets (subType 03) could be any of several".to_owned()),
        _ => Ok(quoted(&bytes_text(&octets))),
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("text is JSON")
}

/// How the values of a column are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// As in plain JSON.
    Plain,
    /// A text of 24 hexadecimal digits.
    ObjectId,
    /// A text or number whose word is this.
    Word(&'static str),
    /// A uuid.
    Uuid,
    /// Octets.
    Bytes,
    /// A list of these.
    List(Box<Form>),
}

impl Form {
    /// The form of values of a type.
    pub(super) fn of(ty: &Type, is_object_id: bool) -> Form {
        match ty {
            Type::Text if is_object_id => Form::ObjectId,
            Type::Decimal { .. } => Form::Word("$numberDecimal"),
            Type::Float => Form::Word("$numberDouble"),
            Type::BigInt => Form::Word("$numberLong"),
            Type::Timestamp => Form::Word("$date"),
            Type::Uuid => Form::Uuid,
            Type::Bytes => Form::Bytes,
            Type::Array(item) => match Form::of(item, false) {
                Form::Plain => Form::Plain,
                form => Form::List(Box::new(form)),
            },
            Type::Bool | Type::Int | Type::Text | Type::Date | Type::Time | Type::Json => Form::Plain,
        }
    }

    /// A value in plain JSON, in this form. Null stays null.
    ///
    /// # Errors
    /// If it is no value of the type, which is a mistake of the database's.
    pub(super) fn write(&self, json: &str) -> Result<String, String> {
        if json == "null" || *self == Form::Plain {
            return Ok(json.to_owned());
        }
        let word = || serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_owned());
        let binary = |octets: &[u8], kind: &str| {
            format!("{{\"$binary\":{{\"base64\":\"{}\",\"subType\":\"{kind}\"}}}}", STANDARD.encode(octets))
        };
        match self {
            Form::Plain => Ok(json.to_owned()),
            Form::ObjectId => Ok(format!("{{\"$oid\":{json}}}")),
            Form::Word("$date") => Ok(format!("{{\"$date\":{}}}", quoted(&word().replacen("+00:00", "Z", 1)))),
            Form::Word(name) => Ok(format!("{{\"{name}\":{}}}", quoted(&word()))),
            Form::Uuid => {
                let uuid = uuid::Uuid::parse_str(&word()).map_err(|error| error.to_string())?;
                Ok(binary(uuid.as_bytes(), "04"))
            }
            Form::Bytes => {
                let hex = word();
                let digits = hex.trim_start_matches('\\').trim_start_matches('x');
                let pairs = (0..digits.len() / 2).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16));
                Ok(binary(&pairs.collect::<Result<Vec<u8>, _>>().map_err(|error| error.to_string())?, "00"))
            }
            Form::List(item) => {
                let items: Vec<&RawValue> = serde_json::from_str(json).map_err(|error| error.to_string())?;
                let items = items.iter().map(|one| item.write(one.get()));
                Ok(format!("[{}]", items.collect::<Result<Vec<_>, String>>()?.join(",")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_a_form_in_plain_json() {
        for (extended, expected) in [
            (r#"{"$oid":"65A0B1C2D3E4F5061728394A"}"#, r#""65a0b1c2d3e4f5061728394a""#),
            (r#"{"$date":"2026-11-27T10:00:00.5Z"}"#, r#""2026-11-27T10:00:00.5Z""#),
            (r#"{"$date":{"$numberLong":"-1000"}}"#, r#""1969-12-31T23:59:59Z""#),
            (r#"{"$numberDecimal":"1.50"}"#, "1.50"),
            (r#"{"$numberDecimal":"NaN"}"#, r#""NaN""#),
            (r#"{"$numberLong":"9007199254740993"}"#, "9007199254740993"),
            (r#"{"$binary":{"base64":"AQL/","subType":"00"}}"#, r#""\\x0102ff""#),
            (
                r#"{"$binary":{"base64":"AZCAAAAAcACAAAAAAAAAAQ==","subType":"04"}}"#,
                r#""01908000-0000-7000-8000-000000000001""#,
            ),
            (r#"{"a":[{"$numberInt":"1"},{"b.c":{"$x":null}}],"$y":2}"#, r#"{"a":[1,{"b.c":{"$x":null}}],"$y":2}"#),
            ("1.10", "1.10"),
        ] {
            assert_eq!(plain(extended).as_deref(), Ok(expected), "{extended}");
        }
        for wrong in [
            r#"{"$minKey":1}"#,
            r#"{"$timestamp":{"t":1,"i":1}}"#,
            r#"{"$binary":{"base64":"AQ==","subType":"03"}}"#,
            r#"{"$date":true}"#,
            r#"{"$regularExpression":{"pattern":"a","options":""}}"#,
        ] {
            assert!(plain(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let list = |item| Type::Array(Box::new(item));
        for (ty, json) in [
            (Type::Decimal { precision: 5, scale: 2 }, "1.50"),
            (Type::BigInt, "9007199254740993"),
            (Type::Float, "1.5"),
            (Type::Uuid, r#""01908000-0000-7000-8000-000000000001""#),
            (Type::Bytes, r#""\\x0102ff""#),
            (Type::Timestamp, r#""2026-11-27T10:00:00.5Z""#),
            (list(Type::Decimal { precision: 5, scale: 2 }), "[1.50,null]"),
            (list(Type::Text), r#"["a"]"#),
            (Type::Json, r#"{"a":1.50}"#),
            (Type::Uuid, "null"),
        ] {
            let written = Form::of(&ty, false).write(json).unwrap();
            assert_eq!(plain(&written).as_deref(), Ok(json), "{written}");
        }
        assert_eq!(Form::of(&Type::Text, true).write("\"65a0\"").unwrap(), r#"{"$oid":"65a0"}"#);
    }
}
