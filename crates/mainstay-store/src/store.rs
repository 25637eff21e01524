//! The one trait that carries out authorized plans.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::{BoxFuture, FutureExt, ready};
use mainstay_query::Authorized;
use mainstay_query::plan::{Filter, Read, Write};
pub use mainstay_query::split::Support;
use mainstay_schema::{Schema, TableId};

use crate::change::Subscription;
use crate::error::StoreError;
use crate::script::Script;
use crate::sink::RowSink;

/// What goes along with a plan.
#[derive(Debug, Clone)]
pub struct Call {
    /// The snapshot whose ids the plan holds.
    pub schema: Arc<Schema>,
    /// When to give up.
    pub deadline: Instant,
}

/// A database engine.
///
/// A future that is dropped stops the work as soon as the engine allows; a write whose future was dropped has happened
/// or not, whole.
pub trait Store: Send + Sync + 'static {
    /// Name of the engine, as in settings and messages: `sqlite`.
    fn name(&self) -> &'static str;

    /// Name of the engine that keeps a table, as messages say it; of several stores also the name of this one.
    fn name_at(&self, schema: &Schema, table: TableId) -> String {
        let _ = (schema, table);
        self.name().to_owned()
    }

    /// Names of the stores that this one consists of; none if it is one by itself.
    fn parts(&self) -> Vec<Arc<str>> {
        Vec::new()
    }

    /// What the engine can do beyond the least that is asked of all.
    fn capabilities(&self) -> &Capabilities;

    /// Whether the engine carries out this filter, which stands on rows of `table`, exactly.
    fn support(&self, schema: &Schema, table: TableId, filter: &Filter) -> Support;

    /// Reads rows into `sink` and gives it back.
    fn read(
        &self,
        call: Call,
        plan: Arc<Authorized<Read>>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<ReadDone, StoreError>>;

    /// Writes, and puts the returned rows into `sink`. When it answers, the write is durable.
    fn write(
        &self,
        call: Call,
        plan: Arc<Authorized<Write>>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<WriteDone, StoreError>>;

    /// Carries out the steps of a script in one transaction and gives the script back, whether it committed or rolled
    /// back by its own will. Reads see the writes before them; nobody else sees any before the commit, and changes are
    /// published once, when it is durable. On an error nothing has happened.
    ///
    /// Only for engines whose [`Capabilities::transactions`] are full; others refuse.
    fn transact(&self, call: Call, script: Box<dyn Script>) -> BoxFuture<'_, Result<Box<dyn Script>, StoreError>> {
        let _ = (call, script);
        self.cannot("carry out several steps as one transaction")
    }

    /// What the engine would run for a read.
    fn explain(&self, call: Call, plan: Arc<Authorized<Read>>) -> BoxFuture<'_, Result<Explanation, StoreError>>;

    /// What the engine would run for a write. Nothing is changed.
    fn explain_write(&self, call: Call, plan: Arc<Authorized<Write>>)
    -> BoxFuture<'_, Result<Explanation, StoreError>>;

    /// Changes the tables from `old` to `new` in one transaction and remembers `new` as applied, or leaves everything
    /// as it was. `name` and `sql` are those of the migration file.
    fn migrate(&self, migration: Migration) -> BoxFuture<'_, Result<(), StoreError>>;

    /// The migrations that were applied, oldest first.
    fn migrations(&self) -> BoxFuture<'_, Result<Vec<Migrated>, StoreError>>;

    /// How the tables differ from what `schema` says, one sentence each; empty when they do not.
    fn drift(&self, schema: Arc<Schema>) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        let _ = schema;
        self.cannot("compare its tables with a schema")
    }

    /// The tables that are there, whoever made them, as a schema in which nobody may do anything yet. What cannot be
    /// served is left out and said in [`Found::left_out`](mainstay_schema::found::Found::left_out).
    fn find(&self, deadline: Instant) -> BoxFuture<'_, Result<Schema, StoreError>> {
        let _ = deadline;
        self.cannot("tell which tables it has")
    }

    /// A number that changes whenever the tables do, whoever changes them. Asked before each request where other
    /// programs may change them, so it must cost next to nothing: a store on the network answers from memory for a few
    /// seconds, until a statement fails because of the tables.
    fn tables_version(&self, deadline: Instant) -> BoxFuture<'_, Result<i64, StoreError>> {
        let _ = deadline;
        self.cannot("tell whether its tables changed")
    }

    /// How many rows the engine would look at for a read; nothing if it cannot tell.
    fn estimate(&self, call: Call, plan: Arc<Authorized<Read>>) -> BoxFuture<'_, Result<Option<Estimate>, StoreError>> {
        let _ = (call, plan);
        ready(Ok(None)).boxed()
    }

    /// What the engine has counted of its tables and indexes; what it does not count is left out.
    fn statistics(&self, deadline: Instant) -> BoxFuture<'_, Result<Statistics, StoreError>> {
        let _ = deadline;
        ready(Ok(Statistics::default())).boxed()
    }

    /// Has the engine count what a table holds, for its planner; nothing where it does so by itself.
    fn analyze(&self, call: Call, table: TableId) -> BoxFuture<'_, Result<(), StoreError>> {
        let _ = (call, table);
        ready(Ok(())).boxed()
    }

    /// Whether the database answers. Asked often by whoever watches the process, so it must cost next to nothing.
    fn ping(&self, deadline: Instant) -> BoxFuture<'_, Result<(), StoreError>> {
        let _ = deadline;
        async move { self.migrations().await.map(drop) }.boxed()
    }

    /// Listens to every commit from now on.
    fn subscribe(&self) -> Subscription;

    /// Finishes what was accepted, then closes. Later calls give [`StoreError::Unavailable`].
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// Refusals, said alike by all stores.
trait Refuse {
    fn cannot<'f, T: Send + 'f>(&self, what: &str) -> BoxFuture<'f, Result<T, StoreError>>;
}

