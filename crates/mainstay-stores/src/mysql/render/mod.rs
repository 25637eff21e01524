//! The dialect of MySQL and MariaDB of the SQL that [`crate::sql`] writes.
//!
//! Declared tables keep text, documents and arrays in the order of octets, trailing blanks included, so that `=` and `<`
//! mean what the API says and an index has its order. What has no words here at all (see `hard.rs`) never comes this far.

mod call;
mod cast;
pub(super) mod ddl;
mod expr;
mod kept;
pub(super) mod names;

use std::fmt::Write as _;

use mainstay_query::evaluate::{like_regex, to_json};
use mainstay_query::plan::{Assign, Comparison, Conflict, Delete, Expr, Function, Insert, Order, Read, Search, Test};
use mainstay_schema::{ColumnId, DefaultValue, Schema, Table, Type, Value};
use mysql_async::Value as Native;

use super::cells::CellKind;
use super::server::Server;
use crate::sql::pattern::{self, Words};
use crate::sql::{self, Dialect, Scope, SetTest, WriteSql, clamp, merged_columns, operator};

pub(super) use cast::{NO_VALUE, OUT_OF_RANGE, can_cast};
pub(super) use expr::SEPARATOR;

/// The dialect of one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mysql(pub(super) Server);

pub(super) type Sql<'p> = sql::Sql<'p, Mysql>;
pub(super) type Bind<'p> = sql::Bind<'p, Mysql>;
pub(super) type From<'p> = sql::From<'p, Mysql>;
pub(super) type Given<'p> = sql::Given<'p, Mysql>;
pub(super) type ReadSql<'p> = sql::ReadSql<'p, Mysql>;
pub(super) type MemberSql<'p> = sql::MemberSql<'p, Mysql>;

/// Renders one level of a read and those below.
pub(super) fn read<'p>(server: Server, schema: &'p Schema, plan: &'p Read, from: From<'p>) -> ReadSql<'p> {
    ReadSql::new(Mysql(server), schema, plan, from)
}

/// Renders a delete that gives back what it removed, in the form for one table, which takes no alias.
pub(super) fn delete_returning<'p>(
    server: Server,
    schema: &'p Schema,
    plan: &'p Delete,
    read: &'p Read,
) -> WriteSql<'p, Mysql> {
    let table = schema.table(plan.table);
    let mut sql = Sql::new(Mysql(server), schema);
    sql.push("DELETE FROM ");
    sql.name(&table.name);
    sql.push(" WHERE ");
    sql.filter(Scope::Bare, table, &plan.filter);
    sql.finish(table, Some(read), false)
}

/// The number that an insert of one row tells in place of one that it made, when it was merged into a row that was there.
/// No column has such a number.
pub(super) const MERGED: u64 = u64::MAX;

/// How ICU and PCRE2 write a regular expression.
const WORDS: Words = Words {
    start: "",
    end: r"\z",
    character: |out, c| {
        let _ = write!(out, "\\x{{{:x}}}", c as u32);
    },
    repeat_max: 255,
};

/// A regular expression in the servers' words, if they have some.
pub(super) fn regex(pattern: &str, case_sensitive: bool) -> Option<String> {
    pattern::translate(WORDS, pattern, case_sensitive)
}

/// The same for a pattern with `%` and `_` in which letter case does not count.
pub(super) fn like(pattern: &str) -> Option<String> {
    regex(like_regex(pattern, false).as_str(), false)
}

/// A list of values as a JSON array of texts, as [`Dialect::in_list`] reads it.
fn document(values: &[Value]) -> String {
    let mut text = String::from("[");
    for (at, value) in values.iter().enumerate() {
        text.push_str(if at > 0 { "," } else { "" });
        let value = listed(value).unwrap_or_default();
        text.push_str(mainstay_schema::value::Json::string(&value).as_str());
    }
    text.push(']');
    text
}

