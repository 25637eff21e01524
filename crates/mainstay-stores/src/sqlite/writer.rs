//! The one thread that writes. What waits in its queue goes into one transaction, so that one flush to the disk serves
//! many requests; each is answered only when that flush is done.
//!
//! A request that fails is undone by its savepoint and does not disturb the others. The first of a transaction needs
//! none, since undoing it undoes the transaction; nor does one that may have to be interrupted, which gets a
//! transaction to itself: SQLite ends the whole transaction when it interrupts a statement that writes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use mainstay_query::Authorized;
use mainstay_query::plan::Write;
use mainstay_schema::{Schema, TableId};
use mainstay_store::{Call, ChangeFeed, Commit, Migration, RowSink, Script, StoreError, WriteDone};
use rusqlite::Connection;

use super::changes::{Layouts, Recorder};
use super::faults::Faults;
use super::fulltext;
use super::job::{Reply, Stop, Watch};
use super::script::{self, Ended};
use super::{count, errors, migrate, write};

/// Requests in one transaction.
const GROUP_JOBS_MAX: usize = 256;
/// After this long a transaction takes no more requests, so that the first does not wait for the last.
const GROUP_TIME_MAX: Duration = Duration::from_millis(5);
/// Rows that SQLite may look at per index when it counts.
const ANALYSIS_LIMIT: i64 = 400;
/// Changed rows that are worth counting anew, beside a tenth of what was counted.
const ROWS_RECOUNTED: u64 = 50;

/// What the writing thread can do.
pub(super) enum Job {
    /// Carry out a write.
    Write(WriteJob),
    /// Change the tables.
    Migrate { migration: Migration, reply: Reply<()> },
    /// Count what a table holds.
    Analyze { table: String, reply: Reply<()> },
    /// Finish.
    Close,
}

/// A write that waits.
pub(super) struct WriteJob {
    pub(super) call: Call,
    pub(super) task: Task,
    /// Whether it may share a transaction.
    pub(super) is_bounded: bool,
}

/// What is to be written.
pub(super) enum Task {
    /// One plan.
    Write { plan: Arc<Authorized<Write>>, sink: Box<dyn RowSink>, reply: Reply<WriteDone> },
    /// Whatever the script says.
    Script { script: Box<dyn Script>, reply: Reply<Box<dyn Script>> },
}

impl WriteJob {
    fn stop(&self) -> &Stop {
        match &self.task {
            Task::Write { reply, .. } => reply.stop(),
            Task::Script { reply, .. } => reply.stop(),
        }
    }

    fn refuse(self, error: StoreError) {
        match self.task {
            Task::Write { reply, .. } => reply.send(Err(error)),
            Task::Script { reply, .. } => reply.send(Err(error)),
        }
    }
}

/// What the writing thread shares with the store.
pub(super) struct Shared {
    /// Where commits are published.
    pub(super) feed: ChangeFeed,
    /// Held by a transaction whose changes are not recorded, so that whoever begins to listen waits for its end.
    pub(super) unheard: Mutex<()>,
    /// Commits since the store was opened.
    pub(super) position: AtomicU64,
}

/// The thread's own things.
pub(super) struct Writer {
    connection: Connection,
    watch: Watch,
    shared: Arc<Shared>,
    jobs: Receiver<Job>,
    recorder: Recorder,
    layouts: Option<Arc<Layouts>>,
    /// How long nothing is written before rows are counted; `None` for a file of another program.
    count_after: Option<Duration>,
    /// Rows that had been changed when rows were counted last.
    counted_at: u64,
}

/// A write that went well and is not yet durable.
struct Done {
    answer: Answer,
    /// For the words of an error that only the commit finds; the writes of a script leave none to it.
    schema: Arc<Schema>,
    plan: Option<Arc<Authorized<Write>>>,
}

/// What is answered once it is durable.
enum Answer {
    Write(Reply<WriteDone>, WriteDone),
    Script(Reply<Box<dyn Script>>, Box<dyn Script>),
}

impl Answer {
    fn send(self) {
        match self {
            Answer::Write(reply, done) => reply.send(Ok(done)),
            Answer::Script(reply, script) => reply.send(Ok(script)),
        }
    }

