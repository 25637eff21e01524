//! What a copy will do, found out before anything is written: which tables, in which form, and what stands against it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use mainstay_query::plan::{Expr, Output, Read, Source};
use mainstay_query::request::Count;
use mainstay_query::{Actor, authorize};
use mainstay_schema::{ColumnId, MAIN, Schema, Table, TableId, TableKind, Value, near};
use mainstay_store::{Call, Store, StoreError};
use sha2::{Digest as _, Sha256};

use super::super::cells::Nothing;
use super::super::error::TransferError;
use super::declared::{absent, declared, left_behind};
use super::digest::{Digest, Pair};
use super::ledger::{self, Ledger, Reached};
use super::wanted::{Draft, assemble, bare, order};
use super::{CopyRequest, LOOK_ROWS, Reading, SourceEnd, TABLE_TIME_MAX, TargetEnd};
use crate::migrations;
use crate::project::is_view;

/// What a copy will do.
pub struct Job {
    /// The tables of the source.
    pub(super) source: Arc<Schema>,
    /// The tables of the target in the end.
    pub(super) full: Arc<Schema>,
    /// The tables of the target before, with the notes of the copy.
    pub(super) begun: Schema,
    /// The tables of the target while rows come in.
    pub(super) bare: Arc<Schema>,
    /// The tables of the target in the end, with the notes.
    pub(super) last: Schema,
    /// The tables of the target before.
    pub(super) current: Schema,
    /// The tables of the target to which an unfinished copy is undone first.
    pub(super) undone: Option<Schema>,
    /// The tables that are filled, in their order.
    pub(super) tables: Vec<JobTable>,
    /// What an earlier run has noted; `None` if this is the first.
    pub(super) resumed: Option<Vec<(String, Reached)>>,
    /// An earlier run came as far as taking its notes away.
    pub(super) are_notes_gone: bool,
    /// What makes two copies the same copy.
    pub(super) fingerprint: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) batch_rows: usize,
    /// What is not carried over or becomes another kind of value, one sentence each.
    pub notes: Vec<String>,
}

/// A table that is filled.
pub(super) struct JobTable {
    pub(super) name: String,
    /// In the source, in the target as it is in the end, and while rows come in.
    pub(super) source: TableId,
    pub(super) full: TableId,
    pub(super) bare: TableId,
    /// The columns that both have.
    pub(super) from: Vec<ColumnId>,
    pub(super) to: Vec<ColumnId>,
    pub(super) pairs: Vec<Pair>,
    /// Columns that only the target has, with their values.
    pub(super) absent: Vec<(ColumnId, Value)>,
    /// Columns of the source that tell its rows apart; empty if none do.
    pub(super) key: Vec<ColumnId>,
    /// Rows of the source as they were counted before.
    pub(super) rows: u64,
}

impl Job {
    /// The tables in the order in which they are filled, with the numbers of their rows.
    pub fn tables(&self) -> impl Iterator<Item = (&str, u64)> {
        self.tables.iter().map(|table| (table.name.as_str(), table.rows))
    }

    /// Whether an earlier run has noted that all rows are there.
    pub(super) fn is_all_finished(&self) -> bool {
        let notes = self.resumed.as_deref().unwrap_or_default();
        let is_finished = |table: &JobTable| notes.iter().any(|(name, note)| *name == table.name && note.is_finished);
        self.tables.iter().all(is_finished)
    }

    /// Whether an earlier run is gone on with.
    pub fn is_resumed(&self) -> bool {
        self.resumed.is_some()
    }
}

fn misuse<T>(problem: impl Into<String>) -> Result<T, TransferError> {
    Err(TransferError::Misuse(problem.into()))
}

/// Looks at both databases and finds out what a copy will do.
///
/// # Errors
/// [`TransferError`] if it cannot or must not be done; nothing was written.
pub async fn prepare(from: &SourceEnd<'_>, to: &TargetEnd<'_>, request: &CopyRequest) -> Result<Job, TransferError> {
    let mut notes = Vec::new();
    let source = source_schema(from).await?;
    let current = current(to).await?;
    let undone =
        current.find(ledger::TABLE).filter(|_| request.restart).map(|_| without_copy(&current, &source, request));
    let undone = undone.transpose()?;
    let chosen = choose(&source, to.declared.as_deref(), request)?;
    let base = undone.as_ref().unwrap_or(&current);
    let full = match &to.declared {
        Some(declared) => (**declared).clone(),
        None => made(&source, base, &chosen, &mut notes),
    };
    let ids: Vec<TableId> = chosen.iter().filter_map(|table| Some(full.find(&table.name)?.id)).collect();
    let (filled, circular) = order(&full, &ids);
    let bare = bare(&full, &filled, &circular, base, ledger::table());
    let (begun, last) = (with_notes(base), with_notes(&full));
    let mut tables = Vec::with_capacity(filled.len());
    for id in filled {
        tables.push(job_table(&source, &full, &bare, id)?);
    }
    let parts =
        [full.to_json(), from.place.clone(), chosen.iter().map(|table| &*table.name).collect::<Vec<_>>().join("\n")];
    let mut job = Job {
        source: Arc::new(source),
        full: Arc::new(full),
        begun,
        bare: Arc::new(bare),
        last,
        resumed: None,
        are_notes_gone: false,
        fingerprint: fingerprint(&parts),
        from: from.place.clone(),
        to: to.place.clone(),
        batch_rows: request.batch_rows,
        current,
        undone,
        tables,
        notes,
    };
    if request.verify {
        return job.for_comparing(to);
    }
    job.look_at_target(to).await?;
    job.look_at_source(from.store).await?;
    job.try_tables(to).await?;
    Ok(job)
}

