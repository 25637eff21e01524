//! Connections that quick reads share: each sends its statement at once, without waiting for the answers to those before
//! it, so that neither the server nor we are woken for each statement alone.
//!
//! A server answers the statements of a connection one after the other, so a slow one holds up all behind it. Only those
//! are sent this way that were quick when they had a connection for themselves; the server ends one that takes longer than
//! [`LaneLimits::time_max`] all the same, and an answer of more than [`BYTES_MAX`] is not waited for. Such a statement is
//! run again on a connection of its own, and stays off the lanes for [`SLOW_FOR`]. Reads may be run twice: nothing of the
//! first attempt was shown, and nothing changed.
//!
//! A lane is a connection of the pool that is given back when nothing was sent on it for [`LaneLimits::idle_max`]: others
//! may want it. Where a pooler hands connections on, or a database decides by settings of each transaction, there are no
//! lanes. See `docs/decisions/0038-quick-reads-share-connections.md`.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout_at};
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::{Client, Row};

use super::errors::Failure;
use super::pool::{Connection, Lease, Pool, Statements};
use super::session::Session;
use super::types::Param;

/// Whether quick reads share connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sharing {
    /// Those that were quick before.
    #[default]
    Measured,
    /// All that could, from the first time on: for tests.
    Always,
    /// None.
    Never,
}

/// What goes on lanes, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneLimits {
    /// Whether there are any.
    pub sharing: Sharing,
    /// A statement that once took less by itself is sent on a lane. More is no proof: on a busy machine everything takes
    /// longer now and then.
    pub quick: Duration,
    /// How long a statement may run on a lane.
    pub time_max: Duration,
    /// How long a lane is kept on which nothing is sent.
    pub idle_max: Duration,
}

impl Default for LaneLimits {
    fn default() -> LaneLimits {
        LaneLimits {
            sharing: Sharing::default(),
            quick: Duration::from_millis(10),
            time_max: Duration::from_millis(100),
            idle_max: Duration::from_millis(250),
        }
    }
}

/// Octets of the rows of an answer that is too long for a lane.
const BYTES_MAX: usize = 256 * 1024;
/// How long a statement that was not quick stays off the lanes.
const SLOW_FOR: Duration = Duration::from_secs(60);
/// Statements under way on each lane that there is, from which on one more is wanted.
const CROWDED: usize = 2;
/// How long a connection for one more lane is waited for.
const OPEN_MAX: Duration = Duration::from_secs(5);
/// Statements under way on one lane at most; the next ones wait for a connection of their own.
const UNDER_WAY_MAX: usize = 64;
/// Shapes that are remembered; when there are more, all are forgotten.
const SHAPES_MAX: usize = 4096;
/// How many lanes keep a server busy: it answers one statement of each at a time.
static WANTED: LazyLock<usize> = LazyLock::new(|| 2 * std::thread::available_parallelism().map_or(1, usize::from));

/// The lanes of one pool, and what may go on them.
#[derive(Default)]
pub(super) struct Lanes {
    open: Mutex<Open>,
    paces: Mutex<HashMap<u64, Pace>>,
}

/// The lanes that there are.
#[derive(Default)]
struct Open {
    lanes: Vec<Arc<Lane>>,
    /// Whether one more is being made.
    is_opening: bool,
    is_closed: bool,
}

/// How a statement went lately.
enum Pace {
    Quick,
    /// Not quick, until this time.
    Slow(Instant),
}

