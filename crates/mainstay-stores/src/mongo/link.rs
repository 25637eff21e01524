//! The server, and how much of it is in use: each request has a session of its own, and no more than the pool has
//! connections are under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mainstay_store::StoreError;
use mongodb::bson::{Document, doc};
use mongodb::error::ErrorKind;
use mongodb::options::SessionOptions;
use mongodb::{Client, Database};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::connect::MongoOptions;
use super::session::{Failure, Session, timed, within};
use crate::server::PoolLimits;

/// What the server has told of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Whether it is of a replica set or of several: then there are transactions and snapshots.
    pub has_transactions: bool,
    /// Its version: `6.0.5`.
    pub version: String,
}

/// What the requests of one session see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// Each command what is there when it runs.
    Latest,
    /// All commands what was there at one moment, where the server can tell.
    Snapshot,
}

/// A database of a server.
#[derive(Clone)]
pub struct Link(Arc<Inner>);

struct Inner {
    client: Client,
    database: Database,
    server: Server,
    limits: PoolLimits,
    slots: Arc<Semaphore>,
    waiting: AtomicUsize,
    is_closed: AtomicBool,
}

impl Link {
    /// Connects, and asks what the server is.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if nobody answers.
    pub async fn open(options: &MongoOptions) -> Result<Link, StoreError> {
        // The driver gives up by itself, and then it says why.
        let deadline = Instant::now() + options.connect_max + GIVEN_UP_MAX;
        let settings = timed(deadline, options.client()).await.map_err(unread)?;
        let client = Client::with_options(settings).map_err(|error| unread(Failure::Driver(error)))?;
        let database = client.database(&options.database);
        let hello = within(deadline, database.run_command(doc! { "hello": 1 })).await.map_err(unanswered)?;
        let build = within(deadline, database.run_command(doc! { "buildInfo": 1 })).await.map_err(unanswered)?;
        let server = Server {
            has_transactions: hello.contains_key("setName")
                || hello.get_str("msg").is_ok_and(|word| word == "isdbgrid"),
            version: build.get_str("version").unwrap_or_default().to_owned(),
        };
        let limits = options.limits.clone();
        let slots = Arc::new(Semaphore::new(limits.connections_max));
        let (waiting, is_closed) = (AtomicUsize::new(0), AtomicBool::new(false));
        Ok(Link(Arc::new(Inner { client, database, server, limits, slots, waiting, is_closed })))
    }

    /// What the server has told of itself.
    pub fn server(&self) -> &Server {
        &self.0.server
    }

    /// The database, for whoever asks outside of any request.
    pub fn database(&self) -> &Database {
        &self.0.database
    }

    /// A session for one request.
    ///
    /// # Errors
    /// [`StoreError::Deadline`] if there is no time left; [`StoreError::Overloaded`] if too many wait, or for too long;
    /// [`StoreError::Unavailable`] if nobody answers, or after [`Link::close`].
    pub(super) async fn session(&self, deadline: Instant, view: View) -> Result<Session, StoreError> {
        let slot = self.slot(deadline).await?;
        let is_snapshot = view == View::Snapshot && self.0.server.has_transactions;
        let options = SessionOptions::builder().snapshot(is_snapshot).causal_consistency(false).build();
        let started = within(deadline, async { self.0.client.start_session().with_options(options).await }).await?;
        Ok(Session::new(self.clone(), started, deadline, slot))
    }

    async fn slot(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, StoreError> {
        let inner = &*self.0;
        if inner.is_closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(StoreError::Deadline);
        }
        if let Ok(slot) = inner.slots.clone().try_acquire_owned() {
            return Ok(slot);
        }
        let _waiter = Waiter::new(&inner.waiting, inner.limits.waiting_max).ok_or(StoreError::Overloaded)?;
        match timeout(left.min(inner.limits.wait_max), inner.slots.clone().acquire_owned()).await {
            Ok(slot) => slot.map_err(|_| closed()),
            Err(_) if left <= inner.limits.wait_max => Err(StoreError::Deadline),
            Err(_) => Err(StoreError::Overloaded),
        }
    }

    /// Asks the server something that concerns no collection.
    ///
    /// # Errors
    /// As the server says.
    pub(super) async fn ask(&self, deadline: Instant, command: Document) -> Result<Document, StoreError> {
        if self.0.is_closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        within(deadline, self.0.database.run_command(command)).await
    }

    /// Waits for what is under way and closes all connections.
    pub async fn close(&self) {
        let inner = &*self.0;
        inner.is_closed.store(true, Ordering::Release);
        let all = u32::try_from(inner.limits.connections_max).unwrap_or(u32::MAX);
        let _ = timeout(CLOSE_MAX, inner.slots.acquire_many(all)).await;
        inner.slots.close();
        inner.client.clone().shutdown().immediate(true).await;
    }
}

/// How much longer than it was told the driver may look for a server.
const GIVEN_UP_MAX: Duration = Duration::from_secs(1);
/// How long closing waits for what is under way.
const CLOSE_MAX: Duration = Duration::from_secs(30);

fn closed() -> StoreError {
    StoreError::Unavailable("the store was closed".into())
}

/// Connecting has a time of its own, and who runs out of it was not answered.
fn unanswered(error: StoreError) -> StoreError {
    match error {
        StoreError::Deadline => StoreError::Unavailable("the server did not answer in time".into()),
        other => other,
    }
}

/// What the driver says of a URL may quote it, with the password.
fn unread(failure: Failure) -> StoreError {
    match failure {
        Failure::Driver(error) if matches!(*error.kind, ErrorKind::InvalidArgument { .. }) => StoreError::Internal(
            "the driver of MongoDB does not take a part of the URL; see that all parameters have values which it knows"
                .into(),
        ),
        other => unanswered(other.meaning()),
    }
}

/// Somebody who waits for a session.
struct Waiter<'w>(&'w AtomicUsize);

impl<'w> Waiter<'w> {
    fn new(waiting: &'w AtomicUsize, most: usize) -> Option<Waiter<'w>> {
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        let waiter = Waiter(waiting);
        (before < most).then_some(waiter)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_the_driver_says_of_a_url_is_not_shown() {
        let options = MongoOptions::parse("mongodb://ann:s3cret@127.0.0.1:1/shop?tls=s3cret").unwrap();
        let Err(StoreError::Internal(why)) = Link::open(&options).await else { panic!("it is no truth value") };
        assert!(!format!("{why:?}").contains("s3cret") && why.source().is_none(), "{why}");
    }
}
