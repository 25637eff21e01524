//! Several stores as one: a [`Store`] that sends each plan to the store of its tables, and puts together here what lies in
//! several of them.
//!
//! What touches one store goes there as it is. A read that touches several is carried out level by level: the rows of its own
//! store first, then those on the far side of each link in one read by their keys, joined here (`read.rs`, `far.rs`,
//! `rows.rs`). Filters that follow far links become tests of near columns beforehand (`filters.rs`). A write changes rows of
//! one store (`write.rs`), and so does a transaction of several steps (`script.rs`). Reads of several stores are no one
//! snapshot: each store is asked at its own time. Whoever asks learns from [`stores::several_of_read`] which they are.
//!
//! Knows stores by their names in the schema and no engine. How plans are taken apart is
//! [`mainstay_query::split::stores`]'s business.

mod explain;
mod far;
mod filters;
mod group;
mod read;
mod rows;
mod script;
mod write;

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::{BoxFuture, FutureExt, join_all};
use mainstay_query::plan::{Filter, Read, Write};
use mainstay_query::split::stores;
use mainstay_query::{Authorized, authorize};
use mainstay_schema::{MAIN, Schema, TableId};

use self::read::Reading;
use crate::change::Subscription;
use crate::error::StoreError;
use crate::script::Script;
use crate::sink::RowSink;
use crate::store::{
    Call, Capabilities, Estimate, Explanation, Migrated, Migration, OrderSupport, ReadDone, Statistics, Store, Support,
    Transactions, WriteDone,
};

/// Rows of one table that are held here to be joined, filtered by or sorted. More, and the request is refused: it would be
/// a scan of one store on behalf of another.
pub const JOINED_ROWS_MAX: u64 = 10_000;

/// Several stores as one.
pub struct Federation {
    /// The main one first.
    stores: Vec<(Arc<str>, Arc<dyn Store>)>,
    capabilities: Capabilities,
    rows_max: u64,
}

impl Federation {
    /// These stores, each with the name that tables call it by.
    ///
    /// # Panics
    /// If the first is not the one called `main`: whoever reads the settings owns the order.
    pub fn new(stores: Vec<(Arc<str>, Arc<dyn Store>)>) -> Federation {
        assert_eq!(stores.first().map(|(name, _)| &**name), Some(MAIN), "the main store comes first");
        let capabilities = capabilities(&stores);
        Federation { stores, capabilities, rows_max: JOINED_ROWS_MAX }
    }

    /// The same with another bound on rows that are held here.
    #[must_use]
    pub fn with_rows_max(self, rows_max: u64) -> Federation {
        Federation { rows_max, ..self }
    }

    /// The stores with their names, the main one first.
    pub fn stores(&self) -> impl Iterator<Item = (&str, &Arc<dyn Store>)> {
        self.stores.iter().map(|(name, store)| (&**name, store))
    }

    /// The store of this name.
    pub fn store(&self, name: &str) -> Option<&Arc<dyn Store>> {
        self.stores.iter().find(|(other, _)| **other == *name).map(|(_, store)| store)
    }

    fn main(&self) -> &dyn Store {
        &*self.stores[0].1
    }

    /// The store that tables name; a schema is checked against the settings before it is served.
    fn named(&self, name: &str) -> Result<&dyn Store, StoreError> {
        let store = self.store(name).map(|store| &**store);
        store.ok_or_else(|| StoreError::Internal(format!("no store is called {name}").into()))
    }

    fn store_of(&self, schema: &Schema, table: TableId) -> &dyn Store {
        self.named(schema.table(table).store_name()).unwrap_or(self.main())
    }

    /// The schema in the way in which that store sees it.
    fn seen_by_store_of<'s>(&self, schema: &'s Schema, table: TableId) -> &'s Schema {
        schema.seen_by(schema.table(table).store.as_deref()).map_or(schema, |seen| &**seen)
    }
}

/// What all of the stores can do.
fn capabilities(stores: &[(Arc<str>, Arc<dyn Store>)]) -> Capabilities {
    let of = |can: fn(&Capabilities) -> bool| stores.iter().all(|(_, store)| can(store.capabilities()));
    let any_order = of(|one| one.order == OrderSupport::Any);
    Capabilities {
        joins: of(|one| one.joins),
        offset: of(|one| one.offset),
        order: if any_order { OrderSupport::Any } else { OrderSupport::Clustering },
        count: of(|one| one.count),
        // A transaction is one store's, and it refuses what it cannot hold together.
        transactions: stores.first().map_or(Transactions::None, |(_, store)| store.capabilities().transactions),
        conflict_target: of(|one| one.conflict_target),
        // What the feed tells is the main store's.
        changes: stores.first().is_some_and(|(_, store)| store.capabilities().changes),
        own_words: !of(|one| !one.own_words),
        time_digits: stores.iter().map(|(_, store)| store.capabilities().time_digits).min().unwrap_or(6),
        decimal_digits: stores.iter().map(|(_, store)| store.capabilities().decimal_digits).min().unwrap_or(38),
    }
}

