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

use crossbeam_channel::Receiver;
use mainstay_query::Authorized;
use mainstay_query::plan::Write;
use mainstay_schema::{Schema, TableId};
use mainstay_store::{Call, ChangeFeed, Commit, Migration, RowSink, StoreError, WriteDone};
use rusqlite::Connection;

use super::changes::{Layouts, Recorder};
use super::faults::Faults;
use super::job::{Reply, Watch};
use super::{errors, migrate, write};

/// Requests in one transaction.
const GROUP_JOBS_MAX: usize = 256;
/// After this long a transaction takes no more requests, so that the first does not wait for the last.
const GROUP_TIME_MAX: Duration = Duration::from_millis(5);
/// Rows that `PRAGMA optimize` may look at per index when the store closes.
const ANALYSIS_LIMIT: i64 = 400;

/// What the writing thread can do.
pub(super) enum Job {
    /// Carry out a write.
    Write(WriteJob),
    /// Change the tables.
    Migrate { migration: Migration, reply: Reply<()> },
    /// Finish.
    Close,
}

/// A write that waits.
pub(super) struct WriteJob {
    pub(super) call: Call,
    pub(super) plan: Arc<Authorized<Write>>,
    pub(super) sink: Box<dyn RowSink>,
    pub(super) reply: Reply<WriteDone>,
    /// Whether it may share a transaction.
    pub(super) is_bounded: bool,
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
}

/// A write that went well and is not yet durable.
struct Done {
    reply: Reply<WriteDone>,
    done: WriteDone,
    /// For the words of an error that only the commit finds.
    schema: Arc<Schema>,
    plan: Arc<Authorized<Write>>,
}

impl Writer {
    /// Everything the thread needs.
    pub(super) fn new(connection: Connection, watch: Watch, shared: Arc<Shared>, jobs: Receiver<Job>) -> Writer {
        Writer { connection, watch, shared, jobs, recorder: Recorder::default(), layouts: None }
    }

    /// Works until told to close, or until nobody can send any more.
    pub(super) fn run(mut self) {
        let mut carried = None;
        while let Some(job) = carried.take().or_else(|| self.jobs.recv().ok()) {
            match job {
                Job::Write(job) => carried = self.group(job),
                Job::Migrate { migration, reply } => {
                    let answer = catch_unwind(AssertUnwindSafe(|| migrate::apply(&mut self.connection, &migration)));
                    self.layouts = None;
                    reply.send(answer.unwrap_or_else(|_| Err(StoreError::Internal("a migration panicked".into()))));
                }
                Job::Close => break,
            }
        }
        self.close();
    }

