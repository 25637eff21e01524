//! The writes: one thread that commits whatever is waiting as one transaction, so that one sync to disk serves many.

use std::path::Path;

use crossbeam_channel::{Receiver, Sender, bounded};
use rusqlite::{Connection, params};
use tokio::sync::oneshot;

use crate::requests::{Checkout, Made, Write};

type Job = (Write, oneshot::Sender<rusqlite::Result<Made>>);

/// The writer.
pub(crate) struct Writer {
    jobs: Sender<Job>,
}

/// How many requests one commit may carry: as many as the load has connections, and some.
const GROUP_MAX: usize = 128;

impl Writer {
    /// Starts the writer's thread.
    pub(crate) fn start(connection: Connection) -> Self {
        let (jobs, inbox) = bounded::<Job>(1024);
        std::thread::spawn(move || {
            while let Ok(first) = inbox.recv() {
                group(&connection, first, &inbox);
            }
        });
        Self { jobs }
    }

    /// Carries out one write and returns once it is on disk; `None` when the writer is full or gone.
    pub(crate) async fn run(&self, write: Write) -> Option<rusqlite::Result<Made>> {
        let (reply, answer) = oneshot::channel();
        self.jobs.try_send((write, reply)).ok()?;
        answer.await.ok()
    }
}

/// Runs what is waiting in one transaction, each request in a savepoint, and answers after the commit.
fn group(connection: &Connection, first: Job, inbox: &Receiver<Job>) {
    let mut done = Vec::with_capacity(GROUP_MAX);
    let committed =
        connection.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.execute([])).and_then(|_| {
            let mut next = Some(first);
            while let Some((write, reply)) = next {
                done.push((savepoint(connection, &write), reply));
                next = if done.len() < GROUP_MAX { inbox.try_recv().ok() } else { None };
            }
            connection.prepare_cached("COMMIT")?.execute([])
        });
    let failure = committed.err();
    if failure.is_some() && !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    for (result, reply) in done {
        // A request that failed by itself says why; one that fell with the commit says that.
        let _ = reply.send(match &failure {
            Some(_) => result.and(Err(rusqlite::Error::InvalidPath(Path::new("commit").into()))),
            None => result,
        });
    }
}

fn savepoint(connection: &Connection, write: &Write) -> rusqlite::Result<Made> {
    connection.prepare_cached("SAVEPOINT request")?.execute([])?;
    let result = run(connection, write);
    if result.is_err() {
        connection.prepare_cached("ROLLBACK TO request")?.execute([])?;
    }
    connection.prepare_cached("RELEASE request")?.execute([])?;
    result
}

fn run(connection: &Connection, write: &Write) -> rusqlite::Result<Made> {
    match write {
        Write::Visits(visits) => {
            let mut insert = connection
                .prepare_cached("INSERT INTO visits (page, referrer, duration_ms, seen_at) VALUES (?1, ?2, ?3, ?4)")?;
            for visit in visits {
                insert.execute(params![visit.page, visit.referrer, visit.duration_ms, visit.seen_at])?;
            }
        }
        Write::Order { id, change } => {
            connection.prepare_cached("UPDATE orders SET status = ?2, note = ?3 WHERE id = ?1")?.execute(params![
                id,
                change.status,
                change.note
            ])?;
        }
        Write::Checkout(checkout) => return check_out(connection, checkout).map(Some),
    }
    Ok(None)
}

fn check_out(connection: &Connection, checkout: &Checkout) -> rusqlite::Result<i64> {
    let Checkout { customer_id, total, note, placed_at, duration_ms } = checkout;
    let (order, note): (i64, String) = connection
        .prepare_cached(
            "INSERT INTO orders (customer_id, status, total, note, placed_at) VALUES (?1, 'new', ?2, ?3, ?4) \
             RETURNING id, note",
        )?
        .query_row(params![customer_id, total, note, placed_at], |row| Ok((row.get(0)?, row.get(1)?)))?;
    connection
        .prepare_cached("INSERT INTO visits (page, referrer, duration_ms, seen_at) VALUES (?1, NULL, ?2, ?3)")?
        .execute(params![note, duration_ms, placed_at])?;
    connection.prepare_cached("UPDATE orders SET status = 'paid' WHERE id = ?1")?.execute([order])?;
    Ok(order)
}
