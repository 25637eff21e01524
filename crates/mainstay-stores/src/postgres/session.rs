//! One connection, lent for one piece of work, and the rule that makes lending safe: what is dropped before its last
//! row has come is canceled on the server, and its connection is never used again.
//!
//! A transaction begins together with its first statement, in one round trip, and ends with [`Session::commit`] or
//! [`Session::rollback`]; a session that is dropped inside one rolls back. Called by the files that read and write.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Instant;

use futures_util::Stream;
use futures_util::future::{Either, join, select};
use tokio::time::{sleep_until, timeout};
use tokio_postgres::error::{DbError, Severity};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row, RowStream, Statement};

use super::connect::SETTINGS;
use super::errors::Failure;
use super::pool::{Connection, Lease};
use super::types::Param;
pub use crate::server::{Access, Isolation};
use crate::server::{Alarm, COMMIT_MAX, Transact};

/// A connection that is ours until this is dropped.
#[must_use]
pub struct Session {
    /// `None` once the connection was given up.
    held: Option<(Lease, Connection)>,
    alarm: Alarm,
    transaction: Transaction,
    /// Whether an answer of the server is still to come.
    is_running: bool,
    savepoints: u32,
}

#[derive(Debug, PartialEq, Eq)]
enum Transaction {
    None,
    /// Begins with the next statement.
    Due(Begin),
    Open,
    /// A statement failed; only a rollback helps.
    Failed,
}

/// What has to be sent for a transaction to begin.
#[derive(Debug, PartialEq, Eq)]
struct Begin {
    sql: String,
    settings: Vec<(String, String)>,
}

impl Session {
    pub(super) fn new(lease: Lease, connection: Connection, deadline: Instant) -> Session {
        Session {
            held: Some((lease, connection)),
            alarm: Alarm::new(deadline),
            transaction: Transaction::None,
            is_running: false,
            savepoints: 0,
        }
    }

    /// Begins a transaction. Nothing is sent before the first statement, which goes along with it; the server is told
    /// to end each statement of it that takes longer than what is left until the deadline.
    ///
    /// # Panics
    /// If one has begun already.
    pub fn begin(&mut self, access: Access, isolation: Isolation) {
        self.begin_with(access, isolation, Vec::new());
    }

    /// Begins a transaction with settings of the server that hold until its end, such as `role` and
    /// `request.jwt.claims`. They go along with the first statement too, before it. If one of them is refused, the first
    /// statement fails with the server's reason and nothing is run.
    ///
    /// # Panics
    /// If a transaction has begun already.
    pub fn begin_with(&mut self, access: Access, isolation: Isolation, settings: Vec<(String, String)>) {
        assert!(self.transaction == Transaction::None, "transactions do not nest; there are savepoints");
        let isolation = isolation.words();
        let access = match access {
            Access::Read => "READ ONLY",
            Access::Write => "READ WRITE",
        };
        let mut sql = format!("BEGIN ISOLATION LEVEL {isolation} {access}");
        if !self.is_as_configured() {
            let left = self.alarm.left_ms().min(i32::MAX as u128); // The setting is a 32-bit number.
            sql.push_str(&format!("; SET LOCAL statement_timeout = {left}"));
        }
        if self.is_pooled() && !self.is_as_configured() {
            sql.extend(SETTINGS.iter().map(|(name, value)| format!("; SET LOCAL {name} = '{value}'")));
        }
        self.transaction = Transaction::Due(Begin { sql, settings });
        self.alarm.leave_to_server();
    }