    /// Carries out `first` and what waits behind it in one transaction; gives back a job that has to come after.
    fn group(&mut self, first: WriteJob) -> Option<Job> {
        if let Err(error) = first.reply.stop().check() {
            first.reply.send(Err(error));
            return None;
        }
        let shared = self.shared.clone();
        let is_heard = shared.feed.is_heard();
        let _unheard = (!is_heard).then(|| shared.unheard.lock().unwrap_or_else(PoisonError::into_inner));
        // Whoever subscribed between the two lines above was not yet heard of, but may hold the lock no longer.
        let is_heard = is_heard || shared.feed.is_heard();
        if let Err(error) = self.begin(is_heard, &first.call.schema) {
            first.reply.send(Err(error));
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
            if !self.run_one(next, &mut done, is_heard) || is_alone {
                return (done, None);
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

    /// Carries out one job of a group. Answers whether the transaction is still there for another.
    fn run_one(&mut self, mut job: WriteJob, done: &mut Vec<Done>, is_heard: bool) -> bool {
        let is_first = done.is_empty();
        if let Err(error) = job.reply.stop().check() {
            job.reply.send(Err(error));
            return !is_first;
        }
        let mark = self.recorder.mark();
        match self.attempt(&mut job, is_first, is_heard) {
            Ok(affected) => {
                let WriteJob { sink, reply, call, plan, .. } = job;
                let write::Affected { affected, inserted } = affected;
                let answer = WriteDone { sink, affected, inserted };
                done.push(Done { reply, done: answer, schema: call.schema, plan });
                true
            }
            Err(error) => {
                let is_undone = !is_first && self.undo_last();
                self.recorder.rewind(mark);
                job.reply.send(Err(error));
                is_undone
            }
        }
    }

    fn attempt(&mut self, job: &mut WriteJob, is_first: bool, is_heard: bool) -> Result<write::Affected, StoreError> {
        let schema = &job.call.schema;
        if is_heard && !is_first {
            self.record(schema)?;
        }
        if !is_first {
            self.execute("SAVEPOINT job").map_err(|error| errors::translate(error, schema, None))?;
        }
        // Interrupting one of several would undo all; alone, the transaction is its own.
        if job.is_bounded {
            self.watch.disarm();
        } else {
            self.watch.arm(job.reply.stop());
        }
        let work =
            write::Work { connection: &self.connection, schema, stop: job.reply.stop(), recorder: &self.recorder };
        let sink = &mut *job.sink;
        let result = catch_unwind(AssertUnwindSafe(|| write::run(&work, &job.plan, sink)))
            .unwrap_or_else(|_| Err(StoreError::Internal("a write panicked".into())));
        self.watch.disarm();
        let affected = result?;
        if !is_first {
            self.execute("RELEASE job").map_err(|error| errors::translate(error, schema, None))?;
        }
        Ok(affected)
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
                done.into_iter().for_each(|Done { reply, done, .. }| reply.send(Ok(done)));
            }
            Err(error) => {
                self.roll_back();
                let mut error = Some(error);
                for Done { reply, .. } in done {
                    reply.send(Err(error.take().unwrap_or_else(lost)));
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
        let written = first_table(&first.plan).map(|table| first.schema.table(table));
        self.execute("COMMIT").map_err(|error| {
            // The rows are still there to be looked at.
            let faults = Faults { connection: &self.connection, schema: &first.schema };
            faults.of_commit(&first.plan, errors::translate(error, &first.schema, written))
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
        Write::Delete(plan) => Some(plan.table),
        Write::Batch(plans) => plans.iter().find_map(first_table),
    }
}

/// The answer to writes whose transaction was undone by another's trouble.
fn lost() -> StoreError {
    StoreError::CannotWrite("the transaction was undone".into())
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::bounded;
    use mainstay_query::plan::{Expect, Insert};
    use mainstay_query::{Actor, authorize};
    use mainstay_schema::{ColumnId, Value};

    use super::super::job::{Ticket, promise};
    use super::super::{SqliteOptions, connect, sample};
    use super::*;

    struct Nothing;

    impl RowSink for Nothing {
        fn start_row(&mut self) {}
        fn end_row(&mut self) {}
        fn start_list(&mut self) {}
        fn end_list(&mut self) {}
        fn cell(&mut self, _cell: mainstay_store::Cell<'_>) {}
    }

    fn insert(schema: &Arc<Schema>, id: i64, name: &str) -> (Job, Ticket<WriteDone>) {
        let plan = Write::Insert(Insert {
            table: schema.find("tags").unwrap().id,
            columns: vec![ColumnId(0), ColumnId(1)],
            rows: vec![vec![Some(Value::Int(id)), Some(Value::Text(name.to_owned()))]],
            conflict: None,
            returning: None,
            expect: Expect::default(),
        });
        let plan = Arc::new(authorize::write(schema, &Actor::System, plan).unwrap());
        let call = Call { schema: schema.clone(), deadline: Instant::now() + Duration::from_secs(20) };
        let (reply, ticket) = promise(call.deadline);
        (Job::Write(WriteJob { call, plan, sink: Box::new(Nothing), reply, is_bounded: true }), ticket)
    }

    /// Queues all rows, lets the writer work until the queue is empty, and gives the answers and what is in the file.
    async fn run(pages_max: i64, rows: &[(i64, String)]) -> (Vec<Result<WriteDone, StoreError>>, Vec<i64>, Vec<usize>) {
        let schema = Arc::new(sample::schema());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("main.db");
        let watch = Watch::default();
        let connection = connect::writer(&path, &SqliteOptions::default(), &watch).unwrap();
        connection.execute_batch(&migrate::create(&schema)).unwrap();
        connection.pragma_update_and_check(None, "max_page_count", pages_max, |_| Ok(())).unwrap();
        let feed = ChangeFeed::default();
        let mut heard = feed.subscribe();
        let shared = Arc::new(Shared { feed, unheard: Mutex::new(()), position: AtomicU64::new(0) });
        let (sender, jobs) = bounded(rows.len() + 1);
        let mut tickets = Vec::new();
        for (id, name) in rows {
            let (job, ticket) = insert(&schema, *id, name);
            sender.send(job).unwrap();
            tickets.push(ticket);
        }
        sender.send(Job::Close).unwrap();
        Writer::new(connection, watch, shared, jobs).run();
        let mut answers = Vec::new();
        for ticket in tickets {
            answers.push(ticket.wait().await);
        }
        let mut commits = Vec::new();
        while let Ok(Some(commit)) = heard.try_next() {
            commits.push(commit.changes.len());
        }
        let file = Connection::open(&path).unwrap();
        let mut list = file.prepare("SELECT id FROM tags ORDER BY id").unwrap();
        let kept = list.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap();
        (answers, kept, commits)
    }

    #[tokio::test]
    async fn what_waits_shares_a_commit_and_a_failure_is_its_own() {
        let rows: Vec<(i64, String)> = [1, 2, 2, 3].map(|id| (id, format!("n{id}"))).into();
        let (answers, kept, commits) = run(100_000, &rows).await;
        assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false, true]);
        assert_eq!(kept, [1, 2, 3]);
        assert_eq!(commits, [3]);
    }

    #[tokio::test]
    async fn a_full_disk_loses_nothing_that_was_acknowledged() {
        let rows: Vec<(i64, String)> = (0..100).map(|id| (id, format!("{id}").repeat(2000))).collect();
        let (answers, kept, _) = run(40, &rows).await;
        let acknowledged: Vec<i64> =
            (0..).zip(&answers).filter(|(_, answer)| answer.is_ok()).map(|(id, _)| id).collect();
        assert_eq!(acknowledged, kept);
        let refused: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
        assert!(!refused.is_empty());
        assert!(refused.iter().all(|error| matches!(error, StoreError::CannotWrite(_))), "{refused:?}");
    }
}
