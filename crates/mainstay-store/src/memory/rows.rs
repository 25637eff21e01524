//! The rows of one table.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use mainstay_schema::{ColumnId, Value};

/// A value for every column of the table.
pub(super) type Row = Vec<Value>;

/// Names a row of one table whatever happens to its key; grows, so it also is the order of insertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowId(u64);

#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    rows: BTreeMap<RowId, Row>,
    next: u64,
    /// Largest number that the sequence gave or met; a number is never given twice.
    sequence: i64,
}

impl Rows {
    /// No rows, and a sequence that goes on after `sequence`.
    pub(super) fn with_sequence(sequence: i64) -> Rows {
        Rows { sequence, ..Rows::default() }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (RowId, &Row)> {
        self.rows.iter().map(|(id, row)| (*id, row))
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    pub(super) fn get(&self, id: RowId) -> Option<&Row> {
        self.rows.get(&id)
    }

    pub(super) fn insert(&mut self, row: Row) -> RowId {
        let id = RowId(self.next);
        self.next += 1;
        self.rows.insert(id, row);
        id
    }

    pub(super) fn replace(&mut self, id: RowId, row: Row) {
        self.rows.insert(id, row);
    }

    pub(super) fn remove(&mut self, id: RowId) -> Option<Row> {
        self.rows.remove(&id)
    }

    /// The rows whose `columns` hold `key`; none if a part of the key is null, for null equals nothing.
    pub(super) fn with_key<'r>(
        &'r self,
        columns: &'r [ColumnId],
        key: &'r [Value],
    ) -> impl Iterator<Item = (RowId, &'r Row)> {
        self.iter().filter(move |(_, row)| {
            columns.iter().zip(key).all(|(column, value)| row[column.index()].compare(value) == Some(Ordering::Equal))
        })
    }

    /// The next number of the table's sequence.
    pub(super) fn next_number(&mut self) -> i64 {
        self.sequence += 1;
        self.sequence
    }

    /// Keeps the sequence ahead of a number that was written without it.
    pub(super) fn saw_number(&mut self, number: i64) {
        self.sequence = self.sequence.max(number);
    }

    pub(super) fn sequence(&self) -> i64 {
        self.sequence
    }
}

/// The values of `columns` in a row.
pub(super) fn key_of(row: &[Value], columns: &[ColumnId]) -> Vec<Value> {
    columns.iter().map(|column| row[column.index()].clone()).collect()
}
