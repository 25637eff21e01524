//! A database with very many tables.

use std::time::{Duration, Instant};

use mainstay_postgrest::catalog::{Name, ReadOptions, read};

use super::support::{database, pool_of, run};

const TABLES: usize = 10_000;

#[tokio::test]
async fn ten_thousand_tables_are_read_in_time() {
    let pool = pool_of(&database("big").await);
    run(&pool, "CREATE SCHEMA api").await;
    // In many transactions, since each of them holds a lock for each table.
    for first in (1..=TABLES).step_by(500) {
        run(
            &pool,
            &format!(
                "DO $$ BEGIN FOR i IN {first} .. {} LOOP
               EXECUTE format('CREATE TABLE api.t%s (id int, a text, b varchar(5) DEFAULT ''x'', c numeric(8, 2),
                 d timestamptz DEFAULT now(), e boolean NOT NULL, f jsonb, g uuid)', i);
             END LOOP; END $$",
                first + 499
            ),
        )
        .await;
    }
    let start = Instant::now();
    let catalog = read(&pool, &ReadOptions::of(["api"])).await.expect("it can be read");
    let took = start.elapsed();
    assert_eq!(catalog.relations.len(), TABLES);
    assert_eq!(catalog.relations[&Name::new("api", "t10000")].columns.len(), 8);
    // Less than two seconds on a machine with nothing else to do; far more where a dozen programs share its two cores.
    assert!(took < Duration::from_secs(20), "{took:?}");
    println!("{took:?}");
    pool.close().await;
}
