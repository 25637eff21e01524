//! The key of an inserted row, for its `Location`.

use bytes::Bytes;
use mainstay_query::plan::Shape;
use mainstay_store::{Cell, RowSink};
use std::sync::Arc;

use super::escape::{push_cell, push_float, push_hex};
use super::url::push_encoded;

/// Keeps the cells of the first row as text.
pub(crate) struct KeySink {
    names: Vec<Arc<str>>,
    values: Vec<Option<String>>,
    rows: u64,
}

impl KeySink {
    /// A sink for rows that hold the members of a key.
    pub(crate) fn new(shape: &Shape) -> KeySink {
        let names = shape.members.iter().map(|member| member.name.clone()).collect();
        KeySink { names, values: Vec::new(), rows: 0 }
    }

    /// Names and values of the key, if there was exactly one row; null is `None`.
    pub(crate) fn single(self) -> Option<Vec<(Arc<str>, Option<String>)>> {
        let is_whole = self.rows == 1 && !self.names.is_empty() && self.names.len() == self.values.len();
        is_whole.then(|| self.names.into_iter().zip(self.values).collect())
    }
}

impl RowSink for KeySink {
    fn start_row(&mut self) {
        self.rows += 1;
    }

    fn end_row(&mut self) {}
    fn start_list(&mut self) {}
    fn end_list(&mut self) {}

    fn cell(&mut self, cell: Cell<'_>) {
        if self.rows == 1 {
            self.values.push(plain_text(cell));
        }
    }
}

/// A cell as the text that a filter compares with; `None` for null.
fn plain_text(cell: Cell<'_>) -> Option<String> {
    let mut out = Vec::new();
    match cell {
        Cell::Null => return None,
        Cell::Digits(text) | Cell::Text(text) | Cell::Plain(text) | Cell::Json(text) => return Some(text.to_owned()),
        Cell::Bool(_) | Cell::Int(_) => push_cell(&mut out, cell),
        Cell::Float(value) => push_float(&mut out, value),
        Cell::Bytes(bytes) => {
            out.extend_from_slice(b"\\x");
            push_hex(&mut out, bytes);
        }
    }
    // Digits and words: always ASCII.
    String::from_utf8(out).ok()
}

/// The query of a key: `pk=eq.value&pk2=is.null`, percent-encoded.
pub(crate) fn location(table: &str, key: &[(Arc<str>, Option<String>)]) -> Bytes {
    let mut out = String::from("/");
    push_encoded(&mut out, table);
    for (position, (name, value)) in key.iter().enumerate() {
        out.push(if position == 0 { '?' } else { '&' });
        push_encoded(&mut out, name);
        match value {
            Some(value) => {
                out.push_str("=eq.");
                push_encoded(&mut out, value);
            }
            None => out.push_str("=is.null"),
        }
    }
    Bytes::from(out)
}
