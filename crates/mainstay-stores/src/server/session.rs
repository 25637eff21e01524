//! Transactions as all engines have them, and the end of a session's time.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::time::{Sleep, sleep_until};

use super::errors::{DriverError, Failure};

/// How much later than the server we give up on a statement whose time the server watches too: its own end keeps the
/// connection.
const GRACE: Duration = Duration::from_millis(25);
/// How long a commit may take. It does not end with the deadline, since then nobody knew whether it happened.
pub(crate) const COMMIT_MAX: Duration = Duration::from_secs(10);
/// Rows after which a stream that never waits looks at the clock.
const ROWS_PER_LOOK: u32 = 256;

/// What a transaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read only; the server refuses writes.
    Read,
    /// Read and write.
    Write,
}

/// What a transaction sees of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Each statement sees what was committed before it.
    ReadCommitted,
    /// All statements see one snapshot.
    RepeatableRead,
    /// As if transactions ran one after the other.
    Serializable,
}

impl Isolation {
    /// The level's name in SQL.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Isolation::ReadCommitted => "READ COMMITTED",
            Isolation::RepeatableRead => "REPEATABLE READ",
            Isolation::Serializable => "SERIALIZABLE",
        }
    }
}

/// A connection that is ours until this is dropped, as far as every store asks of it.
pub trait Transact: Send {
    /// The driver's error.
    type Error: DriverError;

    /// Begins a transaction.
    ///
    /// # Errors
    /// As the server says.
    fn begin(
        &mut self,
        access: Access,
        isolation: Isolation,
    ) -> impl Future<Output = Result<(), Failure<Self::Error>>> + Send;

    /// Makes the transaction durable. The deadline does not end a commit, which has its own limit.
    ///
    /// # Errors
    /// As the server says; then nothing happened. [`Failure::Unavailable`] if the server does not answer: it may have
    /// happened.
    fn commit(&mut self) -> impl Future<Output = Result<(), Failure<Self::Error>>> + Send;

    /// Undoes the transaction.
    ///
    /// # Errors
    /// When the connection is gone; then it is undone as well.
    fn rollback(&mut self) -> impl Future<Output = Result<(), Failure<Self::Error>>> + Send;

    /// Asks for a sign of life.
    ///
    /// # Errors
    /// When there is none.
    fn ping(&mut self) -> impl Future<Output = Result<(), Failure<Self::Error>>> + Send;
}

/// When a session's time is over.
pub(crate) struct Alarm {
    deadline: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl Alarm {
    pub(crate) fn new(deadline: Instant) -> Alarm {
        Alarm { deadline, sleep: Box::pin(sleep_until(deadline.into())) }
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// What is left, in milliseconds, and at least one.
    pub(crate) fn left_ms(&self) -> u128 {
        self.deadline.saturating_duration_since(Instant::now()).as_millis().max(1)
    }

    /// From now on the server watches the time of statements, and is given the time to end them itself.
    pub(crate) fn leave_to_server(&mut self) {
        self.sleep.as_mut().reset((self.deadline + GRACE).into());
    }

    /// From now on what runs is a commit too, which the deadline does not end.
    pub(crate) fn wait_for_end(&mut self) {
        self.sleep.as_mut().reset((self.deadline + COMMIT_MAX).into());
    }

    /// Waits for an answer of the server; `None` once the time is over.
    pub(crate) async fn wait<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        let sleep = &mut self.sleep;
        poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => sleep.as_mut().poll(cx).map(|()| None),
        })
        .await
    }

    /// Whether the time is over, asked for each row of a stream, which counts them in `seen`: one that never waits is
    /// never stopped by [`Alarm::wait`].
    pub(crate) fn is_over(&self, seen: &mut u32) -> bool {
        *seen = seen.wrapping_add(1);
        seen.is_multiple_of(ROWS_PER_LOOK) && Instant::now() >= self.deadline
    }
}
