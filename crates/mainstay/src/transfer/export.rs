//! Writes the rows of a table to a file: in one read, so in one moment of the database, and row by row, so in constant
//! memory.

use std::any::Any;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use mainstay_http::Problem;
use mainstay_query::parse::{self, Purpose};
use mainstay_query::plan::{MemberKind, Shape, Source};
use mainstay_query::request::ReadRequest;
use mainstay_query::{Actor, Limits, authorize, plan};
use mainstay_schema::Schema;
use mainstay_schema::model::Texts;
use mainstay_store::{Call, Cell, RowSink, Store};
use serde::Serialize;

use super::cells::{write_csv, write_csv_text, write_json};
use super::error::TransferError;
use super::extended::Form;
use super::format::{FileForm, RecordFormat};

/// How long an export may read. A snapshot that is held longer keeps the database from tidying up.
const TIME_MAX: Duration = Duration::from_secs(24 * 3600);
const BUFFER_BYTES: usize = 256 * 1024;

/// What to export and how.
#[derive(Debug, Clone)]
pub struct ExportRequest {
    /// The table or view.
    pub table: String,
    /// How records lie in the file; by its ending when absent, and CSV where there is none.
    pub format: Option<RecordFormat>,
    /// Which rows and columns, as in the query string of a request; all when empty.
    pub query: String,
    /// Where to.
    pub target: Target,
}

/// Where an export goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The standard output.
    Stdout,
    /// A file, which appears when it is whole.
    File {
        /// The file.
        path: PathBuf,
        /// Whether one that is there already may be replaced.
        replace: bool,
    },
}

/// What an export did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// The table.
    pub table: String,
    /// Rows written.
    pub rows: u64,
    /// The file, if it went to one.
    pub file: Option<PathBuf>,
}

/// Exports rows.
///
/// # Errors
/// [`TransferError`]; then no file is left behind.
pub async fn export(
    store: &dyn Store,
    schema: &Arc<Schema>,
    request: &ExportRequest,
) -> Result<Exported, TransferError> {
    let table = super::find_table(schema, &request.table)?;
    let (form, path) = match &request.target {
        Target::Stdout => (FileForm { records: request.format.unwrap_or(RecordFormat::Csv), gzip: false }, None),
        Target::File { path, replace } => {
            if !replace && path.exists() {
                let problem = format!("{} is there already; give --force to replace it", path.display());
                return Err(TransferError::Misuse(problem));
            }
            let form = FileForm::of(path, request.format);
            (form.ok_or_else(|| TransferError::Misuse(FileForm::unknown(path)))?, Some(path.clone()))
        }
    };
    let plan = plan_read(schema, &table.name, &request.query)?;
    let shape = plan.shape(schema);
    if form.records == RecordFormat::Csv
        && let Some(member) = shape.members.iter().find(|member| !matches!(member.kind, MemberKind::Value(_)))
    {
        let problem = format!("a CSV file cannot hold the related rows \"{}\"; use --format ndjson", member.name);
        return Err(TransferError::Misuse(problem));
    }
    let plan = authorize::read(schema, &Actor::System, plan).expect("our own work passes every rule");
    let out = Output::create(path.as_deref(), form.gzip)?;
    let mut sink = Box::new(FileSink::new(out, form.records, &shape));
    if form.records == RecordFormat::ExtendedJson {
        sink.name_document_id(schema, &plan);
    }
    let call = Call { schema: schema.clone(), deadline: Instant::now() + TIME_MAX };
    let done = store.read(call, Arc::new(plan), sink).await?;
    let sink: Box<dyn Any> = done.sink;
    let sink = sink.downcast::<FileSink>().expect("a store gives back the sink that it was given");
    let name = path.as_ref().map_or_else(|| "the output".to_owned(), |path| path.display().to_string());
    let rows = sink.finish().map_err(TransferError::file(format!("cannot write {name}")))?;
    Ok(Exported { table: table.name.to_string(), rows, file: path })
}

fn plan_read(schema: &Schema, table: &str, query: &str) -> Result<plan::Read, TransferError> {
    // The bounds on requests protect a server from strangers; whoever runs this command may have every row.
    let limits = Limits { page_rows_max: u64::MAX, aggregates: true, ..Limits::default() };
    let misuse = |error| TransferError::Misuse(format!("--query: {}", Problem::of(error, &Actor::System).told()));
    let query = parse::query(Purpose::Read, query, &limits).map_err(|error| misuse(error.into()))?;
    if query.after.is_some() {
        return Err(TransferError::Misuse("--query: after is for pages, and an export has all rows".to_owned()));
    }
    let request = ReadRequest { table: table.to_owned(), query, ..ReadRequest::default() };
    let mut plan = plan::read(schema, &limits, &request).map_err(|error| misuse(error.into()))?;
    plan.limit = plan.limit.filter(|limit| *limit < u64::MAX);
    Ok(plan)
}

