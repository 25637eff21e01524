//! A store on a server that nobody has reached yet: it is connected to when it is first asked, and again until it answers.
//! So a project of several stores starts, and serves what it can, while one of them is down.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, FutureExt};
use mainstay_query::Authorized;
use mainstay_query::plan::{Filter, Read, Write};
use mainstay_schema::{Schema, TableId};
use mainstay_store::{
    Call, Capabilities, ChangeFeed, Estimate, Explanation, Migrated, Migration, ReadDone, RowSink, Script, Statistics,
    Store, StoreError, Subscription, Support, WriteDone,
};
use tokio::sync::OnceCell;
use tokio::time::timeout_at;

use super::store::{CAPABILITIES, NAME, support};
use super::{MongoOptions, MongoStore};

/// How long nobody tries again after the server was looked for in vain: who waited meanwhile is told at once.
const VAIN_FOR: Duration = Duration::from_secs(1);
/// How long work without a deadline of its own waits for the server.
const REACHED_MAX: Duration = Duration::from_secs(60);

/// A MongoDB database that need not be there yet.
pub struct LateMongoStore {
    options: MongoOptions,
    opened: OnceCell<MongoStore>,
    /// When the server was last looked for in vain.
    vain_at: Mutex<Option<Instant>>,
    is_closed: AtomicBool,
    /// Tells nothing but the end.
    feed: ChangeFeed,
}

impl LateMongoStore {
    /// A store on the server of these options. Nobody is asked anything yet.
    pub fn new(options: MongoOptions) -> LateMongoStore {
        let (opened, vain_at, is_closed, feed) = Default::default();
        LateMongoStore { options, opened, vain_at, is_closed, feed }
    }

    /// The store, once the server has answered.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it does not until `deadline`, or after [`Store::close`].
    pub async fn reached(&self, deadline: Instant) -> Result<&MongoStore, StoreError> {
        if self.is_closed.load(Ordering::Acquire) {
            return Err(StoreError::Unavailable("the store was closed".into()));
        }
        let opening = self.opened.get_or_try_init(|| self.open());
        timeout_at(deadline.into(), opening).await.unwrap_or_else(|_| Err(unanswered()))
    }

    async fn open(&self) -> Result<MongoStore, StoreError> {
        let vain_at = || self.vain_at.lock().unwrap_or_else(PoisonError::into_inner);
        if vain_at().is_some_and(|at| at.elapsed() < VAIN_FOR) {
            return Err(unanswered());
        }
        let opened = MongoStore::open(&self.options).await;
        if opened.is_err() {
            *vain_at() = Some(Instant::now());
        }
        opened
    }

    async fn reached_soon(&self) -> Result<&MongoStore, StoreError> {
        self.reached(Instant::now() + REACHED_MAX).await
    }
}

fn unanswered() -> StoreError {
    StoreError::Unavailable("the server did not answer".into())
}

impl Store for LateMongoStore {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> &Capabilities {
        // Of a server that has no transactions the store itself refuses what needs them.
        self.opened.get().map_or(&CAPABILITIES, |store| store.capabilities())
    }

    fn support(&self, _: &Schema, _: TableId, filter: &Filter) -> Support {
        support(filter)
    }

    fn read(
        &self,
        call: Call,
        plan: Arc<Authorized<Read>>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<ReadDone, StoreError>> {
        match self.opened.get() {
            Some(store) => store.read(call, plan, sink),
            None => async move { self.reached(call.deadline).await?.read(call, plan, sink).await }.boxed(),
        }
    }

    fn write(
        &self,
        call: Call,
        plan: Arc<Authorized<Write>>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<WriteDone, StoreError>> {
        match self.opened.get() {
            Some(store) => store.write(call, plan, sink),
            None => async move { self.reached(call.deadline).await?.write(call, plan, sink).await }.boxed(),
        }
    }

    fn transact(&self, call: Call, script: Box<dyn Script>) -> BoxFuture<'_, Result<Box<dyn Script>, StoreError>> {
        async move { self.reached(call.deadline).await?.transact(call, script).await }.boxed()
    }

    fn explain(&self, call: Call, plan: Arc<Authorized<Read>>) -> BoxFuture<'_, Result<Explanation, StoreError>> {
        async move { self.reached(call.deadline).await?.explain(call, plan).await }.boxed()
    }

    fn explain_write(
        &self,
        call: Call,
        plan: Arc<Authorized<Write>>,
    ) -> BoxFuture<'_, Result<Explanation, StoreError>> {
        async move { self.reached(call.deadline).await?.explain_write(call, plan).await }.boxed()
    }

    fn migrate(&self, migration: Migration) -> BoxFuture<'_, Result<(), StoreError>> {
        async move { self.reached_soon().await?.migrate(migration).await }.boxed()
    }

    fn migrations(&self) -> BoxFuture<'_, Result<Vec<Migrated>, StoreError>> {
        async move { self.reached_soon().await?.migrations().await }.boxed()
    }

    fn drift(&self, schema: Arc<Schema>) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        async move { self.reached_soon().await?.drift(schema).await }.boxed()
    }

    fn find(&self, deadline: Instant) -> BoxFuture<'_, Result<Schema, StoreError>> {
        async move { self.reached(deadline).await?.find(deadline).await }.boxed()
    }

    fn tables_version(&self, deadline: Instant) -> BoxFuture<'_, Result<i64, StoreError>> {
        async move { self.reached(deadline).await?.tables_version(deadline).await }.boxed()
    }

    fn estimate(&self, call: Call, plan: Arc<Authorized<Read>>) -> BoxFuture<'_, Result<Option<Estimate>, StoreError>> {
        async move { self.reached(call.deadline).await?.estimate(call, plan).await }.boxed()
    }

    fn statistics(&self, deadline: Instant) -> BoxFuture<'_, Result<Statistics, StoreError>> {
        async move { self.reached(deadline).await?.statistics(deadline).await }.boxed()
    }

    fn analyze(&self, call: Call, table: TableId) -> BoxFuture<'_, Result<(), StoreError>> {
        async move { self.reached(call.deadline).await?.analyze(call, table).await }.boxed()
    }

    fn ping(&self, deadline: Instant) -> BoxFuture<'_, Result<(), StoreError>> {
        async move { self.reached(deadline).await?.ping(deadline).await }.boxed()
    }

    fn subscribe(&self) -> Subscription {
        self.feed.subscribe()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async move {
            self.is_closed.store(true, Ordering::Release);
            if let Some(store) = self.opened.get() {
                store.close().await;
            }
            self.feed.close();
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_is_not_there_is_told_by_place_and_reason() {
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).unwrap().port();
        let mut options = MongoOptions::parse(&format!("mongodb://127.0.0.1:{port}/shop")).unwrap();
        options.connect_max = Duration::from_millis(500);
        let store = LateMongoStore::new(options);
        let Err(StoreError::Unavailable(why)) = store.migrations().await else { panic!("nobody is there") };
        let told = why.to_string();
        assert!(told.contains(&format!("(127.0.0.1:{port}: I/O error: Connection refused")), "{told}");
        assert!(!told.contains("Topology") && !told.contains("labels"), "{told}");
        // Whoever asks again at once is not made to wait.
        assert!(matches!(store.migrations().await, Err(StoreError::Unavailable(_))));
    }
}
