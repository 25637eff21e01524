//! The tables and functions of a database that another program made, as a schema.
//!
//! ```text
//! catalog.sql   the question for tables, answered with one JSON document   types.rs     PostgreSQL's types → ours
//! routines.sql  the same for functions and procedures                      lineage.rs   what the columns of a view show
//! catalog.rs    those documents as data                                    routines.rs  functions and procedures
//! views.rs      keys and references that views inherit                     version.sql  whether all that has changed
//! ```
//!
//! Nothing here changes the database. What cannot be served is left out and said (`Found::left_out`).

mod catalog;
pub mod lineage;
mod routines;
mod types;
mod views;

use std::collections::HashMap;
use std::sync::Arc;

use mainstay_schema::found::{Found, FoundColumn, FoundTable};
use mainstay_schema::model::{Checks, Texts};
use mainstay_schema::{
    Column, ColumnId, DefaultValue, Index, IndexColumn, Key, Reference, ReferenceAction, Schema, Table, TableId,
    TableKind,
};
use mainstay_store::StoreError;

use super::errors::Failure;
use super::session::{Access, Isolation, Session};
use super::types::{Param, Raw};

use catalog::{Catalog, CatalogColumn, CatalogRoutine, CatalogTable};
use routines::Routines;

/// Most tables and views that are served.
const TABLES_MAX: usize = 20_000;

/// Bit of `pg_relation_is_updatable` for rows that can be inserted, updated, deleted.
const INSERTABLE: i32 = 1 << 3;
const UPDATABLE: i32 = 1 << 2;
const DELETABLE: i32 = 1 << 4;

/// Settings while the catalog is read. To compile a statement takes longer than to run it on any catalog, and what is
/// hashed of ten thousand tables is more than a request usually needs.
const SETTINGS: [(&str, &str); 2] = [("jit", "off"), ("work_mem", "32MB")];

/// Reads the tables of the schema in which the session makes its own, the first of its `search_path` that is there.
/// Nobody but the secret key may do anything with them yet.
///
/// # Errors
/// [`StoreError`] if the server does not answer, or answers what nobody expects.
pub(super) async fn find(session: &mut Session) -> Result<Schema, StoreError> {
    begin(session);
    let namespace = one(session, "SELECT current_schema()::text", &[]).await?;
    let text = one(session, include_str!("catalog.sql"), &[Param::Text(&namespace)]).await?;
    let routines = one(session, include_str!("routines.sql"), &[Param::Text(&namespace)]).await?;
    session.commit().await?;
    // Much work where tables are many, and requests are answered by the same threads as this.
    let made = tokio::task::spawn_blocking(move || {
        let wrong = |error| StoreError::Internal(Box::new(error));
        let catalog: Catalog = serde_json::from_str(&text).map_err(wrong)?;
        let routines: Vec<CatalogRoutine> = serde_json::from_str(&routines).map_err(wrong)?;
        Ok(schema(&catalog, &routines, &namespace))
    });
    made.await.map_err(|error| StoreError::Internal(Box::new(error)))?
}

/// Begins a look at the catalog, which sees one state of it.
fn begin(session: &mut Session) {
    let settings = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    session.begin_with(Access::Read, Isolation::RepeatableRead, settings);
}

/// A number that changes with the tables of that schema: made from when each entry of the catalog was last written.
pub(super) async fn version(session: &mut Session) -> Result<i64, StoreError> {
    begin(session);
    let rows = session.query_all(include_str!("version.sql"), &[]).await?;
    session.commit().await?;
    let row = rows.first().ok_or_else(|| StoreError::Internal("the catalog gave no answer".into()))?;
    row.try_get(0).map_err(|error| Failure::from(error).into())
}

/// The one text of the one row.
async fn one(session: &mut Session, sql: &str, params: &[Param<'_>]) -> Result<String, StoreError> {
    let rows = session.query_all(sql, params).await?;
    let row = rows.first().ok_or_else(|| StoreError::Internal("the catalog gave no answer".into()))?;
    let text: Option<Raw<'_>> = row.try_get(0).map_err(Failure::from)?;
    Ok(text.map(|raw| String::from_utf8_lossy(raw.0).into_owned()).unwrap_or_default())
}

/// A table in the making.
struct Made<'c> {
    from: &'c CatalogTable,
    table: Table,
    about: FoundTable,
    /// For each number of a column in the catalog, the column here.
    numbers: HashMap<i16, ColumnId>,
}

impl Made<'_> {
    fn columns(&self, numbers: &[i16]) -> Option<Vec<ColumnId>> {
        numbers.iter().map(|number| self.numbers.get(number).copied()).collect()
    }
}

