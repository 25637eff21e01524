//! Migrations are proved, carried out command by command, and go on where they stopped.

use mainstay_schema::Schema;
use mainstay_schema::load::{SourceFile, load};
use mainstay_store::{Migration, Store, StoreError};
use mainstay_stores::MongoStore;
use mainstay_stores::mongo::{Link, migrate};
use mongodb::bson::{Bson, Document, doc};
use mongodb::options::{ReadPreference, SelectionCriteria};

use crate::support;

fn schema(text: &str) -> Schema {
    load(&[SourceFile { path: "schema/a.toml".into(), text: text.to_owned() }]).expect("no mistakes")
}

const OLD: &str = "[makers.fields]\nid = { type = \"int\", primary = true }\nname = \"text\"\n\n\
                   [toys.fields]\nid = { type = \"int\", primary = true }\nlabel = \"text\"\nmaker_id = { ref = \"makers\" }\n";
const NEW: &str = "[makers.fields]\nid = { type = \"int\", primary = true }\nname = { type = \"text\", unique = true }\n\n\
                   [toys.fields]\nid = { type = \"bigint\", primary = true }\ntitle = { type = \"text\", was = \"label\" }\n\
                   price = { type = \"decimal(10,2)\", default = 0 }\nmaker_id = { ref = \"makers\", on_delete = \"cascade\" }\n";

async fn fresh() -> MongoStore {
    let store = MongoStore::new(Link::open(&support::fresh()).await.expect("the server answers"));
    store.prepare().await.expect("our own collections can be made");
    store
}

fn migration(name: &str, old: &Schema, new: &Schema) -> Migration {
    Migration { name: name.into(), sql: migrate::plan(old, new).sql, schema: new.to_json() }
}

async fn refused(store: &MongoStore, migration: Migration) -> String {
    match store.migrate(migration).await {
        Err(StoreError::Migration { message }) => message,
        other => panic!("{other:?}"),
    }
}

async fn drift(store: &MongoStore, schema: &Schema) -> Vec<String> {
    store.drift(schema.clone().into()).await.expect("it can be seen")
}

async fn put(store: &MongoStore, collection: &str, documents: Vec<Document>) {
    store.link().database().collection(collection).insert_many(documents).await.expect("the rules hold");
}

async fn all(store: &MongoStore, collection: &str) -> Vec<Document> {
    support::all(store.link(), collection).await
}

