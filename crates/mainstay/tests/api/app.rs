//! An app over each store, with the same few rows, and the way to ask it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::BodyExt;
use mainstay_engine::{Engine, SeededClock};
use mainstay_http::{AnswerSettings, App, Cors, Description, Keys, RequestLimits, TxEnd, router};
use mainstay_query::Limits;
use mainstay_schema::Schema;
use mainstay_schema::load::{SourceFile, load};
use mainstay_store::{MemoryStore, Store};
use mainstay_stores::SqliteStore;
use mainstay_stores::sqlite::migrate;
use tower::ServiceExt;

pub(crate) const PUBLISHABLE: &str = "ms_publishable_for_the_tests";
pub(crate) const SECRET: &str = "ms_secret_for_the_tests";
pub(crate) const JWT_SECRET: &str = "0123456789abcdef0123456789abcdef";

const SCHEMA: &str = r#"
[makers.fields]
id   = { type = "int", primary = true }
name = { type = "text", unique = true }

[makers.access]
read = true

[toys.fields]
id       = { type = "int", primary = true, default = "sequence" }
name     = { type = "text", min = 1, max = 40 }
maker_id = { ref = "makers", optional = true, on_delete = "set null" }
price    = { type = "decimal(8,2)", min = 0, default = "1.00" }
pieces   = { type = "bigint", optional = true }
weight   = { type = "float", optional = true }
sold     = { type = "bool", default = false }
since    = { type = "date", optional = true }
seen_at  = { type = "timestamp", optional = true }
tags     = { type = "text[]", default = [] }
info     = { type = "json", optional = true }
color    = { enum = ["red", "blue"], optional = true }

[toys.indexes]
words = { fulltext = ["name", "color"], language = "english" }

[toys.access]
read   = true
create = true

[parts]
primary = ["toy_id", "number"]

[parts.fields]
toy_id = { ref = "toys", on_delete = "cascade" }
number = { type = "int" }
label  = { type = "text", optional = true }

[parts.access]
read   = true
create = true
update = true
delete = true

[letters.fields]
"first word" = { type = "text", optional = true }
from_id = { ref = "makers", optional = true }
to_id   = { ref = "makers", optional = true }

[letters.access]
create = true
"#;

/// An app over one store.
pub(crate) struct TestApp {
    app: App,
    pub(crate) store: Arc<dyn Store>,
}

impl TestApp {
    /// One over each store, with the same rows.
    pub(crate) async fn each() -> Vec<TestApp> {
        TestApp::each_with(RequestLimits::default(), Cors::Any).await
    }

    /// One over each store, whose language is changed.
    pub(crate) async fn each_speaking(change: impl Fn(&mut Limits)) -> Vec<TestApp> {
        let mut apps = TestApp::each().await;
        for test in &mut apps {
            let mut limits = Limits::default();
            change(&mut limits);
            *test = TestApp::speaking(
                schema(),
                test.store.clone(),
                limits,
                RequestLimits::default(),
                Cors::Any,
                AnswerSettings::default(),
            );
        }
        apps
    }

    pub(crate) async fn each_with(limits: RequestLimits, cors: Cors) -> Vec<TestApp> {
        let apps = TestApp::each_of(&schema(), &limits, &cors).await;
        for test in &apps {
            test.fill().await;
        }
        apps
    }

    /// One over each store, without rows, of these tables.
    pub(crate) async fn each_over(toml: &str) -> Vec<TestApp> {
        TestApp::each_of(&schema_of(toml), &RequestLimits::default(), &Cors::Any).await
    }

