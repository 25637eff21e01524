//! PostgreSQL passes the suite that every store passes. Each case has a schema of its own in the server's database.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mainstay_schema::Schema;
use mainstay_store::{Migration, Store};
use mainstay_stores::postgres::{Pool, migrate};
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
    let mut options = PostgresOptions::parse(&fresh_namespace().await).expect("a URL");
    // Cases run side by side, and the server takes 100 connections.
    options.connections_max = 4;
    let store = PostgresStore::new(options).expect("no certificates are needed");
    store.prepare().await.expect("our own tables can be made");
    let sql = migrate::plan(&Schema::default(), &schema).sql;
    let migration = Migration { name: "1_init".into(), sql, schema: schema.to_json() };
    store.migrate(migration).await.expect("the tables can be made");
    Arc::new(store)
}

mainstay_store::conformance!(open);
