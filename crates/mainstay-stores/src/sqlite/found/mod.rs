//! A file that another program made, as a schema: tables, views, keys, references, read from the file itself.
//!
//! ```text
//! declared.rs  declared types → our types     defaults.rs  defaults: literals we know, the rest is SQLite's
//! ddl.rs       names of constraints           views.rs     keys and references that views inherit
//! ours.rs      types of tables that we made ourselves
//! ```
//!
//! Nothing here changes the file. What cannot be served is left out and said (`Found::left_out`).

mod ddl;
mod declared;
mod defaults;
mod ours;
mod views;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use mainstay_schema::found::{Found, FoundColumn, FoundTable};
use mainstay_schema::{
    Column, ColumnId, DefaultValue, Index, IndexColumn, Key, Reference, ReferenceAction, Schema, Table, TableId,
    TableKind,
};
use mainstay_store::StoreError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Result};

use super::{errors, functions};
use crate::found::Noted;

/// Most tables and views that are served.
const TABLES_MAX: usize = 20_000;
/// Most references, those that views inherit among them.
const REFERENCES_MAX: usize = 50_000;
/// Names under which SQLite knows the number of a row, unless a column has taken them.
const ROW_NUMBERS: [&str; 3] = ["rowid", "_rowid_", "oid"];

/// Reads the schema of a file. Nobody but the secret key may do anything with its tables yet.
///
/// # Errors
/// [`StoreError`] if the file cannot be opened, or is no database.
pub fn load(path: &Path) -> std::result::Result<Schema, StoreError> {
    let look = || {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(super::connect::BUSY_TIMEOUT)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        functions::register(&connection)?;
        Ok(connection)
    };
    find(&look().map_err(|error| errors::translate(error, &Schema::default(), None))?)
}

/// Reads the schema of the file of a connection, as [`load`] does.
pub(super) fn find(connection: &Connection) -> std::result::Result<Schema, StoreError> {
    // One snapshot, so that tables and what they refer to fit; it ends with the guard.
    let snapshot = connection.unchecked_transaction();
    let schema = snapshot.and_then(|snapshot| read(&snapshot));
    schema.map_err(|error| errors::translate(error, &Schema::default(), None))
}

/// The number that changes with the tables of the file.
pub(super) fn version(connection: &Connection) -> std::result::Result<i64, StoreError> {
    let version = || connection.prepare_cached("PRAGMA schema_version")?.query_row([], |row| row.get(0));
    version().map_err(|error| errors::translate(error, &Schema::default(), None))
}

/// Whether the file has a write-ahead log.
pub(super) fn is_write_ahead(connection: &Connection) -> std::result::Result<bool, StoreError> {
    let mode = connection.query_row("PRAGMA journal_mode", [], |row| row.get::<_, String>(0));
    mode.map(|mode| mode == "wal").map_err(|error| errors::translate(error, &Schema::default(), None))
}

/// What has triggers and indexes, those of unique keys among them, by names of tables in lower case: looked up once,
/// since each question that need not be asked of ten thousand tables saves a while.
#[derive(Default)]
struct Having {
    triggers: HashSet<String>,
    indexes: HashSet<String>,
}

/// A table or view as `sqlite_schema` lists it.
struct Listed {
    name: String,
    kind: String,
    without_row_number: bool,
    sql: String,
}

/// A table in the making.
struct Made {
    table: Table,
    about: FoundTable,
}

