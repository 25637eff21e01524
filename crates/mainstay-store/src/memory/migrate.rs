//! Tables of one schema become those of the next: rows of tables and columns that stay are kept.

use std::time::{Instant, SystemTime};

use mainstay_query::evaluate::cast;
use mainstay_schema::{Column, DefaultValue, Schema, Table, Value};

use super::rows::{Row, Rows};
use super::write::Transaction;
use crate::error::StoreError;

/// Whether two schemas keep the same rows in the same places; rules, words and checks may differ.
pub(super) fn same_tables(a: &Schema, b: &Schema) -> bool {
    let same_columns = |a: &[Column], b: &[Column]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.name == b.name && a.ty == b.ty && a.optional == b.optional)
    };
    a.tables().len() == b.tables().len()
        && a.tables().iter().zip(b.tables()).all(|(a, b)| {
            a.name == b.name
                && a.kind == b.kind
                && same_columns(&a.columns, &b.columns)
                && a.primary_key == b.primary_key
                && a.uniques == b.uniques
                && a.references == b.references
        })
}

/// The rows of the old tables in the new ones, if the new ones can hold them.
pub(super) fn carry_over(old: &Schema, tables: &[Rows], new: &Schema) -> Result<Vec<Rows>, StoreError> {
    let empty = new.tables().iter().map(|table| match origin(old, table) {
        Some(from) => Rows::with_sequence(tables[from.id.index()].sequence()),
        None => Rows::default(),
    });
    let mut transaction = Transaction::new(new, empty.collect(), far_off());
    for table in new.tables().iter().filter(|table| table.is_writable()) {
        let Some(from) = origin(old, table) else { continue };
        for row in tables[from.id.index()].values() {
            let moved = move_row(from, row, table)?;
            transaction.take_in(table, moved).map_err(|error| failed(table, &error))?;
        }
    }
    for table in new.tables() {
        transaction.check_references(table).map_err(|error| failed(table, &error))?;
    }
    Ok(transaction.commit().0)
}

/// The table of the old schema that this one continues: of its name, else of its declared former name.
fn origin<'s>(old: &'s Schema, table: &Table) -> Option<&'s Table> {
    let found = old.find(&table.name).or_else(|| old.find(table.was.as_deref()?))?;
    found.is_writable().then_some(found)
}

fn move_row(from: &Table, row: &Row, to: &Table) -> Result<Row, StoreError> {
    let cell = |column: &Column| {
        let source = from.find_column(&column.name).or_else(|| from.find_column(column.was.as_deref()?));
        match source {
            Some(source) if source.ty == column.ty => Ok(row[source.id.index()].clone()),
            Some(source) => cast(&row[source.id.index()], &column.ty).map_err(|error| failed(to, &error)),
            None => match &column.default {
                Some(DefaultValue::Literal(value)) => Ok(value.clone()),
                // The check for null tells of a required column without a value for the rows that are there.
                _ => Ok(Value::Null),
            },
        }
    };
    to.columns.iter().map(cell).collect()
}

fn failed(table: &Table, error: &dyn std::error::Error) -> StoreError {
    StoreError::Migration { message: format!("table \"{}\": {error}", table.name) }
}

/// A migration has no deadline; a day is as good as never.
fn far_off() -> Instant {
    Instant::now() + std::time::Duration::from_secs(24 * 60 * 60)
}

/// The canonical text of an instant after 1970.
pub(super) fn timestamp(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}+00:00", second / 3600, second / 60 % 60, second % 60)
}

/// Year, month and day of the Gregorian calendar, counted in eras of 400 years that begin on a first of March.
///
/// # Source
/// Hinnant 2013, *chrono-Compatible Low-Level Date Algorithms*, `civil_from_days`.
fn civil(days_since_1970: u64) -> (u64, u64, u64) {
    let days = days_since_1970 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn timestamps_are_canonical() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00+00:00"),
            (951_782_400, "2000-02-29T00:00:00+00:00"),
            (1_795_428_245, "2026-11-23T10:04:05+00:00"),
            (4_102_444_799, "2099-12-31T23:59:59+00:00"),
        ] {
            assert_eq!(timestamp(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
    }
}
