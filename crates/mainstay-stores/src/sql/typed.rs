//! What the SQL of a function gives, as values of the types that its head declares.
//!
//! Servers have more types than we do, and a sum or a mean is of none that a table has. Here a cell becomes a value that
//! is canonical, or is refused.

use std::fmt::Write as _;

use mainstay_schema::load::{Refused, Statement};
use mainstay_schema::value::{Json, bytes_text, float_text};
use mainstay_schema::{Function, Type, Value, ValueError};
use mainstay_store::{Cell, StoreError};

/// Most values, rows times columns, that a function whose statement is run by itself may give back: they are kept until
/// it is over.
pub(crate) const VALUES_MAX: usize = 30_000;

/// That a function gave more than [`VALUES_MAX`] values.
pub(crate) fn too_many(function: &Function) -> StoreError {
    let what = format!("the function \"{}\" gives back more than {VALUES_MAX} values", function.name);
    StoreError::Unsupported { what }
}

/// That what a function gave is not what was said of it.
pub(crate) fn strange(function: &Function, message: String) -> StoreError {
    StoreError::Function { function: function.name.clone(), message }
}

/// Why a statement is refused that names what Mainstay keeps for itself.
pub(crate) fn own_tables(statement: &Statement) -> Option<Refused> {
    let at = statement.text.to_ascii_lowercase().find("_mainstay")?;
    let problem = "a function must not touch what Mainstay keeps for itself".to_owned();
    let remedy = "read and change rows of the project's tables only".to_owned();
    Some(Refused { problem, remedy, at: Some(at) })
}

/// Writes a cell as JSON.
pub(crate) fn put_json(out: &mut String, cell: Cell<'_>) {
    match cell {
        Cell::Null => out.push_str("null"),
        Cell::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Cell::Int(number) => {
            let _ = write!(out, "{number}");
        }
        Cell::Float(number) => out.push_str(&float_text(number)),
        Cell::Digits(text) | Cell::Json(text) => out.push_str(text),
        Cell::Text(text) | Cell::Plain(text) => out.push_str(Json::string(text).as_str()),
        Cell::Bytes(octets) => out.push_str(Json::string(&bytes_text(octets)).as_str()),
    }
}

/// The value of type `ty` that a cell stands for. A number is rounded to the digits of a decimal.
///
/// # Errors
/// [`ValueError`] if it stands for none.
pub(crate) fn typed(cell: Cell<'_>, ty: &Type) -> Result<Value, ValueError> {
    match (cell, ty) {
        (Cell::Null, _) => Ok(Value::Null),
        (Cell::Bool(value), Type::Bool) => Ok(Value::Bool(value)),
        (Cell::Bool(value), _) => Value::parse(ty, if value { "true" } else { "false" }),
        (Cell::Int(number), Type::Bool) => Ok(Value::Bool(number != 0)),
        (Cell::Int(number), Type::Bytes) => Err(refused(ty, number.to_string())),
        (Cell::Int(number), _) => Value::parse(ty, &number.to_string()),
        (Cell::Float(number), Type::Decimal { scale, .. }) if number.is_finite() => {
            Value::parse(ty, &format!("{number:.scale$}", scale = usize::from(*scale)))
        }
        (Cell::Float(number), Type::Int | Type::BigInt) if number.fract() == 0.0 => {
            Value::parse(ty, &format!("{number:.0}"))
        }
        (Cell::Float(number), Type::Float | Type::Text | Type::Json) if number.is_finite() => {
            Value::parse(ty, &float_text(number))
        }
        (Cell::Float(number), _) => Err(refused(ty, float_text(number))),
        (Cell::Digits(digits), Type::Decimal { scale, .. }) => Value::parse(ty, &rounded(digits, usize::from(*scale))),
        (Cell::Digits(digits), Type::Int | Type::BigInt) => Value::parse(ty, whole(digits)),
        (Cell::Digits(digits), _) => Value::parse(ty, digits),
        (Cell::Bytes(octets), Type::Bytes) => Ok(Value::Bytes(octets.to_vec())),
        (Cell::Bytes(octets), _) => Err(refused(ty, format!("{} octets", octets.len()))),
        (Cell::Json(text), Type::Array(_)) => Value::parse_json(ty, text),
        (Cell::Text(text) | Cell::Plain(text), Type::Array(_)) if text.trim_start().starts_with('[') => {
            Value::parse_json(ty, text)
        }
        // An instant of the servers' types without a zone is one in UTC, as all sessions are.
        (Cell::Plain(text), Type::Timestamp) => {
            Value::parse(ty, text).or_else(|error| Value::parse(ty, &format!("{text}+00:00")).map_err(|_| error))
        }
        (Cell::Text(text) | Cell::Plain(text) | Cell::Json(text), _) => Value::parse(ty, text),
    }
}

