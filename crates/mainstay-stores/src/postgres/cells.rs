//! The server's binary cells as [`Cell`]s, in the canonical forms of [`mainstay_schema::Value`].
//!
//! How a column is read is decided once per statement; a cell then costs no allocation: numbers are read where they
//! are, texts are borrowed from the row, and dates, decimals and arrays are written into a buffer of the caller.
//! Source of the forms: the `*_send` functions of PostgreSQL 15, `src/backend/utils/adt`.

use mainstay_store::{Cell, StoreError};
use tokio_postgres::types::{Kind, Type};

use super::moments::{PAIRS, push_date, push_time, push_timestamp, push_zone};

/// How the cells of one column are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CellKind {
    /// `boolean`.
    Bool,
    /// `smallint`.
    Int2,
    /// `integer`.
    Int4,
    /// `bigint`.
    Int8,
    /// `oid`.
    Oid,
    /// `real`.
    Float4,
    /// `double precision`.
    Float8,
    /// `numeric`.
    Numeric,
    /// Everything whose binary form is its text: `text`, `varchar`, `char(n)`, `name`, `citext`, enums.
    Text,
    /// `uuid`.
    Uuid,
    /// `bytea`.
    Bytes,
    /// `date`.
    Date,
    /// `time`.
    Time,
    /// `time with time zone`.
    TimeTz,
    /// `timestamp`.
    Timestamp,
    /// `timestamp with time zone`.
    TimestampTz,
    /// `json`.
    Json,
    /// `jsonb`.
    Jsonb,
    /// An array of these.
    Array(Box<CellKind>),
}

/// Octets that are not of the type that the server told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a cell is not of the form that its type has")]
pub struct Malformed;

impl From<Malformed> for StoreError {
    fn from(malformed: Malformed) -> StoreError {
        StoreError::Internal(Box::new(malformed))
    }
}

impl CellKind {
    /// How cells of this type are read; `None` if their binary form is not known here, as for ranges, networks and
    /// composites: a statement asks for those as `text`.
    pub fn of(ty: &Type) -> Option<CellKind> {
        Some(match *ty {
            Type::BOOL => CellKind::Bool,
            Type::INT2 => CellKind::Int2,
            Type::INT4 => CellKind::Int4,
            Type::INT8 => CellKind::Int8,
            Type::OID => CellKind::Oid,
            Type::FLOAT4 => CellKind::Float4,
            Type::FLOAT8 => CellKind::Float8,
            Type::NUMERIC => CellKind::Numeric,
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::CSTRING | Type::VOID => {
                CellKind::Text
            }
            Type::UUID => CellKind::Uuid,
            Type::BYTEA => CellKind::Bytes,
            Type::DATE => CellKind::Date,
            Type::TIME => CellKind::Time,
            Type::TIMETZ => CellKind::TimeTz,
            Type::TIMESTAMP => CellKind::Timestamp,
            Type::TIMESTAMPTZ => CellKind::TimestampTz,
            Type::JSON => CellKind::Json,
            Type::JSONB => CellKind::Jsonb,
            _ => match ty.kind() {
                Kind::Enum(_) => CellKind::Text,
                Kind::Domain(base) => CellKind::of(base)?,
                Kind::Array(item) => CellKind::Array(Box::new(CellKind::of(item)?)),
                Kind::Simple if ty.name() == "citext" => CellKind::Text,
                _ => return None,
            },
        })
    }

    /// The cell; `None` is null. What cannot be borrowed from the row is written to `scratch`, which is emptied first.
    ///
    /// Dates and times beyond the years 1 to 9999 and the infinite ones come as PostgreSQL prints them; numbers that
    /// are none come as text.
    ///
    /// # Errors
    /// [`Malformed`] if the octets are not of this kind.
    pub fn cell<'c>(&self, raw: Option<&'c [u8]>, scratch: &'c mut String) -> Result<Cell<'c>, Malformed> {
        let Some(raw) = raw else { return Ok(Cell::Null) };
        Ok(match self {
            CellKind::Bool => Cell::Bool(octets::<1>(raw)? != [0]),
            CellKind::Int2 => Cell::Int(i16::from_be_bytes(octets(raw)?).into()),
            CellKind::Int4 => Cell::Int(i32::from_be_bytes(octets(raw)?).into()),
            CellKind::Int8 => Cell::Int(i64::from_be_bytes(octets(raw)?)),
            CellKind::Oid => Cell::Int(u32::from_be_bytes(octets(raw)?).into()),
            CellKind::Float4 => float(single(f32::from_be_bytes(octets(raw)?), scratch)),
            CellKind::Float8 => float(f64::from_be_bytes(octets(raw)?)),
            CellKind::Text => Cell::Text(text(raw)?),
            CellKind::Bytes => Cell::Bytes(raw),
            CellKind::Json => Cell::Json(text(raw)?),
            CellKind::Jsonb => Cell::Json(jsonb(raw)?),
            CellKind::Numeric => {
                scratch.clear();
                if push_numeric(scratch, raw)? { Cell::Digits(scratch) } else { Cell::Plain(scratch) }
            }
            CellKind::Uuid
            | CellKind::Date
            | CellKind::Time
            | CellKind::TimeTz
            | CellKind::Timestamp
            | CellKind::TimestampTz => {
                scratch.clear();
                self.push_plain(scratch, raw)?;
                Cell::Plain(scratch)
            }
            CellKind::Array(item) => {
                scratch.clear();
                push_array(scratch, item, raw)?;
                Cell::Json(scratch)
            }
        })
    }

