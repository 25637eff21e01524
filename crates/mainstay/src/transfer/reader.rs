//! The reading side of an import: a thread that turns the file into batches of typed rows while the store writes the
//! batch before.

use std::borrow::Cow;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use mainstay_schema::{ColumnId, Schema, Table, TableId, Value};
use tokio::sync::mpsc;

use super::bad::Bad;
use super::error::TransferError;
use super::extended;
use super::fields::{CsvFields, Field, members};
use super::format::{FileForm, RecordFormat};
use super::frame::Frames;
use super::source;
use super::typing::{Moment, Renames, Typist};

/// Batches that are read ahead of the store: one being written, one ready, one in the making keep both sides busy.
const BATCHES_AHEAD: usize = 1;
/// A batch is also full at this many bytes of the file, so that wide rows do not fill the memory.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What to read and how.
pub(super) struct Plan {
    pub(super) file: PathBuf,
    pub(super) form: FileForm,
    pub(super) schema: Arc<Schema>,
    pub(super) table: TableId,
    pub(super) renames: Renames,
    /// Records in a batch.
    pub(super) batch_records: usize,
    /// Records at the start that an earlier run dealt with.
    pub(super) skip: u64,
    /// Whether all records must have the members of the first: what a merge sets must not depend on the record.
    pub(super) uniform: bool,
}

/// Consecutive records of a file.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// The rows, with as many cells as there are columns.
    pub(super) rows: Vec<Vec<Option<Value>>>,
    /// Where each of the rows came from.
    pub(super) places: Vec<Place>,
    /// Records that are no rows, in order.
    pub(super) bad: Vec<Bad>,
    /// The text of the records behind `rows`, one after the other.
    pub(super) text: Arc<Vec<u8>>,
    /// Records of the file up to the end of this batch.
    pub(super) records_end: u64,
    /// Bytes of the file, compressed as they are, that were read by then.
    pub(super) bytes_read: u64,
}

/// Where a row came from.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Its place among the records of the file, from 0.
    pub(super) record: u64,
    /// The line on which it begins, from 1.
    pub(super) line: u64,
    /// Its text within the batch's.
    pub(super) text: Range<usize>,
}

/// The reading side of an import.
pub(super) struct Reader {
    /// Columns of the rows.
    pub(super) columns: Vec<ColumnId>,
    /// Columns that the file gives; the others have defaults.
    pub(super) given: Vec<ColumnId>,
    batches: mpsc::Receiver<Result<Batch, TransferError>>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    /// Opens the file, reads its header, and begins to read on.
    ///
    /// # Errors
    /// The file cannot be read, or its fields do not fit the table.
    pub(super) fn start(plan: Plan) -> Result<Reader, TransferError> {
        let bytes_read = Arc::new(AtomicU64::new(0));
        let input = source::open(&plan.file, plan.form, bytes_read.clone())?;
        let mut frames = Frames::new(input, plan.form.records);
        let table = plan.schema.table(plan.table);
        let layout = Layout::read(&mut frames, table, &plan)?;
        let given = layout.given(table);
        let typist = Typist::new(&plan.schema, plan.table, &given);
        let columns = typist.columns().to_vec();
        let (sender, batches) = mpsc::channel(BATCHES_AHEAD);
        let mut work = Work { plan, frames, layout, typist, bytes_read, records: 0 };
        let thread = std::thread::Builder::new().name("import-reader".to_owned()).spawn(move || {
            loop {
                let batch = work.next().transpose();
                let Some(batch) = batch else { break };
                let is_last = batch.is_err();
                // The receiver is gone when the import stopped.
                if sender.blocking_send(batch).is_err() || is_last {
                    break;
                }
            }
        });
        let thread = thread.map_err(TransferError::file("cannot start a thread"))?;
        Ok(Reader { columns, given, batches, thread: Some(thread) })
    }

    /// The next records; `None` at the end of the file.
    pub(super) async fn next(&mut self) -> Result<Option<Batch>, TransferError> {
        self.batches.recv().await.transpose()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.batches.close();
        // It ends at its next send; waiting would hold up a runtime thread for the rest of a batch.
        drop(self.thread.take());
    }
}

/// Which column a field goes to.
enum Layout {
    /// By position, after the header of a CSV file.
    Positions(Vec<Option<ColumnId>>),
    /// By name, whatever the record has.
    Names,
    /// By name, and all records have these.
    UniformNames(Vec<ColumnId>),
}

impl Layout {
    fn read(frames: &mut Frames, table: &Table, plan: &Plan) -> Result<Layout, TransferError> {
        if plan.form.records != RecordFormat::Csv {
            return if plan.uniform { Layout::first_members(table, plan) } else { Ok(Layout::Names) };
        }
        let file = plan.file.display().to_string();
        let wrong = |reason: String| TransferError::Record { file: file.clone(), line: 1, reason };
        let header = frames.next().map_err(TransferError::file(format!("cannot read {file}")))?;
        let header = header.ok_or_else(|| wrong("the file is empty; its first line names the fields".to_owned()))?;
        let header = str::from_utf8(header.bytes).map_err(|_| wrong("the header is not UTF-8".to_owned()))?;
        let mut columns = Vec::new();
        for field in CsvFields::new(header) {
            let name = match field.map_err(wrong)? {
                Field::Text(name) => name,
                _ => return Err(wrong("a field of the header has no name".to_owned())),
            };
            columns.push(plan.renames.column(table, &name).map_err(wrong)?);
        }
        for (at, column) in columns.iter().enumerate() {
            if let Some(id) = column.filter(|id| columns[..at].contains(&Some(*id))) {
                return Err(wrong(format!("two fields go to column \"{}\"", table.column(id).name)));
            }
        }
        let missing = table.columns.iter().filter(|column| column.is_required() && !columns.contains(&Some(column.id)));
        let missing: Vec<_> = missing.map(|column| format!("\"{}\"", column.name)).collect();
        if !missing.is_empty() {
            let names = missing.join(", ");
            return Err(wrong(format!(
                "no field for the required {names}; add one, or name the field that holds it with --map FIELD=COLUMN"
            )));
        }
        if columns.len() == 1 {
            frames.count_blank_lines();
        }
        Ok(Layout::Positions(columns))
    }

