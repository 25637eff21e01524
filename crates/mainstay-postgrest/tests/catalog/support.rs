//! A database of its own with the fixture in it.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use mainstay_stores::postgres::{Pool, PostgresOptions, Session};

/// The server's URL, without which the tests fail: nobody should take what did not run for what passed.
fn url() -> String {
    std::env::var("MAINSTAY_TEST_POSTGRES_URL").unwrap_or_else(|_| {
        panic!("not run: no PostgreSQL server; cargo xtask test starts one (MAINSTAY_TEST_POSTGRES_URL is not set)")
    })
}

fn url_of(database: &str) -> String {
    let url = url();
    let (rest, query) = url.split_once('?').unwrap_or((&url, ""));
    let (server, _) = rest.rsplit_once('/').expect("the URL names a database");
    format!("{server}/{database}?{query}")
}

pub(crate) fn pool_of(url: &str) -> Pool {
    Pool::new(PostgresOptions::parse(url).expect("the variable holds a URL")).expect("no certificates are needed")
}

pub(crate) async fn session(pool: &Pool) -> Session {
    pool.session(Instant::now() + Duration::from_secs(60)).await.expect("the server answers")
}

/// Runs statements.
pub(crate) async fn run(pool: &Pool, sql: &str) {
    session(pool).await.batch_execute(sql).await.unwrap_or_else(|failure| panic!("{failure}: {sql}"));
}

/// A new empty database; its URL.
pub(crate) async fn database(name: &str) -> String {
    let name = format!("catalog_{name}_{}", std::process::id());
    let pool = pool_of(&url());
    run(&pool, &format!("CREATE DATABASE {name}")).await;
    pool.close().await;
    url_of(&name)
}

/// The URL of the database with the fixture, made when it is first asked for. Nobody writes there.
pub(crate) fn fixture() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| {
        // Tests have runtimes of their own, which a connection must not outlive.
        let made = std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let url = database("fixture").await;
                let pool = pool_of(&url);
                run(&pool, include_str!("fixture.sql")).await;
                pool.close().await;
                url
            })
        });
        made.join().expect("the fixture is well formed")
    })
}
