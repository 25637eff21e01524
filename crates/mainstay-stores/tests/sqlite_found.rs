//! Random plans over SQLite files of another program agree with the reference store.

use std::fmt::Write as _;
use std::sync::Arc;

use mainstay_schema::{ReferenceAction, Schema, Table, Type};
use mainstay_store::Store;
use mainstay_store::conformance::Found;
use mainstay_stores::sqlite::found;
use mainstay_stores::{SqliteOptions, SqliteStore, Synchronous};
use rusqlite::Connection;

async fn open(schema: Arc<Schema>) -> Found {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let path = folder.path().join("app.db");
    let other = Connection::open(&path).expect("a file can be made");
    let tables: String = schema.tables().iter().map(|table| made(&schema, table)).collect();
    other
        .execute_batch(&format!("PRAGMA journal_mode = wal; {tables}"))
        .unwrap_or_else(|error| panic!("{error}: {tables}"));
    let options = SqliteOptions { found: true, synchronous: Synchronous::Off, ..SqliteOptions::default() };
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path, options).expect("the file can be opened"));
    let schema = Arc::new(found::load(&path).expect("the file can be read"));
    let reworded: String = schema.tables().iter().map(reworded).collect();
    let other = std::sync::Mutex::new((other, folder));
    let reword = move || {
        let other = other.lock().expect("nobody panics with it");
        other.0.execute_batch(&reworded).unwrap_or_else(|error| panic!("{error}: {reworded}"));
    };
    Found { store, schema, reword: Box::new(reword) }
}

/// A table as another program would declare it.
fn made(schema: &Schema, table: &Table) -> String {
    let mut sql = format!("CREATE TABLE {} (", table.name);
    for column in &table.columns {
        let required = if column.optional { "" } else { " NOT NULL" };
        let _ = write!(sql, "{} {}{required}, ", column.name, declared(&column.ty));
    }
    let names = |table: &Table, columns: &[mainstay_schema::ColumnId]| {
        columns.iter().map(|column| table.column(*column).name.to_string()).collect::<Vec<_>>().join(", ")
    };
    let _ = write!(sql, "PRIMARY KEY ({})", names(table, &table.primary_key));
    for key in &table.uniques {
        let _ = write!(sql, ", UNIQUE ({})", names(table, &key.columns));
    }
    for reference in &table.references {
        let target = schema.table(reference.target);
        let _ = write!(
            sql,
            ", FOREIGN KEY ({}) REFERENCES {} ({}) ON DELETE {} ON UPDATE {}",
            names(table, &reference.columns),
            target.name,
            names(target, &reference.target_columns),
            action(reference.on_delete),
            action(reference.on_update)
        );
    }
    sql + ");\n"
}

/// Words that other programs use for types; times stand in a column without any.
fn declared(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "BOOLEAN",
        Type::Int => "INT",
        Type::BigInt => "INTEGER",
        Type::Float => "DOUBLE",
        Type::Decimal { .. } => "DECIMAL(12,2)",
        Type::Text => "VARCHAR(200)",
        Type::Uuid => "CHAR(36)",
        Type::Bytes => "BLOB",
        Type::Date => "DATE",
        Type::Time => "",
        Type::Timestamp => "DATETIME",
        Type::Json | Type::Array(_) => "JSON",
    }
}

fn action(action: ReferenceAction) -> &'static str {
    match action {
        ReferenceAction::Restrict => "NO ACTION",
        ReferenceAction::Cascade => "CASCADE",
        ReferenceAction::SetNull => "SET NULL",
        ReferenceAction::SetDefault => "SET DEFAULT",
    }
}

/// Documents with other blanks.
fn reworded(table: &Table) -> String {
    let documents = table.columns.iter().filter(|column| column.ty == Type::Json);
    let reworded = |column: &mainstay_schema::Column| {
        let (table, column) = (&table.name, &column.name);
        // A number is a number to SQLite, whatever its digits.
        format!("UPDATE {table} SET {column} = json_pretty({column}) WHERE typeof({column}) = 'text' AND rowid % 2;\n")
    };
    documents.map(reworded).collect()
}

mainstay_store::conformance_found!(open);