    async fn each_of(schema: &Schema, limits: &RequestLimits, cors: &Cors) -> Vec<TestApp> {
        let memory: Arc<dyn Store> = Arc::new(MemoryStore::with_schema(Arc::new(schema.clone())));
        let sqlite: Arc<dyn Store> = Arc::new(SqliteStore::open_temporary().unwrap());
        let migration = mainstay_store::Migration {
            name: "20260101T000000_all".to_owned(),
            sql: migrate::create(schema),
            schema: schema.to_json(),
        };
        sqlite.migrate(migration).await.unwrap();
        let over = |store| TestApp::over(schema.clone(), store, limits.clone(), cors.clone());
        [memory, sqlite].into_iter().map(over).collect()
    }

    pub(crate) fn over(schema: Schema, store: Arc<dyn Store>, limits: RequestLimits, cors: Cors) -> TestApp {
        TestApp::speaking(schema, store, Limits::default(), limits, cors, AnswerSettings::default())
    }

    pub(crate) fn over_with(
        schema: Schema,
        store: Arc<dyn Store>,
        limits: RequestLimits,
        cors: Cors,
        answers: AnswerSettings,
    ) -> TestApp {
        TestApp::speaking(schema, store, Limits::default(), limits, cors, answers)
    }

    pub(crate) fn speaking(
        schema: Schema,
        store: Arc<dyn Store>,
        language: Limits,
        limits: RequestLimits,
        cors: Cors,
        answers: AnswerSettings,
    ) -> TestApp {
        let clock = Arc::new(SeededClock::new(1_790_000_000, 7));
        let engine = Engine::with_clock(schema, store.clone(), language, clock);
        let keys = Keys::new(PUBLISHABLE, SECRET, JWT_SECRET).unwrap();
        TestApp { app: App::new(Arc::new(engine), keys, limits, cors).with_answers(answers), store }
    }

    /// One over the memory store that tells this of itself.
    pub(crate) async fn describing(toml: &str, description: Description) -> TestApp {
        let schema = schema_of(toml);
        let store: Arc<dyn Store> = Arc::new(MemoryStore::with_schema(Arc::new(schema.clone())));
        let engine = Engine::new(schema, store.clone(), Limits::default());
        let keys = Keys::new(PUBLISHABLE, SECRET, JWT_SECRET).unwrap();
        let app = App::described(Arc::new(engine), keys, RequestLimits::default(), Cors::Any, description);
        TestApp { app, store }
    }

    pub(crate) async fn fill(&self) {
        let makers = r#"[{"id":1,"name":"Oak"},{"id":2,"name":"Pine"}]"#;
        assert_eq!(self.send(post("makers", makers)).await.status, 201);
        let toys = r#"[
            {"name":"train","maker_id":1,"price":12.5,"pieces":9007199254740993,"weight":0.5,"sold":true,
             "since":"2020-02-29","seen_at":"2026-01-02T03:04:05.6+01:00","tags":["wood","a,b"],
             "info":{"b":[1,null],"a":{"c":"é"}},"color":"red"},
            {"name":"kite","maker_id":2,"price":3,"pieces":null,"weight":null,"sold":false,
             "since":null,"seen_at":null,"tags":[],"info":null,"color":null},
            {"name":"top","maker_id":null,"price":0.05,"pieces":3,"weight":1e-7,"sold":false,
             "since":null,"seen_at":null,"tags":[],"info":[],"color":"blue"}]"#;
        assert_eq!(self.send(post("toys", toys)).await.status, 201);
        let parts = r#"[{"toy_id":1,"number":1,"label":"wheel"},{"toy_id":1,"number":2,"label":null}]"#;
        assert_eq!(self.send(post("parts", parts)).await.status, 201);
    }

    /// The same app, whose writes end like this.
    pub(crate) fn with_tx_end(self, tx_end: TxEnd) -> TestApp {
        let answers = AnswerSettings { tx_end, ..AnswerSettings::default() };
        TestApp { app: self.app.with_answers(answers), store: self.store }
    }

    /// The same rows, to holders of other keys.
    pub(crate) fn with_keys(self, keys: Keys) -> TestApp {
        let engine = self.app.engine().clone();
        TestApp { app: App::new(engine, keys, RequestLimits::default(), Cors::Any), store: self.store }
    }

    pub(crate) fn app(&self) -> App {
        self.app.clone()
    }

    /// Sends one request through the whole application.
    pub(crate) async fn send(&self, ask: Ask) -> Reply {
        let response = router(self.app.clone()).oneshot(ask.request()).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).expect("every answer is UTF-8");
        Reply { status: head.status.as_u16(), headers: head.headers, body, store: self.store.name() }
    }
}

