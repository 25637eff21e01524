//! The rows that a function gave as a source of rows: one document, which the server takes apart again.

use std::fmt::Write as _;

use mainstay_schema::Table;

use super::{Bind, Given, Sql, insert, names};

/// Writes the query of these rows, in their order.
pub(super) fn given<'p>(sql: &mut Sql<'p>, table: &Table, given: Given<'p>) {
    let columns = &given.function.sql.columns;
    sql.push("SELECT ");
    for (position, column) in columns.iter().enumerate() {
        sql.comma(position);
        if insert::is_composite(sql, table, *column) {
            insert::stored(sql, table, *column, |sql| sql.push(&format!("c{position}")));
            continue;
        }
        let _ = write!(sql.text, "c{position}::{}", names::column_type(sql.schema, table, *column));
    }
    sql.push(" FROM json_to_recordset(");
    match given.values.first() {
        Some(document) => sql.bind(Bind::Given(document)),
        None => sql.push("'[]'"),
    }
    // As text, in the form that the server's input function of each type reads.
    sql.push("::json) AS r(");
    for position in 0..columns.len() {
        sql.comma(position);
        let _ = write!(sql.text, "c{position} text");
    }
    sql.push(")");
}
