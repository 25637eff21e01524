//! A record's text to its fields. Knows names and text, no types.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// One field of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field<'a> {
    /// Nothing: an empty CSV field without quotes.
    Empty,
    /// Text of a CSV field.
    Text(Cow<'a, str>),
    /// The source text of a JSON value.
    Json(&'a str),
}

/// The fields of a CSV record, by RFC 4180. `""` in quotes is empty text, nothing between commas is [`Field::Empty`]:
/// this is how a file keeps null and empty text apart, and why the fields are split here and not by a library, none of
/// which tells whether a field had quotes.
pub(super) struct CsvFields<'a> {
    rest: Option<&'a str>,
}

impl<'a> CsvFields<'a> {
    pub(super) fn new(record: &'a str) -> CsvFields<'a> {
        CsvFields { rest: Some(record) }
    }
}

impl<'a> Iterator for CsvFields<'a> {
    type Item = Result<Field<'a>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest?;
        if let Some(quoted) = rest.strip_prefix('"') {
            return Some(self.quoted(quoted));
        }
        let field = match rest.as_bytes().iter().position(|byte| *byte == b',') {
            Some(at) => {
                self.rest = Some(&rest[at + 1..]);
                &rest[..at]
            }
            None => {
                self.rest = None;
                rest
            }
        };
        Some(Ok(if field.is_empty() { Field::Empty } else { Field::Text(Cow::Borrowed(field)) }))
    }
}

impl<'a> CsvFields<'a> {
    fn quoted(&mut self, text: &'a str) -> Result<Field<'a>, String> {
        self.rest = None;
        let bytes = text.as_bytes();
        let mut content = Cow::Borrowed("");
        let mut from = 0;
        loop {
            let quote = bytes[from..].iter().position(|byte| *byte == b'"').ok_or("a quote is not closed")? + from;
            let is_doubled = bytes.get(quote + 1) == Some(&b'"');
            // The first of two quotes is part of the content.
            let part = &text[from..quote + usize::from(is_doubled)];
            if content.is_empty() {
                content = Cow::Borrowed(part);
            } else {
                content.to_mut().push_str(part);
            }
            if is_doubled {
                from = quote + 2;
                continue;
            }
            self.rest = match bytes.get(quote + 1) {
                None => None,
                Some(b',') => Some(&text[quote + 2..]),
                Some(_) => return Err("there is text between a closing quote and the next comma".to_owned()),
            };
            return Ok(Field::Text(content));
        }
    }
}

/// The members of a JSON object, in order.
///
/// # Errors
/// It is no object, not JSON, or names a member twice.
pub(super) fn members(record: &str) -> Result<Vec<(Cow<'_, str>, &str)>, String> {
    let mut reader = serde_json::Deserializer::from_str(record);
    let members = reader.deserialize_map(Members).and_then(|members| reader.end().map(|()| members));
    members.map_err(|error| format!("not a JSON object: {error}"))
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(Cow<'de, str>, &'de str)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members: Self::Value = Vec::new();
        while let Some((name, value)) = map.next_entry::<Cow<'de, str>, &'de RawValue>()? {
            if members.iter().any(|(known, _)| *known == name) {
                return Err(A::Error::custom(format!("member \"{name}\" is there twice")));
            }
            members.push((name, value.get()));
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(record: &str, expected: Result<&[Option<&str>], &str>) {
        let fields: Result<Vec<_>, String> = CsvFields::new(record).collect();
        let shown = fields.as_ref().map(|fields| {
            let text = |field: &Field<'_>| match field {
                Field::Empty => None,
                Field::Text(text) => Some(text.to_string()),
                Field::Json(text) => Some((*text).to_owned()),
            };
            fields.iter().map(text).collect::<Vec<_>>()
        });
        let expected = expected.map(|fields| fields.iter().map(|field| field.map(str::to_owned)).collect::<Vec<_>>());
        assert_eq!(shown.map_err(|error| error.as_str()), expected, "{record}");
    }

    #[test]
    fn csv_keeps_null_and_empty_text_apart() {
        check("a,,\"\"", Ok(&[Some("a"), None, Some("")]));
        check("", Ok(&[None]));
        check(",", Ok(&[None, None]));
        check("\"\"", Ok(&[Some("")]));
    }

    #[test]
    fn quotes_hold_commas_breaks_and_doubled_quotes() {
        check("\"a,b\",\"c\nd\"", Ok(&[Some("a,b"), Some("c\nd")]));
        check("\"say \"\"hi\"\"\"", Ok(&[Some("say \"hi\"")]));
        check("\"\"\"\"", Ok(&[Some("\"")]));
        check("\"\"\"\"\"\",x", Ok(&[Some("\"\""), Some("x")]));
        check("5\" pipe,x\"y", Ok(&[Some("5\" pipe"), Some("x\"y")]));
        check("\"a", Err("a quote is not closed"));
        check("\"a\"b,c", Err("there is text between a closing quote and the next comma"));
    }

    #[test]
    fn members_keep_the_source_of_their_values() {
        assert_eq!(members(r#"{"a":1.50,"b\u0041":[1, 2]}"#).unwrap(), [("a".into(), "1.50"), ("bA".into(), "[1, 2]")]);
        for wrong in ["", "[]", "1", "{\"a\":1", "{\"a\":1} x", "{\"a\":1,\"a\":2}", "{'a':1}"] {
            assert!(members(wrong).is_err(), "{wrong}");
        }
    }
}
