//! A database of one test, and the API of a project over it, in process.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use mainstay::config::Override;
use mainstay::migrations::{self, Allow};
use mainstay::project::Project;
use mainstay::transfer::{SeedMode, seed};
use mainstay::wire;
use mainstay_http::{App, router};
use mainstay_stores::PostgresOptions;
use mainstay_stores::postgres::Pool;
use serde_json::Value;
use tower::ServiceExt;

/// The URL of the server; without it the tests fail, since nobody should take what did not run for what passed.
fn server() -> String {
    let name = "MAINSTAY_TEST_POSTGRES_URL";
    std::env::var(name)
        .unwrap_or_else(|_| panic!("not run: no PostgreSQL server; cargo xtask test starts one ({name} is not set)"))
}

/// The server's URL with another database.
fn url_of(database: &str) -> String {
    let server = server();
    let (base, parameters) = server.split_once('?').unwrap_or((&server, ""));
    let (base, _) = base.rsplit_once('/').unwrap();
    format!("{base}/{database}?{parameters}")
}

/// Runs statements in the database of a URL.
pub(crate) async fn run(url: &str, sql: &str) {
    let pool = Pool::new(PostgresOptions::parse(url).unwrap()).unwrap();
    let mut session = pool.session(Instant::now() + Duration::from_secs(120)).await.unwrap();
    session.batch_execute(sql).await.unwrap_or_else(|failure| panic!("{:?}", failure.server()));
    drop(session);
    pool.close().await;
}

/// A database that goes when the test is over.
pub(crate) struct Database {
    name: String,
}

impl Database {
    pub(crate) async fn new(sql: &str) -> Database {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("mainstay_test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        run(&server(), &format!("CREATE DATABASE {name}")).await;
        let database = Database { name };
        run(&database.url(), sql).await;
        database
    }

    pub(crate) fn url(&self) -> String {
        url_of(&self.name)
    }

    /// What another program does in it.
    pub(crate) async fn run(&self, sql: &str) {
        run(&self.url(), sql).await;
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(run(&server(), &drop));
        };
        // A test may be over inside a runtime of its own.
        let _ = std::thread::spawn(work).join();
    }
}

/// The API of a project.
pub(crate) struct Api {
    app: App,
    pub(crate) project: Project,
    secret: String,
    publishable: String,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Api {
    /// The project in a folder, over the database of a URL; its tables are made and filled where they are declared.
    pub(crate) async fn of(folder: &Path, url: &str) -> Api {
        let set = |section, name, text: &str| Override::new(section, name, text).unwrap();
        let overrides = [set("stores.main", "url", url), set("rest", "aggregates", "on")];
        let project = Project::open(folder, &overrides).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
        let engine = wire::engine(&project).unwrap();
        if !project.settings.store.introspect {
            migrations::sync(&project, &**engine.store(), Allow::Safe).await.unwrap();
            seed(&**engine.store(), &project.schema, &project.seed_folder(), SeedMode::Empty).await.unwrap();
        }
        let secrets = project.secrets().unwrap();
        let app = wire::app(&project, engine).unwrap();
        let (secret, publishable) = (secrets.secret.expose().to_owned(), secrets.publishable.expose().to_owned());
        Api { app, project, secret, publishable }
    }

    /// A database that was found, in a folder without files.
    pub(crate) async fn over(url: &str) -> Api {
        let folder = tempfile::tempdir().unwrap();
        Api::of(folder.path(), url).await
    }

    async fn ask(&self, method: &str, url: String, key: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut request = Request::builder().method(method).uri(url).header("host", "test").header("apikey", key);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(axum::body::Body::from(body.to_owned())).unwrap();
        let (head, body) = router(self.app.clone()).oneshot(request).await.unwrap().into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Reply { status: head.status.as_u16(), headers: head.headers, body }
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        self.ask(method, format!("/rest/v1/{path}"), &self.secret, headers, body).await
    }

    pub(crate) async fn anonymous(&self, method: &str, path: &str, body: &str) -> u16 {
        self.ask(method, format!("/rest/v1/{path}"), &self.publishable, &[], body).await.status
    }

    pub(crate) async fn health(&self) -> Reply {
        self.ask("GET", "/health/ready".to_owned(), "none", &[], "").await
    }

    /// The rows of a read.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> impl Future<Output = String> {
        let place = std::panic::Location::caller();
        async move {
            let reply = self.send("GET", path, &[], "").await;
            assert_eq!(reply.status, 200, "{path} at {place}: {}", reply.body);
            reply.body
        }
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.get(path).await).unwrap()
    }

    /// Status and code of what is refused.
    pub(crate) async fn refused(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let reply = self.send(method, path, &[], body).await;
        let code = serde_json::from_str::<Value>(&reply.body).unwrap_or_default()["code"].as_str().map(str::to_owned);
        (reply.status, code.unwrap_or(reply.body))
    }

    /// A write that gives its rows back.
    pub(crate) async fn write(&self, method: &str, path: &str, prefer: &str, body: &str) -> String {
        let prefer = format!("return=representation,{prefer}");
        let reply = self.send(method, path, &[("prefer", &prefer)], body).await;
        assert!(reply.status < 300, "{method} {path}: {} {}", reply.status, reply.body);
        reply.body
    }
}
