//! Tables, indexes and views as SQLite's SQL.

use std::fmt::Write as _;

use mainstay_schema::{Column, DefaultValue, Index, Reference, ReferenceAction, Schema, Table, TableKind, Type, Value};
use rusqlite::types::Value as Native;

use super::super::types;
use super::{Sql, Sqlite};

/// `CREATE TABLE`, under another name if `name` gives one.
pub(in crate::sqlite) fn create_table(schema: &Schema, table: &Table, name: Option<&str>) -> String {
    let mut sql = Sql::new(Sqlite, schema);
    sql.push("CREATE TABLE ");
    sql.table_body(table, name.unwrap_or(&table.name));
    sql.text
}

/// `CREATE TABLE IF NOT EXISTS`.
pub(in crate::sqlite) fn create_missing_table(schema: &Schema, table: &Table) -> String {
    let mut sql = Sql::new(Sqlite, schema);
    sql.push("CREATE TABLE IF NOT EXISTS ");
    sql.table_body(table, &table.name);
    sql.text
}

/// What comes before the name of a type in [`typed_table`]: SQLite writes the names that it knows itself in its own way.
pub(in crate::sqlite) const TYPED: &str = "our ";

/// A table for [`SqliteProbe`](crate::SqliteProbe) alone: its columns declare our types, and a view is a table as well.
pub(in crate::sqlite) fn typed_table(schema: &Schema, table: &Table) -> String {
    let mut sql = Sql::new(Sqlite, schema);
    sql.push("CREATE TABLE ");
    sql.name(&table.name);
    sql.push(" (");
    for (position, column) in table.columns.iter().enumerate() {
        sql.push(if position > 0 { ", " } else { "" });
        sql.name(&column.name);
        sql.push(" ");
        sql.name(&format!("{TYPED}{}", column.ty));
    }
    sql.push(")");
    sql.text
}

/// `CREATE VIEW`; nothing for a table.
pub(in crate::sqlite) fn create_view(schema: &Schema, table: &Table) -> Option<String> {
    let TableKind::View { sql: query } = &table.kind else { return None };
    let mut sql = Sql::new(Sqlite, schema);
    sql.push("CREATE VIEW ");
    sql.name(&table.name);
    sql.push(" AS ");
    sql.push(query.trim().trim_end_matches(';'));
    Some(sql.text)
}

/// `CREATE INDEX`.
pub(in crate::sqlite) fn create_index(schema: &Schema, table: &Table, index: &Index) -> String {
    let mut sql = Sql::new(Sqlite, schema);
    sql.push(if index.unique { "CREATE UNIQUE INDEX " } else { "CREATE INDEX " });
    sql.name(&index.name);
    sql.push(" ON ");
    sql.name(&table.name);
    sql.push(" (");
    for (position, part) in index.columns.iter().enumerate() {
        let column = table.column(part.column);
        sql.push(if position > 0 { ", " } else { "" });
        sql.name(&column.name);
        // What orders by value also finds equal values; a key stays in byte order, which every program knows.
        if !index.unique {
            sql.collate(&column.ty);
        }
        sql.push(if part.descending { " DESC" } else { "" });
    }
    sql.push(")");
    if let Some(condition) = &index.condition {
        sql.push(" WHERE ");
        sql.push(condition);
    }
    sql.text
}

/// A column as `ADD COLUMN` takes it: with its default, which existing rows get.
pub(in crate::sqlite) fn added_column(schema: &Schema, column: &Column) -> String {
    let mut sql = Sql::new(Sqlite, schema);
    let default = column.default.as_ref().and_then(|default| match default {
        DefaultValue::Literal(value) => Some(value),
        _ => None,
    });
    sql.column_definition(column, default);
    sql.text
}

/// The default that SQLite itself must know, because a reference sets it; all others are the planner's.
pub(in crate::sqlite) fn stored_default<'t>(table: &'t Table, column: &'t Column) -> Option<&'t Value> {
    let sets_default = |reference: &Reference| {
        reference.columns.contains(&column.id)
            && [reference.on_delete, reference.on_update].contains(&ReferenceAction::SetDefault)
    };
    match &column.default {
        Some(DefaultValue::Literal(value)) if table.references.iter().any(sets_default) => Some(value),
        _ => None,
    }
}

