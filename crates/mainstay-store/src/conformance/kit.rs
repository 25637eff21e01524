//! What cases have in common: an open store, and rows as text.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mainstay_query::plan::{Read, Write};
use mainstay_query::{Actor, Authorized, authorize};
use mainstay_schema::{Schema, Value};

use super::Open;
use super::digits;
use super::plans::{Of, Plan, ReadBuilder};
use super::tables::{TableBuilder, schema};
use crate::change::{Commit, Subscription};
use crate::collect::{Collected, Member, Row};
use crate::error::{ReferenceEnd, StoreError};
use crate::sink::RowSink;
use crate::store::{Call, Store};

/// Long enough for any case on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A store with its schema.
#[derive(Clone)]
pub(super) struct Stage {
    pub(super) store: Arc<dyn Store>,
    pub(super) schema: Arc<Schema>,
}

/// What a read gave.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) rows: Vec<Row>,
    pub(super) total: Option<u64>,
}

/// What a write did.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Written {
    pub(super) rows: Vec<Row>,
    pub(super) affected: u64,
    pub(super) inserted: u64,
}

impl Stage {
    pub(super) async fn open(open: &dyn Open, tables: &[TableBuilder]) -> Stage {
        Stage::with_schema(open, schema(tables)).await
    }

    pub(super) async fn with_schema(open: &dyn Open, schema: Arc<Schema>) -> Stage {
        Stage { store: open.open(schema.clone()).await, schema }
    }

    pub(super) fn of(&self, table: &str) -> Of<'_> {
        Of::new(&self.schema, table)
    }

    pub(super) fn call(&self) -> Call {
        Call { schema: self.schema.clone(), deadline: Instant::now() + PATIENCE }
    }

    pub(super) fn authorized(&self, plan: Read) -> Arc<Authorized<Read>> {
        Arc::new(authorize::read(&self.schema, &Actor::System, plan).expect("the system may read"))
    }

    pub(super) fn authorized_write(&self, plan: Write) -> Arc<Authorized<Write>> {
        Arc::new(authorize::write(&self.schema, &Actor::System, plan).expect("the system may write"))
    }

    pub(super) async fn try_read(&self, plan: &Read) -> Result<Found, StoreError> {
        let sink = Box::new(Collected::of(&self.schema, plan.shape(&self.schema)));
        let done = self.store.read(self.call(), self.authorized(plan.clone()), sink).await?;
        let rows = collected(done.sink)?;
        assert_eq!(done.rows, rows.len() as u64, "rows put into the sink are counted");
        Ok(Found { rows, total: done.total })
    }

    pub(super) async fn try_write(&self, plan: impl Into<Plan>) -> Result<Written, StoreError> {
        let Plan(mut write) = plan.into();
        digits::cut(&mut write, self.digits());
        let shape = write.returning().map(|read| read.shape(&self.schema));
        let shape = shape.unwrap_or_else(|| mainstay_query::plan::Shape { members: vec![] });
        let sink = Box::new(Collected::of(&self.schema, shape));
        let done = self.store.write(self.call(), self.authorized_write(write), sink).await?;
        Ok(Written { rows: collected(done.sink)?, affected: done.affected, inserted: done.inserted })
    }

    /// Digits of a second that the store keeps.
    pub(super) fn digits(&self) -> u8 {
        self.store.capabilities().time_digits
    }

    pub(super) async fn write(&self, plan: impl Into<Plan>) -> Written {
        self.try_write(plan).await.expect("the write is possible")
    }

    /// Inserts rows whose cells are separated by `|`.
    pub(super) async fn fill(&self, table: &str, columns: &str, rows: &[&str]) {
        self.write(self.of(table).insert(columns, rows)).await;
    }

    pub(super) async fn read(&self, plan: ReadBuilder<'_>) -> Found {
        self.try_read(&plan.build()).await.expect("the read is possible")
    }

    /// Checks the rows that a read gives, as [`show`] prints them.
    pub(super) async fn check(&self, plan: ReadBuilder<'_>, expected: &str) {
        assert_eq!(show(&self.read(plan).await.rows), expected);
    }

    /// All rows of a table, by primary key.
    pub(super) async fn all(&self, table: &str) -> String {
        show(&self.read(self.of(table).read()).await.rows)
    }
}

pub(super) fn collected(sink: Box<dyn RowSink>) -> Result<Vec<Row>, StoreError> {
    let sink: Box<dyn Any> = sink;
    sink.downcast::<Collected>().expect("the store gives back the sink that it was passed").finish()
}

