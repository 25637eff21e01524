//! Functions as SQL: their statements with parameters bound, and their results as sources of rows.
//!
//! A query stands in a common table expression that names its columns by their place. What it computes is made a value
//! of the declared type by the dialect; columns of tables pass as they are, so that an engine can use indexes behind
//! them. What cannot stand there, since it writes or calls, is run by itself, and its rows come back as [`Given`](super::Given).

use std::fmt::Write as _;

use mainstay_query::plan::{FunctionCall, Read};
use mainstay_schema::function::Piece;
use mainstay_schema::{ColumnId, Function, Schema, Table};

use super::dialect::Dialect;
use super::{Bind, From, Sql};

/// The name of the result inside a statement; no table of a project is called so.
const ROWS: &str = "_mainstay_rows";

/// Renders the statement of a function by itself.
pub(crate) fn function<'p, D: Dialect>(
    dialect: D,
    schema: &'p Schema,
    call: &'p FunctionCall,
) -> (String, Vec<Bind<'p, D>>) {
    let mut sql = Sql::new(dialect, schema);
    sql.statement(call);
    (sql.text, sql.binds)
}

impl<'p, D: Dialect> Sql<'p, D> {
    /// Writes what a read takes its rows from, under this alias.
    pub(crate) fn rows_of(&mut self, table: &'p Table, plan: &'p Read, from: From<'p, D>, alias: u32) {
        let schema = self.schema;
        match (from, plan.call.as_deref()) {
            (From::Given(given), _) => {
                let computed = if D::GIVEN_IS_TYPED { &[][..] } else { &given.function.sql.computed };
                self.result(table, given.function, computed, alias, |sql| D::given(sql, table, given));
            }
            (_, Some(call)) => {
                let function = schema.function(call.function);
                self.result(table, function, &function.sql.computed, alias, |sql| {
                    sql.statement(call);
                    if function.sql.is_ordered {
                        D::keep_order(sql);
                    }
                });
            }
            (_, None) => self.aliased(table, alias),
        }
    }

    fn result(
        &mut self,
        table: &Table,
        function: &Function,
        computed: &[ColumnId],
        alias: u32,
        body: impl FnOnce(&mut Sql<'p, D>),
    ) {
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
            if computed.contains(id) {
                D::computed(self, table, *id);
                self.push(" AS ");
            }
            self.name(&table.column(*id).name);
        }
        self.push(" FROM ");
        self.name(ROWS);
        let _ = write!(self.text, ") AS t{alias}");
    }

    /// Writes the statement of a function.
    fn statement(&mut self, call: &'p FunctionCall) {
        let function = self.schema.function(call.function);
        let mut places: Vec<Option<usize>> = vec![None; function.parameters.len()];
        let mut argument = |sql: &mut Sql<'p, D>, id: ColumnId| {
            let place = places[id.index()].get_or_insert(sql.binds.len() + 1);
            let is_bound = *place <= sql.binds.len();
            let place = is_bound.then_some(*place);
            D::argument(sql, function, id, &call.arguments[id.index()], place);
        };
        for piece in &function.sql.pieces {
            match piece {
                Piece::Text(text) => self.push(text),
                Piece::Parameter(id) => argument(self, *id),
                Piece::Optional(optional) if call.left_out.contains(&optional.parameter) => {
                    self.push(&optional.otherwise);
                }
                Piece::Optional(optional) => {
                    self.push(&optional.before);
                    argument(self, optional.parameter);
                    self.push(&optional.after);
                }
                Piece::Out => self.bind(Bind::Later),
                Piece::Clause(_) => {}
            }
        }
    }
}

/// The rows that a function gave as one document, which a server takes as one parameter: a list of objects whose members
/// `c0`, `c1`, … hold what `text` makes of each value. What is null is left out.
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(crate) fn document(
    rows: &[Vec<mainstay_schema::Value>],
    text: impl Fn(&mainstay_schema::Value) -> Option<String>,
) -> String {
    let mut document = String::from("[");
    for (at, row) in rows.iter().enumerate() {
        document.push_str(if at > 0 { ",{" } else { "{" });
        let mut is_first = true;
        for (column, value) in row.iter().enumerate() {
            let Some(text) = text(value) else { continue };
            if !std::mem::replace(&mut is_first, false) {
                document.push(',');
            }
            let _ = write!(document, "\"c{column}\":");
            document.push_str(mainstay_schema::value::Json::string(&text).as_str());
        }
        document.push('}');
    }
    document.push(']');
    document
}
