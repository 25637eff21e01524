//! Conversion of values between types.

use mainstay_schema::value::{Decimal, float_text};
use mainstay_schema::{Type, Value, ValueError};

use super::to_json;

/// Converts a value, as PostgreSQL's `::` does: null stays null; numbers round to what the target keeps, exact ones
/// half away from zero, floats half to even; a timestamp gives its date and its time; a JSON scalar converts like the
/// value that it stands for; anything may become `text` or `json`, and whatever else is converted by its text.
///
/// # Errors
/// [`ValueError`] if the value is none of `ty`, or not one that `ty` can hold.
pub fn cast(value: &Value, ty: &Type) -> Result<Value, ValueError> {
    match (value, ty) {
        (Value::Null, _) => Ok(Value::Null),
        (Value::Text(text), _) => Value::parse(ty, text),
        (_, Type::Json) => Ok(to_json(value).map_or(Value::Null, Value::Json)),
        (_, Type::Text) => Ok(value.to_text().map_or(Value::Null, Value::Text)),
        (Value::Json(json), Type::Int | Type::BigInt | Type::Float | Type::Decimal { .. }) => {
            match Decimal::parse(json.as_str()) {
                Ok(number) => cast(&Value::Decimal(number), ty),
                Err(_) => Value::parse_json(ty, json.as_str()),
            }
        }
        (Value::Json(json), _) => Value::parse_json(ty, json.as_str()),
        (Value::Bool(value), Type::Int | Type::BigInt) => Ok(Value::Int(i64::from(*value))),
        (Value::Int(value), Type::Bool) => Ok(Value::Bool(*value != 0)),
        (Value::Float(value), Type::Int | Type::BigInt) => whole_float(*value, ty),
        (Value::Decimal(value), Type::Int | Type::BigInt) => Value::parse(ty, &round(value.as_str(), 0)),
        (Value::Decimal(value), Type::Decimal { scale, .. }) => Value::parse(ty, &round(value.as_str(), *scale)),
        (Value::Float(value), Type::Decimal { scale, .. }) => {
            let digits = Decimal::parse(&float_text(*value))?;
            Value::parse(ty, &round(digits.as_str(), *scale))
        }
        (Value::Timestamp(text), Type::Date) => Ok(Value::Date(text[..10].to_owned())),
        (Value::Timestamp(text), Type::Time) => Ok(Value::Time(text[11..text.len() - "+00:00".len()].to_owned())),
        _ => Value::parse(ty, &value.to_text().unwrap_or_default()),
    }
}

fn whole_float(value: f64, ty: &Type) -> Result<Value, ValueError> {
    let whole = value.round_ties_even();
    // Both bounds are exact doubles; the upper one is the first that does not fit.
    if (-(2f64.powi(63))..2f64.powi(63)).contains(&whole) {
        Value::parse(ty, &(whole as i64).to_string())
    } else {
        Err(ValueError::OutOfRange { ty: ty.wire_name(), text: float_text(value) })
    }
}

/// Rounds canonical decimal digits to `scale` digits after the point, half away from zero.
fn round(digits: &str, scale: u8) -> String {
    let scale = usize::from(scale);
    let (sign, body) = digits.strip_prefix('-').map_or(("", digits), |body| ("-", body));
    let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
    let Some(next) = fraction.as_bytes().get(scale) else { return digits.to_owned() };
    let mut kept: Vec<u8> = [whole.as_bytes(), &fraction.as_bytes()[..scale]].concat();
    if *next >= b'5' {
        let nines = kept.iter().rev().take_while(|digit| **digit == b'9').count();
        let start = kept.len() - nines;
        kept[start..].fill(b'0');
        match start.checked_sub(1) {
            Some(at) => kept[at] += 1,
            None => kept.insert(0, b'1'),
        }
    }
    let point = kept.len() - scale;
    let text: String = kept.into_iter().map(char::from).collect();
    format!("{sign}{}.{}", &text[..point], &text[point..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from: &Type, text: &str, to: &Type, expected: Option<&str>) {
        let value = Value::parse(from, text).unwrap();
        let result = cast(&value, to).ok().and_then(|value| value.to_text());
        assert_eq!(result.as_deref(), expected, "{text}: {from} to {to}");
    }

    #[test]
    fn numbers() {
        let decimal = |precision, scale| Type::Decimal { precision, scale };
        for (from, text, to, expected) in [
            (Type::Float, "2.5", Type::Int, Some("2")),
            (Type::Float, "3.5", Type::Int, Some("4")),
            (Type::Float, "1e20", Type::BigInt, None),
            (Type::Float, "3e9", Type::Int, None),
            (Type::Float, "-9223372036854775808", Type::BigInt, Some("-9223372036854775808")),
            (Type::Float, "0.125", decimal(5, 2), Some("0.13")),
            (decimal(5, 2), "2.50", Type::Int, Some("3")),
            (decimal(5, 2), "-2.50", Type::Int, Some("-3")),
            (decimal(5, 2), "999.99", decimal(5, 1), Some("1000.0")),
            (decimal(5, 2), "999.99", decimal(4, 1), None),
            (decimal(5, 2), "9.99", decimal(5, 3), Some("9.990")),
            (decimal(5, 2), "-0.01", decimal(5, 1), Some("0.0")),
            (decimal(5, 2), "1.10", Type::Float, Some("1.1")),
            (Type::BigInt, "2147483648", Type::Int, None),
            (Type::Int, "7", decimal(5, 2), Some("7.00")),
            (Type::Int, "0", Type::Bool, Some("false")),
            (Type::Bool, "true", Type::Int, Some("1")),
            (Type::Text, "12", Type::Int, Some("12")),
            (Type::Text, "x", Type::Int, None),
        ] {
            check(&from, text, &to, expected);
        }
    }

    #[test]
    fn times_json_and_text() {
        let array = |item| Type::Array(Box::new(item));
        for (from, text, to, expected) in [
            (Type::Timestamp, "2026-11-23T10:00:00.5Z", Type::Date, Some("2026-11-23")),
            (Type::Timestamp, "2026-11-23T10:00:00.5Z", Type::Time, Some("10:00:00.5")),
            (Type::Date, "2026-11-23", Type::Timestamp, Some("2026-11-23T00:00:00+00:00")),
            (Type::Time, "10:00", Type::Date, None),
            (Type::Json, "1.5", Type::Int, Some("2")),
            (Type::Json, "\"5\"", Type::Int, Some("5")),
            (Type::Json, "{}", Type::Int, None),
            (Type::Json, "null", Type::Int, None),
            (Type::Json, "true", Type::Bool, Some("true")),
            (Type::Json, "\"a\"", Type::Text, Some("\"a\"")),
            (Type::Json, "[1,2]", array(Type::Int), Some("{\"1\",\"2\"}")),
            (Type::Text, "[1]", Type::Json, Some("[1]")),
            (Type::Text, "[1", Type::Json, None),
            (Type::Int, "5", Type::Json, Some("5")),
            (Type::Date, "2026-11-23", Type::Json, Some("\"2026-11-23\"")),
            (array(Type::Text), "{1,2}", array(Type::Int), Some("{\"1\",\"2\"}")),
            (Type::Bool, "t", Type::Text, Some("true")),
        ] {
            check(&from, text, &to, expected);
        }
        assert_eq!(cast(&Value::Null, &Type::Int), Ok(Value::Null));
        assert_eq!(cast(&Value::parse(&Type::Json, "null").unwrap(), &Type::Int), Ok(Value::Null));
    }
}
