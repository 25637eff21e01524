//! The embedded store: one SQLite file, one thread that writes, several that read.
//!
//! ```text
//! connect.rs    opening, settings, limits      render/      SQLite's dialect of ../sql/
//! readers.rs    reading threads → read.rs      types.rs     values, cells, parameters
//! writer.rs     writing thread  → write.rs     functions.rs what SQL lacks, from mainstay_query::evaluate
//! changes.rs    row changes ← raw/             errors.rs    native codes → StoreError
//! migrate.rs    changing the tables            introspect.rs what is in the file
//! explain.rs    plans → what SQLite would do   check.rs     whether a file is sound
//! fulltext.rs  words of changed rows → FTS5
//! faults.rs     which key a failed write is about
//! script.rs     scripts on the writing thread  found/       files of other programs, as schemas
//! backup.rs     copies of the whole file       lock.rs      who has the file open
//! probe.rs      what statements of functions are   raw/     what rusqlite has no binding for
//! call.rs       running those that write      computed.rs what they compute
//! estimate.rs   how many rows a read looks at
//! ```
//!
//! Knows plans, values and SQLite; knows no HTTP, no rules and no query language.

pub mod backup;
mod call;
mod changes;
pub mod check;
mod computed;
mod connect;
mod count;
mod defaults;
mod errors;
mod estimate;
mod explain;
mod faults;
pub mod found;
mod fulltext;
mod functions;
mod introspect;
mod job;
pub mod lock;
pub mod migrate;
mod probe;
mod raw;
mod read;
mod readers;
mod render;
#[cfg(test)]
pub(crate) mod sample;
mod script;
mod types;
mod write;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, TrySendError, bounded};
use futures_util::future::{BoxFuture, FutureExt, ready};
use mainstay_query::Authorized;
use mainstay_query::plan::{Filter, Read, Write};
use mainstay_schema::{Schema, TableId};
use mainstay_store::{
    Call, Capabilities, ChangeFeed, Estimate, Explanation, Migrated, Migration, OrderSupport, ReadDone, RowSink,
    Script, Statistics, Store, StoreError, Subscription, Support, Transactions, WriteDone,
};

use job::{Reply, Watch, promise};
pub use probe::SqliteProbe;

/// How long a migration or a look at the migrations may take: long, because a table may be copied.
const MAINTENANCE_TIME_MAX: Duration = Duration::from_secs(3600);

/// Reads for sinks that may wait which may themselves wait for a thread; one more is refused.
const STREAMS_WAITING_MAX: usize = 64;

/// How the store is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteOptions {
    /// When a commit counts as durable.
    pub synchronous: Synchronous,
    /// Threads that read; at least 1.
    pub readers: usize,
    /// Threads besides them that read for sinks which may wait, as for a client that takes a long answer; at least 1.
    pub streamers: usize,
    /// Page cache of each connection, in KiB.
    pub cache_kib: u32,
    /// How much of the file is mapped into memory, in bytes.
    pub mmap_bytes: i64,
    /// Prepared statements that each connection keeps.
    pub statements_max: usize,
    /// Requests that may wait for a thread, reads and writes each; one more is refused.
    pub queue_max: usize,
    /// Whether the file is another program's: it must be there, and nothing is changed in it but by writes.
    pub found: bool,
    /// How long nothing is written before SQLite counts the rows of a file of our own that was changed.
    pub count_after: Duration,
    /// A file that is locked, together with others that open the store, as long as the store is open.
    pub lock: Option<PathBuf>,
}

/// When a commit counts as durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// When it is on the disk: it survives a power cut.
    #[default]
    Full,
    /// When it is with the operating system: it survives a crash of the program, the last ones not a power cut.
    Normal,
    /// At once; for tests.
    Off,
}

impl Default for SqliteOptions {
    fn default() -> SqliteOptions {
        SqliteOptions {
            synchronous: Synchronous::Full,
            readers: std::thread::available_parallelism().map_or(2, usize::from).max(2),
            streamers: 4,
            cache_kib: 8 << 10,
            mmap_bytes: 256 << 20,
            statements_max: 512,
            queue_max: 4096,
            found: false,
            count_after: Duration::from_secs(10),
            lock: None,
        }
    }
}

/// A SQLite file as a store.
pub struct SqliteStore {
    shared: Arc<writer::Shared>,
    reads: Sender<readers::Job>,
    streams: Sender<readers::Job>,
    writes: Sender<writer::Job>,
    is_closed: AtomicBool,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// The folder of a temporary store, removed with it.
    temporary: Option<PathBuf>,
    /// Held against whoever wants to put another file in place.
    _lock: Option<std::fs::File>,
}

impl SqliteStore {
    /// Opens the file, making it if there is none.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`] if the file cannot be opened for writing, [`StoreError::Internal`] if it is no
    /// database.
    pub fn open(path: &Path, options: SqliteOptions) -> Result<SqliteStore, StoreError> {
        SqliteStore::open_in(path, &options, None)
    }

