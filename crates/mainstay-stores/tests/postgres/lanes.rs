//! Quick reads share connections, and none of them waits for a slow one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mainstay_query::request::{Count, ReadRequest};
use mainstay_query::{Actor, Limits, authorize, parse, plan};
use mainstay_schema::Schema;
use mainstay_store::collect::Collected;
use mainstay_store::{Call, Cell, ReadDone, Store, StoreError};
use mainstay_stores::postgres::{LaneLimits, Session, Sharing};
use mainstay_stores::{PostgresOptions, PostgresStore};

use crate::conformance::fresh_namespace;
use crate::support::{late, pool, session, until};

/// Ten rows, and a store with two connections, of which one may be a lane.
struct Ten {
    store: Arc<PostgresStore>,
    schema: Arc<Schema>,
    /// A connection of somebody else.
    other: Session,
    /// The schema of the table, and what tells the connections of the store apart.
    name: String,
}

impl Ten {
    async fn new(sharing: Sharing) -> Ten {
        Ten::with(sharing, |_| {}).await
    }

    async fn with(sharing: Sharing, change: impl FnOnce(&mut LaneLimits)) -> Ten {
        let url = fresh_namespace().await;
        let name = url.rsplit("search_path%3D").next().expect("it is named there").to_owned();
        let mut options = PostgresOptions::parse(&format!("{url}&application_name={name}")).expect("a URL");
        options.limits.connections_max = 2;
        options.limits.wait_max = Duration::from_millis(200);
        // How fast the machine is decides nothing, but where that is what is asked.
        let ages = Duration::from_secs(600);
        options.lanes = LaneLimits { sharing, quick: ages, time_max: ages, idle_max: ages };
        change(&mut options.lanes);
        let mut other = session(&pool()).await;
        let tables = format!(
            "SET search_path = {name};
             CREATE TABLE ten (id bigint PRIMARY KEY, word text NOT NULL);
             INSERT INTO ten SELECT i, 'word ' || i FROM generate_series(1, 10) AS i"
        );
        other.batch_execute(&tables).await.expect("the table can be made");
        let store = Arc::new(PostgresStore::new(options).expect("no certificates are needed"));
        let schema = Arc::new(store.find(late()).await.expect("the table is found"));
        Ten { store, schema, other, name }
    }

    async fn try_read(&self, query: &str, count: Count) -> Result<ReadDone, StoreError> {
        let limits = Limits::default();
        let query = parse::query(parse::Purpose::Read, query, &limits).expect("the query can be read");
        let request = ReadRequest { table: "ten".to_owned(), query, count, unpaged: false };
        let plan = plan::read(&self.schema, &limits, &request).expect("the query has a meaning");
        let sink = Box::new(Collected::of(&self.schema, plan.shape(&self.schema)));
        let plan = authorize::read(&self.schema, &Actor::System, plan).expect("the system may read");
        self.store.read(Call { schema: self.schema.clone(), deadline: late() }, Arc::new(plan), sink).await
    }

    /// The number of rows of a page, and of all.
    async fn read(&self, query: &str, count: Count) -> (u64, Option<u64>) {
        let done = self.try_read(query, count).await.expect("the read is possible");
        (done.rows, done.total)
    }

    /// A connection of the store's own, so that only a lane is left.
    async fn hold(&self) -> Session {
        self.store.pool().session(late()).await.expect("one is free")
    }

    /// Reads until that needs no connection of its own.
    async fn warm(&self, query: &str) {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            self.read(query, Count::None).await;
            let held = [self.store.pool().session(late()).await, self.store.pool().session(late()).await];
            if held.iter().filter(|held| held.is_ok()).count() == 1 && self.try_read(query, Count::None).await.is_ok() {
                return;
            }
            drop(held);
            assert!(Instant::now() < until, "no lane is made");
        }
    }

    /// Waits until the store has so many connections.
    async fn connections(&self, expected: i64) {
        let count = format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{}'", self.name);
        until(&pool(), &count, Cell::Int(expected)).await;
    }
}

const PAGE: &str = "order=id&limit=3";

#[tokio::test]
async fn many_reads_need_one_connection() {
    let ten = Ten::new(Sharing::Measured).await;
    ten.warm(PAGE).await;
    let held = ten.hold().await;
    let reads = (0..50).map(|_| ten.read(PAGE, Count::None));
    let all = futures_util::future::join_all(reads).await;
    assert!(all.iter().all(|found| *found == (3, None)), "{all:?}");
    // What was never read before wants a connection of its own, and there is none.
    let refused = ten.try_read("order=id.desc&limit=3", Count::None).await.err();
    assert!(matches!(refused, Some(StoreError::Overloaded)), "{refused:?}");
    drop(held);
    assert_eq!(ten.read("order=id.desc&limit=3", Count::None).await, (3, None));
    ten.store.close().await;
    ten.connections(0).await;
}

#[tokio::test]
async fn nothing_is_shared_where_that_is_not_wanted() {
    let ten = Ten::new(Sharing::Never).await;
    for _ in 0..5 {
        ten.read(PAGE, Count::None).await;
    }
    let held = (ten.hold().await, ten.hold().await);
    assert!(matches!(ten.try_read(PAGE, Count::None).await.err(), Some(StoreError::Overloaded)));
    drop(held);
    ten.store.close().await;
}

