//! What to do, with every name resolved and every type checked: inert data that a store carries out.
//!
//! A plan holds ids of one [`Schema`] snapshot and typed values; it knows no HTTP and no SQL. Plans are made by
//! [`read()`] and [`write()`] from requests, and become [`Authorized`](crate::Authorized) before a store sees them.

mod defaults;
mod filter;
mod grid;
mod json;
pub mod print;
mod read;
mod relations;
mod resolve;
mod rows;
mod write;

pub use read::read;
pub use write::write;

use std::sync::Arc;

use mainstay_schema::{ColumnId, Schema, Table, TableId, Type, Value};

pub use crate::request::Count;

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

/// Which rows: a condition in SQL's three-valued logic. A row passes when it is true.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Every row.
    True,
    /// No row.
    False,
    /// All hold.
    And(Vec<Filter>),
    /// One holds.
    Or(Vec<Filter>),
    /// The opposite; unknown stays unknown.
    Not(Box<Filter>),
    /// A test of one value.
    Test {
        /// The value tested; its type is that of the operands.
        expr: Expr,
        /// The test.
        test: Test,
    },
    /// Whether at least one related row passes. Never unknown.
    Exists {
        /// How the rows are found.
        join: Join,
        /// The related table.
        table: TableId,
        /// What one of them must satisfy.
        filter: Box<Filter>,
    },
}

impl Filter {
    /// All of `parts`, without needless nesting.
    pub fn all(parts: impl IntoIterator<Item = Filter>) -> Filter {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                Filter::True => {}
                Filter::False => return Filter::False,
                Filter::And(inner) => kept.extend(inner),
                other => kept.push(other),
            }
        }
        match kept.len() {
            0 => Filter::True,
            1 => kept.remove(0),
            _ => Filter::And(kept),
        }
    }
}

/// A test of one value. Operands have the type of the tested expression and are never null.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// Comparison; unknown when the tested value is null.
    Compare(Comparison, Value),
    /// One of these; unknown for null, false for every value when the list is empty.
    In(Vec<Value>),
    /// Is null. Never unknown.
    IsNull,
    /// Is this truth value. Never unknown; only on `bool`.
    IsBool(bool),
    /// Differs from this value, null being different from every value. Never unknown.
    IsDistinct(Value),
    /// Text matches a pattern in which `%` is any text and `_` any character; backslash makes the next one literal.
    Like {
        /// The pattern, `*` already replaced by `%`.
        pattern: String,
        /// Whether letter case counts; when not, both sides are compared after Unicode simple case folding.
        case_sensitive: bool,
    },
    /// JSON or array contains this one (`@>`).
    Contains(Value),
    /// JSON or array is contained in this one (`<@`).
    ContainedIn(Value),
    /// Arrays share an element.
    Overlaps(Value),
}

/// Comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Equal.
    Eq,
    /// Not equal.
    Neq,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
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

/// The members of the rows that a read gives, for whoever writes them out.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// Members in order.
    pub members: Vec<Member>,
}

/// One member of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its name.
    pub name: Arc<str>,
    /// What it holds.
    pub kind: MemberKind,
}

/// What a member holds.
#[derive(Debug, Clone, PartialEq)]
pub enum MemberKind {
    /// A value of this type, or null.
    Value(Type),
    /// An object or null.
    One(Shape),
    /// A list of objects.
    Many(Shape),
}

impl Read {
    /// The shape of the rows.
    pub fn shape(&self, schema: &Schema) -> Shape {
        let table = schema.table(self.table);
        let members = self.select.iter().map(|output| Member {
            name: output.name.clone(),
            kind: match &output.source {
                Source::Value(expr) => MemberKind::Value(expr.ty(table)),
                Source::Embed(embed) => match embed.link.cardinality {
                    Cardinality::One => MemberKind::One(embed.read.shape(schema)),
                    Cardinality::Many => MemberKind::Many(embed.read.shape(schema)),
                },
            },
        });
        Shape { members: members.collect() }
    }
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

/// Where a plan takes what is new in each run, so that a failing run can be replayed from its seed.
pub trait Fresh {
    /// The time of the request: the canonical text of a [`Value::Timestamp`].
    fn now(&self) -> &str;
    /// A new version 7 uuid, larger than those before it.
    fn uuid7(&self) -> uuid::Uuid;
}