    /// Opens a new store in a folder of its own among the temporary files, removed when the store is dropped. Commits
    /// do not wait for the disk.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn open_temporary() -> Result<SqliteStore, StoreError> {
        let folder = std::env::temp_dir().join(format!("mainstay-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&folder).map_err(|error| StoreError::CannotWrite(Box::new(error)))?;
        let options = SqliteOptions { synchronous: Synchronous::Off, ..SqliteOptions::default() };
        SqliteStore::open_in(&folder.join("main.db"), &options, Some(folder.clone()))
    }

    fn open_in(path: &Path, options: &SqliteOptions, temporary: Option<PathBuf>) -> Result<SqliteStore, StoreError> {
        let wrong = |error| errors::translate(error, &Schema::default(), None);
        let lock = options.lock.as_deref().map(lock::shared).transpose()?;
        let watch = Watch::default();
        let connection = connect::writer(path, options, &watch).map_err(wrong)?;
        if !options.found {
            migrate::prepare(&connection).map_err(wrong)?;
        }
        let feed = ChangeFeed::default();
        let shared = Arc::new(writer::Shared { feed, unheard: Mutex::new(()), position: AtomicU64::new(0) });
        let (writes, write_jobs) = bounded(options.queue_max);
        let (reads, read_jobs) = bounded(options.queue_max);
        let mut threads = Vec::new();
        let counting = (!options.found).then_some(options.count_after);
        let writer = writer::Writer::new(connection, watch, shared.clone(), write_jobs, counting);
        threads.push(spawn("sqlite-write", move || writer.run())?);
        let (streams, stream_jobs) = bounded(STREAMS_WAITING_MAX);
        let reading = (0..options.readers.max(1)).map(|number| (format!("sqlite-read-{number}"), &read_jobs));
        let streaming = (0..options.streamers.max(1)).map(|number| (format!("sqlite-stream-{number}"), &stream_jobs));
        for (name, jobs) in reading.chain(streaming) {
            let watch = Watch::default();
            let connection = connect::reader(path, options, &watch).map_err(wrong)?;
            let jobs = jobs.clone();
            threads.push(spawn(&name, move || readers::run(connection, &watch, &jobs))?);
        }
        let (is_closed, threads) = (AtomicBool::new(false), Mutex::new(threads));
        Ok(SqliteStore { shared, reads, streams, writes, is_closed, threads, temporary, _lock: lock })
    }

    /// Whether the file has a write-ahead log, so that reads and writes do not wait for each other.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be looked at.
    pub fn is_write_ahead(&self, deadline: Instant) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.ask(deadline, |reply| readers::Job::WriteAhead { reply })
    }

