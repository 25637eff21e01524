//! References: `customer[0].id` is the member `id` of the first row that the step `customer` gave, `lines[*].price`
//! that member of all its rows, `customer.id` that of a step which gives one object.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{REFERENCES_MAX, wrong};
use crate::error::ParseError;

/// A way into the answer of an earlier step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// As written.
    text: String,
    step: usize,
    hops: Vec<Hop>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hop {
    /// `[0]`
    Index(usize),
    /// `[*]`
    Every,
    /// `.name` or `["name"]`
    Member(String),
}

/// The names of the steps so far.
#[derive(Debug, Default)]
pub(super) struct Names {
    positions: HashMap<String, usize>,
    referred: Vec<usize>,
    count: usize,
}

impl Names {
    /// Takes a name; false if it is taken.
    pub(super) fn add(&mut self, id: &str, position: usize) -> bool {
        self.positions.insert(id.to_owned(), position).is_none()
    }

    pub(super) fn is_referred(&self, position: usize) -> bool {
        self.referred.contains(&position)
    }
}

impl Reference {
    /// Reads a text that is a reference and nothing else.
    pub(super) fn read(text: &str, names: &mut Names) -> Result<Reference, ParseError> {
        let (reference, rest) = Reference::read_start(text, names)?;
        if rest.is_empty() { Ok(reference) } else { Err(malformed(text)) }
    }

