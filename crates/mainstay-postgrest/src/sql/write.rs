//! Statements that write. The rows of a body go as one JSON parameter, which the server takes apart.

use std::sync::Arc;

use mainstay_query::request::Resolution;

use super::{Filter, Sql, conditions};
use crate::catalog::{Catalog, Column, Relation};
use crate::plan::payload::JsonBody;

/// The rows of a body.
pub(crate) struct Rows<'r> {
    /// For casts of domains.
    pub(crate) catalog: &'r Catalog,
    /// The body.
    pub(crate) body: &'r JsonBody,
    /// The columns that it sets.
    pub(crate) columns: Vec<&'r Column>,
    /// Whether members that a row lacks take the column's default; else null.
    pub(crate) with_defaults: bool,
}

/// An insert.
pub(crate) struct Insert<'r> {
    /// Where.
    pub(crate) relation: &'r Relation,
    /// What.
    pub(crate) rows: Rows<'r>,
    /// Only rows with these values. The server refuses a body without these columns.
    pub(crate) only: Option<Vec<(&'r Column, String)>>,
    /// What becomes of rows whose key is there.
    pub(crate) conflict: Option<Conflict>,
    /// Columns that are given back.
    pub(crate) returning: &'r [Arc<str>],
}

/// What becomes of rows whose key is there.
pub(crate) struct Conflict {
    /// The key.
    pub(crate) columns: Vec<Arc<str>>,
    /// What.
    pub(crate) resolution: Resolution,
}

/// An update of all rows that pass.
pub(crate) struct Update<'r> {
    /// Where.
    pub(crate) relation: &'r Relation,
    /// One row: what is set.
    pub(crate) rows: Rows<'r>,
    /// Which rows.
    pub(crate) filters: &'r [Filter],
    /// Columns that are given back.
    pub(crate) returning: &'r [Arc<str>],
}

/// Counts rows that were inserted rather than updated, in a setting of the transaction: the only place that views,
/// triggers and partitions leave alone.
pub(crate) const INSERTED: &str = "mainstay.inserted";

/// `INSERT …`.
pub(crate) fn insert(insert: &Insert<'_>) -> Sql {
    let Insert { relation, rows, only, conflict, returning } = insert;
    let mut sql = Sql::of("INSERT INTO ");
    sql.name(&relation.name);
    let counts = conflict.as_ref().is_some_and(|conflict| conflict.resolution == Resolution::Merge);
    let mut conditions = Vec::new();
    if rows.columns.is_empty() {
        // Rows of defaults alone.
        match rows.body.rows {
            1 if conflict.is_none() => drop(sql.push(" DEFAULT VALUES")),
            count => drop(sql.push(&format!(" SELECT FROM (SELECT FROM generate_series(1, {count})) AS pgrst_body"))),
        }
    } else {
        sql.push("(").join(", ", rows.columns.iter().map(|column| ident(&column.name))).push(")");
        sql.push(" SELECT ").join(", ", rows.columns.iter().map(|column| rows.cell(column)));
        sql.push(" FROM ").append(rows.table());
    }
    for (column, value) in only.iter().flatten() {
        let mut condition = body_column(&column.name);
        condition.push(" = ").value(value.clone());
        conditions.push(condition);
    }
    if counts {
        conditions.push(count_inserted('+'));
    }
    if !conditions.is_empty() {
        sql.push(" WHERE ").join(" AND ", conditions);
    }
    if let Some(conflict) = conflict {
        sql.push(" ON CONFLICT (").join(", ", conflict.columns.iter().map(|column| ident(column))).push(") DO ");
        match conflict.resolution {
            Resolution::Merge if !rows.columns.is_empty() => {
                sql.push("UPDATE SET ").join(
                    ", ",
                    rows.columns.iter().map(|column| {
                        let mut set = ident(&column.name);
                        set.push(" = EXCLUDED.").ident(&column.name);
                        set
                    }),
                );
                sql.push(" WHERE ").append(count_inserted('-'));
            }
            Resolution::Merge | Resolution::Ignore => drop(sql.push("NOTHING")),
        }
    }
    sql.append(self::returning(relation, returning));
    sql
}

/// `UPDATE …`; a query of no rows where nothing is set.
pub(crate) fn update(update: &Update<'_>) -> Sql {
    let Update { relation, rows, filters, returning } = update;
    if rows.columns.is_empty() || rows.body.rows == 0 {
        let mut sql = Sql::of("SELECT ");
        sql.append(columns_or_one(relation, returning)).push(" FROM ").name(&relation.name).push(" WHERE false");
        return sql;
    }
    let mut sql = Sql::of("UPDATE ");
    sql.name(&relation.name).push(" SET ").join(
        ", ",
        rows.columns.iter().map(|column| {
            let mut set = ident(&column.name);
            set.push(" = ").append(rows.cell(column));
            set
        }),
    );
    sql.push(" FROM ").append(rows.table());
    sql.append(filtered(relation, filters)).append(self::returning(relation, returning));
    sql
}

