//! PostgreSQL's dialect of the SQL that [`crate::sql`] writes.
//!
//! Declared tables keep text in the order of its octets (`COLLATE "C"`, said where the columns are made), so that an
//! index has the order that the API promises. Tables that were found keep the rules of their own database: there the
//! words of PostgreSQL mean what they mean to everybody else who uses them.

mod call;
pub(super) mod ddl;
mod expr;
mod fold;
pub(super) mod insert;
pub(super) mod names;
pub(super) mod search;
#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;

use std::fmt::Write as _;

use mainstay_query::plan::{Assign, Expr, Function, Insert, RangeTest, Read, Search};
use mainstay_schema::{ColumnId, Schema, Table, Type, Value};

use crate::sql::pattern::{self, Words};
use crate::sql::{self, Dialect, Scope, SetTest};

/// PostgreSQL's dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Postgres;

pub(super) type Sql<'p> = sql::Sql<'p, Postgres>;
pub(super) type Bind<'p> = sql::Bind<'p, Postgres>;
pub(super) type From<'p> = sql::From<'p, Postgres>;
pub(super) type Given<'p> = sql::Given<'p, Postgres>;
pub(super) type ReadSql<'p> = sql::ReadSql<'p, Postgres>;
pub(super) type MemberSql<'p> = sql::MemberSql<'p, Postgres>;
pub(super) type Returned<'p> = sql::Returned<'p, Postgres>;
pub(super) type WriteSql<'p> = sql::WriteSql<'p, Postgres>;

/// Writes the cast of what `value` says, which is SQL.
pub(super) fn cast(sql: &mut Sql<'_>, from: &Type, to: &Type, value: &str) {
    expr::cast(sql, from, to, |sql| sql.push(value));
}

/// How PostgreSQL writes a regular expression for the operator `~`.
const WORDS: Words = Words {
    // Says which of PostgreSQL's kinds of patterns it is.
    start: "***:",
    end: r"\Z",
    character: |out, c| {
        let code = c as u32;
        let _ = if code <= 0xffff { write!(out, "\\u{code:04x}") } else { write!(out, "\\U{code:08x}") };
    },
    repeat_max: 255,
};

/// Whether PostgreSQL can say a regular expression.
pub(super) fn has_words_for(pattern: &str, case_sensitive: bool) -> bool {
    pattern::translate(WORDS, pattern, case_sensitive).is_some()
}

/// Largest number of rows of a page that stands in the text of a statement: so many texts a shape may have at most.
const WRITTEN_LIMIT_MAX: u64 = 1000;

/// Renders a read with all its levels in one statement, if that can be.
pub(super) fn read_in_one<'p>(schema: &'p Schema, plan: &'p Read) -> Option<ReadSql<'p>> {
    ReadSql::in_one(Postgres, schema, plan)
}

/// Renders one level of a read and those below.
pub(super) fn read<'p>(schema: &'p Schema, plan: &'p Read, from: From<'p>) -> ReadSql<'p> {
    ReadSql::new(Postgres, schema, plan, from)
}

impl Dialect for Postgres {
    type Native = String;
    type List = Vec<Value>;
    type Kind = ();

    const IS_BATCHED: bool = true;
    const LIST_PARAMETERS_MAX: usize = 1;
    const COUNTS_ALONG: bool = true;

    fn kind(_: &Type) {}

    fn takes_list(ty: &Type) -> bool {
        // There are no arrays of arrays.
        !matches!(ty, Type::Array(_))
    }

    fn list(values: &[Value]) -> Vec<Value> {
        values.to_vec()
    }

    fn parameter(text: &mut String, number: usize) {
        let _ = write!(text, "${number}");
    }

    fn has_own_type(schema: &Schema, table: &Table, column: ColumnId) -> bool {
        Postgres::is_opaque(schema, table, column) || names::is_own(&names::column_type(schema, table, column))
    }

    fn table(sql: &mut Sql<'_>, table: &Table) {
        if let Some(namespace) = sql.schema.found().and_then(|found| found.namespace.clone()) {
            sql.name(&namespace);
            sql.push(".");
        }
        sql.name(&table.name);
    }

    fn column_type(schema: &Schema, table: &Table, column: ColumnId) -> String {
        names::column_type(schema, table, column).into_owned()
    }

