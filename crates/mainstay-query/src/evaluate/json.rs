//! Paths into JSON documents, and values as JSON.

use std::borrow::Cow;
use std::fmt;

use mainstay_schema::Value;
use mainstay_schema::value::{Json, float_text};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::plan::PathStep;

/// The part of the canonical document `json` to which `path` leads, as canonical text: PostgreSQL's `->`.
///
/// A key leads into objects only and an index into arrays only, a negative one from the end; anything else gives
/// `None`. The JSON value `null` is a part like any other.
pub fn json_get(json: &str, path: &[PathStep]) -> Option<String> {
    find(json, path).map(str::to_owned)
}

/// The same part as text: PostgreSQL's `->>`. A string gives its content, `null` gives `None`, anything else its
/// canonical text.
pub fn json_text(json: &str, path: &[PathStep]) -> Option<String> {
    match find(json, path)? {
        "null" => None,
        part if part.starts_with('"') => serde_json::from_str(part).ok(),
        part => Some(part.to_owned()),
    }
}

/// The value as a JSON document; `None` for null. Numbers keep their digits, what JSON does not know becomes a string.
pub fn to_json(value: &Value) -> Option<Json> {
    Some(match value {
        Value::Null => return None,
        Value::Json(json) => json.clone(),
        Value::Bool(value) => Json::from_canonical(value.to_string()),
        Value::Int(value) => Json::from_canonical(value.to_string()),
        Value::Float(value) => Json::from_canonical(float_text(*value)),
        Value::Decimal(value) => Json::from_canonical(value.as_str().to_owned()),
        Value::Array(items) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| to_json(item).map_or("null".to_owned(), |json| json.as_str().to_owned()))
                .collect();
            Json::from_canonical(format!("[{}]", items.join(",")))
        }
        Value::Text(_) | Value::Uuid(_) | Value::Bytes(_) | Value::Date(_) | Value::Time(_) | Value::Timestamp(_) => {
            Json::string(&value.to_text()?)
        }
    })
}

fn find<'a>(json: &'a str, path: &[PathStep]) -> Option<&'a str> {
    path.iter().try_fold(json, |part, step| {
        let mut deserializer = serde_json::Deserializer::from_str(part);
        Pick(step).deserialize(&mut deserializer).ok().flatten().map(RawValue::get)
    })
}

/// Takes one part out of a document and passes over the rest without keeping it.
struct Pick<'p>(&'p PathStep);

impl<'de> DeserializeSeed<'de> for Pick<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Pick<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document with parts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(Name(name)) = map.next_key()? {
            match self.0 {
                PathStep::Key(key) if *key == name => found = Some(map.next_value()?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut parts = Vec::new();
        while let Some(part) = list.next_element::<&RawValue>()? {
            parts.push(part);
        }
        let PathStep::Index(index) = self.0 else { return Ok(None) };
        let from_start = if *index < 0 { parts.len() as i64 + index } else { *index };
        Ok(usize::try_from(from_start).ok().and_then(|at| parts.get(at).copied()))
    }
}

/// A member's name, borrowed unless it holds escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }
            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(steps: &[&str]) -> Vec<PathStep> {
        let step = |text: &&str| text.parse().map_or_else(|_| PathStep::Key((*text).to_owned()), PathStep::Index);
        steps.iter().map(step).collect()
    }

    #[test]
    fn arrows_mean_what_postgresql_means() {
        let json = r#"{"a":{"b":[1,"two",null,true]},"big":9007199254740993.10,"q\"":1,"s":"x\ny"}"#;
        for (steps, part, text) in [
            (vec!["a", "b", "0"], Some("1"), Some("1")),
            (vec!["a", "b", "1"], Some("\"two\""), Some("two")),
            (vec!["a", "b", "2"], Some("null"), None),
            (vec!["a", "b", "-1"], Some("true"), Some("true")),
            (vec!["a", "b", "-4"], Some("1"), Some("1")),
            (vec!["a", "b", "-5"], None, None),
            (vec!["a", "b", "4"], None, None),
            (vec!["a", "b", "x"], None, None),
            (vec!["a", "0"], None, None),
            (vec!["s", "x"], None, None),
            (vec!["nope"], None, None),
            (vec!["big"], Some("9007199254740993.10"), Some("9007199254740993.10")),
            (vec!["q\""], Some("1"), Some("1")),
            (vec!["s"], Some(r#""x\ny""#), Some("x\ny")),
            (vec!["a", "b"], Some(r#"[1,"two",null,true]"#), Some(r#"[1,"two",null,true]"#)),
            (vec![], Some(json), Some(json)),
        ] {
            assert_eq!(json_get(json, &path(&steps)).as_deref(), part, "{steps:?}");
            assert_eq!(json_text(json, &path(&steps)).as_deref(), text, "{steps:?}");
        }
    }

    #[test]
    fn values_as_json() {
        for (value, expected) in [
            (Value::Bool(true), Some("true")),
            (Value::Int(-5), Some("-5")),
            (Value::Float(1.0), Some("1")),
            (Value::Text("a\"b".into()), Some(r#""a\"b""#)),
            (Value::Bytes(vec![1]), Some(r#""\\x01""#)),
            (Value::Array(vec![Value::Int(1), Value::Null]), Some("[1,null]")),
            (Value::Null, None),
        ] {
            assert_eq!(to_json(&value).as_ref().map(Json::as_str), expected, "{value:?}");
        }
    }
}