fn schema(catalog: &Catalog, routines: &[CatalogRoutine], namespace: &str) -> Schema {
    let mut found = Found { namespace: Some(namespace.into()), ..Found::default() };
    let mut made: Vec<Made<'_>> = Vec::new();
    for from in &catalog.tables {
        if from.name.starts_with("_mainstay") {
            continue;
        }
        if made.len() >= TABLES_MAX {
            found.left_out.push(format!("{}: there are more than {TABLES_MAX}", from.name));
        } else if from.columns.is_empty() {
            found.left_out.push(format!("{}: it has no columns", from.name));
        } else {
            made.push(table(from, made.len()));
        }
    }
    let places: HashMap<i64, usize> = made.iter().enumerate().map(|(at, made)| (made.from.oid, at)).collect();
    for at in 0..made.len() {
        made[at].table.references = references(&made, at, &places, &mut found.left_out);
    }
    views::inherit(&mut made, &places);
    let Routines { functions, results, about } =
        routines::routines(routines, namespace, (&made, &places), &mut found.left_out);
    found.results = about;
    let (tables, about): (Vec<Table>, Vec<FoundTable>) = made.into_iter().map(|made| (made.table, made.about)).unzip();
    found.tables = about;
    Schema::of_found(tables, found).with_functions(functions, results)
}

fn table(from: &CatalogTable, at: usize) -> Made<'_> {
    let mut columns = Vec::with_capacity(from.columns.len());
    let mut about = Vec::with_capacity(from.columns.len());
    let mut numbers = HashMap::new();
    for column in &from.columns {
        let id = ColumnId(columns.len() as u32);
        numbers.insert(column.number, id);
        about.push(found_column(column));
        columns.push(made_column(id, column));
    }
    let all = INSERTABLE | UPDATABLE | DELETABLE;
    let is_table = matches!(from.kind.as_str(), "r" | "p");
    let kind = match is_table || from.updatable & all == all {
        true => TableKind::Table,
        false => TableKind::View { sql: String::new() },
    };
    let mut made = Made {
        from,
        table: Table {
            description: from.description.clone(),
            ..Table::new(TableId(at as u32), from.name.as_str(), kind, columns)
        },
        about: FoundTable {
            row_number: None,
            is_view: !is_table,
            has_triggers: from.has_triggers,
            led_to: Vec::new(),
            columns: about,
        },
        numbers,
    };
    for constraint in &from.constraints {
        let Some(columns) = made.columns(&constraint.columns) else { continue };
        match constraint.kind.as_str() {
            "p" => made.table.primary_key = columns,
            "u" => made.table.uniques.push(Key { name: constraint.name.as_str().into(), columns }),
            _ => {}
        }
    }
    for index in &from.indexes {
        let Some(ids) = made.columns(&index.columns) else { continue };
        let name: Arc<str> = index.name.as_str().into();
        if index.unique {
            made.table.uniques.push(Key { name, columns: ids });
            continue;
        }
        let parts = ids.iter().zip(&index.options);
        let columns = parts.map(|(column, option)| IndexColumn { column: *column, descending: option & 1 == 1 });
        let index = Index { name, columns: columns.collect(), unique: false, condition: None };
        made.table.indexes.push(index);
    }
    made
}

fn found_column(column: &CatalogColumn) -> FoundColumn {
    FoundColumn {
        declared: column.declared.clone(),
        loose: false,
        computed: column.generated || column.identity == "a",
        opaque: types::is_opaque(column),
    }
}

fn made_column(id: ColumnId, column: &CatalogColumn) -> Column {
    let default = match (&column.default, column.identity.as_str()) {
        _ if column.generated || column.identity == "a" => None,
        (_, "d") => Some(DefaultValue::Sequence),
        (Some(text), _) => Some(DefaultValue::Expression(text.clone())),
        (None, _) => None,
    };
    Column {
        optional: !column.required || column.generated || column.identity == "a",
        default,
        checks: Checks {
            variants: column.labels.iter().flatten().map(|label| label.as_str().into()).collect(),
            ..Checks::default()
        },
        description: column.description.clone(),
        texts: if matches!(column.kind.as_str(), "r" | "m") { Texts::Ranges } else { Texts::Plain },
        ..Column::new(id, column.name.as_str(), types::data_type(column))
    }
}

fn references(
    made: &[Made<'_>],
    at: usize,
    places: &HashMap<i64, usize>,
    left_out: &mut Vec<String>,
) -> Vec<Reference> {
    let here = &made[at];
    let mut references = Vec::new();
    for constraint in here.from.constraints.iter().filter(|constraint| constraint.kind == "f") {
        // One to another schema of the database is the database's business alone.
        let Some(target) = places.get(&constraint.target).map(|at| &made[*at]) else { continue };
        let columns = here.columns(&constraint.columns);
        let targets = constraint.target_columns.as_deref().and_then(|numbers| target.columns(numbers));
        let (Some(columns), Some(target_columns)) = (columns, targets) else {
            left_out
                .push(format!("the reference {} of {}: its columns are not served", constraint.name, here.from.name));
            continue;
        };
        references.push(Reference {
            name: constraint.name.as_str().into(),
            columns,
            target: target.table.id,
            target_columns,
            on_delete: action(&constraint.on_delete),
            on_update: action(&constraint.on_update),
        });
    }
    references
}

fn action(letter: &str) -> ReferenceAction {
    match letter {
        "c" => ReferenceAction::Cascade,
        "n" => ReferenceAction::SetNull,
        "d" => ReferenceAction::SetDefault,
        _ => ReferenceAction::Restrict,
    }
}
