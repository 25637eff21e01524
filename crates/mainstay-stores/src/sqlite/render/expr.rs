//! Expressions and the order of values.

use mainstay_query::plan::Expr;
use mainstay_schema::{Table, Type};

use super::super::{functions, types};
use super::{Bind, Sql, Sqlite};
use crate::sql::{Dialect, Scope};

impl Sql<'_> {
    /// Writes an expression: a column, a path into it, a cast of either.
    pub(super) fn expr(&mut self, scope: Scope, table: &Table, expr: &Expr) {
        let base = expr.base_type(table);
        match &expr.cast {
            Some(to) if !is_same_text(&base, to) => {
                Sqlite::cast(self, &base, to, |sql| sql.path(scope, table, expr));
            }
            _ => self.path(scope, table, expr),
        }
    }

    fn path(&mut self, scope: Scope, table: &Table, expr: &Expr) {
        if expr.path.is_empty() {
            if !(self.is_comparing && self.schema.found().is_some() && table.column(expr.column).ty == Type::Json) {
                return self.column(scope, table, expr.column);
            }
            // Documents of other programs are in no canonical form: equal ones may be different text.
            self.push(functions::DOCUMENT);
            self.push("(");
            self.column(scope, table, expr.column);
            self.push(")");
            self.collate(&Type::Json);
            return;
        }
        if !matches!(table.column(expr.column).ty, Type::Json | Type::Array(_)) {
            // The JSON form of any other type is a scalar, which has no parts.
            return self.push("NULL");
        }
        self.push(if expr.as_text { functions::TEXT } else { functions::GET });
        self.push("(");
        self.column(scope, table, expr.column);
        self.push(",");
        self.bind(Bind::Text(functions::path_text(&expr.path)));
        self.push(")");
    }

    /// Writes the collation that gives the order of values of `ty`, if it needs one.
    pub(super) fn collate(&mut self, ty: &Type) {
        // Decimals that others keep are numbers to SQLite, which need no order of ours.
        let is_needed = self.schema.found().is_none_or(|found| found.is_ours) || !matches!(ty, Type::Decimal { .. });
        if let Some(collation) = types::collation(ty).filter(|_| is_needed) {
            self.push(" COLLATE ");
            self.name(collation);
        }
    }
}

/// Whether a cast changes nothing about what is kept.
fn is_same_text(from: &Type, to: &Type) -> bool {
    from == to
        || matches!(
            (from, to),
            (Type::Int, Type::BigInt) | (Type::Uuid | Type::Date | Type::Time | Type::Timestamp, Type::Text)
        )
}
