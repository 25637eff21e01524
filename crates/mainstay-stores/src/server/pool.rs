//! A bounded number of connections, lent one at a time.
//!
//! Waiting for a connection has its own limit and its own error, so that a full pool is told apart from a slow
//! statement. A pool of our own, since what it must do is little and particular: a connection whose statement was given
//! up is canceled on the server and never used again. See `docs/decisions/0030-postgres-driver.md` and
//! `docs/decisions/0033-mysql-driver.md`.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[cfg(feature = "mysql")]
use futures_util::future::BoxFuture;
use mainstay_store::BoxError;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::time::error::Elapsed;
use tokio::time::{timeout, timeout_at};

use super::errors::{DriverError, Failure};
use super::session::{COMMIT_MAX, Transact};
use super::url::UrlError;

/// How long canceling a statement may take, and then how long its end.
pub(crate) const CANCEL_MAX: Duration = Duration::from_secs(5);
/// How long one attempt to connect to one host may take where nothing else is said.
pub const CONNECT_MAX: Duration = Duration::from_secs(5);

/// How a pool speaks to one kind of server.
pub trait Driver: Send + Sync + Sized + 'static {
    /// How to reach a server, and how much of it to take.
    type Options: Options;
    /// One connection.
    type Connection: Send + 'static;
    /// A connection that is lent.
    type Session: Transact<Error = Self::Error>;
    /// What goes wrong.
    type Error: DriverError;

    /// Looks at the options. Called on a tokio runtime, which then runs the connections.
    ///
    /// # Errors
    /// Certificates that cannot be read.
    fn new(options: Self::Options) -> Result<Self, BoxError>;

    /// What it was made of.
    fn options(&self) -> &Self::Options;

    /// Makes a connection and tells how long a message on it and its answer take.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] if none can be made, [`Failure::Deadline`] if there was no time to find out.
    fn connect(
        &self,
        deadline: Instant,
    ) -> impl Future<Output = Result<(Self::Connection, Duration), Failure<Self::Error>>> + Send;

    /// Whether the other side has hung up.
    fn is_closed(connection: &Self::Connection) -> bool;

    /// Makes a session of a connection that is lent.
    fn session(lease: Lease<Self>, connection: Self::Connection, deadline: Instant) -> Self::Session;

    /// Runs a statement that gives nothing.
    ///
    /// # Errors
    /// As the server says.
    fn run(connection: &mut Self::Connection, sql: &str) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Cancels what runs on a connection and closes it. What goes wrong is logged.
    fn cancel(&self, connection: Self::Connection) -> impl Future<Output = ()> + Send;

    /// Says good-bye on a connection on which nothing runs and hangs up, which takes [`CANCEL_MAX`] at most.
    fn close(connection: Self::Connection) -> impl Future<Output = ()> + Send;
}

/// How to reach a server, and how much of it to take.
pub trait Options: fmt::Debug + Send + Sync + Sized {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it; nothing of its values is told.
    fn parse(url: &str) -> Result<Self, UrlError>;

    /// Where it connects to, without anything secret: `db.example.com:5432/shop`.
    fn place(&self) -> String;

    /// How much to take.
    fn limits(&self) -> &PoolLimits;

    /// How much to take, to be changed.
    fn limits_mut(&mut self) -> &mut PoolLimits;

    /// Has statements get no names on the server, for a pooler that does not keep them. Of no effect where there are no
    /// such poolers.
    fn name_no_statements(&mut self) {}

    /// Has sessions compute as they do for everybody else, where tables and views are another program's.
    fn compute_as_configured(&mut self) {}
}

/// How much of a server to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolLimits {
    /// Connections at most.
    pub connections_max: usize,
    /// Callers that wait for a connection at most; the next one is told to come again.
    pub waiting_max: usize,
    /// How long a caller waits for a connection at most.
    pub wait_max: Duration,
    /// Age at which a connection is closed instead of used again, so that a change of servers is noticed.
    pub age_max: Duration,
    /// How long a connection that nobody uses is kept; `None` for as long as its age allows.
    pub idle_max: Option<Duration>,
    /// Statements that one connection keeps prepared.
    pub statements_max: usize,
}

impl Default for PoolLimits {
    fn default() -> PoolLimits {
        PoolLimits {
            connections_max: 10,
            waiting_max: 1_000,
            wait_max: Duration::from_secs(2),
            age_max: Duration::from_secs(30 * 60),
            idle_max: None,
            // MySQL keeps 16,382 for all of its connections.
            statements_max: 256,
        }
    }
}

/// Connections to one server, or to the first of several that answers.
pub struct Pool<D: Driver>(Arc<Inner<D>>);

impl<D: Driver> Clone for Pool<D> {
    fn clone(&self) -> Pool<D> {
        Pool(self.0.clone())
    }
}

