//! The store behind a real PgBouncer in transaction mode, which hands connections on between transactions: what one left
//! behind, as a setting or a prepared statement, would meet another. Each case has a database of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mainstay_schema::Schema;
use mainstay_store::{Migration, Store};
use mainstay_stores::postgres::migrate;
use mainstay_stores::{PostgresOptions, PostgresStore};

use crate::support::{self, variable};

async fn open(schema: Arc<Schema>) -> Arc<dyn Store> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("pooled_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let pool = support::pool();
    support::session(&pool).await.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("a database");
    pool.close().await;
    let url = variable("MAINSTAY_TEST_PGBOUNCER_URL").replace("/postgres?", &format!("/{name}?"));
    let store = PostgresStore::new(PostgresOptions::parse(&url).expect("a URL")).expect("no certificates are needed");
    store.prepare().await.expect("our own tables can be made");
    let sql = migrate::plan(&Schema::default(), &schema).sql;
    let migration = Migration { name: "1_init".into(), sql, schema: schema.to_json() };
    store.migrate(migration).await.expect("the tables can be made");
    Arc::new(store)
}

mainstay_store::conformance_cases! { open,
    reads: values_come_back_as_they_went_in, pages_and_counts, order_by_several_terms;
    embeds: to_many_is_a_list, through_a_junction;
    writes: rows_come_back_in_the_order_given, all_or_nothing, updates, deletes, returned_rows_embed;
    conflicts: merge_by_primary_key, another_key_still_refuses;
    limits: concurrent_writers, readers_see_whole_commits, dropped_futures;
    scripts: later_steps_use_earlier_ones, a_failing_step_undoes_all, concurrent_scripts;
}
