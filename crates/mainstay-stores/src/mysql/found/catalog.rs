//! What `information_schema` says of the database in use: a few questions, each answered for all tables at once, so that
//! many tables cost few round trips. The database is said of each view that is joined: otherwise MariaDB opens the tables
//! of all databases.

use std::collections::HashMap;

use mysql_async::Row;
use mysql_async::prelude::FromRow;

use crate::mysql::errors::Failure;
use crate::mysql::session::Session;

/// Everything of one database, each list in the order of its tables.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    /// The name of the database.
    pub(super) database: String,
    pub(super) tables: Vec<CatalogTable>,
    pub(super) columns: Vec<CatalogColumn>,
    pub(super) keys: Vec<CatalogKeyPart>,
    pub(super) references: Vec<CatalogReferencePart>,
    /// Tables that have triggers.
    pub(super) triggers: Vec<String>,
    /// Columns of MariaDB that hold documents: tables, and the condition of a check of theirs.
    pub(super) checks: Vec<(String, String)>,
}

/// A table or view.
#[derive(Debug)]
pub(super) struct CatalogTable {
    /// Whether it is a view.
    pub(super) is_view: bool,
    pub(super) name: String,
    pub(super) comment: String,
    /// The query of a view; empty where the user may not see it.
    pub(super) view: Option<String>,
    /// Whether rows of a view can be written.
    pub(super) is_updatable: bool,
}

/// A column.
#[derive(Debug)]
pub(super) struct CatalogColumn {
    pub(super) table: String,
    pub(super) name: String,
    /// The type without what stands in parentheses: `tinyint`.
    pub(super) data_type: String,
    /// The whole type: `tinyint(1) unsigned`, `enum('a','b')`.
    pub(super) column_type: String,
    pub(super) precision: Option<u64>,
    pub(super) scale: Option<u64>,
    pub(super) is_nullable: bool,
    pub(super) default: Option<String>,
    /// `auto_increment`, `on update …`, `DEFAULT_GENERATED`, `VIRTUAL GENERATED`.
    pub(super) extra: String,
    pub(super) comment: String,
    /// How the values are computed; empty where they are not.
    pub(super) generation: String,
}

/// A part of a key or index; those of one follow one another.
#[derive(Debug)]
pub(super) struct CatalogKeyPart {
    pub(super) table: String,
    pub(super) name: String,
    pub(super) is_unique: bool,
    /// Nothing for an expression.
    pub(super) column: Option<String>,
    /// Whether only the beginning of the values is in it.
    pub(super) is_prefix: bool,
    pub(super) is_descending: bool,
    /// `BTREE`, `FULLTEXT`, `SPATIAL`.
    pub(super) kind: String,
}

/// A part of a reference; those of one follow one another.
#[derive(Debug)]
pub(super) struct CatalogReferencePart {
    pub(super) table: String,
    pub(super) name: String,
    pub(super) column: String,
    pub(super) target: String,
    pub(super) target_column: String,
    pub(super) on_delete: String,
    pub(super) on_update: String,
}

const TABLES: &str = "\
SELECT table_name, table_comment, table_type LIKE '%VIEW' FROM information_schema.tables
WHERE table_schema = DATABASE() AND table_type IN ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED') ORDER BY table_name";

const VIEWS: &str = "\
SELECT table_name, COALESCE(view_definition, ''), is_updatable
FROM information_schema.views WHERE table_schema = DATABASE()";

const COLUMNS: &str = "\
SELECT table_name, column_name, LOWER(data_type), column_type, numeric_precision, numeric_scale, is_nullable, \
column_default, extra, column_comment, COALESCE(generation_expression, ''), ordinal_position
FROM information_schema.columns WHERE table_schema = DATABASE()";

const KEYS: &str = "\
SELECT table_name, index_name, non_unique, column_name, sub_part IS NOT NULL, COALESCE(collation, 'A'), index_type, \
seq_in_index
FROM information_schema.statistics WHERE table_schema = DATABASE()";

const REFERENCES: &str = "\
SELECT table_name, constraint_name, column_name, referenced_table_name, referenced_column_name, ordinal_position
FROM information_schema.key_column_usage
WHERE table_schema = DATABASE() AND constraint_schema = DATABASE() AND referenced_table_schema = DATABASE()";

/// What references do. Not joined with the last: for that, MariaDB goes through all tables once for each of them.
const RULES: &str = "\
SELECT table_name, constraint_name, delete_rule, update_rule
FROM information_schema.referential_constraints WHERE constraint_schema = DATABASE()";

const TRIGGERS: &str = "SELECT DISTINCT event_object_table FROM information_schema.triggers \
     WHERE trigger_schema = DATABASE() AND event_object_schema = DATABASE()";

const CHECKS: &str =
    "SELECT table_name, check_clause FROM information_schema.check_constraints WHERE constraint_schema = DATABASE()";

