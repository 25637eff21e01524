//! What SQLite says about the statements of functions: whether they fit the tables, what they give back, and that they
//! do nothing that a function must not.
//!
//! Statements are prepared and never run, in databases in memory that are made from the schema.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use mainstay_schema::load::{Probe, Probed, Refused, Statement};
use mainstay_schema::{Schema, Type};
use mainstay_store::StoreError;
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, Error, OpenFlags};

use super::render::ddl;
use super::{connect, errors, functions, migrate};

/// Knows the tables of one schema.
pub struct SqliteProbe {
    /// The tables as the store makes them, behind a guard.
    tables: Connection,
    /// What the guard refused last.
    refused: Arc<Mutex<Option<&'static str>>>,
    /// Tables and views alike as tables whose columns declare our types, which SQLite passes on to the columns of a
    /// query that are taken as they are.
    typed: Connection,
}

impl SqliteProbe {
    /// Makes the tables of a schema in memory.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be made, because a view is broken.
    pub fn new(schema: &Schema) -> Result<SqliteProbe, StoreError> {
        let wrong = |error| errors::translate(error, schema, None);
        let tables = connect::scratch().map_err(wrong)?;
        migrate::run_statements(&tables, &migrate::create(schema))?;
        migrate::prepare(&tables).map_err(wrong)?;
        SqliteProbe::guarded(tables, schema)
    }

    /// Looks at the tables that are in a file, which were found there. Nothing is read of their rows.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be opened.
    pub fn over(file: &Path, schema: &Schema) -> Result<SqliteProbe, StoreError> {
        let wrong = |error| errors::translate(error, schema, None);
        let tables = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(wrong)?;
        functions::register(&tables).map_err(wrong)?;
        tables.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false).map_err(wrong)?;
        SqliteProbe::guarded(tables, schema)
    }

    fn guarded(mut tables: Connection, schema: &Schema) -> Result<SqliteProbe, StoreError> {
        let wrong = |error| errors::translate(error, schema, None);
        let refused = Arc::new(Mutex::new(None));
        let note = refused.clone();
        let guard = move |context: AuthContext<'_>| match refusal(&context.action) {
            // What a trigger or view does, the schema says.
            _ if context.accessor.is_some() => Authorization::Allow,
            None => Authorization::Allow,
            Some(what) => {
                *note.lock().unwrap_or_else(PoisonError::into_inner) = Some(what);
                Authorization::Deny
            }
        };
        tables.authorizer(Some(guard)).map_err(wrong)?;
        let typed = connect::scratch().map_err(wrong)?;
        for table in schema.tables() {
            typed.execute_batch(&ddl::typed_table(schema, table)).map_err(wrong)?;
        }
        Ok(SqliteProbe { tables, refused, typed })
    }

    /// The types of the columns of a query, where they are those of columns of tables.
    fn types(&self, statement: &Statement) -> rusqlite::Result<Vec<Option<Type>>> {
        self.typed.execute_batch(&format!("CREATE TEMP VIEW {VIEW} AS {}", statement.without_parameters()))?;
        let look = || {
            let mut columns =
                self.typed.prepare(&format!("SELECT type FROM pragma_table_info('{VIEW}') ORDER BY cid"))?;
            let types = columns.query_map([], |row| {
                let declared: String = row.get(0)?;
                Ok(declared.strip_prefix(ddl::TYPED).and_then(functions::parse_type))
            })?;
            types.collect()
        };
        let types = look();
        self.typed.execute_batch(&format!("DROP VIEW {VIEW}"))?;
        types
    }
}

/// The view that a query becomes for a moment.
const VIEW: &str = "_mainstay_probe";

impl Probe for SqliteProbe {
    fn probe(&self, statement: &Statement) -> Result<Option<Probed>, Refused> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).take();
        let prepared = self.tables.prepare(&statement.text).map_err(|error| self.told(&statement.text, &error))?;
        let writes = !prepared.readonly();
        let names: Vec<String> = prepared.column_names().map(str::to_owned).collect();
        // What a statement that writes gives back can be no view.
        let types = if writes { Vec::new() } else { self.types(statement).unwrap_or_default() };
        let types = types.into_iter().chain(std::iter::repeat(None));
        Ok(Some(Probed { columns: names.into_iter().zip(types).collect(), writes }))
    }
}

impl SqliteProbe {
    fn told(&self, text: &str, error: &Error) -> Refused {
        if let Some(what) = self.refused.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let remedy = "read and change rows of the project's tables only".to_owned();
            return Refused { problem: format!("a function must not {what}"), remedy, at: None };
        }
        let at = match error {
            Error::SqlInputError { offset, .. } => usize::try_from(*offset).ok(),
            _ => None,
        };
        let problem = migrate::message(error);
        // Of a table SQLite does not say where it stands.
        let named = problem.strip_prefix("no such table: ").and_then(|name| text.find(name));
        let remedy = "mend the SQL; it is SQLite's".to_owned();
        Refused { problem, remedy, at: at.or(named) }
    }
}

/// What is refused of the things that a statement would do.
fn refusal(action: &AuthAction<'_>) -> Option<&'static str> {
    let own = "touch what Mainstay keeps for itself";
    match action {
        AuthAction::Select | AuthAction::Recursive | AuthAction::Function { .. } => None,
        AuthAction::Read { table_name, .. } if is_own(table_name) => Some(own),
        AuthAction::Read { table_name, .. } if starts_with(table_name, "pragma_") => {
            Some("look into the database by PRAGMA")
        }
        AuthAction::Read { .. } => None,
        AuthAction::Insert { table_name }
        | AuthAction::Delete { table_name }
        | AuthAction::Update { table_name, .. } => match is_own(table_name) || starts_with(table_name, "sqlite_") {
            true => Some(own),
            false => None,
        },
        AuthAction::Pragma { .. } => Some("run PRAGMA"),
        AuthAction::Attach { .. } | AuthAction::Detach { .. } => Some("open other files"),
        AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } => Some("begin or end transactions"),
        _ => Some("change tables, indexes, views or triggers"),
    }
}

