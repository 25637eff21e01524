//! JSON documents in canonical form.

mod order;

use std::cmp::Ordering;
use std::fmt::Write as _;

use super::JSON_DEPTH_MAX;
use crate::error::ValueError;

/// A JSON document as canonical text: no blanks, members sorted by name in byte order, numbers with the digits they
/// came with, strings with the fewest escapes. Two documents are equal if their texts are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Json(String);

impl Json {
    /// Reads and normalizes one document.
    ///
    /// # Errors
    /// [`ValueError::Json`] if it is malformed, nested too deeply, or repeats a member; [`ValueError::Nul`] if a
    /// string holds the character NUL, which not every store can keep.
    pub fn parse(source: &str) -> Result<Json, ValueError> {
        let mut reader = Reader { source, at: 0 };
        let mut text = String::with_capacity(source.len());
        reader.blanks();
        reader.value(&mut text, 0)?;
        reader.blanks();
        if reader.at < source.len() {
            return Err(reader.error("unexpected text after the end"));
        }
        Ok(Json(text))
    }

    /// The JSON string with this content.
    pub fn string(content: &str) -> Json {
        let mut text = String::with_capacity(content.len() + 2);
        write_string(&mut text, content);
        Json(text)
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Orders two documents given as canonical text: null, strings, numbers, `false`, `true`, arrays, objects; numbers by
    /// their value, strings by their content, shorter arrays and objects first.
    pub fn compare(left: &str, right: &str) -> Ordering {
        order::compare(left, right)
    }

    /// Whether two documents given as canonical text have the same value: `1` has that of `1.0`, wherever they stand.
    pub fn is_same_value(left: &str, right: &str) -> bool {
        order::by_value(left, right).is_eq()
    }

    /// Takes text that is canonical already, such as a part of another document or what a store gave back.
    pub fn from_canonical(text: String) -> Json {
        Json(text)
    }
}

/// Writes a JSON string literal.
pub(super) fn write_string(out: &mut String, content: &str) {
    out.push('"');
    for c in content.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

struct Reader<'a> {
    source: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn error(&self, reason: &str) -> ValueError {
        ValueError::Json { reason: format!("{reason} at position {}", self.at + 1) }
    }

    fn peek(&self) -> Option<u8> {
        self.source.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, out: &mut String, depth: usize) -> Result<(), ValueError> {
        if depth > JSON_DEPTH_MAX {
            return Err(ValueError::Json { reason: format!("nested deeper than {JSON_DEPTH_MAX}") });
        }
        match self.peek() {
            Some(b'{') => self.object(out, depth),
            Some(b'[') => self.array(out, depth),
            Some(b'"') => {
                let content = self.string()?;
                write_string(out, &content);
                Ok(())
            }
            Some(b'-' | b'0'..=b'9') => self.number(out),
            Some(b't') => self.word(out, "true"),
            Some(b'f') => self.word(out, "false"),
            Some(b'n') => self.word(out, "null"),
            Some(_) => Err(self.error("unexpected character")),
            None => Err(self.error("unexpected end")),
        }
    }

    fn word(&mut self, out: &mut String, word: &str) -> Result<(), ValueError> {
        if !self.source[self.at..].starts_with(word) {
            return Err(self.error("unexpected character"));
        }
        self.at += word.len();
        out.push_str(word);
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self, out: &mut String) -> Result<(), ValueError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let first = self.peek();
        let whole = self.digits();
        if whole == 0 || (whole > 1 && first == Some(b'0')) {
            return Err(self.error("malformed number"));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.error("malformed number"));
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.error("malformed number"));
            }
        }
        out.push_str(&self.source[start..self.at]);
        Ok(())
    }

    fn array(&mut self, out: &mut String, depth: usize) -> Result<(), ValueError> {
        self.at += 1;
        out.push('[');
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            out.push(']');
            return Ok(());
        }
        loop {
            self.blanks();
            self.value(out, depth + 1)?;
            self.blanks();
            match self.peek() {
                Some(b',') => out.push(','),
                Some(b']') => {
                    self.at += 1;
                    out.push(']');
                    return Ok(());
                }
                _ => return Err(self.error("expected , or ]")),
            }
            self.at += 1;
        }
    }

    fn object(&mut self, out: &mut String, depth: usize) -> Result<(), ValueError> {
        self.at += 1;
        let mut members: Vec<(String, String)> = Vec::new();
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            out.push_str("{}");
            return Ok(());
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err(self.error("expected a member name"));
            }
            let name = self.string()?;
            self.blanks();
            if self.peek() != Some(b':') {
                return Err(self.error("expected :"));
            }
            self.at += 1;
            self.blanks();
            let mut value = String::new();
            self.value(&mut value, depth + 1)?;
            members.push((name, value));
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    break;
                }
                _ => return Err(self.error("expected , or }")),
            }
        }
        members.sort();
        if let Some(pair) = members.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(ValueError::Json { reason: format!("member \"{}\" appears twice", pair[0].0) });
        }
        out.push('{');
        for (position, (name, value)) in members.iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            write_string(out, name);
            out.push(':');
            out.push_str(value);
        }
        out.push('}');
        Ok(())
    }

    /// Reads a string literal from its opening quote and decodes it.
    fn string(&mut self) -> Result<String, ValueError> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                None => return Err(self.error("unterminated string")),
                Some(b'\\') => self.at += 2,
                Some(b'"') => break,
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        // serde_json refuses control characters, unknown escapes and lone surrogates.
        let literal = self.source.get(start..self.at).ok_or_else(|| self.error("malformed string"))?;
        let content: String = serde_json::from_str(literal).map_err(|_| self.error("malformed string"))?;
        if content.contains('\0') { Err(ValueError::Nul) } else { Ok(content) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_text() {
        for (source, expected) in [
            (" { \"b\" : 1.50 , \"a\":[ 1 , null,true ]} ", r#"{"a":[1,null,true],"b":1.50}"#),
            (r#""A\u00e9\/""#, "\"Aé/\""),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("{}", "{}"),
            ("[]", "[]"),
        ] {
            assert_eq!(Json::parse(source).expect(source).as_str(), expected);
        }
    }

    #[test]
    fn refuses_what_is_not_json() {
        for source in [
            "",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "01",
            "1.",
            "-",
            "NaN",
            "'a'",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"a",
            "1 2",
            "{\"a\":1,\"a\":2}",
            "\"\\u0000\"",
            "nul",
            "[1}",
            "\"\\",
            "+1",
            "\"a\nb\"",
        ] {
            assert!(Json::parse(source).is_err(), "{source}");
        }
    }

    #[test]
    fn depth_is_bounded_before_anything_is_built() {
        assert!(Json::parse(&("[".repeat(64) + &"]".repeat(64))).is_ok());
        assert!(Json::parse(&"[".repeat(200_000)).is_err());
    }
}
