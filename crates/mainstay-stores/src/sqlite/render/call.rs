//! What SQLite says of functions in words of its own: parameters by their names, and values by a function of ours that
//! makes them what they should be.

use std::fmt::Write as _;

use mainstay_schema::{ColumnId, Function, Table, Value};

use super::super::functions;
use super::{Bind, Given, Sql};

impl<'p> Sql<'p> {
    /// Writes an argument. A parameter keeps its name, so that SQLite sees that it is the same wherever it stands; it
    /// counts among the unnamed ones where it stands first.
    pub(super) fn argument(
        &mut self,
        function: &Function,
        parameter: ColumnId,
        value: &'p Value,
        place: Option<usize>,
    ) {
        self.push(":");
        self.push(&function.parameters[parameter.index()].name);
        if place.is_none() {
            self.binds.push(Bind::Value(value));
        }
    }

    /// Writes a column as a value of its type.
    pub(super) fn computed_column(&mut self, table: &Table, column: ColumnId) {
        let column = table.column(column);
        self.push(functions::AS);
        self.push("(");
        self.name(&column.name);
        // Types print as letters, digits, brackets and commas: nothing that could end the literal.
        let _ = write!(self.text, ",'{}')", column.ty);
    }

    pub(super) fn given(&mut self, given: Given<'p>) {
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
