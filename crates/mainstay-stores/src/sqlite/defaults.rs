//! Columns whose default only SQLite knows, because a file of another program says it in SQLite's own words.

use std::borrow::Cow;

use mainstay_query::plan::Insert;
use mainstay_schema::{ColumnId, DefaultValue, Table};
use mainstay_store::StoreError;

/// The insert without the columns that SQLite fills in: it does so only for columns that a statement does not name.
///
/// # Errors
/// [`StoreError::Unsupported`] if only some rows leave such a column out.
pub(super) fn leave_to_sqlite<'p>(table: &Table, plan: &'p Insert) -> Result<Cow<'p, Insert>, StoreError> {
    let is_left = |column: &ColumnId| matches!(table.column(*column).default, Some(DefaultValue::Expression(_)));
    let mut left = Vec::new();
    for (at, column) in plan.columns.iter().enumerate().filter(|(_, column)| is_left(column)) {
        let missing = plan.rows.iter().filter(|row| row[at].is_none()).count();
        if missing > 0 && missing < plan.rows.len() {
            let name = &table.column(*column).name;
            let what = format!(
                "The default of column \"{name}\" in some rows and not in others: the database computes it. Give it in \
                 all rows or in none."
            );
            return Err(StoreError::Unsupported { what });
        }
        if missing > 0 {
            left.push(at);
        }
    }
    if left.is_empty() {
        return Ok(Cow::Borrowed(plan));
    }
    let mut plan = plan.clone();
    for at in left.into_iter().rev() {
        plan.columns.remove(at);
        plan.rows.iter_mut().for_each(|row| drop(row.remove(at)));
    }
    Ok(Cow::Owned(plan))
}
