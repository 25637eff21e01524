//! The first rows of a project: `seed/*.{csv,ndjson,json}`, one file a table, into tables that are still empty.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mainstay_query::plan::{Expect, Expr, Insert, Output, Read, Source, Write};
use mainstay_query::{Actor, authorize};
use mainstay_schema::{ColumnId, Schema, Table, TableId, Value};
use mainstay_store::{Store, StoreError};
use serde::Serialize;

use super::cells::Nothing;
use super::conflict::OnConflict;
use super::error::{TransferError, reason_of};
use super::format::FileForm;
use super::ledger::{call, read};
use super::reader::{Plan, Reader};
use super::typing::Renames;

/// Which tables are seeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeedMode {
    /// Only those that hold no row.
    Empty,
    /// All: rows whose primary key is there already take the values of the file.
    Again,
}

/// What seeding did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Seeded {
    /// The tables that have a file, in the order in which they were seeded.
    pub tables: Vec<SeededTable>,
}

impl Seeded {
    /// Rows written in all.
    pub fn rows(&self) -> u64 {
        self.tables.iter().filter_map(|table| table.rows).sum()
    }
}

/// What seeding did with one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SeededTable {
    /// The table.
    pub table: String,
    /// The file.
    pub file: PathBuf,
    /// Rows written; absent if the table held rows and was left alone.
    pub rows: Option<u64>,
}

/// Puts the files of `folder` into their tables, targets of references before the tables that refer to them. Each table
/// is one transaction.
///
/// # Errors
/// The first record that is wrong, as `file:line: reason`; its table stays as it was.
pub async fn seed(
    store: &dyn Store,
    schema: &Arc<Schema>,
    folder: &Path,
    mode: SeedMode,
) -> Result<Seeded, TransferError> {
    let mut files = files(schema, folder)?;
    let mut seeded = Seeded::default();
    for id in reference_order(schema) {
        let Some((file, form)) = files.remove(&id) else { continue };
        let table = schema.table(id);
        let is_due = mode == SeedMode::Again || is_empty(store, schema, table).await?;
        let rows = match is_due {
            true => Some(seed_table(store, schema, table, &file, form, mode).await?),
            false => None,
        };
        seeded.tables.push(SeededTable { table: table.name.to_string(), file, rows });
    }
    Ok(seeded)
}

/// The file of each table that has one.
fn files(schema: &Schema, folder: &Path) -> Result<BTreeMap<TableId, (PathBuf, FileForm)>, TransferError> {
    let cannot = || TransferError::file(format!("cannot read {}", folder.display()));
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(cannot()(error)),
    };
    let paths: Result<Vec<_>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.map_err(cannot())?;
    paths.sort();
    let mut files: BTreeMap<TableId, (PathBuf, FileForm)> = BTreeMap::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(form) = FileForm::of(&path, None).filter(|_| !name.starts_with('.')) else { continue };
        let inner = name.strip_suffix(".gz").unwrap_or(&name);
        let stem = inner.rsplit_once('.').map_or(inner, |(stem, _)| stem);
        let table = super::find_table(schema, stem)
            .map_err(|error| TransferError::Misuse(format!("{}: {error}", path.display())))?;
        if !table.is_writable() {
            return Err(TransferError::Misuse(format!("{}: {stem} is a view and holds no rows", path.display())));
        }
        if let Some((other, _)) = files.insert(table.id, (path.clone(), form)) {
            let (one, two) = (other.display(), path.display());
            return Err(TransferError::Misuse(format!("{one} and {two} are both for table {stem}; keep one")));
        }
    }
    Ok(files)
}

/// Tables, those that others refer to first. Where references form a circle, the declared order decides.
fn reference_order(schema: &Schema) -> Vec<TableId> {
    let mut order = Vec::new();
    let mut seen = vec![false; schema.tables().len()];
    for table in schema.tables() {
        visit(schema, table.id, &mut seen, &mut order);
    }
    order
}

fn visit(schema: &Schema, id: TableId, seen: &mut [bool], order: &mut Vec<TableId>) {
    if std::mem::replace(&mut seen[id.index()], true) {
        return;
    }
    for reference in &schema.table(id).references {
        visit(schema, reference.target, seen, order);
    }
    order.push(id);
}

async fn is_empty(store: &dyn Store, schema: &Arc<Schema>, table: &Table) -> Result<bool, TransferError> {
    let column = table.columns.first().map_or(ColumnId(0), |column| column.id);
    let plan = Read {
        select: vec![Output { name: "any".into(), source: Source::Value(Expr::column(column)) }],
        limit: Some(1),
        ..Read::new(table.id)
    };
    Ok(read(store, schema, plan).await?.is_empty())
}