/// The file under another name until it is whole, or the standard output.
enum Output {
    Stdout(BufWriter<io::Stdout>),
    Plain(BufWriter<File>, Part),
    Gzip(Box<GzEncoder<BufWriter<File>>>, Part),
}

/// A file that is not whole yet; goes away unless it is kept.
struct Part {
    part: PathBuf,
    whole: Option<PathBuf>,
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.whole.is_some() {
            let _ = std::fs::remove_file(&self.part);
        }
    }
}

impl Output {
    fn create(path: Option<&Path>, gzip: bool) -> Result<Output, TransferError> {
        let Some(path) = path else {
            return Ok(Output::Stdout(BufWriter::with_capacity(BUFFER_BYTES, io::stdout())));
        };
        let mut part = path.as_os_str().to_owned();
        part.push(format!(".{}.part", std::process::id()));
        let part = PathBuf::from(part);
        let file = File::create(&part).map_err(TransferError::file(format!("cannot write {}", path.display())))?;
        let file = BufWriter::with_capacity(BUFFER_BYTES, file);
        let part = Part { part, whole: Some(path.to_owned()) };
        Ok(match gzip {
            true => Output::Gzip(Box::new(GzEncoder::new(file, Compression::default())), part),
            false => Output::Plain(file, part),
        })
    }

    fn finish(self) -> io::Result<()> {
        let (file, mut part) = match self {
            Output::Stdout(mut out) => return out.flush(),
            Output::Plain(out, part) => (out, part),
            Output::Gzip(out, part) => (out.finish()?, part),
        };
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        if let Some(whole) = &part.whole {
            std::fs::rename(&part.part, whole)?;
        }
        part.whole = None;
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Output::Stdout(out) => out.write(bytes),
            Output::Plain(out, _) => out.write(bytes),
            Output::Gzip(out, _) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes rows as they come. The first error stops the reading and is told at the end.
struct FileSink {
    out: Output,
    format: RecordFormat,
    levels: Vec<Level>,
    open: Vec<Open>,
    rows: u64,
    error: Option<io::Error>,
}

/// The members of a row, at the top or in an embed.
struct Level {
    members: Vec<Named>,
}

struct Named {
    /// Its name as JSON.
    name: String,
    /// The level of the rows inside it.
    inner: Option<usize>,
    /// How its values are written in Extended JSON.
    form: Form,
}

/// What was begun and not ended.
enum Open {
    Row { level: usize, next: usize },
    List { level: usize, is_empty: bool },
}

impl FileSink {
    fn new(out: Output, format: RecordFormat, shape: &Shape) -> FileSink {
        let mut levels = Vec::new();
        add_level(&mut levels, shape);
        let mut sink = FileSink { out, format, levels, open: Vec::new(), rows: 0, error: None };
        let header = match format {
            RecordFormat::Csv => sink.write_header(shape),
            RecordFormat::Json => sink.out.write_all(b"["),
            RecordFormat::Ndjson | RecordFormat::ExtendedJson => Ok(()),
        };
        sink.note(header);
        sink
    }

    fn write_header(&mut self, shape: &Shape) -> io::Result<()> {
        for (position, member) in shape.members.iter().enumerate() {
            if position > 0 {
                self.out.write_all(b",")?;
            }
            write_csv_text(&mut self.out, &member.name)?;
        }
        self.out.write_all(b"\n")
    }

    fn note(&mut self, outcome: io::Result<()>) {
        if let Err(error) = outcome {
            self.error.get_or_insert(error);
        }
    }

    /// Calls the only column of a key `_id`, as documents do, and has object ids written as such.
    fn name_document_id(&mut self, schema: &Schema, plan: &plan::Read) {
        let table = schema.table(plan.table);
        let members = &mut self.levels[0].members;
        // Members of spreads stand in a row as well: then it is not known which is whose.
        if plan.select.len() != members.len() {
            return;
        }
        for (output, member) in plan.select.iter().zip(members) {
            let Source::Value(expr) = &output.source else { continue };
            let Some(column) = expr.as_column() else { continue };
            if table.primary_key == [column] && output.name == table.column(column).name {
                member.name = "\"_id\"".to_owned();
            }
            if table.column(column).texts == Texts::ObjectIds {
                member.form = Form::ObjectId;
            }
        }
    }

    /// The form of the value that is written next.
    fn form(&self) -> Form {
        match self.open.last() {
            Some(Open::Row { level, next }) => self.levels[*level].members[*next].form.clone(),
            _ => Form::Plain,
        }
    }

    /// Writes what stands before a value at the present place, and gives the level of a row there.
    fn before_value(&mut self) -> io::Result<usize> {
        let is_csv = self.format == RecordFormat::Csv;
        match self.open.last_mut() {
            None => {
                if self.format == RecordFormat::Json {
                    self.out.write_all(if self.rows > 0 { b",\n" } else { b"\n" })?;
                }
                Ok(0)
            }
            Some(Open::Row { level, next }) => {
                let Named { name, inner, .. } = &self.levels[*level].members[*next];
                if *next > 0 {
                    self.out.write_all(b",")?;
                }
                if !is_csv {
                    self.out.write_all(name.as_bytes())?;
                    self.out.write_all(b":")?;
                }
                *next += 1;
                Ok(inner.unwrap_or(0))
            }
            Some(Open::List { level, is_empty }) => {
                if !std::mem::take(is_empty) {
                    self.out.write_all(b",")?;
                }
                Ok(*level)
            }
        }
    }

    fn begin(&mut self, bracket: &[u8]) -> io::Result<usize> {
        let level = self.before_value()?;
        if self.format != RecordFormat::Csv {
            self.out.write_all(bracket)?;
        }
        Ok(level)
    }

    fn end(&mut self, bracket: &[u8]) -> io::Result<()> {
        self.open.pop();
        if self.format != RecordFormat::Csv {
            self.out.write_all(bracket)?;
        }
        if self.open.is_empty() {
            self.rows += 1;
            if self.format != RecordFormat::Json {
                self.out.write_all(b"\n")?;
            }
        }
        Ok(())
    }

    /// Ends the file; gives the rows that are in it.
    fn finish(mut self) -> io::Result<u64> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.format == RecordFormat::Json {
            self.out.write_all(b"\n]\n")?;
        }
        self.out.finish()?;
        Ok(self.rows)
    }
}

impl RowSink for FileSink {
    fn start_row(&mut self) {
        let level = self.begin(b"{");
        self.open.push(Open::Row { level: *level.as_ref().unwrap_or(&0), next: 0 });
        self.note(level.map(drop));
    }