    fn refuse(self, error: StoreError) {
        match self {
            Answer::Write(reply, _) => reply.send(Err(error)),
            Answer::Script(reply, _) => reply.send(Err(error)),
        }
    }
}

/// How one job of a group ended.
enum Outcome {
    /// The transaction goes on.
    Open,
    /// It is over.
    Over,
    /// It goes on without this job, which comes after it.
    Later(WriteJob),
}

impl Writer {
    /// Everything the thread needs.
    pub(super) fn new(
        connection: Connection,
        watch: Watch,
        shared: Arc<Shared>,
        jobs: Receiver<Job>,
        count_after: Option<Duration>,
    ) -> Writer {
        let recorder = Recorder::default();
        Writer { connection, watch, shared, jobs, recorder, layouts: None, count_after, counted_at: 0 }
    }

    /// Works until told to close, or until nobody can send any more.
    pub(super) fn run(mut self) {
        let mut carried = None;
        while let Some(job) = carried.take().or_else(|| self.next()) {
            match job {
                Job::Write(job) => carried = self.group(job),
                Job::Migrate { reply, .. } if self.count_after.is_none() => {
                    let message = "the tables are those of another program, which alone changes them".to_owned();
                    reply.send(Err(StoreError::Migration { message }));
                }
                Job::Migrate { migration, reply } => {
                    let answer = catch_unwind(AssertUnwindSafe(|| migrate::apply(&mut self.connection, &migration)));
                    self.layouts = None;
                    reply.send(answer.unwrap_or_else(|_| Err(StoreError::Internal("a migration panicked".into()))));
                }
                Job::Analyze { table, reply } => reply.send(self.analyze(&table)),
                Job::Close => break,
            }
        }
        self.close();
    }

    /// The next job. When there is none for a while, and much has changed, rows are counted meanwhile.
    fn next(&mut self) -> Option<Job> {
        let changed = self.connection.total_changes().saturating_sub(self.counted_at);
        if let Some(pause) = self.count_after.filter(|_| changed >= ROWS_RECOUNTED) {
            match self.jobs.recv_timeout(pause) {
                Err(RecvTimeoutError::Timeout) => self.count_rows(changed),
                job => return job.ok(),
            }
        }
        self.jobs.recv().ok()
    }

    /// Has SQLite count rows, for its planner and for counts that need not be exact, where `changed` rows are many
    /// beside those that it knows of.
    fn count_rows(&mut self, changed: u64) {
        self.counted_at = self.connection.total_changes();
        if let Err(error) = count::analyze(&self.connection, changed, ANALYSIS_LIMIT) {
            tracing::warn!(error = &error as &dyn std::error::Error, "the rows of the tables could not be counted");
        }
    }

    /// Has SQLite count what a table holds. Statistics are tables too, and another program's file has those that it wants.
    fn analyze(&self, table: &str) -> Result<(), StoreError> {
        if self.count_after.is_none() {
            return Ok(());
        }
        let done = count::analyze_table(&self.connection, table, ANALYSIS_LIMIT);
        done.map_err(|error| errors::translate(error, &Schema::default(), None))
    }

    /// Carries out `first` and what waits behind it in one transaction; gives back a job that has to come after.
    fn group(&mut self, first: WriteJob) -> Option<Job> {
        if let Err(error) = first.stop().check() {
            first.refuse(error);
            return None;
        }
        let shared = self.shared.clone();
        let is_heard = shared.feed.is_heard();
        let _unheard = (!is_heard).then(|| shared.unheard.lock().unwrap_or_else(PoisonError::into_inner));
        // Whoever subscribed between the two lines above was not yet heard of, but may hold the lock no longer.
        let is_heard = is_heard || shared.feed.is_heard();
        if let Err(error) = self.begin(is_heard, &first.call.schema) {
            first.refuse(error);
            return None;
        }
        let (done, carried) = self.run_group(first, is_heard);
        self.commit(done, is_heard);
        carried
    }