    /// What needs no escaping in any format.
    fn push_plain(&self, out: &mut String, raw: &[u8]) -> Result<(), Malformed> {
        match self {
            CellKind::Uuid => {
                out.push_str(uuid::Uuid::from_bytes(octets(raw)?).hyphenated().encode_lower(&mut [0; 36]));
            }
            CellKind::Date => push_date(out, i32::from_be_bytes(octets(raw)?)),
            CellKind::Time => push_time(out, i64::from_be_bytes(octets(raw)?)),
            CellKind::TimeTz => {
                let (time, west_s) = raw.split_at_checked(8).ok_or(Malformed)?;
                push_time(out, i64::from_be_bytes(octets(time)?));
                push_zone(out, -i32::from_be_bytes(octets(west_s)?));
            }
            CellKind::Timestamp => push_timestamp(out, i64::from_be_bytes(octets(raw)?), ""),
            CellKind::TimestampTz => push_timestamp(out, i64::from_be_bytes(octets(raw)?), "+00:00"),
            _ => return Err(Malformed),
        }
        Ok(())
    }

    /// The cell as JSON, inside an array.
    fn push_json(&self, out: &mut String, raw: &[u8]) -> Result<(), Malformed> {
        match self {
            CellKind::Bool => out.push_str(if octets::<1>(raw)? == [0] { "false" } else { "true" }),
            CellKind::Int2 => push(out, format_args!("{}", i16::from_be_bytes(octets(raw)?))),
            CellKind::Int4 => push(out, format_args!("{}", i32::from_be_bytes(octets(raw)?))),
            CellKind::Int8 => push(out, format_args!("{}", i64::from_be_bytes(octets(raw)?))),
            CellKind::Oid => push(out, format_args!("{}", u32::from_be_bytes(octets(raw)?))),
            CellKind::Float4 => push_float(out, single(f32::from_be_bytes(octets(raw)?), &mut String::new())),
            CellKind::Float8 => push_float(out, f64::from_be_bytes(octets(raw)?)),
            CellKind::Numeric => {
                let start = out.len();
                if !push_numeric(out, raw)? {
                    out.insert(start, '"');
                    out.push('"');
                }
            }
            CellKind::Text => push_string(out, text(raw)?),
            CellKind::Bytes => {
                out.push_str("\"\\\\x");
                for octet in raw {
                    push(out, format_args!("{octet:02x}"));
                }
                out.push('"');
            }
            CellKind::Json => out.push_str(text(raw)?),
            CellKind::Jsonb => out.push_str(jsonb(raw)?),
            CellKind::Array(item) => push_array(out, item, raw)?,
            _ => {
                out.push('"');
                self.push_plain(out, raw)?;
                out.push('"');
            }
        }
        Ok(())
    }
}

fn octets<const N: usize>(raw: &[u8]) -> Result<[u8; N], Malformed> {
    raw.try_into().map_err(|_| Malformed)
}

fn text(raw: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(raw).map_err(|_| Malformed)
}

/// The text after the number of the format, of which there is only the first.
fn jsonb(raw: &[u8]) -> Result<&str, Malformed> {
    match raw.split_first() {
        Some((1, rest)) => text(rest),
        _ => Err(Malformed),
    }
}

fn push(out: &mut String, what: std::fmt::Arguments<'_>) {
    use std::fmt::Write as _;
    let _ = out.write_fmt(what); // Strings take everything.
}

fn float(value: f64) -> Cell<'static> {
    match odd(value) {
        Some(word) => Cell::Plain(word),
        None => Cell::Float(value + 0.0), // One zero, as everywhere.
    }
}

/// The name of a number that JSON has not.
fn odd(value: f64) -> Option<&'static str> {
    match value {
        _ if value.is_finite() => None,
        _ if value.is_nan() => Some("NaN"),
        _ if value > 0.0 => Some("Infinity"),
        _ => Some("-Infinity"),
    }
}

fn push_float(out: &mut String, value: f64) {
    match odd(value) {
        Some(word) => push(out, format_args!("\"{word}\"")),
        None => {
            push(out, format_args!("{:?}", value + 0.0));
            if out.ends_with(".0") {
                out.truncate(out.len() - 2);
            }
        }
    }
}

/// The double whose shortest digits are those of the single: 0.1 and not 0.10000000149011612.
fn single(value: f32, scratch: &mut String) -> f64 {
    if !value.is_finite() || value.fract() == 0.0 {
        return value.into();
    }
    scratch.clear();
    push(scratch, format_args!("{value:?}"));
    scratch.parse().unwrap_or(value.into())
}

