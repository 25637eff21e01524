//! JSON bodies: an object, or an array of objects with the same members; NDJSON: an object a line.
//!
//! The body is read in one pass, and each member's source text becomes a value of its column's type at once: no tree
//! is built, and no number is anything but its digits on the way.

use std::borrow::Cow;
use std::fmt;

use mainstay_schema::Value;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::rows::{Row, Rows};
use crate::error::{ParseError, PlanError};

/// Reads the rows of a body. A top-level value that is neither object nor array is no rows.
pub(super) fn read(body: &[u8], rows: &mut Rows<'_>) -> Result<(), PlanError> {
    let text = std::str::from_utf8(body).map_err(|_| malformed("the body is not UTF-8".to_owned()))?;
    if text.trim().is_empty() {
        return Err(malformed("the body is empty".to_owned()));
    }
    let mut reader = Reader { rows, failure: None };
    let mut source = serde_json::Deserializer::from_str(text);
    let outcome = Document(&mut reader).deserialize(&mut source).and_then(|()| source.end());
    match (reader.failure.take(), outcome) {
        (Some(failure), _) => Err(failure),
        (None, Ok(())) => Ok(()),
        // Elements of the array that are no objects.
        (None, Err(error)) if error.classify() == Category::Data => Err(unequal(reader.rows)),
        (None, Err(error)) => Err(malformed(format!("line {}, column {}", error.line(), error.column()))),
    }
}

/// Reads an object a line; empty lines mean nothing.
pub(super) fn read_lines(body: &[u8], rows: &mut Rows<'_>) -> Result<(), PlanError> {
    let text = std::str::from_utf8(body).map_err(|_| malformed("the body is not UTF-8".to_owned()))?;
    for (number, line) in text.split('\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let mut reader = Reader { rows: &mut *rows, failure: None };
        let mut source = serde_json::Deserializer::from_str(line);
        let outcome = Element(&mut reader).deserialize(&mut source).and_then(|()| source.end());
        match (reader.failure.take(), outcome) {
            (Some(failure), _) => return Err(failure),
            (None, Ok(())) => {}
            (None, Err(error)) => {
                let line = number + 1;
                return Err(malformed(match error.classify() {
                    Category::Data => format!("line {line} is no object"),
                    _ => format!("line {line}, column {}", error.column()),
                }));
            }
        }
    }
    Ok(())
}

struct Reader<'r, 'a> {
    rows: &'r mut Rows<'a>,
    /// Why reading stopped, when it was not for the JSON itself: serde's errors cannot carry it.
    failure: Option<PlanError>,
}

impl Reader<'_, '_> {
    fn stop<E: Error>(&mut self, failure: PlanError) -> E {
        self.failure = Some(failure);
        E::custom("stopped")
    }

    fn row<'de, A: MapAccess<'de>>(&mut self, mut members: A) -> Result<(), A::Error> {
        // The first row says which columns there are, unless the request does.
        let is_first = self.rows.next_row() == 1 && !self.rows.is_chosen();
        let mut row: Row = vec![None; self.rows.width()];
        let mut position = 0;
        while let Some(Name(name)) = members.next_key()? {
            let slot = match self.rows.slot_near(position, &name) {
                Some(slot) if row[slot].is_some() => return Err(self.stop(repeated(&name, self.rows))),
                Some(slot) => slot,
                None if let Some(nest) =
                    self.rows.nest(&name, is_first).map_err(|failure| self.stop::<A::Error>(failure))? =>
                {
                    let source: &RawValue = members.next_value()?;
                    nested(self.rows, nest, &name, source.get()).map_err(|failure| self.stop::<A::Error>(failure))?;
                    continue;
                }
                None if is_first => {
                    row.push(None);
                    self.rows.add_slot(&name).map_err(|failure| self.stop(failure))?
                }
                None if self.rows.is_chosen() => {
                    members.next_value::<IgnoredAny>()?;
                    continue;
                }
                None => return Err(self.stop(unequal(self.rows))),
            };
            let source: &RawValue = members.next_value()?;
            let value = self.rows.cell(slot, |ty| Value::parse_json(ty, source.get()));
            row[slot] = Some(value.map_err(|failure| self.stop(failure))?);
            position += 1;
        }
        if (position < row.len() || !self.rows.names_all_nests()) && !self.rows.is_chosen() {
            return Err(self.stop(unequal(self.rows)));
        }
        self.rows.push(row).map_err(|failure| self.stop(failure))
    }
}

/// Reads what a row holds in a member that stands for a relation.
fn nested(rows: &mut Rows<'_>, number: usize, name: &str, text: &str) -> Result<(), PlanError> {
    let row = rows.next_row();
    let Some(nest) = rows.nest_member(number) else { return Ok(()) };
    if !nest.name_by(row) {
        return Err(body_error(format!("Member \"{name}\" appears twice"), format!("row {row}")));
    }
    match (text.as_bytes().first(), nest.is_one()) {
        (Some(b'{'), true) | (Some(b'['), false) => {
            read(text.as_bytes(), &mut nest.children).map_err(|error| nest.at_next(row, error))?;
        }
        (Some(b'n'), true) => {}
        (_, is_one) => {
            let expected = if is_one { "one object or null" } else { "an array of objects" };
            return Err(body_error(format!("Member \"{name}\" holds {expected}"), format!("row {row}")));
        }
    }
    nest.hold(row);
    Ok(())
}

/// The whole body.
struct Document<'x, 'r, 'a>(&'x mut Reader<'r, 'a>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<(), A::Error> {
        self.0.row(members)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while elements.next_element_seed(Element(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// One element of the array.
struct Element<'x, 'r, 'a>(&'x mut Reader<'r, 'a>);

impl<'de> DeserializeSeed<'de> for Element<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Element<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<(), A::Error> {
        self.0.row(members)
    }
}

/// Name of a member, borrowed from the body unless it has escapes.
struct Name<'de>(Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Name<'de>, D::Error> {
        struct NameVisitor;

        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }

        source.deserialize_str(NameVisitor)
    }
}

fn malformed(details: String) -> PlanError {
    body_error("Empty or invalid json".to_owned(), details)
}

fn unequal(rows: &Rows<'_>) -> PlanError {
    body_error("All object keys must match".to_owned(), format!("row {}", rows.next_row()))
}

fn repeated(name: &str, rows: &Rows<'_>) -> PlanError {
    body_error(format!("Member \"{name}\" appears twice"), format!("row {}", rows.next_row()))
}

fn body_error(message: String, details: String) -> PlanError {
    PlanError::Parse(ParseError::Body { message, details: Some(details) })
}
