//! The tables of a database that another program made, as a schema.
//!
//! ```text
//! catalog.rs  what `information_schema` says      types.rs    the servers' types → ours
//! version.sql whether that has changed            lineage.rs  what the columns of a view show
//! routines.rs functions and procedures
//! ```
//!
//! Nothing here changes the database. What cannot be served is left out and said (`Found::left_out`).

mod catalog;
mod lineage;
mod routines;
pub(super) mod types;

use std::collections::{HashMap, HashSet};

use mainstay_schema::found::{Found, FoundColumn, FoundTable};
use mainstay_schema::model::Checks;
use mainstay_schema::{
    Column, ColumnId, DefaultValue, Index, IndexColumn, Key, Reference, ReferenceAction, Schema, Table, TableId,
    TableKind, Type, Value,
};
use mainstay_store::StoreError;

use super::errors::Failure;
use super::render::ddl::{HIDDEN, text_literal};
use super::session::Session;
use crate::found::Noted;
use crate::sql::inherit::{self, Shown, Views};
use catalog::{Catalog, CatalogColumn, CatalogKeyPart, CatalogReferencePart, CatalogTable};
use routines::CatalogRoutine;

/// Most tables and views that are served.
const TABLES_MAX: usize = 20_000;

/// Reads the tables of the database in use. Nobody but the secret key may do anything with them yet.
///
/// # Errors
/// [`StoreError`] if the server does not answer, or answers what nobody expects.
pub(super) async fn find(session: &mut Session) -> Result<Schema, StoreError> {
    let is_mariadb = session.server().is_mariadb();
    let catalog = catalog::read(session).await?;
    let (routines, noted) = (routines::read(session).await?, noted(session).await?);
    // Much work where tables are many, and requests are answered by the same threads as this.
    let made = tokio::task::spawn_blocking(move || schema(&catalog, &routines, noted.as_ref(), is_mariadb));
    made.await.map_err(|error| StoreError::Internal(Box::new(error)))
}

/// A number that changes with the tables of the database in use: made from all that the schema is made of.
pub(super) async fn version(session: &mut Session) -> Result<i64, StoreError> {
    let rows = session.query_text(include_str!("version.sql")).await?;
    let row = rows.first().ok_or_else(|| StoreError::Internal("the catalog gave no answer".into()))?;
    let mut version = 0_i64;
    for at in 0..row.len() {
        let number: i64 = row.get::<Option<i64>, _>(at).flatten().unwrap_or_default();
        // As in a number of several digits: what goes up in one place and down in another is not the same again.
        version = version.wrapping_mul(1_000_003).wrapping_add(number);
    }
    Ok(version)
}

/// A table in the making.
struct Made<'c> {
    from: &'c CatalogTable,
    table: Table,
    about: FoundTable,
}

impl Made<'_> {
    /// A column of this name. The servers do not tell names of columns apart by case.
    fn column(&self, name: &str) -> Option<ColumnId> {
        self.table.find_column(name).map(|column| column.id).or_else(|| {
            let same = |column: &&Column| column.name.to_lowercase() == name.to_lowercase();
            self.table.columns.iter().find(same).map(|column| column.id)
        })
    }
}

/// Items by the table that they are of.
fn by_table<T>(items: &[T], table: impl Fn(&T) -> &str) -> HashMap<String, Vec<&T>> {
    let mut map: HashMap<String, Vec<&T>> = HashMap::new();
    for item in items {
        map.entry(table(item).to_owned()).or_default().push(item);
    }
    map
}

/// What Mainstay noted of tables that it made; nothing in a database of others.
async fn noted(session: &mut Session) -> Result<Option<Noted>, Failure> {
    let last = "SELECT `schema` FROM `_mainstay_migrations` ORDER BY `position` DESC LIMIT 1";
    let rows = match session.query_text(last).await {
        // There is no such table, or it is not for this user.
        Err(failure) if matches!(failure.code(), Some(1146 | 1142)) => return Ok(None),
        rows => rows?,
    };
    let text: Option<String> = rows.first().and_then(|row| row.get::<Option<String>, _>(0)).flatten();
    Ok(text.and_then(|text| Noted::read(&text)))
}

