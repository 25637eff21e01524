//! Expressions: columns, paths into documents, tests of arrays, aggregates.
//!
//! Documents are text in canonical form, and what a path leads to is to be the canonical text of that part. Neither
//! server gives it by itself: MySQL turns numbers into doubles and sorts members by the length of their names, MariaDB
//! writes blanks between members. So numbers are made strings that begin with a character that no document holds before
//! the path is followed, and turned back after it.

use std::fmt::Write as _;

use mainstay_query::evaluate::to_json;
use mainstay_query::plan::{Expr, Function, PathStep};
use mainstay_schema::{Table, Type, Value};

use super::cast::cast;
use super::{Bind, Sql};
use crate::sql::{Scope, SetTest};

/// Stands between the values of which one is the result: no canonical text holds it.
pub(in crate::mysql) const SEPARATOR: char = '\u{1e}';

/// A JSON string, or a number, which is kept in the second group.
const STRING_OR_NUMBER: &str = r#"("(?:[^"\\]|\\.)*+")|(-?[0-9][0-9.eE+-]*+)"#;
/// A JSON string, or what a printer writes a blank after.
const STRING_OR_GAP: &str = r#"("(?:[^"\\]|\\.)*+")|([,:]) "#;
/// A number that was made a string.
const MARKED: &str = r#""\\u0000([^"]*)""#;

impl<'p> Sql<'p> {
    /// Writes an expression as it is compared: a column, or a path into it as canonical text.
    pub(super) fn expr(&mut self, scope: Scope, table: &Table, expr: &Expr) {
        let base = expr.base_type(table);
        match &expr.cast {
            Some(to) if *to != base => cast(self, &base, to, |sql| sql.path(scope, table, expr)),
            _ => self.path(scope, table, expr),
        }
    }

    fn path(&mut self, scope: Scope, table: &Table, expr: &Expr) {
        if expr.path.is_empty() {
            return match (scope, &table.column(expr.column).ty) {
                (Scope::Groups, Type::Decimal { precision: 38, scale: 16 }) => self.mean(scope, table, expr),
                _ => self.column(scope, table, expr.column),
            };
        }
        if !matches!(table.column(expr.column).ty, Type::Json | Type::Array(_)) {
            // The JSON form of any other type is a scalar, which has no parts.
            return self.push("NULL");
        }
        let collation = self.dialect.0.text_collation();
        let document = if self.dialect.0.is_mariadb() {
            self.written(|sql| sql.column(scope, table, expr.column))
        } else {
            "d.v".to_owned()
        };
        self.push(if self.dialect.0.is_mariadb() {
            "(CASE WHEN FALSE THEN NULL"
        } else {
            "(SELECT CASE WHEN FALSE THEN NULL"
        });
        // An index leads into arrays only, where the servers take anything for an array of one.
        let mut path = Path(vec![Segment::Literal("$".to_owned())]);
        for step in &expr.path {
            match step {
                PathStep::Key(key) => {
                    let name = mainstay_schema::value::Json::string(key);
                    path.push(&format!(".{}", name.as_str()));
                }
                PathStep::Index(index) => {
                    let array = format!("json_extract({document},{})", path.written());
                    let _ = write!(self.text, " WHEN json_type({array})<>'ARRAY' THEN NULL");
                    match index {
                        0.. => path.push(&format!("[{index}]")),
                        // MariaDB takes `last` in a constant path for what it was in the first row.
                        _ if self.dialect.0.is_mariadb() => {
                            let length = format!("json_length({array})");
                            let _ = write!(self.text, " WHEN {length}<{} THEN NULL", -i128::from(*index));
                            path.push("[");
                            path.0.push(Segment::Sql(format!("{length}{index}")));
                            path.push("]");
                        }
                        -1 => path.push("[last]"),
                        _ => path.push(&format!("[last-{}]", -(i128::from(*index) + 1))),
                    }
                }
            }
        }
        let part = format!("json_extract({document},{})", path.written());
        if expr.as_text {
            let _ = write!(
                self.text,
                " WHEN json_type({part})='NULL' THEN NULL WHEN json_type({part})='STRING' \
                 THEN trim(LEADING char(0 USING utf8mb4) FROM json_unquote({part}))"
            );
        }
        self.push(" ELSE ");
        self.replaced(STRING_OR_GAP, 2, |sql| sql.replaced(MARKED, 1, |sql| sql.push(&format!("concat('',{part})"))));
        self.push(" END");
        if self.dialect.0.is_mariadb() {
            let _ = write!(self.text, ") COLLATE {collation}");
            return;
        }
        self.push(" FROM (SELECT replace(replace(replace(");
        self.replaced_with(STRING_OR_NUMBER, &["1", "\u{2}", "2", "\u{3}"], |sql| {
            sql.column(scope, table, expr.column)
        });
        let _ =
            write!(self.text, ",'\u{2}\u{3}',''),'\u{2}','\"\\u0000'),'\u{3}','\"') AS v) AS d) COLLATE {collation}");
    }

