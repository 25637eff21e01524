//! The copying itself, and the proof.

use std::sync::Arc;
use std::time::Instant;

use mainstay_engine::{Clock, SystemClock};
use mainstay_query::plan::{Delete, Filter, Insert, Write};
use mainstay_query::{Actor, authorize};
use mainstay_schema::{ColumnId, Schema, Type, Value};
use mainstay_store::{Call, Migration, Store, StoreError};
use tokio::sync::mpsc;

use super::super::cells::Nothing;
use super::super::error::{TransferError, reason_of};
use super::super::ledger::call;
use super::super::progress::Progress;
use super::digest::Digest;
use super::ledger::{Ledger, Reached, key_of, key_text};
use super::pieces::{Feed, Row};
use super::prepare::{Job, JobTable};
use super::values::convert;
use super::{Copied, CopiedTable, LOOK_ROWS, Reading, TABLE_TIME_MAX};
use crate::config::Database;
use crate::migrations::{self, MigrationError};

/// Pieces that may wait to be written while the next is read.
const PIECES_WAITING_MAX: usize = 2;

/// Copies, or goes on with a copy. `progress` gives what is told of one table.
///
/// # Errors
/// [`TransferError`]; what was written until then stays, and the same copy goes on there.
pub async fn run(
    job: &Job,
    source: &dyn Store,
    target: &dyn Store,
    database: Database,
    progress: &(dyn Fn(&str) -> Box<dyn Progress> + Sync),
) -> Result<(), TransferError> {
    let copying = Copying { job, source, target, database };
    // Not every engine changes tables in transactions. So the notes come first and go last, each by a migration of its own,
    // and what an interruption cut in two is begun again, which goes on where it stopped.
    let is_same = |schema: &Schema| job.resumed.is_some() && migrations::is_same(database, &job.current, schema);
    let is_filled = job.are_notes_gone || (job.is_all_finished() && is_same(&job.last));
    if !is_filled {
        copying.fill_all(is_same(&job.bare), progress).await?;
        copying.migrate(&job.bare, &job.last).await?;
    }
    copying.migrate(&job.last, &job.full).await
}

/// Has the target count what came, so that its first plans are good ones. Gives what was not counted, one sentence each:
/// the rows are there all the same.
pub async fn analyze(job: &Job, target: &dyn Store, progress: &mut dyn Progress) -> Vec<String> {
    progress.start(job.tables.iter().map(|table| table.rows).sum(), 0);
    let (mut rows, mut notes) = (0, Vec::new());
    for table in &job.tables {
        let call = Call { schema: job.full.clone(), deadline: Instant::now() + TABLE_TIME_MAX };
        if let Err(error) = target.analyze(call, table.full).await {
            notes.push(format!(
                "{}: its rows were not counted for the planner, whose first plans may be slow: {}",
                table.name,
                reason_of(&error)
            ));
        }
        rows += table.rows;
        progress.reach(rows, rows, 0);
    }
    progress.end();
    notes
}

/// Compares the tables of both databases row by row.
///
/// # Errors
/// [`TransferError`] if one of them cannot be read.
pub async fn prove(job: &Job, source: &dyn Store, target: &dyn Store) -> Result<Copied, TransferError> {
    let mut tables = Vec::with_capacity(job.tables.len());
    for table in &job.tables {
        let same: Vec<_> =
            table.pairs.iter().cloned().map(|pair| super::digest::Pair { from: pair.to.ty.clone(), ..pair }).collect();
        let side = |store, schema, id, columns| Reading { store, schema, table: id, columns, key: &[], after: None };
        let (here, there) = tokio::try_join!(
            side(source, &job.source, table.source, &table.from).into(LOOK_ROWS, Digest::new(table.pairs.clone())),
            side(target, &job.full, table.full, &table.to).into(LOOK_ROWS, Digest::new(same)),
        )?;
        tables.push(CopiedTable {
            table: table.name.clone(),
            equal: (here.rows, here.hash()) == (there.rows, there.hash()) && here.misfits.is_empty(),
            rows: here.rows,
            hash: here.hash(),
            target_rows: there.rows,
            target_hash: there.hash(),
        });
    }
    Ok(Copied {
        from: job.from.clone(),
        to: job.to.clone(),
        equal: tables.iter().all(|table| table.equal),
        tables,
        notes: job.notes.clone(),
    })
}

struct Copying<'a> {
    job: &'a Job,
    source: &'a dyn Store,
    target: &'a dyn Store,
    database: Database,
}

