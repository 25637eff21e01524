//! A bounded number of connections, lent one at a time as a [`Session`].
//!
//! Waiting for a connection has its own limit and its own error, so that a full pool is told apart from a slow
//! statement. A pool of our own, since what it must do is little and particular: see
//! `docs/decisions/0030-postgres-driver.md`.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mainstay_store::BoxError;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::task::JoinHandle;
use tokio::time::{timeout, timeout_at};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls, Statement};

use super::connect::{PostgresOptions, SETTINGS, Verify};
use super::errors::Failure;
use super::session::Session;
use super::tls::Tls;

/// Connections to one server, or to the first of several that answers.
#[derive(Clone)]
pub struct Pool(Arc<Inner>);

pub(super) struct Inner {
    options: PostgresOptions,
    targets: Vec<Target>,
    slots: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
    waiting: AtomicUsize,
    round_trip_ns: AtomicU64,
    pub(super) runtime: Handle,
}

/// A host, and TLS towards it.
pub(super) struct Target {
    pub(super) config: Config,
    pub(super) tls: Option<Tls>,
    pub(super) connect_max: Duration,
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
    pub fn new(options: PostgresOptions) -> Result<Pool, BoxError> {
        let mut made: HashMap<&str, Tls> = HashMap::new();
        let mut targets = Vec::new();
        for host in &options.hosts {
            let tls = match host.config.get_ssl_mode() {
                SslMode::Disable => None,
                _ => {
                    let kind = match host.verify {
                        Verify::Nothing => "nothing",
                        Verify::Chain => "chain",
                        Verify::Name => "name",
                    };
                    if !made.contains_key(kind) {
                        made.insert(kind, Tls::new(host.verify, &options.certificates)?);
                    }
                    made.get(kind).cloned()
                }
            };
            let mut config = host.config.clone();
            if options.named_statements && !options.as_configured {
                // Where a pooler hands connections on, transactions bring the settings: see `Session::begin_with`.
                let settings: String = SETTINGS.iter().map(|(name, value)| format!(" -c {name}={value}")).collect();
                let own = config.get_options().unwrap_or_default().to_owned();
                config.options(own + &settings);
            }
            targets.push(Target { config, tls, connect_max: host.connect_max });
        }
        Ok(Pool(Arc::new(Inner {
            targets,
            slots: Arc::new(Semaphore::new(options.connections_max)),
            idle: Mutex::new(Vec::new()),
            waiting: AtomicUsize::new(0),
            round_trip_ns: AtomicU64::new(0),
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
            None => self.0.connect(deadline).await.map_err(Failure::Unavailable)?,
        };
        Ok(Session::new(Lease { pool: self.0.clone(), slot }, connection, deadline))
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

    pub(super) fn targets(&self) -> &[Target] {
        &self.0.targets
    }

    /// What it was made of.
    pub fn options(&self) -> &PostgresOptions {
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

    pub(super) fn options(&self) -> &PostgresOptions {
        &self.options
    }

    /// The first host that answers.
    async fn connect(&self, deadline: Instant) -> Result<Connection, BoxError> {
        let mut failure: BoxError = "no host".into();
        for target in &self.targets {
            let until = deadline.min(Instant::now() + target.connect_max);
            match timeout_at(until.into(), target.connect(&self.runtime)).await {
                Ok(Ok((connection, round_trip))) => {
                    let nanoseconds = u64::try_from(round_trip.as_nanos()).unwrap_or(u64::MAX).max(1);
                    // Half old, half new: one slow answer does not decide for long.
                    let _ = self.round_trip_ns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |old| {
                        Some(if old == 0 { nanoseconds } else { old / 2 + nanoseconds / 2 })
                    });
                    return Ok(connection);
                }
                Ok(Err(error)) => failure = error.into(),
                Err(_) => failure = "the server did not answer in time".into(),
            }
        }
        Err(failure)
    }
}

impl Target {
    async fn connect(&self, runtime: &Handle) -> Result<(Connection, Duration), tokio_postgres::Error> {
        let (client, driver) = match &self.tls {
            None => {
                let (client, driver) = self.config.connect(NoTls).await?;
                (client, runtime.spawn(drive(driver)))
            }
            Some(tls) => {
                let (client, driver) = self.config.connect(tls.clone()).await?;
                (client, runtime.spawn(drive(driver)))
            }
        };
        let connection = Connection {
            client: Arc::new(client),
            driver: Driver(driver),
            tls: self.tls.clone(),
            since: Instant::now(),
            idle_since: Instant::now(),
            statements: Statements::default(),
        };
        let start = Instant::now();
        connection.client.batch_execute("").await?;
        Ok((connection, start.elapsed()))
    }
}

/// Carries messages until the connection ends. What goes wrong is told to whoever waits for an answer.
async fn drive(connection: impl Future<Output = Result<(), tokio_postgres::Error>>) {
    if let Err(error) = connection.await {
        tracing::debug!(error = &error as &dyn std::error::Error, "a connection to PostgreSQL ended");
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
    pub(super) fn give_back(self, mut connection: Connection) {
        connection.idle_since = Instant::now();
        if connection.is_usable(&self.pool.options) && !self.pool.slots.is_closed() {
            self.pool.idle().push(connection);
        }
        drop(self.slot);
    }

    /// Cancels what runs on a connection and closes it. The slot is free once that is done, so that a server never has
    /// more connections of ours than it was promised.
    pub(super) fn cancel(self, connection: Connection) {
        let runtime = self.pool.runtime.clone();
        runtime.spawn(async move {
            let token = connection.client.cancel_token();
            let canceled = match &connection.tls {
                None => timeout(CANCEL_MAX, token.cancel_query(NoTls)).await,
                Some(tls) => timeout(CANCEL_MAX, token.cancel_query(tls.clone())).await,
            };
            match canceled {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a statement was not canceled")
                }
                Err(_) => tracing::warn!("a statement was not canceled: the server did not answer in time"),
            }
            connection.close().await;
            drop(self.slot);
        });
    }
}

/// How long canceling a statement may take, and then how long its end.
const CANCEL_MAX: Duration = Duration::from_secs(5);

/// One connection.
pub(super) struct Connection {
    pub(super) client: Arc<Client>,
    pub(super) statements: Statements,
    driver: Driver,
    tls: Option<Tls>,
    since: Instant,
    /// When it was last given back.
    idle_since: Instant,
}

impl Connection {
    fn is_usable(&self, options: &PostgresOptions) -> bool {
        let is_stale = options.idle_max.is_some_and(|idle_max| self.idle_since.elapsed() >= idle_max);
        !self.client.is_closed() && !is_stale && self.since.elapsed() < options.age_max
    }

    /// Lets the server end what it still does for a while, then hangs up.
    async fn close(self) {
        let Connection { client, statements, mut driver, .. } = self;
        drop(statements);
        drop(client);
        let _ = timeout(CANCEL_MAX, &mut driver.0).await;
    }
}

/// The task that carries a connection's messages; it ends with the connection.
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The prepared statements of one connection by their text, the ones longest out of use leaving first.
#[derive(Default)]
pub(super) struct Statements {
    known: HashMap<Arc<str>, (Statement, u64)>,
    uses: u64,
}

impl Statements {
    pub(super) fn get(&mut self, sql: &str) -> Option<Statement> {
        self.uses += 1;
        let (statement, used) = self.known.get_mut(sql)?;
        *used = self.uses;
        Some(statement.clone())
    }

    /// Keeps a statement that is not known yet; what leaves for it is closed on the server.
    pub(super) fn keep(&mut self, sql: &str, statement: &Statement, most: usize) {
        while self.known.len() >= most.max(1) {
            let oldest = self.known.iter().min_by_key(|(_, (_, used))| *used).map(|(sql, _)| sql.clone());
            let Some(oldest) = oldest else { break };
            self.known.remove(&oldest);
        }
        self.known.insert(sql.into(), (statement.clone(), self.uses));
    }

    pub(super) fn forget(&mut self, sql: &str) {
        self.known.remove(sql);
    }
}
