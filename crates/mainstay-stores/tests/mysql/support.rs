//! Where the servers are, and short ways to ask them something.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use mainstay_stores::MysqlOptions;
use mainstay_stores::mysql::{Pool, Session};

/// Both servers, by the variables that tell where they are.
pub(crate) const SERVERS: [&str; 2] = ["MAINSTAY_TEST_MARIADB_URL", "MAINSTAY_TEST_MYSQL_URL"];

/// A setting of the tests; without it they fail, since nobody should take what did not run for what passed.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("not run: no server; cargo xtask test starts one ({name} is not set)"))
}

/// The server's own database, where others are made.
pub(crate) fn options(name: &str) -> MysqlOptions {
    MysqlOptions::parse(&(variable(name) + "mysql")).expect("the variable holds a URL")
}

/// A deadline that no test should meet.
pub(crate) fn late() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// Runs a test on both servers, each in a database of its own that is dropped when all is well.
pub(crate) async fn on_each<F: Future<Output = ()>>(test: impl Fn(Pool) -> F) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    for server in SERVERS {
        let name = format!("case_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let options = MysqlOptions::parse(&format!("{}mysql", variable(server))).expect("the variable holds a URL");
        let admin = Pool::new(options.clone()).expect("no certificates are needed");
        run(&admin, &format!("CREATE DATABASE {name} CHARACTER SET utf8mb4")).await;
        let pool = Pool::new(options.with_database(&name)).expect("no certificates are needed");
        test(pool.clone()).await;
        pool.close().await;
        run(&admin, &format!("DROP DATABASE {name}")).await;
        admin.close().await;
    }
}

pub(crate) async fn session(pool: &Pool) -> Session {
    pool.session(late()).await.expect("the server answers")
}

/// Runs statements.
pub(crate) async fn run(pool: &Pool, sql: &str) {
    session(pool).await.batch_execute(sql).await.unwrap_or_else(|failure| panic!("{sql}: {failure}"));
}

/// The cells of all rows as text; fields are parted by a bar, null is empty.
pub(crate) async fn ask(pool: &Pool, sql: &str) -> Vec<String> {
    let rows = session(pool).await.query_text(sql).await.unwrap_or_else(|failure| panic!("{sql}: {failure}"));
    let print = |row: mysql_async::Row| {
        let cell = |value: mysql_async::Value| match value {
            mysql_async::Value::Bytes(octets) => String::from_utf8_lossy(&octets).into_owned(),
            mysql_async::Value::NULL => String::new(),
            other => format!("{other:?}"),
        };
        row.unwrap().into_iter().map(cell).collect::<Vec<_>>().join("|")
    };
    rows.into_iter().map(print).collect()
}
