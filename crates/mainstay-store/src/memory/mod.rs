//! The reference store: every table a list of rows in memory, every plan carried out by the plainest loop that is
//! right. It is what the other stores are compared with, and what tests use that need a store but no database.
//!
//! Knows no SQL: views cannot be read and partial unique indexes cannot be kept, so both are refused.

mod explain;
mod given;
mod group;
mod migrate;
mod read;
mod references;
mod rows;
mod write;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use futures_util::future::{BoxFuture, FutureExt, ready};
use mainstay_query::Authorized;
use mainstay_query::plan::{Filter, Read, Write};
use mainstay_schema::{FunctionId, Schema, TableId};

pub use self::given::Given;
use self::read::View;
use self::rows::Rows;
use self::write::Transaction;
use crate::change::{Change, ChangeFeed, Commit, Subscription};
use crate::error::StoreError;
use crate::script::{self, End, Script};
use crate::sink::RowSink;
use crate::store::{
    Call, Capabilities, Explanation, Migrated, Migration, OrderSupport, ReadDone, Store, Support, Transactions,
    WriteDone,
};

const CAPABILITIES: Capabilities = Capabilities {
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
};

/// A store that keeps its rows in memory and forgets them when it is dropped.
#[derive(Debug, Default)]
pub struct MemoryStore {
    // One lock around everything makes every write a serial transaction and every read a snapshot.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    schema: Arc<Schema>,
    /// By table id.
    tables: Vec<Rows>,
    applied: Vec<Migrated>,
    feed: ChangeFeed,
    position: u64,
    closed: bool,
}

impl MemoryStore {
    /// A store without tables; [`Store::migrate`] makes them.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    /// A store with the empty tables of `schema`.
    pub fn with_schema(schema: Arc<Schema>) -> MemoryStore {
        let tables = vec![Rows::default(); schema.tables().len()];
        MemoryStore { state: Mutex::new(State { schema, tables, ..State::default() }) }
    }

    /// A panic under the lock is a failed test; the state is swapped whole, so it is good even then.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_now(&self, call: &Call, plan: &Read, mut sink: Box<dyn RowSink>) -> Result<ReadDone, StoreError> {
        let state = self.lock();
        state.admit(call)?;
        let view = View::new(&call.schema, &state.tables, call.deadline, false);
        let (rows, total) = view.read(plan, sink.as_mut())?;
        Ok(ReadDone { sink, rows, total })
    }

    fn write_now(&self, call: &Call, plan: &Write, mut sink: Box<dyn RowSink>) -> Result<WriteDone, StoreError> {
        let mut state = self.lock();
        state.admit(call)?;
        let mut transaction = Transaction::new(&call.schema, state.tables.clone(), call.deadline);
        let done = transaction.run(plan, sink.as_mut())?;
        let (tables, changes) = transaction.commit();
        state.commit(tables, changes);
        Ok(WriteDone { sink, affected: done.affected, inserted: done.inserted })
    }

    fn transact_now(&self, call: &Call, mut script: Box<dyn Script>) -> Result<Box<dyn Script>, StoreError> {
        let mut state = self.lock();
        state.admit(call)?;
        let mut transaction = Transaction::new(&call.schema, state.tables.clone(), call.deadline);
        if script::drive(&mut *script, &mut transaction)? == End::Commit {
            let (tables, changes) = transaction.commit();
            state.commit(tables, changes);
        }
        Ok(script)
    }

    fn explain_now(&self, call: &Call, statements: Vec<String>) -> Result<Explanation, StoreError> {
        self.lock().admit(call)?;
        Ok(Explanation { statements, details: vec!["every statement reads its tables from end to end".to_owned()] })
    }

    fn migrate_now(&self, migration: Migration) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.check_open()?;
        let schema = Schema::from_json(&migration.schema)
            .map_err(|error| StoreError::Migration { message: format!("{}: {error}", migration.name) })?;
        state.tables = migrate::carry_over(&state.schema, &state.tables, &schema)?;
        state.schema = Arc::new(schema);
        state.applied.push(Migrated {
            name: migration.name,
            applied_at: migrate::timestamp(SystemTime::now()),
            sql: migration.sql,
            schema: migration.schema,
        });
        Ok(())
    }
}

impl State {
    /// Puts the tables of a transaction in place and tells what happened to them.
    fn commit(&mut self, tables: Vec<Rows>, changes: Vec<Change>) {
        self.tables = tables;
        if !changes.is_empty() {
            self.position += 1;
            self.feed.publish(Commit { position: self.position, changes });
        }
    }

    fn check_open(&self) -> Result<(), StoreError> {
        if self.closed { Err(StoreError::Unavailable("the store was closed".into())) } else { Ok(()) }
    }

    /// Whether a call may be served: open, in time, and planned for the tables that are here.
    fn admit(&self, call: &Call) -> Result<(), StoreError> {
        self.check_open()?;
        check_deadline(call.deadline)?;
        let same = Arc::ptr_eq(&self.schema, &call.schema) || migrate::same_tables(&self.schema, &call.schema);
        if same { Ok(()) } else { Err(StoreError::SchemaChanged("planned for other tables".into())) }
    }
}

fn check_deadline(deadline: Instant) -> Result<(), StoreError> {
    if Instant::now() < deadline { Ok(()) } else { Err(StoreError::Deadline) }
}

/// Functions are SQL, which this store does not speak.
fn no_functions(schema: &Schema, function: FunctionId) -> StoreError {
    unsupported(format!("cannot run the function \"{}\", which is SQL", schema.function(function).name))
}

fn unsupported(what: String) -> StoreError {
    StoreError::Unsupported { what: format!("the memory store {what}") }
}

impl Store for MemoryStore {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn support(&self, _: &Schema, _: TableId, filter: &Filter) -> Support {
        if filter.compares_ranges() { Support::Unsupported } else { Support::Exact }
    }

    fn read(
        &self,
        call: Call,
        plan: Arc<Authorized<Read>>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<ReadDone, StoreError>> {
        async move { self.read_now(&call, &plan, sink) }.boxed()
    }

    fn write(
        &self,
        call: Call,
        plan: Arc<Authorized<Write>>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<WriteDone, StoreError>> {
        async move { self.write_now(&call, &plan, sink) }.boxed()
    }

    fn transact(&self, call: Call, script: Box<dyn Script>) -> BoxFuture<'_, Result<Box<dyn Script>, StoreError>> {
        async move { self.transact_now(&call, script) }.boxed()
    }

    fn explain(&self, call: Call, plan: Arc<Authorized<Read>>) -> BoxFuture<'_, Result<Explanation, StoreError>> {
        ready(self.explain_now(&call, explain::read(&call.schema, &plan))).boxed()
    }

    fn explain_write(
        &self,
        call: Call,
        plan: Arc<Authorized<Write>>,
    ) -> BoxFuture<'_, Result<Explanation, StoreError>> {
        ready(self.explain_now(&call, explain::write(&call.schema, &plan))).boxed()
    }

    fn migrate(&self, migration: Migration) -> BoxFuture<'_, Result<(), StoreError>> {
        ready(self.migrate_now(migration)).boxed()
    }

    fn migrations(&self) -> BoxFuture<'_, Result<Vec<Migrated>, StoreError>> {
        let state = self.lock();
        ready(state.check_open().map(|()| state.applied.clone())).boxed()
    }

    fn subscribe(&self) -> Subscription {
        self.lock().feed.subscribe()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        let mut state = self.lock();
        state.closed = true;
        state.feed.close();
        ready(()).boxed()
    }
}