    /// Runs one statement and gives its rows as they come. The session is free again when the last one was taken.
    ///
    /// # Errors
    /// As the server says; [`Failure::Deadline`] when it did not say anything in time.
    pub async fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Rows<'_>, Failure> {
        let stream = self.start(sql, params).await?;
        self.is_running = true;
        Ok(Rows { session: self, stream: Box::pin(stream), seen: 0 })
    }

    /// Runs one statement and gives all its rows.
    ///
    /// # Errors
    /// As for [`Session::query`].
    pub async fn query_all(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, Failure> {
        let mut rows = self.query(sql, params).await?;
        let mut all = Vec::new();
        while let Some(row) = rows.next().await? {
            all.push(row);
        }
        Ok(all)
    }

    /// Runs one statement for what it does and gives the number of rows that it touched.
    ///
    /// # Errors
    /// As for [`Session::query`].
    pub async fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, Failure> {
        let mut rows = self.query(sql, params).await?;
        while rows.next().await?.is_some() {}
        Ok(rows.affected())
    }

    /// Runs one statement that is a transaction of its own, and gives the number of rows that it touched. Once the time is
    /// over it is canceled and its end awaited, so that whoever asked is told whether it happened.
    ///
    /// # Errors
    /// As the server says; then nothing happened. [`Failure::Unavailable`] if it does not answer: it may have happened.
    pub async fn execute_alone(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, Failure> {
        let deadline = self.deadline();
        let canceling = match &self.held {
            Some((_, connection)) => connection.canceling(),
            None => return Err(Failure::Unavailable("the connection was given up".into())),
        };
        let canceling = pin!(async move {
            sleep_until(deadline.into()).await;
            canceling.await;
        });
        self.alarm.wait_for_end();
        let outcome = match select(pin!(self.execute(sql, params)), canceling).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(((), running)) => running.await,
        };
        outcome.map_err(|failure| match failure {
            Failure::Deadline => Failure::Unavailable("the server did not answer a write in time".into()),
            failure => failure,
        })
    }

    /// Runs statements without parameters, separated by semicolons.
    ///
    /// # Errors
    /// As for [`Session::query`].
    pub async fn batch_execute(&mut self, sql: &str) -> Result<(), Failure> {
        let client = self.client()?;
        let begin = self.take_begin();
        self.guard(async move {
            let (begun, ran) = join(opened(&client, begin), client.batch_execute(sql)).await;
            begun.and(ran)
        })
        .await
    }

    /// Makes the transaction durable. One that has not sent anything is simply over.
    ///
    /// The deadline does not end a commit, which has its own limit.
    ///
    /// # Errors
    /// As the server says, for instance about deferred constraints; then nothing happened. [`Failure::Aborted`] if a
    /// statement failed before; then it is rolled back. [`Failure::Unavailable`] if the server does not answer: it may
    /// have happened.
    pub async fn commit(&mut self) -> Result<(), Failure> {
        match self.transaction {
            Transaction::None | Transaction::Due(_) => {
                self.transaction = Transaction::None;
                return Ok(());
            }
            // The server would answer a commit with a rollback and call that a success.
            Transaction::Failed => {
                self.rollback().await?;
                return Err(Failure::Aborted);
            }
            Transaction::Open => {}
        }
        let client = self.client()?;
        self.is_running = true;
        let done = timeout(COMMIT_MAX, client.batch_execute("COMMIT")).await;
        let Ok(done) = done else {
            self.abandon();
            return Err(Failure::Unavailable("the server did not answer a commit in time".into()));
        };
        self.is_running = false;
        self.ended();
        Ok(done?)
    }

    /// Undoes the transaction.
    ///
    /// # Errors
    /// When the connection is gone; then it is undone as well.
    pub async fn rollback(&mut self) -> Result<(), Failure> {
        if matches!(self.transaction, Transaction::None | Transaction::Due(_)) {
            self.transaction = Transaction::None;
            return Ok(());
        }
        let client = self.client()?;
        self.is_running = true;
        let Ok(done) = timeout(COMMIT_MAX, client.batch_execute("ROLLBACK")).await else {
            self.abandon();
            return Err(Failure::Unavailable("the server did not answer a rollback in time".into()));
        };
        self.is_running = false;
        self.ended();
        Ok(done?)
    }

    /// Ends a transaction that has only read, without waiting for the server: the connection goes back when it has
    /// answered.
    pub fn finish_read(mut self) {
        if !matches!(self.transaction, Transaction::Open | Transaction::Failed) || self.is_running {
            return; // Nothing to end, or something to cancel: what dropping does.
        }
        if let Some((lease, connection)) = self.held.take() {
            lease.give_back_after(connection, "ROLLBACK".to_owned());
        }
    }

    /// The connection itself, on which nothing is under way; `None` if it was given up or is inside a transaction.
    pub(super) fn into_parts(mut self) -> Option<(Lease, Connection)> {
        let is_clean = !self.is_running && self.transaction == Transaction::None;
        if is_clean { self.held.take() } else { None }
    }

    fn ended(&mut self) {
        self.transaction = Transaction::None;
        self.savepoints = 0;
    }

    /// Remembers this place in the transaction, to go back to.
    ///
    /// # Errors
    /// As for [`Session::query`].
    pub async fn savepoint(&mut self) -> Result<(), Failure> {
        self.batch_execute(&format!("SAVEPOINT s{}", self.savepoints + 1)).await?;
        self.savepoints += 1;
        Ok(())
    }

    /// Forgets the last savepoint; what was done since stays.
    ///
    /// # Errors
    /// As for [`Session::query`].
    pub async fn release(&mut self) -> Result<(), Failure> {
        self.batch_execute(&format!("RELEASE SAVEPOINT s{}", self.savepoints)).await?;
        self.savepoints -= 1;
        Ok(())
    }

    /// Undoes what was done since the last savepoint, which is forgotten. Heals a transaction that failed since.
    ///
    /// # Errors
    /// As for [`Session::query`].
    pub async fn rollback_to(&mut self) -> Result<(), Failure> {
        let name = self.savepoints;
        self.batch_execute(&format!("ROLLBACK TO SAVEPOINT s{name}; RELEASE SAVEPOINT s{name}")).await?;
        self.savepoints -= 1;
        if self.transaction == Transaction::Failed {
            self.transaction = Transaction::Open;
        }
        Ok(())
    }

    /// Types of a statement's parameters and names and types of its columns, as the server sees them.
    ///
    /// # Errors
    /// As for [`Session::query`].
    pub async fn describe(&mut self, sql: &str) -> Result<Statement, Failure> {
        let client = self.client()?;
        let begin = self.take_begin();
        self.guard(async move {
            let (begun, made) = join(opened(&client, begin), client.prepare(sql)).await;
            begun.and(made)
        })
        .await
    }

    /// Whether a pooler stands before the server, so that nothing is kept from one transaction to the next and only
    /// transactions have our settings.
    pub(super) fn is_pooled(&self) -> bool {
        self.held.as_ref().is_some_and(|(lease, _)| !lease.options().named_statements)
    }

    /// Whether nothing of ours is set for the connection.
    fn is_as_configured(&self) -> bool {
        self.held.as_ref().is_some_and(|(lease, _)| lease.options().as_configured)
    }

    /// When the work has to be done.
    pub fn deadline(&self) -> Instant {
        self.alarm.deadline()
    }

    fn client(&self) -> Result<Arc<Client>, Failure> {
        match &self.held {
            Some((_, connection)) => Ok(connection.client.clone()),
            None => Err(Failure::Unavailable("the connection was given up".into())),
        }
    }

    /// What has to be sent before the next statement, if a transaction is due.
    fn take_begin(&mut self) -> Option<Begin> {
        match std::mem::replace(&mut self.transaction, Transaction::None) {
            Transaction::Due(begin) => {
                self.transaction = Transaction::Open;
                Some(begin)
            }
            other => {
                self.transaction = other;
                None
            }
        }
    }

    /// Sends a statement and waits until the server has begun to answer.
    async fn start(&mut self, sql: &str, params: &[Param<'_>]) -> Result<RowStream, Failure> {
        let is_alone = self.transaction == Transaction::None;
        match self.attempt(sql, params).await {
            Err(failure) if failure.is_stale() => {
                if let Some((_, connection)) = &mut self.held {
                    connection.statements.forget(sql);
                }
                // Inside a transaction the error has ended it; whoever began it may do so again.
                if is_alone { self.attempt(sql, params).await } else { Err(failure) }
            }
            other => other,
        }
    }

    async fn attempt(&mut self, sql: &str, params: &[Param<'_>]) -> Result<RowStream, Failure> {
        let client = self.client()?;
        let begin = self.take_begin();
        let (is_named, known) = match &mut self.held {
            Some((lease, connection)) => (lease.options().named_statements, connection.statements.get(sql)),
            None => (false, None),
        };
        if !is_named {
            return self
                .guard(async move {
                    // The server finds out the types of parameters that are told to be unknown.
                    let typed = params.iter().map(|param| (param, Type::UNKNOWN));
                    let (begun, ran) = join(opened(&client, begin), client.query_typed_raw(sql, typed)).await;
                    begun.and(ran)
                })
                .await;
        }
        let is_new = known.is_none();
        let (statement, stream) = self
            .guard(async move {
                let ran = async {
                    let statement = match known {
                        Some(statement) => statement,
                        None => client.prepare(sql).await?,
                    };
                    let stream = client.query_raw(&statement, params).await?;
                    Ok((statement, stream))
                };
                let (begun, ran) = join(opened(&client, begin), ran).await;
                begun.and(ran)
            })
            .await?;
        if let Some((lease, connection)) = self.held.as_mut().filter(|_| is_new) {
            connection.statements.keep(sql, &statement, lease.options().limits.statements_max);
        }
        Ok(stream)
    }

    /// Waits for an answer of the server, until the alarm. If this future is dropped meanwhile, [`Session::is_running`]
    /// stays, and dropping the session cancels.
    async fn guard<T>(&mut self, work: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Failure> {
        self.is_running = true;
        match self.alarm.wait(work).await {
            Some(Ok(done)) => {
                self.is_running = false;
                Ok(done)
            }
            Some(Err(error)) => Err(self.failed(error)),
            None => Err(self.late()),
        }
    }

    /// The server has answered with an error.
    fn failed(&mut self, error: tokio_postgres::Error) -> Failure {
        self.is_running = false;
        if self.transaction == Transaction::Open {
            self.transaction = Transaction::Failed;
        }
        match error.as_db_error().map(DbError::parsed_severity) {
            // Without an answer of the server nobody knows what is still to come.
            None => self.abandon(),
            // The server's last words: it has hung up, or is about to.
            Some(Some(Severity::Fatal | Severity::Panic)) => {
                self.held = None;
                self.transaction = Transaction::None;
            }
            Some(_) => {}
        }
        Failure::Driver(error)
    }

    /// The server has not answered in time.
    fn late(&mut self) -> Failure {
        self.abandon();
        Failure::Deadline
    }

    /// Cancels what runs and gives up the connection.
    fn abandon(&mut self) {
        self.is_running = false;
        self.transaction = Transaction::None;
        if let Some((lease, connection)) = self.held.take() {
            lease.cancel(connection);
        }
    }
}

impl Transact for Session {
    type Error = tokio_postgres::Error;

    async fn begin(&mut self, access: Access, isolation: Isolation) -> Result<(), Failure> {
        Session::begin(self, access, isolation);
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), Failure> {
        Session::commit(self).await
    }

    async fn rollback(&mut self) -> Result<(), Failure> {
        Session::rollback(self).await
    }

    async fn ping(&mut self) -> Result<(), Failure> {
        self.execute("SELECT 1", &[]).await.map(drop)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some((lease, connection)) = self.held.take() else { return };
        let is_clean = !self.is_running && matches!(self.transaction, Transaction::None | Transaction::Due(_));
        if is_clean {
            lease.give_back(connection);
        } else if self.is_running {
            lease.cancel(connection);
        }
        // In a transaction with nothing under way hanging up is enough: the server rolls back.
    }
}

/// Sends what begins a transaction. All of it is sent when this is first polled, so that a future which is polled after
/// it sends its statement into the transaction.
async fn opened(client: &Client, begin: Option<Begin>) -> Result<(), tokio_postgres::Error> {
    let Some(Begin { sql, settings }) = begin else { return Ok(()) };
    if settings.is_empty() {
        return client.batch_execute(&sql).await;
    }
    let calls: Vec<_> =
        (0..settings.len()).map(|at| format!("set_config(${}, ${}, true)", 2 * at + 1, 2 * at + 2)).collect();
    // Without a name, since preparing would let the statement that comes after it be sent first.
    let calls = format!("SELECT {}", calls.join(", "));
    let words = settings.iter().flat_map(|(name, value)| [name, value]);
    let words: Vec<_> = words.map(|word| (word as &(dyn ToSql + Sync), Type::TEXT)).collect();
    let (begun, set) = join(client.batch_execute(&sql), client.execute_typed(&calls, &words)).await;
    begun.and(set.map(drop))
}

/// The rows of one statement, as they come.
#[must_use]
pub struct Rows<'s> {
    session: &'s mut Session,
    stream: Pin<Box<RowStream>>,
    seen: u32,
}

impl Rows<'_> {
    /// The next row; `None` after the last one. The row owns its octets, which are the server's message.
    ///
    /// # Errors
    /// As for [`Session::query`]. No row comes after an error.
    pub async fn next(&mut self) -> Result<Option<Row>, Failure> {
        if self.session.alarm.is_over(&mut self.seen) {
            return Err(self.session.late());
        }
        let stream = &mut self.stream;
        let next = self.session.alarm.wait(poll_fn(|cx| stream.as_mut().poll_next(cx))).await;
        match next {
            Some(Some(Ok(row))) => Ok(Some(row)),
            Some(None) => {
                self.session.is_running = false;
                Ok(None)
            }
            Some(Some(Err(error))) => Err(self.session.failed(error)),
            None => Err(self.session.late()),
        }
    }

    /// How many rows the statement touched or gave; known after the last row.
    pub fn affected(&self) -> u64 {
        self.stream.rows_affected().unwrap_or(0)
    }
}