/// The tables of the source: as Mainstay remembers them where it made them, else as they are found.
async fn source_schema(from: &SourceEnd<'_>) -> Result<Schema, TransferError> {
    if let Some(schema) = migrations::recorded(from.store).await? {
        if schema.find(ledger::TABLE).is_some() {
            return misuse(format!("{} holds a copy that is not finished", from.place));
        }
        // Where it cannot be told whether others changed the tables since, reading them will tell.
        let drift = from.store.drift(Arc::new(schema.clone())).await;
        if drift.is_ok_and(|differences| !differences.is_empty()) {
            return Ok(from.store.find(Instant::now() + TABLE_TIME_MAX).await?);
        }
        return Ok(schema);
    }
    Ok(from.store.find(Instant::now() + TABLE_TIME_MAX).await?)
}

/// The tables of the target.
async fn current(to: &TargetEnd<'_>) -> Result<Schema, TransferError> {
    let Some(store) = to.store else { return Ok(migrations::nothing(MAIN)) };
    if let Some(schema) = migrations::recorded(store).await? {
        let is_unfinished = schema.find(ledger::TABLE).is_some();
        if let Some(declared) = to.declared.as_deref().filter(|_| !is_unfinished)
            && !migrations::is_same(to.settings.url.database(), &schema, declared)
        {
            return misuse(format!("{} is not as schema/ says; `mainstay migrate plan` shows what differs", to.place));
        }
        return Ok(schema);
    }
    let found = store.find(Instant::now() + TABLE_TIME_MAX).await?;
    let names: Vec<&str> = found.tables().iter().map(|table| &*table.name).take(3).collect();
    match names.is_empty() {
        true => Ok(migrations::nothing(MAIN)),
        false => misuse(format!(
            "{} is not empty: it has tables of another program ({}); name a database without tables",
            to.place,
            names.join(", ")
        )),
    }
}

/// The tables of the target as they would be without the copy that was begun.
fn without_copy(current: &Schema, source: &Schema, request: &CopyRequest) -> Result<Schema, TransferError> {
    let chosen: HashSet<&str> = choose(source, None, request)?.iter().map(|table| &*table.name).collect();
    let stays = |table: &&Table| &*table.name != ledger::TABLE && !chosen.contains(&*table.name);
    let drafts = current.tables().iter().filter(stays).map(|table| Draft::new(current, table));
    Ok(assemble(drafts.collect(), &mut Vec::new()))
}

/// A schema with the table of the notes.
fn with_notes(schema: &Schema) -> Schema {
    let mut drafts: Vec<Draft<'_>> = schema.tables().iter().map(|table| Draft::new(schema, table)).collect();
    drafts.push(Draft { table: ledger::table(), of: schema });
    assemble(drafts, &mut Vec::new())
}

/// The tables of the source that are copied.
fn choose<'s>(
    source: &'s Schema,
    declared: Option<&Schema>,
    request: &CopyRequest,
) -> Result<Vec<&'s Table>, TransferError> {
    let has_rows = |table: &&Table| !table.internal && !is_view(source, table);
    let all: Vec<&Table> = source.tables().iter().filter(has_rows).collect();
    for (option, names) in [("--only", &request.only), ("--except", &request.except)] {
        for name in names {
            if !all.iter().any(|table| &*table.name == name) {
                let near = near(name, all.iter().map(|table| &*table.name));
                let remedy = near.map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"));
                return misuse(format!("{option}: the source has no table \"{name}\"{remedy}"));
            }
        }
    }
    let is_chosen = |table: &&&Table| {
        let is_named = |names: &[String]| names.iter().any(|name| *name == *table.name);
        (request.only.is_empty() || is_named(&request.only)) && !is_named(&request.except)
    };
    let chosen: Vec<&Table> = all.iter().filter(is_chosen).copied().collect();
    if let Some(declared) = declared {
        let is_there = |table: &&&Table| declared.find(&table.name).is_some_and(Table::is_writable);
        if let Some(missing) = chosen.iter().find(|table| !is_there(table)) {
            let name = &missing.name;
            return misuse(format!("schema/ declares no table {name}; declare it, or leave it out: --except {name}"));
        }
    }
    match chosen.is_empty() {
        true => misuse("there is no table to copy"),
        false => Ok(chosen),
    }
}