impl Lanes {
    /// The rows of a statement that is a read by itself; `None` if it wants a connection of its own.
    pub(super) async fn rows(
        self: &Arc<Self>,
        pool: &Pool,
        shape: u64,
        sql: &str,
        params: &[Param<'_>],
        deadline: Instant,
    ) -> Result<Option<Vec<Row>>, Failure> {
        let Some(lane) = self.lane(pool, shape) else { return Ok(None) };
        let most = pool.options().limits.statements_max;
        let done = timeout_at(deadline.into(), lane.0.run(sql, params, most)).await;
        drop(lane);
        match done {
            Err(_) => Err(Failure::Deadline),
            Ok(Ok(Some(rows))) => Ok(Some(rows)),
            Ok(Ok(None)) => Ok(self.is_slow(shape)),
            // Lanes that have ended are left at the next turn.
            Ok(Err(error)) => match error.as_db_error() {
                None => Ok(None),
                Some(said) if *said.code() == SqlState::QUERY_CANCELED => Ok(self.is_slow(shape)),
                Some(said) if matches!(said.parsed_severity(), Some(Severity::Fatal | Severity::Panic)) => Ok(None),
                Some(_) => match Failure::Driver(error) {
                    failure if failure.is_stale() => Ok(None),
                    failure => Err(failure),
                },
            },
        }
    }

    /// A lane with room, for a statement that may go on one.
    fn lane(self: &Arc<Self>, pool: &Pool, shape: u64) -> Option<UnderWay> {
        match pool.options().lanes.sharing {
            Sharing::Never => return None,
            Sharing::Always => {}
            Sharing::Measured => match self.paces().get(&shape)? {
                Pace::Quick => {}
                Pace::Slow(_) => return None,
            },
        }
        let mut open = self.open();
        open.lanes.retain(|lane| lane.is_usable());
        let lane = open.lanes.iter().min_by_key(|lane| lane.under_way())?.clone();
        let under_way = lane.under_way();
        if under_way >= CROWDED && !open.is_opening && open.lanes.len() < most(pool) {
            let pool = pool.clone();
            self.make(pool.options().lanes, open, async move { pool.session(Instant::now() + OPEN_MAX).await.ok() });
        }
        (under_way < UNDER_WAY_MAX).then(|| UnderWay::new(lane))
    }

    /// Remembers how a statement went on a connection of its own, and makes a lane of that if there is none.
    pub(super) fn saw(self: &Arc<Self>, pool: &Pool, shape: u64, took: Duration, session: Session) {
        if took >= pool.options().lanes.quick && pool.options().lanes.sharing != Sharing::Always {
            return;
        }
        {
            let mut paces = self.paces();
            if paces.len() >= SHAPES_MAX && !paces.contains_key(&shape) {
                paces.clear();
            }
            match paces.get(&shape) {
                Some(Pace::Slow(until)) if *until > Instant::now() => return,
                _ => paces.insert(shape, Pace::Quick),
            };
        }
        let open = self.open();
        if open.lanes.is_empty() && !open.is_opening && !open.is_closed && most(pool) > 0 {
            self.make(pool.options().lanes, open, std::future::ready(Some(session)));
        }
    }

    /// Makes a lane of a connection on which nothing is under way.
    fn make(
        self: &Arc<Self>,
        limits: LaneLimits,
        mut open: MutexGuard<'_, Open>,
        session: impl Future<Output = Option<Session>> + Send + 'static,
    ) {
        let Ok(runtime) = Handle::try_current() else { return };
        open.is_opening = true;
        drop(open);
        let lanes = self.clone();
        runtime.spawn(async move {
            let lane = match session.await {
                Some(session) => Lane::new(session, limits.time_max).await.map(Arc::new),
                None => None,
            };
            let made = lane.as_ref().map(Arc::downgrade);
            {
                let mut open = lanes.open();
                open.is_opening = false;
                if open.is_closed {
                    return;
                }
                open.lanes.extend(lane);
            }
            if let Some(made) = made {
                lanes.keep(made, limits.idle_max).await;
            }
        });
    }

    /// Keeps a lane for as long as it is used.
    async fn keep(&self, lane: Weak<Lane>, idle_max: Duration) {
        let mut before = None;
        loop {
            sleep(idle_max).await;
            // Left by somebody else, unless it is still there.
            let Some(lane) = lane.upgrade() else { return };
            let sent = Some(lane.sent.load(Ordering::Relaxed));
            if std::mem::replace(&mut before, sent) == sent && lane.under_way() == 0 {
                self.open().lanes.retain(|other| !Arc::ptr_eq(other, &lane));
                return;
            }
        }
    }

    /// Leaves all lanes: their connections are closed once what is under way on them has ended.
    pub(super) fn close(&self) {
        let mut open = self.open();
        open.is_closed = true;
        open.lanes.clear();
    }

    /// Keeps a statement off the lanes for a while, so that it gets a connection of its own.
    fn is_slow<T>(&self, shape: u64) -> Option<T> {
        self.paces().insert(shape, Pace::Slow(Instant::now() + SLOW_FOR));
        None
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn paces(&self) -> MutexGuard<'_, HashMap<u64, Pace>> {
        self.paces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many connections of a pool may be lanes: never so many that nothing is left for what wants one of its own.
fn most(pool: &Pool) -> usize {
    let options = pool.options();
    let may_share = options.named_statements && !options.as_configured && options.lanes.sharing != Sharing::Never;
    if may_share { (*WANTED).min(options.limits.connections_max / 2) } else { 0 }
}

/// A connection that several requests send statements on.
struct Lane {
    client: Arc<Client>,
    statements: Mutex<Statements>,
    under_way: AtomicUsize,
    /// Statements that were sent on it since it was made.
    sent: AtomicUsize,
    /// Taken when the last one has left.
    held: Option<(Lease, Connection)>,
}

impl Lane {
    /// Makes a lane of a connection; `None` if it is not good for one.
    async fn new(mut session: Session, time_max: Duration) -> Option<Lane> {
        let limit = format!("SET statement_timeout = {}", time_max.as_millis());
        session.execute(&limit, &[]).await.ok()?;
        let (lease, mut connection) = session.into_parts()?;
        Some(Lane {
            client: connection.client.clone(),
            statements: Mutex::new(std::mem::take(&mut connection.statements)),
            under_way: AtomicUsize::new(0),
            sent: AtomicUsize::new(0),
            held: Some((lease, connection)),
        })
    }

    /// Whether more may be sent on it.
    fn is_usable(&self) -> bool {
        !self.client.is_closed() && self.held.as_ref().is_some_and(|(lease, _)| !lease.is_worn())
    }

    fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    /// The rows of a statement, `None` if they are more than a short answer.
    async fn run(
        &self,
        sql: &str,
        params: &[Param<'_>],
        statements_max: usize,
    ) -> Result<Option<Vec<Row>>, tokio_postgres::Error> {
        let known = self.statements().get(sql);
        let statement = match known {
            Some(statement) => statement,
            None => {
                let made = Box::pin(self.client.prepare(sql)).await?;
                self.statements().keep(sql, &made, statements_max);
                made
            }
        };
        let sent = self.client.query_raw(&statement, params).await;
        let mut stream = pin!(sent.inspect_err(|_| self.statements().forget(sql))?);
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while let Some(row) = stream.try_next().await? {
            bytes += row.raw_size_bytes();
            if bytes > BYTES_MAX {
                return Ok(None); // What is still to come is passed over.
            }
            rows.push(row);
        }
        Ok(Some(rows))
    }

    fn statements(&self) -> MutexGuard<'_, Statements> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lane {
    /// Nothing is under way any more that anybody waits for.
    fn drop(&mut self) {
        let Some((lease, mut connection)) = self.held.take() else { return };
        connection.statements = std::mem::take(&mut *self.statements());
        match connection.client.is_closed() || lease.is_worn() {
            true => lease.discard(connection),
            false => lease.give_back_after(connection, "RESET statement_timeout".to_owned()),
        }
    }
}

/// A place on a lane, counted until this is dropped.
struct UnderWay(Arc<Lane>);

impl UnderWay {
    fn new(lane: Arc<Lane>) -> UnderWay {
        lane.under_way.fetch_add(1, Ordering::Relaxed);
        lane.sent.fetch_add(1, Ordering::Relaxed);
        UnderWay(lane)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}
