//! Filters as SQL conditions with SQL's three values.

use mainstay_query::plan::{ColumnTest, Comparison, Expr, Filter, Join, Test};
use mainstay_schema::{Table, TableId, Value};

use super::dialect::{Dialect, SetTest};
use super::{Bind, Scope, Sql, clamp};

/// Most terms side by side; more are halved, because engines bound the depth of an expression, and `a AND b AND c` is
/// one level deeper for each term.
const TERMS_FLAT_MAX: usize = 16;

impl<'p, D: Dialect> Sql<'p, D> {
    /// Writes a condition that can stand anywhere an operand can.
    pub(crate) fn filter(&mut self, scope: Scope, table: &Table, filter: &'p Filter) {
        match filter {
            Filter::True => self.push(D::TRUTHS[0]),
            Filter::False => self.push(D::TRUTHS[1]),
            Filter::Unknown => self.push(D::TRUTHS[2]),
            Filter::And(parts) => self.terms(scope, table, parts, " AND ", D::TRUTHS[0]),
            Filter::Or(parts) => self.terms(scope, table, parts, " OR ", D::TRUTHS[1]),
            Filter::Not(part) => {
                self.push("NOT(");
                self.negations += 1;
                self.filter(scope, table, part);
                self.negations -= 1;
                self.push(")");
            }
            Filter::Test { expr, test } => {
                self.push("(");
                let was_comparing = std::mem::replace(&mut self.is_comparing, true);
                self.test(scope, table, expr, test);
                self.is_comparing = was_comparing;
                self.push(")");
            }
            Filter::Search(search) => {
                self.push("(");
                D::search(self, scope, table, search);
                self.push(")");
            }
            Filter::Columns { left, test, right } => {
                let was_comparing = std::mem::replace(&mut self.is_comparing, true);
                self.push("(");
                self.columns(scope, table, left, *test, right);
                self.push(")");
                self.is_comparing = was_comparing;
            }
            Filter::Exists { join, table: target, filter, skip } => {
                self.exists((scope, table), join, *target, filter, *skip);
            }
        }
    }

    fn terms(&mut self, scope: Scope, table: &Table, parts: &'p [Filter], word: &str, empty: &str) {
        if parts.is_empty() {
            return self.push(empty);
        }
        self.push("(");
        if parts.len() > TERMS_FLAT_MAX {
            let (left, right) = parts.split_at(parts.len() / 2);
            self.terms(scope, table, left, word, empty);
            self.push(word);
            self.terms(scope, table, right, word, empty);
        } else {
            for (position, part) in parts.iter().enumerate() {
                if position > 0 {
                    self.push(word);
                }
                self.filter(scope, table, part);
            }
        }
        self.push(")");
    }

    fn exists(&mut self, outer: (Scope, &Table), join: &'p Join, target: TableId, filter: &'p Filter, skip: u64) {
        let schema = self.schema;
        let target = schema.table(target);
        self.push("EXISTS(SELECT 1 FROM ");
        let inner = self.link(outer.0, outer.1, join, target);
        if *filter != Filter::True {
            self.push(" AND ");
            self.filter(inner, target, filter);
        }
        if skip > 0 {
            self.push(" LIMIT 1 OFFSET ");
            self.bind(Bind::Int(clamp(skip)));
        }
        self.push(")");
    }

    /// Writes `target AS tN … WHERE <linked to the outer row>` and gives the target's scope.
    pub(super) fn link(&mut self, outer: Scope, outer_table: &Table, join: &'p Join, target: &Table) -> Scope {
        let schema = self.schema;
        match join {
            Join::Direct(pairs) => {
                let inner = self.table(target);
                self.push(" WHERE ");
                self.pairs(pairs, (outer, outer_table), (inner, target));
                inner
            }
            Join::Through { table, parent, child } => {
                let junction = schema.table(*table);
                let middle = self.table(junction);
                self.push(" JOIN ");
                let inner = self.table(target);
                self.push(" ON ");
                self.pairs(child, (middle, junction), (inner, target));
                self.push(" WHERE ");
                self.pairs(parent, (outer, outer_table), (middle, junction));
                inner
            }
        }
    }

    fn test(&mut self, scope: Scope, table: &Table, expr: &'p Expr, test: &'p Test) {
        if D::own_test(self, scope, table, expr, test) {
            return;
        }
        match test {
            Test::Compare(comparison, value) => D::compare(self, scope, table, expr, *comparison, value),
            Test::In(list) => self.list(scope, table, expr, list),
            Test::IsNull => {
                D::expr(self, scope, table, expr);
                self.push(" IS NULL");
            }
            Test::IsBool(wanted) => {
                D::expr(self, scope, table, expr);
                self.push(D::is_truth(*wanted));
            }
            Test::IsDistinct(value) => {
                D::distinct(self, |sql| D::expr(sql, scope, table, expr), |sql| sql.bind(Bind::Value(value)));
            }
            Test::Like { pattern, case_sensitive } => D::like(self, scope, table, expr, pattern, *case_sensitive),
            Test::Match { pattern, case_sensitive } => {
                D::matches(self, scope, table, expr, pattern.0.as_str(), *case_sensitive);
            }
            Test::Contains(value) => D::set(self, scope, table, expr, SetTest::Contains, value),
            Test::ContainedIn(value) => D::set(self, scope, table, expr, SetTest::ContainedIn, value),
            Test::Overlaps(value) => D::set(self, scope, table, expr, SetTest::Overlaps, value),
            Test::Range(test, value) => D::range(self, scope, table, expr, *test, value),
        }
    }

    fn columns(&mut self, scope: Scope, table: &Table, left: &'p Expr, test: ColumnTest, right: &'p Expr) {
        match test {
            ColumnTest::Compare(comparison) => {
                D::expr(self, scope, table, left);
                self.push(operator(comparison));
                D::expr(self, scope, table, right);
                // Equal values of two columns need not look alike: 1.5 and 1.50.
                D::collate(self, &left.ty(table));
            }
            ColumnTest::IsDistinct => D::distinct(
                self,
                |sql| D::expr(sql, scope, table, left),
                |sql| {
                    D::expr(sql, scope, table, right);
                    D::collate(sql, &left.ty(table));
                },
            ),
            ColumnTest::Like { case_sensitive } => {
                D::like_column(self, scope, table, (left, right), case_sensitive);
            }
        }
    }

    fn list(&mut self, scope: Scope, table: &Table, expr: &'p Expr, list: &'p [Value]) {
        if list.is_empty() {
            return self.push(D::TRUTHS[1]);
        }
        D::expr(self, scope, table, expr);
        if list.len() > D::LIST_PARAMETERS_MAX && D::takes_list(&expr.ty(table)) {
            return D::in_list(self, &expr.ty(table), D::list(list));
        }
        self.push(" IN (");
        // Filled up to a power of two with the last item, so that few statements serve all lengths.
        for position in 0..list.len().next_power_of_two() {
            self.comma(position);
            self.bind(Bind::Value(&list[position.min(list.len() - 1)]));
        }
        self.push(")");
    }
}

pub(crate) fn operator(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Eq => "=",
        Comparison::Neq => "<>",
        Comparison::Lt => "<",
        Comparison::Lte => "<=",
        Comparison::Gt => ">",
        Comparison::Gte => ">=",
    }
}
