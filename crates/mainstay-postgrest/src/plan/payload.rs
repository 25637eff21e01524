//! Bodies of requests, read as far as that goes without the catalog: which members there are, and that they are there
//! in every row. Values stay the text that they are; the server reads them.

use std::collections::BTreeSet;
use std::fmt;

use bytes::Bytes;
use mainstay_http::{Problem, codes};
use mainstay_query::csv::Records;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// What a body is, by its `Content-Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// `application/json`, or nothing said.
    Json,
    /// `text/csv`
    Csv,
    /// `application/x-www-form-urlencoded`
    Form,
    /// `text/plain`
    Text,
    /// `text/xml`
    Xml,
    /// `application/octet-stream`
    Octets,
}

/// A body.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// JSON text.
    Json(JsonBody),
    /// Fields of a form, for a function.
    Form(Vec<(String, String)>),
    /// A body that a function takes whole.
    Raw(BodyKind, Bytes),
}

/// A body of rows or arguments as JSON text.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonBody {
    /// The text.
    pub text: String,
    /// Names of the members of its objects; of JSON those of `columns`, where that was given.
    pub keys: BTreeSet<String>,
    /// How many rows there are; one for an object.
    pub rows: usize,
    /// Whether it is an array.
    pub is_array: bool,
}

/// Who a body is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// Rows of a relation.
    Relation,
    /// Arguments of a function.
    Function,
}

impl Payload {
    /// Reads a body. `columns` is the parameter of that name: then rows of JSON need not have the same members.
    ///
    /// # Errors
    /// PGRST102.
    pub fn read(kind: BodyKind, octets: Bytes, columns: Option<&[String]>, target: For) -> Result<Payload, Problem> {
        match (kind, target) {
            (BodyKind::Json, _) => json(&octets, columns, target).map(Payload::Json),
            (BodyKind::Form, For::Function) => Ok(Payload::Form(form(&octets))),
            (BodyKind::Form, For::Relation) => {
                // A name that stands there several times counts with its last value, as a member of an object would.
                let object: serde_json::Map<_, _> =
                    form(&octets).into_iter().map(|(name, value)| (name, Value::String(value))).collect();
                let keys = object.keys().cloned().collect();
                Ok(Payload::Json(JsonBody { text: Value::Object(object).to_string(), keys, rows: 1, is_array: false }))
            }
            (BodyKind::Csv, For::Relation) => csv(&octets).map(Payload::Json),
            (BodyKind::Text | BodyKind::Xml | BodyKind::Octets, For::Function) => Ok(Payload::Raw(kind, octets)),
            (kind, _) => Err(not_taken(kind.name())),
        }
    }
}

impl BodyKind {
    /// The kind of a `Content-Type`.
    ///
    /// # Errors
    /// PGRST102 for one that is no body's.
    pub fn of(content_type: Option<&str>) -> Result<BodyKind, Problem> {
        let Some(text) = content_type else { return Ok(BodyKind::Json) };
        let (name, parameters) = text.split_once(';').unwrap_or((text, ""));
        let name = name.trim().to_ascii_lowercase();
        let all = [BodyKind::Json, BodyKind::Csv, BodyKind::Form, BodyKind::Text, BodyKind::Xml, BodyKind::Octets];
        match (all.into_iter().find(|kind| kind.name() == name), name.as_str()) {
            (Some(kind), _) => Ok(kind),
            (None, "") => Ok(BodyKind::Json),
            // Another name of JSON, unless nulls are missing in it.
            (None, "application/vnd.pgrst.array" | "application/vnd.pgrst.array+json")
                if !parameters.contains("nulls") =>
            {
                Ok(BodyKind::Json)
            }
            (None, _) => Err(not_taken(text.trim())),
        }
    }

    /// Its media type.
    pub fn name(self) -> &'static str {
        match self {
            BodyKind::Json => "application/json",
            BodyKind::Csv => "text/csv",
            BodyKind::Form => "application/x-www-form-urlencoded",
            BodyKind::Text => "text/plain",
            BodyKind::Xml => "text/xml",
            BodyKind::Octets => "application/octet-stream",
        }
    }
}

fn not_taken(name: &str) -> Problem {
    Problem::new(codes::BODY, format!("Content-Type not acceptable: {name}"))
}

fn keys_of(columns: Option<&[String]>, found: BTreeSet<String>) -> BTreeSet<String> {
    match columns {
        Some(columns) => columns.iter().cloned().collect(),
        None => found,
    }
}

fn form(octets: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(octets);
    let decode = |part: &str| {
        let blanks = part.replace('+', " ");
        percent_encoding::percent_decode_str(&blanks).decode_utf8_lossy().into_owned()
    };
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(a, b)| (decode(a), decode(b))).collect()
}

