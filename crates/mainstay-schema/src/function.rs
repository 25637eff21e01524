//! Functions: SQL with typed parameters that callers reach by name.
//!
//! A [`Function`] is part of the [`Schema`](crate::Schema) snapshot. What it gives back has columns like a table, so
//! requests filter, order and embed it like one: see [`Returns`].

use std::sync::Arc;

use crate::ids::{ColumnId, FunctionId, TableId};
use crate::model::{Column, Rule};

/// One function, called as `/rest/v1/rpc/<name>`. Several may share a name and differ in their parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// Position in the schema.
    pub id: FunctionId,
    /// Name on the wire.
    pub name: Arc<str>,
    /// Words for people; shown in the API description.
    pub description: Option<String>,
    /// Parameters in declared order; `parameters[i].id` is `i`. One is required unless it has a default or is optional.
    pub parameters: Vec<Column>,
    /// Whether the only parameter takes the whole body of a request instead of a member of that name.
    pub takes_body: bool,
    /// What comes back.
    pub returns: Returns,
    /// Whether it may change rows: then it is called by `POST` only.
    pub writes: bool,
    /// Who may call it.
    pub access: Rule,
    /// What runs, in the store's own language.
    pub sql: Sql,
    /// Whether the database holds it and it was found there. Such a function is told everything, and decides itself
    /// what null means.
    pub is_stored: bool,
}

impl Function {
    /// The parameter with exactly this name.
    pub fn find_parameter(&self, name: &str) -> Option<&Column> {
        self.parameters.iter().find(|parameter| &*parameter.name == name)
    }

    /// The table whose columns describe the rows that come back; `None` if nothing does.
    pub fn rows(&self) -> Option<TableId> {
        match self.returns {
            Returns::Nothing => None,
            Returns::Value { table, .. } | Returns::Rows { table, .. } => Some(table),
        }
    }
}

/// What a function gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// Nothing.
    Nothing,
    /// One value, or a list of values when `many`.
    Value {
        /// A result table with one column, of the type of the value.
        table: TableId,
        /// Whether it is a list.
        many: bool,
    },
    /// Rows, or one row (an object or null) when not `many`.
    Rows {
        /// The table whose columns they have: one of the schema, or a result table of the function alone, which
        /// [`Schema::table`](crate::Schema::table) knows and [`Schema::tables`](crate::Schema::tables) does not list.
        table: TableId,
        /// Whether it is a list.
        many: bool,
    },
}

impl Returns {
    /// Whether the answer is a list.
    pub fn is_many(self) -> bool {
        matches!(self, Returns::Value { many: true, .. } | Returns::Rows { many: true, .. })
    }
}

/// The statement of a function.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sql {
    /// Its text, cut where parameters stand.
    pub pieces: Vec<Piece>,
    /// Which column of [`Function::rows`] each column of the result is, in the order of the statement.
    pub columns: Vec<ColumnId>,
    /// Columns of the result that the store has to convert to their types, because the statement computes them.
    pub computed: Vec<ColumnId>,
    /// What kind of statement it is.
    pub kind: SqlKind,
    /// Whether it has an order and no bound: engines may forget the order of such a query inside another one.
    pub is_ordered: bool,
}

impl Sql {
    /// Whether it is a query, whose rows another query can take. All else is run by itself, and what it gives is kept.
    pub fn is_query(&self) -> bool {
        self.kind == SqlKind::Statement
    }
}

/// What kind of statement a function is, which says where its result is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SqlKind {
    /// A query, or a change that may give rows back.
    #[default]
    Statement,
    /// The call of a procedure whose only set of rows has the columns of the function.
    Call,
    /// The call of a procedure of which nobody says what it gives: each row is a document, and of several sets each set.
    Sets,
    /// The call of a procedure whose output parameters are the result, in their order.
    Out,
    /// The same for one that gives rows besides them: its last column holds the list of those, or of several sets each.
    OutAndSets,
}

/// A part of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text as it is.
    Text(String),
    /// A parameter of the function.
    Parameter(ColumnId),
    /// A parameter of a function that the database holds, which the database fills in when nobody gives it.
    Optional(Box<Optional>),
    /// The place of an output parameter of a procedure.
    Out,
    /// Here a clause begins, in a statement that writes and says what it gives back.
    Clause(Clause),
}

/// An argument that need not be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Optional {
    /// The parameter.
    pub parameter: ColumnId,
    /// What stands before its value.
    pub before: String,
    /// What stands behind its value.
    pub after: String,
    /// What stands instead of all that when there is none.
    pub otherwise: String,
}

/// What a change of rows is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clause {
    /// `SET …`
    Set,
    /// `WHERE …`
    Where,
    /// `RETURNING …`
    Returning,
}