/// Rows as `(1,a) (2,null,(3,b),[(4) (5)])`.
pub(super) fn show(rows: &[Row]) -> String {
    rows.iter().map(|row| show_row(row)).collect::<Vec<_>>().join(" ")
}

fn show_row(row: &[Member]) -> String {
    let members: Vec<String> = row.iter().map(show_member).collect();
    format!("({})", members.join(","))
}

fn show_member(member: &Member) -> String {
    match member {
        Member::Value(value) => show_value(value),
        Member::One(row) => show_row(row),
        Member::Many(rows) => format!("[{}]", show(rows)),
    }
}

fn show_value(value: &Value) -> String {
    value.to_text().unwrap_or_else(|| "null".to_owned())
}

/// The kind of an error, with the key that a duplicate names.
pub(super) fn kind(error: &StoreError) -> String {
    match error {
        StoreError::Duplicate { key, .. } => format!("duplicate {key}"),
        StoreError::Reference { .. } => "reference".to_owned(),
        StoreError::NotNull { column, .. } => format!("null {column}"),
        StoreError::Unexpected { affected, single } => format!("unexpected {affected} {single}"),
        StoreError::RepeatedKey => "repeated".to_owned(),
        StoreError::Value(_) => "value".to_owned(),
        StoreError::Database(error) if ["22003", "22007", "22008", "22P02"].contains(&&*error.code) => {
            "value".to_owned()
        }
        StoreError::Violation { violation, .. } => format!("check {}", violation.column),
        StoreError::Patch { column, .. } => format!("patch {column}"),
        StoreError::Deadline => "deadline".to_owned(),
        StoreError::Unavailable(_) => "unavailable".to_owned(),
        StoreError::Unsupported { .. } => "unsupported".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Checks that something failed, and how.
pub(super) fn check_error<T: std::fmt::Debug>(result: Result<T, StoreError>, expected: &str) {
    match result {
        Ok(done) => panic!("expected {expected}, but it was done: {done:?}"),
        Err(error) => assert_eq!(kind(&error), expected, "{error:?}"),
    }
}

/// Checks that a reference refused something, and what is told of it: `reference: table (columns)=(values) -> target`
/// for a row that points at nothing, `<- holder` for one that is pointed at.
pub(super) fn check_broken<T: std::fmt::Debug>(result: Result<T, StoreError>, expected: &str) {
    let Err(StoreError::Reference { broken: Some(broken), .. }) = result else { panic!("{result:?}") };
    let arrow = match broken.end {
        ReferenceEnd::Pointing => "->",
        ReferenceEnd::Target => "<-",
    };
    let (constraint, other) = (broken.constraint.expect("a store tells"), broken.other.expect("a store tells"));
    let (columns, values) = (broken.columns.join(","), broken.values.expect("a store tells").join(","));
    assert_eq!(format!("{constraint}: {} ({columns})=({values}) {arrow} {other}", broken.table), expected);
}

impl Stage {
    /// Listens, where the store tells what changes.
    pub(super) fn feed(&self) -> Option<Subscription> {
        self.store.capabilities().changes.then(|| self.store.subscribe())
    }
}

/// Checks the next commit as [`show_commit`] prints it, where the store tells.
pub(super) async fn check_next(feed: &mut Option<Subscription>, expected: &str) {
    if let Some(feed) = feed {
        assert_eq!(show_commit(&*next(feed).await), expected);
    }
}

/// The next commit, which must come soon.
pub(super) async fn next(feed: &mut Subscription) -> Arc<Commit> {
    tokio::time::timeout(PATIENCE, feed.next()).await.expect("the commit is published").expect("none is missed")
}

/// A commit as `insert t (1,a); update t (1,a) to (1,b); delete t (1,b)`.
pub(super) fn show_commit(commit: &Commit) -> String {
    let row = |row: &Vec<Value>| format!("({})", row.iter().map(show_value).collect::<Vec<_>>().join(","));
    let changes = commit.changes.iter().map(|change| match (&change.before, &change.after) {
        (None, Some(after)) => format!("insert {} {}", change.table, row(after)),
        (Some(before), Some(after)) => format!("update {} {} to {}", change.table, row(before), row(after)),
        (Some(before), None) => format!("delete {} {}", change.table, row(before)),
        (None, None) => panic!("a change has a row"),
    });
    changes.collect::<Vec<_>>().join("; ")
}
