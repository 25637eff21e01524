//! A bounded number of connections, lent one at a time as a [`Session`].
//!
//! Waiting for a connection has its own limit and its own error, so that a full pool is told apart from a slow
//! statement. A pool of our own, although the driver has one: that one gives a connection back whose statement was given
//! up and reads the rest of its answer first; ours cancels it on the server. See `docs/decisions/0033-mysql-driver.md`.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use mainstay_store::BoxError;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::time::{timeout, timeout_at};

use super::connect::MysqlOptions;
use super::errors::Failure;
use super::server::Server;
use super::session::Session;
use super::tls;

/// How long canceling a statement may take, and then how long its end.
const CANCEL_MAX: Duration = Duration::from_secs(5);

/// Connections to one server.
#[derive(Clone)]
pub struct Pool(Arc<Inner>);

pub(super) struct Inner {
    options: MysqlOptions,
    target: Opts,
    slots: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
    waiting: AtomicUsize,
    round_trip_ns: AtomicU64,
    server: OnceLock<Server>,
    pub(super) runtime: Handle,
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

impl Pool {
    /// A pool that connects when it is first asked. Must be called on a tokio runtime, which then runs its connections.
    ///
    /// # Errors
    /// Certificates that cannot be read.
    pub fn new(options: MysqlOptions) -> Result<Pool, BoxError> {
        let target = OptsBuilder::default()
            .ip_or_hostname(options.host.clone())
            .tcp_port(options.port)
            .socket(options.socket.clone())
            .prefer_socket(false)
            .user(options.user.clone())
            .pass(options.password.clone())
            .db_name(options.database.clone())
            .ssl_opts(tls::options(&options)?)
            .stmt_cache_size(options.statements_max)
            // A row that already has the values counts as affected, as on every store.
            .client_found_rows(true);
        Ok(Pool(Arc::new(Inner {
            target: target.into(),
            slots: Arc::new(Semaphore::new(options.connections_max)),
            idle: Mutex::new(Vec::new()),
            waiting: AtomicUsize::new(0),
            round_trip_ns: AtomicU64::new(0),
            server: OnceLock::new(),
            runtime: Handle::current(),
            options,
        })))
    }

    /// Lends a connection for work that ends at `deadline`.
    ///
    /// # Errors
    /// [`Failure::Overloaded`] if none becomes free in time, [`Failure::Unavailable`] if none can be made.
    pub async fn session(&self, deadline: Instant) -> Result<Session, Failure> {
        let slot = self.slot(deadline).await?;
        let idle = {
            let mut idle = self.0.idle();
            std::iter::from_fn(|| idle.pop()).find(|connection| connection.is_usable(&self.0.options))
        };
        let connection = match idle {
            Some(connection) => connection,
            None => self.0.connect(deadline).await?,
        };
        let server = connection.server;
        Ok(Session::new(Lease { pool: self.0.clone(), slot }, connection, server, deadline))
    }

    async fn slot(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, Failure> {
        let slots = &self.0.slots;
        match slots.clone().try_acquire_owned() {
            Ok(slot) => return Ok(slot),
            Err(TryAcquireError::Closed) => return Err(closed()),
            Err(TryAcquireError::NoPermits) => {}
        }
        let waiting = Waiting::new(&self.0.waiting);
        if waiting.number > self.0.options.waiting_max {
            return Err(Failure::Overloaded);
        }
        let until = deadline.min(Instant::now() + self.0.options.wait_max);
        match timeout_at(until.into(), slots.clone().acquire_owned()).await {
            Ok(Ok(slot)) => Ok(slot),
            Ok(Err(_)) => Err(closed()),
            Err(_) => Err(Failure::Overloaded),
        }
    }

    /// Which server answers, and what it can do; `None` before the first connection.
    pub fn server(&self) -> Option<Server> {
        self.0.server.get().copied()
    }

    /// What there is at the moment.
    pub fn status(&self) -> PoolStatus {
        let idle = self.0.idle().len();
        let busy =
            self.0.options.connections_max - self.0.slots.available_permits().min(self.0.options.connections_max);
        PoolStatus { idle, busy, waiting: self.0.waiting.load(Ordering::Relaxed) }
    }

    /// How long a message to the server and its answer take, as seen when connecting; `None` before that.
    pub fn round_trip(&self) -> Option<Duration> {
        let nanoseconds = self.0.round_trip_ns.load(Ordering::Relaxed);
        (nanoseconds > 0).then(|| Duration::from_nanos(nanoseconds))
    }

    /// What it was made of.
    pub fn options(&self) -> &MysqlOptions {
        &self.0.options
    }

    /// Waits for what is lent to come back, and closes all connections. Later calls give [`Failure::Unavailable`].
    pub async fn close(&self) {
        let all = u32::try_from(self.0.options.connections_max).unwrap_or(u32::MAX);
        let slots = self.0.slots.acquire_many(all).await;
        self.0.slots.close();
        drop(slots);
        let idle = std::mem::take(&mut *self.0.idle());
        for connection in idle {
            connection.close().await;
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("options", &self.0.options).field("status", &self.status()).finish()
    }
}

fn closed() -> Failure {
    Failure::Unavailable("the store is closed".into())
}

impl Inner {
    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self, deadline: Instant) -> Result<Connection, Failure> {
        let until = deadline.min(Instant::now() + self.options.connect_max);
        let connected = timeout_at(until.into(), self.connected()).await;
        let failure: BoxError = match connected {
            Ok(Ok((connection, round_trip))) => {
                let nanoseconds = u64::try_from(round_trip.as_nanos()).unwrap_or(u64::MAX).max(1);
                // Half old, half new: one slow answer does not decide for long.
                let _ = self.round_trip_ns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |old| {
                    Some(if old == 0 { nanoseconds } else { old / 2 + nanoseconds / 2 })
                });
                let _ = self.server.set(connection.server);
                return Ok(connection);
            }
            Ok(Err(Failure::Driver(error))) => error.into(),
            Ok(Err(failure)) => return Err(failure),
            Err(_) => "the server did not answer in time".into(),
        };
        Err(Failure::Unavailable(failure))
    }

