//! Loads a file of rows into a table: exactly once, whatever happens to the process.
//!
//! Each batch is one transaction that holds its rows and the note of how far the file was read, so that an import that
//! was killed goes on where the last transaction ended. A batch with a key or reference that the store refuses is halved
//! until only the records that are wrong are left; those are set aside.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use mainstay_query::plan::{Insert, Write};
use mainstay_query::{Actor, Authorized, authorize};
use mainstay_schema::{ColumnId, Schema, TableId, Value};
use mainstay_store::{Store, StoreError};
use serde::Serialize;

use super::bad::{Bad, BadFile};
use super::cells::Nothing;
use super::conflict::OnConflict;
use super::error::{TransferError, reason_of};
use super::format::{FileForm, RecordFormat};
use super::ledger::{Ledger, Reached, call};
use super::progress::Progress;
use super::reader::{Batch, Plan, Reader};
use super::source;
use super::typing::Renames;

/// What to import and how.
#[derive(Debug, Clone)]
pub struct ImportRequest {
    /// The table.
    pub table: String,
    /// The file.
    pub file: PathBuf,
    /// How records lie in it; by its ending when absent.
    pub format: Option<RecordFormat>,
    /// Records in one transaction.
    pub batch_records: usize,
    /// What happens to rows whose key is there already.
    pub on_conflict: OnConflict,
    /// Other names of fields, each `field=column` or `field=`.
    pub map: Vec<String>,
    /// Check every record and write nothing.
    pub dry_run: bool,
    /// Forget how far an earlier run came.
    pub restart: bool,
    /// Where bad records are set aside; beside the file when absent.
    pub bad_file: Option<PathBuf>,
    /// Most bad records before the import stops.
    pub bad_max: u64,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Imported {
    /// The table.
    pub table: String,
    /// Records of the file.
    pub records: u64,
    /// Rows inserted or merged, by this run and those before it.
    pub rows: u64,
    /// Records that were left alone because their key is there.
    pub skipped: u64,
    /// Records that were set aside.
    pub bad: u64,
    /// Where those are.
    pub bad_file: Option<PathBuf>,
    /// Records that earlier runs had dealt with.
    pub resumed_at: u64,
    /// Whether an earlier run had finished, so that nothing was done.
    pub already_done: bool,
    /// Whether nothing was written because that was asked.
    pub dry_run: bool,
    /// Seconds this run took.
    pub seconds: f64,
    /// The first of the bad records of this run, for showing.
    pub first_bad: Vec<BadRecord>,
}

/// A record that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BadRecord {
    /// Its line.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// Bad records that are shown, not only counted.
const BAD_SHOWN: usize = 5;

/// Imports a file.
///
/// # Errors
/// [`TransferError`]; what was written until then stays, and the next run of the same import goes on there.
pub async fn import(
    store: &dyn Store,
    schema: &Arc<Schema>,
    request: &ImportRequest,
    progress: &mut dyn Progress,
) -> Result<Imported, TransferError> {
    let started = Instant::now();
    let (table, form, renames) = prepare(schema, request)?;
    let parts = [request.table.as_str(), &format!("{:?}", form.records), &request.map.join("\n")];
    let id = source::fingerprint(&request.file, &parts)?;
    let ledger = Ledger::new(schema.clone(), table, id, request.file.display().to_string());
    let known = if request.dry_run || request.restart { None } else { ledger.reached(store).await? };
    let reached = known.unwrap_or_default();
    let mut done = Imported {
        table: request.table.clone(),
        records: reached.records,
        rows: reached.rows,
        skipped: 0,
        bad: reached.bad,
        bad_file: None,
        resumed_at: reached.records,
        already_done: reached.finished,
        dry_run: request.dry_run,
        seconds: 0.0,
        first_bad: Vec::new(),
    };
    if reached.finished {
        return Ok(done);
    }
    let bad_path = request.bad_file.clone().unwrap_or_else(|| beside(&request.file));
    let bad_file = match (request.dry_run, known) {
        (true, _) => None,
        (false, None) => Some(BadFile::anew(bad_path)?),
        (false, Some(reached)) => Some(BadFile::resumed(bad_path, reached.bad)?),
    };
    let mut reader = Reader::start(Plan {
        file: request.file.clone(),
        form,
        schema: schema.clone(),
        table,
        renames,
        batch_records: request.batch_records,
        skip: reached.records,
        uniform: request.on_conflict == OnConflict::Merge,
    })?;
    let bytes_total = std::fs::metadata(&request.file).map_or(0, |data| data.len());
    progress.start(bytes_total, reached.records);
    let mut writer = Writer {
        store,
        schema,
        ledger,
        template: template(schema, table, request.on_conflict, &reader)?,
        bad_file,
        bad_max: request.bad_max,
        reached,
        done: &mut done,
    };
    let outcome = writer.run(&mut reader, progress).await;
    progress.end();
    outcome?;
    done.seconds = started.elapsed().as_secs_f64();
    Ok(done)
}

fn prepare(schema: &Schema, request: &ImportRequest) -> Result<(TableId, FileForm, Renames), TransferError> {
    let table = super::find_table(schema, &request.table)?;
    if !table.is_writable() {
        return Err(TransferError::Misuse(format!("{} is a view: import into the tables it is made of", table.name)));
    }
    let own = schema.seen_by(table.store.as_deref()).map_or(schema, |view| view);
    if own.found().is_some() && !request.dry_run {
        // Without the note nobody knew after an interruption which rows are there.
        let problem = "an import notes how far it came in a table of ours, and the database of another program has none; \
                       send the file to the API: curl --data-binary @FILE -H 'Content-Type: text/csv'";
        return Err(TransferError::Misuse(format!("{problem} …/rest/v1/{}", table.name)));
    }
    if request.batch_records == 0 {
        return Err(TransferError::Misuse("--batch must be at least 1".to_owned()));
    }
    let renames = Renames::parse(&request.map).map_err(TransferError::Misuse)?;
    let form = FileForm::of(&request.file, request.format);
    let renames = match form {
        Some(form) if form.records == RecordFormat::ExtendedJson => renames.with_document_id(table),
        _ => renames,
    };
    let form = form.ok_or_else(|| TransferError::Misuse(FileForm::unknown(&request.file)))?;
    Ok((table.id, form, renames))
}

/// An insert without rows.
fn template(
    schema: &Schema,
    table: TableId,
    on_conflict: OnConflict,
    reader: &Reader,
) -> Result<Insert, TransferError> {
    let table = schema.table(table);
    let lacks = |id: &&ColumnId| !reader.given.contains(id);
    if on_conflict != OnConflict::Fail && table.primary_key.iter().any(|id| lacks(&id)) {
        let key: Vec<_> = table.primary_key.iter().map(|id| &*table.column(*id).name).collect();
        let key = key.join(", ");
        return Err(TransferError::Misuse(format!("--on-conflict needs the primary key ({key}) in the file")));
    }
    Ok(Insert {
        table: table.id,
        columns: reader.columns.clone(),
        rows: Vec::new(),
        conflict: on_conflict.clause(table, &reader.given),
        returning: None,
        expect: Default::default(),
    })
}

/// `FILE.bad.csv`, in the same folder.
fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".bad.csv");
    name.into()
}