    fn begin(&mut self, is_heard: bool, schema: &Arc<Schema>) -> Result<(), StoreError> {
        let wrong = |error| errors::translate(error, schema, None);
        self.connection.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.raw_execute()).map_err(wrong)?;
        if is_heard {
            self.record(schema).inspect_err(|_| self.roll_back())?;
        }
        Ok(())
    }

    /// Records changes for a job with this schema.
    fn record(&mut self, schema: &Arc<Schema>) -> Result<(), StoreError> {
        let layouts = match self.layouts.take().filter(|layouts| layouts.is_of(schema)) {
            Some(layouts) => layouts,
            None => {
                let layouts = Layouts::read(&self.connection, schema);
                Arc::new(layouts.map_err(|error| errors::translate(error, schema, None))?)
            }
        };
        self.layouts = Some(layouts.clone());
        self.recorder.record(&self.connection, layouts);
        Ok(())
    }

    fn run_group(&mut self, first: WriteJob, is_heard: bool) -> (Vec<Done>, Option<Job>) {
        let started = Instant::now();
        let mut done = Vec::new();
        let mut next = first;
        loop {
            let is_alone = !next.is_bounded;
            match self.run_one(next, &mut done, is_heard) {
                Outcome::Open if !is_alone => {}
                Outcome::Open | Outcome::Over => return (done, None),
                Outcome::Later(job) => return (done, Some(Job::Write(job))),
            }
            if done.len() >= GROUP_JOBS_MAX || started.elapsed() >= GROUP_TIME_MAX {
                return (done, None);
            }
            match self.jobs.try_recv() {
                Ok(Job::Write(job)) if job.is_bounded => next = job,
                Ok(other) => return (done, Some(other)),
                Err(_) => return (done, None),
            }
        }
    }

    /// Carries out one job of a group.
    fn run_one(&mut self, mut job: WriteJob, done: &mut Vec<Done>, is_heard: bool) -> Outcome {
        let is_first = done.is_empty();
        if let Err(error) = job.stop().check() {
            job.refuse(error);
            return if is_first { Outcome::Over } else { Outcome::Open };
        }
        let mark = self.recorder.mark();
        let result = self.attempt(&mut job, is_first, is_heard);
        if let Ok(Ended::Commit(affected)) = result {
            let WriteJob { call, task, .. } = job;
            let (answer, plan) = match task {
                Task::Write { plan, sink, reply } => {
                    let write::Affected { affected, inserted } = affected;
                    (Answer::Write(reply, WriteDone { sink, affected, inserted }), Some(plan))
                }
                Task::Script { script, reply } => (Answer::Script(reply, script), None),
            };
            done.push(Done { answer, schema: call.schema, plan });
            return Outcome::Open;
        }
        let is_undone = !is_first && self.undo_last();
        self.recorder.rewind(mark);
        match (result, job) {
            (Err(error), job) => job.refuse(error),
            (Ok(Ended::Restart), job) if is_undone => return Outcome::Later(job),
            (Ok(Ended::Restart), job) => job.refuse(lost()),
            (Ok(_), WriteJob { task: Task::Script { script, reply }, .. }) => reply.send(Ok(script)),
            (Ok(_), job) => job.refuse(StoreError::Internal("a write ended like a script".into())),
        }
        if is_undone { Outcome::Open } else { Outcome::Over }
    }

    fn attempt(&mut self, job: &mut WriteJob, is_first: bool, is_heard: bool) -> Result<Ended, StoreError> {
        let schema = job.call.schema.clone();
        if is_heard && !is_first {
            self.record(&schema)?;
        }
        if !is_first {
            self.execute("SAVEPOINT job").map_err(|error| errors::translate(error, &schema, None))?;
        }
        // Interrupting one of several would undo all; alone, the transaction is its own.
        if job.is_bounded {
            self.watch.disarm();
        } else {
            self.watch.arm(job.stop());
        }
        let stop = job.stop().clone();
        let work = write::Work { connection: &self.connection, schema: &schema, stop: &stop, recorder: &self.recorder };
        let watch = &self.watch;
        let result = catch_unwind(AssertUnwindSafe(|| match &mut job.task {
            Task::Write { plan, sink, .. } => write::run(&work, plan, &mut **sink).map(Ended::Commit),
            Task::Script { script, .. } => script::run(&work, watch, is_first, &mut **script),
        }))
        .unwrap_or_else(|_| Err(StoreError::Internal("a write panicked".into())));
        self.watch.disarm();
        let ended = result?;
        if !is_first && matches!(ended, Ended::Commit(_)) {
            self.execute("RELEASE job").map_err(|error| errors::translate(error, &schema, None))?;
        }
        Ok(ended)
    }

    /// Undoes the last job by its savepoint; false if the transaction went with it.
    fn undo_last(&self) -> bool {
        !self.connection.is_autocommit()
            && self.execute("ROLLBACK TO job").and_then(|()| self.execute("RELEASE job")).is_ok()
    }

    /// Makes a group durable, publishes its changes, then answers all of it.
    fn commit(&mut self, done: Vec<Done>, is_heard: bool) {
        let result = if done.is_empty() {
            self.roll_back();
            Ok(Vec::new())
        } else {
            self.commit_transaction(&done)
        };
        if is_heard {
            self.recorder.stop(&self.connection);
        }
        match result {
            Ok(changes) => {
                let position = self.shared.position.fetch_add(u64::from(!done.is_empty()), Ordering::Relaxed) + 1;
                if !changes.is_empty() {
                    self.shared.feed.publish(Commit { position, changes });
                }
                done.into_iter().for_each(|done| done.answer.send());
            }
            Err(error) => {
                self.roll_back();
                let mut error = Some(error);
                for Done { answer, .. } in done {
                    answer.refuse(error.take().unwrap_or_else(lost));
                }
            }
        }
    }

    fn commit_transaction(&self, done: &[Done]) -> Result<Vec<mainstay_store::Change>, StoreError> {
        if self.connection.is_autocommit() {
            return Err(lost());
        }
        let changes = self.recorder.take()?;
        let Some(first) = done.first() else { return Ok(changes) };
        // References that are checked only now belong to the one write that is alone in its transaction.
        let plan = first.plan.as_deref();
        let written = plan.and_then(|plan| first_table(plan)).map(|table| first.schema.table(table));
        fulltext::settle(&self.connection, &first.schema)
            .map_err(|error| errors::translate(error, &first.schema, written))?;
        self.execute("COMMIT").map_err(|error| {
            let error = errors::translate(error, &first.schema, written);
            let Some(plan) = plan else { return error };
            // The rows are still there to be looked at.
            Faults { connection: &self.connection, schema: &first.schema }.of_commit(plan, error)
        })?;
        Ok(changes)
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.raw_execute().map(|_| ())
    }

    fn roll_back(&self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            tracing::error!(error = &error as &dyn std::error::Error, "a transaction could not be rolled back");
        }
    }

    /// Leaves the file tidy: statistics for the planner, an empty log.
    fn close(self) {
        if self.count_after.is_none() {
            // Statistics are tables too, and another program's file has those that it wants.
            return;
        }
        let tidy = || {
            self.connection.pragma_update_and_check(None, "analysis_limit", ANALYSIS_LIMIT, |_| Ok(()))?;
            self.connection.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)")
        };
        if let Err(error) = tidy() {
            tracing::warn!(error = &error as &dyn std::error::Error, "the store closed without tidying its file");
        }
    }
}

fn first_table(plan: &Write) -> Option<TableId> {
    match plan {
        Write::Insert(plan) => Some(plan.table),
        Write::Update(plan) => Some(plan.table),
        Write::UpdateEach(plan) => Some(plan.table),
        Write::Delete(plan) => Some(plan.table),
        Write::Nested(plan) => plan.parts.get(plan.root).map(|part| part.insert.table),
        Write::Batch(plans) => plans.iter().find_map(first_table),
        Write::Run(_) => None,
    }
}

/// The answer to writes whose transaction was undone by another's trouble.
fn lost() -> StoreError {
    StoreError::CannotWrite("the transaction was undone".into())
}

#[cfg(test)]
mod tests;
