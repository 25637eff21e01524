//! Changing the tables, all at once or not at all: PostgreSQL changes tables in transactions like rows.

use mainstay_schema::diff::{ColumnChange, Step, StepKind, diff};
use mainstay_schema::{Schema, Table, Type};
use mainstay_store::{Migrated, Migration, MigrationPlan, StoreError};

use super::errors::Failure;
use super::render;
use super::render::ddl::{self, quoted, text_literal};
use super::render::search;
use super::session::{Access, Isolation, Session};
use super::types::Param;

/// Where applied migrations are remembered.
const PREPARE: &str = r#"CREATE TABLE IF NOT EXISTS _mainstay_migrations (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE,
  applied_at timestamp with time zone NOT NULL DEFAULT now(),
  sql text NOT NULL,
  schema text NOT NULL
)"#;

/// One lock for all nodes that look after the tables.
const LOCK: i64 = 0x6d61_696e_7374_6179;

/// How long a change waits for a table that others use. Whoever waits for it blocks everybody who comes later.
const LOCK_WAIT: &str = "SET LOCAL lock_timeout = '2s'";

/// Makes what Mainstay keeps for itself where it is missing.
pub(super) async fn prepare(session: &mut Session) -> Result<(), Failure> {
    session.begin(Access::Write, Isolation::ReadCommitted);
    session.execute("SELECT pg_advisory_xact_lock($1)", &[Param::Int(LOCK)]).await?;
    session.batch_execute(PREPARE).await?;
    // A project without files has the internal tables and nothing else.
    let schema = mainstay_schema::load::load(&[]).unwrap_or_default();
    for table in schema.tables().iter().filter(|table| table.internal) {
        let create = ddl::create_table(table).replacen("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1);
        session.batch_execute(&create).await?;
    }
    session.commit().await
}

/// The way from one schema to another.
pub fn plan(old: &Schema, new: &Schema) -> MigrationPlan {
    let diff = diff(old, new);
    let way = Way { old, new };
    let mut statements: Vec<String> = diff.steps.iter().flat_map(|step| way.statements(&step.kind)).collect();
    // References last: they may point at tables that come later.
    let created = diff.steps.iter().filter_map(|step| match &step.kind {
        StepKind::CreateTable { table, .. } => new.find(table),
        _ => None,
    });
    let references: Vec<String> = created
        .flat_map(|table| table.references.iter().map(|reference| ddl::add_reference(new, table, reference)))
        .collect();
    let views =
        statements.iter().position(|statement| statement.starts_with("CREATE VIEW")).unwrap_or(statements.len());
    statements.splice(views..views, references);
    let sql = statements.into_iter().map(|statement| statement + ";\n").collect();
    let losses = diff.steps.iter().filter(|step| step.is_destructive()).filter_map(|step| step.loss.clone());
    MigrationPlan { sql, steps: diff.steps.iter().map(Step::in_words).collect(), losses: losses.collect() }
}

/// From one schema to another.
struct Way<'s> {
    old: &'s Schema,
    new: &'s Schema,
}

