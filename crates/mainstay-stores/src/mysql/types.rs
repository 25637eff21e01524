//! Values on their way to the server, in the driver's own form. What each type is kept as is in
//! `docs/decisions/0033-mysql-driver.md`.

use std::fmt;

use mainstay_query::evaluate::to_json;
use mainstay_schema::Value;
use mysql_async::Value as Native;

/// A parameter of a statement.
#[derive(Clone)]
pub enum Param<'p> {
    /// A value of the plan.
    Value(&'p Value),
    /// A number of ours, such as a limit.
    Int(i64),
    /// Text.
    Text(&'p str),
    /// Octets.
    Bytes(&'p [u8]),
    /// What an earlier answer gave.
    Native(&'p Native),
}

/// What is in a parameter is nobody's business but the server's.
impl fmt::Debug for Param<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl Param<'_> {
    /// In the driver's own form.
    pub(super) fn native(&self) -> Native {
        match self {
            Param::Value(value) => native(value),
            Param::Int(number) => Native::Int(*number),
            Param::Text(text) => Native::Bytes(text.as_bytes().to_vec()),
            Param::Bytes(octets) => Native::Bytes(octets.to_vec()),
            Param::Native(value) => (*value).clone(),
        }
    }
}

/// A value as the server keeps it: documents and arrays as canonical JSON, instants without their offset, since all are
/// in UTC.
pub(super) fn native(value: &Value) -> Native {
    match value {
        Value::Null => Native::NULL,
        Value::Bool(value) => Native::Int(i64::from(*value)),
        Value::Int(value) => Native::Int(*value),
        Value::Float(value) => Native::Double(*value),
        Value::Decimal(value) => Native::Bytes(value.as_str().as_bytes().to_vec()),
        Value::Text(value) => Native::Bytes(value.as_bytes().to_vec()),
        Value::Date(value) | Value::Time(value) | Value::Timestamp(value) => moment(value),
        Value::Uuid(value) => Native::Bytes(value.as_bytes().to_vec()),
        Value::Bytes(value) => Native::Bytes(value.clone()),
        Value::Json(value) => Native::Bytes(value.as_str().as_bytes().to_vec()),
        Value::Array(_) => to_json(value).map_or(Native::NULL, |json| Native::Bytes(json.as_str().as_bytes().to_vec())),
    }
}

/// Whether one of these has more octets than that.
pub(super) fn is_larger(values: &[Native], most: usize) -> bool {
    values.iter().any(|value| matches!(value, Native::Bytes(octets) if octets.len() > most))
}

/// A canonical date, time or timestamp. As numbers and not as text: a text that is compared with a column may be
/// compared as text.
fn moment(text: &str) -> Native {
    let mut numbers = text.split(['-', 'T', ':', '+', '.']).map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    let fraction = |text: &str| -> u32 {
        let Some((_, rest)) = text.split_once('.') else { return 0 };
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        format!("{digits:0<6}").parse().unwrap_or(0)
    };
    let is_date = text.as_bytes().get(4) == Some(&b'-');
    if !is_date {
        // A `time` of another program may be before zero and beyond a day.
        let is_negative = text.starts_with('-');
        let _ = is_negative.then(&mut next);
        let (hours, minutes, seconds) = (next(), next(), next());
        return Native::Time(is_negative, hours / 24, (hours % 24) as u8, minutes as u8, seconds as u8, fraction(text));
    }
    let (year, month, day) = (next() as u16, next() as u8, next() as u8);
    let (hours, minutes, seconds) = if text.contains('T') { (next(), next(), next()) } else { (0, 0, 0) };
    Native::Date(year, month, day, hours as u8, minutes as u8, seconds as u8, fraction(text))
}

#[cfg(test)]
mod tests {
    use mainstay_schema::Type;

    use super::*;

    #[test]
    fn moments_go_as_numbers() {
        for (ty, text, expected) in [
            (Type::Date, "0001-01-01", Native::Date(1, 1, 1, 0, 0, 0, 0)),
            (Type::Time, "09:59:59.999999", Native::Time(false, 0, 9, 59, 59, 999_999)),
            (Type::Time, "10:00", Native::Time(false, 0, 10, 0, 0, 0)),
            (Type::Timestamp, "2026-11-23T10:00:00.1Z", Native::Date(2026, 11, 23, 10, 0, 0, 100_000)),
            (Type::Timestamp, "9999-12-31T23:59:59+00:00", Native::Date(9999, 12, 31, 23, 59, 59, 0)),
        ] {
            assert_eq!(native(&Value::parse(&ty, text).expect(text)), expected, "{text}");
        }
    }

    #[test]
    fn times_beyond_a_day_go_as_what_they_are() {
        for (text, expected) in [
            ("-100:00:00", Native::Time(true, 4, 4, 0, 0, 0)),
            ("-00:00:00.5", Native::Time(true, 0, 0, 0, 0, 500_000)),
            ("838:59:59", Native::Time(false, 34, 22, 59, 59, 0)),
        ] {
            assert_eq!(native(&Value::Time(text.to_owned())), expected, "{text}");
        }
    }

    #[test]
    fn nothing_of_a_parameter_is_printed() {
        assert_eq!(format!("{:?}", Param::Text("secret")), "[hidden]");
    }
}