fn read(connection: &Connection) -> Result<Schema> {
    let mut found = Found::default();
    let noted = ours::read(connection)?;
    found.is_ours = noted.is_some();
    let mut made: Vec<Made> = Vec::new();
    let mut listed = Vec::new();
    let (all, having) = list(connection)?;
    for one in all {
        if made.len() >= TABLES_MAX {
            found.left_out.push(format!("{} {}: there are more than {TABLES_MAX}", one.kind, one.name));
            continue;
        }
        match read_table(connection, &one, made.len(), &having, noted.as_ref()) {
            Ok(table) if table.table.columns.is_empty() => {
                found.left_out.push(format!("{} {}: it has no columns", one.kind, one.name));
            }
            Ok(table) => {
                made.push(table);
                listed.push(one);
            }
            // A view of a table that is gone, a module that is not there: the rest of the file is none the worse.
            Err(error) => found.left_out.push(format!("{} {}: {}", one.kind, one.name, told(&error))),
        }
    }
    let by_name: HashMap<String, usize> =
        made.iter().enumerate().map(|(at, made)| (made.table.name.to_ascii_lowercase(), at)).collect();
    for at in 0..made.len() {
        if made[at].table.is_writable() {
            let references = read_references(connection, &listed[at], &made, at, &by_name, &mut found.left_out)?;
            made[at].table.references = references;
        }
    }
    views::inherit(connection, &mut made, &by_name, &mut found.left_out)?;
    let (tables, about): (Vec<Table>, Vec<FoundTable>) = made.into_iter().map(|made| (made.table, made.about)).unzip();
    found.tables = about;
    Ok(Schema::of_found(tables, found))
}

fn told(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    }
}

/// The tables and views in the order in which they were made, and which of them have what.
fn list(connection: &Connection) -> Result<(Vec<Listed>, Having)> {
    // What begins with sqlite_ is SQLite's own, what begins with _mainstay ours; shadow tables are the inside of
    // virtual ones.
    let mut statement = connection.prepare(
        "SELECT name, type, wr FROM pragma_table_list
         WHERE schema = 'main' AND type <> 'shadow'
           AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_mainstay%' ESCAPE '\\'",
    )?;
    let kinds = statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    let mut kinds = kinds.collect::<Result<HashMap<String, (String, bool)>>>()?;
    let (mut listed, mut having) = (Vec::new(), Having::default());
    let mut statement =
        connection.prepare("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema ORDER BY rowid")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let table = || row.get::<_, String>(2).map(|name| name.to_ascii_lowercase());
        match row.get_ref(0)?.as_str()? {
            "trigger" => drop(having.triggers.insert(table()?)),
            "index" => drop(having.indexes.insert(table()?)),
            _ => {
                let name: String = row.get(1)?;
                let Some((kind, without_row_number)) = kinds.remove(&name) else { continue };
                listed.push(Listed { name, kind, without_row_number, sql: row.get(3)? });
            }
        }
    }
    Ok((listed, having))
}