    fn keys(sql: &mut Sql<'_>, types: &[String]) {
        sql.push("SELECT k.i,c.* FROM unnest(");
        for (position, ty) in types.iter().enumerate() {
            sql.comma(position);
            sql.bind(Bind::Later);
            sql.push("::");
            sql.push(ty);
            sql.push("[]");
        }
        sql.push(") WITH ORDINALITY AS k(");
        for position in 0..types.len() {
            let _ = write!(sql.text, "k{position},");
        }
        sql.push("i) CROSS JOIN LATERAL (");
    }

    fn values<'p>(sql: &mut Sql<'p>, table: &'p Table, plan: &'p Insert) {
        insert::values(sql, table, plan);
    }

    fn no_values(sql: &mut Sql<'_>, table: &Table, plan: &Insert) {
        // `DEFAULT VALUES` is one row.
        let Some(column) = table.columns.first().filter(|_| plan.rows.len() > 1) else {
            return sql.push(" DEFAULT VALUES");
        };
        sql.push("(");
        sql.name(&column.name);
        sql.push(") VALUES ");
        for position in 0..plan.rows.len() {
            sql.push(if position > 0 { ",(DEFAULT)" } else { "(DEFAULT)" });
        }
    }

    fn argument<'p>(
        sql: &mut Sql<'p>,
        function: &'p mainstay_schema::Function,
        parameter: ColumnId,
        value: &'p Value,
        place: Option<usize>,
    ) {
        // One number for one parameter, so that the server sees that it is the same wherever it stands.
        match place {
            Some(number) => Postgres::parameter(&mut sql.text, number),
            None => sql.bind(Bind::Value(value)),
        }
        sql.push("::");
        sql.push(&names::type_name(&function.parameters[parameter.index()].ty));
    }

    fn computed(sql: &mut Sql<'_>, table: &Table, column: ColumnId) {
        sql.name(&table.column(column).name);
        sql.push("::");
        sql.push(&names::column_type(sql.schema, table, column));
    }

    fn given<'p>(sql: &mut Sql<'p>, table: &Table, given: Given<'p>) {
        call::given(sql, table, given);
    }

    fn expr(sql: &mut Sql<'_>, scope: Scope, table: &Table, expr: &Expr) {
        sql.expr(scope, table, expr);
    }

    fn is_opaque(schema: &Schema, table: &Table, column: ColumnId) -> bool {
        let about = schema.found().and_then(|found| found.table(table.id)?.columns.get(column.index()));
        about.is_some_and(|about| about.opaque)
    }

    fn opaque<'p>(sql: &mut Sql<'p>, ty: &Type, value: impl FnOnce(&mut Sql<'p>)) {
        // A cast to text is not always what the server prints: an address would get a mask.
        let (before, after) = match ty {
            Type::Json | Type::Array(_) => ("to_json(", ")"),
            _ => ("(to_json(", ")#>>'{}')"),
        };
        sql.push(before);
        value(sql);
        sql.push(after);
    }

    fn stored<'p>(sql: &mut Sql<'p>, table: &Table, column: ColumnId, value: impl FnOnce(&mut Sql<'p>)) {
        insert::stored(sql, table, column, value);
    }

    fn collate(sql: &mut Sql<'_>, ty: &Type) {
        if *ty == Type::Text && sql.schema.found().is_none() {
            sql.push(" COLLATE \"C\"");
        }
    }

    fn page(sql: &mut Sql<'_>, limit: Option<u64>, offset: u64) {
        match limit {
            // A number that it does not know the server takes for a tenth of the rows: such a plan looks so dear that it
            // makes another one for each run.
            Some(limit) if limit <= WRITTEN_LIMIT_MAX => {
                let _ = write!(sql.text, " LIMIT {limit}");
            }
            Some(limit) => {
                sql.push(" LIMIT ");
                sql.bind(Bind::Int(sql::clamp(limit)));
            }
            None => {}
        }
        if offset > 0 {
            sql.push(" OFFSET ");
            sql.bind(Bind::Int(sql::clamp(offset)));
        }
    }

    fn is_plain_order(ty: &Type) -> bool {
        // What a path into a document gives is text in the order of the database.
        *ty != Type::Text
    }

    fn like<'p>(
        sql: &mut Sql<'p>,
        scope: Scope,
        table: &Table,
        expr: &'p Expr,
        pattern: &'p str,
        case_sensitive: bool,
    ) {
        let is_found = sql.schema.found().is_some();
        let pattern = fold::whole(pattern);
        match (case_sensitive, is_found) {
            (true, _) => {
                sql.expr(scope, table, expr);
                sql.push(" LIKE ");
                sql.bind(Bind::Text(pattern.into_owned()));
            }
            (false, true) => {
                sql.expr(scope, table, expr);
                sql.push(" ILIKE ");
                sql.bind(Bind::Text(pattern.into_owned()));
            }
            (false, false) => {
                sql.folded(|sql| sql.expr(scope, table, expr));
                sql.push(" LIKE ");
                sql.bind(Bind::Text(fold::fold(&pattern)));
            }
        }
    }

    fn like_column<'p>(
        sql: &mut Sql<'p>,
        scope: Scope,
        table: &Table,
        (left, right): (&'p Expr, &'p Expr),
        case_sensitive: bool,
    ) {
        // A backslash at the end stands for itself; a pattern of ours has another one put behind it.
        let pattern = |sql: &mut Sql<'p>| {
            sql.push("regexp_replace(");
            sql.expr(scope, table, right);
            sql.push(r", '^((?:[^\\]|\\.)*)\\$', '\1\\\\')");
        };
        if case_sensitive || sql.schema.found().is_some() {
            sql.expr(scope, table, left);
            sql.push(if case_sensitive { " LIKE " } else { " ILIKE " });
            return pattern(sql);
        }
        sql.folded(|sql| sql.expr(scope, table, left));
        sql.push(" LIKE ");
        sql.folded(pattern);
    }

    fn matches<'p>(
        sql: &mut Sql<'p>,
        scope: Scope,
        table: &Table,
        expr: &'p Expr,
        pattern: &'p str,
        case_sensitive: bool,
    ) {
        sql.expr(scope, table, expr);
        if sql.schema.found().is_some() {
            sql.push(if case_sensitive { " ~ " } else { " ~* " });
            return sql.bind(Bind::Text(pattern.to_owned()));
        }
        // `support` has asked whether there are words for it.
        sql.push(" COLLATE \"C\" ~ ");
        sql.bind(Bind::Text(pattern::translate(WORDS, pattern, case_sensitive).unwrap_or_default()));
    }

    fn set<'p>(sql: &mut Sql<'p>, scope: Scope, table: &Table, expr: &'p Expr, test: SetTest, value: &'p Value) {
        sql.expr(scope, table, expr);
        sql.push(match test {
            SetTest::Contains => " @> ",
            SetTest::ContainedIn => " <@ ",
            SetTest::Overlaps => " && ",
        });
        sql.bind(Bind::Value(value));
    }

    fn range<'p>(sql: &mut Sql<'p>, scope: Scope, table: &Table, expr: &'p Expr, test: RangeTest, value: &'p Value) {
        sql.expr(scope, table, expr);
        sql.push(" ");
        sql.push(test.symbol());
        sql.push(" ");
        // Without a type: the server takes it for a range like the column.
        sql.bind(Bind::Value(value));
    }

    fn search<'p>(sql: &mut Sql<'p>, scope: Scope, table: &Table, search: &'p Search) {
        sql.search(scope, table, search);
    }

    fn aggregate<'p>(sql: &mut Sql<'p>, function: Function, ty: &Type, input: impl FnOnce(&mut Sql<'p>)) {
        sql.push(function.word());
        sql.push("(");
        input(sql);
        if matches!(function, Function::Min | Function::Max) {
            Postgres::collate(sql, ty);
        }
        sql.push(")");
        // The server's own sums have no bounds.
        if let (Function::Sum, Some(of @ Type::Decimal { .. }), None) =
            (function, function.result(ty), sql.schema.found())
        {
            sql.push("::");
            sql.push(&names::type_name(&of));
        }
    }

    fn cast<'p>(sql: &mut Sql<'p>, from: &Type, to: &Type, value: impl FnOnce(&mut Sql<'p>)) {
        expr::cast(sql, from, to, value);
    }

    fn assign<'p>(sql: &mut Sql<'p>, _: Scope, table: &Table, column: ColumnId, _: &'p Assign, _: usize) {
        // What depends on the row is computed before the statement is made; see `write.rs`.
        debug_assert!(false, "an assignment that was not computed");
        sql.name(&table.column(column).name);
    }
}
