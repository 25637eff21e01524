//! Where SQL engines differ, one method for each thing that has more than one spelling.
//!
//! What is given here is the standard's way, which is PostgreSQL's; an engine overrides what it says otherwise. What a
//! test means is not for a dialect to choose: the evaluator does, and the conformance suite compares.

use std::fmt::Debug;

use mainstay_query::plan::{Assign, Comparison, Conflict, Expr, Function, Insert, Order, RangeTest, Search, Test};
use mainstay_schema::{ColumnId, Schema, Table, Type, Value};

use super::write::merged_columns;
use super::{Bind, Given, Scope, Sql, operator};

/// The SQL of one engine. A value of it may hold what is known of the server, such as its version.
pub(crate) trait Dialect: Debug + Copy + Send + Sync + 'static {
    /// A value in the driver's own form.
    type Native: Debug;
    /// All items of a list in the driver's own form.
    type List: Debug;
    /// How a result column becomes a cell, decided once a statement.
    type Kind: Debug + Clone;

    /// What names stand in.
    const QUOTE: char = '"';
    /// What is true, false and neither.
    const TRUTHS: [&'static str; 3] = ["TRUE", "FALSE", "NULL"];
    /// Whether null comes before all values in ascending order, where nothing is said.
    const NULLS_SMALLEST: bool = false;
    /// Whether the rows of a level are read for many rows of the level above at once, whose keys go along as arrays: the
    /// level then stands inside `SELECT … FROM unnest(…) AS k(k0,…,i) CROSS JOIN LATERAL (…)`, and its rows begin with
    /// the number of their key.
    const IS_BATCHED: bool = false;
    /// Whether the rows of a level are read for many rows of the level above at once by a list of their keys: each row
    /// then comes with the key that it belongs to, at its end, and a page of them is cut for each key by a window. For
    /// engines that have no `LATERAL`, or take it for a loop.
    const IS_LISTED: bool = false;
    /// Longest list of values that is written as single parameters; a longer one goes in as one. Below this a list of
    /// parameters lets an engine plan with the number of items.
    const LIST_PARAMETERS_MAX: usize = 32;
    /// Whether a comparison of rows, `(a, b) > (1, 2)`, leads to a place in an index, and not only to an answer.
    const SEARCHES_ROWS: bool = true;

    /// Whether the number of rows that pass a filter comes along with each row of a page of them, which saves a statement.
    const COUNTS_ALONG: bool = false;

    /// How a result column of this type becomes a cell.
    fn kind(ty: &Type) -> Self::Kind;

    /// Writes an expression as a result column that is shown; how it becomes a cell.
    fn shown(sql: &mut Sql<'_, Self>, scope: Scope, table: &Table, expr: &Expr) -> Self::Kind {
        Self::expr(sql, scope, table, expr);
        Self::kind(&expr.ty(table))
    }

    /// Whether a list of values of this type can be one parameter.
    fn takes_list(_: &Type) -> bool {
        true
    }

    /// A list as one parameter.
    fn list(values: &[Value]) -> Self::List;

    /// Writes parameter `number`, from 1.
    fn parameter(text: &mut String, number: usize);

    /// Whether the type of a column is one of the engine's own, as it is shown.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "asked where rows are inside of rows"))]
    fn has_own_type(_: &Schema, _: &Table, _: ColumnId) -> bool {
        true
    }

    /// Writes the parameter that takes this, which is number `number`, from 1.
    fn bound(text: &mut String, number: usize, bind: &Bind<'_, Self>) {
        let _ = bind;
        Self::parameter(text, number);
    }

    /// Writes the name of a table.
    fn table(sql: &mut Sql<'_, Self>, table: &Table) {
        sql.name(&table.name);
    }

    /// Whether the rows that a function gave come back as values of the declared types.
    const GIVEN_IS_TYPED: bool = true;

    /// Writes an argument where the statement of a function names its parameter; `place` is the number of the parameter
    /// that holds it already.
    fn argument<'p>(
        sql: &mut Sql<'p, Self>,
        function: &'p mainstay_schema::Function,
        parameter: ColumnId,
        value: &'p Value,
        place: Option<usize>,
    );

    /// Writes a column of a result, which somebody's SQL computes, as a value of its type.
    fn computed(sql: &mut Sql<'_, Self>, table: &Table, column: ColumnId);

    /// Writes a query whose rows are those that a function gave.
    fn given<'p>(sql: &mut Sql<'p, Self>, table: &Table, given: Given<'p, Self>);

    /// Has an engine keep the order of a query inside another one, where it would forget it.
    fn keep_order(_: &mut Sql<'_, Self>) {}

    /// Writes an expression: a column, a path into it, a cast of either.
    fn expr(sql: &mut Sql<'_, Self>, scope: Scope, table: &Table, expr: &Expr);

    /// Whether a column is shown in another form than the one that it is compared in: as text.
    fn is_opaque(schema: &Schema, table: &Table, column: ColumnId) -> bool {
        let _ = (schema, table, column);
        false
    }

    /// Writes the form in which an opaque column of this type is shown, of what `value` writes.
    fn opaque<'p>(sql: &mut Sql<'p, Self>, ty: &Type, value: impl FnOnce(&mut Sql<'p, Self>)) {
        let _ = ty;
        value(sql);
    }

    /// Writes a value on its way into a column, of what `value` writes.
    fn stored<'p>(sql: &mut Sql<'p, Self>, table: &Table, column: ColumnId, value: impl FnOnce(&mut Sql<'p, Self>)) {
        let _ = (table, column);
        value(sql);
    }

    /// Writes the order that values of a type are compared in, if it is not the engine's own.
    fn collate(sql: &mut Sql<'_, Self>, ty: &Type);

    /// Whether the order of a type is the engine's own, so that rows of values compare in it.
    fn is_plain_order(ty: &Type) -> bool;

    /// Writes a test that means something else here than on other columns; false if there is nothing of the kind.
    fn own_test<'p>(sql: &mut Sql<'p, Self>, scope: Scope, table: &Table, expr: &'p Expr, test: &'p Test) -> bool {
        let _ = (sql, scope, table, expr, test);
        false
    }

    /// Writes how the value of a term of an order lies to that of a place.
    fn placed<'p>(
        sql: &mut Sql<'p, Self>,
        scope: Scope,
        table: &Table,
        term: &'p Order,
        operator: &str,
        value: &'p Value,
    ) {
        let (ty, _) = sql.term_value(scope, table, term);
        Self::collate(sql, &ty);
        sql.push(operator);
        sql.bind(Bind::Value(value));
    }

    /// Writes a column that keys are compared with, which come as the column shows itself.
    fn key_column(sql: &mut Sql<'_, Self>, scope: Scope, table: &Table, column: ColumnId) {
        sql.column(scope, table, column);
    }

    /// Writes a comparison with a value.
    fn compare<'p>(
        sql: &mut Sql<'p, Self>,
        scope: Scope,
        table: &Table,
        expr: &'p Expr,
        comparison: Comparison,
        value: &'p Value,
    ) {
        Self::expr(sql, scope, table, expr);
        sql.push(operator(comparison));
        sql.bind(Bind::Value(value));
        if !matches!(comparison, Comparison::Eq | Comparison::Neq) {
            Self::collate(sql, &expr.ty(table));
        }
    }

    /// Writes that two values differ, null being a value like others.
    fn distinct<'p>(
        sql: &mut Sql<'p, Self>,
        left: impl FnOnce(&mut Sql<'p, Self>),
        right: impl FnOnce(&mut Sql<'p, Self>),
    ) {
        left(sql);
        sql.push(" IS DISTINCT FROM ");
        right(sql);
    }

    /// Writes what stands behind a column that is to be this truth value.
    fn is_truth(wanted: bool) -> &'static str {
        if wanted { " IS TRUE" } else { " IS FALSE" }
    }

    /// Writes that a value of this type is in a list given as one parameter.
    fn in_list<'p>(sql: &mut Sql<'p, Self>, ty: &Type, list: Self::List) {
        let _ = ty;
        sql.push(" = ANY(");
        sql.bind(Bind::List(list));
        sql.push(")");
    }

    /// Writes that a text is like a pattern.
    fn like<'p>(
        sql: &mut Sql<'p, Self>,
        scope: Scope,
        table: &Table,
        expr: &'p Expr,
        pattern: &'p str,
        case_sensitive: bool,
    );

    /// Writes that a text is like a pattern in another column.
    fn like_column<'p>(
        sql: &mut Sql<'p, Self>,
        scope: Scope,
        table: &Table,
        sides: (&'p Expr, &'p Expr),
        case_sensitive: bool,
    );

    /// Writes that a regular expression matches a part of a text.
    fn matches<'p>(
        sql: &mut Sql<'p, Self>,
        scope: Scope,
        table: &Table,
        expr: &'p Expr,
        pattern: &'p str,
        case_sensitive: bool,
    );

    /// Writes a test of what a document or an array holds.
    fn set<'p>(sql: &mut Sql<'p, Self>, scope: Scope, table: &Table, expr: &'p Expr, test: SetTest, value: &'p Value);

    /// Writes a test of how a range lies to another. Where there are none, `support` has refused it.
    fn range<'p>(
        sql: &mut Sql<'p, Self>,
        scope: Scope,
        table: &Table,
        expr: &'p Expr,
        test: RangeTest,
        value: &'p Value,
    ) {
        let _ = (scope, table, expr, test, value);
        sql.push(Self::TRUTHS[2]);
    }

    /// Writes a search for words.
    fn search<'p>(sql: &mut Sql<'p, Self>, scope: Scope, table: &Table, search: &'p Search);

    /// Writes a term of an order.
    fn order_term<'p>(sql: &mut Sql<'p, Self>, scope: Scope, table: &Table, term: &'p Order) {
        let (ty, may_be_null) = sql.term_value(scope, table, term);
        Self::collate(sql, &ty);
        if term.descending {
            sql.push(" DESC");
        }
        // Said only where it matters: the words may cost the use of an index.
        if may_be_null && term.nulls_first != (Self::NULLS_SMALLEST != term.descending) {
            sql.push(if term.nulls_first { " NULLS FIRST" } else { " NULLS LAST" });
        }
    }

    /// Writes which rows of an order are given.
    fn page(sql: &mut Sql<'_, Self>, limit: Option<u64>, offset: u64) {
        if let Some(limit) = limit {
            sql.push(" LIMIT ");
            sql.bind(Bind::Int(super::clamp(limit)));
        }
        if offset > 0 {
            sql.push(" OFFSET ");
            sql.bind(Bind::Int(super::clamp(offset)));
        }
    }

    /// Writes an aggregate of what `input` writes, which is of this type.
    fn aggregate<'p>(sql: &mut Sql<'p, Self>, function: Function, ty: &Type, input: impl FnOnce(&mut Sql<'p, Self>));

    /// Writes the cast of a value that `value` writes.
    fn cast<'p>(sql: &mut Sql<'p, Self>, from: &Type, to: &Type, value: impl FnOnce(&mut Sql<'p, Self>));

    /// How the result of an aggregate is read that is cast, if the cast is made when it has come; then it is not written.
    fn cast_later(from: &Type, to: &Type) -> Option<Self::Kind> {
        let _ = (from, to);
        None
    }

    /// Writes where the keys of a batched level come from: an array of each, of these types.
    fn keys<'p>(sql: &mut Sql<'p, Self>, types: &[String]) {
        let _ = (sql, types);
    }

    /// What the engine calls the type of a column.
    fn column_type(schema: &Schema, table: &Table, column: ColumnId) -> String {
        let _ = schema;
        table.column(column).ty.to_string()
    }

    /// Writes what a delete begins with, up to its condition; gives the table's scope.
    fn delete_from(sql: &mut Sql<'_, Self>, table: &Table) -> Scope {
        sql.push("DELETE FROM ");
        let alias = sql.alias();
        sql.aliased(table, alias);
        Scope::Alias(alias)
    }

    /// Writes the rows of an insert. Here one row, whose values each run of the statement brings.
    fn values<'p>(sql: &mut Sql<'p, Self>, table: &'p Table, plan: &'p Insert) {
        let _ = table;
        sql.push(" VALUES (");
        for position in 0..plan.columns.len() {
            sql.comma(position);
            sql.bind(Bind::Later);
        }
        sql.push(")");
    }

    /// Writes what an insert without columns gives.
    fn no_values(sql: &mut Sql<'_, Self>, table: &Table, plan: &Insert) {
        let _ = (table, plan);
        sql.push(" DEFAULT VALUES");
    }

    /// Writes what becomes of a row whose key is there already.
    fn conflict(sql: &mut Sql<'_, Self>, table: &Table, conflict: &Conflict) {
        sql.push(" ON CONFLICT(");
        sql.names(table, &conflict.target);
        sql.push(")");
        match &conflict.merge {
            None => sql.push(" DO NOTHING"),
            Some(_) => sql.merge(table, &merged_columns(conflict)),
        }
    }

    /// Writes what an assignment that is no value makes of its column; `place` is its number in the update.
    fn assign<'p>(
        sql: &mut Sql<'p, Self>,
        scope: Scope,
        table: &Table,
        column: ColumnId,
        assign: &'p Assign,
        place: usize,
    );
}

/// Tests of what a document or an array holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetTest {
    /// It holds all of the operand.
    Contains,
    /// The operand holds all of it.
    ContainedIn,
    /// They have an item in common.
    Overlaps,
}
