//! Where the server is, and short ways to ask it something.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use mainstay_store::Cell;
use mainstay_stores::postgres::{CellKind, Failure, Param, Pool, PostgresOptions, Raw, Session};

/// A setting of the tests; without it they fail, since nobody should take what did not run for what passed.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("not run: no PostgreSQL server; cargo xtask test starts one ({name} is not set)"))
}

/// The server's URL.
pub(crate) fn url() -> String {
    variable("MAINSTAY_TEST_POSTGRES_URL")
}

pub(crate) fn options() -> PostgresOptions {
    PostgresOptions::parse(&url()).expect("the variable holds a URL")
}

pub(crate) fn pool() -> Pool {
    Pool::new(options()).expect("no certificates are needed")
}

/// A deadline that no test should meet.
pub(crate) fn late() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

pub(crate) async fn session(pool: &Pool) -> Session {
    pool.session(late()).await.expect("the server answers")
}

/// The cells of all rows, printed; fields are parted by a bar.
pub(crate) async fn ask(session: &mut Session, sql: &str, params: &[Param<'_>]) -> Result<Vec<String>, Failure> {
    let rows = session.query_all(sql, params).await?;
    let mut scratch = String::new();
    let print = |row: &tokio_postgres::Row| {
        let mut out = String::new();
        for (at, column) in row.columns().iter().enumerate() {
            if at > 0 {
                out.push('|');
            }
            let kind = CellKind::of(column.type_()).unwrap_or_else(|| panic!("no kind for {}", column.type_()));
            let raw: Option<Raw<'_>> = row.try_get(at).expect("every type is taken");
            let cell = kind.cell(raw.map(|raw| raw.0), &mut scratch).expect("the server's cells are well formed");
            write!(out, "{cell:?}").expect("strings take everything");
        }
        out
    };
    Ok(rows.iter().map(print).collect())
}

/// The one cell of the one row.
pub(crate) async fn one(session: &mut Session, sql: &str, params: &[Param<'_>]) -> String {
    let mut found = ask(session, sql, params).await.unwrap_or_else(|failure| panic!("{sql}: {failure}"));
    assert_eq!(found.len(), 1, "{sql}: {found:?}");
    found.remove(0)
}

/// Waits until the one cell of the one row is this.
pub(crate) async fn until(pool: &Pool, sql: &str, expected: Cell<'_>) {
    let expected = format!("{expected:?}");
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let found = one(&mut session(pool).await, sql, &[]).await;
        if found == expected {
            return;
        }
        assert!(Instant::now() < until, "{sql}: still {found}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
