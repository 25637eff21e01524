//! Rows to JSON, straight from SQLite's own memory into the answer. Called by `read`.

use std::io::Write as _;

use rusqlite::Row;
use rusqlite::types::ValueRef;

/// How a column is written.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// An integer, as its digits.
    Integer,
    /// 0 or 1, as `false` or `true`.
    Bool,
    /// Text, as a JSON string.
    Text,
    /// Text that is a JSON number already: a decimal in canonical digits.
    Digits,
    /// A whole number of hundredths, as a decimal with two digits after the point.
    Cents,
}

/// A member's name with its quotes and colon, and the form of its value.
pub(crate) type Member = (&'static str, Form);

/// Appends `"name":value,…` for the members, read from the row's columns beginning at `first`.
pub(crate) fn members(out: &mut Vec<u8>, row: &Row<'_>, first: usize, members: &[Member]) -> rusqlite::Result<()> {
    for (index, (name, form)) in members.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(name.as_bytes());
        value(out, row.get_ref(first + index)?, *form);
    }
    Ok(())
}

fn value(out: &mut Vec<u8>, value: ValueRef<'_>, form: Form) {
    match (value, form) {
        (ValueRef::Integer(number), Form::Bool) => out.extend_from_slice(if number == 0 { b"false" } else { b"true" }),
        (ValueRef::Integer(number), Form::Cents) => {
            let cents = number.unsigned_abs();
            // Writing to a Vec cannot fail.
            let _ = write!(out, "{}{}.{:02}", if number < 0 { "-" } else { "" }, cents / 100, cents % 100);
        }
        (ValueRef::Integer(number), _) => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
        (ValueRef::Text(text), Form::Digits) => out.extend_from_slice(text),
        (ValueRef::Text(text), _) => string(out, text),
        _ => out.extend_from_slice(b"null"),
    }
}

/// Appends a JSON string.
fn string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    let mut clean_from = 0;
    for (at, &byte) in text.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&text[clean_from..at]);
        clean_from = at + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(other >> 4)]);
                out.push(HEX[usize::from(other & 15)]);
            }
        }
    }
    out.extend_from_slice(&text[clean_from..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_as_json_asks() {
        for (text, expected) in [("plain", "\"plain\""), ("a\"b\\c\n", r#""a\"b\\c\n""#), ("\u{1}é", "\"\\u0001é\"")]
        {
            let mut out = Vec::new();
            string(&mut out, text.as_bytes());
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
