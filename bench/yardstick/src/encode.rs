//! Rows to JSON: cells borrowed from the database's own memory, written straight into the answer.

use crate::requests::Rows;

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
    /// Microseconds since the year 2000 began in UTC.
    Micros(i64),
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
            cell @ Cell::Micros(_) => {
                out.push(b'"');
                plain(out, cell);
                out.push(b'"');
            }
            cell => plain(out, cell),
        }
    }
    Ok(())
}

/// A JSON array of objects that is being written.
pub(crate) struct List {
    pub(crate) json: Vec<u8>,
    rows: usize,
}

impl List {
    /// An empty one, with room for so many octets.
    pub(crate) fn new(bytes: usize) -> List {
        let mut json = Vec::with_capacity(bytes);
        json.push(b'[');
        List { json, rows: 0 }
    }

    /// Begins an object.
    pub(crate) fn begin(&mut self) {
        self.json.extend_from_slice(if self.rows == 0 { b"{" } else { b",{" });
        self.rows += 1;
    }

    /// The array.
    pub(crate) fn end(mut self) -> Rows {
        self.json.push(b']');
        Rows { body: self.json, rows: self.rows, first: Some(0), total: None }
    }
}

/// Customers, each with its orders, which come by their customer. Orders of nobody who is there are left out.
pub(crate) fn customers_with_orders<R: Row>(customers: &[R], orders: &[R]) -> anyhow::Result<Rows> {
    let mut list = List::new(32_768);
    let mut orders = orders.iter().peekable();
    for customer in customers {
        list.begin();
        members(&mut list.json, customer, 0, CUSTOMER)?;
        list.json.extend_from_slice(b",\"orders\":[");
        let id = number(customer, 0)?;
        let mut is_first = true;
        while let Some(order) = orders.peek() {
            let of = number(*order, 1)?;
            if of > id {
                break;
            }
            if of == id {
                list.json.extend_from_slice(if is_first { b"{" } else { b",{" });
                members(&mut list.json, *order, 0, ORDER)?;
                list.json.push(b'}');
                is_first = false;
            }
            orders.next();
        }
        list.json.extend_from_slice(b"]}");
    }
    Ok(list.end())
}

/// A key.
pub(crate) fn number(row: &impl Row, column: usize) -> anyhow::Result<i64> {
    match row.cell(column, Form::Integer)? {
        Cell::Integer(number) => Ok(number),
        _ => anyhow::bail!("column {column} holds no number"),
    }
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
        Cell::Micros(micros) => time(out, micros),
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

/// Appends an instant of the years 0 to 9999 with its offset, and a fraction where it has one.
///
/// # Source
/// The date: Howard Hinnant, *chrono-Compatible Low-Level Date Algorithms*, `civil_from_days`.
fn time(out: &mut Vec<u8>, micros: i64) {
    const DAY: i64 = 86_400_000_000;
    /// Days from 1 March of the year 0 to 1 January 2000.
    const TO_2000: i64 = 730_425;
    let (days, rest) = (micros.div_euclid(DAY) + TO_2000, micros.rem_euclid(DAY).unsigned_abs());
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Months from March on.
    let month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month + 2) / 5 + 1).unsigned_abs();
    let year = (year_of_era + era * 400 + i64::from(month >= 10)).unsigned_abs();
    let month = (if month < 10 { month + 3 } else { month - 9 }).unsigned_abs();
    let seconds = rest / 1_000_000;
    two_digits(out, year / 100);
    for (before, number) in [
        (None, year % 100),
        (Some(b'-'), month),
        (Some(b'-'), day),
        (Some(b'T'), seconds / 3600),
        (Some(b':'), seconds / 60 % 60),
        (Some(b':'), seconds % 60),
    ] {
        out.extend(before);
        two_digits(out, number);
    }
    let mut fraction = rest % 1_000_000;
    if fraction > 0 {
        out.push(b'.');
        while fraction > 0 {
            two_digits(out, fraction / 10_000);
            fraction = fraction % 10_000 * 100;
        }
        if out.ends_with(b"0") {
            out.pop();
        }
    }
    out.extend_from_slice(b"+00:00");
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
    fn instants_are_written_in_utc() {
        for (micros, expected) in [
            (0, "2000-01-01T00:00:00+00:00"),
            (-1, "1999-12-31T23:59:59.999999+00:00"),
            (5_097_600_000_000 + 100_000, "2000-02-29T00:00:00.1+00:00"),
            (832_550_400_000_000 + 10_000, "2026-05-20T00:00:00.01+00:00"),
            (835_702_321_500_000, "2026-06-25T11:32:01.5+00:00"),
        ] {
            let mut out = Vec::new();
            plain(&mut out, Cell::Micros(micros));
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{micros}");
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
