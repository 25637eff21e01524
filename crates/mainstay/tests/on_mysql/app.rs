//! A database of one test on each of the servers.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use mainstay_stores::MysqlOptions;
use mainstay_stores::mysql::Pool;

/// The URLs of the servers; without them the tests fail, since nobody should take what did not run for what passed.
fn servers() -> [String; 2] {
    ["MAINSTAY_TEST_MARIADB_URL", "MAINSTAY_TEST_MYSQL_URL"].map(|name| {
        std::env::var(name)
            .unwrap_or_else(|_| panic!("not run: no server; cargo xtask test starts one ({name} is not set)"))
    })
}

/// Runs statements in the database of a URL.
async fn run(url: &str, sql: &str) {
    let pool = Pool::new(MysqlOptions::parse(url).unwrap()).unwrap();
    let mut session = pool.session(Instant::now() + Duration::from_secs(120)).await.unwrap();
    session.batch_execute(sql).await.unwrap_or_else(|failure| panic!("{sql:.200}: {:?}", failure.server()));
    drop(session);
    pool.close().await;
}

/// A database that goes when the test is over.
pub(crate) struct Database {
    server: String,
    name: String,
}

impl Database {
    async fn new(server: String, sql: &str) -> Database {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("mainstay_test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        // Text is compared as the server's own tools would have it, without regard to case.
        run(&format!("{server}mysql"), &format!("CREATE DATABASE {name} CHARACTER SET utf8mb4")).await;
        let database = Database { server, name };
        if !sql.is_empty() {
            database.run(sql).await;
        }
        database
    }

    /// Another one on the same server.
    pub(crate) async fn other(&self, sql: &str) -> Database {
        Database::new(self.server.clone(), sql).await
    }

    pub(crate) fn url(&self) -> String {
        format!("{}{}", self.server, self.name)
    }

    /// What another program does in it.
    pub(crate) async fn run(&self, sql: &str) {
        run(&self.url(), sql).await;
    }

    /// The name of the server, as the program tells it before its version.
    pub(crate) fn product(&self) -> &'static str {
        if self.server == servers()[0] { "MariaDB" } else { "MySQL" }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, drop) = (format!("{}mysql", self.server), format!("DROP DATABASE {}", self.name));
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(run(&server, &drop));
        };
        // A test may be over inside a runtime of its own.
        let _ = std::thread::spawn(work).join();
    }
}

/// Runs a test on both servers, on a database in which these statements were run.
pub(crate) async fn on_each<F: Future<Output = ()>>(sql: &str, test: impl Fn(Database) -> F) {
    for server in servers() {
        test(Database::new(server, sql).await).await;
    }
}