fn schema(catalog: &Catalog, routines: &[CatalogRoutine], noted: Option<&Noted>, is_mariadb: bool) -> Schema {
    let columns = by_table(&catalog.columns, |column| &column.table);
    let keys = by_table(&catalog.keys, |part| &part.table);
    let triggers: HashSet<&str> = catalog.triggers.iter().map(|name| &**name).collect();
    let documents = by_table(&catalog.checks, |(table, _)| table);
    let mut found = Found::default();
    let mut made: Vec<Made<'_>> = Vec::new();
    for from in &catalog.tables {
        if from.name.starts_with("_mainstay") {
            continue;
        }
        let Some(columns) = columns.get(&from.name) else {
            found.left_out.push(format!("{}: its columns cannot be seen", from.name));
            continue;
        };
        if made.len() >= TABLES_MAX {
            found.left_out.push(format!("{}: there are more than {TABLES_MAX}", from.name));
            continue;
        }
        let checks = documents.get(&from.name).map_or(&[][..], |checks| checks);
        let holds_documents = |column: &str| {
            let check = format!("json_valid(`{column}`)");
            checks.iter().any(|(_, clause)| clause.eq_ignore_ascii_case(&check))
        };
        let mut one = table(from, made.len(), columns, noted, holds_documents, is_mariadb);
        one.about.has_triggers = triggers.contains(&*from.name);
        for parts in keys.get(&from.name).map_or(&[][..], |parts| parts).chunk_by(|one, next| one.name == next.name) {
            key(&mut one, parts);
        }
        made.push(one);
    }
    let places: HashMap<&str, usize> = made.iter().enumerate().map(|(at, made)| (&*made.from.name, at)).collect();
    // On some systems the server writes names of tables in lower case where they are pointed at.
    let lower: HashMap<String, usize> =
        made.iter().enumerate().map(|(at, made)| (made.from.name.to_lowercase(), at)).collect();
    let place = |name: &str| places.get(name).or_else(|| lower.get(&name.to_lowercase())).copied();
    let all: Vec<&CatalogReferencePart> = catalog.references.iter().collect();
    let mut references: Vec<(usize, Reference)> = Vec::new();
    for parts in all.chunk_by(|one, next| (&one.table, &one.name) == (&next.table, &next.name)) {
        match reference(&made, place, parts) {
            Ok(found) => references.extend(found),
            Err(problem) => found.left_out.push(problem),
        }
    }
    let views = views(&made, &places, &catalog.database);
    for (owner, reference) in references {
        made[owner].table.references.push(reference);
    }
    count_through(&mut made, &views);
    let mut tables: Vec<&mut Table> = made.iter_mut().map(|made| &mut made.table).collect();
    inherit::inherit(&mut tables, &views);
    let (tables, about): (Vec<Table>, Vec<FoundTable>) = made.into_iter().map(|made| (made.table, made.about)).unzip();
    found.tables = about;
    let (functions, results) = routines::functions(routines, &catalog.database, tables.len(), &mut found.left_out);
    Schema::of_found(tables, found).with_functions(functions, results)
}

fn table<'c>(
    from: &'c CatalogTable,
    at: usize,
    all: &[&CatalogColumn],
    noted: Option<&Noted>,
    holds_documents: impl Fn(&str) -> bool,
    is_mariadb: bool,
) -> Made<'c> {
    let mut columns = Vec::with_capacity(all.len());
    let mut about = Vec::with_capacity(all.len());
    // What a migration of ours computes for a key is no column of anybody's.
    for column in all.iter().filter(|column| !column.name.starts_with(HIDDEN)) {
        let id = ColumnId(columns.len() as u32);
        let ours = noted.and_then(|noted| noted.data_type(&from.name, &column.name));
        let ours = ours.filter(|ty| types::is_kept_so(ty, &column.column_type));
        let ty = ours.cloned().unwrap_or_else(|| types::data_type(column, holds_documents(&column.name)));
        about.push(FoundColumn {
            declared: column.column_type.clone(),
            loose: false,
            computed: !column.generation.is_empty(),
            opaque: false,
        });
        columns.push(made_column(id, column, ty, is_mariadb));
    }
    let kind = match from.is_updatable {
        true => TableKind::Table,
        false => TableKind::View { sql: String::new() },
    };
    Made {
        from,
        table: Table {
            description: some(&from.comment),
            ..Table::new(TableId(at as u32), from.name.as_str(), kind, columns)
        },
        about: FoundTable { is_view: from.is_view, columns: about, ..FoundTable::default() },
    }
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn made_column(id: ColumnId, column: &CatalogColumn, ty: Type, is_mariadb: bool) -> Column {
    let is_computed = !column.generation.is_empty();
    Column {
        default: if is_computed { None } else { default(column, &ty, is_mariadb) },
        optional: column.is_nullable || is_computed,
        checks: Checks {
            variants: types::variants(column).iter().map(|value| value.as_str().into()).collect(),
            ..Checks::default()
        },
        description: some(&column.comment),
        ..Column::new(id, column.name.as_str(), ty)
    }
}

/// What the server puts where no value is given. MariaDB says it as SQL, MySQL as a bare value or as SQL.
fn default(column: &CatalogColumn, ty: &Type, is_mariadb: bool) -> Option<DefaultValue> {
    if column.extra.contains("auto_increment") {
        return Some(DefaultValue::Sequence);
    }
    let text = column.default.as_deref()?;
    if let Some(value) = literal(column, text, ty, is_mariadb) {
        return Some(DefaultValue::Literal(value));
    }
    if is_mariadb {
        return (!text.eq_ignore_ascii_case("null")).then(|| DefaultValue::Expression(text.to_owned()));
    }
    let is_sql = column.extra.contains("DEFAULT_GENERATED")
        || text.starts_with("b'")
        || matches!(ty, Type::Bool | Type::Int | Type::BigInt | Type::Float | Type::Decimal { .. });
    Some(DefaultValue::Expression(if is_sql { text.to_owned() } else { text_literal(text) }))
}