/// The tables of a target that no project declares: those that it has, and those that are copied into it.
fn made(source: &Schema, base: &Schema, chosen: &[&Table], notes: &mut Vec<String>) -> Schema {
    let is_chosen = |name: &str| chosen.iter().any(|table| &*table.name == name);
    let stays = |table: &&Table| &*table.name != ledger::TABLE && !is_chosen(&table.name);
    let mut drafts: Vec<Draft<'_>> = base.tables().iter().filter(stays).map(|table| Draft::new(base, table)).collect();
    match source.found() {
        Some(found) => {
            for table in chosen {
                let about = found.table(table.id).cloned().unwrap_or_default();
                drafts.push(Draft { table: declared(table, &about, notes), of: source });
            }
            left_behind(source, found, notes);
        }
        None => {
            drafts.extend(chosen.iter().map(|table| Draft::new(source, table)));
            // A view needs its tables, and which those are only its engine knows: it comes along with all of them.
            let views: Vec<&Table> = source.tables().iter().filter(|table| table.kind != TableKind::Table).collect();
            let has_all =
                source.tables().iter().all(|table| !table.is_writable() || table.internal || is_chosen(&table.name));
            let is_new = |view: &&&Table| base.find(&view.name).is_none();
            match has_all {
                true => drafts.extend(views.iter().filter(is_new).map(|view| Draft::new(source, view))),
                false => notes.extend(views.iter().map(|view| format!("the view {} is not carried over", view.name))),
            }
        }
    }
    assemble(drafts, notes)
}

/// How the columns of a table go together.
fn job_table(source: &Schema, full: &Schema, bare: &Schema, id: TableId) -> Result<JobTable, TransferError> {
    let target = full.table(id);
    let table = source.find(&target.name).expect("it was chosen from the source");
    if let Some(column) = table.columns.iter().find(|column| target.find_column(&column.name).is_none()) {
        return misuse(format!(
            "schema/ declares no field {} in {}; declare it, or leave the table out",
            column.name, table.name
        ));
    }
    let (mut from, mut to, mut pairs, mut missing) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for column in &target.columns {
        match (table.find_column(&column.name), absent(column)) {
            (Some(known), _) => {
                from.push(known.id);
                to.push(column.id);
                pairs.push(Pair { from: known.ty.clone(), to: column.clone() });
            }
            (None, Some(value)) => missing.push((column.id, value)),
            (None, None) => {
                let (name, of) = (&column.name, &table.name);
                return misuse(format!("the source has no values for {of}.{name}, which must have one"));
            }
        }
    }
    Ok(JobTable {
        name: table.name.to_string(),
        source: table.id,
        full: id,
        bare: bare.find(&table.name).expect("it is there while rows come in").id,
        key: key(table),
        from,
        to,
        pairs,
        absent: missing,
        rows: 0,
    })
}

/// Columns that tell the rows of a table apart and hold no null.
fn key(table: &Table) -> Vec<ColumnId> {
    let is_there = |column: &ColumnId| !table.column(*column).optional;
    let unique = table.uniques.iter().find(|key| key.columns.iter().all(is_there));
    match table.primary_key.is_empty() {
        false => table.primary_key.clone(),
        true => unique.map(|key| key.columns.clone()).unwrap_or_default(),
    }
}

fn fingerprint(parts: &[String]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|octet| format!("{octet:02x}")).collect()
}

impl Job {
    /// Compares what is there, so the tables must be.
    fn for_comparing(self, to: &TargetEnd<'_>) -> Result<Job, TransferError> {
        let is_there = |table: &&JobTable| self.current.find(&table.name).is_some_and(Table::is_writable);
        match self.tables.iter().find(|table| !is_there(table)) {
            Some(table) => misuse(format!("{} has no table {}", to.place, table.name)),
            None if self.current.find(ledger::TABLE).is_some() => {
                misuse(format!("{} holds a copy that is not finished; without --verify it goes on", to.place))
            }
            None => Ok(self),
        }
    }