/// One record of a seed file as a row, and its line.
type SeedRow = (u64, Vec<Option<Value>>);

async fn seed_table(
    store: &dyn Store,
    schema: &Arc<Schema>,
    table: &Table,
    file: &Path,
    form: FileForm,
    mode: SeedMode,
) -> Result<u64, TransferError> {
    let again = mode == SeedMode::Again;
    let mut reader = Reader::start(Plan {
        file: file.to_owned(),
        form,
        schema: schema.clone(),
        table: table.id,
        renames: Renames::default(),
        batch_records: 10_000,
        skip: 0,
        uniform: again,
    })?;
    let record = |line, reason| TransferError::Record { file: file.display().to_string(), line, reason };
    let mut rows: Vec<SeedRow> = Vec::new();
    while let Some(batch) = reader.next().await? {
        if let Some(bad) = batch.bad.into_iter().next() {
            return Err(record(bad.line, bad.reason));
        }
        rows.extend(batch.places.into_iter().map(|place| place.line).zip(batch.rows));
    }
    if rows.is_empty() {
        return Ok(0);
    }
    let has_key = table.primary_key.iter().all(|id| reader.given.contains(id));
    if again && !has_key {
        let problem = "seeding again needs the primary key in the file, to find the rows that are there";
        return Err(record(1, problem.to_owned()));
    }
    let on_conflict = if again { OnConflict::Merge } else { OnConflict::Fail };
    let template = Insert {
        table: table.id,
        columns: reader.columns.clone(),
        rows: Vec::new(),
        conflict: on_conflict.clause(table, &reader.given),
        returning: None,
        expect: Expect::default(),
    };
    match insert(store, schema, &template, &rows, Expect::default()).await {
        Ok(()) => Ok(rows.len() as u64),
        Err(StoreError::CannotWrite(cause)) => Err(StoreError::CannotWrite(cause).into()),
        Err(error) => {
            let line = match dangling(table, &template.columns, &rows) {
                Some(line) if matches!(error, StoreError::Reference { .. }) => line,
                _ => first_refused(store, schema, &template, &rows).await,
            };
            Err(record(line, reason_of(&error)))
        }
    }
}

/// The line of the first row that refers to a row of its own table which the file does not hold. A store looks at such
/// references when all rows are in, too late for [`first_refused`].
fn dangling(table: &Table, columns: &[ColumnId], rows: &[SeedRow]) -> Option<u64> {
    let text = |row: &[Option<Value>], ids: &[ColumnId]| -> Option<Vec<String>> {
        let cell = |id| row.get(columns.iter().position(|column| column == id)?)?.as_ref()?.to_text();
        ids.iter().map(cell).collect()
    };
    let own = table.references.iter().filter(|reference| reference.target == table.id);
    let lines = own.filter_map(|reference| {
        let keys: HashSet<_> = rows.iter().filter_map(|(_, row)| text(row, &reference.target_columns)).collect();
        let lacks = |row: &[Option<Value>]| text(row, &reference.columns).is_some_and(|key| !keys.contains(&key));
        rows.iter().find(|(_, row)| lacks(row)).map(|(line, _)| *line)
    });
    lines.min()
}

/// The line of the first row that the store refuses, found by trying ever better beginnings of the rows; every trial is
/// undone, because it expects that nothing is affected.
async fn first_refused(store: &dyn Store, schema: &Arc<Schema>, template: &Insert, rows: &[SeedRow]) -> u64 {
    let undone = Expect { single: false, affected_max: Some(0) };
    let (mut good, mut bad) = (0, rows.len());
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        match insert(store, schema, template, &rows[..middle], undone).await {
            Ok(()) | Err(StoreError::Unexpected { .. }) => good = middle,
            Err(_) => bad = middle,
        }
    }
    rows[bad - 1].0
}

async fn insert(
    store: &dyn Store,
    schema: &Arc<Schema>,
    template: &Insert,
    rows: &[SeedRow],
    expect: Expect,
) -> Result<(), StoreError> {
    let rows = rows.iter().map(|(_, row)| row.clone()).collect();
    let plan = Write::Insert(Insert { rows, expect, ..template.clone() });
    let plan = authorize::write(schema, &Actor::System, plan).expect("our own work passes every rule");
    store.write(call(schema), Arc::new(plan), Box::new(Nothing)).await.map(drop)
}