/// The value of a default that is one, in the words of the server.
fn literal(column: &CatalogColumn, text: &str, ty: &Type, is_mariadb: bool) -> Option<Value> {
    let is_number = matches!(ty, Type::Bool | Type::Int | Type::BigInt | Type::Float | Type::Decimal { .. });
    let bare = match text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        // What has a backslash or a quote in it is left to the server.
        Some(quoted) if is_mariadb => (!quoted.contains(['\'', '\\'])).then_some(quoted)?,
        _ if is_mariadb => is_number.then_some(text)?,
        _ => (!column.extra.contains("DEFAULT_GENERATED")).then_some(text)?,
    };
    let is_plain = is_number || matches!(ty, Type::Text | Type::Date);
    Value::parse(ty, bare).ok().filter(|_| is_plain)
}

/// A primary key, a unique key, or an index over whole columns.
fn key(made: &mut Made<'_>, parts: &[&CatalogKeyPart]) {
    let Some(first) = parts.first() else { return };
    let ids: Option<Vec<ColumnId>> =
        parts.iter().map(|part| part.column.as_deref().and_then(|name| made.column(name))).collect();
    let Some(ids) = ids.filter(|_| first.kind != "FULLTEXT") else { return };
    if parts.iter().any(|part| part.is_prefix) {
        return made.about.led_to.push(ids);
    }
    let name = first.name.as_str().into();
    if first.name == "PRIMARY" {
        made.table.primary_key = ids;
    } else if first.is_unique {
        made.table.uniques.push(Key { name, columns: ids });
    } else {
        let columns = parts.iter().zip(ids);
        let columns = columns.map(|(part, column)| IndexColumn { column, descending: part.is_descending });
        let index = Index { name, columns: columns.collect(), unique: false, condition: None };
        made.table.indexes.push(index);
    }
}

/// A reference and the place of the table that has it; nothing where the tables are not served.
fn reference(
    made: &[Made<'_>],
    place: impl Fn(&str) -> Option<usize>,
    parts: &[&CatalogReferencePart],
) -> Result<Option<(usize, Reference)>, String> {
    let Some(first) = parts.first() else { return Ok(None) };
    let (Some(owner), Some(target)) = (place(&first.table), place(&first.target)) else { return Ok(None) };
    let columns: Option<Vec<ColumnId>> = parts.iter().map(|part| made[owner].column(&part.column)).collect();
    let targets: Option<Vec<ColumnId>> = parts.iter().map(|part| made[target].column(&part.target_column)).collect();
    let (Some(columns), Some(target_columns)) = (columns, targets) else {
        return Err(format!("the reference {} of {}: its columns are not served", first.name, first.table));
    };
    let reference = Reference {
        name: first.name.as_str().into(),
        columns,
        target: made[target].table.id,
        target_columns,
        on_delete: action(&first.on_delete),
        on_update: action(&first.on_update),
    };
    Ok(Some((owner, reference)))
}

fn action(rule: &str) -> ReferenceAction {
    match rule {
        "CASCADE" => ReferenceAction::Cascade,
        "SET NULL" => ReferenceAction::SetNull,
        "SET DEFAULT" => ReferenceAction::SetDefault,
        _ => ReferenceAction::Restrict,
    }
}

/// Lets rows be written through views without the numbers that the server counts.
fn count_through(made: &mut [Made<'_>], views: &Views) {
    let is_counted = |made: &[Made<'_>], at: usize, column: ColumnId| {
        made[at].table.column(column).default == Some(DefaultValue::Sequence)
    };
    // A view of a view is counted once that one is.
    for _ in 0..views.len() {
        let mut counted = Vec::new();
        for (view, shown) in views {
            let new = shown
                .iter()
                .filter(|one| is_counted(made, one.table, one.column) && !is_counted(made, *view, one.here));
            counted.extend(new.map(|one| (*view, one.here)).filter(|_| made[*view].table.is_writable()));
        }
        if counted.is_empty() {
            return;
        }
        for (view, column) in counted {
            made[view].table.columns[column.index()].default = Some(DefaultValue::Sequence);
        }
    }
}

/// What the views show of tables and other views.
fn views(made: &[Made<'_>], places: &HashMap<&str, usize>, database: &str) -> Views {
    let shown = |view: &Made<'_>, query: &str| -> Vec<Shown> {
        let one = |shown: lineage::Shown| {
            let table = *places.get(&*shown.table)?;
            let column = made[table].column(&shown.column)?;
            Some(Shown { here: view.column(&shown.name)?, table, column })
        };
        lineage::shown(query, database).into_iter().filter_map(one).collect()
    };
    let views = made.iter().enumerate();
    views.filter_map(|(at, view)| Some((at, shown(view, view.from.view.as_deref()?)))).collect()
}
