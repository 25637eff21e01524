//! SQLite's dialect of the SQL that [`crate::sql`] writes, and what is SQLite's alone: tables, full-text indexes,
//! functions of the project.

pub(super) mod alter;
mod call;
pub(super) mod ddl;
mod expr;
pub(super) mod fulltext;
mod loose;
mod search;
mod text;

pub(super) use text::BOUND_BY_KEY_MAX;

use std::rc::Rc;

use mainstay_query::plan::{
    Assign, Comparison, Delete, Expr, Function, FunctionCall, Insert, Read, Search, Test, Update,
};
use mainstay_schema::{ColumnId, Schema, Table, Type, Value};
use rusqlite::types::Value as Native;

use super::functions;
use super::types::{self, CellKind};
use crate::sql::{self, Dialect, Scope, SetTest, operator};
pub(super) use crate::sql::{Form, deletes_reach_itself, has_triggers, is_read_apart, merged_columns};

/// SQLite's dialect. What its own language lacks, our functions on the connection do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sqlite;

pub(super) type Sql<'p> = sql::Sql<'p, Sqlite>;
pub(super) type Bind<'p> = sql::Bind<'p, Sqlite>;
pub(super) type From<'p> = sql::From<'p, Sqlite>;
pub(super) type Given<'p> = sql::Given<'p, Sqlite>;
pub(super) type ReadSql<'p> = sql::ReadSql<'p, Sqlite>;
pub(super) type MemberSql<'p> = sql::MemberSql<'p, Sqlite>;
pub(super) type Returned<'p> = sql::Returned<'p, Sqlite>;
pub(super) type WriteSql<'p> = sql::WriteSql<'p, Sqlite>;

/// Renders one level of a read and those below.
pub(super) fn read<'p>(schema: &'p Schema, plan: &'p Read, from: From<'p>) -> ReadSql<'p> {
    ReadSql::new(Sqlite, schema, plan, from)
}

/// Renders the statement of a function by itself.
pub(super) fn function<'p>(schema: &'p Schema, call: &'p FunctionCall) -> (String, Vec<Bind<'p>>) {
    sql::call::function(Sqlite, schema, call)
}

/// Renders the statement that counts the rows that pass a read's filter.
pub(super) fn count<'p>(schema: &'p Schema, plan: &'p Read, from: From<'p>) -> (String, Vec<Bind<'p>>) {
    sql::count(Sqlite, schema, plan, from)
}

/// Renders the statement that counts the rows that pass a read's filter, but no more than `most`.
pub(super) fn count_some<'p>(schema: &'p Schema, plan: &'p Read, from: From<'p>, most: u64) -> (String, Vec<Bind<'p>>) {
    sql::count_some(Sqlite, schema, plan, from, most)
}

/// Renders an insert of one row, to be run once for each.
pub(super) fn insert<'p>(schema: &'p Schema, plan: &'p Insert) -> WriteSql<'p> {
    sql::insert(Sqlite, schema, plan)
}

/// Renders an update.
pub(super) fn update<'p>(schema: &'p Schema, plan: &'p Update) -> WriteSql<'p> {
    sql::update(Sqlite, schema, plan)
}

/// Renders a delete.
pub(super) fn delete<'p>(schema: &'p Schema, plan: &'p Delete) -> WriteSql<'p> {
    sql::delete(Sqlite, schema, plan)
}

impl Dialect for Sqlite {
    type Native = Native;
    type List = Rc<Vec<Native>>;
    type Kind = CellKind;

    const TRUTHS: [&'static str; 3] = ["1", "0", "NULL"];
    const NULLS_SMALLEST: bool = true;

    fn kind(ty: &Type) -> CellKind {
        CellKind::of(ty)
    }

    fn list(values: &[Value]) -> Rc<Vec<Native>> {
        Rc::new(values.iter().map(types::native).collect())
    }

    fn parameter(text: &mut String, _: usize) {
        text.push('?');
    }

    const GIVEN_IS_TYPED: bool = false;

    fn argument<'p>(
        sql: &mut Sql<'p>,
        function: &'p mainstay_schema::Function,
        parameter: ColumnId,
        value: &'p Value,
        place: Option<usize>,
    ) {
        sql.argument(function, parameter, value, place);
    }

    fn computed(sql: &mut Sql<'_>, table: &Table, column: ColumnId) {
        sql.computed_column(table, column);
    }

