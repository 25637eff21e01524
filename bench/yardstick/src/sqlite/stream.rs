//! Orders as NDJSON, sent while they are read: threads of their own, each with its connection, and a short queue of parts
//! between a thread and its client.

use bytes::Bytes;
use crossbeam_channel::{Sender, bounded};
use rusqlite::Connection;
use tokio::sync::mpsc;

use crate::database::{PART_BYTES, PARTS_MAX, Parts};
use crate::encode::{ORDER, members};

/// Threads that stream: as many as the server that is measured has.
pub(crate) const THREADS: usize = 4;

const ORDERS_OF_SPAN: &str = "SELECT id, customer_id, status, total, note, placed_at FROM orders \
     WHERE id >= ?1 AND id < ?2 ORDER BY id";

struct Job {
    from: i64,
    below: i64,
    parts: mpsc::Sender<Bytes>,
}

/// The threads.
pub(crate) struct Streamers {
    jobs: Sender<Job>,
}

impl Streamers {
    /// Starts a thread for each connection.
    pub(crate) fn start(connections: Vec<Connection>) -> Self {
        let (jobs, inbox) = bounded::<Job>(1024);
        for connection in connections {
            let inbox = inbox.clone();
            std::thread::spawn(move || {
                for job in inbox {
                    // A failure drops the sender in the middle; the client sees an answer without its end.
                    let _ = stream(&connection, &job);
                }
            });
        }
        Self { jobs }
    }

    /// The orders of a span of numbers, in parts; `None` when too many wait already.
    pub(crate) fn orders(&self, from: i64, below: i64) -> Option<Parts> {
        let (parts, receiver) = mpsc::channel(PARTS_MAX);
        self.jobs.try_send(Job { from, below, parts }).ok()?;
        Some(receiver)
    }
}

fn stream(connection: &Connection, job: &Job) -> anyhow::Result<()> {
    let mut statement = connection.prepare_cached(ORDERS_OF_SPAN)?;
    let mut rows = statement.query([job.from, job.below])?;
    let mut part = Vec::with_capacity(PART_BYTES + 1024);
    while let Some(row) = rows.next()? {
        part.push(b'{');
        members(&mut part, row, 0, ORDER)?;
        part.extend_from_slice(b"}\n");
        if part.len() >= PART_BYTES {
            let full = std::mem::replace(&mut part, Vec::with_capacity(PART_BYTES + 1024));
            if job.parts.blocking_send(full.into()).is_err() {
                return Ok(());
            }
        }
    }
    // The client may be gone; nobody else wants the rest.
    let _ = job.parts.blocking_send(part.into());
    Ok(())
}
