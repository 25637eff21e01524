//! Connections, statements and transactions: what is lent comes back, and what is dropped ends on the server.

use std::time::{Duration, Instant};

use mainstay_schema::Value;
use mainstay_store::{Cell, StoreError};
use mainstay_stores::postgres::{Access, Failure, Isolation, Param, Pool, PostgresOptions};

use crate::support::{ask, late, one, options, pool, session, until, url};

fn pool_of(connections_max: usize) -> Pool {
    let mut options = options();
    options.limits.connections_max = connections_max;
    options.limits.wait_max = Duration::from_millis(100);
    Pool::new(options).expect("a pool")
}

fn soon(milliseconds: u64) -> Instant {
    Instant::now() + Duration::from_millis(milliseconds)
}

#[tokio::test]
async fn a_dropped_statement_is_canceled_on_the_server() {
    let (pool, watch) = (pool_of(1), pool());
    for (mark, in_transaction) in [("dropped_alone", false), ("dropped_inside", true)] {
        let running = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60) {mark}%' AND state = 'active'"
        );
        let sql = format!("SELECT pg_sleep(60) {mark}");
        let mut held = session(&pool).await;
        if in_transaction {
            held.begin(Access::Write, Isolation::ReadCommitted);
        }
        let sleeping = async {
            held.query_all(&sql, &[]).await.expect("nobody waits for the end");
        };
        tokio::select! {
            () = sleeping => panic!("it sleeps for a minute"),
            () = until(&watch, &running, Cell::Int(1)) => {}
        }
        drop(held);
        until(&watch, &running, Cell::Int(0)).await;
        assert_eq!(one(&mut session_soon(&pool).await, "SELECT 1", &[]).await, "Int(1)");
    }
}

/// A session of a pool whose connection may still be busy with its end.
async fn session_soon(pool: &Pool) -> mainstay_stores::postgres::Session {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        match pool.session(late()).await {
            Ok(session) => return session,
            Err(Failure::Overloaded) if Instant::now() < until => {}
            Err(failure) => panic!("{failure}"),
        }
    }
}

#[tokio::test]
async fn rows_that_are_not_taken_are_canceled() {
    let (pool, watch) = (pool_of(1), pool());
    let mut held = session(&pool).await;
    let sql = "SELECT generate_series(1, 100000000), repeat('x', 1000) untaken";
    let mut rows = held.query(sql, &[]).await.expect("it begins");
    for _ in 0..10 {
        assert!(rows.next().await.expect("a row").is_some());
    }
    drop(rows);
    drop(held);
    let running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT generate_series(1, 100000000), repeat(''x'', 1000) untaken%' AND state = 'active'";
    until(&watch, running, Cell::Int(0)).await;
    assert_eq!(one(&mut session_soon(&pool).await, "SELECT 2", &[]).await, "Int(2)");
}

#[tokio::test]
async fn a_deadline_ends_the_statement() {
    let (pool, watch) = (pool_of(1), pool());
    for in_transaction in [false, true] {
        let began = Instant::now();
        let mut held = {
            drop(session_soon(&pool).await);
            pool.session(soon(300)).await.expect("the server answers")
        };
        if in_transaction {
            held.begin(Access::Read, Isolation::ReadCommitted);
        }
        let failure = held.query_all("SELECT pg_sleep(60) over_the_deadline", &[]).await.expect_err("it takes longer");
        // In a transaction the server itself gives up, and the connection stays.
        assert_eq!(failure.server().is_some(), in_transaction, "{failure}");
        assert!(matches!(failure.verbatim(), StoreError::Deadline));
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        drop(held);
        let running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%over_the_deadline' AND state = 'active' AND pid <> pg_backend_pid()";
        until(&watch, running, Cell::Int(0)).await;
    }
    // Rows that never stop coming do not pass the deadline either. (The server does not know how many they are, and so
    // compiles nothing beforehand.)
    let mut held = {
        drop(session_soon(&pool).await);
        pool.session(soon(300)).await.expect("the server answers")
    };
    let mut rows = held.query("SELECT generate_series(1, (SELECT 100000000))", &[]).await.expect("it begins");
    let failure = loop {
        match rows.next().await {
            Ok(row) => assert!(row.is_some(), "there are too many rows for the time"),
            Err(failure) => break failure,
        }
    };
    assert!(matches!(failure, Failure::Deadline), "{failure}");
    let again = held.execute("SELECT 1", &[]).await.expect_err("the connection was given up");
    assert!(matches!(again, Failure::Unavailable(_)), "{again}");
}