struct Writer<'a> {
    store: &'a dyn Store,
    schema: &'a Arc<Schema>,
    ledger: Ledger,
    template: Insert,
    /// Absent in a dry run.
    bad_file: Option<BadFile>,
    bad_max: u64,
    reached: Reached,
    done: &'a mut Imported,
}

impl Writer<'_> {
    async fn run(&mut self, reader: &mut Reader, progress: &mut dyn Progress) -> Result<(), TransferError> {
        while let Some(batch) = reader.next().await? {
            let bytes = batch.bytes_read;
            if self.done.dry_run {
                self.count(&batch)?;
            } else {
                self.write(batch).await?;
            }
            progress.reach(bytes, self.reached.records, self.reached.bad);
        }
        if !self.done.dry_run {
            self.reached.finished = true;
            self.send(Write::Batch(vec![self.ledger.note(self.reached)])).await?;
        }
        self.done.records = self.reached.records;
        self.done.rows = self.reached.rows;
        self.done.bad = self.reached.bad;
        self.done.bad_file = self.bad_file.as_ref().and_then(|file| file.path().map(Path::to_owned));
        Ok(())
    }

    /// Counts a batch as if it had been written.
    fn count(&mut self, batch: &Batch) -> Result<(), TransferError> {
        self.reached.records = batch.records_end;
        self.reached.rows += batch.rows.len() as u64;
        self.accept_bad(&batch.bad)
    }

    /// Counts bad records, as long as there are not too many.
    fn accept_bad(&mut self, bad: &[Bad]) -> Result<(), TransferError> {
        self.reached.bad += bad.len() as u64;
        let room = BAD_SHOWN.saturating_sub(self.done.first_bad.len());
        let shown = bad.iter().take(room).map(|bad| BadRecord { line: bad.line, reason: bad.reason.clone() });
        self.done.first_bad.extend(shown);
        match self.done.first_bad.first() {
            Some(first) if self.reached.bad > self.bad_max => {
                Err(TransferError::TooManyBad { max: self.bad_max, line: first.line, reason: first.reason.clone() })
            }
            _ => Ok(()),
        }
    }

    /// Writes a batch; halves it as often as needed to keep the records that the store refuses out of it.
    async fn write(&mut self, batch: Batch) -> Result<(), TransferError> {
        let mut pieces = vec![batch];
        while let Some(mut piece) = pieces.pop() {
            let rows = std::mem::take(&mut piece.rows);
            let (rows, fault) = match self.try_write(&piece, rows).await? {
                Outcome::Written => continue,
                Outcome::Refused(rows, fault) => (rows, fault),
            };
            piece.rows = rows;
            if piece.rows.len() == 1 {
                pieces.push(without_row(piece, &fault));
            } else {
                let (first, second) = halve(piece);
                pieces.push(second);
                pieces.push(first);
            }
        }
        Ok(())
    }

    async fn try_write(&mut self, piece: &Batch, rows: Vec<Vec<Option<Value>>>) -> Result<Outcome, TransferError> {
        let before = (self.reached, self.done.first_bad.len());
        let count = rows.len() as u64;
        self.reached.records = piece.records_end;
        // Which of them are skipped is known only afterwards; the next note, at the latest that of the end, tells it.
        self.reached.rows += count;
        self.accept_bad(&piece.bad)?;
        let bad_length = match &mut self.bad_file {
            Some(file) => file.append(&piece.bad)?,
            None => 0,
        };
        let mut writes = vec![self.ledger.note(self.reached)];
        if count > 0 {
            writes.insert(0, Write::Insert(Insert { rows, ..self.template.clone() }));
        }
        match self.send_keeping(Write::Batch(writes)).await {
            Ok(affected) => {
                // The note of how far the import came is a row as well.
                let written = affected.saturating_sub(1).min(count);
                let skipped = count - written;
                self.reached.rows -= skipped;
                self.done.skipped += skipped;
                Ok(Outcome::Written)
            }
            Err((error, plan)) if is_of_a_row(&error) && count > 0 => {
                if let Some(file) = self.bad_file.as_mut().filter(|_| !piece.bad.is_empty()) {
                    file.take_back(bad_length)?;
                }
                self.reached = before.0;
                self.done.first_bad.truncate(before.1);
                Ok(Outcome::Refused(rows_of(&plan), error))
            }
            Err((error, _)) => Err(error.into()),
        }
    }

    async fn send(&self, write: Write) -> Result<u64, TransferError> {
        self.send_keeping(write).await.map_err(|(error, _)| error.into())
    }

    /// Carries out a write; gives the plan back when the store refuses it.
    async fn send_keeping(&self, write: Write) -> Result<u64, (StoreError, Arc<Authorized<Write>>)> {
        let plan = authorize::write(self.schema, &Actor::System, write).expect("our own work passes every rule");
        let plan = Arc::new(plan);
        let outcome = self.store.write(call(self.schema), plan.clone(), Box::new(Nothing)).await;
        outcome.map(|done| done.affected).map_err(|error| (error, plan))
    }
}

