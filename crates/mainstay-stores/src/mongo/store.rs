//! MongoDB as a [`Store`].

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::{BoxFuture, FutureExt};
use mainstay_query::Authorized;
use mainstay_query::plan::{Filter, Read, Write};
use mainstay_schema::{Schema, TableId};
use mainstay_store::{
    Call, Capabilities, ChangeFeed, Estimate, Explanation, Migrated, Migration, OrderSupport, ReadDone, RowSink,
    Script, Statistics, Store, StoreError, Subscription, Support, Transactions, WriteDone,
};
use mongodb::bson::doc;

use super::connect::MongoOptions;
use super::link::Link;
use super::{explain, found, migrate, proof, read, statistics, types, write};

/// Name of the engine, as in settings and messages.
pub(super) const NAME: &str = "mongodb";

/// What it can do where it is a replica set.
pub(super) const CAPABILITIES: Capabilities = Capabilities {
    joins: true,
    offset: true,
    order: OrderSupport::Any,
    count: true,
    transactions: Transactions::Full,
    conflict_target: true,
    changes: false,
    own_words: false,
    time_digits: 3,
    decimal_digits: types::DECIMAL_DIGITS_MAX,
};

/// Whether it carries out a filter exactly.
pub(super) fn support(filter: &Filter) -> Support {
    if filter.compares_ranges() { Support::Unsupported } else { Support::Exact }
}

/// A MongoDB database as a store.
pub struct MongoStore {
    link: Link,
    capabilities: Capabilities,
    /// Tells nothing but the end.
    feed: ChangeFeed,
}

impl MongoStore {
    /// Connects to a server.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if nobody answers.
    pub async fn open(options: &MongoOptions) -> Result<MongoStore, StoreError> {
        Link::open(options).await.map(MongoStore::new)
    }

    /// A store on a server that has answered.
    pub fn new(link: Link) -> MongoStore {
        let is_full = link.server().has_transactions;
        let transactions = if is_full { Transactions::Full } else { Transactions::None };
        let capabilities = Capabilities { transactions, ..CAPABILITIES };
        MongoStore { link, capabilities, feed: ChangeFeed::default() }
    }

    /// The server.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// Makes what Mainstay keeps for itself in the database, where it is missing.
    ///
    /// # Errors
    /// As the server says.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        migrate::prepare(&self.link).await
    }

    /// Proves a migration: carried out on the collections of `old` it gives exactly those of `new`. Tried in a scratch
    /// database; the collections of the database are not touched.
    ///
    /// # Errors
    /// The outer one is [`StoreError`] if it cannot be tried, as when the user may not make databases; the inner one tells
    /// what is wrong with the migration, one sentence each.
    pub async fn prove(&self, old: &Schema, new: &Schema, text: &str) -> Result<Result<(), Vec<String>>, StoreError> {
        proof::prove(&self.link, old, new, text).await
    }

    /// The name and the version of the server: `MongoDB 6.0.5`.
    pub fn server_version(&self) -> String {
        format!("MongoDB {}", self.link.server().version)
    }
}

/// Refuses what this store does not do.
pub(super) fn cannot(what: &str) -> StoreError {
    StoreError::Unsupported { what: format!("the store {NAME} cannot {what}") }
}

impl Store for MongoStore {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn support(&self, _: &Schema, _: TableId, filter: &Filter) -> Support {
        support(filter)
    }

    fn read(
        &self,
        call: Call,
        plan: Arc<Authorized<Read>>,
        mut sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<ReadDone, StoreError>> {
        async move {
            let counted = read::run(&self.link, &call, &plan, &mut *sink).await?;
            Ok(ReadDone { sink, rows: counted.rows, total: counted.total })
        }
        .boxed()
    }

    fn write(
        &self,
        call: Call,
        plan: Arc<Authorized<Write>>,
        mut sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<WriteDone, StoreError>> {
        async move {
            let done = write::run(&self.link, &call, &plan, &mut *sink).await?;
            Ok(WriteDone { sink, affected: done.affected, inserted: done.inserted })
        }
        .boxed()
    }

    fn transact(&self, call: Call, script: Box<dyn Script>) -> BoxFuture<'_, Result<Box<dyn Script>, StoreError>> {
        async move { write::transact(&self.link, &call, script).await }.boxed()
    }

    fn explain(&self, call: Call, plan: Arc<Authorized<Read>>) -> BoxFuture<'_, Result<Explanation, StoreError>> {
        async move { explain::read(&self.link, &call, &plan).await }.boxed()
    }

    fn explain_write(
        &self,
        call: Call,
        plan: Arc<Authorized<Write>>,
    ) -> BoxFuture<'_, Result<Explanation, StoreError>> {
        async move { write::explain(&self.link, &call, &plan).await }.boxed()
    }

    fn migrate(&self, migration: Migration) -> BoxFuture<'_, Result<(), StoreError>> {
        async move { migrate::apply(&self.link, &migration).await }.boxed()
    }

    fn migrations(&self) -> BoxFuture<'_, Result<Vec<Migrated>, StoreError>> {
        async move { migrate::applied(&self.link).await }.boxed()
    }

    fn drift(&self, schema: Arc<Schema>) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        async move { proof::drift(&self.link, &schema).await }.boxed()
    }

    fn find(&self, deadline: Instant) -> BoxFuture<'_, Result<Schema, StoreError>> {
        async move { found::find(&self.link, deadline).await }.boxed()
    }

    fn tables_version(&self, deadline: Instant) -> BoxFuture<'_, Result<i64, StoreError>> {
        async move { found::version(&self.link, deadline).await }.boxed()
    }

    fn estimate(&self, call: Call, plan: Arc<Authorized<Read>>) -> BoxFuture<'_, Result<Option<Estimate>, StoreError>> {
        async move { explain::estimate(&self.link, &call, &plan).await.map(Some) }.boxed()
    }

    fn statistics(&self, deadline: Instant) -> BoxFuture<'_, Result<Statistics, StoreError>> {
        async move { statistics::look(&self.link, deadline).await }.boxed()
    }

    fn ping(&self, deadline: Instant) -> BoxFuture<'_, Result<(), StoreError>> {
        async move { self.link.ask(deadline, doc! { "ping": 1 }).await.map(drop) }.boxed()
    }

    fn subscribe(&self) -> Subscription {
        self.feed.subscribe()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async move {
            self.link.close().await;
            self.feed.close();
        }
        .boxed()
    }
}
