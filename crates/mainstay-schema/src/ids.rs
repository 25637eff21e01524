//! Identifiers of tables, columns and functions inside one [`Schema`](crate::Schema). They are positions, so they mean nothing
//! in another snapshot; names cross snapshots, ids do not.

/// A table or view of one schema snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableId(pub u32);

/// A column within its table, in declared order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ColumnId(pub u32);

/// A function of one schema snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FunctionId(pub u32);

impl FunctionId {
    /// Position in [`Schema::functions`](crate::Schema::functions).
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl TableId {
    /// Position in [`Schema::tables`](crate::Schema::tables).
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl ColumnId {
    /// Position in [`Table::columns`](crate::Table::columns).
    pub fn index(self) -> usize {
        self.0 as usize
    }
}
