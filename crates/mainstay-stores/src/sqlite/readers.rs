//! The threads that read, each with its own connection and its own prepared statements.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crossbeam_channel::Receiver;
use mainstay_query::Authorized;
use mainstay_query::plan::{Read, Write};
use mainstay_schema::Schema;
use mainstay_store::{Call, Estimate, Explanation, Migrated, ReadDone, RowSink, Statistics, StoreError};
use rusqlite::Connection;

use super::job::{Reply, Watch};
use super::{count, estimate, explain, found, migrate, read};

/// What a reading thread can do.
pub(super) enum Job {
    /// Read rows into a sink.
    Read { call: Call, plan: Arc<Authorized<Read>>, sink: Box<dyn RowSink>, reply: Reply<ReadDone> },
    /// Say how a read would run.
    ExplainRead { call: Call, plan: Arc<Authorized<Read>>, reply: Reply<Explanation> },
    /// Say how a write would run.
    ExplainWrite { call: Call, plan: Arc<Authorized<Write>>, reply: Reply<Explanation> },
    /// List the migrations.
    Migrations { reply: Reply<Vec<Migrated>> },
    /// Compare the tables with a schema.
    Drift { schema: Arc<Schema>, reply: Reply<Vec<String>> },
    /// Tell which tables there are.
    Find { reply: Reply<Schema> },
    /// Tell the number that changes with the tables.
    Version { reply: Reply<i64> },
    /// Say how many rows a read would look at.
    Estimate { call: Call, plan: Arc<Authorized<Read>>, reply: Reply<Option<Estimate>> },
    /// Tell how many rows tables have.
    Statistics { reply: Reply<Statistics> },
    /// Tell whether there is a write-ahead log.
    WriteAhead { reply: Reply<bool> },
    /// Finish.
    Close,
}

/// Works until told to close, or until nobody can send any more.
pub(super) fn run(connection: Connection, watch: &Watch, jobs: &Receiver<Job>) {
    let reader = Reader { connection, watch };
    for job in jobs {
        match job {
            Job::Read { call, plan, mut sink, reply } => reader.answer(reply, |connection| {
                let counted = read::run(connection, &call.schema, &plan, &mut *sink)?;
                Ok(ReadDone { sink, rows: counted.rows, total: counted.total })
            }),
            Job::ExplainRead { call, plan, reply } => {
                reader.answer(reply, |connection| explain::read(connection, &call.schema, &plan));
            }
            Job::ExplainWrite { call, plan, reply } => {
                reader.answer(reply, |connection| explain::write(connection, &call.schema, &plan));
            }
            Job::Migrations { reply } => reader.answer(reply, migrate::applied),
            Job::Drift { schema, reply } => reader.answer(reply, |connection| migrate::drift(connection, &schema)),
            Job::Find { reply } => reader.answer(reply, found::find),
            Job::Version { reply } => reader.answer(reply, found::version),
            Job::Estimate { call, plan, reply } => {
                reader.answer(reply, |connection| estimate::read(connection, &call.schema, &plan).map(Some));
            }
            Job::Statistics { reply } => reader.answer(reply, count::statistics),
            Job::WriteAhead { reply } => reader.answer(reply, found::is_write_ahead),
            Job::Close => return,
        }
    }
}

struct Reader<'w> {
    connection: Connection,
    watch: &'w Watch,
}

impl Reader<'_> {
    fn answer<T>(&self, reply: Reply<T>, work: impl FnOnce(&Connection) -> Result<T, StoreError>) {
        // What waited too long is not even begun.
        if let Err(error) = reply.stop().check() {
            return reply.send(Err(error));
        }
        self.watch.arm(reply.stop());
        // A panic is a bug, but of one request and not of all that come after it.
        let answer = catch_unwind(AssertUnwindSafe(|| work(&self.connection)))
            .unwrap_or_else(|_| Err(StoreError::Internal("a read panicked".into())));
        self.watch.disarm();
        reply.send(answer);
    }
}
