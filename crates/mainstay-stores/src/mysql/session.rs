//! One connection, lent for one piece of work, and the rule that makes lending safe: what is dropped before its last
//! row has come is killed on the server, and its connection is never used again.
//!
//! A transaction begins together with what limits its statements, in one round trip, and ends with [`Session::commit`]
//! or [`Session::rollback`]; a session that is dropped inside one rolls back. Called by the files that read and write.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::{Either, FutureExt, select};
use mysql_async::prelude::Queryable;
use mysql_async::{BinaryProtocol, Column, Conn, Params, QueryResult, Row};
use tokio::time::timeout;

use super::errors::Failure;
use super::pool::{Connection, Lease};
use super::server::{self, Flavor, Server};
use super::types::{self, Param};
pub use crate::server::{Access, Isolation};
use crate::server::{Alarm, COMMIT_MAX, Transact};

/// A connection that is ours until this is dropped.
#[must_use]
pub struct Session {
    /// `None` once the connection was given up.
    held: Option<(Lease, Connection)>,
    server: Server,
    alarm: Alarm,
    is_open: bool,
    /// Whether an answer of the server is still to come.
    is_running: bool,
    /// Whether references are not the server's business at the moment.
    is_unchecked: bool,
    /// Whether SQL is read as the standard has it at the moment.
    is_standard: bool,
    /// Whether divisions have as many digits as the server is told to give everybody, at the moment.
    is_short: bool,
    /// Whether a procedure may have left settings, tables and locks of its own behind.
    is_touched: bool,
    /// Whether the server may still be told to end what runs.
    is_worn: bool,
    savepoints: u32,
}

impl Session {
    pub(super) fn new(lease: Lease, connection: Connection, deadline: Instant) -> Session {
        Session {
            server: connection.server,
            held: Some((lease, connection)),
            alarm: Alarm::new(deadline),
            is_open: false,
            is_running: false,
            is_unchecked: false,
            is_standard: false,
            is_short: false,
            is_touched: false,
            is_worn: false,
            savepoints: 0,
        }
    }

    /// Which server it is.
    pub fn server(&self) -> Server {
        self.server
    }

    /// When the work has to be done.
    pub fn deadline(&self) -> Instant {
        self.alarm.deadline()
    }

    /// Begins a transaction. The server is told to end each statement of it that takes longer than what is left until
    /// the deadline; of MySQL those that read.
    ///
    /// # Errors
    /// As for [`Session::query`].
    ///
    /// # Panics
    /// If one has begun already.
    pub async fn begin(&mut self, access: Access, isolation: Isolation) -> Result<(), Failure> {
        assert!(!self.is_open, "transactions do not nest; there are savepoints");
        // Every connection is told when it is made that transactions are `READ COMMITTED`.
        let level = match isolation {
            Isolation::ReadCommitted => String::new(),
            other => format!("SET TRANSACTION ISOLATION LEVEL {}; ", other.words()),
        };
        let words = match (access, isolation) {
            (Access::Read, Isolation::RepeatableRead) => "WITH CONSISTENT SNAPSHOT, READ ONLY",
            (Access::Read, _) => "READ ONLY",
            (Access::Write, _) => "READ WRITE",
        };
        let left = self.alarm.left_ms();
        let limit = match self.server.flavor {
            Flavor::Mysql => format!("SET max_execution_time={}", left.min(u128::from(u32::MAX))),
            Flavor::Mariadb => format!("SET max_statement_time={}.{:03}", left / 1000, left % 1000),
        };
        self.batch_execute(&format!("{limit}; {level}START TRANSACTION {words}")).await?;
        self.is_open = true;
        self.alarm.leave_to_server();
        Ok(())
    }