    fn given<'p>(sql: &mut Sql<'p>, _: &Table, given: Given<'p>) {
        sql.given(given);
    }

    fn expr(sql: &mut Sql<'_>, scope: Scope, table: &Table, expr: &Expr) {
        sql.expr(scope, table, expr);
    }

    fn collate(sql: &mut Sql<'_>, ty: &Type) {
        sql.collate(ty);
    }

    fn is_plain_order(ty: &Type) -> bool {
        types::collation(ty).is_none()
    }

    fn own_test<'p>(sql: &mut Sql<'p>, scope: Scope, table: &Table, expr: &'p Expr, test: &'p Test) -> bool {
        sql.is_loose(table, expr) && sql.loose_test(scope, table, expr, test)
    }

    fn compare<'p>(
        sql: &mut Sql<'p>,
        scope: Scope,
        table: &Table,
        expr: &'p Expr,
        comparison: Comparison,
        value: &'p Value,
    ) {
        let ty = expr.ty(table);
        sql.expr(scope, table, expr);
        sql.push(operator(comparison));
        sql.bind(Bind::Value(value));
        let is_equality = matches!(comparison, Comparison::Eq | Comparison::Neq);
        // The index of a key is in the order of bytes, which is enough to find what is equal.
        let is_in_key = expr.as_column().is_some_and(|column| sql::is_in_key(table, column));
        if !is_equality || (!is_in_key && matches!(ty, Type::Decimal { .. })) {
            sql.collate(&ty);
        }
    }

    fn distinct<'p>(sql: &mut Sql<'p>, left: impl FnOnce(&mut Sql<'p>), right: impl FnOnce(&mut Sql<'p>)) {
        left(sql);
        sql.push(" IS NOT ");
        right(sql);
    }

    fn is_truth(wanted: bool) -> &'static str {
        if wanted { " IS 1" } else { " IS 0" }
    }

    fn in_list(sql: &mut Sql<'_>, _: &Type, list: Rc<Vec<Native>>) {
        sql.push(" IN (SELECT value FROM rarray(");
        sql.bind(Bind::List(list));
        sql.push("))");
    }

    fn like<'p>(
        sql: &mut Sql<'p>,
        scope: Scope,
        table: &Table,
        expr: &'p Expr,
        pattern: &'p str,
        case_sensitive: bool,
    ) {
        match case_sensitive {
            // Of a found column nobody knows whether its order is that of its bytes, as the range for a prefix needs.
            true if sql.schema.found().is_some() => sql.pattern(functions::LIKE, scope, table, expr, pattern),
            true => sql.like(scope, table, expr, pattern),
            false => sql.pattern(functions::ILIKE, scope, table, expr, pattern),
        }
    }

    fn like_column<'p>(
        sql: &mut Sql<'p>,
        scope: Scope,
        table: &Table,
        (left, right): (&'p Expr, &'p Expr),
        case_sensitive: bool,
    ) {
        sql.push(if case_sensitive { functions::LIKE_COLUMN } else { functions::ILIKE_COLUMN });
        sql.push("(");
        sql.expr(scope, table, right);
        sql.push(",");
        sql.expr(scope, table, left);
        sql.push(")");
    }

    fn matches<'p>(
        sql: &mut Sql<'p>,
        scope: Scope,
        table: &Table,
        expr: &'p Expr,
        pattern: &'p str,
        case_sensitive: bool,
    ) {
        let function = if case_sensitive { functions::MATCH } else { functions::IMATCH };
        sql.pattern(function, scope, table, expr, pattern);
    }

    fn set<'p>(sql: &mut Sql<'p>, scope: Scope, table: &Table, expr: &'p Expr, test: SetTest, value: &'p Value) {
        let function = match test {
            SetTest::Contains => functions::CONTAINS,
            SetTest::ContainedIn => functions::CONTAINED,
            SetTest::Overlaps => functions::OVERLAPS,
        };
        sql.sets(function, scope, table, expr, value);
    }

    fn search<'p>(sql: &mut Sql<'p>, scope: Scope, table: &Table, search: &'p Search) {
        sql.search(scope, table, search);
    }

    fn page(sql: &mut Sql<'_>, limit: Option<u64>, offset: u64) {
        if limit.is_none() && offset == 0 {
            return;
        }
        sql.push(" LIMIT ");
        sql.bind(Bind::Int(limit.map_or(-1, sql::clamp)));
        if offset > 0 {
            sql.push(" OFFSET ");
            sql.bind(Bind::Int(sql::clamp(offset)));
        }
    }

    fn aggregate<'p>(sql: &mut Sql<'p>, function: Function, ty: &Type, input: impl FnOnce(&mut Sql<'p>)) {
        let (name, is_ours) = aggregate(function, ty);
        sql.push(name);
        sql.push("(");
        input(sql);
        match is_ours {
            // Types print as letters, digits, brackets and commas: nothing that could end the literal.
            true => sql.push(&format!(",'{ty}'")),
            false => sql.collate(ty),
        }
        sql.push(")");
    }

    fn cast<'p>(sql: &mut Sql<'p>, from: &Type, to: &Type, value: impl FnOnce(&mut Sql<'p>)) {
        sql.push(functions::CAST);
        sql.push("(");
        value(sql);
        // Types print as letters, digits, brackets and commas: nothing that could end the literal.
        sql.push(&format!(",'{from}','{to}')"));
    }

    fn no_values(sql: &mut Sql<'_>, table: &Table, plan: &Insert) {
        if plan.conflict.is_none() {
            return sql.push(" DEFAULT VALUES");
        }
        // `DEFAULT VALUES` takes no conflict clause; without columns the key is a sequence, which null asks for.
        sql.push("(");
        sql.names(table, &table.primary_key);
        sql.push(") VALUES (NULL)");
    }

    fn assign<'p>(sql: &mut Sql<'p>, scope: Scope, table: &Table, column: ColumnId, _: &'p Assign, place: usize) {
        // The function finds what it has to do by the place in the update.
        sql.push(functions::ASSIGN);
        sql.push("(");
        sql.column(scope, table, column);
        sql.push(",");
        sql.bind(Bind::Int(place as i64));
        sql.push(")");
    }
}

/// SQLite's own function where it is exact, otherwise ours, which takes the type of the values as well.
fn aggregate(function: Function, ty: &Type) -> (&'static str, bool) {
    match (function, ty) {
        (Function::Count, _) => ("count", false),
        (Function::Min, _) => ("min", false),
        (Function::Max, _) => ("max", false),
        // 32 bits a row: some two thousand million rows would be needed to pass 64.
        (Function::Sum, Type::Int) => ("sum", false),
        (Function::Sum, _) => (functions::SUM, true),
        (Function::Avg, _) => (functions::AVG, true),
    }
}

#[cfg(test)]
mod tests;
