//! Rows after a place in an order, so written that an index of that order leads there.

use mainstay_query::plan::Order;
use mainstay_schema::{Table, Value};

use super::dialect::Dialect;
use super::{Bind, Scope, Sql};

impl<'p, D: Dialect> Sql<'p, D> {
    /// Writes the condition that a row comes after `place`, which has a value for each term of the order.
    pub(super) fn after(&mut self, scope: Scope, table: &Table, order: &'p [Order], place: &'p [Value]) {
        let Some((first, value)) = order.first().zip(place.first()) else { return self.push(D::TRUTHS[1]) };
        if self.row_value(scope, table, order, place) {
            return;
        }
        self.push("(");
        if !value.is_null() && (first.nulls_first || !may_be_null(table, first)) {
            // Says no more than what follows, but is what an index can begin with.
            D::placed(self, scope, table, first, if first.descending { "<=" } else { ">=" }, value);
            self.push(" AND ");
        }
        self.chain(scope, table, order, place);
        self.push(")");
    }

    /// After in the first term, or equal in it and after in the rest.
    fn chain(&mut self, scope: Scope, table: &Table, order: &'p [Order], place: &'p [Value]) {
        let Some((first, value)) = order.first().zip(place.first()) else { return self.push(D::TRUTHS[1]) };
        if self.row_value(scope, table, order, place) {
            return;
        }
        self.push("(");
        self.strictly(scope, table, first, value);
        if order.len() > 1 {
            self.push(" OR (");
            match value {
                Value::Null => {
                    self.term_value(scope, table, first);
                    self.push(" IS NULL");
                }
                value => D::placed(self, scope, table, first, "=", value),
            }
            self.push(" AND ");
            self.chain(scope, table, &order[1..], &place[1..]);
            self.push(")");
        }
        self.push(")");
    }

    /// One comparison of rows, where all terms go the same way and have no null and no order of their own: an engine then
    /// goes straight to the place in an index.
    fn row_value(&mut self, scope: Scope, table: &Table, order: &'p [Order], place: &'p [Value]) -> bool {
        let is_plain = |term: &Order| {
            term.via.is_none()
                && term.descending == order[0].descending
                && !may_be_null(table, term)
                && D::is_plain_order(&term.expr.ty(table))
        };
        let is_searched = order.len() == 1 || D::SEARCHES_ROWS;
        if !is_searched || !order.iter().all(is_plain) || place.iter().any(Value::is_null) {
            return false;
        }
        self.push("(");
        for (position, term) in order.iter().enumerate() {
            self.comma(position);
            self.term_value(scope, table, term);
        }
        self.push(if order[0].descending { ")<(" } else { ")>(" });
        for (position, value) in place.iter().enumerate() {
            self.comma(position);
            self.bind(Bind::Value(value));
        }
        self.push(")");
        true
    }

    fn strictly(&mut self, scope: Scope, table: &Table, term: &'p Order, value: &'p Value) {
        match (value, term.nulls_first) {
            (Value::Null, true) => {
                self.term_value(scope, table, term);
                self.push(" IS NOT NULL");
            }
            (Value::Null, false) => self.push(D::TRUTHS[1]),
            (value, nulls_first) => {
                D::placed(self, scope, table, term, if term.descending { "<" } else { ">" }, value);
                if !nulls_first && may_be_null(table, term) {
                    self.push(" OR ");
                    self.term_value(scope, table, term);
                    self.push(" IS NULL");
                }
            }
        }
    }
}

/// Whether the value of a term may be null.
pub(super) fn may_be_null(table: &Table, term: &Order) -> bool {
    // What a view declares about null is not enforced by anybody.
    term.via.is_some()
        || !table.is_writable()
        || term.expr.as_column().is_none_or(|column| table.column(column).optional)
}
