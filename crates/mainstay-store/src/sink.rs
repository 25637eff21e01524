//! Where a store puts the rows it reads: straight into the answer, one cell after the other.

use std::any::Any;
use std::future::poll_fn;
use std::task::{Context, Poll};

use mainstay_query::evaluate::to_json;
use mainstay_schema::Value;

/// One value on its way out, borrowed from the driver.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// No value; also an absent to-one row.
    Null,
    /// `bool`.
    Bool(bool),
    /// `int`, `bigint`.
    Int(i64),
    /// `float`, finite.
    Float(f64),
    /// `decimal`: digits that are a JSON number as they are.
    Digits(&'a str),
    /// Text that may hold anything.
    Text(&'a str),
    /// Text that needs no escaping in any format: uuids, dates, times, timestamps.
    Plain(&'a str),
    /// `bytes`.
    Bytes(&'a [u8]),
    /// JSON source text: `json` columns and arrays.
    Json(&'a str),
}

/// Takes the rows of a read in order. Calls follow the plan's [`Shape`](mainstay_query::plan::Shape):
///
/// ```text
/// rows  = row*
/// row   = start_row member* end_row          members in the order of the shape
/// member= cell                               MemberKind::Value, or Cell::Null: an absent MemberKind::One, or any
///                                            member of a row that is spread and absent
///       | row                                MemberKind::One
///       | start_list row* end_list           MemberKind::Many
/// ```
///
/// The methods do not fail: a sink that cannot go on (over its size limit) remembers that, says so by [`RowSink::is_full`],
/// and tells its owner in the end.
pub trait RowSink: Any + Send {
    /// A row begins.
    fn start_row(&mut self);
    /// The row ends; all its members were given.
    fn end_row(&mut self);
    /// A to-many member begins.
    fn start_list(&mut self);
    /// It ends.
    fn end_list(&mut self);
    /// The next member of the row.
    fn cell(&mut self, cell: Cell<'_>);
    /// The next members of the row, none of which is an object or a list: as if they were given one after the other, for
    /// less.
    fn cells(&mut self, cells: &[Cell<'_>]) {
        cells.iter().for_each(|cell| self.cell(*cell));
    }
    /// How many rows pass the filter, before the first of them: told by a store that can, to a sink that may wait, if a
    /// count was asked. Such a sink sends rows before all of them are read.
    fn counted(&mut self, total: u64) {
        let _ = total;
    }
    /// Whether the reader may stop early because nothing more will be kept.
    fn is_full(&self) -> bool {
        false
    }
    /// Whether the sink hands on what it was given while the read goes on, and so has to wait for whoever takes it. A
    /// store reads for such a sink where nobody else waits: either on a thread that may be held up by any call, or on
    /// a task that calls [`ready`] before each row of the top level.
    fn may_wait(&self) -> bool {
        false
    }
    /// Whether another row may come; if not, the task of `context` is woken when it may. A sink that may wait hands on
    /// nothing on the threads of a runtime unless this is called: what a task cannot wait for must be kept.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let _ = context;
        Poll::Ready(())
    }
}

/// Waits until a sink takes another row: what a store that reads on a task does before each row of the top level.
pub async fn ready(sink: &mut dyn RowSink) {
    if sink.may_wait() {
        poll_fn(|context| sink.poll_ready(context)).await;
    }
}

/// Gives `sink` a typed value as its next cell: what every store that holds [`Value`]s does.
pub fn put(sink: &mut dyn RowSink, value: &Value) {
    match value {
        Value::Null => sink.cell(Cell::Null),
        Value::Bool(value) => sink.cell(Cell::Bool(*value)),
        Value::Int(value) => sink.cell(Cell::Int(*value)),
        Value::Float(value) => sink.cell(Cell::Float(*value)),
        Value::Decimal(value) => sink.cell(Cell::Digits(value.as_str())),
        Value::Text(value) => sink.cell(Cell::Text(value)),
        Value::Uuid(value) => sink.cell(Cell::Plain(value.hyphenated().encode_lower(&mut [0; 36]))),
        Value::Bytes(value) => sink.cell(Cell::Bytes(value)),
        Value::Date(value) | Value::Time(value) | Value::Timestamp(value) => sink.cell(Cell::Plain(value)),
        Value::Json(value) => sink.cell(Cell::Json(value.as_str())),
        Value::Array(_) => match to_json(value) {
            Some(json) => sink.cell(Cell::Json(json.as_str())),
            None => sink.cell(Cell::Null),
        },
    }
}
