//! The text of a migration: one command a line, in MongoDB's own JSON, and lines of comment.

use std::fmt;

use mongodb::bson::{Binary, Bson, Document};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;

/// Longest line of a migration, in octets: what one message to the server may hold.
const LINE_OCTETS_MAX: usize = 16 << 20;

/// The commands of a file. Lines that begin with `//`, `--` or `#` are words for people.
///
/// # Errors
/// Which line is no command, and why.
pub(in crate::mongo) fn commands(text: &str) -> Result<Vec<Document>, String> {
    let is_said = |line: &str| !line.is_empty() && !["//", "--", "#"].iter().any(|mark| line.starts_with(mark));
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    lines.filter(|(_, line)| is_said(line)).map(|(at, line)| command(at, line)).collect()
}

fn command(at: usize, line: &str) -> Result<Document, String> {
    let told = |problem: &str| {
        format!("line {at} is no command: {problem}; write a JSON object on one line, as {{\"drop\":\"orders\"}}")
    };
    if line.len() > LINE_OCTETS_MAX {
        return Err(told("it is too long"));
    }
    let Read(command) = serde_json::from_str(line.trim_end_matches(';')).map_err(|error| told(&error.to_string()))?;
    let Bson::Document(command) = command else { return Err(told("it is no object")) };
    if command.is_empty() { Err(told("it is empty")) } else { Ok(command) }
}

/// Objects that stand for values that JSON has no words for.
const WORDS: [&str; 9] =
    ["$numberLong", "$numberInt", "$numberDouble", "$numberDecimal", "$oid", "$date", "$binary", "$minKey", "$maxKey"];

/// A value as it was written. Whole numbers are of 32 bits where they fit, those below zero too, of which the driver's own
/// reading makes others.
struct Read(Bson);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Read, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Read, E> {
        Ok(Read(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Read, E> {
        Ok(Read(i32::try_from(value).map_or(Bson::Int64(value), Bson::Int32)))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Read, E> {
        let value = i64::try_from(value).map_err(|_| E::custom(format!("{value} is too large")))?;
        self.visit_i64(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Read, E> {
        Ok(Read(value.into()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Read, E> {
        Ok(Read(value.into()))
    }

    fn visit_unit<E: Error>(self) -> Result<Read, E> {
        Ok(Read(Bson::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Read, A::Error> {
        let mut list = Vec::new();
        while let Some(Read(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Read(Bson::Array(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Read, A::Error> {
        let mut all = Document::new();
        while let Some((name, Read(value))) = members.next_entry::<String, Read>()? {
            if all.insert(name.as_str(), value).is_some() {
                return Err(A::Error::custom(format!("member {name:?} is there twice")));
            }
        }
        let is_word = all.len() == 1 && all.keys().all(|name| WORDS.contains(&name.as_str()));
        if !is_word {
            return Ok(Read(Bson::Document(all)));
        }
        serde_json::from_str(&print(&all)).map(Read).map_err(A::Error::custom)
    }
}

/// A command on one line, its members in their order. Numbers of 64 bits, and what JSON has no words for, are written as
/// objects, as MongoDB's tools do, so that every value comes back as the one that it was.
pub(in crate::mongo) fn print(command: &Document) -> String {
    let mut text = String::new();
    document(&mut text, command);
    text
}

fn document(text: &mut String, members: &Document) {
    text.push('{');
    for (at, (name, value)) in members.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&Json::from(name.as_str()).to_string());
        text.push(':');
        one(text, value);
    }
    text.push('}');
}

fn one(text: &mut String, value: &Bson) {
    match value {
        Bson::Document(members) => document(text, members),
        Bson::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                one(text, item);
            }
            text.push(']');
        }
        Bson::String(value) => text.push_str(&Json::from(value.as_str()).to_string()),
        Bson::Boolean(value) => text.push_str(if *value { "true" } else { "false" }),
        Bson::Null => text.push_str("null"),
        Bson::Int32(value) => text.push_str(&value.to_string()),
        Bson::Double(value) if value.is_finite() => text.push_str(&format!("{value:?}")),
        Bson::Double(value) => {
            let word = if value.is_nan() {
                "NaN"
            } else if *value > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            };
            text.push_str(&format!("{{\"$numberDouble\":\"{word}\"}}"));
        }
        Bson::Int64(value) => text.push_str(&format!("{{\"$numberLong\":\"{value}\"}}")),
        Bson::Binary(Binary { subtype, bytes }) => {
            let (octets, subtype) = (base64(bytes), u8::from(*subtype));
            text.push_str(&format!("{{\"$binary\":{{\"base64\":\"{octets}\",\"subType\":\"{subtype:02x}\"}}}}"));
        }
        // What is left has a form with the name of its type, and nothing in it that could not be written.
        other => text.push_str(&serde_json::to_string(other).unwrap_or_else(|_| "null".to_owned())),
    }
}

/// Octets in base 64, as RFC 4648 has it.
fn base64(octets: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(octets.len().div_ceil(3) * 4);
    for three in octets.chunks(3) {
        let bits = three.iter().enumerate().fold(0_u32, |bits, (at, octet)| bits | u32::from(*octet) << (16 - 8 * at));
        for at in 0..4 {
            // Two digits say one octet, three say two, four say three.
            let digit = DIGITS[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= three.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use mongodb::bson::oid::ObjectId;
    use mongodb::bson::spec::BinarySubtype;
    use mongodb::bson::{DateTime, doc};

    use super::*;

    #[test]
    fn commands_come_back_as_they_were_written() {
        let command = doc! {
            "createIndexes": "t", "indexes": [{ "key": { "b": 1, "a": -1 }, "name": "n \"q\"" }], "z": Bson::Null, "y": 1.0,
            "x": 5_i64, "w": f64::NEG_INFINITY, "v": DateTime::from_millis(-1), "u": ObjectId::from_bytes([7; 12]),
            "t": Binary { subtype: BinarySubtype::Generic, bytes: vec![0, 255] }, "s": true,
            "r": Bson::Decimal128("1.50".parse().unwrap()), "a": DateTime::MIN,
        };
        let text = print(&command);
        assert!(
            text.starts_with(r#"{"createIndexes":"t","indexes":[{"key":{"b":1,"a":-1},"name":"n \"q\""}],"z":null,"#)
        );
        assert!(!text.contains('\n'));
        assert_eq!(commands(&format!("// words\n-- words\n\n  {text};\n# words\n")), Ok(vec![command]));
    }

    #[test]
    fn what_is_no_command_is_told_with_its_line() {
        for (text, expected) in [
            ("// a\n{\"drop\":", "line 2 is no command"),
            ("{}", "it is empty"),
            ("drop table t", "line 1"),
            ("[1]", "line 1"),
        ] {
            let problem = commands(text).unwrap_err();
            assert!(problem.contains(expected), "{problem}");
        }
        assert_eq!(commands("// nothing\n"), Ok(vec![]));
    }

    #[test]
    fn octets_are_written_in_base_64() {
        for (octets, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")]
        {
            assert_eq!(base64(octets.as_bytes()), expected);
        }
        assert_eq!(base64(&[0, 255, 254]), "AP/+");
    }
}
