//! Functions as SQL: their statements with parameters bound, and their results as sources of rows.
//!
//! A statement stands in a common table expression that names its columns by their place. What it computes is taken
//! as a value of the declared type; columns of tables pass as they are, so that SQLite can use indexes behind them.

use std::fmt::Write as _;

use mainstay_query::plan::{FunctionCall, Read};
use mainstay_schema::function::Piece;
use mainstay_schema::{Function, Schema, Table};

use super::super::functions;
use super::{Bind, From, Given, Sql, Sqlite};

/// The name of the result inside a statement; no table of a project is called so.
const ROWS: &str = "_mainstay_rows";

/// Renders the statement of a function by itself.
pub(in crate::sqlite) fn function<'p>(schema: &'p Schema, call: &'p FunctionCall) -> (String, Vec<Bind<'p>>) {
    let mut sql = Sql::new(Sqlite, schema);
    sql.statement(call);
    (sql.text, sql.binds)
}

impl<'p> Sql<'p> {
    /// Writes what a read takes its rows from, under this alias.
    pub(super) fn rows_of(&mut self, table: &'p Table, plan: &'p Read, from: From<'p>, alias: u32) {
        let schema = self.schema;
        match (from, plan.call.as_deref()) {
            (From::Given(given), _) => {
                self.result(table, given.function, alias, |sql| sql.given(given));
            }
            (_, Some(call)) => {
                self.result(table, schema.function(call.function), alias, |sql| sql.statement(call));
            }
            (_, None) => self.aliased(table, alias),
        }
    }

    fn result(&mut self, table: &Table, function: &Function, alias: u32, body: impl FnOnce(&mut Sql<'p>)) {
        self.is_result = true;
        self.push("(WITH ");
        self.name(ROWS);
        self.push("(");
        self.names(table, &function.sql.columns);
        self.push(") AS (");
        body(self);
        self.push(") SELECT ");
        for (position, id) in function.sql.columns.iter().enumerate() {
            self.comma(position);
            let column = table.column(*id);
            if function.sql.computed.contains(id) {
                self.push(functions::AS);
                self.push("(");
                self.name(&column.name);
                // Types print as letters, digits, brackets and commas: nothing that could end the literal.
                let _ = write!(self.text, ",'{}') AS ", column.ty);
            }
            self.name(&column.name);
        }
        self.push(" FROM ");
        self.name(ROWS);
        let _ = write!(self.text, ") AS t{alias}");
    }

    /// Writes the statement of a function. A parameter keeps its name, so that SQLite sees that it is the same wherever
    /// it stands; it counts among the unnamed ones where it stands first.
    fn statement(&mut self, call: &'p FunctionCall) {
        let function = self.schema.function(call.function);
        let mut bound = vec![false; function.parameters.len()];
        for piece in &function.sql.pieces {
            match piece {
                Piece::Text(text) => self.push(text),
                Piece::Parameter(id) => {
                    self.push(":");
                    self.push(&function.parameters[id.index()].name);
                    if !std::mem::replace(&mut bound[id.index()], true) {
                        self.binds.push(Bind::Value(&call.arguments[id.index()]));
                    }
                }
            }
        }
    }

    fn given(&mut self, given: Given<'p>) {
        let width = given.function.sql.columns.len();
        if given.values.is_empty() {
            self.push("SELECT ");
            self.push(&vec!["NULL"; width].join(","));
            self.push(" WHERE 0");
            return;
        }
        for (position, row) in given.values.chunks(width).enumerate() {
            self.push(if position > 0 { ",(" } else { "VALUES (" });
            for (column, value) in row.iter().enumerate() {
                self.comma(column);
                self.bind(Bind::Given(value));
            }
            self.push(")");
        }
    }
}
