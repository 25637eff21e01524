//! Changing the tables, all at once or not at all.

use mainstay_schema::{Schema, TableKind};
use mainstay_store::{Migrated, Migration, StoreError};
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Batch, Connection, params};

use super::errors;
use super::render::ddl;

/// Where applied migrations are remembered.
const APPLIED: &str = "CREATE TABLE IF NOT EXISTS _mainstay_migrations (
  position INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  applied_at TEXT NOT NULL,
  sql TEXT NOT NULL,
  schema TEXT NOT NULL
) STRICT";

/// Makes the tables that Mainstay keeps for itself where they are missing.
pub(super) fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(APPLIED)?;
    // A project without files has the internal tables and nothing else.
    let schema = mainstay_schema::load::load(&[]).unwrap_or_default();
    for table in schema.tables().iter().filter(|table| table.internal) {
        connection.execute_batch(&ddl::create_missing_table(&schema, table))?;
    }
    Ok(())
}

/// What a migration would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MigrationPlan {
    /// All statements, as they go into the migration file.
    pub sql: String,
    /// What it does, step by step, in words.
    pub steps: Vec<String>,
    /// What it destroys, in words; empty when nothing is lost.
    pub losses: Vec<String>,
}

/// The way from one schema to another.
pub fn plan(old: &Schema, new: &Schema) -> MigrationPlan {
    let _ = old;
    MigrationPlan { sql: create(new).join(";\n") + ";\n", ..MigrationPlan::default() }
}

/// The statements that make all tables of a schema in an empty database.
pub fn create(schema: &Schema) -> Vec<String> {
    let tables = schema.tables().iter().filter(|table| !table.internal);
    let mut statements = Vec::new();
    for table in tables.clone().filter(|table| table.kind == TableKind::Table) {
        statements.push(ddl::create_table(schema, table, None));
        statements.extend(table.indexes.iter().map(|index| ddl::create_index(schema, table, index)));
    }
    statements.extend(tables.filter_map(|table| ddl::create_view(schema, table)));
    statements
}

/// The migrations that were applied, oldest first.
pub(super) fn applied(connection: &Connection) -> Result<Vec<Migrated>, StoreError> {
    let list = || {
        let mut statement =
            connection.prepare("SELECT name, applied_at, sql, schema FROM _mainstay_migrations ORDER BY position")?;
        let rows = statement.query_map([], |row| {
            Ok(Migrated { name: row.get(0)?, applied_at: row.get(1)?, sql: row.get(2)?, schema: row.get(3)? })
        })?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    list().map_err(|error| errors::translate(error, &Schema::default(), None))
}

/// Carries out a migration in one transaction and remembers it.
pub(super) fn apply(connection: &mut Connection, migration: &Migration) -> Result<(), StoreError> {
    // Inside a transaction this would do nothing; with it on, dropping a table would empty those that point at it.
    set_foreign_keys(connection, false)?;
    let result = in_transaction(connection, migration);
    if result.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK").map_err(internal)?;
    }
    set_foreign_keys(connection, true)?;
    connection.flush_prepared_statement_cache();
    result
}

fn set_foreign_keys(connection: &Connection, on: bool) -> Result<(), StoreError> {
    connection.pragma_update(None, "foreign_keys", on).map_err(internal)
}

fn internal(error: rusqlite::Error) -> StoreError {
    errors::translate(error, &Schema::default(), None)
}

fn in_transaction(connection: &mut Connection, migration: &Migration) -> Result<(), StoreError> {
    connection.execute_batch("BEGIN IMMEDIATE").map_err(internal)?;
    connection.authorizer(Some(only_tables)).map_err(internal)?;
    let result = run_statements(connection, &migration.sql);
    connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>).map_err(internal)?;
    result?;
    check_references(connection)?;
    connection
        .execute(
            "INSERT INTO _mainstay_migrations (name, applied_at, sql, schema)
             VALUES (?, strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now'), ?, ?)",
            params![migration.name, migration.sql, migration.schema],
        )
        .map_err(|error| failed(format!("{} cannot be recorded: {}", migration.name, message(&error))))?;
    connection.execute_batch("COMMIT").map_err(internal)
}

/// A migration file must not end the transaction that makes it whole, nor reach other files.
fn only_tables(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Transaction { .. }
        | AuthAction::Savepoint { .. }
        | AuthAction::Attach { .. }
        | AuthAction::Detach { .. } => Authorization::Deny,
        _ => Authorization::Allow,
    }
}

/// Runs the statements of a migration one after the other.
pub(super) fn run_statements(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    let mut batch = Batch::new(connection, sql);
    let mut position = 0;
    loop {
        position += 1;
        let outcome = batch.next().and_then(|statement| match statement {
            None => Ok(false),
            Some(mut statement) => {
                let mut rows = statement.raw_query();
                while rows.next()?.is_some() {}
                Ok(true)
            }
        });
        match outcome {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => return Err(failed(format!("statement {position}: {}", message(&error)))),
        }
    }
}

/// What SQLite says, without the text of the statement.
fn message(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    }
}

fn failed(message: String) -> StoreError {
    StoreError::Migration { message }
}

/// Refuses to go on when rows point at nothing.
fn check_references(connection: &Connection) -> Result<(), StoreError> {
    let find = || {
        let mut statement = connection.prepare(
            "SELECT \"table\", \"parent\", count(*) FROM pragma_foreign_key_check GROUP BY 1, 2 ORDER BY 1, 2",
        )?;
        let rows = statement.query_map([], |row| {
            let (table, parent, rows): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(format!("{rows} rows of {table} point at rows of {parent} that do not exist"))
        })?;
        rows.collect::<rusqlite::Result<Vec<String>>>()
    };
    match find() {
        Ok(broken) if broken.is_empty() => Ok(()),
        Ok(broken) => Err(failed(broken.join("; "))),
        Err(error) => Err(failed(format!("references cannot be checked: {}", message(&error)))),
    }
}