fn read_table(
    connection: &Connection,
    listed: &Listed,
    at: usize,
    having: &Having,
    noted: Option<&Noted>,
) -> Result<Made> {
    let is_table = listed.kind == "table";
    if !is_table {
        // Refuses a view that does not run, or a virtual table that cannot be opened.
        connection.prepare(&format!("SELECT * FROM {}", super::render::ddl::quoted(&listed.name)))?;
    }
    let mut columns = Vec::new();
    let mut about = Vec::new();
    let mut key: Vec<(i64, ColumnId)> = Vec::new();
    let mut defaults = Vec::new();
    let mut statement = connection.prepare_cached(
        "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid",
    )?;
    let mut rows = statement.query([&listed.name])?;
    while let Some(row) = rows.next()? {
        let (hidden, place): (i64, i64) = (row.get(5)?, row.get(4)?);
        if hidden == HIDDEN {
            continue;
        }
        let id = ColumnId(columns.len() as u32);
        let name: String = row.get(0)?;
        let declared: String = row.get(1)?;
        let required: bool = row.get(2)?;
        let noted = noted.and_then(|noted| ours::data_type(noted, &listed.name, &name, &declared));
        let (ty, loose) = match noted {
            Some(ty) if is_table => (ty, false),
            _ => declared::data_type(&declared, listed.is_strict()),
        };
        if place > 0 {
            key.push((place, id));
        }
        defaults.push(row.get::<_, Option<String>>(3)?);
        let computed = hidden == COMPUTED_VIRTUAL || hidden == COMPUTED_STORED;
        about.push(FoundColumn { declared, loose, computed, opaque: false });
        let optional = computed || !is_table || (!required && place == 0);
        columns.push(Column { optional, ..Column::new(id, name, ty) });
    }
    drop(rows);
    for ((column, about), text) in columns.iter_mut().zip(&about).zip(&defaults) {
        column.default = text.as_ref().filter(|_| !about.computed).and_then(|text| defaults::read(text, column, about));
    }
    key.sort_unstable();
    let primary_key: Vec<ColumnId> = key.into_iter().map(|(_, column)| column).collect();
    let name = listed.name.to_ascii_lowercase();
    let (uniques, indexes, has_key_index) = match having.indexes.contains(&name) {
        true => read_indexes(connection, &listed.name, &columns)?,
        false => Default::default(),
    };
    if let ([only], false, false) = (primary_key.as_slice(), has_key_index, listed.without_row_number) {
        // SQLite's own number of the row under another name: it counts on by itself.
        columns[only.index()].default = Some(DefaultValue::Sequence);
    }
    let taken = |name: &str| columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
    let row_number = match is_table && !listed.without_row_number && primary_key.is_empty() {
        true => ROW_NUMBERS.iter().find(|name| !taken(name)).map(|name| Arc::from(*name)),
        false => None,
    };
    // Rows that nothing tells apart, in a table that hides their numbers, can be read and no more.
    let is_writable = is_table && (row_number.is_some() || !primary_key.is_empty());
    let kind = if is_writable { TableKind::Table } else { TableKind::View { sql: listed.sql.clone() } };
    let has_triggers = having.triggers.contains(&name);
    let table = Table::new(TableId(at as u32), listed.name.as_str(), kind, columns);
    let table = Table { primary_key, uniques, indexes, ..table };
    Ok(Made {
        table,
        about: FoundTable { row_number, is_view: !is_table, has_triggers, led_to: Vec::new(), columns: about },
    })
}

/// Of a virtual table: a column that only its module needs.
const HIDDEN: i64 = 1;
const COMPUTED_VIRTUAL: i64 = 2;
const COMPUTED_STORED: i64 = 3;

impl Listed {
    fn is_strict(&self) -> bool {
        // Only tells `ANY` apart, so the words after the last bracket are enough.
        self.sql.rsplit(')').next().is_some_and(|tail| tail.to_ascii_uppercase().contains("STRICT"))
    }
}