#[tokio::test]
async fn a_write_by_itself_is_over_when_its_deadline_is_told() {
    let (pool, watch) = (pool_of(1), pool());
    let mut other = session(&watch).await;
    other
        .batch_execute("CREATE TABLE alone (id int PRIMARY KEY, n int); INSERT INTO alone VALUES (1, 1)")
        .await
        .unwrap();
    other.begin(Access::Write, Isolation::ReadCommitted);
    other.execute("UPDATE alone SET n = 2", &[]).await.expect("it holds the row now");
    let mut held = pool.session(soon(300)).await.expect("the server answers");
    let failure = held.execute_alone("UPDATE alone SET n = 3", &[]).await.expect_err("the row is held");
    assert!(failure.server().is_some(), "the server said itself that it was canceled: {failure}");
    assert!(matches!(failure.verbatim(), StoreError::Deadline));
    drop(held);
    assert_eq!((pool.status().busy, pool.status().idle), (0, 1), "the connection stays");
    other.commit().await.expect("nobody is in the way");
    assert_eq!(one(&mut other, "SELECT n FROM alone", &[]).await, "Int(2)");
    let touched = session_soon(&pool).await.execute_alone("UPDATE alone SET n = 4", &[]).await;
    assert_eq!(touched.expect("nobody holds it"), 1);
    other.batch_execute("DROP TABLE alone").await.unwrap();
}

#[tokio::test]
async fn a_full_pool_is_told_apart_from_a_slow_statement() {
    let pool = pool_of(1);
    let held = session(&pool).await;
    let began = Instant::now();
    let failure = pool.session(late()).await.err().expect("the one connection is lent");
    assert!(matches!(failure.verbatim(), StoreError::Overloaded));
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!((pool.status().busy, pool.status().idle), (1, 0));
    drop(held);
    assert_eq!((pool.status().busy, pool.status().idle), (0, 1));
    drop(session(&pool).await);
    assert_eq!(pool.status().idle, 1, "the connection was used again");
    assert!(pool.round_trip().is_some());

    let mut options = options();
    (options.limits.connections_max, options.limits.waiting_max) = (1, 0);
    let pool = Pool::new(options).expect("a pool");
    let _held = session(&pool).await;
    let began = Instant::now();
    assert!(matches!(pool.session(late()).await, Err(Failure::Overloaded)));
    assert!(began.elapsed() < Duration::from_secs(1), "nobody may wait, so nobody does");
}

#[tokio::test]
async fn a_killed_connection_is_replaced() {
    let (pool, killer) = (pool_of(1), pool());
    let kill = |pid: String| {
        let killer = killer.clone();
        async move {
            let pid = pid.trim_start_matches("Int(").trim_end_matches(')').parse().expect("a number");
            one(&mut session(&killer).await, "SELECT pg_terminate_backend($1::int)", &[Param::Int(pid)]).await
        }
    };
    // While nobody used it.
    let pid = one(&mut session(&pool).await, "SELECT pg_backend_pid()", &[]).await;
    assert_eq!(kill(pid.clone()).await, "Bool(true)");
    let gone = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {}", &pid[4..pid.len() - 1]);
    until(&killer, &gone, Cell::Int(0)).await;
    let mut held = session(&pool).await;
    let other = one(&mut held, "SELECT pg_backend_pid()", &[]).await;
    assert_ne!(pid, other);
    // While a statement ran on it.
    let (ended, _) = tokio::join!(held.query_all("SELECT pg_sleep(60)", &[]), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        kill(other).await
    });
    let failure = ended.expect_err("the connection was cut");
    assert!(matches!(failure.verbatim(), StoreError::Unavailable(_)));
    drop(held);
    assert_eq!(one(&mut session_soon(&pool).await, "SELECT 3", &[]).await, "Int(3)");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    for url in ["postgres://127.0.0.1:1/x", "postgres://no.such.host.invalid/x?sslmode=disable"] {
        let pool = Pool::new(PostgresOptions::parse(url).expect("a URL")).expect("a pool");
        let failure = pool.session(late()).await.err().expect("nobody is there");
        assert!(matches!(failure.verbatim(), StoreError::Unavailable(_)), "{url}");
    }
    let wrong = url().replace(":mainstay@", ":sesame@");
    let pool = Pool::new(PostgresOptions::parse(&wrong).expect("a URL")).expect("a pool");
    let failure = pool.session(late()).await.err().expect("the password is wrong");
    assert!(!format!("{failure:?} {failure}").contains("sesame"));
    assert!(matches!(failure.verbatim(), StoreError::Unavailable(_)));
    // The next host is tried.
    let second = url().replace("@127.0.0.1", "@127.0.0.1:1,127.0.0.1");
    let pool = Pool::new(PostgresOptions::parse(&second).expect("a URL")).expect("a pool");
    assert_eq!(one(&mut session(&pool).await, "SELECT 4", &[]).await, "Int(4)");
}