struct Inner<D: Driver> {
    driver: D,
    slots: Arc<Semaphore>,
    idle: Mutex<Vec<Idle<D::Connection>>>,
    waiting: AtomicUsize,
    round_trip_ns: AtomicU64,
    runtime: Handle,
}

/// A connection that nobody uses.
struct Idle<C> {
    connection: C,
    /// When it was made.
    since: Instant,
    /// When it was given back.
    idle_since: Instant,
}

/// What a pool has at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolStatus {
    /// Connections that nobody uses.
    pub idle: usize,
    /// Connections that are lent, or whose statement is being canceled.
    pub busy: usize,
    /// Callers that wait for one.
    pub waiting: usize,
}

impl<D: Driver> Pool<D> {
    /// A pool that connects when it is first asked. Must be called on a tokio runtime, which then runs its connections.
    ///
    /// # Errors
    /// Certificates that cannot be read.
    pub fn new(options: D::Options) -> Result<Pool<D>, BoxError> {
        let driver = D::new(options)?;
        Ok(Pool(Arc::new(Inner {
            slots: Arc::new(Semaphore::new(driver.options().limits().connections_max)),
            idle: Mutex::new(Vec::new()),
            waiting: AtomicUsize::new(0),
            round_trip_ns: AtomicU64::new(0),
            runtime: Handle::current(),
            driver,
        })))
    }

    /// Lends a connection for work that ends at `deadline`.
    ///
    /// # Errors
    /// [`Failure::Deadline`] if that has passed, [`Failure::Overloaded`] if none becomes free in time,
    /// [`Failure::Unavailable`] if none can be made.
    pub async fn session(&self, deadline: Instant) -> Result<D::Session, Failure<D::Error>> {
        if Instant::now() >= deadline {
            return Err(Failure::Deadline);
        }
        let slot = self.slot(deadline).await?;
        let idle = {
            let mut idle = self.0.idle();
            std::iter::from_fn(|| idle.pop()).find(|idle| self.0.is_usable(idle))
        };
        let (connection, since) = match idle {
            Some(idle) => (idle.connection, idle.since),
            None => (self.0.connect(deadline).await?, Instant::now()),
        };
        Ok(D::session(Lease { pool: self.0.clone(), slot, since }, connection, deadline))
    }

    async fn slot(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, Failure<D::Error>> {
        let slots = &self.0.slots;
        match slots.clone().try_acquire_owned() {
            Ok(slot) => return Ok(slot),
            Err(TryAcquireError::Closed) => return Err(closed()),
            Err(TryAcquireError::NoPermits) => {}
        }
        let limits = self.0.driver.options().limits();
        let waiting = Waiting::new(&self.0.waiting);
        if waiting.number > limits.waiting_max {
            return Err(Failure::Overloaded);
        }
        let until = deadline.min(Instant::now() + limits.wait_max);
        match timeout_at(until.into(), slots.clone().acquire_owned()).await {
            Ok(Ok(slot)) => Ok(slot),
            Ok(Err(_)) => Err(closed()),
            Err(_) => Err(Failure::Overloaded),
        }
    }

    /// What there is at the moment.
    pub fn status(&self) -> PoolStatus {
        let idle = self.0.idle().len();
        let most = self.0.driver.options().limits().connections_max;
        let busy = most - self.0.slots.available_permits().min(most);
        PoolStatus { idle, busy, waiting: self.0.waiting.load(Ordering::Relaxed) }
    }

    /// How long a message to the server and its answer take, as seen when connecting; `None` before that.
    pub fn round_trip(&self) -> Option<Duration> {
        let nanoseconds = self.0.round_trip_ns.load(Ordering::Relaxed);
        (nanoseconds > 0).then(|| Duration::from_nanos(nanoseconds))
    }

    /// What it was made of.
    pub fn options(&self) -> &D::Options {
        self.0.driver.options()
    }

    pub(crate) fn driver(&self) -> &D {
        &self.0.driver
    }

    /// Waits for what is lent to come back, and closes all connections. Later calls give [`Failure::Unavailable`].
    pub async fn close(&self) {
        let all = u32::try_from(self.0.driver.options().limits().connections_max).unwrap_or(u32::MAX);
        let slots = self.0.slots.acquire_many(all).await;
        self.0.slots.close();
        drop(slots);
        let idle = std::mem::take(&mut *self.0.idle());
        for idle in idle {
            D::close(idle.connection).await;
        }
    }
}

impl<D: Driver> fmt::Debug for Pool<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("options", self.options()).field("status", &self.status()).finish()
    }
}

fn closed<E>() -> Failure<E> {
    Failure::Unavailable("the store is closed".into())
}

