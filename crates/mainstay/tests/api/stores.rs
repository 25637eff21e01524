//! One API over several stores: customers in SQLite, orders in a second store, events in a third.

mod reads;
mod refusals;
mod writes;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{self, BoxFuture, FutureExt};
use mainstay_http::{AnswerSettings, Cors, RequestLimits};
use mainstay_query::plan::{Filter, Read, Write};
use mainstay_query::split::Support;
use mainstay_query::{Authorized, Limits};
use mainstay_schema::load::{SourceFile, StorePart, load_stores};
use mainstay_schema::{Schema, TableId};
use mainstay_store::{
    Call, Capabilities, Explanation, Federation, MemoryStore, Migrated, Migration, ReadDone, RowSink, Script, Store,
    StoreError, Subscription, WriteDone,
};
use mainstay_stores::SqliteStore;
use mainstay_stores::sqlite::migrate;
use tokio::sync::Notify;

use crate::app::{Reply, TestApp, get, post};

const SCHEMA: &str = r#"
[customers.fields]
id   = { type = "int", primary = true }
name = "text"
boss = { ref = "customers", optional = true }
[customers.access]
read = true

[orders]
store = "sales"
[orders.fields]
id       = { type = "int", primary = true }
customer = { ref = "customers", convert = "text->int", optional = true }
total    = "int"
[orders.access]
read = true

[order_labels]
store   = "sales"
primary = ["order_id", "label_id"]
[order_labels.fields]
order_id = { ref = "orders" }
label_id = { ref = "labels" }
[order_labels.access]
read = true

[events]
store = "docs"
[events.fields]
id       = { type = "int", primary = true }
order_id = { ref = "orders", convert = "bigint->int", optional = true }
kind     = "text"
actor    = { ref = "customers", convert = "text->int", optional = true }
[events.access]
read = true

[labels]
store = "docs"
[labels.fields]
id   = { type = "int", primary = true }
name = "text"

[notes]
store = "docs"
[notes.fields]
id       = { type = "int", primary = true }
event_id = { ref = "events", on_delete = "cascade" }
text     = "text"
"#;

/// An app over three stores, two of which can be made to fail.
struct Shop {
    app: TestApp,
    sales: Arc<Frail>,
    docs: Arc<Frail>,
}

impl Shop {
    async fn open() -> Shop {
        Shop::with_rows_max(10_000).await
    }

    async fn with_rows_max(rows_max: u64) -> Shop {
        Shop::with_limits(rows_max, RequestLimits::default()).await
    }

    async fn with_limits(rows_max: u64, limits: RequestLimits) -> Shop {
        let file = SourceFile { path: "schema/shop.toml".into(), text: SCHEMA.to_owned() };
        let part = |name| StorePart { name, found: None };
        let schema = load_stores(&[file], &[part(None), part(Some("sales")), part(Some("docs"))]);
        let schema = schema.unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
        let own = schema.only(None);
        let main = SqliteStore::open_temporary().unwrap();
        let name = "20260101T000000_all".to_owned();
        main.migrate(Migration { name, sql: migrate::create(&own), schema: own.to_json() }).await.unwrap();
        let frail = |name| {
            let inner = MemoryStore::with_schema(schema.seen_by(Some(name)).unwrap().clone());
            let (is_down, fails_reads) = (AtomicBool::new(false), AtomicBool::new(false));
            Arc::new(Frail { inner, is_down, fails_reads, gate: Gate::default() })
        };
        let (sales, docs) = (frail("sales"), frail("docs"));
        let stores: Vec<(Arc<str>, Arc<dyn Store>)> =
            vec![("main".into(), Arc::new(main)), ("sales".into(), sales.clone()), ("docs".into(), docs.clone())];
        let federation = Arc::new(Federation::new(stores).with_rows_max(rows_max));
        let language = Limits { aggregates: true, ..Limits::default() };
        let answers = AnswerSettings::default();
        let shop =
            Shop { app: TestApp::speaking(schema, federation, language, limits, Cors::Any, answers), sales, docs };
        for (table, rows) in ROWS {
            assert_eq!(shop.app.send(post(table, *rows)).await.status, 201, "{table}");
        }
        shop
    }

    /// Checks what a URL gives.
    async fn check(&self, url: &str, expected: &str) {
        let reply = self.app.send(get(url)).await;
        assert_eq!((reply.status, reply.body.as_str()), (200, expected), "{url}");
    }

