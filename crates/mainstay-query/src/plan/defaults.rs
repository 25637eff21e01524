//! What becomes of columns and cells that a body leaves out.

use mainstay_schema::{Column, ColumnId, DefaultValue, Table, Type, Value, ValueError};

use super::resolve::not_implemented;
use super::rows::{Row, Rows, null};
use super::{Assign, Fresh};
use crate::error::PlanError;
use crate::evaluate;

/// Rows as a store takes them.
pub(super) struct Filled {
    /// Columns that rows have a cell for.
    pub(super) columns: Vec<ColumnId>,
    /// The rows; a cell is `None` where the store makes the value.
    pub(super) rows: Vec<Row>,
}

/// What a cell without a value becomes.
enum Fill {
    /// This value.
    Value(Value),
    /// A fresh uuid each time.
    Uuid7,
    /// What the store makes of it.
    Store,
}

impl Fill {
    fn cell(&self, fresh: &dyn Fresh) -> Option<Value> {
        match self {
            Fill::Value(value) => Some(value.clone()),
            Fill::Uuid7 => Some(Value::Uuid(fresh.uuid7())),
            Fill::Store => None,
        }
    }
}

/// Completes the rows of an insert.
///
/// Columns that no row gives take their default, cells that only some rows leave out (which `columns=` allows) become
/// null, or the default when `missing_default`. Columns in `timed` that no row gives take the time of the write.
pub(super) fn insert(
    rows: Rows<'_>,
    fresh: &dyn Fresh,
    missing_default: bool,
    timed: &[ColumnId],
) -> Result<Filled, PlanError> {
    insert_linked(rows, fresh, missing_default, timed, &[])
}

/// As [`insert()`]; the columns in `linked`, which no row gives, come last and take their values elsewhere.
pub(super) fn insert_linked(
    rows: Rows<'_>,
    fresh: &dyn Fresh,
    missing_default: bool,
    timed: &[ColumnId],
    linked: &[ColumnId],
) -> Result<Filled, PlanError> {
    let table = rows.table;
    let (given, mut rows) = rows.into_parts();
    fill_gaps(table, &given, &mut rows, fresh, missing_default)?;
    let mut columns: Vec<ColumnId> = given.iter().map(|column| column.id).collect();
    if rows.is_empty() {
        return Ok(Filled { columns, rows });
    }
    let is_given = |column: &Column| given.iter().any(|other| other.id == column.id) || linked.contains(&column.id);
    for column in table.columns.iter().filter(|column| !is_given(column)) {
        let fill = if timed.contains(&column.id) {
            Fill::Value(time(column, fresh)?)
        } else if column.default.is_some() {
            default(column, fresh)?
        } else if column.optional {
            // Left out, it is null.
            continue;
        } else {
            return Err(null(table, column, 1));
        };
        if !matches!(fill, Fill::Store) {
            columns.push(column.id);
            rows.iter_mut().for_each(|row| row.push(fill.cell(fresh)));
        }
    }
    columns.extend_from_slice(linked);
    rows.iter_mut().for_each(|row| row.extend(linked.iter().map(|_| None)));
    Ok(Filled { columns, rows })
}

/// The values that an update sets: those of the first row, what it leaves out being null, or the default when
/// `missing_default`, and the time of the write for touched columns. Empty when there is nothing to set.
pub(super) fn update(
    rows: Rows<'_>,
    fresh: &dyn Fresh,
    missing_default: bool,
) -> Result<Vec<(ColumnId, Assign)>, PlanError> {
    let (columns, touched, mut rows) = updates(rows, fresh, missing_default)?;
    rows.truncate(1);
    let cells = rows.into_iter().flatten().map(|cell| cell.unwrap_or(Value::Null));
    let mut set: Vec<(ColumnId, Value)> = columns.into_iter().zip(cells).collect();
    if !set.is_empty() {
        set.extend(touched);
    }
    Ok(set.into_iter().map(|(column, value)| (column, Assign::Value(value))).collect())
}

/// What an update sets: columns, columns that take the time of the change with that time, and the cells of each row.
pub(super) type Updates = (Vec<ColumnId>, Vec<(ColumnId, Value)>, Vec<Row>);

/// The rows of an update, with nothing left out.
pub(super) fn updates(rows: Rows<'_>, fresh: &dyn Fresh, missing_default: bool) -> Result<Updates, PlanError> {
    let table = rows.table;
    let (given, mut rows) = rows.into_parts();
    fill_gaps(table, &given, &mut rows, fresh, missing_default)?;
    // A number of a sequence names a row; there is no reason to give another to one that has one.
    if rows.iter().flatten().any(Option::is_none) {
        return Err(not_implemented("The default of a sequence in an update.".to_owned()));
    }
    let columns = given.iter().map(|column| column.id).collect();
    let is_given = |(id, _): &(ColumnId, Value)| given.iter().any(|column| column.id == *id);
    let touched = touched_values(table, fresh)?.into_iter().filter(|touched| !is_given(touched)).collect();
    Ok((columns, touched, rows))
}

/// The columns that take the time of a change, with that time.
pub(super) fn touched_values(table: &Table, fresh: &dyn Fresh) -> Result<Vec<(ColumnId, Value)>, PlanError> {
    touched(table, &[]).into_iter().map(|id| Ok((id, time(table.column(id), fresh)?))).collect()
}

/// The columns that take the time of a change and are not given by the rows.
pub(super) fn touched(table: &Table, given: &[&Column]) -> Vec<ColumnId> {
    let is_given = |id| given.iter().any(|column| column.id == id);
    table.columns.iter().filter(|column| column.touched && !is_given(column.id)).map(|column| column.id).collect()
}

fn fill_gaps(
    table: &Table,
    given: &[&Column],
    rows: &mut [Row],
    fresh: &dyn Fresh,
    missing_default: bool,
) -> Result<(), PlanError> {
    for (slot, column) in given.iter().enumerate() {
        let fill = match missing_default && column.default.is_some() {
            true => default(column, fresh)?,
            false => Fill::Value(Value::Null),
        };
        let is_refused = !column.optional && matches!(fill, Fill::Value(Value::Null));
        for (position, row) in rows.iter_mut().enumerate().filter(|(_, row)| row[slot].is_none()) {
            if is_refused {
                return Err(null(table, column, position + 1));
            }
            row[slot] = fill.cell(fresh);
        }
    }
    Ok(())
}

fn default(column: &Column, fresh: &dyn Fresh) -> Result<Fill, PlanError> {
    Ok(match &column.default {
        None => Fill::Value(Value::Null),
        Some(DefaultValue::Literal(value)) => Fill::Value(value.clone()),
        Some(DefaultValue::Now) => Fill::Value(time(column, fresh)?),
        Some(DefaultValue::Uuid7) => Fill::Uuid7,
        Some(DefaultValue::Sequence | DefaultValue::Expression(_)) => Fill::Store,
    })
}

/// The time of the write, as the column's type has it.
fn time(column: &Column, fresh: &dyn Fresh) -> Result<Value, PlanError> {
    let now = Value::Timestamp(fresh.now().to_owned());
    let wrong = |error: ValueError| PlanError::Value { error, column: column.name.to_string(), row: None };
    if column.ty == Type::Timestamp { Ok(now) } else { evaluate::cast(&now, &column.ty).map_err(wrong) }
}