#[tokio::test]
async fn statements_are_prepared_once_and_so_many_at_most() {
    let mut options = options();
    (options.limits.connections_max, options.limits.statements_max) = (1, 2);
    let pool = Pool::new(options.clone()).expect("a pool");
    let prepared = "SELECT count(*) FROM pg_prepared_statements";
    let mut held = session(&pool).await;
    for number in [1, 2, 1, 3, 4, 1] {
        assert_eq!(one(&mut held, &format!("SELECT {number}"), &[]).await, format!("Int({number})"));
    }
    // The one that asks is counted beside the two that are kept until then, and takes the place of one of them.
    for expected in ["Int(3)", "Int(2)", "Int(2)"] {
        assert_eq!(one(&mut held, prepared, &[]).await, expected);
    }

    options.named_statements = false;
    let pool = Pool::new(options).expect("a pool");
    let mut held = session(&pool).await;
    let value = Value::Int(5);
    for _ in 0..3 {
        assert_eq!(one(&mut held, "SELECT $1::int + 1", &[Param::Value(&value)]).await, "Int(6)");
    }
    assert_eq!(one(&mut held, prepared, &[]).await, "Int(0)");
}

#[tokio::test]
async fn statements_of_tables_that_changed_are_prepared_again() {
    let (pool, other) = (pool_of(1), pool());
    let mut changes = session(&other).await;
    changes
        .batch_execute("DROP TABLE IF EXISTS stale; CREATE TABLE stale (a int); INSERT INTO stale VALUES (1)")
        .await
        .expect("a table");
    let sql = "SELECT * FROM stale";
    let mut held = session(&pool).await;
    assert_eq!(one(&mut held, sql, &[]).await, "Int(1)");
    changes.batch_execute("ALTER TABLE stale ADD b int DEFAULT 2").await.expect("a column");
    assert_eq!(one(&mut held, sql, &[]).await, "Int(1)|Int(2)");
    // Inside a transaction nothing can be tried again, but whoever does it all again succeeds.
    changes.batch_execute("ALTER TABLE stale ADD c int DEFAULT 3").await.expect("a column");
    held.begin(Access::Read, Isolation::RepeatableRead);
    let failure = ask(&mut held, sql, &[]).await.expect_err("the plan is stale");
    assert!(matches!(failure.verbatim(), StoreError::SchemaChanged(_)));
    held.rollback().await.expect("it can be undone");
    held.begin(Access::Read, Isolation::RepeatableRead);
    assert_eq!(one(&mut held, sql, &[]).await, "Int(1)|Int(2)|Int(3)");
    held.finish_read();
    // So it is with statements that somebody took away.
    let mut held = session_soon(&pool).await;
    held.batch_execute("DEALLOCATE ALL").await.expect("it can be done");
    assert_eq!(one(&mut held, sql, &[]).await, "Int(1)|Int(2)|Int(3)");
    changes.batch_execute("DROP TABLE stale").await.expect("no table");
}

#[tokio::test]
async fn transactions_happen_whole_or_not_at_all() {
    let (pool, watch) = (pool_of(1), pool());
    let mut seen = session(&watch).await;
    seen.batch_execute("DROP TABLE IF EXISTS ledger; CREATE TABLE ledger (n int)").await.expect("a table");
    let count = "SELECT coalesce(string_agg(n::text, ',' ORDER BY n), '') FROM ledger";
    let insert = |n: i64| ("INSERT INTO ledger VALUES ($1)", [Param::Int(n)]);
    let mut held = session(&pool).await;

    held.begin(Access::Write, Isolation::ReadCommitted);
    let (sql, params) = insert(1);
    assert_eq!(held.execute(sql, &params).await.expect("a row"), 1);
    assert_eq!(one(&mut seen, count, &[]).await, "Text(\"\")");
    held.commit().await.expect("it can be kept");
    assert_eq!(one(&mut seen, count, &[]).await, "Text(\"1\")");

    held.begin(Access::Write, Isolation::Serializable);
    let (sql, params) = insert(2);
    held.execute(sql, &params).await.expect("a row");
    held.rollback().await.expect("it can be undone");

    // A failure is not passed over by a commit.
    held.begin(Access::Write, Isolation::ReadCommitted);
    let (sql, params) = insert(3);
    held.execute(sql, &params).await.expect("a row");
    held.execute("SELECT 1 / 0", &[]).await.expect_err("no such number");
    assert!(matches!(held.commit().await, Err(Failure::Aborted)));

    // But a savepoint heals it.
    held.begin(Access::Write, Isolation::ReadCommitted);
    let (sql, params) = insert(4);
    held.execute(sql, &params).await.expect("a row");
    held.savepoint().await.expect("a place");
    let (sql, params) = insert(5);
    held.execute(sql, &params).await.expect("a row");
    held.execute("SELECT 1 / 0", &[]).await.expect_err("no such number");
    held.rollback_to().await.expect("back there");
    held.savepoint().await.expect("a place");
    let (sql, params) = insert(6);
    held.execute(sql, &params).await.expect("a row");
    held.release().await.expect("it stays");
    held.commit().await.expect("it can be kept");
    assert_eq!(one(&mut seen, count, &[]).await, "Text(\"1,4,6\")");

    // Reading transactions do not write.
    held.begin(Access::Read, Isolation::RepeatableRead);
    let (sql, params) = insert(7);
    let failure = held.execute(sql, &params).await.expect_err("it may only read");
    assert_eq!(failure.server().map(|error| error.code().code().to_owned()), Some("25006".to_owned()));
    held.rollback().await.expect("it can be undone");

    // What is dropped has not happened.
    held.begin(Access::Write, Isolation::ReadCommitted);
    let (sql, params) = insert(8);
    held.execute(sql, &params).await.expect("a row");
    drop(held);
    let mut held = session_soon(&pool).await;
    assert_eq!(one(&mut held, count, &[]).await, "Text(\"1,4,6\")");

    // What has not sent anything is over at once.
    held.begin(Access::Write, Isolation::ReadCommitted);
    held.commit().await.expect("there was nothing");
    assert_eq!(one(&mut held, "SELECT current_setting('statement_timeout')", &[]).await, "Text(\"0\")");
    held.begin(Access::Read, Isolation::ReadCommitted);
    assert_ne!(one(&mut held, "SELECT current_setting('statement_timeout')", &[]).await, "Text(\"0\")");
    held.finish_read();
    seen.batch_execute("DROP TABLE ledger").await.expect("no table");
}

