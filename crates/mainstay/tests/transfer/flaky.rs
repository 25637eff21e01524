//! A store whose writes stop working after a while, as if the process had been killed between two of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures_util::future::BoxFuture;
use mainstay_query::Authorized;
use mainstay_query::plan::{Filter, Read, Write};
use mainstay_schema::{Schema, TableId};
use mainstay_store::{
    Call, Capabilities, Explanation, Migrated, Migration, ReadDone, RowSink, Script, Store, StoreError, Subscription,
    Support, WriteDone,
};

pub(crate) struct Flaky {
    pub(crate) inner: Arc<dyn Store>,
    /// Writes that still work.
    pub(crate) writes_left: AtomicI64,
}

impl Store for Flaky {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    fn support(&self, schema: &Schema, table: TableId, filter: &Filter) -> Support {
        self.inner.support(schema, table, filter)
    }

    fn read(
        &self,
        call: Call,
        plan: Arc<Authorized<Read>>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<ReadDone, StoreError>> {
        self.inner.read(call, plan, sink)
    }

    fn write(
        &self,
        call: Call,
        plan: Arc<Authorized<Write>>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<WriteDone, StoreError>> {
        if self.writes_left.fetch_sub(1, Ordering::SeqCst) <= 0 {
            return Box::pin(async { Err(StoreError::Unavailable("gone".into())) });
        }
        self.inner.write(call, plan, sink)
    }

    fn transact(&self, call: Call, script: Box<dyn Script>) -> BoxFuture<'_, Result<Box<dyn Script>, StoreError>> {
        self.inner.transact(call, script)
    }

    fn explain(&self, call: Call, plan: Arc<Authorized<Read>>) -> BoxFuture<'_, Result<Explanation, StoreError>> {
        self.inner.explain(call, plan)
    }

    fn explain_write(
        &self,
        call: Call,
        plan: Arc<Authorized<Write>>,
    ) -> BoxFuture<'_, Result<Explanation, StoreError>> {
        self.inner.explain_write(call, plan)
    }

    fn migrate(&self, migration: Migration) -> BoxFuture<'_, Result<(), StoreError>> {
        self.inner.migrate(migration)
    }

    fn migrations(&self) -> BoxFuture<'_, Result<Vec<Migrated>, StoreError>> {
        self.inner.migrations()
    }

    fn subscribe(&self) -> Subscription {
        self.inner.subscribe()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.inner.close()
    }
}