/// `DELETE …`.
pub(crate) fn delete(relation: &Relation, filters: &[Filter], returning: &[Arc<str>]) -> Sql {
    let mut sql = Sql::of("DELETE FROM ");
    sql.name(&relation.name).append(filtered(relation, filters)).append(self::returning(relation, returning));
    sql
}

fn filtered(relation: &Relation, filters: &[Filter]) -> Sql {
    let mut sql = Sql::new();
    if !filters.is_empty() {
        sql.push(" WHERE ").append(conditions(filters, &relation.name));
    }
    sql
}

fn returning(relation: &Relation, columns: &[Arc<str>]) -> Sql {
    let mut sql = Sql::of(" RETURNING ");
    sql.append(columns_or_one(relation, columns));
    sql
}

fn columns_or_one(relation: &Relation, columns: &[Arc<str>]) -> Sql {
    if columns.is_empty() {
        return Sql::of("1");
    }
    let mut seen: Vec<&str> = Vec::new();
    let mut sql = Sql::new();
    let columns = columns.iter().filter(|column| {
        let is_new = !seen.contains(&&***column);
        seen.push(column);
        is_new
    });
    let pieces: Vec<Sql> = columns
        .map(|column| {
            let mut piece = Sql::new();
            piece.name(&relation.name).push(".").ident(column);
            piece
        })
        .collect();
    sql.join(", ", pieces);
    sql
}

/// Adds to the count of inserted rows, or takes from it; always true.
fn count_inserted(sign: char) -> Sql {
    let current = format!("coalesce(nullif(current_setting('{INSERTED}', true), ''), '0')::int");
    Sql::of(&format!("set_config('{INSERTED}', ({current} {sign} 1)::text, true) IS NOT NULL"))
}

fn ident(name: &str) -> Sql {
    let mut sql = Sql::new();
    sql.ident(name);
    sql
}

fn body_column(name: &str) -> Sql {
    let mut sql = Sql::of("pgrst_body.");
    sql.ident(name);
    sql
}

impl Rows<'_> {
    /// The value of a column of the body, as the relation wants it.
    fn cell(&self, column: &Column) -> Sql {
        match self.catalog.representations.get(&("json".into(), column.declared_type.clone())) {
            None => body_column(&column.name),
            Some(representation) => {
                let mut sql = Sql::new();
                sql.name(&representation.function).push("(").append(body_column(&column.name)).push(")");
                sql
            }
        }
    }

    /// The rows as a table `pgrst_body`.
    fn table(&self) -> Sql {
        let mut sql = Sql::new();
        let text = || {
            let mut sql = Sql::new();
            sql.value(self.body.text.clone());
            sql
        };
        let defaults = self.defaults();
        match (self.body.is_array, defaults.is_empty()) {
            (false, true) => drop(sql.push("json_to_record(").append(text()).push("::json)")),
            (true, true) => drop(sql.push("json_to_recordset(").append(text()).push("::json)")),
            (false, false) => {
                sql.push("jsonb_to_record(").append(defaults).push(" || ").append(text()).push("::jsonb)");
            }
            (true, false) => {
                sql.push("jsonb_to_recordset((SELECT coalesce(jsonb_agg(").append(defaults);
                sql.push(" || pgrst_row), '[]') FROM jsonb_array_elements(").append(text());
                sql.push("::jsonb) pgrst_row))");
            }
        }
        sql.push(" AS pgrst_body(");
        sql.join(
            ", ",
            self.columns.iter().map(|column| {
                let mut piece = ident(&column.name);
                piece.push(" ").push(self.type_of(column));
                piece
            }),
        );
        sql.push(")");
        sql
    }

    /// The type that the server reads a member of the body as.
    fn type_of<'a>(&self, column: &'a Column) -> &'a str {
        if self.catalog.representations.contains_key(&("json".into(), column.declared_type.clone())) {
            return "json";
        }
        unbounded(&column.declared_type)
    }

    /// An object of the defaults of the columns that have some; nothing when they are not wanted.
    fn defaults(&self) -> Sql {
        let mut sql = Sql::new();
        if !self.with_defaults {
            return sql;
        }
        let with: Vec<(&Column, &String)> = self
            .columns
            .iter()
            .filter_map(|column| column.default.as_ref().map(|default| (*column, default)))
            .collect();
        // A function takes a hundred arguments at most.
        let objects = with.chunks(40).map(|some| {
            let mut object = Sql::of("jsonb_build_object(");
            object.join(
                ", ",
                some.iter().map(|(column, default)| {
                    let mut pair = Sql::new();
                    pair.literal(&column.name).push(", ").push(default);
                    pair
                }),
            );
            object.push(")");
            object
        });
        sql.join(" || ", objects);
        sql
    }
}

/// A type without a length that has one when none is written.
pub(super) fn unbounded(ty: &str) -> &str {
    match ty {
        "character" => "bpchar",
        "character[]" => "bpchar[]",
        "bit" => "varbit",
        "bit[]" => "varbit[]",
        "\"char\"" => "text",
        other => other,
    }
}
