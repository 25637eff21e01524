//! Values on their way to the server, and the raw octets of those that come back.
//!
//! A value goes as text, in the form that the server's own input functions read, so that one value fits every type
//! that can hold it: a number goes into `integer` and `numeric`, a text into an enum or a domain. What came from the
//! server in its binary form goes back in that form, untouched. Called by everything that runs a statement.

use std::error::Error;
use std::fmt;

use bytes::{BufMut, BytesMut};
use mainstay_schema::Value;
use mainstay_schema::value::float_text;
use tokio_postgres::types::{Format, FromSql, IsNull, Kind, Oid, ToSql, Type};

/// A parameter of a statement.
#[derive(Clone)]
pub enum Param<'p> {
    /// A value of the plan; arrays as array literals.
    Value(&'p Value),
    /// Several values as one array literal, for `= ANY($1)` and `unnest($1)`.
    List(&'p [Value]),
    /// A number of ours, such as a limit.
    Int(i64),
    /// Text in the form that the server's input function of the type reads.
    Text(&'p str),
    /// Cells of an earlier answer as one array, each in the binary form that it came in; `None` is null.
    Raw {
        /// Type of the cells, as the earlier answer told it.
        item: &'p Type,
        /// The cells.
        items: &'p [Option<&'p [u8]>],
    },
    /// One cell of an earlier answer.
    Cell(Option<&'p [u8]>),
}

/// What is in a parameter is nobody's business but the server's; the driver prints parameters when it logs.
impl fmt::Debug for Param<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Param::Value(Value::Null) | Param::Cell(None) => return Ok(IsNull::Yes),
            Param::Value(value) => put_value(value, out),
            Param::List(items) => put_list(items, out),
            Param::Int(number) => put_int(*number, out),
            Param::Text(text) => out.put_slice(text.as_bytes()),
            Param::Cell(Some(octets)) => out.put_slice(octets),
            Param::Raw { item, items } => put_raw(item_oid(ty, item), items, out)?,
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.to_sql(ty, out)
    }

    fn encode_format(&self, _: &Type) -> Format {
        match self {
            Param::Raw { .. } | Param::Cell(_) => Format::Binary,
            Param::Value(_) | Param::List(_) | Param::Int(_) | Param::Text(_) => Format::Text,
        }
    }
}

/// The type that the server wants the items to be of: the array's own where it is known.
fn item_oid(array: &Type, item: &Type) -> Oid {
    match array.kind() {
        Kind::Array(item) => item.oid(),
        _ => item.oid(),
    }
}

fn put_value(value: &Value, out: &mut BytesMut) {
    match value {
        Value::Null => {} // Told apart by whoever calls.
        Value::Bool(value) => out.put_slice(if *value { b"true" } else { b"false" }),
        Value::Int(value) => put_int(*value, out),
        Value::Float(value) => out.put_slice(float_text(*value).as_bytes()),
        Value::Decimal(value) => out.put_slice(value.as_str().as_bytes()),
        Value::Text(value) | Value::Date(value) | Value::Time(value) | Value::Timestamp(value) => {
            out.put_slice(value.as_bytes());
        }
        Value::Uuid(value) => out.put_slice(value.hyphenated().encode_lower(&mut [0; 36]).as_bytes()),
        Value::Bytes(value) => put_octets(value, out),
        Value::Json(value) => out.put_slice(value.as_str().as_bytes()),
        Value::Array(items) => put_list(items, out),
    }
}

fn put_int(number: i64, out: &mut BytesMut) {
    use std::io::Write as _;
    let mut digits = [0; 20];
    let mut rest = &mut digits[..];
    // Twenty places hold every number.
    let _ = write!(rest, "{number}");
    let left = rest.len();
    out.put_slice(&digits[..20 - left]);
}

fn put_octets(octets: &[u8], out: &mut BytesMut) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.reserve(2 + octets.len() * 2);
    out.put_slice(b"\\x");
    for octet in octets {
        out.put_slice(&[HEX[usize::from(octet >> 4)], HEX[usize::from(octet & 15)]]);
    }
}

/// Several values as one array literal.
pub(super) fn array<'v>(items: impl Iterator<Item = &'v Value>) -> String {
    let mut out = BytesMut::new();
    put_items(items, &mut out);
    String::from_utf8(out.into()).unwrap_or_default() // Values are texts.
}

fn put_list(items: &[Value], out: &mut BytesMut) {
    put_items(items.iter(), out);
}