enum Outcome {
    Written,
    /// The store refused at least one of the rows, which come back.
    Refused(Vec<Vec<Option<Value>>>, StoreError),
}

/// Whether a single row is at fault, and the others may be written without it.
fn is_of_a_row(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Duplicate { .. }
            | StoreError::Reference { .. }
            | StoreError::NotNull { .. }
            | StoreError::RepeatedKey
    )
}

fn rows_of(plan: &Write) -> Vec<Vec<Option<Value>>> {
    match plan {
        Write::Insert(insert) => insert.rows.clone(),
        Write::Batch(writes) => writes.first().map(rows_of).unwrap_or_default(),
        Write::Update(_) | Write::UpdateEach(_) | Write::Delete(_) | Write::Nested(_) | Write::Run(_) => Vec::new(),
    }
}

/// What is left when the only row of a piece is set aside.
fn without_row(mut piece: Batch, fault: &StoreError) -> Batch {
    piece.rows.clear();
    for place in piece.places.drain(..) {
        let text = String::from_utf8_lossy(&piece.text[place.text]).into_owned();
        let bad = Bad { record: place.record, line: place.line, reason: reason_of(fault), text };
        let at = piece.bad.partition_point(|other| other.record < bad.record);
        piece.bad.insert(at, bad);
    }
    piece
}

/// Two pieces of half the rows each, with the bad records where they belong.
fn halve(mut piece: Batch) -> (Batch, Batch) {
    let middle = piece.rows.len() / 2;
    let rows = piece.rows.split_off(middle);
    let places = piece.places.split_off(middle);
    let border = places.first().map_or(piece.records_end, |place| place.record);
    let bad = piece.bad.split_off(piece.bad.partition_point(|bad| bad.record < border));
    let second = Batch {
        rows,
        places,
        bad,
        text: piece.text.clone(),
        records_end: piece.records_end,
        bytes_read: piece.bytes_read,
    };
    piece.records_end = border;
    (piece, second)
}
