//! What the servers' SQL says of functions: what they compute as values of the declared types, and the rows that one gave
//! as one document.

use std::fmt::Write as _;

use mainstay_schema::{Column, Table, Type};

use super::{Bind, Given, Sql, out_of_document};

/// Writes a column that somebody's SQL computes, so that it compares as its type does. Whether it is a value of that type
/// is seen when it comes back: a cast that fails gives null here, and no error.
pub(super) fn computed(sql: &mut Sql<'_>, column: &Column) {
    let cast = |sql: &mut Sql<'_>, ty: &str| {
        sql.push("CAST(");
        sql.name(&column.name);
        let _ = write!(sql.text, " AS {ty})");
    };
    match &column.ty {
        Type::Decimal { scale, .. } => cast(sql, &format!("DECIMAL(65,{})", (*scale).min(30))),
        Type::Float => cast(sql, "DOUBLE"),
        Type::Text => {
            cast(sql, "CHAR");
            if sql.schema.found().is_none() {
                let _ = write!(sql.text, " COLLATE {}", sql.dialect.0.text_collation());
            }
        }
        _ => sql.name(&column.name),
    }
}

/// Writes the query of the rows that a function gave, in their order.
pub(super) fn given<'p>(sql: &mut Sql<'p>, table: &Table, given: Given<'p>) {
    let columns = &given.function.sql.columns;
    let parts =
        columns.iter().enumerate().map(|(at, id)| out_of_document(sql, &table.column(*id).ty, &format!("j.c{at}")));
    let parts: Vec<(String, String)> = parts.collect();
    sql.push("SELECT ");
    for (position, (_, value)) in parts.iter().enumerate() {
        sql.comma(position);
        sql.push(value);
    }
    sql.push(" FROM json_table(");
    match given.values.first() {
        Some(document) => sql.bind(Bind::Given(document)),
        None => sql.push("'[]'"),
    }
    sql.push(",'$[*]' COLUMNS(");
    for (position, (declared, _)) in parts.iter().enumerate() {
        sql.comma(position);
        let _ = write!(sql.text, "c{position} {declared} PATH '$.c{position}'");
    }
    sql.push(")) AS j");
}
