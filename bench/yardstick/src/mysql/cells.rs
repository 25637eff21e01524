//! The servers' binary cells.

use anyhow::Context;
use mysql_async::{Row, Value};

use crate::encode::{self, Cell, Form};

impl encode::Row for Row {
    fn cell(&self, column: usize, form: Form) -> anyhow::Result<Cell<'_>> {
        let value = self.as_ref(column).with_context(|| format!("no column {column}"))?;
        let cell = match (value, form) {
            (Value::NULL, _) => Some(Cell::Null),
            (Value::Int(number), Form::Bool) => Some(Cell::Bool(*number != 0)),
            (Value::Int(number), Form::Integer) => Some(Cell::Integer(*number)),
            (Value::Bytes(text), Form::Text) => Some(Cell::Text(text)),
            (Value::Bytes(digits), Form::Decimal) => Some(Cell::Digits(digits)),
            (Value::Date(year, month, day, hour, minute, second, micros), Form::Time) => {
                let day = days_since_2000(i64::from(*year), i64::from(*month), i64::from(*day));
                let seconds = ((day * 24 + i64::from(*hour)) * 60 + i64::from(*minute)) * 60 + i64::from(*second);
                Some(Cell::Micros(seconds * 1_000_000 + i64::from(*micros)))
            }
            _ => None,
        };
        cell.with_context(|| format!("column {column} has another type"))
    }
}

/// Days of the Gregorian calendar from the first of the year 2000.
///
/// # Source
/// Howard Hinnant, *chrono-Compatible Low-Level Date Algorithms*, `days_from_civil`.
fn days_since_2000(year: i64, month: i64, day: i64) -> i64 {
    /// Days from 1 March of the year 0 to 1 January 2000.
    const TO_2000: i64 = 730_425;
    // Years begin in March.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month = (month + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - TO_2000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_2000() {
        for ((year, month, day), expected) in
            [((2000, 1, 1), 0), ((1999, 12, 31), -1), ((2000, 2, 29), 59), ((2000, 3, 1), 60), ((2026, 5, 20), 9636)]
        {
            assert_eq!(days_since_2000(year, month, day), expected, "{year}-{month}-{day}");
        }
    }
}
