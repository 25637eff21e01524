//! `PATCH …?on_conflict=key` with a row for each key: rows changed each in its own way.

use std::collections::HashSet;

use mainstay_schema::{ColumnId, Table, Value};

use super::operations::{Operations, keyless};
use super::rows::Rows;
use super::{Assign, Filter, Fresh, KeyedChange, UpdateEach, defaults};
use crate::error::PlanError;
use crate::limits::Limits;
use crate::parse::within;

/// The update of rows that hold plain values. `key` is a primary or unique key.
pub(super) fn of_rows(
    rows: Rows<'_>,
    key: Vec<ColumnId>,
    filter: Filter,
    fresh: &dyn Fresh,
    missing_default: bool,
) -> Result<UpdateEach, PlanError> {
    let table = rows.table;
    let columns: Vec<ColumnId> = rows.columns().iter().map(|column| column.id).collect();
    let place = |part: &ColumnId| columns.iter().position(|column| column == part);
    for part in &key {
        let at = place(part);
        let lacks = |row: &Vec<Option<Value>>| at.is_none_or(|at| row[at].is_none());
        if let Some(row) = rows.given().iter().position(lacks) {
            return Err(keyless(table.column(*part), row + 1));
        }
    }
    let (set, touched, rows) = defaults::updates(rows, fresh, missing_default)?;
    let change = |row: Vec<Option<Value>>| {
        let mut change = KeyedChange { key: vec![Value::Null; key.len()], set: Vec::with_capacity(row.len()) };
        for (column, value) in set.iter().zip(row) {
            let value = value.unwrap_or(Value::Null);
            match key.iter().position(|part| part == column) {
                Some(at) => change.key[at] = value,
                None => change.set.push((*column, Assign::Value(value))),
            }
        }
        change
    };
    let changes = rows.into_iter().map(change).collect();
    finish(table, key, changes, &touched, filter)
}

/// The update of rows that say what is done to each column.
pub(super) fn of_operations(
    table: &Table,
    limits: &Limits,
    rows: Vec<Operations>,
    key: Vec<ColumnId>,
    filter: Filter,
    fresh: &dyn Fresh,
) -> Result<UpdateEach, PlanError> {
    within("write_rows_max", limits.write_rows_max, rows.len())?;
    let touched = defaults::touched_values(table, fresh)?;
    let changes = rows.into_iter().map(|Operations { key, set }| KeyedChange { key, set }).collect();
    finish(table, key, changes, &touched, filter)
}

/// Adds the time of the change to what changes, and refuses a key that stands twice.
fn finish(
    table: &Table,
    key: Vec<ColumnId>,
    mut rows: Vec<KeyedChange>,
    touched: &[(ColumnId, Value)],
    filter: Filter,
) -> Result<UpdateEach, PlanError> {
    // Null equals nothing, and a row that sets nothing changes nothing.
    rows.retain(|row| !row.set.is_empty() && !row.key.iter().any(Value::is_null));
    let mut seen = HashSet::with_capacity(rows.len());
    for row in &mut rows {
        let texts: Vec<Option<String>> = row.key.iter().map(Value::to_text).collect();
        if !seen.insert(texts) {
            return Err(PlanError::RepeatedKey);
        }
        for (column, time) in touched {
            if row.set.iter().all(|(set, _)| set != column) && !key.contains(column) {
                row.set.push((*column, Assign::Value(time.clone())));
            }
        }
    }
    Ok(UpdateEach { table: table.id, key, rows, filter, returning: None, expect: Default::default() })
}