    fn first_members(table: &Table, plan: &Plan) -> Result<Layout, TransferError> {
        // A second look at the file, because the first record is a row as well.
        let mut frames = Frames::new(source::open(&plan.file, plan.form, Arc::default())?, plan.form.records);
        let file = plan.file.display().to_string();
        let first = frames.next().map_err(TransferError::file(format!("cannot read {file}")))?;
        let Some(first) = first else { return Ok(Layout::Names) };
        let columns = str::from_utf8(first.bytes).map_err(|_| "the record is not UTF-8".to_owned()).and_then(|text| {
            let columns = members(text)?.into_iter().map(|(name, _)| plan.renames.column(table, &name));
            columns.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()
        });
        columns.map(Layout::UniformNames).map_err(|reason| TransferError::Record { file, line: first.line, reason })
    }

    fn given(&self, table: &Table) -> Vec<ColumnId> {
        match self {
            Layout::Positions(columns) => columns.iter().flatten().copied().collect(),
            Layout::Names => table.columns.iter().map(|column| column.id).collect(),
            Layout::UniformNames(columns) => columns.clone(),
        }
    }
}

struct Work {
    plan: Plan,
    frames: Frames,
    layout: Layout,
    typist: Typist,
    bytes_read: Arc<AtomicU64>,
    records: u64,
}

impl Work {
    fn next(&mut self) -> Result<Option<Batch>, TransferError> {
        let moment = Moment::new();
        let mut batch = Batch::default();
        let mut text = Vec::new();
        let mut count = 0;
        while count < self.plan.batch_records && text.len() < BATCH_BYTES_MAX {
            let cannot = || TransferError::file(format!("cannot read {}", self.plan.file.display()));
            let Some(frame) = self.frames.next().map_err(cannot())? else { break };
            let record = self.records;
            self.records += 1;
            if record < self.plan.skip {
                continue;
            }
            count += 1;
            match row(&self.plan, &self.layout, &self.typist, &moment, frame.bytes) {
                Ok(row) => {
                    let from = text.len();
                    text.extend_from_slice(frame.bytes);
                    batch.rows.push(row);
                    batch.places.push(Place { record, line: frame.line, text: from..text.len() });
                }
                Err(reason) => {
                    let text = String::from_utf8_lossy(frame.bytes).into_owned();
                    batch.bad.push(Bad { record, line: frame.line, reason, text });
                }
            }
        }
        batch.text = Arc::new(text);
        batch.records_end = self.records;
        batch.bytes_read = self.bytes_read.load(Ordering::Relaxed);
        Ok((count > 0).then_some(batch))
    }
}

fn row(
    plan: &Plan,
    layout: &Layout,
    typist: &Typist,
    moment: &Moment,
    bytes: &[u8],
) -> Result<Vec<Option<Value>>, String> {
    let text = str::from_utf8(bytes).map_err(|_| "the record is not UTF-8")?;
    match layout {
        Layout::Positions(columns) => {
            let mut count = 0;
            let fields = CsvFields::new(text).enumerate().filter_map(|(at, field)| {
                count = at + 1;
                match (field, columns.get(at)) {
                    (Err(error), _) => Some(Err(error)),
                    (Ok(field), Some(Some(column))) => Some(Ok((*column, field))),
                    // Passed over, or beyond the header, which the count tells below.
                    (Ok(_), _) => None,
                }
            });
            match typist.row(moment, fields) {
                Ok(row) if count == columns.len() => Ok(row),
                Ok(_) => Err(complaint(text, columns.len(), String::new())),
                Err(reason) => Err(complaint(text, columns.len(), reason)),
            }
        }
        Layout::Names | Layout::UniformNames(_) => {
            let is_extended = plan.form.records == RecordFormat::ExtendedJson;
            let plain: Vec<(Cow<'_, str>, Cow<'_, str>)> = members(text)?
                .into_iter()
                .map(|(name, value)| Ok((name, if is_extended { extended::plain(value)? } else { value.into() })))
                .collect::<Result<_, String>>()?;
            let mut fields = Vec::new();
            for (name, value) in &plain {
                if let Some(column) = plan.renames.column(typist.table(), name)? {
                    if fields.iter().any(|(known, _)| *known == column) {
                        return Err(format!("two members go to column \"{}\"", typist.table().column(column).name));
                    }
                    fields.push((column, Field::Json(value)));
                }
            }
            if let Layout::UniformNames(columns) = layout
                && (fields.len() != columns.len() || !fields.iter().all(|(column, _)| columns.contains(column)))
            {
                return Err("other members than the first record; to merge, all must have the same".to_owned());
            }
            typist.row(moment, fields.into_iter().map(Ok))
        }
    }
}

/// What is really wrong with a CSV record: one with too few fields also lacks values, but that is not the cause.
fn complaint(record: &str, expected: usize, reason: String) -> String {
    let fields: Result<Vec<_>, String> = CsvFields::new(record).collect();
    match fields {
        Err(malformed) => malformed,
        Ok(fields) if fields.len() != expected => format!("{} fields where the header has {expected}", fields.len()),
        Ok(_) => reason,
    }
}
