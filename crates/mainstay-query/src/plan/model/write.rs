//! Changes to rows.

use mainstay_schema::{ColumnId, TableId, Value};

use super::super::assign::Assign;
use super::{Comparison, Expr, Filter, Nested, Read, Run, Test};

/// A change to rows. One write is one transaction: all of it happens or none.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// New rows.
    Insert(Insert),
    /// Changed rows.
    Update(Update),
    /// Rows changed each in its own way.
    UpdateEach(UpdateEach),
    /// Rows that go.
    Delete(Delete),
    /// Several writes in order, in one transaction. Returns nothing but the sums of rows.
    Batch(Vec<Write>),
    /// New rows of several tables that belong to each other.
    Nested(Nested),
    /// A function that changes rows.
    Run(Run),
}

/// New rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Insert {
    /// The table.
    pub table: TableId,
    /// Columns that the rows give, defaults of the schema already filled in.
    pub columns: Vec<ColumnId>,
    /// As many cells a row as there are columns; `None` where the store makes the value (a sequence).
    pub rows: Vec<Vec<Option<Value>>>,
    /// What happens when a key is there already; `None` is an error.
    pub conflict: Option<Conflict>,
    /// Rows to return, in the order of `rows`; rows skipped by a conflict are left out.
    pub returning: Option<Returning>,
    /// What must hold afterwards, else all is undone.
    pub expect: Expect,
}

/// What an insert does when a key is there already.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// The primary or a unique key that decides.
    pub target: Vec<ColumnId>,
    /// Columns that take the new row's values; `None` skips the new row.
    pub merge: Option<Vec<ColumnId>>,
}

/// Changed rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// The table.
    pub table: TableId,
    /// What becomes of which column. All of them see the row as it was.
    pub set: Vec<(ColumnId, Assign)>,
    /// Which rows.
    pub filter: Filter,
    /// The rows as they are afterwards.
    pub returning: Option<Returning>,
    /// What must hold afterwards, else all is undone.
    pub expect: Expect,
}

/// Rows changed each in its own way, found by a key.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateEach {
    /// The table.
    pub table: TableId,
    /// The primary or a unique key by which each row is found.
    pub key: Vec<ColumnId>,
    /// The changes, made in this order. No two have one key, and none sets a column of the key.
    pub rows: Vec<KeyedChange>,
    /// What a row must pass besides having the key.
    pub filter: Filter,
    /// The rows as they are after all changes, in the order of `rows`; those that were not found are left out.
    pub returning: Option<Returning>,
    /// What must hold afterwards, else all is undone.
    pub expect: Expect,
}

/// What becomes of the row with one key.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyedChange {
    /// Values of the key's columns, none of them null.
    pub key: Vec<Value>,
    /// What becomes of which column.
    pub set: Vec<(ColumnId, Assign)>,
}

impl UpdateEach {
    /// The change of one row as an update of its own, without what is returned and expected.
    pub fn update(&self, change: &KeyedChange) -> Update {
        let filter = Filter::all([self.key_filter(change), self.filter.clone()]);
        Update { table: self.table, set: change.set.clone(), filter, returning: None, expect: Expect::default() }
    }

    /// Whether a row has the key of a change.
    pub fn key_filter(&self, change: &KeyedChange) -> Filter {
        let equals = |(column, value): (&ColumnId, &Value)| Filter::Test {
            expr: Expr::column(*column),
            test: Test::Compare(Comparison::Eq, value.clone()),
        };
        Filter::all(self.key.iter().zip(&change.key).map(equals))
    }
}

/// Rows that go.
#[derive(Debug, Clone, PartialEq)]
pub struct Delete {
    /// The table.
    pub table: TableId,
    /// Which rows.
    pub filter: Filter,
    /// The rows as they were before.
    pub returning: Option<Returning>,
    /// What must hold afterwards, else all is undone.
    pub expect: Expect,
}

/// What a write gives back for the rows it affected. Those that do not pass the read's filter, asked once all is written
/// (before a delete), are left out and count all the same. Order, limit and count of the read are not used.
pub type Returning = Box<Read>;

/// What must hold after a write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expect {
    /// Exactly one row was affected.
    pub single: bool,
    /// At most this many rows were affected.
    pub affected_max: Option<u64>,
}

impl Write {
    /// The read that shapes what is given back, if rows are.
    pub fn returning(&self) -> Option<&Read> {
        match self {
            Write::Insert(insert) => insert.returning.as_deref(),
            Write::Update(update) => update.returning.as_deref(),
            Write::UpdateEach(update) => update.returning.as_deref(),
            Write::Delete(delete) => delete.returning.as_deref(),
            Write::Nested(nested) => nested.returning.as_deref(),
            Write::Batch(_) => None,
            Write::Run(run) => run.returning.as_deref(),
        }
    }
}