impl Way<'_> {
    fn statements(&self, step: &StepKind) -> Vec<String> {
        let alter = |table: &str, what: String| vec![format!("ALTER TABLE {} {what}", quoted(table))];
        match step {
            StepKind::DropView { view } => vec![format!("DROP VIEW {}", quoted(view))],
            StepKind::DropIndex { index, .. } => vec![format!("DROP INDEX {}", quoted(index))],
            StepKind::DropFullText { table, index } => {
                let table = self.old.find(table).into_iter();
                let find = |table: &'_ Table| {
                    let found = table.fulltexts.iter().find(|other| other.name == *index);
                    found.map(|index| search::drop(table, index)).unwrap_or_default()
                };
                table.flat_map(find).collect()
            }
            StepKind::DropReference { table, reference } => {
                alter(table, format!("DROP CONSTRAINT {}", quoted(reference)))
            }
            StepKind::DropUnique { table, key } => alter(table, format!("DROP CONSTRAINT {}", quoted(key))),
            StepKind::DropTable { table } => vec![format!("DROP TABLE {}", quoted(table))],
            StepKind::RenameTable { from, to } => self.rename_table(from, to),
            StepKind::CreateTable { table, .. } => self.create_table(table),
            StepKind::DropColumn { table, column } => alter(table, format!("DROP COLUMN {}", quoted(column))),
            StepKind::RenameColumn { table, from, to } => {
                alter(table, format!("RENAME COLUMN {} TO {}", quoted(from), quoted(to)))
            }
            StepKind::AddColumn { table, column, .. } => self.add_column(table, column),
            StepKind::ChangeColumn { table, column, change } => self.change_column(table, column, change),
            StepKind::ChangePrimaryKey { table, .. } => self.change_primary_key(table),
            StepKind::AddUnique { table, key, columns } => {
                let columns = ddl::quoted_list(columns.iter().map(|column| &**column));
                alter(table, format!("ADD CONSTRAINT {} UNIQUE ({columns})", quoted(key)))
            }
            StepKind::AddReference { table, reference, .. } => self.each(table, |table| {
                let found = table.references.iter().find(|other| other.name == *reference);
                found.map(|reference| ddl::add_reference(self.new, table, reference)).into_iter().collect()
            }),
            StepKind::AddIndex { table, index, .. } => self.each(table, |table| {
                let found = table.indexes.iter().find(|other| other.name == *index);
                found.map(|index| ddl::create_index(table, index)).into_iter().collect()
            }),
            StepKind::AddFullText { table, index, .. } => self.each(table, |table| {
                let found = table.fulltexts.iter().find(|other| other.name == *index);
                found.map(|index| search::create(table, index)).unwrap_or_default()
            }),
            StepKind::CreateView { view } => self.each(view, |view| ddl::create_view(view).into_iter().collect()),
            // Steps that are added later are proved to be missing by the comparison with the new schema.
            _ => Vec::new(),
        }
    }

    fn each(&self, table: &str, make: impl Fn(&Table) -> Vec<String>) -> Vec<String> {
        self.new.find(table).map(make).unwrap_or_default()
    }

    fn create_table(&self, table: &str) -> Vec<String> {
        self.each(table, |table| {
            let mut statements = vec![ddl::create_table(table)];
            statements.extend(table.indexes.iter().map(|index| ddl::create_index(table, index)));
            statements.extend(table.fulltexts.iter().flat_map(|index| search::create(table, index)));
            statements
        })
    }

    /// The primary key is named after the table.
    fn rename_table(&self, from: &str, to: &str) -> Vec<String> {
        let mut statements = vec![format!("ALTER TABLE {} RENAME TO {}", quoted(from), quoted(to))];
        if let (Some(old), Some(new)) = (self.old.find(from), self.new.find(to))
            && !old.primary_key.is_empty()
        {
            let (before, after) = (quoted(&ddl::primary_key(old)), quoted(&ddl::primary_key(new)));
            statements.push(format!("ALTER TABLE {} RENAME CONSTRAINT {before} TO {after}", quoted(to)));
        }
        statements
    }

    /// Rows that are there get the default, which the server then forgets: it is the planner's.
    fn add_column(&self, table: &str, column: &str) -> Vec<String> {
        self.each(table, |table| {
            let Some(column) = table.find_column(column) else { return Vec::new() };
            let (name, definition) = (quoted(&column.name), ddl::column_definition(table, column));
            let start = format!("ALTER TABLE {}", quoted(&table.name));
            let is_stored = ddl::stored_default(table, column).is_some();
            match ddl::default_of_old_rows(column).filter(|_| !is_stored) {
                None => vec![format!("{start} ADD COLUMN {definition}")],
                Some(default) => vec![
                    format!("{start} ADD COLUMN {definition} DEFAULT {default}"),
                    format!("{start} ALTER COLUMN {name} DROP DEFAULT"),
                ],
            }
        })
    }

    fn change_column(&self, table: &str, column: &str, change: &ColumnChange) -> Vec<String> {
        self.each(table, |table| {
            let Some(column) = table.find_column(column) else { return Vec::new() };
            let (name, start) = (quoted(&column.name), format!("ALTER TABLE {}", quoted(&table.name)));
            let alter = |what: &str| format!("{start} ALTER COLUMN {name} {what}");
            let mut statements = Vec::new();
            if change.default {
                statements.push(alter("DROP IDENTITY IF EXISTS"));
                statements.push(alter("DROP DEFAULT"));
            }
            if let Some((from, to)) = &change.ty {
                let using = converted(&name, from, to);
                statements.push(alter(&format!("TYPE {} USING {using}", ddl::column_type(to))));
            }
            match change.optional {
                Some(true) => statements.push(alter("DROP NOT NULL")),
                Some(false) => {
                    // Rows without a value get the default where the column no longer goes without.
                    if let Some(default) = ddl::default_of_old_rows(column) {
                        let table = quoted(&table.name);
                        statements.push(format!("UPDATE {table} SET {name} = {default} WHERE {name} IS NULL"));
                    }
                    statements.push(alter("SET NOT NULL"));
                }
                None => {}
            }
            if change.default {
                if let Some(value) = ddl::stored_default(table, column) {
                    statements.push(alter(&format!("SET DEFAULT {}", ddl::literal(&column.ty, value))));
                } else if column.default == Some(mainstay_schema::DefaultValue::Sequence) {
                    statements.push(alter("ADD GENERATED BY DEFAULT AS IDENTITY"));
                    let sequence = format!(
                        "pg_get_serial_sequence({}, {})",
                        text_literal(&quoted(&table.name)),
                        text_literal(&column.name)
                    );
                    let table = quoted(&table.name);
                    statements
                        .push(format!("SELECT setval({sequence}, coalesce(max({name}), 0) + 1, false) FROM {table}"));
                }
            }
            statements
        })
    }

    fn change_primary_key(&self, table: &str) -> Vec<String> {
        self.each(table, |table| {
            let start = format!("ALTER TABLE {}", quoted(&table.name));
            let key = quoted(&ddl::primary_key(table));
            let mut statements = vec![format!("{start} DROP CONSTRAINT IF EXISTS {key}")];
            if !table.primary_key.is_empty() {
                let columns = ddl::names(table, &table.primary_key);
                statements.push(format!("{start} ADD CONSTRAINT {key} PRIMARY KEY ({columns})"));
            }
            statements
        })
    }
}

