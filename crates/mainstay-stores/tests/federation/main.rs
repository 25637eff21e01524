//! SQLite and PostgreSQL behind a federation answer as one memory store that holds everything: joins of real engines, with
//! their own orders, types and limits.

#[path = "../postgres/support.rs"]
#[expect(dead_code, reason = "made for the tests of PostgreSQL itself")]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mainstay_schema::Schema;
use mainstay_store::conformance::scattered::{Scattered, scatter};
use mainstay_store::{Migration, Store};
use mainstay_stores::postgres::{Pool, migrate as postgres};
use mainstay_stores::sqlite::migrate as sqlite;
use mainstay_stores::{PostgresOptions, PostgresStore, SqliteStore};

/// Names of the stores: the first is SQLite.
const NAMES: [&str; 2] = ["main", "sales"];

async fn open(schema: Arc<Schema>) -> Arc<dyn Store> {
    let schema = scatter(&NAMES, &schema);
    let main = SqliteStore::open_temporary().expect("there is room for a file");
    let own = schema.only(None);
    main.migrate(all(sqlite::plan(&Schema::default(), &own).sql, &own)).await.expect("the tables can be made");
    let mut options = PostgresOptions::parse(&fresh_namespace().await).expect("a URL");
    options.limits.connections_max = 4;
    let sales = PostgresStore::new(options).expect("no certificates are needed");
    sales.prepare().await.expect("our own tables can be made");
    let own = schema.only(Some("sales"));
    sales.migrate(all(postgres::plan(&Schema::default(), &own).sql, &own)).await.expect("the tables can be made");
    let stores: Vec<(Arc<str>, Arc<dyn Store>)> =
        vec![(NAMES[0].into(), Arc::new(main)), (NAMES[1].into(), Arc::new(sales))];
    Arc::new(Scattered::new(stores, schema))
}

fn all(sql: String, schema: &Schema) -> Migration {
    Migration { name: "1_init".into(), sql, schema: schema.to_json() }
}

/// A URL whose connections find and make their tables in a new schema of their own.
async fn fresh_namespace() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("joined_{}_{number}", std::process::id());
    let pool = Pool::new(support::options()).expect("no certificates are needed");
    let mut session = support::session(&pool).await;
    session.batch_execute(&format!("CREATE SCHEMA {name}")).await.expect("the schema can be made");
    drop(session);
    pool.close().await;
    let url = support::url();
    let mark = if url.contains('?') { '&' } else { '?' };
    format!("{url}{mark}options=-c%20search_path%3D{name}")
}

mainstay_store::conformance_cases! { open,
    filters: related_rows_exist_or_do_not, lists_of_any_length;
    reads: pages_and_counts, order_by_a_related_row, explaining_changes_nothing;
    embeds: to_one_is_a_row_or_null, to_many_is_a_list, a_table_with_itself, through_a_junction, composite_keys,
        one_to_one_both_ways, pages_and_filters_inside;
    groups: aggregates_inside_embeds;
    places: places_of_related_rows;
    spreads: one_row_into_its_parent, many_rows_as_arrays, spreads_in_spreads, offsets_of_existence;
    writes: returned_rows_embed;
    random: scattered_scenarios_agree_with_the_reference;
}
