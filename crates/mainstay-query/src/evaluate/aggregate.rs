//! One value from many: what aggregates mean.
//!
//! Whole and decimal numbers are added as whole numbers of their last digit, so nothing is ever rounded but a mean, and
//! that as PostgreSQL rounds it.

use std::cmp::Ordering;

use mainstay_schema::value::Decimal;
use mainstay_schema::{Type, Value, ValueError};

use crate::plan::Function;

/// Takes the values of a group one after the other and makes one of them. Null is left out.
#[derive(Debug, Clone)]
pub struct Accumulator(State);

#[derive(Debug, Clone)]
enum State {
    Count(i64),
    Best { best: Value, wanted: Ordering },
    Exact { sum: Scaled, count: u64, result: Exact },
    Float { sum: f64, lost: f64, count: u64, mean: bool },
}

/// What becomes of an exact sum.
#[derive(Debug, Clone, Copy)]
enum Exact {
    BigInt,
    Numeric,
    Mean,
}

impl Accumulator {
    /// Begins with no values. `input` is the type of those to come; a function that has no result for it counts.
    pub fn new(function: Function, input: &Type) -> Accumulator {
        let exact = |result| State::Exact { sum: Scaled::default(), count: 0, result };
        let float = |mean| State::Float { sum: 0.0, lost: 0.0, count: 0, mean };
        Accumulator(match (function, input) {
            (Function::Min, _) => State::Best { best: Value::Null, wanted: Ordering::Less },
            (Function::Max, _) => State::Best { best: Value::Null, wanted: Ordering::Greater },
            (Function::Sum, Type::Float) => float(false),
            (Function::Avg, Type::Float) => float(true),
            (Function::Sum, Type::Int) => exact(Exact::BigInt),
            (Function::Sum, Type::BigInt | Type::Decimal { .. }) => exact(Exact::Numeric),
            (Function::Avg, Type::Int | Type::BigInt | Type::Decimal { .. }) => exact(Exact::Mean),
            (Function::Count | Function::Sum | Function::Avg, _) => State::Count(0),
        })
    }

    /// Takes one more value.
    ///
    /// # Errors
    /// [`ValueError::OutOfRange`] if an exact sum gets more digits than are kept, some 38.
    pub fn add(&mut self, value: &Value) -> Result<(), ValueError> {
        if value.is_null() {
            return Ok(());
        }
        match &mut self.0 {
            State::Count(count) => *count += 1,
            State::Best { best, wanted } => {
                if best.is_null() || value.compare(best) == Some(*wanted) {
                    *best = value.clone();
                }
            }
            State::Exact { sum, count, .. } => {
                match value {
                    Value::Int(value) => sum.add(i128::from(*value), 0)?,
                    Value::Decimal(value) => sum.add_digits(value.as_str())?,
                    // What another program left there and is no number is not counted, either.
                    _ => return Ok(()),
                }
                *count += 1;
            }
            State::Float { sum, lost, count, .. } => {
                if let Value::Float(value) = value {
                    // What a sum of floats loses to rounding is kept apart and added in the end (Neumaier 1974).
                    let total = *sum + value;
                    *lost += if sum.abs() >= value.abs() { (*sum - total) + value } else { (value - total) + *sum };
                    *sum = total;
                    *count += 1;
                }
            }
        }
        Ok(())
    }

    /// Counts a row that has no value of its own.
    pub fn add_row(&mut self) {
        if let State::Count(count) = &mut self.0 {
            *count += 1;
        }
    }

    /// The result.
    ///
    /// # Errors
    /// [`ValueError::OutOfRange`] if its type cannot hold it.
    pub fn finish(self) -> Result<Value, ValueError> {
        match self.0 {
            State::Count(count) => Ok(Value::Int(count)),
            State::Best { best, .. } => Ok(best),
            State::Exact { count: 0, .. } | State::Float { count: 0, .. } => Ok(Value::Null),
            State::Exact { sum, count, result } => match result {
                Exact::BigInt => i64::try_from(sum.digits).map(Value::Int).map_err(|_| out_of_range("bigint")),
                Exact::Numeric => Decimal::parse(&text(sum.digits, sum.scale)).map(Value::Decimal),
                Exact::Mean => Decimal::parse(&sum.mean(count)).map(Value::Decimal),
            },
            State::Float { sum, lost, count, mean } => {
                // An overflow leaves no difference to add.
                let sum = if lost.is_finite() { sum + lost } else { sum };
                let result = if mean { sum / count as f64 } else { sum };
                if result.is_finite() { Ok(Value::Float(result)) } else { Err(out_of_range("double precision")) }
            }
        }
    }
}