    /// Reads the reference that a text begins with; gives what follows.
    pub(super) fn read_start<'t>(text: &'t str, names: &mut Names) -> Result<(Reference, &'t str), ParseError> {
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).unwrap_or(text.len());
        let (id, mut rest) = text.split_at(end);
        let mut hops = Vec::new();
        loop {
            let (hop, after) = match rest.as_bytes() {
                [b'.', ..] => member(&rest[1..]),
                [b'[', b'*', b']', ..] => Some((Hop::Every, &rest[3..])),
                [b'[', b'"', ..] => quoted(&rest[1..]),
                [b'[', ..] => index(&rest[1..]),
                _ => break,
            }
            .ok_or_else(|| malformed(text))?;
            hops.push(hop);
            rest = after;
        }
        let written = &text[..text.len() - rest.len()];
        if hops.iter().filter(|hop| **hop == Hop::Every).count() > 1 {
            return Err(malformed(written));
        }
        let Some(step) = names.positions.get(id).copied() else {
            let details = format!("\"{written}\": no step before this one has the id \"{id}\".");
            return Err(wrong("A reference leads to nothing", details));
        };
        names.count += 1;
        if names.count > REFERENCES_MAX {
            return Err(wrong("A batch has too many references", format!("At most {REFERENCES_MAX}.")));
        }
        names.referred.push(step);
        Ok((Reference { text: written.to_owned(), step, hops }, rest))
    }

    /// Whether it leads to several values.
    pub(super) fn is_list(&self) -> bool {
        self.hops.contains(&Hop::Every)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn member(text: &str) -> Option<(Hop, &str)> {
    let end = text.find(['.', '[', ']', '{', '}', '"']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    (!name.is_empty()).then(|| (Hop::Member(name.to_owned()), rest))
}

fn quoted(text: &str) -> Option<(Hop, &str)> {
    let mut names = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let name = names.next()?.ok()?;
    let rest = text[names.byte_offset()..].strip_prefix(']')?;
    Some((Hop::Member(name), rest))
}

fn index(text: &str) -> Option<(Hop, &str)> {
    let (digits, rest) = text.split_once(']')?;
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    Some((Hop::Index(digits.parse().ok().filter(|_| is_number)?), rest))
}

fn malformed(text: &str) -> ParseError {
    let details = format!(
        "\"{text}\": write step[0].member for a row's member, step[*].member for that of every row, step.member where \
         one object was asked for, step for the whole answer where it is one value, and [\"member\"] for names with other characters."
    );
    wrong("A reference does not parse", details)
}

/// What the steps so far gave.
#[derive(Debug, Default)]
pub struct Answers {
    steps: Vec<Answer>,
}

#[derive(Debug)]
enum Answer {
    /// Nothing that could be referred to.
    Nothing,
    /// One object.
    One(Box<RawValue>),
    /// Rows.
    Rows(Vec<Box<RawValue>>),
}

impl Answers {
    /// Forgets all.
    pub fn clear(&mut self) {
        self.steps.clear();
    }

    /// Takes the JSON that a step gave; `None` if nothing refers to it or it gave none.
    ///
    /// # Errors
    /// [`ParseError`] if it is no JSON.
    pub fn push(&mut self, json: Option<&[u8]>) -> Result<(), ParseError> {
        let broken = |_| wrong("An answer cannot be referred to", "It is no JSON.");
        self.steps.push(match json {
            None => Answer::Nothing,
            Some(json) if json.first() == Some(&b'[') => Answer::Rows(serde_json::from_slice(json).map_err(broken)?),
            Some(json) => Answer::One(serde_json::from_slice(json).map_err(broken)?),
        });
        Ok(())
    }

    /// The values that a reference leads to: JSON source texts, exactly one unless it asks for every row.
    ///
    /// # Errors
    /// [`ParseError`] if there is nothing at its end.
    pub(super) fn values(&self, reference: &Reference) -> Result<Vec<String>, ParseError> {
        let lost = |why: String| wrong("A reference leads to nothing", format!("\"{reference}\": {why}."));
        let mut hops = reference.hops.iter();
        let mut found: Vec<Cow<'_, str>> = match self.steps.get(reference.step) {
            None | Some(Answer::Nothing) => {
                let why = "the step gave no rows; ask for them with \"prefer\": \"return=representation\"";
                return Err(lost(why.to_owned()));
            }
            Some(Answer::One(one)) => vec![Cow::Borrowed(one.get())],
            Some(Answer::Rows(rows)) => match hops.next() {
                Some(Hop::Index(index)) => {
                    let row = rows.get(*index).ok_or_else(|| lost(format!("there are {} rows", rows.len())))?;
                    vec![Cow::Borrowed(row.get())]
                }
                Some(Hop::Every) => rows.iter().map(|row| Cow::Borrowed(row.get())).collect(),
                Some(Hop::Member(_)) | None => {
                    return Err(lost("the step gave a list of rows; say which, as in step[0].member".to_owned()));
                }
            },
        };
        for hop in hops {
            let mut next = Vec::with_capacity(found.len());
            for json in &found {
                follow(json, hop, &mut next).map_err(lost)?;
            }
            found = next;
        }
        Ok(found.into_iter().map(Cow::into_owned).collect())
    }
}

/// Goes one step further into a JSON value, or says why it cannot.
fn follow<'a>(json: &str, hop: &Hop, found: &mut Vec<Cow<'a, str>>) -> Result<(), String> {
    match hop {
        Hop::Member(name) => {
            let members = members(json).ok_or_else(|| format!("there is no object that could have \"{name}\""))?;
            let member = members.into_iter().find(|(key, _)| key == name);
            let (_, value) = member.ok_or_else(|| format!("there is no member \"{name}\""))?;
            found.push(Cow::Owned(value.get().to_owned()));
        }
        Hop::Index(_) | Hop::Every => {
            let elements: Vec<&RawValue> = serde_json::from_str(json).map_err(|_| "there is no list".to_owned())?;
            match hop {
                Hop::Index(index) => {
                    let element = elements.get(*index);
                    let element = element.ok_or_else(|| format!("the list has {} elements", elements.len()))?;
                    found.push(Cow::Owned(element.get().to_owned()));
                }
                _ => found.extend(elements.into_iter().map(|element| Cow::Owned(element.get().to_owned()))),
            }
        }
    }
    Ok(())
}

/// The members of an object, in their order; `None` if it is none.
pub(super) fn members(json: &str) -> Option<Vec<(String, &RawValue)>> {
    struct Members;

    impl<'de> Visitor<'de> for Members {
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
    }

    serde_json::Deserializer::from_str(json).deserialize_map(Members).ok()
}
