//! Rows to XML: elements named after columns, straight from SQLite's own memory. Called by `read`.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use crate::read::{ORDERS_AFTER, Rows};

const HEAD: &[u8] =
    b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rows xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">";

const COLUMNS: [&str; 6] = ["id", "customer_id", "status", "total", "note", "placed_at"];

/// Twenty orders after a key.
pub(crate) fn orders(connection: &Connection, after: i64) -> rusqlite::Result<Rows> {
    let mut statement = connection.prepare_cached(ORDERS_AFTER)?;
    let mut rows = statement.query([after])?;
    let mut body = Vec::with_capacity(8192);
    let mut count = 0;
    body.extend_from_slice(HEAD);
    while let Some(row) = rows.next()? {
        element(&mut body, row)?;
        count += 1;
    }
    body.extend_from_slice(b"</rows>");
    Ok(Rows { body, rows: count, first: Some(0), total: None })
}

fn element(out: &mut Vec<u8>, row: &Row<'_>) -> rusqlite::Result<()> {
    out.extend_from_slice(b"<row>");
    for (index, name) in COLUMNS.iter().enumerate() {
        out.push(b'<');
        out.extend_from_slice(name.as_bytes());
        let value = row.get_ref(index)?;
        if value == ValueRef::Null {
            out.extend_from_slice(b" xsi:nil=\"true\"/>");
            continue;
        }
        out.push(b'>');
        match value {
            ValueRef::Integer(number) => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
            ValueRef::Text(text) => escaped(out, text),
            // The columns hold nothing else.
            ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => {}
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
