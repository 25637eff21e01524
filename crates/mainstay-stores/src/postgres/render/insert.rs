//! The rows of an insert: one as parameters, many as a list for each column, so that the statement has one text for any
//! number of rows and one check of its constraints. What lists cannot hold goes as one document.

use std::borrow::Cow;
use std::fmt::Write as _;

use mainstay_query::plan::Insert;
use mainstay_schema::value::Json;
use mainstay_schema::{Column, ColumnId, DefaultValue, Table, Type, Value};

use super::names::{column_type, is_own};
use super::{Bind, Postgres, Sql};
use crate::postgres::types;
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
        rows if are_lists(sql, table, plan) => {
            let given = |position: &usize| rows.iter().any(|row| row[*position].is_some());
            sql.push(" SELECT ");
            for (position, column) in plan.columns.iter().enumerate() {
                sql.comma(position);
                match given(&position) {
                    true => sql.push(&format!("c{position}")),
                    false => {
                        let ty = column_type(sql.schema, table, *column);
                        let default = default(table, table.column(*column));
                        sql.push(&format!("({default})::{}", unbounded(&ty)));
                    }
                }
            }
            sql.push(" FROM unnest(");
            let lists: Vec<usize> = (0..plan.columns.len()).filter(given).collect();
            for (place, position) in lists.iter().enumerate() {
                sql.comma(place);
                let cells = rows.iter().map(|row| row[*position].as_ref().unwrap_or(&Value::Null));
                sql.bind(Bind::Text(types::array(cells)));
                sql.push("::");
                sql.push(&unbounded(&column_type(sql.schema, table, plan.columns[*position])));
                sql.push("[]");
            }
            sql.push(") WITH ORDINALITY AS r(");
            for position in &lists {
                let _ = write!(sql.text, "c{position},");
            }
            sql.push("i) ORDER BY i");
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

/// Whether rows can go as lists: no cell is a list itself or made of parts, and a default is wanted for all of a column or
/// for none of it.
fn are_lists(sql: &Sql<'_>, table: &Table, plan: &Insert) -> bool {
    let is_list = |(position, column): (usize, &ColumnId)| {
        let ty = column_type(sql.schema, table, *column);
        let given = plan.rows.iter().filter(|row| row[position].is_some()).count();
        // Types of others may have arrays of which the items are parted by something else than a comma.
        is_own(&ty)
            && !ty.ends_with(']')
            && !is_composite(sql, table, *column)
            && (given == 0 || given == plan.rows.len())
    };
    let is_given = |cell: &Option<Value>| cell.is_some();
    plan.columns.iter().enumerate().all(is_list) && plan.rows.first().is_some_and(|row| row.iter().any(is_given))
}

/// A type without its bounds. A cast to `varchar(3)` would cut what is too long, where the column itself refuses it.
fn unbounded(ty: &str) -> Cow<'_, str> {
    let (Some(open), Some(close), false) = (ty.find('('), ty.find(')'), ty.contains('"')) else { return ty.into() };
    let bare = format!("{}{}", &ty[..open], &ty[close + 1..]);
    match bare.as_str() {
        // Of which one alone is meant where no number is said.
        "character" => "bpchar".into(),
        "bit" => "bit varying".into(),
        _ => bare.into(),
    }
}

/// Writes one cell of a row of the document, read as what its column is; `true` there asks for the default.
fn cell(sql: &mut Sql<'_>, table: &Table, column: ColumnId, position: usize, may_be_default: bool) {
    let ty = unbounded(&column_type(sql.schema, table, column)).into_owned();
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
pub(super) fn is_composite(sql: &Sql<'_>, table: &Table, column: ColumnId) -> bool {
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
    let (before, after) = parted(&column_type(sql.schema, table, column));
    sql.push(&before);
    value(sql);
    sql.push(&after);
}

/// What stands around a document, or a list of documents, that becomes a value of a type of several parts.
pub(in crate::postgres) fn parted(ty: &str) -> (String, String) {
    match ty.strip_suffix("[]") {
        None => (format!("json_populate_record(NULL::{ty},("), ")::json)".to_owned()),
        Some(item) => (
            "(SELECT CASE WHEN l IS NOT NULL THEN ARRAY(SELECT json_populate_record(".to_owned()
                + &format!("NULL::{item},d) FROM unnest(l) WITH ORDINALITY AS u(d,i) ORDER BY i) END FROM (SELECT ("),
            ")::json[] AS l) AS j)".to_owned(),
        ),
    }
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
