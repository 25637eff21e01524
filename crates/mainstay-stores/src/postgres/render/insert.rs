//! The rows of an insert: one as parameters, many as one document, so that the statement has one text for any number of
//! rows and one check of its constraints.

use std::fmt::Write as _;

use mainstay_query::plan::Insert;
use mainstay_schema::value::Json;
use mainstay_schema::{Column, ColumnId, DefaultValue, Table, Type, Value};

use super::names::column_type;
use super::{Bind, Postgres, Sql};
use crate::sql::Dialect;

pub(super) fn values<'p>(sql: &mut Sql<'p>, table: &'p Table, plan: &'p Insert) {
    match plan.rows.as_slice() {
        [row] => {
            sql.push(" VALUES (");
            for (position, (column, cell)) in plan.columns.iter().zip(row).enumerate() {
                sql.comma(position);
                match cell {
                    Some(value) => stored(sql, table, *column, |sql| sql.bind(Bind::Value(value))),
                    None => sql.push("DEFAULT"),
                }
            }
            sql.push(")");
        }
        rows => {
            sql.push(" SELECT ");
            for (position, column) in plan.columns.iter().enumerate() {
                sql.comma(position);
                cell(sql, table, *column, position, rows.iter().any(|row| row[position].is_none()));
            }
            sql.push(" FROM json_array_elements(");
            sql.bind(Bind::Text(document(rows)));
            sql.push("::json) WITH ORDINALITY AS r(v,i) ORDER BY i");
        }
    }
}

/// Writes one cell of a row of the document, read as what its column is; `true` there asks for the default.
fn cell(sql: &mut Sql<'_>, table: &Table, column: ColumnId, position: usize, may_be_default: bool) {
    let ty = column_type(sql.schema, table, column).into_owned();
    let value = |sql: &mut Sql<'_>| match is_composite(sql, table, column) {
        true => stored(sql, table, column, |sql| sql.push(&format!("v->>{position}"))),
        false => sql.push(&format!("(v->>{position})::{ty}")),
    };
    if !may_be_default {
        return value(sql);
    }
    let default = default(table, table.column(column));
    let _ = write!(sql.text, "CASE json_typeof(v->{position}) WHEN 'boolean' THEN ({default})::{ty} ELSE ");
    value(sql);
    sql.push(" END");
}

/// Whether a column holds values of several parts, or a list of them, which come as documents.
fn is_composite(sql: &Sql<'_>, table: &Table, column: ColumnId) -> bool {
    let is_document = match &table.column(column).ty {
        Type::Json => true,
        Type::Array(item) => **item == Type::Json,
        _ => false,
    };
    is_document && Postgres::is_opaque(sql.schema, table, column)
}

/// Writes a value on its way into a column: what comes as a document is made of the parts of the column's type.
pub(super) fn stored<'p>(sql: &mut Sql<'p>, table: &Table, column: ColumnId, value: impl FnOnce(&mut Sql<'p>)) {
    if !is_composite(sql, table, column) {
        return value(sql);
    }
    let ty = column_type(sql.schema, table, column).into_owned();
    let (before, after) = match ty.strip_suffix("[]") {
        None => (format!("json_populate_record(NULL::{ty},("), ")::json)".to_owned()),
        Some(item) => (
            "(SELECT CASE WHEN l IS NOT NULL THEN ARRAY(SELECT json_populate_record(".to_owned()
                + &format!("NULL::{item},d) FROM unnest(l) WITH ORDINALITY AS u(d,i) ORDER BY i) END FROM (SELECT ("),
            ")::json[] AS l) AS j)".to_owned(),
        ),
    };
    sql.push(&before);
    value(sql);
    sql.push(&after);
}

/// What a column gets when nothing is said, as an expression.
fn default(table: &Table, column: &Column) -> String {
    match &column.default {
        Some(DefaultValue::Sequence) => {
            let literal = |name: &str| super::ddl::text_literal(name);
            let table = literal(&super::ddl::quoted(&table.name));
            format!("nextval(pg_get_serial_sequence({table},{}))", literal(&column.name))
        }
        Some(DefaultValue::Expression(text)) => text.clone(),
        Some(DefaultValue::Literal(value)) => super::ddl::literal(&column.ty, value),
        Some(DefaultValue::Now) => "now()".to_owned(),
        Some(DefaultValue::Uuid7) => "gen_random_uuid()".to_owned(),
        None => "NULL".to_owned(),
    }
}

/// Rows as a JSON array of arrays: every value as the text that the server reads, null as null.
fn document(rows: &[Vec<Option<Value>>]) -> String {
    let mut text = String::from("[");
    for (at, row) in rows.iter().enumerate() {
        text.push_str(if at > 0 { ",[" } else { "[" });
        for (position, cell) in row.iter().enumerate() {
            if position > 0 {
                text.push(',');
            }
            match cell {
                None => text.push_str("true"),
                Some(Value::Null) => text.push_str("null"),
                Some(value) => text.push_str(Json::string(&value.to_text().unwrap_or_default()).as_str()),
            }
        }
        text.push(']');
    }
    text.push(']');
    text
}
