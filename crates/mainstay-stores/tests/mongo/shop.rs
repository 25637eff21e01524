//! A small shop for the tests of this folder.

use std::sync::Arc;

use mainstay_schema::Schema;
use mainstay_schema::load::{SourceFile, load};
use mainstay_store::{Migration, Store};
use mainstay_stores::mongo::{Link, migrate};
use mainstay_stores::{MongoOptions, MongoStore};

use crate::support;

const TABLES: &str = r#"
[people.fields]
id = { type = "int", primary = true }
name = { type = "text", unique = true, optional = true }
data = { type = "json", optional = true }
count = { type = "bigint", optional = true }

[orders.fields]
id = { type = "int", primary = true }
person = { ref = "people" }
note = { type = "text", optional = true }

[plain.fields]
id = { type = "int", primary = true }
person = "int"
note = { type = "text", optional = true }

[numbered.fields]
id = { type = "int", primary = true, default = "sequence" }
name = { type = "text", unique = true }

[letters.fields]
id = { type = "int", primary = true }
person = { ref = "people", on_delete = "cascade", optional = true }
"#;

/// A store and its tables, in a database of their own.
pub(crate) struct Shop {
    pub(crate) store: MongoStore,
    pub(crate) schema: Arc<Schema>,
}

impl Shop {
    pub(crate) async fn new() -> Shop {
        Shop::on(support::fresh()).await
    }

    pub(crate) async fn on(options: MongoOptions) -> Shop {
        let store = MongoStore::new(Link::open(&options).await.expect("the server answers"));
        let file = SourceFile { path: "shop.toml".into(), text: TABLES.to_owned() };
        let schema = Arc::new(load(&[file]).expect("a schema"));
        store.prepare().await.expect("our own collections can be made");
        let sql = migrate::plan(&Schema::default(), &schema).sql;
        store.migrate(Migration { name: "1".into(), sql, schema: schema.to_json() }).await.expect("collections");
        Shop { store, schema }
    }

    pub(crate) async fn fill(&self, table: &str, columns: &str, rows: &[&str]) {
        let insert = support::insert(&self.schema, table, columns, rows);
        support::write(&self.store, &self.schema, insert).await.expect("the rows can be written");
    }

    pub(crate) async fn close(self) {
        support::drop_database(self.store.link()).await;
        self.store.close().await;
    }
}