impl<D: Driver> Inner<D> {
    fn idle(&self) -> MutexGuard<'_, Vec<Idle<D::Connection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_usable(&self, idle: &Idle<D::Connection>) -> bool {
        let limits = self.driver.options().limits();
        let is_stale = limits.idle_max.is_some_and(|idle_max| idle.idle_since.elapsed() >= idle_max);
        !D::is_closed(&idle.connection) && !is_stale && idle.since.elapsed() < limits.age_max
    }

    async fn connect(&self, deadline: Instant) -> Result<D::Connection, Failure<D::Error>> {
        let (connection, round_trip) = self.driver.connect(deadline).await?;
        let nanoseconds = u64::try_from(round_trip.as_nanos()).unwrap_or(u64::MAX).max(1);
        // Half old, half new: one slow answer does not decide for long.
        let _ = self.round_trip_ns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |old| {
            Some(if old == 0 { nanoseconds } else { old / 2 + nanoseconds / 2 })
        });
        Ok(connection)
    }
}

/// Counts a caller who waits.
struct Waiting<'c> {
    count: &'c AtomicUsize,
    number: usize,
}

impl<'c> Waiting<'c> {
    fn new(count: &'c AtomicUsize) -> Waiting<'c> {
        Waiting { count, number: count.fetch_add(1, Ordering::Relaxed) + 1 }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What makes a connection fit for others.
#[cfg(feature = "mysql")]
pub(crate) type Renew<D> = fn(&mut <D as Driver>::Connection) -> BoxFuture<'_, Result<(), <D as Driver>::Error>>;

/// The right to one connection.
pub struct Lease<D: Driver> {
    pool: Arc<Inner<D>>,
    slot: OwnedSemaphorePermit,
    /// When the connection was made.
    since: Instant,
}

impl<D: Driver> Lease<D> {
    /// What the pool was made of.
    pub(crate) fn options(&self) -> &D::Options {
        self.pool.driver.options()
    }

    /// Whether the connection is too old to be used again, or the pool about to close.
    pub(crate) fn is_worn(&self) -> bool {
        self.since.elapsed() >= self.pool.driver.options().limits().age_max || self.pool.slots.is_closed()
    }

    /// How connections of its kind are spoken to.
    pub(crate) fn driver(&self) -> &D {
        &self.pool.driver
    }

    /// Gives a connection back on which nothing is under way.
    pub(crate) fn give_back(self, connection: D::Connection) {
        let idle = Idle { connection, since: self.since, idle_since: Instant::now() };
        if self.pool.is_usable(&idle) && !self.pool.slots.is_closed() {
            self.pool.idle().push(idle);
            drop(self.slot);
        } else {
            self.discard(idle.connection);
        }
    }

    /// Gives a connection back once it has run what ends its transaction.
    pub(crate) fn give_back_after(self, mut connection: D::Connection, sql: String) {
        let runtime = self.pool.runtime.clone();
        runtime.spawn(async move {
            let ended = timeout(COMMIT_MAX, D::run(&mut connection, &sql)).await;
            self.give_back_if(connection, ended);
        });
    }

    /// Gives a connection back once this has made it fit for others.
    #[cfg(feature = "mysql")]
    pub(crate) fn give_back_renewed(self, mut connection: D::Connection, renew: Renew<D>) {
        let runtime = self.pool.runtime.clone();
        runtime.spawn(async move {
            let renewed = timeout(COMMIT_MAX, renew(&mut connection)).await;
            self.give_back_if(connection, renewed);
        });
    }

    fn give_back_if(self, connection: D::Connection, done: Result<Result<(), D::Error>, Elapsed>) {
        match done {
            Ok(Ok(())) => self.give_back(connection),
            Ok(Err(_)) => {} // Gone, and the slot with it.
            Err(_) => self.cancel(connection),
        }
    }

    /// Closes a connection on which nothing runs; the server undoes its transaction.
    pub(crate) fn discard(self, connection: D::Connection) {
        let runtime = self.pool.runtime.clone();
        runtime.spawn(async move {
            D::close(connection).await;
            drop(self.slot);
        });
    }

    /// Cancels what runs on a connection and closes it. The slot is free once that is done, so that a server never has
    /// more connections of ours than it was promised.
    pub(crate) fn cancel(self, connection: D::Connection) {
        let runtime = self.pool.runtime.clone();
        runtime.spawn(async move {
            self.pool.driver.cancel(connection).await;
            drop(self.slot);
        });
    }
}

/// Notes in the log that a statement was not canceled.
pub(crate) fn canceled<E: std::error::Error + 'static>(done: Result<Result<(), E>, Elapsed>) {
    match done {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "a statement was not canceled");
        }
        Err(_) => tracing::warn!("a statement was not canceled: the server did not answer in time"),
    }
}