impl Copying<'_> {
    /// Makes the tables, unless `is_made`, and fills them, or goes on with it.
    async fn fill_all(
        &self,
        is_made: bool,
        progress: &(dyn Fn(&str) -> Box<dyn Progress> + Sync),
    ) -> Result<(), TransferError> {
        let job = self.job;
        let mut begun = &job.current;
        if job.resumed.is_none() {
            if let Some(undone) = &job.undone {
                self.migrate(&job.current, undone).await?;
            }
            self.migrate(job.undone.as_ref().unwrap_or(&job.current), &job.begun).await?;
            begun = &job.begun;
        }
        if !is_made {
            self.migrate(begun, &job.bare).await?;
        }
        let ledger = Ledger::of(&job.bare).expect("the tables have one while rows come in");
        let notes = job.resumed.clone().unwrap_or_default();
        if !notes.iter().any(|(name, _)| name.is_empty()) {
            let reached = Reached { key: Some(job.fingerprint.clone()), ..Reached::default() };
            self.send(ledger.note("", &reached), "").await?;
        }
        for table in &job.tables {
            let reached = notes.iter().find(|(name, _)| *name == table.name).map(|(_, reached)| reached.clone());
            let reached = reached.unwrap_or_default();
            if !reached.is_finished {
                let mut progress = progress(&table.name);
                let done = self.fill(table, &ledger, reached, &mut *progress).await;
                progress.end();
                done?;
            }
        }
        Ok(())
    }

    async fn migrate(&self, old: &Schema, new: &Schema) -> Result<(), TransferError> {
        let plan = migrations::plan(self.database, old, new);
        let name = format!("copy_{}", SystemClock.now().strftime("%Y%m%dT%H%M%S_%6f"));
        let migration = Migration { name, sql: plan.sql, schema: new.to_json() };
        let done = self.target.migrate(migration).await;
        done.map_err(|error| MigrationError::Store { place: self.job.to.clone(), error }.into())
    }

    /// Carries out a write in the target.
    async fn send(&self, write: Write, table: &str) -> Result<(), TransferError> {
        let schema = &self.job.bare;
        let plan = authorize::write(schema, &Actor::System, write).expect("our own work passes every rule");
        let done = self.target.write(call(schema), Arc::new(plan), Box::new(Nothing)).await;
        done.map(drop).map_err(|error| told(table, error))
    }

    /// Fills one table, from where an earlier run came to.
    async fn fill(
        &self,
        table: &JobTable,
        ledger: &Ledger,
        mut reached: Reached,
        progress: &mut dyn Progress,
    ) -> Result<(), TransferError> {
        let source = self.job.source.table(table.source);
        let types: Vec<&Type> = table.key.iter().map(|column| &source.column(*column).ty).collect();
        let after = reached.key.as_deref().filter(|_| !types.is_empty()).and_then(|key| key_of(key, &types));
        if after.is_none() && reached.rows > 0 {
            // Nothing tells which rows are there already.
            let all = Delete { table: table.bare, filter: Filter::True, returning: None, expect: Default::default() };
            reached = Reached::default();
            self.send(Write::Batch(vec![Write::Delete(all), ledger.note(&table.name, &reached)]), &table.name).await?;
        }
        progress.start(table.rows, reached.rows);
        let (sender, mut pieces) = mpsc::channel(PIECES_WAITING_MAX);
        let reading = async {
            let (store, schema, columns, key) = (self.source, &self.job.source, &table.from, &table.key);
            let reading = Reading { store, schema, table: table.source, columns, key, after };
            reading.into(self.job.batch_rows, Feed::new(sender)).await?.end().await;
            Ok::<_, TransferError>(())
        };
        let (counted, progress) = (&mut reached, progress);
        // Who writes no more takes no more: the reading ends with it.
        let writing = async move {
            while let Some(rows) = pieces.recv().await {
                self.write(table, ledger, rows, counted).await?;
                progress.reach(counted.rows, counted.rows, 0);
            }
            Ok::<_, TransferError>(())
        };
        let (read, written) = tokio::join!(reading, writing);
        written.and(read)?;
        reached.is_finished = true;
        self.send(ledger.note(&table.name, &reached), &table.name).await
    }

    /// Writes a piece, and with it how far the copy came.
    async fn write(
        &self,
        table: &JobTable,
        ledger: &Ledger,
        rows: Vec<Row>,
        reached: &mut Reached,
    ) -> Result<(), TransferError> {
        let mut next = reached.clone();
        next.rows += rows.len() as u64;
        if let Some(last) = rows.last().filter(|_| !table.key.is_empty()) {
            let value = |column: &ColumnId| {
                let place = table.from.iter().position(|other| other == column);
                place.map_or(Value::Null, |place| last[place].clone())
            };
            next.key = Some(key_text(&table.key.iter().map(value).collect::<Vec<_>>()));
        }
        let rows = rows.into_iter().map(|row| converted(table, row)).collect::<Result<Vec<_>, _>>()?;
        let insert = Insert {
            table: table.bare,
            columns: table.to.iter().copied().chain(table.absent.iter().map(|(column, _)| *column)).collect(),
            rows,
            conflict: None,
            returning: None,
            expect: Default::default(),
        };
        self.send(Write::Batch(vec![Write::Insert(insert), ledger.note(&table.name, &next)]), &table.name).await?;
        *reached = next;
        Ok(())
    }
}

/// A row as the target takes it.
fn converted(table: &JobTable, row: Row) -> Result<Vec<Option<Value>>, TransferError> {
    let mut values = Vec::with_capacity(row.len() + table.absent.len());
    for (pair, value) in table.pairs.iter().zip(row) {
        let value = convert(&pair.from, &pair.to.ty, value).map_err(|_| TransferError::Table {
            table: table.name.clone(),
            reason: format!("a value of {} is no {}", pair.to.name, pair.to.ty),
        })?;
        values.push(Some(value));
    }
    values.extend(table.absent.iter().map(|(_, value)| Some(value.clone())));
    Ok(values)
}

fn told(table: &str, error: StoreError) -> TransferError {
    match &error {
        StoreError::Duplicate { .. } | StoreError::Reference { .. } | StoreError::NotNull { .. } => {
            TransferError::Table { table: table.to_owned(), reason: reason_of(&error) }
        }
        _ => error.into(),
    }
}