/// Asks for everything about tables.
pub(super) async fn read(session: &mut Session) -> Result<Catalog, Failure> {
    let mut catalog = Catalog::default();
    for (name,) in ask::<(Option<String>,)>(session, "SELECT DATABASE()").await? {
        catalog.database = name.unwrap_or_default();
    }
    let mut views: HashMap<String, (String, String)> = HashMap::new();
    for (name, query, is_updatable) in ask(session, VIEWS).await? {
        views.insert(name, (query, is_updatable));
    }
    for (name, comment, is_view) in ask::<(String, String, i64)>(session, TABLES).await? {
        let view = (is_view == 1).then(|| views.remove(&name).unwrap_or_default());
        catalog.tables.push(CatalogTable {
            name,
            is_view: view.is_some(),
            // Of a view it says `VIEW`.
            comment: if view.is_some() { String::new() } else { comment },
            is_updatable: view.as_ref().is_none_or(|(_, is_updatable)| is_updatable == "YES"),
            view: view.map(|(query, _)| query),
        });
    }
    let mut columns: Vec<(u64, CatalogColumn)> = Vec::new();
    for row in rows(session, COLUMNS).await? {
        let place = text(&row, 11).parse().unwrap_or_default();
        let column = CatalogColumn {
            table: text(&row, 0),
            name: text(&row, 1),
            data_type: text(&row, 2),
            column_type: text(&row, 3),
            precision: optional(&row, 4).and_then(|digits| digits.parse().ok()),
            scale: optional(&row, 5).and_then(|digits| digits.parse().ok()),
            is_nullable: text(&row, 6) == "YES",
            default: optional(&row, 7),
            extra: text(&row, 8),
            comment: text(&row, 9),
            generation: text(&row, 10),
        };
        columns.push((place, column));
    }
    catalog.columns = in_order(columns, |column| (&column.table, ""));
    let mut keys: Vec<(u64, CatalogKeyPart)> = Vec::new();
    for (table, name, non_unique, column, is_prefix, order, kind, place) in ask(session, KEYS).await? {
        let (non_unique, is_prefix, order): (i64, i64, String) = (non_unique, is_prefix, order);
        let is_descending = order == "D";
        let (is_unique, is_prefix) = (non_unique == 0, is_prefix == 1);
        keys.push((place, CatalogKeyPart { table, name, is_unique, column, is_prefix, is_descending, kind }));
    }
    catalog.keys = in_order(keys, |part| (&part.table, &part.name));
    let mut rules: HashMap<(String, String), (String, String)> = HashMap::new();
    for (table, name, on_delete, on_update) in ask(session, RULES).await? {
        rules.insert((table, name), (on_delete, on_update));
    }
    let mut references: Vec<(u64, CatalogReferencePart)> = Vec::new();
    for (table, name, column, target, target_column, place) in ask(session, REFERENCES).await? {
        let of: (String, String) = (table, name);
        let Some((on_delete, on_update)) = rules.get(&of).cloned() else { continue };
        let (table, name) = of;
        let part = CatalogReferencePart { table, name, column, target, target_column, on_delete, on_update };
        references.push((place, part));
    }
    catalog.references = in_order(references, |part| (&part.table, &part.name));
    catalog.triggers = ask(session, TRIGGERS).await?.into_iter().map(|(name,)| name).collect();
    if session.server().is_mariadb() {
        catalog.checks = ask(session, CHECKS).await?;
    }
    Ok(catalog)
}

/// Parts in the order of the names of what they are part of, and then of their places. Sorted here: the servers take
/// longer for it than for the answer.
fn in_order<T>(mut parts: Vec<(u64, T)>, names: impl Fn(&T) -> (&str, &str)) -> Vec<T> {
    parts.sort_by(|(place, one), (other_place, other)| (names(one), place).cmp(&(names(other), other_place)));
    parts.into_iter().map(|(_, part)| part).collect()
}

/// The rows of one question.
pub(super) async fn rows(session: &mut Session, sql: &str) -> Result<Vec<Row>, Failure> {
    session.query_text(sql).await
}

async fn ask<T: FromRow>(session: &mut Session, sql: &str) -> Result<Vec<T>, Failure> {
    let rows = rows(session, sql).await?.into_iter().map(mysql_async::from_row_opt);
    rows.collect::<Result<Vec<T>, _>>().map_err(|error| mysql_async::Error::Other(Box::new(error)).into())
}

/// A cell as text; null as none.
pub(super) fn optional(row: &Row, at: usize) -> Option<String> {
    match row.as_ref(at) {
        Some(mysql_async::Value::Bytes(octets)) => Some(String::from_utf8_lossy(octets).into_owned()),
        _ => None,
    }
}

/// A cell as text; null as an empty one.
pub(super) fn text(row: &Row, at: usize) -> String {
    optional(row, at).unwrap_or_default()
}