/// Changes of every kind, there and back, on tables with rows.
#[tokio::test]
async fn tables_become_what_the_schema_says() {
    let id = "id = { type = \"bigint\", primary = true, default = \"sequence\" }\n";
    let stages = [
        format!("[p.fields]\n{id}a = \"int\"\n\n[t.fields]\n{id}n = \"int\"\np_id = {{ ref = \"p\" }}\n"),
        format!(
            "[p.fields]\n{id}b = {{ type = \"int\", was = \"a\" }}\n\n[t]\nindexes = {{ few = {{ on = [\"n\"], unique = true \
             }}, some = {{ on = [\"n desc\", \"x\"] }} }}\n\n[t.fields]\n{id}n = \"bigint\"\n\
             p_id = {{ ref = \"p\", on_delete = \"cascade\" }}\nx = {{ type = \"text\", default = \"it's\" }}\n\
             u = {{ type = \"uuid\", default = \"uuid7\", unique = true }}\nat = {{ type = \"timestamp\", default = \"now\" }}\n\
             d = {{ type = \"decimal(9,3)\", default = 1.5 }}\nb = {{ type = \"bytes\", default = \"\\\\x00ff\" }}\n\
             j = {{ type = \"json\", default = {{ a = 1 }} }}\ntags = {{ type = \"text[]\", default = [\"q\"] }}\n"
        ),
        format!(
            "[q]\nwas = \"p\"\n\n[q.fields]\n{id}b = {{ type = \"int\", optional = true }}\n\n[t]\nunique = {{ both = [\"x\", \
             \"n\"] }}\n\n[t.fields]\nid = {{ type = \"bigint\", primary = true }}\nn = \"decimal(20,0)\"\n\
             p_id = {{ ref = \"q\", on_delete = \"set null\", optional = true }}\n\
             x = {{ type = \"text\", default = \"it's\" }}\n"
        ),
        format!("[t.fields]\n{id}n = \"text\"\nx = {{ type = \"text\", optional = true }}\n"),
        // Another key, two keys, and back.
        "[t.fields]\nid = \"bigint\"\nn = { type = \"text\", primary = true }\nx = { type = \"text\", optional = true }\n"
            .to_owned(),
        "[t]\nprimary = [\"id\", \"n\"]\n\n[t.fields]\nid = \"bigint\"\nn = \"text\"\nx = { type = \"text\", optional = true }\n"
            .to_owned(),
        format!("[t.fields]\n{id}n = \"int\"\nx = {{ type = \"text\", optional = true }}\n"),
    ];
    let store = fresh().await;
    let mut before = Schema::default();
    for (number, text) in stages.iter().enumerate() {
        let after = schema(text);
        let migration = migration(&number.to_string(), &before, &after);
        let proved = store.prove(&before, &after, &migration.sql).await;
        assert_eq!(proved.expect("it can be tried"), Ok(()), "{}", migration.sql);
        let sql = migration.sql.clone();
        store.migrate(migration).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
        assert_eq!(drift(&store, &after).await, Vec::<String>::new(), "{sql}");
        if number == 0 {
            put(&store, "p", vec![doc! { "_id": 1_i64, "a": 10 }, doc! { "_id": 2_i64, "a": 20 }]).await;
            let toys = vec![doc! { "_id": 1_i64, "n": 1, "p_id": 1_i64 }, doc! { "_id": 2_i64, "n": 9, "p_id": 2_i64 }];
            put(&store, "t", toys).await;
        }
        if number == 1 {
            let rows = all(&store, "t").await;
            for row in &rows {
                assert_eq!(row.get_str("x").unwrap(), "it's");
                assert_eq!(row.get("d").map(Bson::to_string).as_deref(), Some("1.500"));
                assert_eq!(row.get_document("j").unwrap(), &doc! { "a": 1 });
                assert!(row.get_datetime("at").is_ok());
            }
            assert_eq!(rows[0].get_i64("n").unwrap(), 1);
            assert_ne!(rows[0].get("u"), rows[1].get("u"), "each has a uuid of its own");
        }
        before = after;
    }
    let rows = all(&store, "t").await;
    let expected = [doc! { "_id": 1_i64, "n": 1, "x": "it's" }, doc! { "_id": 2_i64, "n": 9, "x": "it's" }];
    assert_eq!(rows.len(), 2);
    for (row, expected) in rows.iter().zip(&expected) {
        assert!(expected.iter().all(|(name, value)| row.get(name) == Some(value)), "{row} {expected}");
        assert_eq!(row.len(), 3, "{row}");
    }
    let applied = store.migrations().await.expect("they can be read");
    let names: Vec<&str> = applied.iter().map(|migrated| &*migrated.name).collect();
    assert_eq!(names, ["0", "1", "2", "3", "4", "5", "6"]);
    assert_eq!(applied[0].applied_at.len(), "2026-11-23T10:00:00+00:00".len());
    // The sequence goes on after what is there.
    let counter = all(&store, "_mainstay_counters").await;
    assert_eq!(counter, [doc! { "_id": "t", "n": 2_i64 }]);
    support::drop_database(store.link()).await;
}

