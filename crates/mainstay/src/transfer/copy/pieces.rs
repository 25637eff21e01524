//! The sink of all reads of a copy: gathers rows as typed values and hands them on piece by piece, so that a table of any
//! size is read in one go and in little memory.

use std::any::Any;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use mainstay_query::plan::Shape;
use mainstay_schema::Value;
use mainstay_store::collect::{Collected, Member};
use mainstay_store::{Cell, RowSink, StoreError};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// The values of a row, in the order of the columns that were asked for.
pub(super) type Row = Vec<Value>;

/// Octets of text that a piece holds at most, and one row more.
const PIECE_BYTES_MAX: usize = 8 << 20;

/// Whoever takes the pieces.
pub(super) trait Taker: Send + 'static {
    /// Takes a piece.
    fn take(&mut self, rows: Vec<Row>);

    /// Whether no more is wanted.
    fn is_done(&self) -> bool {
        false
    }

    /// As [`RowSink::may_wait`].
    fn may_wait(&self) -> bool {
        false
    }

    /// As [`RowSink::poll_ready`].
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let _ = context;
        Poll::Ready(())
    }
}

/// Gathers rows for a taker.
pub(super) struct Pieces<T> {
    shape: Shape,
    collected: Collected,
    rows: usize,
    bytes: usize,
    rows_max: usize,
    taker: T,
    fault: Option<StoreError>,
}

impl<T: Taker> Pieces<T> {
    /// Gathers rows of this shape, so many in a piece.
    pub(super) fn new(shape: Shape, rows_max: usize, taker: T) -> Pieces<T> {
        let collected = Collected::lenient(shape.clone());
        Pieces { shape, collected, rows: 0, bytes: 0, rows_max: rows_max.max(1), taker, fault: None }
    }

    /// The taker, once a read is done and the last piece is handed on.
    ///
    /// # Errors
    /// What was wrong with the rows.
    pub(super) fn finish(sink: Box<dyn RowSink>) -> Result<T, StoreError> {
        let sink: Box<dyn Any> = sink;
        let mut pieces = sink.downcast::<Pieces<T>>().expect("a store gives back the sink that it was given");
        pieces.hand_on();
        match pieces.fault {
            Some(fault) => Err(fault),
            None => Ok(pieces.taker),
        }
    }

    fn hand_on(&mut self) {
        let next = Collected::lenient(self.shape.clone());
        (self.rows, self.bytes) = (0, 0);
        match std::mem::replace(&mut self.collected, next).finish() {
            Ok(rows) if rows.is_empty() => {}
            Ok(rows) => self.taker.take(rows.into_iter().map(|row| row.into_iter().map(plain).collect()).collect()),
            Err(fault) => drop(self.fault.get_or_insert(fault)),
        }
    }
}

/// Copies read columns only, so there are no rows in rows.
fn plain(member: Member) -> Value {
    match member {
        Member::Value(value) => value,
        Member::One(_) | Member::Many(_) => Value::Null,
    }
}

impl<T: Taker> RowSink for Pieces<T> {
    fn start_row(&mut self) {
        self.collected.start_row();
    }

    fn end_row(&mut self) {
        self.collected.end_row();
        self.rows += 1;
        if self.rows >= self.rows_max || self.bytes >= PIECE_BYTES_MAX {
            self.hand_on();
        }
    }

    fn start_list(&mut self) {
        self.collected.start_list();
    }

    fn end_list(&mut self) {
        self.collected.end_list();
    }

    fn cell(&mut self, cell: Cell<'_>) {
        self.bytes += match cell {
            Cell::Null | Cell::Bool(_) | Cell::Int(_) | Cell::Float(_) => 8,
            Cell::Digits(text) | Cell::Text(text) | Cell::Plain(text) | Cell::Json(text) => text.len(),
            Cell::Bytes(octets) => octets.len(),
        };
        self.collected.cell(cell);
    }

    fn is_full(&self) -> bool {
        self.fault.is_some() || self.taker.is_done()
    }