#[tokio::test]
async fn a_transaction_begins_as_somebody() {
    for is_named in [true, false] {
        let mut options = options();
        (options.limits.connections_max, options.named_statements) = (1, is_named);
        let pool = Pool::new(options).expect("a pool");
        let mut held = session(&pool).await;
        held.batch_execute("DROP TABLE IF EXISTS theirs; DROP ROLE IF EXISTS somebody; CREATE ROLE somebody")
            .await
            .expect("a role");
        held.batch_execute("CREATE TABLE theirs (n int); GRANT INSERT ON theirs TO somebody").await.expect("a table");
        let settings = |role: &str| {
            let pairs = [("role", role), ("request.jwt.claims", "{\"sub\":\"O'Neil\"}")];
            pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
        };
        let who = "SELECT current_user, current_setting('request.jwt.claims', true)";
        for _ in 0..2 {
            held.begin_with(Access::Write, Isolation::ReadCommitted, settings("somebody"));
            let expected = "Text(\"somebody\")|Text(\"{\\\"sub\\\":\\\"O'Neil\\\"}\")";
            assert_eq!(one(&mut held, who, &[]).await, expected);
            held.execute("INSERT INTO theirs VALUES (1)", &[]).await.expect("they may");
            held.commit().await.expect("it can be kept");
            assert_eq!(one(&mut held, "SELECT current_user", &[]).await, "Text(\"mainstay\")");
        }
        // Rights are those of the role from the first statement on, also where the statement is prepared already.
        assert_eq!(one(&mut held, "SELECT count(*) FROM theirs", &[]).await, "Int(2)");
        held.begin_with(Access::Read, Isolation::ReadCommitted, settings("somebody"));
        let failure = ask(&mut held, "SELECT count(*) FROM theirs", &[]).await.expect_err("they may not read");
        assert_eq!(failure.server().map(|error| error.code().code()), Some("42501"));
        held.rollback().await.expect("it can be undone");
        // A role that is not there: the statement is not run as anybody.
        held.begin_with(Access::Write, Isolation::ReadCommitted, settings("nobody at all"));
        let failure = held.execute("INSERT INTO theirs VALUES (9)", &[]).await.expect_err("there is no such role");
        assert_eq!(failure.server().map(|error| error.code().code()), Some("22023"));
        assert!(matches!(held.commit().await, Err(Failure::Aborted)));
        assert_eq!(one(&mut held, "SELECT count(*) FROM theirs", &[]).await, "Int(2)");
        held.batch_execute("DROP TABLE theirs; DROP ROLE somebody").await.expect("no role");
    }
}

#[tokio::test]
async fn a_closed_pool_lends_nothing() {
    let (pool, watch) = (pool_of(2), pool());
    let name = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT ''before the pool closes'''";
    assert_eq!(
        one(&mut session(&pool).await, "SELECT 'before the pool closes'", &[]).await,
        "Text(\"before the pool closes\")"
    );
    until(&watch, name, Cell::Int(1)).await;
    pool.close().await;
    let failure = pool.session(late()).await.err().expect("it is closed");
    assert!(matches!(failure.verbatim(), StoreError::Unavailable(_)));
    until(&watch, name, Cell::Int(0)).await;
}