    /// Writes a mean as a number: it comes as the sum and the count that it is made of.
    fn mean(&mut self, scope: Scope, table: &Table, expr: &Expr) {
        let value = self.written(|sql| sql.column(scope, table, expr.column));
        let _ = write!(
            self.text,
            "(CASE WHEN locate('/',{value})>0 THEN cast(substring_index({value},'/',1) AS decimal(65,20))\
             /cast(substring_index({value},'/',-1) AS decimal(20)) ELSE cast({value} AS decimal(65,20)) END)"
        );
    }

    /// What `write` writes, apart.
    pub(super) fn written(&mut self, write: impl FnOnce(&mut Self)) -> String {
        let start = self.text.len();
        write(self);
        self.text.split_off(start)
    }

    /// Writes a text in which a pattern is replaced by its first groups.
    fn replaced(&mut self, pattern: &str, groups: usize, value: impl FnOnce(&mut Self)) {
        self.replaced_with(pattern, &["1", "2"][..groups], value);
    }

    /// The same with other text between them: digits are groups.
    fn replaced_with(&mut self, pattern: &str, with: &[&str], value: impl FnOnce(&mut Self)) {
        self.push("regexp_replace(");
        value(self);
        let _ = write!(self.text, ",{},'", super::names::text_literal(pattern));
        let mark = if self.dialect.0.is_mariadb() { '\\' } else { '$' };
        for part in with {
            if part.starts_with(|c: char| c.is_ascii_digit()) {
                self.text.push(mark);
            }
            self.push(part);
        }
        self.push("')");
    }

    /// Writes a text in which letter case counts, whatever the column says: those of other programs have orders of their
    /// own.
    pub(super) fn exact(&mut self, scope: Scope, table: &Table, expr: &Expr) {
        let is_plain = self.schema.found().is_none() || expr.as_column().is_none();
        if is_plain {
            return self.expr(scope, table, expr);
        }
        self.push("CONVERT(");
        self.expr(scope, table, expr);
        self.push(" USING utf8mb4) COLLATE ");
        self.push(self.dialect.0.text_collation());
    }

    /// Writes that a regular expression matches.
    pub(super) fn regex(&mut self, scope: Scope, table: &Table, expr: &Expr, pattern: String) {
        // An empty one is refused.
        let pattern = if pattern.is_empty() { "(?:)".to_owned() } else { pattern };
        if self.dialect.0.is_mariadb() {
            self.exact(scope, table, expr);
            self.push(" REGEXP ");
            return self.bind(Bind::Text(pattern));
        }
        self.push("regexp_like(");
        self.exact(scope, table, expr);
        self.push(",");
        self.bind(Bind::Text(pattern));
        self.push(",'c')");
    }