/// A value as a text inside of a document, of which `JSON_TABLE` makes it again.
pub(super) fn listed(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Uuid(_) | Value::Bytes(_) => {
            let Native::Bytes(octets) = super::types::native(value) else { return None };
            let mut text = String::with_capacity(octets.len() * 2);
            octets.iter().for_each(|octet| {
                let _ = write!(text, "{octet:02x}");
            });
            text
        }
        Value::Bool(value) => u8::from(*value).to_string(),
        Value::Timestamp(text) => text.trim_end_matches("+00:00").replace('T', " "),
        Value::Array(_) => to_json(value).map(|json| json.as_str().to_owned()).unwrap_or_default(),
        other => other.to_text().unwrap_or_default(),
    })
}

/// How `JSON_TABLE` reads a column of this type, and what is then made of it, which is called `name`.
fn out_of_document(sql: &Sql<'_>, ty: &Type, name: &str) -> (String, String) {
    match ty {
        Type::Uuid | Type::Bytes => ("longtext".to_owned(), format!("unhex({name})")),
        Type::Text | Type::Json | Type::Array(_) if sql.schema.found().is_some() => {
            ("longtext".to_owned(), name.to_owned())
        }
        Type::Text | Type::Json | Type::Array(_) => {
            ("longtext".to_owned(), format!("{name} COLLATE {}", sql.dialect.0.text_collation()))
        }
        ty => (names::type_name(ty), name.to_owned()),
    }
}

impl Dialect for Mysql {
    type Native = Native;
    type List = String;
    type Kind = CellKind;

    const QUOTE: char = '`';
    const NULLS_SMALLEST: bool = true;
    const IS_LISTED: bool = true;
    const LIST_PARAMETERS_MAX: usize = 1024;
    const SEARCHES_ROWS: bool = false;
    const COUNTS_ALONG: bool = true;

    fn kind(ty: &Type) -> CellKind {
        CellKind::of(ty)
    }

    /// What is made of a column is made by the evaluator, of what the column holds: exactly what every store shows.
    fn shown(sql: &mut Sql<'_>, scope: Scope, table: &Table, expr: &Expr) -> CellKind {
        sql.column(scope, table, expr.column);
        let ty = &table.column(expr.column).ty;
        let kind = match expr.as_column() {
            Some(_) => CellKind::of(ty),
            None => CellKind::made(ty, expr),
        };
        if sql.computed.contains(&expr.column) { kind.computed() } else { kind }
    }

    fn cast_later(from: &Type, to: &Type) -> Option<CellKind> {
        Some(CellKind::made(from, &Expr { cast: Some(to.clone()), ..Expr::column(ColumnId(0)) }))
    }

    fn list(values: &[Value]) -> String {
        document(values)
    }

    fn parameter(text: &mut String, _: usize) {
        text.push('?');
    }

    /// A decimal goes as its digits, which a server would compare as a double.
    fn bound(text: &mut String, _: usize, bind: &Bind<'_>) {
        let Bind::Value(Value::Decimal(digits)) = bind else { return text.push('?') };
        let scale = digits.as_str().split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let _ = write!(text, "CAST(? AS DECIMAL(65,{scale}))");
    }

