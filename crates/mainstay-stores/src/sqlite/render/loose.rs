//! Tests of columns in which a file of another program keeps values as they come: a number is found by its digits, and
//! so is a text of the same digits, because nothing in an answer tells the two apart but their quotes.

use mainstay_query::plan::{Expr, Test};
use mainstay_schema::{Table, Type, Value};
use rusqlite::types::Value as Native;

use super::{Bind, Sql};
use crate::sql::{Scope, operator};

impl<'p> Sql<'p> {
    /// Whether an expression is a column that keeps values as they come.
    pub(super) fn is_loose(&self, table: &Table, expr: &Expr) -> bool {
        let about = self.schema.found().and_then(|found| found.table(table.id));
        let is_loose = |about: &mainstay_schema::found::FoundTable| about.columns[expr.column.index()].loose;
        expr.as_column().is_some() && about.is_some_and(is_loose) && table.column(expr.column).ty == Type::Text
    }

    /// Writes a test of such a column; false if it means the same as on any other.
    pub(super) fn loose_test(&mut self, scope: Scope, table: &Table, expr: &'p Expr, test: &'p Test) -> bool {
        match test {
            Test::Compare(comparison, value) => self.loose_comparison(scope, table, expr, operator(*comparison), value),
            Test::IsDistinct(value) => self.loose_comparison(scope, table, expr, " IS NOT ", value),
            Test::In(list) if !list.is_empty() => {
                let texts = list.iter().map(super::super::types::native);
                let numbers = list.iter().filter_map(number);
                self.expr(scope, table, expr);
                self.push(" IN (SELECT value FROM rarray(");
                self.bind(Bind::List(std::rc::Rc::new(texts.chain(numbers).collect())));
                self.push("))");
            }
            _ => return false,
        }
        true
    }

    /// Numbers are compared with the operand as a number, everything else with it as text.
    fn loose_comparison(&mut self, scope: Scope, table: &Table, expr: &'p Expr, operator: &str, value: &'p Value) {
        self.expr(scope, table, expr);
        self.push(operator);
        self.push("CASE WHEN typeof(");
        self.expr(scope, table, expr);
        self.push(") IN ('integer','real') THEN ? ELSE ? END");
        self.binds.push(number(value).map_or(Bind::Value(value), Bind::Native));
        self.binds.push(Bind::Value(value));
    }
}

/// The number that a text is the digits of.
fn number(value: &Value) -> Option<Native> {
    let Value::Text(text) = value else { return None };
    if let Ok(number) = text.parse::<i64>() {
        return Some(Native::Integer(number));
    }
    let is_decimal = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
    text.parse::<f64>().ok().filter(|number| is_decimal && number.is_finite()).map(Native::Real)
}