fn json(octets: &[u8], columns: Option<&[String]>, target: For) -> Result<JsonBody, Problem> {
    let wrong = || Problem::new(codes::BODY, "Empty or invalid json");
    let text = std::str::from_utf8(octets).map_err(|_| wrong())?;
    // No function need be given arguments.
    let text = if text.is_empty() && target == For::Function { "{}" } else { text };
    let mut reader = serde_json::Deserializer::from_str(text);
    let found = Top.deserialize(&mut reader).and_then(|found| reader.end().map(|()| found));
    let body = |keys: BTreeSet<String>, rows: usize, is_array: bool, text: &str| JsonBody {
        text: text.to_owned(),
        keys: keys_of(columns, keys),
        rows,
        is_array,
    };
    let found = match (found, columns) {
        // Where the columns are known nobody but the server looks into the body.
        (Err(_) | Ok(Found::Scalar), Some(_)) => {
            return Ok(body(BTreeSet::new(), 1, !text.trim_start().starts_with('{'), text));
        }
        (found, _) => found.map_err(|_| wrong())?,
    };
    Ok(match found {
        Found::Object(keys) => body(keys, 1, false, text),
        Found::Array { keys, rows, is_uniform } => {
            if columns.is_none() && !is_uniform {
                return Err(Problem::new(codes::BODY, "All object keys must match"));
            }
            body(keys, rows, true, text)
        }
        Found::Scalar => body(BTreeSet::new(), 0, true, "[]"),
    })
}

/// What the top of a JSON text is.
enum Found {
    Object(BTreeSet<String>),
    Array {
        /// Of its first element.
        keys: BTreeSet<String>,
        rows: usize,
        /// Whether all elements are objects with these keys.
        is_uniform: bool,
    },
    Scalar,
}

/// Reads the names of members and skips their values.
struct Top;

impl<'de> DeserializeSeed<'de> for Top {
    type Value = Found;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Top {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Found, A::Error> {
        let mut keys = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            map.next_value::<IgnoredAny>()?;
            keys.insert(key);
        }
        Ok(Found::Object(keys))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Found, A::Error> {
        let mut first: Option<BTreeSet<String>> = None;
        let (mut rows, mut is_uniform) = (0, true);
        while let Some(element) = seq.next_element_seed(Top)? {
            rows += 1;
            match (element, &first) {
                (Found::Object(keys), None) if rows == 1 => first = Some(keys),
                (Found::Object(keys), Some(first)) => is_uniform &= keys == *first,
                _ => is_uniform = false,
            }
        }
        Ok(Found::Array { keys: first.unwrap_or_default(), rows, is_uniform })
    }

    fn visit_bool<E>(self, _: bool) -> Result<Found, E> {
        Ok(Found::Scalar)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Found, E> {
        Ok(Found::Scalar)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Found, E> {
        Ok(Found::Scalar)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Found, E> {
        Ok(Found::Scalar)
    }

    fn visit_str<E>(self, _: &str) -> Result<Found, E> {
        Ok(Found::Scalar)
    }

    fn visit_unit<E>(self) -> Result<Found, E> {
        Ok(Found::Scalar)
    }
}

/// CSV whose first line names the members: an array of objects whose values are texts, or null where `NULL` stands bare.
/// What a line has beyond the names is passed over; all lines must have values for the same names.
fn csv(octets: &[u8]) -> Result<JsonBody, Problem> {
    let text = std::str::from_utf8(octets).map_err(|_| Problem::new(codes::BODY, "The body is not UTF-8"))?;
    // In the words of PostgREST's parser.
    let malformed = |records: &Records<'_>| {
        let reason = if records.rest().is_empty() { "not enough input" } else { "Failed reading: satisfy" };
        Problem::new(codes::BODY, format!("parse error ({reason}) at {:?}", records.rest()))
    };
    let (mut records, mut fields) = (Records::without_bare_quotes(text), Vec::new());
    if !records.next(&mut fields).map_err(|_| malformed(&records))? {
        return Err(Problem::new(codes::BODY, "parse error (not enough input) at \"\""));
    }
    let names: Vec<String> = fields.iter().map(|field| field.text.clone().into_owned()).collect();
    let mut keys: Option<BTreeSet<String>> = None;
    let mut rows = Vec::new();
    while records.next(&mut fields).map_err(|_| malformed(&records))? {
        // To PostgREST the word is null in quotes too.
        let members = names.iter().cloned().zip(fields.iter().map(|field| match &*field.text {
            "NULL" => Value::Null,
            text => Value::String(text.to_owned()),
        }));
        let row: serde_json::Map<_, _> = members.collect();
        let found: BTreeSet<String> = row.keys().cloned().collect();
        if keys.get_or_insert_with(|| found.clone()) != &found {
            return Err(Problem::new(codes::BODY, "All lines must have same number of fields"));
        }
        rows.push(Value::Object(row));
    }
    let (count, keys) = (rows.len(), keys.unwrap_or_default());
    Ok(JsonBody { text: Value::Array(rows).to_string(), keys, rows: count, is_array: true })
}