    fn argument<'p>(
        sql: &mut Sql<'p>,
        function: &'p mainstay_schema::Function,
        _: ColumnId,
        value: &'p Value,
        _: Option<usize>,
    ) {
        match function.sql.is_query() {
            // Octets are text unless somebody says otherwise.
            true if matches!(value, Value::Uuid(_) | Value::Bytes(_)) => {
                sql.push("CAST(");
                sql.bind(Bind::Value(value));
                sql.push(" AS BINARY)");
            }
            true => sql.bind(Bind::Value(value)),
            // A procedure says itself what its parameters are, and puts what it gives where a parameter stands alone.
            false => {
                sql.push("?");
                sql.binds.push(Bind::Value(value));
            }
        }
    }

    fn computed(sql: &mut Sql<'_>, table: &Table, column: ColumnId) {
        call::computed(sql, table.column(column));
    }

    fn given<'p>(sql: &mut Sql<'p>, table: &Table, given: Given<'p>) {
        call::given(sql, table, given);
    }

    /// A bound has to be met by the whole query, so that its order is kept: MariaDB drops one that has none.
    fn keep_order(sql: &mut Sql<'_>) {
        sql.push(" LIMIT 18446744073709551615");
    }

    fn expr(sql: &mut Sql<'_>, scope: Scope, table: &Table, expr: &Expr) {
        sql.expr(scope, table, expr);
    }

    fn collate(_: &mut Sql<'_>, _: &Type) {}

    fn is_plain_order(_: &Type) -> bool {
        // A comparison of rows of values finds no index here.
        false
    }

    fn distinct<'p>(sql: &mut Sql<'p>, left: impl FnOnce(&mut Sql<'p>), right: impl FnOnce(&mut Sql<'p>)) {
        sql.push("NOT(");
        left(sql);
        sql.push(" <=> ");
        right(sql);
        sql.push(")");
    }

    fn in_list(sql: &mut Sql<'_>, ty: &Type, list: String) {
        let (declared, value) = match ty {
            Type::Text | Type::Json | Type::Array(_) => {
                ("longtext".to_owned(), format!("j.v COLLATE {}", sql.dialect.0.text_collation()))
            }
            ty => out_of_document(sql, ty, "j.v"),
        };
        sql.push(" IN (SELECT ");
        sql.push(&value);
        sql.push(" FROM json_table(");
        sql.bind(Bind::List(list));
        let _ = write!(sql.text, ",'$[*]' COLUMNS(v {declared} PATH '$')) AS j)");
    }

    fn like<'p>(
        sql: &mut Sql<'p>,
        scope: Scope,
        table: &Table,
        expr: &'p Expr,
        pattern: &'p str,
        case_sensitive: bool,
    ) {
        if !case_sensitive {
            return sql.regex(scope, table, expr, like(pattern).unwrap_or_default());
        }
        sql.exact(scope, table, expr);
        sql.push(" LIKE ");
        sql.bind(Bind::Text(pattern.to_owned()));
        // A backslash at the very end stands for itself.
        sql.push(r" ESCAPE '\'");
    }

    fn like_column<'p>(sql: &mut Sql<'p>, scope: Scope, table: &Table, (left, right): (&'p Expr, &'p Expr), _: bool) {
        // Where letter case does not count, see `hard.rs`.
        sql.exact(scope, table, left);
        sql.push(" LIKE ");
        sql.exact(scope, table, right);
        sql.push(r" ESCAPE '\'");
    }

    fn matches<'p>(
        sql: &mut Sql<'p>,
        scope: Scope,
        table: &Table,
        expr: &'p Expr,
        pattern: &'p str,
        case_sensitive: bool,
    ) {
        sql.regex(scope, table, expr, regex(pattern, case_sensitive).unwrap_or_default());
    }

    fn set<'p>(sql: &mut Sql<'p>, scope: Scope, table: &Table, expr: &'p Expr, test: SetTest, value: &'p Value) {
        sql.set(scope, table, expr, test, value);
    }

    fn search<'p>(sql: &mut Sql<'p>, _: Scope, _: &Table, _: &'p Search) {
        debug_assert!(false, "a search that was not answered before");
        sql.push("FALSE");
    }

    /// There are no words for where nulls go: a term of its own says it, where it matters.
    fn order_term<'p>(sql: &mut Sql<'p>, scope: Scope, table: &Table, term: &'p Order) {
        let start = sql.text.len();
        let (_, may_be_null) = sql.term_value(scope, table, term);
        if may_be_null && term.nulls_first == term.descending {
            let value = sql.text[start..].to_owned();
            // The parameters of the value, if it has some, are said twice as well.
            sql.push(if term.nulls_first { " IS NULL DESC," } else { " IS NULL," });
            if value.contains('?') {
                sql.term_value(scope, table, term);
            } else {
                sql.push(&value);
            }
        }
        if term.descending {
            sql.push(" DESC");
        }
    }

    fn page(sql: &mut Sql<'_>, limit: Option<u64>, offset: u64) {
        if limit.is_none() && offset == 0 {
            return;
        }
        sql.push(" LIMIT ");
        sql.bind(Bind::Int(limit.map_or(i64::MAX, clamp)));
        if offset > 0 {
            sql.push(" OFFSET ");
            sql.bind(Bind::Int(clamp(offset)));
        }
    }

    fn aggregate<'p>(sql: &mut Sql<'p>, function: Function, ty: &Type, input: impl FnOnce(&mut Sql<'p>)) {
        expr::aggregate(sql, function, ty, input);
    }

    fn cast<'p>(sql: &mut Sql<'p>, from: &Type, to: &Type, value: impl FnOnce(&mut Sql<'p>)) {
        cast::cast(sql, from, to, value);
    }

    fn delete_from(sql: &mut Sql<'_>, table: &Table) -> Scope {
        // The form for several tables is the one in which both servers take an alias.
        let alias = sql.alias();
        let _ = write!(sql.text, "DELETE t{alias} FROM ");
        sql.aliased(table, alias);
        Scope::Alias(alias)
    }

    fn values<'p>(sql: &mut Sql<'p>, table: &'p Table, plan: &'p Insert) {
        sql.push(" VALUES ");
        for (at, row) in plan.rows.iter().enumerate() {
            sql.push(if at > 0 { ",(" } else { "(" });
            for (position, cell) in row.iter().enumerate() {
                sql.comma(position);
                match cell {
                    Some(value) => sql.bind(Bind::Value(value)),
                    // The default of a number is 0; null asks for the next one.
                    None if table.column(plan.columns[position]).default == Some(DefaultValue::Sequence) => {
                        sql.push("NULL");
                    }
                    None => sql.push("DEFAULT"),
                }
            }
            sql.push(")");
        }
    }

    fn no_values(sql: &mut Sql<'_>, _: &Table, plan: &Insert) {
        sql.push("() VALUES ");
        for at in 0..plan.rows.len() {
            sql.push(if at > 0 { ",()" } else { "()" });
        }
    }

    /// Only where it goes by the key that was named; see `insert.rs`. The first column that is set also tells that a row
    /// was there: a server counts one that had these values already as if it were new.
    fn conflict(sql: &mut Sql<'_>, table: &Table, conflict: &Conflict) {
        let is_mariadb = sql.dialect.0.is_mariadb();
        sql.push(if is_mariadb { " ON DUPLICATE KEY UPDATE " } else { " AS n ON DUPLICATE KEY UPDATE " });
        for (position, column) in merged_columns(conflict).into_iter().enumerate() {
            sql.comma(position);
            let name = &table.column(column).name;
            sql.name(name);
            sql.push("=");
            let start = sql.text.len();
            sql.push(if is_mariadb { "VALUES(" } else { "n." });
            sql.name(name);
            sql.push(if is_mariadb { ")" } else { "" });
            if position == 0 {
                let value = sql.text.split_off(start);
                let _ = write!(sql.text, "IF(LAST_INSERT_ID({MERGED}),{value},{value})");
            }
        }
    }

    fn own_test<'p>(sql: &mut Sql<'p>, scope: Scope, table: &Table, expr: &'p Expr, test: &'p Test) -> bool {
        sql.kept_test(scope, table, expr, test)
    }

    fn placed<'p>(sql: &mut Sql<'p>, scope: Scope, table: &Table, term: &'p Order, operator: &str, value: &'p Value) {
        if !sql.kept_place(scope, table, term, operator, value) {
            sql.term_value(scope, table, term);
            sql.push(operator);
            sql.bind(Bind::Value(value));
        }
    }

    fn key_column(sql: &mut Sql<'_>, scope: Scope, table: &Table, column: ColumnId) {
        sql.kept_key(scope, table, column);
    }

    fn compare<'p>(
        sql: &mut Sql<'p>,
        scope: Scope,
        table: &Table,
        expr: &'p Expr,
        comparison: Comparison,
        value: &'p Value,
    ) {
        sql.expr(scope, table, expr);
        sql.push(operator(comparison));
        sql.bind(Bind::Value(value));
    }

    fn assign<'p>(sql: &mut Sql<'p>, _: Scope, table: &Table, column: ColumnId, _: &'p Assign, _: usize) {
        // What depends on the row is computed before the statement is made; see `write.rs`.
        debug_assert!(false, "an assignment that was not computed");
        sql.name(&table.column(column).name);
    }
}
