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
    Call, Capabilities, DatabaseError, Explanation, MemoryStore, Migrated, Migration, ReadDone, RowSink, Script, Store,
    StoreError, Subscription, WriteDone,
};

use crate::app::{TestApp, get, schema};

const WELL: u8 = 0;
const PANICS: u8 = 1;
const HANGS: u8 = 2;
const FAILS: u8 = 3;
/// From here on, the failures of [`FAILURES`].
const FAILS_WITH: u8 = 4;

/// An error of a store, and what the caller is told: status, code, message, whether to come again.
type Failure = (fn() -> StoreError, u16, &'static str, &'static str, bool);

const FAILURES: &[Failure] = &[
    (|| StoreError::Unavailable("hidden".into()), 503, "PGRST000", "Database connection error.", true),
    (
        || StoreError::Down { store: "docs".into(), cause: "hidden".into() },
        503,
        "PGRST000",
        "the store docs is unavailable",
        true,
    ),
    (
        || StoreError::TooManyRows { table: "toys".into(), store: "docs".into(), max: 10_000 },
        400,
        "MS403",
        "more than 10000 rows of \"toys\" in the store docs would have to be joined with those of another store",
        false,
    ),
    (
        || StoreError::AfterWrite(Box::new(StoreError::Overloaded)),
        502,
        "MS502",
        "the rows were written, but what belongs to them in other stores could not be read",
        false,
    ),
    (|| StoreError::SchemaChanged("hidden".into()), 503, "PGRST002", "the store's tables differ from the schema", true),
    (|| StoreError::CannotWrite("hidden".into()), 503, "53100", "the store cannot write", true),
    (|| StoreError::Overloaded, 503, "53300", "the store is busy", true),
    (|| StoreError::Deadline, 500, "57014", "canceling statement due to statement timeout", false),
    (|| StoreError::Raised { message: "not on Sundays".to_owned() }, 400, "P0001", "not on Sundays", false),
    (|| StoreError::NoText, 400, "22021", "invalid byte sequence for encoding \"UTF8\"", false),
    (|| StoreError::Computed { column: "sum".into() }, 400, "428C9", "cannot write a value into column \"sum\"", false),
    (
        || StoreError::Check { table: "toys".into(), check: "cheap".to_owned() },
        400,
        "23514",
        "new row for relation \"toys\" violates check constraint \"cheap\"",
        false,
    ),
    (
        || StoreError::Function { function: "f".into(), message: "no such thing".to_owned() },
        400,
        "22000",
        "no such thing",
        false,
    ),
    (
        || StoreError::Unsupported { what: "Not on this store.".to_owned() },
        400,
        "PGRST127",
        "Feature not implemented",
        false,
    ),
    (
        || words("22P02", "invalid input syntax for type inet: \"x\""),
        400,
        "22P02",
        "invalid input syntax for type inet: \"x\"",
        false,
    ),
    (|| words("40001", "could not serialize access"), 500, "40001", "could not serialize access", false),
    (|| words("53200", "out of memory"), 503, "53200", "out of memory", true),
    (|| words("PT402", "Pay first"), 402, "PT402", "Pay first", false),
    (|| words("PT999999", "No such status"), 500, "PT999999", "No such status", false),
    (|| words("PGRST", r#"{"code":"X1","message":"Mine"}"#), 418, "X1", "Mine", false),
    (
        || words("PGRST", "no JSON"),
        500,
        "PGRST121",
        "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error",
        false,
    ),
];

/// A refusal in a database's own words.
fn words(code: &str, message: &str) -> StoreError {
    StoreError::Database(Box::new(DatabaseError {
        code: code.into(),
        message: message.to_owned(),
        details: Some(r#"{"status":418,"headers":{"X-Mine":"yes"}}"#.to_owned()),
        hint: Some("a hint".to_owned()),
    }))
}

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
            WELL => self.inner.read(call, plan, sink),
            fault => future::ready(Err(FAILURES[usize::from(fault - FAILS_WITH)].0())).boxed(),
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

/// rest.md 16.2 and 16.3: each failure of a store has its code; 503 says when to come again (16.1).
#[tokio::test]
async fn each_failure_has_its_code() {
    let (app, store) = faulty(RequestLimits::default());
    for (fault, (_, status, code, message, again)) in (FAILS_WITH..).zip(FAILURES) {
        store.fault.store(fault, Ordering::Relaxed);
        let reply = app.send(get("toys")).await;
        assert_eq!((reply.status, reply.code().as_str()), (*status, *code), "{}", reply.body);
        let body: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!(body["message"], *message);
        assert!(!reply.body.contains("hidden"), "{}", reply.body);
        assert_eq!(reply.header("retry-after"), if *again { "1" } else { "" });
        assert_eq!(reply.header("proxy-status"), format!("PostgREST; error={code}"));
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
