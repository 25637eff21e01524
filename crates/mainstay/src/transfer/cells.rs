//! Where the rows of our own reads go, and how a cell is written to a file.

use std::any::Any;
use std::io::{self, Write};

use mainstay_schema::value::{bytes_text, float_text};
use mainstay_store::{Cell, RowSink};

/// Takes no rows: writes that return nothing.
pub(super) struct Nothing;

impl RowSink for Nothing {
    fn start_row(&mut self) {}
    fn end_row(&mut self) {}
    fn start_list(&mut self) {}
    fn end_list(&mut self) {}
    fn cell(&mut self, _: Cell<'_>) {}
}

/// Keeps rows as text, for small reads of our own.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) rows: Vec<Vec<Option<String>>>,
}

impl Kept {
    /// The rows that a read put into the sink that was made by this type.
    pub(super) fn of(sink: Box<dyn RowSink>) -> Vec<Vec<Option<String>>> {
        let sink: Box<dyn Any> = sink;
        sink.downcast::<Kept>().map_or_else(|_| Vec::new(), |kept| kept.rows)
    }
}

impl RowSink for Kept {
    fn start_row(&mut self) {
        self.rows.push(Vec::new());
    }
    fn end_row(&mut self) {}
    fn start_list(&mut self) {}
    fn end_list(&mut self) {}
    fn cell(&mut self, cell: Cell<'_>) {
        let mut text = Vec::new();
        let is_null = cell == Cell::Null;
        if !is_null {
            let _ = write_text(&mut text, cell);
        }
        if let Some(row) = self.rows.last_mut() {
            row.push((!is_null).then(|| String::from_utf8_lossy(&text).into_owned()));
        }
    }
}

/// Writes the plain text of a cell; nothing for null.
fn write_text(out: &mut impl Write, cell: Cell<'_>) -> io::Result<()> {
    match cell {
        Cell::Null => Ok(()),
        Cell::Bool(value) => write!(out, "{value}"),
        Cell::Int(value) => write!(out, "{value}"),
        Cell::Float(value) => out.write_all(float_text(value).as_bytes()),
        Cell::Digits(text) | Cell::Text(text) | Cell::Plain(text) | Cell::Json(text) => out.write_all(text.as_bytes()),
        Cell::Bytes(bytes) => out.write_all(bytes_text(bytes).as_bytes()),
    }
}

/// Writes a cell as a CSV field that reads back to the same value: null is nothing, empty text is `""`.
pub(super) fn write_csv(out: &mut impl Write, cell: Cell<'_>) -> io::Result<()> {
    match cell {
        Cell::Text(text) | Cell::Json(text) => write_csv_text(out, text),
        other => write_text(out, other),
    }
}

/// Writes text as a CSV field.
pub(super) fn write_csv_text(out: &mut impl Write, text: &str) -> io::Result<()> {
    let needs_quotes = text.is_empty() || text.bytes().any(|byte| matches!(byte, b'"' | b',' | b'\n' | b'\r'));
    // A byte order mark at the start of a file would be taken for one that only says UTF-8.
    if !needs_quotes && !text.starts_with('\u{feff}') {
        return out.write_all(text.as_bytes());
    }
    out.write_all(b"\"")?;
    for (position, part) in text.split('"').enumerate() {
        if position > 0 {
            out.write_all(b"\"\"")?;
        }
        out.write_all(part.as_bytes())?;
    }
    out.write_all(b"\"")
}

/// Writes a cell as a JSON value.
pub(super) fn write_json(out: &mut impl Write, cell: Cell<'_>) -> io::Result<()> {
    match cell {
        Cell::Null => out.write_all(b"null"),
        Cell::Text(text) => serde_json::to_writer(out, text).map_err(io::Error::from),
        Cell::Plain(text) => write!(out, "\"{text}\""),
        Cell::Bytes(bytes) => write!(out, "\"\\{}\"", bytes_text(bytes)),
        other => write_text(out, other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(cell: Cell<'_>) -> String {
        let mut out = Vec::new();
        write_csv(&mut out, cell).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn json(cell: Cell<'_>) -> String {
        let mut out = Vec::new();
        write_json(&mut out, cell).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn csv_quotes_only_what_would_not_read_back() {
        for (cell, expected) in [
            (Cell::Null, ""),
            (Cell::Text(""), "\"\""),
            (Cell::Text("a b"), "a b"),
            (Cell::Text("a,b"), "\"a,b\""),
            (Cell::Text("say \"hi\""), "\"say \"\"hi\"\"\""),
            (Cell::Text("a\r"), "\"a\r\""),
            (Cell::Json("[1,2]"), "\"[1,2]\""),
            (Cell::Digits("12.50"), "12.50"),
            (Cell::Bool(true), "true"),
            (Cell::Bytes(&[0, 255]), "\\x00ff"),
        ] {
            assert_eq!(csv(cell), expected);
        }
    }

    #[test]
    fn json_values_keep_their_digits() {
        for (cell, expected) in [
            (Cell::Null, "null"),
            (Cell::Text("a\"\n"), "\"a\\\"\\n\""),
            (Cell::Digits("12.50"), "12.50"),
            (Cell::Json("{\"a\":1.0}"), "{\"a\":1.0}"),
            (Cell::Bytes(&[255]), "\"\\\\xff\""),
            (Cell::Plain("2026-11-23"), "\"2026-11-23\""),
        ] {
            assert_eq!(json(cell), expected);
        }
    }
}
