//! MongoDB passes the suite that every store passes. Each case has a database of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use mainstay_schema::Schema;
use mainstay_store::{Migration, Store};
use mainstay_stores::mongo::{Link, migrate};
use mainstay_stores::{MongoOptions, MongoStore};

use crate::support;

/// The last database of each case, by the name of its thread.
static DONE: Mutex<BTreeMap<String, MongoOptions>> = Mutex::new(BTreeMap::new());

/// A store in a new database, with the tables of a schema.
pub(crate) async fn store(schema: &Schema) -> MongoStore {
    let options = support::fresh();
    let link = Link::open(&options).await.expect("the server answers");
    // The random case makes one after the other: a server with a thousand databases is slow.
    let case = std::thread::current().name().unwrap_or_default().to_owned();
    let before = DONE.lock().expect("nobody panics with it").insert(case.clone(), options);
    if let Some(before) = before.filter(|_| case.contains("random")) {
        support::drop_database(&Link::open(&before).await.expect("the server answers")).await;
    }
    let store = MongoStore::new(link);
    store.prepare().await.expect("our own collections can be made");
    let sql = migrate::plan(&Schema::default(), schema).sql;
    let migration = Migration { name: "1_init".into(), sql, schema: schema.to_json() };
    store.migrate(migration).await.expect("the collections can be made");
    store
}

async fn open(schema: Arc<Schema>) -> Arc<dyn Store> {
    Arc::new(store(&schema).await)
}

mainstay_store::conformance!(open);