fn is_own(table: &str) -> bool {
    starts_with(table, "_mainstay")
}

fn starts_with(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use mainstay_schema::load::{SourceFile, load, load_functions};

    use super::*;

    const SHOP: &str = r#"
[customers.fields]
id = { type = "int", primary = true }
name = "text"
balance = "decimal(12,2)"
joined = "timestamp"

[orders.fields]
id = { type = "int", primary = true, default = "sequence" }
customer_id = { ref = "customers" }
tags = "text[]"

[totals]
view = "SELECT customer_id, count(*) AS orders FROM orders GROUP BY 1"
[totals.fields]
customer_id = { ref = "customers" }
orders = "bigint"
"#;

    fn schema() -> Schema {
        load(&[SourceFile { path: "schema/a.toml".into(), text: SHOP.to_owned() }]).unwrap()
    }

    /// The columns of the result with their types, and which are computed; or the mistakes.
    fn look(text: &str) -> Result<String, Vec<String>> {
        let schema = schema();
        let probe = SqliteProbe::new(&schema).unwrap();
        let file = SourceFile { path: "queries/f.sql".into(), text: text.to_owned() };
        let schema = load_functions(schema, &[file], &probe)
            .map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        let function = &schema.functions()[0];
        let Some(rows) = function.rows() else { return Ok("nothing".to_owned()) };
        let table = schema.table(rows);
        let column = |id: &mainstay_schema::ColumnId| {
            let mark = if function.sql.computed.contains(id) { " computed" } else { "" };
            format!("{} {}{mark}", table.column(*id).name, table.column(*id).ty)
        };
        Ok(function.sql.columns.iter().map(column).collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn types_of_columns_taken_as_they_are_are_known() {
        for (text, expected) in [
            ("SELECT * FROM customers", "id int, name text, balance decimal(12,2), joined timestamp"),
            (
                "SELECT name AS n, o.tags FROM customers c LEFT JOIN orders o ON o.customer_id = c.id",
                "n text, tags text[]",
            ),
            ("WITH a AS (SELECT balance AS b FROM customers) SELECT b FROM a ORDER BY b", "b decimal(12,2)"),
            ("SELECT orders FROM totals", "orders bigint"),
            ("--- params.most = \"int\"\nSELECT id FROM orders LIMIT :most", "id int"),
            (
                "--- returns = \"customers\"\nSELECT joined, id, name, balance FROM customers",
                "joined timestamp, id int, name text, balance decimal(12,2)",
            ),
            (
                "--- returns = \"customers\"\nSELECT 1 AS id, name, balance, joined FROM customers",
                "id int computed, name text, balance decimal(12,2), joined timestamp",
            ),
            (
                "--- returns.fields.n = \"bigint\"\nSELECT count(*) AS n, name FROM customers GROUP BY 2",
                "n bigint computed, name text",
            ),
            ("--- returns = \"int\"\nSELECT max(id) FROM orders", "f int computed"),
            (
                "--- returns.fields.id = \"int\"\nSELECT id FROM orders UNION SELECT id FROM customers",
                "id int computed",
            ),
            ("--- writes = true\nDELETE FROM orders", "nothing"),
            (
                "--- writes = true\n--- returns = \"orders\"\nDELETE FROM orders RETURNING *",
                "id int computed, customer_id int computed, tags text[] computed",
            ),
        ] {
            assert_eq!(look(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn statements_that_do_not_fit_the_tables_are_refused_at_their_place() {
        for (text, expected) in [
            ("SELECT *\nFROM custmers", "queries/f.sql:2:6: no such table: custmers"),
            ("SELECT nme FROM customers", "1:8: no such column: nme"),
            ("SELECT \"nme\" FROM customers", "no such column: nme"),
            ("SELECT 1 FROM", "incomplete input"),
            ("SELECT 1,, 2", "1:10: near \",\": syntax error"),
            ("SELECT count(*) FROM customers", "the SQL computes `count(*)`"),
            ("SELECT name || '' AS n FROM customers", "the SQL computes `n`"),
            ("INSERT INTO orders (id) VALUES (1)", "the SQL changes rows, and the head does not say so"),
            ("WITH a AS (SELECT 1) DELETE FROM orders", "the SQL changes rows"),
            (
                "--- returns = \"customers\"\nSELECT id FROM customers",
                "and the SQL lacks `name`, `balance` and `joined`",
            ),
            ("SELECT * FROM _mainstay_imports", "1:1: a function must not touch what Mainstay keeps for itself"),
            ("SELECT * FROM pragma_table_info('orders')", "a function must not look into the database by PRAGMA"),
            ("--- writes = true\nINSERT INTO sqlite_schema VALUES (1,2,3,4,5)", "must not touch what Mainstay keeps"),
            ("--- writes = true\nUPDATE _mainstay_imports SET rows = 1", "must not touch what Mainstay keeps"),
        ] {
            let found = look(text).unwrap_err();
            assert!(found.iter().any(|mistake| mistake.contains(expected)), "{text}\n{found:#?}");
        }
    }
}