/// An array literal: every item that is not a number quoted, so that none is taken for anything else.
fn put_items<'v>(items: impl Iterator<Item = &'v Value>, out: &mut BytesMut) {
    out.put_u8(b'{');
    let mut scratch = BytesMut::new();
    for (position, item) in items.enumerate() {
        if position > 0 {
            out.put_u8(b',');
        }
        match item {
            Value::Null => out.put_slice(b"NULL"),
            Value::Array(items) => put_list(items, out),
            Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Decimal(_) | Value::Uuid(_) => {
                put_value(item, out);
            }
            Value::Text(text) => put_quoted(text.as_bytes(), out),
            _ => {
                scratch.clear();
                put_value(item, &mut scratch);
                put_quoted(&scratch, out);
            }
        }
    }
    out.put_u8(b'}');
}

fn put_quoted(text: &[u8], out: &mut BytesMut) {
    out.put_u8(b'"');
    let mut rest = text;
    while let Some(at) = rest.iter().position(|octet| matches!(octet, b'"' | b'\\')) {
        out.put_slice(&rest[..at]);
        out.put_slice(&[b'\\', rest[at]]);
        rest = &rest[at + 1..];
    }
    out.put_slice(rest);
    out.put_u8(b'"');
}

/// An array of one dimension in binary form.
fn put_raw(item: Oid, items: &[Option<&[u8]>], out: &mut BytesMut) -> Result<(), Box<dyn Error + Sync + Send>> {
    out.put_i32(i32::from(!items.is_empty())); // Dimensions: an empty array has none.
    out.put_i32(i32::from(items.iter().any(Option::is_none)));
    out.put_u32(item);
    if !items.is_empty() {
        out.put_i32(i32::try_from(items.len())?);
        out.put_i32(1); // Where counting begins.
    }
    for item in items {
        match item {
            None => out.put_i32(-1),
            Some(octets) => {
                out.put_i32(i32::try_from(octets.len())?);
                out.put_slice(octets);
            }
        }
    }
    Ok(())
}

/// A cell of any type, as the server sent it: binary, borrowed from its row.
///
/// `row.try_get::<_, Option<Raw<'_>>>(0)` takes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw<'r>(pub &'r [u8]);

impl<'r> FromSql<'r> for Raw<'r> {
    fn from_sql(_: &Type, raw: &'r [u8]) -> Result<Raw<'r>, Box<dyn Error + Sync + Send>> {
        Ok(Raw(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use mainstay_schema::Type as Column;

    use super::*;

    fn check(ty: &Column, text: &str, expected: &str) {
        let value = Value::parse(ty, text).expect(text);
        let mut out = BytesMut::new();
        let sent = Param::Value(&value).to_sql(&Type::UNKNOWN, &mut out);
        assert!(matches!(sent, Ok(IsNull::No)), "{text}");
        assert_eq!(String::from_utf8_lossy(&out), expected, "{text}");
    }

    #[test]
    fn values_go_as_their_text() {
        check(&Column::Bool, "true", "true");
        check(&Column::BigInt, "-9223372036854775808", "-9223372036854775808");
        check(&Column::Int, "0", "0");
        check(&Column::Float, "1e300", "1e300");
        check(&Column::Decimal { precision: 38, scale: 2 }, "12.50", "12.50");
        check(&Column::Bytes, "\\x00ff", "\\x00ff");
        check(&Column::Uuid, "0190A5B2-7E1C-7C3A-9B1D-000000000001", "0190a5b2-7e1c-7c3a-9b1d-000000000001");
        check(&Column::Timestamp, "2026-11-23T10:00:00Z", "2026-11-23T10:00:00+00:00");
        let texts = Column::Array(Box::new(Column::Text));
        check(&texts, "{a,\"b,\\\"c\\\\\",NULL,\"NULL\",\"\"}", "{\"a\",\"b,\\\"c\\\\\",NULL,\"NULL\",\"\"}");
        check(&Column::Array(Box::new(Column::Bytes)), "{\"\\\\x01\"}", "{\"\\\\x01\"}");
        check(&Column::Array(Box::new(Column::Int)), "{1,NULL,-2}", "{1,NULL,-2}");
    }

    #[test]
    fn raw_cells_make_an_array() {
        let mut out = BytesMut::new();
        let items = [Some(&[0, 0, 0, 7][..]), None];
        let sent = Param::Raw { item: &Type::INT4, items: &items }.to_sql(&Type::UNKNOWN, &mut out);
        assert!(matches!(sent, Ok(IsNull::No)));
        let expected =
            [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 23, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 7, 255, 255, 255, 255];
        assert_eq!(&out[..], expected);
    }

    #[test]
    fn nothing_of_a_parameter_is_printed() {
        assert_eq!(format!("{:?}", Param::Text("secret")), "[hidden]");
    }
}
