//! Connections, statements and transactions: what is lent comes back, and what is dropped ends on the server.

use std::time::{Duration, Instant};

use mainstay_store::StoreError;
use mainstay_stores::mysql::{Access, Failure, Isolation, Pool, Session};

use crate::support::{SERVERS, ask, late, options, session};

fn pool_of(server: &str, connections_max: usize) -> Pool {
    let mut options = options(server);
    options.limits.connections_max = connections_max;
    options.limits.wait_max = Duration::from_millis(100);
    Pool::new(options).expect("a pool")
}

fn soon(milliseconds: u64) -> Instant {
    Instant::now() + Duration::from_millis(milliseconds)
}

/// A session of a pool whose connection may still be busy with its end.
async fn session_soon(pool: &Pool) -> Session {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        match pool.session(late()).await {
            Ok(session) => return session,
            Err(Failure::Overloaded) if Instant::now() < until => {}
            Err(failure) => panic!("{failure}"),
        }
    }
}

/// Waits until so many statements with this mark run.
async fn until(watch: &Pool, mark: &str, expected: usize) {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        // Not from `information_schema`, which fails where somebody's statement holds octets.
        let running = ask(watch, "SHOW PROCESSLIST").await;
        let found = running.iter().filter(|line| line.contains(mark)).count();
        if found == expected {
            return;
        }
        assert!(Instant::now() < until, "{mark}: still {found}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_dropped_statement_is_ended_on_the_server() {
    for server in SERVERS {
        let (pool, watch) = (pool_of(server, 1), pool_of(server, 1));
        for (mark, in_transaction) in [("dropped_alone", false), ("dropped_inside", true)] {
            let sql = format!("SELECT SLEEP(60) AS {mark}");
            let mut held = session_soon(&pool).await;
            if in_transaction {
                held.begin(Access::Write, Isolation::ReadCommitted).await.expect("it begins");
            }
            let sleeping = async {
                held.query_all(&sql, &[]).await.expect("nobody waits for the end");
            };
            tokio::select! {
                () = sleeping => panic!("it sleeps for a minute"),
                () = until(&watch, mark, 1) => {}
            }
            drop(held);
            until(&watch, mark, 0).await;
            assert_eq!(session_soon(&pool).await.query_text("SELECT 1").await.expect("a row").len(), 1);
        }
    }
}

#[tokio::test]
async fn a_deadline_ends_a_statement_and_the_slot_is_free_again() {
    for server in SERVERS {
        let pool = pool_of(server, 1);
        for in_transaction in [false, true] {
            drop(session_soon(&pool).await);
            let start = Instant::now();
            let mut held = pool.session(soon(200)).await.expect("the server answers");
            if in_transaction {
                held.begin(Access::Write, Isolation::ReadCommitted).await.expect("it begins");
            }
            let failure = held.query_all("SELECT SLEEP(30) FROM (SELECT 1 UNION SELECT 2) AS t", &[]).await;
            // MySQL ends a sleep early and calls that a row.
            if let Err(failure) = failure {
                assert!(matches!(StoreError::from(failure), StoreError::Deadline), "{server}");
            }
            assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
            drop(held);
            drop(session_soon(&pool).await);
        }
    }
}

#[tokio::test]
async fn a_full_pool_is_told_apart() {
    for server in SERVERS {
        let pool = pool_of(server, 1);
        let held = session(&pool).await;
        let Err(failure) = pool.session(late()).await else { panic!("there is one only") };
        assert!(matches!(failure, Failure::Overloaded), "{failure}");
        drop(held);
        drop(session(&pool).await);
        assert_eq!((pool.status().idle, pool.status().busy), (1, 0));
    }
}

#[tokio::test]
async fn what_is_dropped_inside_a_transaction_is_undone() {
    for server in SERVERS {
        let pool = pool_of(server, 2);
        let mut held = session(&pool).await;
        held.batch_execute("CREATE TEMPORARY TABLE gone (id int)").await.expect("a table");
        held.begin(Access::Write, Isolation::ReadCommitted).await.expect("it begins");
        let id = held.query_text("SELECT connection_id()").await.expect("a row").len();
        assert_eq!(id, 1);
        drop(held);
        // Another connection, on which the table is not.
        let mut other = session_soon(&pool).await;
        assert!(other.query_text("SELECT * FROM gone").await.is_err());
    }
}

#[tokio::test]
async fn a_server_that_is_gone_is_unavailable_and_a_connection_that_was_killed_is_not_used_again() {
    let nobody = mainstay_stores::MysqlOptions::parse("mysql://a:b@127.0.0.1:1/shop").expect("a URL");
    let Err(failure) = Pool::new(nobody).expect("a pool").session(late()).await else { panic!("nobody is there") };
    assert!(matches!(StoreError::from(failure), StoreError::Unavailable(_)));
    for server in SERVERS {
        let (pool, watch) = (pool_of(server, 1), pool_of(server, 1));
        let mut held = session(&pool).await;
        let row = held.query_text("SELECT connection_id()").await.expect("a row").remove(0);
        let id: u64 = mysql_async::from_row(row);
        ask(&watch, &format!("KILL {id}")).await;
        let failure = held.query_all("SELECT 1", &[]).await.expect_err("it is gone");
        assert!(matches!(StoreError::from(failure), StoreError::Unavailable(_)), "{server}");
        drop(held);
        assert_eq!(session_soon(&pool).await.query_text("SELECT 1").await.expect("a row").len(), 1);
    }
}

#[tokio::test]
async fn every_connection_has_our_settings() {
    for server in SERVERS {
        let pool = pool_of(server, 1);
        let found = ask(
            &pool,
            "SELECT @@time_zone, @@character_set_client, @@foreign_key_checks, @@sql_mode LIKE '%STRICT_ALL_TABLES%', \
             @@sql_mode LIKE '%NO_BACKSLASH_ESCAPES%'",
        )
        .await;
        assert_eq!(found, ["+00:00|utf8mb4|1|1|1"], "{server}");
    }
}
