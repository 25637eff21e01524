//! Columns of found tables that compare otherwise than what is shown of them: bits, which a server takes for a number
//! where octets stand beside them, singles, which are not the doubles that they are shown as, and words of an `enum` or
//! a `set`, which are ordered by their places and compared as text.

use std::fmt::Write as _;

use mainstay_query::plan::{Comparison, Expr, Order, Test};
use mainstay_schema::{ColumnId, Table, Value};
use mysql_async::Value as Native;

use super::{Bind, Sql};
use crate::mysql::found::types::words;
use crate::sql::{Scope, operator};

/// What kind of such a column it is.
enum Kept<'t> {
    /// `bit(n)` of more than one, shown as octets.
    Bits,
    /// `float`, of which a double is shown that has its few digits.
    Single,
    /// `enum(…)` and `set(…)`, by their words.
    Words(&'t str),
}

fn kept<'s>(sql: &Sql<'s>, scope: Scope, table: &Table, expr: &Expr) -> Option<Kept<'s>> {
    let column = expr.as_column().filter(|_| scope != Scope::Groups)?;
    of_column(sql, table, column)
}

fn of_column<'s>(sql: &Sql<'s>, table: &Table, column: ColumnId) -> Option<Kept<'s>> {
    let schema: &'s mainstay_schema::Schema = sql.schema;
    let declared = schema.found()?.table(table.id)?.columns.get(column.index())?.declared.as_str();
    match declared.split(['(', ' ']).next()? {
        "bit" if declared != "bit(1)" => Some(Kept::Bits),
        "float" => Some(Kept::Single),
        "enum" | "set" => Some(Kept::Words(declared)),
        _ => None,
    }
}

/// The place of a text among the words of a column, as the server counts: that of an `enum`, the sum of those of a `set`.
fn place(declared: &str, value: &Value) -> Option<u64> {
    let Value::Text(text) = value else { return None };
    let words = words(declared);
    let at = |word: &str| words.iter().position(|other| other == word);
    match (declared.starts_with("set("), text.is_empty()) {
        (false, is_empty) => at(text).map(|at| at as u64 + 1).or(is_empty.then_some(0)),
        (true, true) => Some(0),
        (true, false) => text.split(',').try_fold(0, |sum, word| Some(sum | 1_u64.checked_shl(at(word)? as u32)?)),
    }
}

/// The single that a number is nearest to, as the double that a server makes of it.
fn single(value: &Value) -> Option<Native> {
    let Value::Float(number) = value else { return None };
    let near = *number as f32;
    near.is_finite().then(|| Native::Double(f64::from(near)))
}

impl<'p> Sql<'p> {
    /// Writes a test of such a column; false if it is none.
    pub(super) fn kept_test(&mut self, scope: Scope, table: &Table, expr: &'p Expr, test: &'p Test) -> bool {
        let Some(kind) = kept(self, scope, table, expr) else { return false };
        let is_order = |comparison: &Comparison| !matches!(comparison, Comparison::Eq | Comparison::Neq);
        match (kind, test) {
            (Kept::Words(declared), Test::Compare(comparison, value)) if is_order(comparison) => {
                self.beside_place(declared, operator(*comparison), value, |sql| sql.expr(scope, table, expr))
            }
            (Kept::Single, Test::Compare(comparison, value)) => {
                self.expr(scope, table, expr);
                self.push(operator(*comparison));
                self.bind_single(value);
                true
            }
            (Kept::Bits, Test::Compare(comparison, value)) => {
                self.octets(|sql| sql.expr(scope, table, expr));
                self.push(operator(*comparison));
                self.bind(Bind::Value(value));
                true
            }
            (kind @ (Kept::Single | Kept::Bits), Test::IsDistinct(value)) => {
                self.push("NOT(");
                self.kept(&kind, |sql| sql.expr(scope, table, expr));
                self.push(" <=> ");
                self.bind_kept(&kind, value);
                self.push(")");
                true
            }
            (kind @ (Kept::Single | Kept::Bits), Test::In(list)) if !list.is_empty() => {
                self.kept(&kind, |sql| sql.expr(scope, table, expr));
                self.push(" IN (");
                for position in 0..list.len().next_power_of_two() {
                    self.comma(position);
                    self.bind_kept(&kind, &list[position.min(list.len() - 1)]);
                }
                self.push(")");
                true
            }
            _ => false,
        }
    }

    /// Writes how a row lies to a place in an order by such a column; false if it is none.
    pub(super) fn kept_place(
        &mut self,
        scope: Scope,
        table: &Table,
        term: &'p Order,
        operator: &str,
        value: &'p Value,
    ) -> bool {
        let holder = term.via.as_ref().map_or(table, |via| self.schema.table(via.table));
        let Some(kind) = kept(self, scope, holder, &term.expr) else { return false };
        let write = |sql: &mut Sql<'p>| {
            sql.term_value(scope, table, term);
        };
        match kind {
            Kept::Words(declared) => return self.beside_place(declared, operator, value, write),
            kind => {
                self.kept(&kind, write);
                self.push(operator);
                self.bind_kept(&kind, value);
            }
        }
        true
    }

    /// Writes a column that keys are compared with.
    pub(super) fn kept_key(&mut self, scope: Scope, table: &Table, column: ColumnId) {
        match of_column(self, table, column) {
            Some(Kept::Bits) => self.octets(|sql| sql.column(scope, table, column)),
            _ => self.column(scope, table, column),
        }
    }

    /// Writes a comparison with the place of a word; false if it is none of the words.
    fn beside_place(
        &mut self,
        declared: &str,
        operator: &str,
        value: &'p Value,
        column: impl FnOnce(&mut Sql<'p>),
    ) -> bool {
        let Some(place) = place(declared, value) else { return false };
        column(self);
        let _ = write!(self.text, "+0{operator}{place}");
        true
    }

    fn kept(&mut self, kind: &Kept<'_>, column: impl FnOnce(&mut Sql<'p>)) {
        match kind {
            Kept::Bits => self.octets(column),
            _ => column(self),
        }
    }

    fn octets(&mut self, column: impl FnOnce(&mut Sql<'p>)) {
        self.push("CAST(");
        column(self);
        self.push(" AS BINARY)");
    }

    fn bind_kept(&mut self, kind: &Kept<'_>, value: &'p Value) {
        match kind {
            Kept::Single => self.bind_single(value),
            _ => self.bind(Bind::Value(value)),
        }
    }

    fn bind_single(&mut self, value: &'p Value) {
        match single(value) {
            Some(native) => self.bind(Bind::Native(native)),
            None => self.bind(Bind::Value(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_places_as_the_server_counts_them() {
        for (declared, text, expected) in [
            ("enum('b','a,b','')", "b", Some(1)),
            ("enum('b','a,b','')", "a,b", Some(2)),
            ("enum('b','a,b','')", "", Some(3)),
            ("enum('b')", "", Some(0)),
            ("enum('b')", "B", None),
            ("set('x','y z','it''s')", "", Some(0)),
            ("set('x','y z','it''s')", "x,it's", Some(5)),
            ("set('x','y z','it''s')", "y z", Some(2)),
            ("set('x','y z','it''s')", "y", None),
        ] {
            assert_eq!(place(declared, &Value::Text(text.to_owned())), expected, "{declared} {text}");
        }
    }
}
