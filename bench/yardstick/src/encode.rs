//! Rows to JSON: cells borrowed from the database's own memory, written straight into the answer.

/// How a column is written.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// An integer, as its digits.
    Integer,
    /// `false` or `true`.
    Bool,
    /// Text, as a JSON string.
    Text,
    /// An instant, as a JSON string with its offset.
    Time,
    /// A decimal with two digits after the point.
    Decimal,
}

/// A member's name with its quotes and colon, and the form of its value.
pub(crate) type Member = (&'static str, Form);

pub(crate) const ORDER: &[Member] = &[
    ("\"id\":", Form::Integer),
    ("\"customer_id\":", Form::Integer),
    ("\"status\":", Form::Text),
    ("\"total\":", Form::Decimal),
    ("\"note\":", Form::Text),
    ("\"placed_at\":", Form::Time),
];
pub(crate) const CUSTOMER: &[Member] = &[
    ("\"id\":", Form::Integer),
    ("\"name\":", Form::Text),
    ("\"email\":", Form::Text),
    ("\"city\":", Form::Text),
    ("\"active\":", Form::Bool),
    ("\"created_at\":", Form::Time),
];
pub(crate) const SUM: &[Member] =
    &[("\"customer_id\":", Form::Integer), ("\"orders\":", Form::Integer), ("\"total\":", Form::Decimal)];
pub(crate) const CUSTOMER_OF_ORDER: &[Member] =
    &[("\"id\":", Form::Integer), ("\"name\":", Form::Text), ("\"email\":", Form::Text)];
pub(crate) const REVIEW: &[Member] =
    &[("\"id\":", Form::Integer), ("\"stars\":", Form::Integer), ("\"body\":", Form::Text)];

/// One cell, as the database keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell<'r> {
    Null,
    Bool(bool),
    Integer(i64),
    /// UTF-8.
    Text(&'r [u8]),
    /// Text that is a number already.
    Digits(&'r [u8]),
    /// A whole number of hundredths.
    Hundredths(i64),
}

/// A row of any database.
pub(crate) trait Row {
    /// The cell of a column, counted from 0, which holds values of this form.
    ///
    /// # Errors
    /// When there is no such column, or it holds something else.
    fn cell(&self, column: usize, form: Form) -> anyhow::Result<Cell<'_>>;
}

/// Appends `"name":value,…` for the members, read from the row's columns beginning at `first`.
pub(crate) fn members(out: &mut Vec<u8>, row: &impl Row, first: usize, members: &[Member]) -> anyhow::Result<()> {
    for (index, (name, form)) in members.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(name.as_bytes());
        match row.cell(first + index, *form)? {
            Cell::Text(text) => string(out, text),
            Cell::Null => out.extend_from_slice(b"null"),
            cell => plain(out, cell),
        }
    }
    Ok(())
}

/// Appends a cell that needs no quotes in any format; nothing for null.
pub(crate) fn plain(out: &mut Vec<u8>, cell: Cell<'_>) {
    match cell {
        Cell::Null => {}
        Cell::Bool(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
        Cell::Integer(number) => integer(out, number),
        Cell::Text(text) | Cell::Digits(text) => out.extend_from_slice(text),
        Cell::Hundredths(number) => {
            if number < 0 {
                out.push(b'-');
            }
            let number = number.unsigned_abs();
            out.extend_from_slice(itoa::Buffer::new().format(number / 100).as_bytes());
            out.push(b'.');
            two_digits(out, number % 100);
        }
    }
}

fn integer(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends a number below 100 with both its digits.
fn two_digits(out: &mut Vec<u8>, number: u64) {
    let digit = |value: u64| b'0' + u8::try_from(value % 10).unwrap_or_default();
    out.extend_from_slice(&[digit(number / 10), digit(number)]);
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
    fn hundredths_have_two_digits_after_the_point() {
        for (number, expected) in [(0, "0.00"), (7, "0.07"), (-5, "-0.05"), (12_345, "123.45"), (-100, "-1.00")] {
            let mut out = Vec::new();
            plain(&mut out, Cell::Hundredths(number));
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

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