    /// Writes a test of what an array holds: items are compared as their canonical text, null with nothing.
    pub(super) fn set(&mut self, scope: Scope, table: &Table, expr: &'p Expr, test: SetTest, value: &'p Value) {
        if let Value::Json(document) = value {
            // Not the answer, but more: see `hard.rs`.
            self.push("json_contains(");
            self.expr(scope, table, expr);
            self.push(",");
            self.bind(Bind::Text(document.as_str().to_owned()));
            return self.push(")");
        }
        let items: &[Value] = if let Value::Array(items) = value { items } else { &[] };
        let has_null = items.iter().any(Value::is_null);
        let known: Vec<String> = items.iter().filter(|item| !item.is_null()).map(item).collect();
        let patterns: Vec<String> = match test {
            // Each one, somewhere; null is in no array.
            SetTest::Contains if has_null => vec![NEVER.to_owned()],
            SetTest::Contains => known.iter().map(|item| holding(item)).collect(),
            SetTest::Overlaps if known.is_empty() => vec![NEVER.to_owned()],
            SetTest::Overlaps => vec![holding(&known.join("|"))],
            SetTest::ContainedIn if known.is_empty() => vec![r"^\[\]\z".to_owned()],
            SetTest::ContainedIn => {
                let any = known.join("|");
                vec![format!(r"^\[(?:(?:{any})(?:,(?:{any}))*+)?\]\z")]
            }
        };
        if patterns.is_empty() {
            // Everything but null contains nothing.
            return self.regex(scope, table, expr, String::new());
        }
        for (position, pattern) in patterns.into_iter().enumerate() {
            if position > 0 {
                self.push(" AND ");
            }
            self.regex(scope, table, expr, pattern);
        }
    }
}

/// A path into a document, parts of which may be computed.
struct Path(Vec<Segment>);

enum Segment {
    Literal(String),
    Sql(String),
}

impl Path {
    fn push(&mut self, text: &str) {
        match self.0.last_mut() {
            Some(Segment::Literal(literal)) => literal.push_str(text),
            _ => self.0.push(Segment::Literal(text.to_owned())),
        }
    }

    /// As SQL.
    fn written(&self) -> String {
        let part = |segment: &Segment| match segment {
            Segment::Literal(text) => super::names::text_literal(text),
            Segment::Sql(sql) => sql.clone(),
        };
        let parts: Vec<String> = self.0.iter().map(part).collect();
        if let [only] = parts.as_slice() { only.clone() } else { format!("concat({})", parts.join(",")) }
    }
}

/// What matches nothing.
const NEVER: &str = "(?!)";

/// An array that holds one of these items.
fn holding(items: &str) -> String {
    format!(r#"^\[(?:(?:"(?:[^"\\]|\\.)*+"|[^",\]]++),)*?(?:{items})(?:,|\]\z)"#)
}

/// An item of an array as a pattern.
fn item(value: &Value) -> String {
    let text = to_json(value).map(|json| json.as_str().to_owned()).unwrap_or_default();
    let mut pattern = String::with_capacity(text.len() + 4);
    for c in text.chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | ' ' | '"' | ',' => pattern.push(c),
            c => {
                let _ = write!(pattern, "\\x{{{:x}}}", c as u32);
            }
        }
    }
    pattern
}

/// Writes an aggregate. What the servers cannot give exactly comes as what it is made of, for `cells.rs` to make it.
pub(super) fn aggregate<'p>(sql: &mut Sql<'p>, function: Function, ty: &Type, input: impl FnOnce(&mut Sql<'p>)) {
    match (function, ty) {
        (Function::Avg, Type::Int | Type::BigInt | Type::Decimal { .. }) => {
            let input = sql.written(input);
            let _ = write!(sql.text, "concat(sum({input}),'/',count({input}))");
        }
        (Function::Min | Function::Max, Type::Array(_)) => {
            let sign = if function == Function::Min { '<' } else { '>' };
            let _ = write!(sql.text, "concat('{SEPARATOR}{sign}',group_concat(DISTINCT ");
            input(sql);
            let _ = write!(sql.text, " SEPARATOR '{SEPARATOR}'))");
        }
        // A sum that is too large is some other number to the servers; the power says that it is too large.
        (Function::Sum, Type::Float) => {
            let input = sql.written(input);
            let _ = write!(
                sql.text,
                "(CASE WHEN abs(sum({input}/1e20))>1.7976931348623157e288 THEN exp(710+0*sum({input}/1e20)) \
                 ELSE sum({input}) END)"
            );
        }
        _ => {
            sql.push(function.word());
            sql.push("(");
            input(sql);
            sql.push(")");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_patterns_of_themselves() {
        for (text, expected) in [("a\"b", r#""a\x{5c}"b""#), ("é", r#""\x{e9}""#), ("1", "\"1\"")] {
            assert_eq!(item(&Value::Text(text.to_owned())), expected);
        }
        assert_eq!(item(&Value::Int(-5)), r"\x{2d}5");
    }
}