    /// Checks that a URL is refused, with this code and these words somewhere in the answer.
    async fn refused(&self, url: &str, status: u16, code: &str, words: &[&str]) {
        is_refused(&self.app.send(get(url)).await, status, code, words);
    }
}

fn is_refused(reply: &Reply, status: u16, code: &str, words: &[&str]) {
    assert_eq!((reply.status, reply.code().as_str()), (status, code), "{}", reply.body);
    for word in words {
        assert!(reply.body.contains(word), "{word}: {}", reply.body);
    }
}

const ROWS: &[(&str, &str)] = &[
    (
        "customers",
        r#"[{"id":1,"name":"Ann","boss":null},{"id":2,"name":"Bob","boss":1},{"id":3,"name":"Cid","boss":1}]"#,
    ),
    (
        "orders",
        r#"[{"id":10,"customer":"1","total":5},{"id":11,"customer":"1","total":7},{"id":12,"customer":"2","total":9},
            {"id":13,"customer":"007","total":1},{"id":14,"customer":null,"total":2}]"#,
    ),
    (
        "events",
        r#"[{"id":100,"order_id":10,"kind":"paid","actor":"2"},{"id":101,"order_id":10,"kind":"sent","actor":"3"},
            {"id":102,"order_id":12,"kind":"paid","actor":"x"},{"id":103,"order_id":9999999999,"kind":"lost","actor":null}]"#,
    ),
    ("labels", r#"[{"id":1,"name":"new"},{"id":2,"name":"big"}]"#),
    ("order_labels", r#"[{"order_id":10,"label_id":1},{"order_id":10,"label_id":2},{"order_id":12,"label_id":2}]"#),
    ("notes", r#"[{"id":1,"event_id":101,"text":"late"}]"#),
];

/// A memory store that can be made to fail.
struct Frail {
    inner: MemoryStore,
    is_down: AtomicBool,
    /// Whether reads fail, though it answers whoever asks whether it is there.
    fails_reads: AtomicBool,
    gate: Gate,
}

/// Where reads wait.
#[derive(Default)]
struct Gate {
    is_shut: AtomicBool,
    arrived: Notify,
    opened: Notify,
}

impl Frail {
    /// Holds back the reads that come.
    fn shut(&self) {
        self.gate.is_shut.store(true, Ordering::Relaxed);
    }

    /// Waits until one is held back.
    async fn arrived(&self) {
        let arrived = self.gate.arrived.notified();
        tokio::time::timeout(Duration::from_secs(20), arrived).await.expect("a read comes");
    }

    /// Lets the one go on that is held back, and all that come.
    fn open(&self) {
        self.gate.is_shut.store(false, Ordering::Relaxed);
        self.gate.opened.notify_one();
    }

    fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::Relaxed);
    }

    fn fail_reads(&self, fails: bool) {
        self.fails_reads.store(fails, Ordering::Relaxed);
    }

    /// What it does, or that it is down.
    fn done<'f, T: Send + 'f>(
        &self,
        done: BoxFuture<'f, Result<T, StoreError>>,
    ) -> BoxFuture<'f, Result<T, StoreError>> {
        match self.is_down.load(Ordering::Relaxed) {
            true => future::ready(Err(StoreError::Unavailable("hidden".into()))).boxed(),
            false => done,
        }
    }
}

impl Store for Frail {
    fn name(&self) -> &'static str {
        "frail"
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
        if self.fails_reads.load(Ordering::Relaxed) {
            return future::ready(Err(StoreError::Overloaded)).boxed();
        }
        let read = self.done(self.inner.read(call, plan, sink));
        if !self.gate.is_shut.load(Ordering::Relaxed) {
            return read;
        }
        async move {
            self.gate.arrived.notify_one();
            self.gate.opened.notified().await;
            read.await
        }
        .boxed()
    }

    fn write(
        &self,
        call: Call,
        plan: Arc<Authorized<Write>>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'_, Result<WriteDone, StoreError>> {
        self.done(self.inner.write(call, plan, sink))
    }

    fn transact(&self, call: Call, script: Box<dyn Script>) -> BoxFuture<'_, Result<Box<dyn Script>, StoreError>> {
        self.done(self.inner.transact(call, script))
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
        self.done(self.inner.migrations())
    }

    fn subscribe(&self) -> Subscription {
        self.inner.subscribe()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.inner.close()
    }
}
