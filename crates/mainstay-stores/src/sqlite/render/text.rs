//! Tests of texts, documents and arrays.

use mainstay_query::plan::Expr;
use mainstay_schema::{Table, Value};

use super::super::functions;
use super::{Bind, Sql};
use crate::sql::Scope;

/// Most keys in an `in` list for a write to count as bounded by its key.
pub(in crate::sqlite) const BOUND_BY_KEY_MAX: usize = 32;

impl<'p> Sql<'p> {
    /// A pattern that begins with plain text becomes a range, which an index serves; what is left goes to our function.
    pub(super) fn like(&mut self, scope: Scope, table: &Table, expr: &'p Expr, pattern: &'p str) {
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

    pub(super) fn pattern(&mut self, function: &str, scope: Scope, table: &Table, expr: &'p Expr, pattern: &str) {
        self.push(function);
        self.push("(");
        self.bind(Bind::Text(pattern.to_owned()));
        self.push(",");
        self.expr(scope, table, expr);
        self.push(")");
    }

    pub(super) fn sets(&mut self, function: &str, scope: Scope, table: &Table, expr: &'p Expr, value: &'p Value) {
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
