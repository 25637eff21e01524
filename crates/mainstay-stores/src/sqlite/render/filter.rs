//! Filters as SQL conditions with SQL's three values.

use std::rc::Rc;

use mainstay_query::plan::{ColumnTest, Comparison, Expr, Filter, Join, Test};
use mainstay_schema::{Table, TableId, Type, Value};

use super::super::functions;
use super::super::types::{self, Bind};
use super::{Scope, Sql};

/// Longest `in` list that is written as single parameters; a longer one goes in as one array. Below this a list of
/// parameters lets SQLite plan with the number of items.
const LIST_PARAMETERS_MAX: usize = 32;
/// Most keys in an `in` list for a write to count as bounded by its key.
pub(in crate::sqlite) const BOUND_BY_KEY_MAX: usize = 32;
/// Most terms side by side; more are halved, because SQLite bounds the depth of an expression, and `a AND b AND c` is
/// one level deeper for each term.
const TERMS_FLAT_MAX: usize = 16;

impl<'p> Sql<'p> {
    /// Writes a condition that can stand anywhere an operand can.
    pub(super) fn filter(&mut self, scope: Scope, table: &Table, filter: &'p Filter) {
        match filter {
            Filter::True => self.push("1"),
            Filter::False => self.push("0"),
            Filter::Unknown => self.push("NULL"),
            Filter::And(parts) => self.terms(scope, table, parts, " AND ", "1"),
            Filter::Or(parts) => self.terms(scope, table, parts, " OR ", "0"),
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
                self.search(scope, table, search);
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
            self.bind(Bind::Int(types::clamp(skip)));
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
        let ty = expr.ty(table);
        if self.is_loose(table, expr) && self.loose_test(scope, table, expr, test) {
            return;
        }
        match test {
            Test::Compare(comparison, value) => {
                self.expr(scope, table, expr);
                self.push(operator(*comparison));
                self.bind(Bind::Value(value));
                let is_equality = matches!(comparison, Comparison::Eq | Comparison::Neq);
                if !is_equality || (!is_in_key(table, expr) && matches!(ty, Type::Decimal { .. })) {
                    self.collate(&ty);
                }
            }
            Test::In(list) => self.list(scope, table, expr, list),
            Test::IsNull => {
                self.expr(scope, table, expr);
                self.push(" IS NULL");
            }
            Test::IsBool(wanted) => {
                self.expr(scope, table, expr);
                self.push(if *wanted { " IS 1" } else { " IS 0" });
            }
            Test::IsDistinct(value) => {
                self.expr(scope, table, expr);
                self.push(" IS NOT ");
                self.bind(Bind::Value(value));
            }
            // Of a found column nobody knows whether its order is that of its bytes, as the range for a prefix needs.
            Test::Like { pattern, case_sensitive: true } if self.schema.found().is_some() => {
                self.pattern(functions::LIKE, scope, table, expr, pattern)
            }
            Test::Like { pattern, case_sensitive: true } => self.like(scope, table, expr, pattern),
            Test::Like { pattern, case_sensitive: false } => {
                self.pattern(functions::ILIKE, scope, table, expr, pattern)
            }
            Test::Match { pattern, case_sensitive } => {
                let function = if *case_sensitive { functions::MATCH } else { functions::IMATCH };
                self.pattern(function, scope, table, expr, pattern.0.as_str());
            }
            Test::Contains(value) => self.sets(functions::CONTAINS, scope, table, expr, value),
            Test::ContainedIn(value) => self.sets(functions::CONTAINED, scope, table, expr, value),
            Test::Overlaps(value) => self.sets(functions::OVERLAPS, scope, table, expr, value),
        }
    }

    fn columns(&mut self, scope: Scope, table: &Table, left: &'p Expr, test: ColumnTest, right: &'p Expr) {
        let operator = match test {
            ColumnTest::Compare(comparison) => operator(comparison),
            ColumnTest::IsDistinct => " IS NOT ",
            ColumnTest::Like { case_sensitive } => {
                self.push(if case_sensitive { functions::LIKE_COLUMN } else { functions::ILIKE_COLUMN });
                self.push("(");
                self.expr(scope, table, right);
                self.push(",");
                self.expr(scope, table, left);
                return self.push(")");
            }
        };
        self.expr(scope, table, left);
        self.push(operator);
        self.expr(scope, table, right);
        // Equal values of two columns need not look alike: 1.5 and 1.50.
        self.collate(&left.ty(table));
    }

    /// Writes the collation that gives the order of values of `ty`, if it needs one.
    pub(super) fn collate(&mut self, ty: &Type) {
        // Decimals of found columns are numbers to SQLite, which need no order of ours.
        let is_needed = self.schema.found().is_none() || !matches!(ty, Type::Decimal { .. });
        if let Some(collation) = types::collation(ty).filter(|_| is_needed) {
            self.push(" COLLATE ");
            self.name(collation);
        }
    }

    fn list(&mut self, scope: Scope, table: &Table, expr: &'p Expr, list: &'p [Value]) {
        if list.is_empty() {
            return self.push("0");
        }
        self.expr(scope, table, expr);
        if list.len() > LIST_PARAMETERS_MAX {
            self.push(" IN (SELECT value FROM rarray(");
            self.bind(Bind::List(Rc::new(list.iter().map(types::native).collect())));
            return self.push("))");
        }
        self.push(" IN (");
        // Filled up to a power of two with the last item, so that few statements serve all lengths.
        for position in 0..list.len().next_power_of_two() {
            if position > 0 {
                self.push(",");
            }
            self.bind(Bind::Value(&list[position.min(list.len() - 1)]));
        }
        self.push(")");
    }

    /// A pattern that begins with plain text becomes a range, which an index serves; what is left goes to our function.
    fn like(&mut self, scope: Scope, table: &Table, expr: &'p Expr, pattern: &'p str) {
        let (prefix, rest) = split_pattern(pattern);
        if rest.is_empty() {
            self.expr(scope, table, expr);
            self.push("=");
            return self.bind(Bind::Text(prefix));
        }
        let is_prefix_only = rest == "%";
        let Some(end) = after_prefix(&prefix) else {
            return self.pattern(functions::LIKE, scope, table, expr, pattern);
        };
        self.expr(scope, table, expr);
        self.push(">=");
        self.bind(Bind::Text(prefix));
        self.push(" AND ");
        self.expr(scope, table, expr);
        self.push("<");
        self.bind(Bind::Text(end));
        if !is_prefix_only {
            self.push(" AND ");
            self.pattern(functions::LIKE, scope, table, expr, pattern);
        }
    }

    fn pattern(&mut self, function: &str, scope: Scope, table: &Table, expr: &'p Expr, pattern: &str) {
        self.push(function);
        self.push("(");
        self.bind(Bind::Text(pattern.to_owned()));
        self.push(",");
        self.expr(scope, table, expr);
        self.push(")");
    }

    fn sets(&mut self, function: &str, scope: Scope, table: &Table, expr: &'p Expr, value: &'p Value) {
        self.push(function);
        self.push("(");
        self.expr(scope, table, expr);
        self.push(",");
        self.bind(Bind::Value(value));
        self.push(",'");
        self.push(&expr.ty(table).to_string());
        self.push("')");
    }
}

pub(super) fn operator(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Eq => "=",
        Comparison::Neq => "<>",
        Comparison::Lt => "<",
        Comparison::Lte => "<=",
        Comparison::Gt => ">",
        Comparison::Gte => ">=",
    }
}