    fn end_row(&mut self) {
        let outcome = self.end(b"}");
        self.note(outcome);
    }

    fn start_list(&mut self) {
        let level = self.begin(b"[");
        self.open.push(Open::List { level: *level.as_ref().unwrap_or(&0), is_empty: true });
        self.note(level.map(drop));
    }

    fn end_list(&mut self) {
        let outcome = self.end(b"]");
        self.note(outcome);
    }

    fn cell(&mut self, cell: Cell<'_>) {
        let form = if self.format == RecordFormat::ExtendedJson { self.form() } else { Form::Plain };
        let outcome = self.before_value().and_then(|_| match self.format {
            RecordFormat::Csv => write_csv(&mut self.out, cell),
            RecordFormat::ExtendedJson if form != Form::Plain => {
                let mut json = Vec::new();
                write_json(&mut json, cell)?;
                let json = form.write(&String::from_utf8_lossy(&json)).map_err(io::Error::other)?;
                self.out.write_all(json.as_bytes())
            }
            RecordFormat::Ndjson | RecordFormat::Json | RecordFormat::ExtendedJson => write_json(&mut self.out, cell),
        });
        self.note(outcome);
    }

    fn is_full(&self) -> bool {
        self.error.is_some()
    }
}

fn add_level(levels: &mut Vec<Level>, shape: &Shape) -> usize {
    let position = levels.len();
    levels.push(Level { members: Vec::new() });
    for member in &shape.members {
        let inner = match &member.kind {
            MemberKind::Value(_) => None,
            MemberKind::One(inner) | MemberKind::Many(inner) => Some(add_level(levels, inner)),
        };
        let name = serde_json::to_string(&*member.name).expect("text is JSON");
        let form = match &member.kind {
            MemberKind::Value(ty) => Form::of(ty, false),
            MemberKind::One(_) | MemberKind::Many(_) => Form::Plain,
        };
        levels[position].members.push(Named { name, inner, form });
    }
    position
}
