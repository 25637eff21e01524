//! MariaDB and MySQL pass the suite that every store passes. Each case has a database of its own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use mainstay_schema::Schema;
use mainstay_store::{Migration, Store};
use mainstay_stores::mysql::{Pool, migrate};
use mainstay_stores::{MysqlOptions, MysqlStore};

use crate::support;

/// The last database of each case, by the name of its thread.
static DONE: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// A new database on the server of this variable.
pub(crate) async fn fresh_database(variable: &str) -> MysqlOptions {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("suite_{}_{number}", std::process::id());
    let options = support::options(variable);
    let pool = Pool::new(options.clone()).expect("no certificates are needed");
    // The random case makes one after the other: a server with a thousand databases is slow to describe one of them.
    let case = std::thread::current().name().unwrap_or_default().to_owned();
    let before = DONE.lock().expect("nobody panics with it").insert(case.clone(), name.clone());
    if let Some(before) = before.filter(|_| case.contains("random")) {
        support::run(&pool, &format!("DROP DATABASE {before}")).await;
    }
    support::run(&pool, &format!("CREATE DATABASE {name}")).await;
    pool.close().await;
    options.with_database(&name)
}

/// A store in a new database, with the tables of a schema.
pub(crate) async fn store(variable: &str, schema: &Schema) -> MysqlStore {
    let mut options = fresh_database(variable).await;
    // Cases run side by side, and the server takes 200 connections.
    options.limits.connections_max = 4;
    let store = MysqlStore::new(options).expect("no certificates are needed");
    store.prepare().await.expect("our own tables can be made");
    let sql = migrate::plan(&Schema::default(), schema).sql;
    let migration = Migration { name: "1_init".into(), sql, schema: schema.to_json() };
    store.migrate(migration).await.expect("the tables can be made");
    store
}

mod mariadb {
    use super::*;

    async fn open(schema: Arc<Schema>) -> Arc<dyn Store> {
        Arc::new(store("MAINSTAY_TEST_MARIADB_URL", &schema).await)
    }

    mainstay_store::conformance!(open);
}

mod mysql {
    use super::*;

    async fn open(schema: Arc<Schema>) -> Arc<dyn Store> {
        Arc::new(store("MAINSTAY_TEST_MYSQL_URL", &schema).await)
    }

    mainstay_store::conformance!(open);
}