/// Whether an index of a key, which is in byte order, serves equality on this column.
fn is_in_key(table: &Table, expr: &Expr) -> bool {
    expr.as_column().is_some_and(|column| {
        table.primary_key.contains(&column) || table.uniques.iter().any(|key| key.columns.contains(&column))
    })
}

/// The literal text before the first wildcard, and the pattern from there on.
fn split_pattern(pattern: &str) -> (String, &str) {
    let mut prefix = String::new();
    let mut chars = pattern.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '%' | '_' => return (prefix, &pattern[at..]),
            '\\' => match chars.next() {
                Some((_, literal)) => prefix.push(literal),
                // A lone backslash at the end: what it means is our function's business.
                None => return (prefix, &pattern[at..]),
            },
            c => prefix.push(c),
        }
    }
    (prefix, "")
}

/// The smallest text after every text that begins with `prefix`; `None` when there is none.
fn after_prefix(prefix: &str) -> Option<String> {
    let last = prefix.chars().next_back()?;
    // The code points of surrogates are no characters: the next one lies behind them.
    let next = if last == '\u{d7ff}' { '\u{e000}' } else { char::from_u32(u32::from(last) + 1)? };
    Some(format!("{}{next}", &prefix[..prefix.len() - last.len_utf8()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_split_at_the_first_wildcard() {
        for (pattern, prefix, rest) in [
            ("abc%", "abc", "%"),
            ("abc", "abc", ""),
            ("a_c", "a", "_c"),
            ("%x", "", "%x"),
            ("50\\%%", "50%", "%"),
            ("a\\_b", "a_b", ""),
            ("a\\", "a", "\\"),
        ] {
            assert_eq!(split_pattern(pattern), (prefix.to_owned(), rest), "{pattern}");
        }
    }

    #[test]
    fn a_prefix_ends_at_the_next_character() {
        for (prefix, expected) in
            [("abc", Some("abd")), ("z", Some("{")), ("\u{d7ff}", Some("\u{e000}")), ("a\u{10ffff}", None), ("", None)]
        {
            assert_eq!(after_prefix(prefix).as_deref(), expected, "{prefix:?}");
        }
    }
}