    /// Whether an earlier run came as far as the tables of the end.
    fn is_filled(&self, to: &TargetEnd<'_>) -> bool {
        migrations::is_same(to.settings.url.database(), &self.current, &self.last)
    }

    /// Finds out whether an earlier run is to be gone on with, and else that nothing is in the way.
    async fn look_at_target(&mut self, to: &TargetEnd<'_>) -> Result<(), TransferError> {
        let Some(store) = to.store.filter(|_| self.undone.is_none()) else { return Ok(()) };
        let current = Arc::new(self.current.clone());
        if let Some(ledger) = Ledger::of(&current) {
            let notes = match ledger.notes(store).await {
                // The notes go last of all, on some servers before it is noted that they went.
                Err(StoreError::SchemaChanged(_)) if self.is_filled(to) => {
                    self.are_notes_gone = true;
                    Vec::new()
                }
                notes => notes?,
            };
            if notes.iter().any(|(name, reached)| name.is_empty() && reached.key.as_ref() != Some(&self.fingerprint)) {
                return misuse(format!(
                    "{} holds the beginning of another copy; finish that with the command that began it, or give --restart \
                     to remove what it brought",
                    to.place
                ));
            }
            self.resumed = Some(notes);
            return Ok(());
        }
        for table in &self.tables {
            let Some(there) = self.current.find(&table.name) else { continue };
            if has_rows(store, &current, there).await? {
                return misuse(format!(
                    "{} is not empty: {} has rows; empty it, leave it out (--except {}), or compare both with --verify",
                    to.place, table.name, table.name
                ));
            }
        }
        Ok(())
    }

    /// Counts the rows; looks at every value of tables that others made, which may hold anything.
    async fn look_at_source(&mut self, store: &dyn Store) -> Result<(), TransferError> {
        let needs_look = self.source.found().is_some() && !self.is_resumed();
        let mut problems = Vec::new();
        for table in &mut self.tables {
            let is_same = table.pairs.iter().all(|pair| pair.from == pair.to.ty);
            if is_same && !needs_look {
                table.rows = count(store, &self.source, table).await?;
                continue;
            }
            let reading = Reading {
                store,
                schema: &self.source,
                table: table.source,
                columns: &table.from,
                key: &[],
                after: None,
            };
            let digest = reading.into(LOOK_ROWS, Digest::new(table.pairs.clone())).await?;
            table.rows = digest.rows;
            problems.extend(digest.misfits.iter().map(|one| {
                let (count, first) = (one.count, one.first);
                format!(
                    "{}.{} holds {}, and {count} values are not: the first is {first}",
                    table.name, one.column, one.wanted
                )
            }));
        }
        match problems.is_empty() {
            true => Ok(()),
            false => misuse(format!(
                "the target cannot hold these values as they are:\n  {}\nmend them, copy into a project that declares other \
                 types, or leave the tables out with --except",
                problems.join("\n  ")
            )),
        }
    }

    /// Makes the tables where it does no harm, so that no row is copied in vain.
    async fn try_tables(&mut self, to: &TargetEnd<'_>) -> Result<(), TransferError> {
        let database = to.settings.url.database();
        let plan = migrations::plan(database, &self.bare, &self.full);
        match migrations::prove(to.settings, &self.bare, &self.full, &plan).await {
            Err(migrations::MigrationError::Untried(error)) => {
                self.notes.push(format!("whether the target can have these tables will only show: {error}"));
                Ok(())
            }
            proved => Ok(proved?),
        }
    }
}

async fn has_rows(store: &dyn Store, schema: &Arc<Schema>, table: &Table) -> Result<bool, TransferError> {
    let output = |column: &mainstay_schema::Column| Output {
        name: column.name.clone(),
        source: Source::Value(Expr::column(column.id)),
    };
    let select = table.columns.first().map(output);
    let plan = Read { select: select.into_iter().collect(), limit: Some(1), ..Read::new(table.id) };
    Ok(!super::super::ledger::read(store, schema, plan).await?.is_empty())
}

async fn count(store: &dyn Store, schema: &Arc<Schema>, table: &JobTable) -> Result<u64, TransferError> {
    let output = |column: &ColumnId| Output {
        name: schema.table(table.source).column(*column).name.clone(),
        source: Source::Value(Expr::column(*column)),
    };
    let select = table.from.first().map(output).into_iter().collect();
    let plan = Read { select, limit: Some(0), count: Count::Exact, ..Read::new(table.source) };
    let plan = authorize::read(schema, &Actor::System, plan).expect("our own work passes every rule");
    let call = Call { schema: schema.clone(), deadline: Instant::now() + TABLE_TIME_MAX };
    let done = store.read(call, Arc::new(plan), Box::new(Nothing)).await?;
    Ok(done.total.unwrap_or(0))
}