/// A value of one type as one of another, as the evaluator's `cast` has it.
fn converted(name: &str, from: &Type, to: &Type) -> String {
    let schema = Schema::default();
    let mut sql = render::Sql::new(render::Postgres, &schema);
    render::cast(&mut sql, from, to, name);
    sql.text
}

/// The migrations that were applied, oldest first.
pub(super) async fn applied(session: &mut Session) -> Result<Vec<Migrated>, Failure> {
    let is_there = "SELECT to_regclass('_mainstay_migrations') IS NOT NULL";
    let rows = session.query_all(is_there, &[]).await?;
    if !rows.first().is_some_and(|row| row.get::<_, bool>(0)) {
        return Ok(Vec::new());
    }
    let list = "SELECT name, to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS+00:00'), sql, schema \
                FROM _mainstay_migrations ORDER BY position";
    let rows = session.query_all(list, &[]).await?;
    let migrated = |row: tokio_postgres::Row| Migrated {
        name: row.get(0),
        applied_at: row.get(1),
        sql: row.get(2),
        schema: row.get(3),
    };
    Ok(rows.into_iter().map(migrated).collect())
}

/// Carries out a migration in one transaction and remembers it.
pub(super) async fn apply(session: &mut Session, migration: &Migration) -> Result<(), StoreError> {
    let failed = |message: String| StoreError::Migration { message };
    prepare(session).await?;
    session.begin(Access::Write, Isolation::ReadCommitted);
    let lock = session.execute("SELECT pg_advisory_xact_lock($1)", &[Param::Int(LOCK)]).await;
    lock.map_err(|failure| failed(failure.told()))?;
    let run = async {
        session.batch_execute(LOCK_WAIT).await?;
        session.batch_execute(&migration.sql).await?;
        let record = "INSERT INTO _mainstay_migrations (name, sql, schema) VALUES ($1, $2, $3)";
        let values = [Param::Text(&migration.name), Param::Text(&migration.sql), Param::Text(&migration.schema)];
        session.execute(record, &values).await?;
        session.commit().await
    };
    run.await.map_err(|failure: Failure| failed(failure.told()))
}