/// The mean of `count` values whose sum has these digits, as [`Function::Avg`] gives it: for stores whose own division
/// has another number of digits.
///
/// # Errors
/// [`ValueError::OutOfRange`] if the sum has more digits than are kept.
pub fn mean(sum: &str, count: u64) -> Result<Value, ValueError> {
    let mut scaled = Scaled::default();
    scaled.add_digits(sum)?;
    Accumulator(State::Exact { sum: scaled, count, result: Exact::Mean }).finish()
}

fn out_of_range(ty: &'static str) -> ValueError {
    ValueError::OutOfRange { ty, text: "the result of an aggregate".to_owned() }
}

/// `digits` · 10^-`scale`.
#[derive(Debug, Clone, Copy, Default)]
struct Scaled {
    digits: i128,
    scale: u32,
}

impl Scaled {
    fn add(&mut self, digits: i128, scale: u32) -> Result<(), ValueError> {
        let too_large = || out_of_range("numeric");
        let widen = |digits: i128, by: u32| 10i128.checked_pow(by).and_then(|power| digits.checked_mul(power));
        let (own, other) = match scale.cmp(&self.scale) {
            Ordering::Equal => (Some(self.digits), Some(digits)),
            Ordering::Less => (Some(self.digits), widen(digits, self.scale - scale)),
            Ordering::Greater => (widen(self.digits, scale - self.scale), Some(digits)),
        };
        let sum = own.zip(other).and_then(|(own, other)| own.checked_add(other));
        *self = Scaled { digits: sum.ok_or_else(too_large)?, scale: self.scale.max(scale) };
        Ok(())
    }

    /// Adds canonical decimal digits.
    fn add_digits(&mut self, text: &str) -> Result<(), ValueError> {
        let (negative, body) = text.strip_prefix('-').map_or((false, text), |body| (true, body));
        let mut digits: i128 = 0;
        let mut scale = None;
        for byte in body.bytes() {
            if byte == b'.' {
                scale = Some(0);
                continue;
            }
            let next = digits.checked_mul(10).and_then(|ten| ten.checked_add(i128::from(byte.wrapping_sub(b'0'))));
            digits = next.ok_or_else(|| out_of_range("numeric"))?;
            scale = scale.map(|scale| scale + 1);
        }
        self.add(if negative { -digits } else { digits }, scale.unwrap_or(0))
    }

    /// The mean of `count` values, with as many digits as PostgreSQL's division gives: at least 16 that count, and the
    /// scale of the values.
    fn mean(self, count: u64) -> String {
        let scale = division_scale(self, count);
        let magnitude = self.digits.unsigned_abs().to_string();
        // Schoolbook: one digit of the result for each digit of the sum, then one for each that the scale adds.
        let added = std::iter::repeat_n(b'0', (scale - self.scale) as usize);
        let (mut quotient, mut rest) = (Vec::new(), 0u128);
        for digit in magnitude.bytes().chain(added) {
            rest = rest * 10 + u128::from(digit - b'0');
            quotient.push((rest / u128::from(count)) as u8 + b'0');
            rest %= u128::from(count);
        }
        if rest * 2 >= u128::from(count) {
            round_up(&mut quotient);
        }
        let text: String = quotient.into_iter().map(char::from).collect();
        let sign = if self.digits < 0 { "-" } else { "" };
        format!("{sign}{}", with_point(text.trim_start_matches('0'), scale))
    }
}

/// Digits after the point of a quotient, by the rule of PostgreSQL's `select_div_scale`: it counts in groups of four
/// digits, aims at 16 digits that count, and keeps what the dividend has.
fn division_scale(sum: Scaled, count: u64) -> u32 {
    let (sum_weight, sum_first) = first_group(&sum.digits.unsigned_abs().to_string(), sum.scale);
    let (count_weight, count_first) = first_group(&count.to_string(), 0);
    let mut weight = sum_weight - count_weight;
    if sum_first <= count_first {
        weight -= 1;
    }
    let wanted = 16 - 4 * weight;
    u32::try_from(wanted).unwrap_or(0).max(sum.scale)
}

