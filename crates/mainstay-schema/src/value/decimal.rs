//! Exact decimal numbers kept as their digits.

use std::cmp::Ordering;

use super::DECIMAL_DIGITS_MAX;
use crate::error::ValueError;

/// An exact decimal number as canonical text: no leading zeros, no `+`, no exponent, never `-0`.
///
/// Trailing zeros are kept, because the scale of a column shows in what it prints; equality is therefore equality of
/// text, which for two values of one column is equality of numbers. [`Ord`] compares the numbers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Decimal(String);

impl Decimal {
    /// Reads `[+-]digits[.digits][e[+-]digits]`, any number of digits up to a bound, without rounding.
    ///
    /// # Errors
    /// [`ValueError::Syntax`] if it is no number; [`ValueError::OutOfRange`] if it has more digits than are taken.
    pub fn parse(text: &str) -> Result<Decimal, ValueError> {
        let syntax = || ValueError::Syntax { ty: "numeric", text: text.chars().take(200).collect() };
        let too_long = || ValueError::OutOfRange { ty: "numeric", text: text.chars().take(200).collect() };
        let body = text.trim();
        let (negative, body) = match body.as_bytes().first() {
            Some(b'-') => (true, &body[1..]),
            Some(b'+') => (false, &body[1..]),
            _ => (false, body),
        };
        let (mantissa, exponent) = match body.find(['e', 'E']) {
            Some(at) => {
                let digits = &body[at + 1..];
                let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(digits);
                if unsigned.is_empty() || !unsigned.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(syntax());
                }
                (&body[..at], digits.parse::<i32>().map_err(|_| too_long())?)
            }
            None => (body, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !is_digits(whole) || !is_digits(fraction) {
            return Err(syntax());
        }
        if whole.len() + fraction.len() > DECIMAL_DIGITS_MAX || exponent.unsigned_abs() as usize > DECIMAL_DIGITS_MAX {
            return Err(too_long());
        }
        let digits: String = [whole, fraction].concat();
        let point = whole.len() as i32 + exponent;
        let (whole, fraction) = if point <= 0 {
            (String::new(), "0".repeat(point.unsigned_abs() as usize) + &digits)
        } else if point as usize >= digits.len() {
            (digits.clone() + &"0".repeat(point as usize - digits.len()), String::new())
        } else {
            (digits[..point as usize].to_owned(), digits[point as usize..].to_owned())
        };
        Ok(Decimal::from_parts(negative, &whole, &fraction))
    }

    /// Fits the number to a column: pads or cuts zeros until it has `scale` digits after the point.
    ///
    /// # Errors
    /// [`ValueError::OutOfRange`] if a digit other than zero would be cut, or more than `precision` digits remain:
    /// an exact type never rounds silently.
    pub fn fit(&self, precision: u8, scale: u8) -> Result<Decimal, ValueError> {
        let out_of_range = || ValueError::OutOfRange { ty: "numeric", text: self.0.clone() };
        let (negative, whole, fraction) = self.parts();
        let scale = usize::from(scale);
        let (kept, cut) = fraction.split_at(fraction.len().min(scale));
        let whole_digits = if whole == "0" { 0 } else { whole.len() };
        if cut.bytes().any(|b| b != b'0') || whole_digits + scale > usize::from(precision) {
            return Err(out_of_range());
        }
        let padded = kept.to_owned() + &"0".repeat(scale - kept.len());
        Ok(Decimal::from_parts(negative, whole, &padded))
    }

    /// The exact sum, with as many digits after the point as the longer of the two has.
    ///
    /// # Errors
    /// [`ValueError::OutOfRange`] if its digits, point left out, are more than 128 bits hold; no column holds as many.
    pub fn plus(&self, other: &Decimal) -> Result<Decimal, ValueError> {
        let scale = self.parts().2.len().max(other.parts().2.len());
        let scaled = |number: &Decimal| -> Option<i128> {
            let (negative, whole, fraction) = number.parts();
            let digits = format!("{whole}{fraction}{}", "0".repeat(scale - fraction.len()));
            let value: i128 = digits.parse().ok()?;
            Some(if negative { -value } else { value })
        };
        let sum = scaled(self).zip(scaled(other)).and_then(|(a, b)| a.checked_add(b));
        let sum =
            sum.ok_or_else(|| ValueError::OutOfRange { ty: "numeric", text: format!("{} + {}", self.0, other.0) })?;
        let digits = format!("{:0>width$}", sum.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        Ok(Decimal::from_parts(sum < 0, whole, fraction))
    }

    /// The canonical digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parts(&self) -> (bool, &str, &str) {
        let (negative, body) = match self.0.strip_prefix('-') {
            Some(body) => (true, body),
            None => (false, self.0.as_str()),
        };
        let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
        (negative, whole, fraction)
    }

    fn from_parts(negative: bool, whole: &str, fraction: &str) -> Decimal {
        let whole = whole.trim_start_matches('0');
        let zero = whole.is_empty() && fraction.bytes().all(|b| b == b'0');
        let sign = if negative && !zero { "-" } else { "" };
        let whole = if whole.is_empty() { "0" } else { whole };
        Decimal(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        let (a_negative, a_whole, a_fraction) = self.parts();
        let (b_negative, b_whole, b_fraction) = other.parts();
        let magnitude = || {
            let width = a_fraction.len().max(b_fraction.len());
            let digit = |text: &str, at: usize| text.as_bytes().get(at).copied().unwrap_or(b'0');
            a_whole.len().cmp(&b_whole.len()).then_with(|| a_whole.cmp(b_whole)).then_with(|| {
                (0..width)
                    .map(|at| digit(a_fraction, at).cmp(&digit(b_fraction, at)))
                    .find(|order| order.is_ne())
                    .unwrap_or(Ordering::Equal)
            })
        };
        match (a_negative, b_negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => magnitude(),
            (true, true) => magnitude().reverse(),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Decimal {
        Decimal::parse(text).expect(text)
    }

    #[test]
    fn canonical_text() {
        for (text, expected) in [
            ("1", "1"),
            ("+001.50", "1.50"),
            ("-0.00", "0.00"),
            (".5", "0.5"),
            ("5.", "5"),
            ("12e3", "12000"),
            ("12e-3", "0.012"),
            ("1.25E1", "12.5"),
            ("-12.5e-1", "-1.25"),
        ] {
            assert_eq!(read(text).as_str(), expected, "{text}");
        }
        for text in ["", "-", ".", "1e", "1e+-3", "0x1", "1 2", "NaN", "1.2.3", "--1"] {
            assert!(matches!(Decimal::parse(text), Err(ValueError::Syntax { .. })), "{text}");
        }
        for text in ["1e400", "1e99999999999", &"9".repeat(5000)] {
            assert!(matches!(Decimal::parse(text), Err(ValueError::OutOfRange { .. })), "{text}");
        }
    }

    #[test]
    fn fitting_never_rounds() {
        assert_eq!(read("1.5").fit(12, 2).map(|d| d.0), Ok("1.50".into()));
        assert_eq!(read("1.500").fit(12, 2).map(|d| d.0), Ok("1.50".into()));
        assert!(read("1.505").fit(12, 2).is_err());
        assert!(read("100").fit(4, 2).is_err());
        assert_eq!(read("0.99").fit(2, 2).map(|d| d.0), Ok("0.99".into()));
    }

    #[test]
    fn sums_are_exact() {
        for (a, b, expected) in [
            ("0.10", "0.2", "0.30"),
            ("-1.50", "1.5", "0.00"),
            ("-0.05", "0.01", "-0.04"),
            ("99", "0.99", "99.99"),
            ("12345678901234567890123456789012345678", "1", "12345678901234567890123456789012345679"),
        ] {
            assert_eq!(read(a).plus(&read(b)), Ok(read(expected)), "{a} + {b}");
            assert_eq!(read(b).plus(&read(a)), Ok(read(expected)), "{b} + {a}");
        }
        assert!(read(&"9".repeat(50)).plus(&read("1")).is_err());
        assert!(read(&i128::MAX.to_string()).plus(&read("1")).is_err());
    }

    #[test]
    fn order_is_numeric() {
        let sorted = ["-10", "-9.5", "-1", "0", "0.05", "0.5", "9", "10", "10.01"];
        for pair in sorted.windows(2) {
            assert!(read(pair[0]) < read(pair[1]), "{pair:?}");
        }
        assert_eq!(read("1.50").cmp(&read("1.5")), Ordering::Equal);
    }
}
