//! Changing the tables, all at once or not at all.

use mainstay_schema::diff::{Diff, Step, StepKind, diff};
use mainstay_schema::{Schema, Table, TableKind};
pub use mainstay_store::MigrationPlan;
use mainstay_store::{Migrated, Migration, StoreError};
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Batch, Connection, params};

use super::render::alter::{ANEW, Change};
use super::render::ddl::{self, quoted};
use super::render::fulltext;
use super::{connect, errors, functions, introspect};

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

/// The way from one schema to another.
pub fn plan(old: &Schema, new: &Schema) -> MigrationPlan {
    let diff = diff(old, new);
    let changes: Vec<Change<'_>> = diff.kept.iter().map(|pair| Change::new(old, new, pair, &diff.kept)).collect();
    let mut statements = Vec::new();
    statements.extend(simple_steps(&diff, |step| match step {
        StepKind::DropView { view } => vec![format!("DROP VIEW {}", quoted(view))],
        _ => Vec::new(),
    }));
    statements.extend(changes.iter().flat_map(Change::drop_indexes));
    statements.extend(changes.iter().flat_map(Change::drop_fulltexts));
    statements.extend(simple_steps(&diff, |step| match step {
        StepKind::DropTable { table } => drop_table(old, table),
        StepKind::RenameTable { from, to } => rename_table(from, to),
        _ => Vec::new(),
    }));
    statements.extend(changes.iter().flat_map(Change::alter));
    let created = |name: &str| new.find(name).into_iter();
    statements.extend(simple_steps(&diff, |step| match step {
        StepKind::CreateTable { table, .. } => {
            created(table).map(|table| ddl::create_table(new, table, None)).collect()
        }
        _ => Vec::new(),
    }));
    statements.extend(changes.iter().flat_map(Change::create_indexes));
    statements.extend(simple_steps(&diff, |step| match step {
        StepKind::CreateTable { table, .. } => created(table)
            .flat_map(|table| table.indexes.iter().map(|index| ddl::create_index(new, table, index)))
            .collect(),
        _ => Vec::new(),
    }));
    statements.extend(changes.iter().flat_map(Change::create_fulltexts));
    statements.extend(simple_steps(&diff, |step| match step {
        StepKind::CreateTable { table, .. } => created(table)
            .flat_map(|table| table.fulltexts.iter().flat_map(|index| fulltext::create(table, index)))
            .collect(),
        _ => Vec::new(),
    }));
    statements.extend(simple_steps(&diff, |step| match step {
        StepKind::CreateView { view } => created(view).filter_map(|view| ddl::create_view(new, view)).collect(),
        _ => Vec::new(),
    }));
    let sql = statements.into_iter().map(|statement| statement + ";\n").collect();
    let losses = diff.steps.iter().filter(|step| step.is_destructive()).filter_map(|step| step.loss.clone());
    MigrationPlan { sql, steps: diff.steps.iter().map(Step::in_words).collect(), losses: losses.collect() }
}

/// A table goes with its triggers; what they serve is dropped first.
fn drop_table(old: &Schema, name: &str) -> Vec<String> {
    let table = old.find(name).into_iter();
    let indexes = table.flat_map(|table| table.fulltexts.iter().flat_map(|index| fulltext::drop(table, index)));
    indexes.chain([format!("DROP TABLE {}", quoted(name))]).collect()
}

fn simple_steps(diff: &Diff, statements: impl Fn(&StepKind) -> Vec<String>) -> Vec<String> {
    diff.steps.iter().flat_map(|step| statements(&step.kind)).collect()
}

/// SQLite takes names that differ in case only for the same, so such a rename goes by way of another name.
fn rename_table(from: &str, to: &str) -> Vec<String> {
    let rename = |from: &str, to: &str| format!("ALTER TABLE {} RENAME TO {}", quoted(from), quoted(to));
    if from.eq_ignore_ascii_case(to) {
        let between = format!("{ANEW}{to}");
        vec![rename(from, &between), rename(&between, to)]
    } else {
        vec![rename(from, to)]
    }
}

/// The statements that make all tables of a schema in an empty database.
pub fn create(schema: &Schema) -> String {
    plan(&Schema::default(), schema).sql
}

/// Shows that a migration leads from `old` to `new`: carries it out in a database in memory, makes `new` in another,
/// and compares what is there.
///
/// # Errors
/// Every difference, or why the migration or a view cannot be carried out, one sentence each.
pub fn prove(old: &Schema, new: &Schema, sql: &str) -> Result<(), Vec<String>> {
    let broken = |error: rusqlite::Error| vec![message(&error)];
    let migrated = connect::scratch().map_err(broken)?;
    migrated.pragma_update(None, "foreign_keys", false).map_err(broken)?;
    run_statements(&migrated, &create(old)).map_err(|error| vec![format!("the old schema: {error}")])?;
    run_statements(&migrated, sql).map_err(|error| vec![error.to_string()])?;
    let sentences = drift(&migrated, new).map_err(|error| vec![error.to_string()])?;
    if sentences.is_empty() { Ok(()) } else { Err(sentences) }
}

/// How the tables of a database differ from what a schema says, one sentence each.
pub(super) fn drift(connection: &Connection, schema: &Schema) -> Result<Vec<String>, StoreError> {
    let made = connect::scratch().map_err(internal)?;
    run_statements(&made, &create(schema))?;
    let wanted = introspect::look(&made).map_err(internal)?;
    let found = introspect::look(connection).map_err(internal)?;
    let mut sentences = introspect::differences(&wanted, &found);
    sentences.extend(schema.tables().iter().filter_map(|table| broken_view(connection, table)));
    Ok(sentences)
}

/// What is wrong with a view: a query that does not run, or one that lacks a declared column.
fn broken_view(connection: &Connection, table: &Table) -> Option<String> {
    let is_view = matches!(table.kind, TableKind::View { .. });
    let columns: Vec<String> = table.columns.iter().map(|column| quoted(&column.name)).collect();
    let probe = format!("SELECT {} FROM {}", columns.join(", "), quoted(&table.name));
    let outcome = if is_view { connection.prepare(&probe).err() } else { None };
    outcome.map(|error| format!("view {}: {}", table.name, message(&error)))
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
    match list() {
        // A file that is served as it was found has none.
        Err(error) if message(&error) == "no such table: _mainstay_migrations" => Ok(Vec::new()),
        list => list.map_err(|error| errors::translate(error, &Schema::default(), None)),
    }
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
            Err(error) => return Err(failed(format!("statement {position}: {}", reason(&error)))),
        }
    }
}

/// What SQLite says, without the text of the statement.
pub(super) fn message(error: &rusqlite::Error) -> String {
    let text = match error {
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    };
    // Advice for people who type statements; ours quote names on purpose.
    let advice = " - should this be a string literal in single-quotes?";
    text.strip_suffix(advice).map_or(text.clone(), |text| text.replace('"', ""))
}

/// The same in the words of the schema, where the statement is one of ours.
fn reason(error: &rusqlite::Error) -> String {
    let text = message(error);
    if let Some(value) = functions::take_error() {
        return format!("a row has a value that cannot be converted: {value}");
    }
    match text.strip_prefix("NOT NULL constraint failed: ").and_then(|name| name.strip_prefix(ANEW)) {
        Some(column) => format!("{column} is required, and there are rows without a value for it; give it a default"),
        None => text.replace(ANEW, ""),
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
