//! The server's binary cells.
//!
//! Source of the forms: the `*_send` functions of PostgreSQL 15, `src/backend/utils/adt`.

use std::error::Error;

use anyhow::Context;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use crate::encode::{self, Cell, Form};

/// The octets of a cell of any type.
struct Raw<'r>(&'r [u8]);

impl<'r> FromSql<'r> for Raw<'r> {
    fn from_sql(_: &Type, raw: &'r [u8]) -> Result<Raw<'r>, Box<dyn Error + Sync + Send>> {
        Ok(Raw(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl encode::Row for Row {
    fn cell(&self, column: usize, form: Form) -> anyhow::Result<Cell<'_>> {
        let Some(Raw(raw)) = self.try_get(column)? else { return Ok(Cell::Null) };
        let cell = match form {
            Form::Text => Some(Cell::Text(raw)),
            Form::Bool => (raw.len() == 1).then(|| Cell::Bool(raw != [0])),
            Form::Integer => integer(raw).map(Cell::Integer),
            Form::Decimal => hundredths(raw).map(Cell::Hundredths),
            Form::Time => integer(raw).map(Cell::Micros),
        };
        cell.with_context(|| format!("column {column} has another type"))
    }
}

fn integer(raw: &[u8]) -> Option<i64> {
    match raw.len() {
        8 => Some(i64::from_be_bytes(raw.try_into().ok()?)),
        4 => Some(i32::from_be_bytes(raw.try_into().ok()?).into()),
        _ => None,
    }
}

/// A `numeric` of two digits after the point: groups of four decimal digits, the first of them worth 10,000 to the
/// power of the weight. `None` for one that is not a number, has more digits, or is too large.
fn hundredths(raw: &[u8]) -> Option<i64> {
    let half = |at: usize| Some(u16::from_be_bytes(raw.get(at..at + 2)?.try_into().ok()?));
    let (count, weight, sign, scale) = (half(0)?, half(2)?.cast_signed(), half(4)?, half(6)?);
    if !matches!(sign, 0 | 0x4000) || scale != 2 {
        return None;
    }
    let mut sum: i64 = 0;
    for index in 0..count {
        let group = i64::from(half(8 + 2 * usize::from(index))?);
        // Digits of a hundredth's power that the group's last digit stands for.
        let power = 4 * (i32::from(weight) - i32::from(index)) + 2;
        let value = match power {
            0.. => group.checked_mul(10_i64.checked_pow(power.cast_unsigned())?)?,
            // With a scale of two the last two digits of the group after the point are zero.
            -2 => group / 100,
            _ => return None,
        };
        sum = sum.checked_add(value)?;
    }
    Some(if sign == 0 { sum } else { -sum })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(halves: &[u16], expected: Option<i64>) {
        let raw: Vec<u8> = halves.iter().flat_map(|half| half.to_be_bytes()).collect();
        assert_eq!(hundredths(&raw), expected, "{halves:?}");
    }

    #[test]
    fn decimals_of_two_digits_are_hundredths() {
        check(&[0, 0, 0, 2], Some(0));
        check(&[2, 0, 0, 2, 12, 3400], Some(1234));
        check(&[1, u16::MAX, 0x4000, 2, 500], Some(-5));
        check(&[1, 1, 0, 2, 3], Some(3_000_000));
        check(&[3, 1, 0, 2, 3, 0, 100], Some(3_000_001));
    }

    #[test]
    fn other_numerics_are_none() {
        check(&[0, 0, 0xC000, 2], None);
        check(&[2, 0, 0, 3, 12, 3450], None);
        check(&[1, 5, 0, 2, 9999], None);
        check(&[2, 0, 0, 2, 12], None);
    }
}