fn refused(ty: &Type, text: String) -> ValueError {
    ValueError::Syntax { ty: ty.wire_name(), text }
}

/// Digits without a fraction of zeros.
fn whole(digits: &str) -> &str {
    match digits.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole,
        _ => digits,
    }
}

/// Digits with so many after the point at most, halves away from zero.
fn rounded(digits: &str, scale: usize) -> String {
    let Some((whole, fraction)) = digits.split_once('.').filter(|(_, fraction)| fraction.len() > scale) else {
        return digits.to_owned();
    };
    let goes_up = fraction.as_bytes()[scale] >= b'5';
    let mut kept: Vec<u8> = whole.bytes().chain(fraction.bytes().take(scale)).collect();
    if goes_up {
        // From the last digit on, nines become zeros and the next digit grows; what is left over is a digit in front.
        let grows = kept.iter().rposition(|digit| digit.is_ascii_digit() && *digit != b'9');
        let from = grows.unwrap_or(usize::from(kept.first() == Some(&b'-')));
        for digit in &mut kept[from..] {
            *digit = if *digit == b'9' { b'0' } else { *digit };
        }
        match grows {
            Some(at) => kept[at] += 1,
            None => kept.insert(from, b'1'),
        }
    }
    let point = kept.len() - scale;
    let (whole, fraction) = kept.split_at(point);
    let text = |part: &[u8]| String::from_utf8_lossy(part).into_owned();
    if scale == 0 { text(whole) } else { format!("{}.{}", text(whole), text(fraction)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_rounded() {
        for (digits, scale, expected) in [
            ("1.25", 2, "1.25"),
            ("1.254", 2, "1.25"),
            ("1.255", 2, "1.26"),
            ("-1.255", 2, "-1.26"),
            ("9.996", 2, "10.00"),
            ("-9.996", 2, "-10.00"),
            ("0.05", 1, "0.1"),
            ("99.5", 0, "100"),
            ("19.5", 0, "20"),
            ("12", 2, "12"),
        ] {
            assert_eq!(rounded(digits, scale), expected, "{digits} {scale}");
        }
    }

    #[test]
    fn what_is_given_becomes_canonical_or_is_refused() {
        let decimal = Type::Decimal { precision: 5, scale: 2 };
        let list = Type::Array(Box::new(Type::Int));
        for (ty, cell, expected) in [
            (&Type::Bool, Cell::Int(2), Some("true")),
            (&Type::Int, Cell::Digits("3.000"), Some("3")),
            (&Type::Int, Cell::Digits("3.5"), None),
            (&Type::Int, Cell::Int(1 << 40), None),
            (&Type::BigInt, Cell::Float(1e300), None),
            (&decimal, Cell::Digits("5.555"), Some("5.56")),
            (&decimal, Cell::Digits("1000"), None),
            (&decimal, Cell::Float(0.1 + 0.2), Some("0.30")),
            (&Type::Text, Cell::Int(7), Some("7")),
            (&Type::Json, Cell::Text("{\"a\": 1}"), Some("{\"a\": 1}")),
            (&Type::Json, Cell::Text("{a"), None),
            (&Type::Timestamp, Cell::Plain("2026-11-23T10:00:00"), Some("2026-11-23T10:00:00+00:00")),
            (&Type::Date, Cell::Text("yesterday"), None),
            (&list, Cell::Json("[1,2]"), Some("{\"1\",\"2\"}")),
            (&Type::Bytes, Cell::Bytes(b"\0"), Some("\\x00")),
            (&Type::Text, Cell::Bytes(b"a"), None),
        ] {
            let found = typed(cell, ty).ok().and_then(|value| value.to_text());
            match (ty, expected) {
                // The form of a document is for others to test.
                (Type::Json, Some(_)) => assert!(found.is_some(), "{cell:?}"),
                _ => assert_eq!(found.as_deref(), expected, "{ty} {cell:?}"),
            }
        }
    }
}