pub(crate) fn schema() -> Schema {
    schema_of(SCHEMA)
}

fn schema_of(toml: &str) -> Schema {
    let file = SourceFile { path: "schema/test.toml".into(), text: toml.to_owned() };
    load(&[file]).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"))
}

/// Sends a request to every store and checks status and body.
pub(crate) async fn check(apps: &[TestApp], ask: Ask, status: u16, body: &str) {
    for app in apps {
        let reply = app.send(ask.clone()).await;
        assert_eq!((reply.status, reply.body.as_str()), (status, body), "{} on {}", ask.name(), reply.store);
    }
}

/// Sends a request to every store and checks status and code of the error.
pub(crate) async fn check_error(apps: &[TestApp], ask: Ask, status: u16, code: &str) {
    for app in apps {
        let reply = app.send(ask.clone()).await;
        let found = (reply.status, reply.code());
        assert_eq!(found, (status, code.to_owned()), "{} on {}: {}", ask.name(), reply.store, reply.body);
    }
}

/// A request; by the secret key unless said otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    method: Method,
    url: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Bytes,
}

pub(crate) fn ask(method: &str, url: &str) -> Ask {
    let url = if url.starts_with('/') { url.to_owned() } else { format!("/rest/v1/{url}") };
    let headers = vec![("apikey".to_owned(), SECRET.into()), ("host".to_owned(), "test".into())];
    Ask { method: method.parse().unwrap(), url, headers, body: Bytes::new() }
}

pub(crate) fn get(url: &str) -> Ask {
    ask("GET", url)
}

pub(crate) fn post(url: &str, body: impl Into<Bytes>) -> Ask {
    ask("POST", url).body(body)
}

impl Ask {
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Ask {
        self.headers.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    pub(crate) fn prefer(self, value: &str) -> Ask {
        self.header("prefer", value)
    }

    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Ask {
        self.body = body.into();
        self
    }

    /// Without the secret key.
    pub(crate) fn keyless(mut self) -> Ask {
        self.headers.retain(|(name, _)| name != "apikey");
        self
    }

    /// To a server of this name.
    pub(crate) fn named(mut self, host: &str) -> Ask {
        self.headers.retain(|(name, _)| name != "host");
        self.header("host", host)
    }

    /// By the publishable key.
    pub(crate) fn anon(self) -> Ask {
        self.keyless().header("apikey", PUBLISHABLE)
    }

    pub(crate) fn name(&self) -> String {
        format!("{} {} {:?}", self.method, self.url, self.body)
    }

    pub(crate) fn request(self) -> Request<axum::body::Body> {
        let mut request = Request::builder().method(self.method).uri(self.url);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        request.body(axum::body::Body::from(self.body)).unwrap()
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) store: &'static str,
}

impl Reply {
    /// A header as text; empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The code of an error.
    pub(crate) fn code(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        body["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A token that this project would sign, with these claims.
pub(crate) fn token(claims: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use hmac::{Hmac, KeyInit, Mac};

    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#), URL_SAFE_NO_PAD.encode(claims));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(JWT_SECRET.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// Limits that a test can reach.
pub(crate) fn small_limits() -> RequestLimits {
    RequestLimits {
        body_bytes_max: 1000,
        body_time: Duration::from_millis(200),
        url_bytes_max: 300,
        headers_max: 8,
        head_bytes_max: 600,
        response_bytes_max: 500,
        ..RequestLimits::default()
    }
}
