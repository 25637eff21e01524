//! Plans as SQLite's SQL: text and parameters, nothing runs here.
//!
//! Identifiers come from the schema only and go through [`Sql::name`]; values are always parameters. The text depends
//! on the shape of a plan and not on its values, so that prepared statements are found again.

pub(super) mod alter;
mod call;
pub(super) mod ddl;
mod filter;
pub(super) mod fulltext;
mod group;
mod loose;
mod place;
mod read;
mod search;
mod write;

pub(super) use call::{Given, function};
pub(super) use filter::BOUND_BY_KEY_MAX;
pub(super) use read::{Form, From, MemberSql, ReadSql, count, count_some};
pub(super) use write::{
    Returned, WriteSql, delete, deletes_reach_itself, has_triggers, insert, is_read_apart, merged_columns, update,
};

use std::fmt::Write as _;

use mainstay_query::plan::{Expr, Pair};
use mainstay_schema::{ColumnId, Schema, Table, Type};

use super::functions;
use super::types::Bind;

/// A statement in the making.
pub(super) struct Sql<'p> {
    /// The text so far.
    pub(super) text: String,
    /// Its parameters in order.
    pub(super) binds: Vec<Bind<'p>>,
    schema: &'p Schema,
    aliases: u32,
    /// Whether values are written to be compared, rather than shown.
    is_comparing: bool,
    /// How many negations the condition in the making is under.
    negations: usize,
    /// Whether the rows are what a function gives, of which nothing enforces what its columns say about null.
    is_result: bool,
}

/// How columns of a table are written: by the alias of the table, or bare where SQLite takes no alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// `t3."name"`.
    Alias(u32),
    /// `"name"`, as `RETURNING` wants it.
    Bare,
    /// `c3`: a value of a group.
    Groups,
}

impl<'p> Sql<'p> {
    /// An empty statement.
    pub(super) fn new(schema: &'p Schema) -> Sql<'p> {
        Sql {
            text: String::with_capacity(256),
            binds: Vec::new(),
            schema,
            aliases: 0,
            is_comparing: false,
            negations: 0,
            is_result: false,
        }
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Writes an identifier: the only way that a name gets into a statement.
    pub(super) fn name(&mut self, name: &str) {
        self.text.push('"');
        match name.as_bytes().contains(&b'"') {
            true => self.text.push_str(&name.replace('"', "\"\"")),
            false => self.text.push_str(name),
        }
        self.text.push('"');
    }

    /// Writes the columns by which a row is found again.
    fn key_names(&mut self, table: &Table) {
        match row_number(self.schema, table) {
            Some(name) => self.name(name),
            None => self.names(table, &table.primary_key),
        }
    }

    fn names(&mut self, table: &Table, columns: &[ColumnId]) {
        for (position, column) in columns.iter().enumerate() {
            if position > 0 {
                self.push(",");
            }
            self.name(&table.column(*column).name);
        }
    }

    /// Writes a parameter.
    fn bind(&mut self, bind: Bind<'p>) {
        self.text.push('?');
        self.binds.push(bind);
    }

    /// Writes `"table" AS tN` with a new N.
    fn table(&mut self, table: &Table) -> Scope {
        let alias = self.alias();
        self.aliased(table, alias);
        Scope::Alias(alias)
    }

    /// A new alias.
    fn alias(&mut self) -> u32 {
        self.aliases += 1;
        self.aliases - 1
    }

    /// Writes `"table" AS tN`.
    fn aliased(&mut self, table: &Table, alias: u32) {
        self.name(&table.name);
        let _ = write!(self.text, " AS t{alias}");
    }

    fn column(&mut self, scope: Scope, table: &Table, column: ColumnId) {
        // The first alias by far the most often, so it does not take the long way through formatting.
        match scope {
            Scope::Bare => {}
            Scope::Groups => {
                let _ = write!(self.text, "c{}", column.index());
                return;
            }
            Scope::Alias(0) => self.text.push_str("t0."),
            Scope::Alias(alias) => {
                let _ = write!(self.text, "t{alias}.");
            }
        }
        self.name(&table.column(column).name);
    }

    /// Writes a name that is not a column of the schema, as columns are written.
    fn scoped_name(&mut self, scope: Scope, name: &str) {
        if let Scope::Alias(alias) = scope {
            let _ = write!(self.text, "t{alias}.");
        }
        self.name(name);
    }

    /// Writes `near = far and …` for the pairs of a link.
    fn pairs(&mut self, pairs: &[Pair], near: (Scope, &Table), far: (Scope, &Table)) {
        for (position, pair) in pairs.iter().enumerate() {
            if position > 0 {
                self.push(" AND ");
            }
            self.column(near.0, near.1, pair.here);
            self.push("=");
            self.column(far.0, far.1, pair.there);
        }
    }

    /// Writes an expression: a column, a path into it, a cast of either.
    fn expr(&mut self, scope: Scope, table: &Table, expr: &Expr) {
        let base = expr.base_type(table);
        match &expr.cast {
            Some(to) if !is_same_text(&base, to) => {
                self.push(functions::CAST);
                self.push("(");
                self.path(scope, table, expr);
                // Types print as letters, digits, brackets and commas: nothing that could end the literal.
                let _ = write!(self.text, ",'{base}','{to}')");
            }
            _ => self.path(scope, table, expr),
        }
    }

    fn path(&mut self, scope: Scope, table: &Table, expr: &Expr) {
        if expr.path.is_empty() {
            if !(self.is_comparing && self.schema.found().is_some() && table.column(expr.column).ty == Type::Json) {
                return self.column(scope, table, expr.column);
            }
            // Documents of other programs are in no canonical form: equal ones may be different text.
            self.push(functions::DOCUMENT);
            self.push("(");
            self.column(scope, table, expr.column);
            self.push(")");
            self.collate(&Type::Json);
            return;
        }
        if !matches!(table.column(expr.column).ty, Type::Json | Type::Array(_)) {
            // The JSON form of any other type is a scalar, which has no parts.
            return self.push("NULL");
        }
        self.push(if expr.as_text { functions::TEXT } else { functions::GET });
        self.push("(");
        self.column(scope, table, expr.column);
        self.push(",");
        self.bind(Bind::Text(functions::path_text(&expr.path)));
        self.push(")");
    }
}

/// The name of the number that SQLite gives each row of a table, where the table has no key.
pub(super) fn row_number<'s>(schema: &'s Schema, table: &Table) -> Option<&'s str> {
    if !table.primary_key.is_empty() {
        return None;
    }
    schema.found()?.table(table.id)?.row_number.as_deref()
}

/// Whether a cast changes nothing about what is kept.
fn is_same_text(from: &Type, to: &Type) -> bool {
    from == to
        || matches!(
            (from, to),
            (Type::Int, Type::BigInt) | (Type::Uuid | Type::Date | Type::Time | Type::Timestamp, Type::Text)
        )
}
