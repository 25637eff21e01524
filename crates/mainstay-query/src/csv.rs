//! The records of a CSV body (RFC 4180), each field with whether it was quoted: a bare `NULL` is null, a quoted one is
//! text, and of the two only the quotes tell.
//!
//! Lines end in LF, CRLF or CR; empty lines are passed over, as is a byte order mark at the start.

use std::borrow::Cow;

/// One field of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field<'t> {
    /// Its text, without quotes.
    pub text: Cow<'t, str>,
    /// Whether it stood in quotes.
    pub is_quoted: bool,
}

impl Field<'_> {
    /// The text; `None` for null.
    pub fn value(&self) -> Option<&str> {
        if !self.is_quoted && self.text == "NULL" { None } else { Some(&self.text) }
    }
}

/// Takes records off a text.
pub struct Records<'t> {
    rest: &'t str,
    /// Whether a quote may stand inside of a field that does not begin with one.
    takes_bare_quotes: bool,
}

/// A quote that does not end, or text after one that does; or one inside of a bare field, where that is not allowed.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

impl<'t> Records<'t> {
    /// The records of `text`.
    pub fn new(text: &'t str) -> Records<'t> {
        Records { rest: text.strip_prefix('\u{feff}').unwrap_or(text), takes_bare_quotes: true }
    }

    /// The same, but for quotes inside of fields that do not begin with one.
    pub fn without_bare_quotes(text: &'t str) -> Records<'t> {
        Records { takes_bare_quotes: false, ..Records::new(text) }
    }

    /// What is left to read; after an error, that which could not be. Nothing where a quote does not end.
    pub fn rest(&self) -> &'t str {
        self.rest
    }

    /// Puts the fields of the next record into `fields`; false when there is none.
    pub fn next(&mut self, fields: &mut Vec<Field<'t>>) -> Result<bool, Malformed> {
        fields.clear();
        self.rest = self.rest.trim_start_matches(['\r', '\n']);
        if self.rest.is_empty() {
            return Ok(false);
        }
        loop {
            fields.push(self.field()?);
            match self.rest.as_bytes().first() {
                Some(b',') => self.rest = &self.rest[1..],
                None | Some(b'\r' | b'\n') => return Ok(true),
                Some(_) => return Err(Malformed),
            }
        }
    }

    fn field(&mut self) -> Result<Field<'t>, Malformed> {
        if let Some(body) = self.rest.strip_prefix('"') {
            return self.quoted(body);
        }
        let end = self.rest.find([',', '\r', '\n']).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        if let Some(quote) = text.find('"').filter(|_| !self.takes_bare_quotes) {
            self.rest = &self.rest[quote..];
            return Err(Malformed);
        }
        self.rest = rest;
        Ok(Field { text: Cow::Borrowed(text), is_quoted: false })
    }

    /// The field whose opening quote stands before `body`.
    fn quoted(&mut self, body: &'t str) -> Result<Field<'t>, Malformed> {
        let mut from = 0;
        let mut is_escaped = false;
        loop {
            let Some(end) = body[from..].find('"').map(|end| from + end) else {
                self.rest = "";
                return Err(Malformed);
            };
            if body[end + 1..].starts_with('"') {
                is_escaped = true;
                from = end + 2;
                continue;
            }
            let text = &body[..end];
            self.rest = &body[end + 1..];
            let text = if is_escaped { Cow::Owned(text.replace("\"\"", "\"")) } else { Cow::Borrowed(text) };
            return Ok(Field { text, is_quoted: true });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The records, quoted fields in quotes.
    fn read(text: &str) -> Result<Vec<Vec<String>>, Malformed> {
        let (mut records, mut fields, mut all) = (Records::new(text), Vec::new(), Vec::new());
        while records.next(&mut fields)? {
            let show = |field: &Field<'_>| {
                if field.is_quoted { format!("\"{}\"", field.text) } else { field.text.to_string() }
            };
            all.push(fields.iter().map(show).collect());
        }
        Ok(all)
    }

    fn check(text: &str, expected: &[&[&str]]) {
        assert_eq!(read(text), Ok(expected.iter().map(|row| row.iter().map(|f| f.to_string()).collect()).collect()));
    }

    #[test]
    fn records_and_fields() {
        check("", &[]);
        check("a,b\n1,2\r\n3,4\r5,6", &[&["a", "b"], &["1", "2"], &["3", "4"], &["5", "6"]]);
        check("a\n\n\nb\n", &[&["a"], &["b"]]);
        check("\u{feff}a,,\n", &[&["a", "", ""]]);
        check("\"a,\"\"b\"\"\n\",NULL,\"NULL\",\"\"", &[&["\"a,\"b\"\n\"", "NULL", "\"NULL\"", "\"\""]]);
        check("a\"b,\"é\"", &[&["a\"b", "\"é\""]]);
    }

    #[test]
    fn quotes_must_end_and_fields_with_them() {
        for text in ["\"a", "\"a\"b", "\"a\" ,b", "a,\"\"\"", "\""] {
            assert_eq!(read(text), Err(Malformed), "{text}");
        }
    }

    #[test]
    fn bare_quotes_may_be_refused_and_what_is_left_is_told() {
        for (text, rest) in [("a,x\"y,b\n", "\"y,b\n"), ("\"a\"b,c", "b,c"), ("a,\"b", "")] {
            let mut records = Records::without_bare_quotes(text);
            assert_eq!(records.next(&mut Vec::new()), Err(Malformed));
            assert_eq!(records.rest(), rest, "{text}");
        }
    }

    #[test]
    fn only_a_bare_null_is_null() {
        let value = |text| {
            let mut fields = Vec::new();
            Records::new(text).next(&mut fields).unwrap();
            fields[0].value().map(str::to_owned)
        };
        assert_eq!(value("NULL"), None);
        for text in ["\"NULL\"", "null", "NULL ", "\"\""] {
            assert!(value(text).is_some(), "{text}");
        }
    }
}