    /// Runs one statement and gives its rows as they come. The session is free again when the last one was taken.
    ///
    /// # Errors
    /// As the server says; [`Failure::Deadline`] when it did not say anything in time.
    pub async fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Rows<'_>, Failure> {
        let values: Vec<mysql_async::Value> = params.iter().map(Param::native).collect();
        self.query_native(sql, values).await
    }

    /// The same with parameters in the driver's own form.
    ///
    /// # Errors
    /// As for [`Session::query`].
    pub(super) async fn query_native(
        &mut self,
        sql: &str,
        values: Vec<mysql_async::Value>,
    ) -> Result<Rows<'_>, Failure> {
        self.check_sizes(&values)?;
        let params = if values.is_empty() { Params::Empty } else { Params::Positional(values) };
        let Session { held, alarm, is_running, .. } = self;
        let conn = usable(held, *is_running)?;
        *is_running = true;
        // The driver keeps statements by their text, and lets go of the one longest out of use.
        let started = guard(alarm, conn.exec_iter(sql, params)).await?;
        match started {
            Ok(result) => Ok(Rows { result, alarm, is_running, seen: 0 }),
            Err(error) => {
                settle(is_running, &error);
                Err(Failure::Driver(error))
            }
        }
    }

    /// Runs one statement and gives all its rows.
    ///
    /// # Errors
    /// As for [`Session::query`].
    pub async fn query_all(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, Failure> {
        self.query(sql, params).await?.all().await
    }

    /// Runs one statement for what it does and gives the number of rows that it touched.
    ///
    /// # Errors
    /// As for [`Session::query`].
    pub async fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, Failure> {
        self.query(sql, params).await?.end().await
    }

    /// Runs one statement that writes. Inside a transaction it is a part of that; alone, the server makes a transaction of
    /// it, and what the server answers is what became of it: all of it is durable, or nothing has happened. So the
    /// deadline has the server end it, and does not end the wait for the answer.
    ///
    /// # Errors
    /// As for [`Session::query`]; alone also [`Failure::Unavailable`] if the server does not answer: it may have happened.
    pub(super) async fn write(&mut self, sql: &str, values: Vec<mysql_async::Value>) -> Result<Done, Failure> {
        self.check_sizes(&values)?;
        let params = if values.is_empty() { Params::Empty } else { Params::Positional(values) };
        let Session { held, alarm, is_running, is_open, is_worn, .. } = self;
        let Some((lease, connection)) = held.as_mut().filter(|_| !*is_running) else {
            return Err(Failure::Unavailable("the connection was given up".into()));
        };
        let id = connection.conn.id();
        let mut running = pin!(run(&mut connection.conn, sql, params));
        *is_running = true;
        let outcome = match alarm.wait(running.as_mut()).await {
            Some(outcome) => outcome,
            None if *is_open => return Err(Failure::Deadline),
            None => {
                // It may come late and meet the next statement, so there is none.
                *is_worn = true;
                alarm.wait_for_end();
                let ending = pin!(lease.driver().end_statement(id));
                let ended = async {
                    match select(running, ending).await {
                        Either::Left((outcome, _)) => outcome,
                        Either::Right(((), running)) => running.await,
                    }
                };
                let silent = || Failure::Unavailable("the server did not answer a write in time".into());
                alarm.wait(ended).await.ok_or_else(silent)?
            }
        };
        match outcome {
            Ok(done) => {
                *is_running = false;
                Ok(done)
            }
            Err(error) => {
                settle(is_running, &error);
                Err(Failure::Driver(error))
            }
        }
    }

    /// Refuses a value that is larger than what the server takes: it would hang up in the middle of it.
    fn check_sizes(&self, values: &[mysql_async::Value]) -> Result<(), Failure> {
        let most = self.held.as_ref().map_or(usize::MAX, |(_, connection)| connection.value_bytes_max);
        if types::is_larger(values, most) {
            return Err(mysql_async::Error::Driver(mysql_async::DriverError::PacketTooLarge).into());
        }
        Ok(())
    }

    /// Runs statements without parameters, separated by semicolons, and drops what they give.
    ///
    /// # Errors
    /// As for [`Session::query`].
    pub async fn batch_execute(&mut self, sql: &str) -> Result<(), Failure> {
        let Session { held, alarm, is_running, .. } = self;
        let conn = usable(held, *is_running)?;
        *is_running = true;
        match guard(alarm, conn.query_drop(sql)).await? {
            Ok(()) => {
                *is_running = false;
                Ok(())
            }
            Err(error) => {
                settle(is_running, &error);
                Err(Failure::Driver(error))
            }
        }
    }

    /// Runs one statement without parameters in the text protocol, which takes statements that cannot be prepared, and
    /// gives all its rows.
    ///
    /// # Errors
    /// As for [`Session::query`].
    pub async fn query_text(&mut self, sql: &str) -> Result<Vec<Row>, Failure> {
        let Session { held, alarm, is_running, .. } = self;
        let conn = usable(held, *is_running)?;
        *is_running = true;
        match guard(alarm, conn.query::<Row, _>(sql)).await? {
            Ok(rows) => {
                *is_running = false;
                Ok(rows)
            }
            Err(error) => {
                settle(is_running, &error);
                Err(Failure::Driver(error))
            }
        }
    }

    /// Has references be ours to keep, or the server's again.
    ///
    /// # Errors
    /// As for [`Session::query`].
    pub(super) async fn check_references(&mut self, is_checked: bool) -> Result<(), Failure> {
        if self.is_unchecked != is_checked {
            return Ok(());
        }
        // Where this fails nobody knows what holds, so the connection does not come back.
        self.is_unchecked = true;
        self.batch_execute(&format!("SET foreign_key_checks={}", u8::from(is_checked))).await?;
        self.is_unchecked = !is_checked;
        Ok(())
    }

    /// Has the server read SQL as the standard has it, until the transaction ends.
    ///
    /// # Errors
    /// As for [`Session::query`].
    pub(super) async fn speak_standard(&mut self) -> Result<(), Failure> {
        if self.is_standard {
            return Ok(());
        }
        // Where this fails nobody knows what holds, so the connection does not come back.
        self.is_standard = true;
        self.batch_execute(&format!("SET {}", server::standard_mode())).await
    }

    /// Has what the database holds compute as it does for everybody else, until the transaction ends.
    ///
    /// # Errors
    /// As for [`Session::query`].
    pub(super) async fn divide_as_configured(&mut self) -> Result<(), Failure> {
        let is_always = self.held.as_ref().is_some_and(|(_, connection)| connection.divides_as_configured);
        if self.is_short || is_always {
            return Ok(());
        }
        self.is_short = true;
        self.batch_execute(&format!("SET {}", server::SHORT_DIVISIONS)).await
    }

    /// What the server says of the columns that a statement will give.
    ///
    /// # Errors
    /// As for [`Session::query`].
    pub(super) async fn describe(&mut self, sql: &str) -> Result<Arc<[Column]>, Failure> {
        let Session { held, alarm, is_running, .. } = self;
        let conn = usable(held, *is_running)?;
        *is_running = true;
        match guard(alarm, conn.prep(sql)).await? {
            Ok(statement) => {
                *is_running = false;
                Ok(statement.columns())
            }
            Err(error) => {
                settle(is_running, &error);
                Err(Failure::Driver(error))
            }
        }
    }

    /// Runs one statement that may give several sets of rows, as the call of a procedure does, and gives all of them; but
    /// no rows beyond `values_max` values, of which the number is told. The connection is made anew before somebody else has it.
    ///
    /// # Errors
    /// As for [`Session::query`].
    pub(super) async fn sets(
        &mut self,
        sql: &str,
        values: Vec<mysql_async::Value>,
        values_max: usize,
    ) -> Result<(Vec<Set>, usize), Failure> {
        self.check_sizes(&values)?;
        let params = if values.is_empty() { Params::Empty } else { Params::Positional(values) };
        self.is_touched = true;
        let Session { held, alarm, is_running, .. } = self;
        let conn = usable(held, *is_running)?;
        *is_running = true;
        let told = |is_running: &mut bool, error| {
            settle(is_running, &error);
            Failure::Driver(error)
        };
        let mut result = guard(alarm, conn.exec_iter(sql, params)).await?.map_err(|error| told(is_running, error))?;
        let (mut sets, mut count) = (Vec::new(), 0);
        while !result.is_empty() {
            let columns = result.columns().unwrap_or_default();
            let mut set = Set { columns, rows: Vec::new() };
            while let Some(row) = guard(alarm, result.next()).await?.map_err(|error| told(is_running, error))? {
                count += row.len();
                if count <= values_max {
                    set.rows.push(row);
                }
            }
            if !set.columns.is_empty() {
                sets.push(set);
            }
        }
        *is_running = false;
        Ok((sets, count))
    }

    /// Makes the transaction durable.
    ///
    /// The deadline does not end a commit, which has its own limit.
    ///
    /// # Errors
    /// As the server says; then nothing happened. [`Failure::Unavailable`] if the server does not answer: it may have
    /// happened.
    pub async fn commit(&mut self) -> Result<(), Failure> {
        self.end("COMMIT").await
    }

    /// Undoes the transaction.
    ///
    /// # Errors
    /// When the connection is gone; then it is undone as well.
    pub async fn rollback(&mut self) -> Result<(), Failure> {
        self.end("ROLLBACK").await
    }

    async fn end(&mut self, word: &str) -> Result<(), Failure> {
        if !self.is_open {
            return Ok(());
        }
        let sql = self.end_of(word);
        let conn = usable(&mut self.held, self.is_running)?;
        self.is_running = true;
        let Ok(done) = timeout(COMMIT_MAX, conn.query_drop(sql)).await else {
            self.abandon();
            return Err(Failure::Unavailable(format!("the server did not answer a {word} in time").into()));
        };
        match done {
            Ok(()) => {
                self.is_running = false;
                self.is_unchecked = false;
                self.is_standard = false;
                self.is_short = false;
                self.is_open = false;
                self.savepoints = 0;
                Ok(())
            }
            Err(error) => {
                // Of several statements nobody knows which ones have run.
                self.abandon();
                Err(Failure::Driver(error))
            }
        }
    }

    /// What ends a transaction and what was set for it.
    fn end_of(&self, word: &str) -> String {
        let limit = match self.server.flavor {
            Flavor::Mysql => "max_execution_time",
            Flavor::Mariadb => "max_statement_time",
        };
        let checks = if self.is_unchecked { ", foreign_key_checks=1" } else { "" };
        let mode = if self.is_standard { format!(", {}", server::plain_mode()) } else { String::new() };
        let digits = if self.is_short { format!(", {}", server::LONG_DIVISIONS) } else { String::new() };
        format!("{word}; SET {limit}=0{checks}{mode}{digits}")
    }

    /// Ends a transaction that has only read, without waiting for the server: the connection goes back when it has
    /// answered.
    pub fn finish_read(mut self) {
        if !self.is_open || self.is_running || self.is_worn || self.is_touched {
            return; // Nothing to end, or something to cancel: what dropping does.
        }
        let sql = self.end_of("ROLLBACK");
        if let Some((lease, connection)) = self.held.take() {
            lease.give_back_after(connection, sql);
        }
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

    /// Forgets the last savepoint; what was done since stays. The server is not told: the next one has the same name and
    /// takes its place.
    pub fn release(&mut self) {
        self.savepoints -= 1;
    }

    /// Undoes what was done since the last savepoint, which is forgotten.
    ///
    /// # Errors
    /// As for [`Session::query`].
    pub async fn rollback_to(&mut self) -> Result<(), Failure> {
        let name = self.savepoints;
        self.batch_execute(&format!("ROLLBACK TO SAVEPOINT s{name}; RELEASE SAVEPOINT s{name}")).await?;
        self.savepoints -= 1;
        Ok(())
    }

    /// Cancels what runs and gives up the connection.
    fn abandon(&mut self) {
        self.is_running = false;
        self.is_open = false;
        if let Some((lease, connection)) = self.held.take() {
            lease.cancel(connection);
        }
    }
}

/// The connection, if nothing of an earlier statement is still to come on it.
fn usable(held: &mut Option<(Lease, Connection)>, is_running: bool) -> Result<&mut Conn, Failure> {
    match held {
        Some((_, connection)) if !is_running => Ok(&mut connection.conn),
        _ => Err(Failure::Unavailable("the connection was given up".into())),
    }
}

/// Waits for an answer of the server. If this future is dropped meanwhile, or late, `is_running` of the session stays,
/// and dropping the session cancels.
async fn guard<T>(alarm: &mut Alarm, work: impl Future<Output = T>) -> Result<T, Failure> {
    alarm.wait(work).await.ok_or(Failure::Deadline)
}

/// The server has answered with an error: then nothing is to come, and the connection is good for more. Without an
/// answer nobody knows what is still to come.
fn settle(is_running: &mut bool, error: &mysql_async::Error) {
    if matches!(error, mysql_async::Error::Server(_)) {
        *is_running = false;
    }
}

/// Runs a statement to its end.
async fn run(conn: &mut Conn, sql: &str, params: Params) -> Result<Done, mysql_async::Error> {
    let mut result = conn.exec_iter(sql, params).await?;
    let mut rows = Vec::new();
    while let Some(row) = result.next().await? {
        rows.push(row);
    }
    let (affected, number, info) = (result.affected_rows(), result.last_insert_id(), result.info().into_owned());
    Ok(Done { rows, affected, number, info })
}

impl Transact for Session {
    type Error = mysql_async::Error;

    async fn begin(&mut self, access: Access, isolation: Isolation) -> Result<(), Failure> {
        Session::begin(self, access, isolation).await
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
        if self.is_running {
            lease.cancel(connection);
        } else if self.is_touched && !self.is_worn {
            lease.give_back_renewed(connection, |connection| connection.renew().boxed());
        } else if self.is_open || self.is_unchecked || self.is_standard || self.is_short || self.is_worn {
            lease.discard(connection);
        } else {
            lease.give_back(connection);
        }
    }
}

/// What a statement did that writes.
pub(super) struct Done {
    /// The rows that it gave back.
    pub(super) rows: Vec<Row>,
    /// How many rows it touched; not told where it gives rows back.
    pub(super) affected: u64,
    /// The first number that an insert made.
    pub(super) number: Option<u64>,
    /// What else the server says, in words.
    pub(super) info: String,
}

/// One of several sets of rows.
pub(super) struct Set {
    /// What the server says of its columns.
    pub(super) columns: Arc<[Column]>,
    pub(super) rows: Vec<Row>,
}

/// The rows of one statement, as they come.
#[must_use]
pub struct Rows<'s> {
    result: QueryResult<'s, 'static, BinaryProtocol>,
    alarm: &'s mut Alarm,
    is_running: &'s mut bool,
    seen: u32,
}

impl Rows<'_> {
    /// The next row; `None` after the last one.
    ///
    /// # Errors
    /// As for [`Session::query`]. No row comes after an error.
    pub async fn next(&mut self) -> Result<Option<Row>, Failure> {
        if self.alarm.is_over(&mut self.seen) {
            return Err(Failure::Deadline);
        }
        match guard(self.alarm, self.result.next()).await? {
            Ok(Some(row)) => Ok(Some(row)),
            Ok(None) => {
                *self.is_running = false;
                Ok(None)
            }
            Err(error) => {
                settle(self.is_running, &error);
                Err(Failure::Driver(error))
            }
        }
    }

    /// All that are still to come.
    ///
    /// # Errors
    /// As for [`Rows::next`].
    pub async fn all(mut self) -> Result<Vec<Row>, Failure> {
        let mut all = Vec::new();
        while let Some(row) = self.next().await? {
            all.push(row);
        }
        Ok(all)
    }

    /// Takes what is still to come and gives the number of rows that the statement touched.
    ///
    /// # Errors
    /// As for [`Rows::next`].
    pub async fn end(mut self) -> Result<u64, Failure> {
        while self.next().await?.is_some() {}
        Ok(self.result.affected_rows())
    }
}