#[tokio::test]
async fn a_migration_is_proved_and_leaves_no_trace() {
    let store = fresh().await;
    let scratch = async || {
        let names = store.link().database().client().list_database_names().await.expect("they can be seen");
        names.into_iter().filter(|name| name.starts_with("_mainstay_scratch_")).collect::<Vec<_>>()
    };
    let before = scratch().await;
    let (old, new) = (schema(OLD), schema(NEW));
    let text = migrate::plan(&old, &new).sql;
    assert_eq!(store.prove(&old, &new, &text).await.expect("it can be tried"), Ok(()));
    // What leads elsewhere, and what does not run.
    let found = store.prove(&old, &new, "").await.expect("it can be tried");
    let found = found.expect_err("nothing was changed");
    assert!(found.iter().any(|line| line == "toys: field price is missing"), "{found:?}");
    assert!(found.iter().any(|line| line.starts_with("toys: field _id {bsonType: \"int\"}")), "{found:?}");
    for (text, expected) in [
        ("{\"drop\":\"nobody\"}", "ns not found"),
        ("drop table toys", "line 1 is no command"),
        ("{\"unknown\":1}", "no such command"),
    ] {
        let broken = store.prove(&old, &new, text).await.expect("it can be tried").expect_err("it is no migration");
        assert!(broken[0].contains(expected), "{broken:?}");
    }
    let names = store.link().database().list_collection_names().await.unwrap();
    assert!(names.iter().all(|name| name.starts_with("_mainstay")), "{names:?}");
    // Others are at it as well: theirs go in the end, as ours have.
    let mut left: Vec<String> = scratch().await.into_iter().filter(|name| !before.contains(name)).collect();
    let start = std::time::Instant::now();
    while !left.is_empty() {
        assert!(start.elapsed().as_secs() < 60, "{left:?}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        let now = scratch().await;
        left.retain(|name| now.contains(name));
    }
    support::drop_database(store.link()).await;
}

#[tokio::test]
async fn what_others_change_is_drift() {
    let store = fresh().await;
    let schema = schema(OLD);
    store.migrate(migration("1", &Schema::default(), &schema)).await.expect("the tables can be made");
    assert_eq!(drift(&store, &schema).await, Vec::<String>::new());
    let database = store.link().database();
    let index = doc! { "createIndexes": "toys", "indexes": [{ "key": { "label": 1 }, "name": "mine" }] };
    database.run_command(index).await.unwrap();
    database.run_command(doc! { "collMod": "makers", "validator": {} }).await.unwrap();
    database.run_command(doc! { "create": "others" }).await.unwrap();
    let found = drift(&store, &schema).await;
    assert!(found.contains(&"toys: index mine is there and not in the schema".to_owned()), "{found:?}");
    assert!(found.contains(&"makers: field name is missing".to_owned()), "{found:?}");
    assert!(!found.iter().any(|line| line.starts_with("others")), "{found:?}");
    database.run_command(doc! { "collMod": "toys", "validationAction": "warn" }).await.unwrap();
    let found = drift(&store, &schema).await;
    assert!(found.iter().any(|line| line.starts_with("toys") && line.contains("unenforced")), "{found:?}");
    support::drop_database(store.link()).await;
}

#[tokio::test]
async fn a_migration_goes_on_where_it_stopped() {
    let store = fresh().await;
    let (old, new) = (schema(OLD), schema(NEW));
    store.migrate(migration("1", &Schema::default(), &old)).await.expect("the tables can be made");
    put(&store, "makers", vec![doc! { "_id": 1, "name": "a" }, doc! { "_id": 2, "name": "a" }]).await;
    put(&store, "toys", vec![doc! { "_id": 1, "label": "x", "maker_id": 1 }]).await;
    let second = migration("2", &old, &new);
    let message = refused(&store, second.clone()).await;
    assert!(message.contains("duplicate key"), "{message}");
    // What is not the same migration does not go on from there.
    let more = format!("{{\"create\":\"more\"}}\n{}", second.sql);
    let message = refused(&store, Migration { sql: more, ..second.clone() }).await;
    assert!(message.contains("of the others") && message.contains("are done"), "{message}");
    let other = migration("2", &old, &schema(&OLD.replace("label", "other")));
    let message = refused(&store, other).await;
    assert!(message.contains("stopped half way"), "{message}");
    let makers = store.link().database().collection::<Document>("makers");
    makers.update_one(doc! { "_id": 2 }, doc! { "$set": { "name": "b" } }).await.unwrap();
    let more = format!("{{\"create\":\"more\"}}\n{}", second.sql);
    store.migrate(Migration { sql: more, ..second }).await.expect("nothing is in the way any more");
    assert_eq!(drift(&store, &new).await, Vec::<String>::new());
    assert_eq!(all(&store, "_mainstay_migration_steps").await, Vec::<Document>::new());
    let toys = all(&store, "toys").await;
    assert_eq!(toys[0].get_str("title").unwrap(), "x");
    assert_eq!(toys[0].get_i64("_id").unwrap(), 1, "the key is of its new type");
    support::drop_database(store.link()).await;
}

/// A command whose end nobody saw is known by what it left.
#[tokio::test]
async fn a_command_that_happened_unseen_is_not_done_again() {
    let store = fresh().await;
    let old = schema(OLD);
    store.migrate(migration("1", &Schema::default(), &old)).await.expect("the tables can be made");
    let database = store.link().database();
    let line = "{\"drop\":\"toys\"}";
    // As a process leaves it that was killed right after the command.
    let step = doc! { "_id": "x", "number": 0_i64, "command": line, "before": "what it was", "is_done": false };
    put(&store, "_mainstay_migration_steps", vec![step]).await;
    database.run_command(doc! { "drop": "toys" }).await.unwrap();
    let new = schema("[makers.fields]\nid = { type = \"int\", primary = true }\nname = \"text\"\n");
    let second = migration("2", &old, &new);
    assert!(second.sql.lines().any(|other| other == line), "{}", second.sql);
    store.migrate(second).await.expect("what is done is not done again");
    assert_eq!(drift(&store, &new).await, Vec::<String>::new());
    support::drop_database(store.link()).await;
}

/// A command that was noted and did not happen is done, whatever others did to other collections meanwhile.
#[tokio::test]
async fn a_command_that_did_not_happen_is_done() {
    let store = fresh().await;
    let old = schema(OLD);
    store.migrate(migration("1", &Schema::default(), &old)).await.expect("the tables can be made");
    let database = store.link().database();
    let new = schema("[makers.fields]\nid = { type = \"int\", primary = true }\nname = \"text\"\n");
    let second = migration("2", &old, &new);
    // It waits for somebody who reads, and is ended before it does anything.
    let mut reader = database.client().start_session().await.unwrap();
    let primary = SelectionCriteria::ReadPreference(ReadPreference::Primary);
    reader.start_transaction().selection_criteria(primary).await.unwrap();
    let toys = database.collection::<Document>("toys");
    toys.find_one(doc! {}).session(&mut reader).await.unwrap();
    let ended = async {
        let admin = database.client().database("admin");
        let waits = doc! { "command.drop": "toys", "command.$db": database.name() };
        loop {
            let open = vec![doc! { "$currentOp": {} }, doc! { "$match": waits.clone() }];
            let mut found = admin.aggregate(open).await.unwrap();
            if found.advance().await.unwrap() {
                let op = found.deserialize_current().unwrap().get("opid").cloned();
                let note = all(&store, "_mainstay_migration_steps").await;
                admin.run_command(doc! { "killOp": 1, "op": op }).await.unwrap();
                return note;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let (_, note) = tokio::join!(refused(&store, second.clone()), ended);
    reader.abort_transaction().await.unwrap();
    put(&store, "_mainstay_migration_steps", note).await;
    database.run_command(doc! { "create": "others" }).await.unwrap();
    store.migrate(second).await.expect("nothing is in the way");
    assert_eq!(drift(&store, &new).await, Vec::<String>::new());
    assert!(!database.list_collection_names().await.unwrap().contains(&"toys".to_owned()), "it is dropped");
    support::drop_database(store.link()).await;
}

/// Rules become those of all documents only once none breaks them.
#[tokio::test]
async fn documents_that_break_new_rules_are_named() {
    let store = fresh().await;
    let old = schema("[t.fields]\nid = { type = \"int\", primary = true }\na = { type = \"text\", optional = true }\n");
    let new = schema("[t.fields]\nid = { type = \"int\", primary = true }\na = \"text\"\n");
    store.migrate(migration("1", &Schema::default(), &old)).await.expect("the tables can be made");
    put(&store, "t", vec![doc! { "_id": 1, "a": "x" }, doc! { "_id": 7, "a": Bson::Null }]).await;
    let second = migration("2", &old, &new);
    let message = refused(&store, second.clone()).await;
    assert!(message.contains("1 documents of t break its new rules (_id 7)"), "{message}");
    let t = store.link().database().collection::<Document>("t");
    t.update_one(doc! { "_id": 7 }, doc! { "$set": { "a": "y" } }).await.unwrap();
    store.migrate(second).await.expect("none breaks them any more");
    let broken = t.insert_one(doc! { "_id": 8 }).await.expect_err("the rules hold");
    assert!(broken.to_string().contains("121"), "{broken}");
    support::drop_database(store.link()).await;
}

#[tokio::test]
async fn a_value_that_has_no_meaning_in_the_new_type_is_named() {
    let store = fresh().await;
    let old = schema("[t.fields]\nid = { type = \"int\", primary = true }\na = \"text\"\n");
    let new = schema("[t.fields]\nid = { type = \"int\", primary = true }\na = \"int\"\n");
    store.migrate(migration("1", &Schema::default(), &old)).await.expect("the tables can be made");
    put(&store, "t", vec![doc! { "_id": 1, "a": "5" }, doc! { "_id": 2, "a": "five" }]).await;
    let message = refused(&store, migration("2", &old, &new)).await;
    assert!(message.contains("t.a of _id 2") && message.contains("five"), "{message}");
    support::drop_database(store.link()).await;
}

#[tokio::test]
async fn what_no_collection_can_be_is_refused_before_anything_is_done() {
    let store = fresh().await;
    let new = schema("[t.fields]\nid = { type = \"int\", primary = true }\nd = \"decimal(36,2)\"\n");
    let message = refused(&store, migration("1", &Schema::default(), &new)).await;
    assert!(message.contains("MongoDB keeps 34"), "{message}");
    let proved = store.prove(&Schema::default(), &new, "").await.expect("it can be tried");
    assert!(proved.expect_err("it is refused")[0].contains("MongoDB keeps 34"));
    assert_eq!(store.migrations().await.expect("they can be read"), []);
    support::drop_database(store.link()).await;
}

/// Two migrations of one database do not run side by side.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_migration_waits_for_the_other() {
    let store = std::sync::Arc::new(fresh().await);
    let schemas: Vec<Schema> =
        (0..2).map(|at| schema(&format!("[t{at}.fields]\nid = {{ type = \"int\", primary = true }}\n"))).collect();
    let both = schemas.iter().enumerate().map(|(at, schema)| {
        let (store, migration) = (store.clone(), migration(&at.to_string(), &Schema::default(), schema));
        tokio::spawn(async move { store.migrate(migration).await })
    });
    for one in both.collect::<Vec<_>>() {
        one.await.expect("none panics").expect("each has its turn");
    }
    assert_eq!(store.migrations().await.expect("they can be read").len(), 2);
    // Of two processes with the same one, one carries it out.
    let new = schema("[t2.fields]\nid = { type = \"int\", primary = true }\n");
    let both = (0..2).map(|_| {
        let (store, migration) = (store.clone(), migration("2", &schemas[1], &new));
        tokio::spawn(async move { store.migrate(migration).await })
    });
    let mut refused = Vec::new();
    for one in both.collect::<Vec<_>>() {
        refused.extend(one.await.expect("none panics").err());
    }
    match refused.as_slice() {
        [StoreError::Migration { message }] => assert_eq!(message, "the migration 2 was applied already"),
        other => panic!("{other:?}"),
    }
    assert_eq!(store.migrations().await.expect("they can be read").len(), 3);
    support::drop_database(store.link()).await;
}

/// Whoever was ended after a migration was recorded, and before its notes were gone, is in nobody's way.
#[tokio::test]
async fn notes_of_a_migration_that_is_through_are_dropped() {
    let store = fresh().await;
    let (old, new) = (schema(OLD), schema(NEW));
    store.migrate(migration("1", &Schema::default(), &old)).await.expect("the tables can be made");
    let line = "{\"create\":\"makers\"}";
    let step = doc! {
        "_id": "x", "migration": "1", "number": 0_i64, "command": line, "before": "what it was", "is_done": true,
    };
    put(&store, "_mainstay_migration_steps", vec![step]).await;
    store.migrate(migration("2", &old, &new)).await.expect("nothing is in the way");
    assert_eq!(all(&store, "_mainstay_migration_steps").await, Vec::<Document>::new());
    support::drop_database(store.link()).await;
}

/// A table that gets back a name goes on with its numbers.
#[tokio::test]
async fn numbers_go_on_after_a_rename_and_back() {
    let store = fresh().await;
    let id = "id = { type = \"int\", primary = true, default = \"sequence\" }\nn = \"int\"\n";
    let table = |name: &str, was: &str| schema(&format!("[{name}]\nwas = \"{was}\"\n\n[{name}.fields]\n{id}"));
    let stages = [schema(&format!("[p.fields]\n{id}")), table("q", "p"), table("p", "q")];
    let mut before = Schema::default();
    for (number, after) in stages.into_iter().enumerate() {
        store.migrate(migration(&number.to_string(), &before, &after)).await.expect("they can be made");
        let after = std::sync::Arc::new(after);
        let name = if number == 1 { "q" } else { "p" };
        let rows = support::insert(&after, name, "n", &["1", "2"]);
        support::write(&store, &after, rows).await.expect("each has a number of its own");
        before = Schema::clone(&after);
    }
    let ids: Vec<i32> = all(&store, "p").await.iter().map(|row| row.get_i32("_id").unwrap()).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5, 6]);
    assert_eq!(all(&store, "_mainstay_counters").await, [doc! { "_id": "p", "n": 6_i64 }]);
    support::drop_database(store.link()).await;
}
