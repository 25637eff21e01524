//! Changes to rows.

use mainstay_schema::{ColumnId, TableId, Value};

use super::{Filter, Read};

/// A change to rows. One write is one transaction: all of it happens or none.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// New rows.
    Insert(Insert),
    /// Changed rows.
    Update(Update),
    /// Rows that go.
    Delete(Delete),
    /// Several writes in order, in one transaction. Returns nothing but the sums of rows.
    Batch(Vec<Write>),
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
    /// New values.
    pub set: Vec<(ColumnId, Value)>,
    /// Which rows.
    pub filter: Filter,
    /// The rows as they are afterwards.
    pub returning: Option<Returning>,
    /// What must hold afterwards, else all is undone.
    pub expect: Expect,
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

/// What a write gives back for the rows it affected. Filter, order, limit and count of the read are not used.
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
            Write::Delete(delete) => delete.returning.as_deref(),
            Write::Batch(_) => None,
        }
    }
}
