//! A database of one test.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use mainstay_stores::PostgresOptions;
use mainstay_stores::postgres::Pool;

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

    /// Another one on the same server.
    pub(crate) async fn other(&self, sql: &str) -> Database {
        Database::new(sql).await
    }

    pub(crate) fn url(&self) -> String {
        url_of(&self.name)
    }

    /// The name of the server, as the program tells it before its version.
    pub(crate) fn product(&self) -> &'static str {
        "PostgreSQL"
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

/// Runs a test on a database in which these statements were run.
pub(crate) async fn on_each<F: Future<Output = ()>>(sql: &str, test: impl Fn(Database) -> F) {
    test(Database::new(sql).await).await;
}
