//! Decimal128 as digits. The driver's own way goes bit by bit, and by exponents that have to be read again.

use std::fmt::Write as _;

use mainstay_schema::value::Decimal;
use mongodb::bson::Decimal128;

/// Digits after the point of the smallest number, as the format has it.
const BIAS: i32 = 6176;
/// Digits that the format keeps: so many after the point are written as they are.
const DIGITS_MAX: i32 = 34;

/// Writes the number as digits with as many after the point as it has; `None` if it is none, or one whose digits another
/// form says in less.
pub(super) fn write(number: Decimal128, text: &mut String) -> Option<()> {
    let bits = u128::from_le_bytes(number.bytes());
    let (is_negative, exponent) = (bits >> 127 == 1, ((bits >> 113) & 0x3fff) as i32 - BIAS);
    // Two ones at the beginning are for what is no number, and for coefficients that nothing has.
    if (bits >> 125) & 0b11 == 0b11 || !(-DIGITS_MAX..=0).contains(&exponent) {
        return by_driver(number, text);
    }
    let coefficient = bits & ((1 << 113) - 1);
    if is_negative && coefficient != 0 {
        text.push('-');
    }
    let start = text.len();
    let places = exponent.unsigned_abs() as usize;
    // At least one digit before the point.
    write!(text, "{coefficient:0width$}", width = places + 1).ok()?;
    if places > 0 {
        let point = text.len() - places;
        debug_assert!(point > start, "a digit stands before the point");
        text.insert(point, '.');
    }
    Some(())
}

fn by_driver(number: Decimal128, text: &mut String) -> Option<()> {
    text.push_str(Decimal::parse(&number.to_string()).ok()?.as_str());
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_that_the_driver_gives() {
        for number in [
            "0",
            "-0",
            "1",
            "-1",
            "1.50",
            "-0.05",
            "0.00",
            "12345678901234567890123456789012.34",
            "9999999999999999999999999999999999",
            "0.0000000000000000000000000000000001",
            "1E+3",
            "-5E+10",
            "1E-40",
            "100",
        ] {
            let number: Decimal128 = number.parse().unwrap();
            let mut text = String::new();
            write(number, &mut text).unwrap();
            assert_eq!(text, Decimal::parse(&number.to_string()).unwrap().as_str());
        }
        for none in ["NaN", "Infinity", "-Infinity"] {
            assert_eq!(write(none.parse().unwrap(), &mut String::new()), None, "{none}");
        }
    }
}
