//! PostgreSQL passes the suite that every store passes. Each case has a schema of its own in the server's database.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mainstay_schema::Schema;
use mainstay_store::{Migration, Store};
use mainstay_stores::postgres::{Embedding, Pool, Sharing, migrate};
use mainstay_stores::{PostgresOptions, PostgresStore};

use crate::support;

/// A URL whose connections find and make their tables in a new schema of this name.
pub(crate) async fn fresh_namespace() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("case_{}_{number}", std::process::id());
    let pool = Pool::new(support::options()).expect("no certificates are needed");
    let mut session = support::session(&pool).await;
    session.batch_execute(&format!("CREATE SCHEMA {name}")).await.expect("the schema can be made");
    drop(session);
    pool.close().await;
    let url = support::url();
    let mark = if url.contains('?') { '&' } else { '?' };
    format!("{url}{mark}options=-c%20search_path%3D{name}")
}

async fn open(schema: Arc<Schema>) -> Arc<dyn Store> {
    open_with(schema, Embedding::EachLevel, Sharing::Measured).await
}

async fn open_in_one(schema: Arc<Schema>) -> Arc<dyn Store> {
    open_with(schema, Embedding::OneStatement, Sharing::Always).await
}

async fn open_shared(schema: Arc<Schema>) -> Arc<dyn Store> {
    open_with(schema, Embedding::EachLevel, Sharing::Always).await
}

async fn open_with(schema: Arc<Schema>, embedding: Embedding, sharing: Sharing) -> Arc<dyn Store> {
    let mut options = PostgresOptions::parse(&fresh_namespace().await).expect("a URL");
    // Cases run side by side, and the server takes 100 connections.
    options.limits.connections_max = 4;
    options.embedding = embedding;
    options.lanes.sharing = sharing;
    let store = PostgresStore::new(options).expect("no certificates are needed");
    store.prepare().await.expect("our own tables can be made");
    let sql = migrate::plan(&Schema::default(), &schema).sql;
    let migration = Migration { name: "1_init".into(), sql, schema: schema.to_json() };
    store.migrate(migration).await.expect("the tables can be made");
    Arc::new(store)
}

mainstay_store::conformance!(open);

/// What reads give is the same when their levels come in one statement.
mod in_one {
    use super::open_in_one;

    mainstay_store::conformance_cases! { open_in_one,
        reads: values_come_back_as_they_went_in, pages_and_counts, order_by_a_related_row;
        embeds: to_one_is_a_row_or_null, to_many_is_a_list, a_table_with_itself, through_a_junction, composite_keys,
            one_to_one_both_ways, pages_and_filters_inside;
        groups: groups_by_related_rows, aggregates_inside_embeds;
        spreads: one_row_into_its_parent, many_rows_as_arrays, spreads_in_spreads, offsets_of_existence;
        random: scenarios_agree_with_the_reference;
    }
}

/// What reads give is the same when they share connections.
mod shared {
    use super::open_shared;

    mainstay_store::conformance_cases! { open_shared,
        reads: values_come_back_as_they_went_in, pages_and_counts, order_by_several_terms, order_by_a_related_row;
        embeds: to_one_is_a_row_or_null, to_many_is_a_list;
        filters: every_test_on_every_type, lists_of_any_length;
        groups: aggregates_of_groups, aggregates_inside_embeds;
        limits: deadline_before_the_start, deadline_on_the_way, concurrent_writers, readers_see_whole_commits,
            dropped_futures, a_closed_store, slow_sinks_hold_up_nobody_else;
        random: scenarios_agree_with_the_reference;
    }
}