/// Writes the exact digits; `false` if it was the name of something that is no number.
fn push_numeric(out: &mut String, raw: &[u8]) -> Result<bool, Malformed> {
    let (head, groups) = raw.split_at_checked(8).ok_or(Malformed)?;
    let head = |at: usize| [head[at], head[at + 1]];
    let (weight, scale) = (i32::from(i16::from_be_bytes(head(2))), usize::from(u16::from_be_bytes(head(6))));
    match u16::from_be_bytes(head(4)) {
        0x0000 => {}
        0x4000 => out.push('-'),
        0xC000 => {
            out.push_str("NaN");
            return Ok(false);
        }
        0xD000 => {
            out.push_str("Infinity");
            return Ok(false);
        }
        0xF000 => {
            out.push_str("-Infinity");
            return Ok(false);
        }
        _ => return Err(Malformed),
    }
    if groups.len() != 2 * usize::from(u16::from_be_bytes(head(0))) {
        return Err(Malformed);
    }
    // Groups of four digits; the one at `weight` stands before the point, those that are not sent are zero.
    let group = |at: i32| {
        let at = usize::try_from(at).ok().map(|at| at * 2);
        at.and_then(|at| groups.get(at..at + 2)).map_or(0, |pair| u16::from_be_bytes([pair[0], pair[1]]))
    };
    match weight {
        0.. => {
            push_first(out, group(0));
            for at in 1..=weight {
                push_group(out, group(at), 4);
            }
        }
        _ => out.push('0'),
    }
    if scale > 0 {
        out.push('.');
        let (mut at, mut left) = (weight + 1, scale);
        while left > 0 {
            push_group(out, group(at), left.min(4));
            left -= left.min(4);
            at += 1;
        }
    }
    Ok(true)
}

/// The first `count` of the four digits of a group.
fn push_group(out: &mut String, group: u16, count: usize) {
    let (first, last) = (PAIRS[usize::from(group / 100 % 100)], PAIRS[usize::from(group % 100)]);
    match count {
        4.. => {
            out.push_str(first);
            out.push_str(last);
        }
        3 => {
            out.push_str(first);
            out.push_str(&last[..1]);
        }
        2 => out.push_str(first),
        _ => out.push_str(&first[..count]),
    }
}

/// The digits of the first group, which has no zeros before it.
fn push_first(out: &mut String, group: u16) {
    let (first, last) = (PAIRS[usize::from(group / 100 % 100)], PAIRS[usize::from(group % 100)]);
    match group {
        1000.. => out.push_str(first),
        100.. => out.push_str(&first[1..]),
        10.. => {}
        _ => return out.push_str(&last[1..]),
    }
    out.push_str(last);
}

/// Dimensions of an array at most; PostgreSQL's own limit.
const DIMENSIONS_MAX: usize = 6;

fn push_array(out: &mut String, item: &CellKind, raw: &[u8]) -> Result<(), Malformed> {
    let mut rest = raw;
    let dimensions = usize::try_from(take_i32(&mut rest)?).map_err(|_| Malformed)?;
    if dimensions > DIMENSIONS_MAX {
        return Err(Malformed);
    }
    let _has_null = take_i32(&mut rest)?;
    let _item_oid = take_i32(&mut rest)?;
    let mut lengths = [0; DIMENSIONS_MAX];
    for length in lengths.iter_mut().take(dimensions) {
        *length = take_i32(&mut rest)?;
        let _from = take_i32(&mut rest)?;
    }
    if dimensions == 0 {
        out.push_str("[]");
    } else {
        push_dimension(out, item, &lengths[..dimensions], &mut rest)?;
    }
    if rest.is_empty() { Ok(()) } else { Err(Malformed) }
}

fn push_dimension(out: &mut String, item: &CellKind, lengths: &[i32], rest: &mut &[u8]) -> Result<(), Malformed> {
    let Some((length, inner)) = lengths.split_first() else { return Err(Malformed) };
    out.push('[');
    for at in 0..*length {
        if at > 0 {
            out.push(',');
        }
        if !inner.is_empty() {
            push_dimension(out, item, inner, rest)?;
            continue;
        }
        match usize::try_from(take_i32(rest)?) {
            Err(_) => out.push_str("null"), // -1
            Ok(octets) => {
                let (raw, after) = rest.split_at_checked(octets).ok_or(Malformed)?;
                *rest = after;
                item.push_json(out, raw)?;
            }
        }
    }
    out.push(']');
    Ok(())
}

fn take_i32(rest: &mut &[u8]) -> Result<i32, Malformed> {
    let (number, after) = rest.split_first_chunk().ok_or(Malformed)?;
    *rest = after;
    Ok(i32::from_be_bytes(*number))
}

/// Writes a JSON string.
fn push_string(out: &mut String, text: &str) {
    out.push('"');
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escaped = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            8 => "\\b",
            12 => "\\f",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[from..at]);
        from = at + 1;
        if escaped.is_empty() {
            push(out, format_args!("\\u{byte:04x}"));
        } else {
            out.push_str(escaped);
        }
    }
    out.push_str(&text[from..]);
    out.push('"');
}