/// What goes along with a plan to a store, which sees the tables in its own way.
fn call_of(name: &str, call: Call) -> Call {
    let seen = call.schema.seen_by(Some(name).filter(|name| *name != MAIN)).cloned();
    Call { schema: seen.unwrap_or(call.schema), ..call }
}

/// An error of one of several stores: which does not answer is told by its name.
fn of_store(name: &str, error: StoreError) -> StoreError {
    match error {
        StoreError::Unavailable(cause) => StoreError::Down { store: name.into(), cause },
        error => error,
    }
}

/// What the splitter refuses.
fn apart(error: stores::Apart) -> StoreError {
    StoreError::Unsupported { what: error.0 }
}

/// A part that is none is a mistake of ours.
fn widened(error: authorize::Widened) -> StoreError {
    StoreError::Internal(error.into())
}

impl Store for Federation {
    fn name(&self) -> &'static str {
        self.main().name()
    }

    fn name_at(&self, schema: &Schema, table: TableId) -> String {
        let name = schema.table(table).store_name();
        match self.store(name) {
            Some(store) => format!("{name} ({})", store.name()),
            None => name.to_owned(),
        }
    }

    fn parts(&self) -> Vec<Arc<str>> {
        self.stores.iter().map(|(name, _)| name.clone()).collect()
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn support(&self, schema: &Schema, table: TableId, filter: &Filter) -> Support {
        let store = self.store_of(schema, table);
        let seen = self.seen_by_store_of(schema, table);
        match stores::local(schema, table, filter) {
            None => store.support(seen, table, filter),
            Some(local) => store.support(seen, table, &local),
        }
    }

    fn read(
        &self,
        call: Call,
        plan: Arc<Authorized<Read>>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<ReadDone, StoreError>> {
        async move {
            let schema = call.schema.clone();
            match stores::only_of_read(&schema, &plan) {
                Some(name) => {
                    self.named(name)?.read(call_of(name, call), plan, sink).await.map_err(|error| of_store(name, error))
                }
                None => Reading::new(self, call, authorize::Granted::by_read(&plan)).give(&plan, sink).await,
            }
        }
        .boxed()
    }

    fn write(
        &self,
        call: Call,
        plan: Arc<Authorized<Write>>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<WriteDone, StoreError>> {
        async move {
            let schema = call.schema.clone();
            match stores::only_of_write(&schema, &plan) {
                Some(name) => self
                    .named(name)?
                    .write(call_of(name, call), plan, sink)
                    .await
                    .map_err(|error| of_store(name, error)),
                None => self.write_apart(call, &plan, sink).await,
            }
        }
        .boxed()
    }

    fn transact(&self, call: Call, script: Box<dyn Script>) -> BoxFuture<'_, Result<Box<dyn Script>, StoreError>> {
        self.transact_in_one(call, script).boxed()
    }

    fn explain(&self, call: Call, plan: Arc<Authorized<Read>>) -> BoxFuture<'_, Result<Explanation, StoreError>> {
        self.explain_read(call, plan).boxed()
    }

    fn explain_write(
        &self,
        call: Call,
        plan: Arc<Authorized<Write>>,
    ) -> BoxFuture<'_, Result<Explanation, StoreError>> {
        self.explain_written(call, plan).boxed()
    }

    fn estimate(&self, call: Call, plan: Arc<Authorized<Read>>) -> BoxFuture<'_, Result<Option<Estimate>, StoreError>> {
        self.estimate_read(call, plan).boxed()
    }

    fn migrate(&self, migration: Migration) -> BoxFuture<'_, Result<(), StoreError>> {
        self.main().migrate(migration)
    }

    fn migrations(&self) -> BoxFuture<'_, Result<Vec<Migrated>, StoreError>> {
        self.main().migrations()
    }

    fn drift(&self, schema: Arc<Schema>) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        self.main().drift(schema)
    }

    fn find(&self, deadline: Instant) -> BoxFuture<'_, Result<Schema, StoreError>> {
        self.main().find(deadline)
    }

    fn tables_version(&self, deadline: Instant) -> BoxFuture<'_, Result<i64, StoreError>> {
        self.main().tables_version(deadline)
    }

    fn statistics(&self, deadline: Instant) -> BoxFuture<'_, Result<Statistics, StoreError>> {
        self.main().statistics(deadline)
    }

    fn analyze(&self, call: Call, table: TableId) -> BoxFuture<'_, Result<(), StoreError>> {
        let schema = call.schema.clone();
        self.store_of(&schema, table).analyze(call_of(schema.table(table).store_name(), call), table)
    }

    /// All of them are asked at once; the first in their order that does not answer is told.
    fn ping(&self, deadline: Instant) -> BoxFuture<'_, Result<(), StoreError>> {
        async move {
            let pings = self
                .stores
                .iter()
                .map(|(name, store)| async move { store.ping(deadline).await.map_err(|error| of_store(name, error)) });
            join_all(pings).await.into_iter().collect()
        }
        .boxed()
    }

    fn subscribe(&self) -> Subscription {
        self.main().subscribe()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async move {
            join_all(self.stores.iter().map(|(_, store)| store.close())).await;
        }
        .boxed()
    }
}