/// Unique keys, indexes, and whether the primary key has an index of its own.
fn read_indexes(connection: &Connection, table: &str, columns: &[Column]) -> Result<(Vec<Key>, Vec<Index>, bool)> {
    let mut list = connection
        .prepare_cached("SELECT name, \"unique\", origin, partial FROM pragma_index_list(?) ORDER BY seq DESC")?;
    let listed = list.query_map([table], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let listed = listed.collect::<Result<Vec<(String, bool, String, bool)>>>()?;
    let (mut uniques, mut indexes, mut has_key_index) = (Vec::new(), Vec::new(), false);
    let mut parts =
        connection.prepare_cached("SELECT name, \"desc\" FROM pragma_index_xinfo(?) WHERE \"key\" ORDER BY seqno")?;
    for (name, unique, origin, partial) in listed {
        has_key_index |= origin == "pk";
        let parts = parts.query_map([&name], |row| Ok((row.get::<_, Option<String>>(0)?, row.get::<_, bool>(1)?)))?;
        let parts = parts.collect::<Result<Vec<_>>>()?;
        let part = |(name, descending): &(Option<String>, bool)| {
            let column = columns.iter().find(|column| Some(&*column.name) == name.as_deref())?.id;
            Some(IndexColumn { column, descending: *descending })
        };
        // An index on an expression is SQLite's business alone.
        let Some(parts) = parts.iter().map(part).collect::<Option<Vec<_>>>() else { continue };
        let ids: Vec<ColumnId> = parts.iter().map(|part| part.column).collect();
        match origin.as_str() {
            "pk" => {}
            "u" => {
                let names: Vec<&str> = ids.iter().map(|id| &*columns[id.index()].name).collect();
                uniques.push(Key { name: format!("{table}_{}_key", names.join("_")).into(), columns: ids });
            }
            _ if partial => {}
            _ if unique => uniques.push(Key { name: name.into(), columns: ids }),
            _ => indexes.push(Index { name: name.into(), columns: parts, unique, condition: None }),
        }
    }
    Ok((uniques, indexes, has_key_index))
}

/// One row of `pragma_foreign_key_list`.
struct Part {
    id: i64,
    target: String,
    from: String,
    to: Option<String>,
    on_update: String,
    on_delete: String,
}

fn read_references(
    connection: &Connection,
    listed: &Listed,
    made: &[Made],
    at: usize,
    by_name: &HashMap<String, usize>,
    left_out: &mut Vec<String>,
) -> Result<Vec<Reference>> {
    let table = &made[at].table;
    // Only these words make one, wherever they stand.
    if !listed.sql.to_ascii_lowercase().contains("references") {
        return Ok(Vec::new());
    }
    let mut list = connection.prepare_cached(
        "SELECT id, \"table\", \"from\", \"to\", on_update, on_delete FROM pragma_foreign_key_list(?) ORDER BY id DESC, seq",
    )?;
    let parts = list.query_map([&listed.name], |row| {
        Ok(Part {
            id: row.get(0)?,
            target: row.get(1)?,
            from: row.get(2)?,
            to: row.get(3)?,
            on_update: row.get(4)?,
            on_delete: row.get(5)?,
        })
    })?;
    let parts = parts.collect::<Result<Vec<_>>>()?;
    let names = ddl::reference_names(&listed.sql);
    let mut references: Vec<Reference> = Vec::new();
    for parts in parts.chunk_by(|a, b| a.id == b.id) {
        let from: Vec<&str> = parts.iter().map(|part| part.from.as_str()).collect();
        let what = || format!("the reference of {} ({}) to {}", table.name, from.join(", "), parts[0].target);
        let Some(target) = by_name.get(&parts[0].target.to_ascii_lowercase()).map(|at| &made[*at].table) else {
            left_out.push(format!("{}: there is no such table", what()));
            continue;
        };
        let find = |table: &Table, name: &str| {
            table.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)).map(|column| column.id)
        };
        let columns = parts.iter().map(|part| find(table, &part.from)).collect::<Option<Vec<_>>>();
        let targets = match parts[0].to {
            // Without columns the primary key is meant.
            None => Some(target.primary_key.clone()).filter(|key| key.len() == parts.len()),
            Some(_) => parts.iter().map(|part| find(target, part.to.as_deref()?)).collect(),
        };
        let (Some(columns), Some(target_columns)) = (columns, targets) else {
            left_out.push(format!("{}: it does not fit the columns there", what()));
            continue;
        };
        let lower: Vec<String> = from.iter().map(|name| name.to_ascii_lowercase()).collect();
        let named = names.iter().find(|(of, _)| *of == lower).map(|(_, name)| name.clone());
        let name = named.unwrap_or_else(|| format!("{}_{}_fkey", table.name, from.join("_")));
        let is_taken = |name: &str| references.iter().any(|reference| &*reference.name == name);
        let name = unused(name, is_taken);
        references.push(Reference {
            name: name.into(),
            columns,
            target: target.id,
            target_columns,
            on_delete: action(&parts[0].on_delete),
            on_update: action(&parts[0].on_update),
        });
    }
    Ok(references)
}

/// The name, or the name with a number behind it.
fn unused(name: String, is_taken: impl Fn(&str) -> bool) -> String {
    let mut names = std::iter::once(name.clone()).chain((2..).map(|number| format!("{name}_{number}")));
    names.find(|name| !is_taken(name)).expect("there is always a larger number")
}

fn action(word: &str) -> ReferenceAction {
    match word {
        "CASCADE" => ReferenceAction::Cascade,
        "SET NULL" => ReferenceAction::SetNull,
        "SET DEFAULT" => ReferenceAction::SetDefault,
        _ => ReferenceAction::Restrict,
    }
}
