//! Migrations are proved, and changes by others noticed, without a trace in the database.

use mainstay_schema::Schema;
use mainstay_schema::load::{SourceFile, load};
use mainstay_store::{Migration, Store};
use mainstay_stores::postgres::{Pool, migrate};
use mainstay_stores::{PostgresOptions, PostgresStore};

use crate::conformance::fresh_namespace;
use crate::support;

fn schema(text: &str) -> Schema {
    load(&[SourceFile { path: "schema/a.toml".into(), text: text.to_owned() }]).expect("no mistakes")
}

const OLD: &str = "[makers.fields]\nid = { type = \"int\", primary = true }\nname = \"text\"\n\n\
                   [toys.fields]\nid = { type = \"int\", primary = true }\nlabel = \"text\"\nmaker_id = { ref = \"makers\" }\n";
const NEW: &str = "[makers.fields]\nid = { type = \"int\", primary = true }\nname = { type = \"text\", unique = true }\n\n\
                   [toys.fields]\nid = { type = \"bigint\", primary = true }\ntitle = { type = \"text\", was = \"label\" }\n\
                   price = { type = \"decimal(10,2)\", default = 0 }\nmaker_id = { ref = \"makers\", on_delete = \"cascade\" }\n";

async fn store() -> (PostgresStore, Pool) {
    let mut options = PostgresOptions::parse(&fresh_namespace().await).expect("a URL");
    options.limits.connections_max = 2;
    (PostgresStore::new(options.clone()).expect("no certificates"), Pool::new(options).expect("no certificates"))
}

#[tokio::test]
async fn a_migration_is_proved_and_leaves_no_trace() {
    let (store, pool) = store().await;
    let (old, new) = (schema(OLD), schema(NEW));
    let sql = migrate::plan(&old, &new).sql;
    assert_eq!(store.prove(&old, &new, &sql).await.expect("it can be tried"), Ok(()));
    // What leads elsewhere, and what does not run.
    let found = store.prove(&old, &new, "").await.expect("it can be tried").expect_err("nothing was changed");
    assert!(found.iter().any(|line| line == "toys: column price is missing"), "{found:?}");
    assert!(found.iter().any(|line| line == "toys: column id integer not null, not bigint not null"), "{found:?}");
    let broken = store.prove(&old, &new, "DROP TABLE nobody").await.expect("it can be tried");
    assert!(broken.as_ref().is_err_and(|lines| lines[0].contains("nobody")), "{broken:?}");
    let count = "SELECT (SELECT count(*) FROM pg_namespace WHERE nspname LIKE '\\_mainstay\\_scratch%') \
                 + (SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace)";
    let left = support::one(&mut support::session(&pool).await, count, &[]).await;
    assert_eq!(left, "Int(0)");
}

#[tokio::test]
async fn what_others_change_is_drift() {
    let (store, pool) = store().await;
    let schema = std::sync::Arc::new(schema(OLD));
    let sql = migrate::plan(&mainstay_schema::load::load(&[]).expect("nothing"), &schema).sql;
    store.migrate(Migration { name: "1".into(), sql, schema: schema.to_json() }).await.expect("the tables can be made");
    assert_eq!(store.drift(schema.clone()).await.expect("it can be seen"), Vec::<String>::new());
    let change = "ALTER TABLE toys ADD COLUMN colour text; ALTER TABLE makers ALTER COLUMN name TYPE varchar(9); \
                  CREATE TABLE others (id int)";
    support::session(&pool).await.batch_execute(change).await.expect("another program may");
    let found = store.drift(schema).await.expect("it can be seen");
    let expected = [
        "makers: column name character varying(9) collate default not null, not text collate C not null",
        "toys: column colour is there and not in the schema",
    ];
    assert_eq!(found, expected);
}