/// A value as SQL text.
pub(in crate::sqlite) fn literal(value: &Value) -> String {
    let nothing = Schema::default();
    let mut sql = Sql::new(Sqlite, &nothing);
    sql.literal(value);
    sql.text
}

/// An identifier in quotes.
pub(in crate::sqlite) fn quoted(name: &str) -> String {
    let nothing = Schema::default();
    let mut sql = Sql::new(Sqlite, &nothing);
    sql.name(name);
    sql.text
}

/// Whether the column is SQLite's own row number, which makes its values itself when none are given.
pub(in crate::sqlite) fn is_row_number(table: &Table, column: &Column) -> bool {
    table.primary_key == [column.id] && matches!(column.ty, Type::Int | Type::BigInt)
}

/// Whether rows have no number of their own. Junctions are little more than their key: kept by it, a row is found in
/// one step instead of two. A full-text index needs the number.
pub(in crate::sqlite) fn is_kept_by_key(table: &Table) -> bool {
    table.primary_key.len() > 1 && table.fulltexts.is_empty()
}

impl Sql<'_> {
    fn table_body(&mut self, table: &Table, name: &str) {
        self.name(name);
        self.push(" (");
        for column in &table.columns {
            self.push(if column.id.index() > 0 { ",\n  " } else { "\n  " });
            if is_row_number(table, column) {
                self.name(&column.name);
                self.push(" INTEGER PRIMARY KEY");
            } else {
                self.column_definition(column, stored_default(table, column));
            }
        }
        if !table.columns.iter().any(|column| is_row_number(table, column)) && !table.primary_key.is_empty() {
            let key = format!("{}_pkey", table.name);
            self.constraint(&key, "PRIMARY KEY", table, &table.primary_key);
        }
        for key in &table.uniques {
            self.constraint(&key.name, "UNIQUE", table, &key.columns);
        }
        for reference in &table.references {
            self.reference(table, reference);
        }
        self.push("\n) STRICT");
        if is_kept_by_key(table) {
            self.push(", WITHOUT ROWID");
        }
    }

    fn column_definition(&mut self, column: &Column, default: Option<&Value>) {
        self.name(&column.name);
        self.push(" ");
        self.push(types::declared(&column.ty));
        if !column.optional {
            self.push(" NOT NULL");
        }
        if let Some(value) = default {
            self.push(" DEFAULT ");
            self.literal(value);
        }
    }

    fn constraint(&mut self, name: &str, kind: &str, table: &Table, columns: &[mainstay_schema::ColumnId]) {
        self.push(",\n  CONSTRAINT ");
        self.name(name);
        self.push(" ");
        self.push(kind);
        self.push(" (");
        self.names(table, columns);
        self.push(")");
    }

    fn reference(&mut self, table: &Table, reference: &Reference) {
        let target = self.schema.table(reference.target);
        self.constraint(&reference.name, "FOREIGN KEY", table, &reference.columns);
        self.push(" REFERENCES ");
        self.name(&target.name);
        self.push(" (");
        self.names(target, &reference.target_columns);
        self.push(")");
        self.action(" ON DELETE ", reference.on_delete);
        self.action(" ON UPDATE ", reference.on_update);
    }

    fn action(&mut self, event: &str, action: ReferenceAction) {
        let words = match action {
            // SQLite's own RESTRICT refuses within a statement that would be right at its end.
            ReferenceAction::Restrict => return,
            ReferenceAction::Cascade => "CASCADE",
            ReferenceAction::SetNull => "SET NULL",
            ReferenceAction::SetDefault => "SET DEFAULT",
        };
        self.push(event);
        self.push(words);
    }

    /// Writes a value into the text: only for defaults, where SQLite takes no parameters.
    fn literal(&mut self, value: &Value) {
        match types::native(value) {
            Native::Null => self.push("NULL"),
            Native::Integer(number) => {
                let _ = write!(self.text, "{number}");
            }
            Native::Real(number) => {
                let _ = write!(self.text, "{number:?}");
            }
            Native::Text(text) => {
                let _ = write!(self.text, "'{}'", text.replace('\'', "''"));
            }
            Native::Blob(octets) => {
                self.push("x'");
                for octet in octets {
                    let _ = write!(self.text, "{octet:02x}");
                }
                self.push("'");
            }
        }
    }
}
