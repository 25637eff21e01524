//! Which tables and columns of two schemas are the same.

use super::stored;
use crate::ids::{ColumnId, TableId};
use crate::model::{Schema, Table};

/// A table that both schemas have, perhaps under another name, and the columns that both have of it.
///
/// A store that rebuilds a table copies exactly these columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablePair {
    /// In the old schema.
    pub old: TableId,
    /// In the new schema.
    pub new: TableId,
    /// Old and new position of each kept column, in the order of the new table.
    pub columns: Vec<(ColumnId, ColumnId)>,
}

impl TablePair {
    /// Where a column of the old table is now, if it is kept.
    pub fn new_column(&self, old: ColumnId) -> Option<ColumnId> {
        self.columns.iter().find(|(before, _)| *before == old).map(|(_, now)| *now)
    }

    /// Where a column of the new table was, if it was there.
    pub fn old_column(&self, new: ColumnId) -> Option<ColumnId> {
        self.columns.iter().find(|(_, now)| *now == new).map(|(before, _)| *before)
    }
}

/// The tables that both schemas keep, in the order of the new one.
pub(super) fn tables(old: &Schema, new: &Schema) -> Vec<TablePair> {
    let find_old = |name: &str| stored(old).find(|table| *table.name == *name);
    let is_new = |name: &str| new.find(name).is_some();
    let mut pairs: Vec<TablePair> = Vec::new();
    for table in stored(new) {
        let renamed = || table.was.as_deref().filter(|was| !is_new(was) && old.find(&table.name).is_none());
        let before = find_old(&table.name).or_else(|| renamed().and_then(find_old));
        // A second table with the same `was` is new: rows move once.
        if let Some(before) = before.filter(|before| pairs.iter().all(|pair| pair.old != before.id)) {
            pairs.push(TablePair { old: before.id, new: table.id, columns: columns(before, table) });
        }
    }
    pairs
}

fn columns(old: &Table, new: &Table) -> Vec<(ColumnId, ColumnId)> {
    let mut pairs: Vec<(ColumnId, ColumnId)> = Vec::new();
    for column in &new.columns {
        let renamed = || column.was.as_deref().filter(|was| new.find_column(was).is_none());
        let before = old.find_column(&column.name).or_else(|| renamed().and_then(|was| old.find_column(was)));
        if let Some(before) = before.filter(|before| pairs.iter().all(|(taken, _)| *taken != before.id)) {
            pairs.push((before.id, column.id));
        }
    }
    pairs
}
