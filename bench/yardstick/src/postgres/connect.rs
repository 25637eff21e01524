//! Connections with their prepared statements: shared by requests that are one statement, or lent to one request.

use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::{Client, Config, NoTls};

/// Statements that are prepared on every connection.
pub(super) trait Prepared: Sized {
    /// Prepares them.
    ///
    /// # Errors
    /// When the tables are others.
    fn prepare(client: &Client) -> impl Future<Output = Result<Self, tokio_postgres::Error>> + Send;
}

/// A connection and what is prepared on it.
pub(super) struct Connection<S> {
    pub(super) client: Client,
    pub(super) statements: S,
}

/// Connects.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub(super) async fn client(config: &Config) -> anyhow::Result<Client> {
    let (client, connection) = config.connect(NoTls).await.context("connecting to PostgreSQL")?;
    // It ends with its client; what goes wrong is told to whoever waits for an answer.
    tokio::spawn(connection);
    Ok(client)
}

impl<S: Prepared> Connection<S> {
    async fn open(config: &Config) -> anyhow::Result<Connection<S>> {
        let client = client(config).await?;
        let statements = S::prepare(&client).await.context("preparing statements")?;
        Ok(Connection { client, statements })
    }
}

/// Connections on which requests are sent without waiting for the answers to those before.
pub(super) struct Shared<S> {
    /// Each with the number of requests under way on it.
    connections: Vec<(Connection<S>, AtomicUsize)>,
}

impl<S: Prepared> Shared<S> {
    /// Opens so many, at least one.
    ///
    /// # Errors
    /// When one cannot be opened.
    pub(super) async fn connect(config: &Config, count: usize) -> anyhow::Result<Shared<S>> {
        let mut connections = Vec::new();
        for _ in 0..count.max(1) {
            connections.push((Connection::open(config).await?, AtomicUsize::new(0)));
        }
        Ok(Shared { connections })
    }

    /// The connection with the fewest requests under way, for one statement or several that need no transaction.
    pub(super) fn pick(&self) -> Share<'_, S> {
        let mut least = &self.connections[0];
        for other in &self.connections[1..] {
            if other.1.load(Ordering::Relaxed) < least.1.load(Ordering::Relaxed) {
                least = other;
            }
        }
        least.1.fetch_add(1, Ordering::Relaxed);
        Share(least)
    }
}

/// A request's share of a connection.
pub(super) struct Share<'c, S>(&'c (Connection<S>, AtomicUsize));

impl<S> Deref for Share<'_, S> {
    type Target = Connection<S>;

    fn deref(&self) -> &Connection<S> {
        &self.0.0
    }
}

impl<S> Drop for Share<'_, S> {
    fn drop(&mut self) {
        self.0.1.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Connections that one request at a time has for itself; they are opened when they are first needed.
pub(super) struct Lending<S>(Arc<Lender<S>>);

struct Lender<S> {
    config: Config,
    idle: Mutex<Vec<Connection<S>>>,
    slots: Arc<Semaphore>,
}

/// A connection that is lent. It is closed when this is dropped, unless it is taken back.
pub(super) struct Lent<S> {
    connection: Connection<S>,
    _slot: OwnedSemaphorePermit,
}

impl<S> Deref for Lent<S> {
    type Target = Connection<S>;

    fn deref(&self) -> &Connection<S> {
        &self.connection
    }
}

impl<S> Clone for Lending<S> {
    fn clone(&self) -> Lending<S> {
        Lending(Arc::clone(&self.0))
    }
}

impl<S: Prepared> Lending<S> {
    /// At most so many connections.
    pub(super) fn new(config: Config, count: usize) -> Lending<S> {
        let slots = Arc::new(Semaphore::new(count.max(1)));
        Lending(Arc::new(Lender { config, idle: Mutex::default(), slots }))
    }

    /// A connection on which nothing is under way; waits for one.
    ///
    /// # Errors
    /// When one cannot be opened.
    pub(super) async fn lend(&self) -> anyhow::Result<Lent<S>> {
        let slot = Arc::clone(&self.0.slots).acquire_owned().await?;
        let idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => Connection::open(&self.0.config).await?,
        };
        Ok(Lent { connection, _slot: slot })
    }

    /// Takes a connection back on which nothing is under way.
    pub(super) fn take_back(&self, lent: Lent<S>) {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).push(lent.connection);
    }
}
