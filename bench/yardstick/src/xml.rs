//! Orders to XML: elements named after columns.

use crate::encode::{Cell, ORDER, Row, plain};

/// What stands before the rows.
pub(crate) const HEAD: &[u8] =
    b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rows xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">";
/// What stands behind them.
pub(crate) const TAIL: &[u8] = b"</rows>";

const COLUMNS: [&str; 6] = ["id", "customer_id", "status", "total", "note", "placed_at"];

/// Appends one order.
pub(crate) fn order(out: &mut Vec<u8>, row: &impl Row) -> anyhow::Result<()> {
    out.extend_from_slice(b"<row>");
    for (index, (name, (_, form))) in COLUMNS.iter().zip(ORDER).enumerate() {
        out.push(b'<');
        out.extend_from_slice(name.as_bytes());
        let cell = row.cell(index, *form)?;
        if cell == Cell::Null {
            out.extend_from_slice(b" xsi:nil=\"true\"/>");
            continue;
        }
        out.push(b'>');
        match cell {
            Cell::Text(text) => escaped(out, text),
            cell => plain(out, cell),
        }
        out.extend_from_slice(b"</");
        out.extend_from_slice(name.as_bytes());
        out.push(b'>');
    }
    out.extend_from_slice(b"</row>");
    Ok(())
}

fn escaped(out: &mut Vec<u8>, text: &[u8]) {
    let mut clean_from = 0;
    for (at, &byte) in text.iter().enumerate() {
        let entity: &[u8] = match byte {
            b'<' => b"&lt;",
            b'>' => b"&gt;",
            b'&' => b"&amp;",
            b'\r' => b"&#13;",
            _ => continue,
        };
        out.extend_from_slice(&text[clean_from..at]);
        out.extend_from_slice(entity);
        clean_from = at + 1;
    }
    out.extend_from_slice(&text[clean_from..]);
}