    /// Sends a job to the reading threads and waits for its answer.
    fn ask<T: Send + 'static>(
        &self,
        deadline: Instant,
        job: impl FnOnce(Reply<T>) -> readers::Job,
    ) -> BoxFuture<'_, Result<T, StoreError>> {
        self.ask_of(&self.reads, deadline, job)
    }

    fn ask_of<T: Send + 'static>(
        &self,
        threads: &Sender<readers::Job>,
        deadline: Instant,
        job: impl FnOnce(Reply<T>) -> readers::Job,
    ) -> BoxFuture<'_, Result<T, StoreError>> {
        let (reply, ticket) = promise(deadline);
        match self.send(threads, job(reply)) {
            Ok(()) => ticket.wait().boxed(),
            Err(error) => ready(Err(error)).boxed(),
        }
    }

    fn send<J>(&self, queue: &Sender<J>, job: J) -> Result<(), StoreError> {
        if self.is_closed.load(Ordering::Acquire) {
            return Err(errors::closed());
        }
        queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Overloaded,
            TrySendError::Disconnected(_) => errors::closed(),
        })
    }

    /// Ends all threads after what they have accepted, and waits for them.
    fn stop(&self) {
        if !self.is_closed.swap(true, Ordering::AcqRel) {
            let mut threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
            // A script may have held the last handle of the store: then this is the writing thread, which ends by itself
            // when nobody can send to it any more.
            let own = std::thread::current().id();
            threads.retain(|thread| thread.thread().id() != own);
            // Each takes one; full queues make this wait, and the threads empty them.
            for thread in &threads {
                let _ = match thread.thread().name() {
                    Some("sqlite-write") => self.writes.send(writer::Job::Close).is_ok(),
                    Some(name) if name.starts_with("sqlite-stream") => self.streams.send(readers::Job::Close).is_ok(),
                    _ => self.reads.send(readers::Job::Close).is_ok(),
                };
            }
            for thread in threads {
                let _ = thread.join();
            }
            self.shared.feed.close();
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    let builder = std::thread::Builder::new().name(name.to_owned());
    builder.spawn(work).map_err(|error| StoreError::Unavailable(Box::new(error)))
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.stop();
        if let Some(folder) = &self.temporary {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

impl Store for SqliteStore {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn capabilities(&self) -> &Capabilities {
        &Capabilities {
            joins: true,
            offset: true,
            order: OrderSupport::Any,
            count: true,
            transactions: Transactions::Full,
            conflict_target: true,
            changes: true,
            own_words: false,
            time_digits: 6,
            decimal_digits: 38,
        }
    }

    fn support(&self, _schema: &Schema, _table: TableId, filter: &Filter) -> Support {
        // What SQLite's own language lacks, our functions on the connection do.
        if filter.compares_ranges() { Support::Unsupported } else { Support::Exact }
    }

    fn read(
        &self,
        call: Call,
        plan: Arc<Authorized<Read>>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<ReadDone, StoreError>> {
        let threads = if sink.may_wait() { &self.streams } else { &self.reads };
        self.ask_of(threads, call.deadline, |reply| readers::Job::Read { call, plan, sink, reply })
    }

    fn write(
        &self,
        call: Call,
        plan: Arc<Authorized<Write>>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<WriteDone, StoreError>> {
        let (reply, ticket) = promise(call.deadline);
        let is_bounded = write::is_bounded(&call.schema, &plan);
        let job = writer::WriteJob { call, task: writer::Task::Write { plan, sink, reply }, is_bounded };
        match self.send(&self.writes, writer::Job::Write(job)) {
            Ok(()) => ticket.wait().boxed(),
            Err(error) => ready(Err(error)).boxed(),
        }
    }

    fn transact(&self, call: Call, script: Box<dyn Script>) -> BoxFuture<'_, Result<Box<dyn Script>, StoreError>> {
        let (reply, ticket) = promise(call.deadline);
        // Whether it is bounded shows on the way; if not, it gets a transaction to itself then.
        let job = writer::WriteJob { call, task: writer::Task::Script { script, reply }, is_bounded: true };
        match self.send(&self.writes, writer::Job::Write(job)) {
            Ok(()) => ticket.wait().boxed(),
            Err(error) => ready(Err(error)).boxed(),
        }
    }

    fn explain(&self, call: Call, plan: Arc<Authorized<Read>>) -> BoxFuture<'_, Result<Explanation, StoreError>> {
        self.ask(call.deadline, |reply| readers::Job::ExplainRead { call, plan, reply })
    }

    fn explain_write(
        &self,
        call: Call,
        plan: Arc<Authorized<Write>>,
    ) -> BoxFuture<'_, Result<Explanation, StoreError>> {
        self.ask(call.deadline, |reply| readers::Job::ExplainWrite { call, plan, reply })
    }

    fn migrate(&self, migration: Migration) -> BoxFuture<'_, Result<(), StoreError>> {
        let (reply, ticket) = promise(Instant::now() + MAINTENANCE_TIME_MAX);
        match self.send(&self.writes, writer::Job::Migrate { migration, reply }) {
            Ok(()) => ticket.wait().boxed(),
            Err(error) => ready(Err(error)).boxed(),
        }
    }

    fn migrations(&self) -> BoxFuture<'_, Result<Vec<Migrated>, StoreError>> {
        self.ask(Instant::now() + MAINTENANCE_TIME_MAX, |reply| readers::Job::Migrations { reply })
    }

    fn drift(&self, schema: Arc<Schema>) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        self.ask(Instant::now() + MAINTENANCE_TIME_MAX, |reply| readers::Job::Drift { schema, reply })
    }

    fn find(&self, deadline: Instant) -> BoxFuture<'_, Result<Schema, StoreError>> {
        // Where tables are many this takes a while, and those who read rows wait for no other thread.
        self.ask_of(&self.streams, deadline, |reply| readers::Job::Find { reply })
    }

    fn tables_version(&self, deadline: Instant) -> BoxFuture<'_, Result<i64, StoreError>> {
        self.ask(deadline, |reply| readers::Job::Version { reply })
    }

    fn estimate(&self, call: Call, plan: Arc<Authorized<Read>>) -> BoxFuture<'_, Result<Option<Estimate>, StoreError>> {
        self.ask(call.deadline, |reply| readers::Job::Estimate { call, plan, reply })
    }

    fn analyze(&self, call: Call, table: TableId) -> BoxFuture<'_, Result<(), StoreError>> {
        let (reply, ticket) = promise(call.deadline);
        let table = call.schema.table(table).name.to_string();
        match self.send(&self.writes, writer::Job::Analyze { table, reply }) {
            Ok(()) => ticket.wait().boxed(),
            Err(error) => ready(Err(error)).boxed(),
        }
    }

    fn statistics(&self, deadline: Instant) -> BoxFuture<'_, Result<Statistics, StoreError>> {
        self.ask(deadline, |reply| readers::Job::Statistics { reply })
    }

    fn subscribe(&self) -> Subscription {
        if self.shared.feed.is_heard() {
            return self.shared.feed.subscribe();
        }
        // A transaction that began unheard has no record of its changes: wait for its end, so that every commit from
        // now on is heard.
        let _unheard = self.shared.unheard.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.feed.subscribe()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async move {
            // The last statements are short, and nothing else goes on in a store that closes.
            self.stop();
        }
        .boxed()
    }
}
