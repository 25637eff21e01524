//! Expressions: columns, paths into documents, casts.

use mainstay_query::plan::{Expr, PathStep};
use mainstay_schema::{Table, Type};

use super::names::type_name;
use super::{Bind, Postgres, Sql};
use crate::sql::{Dialect, Scope};

impl<'p> Sql<'p> {
    /// Writes an expression: a column, a path into it, a cast of either.
    pub(super) fn expr(&mut self, scope: Scope, table: &Table, expr: &Expr) {
        let base = expr.base_type(table);
        match &expr.cast {
            Some(to) if *to != base => {
                // The text of a document is that of `json`.
                let was_comparing = std::mem::take(&mut self.is_comparing);
                cast(self, &base, to, |sql| sql.path(scope, table, expr));
                self.is_comparing = was_comparing;
                if was_comparing && *to == Type::Json {
                    self.push("::jsonb");
                }
            }
            _ => self.path(scope, table, expr),
        }
    }

    fn path(&mut self, scope: Scope, table: &Table, expr: &Expr) {
        let ty = &table.column(expr.column).ty;
        let is_shown = expr.path.is_empty() && !self.is_comparing && scope != Scope::Groups;
        if is_shown && Postgres::is_opaque(self.schema, table, expr.column) {
            return Postgres::opaque(self, ty, |sql| sql.column(scope, table, expr.column));
        }
        if expr.path.is_empty() {
            self.column(scope, table, expr.column);
            if self.is_comparing && *ty == Type::Json {
                // `json` has no comparisons.
                self.push("::jsonb");
            }
            return;
        }
        if self.schema.found().is_none() && !matches!(ty, Type::Json | Type::Array(_)) {
            // The JSON form of any other type is a scalar, which has no parts.
            return self.push(if expr.as_text { "NULL::text" } else { "NULL::jsonb" });
        }
        self.push("(");
        match ty {
            Type::Json => self.column(scope, table, expr.column),
            _ => {
                self.push("to_json(");
                self.column(scope, table, expr.column);
                self.push(")");
            }
        }
        let last = expr.path.len() - 1;
        for (position, step) in expr.path.iter().enumerate() {
            self.push(if position == last && expr.as_text { "->>" } else { "->" });
            match step {
                PathStep::Key(key) => {
                    self.bind(Bind::Text(key.clone()));
                    self.push("::text");
                }
                // An index that no array has leads nowhere, as one out of the server's range would.
                PathStep::Index(index) => {
                    self.bind(Bind::Int(i64::from(i32::try_from(*index).unwrap_or(i32::MAX))));
                    self.push("::int");
                }
            }
        }
        self.push(")");
        if self.is_comparing && !expr.as_text {
            self.push("::jsonb");
        }
    }
}

/// Writes the cast of a value, as the evaluator's `cast` has it.
pub(super) fn cast<'p>(sql: &mut Sql<'p>, from: &Type, to: &Type, value: impl FnOnce(&mut Sql<'p>)) {
    let wrap = |sql: &mut Sql<'p>, before: &str, after: &str, value: &mut dyn FnMut(&mut Sql<'p>)| {
        sql.push(before);
        value(sql);
        sql.push(after);
    };
    let mut value = Some(value);
    let mut value = move |sql: &mut Sql<'p>| {
        if let Some(value) = value.take() {
            value(sql);
        }
    };
    let name = type_name(to);
    let is_found = sql.schema.found().is_some();
    match (from, to) {
        (Type::Timestamp, Type::Text) if !is_found => wrap(sql, "(to_json(", ")#>>'{}')", &mut value),
        (Type::Json, Type::Text) => wrap(sql, "(", ")::text", &mut value),
        (Type::Text, Type::Json) => wrap(sql, "(", ")::json", &mut value),
        (_, Type::Json) => wrap(sql, "to_json(", ")", &mut value),
        (Type::Json, Type::Int | Type::BigInt | Type::Decimal { .. }) => {
            wrap(sql, "((", &format!(")::jsonb#>>'{{}}')::numeric::{name}"), &mut value);
        }
        (Type::Json, Type::Array(_)) => {
            sql.push("(SELECT CASE WHEN v IS NOT NULL THEN ARRAY(SELECT e#>>'{}' FROM jsonb_array_elements(v) AS e)::");
            sql.push(&name);
            wrap(sql, " END FROM (SELECT ", " AS v) AS j)", &mut value);
        }
        (Type::Json, _) => wrap(sql, "((", &format!(")::jsonb#>>'{{}}')::{name}"), &mut value),
        (Type::Float, Type::Decimal { .. }) => wrap(sql, "(", &format!(")::text::{name}"), &mut value),
        (Type::Bool, Type::BigInt) => wrap(sql, "(", ")::int::bigint", &mut value),
        (Type::BigInt, Type::Bool) => wrap(sql, "((", ")<>0)", &mut value),
        (a, b) if is_direct(a, b) => wrap(sql, "(", &format!(")::{name}"), &mut value),
        _ => wrap(sql, "(", &format!(")::text::{name}"), &mut value),
    }
}

/// Whether the server converts one into the other by itself, and as we do.
fn is_direct(from: &Type, to: &Type) -> bool {
    let is_number = |ty: &Type| matches!(ty, Type::Int | Type::BigInt | Type::Float | Type::Decimal { .. });
    match (from, to) {
        (Type::Text, _) | (_, Type::Text) => true,
        (Type::Bool, Type::Int) | (Type::Int, Type::Bool) => true,
        (Type::Timestamp, Type::Date | Type::Time) | (Type::Date, Type::Timestamp) => true,
        (Type::Array(from), Type::Array(to)) => is_direct(from, to),
        (from, to) => is_number(from) && is_number(to),
    }
}