    fn may_wait(&self) -> bool {
        self.taker.may_wait()
    }

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.taker.poll_ready(context)
    }
}

/// Sends pieces to whoever writes them, and waits while that has enough to do.
pub(super) struct Feed {
    sender: mpsc::Sender<Vec<Row>>,
    /// Pieces that a task must not be held up for.
    queue: VecDeque<Vec<Row>>,
    room: Option<Room>,
    is_gone: bool,
}

type Room = Pin<Box<dyn Future<Output = Result<mpsc::OwnedPermit<Vec<Row>>, mpsc::error::SendError<()>>> + Send>>;

impl Feed {
    pub(super) fn new(sender: mpsc::Sender<Vec<Row>>) -> Feed {
        Feed { sender, queue: VecDeque::new(), room: None, is_gone: false }
    }

    /// Sends what is left. Whoever takes nothing more has a reason of its own.
    pub(super) async fn end(mut self) {
        while let Some(rows) = self.queue.pop_front() {
            if self.sender.send(rows).await.is_err() {
                return;
            }
        }
    }
}

impl Taker for Feed {
    fn take(&mut self, rows: Vec<Row>) {
        // A thread of a store may be held up, a task may not.
        match Handle::try_current() {
            Ok(_) => self.queue.push_back(rows),
            Err(_) => self.is_gone |= self.sender.blocking_send(rows).is_err(),
        }
    }

    fn is_done(&self) -> bool {
        self.is_gone
    }

    fn may_wait(&self) -> bool {
        true
    }

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while let Some(rows) = self.queue.pop_front() {
            let sender = &self.sender;
            let room = self.room.get_or_insert_with(|| Box::pin(sender.clone().reserve_owned()));
            match room.as_mut().poll(context) {
                Poll::Pending => {
                    self.queue.push_front(rows);
                    return Poll::Pending;
                }
                Poll::Ready(Ok(permit)) => drop(permit.send(rows)),
                Poll::Ready(Err(_)) => self.is_gone = true,
            }
            self.room = None;
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use mainstay_query::plan::{Member as ShapeMember, MemberKind};
    use mainstay_schema::Type;

    use super::*;

    #[derive(Default)]
    struct Counts(Vec<usize>);

    impl Taker for Counts {
        fn take(&mut self, rows: Vec<Row>) {
            self.0.push(rows.len());
        }
    }

    fn shape() -> Shape {
        Shape { members: vec![ShapeMember { name: "t".into(), kind: MemberKind::Value(Type::Text) }] }
    }

    fn give(sink: &mut dyn RowSink, text: &str) {
        sink.start_row();
        sink.cell(Cell::Text(text));
        sink.end_row();
    }

    #[test]
    fn pieces_are_bounded_by_rows_and_by_octets() {
        let mut sink = Box::new(Pieces::new(shape(), 3, Counts::default()));
        (0..7).for_each(|_| give(&mut *sink, "a"));
        let long = "x".repeat(PIECE_BYTES_MAX);
        give(&mut *sink, &long);
        give(&mut *sink, "b");
        assert_eq!(Pieces::<Counts>::finish(sink).unwrap().0, [3, 3, 2, 1]);
    }

    #[tokio::test]
    async fn a_task_waits_for_whoever_writes_and_stops_when_nobody_does() {
        let (sender, mut pieces) = mpsc::channel(1);
        let mut sink = Pieces::new(shape(), 1, Feed::new(sender));
        give(&mut sink, "a");
        mainstay_store::sink::ready(&mut sink).await;
        give(&mut sink, "b");
        let context = &mut Context::from_waker(std::task::Waker::noop());
        assert!(sink.poll_ready(context).is_pending(), "there is room for one");
        assert_eq!(pieces.recv().await.unwrap(), [[Value::Text("a".into())]]);
        mainstay_store::sink::ready(&mut sink).await;
        assert!(!sink.is_full());
        drop(pieces);
        give(&mut sink, "c");
        mainstay_store::sink::ready(&mut sink).await;
        assert!(sink.is_full());
    }
}
