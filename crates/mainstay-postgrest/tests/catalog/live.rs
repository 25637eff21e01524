//! The snapshot in use, and what replaces it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mainstay_postgrest::catalog::{Health, Live, LiveOptions, Name, ReadOptions};
use mainstay_stores::postgres::Pool;

use super::support::{database, pool_of, run};

fn options(detect: bool) -> LiveOptions {
    LiveOptions {
        read: ReadOptions::of(["public"]),
        channel: Some("pgrst".to_owned()),
        detect,
        reconfigure: Arc::new(|| Box::pin(async { None })),
    }
}

/// Waits until this holds.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn has(live: &Live, table: &str) -> bool {
    live.catalog().is_some_and(|catalog| catalog.relations.contains_key(&Name::new("public", table)))
}

/// A database, and a snapshot of it that listens.
async fn started(name: &str, options: LiveOptions) -> (Pool, Live) {
    let pool = pool_of(&database(name).await);
    let live = Live::start(pool.clone(), options);
    until("it starts", || live.catalog().is_some() && live.health().is_listening).await;
    (pool, live)
}

#[tokio::test]
async fn a_notification_reloads() {
    let (pool, live) = started("notified", options(false)).await;
    for (table, payload) in [("first", "reload schema"), ("second", "")] {
        run(&pool, &format!("CREATE TABLE {table} (id int)")).await;
        run(&pool, "NOTIFY pgrst, 'something else'; NOTIFY another, 'reload schema'").await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!has(&live, table), "nobody told");
        run(&pool, &format!("NOTIFY pgrst, '{payload}'")).await;
        until("it is told", || has(&live, table)).await;
    }
}

#[tokio::test]
async fn a_wish_is_fulfilled_and_can_be_waited_for() {
    let (pool, live) = started("wished", options(false)).await;
    run(&pool, "CREATE TABLE wanted (id int)").await;
    live.reload_schema();
    live.settled(Duration::from_secs(20)).await;
    assert!(has(&live, "wanted"));
}

#[tokio::test]
async fn whoever_misses_a_name_gets_the_snapshot_that_is_being_read() {
    let (pool, live) = started("missed", options(false)).await;
    let most = Duration::from_secs(20);
    let old = live.catalog().expect("it was read");
    run(&pool, "CREATE TABLE missed (id int)").await;
    assert!(live.newer(&old, most).await.is_none(), "nobody reads");
    live.reload_schema();
    let newer = live.newer(&old, most).await.expect("it is being read");
    assert!(newer.relations.contains_key(&Name::new("public", "missed")));
    assert!(live.newer(&old, most).await.is_some(), "it was read");
    assert!(live.newer(&newer, most).await.is_none());
}

#[tokio::test]
async fn changes_are_noticed() {
    let (pool, live) = started("noticed", options(true)).await;
    for (table, sql) in [
        ("made", "CREATE TABLE made (id int)"),
        ("renamed", "ALTER TABLE made RENAME TO renamed"),
        ("shown", "CREATE VIEW shown AS SELECT 1 AS x"),
    ] {
        run(&pool, sql).await;
        until(sql, || has(&live, table)).await;
    }
    run(&pool, "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'").await;
    until("a function", || live.catalog().is_some_and(|catalog| !catalog.functions.is_empty())).await;
    run(&pool, "COMMENT ON TABLE renamed IS 'told'").await;
    let comment = || live.catalog()?.relations[&Name::new("public", "renamed")].comment.clone();
    until("a comment", || comment().as_deref() == Some("told")).await;
    let can_insert = || Some(live.catalog()?.relations[&Name::new("public", "shown")].insertable);
    assert_eq!(can_insert(), Some(false));
    let trigger = "CREATE FUNCTION write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
                   CREATE TRIGGER write INSTEAD OF INSERT ON shown FOR EACH ROW EXECUTE FUNCTION write()";
    run(&pool, trigger).await;
    until("a trigger", || can_insert() == Some(true)).await;
    // What changes nothing is no reason to read again.
    let before = live.catalog().expect("it was read");
    run(&pool, "INSERT INTO renamed VALUES (1); TRUNCATE renamed; GRANT SELECT ON renamed TO public; ANALYZE renamed")
        .await;
    run(&pool, "CREATE TEMPORARY TABLE passing (id int); CREATE INDEX ON renamed (id)").await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(Arc::ptr_eq(&before, &live.catalog().expect("it was read")));
}

#[tokio::test]
async fn what_was_said_while_nobody_listened_is_made_up_for() {
    let (pool, live) = started("deaf", options(false)).await;
    run(&pool, "CREATE TABLE unheard (id int)").await;
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()";
    run(&pool, end).await;
    until("it listens again", || has(&live, "unheard")).await;
    until("it listens again", || live.health().is_listening).await;
}

#[tokio::test]
async fn a_new_configuration_may_want_other_schemas() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let reconfigure = move || -> futures_util::future::BoxFuture<'static, Option<ReadOptions>> {
        counted.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Some(ReadOptions::of(["other"])) })
    };
    let (pool, live) =
        started("configured", LiveOptions { reconfigure: Arc::new(reconfigure), ..options(false) }).await;
    run(&pool, "CREATE SCHEMA other; CREATE TABLE other.t (id int); NOTIFY pgrst, 'reload config'").await;
    until("the schema is read", || {
        live.catalog().is_some_and(|catalog| catalog.relations.contains_key(&Name::new("other", "t")))
    })
    .await;
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn reading_is_tried_again_until_it_succeeds() {
    let url = database("late").await;
    let admin = pool_of(&url);
    let (_, name) = url.split('?').next().and_then(|url| url.rsplit_once('/')).expect("the URL names a database");
    let elsewhere = pool_of(&url.replace(name, &format!("{name}_later")));
    let live = Live::start(elsewhere, options(false));
    until("it fails", || live.health().is_failing).await;
    let Health { is_loaded, is_loading, pause, .. } = live.health();
    assert!(!is_loaded && !is_loading && pause >= Duration::from_secs(1) && live.catalog().is_none());
    run(&admin, &format!("CREATE DATABASE {name}_later")).await;
    until("it succeeds", || live.health().is_loaded && !live.health().is_failing).await;
    assert!(live.catalog().is_some());
}
