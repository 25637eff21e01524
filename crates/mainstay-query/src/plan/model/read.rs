//! Rows to read: members, embeds, order and page.

use std::sync::Arc;

use mainstay_schema::{ColumnId, Table, TableId, Type};

use super::Filter;
use crate::request::Count;

/// Rows to read.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The table or view.
    pub table: TableId,
    /// Members of each row, in order.
    pub select: Vec<Output>,
    /// Which rows.
    pub filter: Filter,
    /// Order; always total where the table has a key, so that pages are stable.
    pub order: Vec<Order>,
    /// Most rows to return.
    pub limit: Option<u64>,
    /// Rows to skip.
    pub offset: u64,
    /// Whether all rows that pass the filter are counted.
    pub count: Count,
}

/// One member of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Member name.
    pub name: Arc<str>,
    /// Where it comes from.
    pub source: Source,
}

/// Where a member comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A column, a path into it, or a cast of either.
    Value(Expr),
    /// Related rows.
    Embed(Embed),
}

/// A column, or a value computed from one.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// The column.
    pub column: ColumnId,
    /// Steps into a JSON column; empty for the column itself.
    pub path: Vec<PathStep>,
    /// Whether the path gives text (`->>`) instead of JSON. Meaningless without a path.
    pub as_text: bool,
    /// The result is converted to this type.
    pub cast: Option<Type>,
}

impl Expr {
    /// The column itself.
    pub fn column(column: ColumnId) -> Expr {
        Expr { column, path: Vec::new(), as_text: false, cast: None }
    }

    /// The column, when this is nothing but a column.
    pub fn as_column(&self) -> Option<ColumnId> {
        (self.path.is_empty() && self.cast.is_none()).then_some(self.column)
    }

    /// The type before the cast.
    pub fn base_type(&self, table: &Table) -> Type {
        match (self.path.is_empty(), self.as_text) {
            (true, _) => table.column(self.column).ty.clone(),
            (false, true) => Type::Text,
            (false, false) => Type::Json,
        }
    }

    /// The type of the result.
    pub fn ty(&self, table: &Table) -> Type {
        self.cast.clone().unwrap_or_else(|| self.base_type(table))
    }
}

/// One step into a JSON document.
pub use crate::request::StepTo as PathStep;

/// Related rows inside a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Embed {
    /// How the rows are found.
    pub link: Link,
    /// What is read of them; its filter does not hold the link.
    pub read: Box<Read>,
}

/// How a row leads to related rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// One row or null, or a list.
    pub cardinality: Cardinality,
    /// The join.
    pub join: Join,
}

/// How many rows a link leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cardinality {
    /// At most one: shown as an object or null.
    One,
    /// Any number: shown as a list.
    Many,
}

/// The columns that a link compares. Null never equals anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Join {
    /// Columns here equal columns there.
    Direct(Vec<Pair>),
    /// Through the rows of a junction table.
    Through {
        /// The junction.
        table: TableId,
        /// `here` is this row's column, `there` the junction's.
        parent: Vec<Pair>,
        /// `here` is the junction's column, `there` the related row's.
        child: Vec<Pair>,
    },
}

/// Two columns that must be equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Column on the near side.
    pub here: ColumnId,
    /// Column on the far side.
    pub there: ColumnId,
}

/// One order term.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// To-one link to follow first, for ordering by a column of an embed.
    pub via: Option<(Join, TableId)>,
    /// What to order by.
    pub expr: Expr,
    /// Largest first.
    pub descending: bool,
    /// Whether nulls come first.
    pub nulls_first: bool,
}