/// The first group of four digits that is not zero, and its place: 0 just before the point, -1 just after it.
fn first_group(digits: &str, scale: u32) -> (i64, u32) {
    if digits == "0" {
        return (0, 0);
    }
    // Power of ten of the first digit.
    let first = digits.len() as i64 - 1 - i64::from(scale);
    let weight = first.div_euclid(4);
    let width = (first - 4 * weight + 1) as usize;
    let group = digits.bytes().chain(std::iter::repeat(b'0')).take(width);
    (weight, group.fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
}

fn round_up(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
    digits.insert(0, b'1');
}

fn text(digits: i128, scale: u32) -> String {
    let sign = if digits < 0 { "-" } else { "" };
    format!("{sign}{}", with_point(&digits.unsigned_abs().to_string(), scale))
}

/// Puts the point before the last `scale` of some digits.
fn with_point(digits: &str, scale: u32) -> String {
    let scale = scale as usize;
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(function: Function, ty: &Type, values: &[&str], expected: Option<&str>) {
        let mut accumulator = Accumulator::new(function, ty);
        for text in values {
            let value = if *text == "null" { Value::Null } else { Value::parse(ty, text).unwrap() };
            accumulator.add(&value).unwrap();
        }
        let result = accumulator.finish().unwrap();
        assert_eq!(result.to_text().as_deref(), expected, "{} of {values:?}", function.word());
    }

    const MONEY: Type = Type::Decimal { precision: 12, scale: 2 };

    /// Results are those that PostgreSQL 16 prints.
    #[test]
    fn aggregates_give_what_postgresql_gives() {
        for (function, ty, values, expected) in [
            (Function::Count, Type::Text, &["a", "null", "b"][..], Some("2")),
            (Function::Count, Type::Text, &[], Some("0")),
            (Function::Sum, Type::Int, &[], None),
            (Function::Sum, Type::Int, &["null"], None),
            (Function::Sum, Type::Int, &["2147483647", "2147483647"], Some("4294967294")),
            (Function::Sum, Type::BigInt, &["9223372036854775807", "1"], Some("9223372036854775808")),
            (Function::Sum, MONEY, &["0.10", "0.20", "-1.00"], Some("-0.70")),
            (Function::Sum, MONEY, &["0.10", "-0.10"], Some("0.00")),
            (Function::Sum, Type::Float, &["1e16", "1", "-1e16"], Some("1")),
            (Function::Avg, Type::Int, &["1"], Some("1.00000000000000000000")),
            (Function::Avg, Type::Int, &["1", "2"], Some("1.5000000000000000")),
            (Function::Avg, Type::Int, &["1", "2", "2"], Some("1.6666666666666667")),
            (Function::Avg, Type::Int, &["0"], Some("0.00000000000000000000")),
            (Function::Avg, Type::Int, &["-1", "-2", "-2"], Some("-1.6666666666666667")),
            (Function::Avg, Type::Int, &["10000", "10001"], Some("10000.5000000000000000")),
            (Function::Avg, MONEY, &["0.01", "0.02"], Some("0.01500000000000000000")),
            (Function::Avg, MONEY, &["10.00", "20.50"], Some("15.2500000000000000")),
            (Function::Avg, Type::BigInt, &["9223372036854775807", "9223372036854775806"], Some("9223372036854775807")),
            (Function::Avg, Type::Float, &["1", "2"], Some("1.5")),
            (Function::Min, MONEY, &["10.00", "9.50", "null"], Some("9.50")),
            (Function::Max, Type::Text, &["b", "é", "a"], Some("é")),
            (Function::Max, Type::Date, &[], None),
        ] {
            check(function, &ty, values, expected);
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error_and_no_other_number() {
        let largest = "9".repeat(38);
        let ty = Type::Decimal { precision: 38, scale: 0 };
        let mut sum = Accumulator::new(Function::Sum, &ty);
        sum.add(&Value::parse(&ty, &largest).unwrap()).unwrap();
        assert!(matches!(sum.add(&Value::parse(&ty, &largest).unwrap()), Err(ValueError::OutOfRange { .. })));

        let mut sum = Accumulator::new(Function::Sum, &Type::Float);
        sum.add(&Value::Float(f64::MAX)).unwrap();
        sum.add(&Value::Float(f64::MAX)).unwrap();
        assert!(matches!(sum.finish(), Err(ValueError::OutOfRange { ty: "double precision", .. })));

        let mut sum = Accumulator(State::Exact {
            sum: Scaled { digits: i128::from(i64::MAX), scale: 0 },
            count: 1,
            result: Exact::BigInt,
        });
        sum.add(&Value::Int(1)).unwrap();
        assert!(matches!(sum.finish(), Err(ValueError::OutOfRange { ty: "bigint", .. })));
    }
}