#[tokio::test]
async fn a_read_that_is_held_up_moves_to_a_connection_of_its_own() {
    let mut ten = Ten::with(Sharing::Measured, |lanes| lanes.time_max = Duration::from_millis(100)).await;
    ten.other.batch_execute("CREATE TABLE free (id int PRIMARY KEY)").await.expect("it can be made");
    ten.warm(PAGE).await;
    ten.other.batch_execute("BEGIN; LOCK TABLE ten").await.expect("nobody is in the way");
    let waiting = async {
        let found = ten.read(PAGE, Count::None).await;
        assert_eq!(found, (3, None), "what was waited for is there");
    };
    let moved = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{}' AND wait_event_type = 'Lock'
         AND backend_start = (SELECT max(backend_start) FROM pg_stat_activity WHERE application_name = '{}')",
        ten.name, ten.name
    );
    tokio::pin!(waiting);
    let watch = pool();
    tokio::select! {
        () = &mut waiting => panic!("the table is locked"),
        () = until(&watch, &moved, Cell::Int(1)) => {}
    }
    // The lane is free for others: it waits for nothing, after it gave the statement up.
    let freed =
        format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{}' AND state = 'idle'", ten.name);
    tokio::select! {
        () = &mut waiting => panic!("the table is locked"),
        () = until(&watch, &freed, Cell::Int(1)) => {}
    }
    let unlock = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE relation = '{}.ten'::regclass
         AND mode = 'AccessExclusiveLock' AND granted",
        ten.name
    );
    until(&watch, &unlock, Cell::Int(1)).await;
    waiting.await;
    ten.store.close().await;
}

#[tokio::test]
async fn a_lane_that_the_server_ends_is_replaced() {
    let ten = Ten::new(Sharing::Measured).await;
    ten.warm(PAGE).await;
    let end = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = '{}'",
        ten.name
    );
    session(&pool()).await.query_all(&end, &[]).await.expect("they can be ended");
    ten.connections(0).await;
    for _ in 0..5 {
        assert_eq!(ten.read(PAGE, Count::None).await, (3, None));
    }
    ten.warm(PAGE).await;
    ten.store.close().await;
}

#[tokio::test]
async fn statements_on_lanes_are_prepared_again_when_tables_change() {
    let mut ten = Ten::new(Sharing::Measured).await;
    ten.warm(PAGE).await;
    let change = "ALTER TABLE ten ALTER COLUMN word TYPE varchar(100)";
    ten.other.batch_execute(change).await.expect("the column can be changed");
    for _ in 0..3 {
        assert_eq!(ten.read(PAGE, Count::None).await, (3, None));
    }
    ten.other.batch_execute("DROP TABLE ten").await.expect("it can be dropped");
    let refused = ten.try_read(PAGE, Count::None).await.err();
    assert!(matches!(refused, Some(StoreError::SchemaChanged(_))), "{refused:?}");
    ten.store.close().await;
}

#[tokio::test]
async fn a_long_answer_gets_a_connection_of_its_own() {
    let mut ten = Ten::new(Sharing::Always).await;
    ten.warm(PAGE).await;
    ten.other.batch_execute("UPDATE ten SET word = repeat('x', 200000)").await.expect("they can be changed");
    let held = ten.hold().await;
    let refused = ten.try_read(PAGE, Count::None).await.err();
    assert!(matches!(refused, Some(StoreError::Overloaded)), "{refused:?}");
    drop(held);
    assert_eq!(ten.read(PAGE, Count::None).await, (3, None));
    ten.store.close().await;
}

#[tokio::test]
async fn the_number_of_rows_comes_along() {
    let ten = Ten::new(Sharing::Always).await;
    ten.warm(PAGE).await;
    for (query, expected) in [
        ("order=id&limit=3", (3, Some(10))),
        ("order=id&limit=3", (3, Some(10))),
        ("order=id&limit=3&id=gt.5", (3, Some(5))),
        ("order=id&limit=3&id=gt.8", (2, Some(2))),
        ("order=id&limit=3&id=gt.10", (0, Some(0))),
        ("order=id&limit=3&offset=8", (2, Some(10))),
        ("order=id&limit=3&offset=20", (0, Some(10))),
        ("order=id&limit=0", (0, Some(10))),
    ] {
        for _ in 0..3 {
            assert_eq!(ten.read(query, Count::Exact).await, expected, "{query}");
        }
    }
    ten.store.close().await;
}

#[tokio::test]
async fn a_read_that_is_given_up_leaves_the_lane_to_others() {
    let ten = Ten::new(Sharing::Measured).await;
    ten.warm(PAGE).await;
    let held = ten.hold().await;
    for turn in 0..50 {
        let mut dropped = Box::pin(ten.try_read(PAGE, Count::None));
        for _ in 0..turn % 4 {
            let _ = futures_util::poll!(&mut dropped);
        }
        drop(dropped);
        assert_eq!(ten.read(PAGE, Count::None).await, (3, None));
    }
    drop(held);
    ten.store.close().await;
}

#[tokio::test]
async fn a_lane_that_nobody_uses_is_given_back() {
    let ten = Ten::with(Sharing::Measured, |lanes| lanes.idle_max = Duration::from_millis(250)).await;
    ten.read(PAGE, Count::None).await;
    ten.read(PAGE, Count::None).await;
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let both = (ten.store.pool().session(late()).await, ten.store.pool().session(late()).await);
        if let (Ok(mut one), Ok(mut other)) = both {
            for session in [&mut one, &mut other] {
                let limit = crate::support::one(session, "SELECT current_setting('statement_timeout')", &[]).await;
                assert_eq!(limit, "Text(\"0\")", "its limit is gone with it");
            }
            break;
        }
        assert!(Instant::now() < until, "the lane is kept");
    }
    assert_eq!(ten.read(PAGE, Count::None).await, (3, None));
    ten.store.close().await;
}