    async fn connected(&self) -> Result<(Connection, Duration), Failure> {
        let mut conn = Conn::new(self.target.clone()).await?;
        let start = Instant::now();
        let told: Option<(String, u32)> = conn.query_first("SELECT VERSION(), @@auto_increment_increment").await?;
        let round_trip = start.elapsed();
        let (version, step) = told.unwrap_or_default();
        let server = Server::of(&version, step)?;
        conn.query_drop(server.settings()).await?;
        Ok((Connection { conn, server, since: Instant::now() }, round_trip))
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

/// The right to one connection.
pub(super) struct Lease {
    pub(super) pool: Arc<Inner>,
    slot: OwnedSemaphorePermit,
}

impl Lease {
    /// Gives a connection back on which nothing is under way.
    pub(super) fn give_back(self, connection: Connection) {
        if connection.is_usable(&self.pool.options) && !self.pool.slots.is_closed() {
            self.pool.idle().push(connection);
        } else {
            self.discard(connection);
            return;
        }
        drop(self.slot);
    }

    /// Closes a connection on which nothing runs; the server undoes its transaction.
    pub(super) fn discard(self, connection: Connection) {
        let runtime = self.pool.runtime.clone();
        runtime.spawn(async move {
            connection.close().await;
            drop(self.slot);
        });
    }

    /// Cancels what runs on a connection and closes it. The slot is free once that is done, so that a server never has
    /// more connections of ours than it was promised.
    pub(super) fn cancel(self, connection: Connection) {
        let runtime = self.pool.runtime.clone();
        runtime.spawn(async move {
            // The connection itself goes, not only its statement: a statement that came to its end meanwhile would
            // leave the transaction and its locks to whoever is next.
            let kill = format!("KILL {}", connection.conn.id());
            let killed = timeout(CANCEL_MAX, async {
                let mut side = Conn::new(self.pool.target.clone()).await?;
                side.query_drop(kill).await?;
                side.disconnect().await
            });
            match killed.await {
                Ok(Ok(())) => {}
                // It is gone already.
                Ok(Err(mysql_async::Error::Server(error))) if error.code == NO_SUCH_THREAD => {}
                Ok(Err(error)) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a statement was not canceled");
                }
                Err(_) => tracing::warn!("a statement was not canceled: the server did not answer in time"),
            }
            connection.abandon();
            drop(self.slot);
        });
    }
}

/// `ER_NO_SUCH_THREAD`.
const NO_SUCH_THREAD: u16 = 1094;

/// One connection.
pub(super) struct Connection {
    pub(super) conn: Conn,
    pub(super) server: Server,
    since: Instant,
}

impl Connection {
    fn is_usable(&self, options: &MysqlOptions) -> bool {
        !self.conn.is_disconnected() && self.since.elapsed() < options.age_max
    }

    /// Says good-bye and hangs up.
    async fn close(self) {
        let _ = timeout(CANCEL_MAX, self.conn.disconnect()).await;
    }

    /// Hangs up whatever is still to come.
    fn abandon(self) {
        drop(self.conn);
    }
}
