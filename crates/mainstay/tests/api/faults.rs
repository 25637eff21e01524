//! A store that panics, hangs or fails: what the caller is told, and that nobody else is hurt.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use futures_util::future::{self, BoxFuture, FutureExt};
use mainstay_http::RequestLimits;
use mainstay_query::Authorized;
use mainstay_query::plan::{Filter, Read, Write};
use mainstay_query::split::Support;
use mainstay_schema::{Schema, TableId};
use mainstay_store::{
    Call, Capabilities, Explanation, MemoryStore, Migrated, Migration, ReadDone, RowSink, Script, Store, StoreError,
    Subscription, WriteDone,
};

use crate::app::{TestApp, get, schema};

const WELL: u8 = 0;
const PANICS: u8 = 1;
const HANGS: u8 = 2;
const FAILS: u8 = 3;

/// A memory store whose reads have a fault.
struct Faulty {
    inner: MemoryStore,
    fault: AtomicU8,
}

impl Store for Faulty {
    fn name(&self) -> &'static str {
        "faulty"
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
        match self.fault.load(Ordering::Relaxed) {
            PANICS => panic!("the store's hidden reason"),
            HANGS => future::pending().boxed(),
            FAILS => future::ready(Err(StoreError::Internal("the store's hidden reason".into()))).boxed(),
            _ => self.inner.read(call, plan, sink),
        }
    }

    fn write(
        &self,
        call: Call,
        plan: Arc<Authorized<Write>>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<WriteDone, StoreError>> {
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

fn faulty(limits: RequestLimits) -> (TestApp, Arc<Faulty>) {
    let schema = schema();
    let inner = MemoryStore::with_schema(Arc::new(schema.clone()));
    let store = Arc::new(Faulty { inner, fault: AtomicU8::new(WELL) });
    (TestApp::over(schema, store.clone(), limits, mainstay_http::Cors::Any), store)
}

#[tokio::test]
async fn a_panic_or_an_unknown_failure_ends_one_request_and_tells_no_reason() {
    let (app, store) = faulty(RequestLimits::default());
    for fault in [PANICS, FAILS] {
        store.fault.store(fault, Ordering::Relaxed);
        let reply = app.send(get("toys")).await;
        assert_eq!((reply.status, reply.code().as_str()), (500, "XX000"), "{}", reply.body);
        assert!(!reply.body.contains("hidden"), "{}", reply.body);
        let id = reply.header("x-request-id");
        assert!(reply.body.contains(id), "{} does not name {id}", reply.body);
        store.fault.store(WELL, Ordering::Relaxed);
        assert_eq!(app.send(get("toys")).await.status, 200);
    }
}

#[tokio::test]
async fn a_request_that_hangs_is_given_up() {
    let (app, store) = faulty(RequestLimits { handler_time: Duration::from_millis(50), ..RequestLimits::default() });
    store.fault.store(HANGS, Ordering::Relaxed);
    let reply = app.send(get("toys")).await;
    assert_eq!((reply.status, reply.code().as_str()), (504, "MS504"), "{}", reply.body);
}

#[tokio::test]
async fn requests_above_the_limit_are_told_to_come_again_and_health_still_answers() {
    let (app, store) = faulty(RequestLimits { in_flight_max: 1, ..RequestLimits::default() });
    store.fault.store(HANGS, Ordering::Relaxed);
    let hanging = app.send(get("toys"));
    let others = async {
        let reply = app.send(get("toys")).await;
        assert_eq!((reply.status, reply.code().as_str(), reply.header("retry-after")), (503, "MS503", "1"));
        assert_eq!(app.send(get("/health/ready").keyless()).await.status, 200);
    };
    tokio::select! {
        biased;
        _ = hanging => panic!("it hangs"),
        () = others => {}
    }
    store.fault.store(WELL, Ordering::Relaxed);
    assert_eq!(app.send(get("toys")).await.status, 200, "a request that was dropped gives its place back");
}