impl<S: Store + ?Sized> Refuse for S {
    fn cannot<'f, T: Send + 'f>(&self, what: &str) -> BoxFuture<'f, Result<T, StoreError>> {
        let what = format!("the store {} cannot {what}", self.name());
        ready(Err(StoreError::Unsupported { what })).boxed()
    }
}

/// The way from one schema to another, in an engine's own language.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MigrationPlan {
    /// All statements, as they go into the migration file.
    pub sql: String,
    /// What it does, step by step, in words.
    pub steps: Vec<String>,
    /// What it destroys, in words; empty when nothing is lost.
    pub losses: Vec<String>,
}

/// A migration to carry out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// Name of the file without its ending: `20261123T101500_add_reviews`.
    pub name: String,
    /// The statements, in the engine's own language.
    pub sql: String,
    /// The schema as it is afterwards: its canonical JSON.
    pub schema: String,
}

/// A migration that was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// Name of the file without its ending.
    pub name: String,
    /// When, as a canonical timestamp.
    pub applied_at: String,
    /// The statements as they were applied, so that a file edited afterwards is noticed.
    pub sql: String,
    /// The schema as it was afterwards: its canonical JSON.
    pub schema: String,
}

/// What an engine can do beyond the least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// Follows links between its own tables in one read.
    pub joins: bool,
    /// Skips rows.
    pub offset: bool,
    /// Which orders it gives.
    pub order: OrderSupport,
    /// Counts rows that pass a filter without a scan by us.
    pub count: bool,
    /// What one write can hold together.
    pub transactions: Transactions,
    /// Lets the caller choose the key that an upsert looks at.
    pub conflict_target: bool,
    /// Tells every committed change of a row, whoever made it. Without, a subscription hears nothing but the end.
    pub changes: bool,
    /// Searches go by the engine's own idea of what a word is, and not by the evaluator's.
    pub own_words: bool,
    /// Digits of a second that it keeps of a timestamp, from 0 to 6; what is below them is cut off, towards the past.
    pub time_digits: u8,
    /// Digits that a decimal has at most; a column that asks for more is refused.
    pub decimal_digits: u8,
}

/// Which orders an engine gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderSupport {
    /// Any column, either direction.
    Any,
    /// Only the order in which rows are kept, forward or reversed.
    Clustering,
}

/// What one write can hold together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transactions {
    /// Nothing: each row on its own.
    None,
    /// Rows of one partition.
    Partition,
    /// Everything in the store.
    Full,
}

/// What a read did.
pub struct ReadDone {
    /// The sink that was passed in.
    pub sink: Box<dyn RowSink>,
    /// Rows put into it at the top level.
    pub rows: u64,
    /// Rows that pass the filter, when a count was asked.
    pub total: Option<u64>,
}

/// What a write did.
pub struct WriteDone {
    /// The sink that was passed in.
    pub sink: Box<dyn RowSink>,
    /// Rows inserted, updated or deleted by the statement itself, without cascades.
    pub affected: u64,
    /// Of those, rows that an insert really inserted rather than merged into another.
    pub inserted: u64,
}

/// How much work an engine expects of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Rows that it looks at, whether they pass or not.
    pub rows: u64,
}

/// What an engine has counted of its tables and indexes since somebody last had it begin anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Whole days for which uses were counted, at least; `None` if uses are not counted.
    pub days: Option<u64>,
    /// Tables whose rows were counted or guessed.
    pub tables: Vec<TableStatistics>,
    /// Indexes whose uses were counted.
    pub indexes: Vec<IndexStatistics>,
    /// Why uses are not counted by an engine that could, and what would have it do so.
    pub uncounted: Option<String>,
}

/// What is known of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableStatistics {
    /// Its name.
    pub table: String,
    /// About how many rows it has.
    pub rows: u64,
}

/// What is known of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexStatistics {
    /// The table that it is of.
    pub table: String,
    /// Its name.
    pub index: String,
    /// How often rows were looked up by it.
    pub uses: u64,
    /// Octets that it takes, where that is known.
    pub bytes: Option<u64>,
}

/// What an engine would run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The statements, in the engine's own language.
    pub statements: Vec<String>,
    /// What the engine's planner says about them, line by line.
    pub details: Vec<String>,
}
