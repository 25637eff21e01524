//! SQLite passes the suite that every store passes.

use std::sync::Arc;

use mainstay_schema::Schema;
use mainstay_store::{Migration, Store};
use mainstay_stores::SqliteStore;
use mainstay_stores::sqlite::migrate;

async fn open(schema: Arc<Schema>) -> Arc<dyn Store> {
    let store = SqliteStore::open_temporary().expect("there is room for a file");
    let sql = migrate::plan(&Schema::default(), &schema).sql;
    store
        .migrate(Migration { name: "1_init".into(), sql, schema: schema.to_json() })
        .await
        .expect("the tables can be made");
    Arc::new(store)
}

mainstay_store::conformance!(open);
