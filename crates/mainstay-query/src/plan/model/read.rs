//! Rows to read: members, embeds, order and page.

use std::sync::Arc;

use mainstay_schema::{ColumnId, Table, TableId, Type, Value};

use super::{Aggregate, Filter, FunctionCall, Groups};
use crate::request::Count;

/// Rows to read.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The table or view.
    pub table: TableId,
    /// The function whose result is read instead; it has the columns of `table`.
    pub call: Option<Box<FunctionCall>>,
    /// Members of each row, in order.
    pub select: Vec<Output>,
    /// Which rows.
    pub filter: Filter,
    /// Rows that are equal in all members but aggregates become one. Limit, offset and count are then of the groups,
    /// and so is their order, which is in here instead of `order`.
    pub groups: Option<Box<Groups>>,
    /// Order; always total where the table has a key, so that pages are stable.
    pub order: Vec<Order>,
    /// Only rows that come after this place: a value for each term of the order. What is counted does not heed it.
    pub after: Option<Vec<Value>>,
    /// Most rows to return.
    pub limit: Option<u64>,
    /// Rows to skip.
    pub offset: u64,
    /// Whether all rows that pass the filter are counted.
    pub count: Count,
}

impl Read {
    /// All rows of a table, in no order, without members.
    pub fn new(table: TableId) -> Read {
        Read {
            table,
            call: None,
            select: Vec::new(),
            filter: Filter::True,
            groups: None,
            order: Vec::new(),
            after: None,
            limit: None,
            offset: 0,
            count: Count::None,
        }
    }
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
    /// A value made from all rows of a group. In a to-one spread it belongs to the groups of the row above.
    Aggregate(Aggregate),
    /// Related rows.
    Embed(Embed),
    /// Related rows whose members stand in this row: as they are for a link to one row, null where there is none; as
    /// an array each for a link to many, all in the order of the rows.
    Spread(Embed),
}

impl Source {
    /// The related rows that this shows.
    pub fn embed(&self) -> Option<&Embed> {
        match self {
            Source::Embed(embed) | Source::Spread(embed) => Some(embed),
            Source::Value(_) | Source::Aggregate(_) => None,
        }
    }

    /// The related rows that this shows.
    pub fn embed_mut(&mut self) -> Option<&mut Embed> {
        match self {
            Source::Embed(embed) | Source::Spread(embed) => Some(embed),
            Source::Value(_) | Source::Aggregate(_) => None,
        }
    }
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
    /// Link to follow first, for ordering by a column of an embed.
    pub via: Option<Box<Via>>,
    /// What to order by.
    pub expr: Expr,
    /// Largest first.
    pub descending: bool,
    /// Whether nulls come first.
    pub nulls_first: bool,
}

/// A link to one row at most, whose value decides an order; no row counts as null.
#[derive(Debug, Clone, PartialEq)]
pub struct Via {
    /// The join.
    pub join: Join,
    /// The related table.
    pub table: TableId,
    /// What the related row must satisfy to count.
    pub filter: Filter,
}
