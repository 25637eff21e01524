//! Rows that are inserted together with rows that belong to them.

use mainstay_schema::ColumnId;

use super::{Expect, Insert, Returning};

/// Inserts in the order in which they happen, each of which takes keys from rows of those before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Nested {
    /// The inserts.
    pub parts: Vec<Part>,
    /// The one that the request is about: what is counted, expected and returned are its rows.
    pub root: usize,
    /// Its rows as they are when all is inserted.
    pub returning: Option<Returning>,
    /// What must hold for their number.
    pub expect: Expect,
}

/// Rows of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The rows, without conflict, return and expectation of their own. Cells that a link gives are `None`.
    pub insert: Insert,
    /// What rows before these give.
    pub links: Vec<PartLink>,
}

/// Cells that come from rows of an earlier part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartLink {
    /// The earlier part.
    pub part: usize,
    /// A place among the columns here, and the column there whose value it takes.
    pub columns: Vec<(usize, ColumnId)>,
    /// For each row here the row there; `None` leaves the cells as they are.
    pub rows: Vec<Option<usize>>,
}

impl Nested {
    /// The columns of a part whose values later parts take, without repetition.
    pub fn taken(&self, part: usize) -> Vec<ColumnId> {
        let links = self.parts.iter().flat_map(|other| &other.links).filter(|link| link.part == part);
        let mut columns: Vec<ColumnId> = links.flat_map(|link| link.columns.iter().map(|(_, there)| *there)).collect();
        columns.sort_unstable_by_key(|column| column.index());
        columns.dedup();
        columns
    }
}
