//! Documents as rows: their fields in the order of the columns.

use anyhow::Context;
use mongodb::bson::{Decimal128, RawBsonRef, RawDocument};

use crate::encode::{self, Cell, Form, Member};

/// Columns of a row at most.
const COLUMNS_MAX: usize = 6;

/// The fields of a document, one for each member. The first member is the key, which documents have as `_id`.
#[derive(Clone, Copy)]
pub(super) struct Fields<'d>([RawBsonRef<'d>; COLUMNS_MAX]);

impl<'d> Fields<'d> {
    /// Finds the fields in one walk through the document, in which they mostly have this order.
    ///
    /// # Errors
    /// When it is no document.
    pub(super) fn of(document: &'d RawDocument, members: &[Member]) -> anyhow::Result<Fields<'d>> {
        let mut fields = [RawBsonRef::Null; COLUMNS_MAX];
        let mut next = 0;
        for element in document {
            let (name, value) = element?;
            let is_named = |at: usize| at < members.len() && field(members, at) == name.as_str();
            let found = if is_named(next) { Some(next) } else { (0..members.len()).find(|at| is_named(*at)) };
            if let Some(at) = found {
                *fields.get_mut(at).context("a row with too many columns")? = value;
                next = at + 1;
            }
        }
        Ok(Fields(fields))
    }
}

/// The name of a member's field: without the quotes and the colon.
fn field(members: &[Member], at: usize) -> &'static str {
    let name = members[at].0;
    if at == 0 { "_id" } else { &name[1..name.len() - 2] }
}

impl encode::Row for Fields<'_> {
    fn cell(&self, column: usize, form: Form) -> anyhow::Result<Cell<'_>> {
        let value = self.0.get(column).with_context(|| format!("no column {column}"))?;
        let cell = match (*value, form) {
            (RawBsonRef::Null, _) => Some(Cell::Null),
            (RawBsonRef::Boolean(value), Form::Bool) => Some(Cell::Bool(value)),
            (RawBsonRef::Int32(number), Form::Integer) => Some(Cell::Integer(number.into())),
            (RawBsonRef::Int64(number), Form::Integer) => Some(Cell::Integer(number)),
            (RawBsonRef::String(text), Form::Text) => Some(Cell::Text(text.as_bytes())),
            (RawBsonRef::Decimal128(decimal), Form::Decimal) => hundredths(decimal).map(Cell::Hundredths),
            (RawBsonRef::DateTime(moment), Form::Time) => micros(moment.timestamp_millis()).map(Cell::Micros),
            _ => None,
        };
        cell.with_context(|| format!("column {column} has another type"))
    }
}

/// Microseconds since 2000 of milliseconds since 1970.
fn micros(milliseconds: i64) -> Option<i64> {
    /// The beginning of 2000.
    const TO_2000: i64 = 946_684_800_000;
    milliseconds.checked_sub(TO_2000)?.checked_mul(1000)
}

/// A decimal of up to two digits after the point. `None` for one that is not a number, has more digits, or is too large.
///
/// # Source
/// IEEE 754-2008, 3.5.2: `decimal128` with binary significands.
fn hundredths(decimal: Decimal128) -> Option<i64> {
    /// Bits of the significand.
    const DIGITS: u32 = 113;
    /// What is added to exponents so that none is negative.
    const BIAS: u32 = 6176;
    let bits = u128::from_le_bytes(decimal.bytes());
    if bits >> 125 & 0b11 == 0b11 {
        // Infinite, not a number, or with more digits than there are.
        return None;
    }
    let exponent = u32::try_from(bits >> DIGITS & 0x3FFF).ok()?;
    let power = (exponent + 2).checked_sub(BIAS)?;
    let digits = i64::try_from(bits & ((1 << DIGITS) - 1)).ok()?;
    let number = digits.checked_mul(10_i64.checked_pow(power)?)?;
    Some(if bits >> 127 == 0 { number } else { -number })
}

#[cfg(test)]
mod tests {
    use mongodb::bson::{RawDocumentBuf, doc};

    use super::*;
    use crate::encode::{Row as _, SUM};

    #[test]
    fn decimals_of_two_digits_are_hundredths() {
        for (text, expected) in [
            ("0.00", Some(0)),
            ("12.34", Some(1234)),
            ("-0.05", Some(-5)),
            ("7.5", Some(750)),
            ("30000", Some(3_000_000)),
            ("3E+4", Some(3_000_000)),
            ("0.005", None),
            ("1E+30", None),
            ("99999999999999999999999999999999.99", None),
            ("NaN", None),
            ("-Infinity", None),
        ] {
            assert_eq!(hundredths(text.parse().unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn fields_are_found_wherever_they_stand() {
        let document = doc! { "total": null, "other": 1, "_id": 7_i64, "orders": 3 };
        let document = RawDocumentBuf::try_from(&document).unwrap();
        let fields = Fields::of(&document, SUM).unwrap();
        assert_eq!(fields.cell(0, Form::Integer).unwrap(), Cell::Integer(7));
        assert_eq!(fields.cell(1, Form::Integer).unwrap(), Cell::Integer(3));
        assert_eq!(fields.cell(2, Form::Decimal).unwrap(), Cell::Null);
        assert!(fields.cell(1, Form::Text).is_err());
    }

    #[test]
    fn moments_are_counted_from_2000() {
        assert_eq!(micros(946_684_800_001), Some(1000));
        assert_eq!(micros(i64::MAX), None);
    }
}
