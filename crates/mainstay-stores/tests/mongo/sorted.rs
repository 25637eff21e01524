//! Pages in the order of an index: the rows are those of the reference, and the server reads no more than these.

use std::sync::Arc;

use mainstay_query::{Actor, authorize};
use mainstay_schema::Schema;
use mainstay_schema::load::{SourceFile, load};
use mainstay_store::{Call, Migration, Store};
use mainstay_stores::MongoStore;
use mainstay_stores::mongo::{Link, migrate};
use mongodb::bson::{Bson, DateTime, Document, doc};

use crate::support;

/// As many rows as the server can pass over.
const FAR: u64 = i64::MAX.unsigned_abs();

/// All ways to order by a column, and pages of all of it, from its ends and across them.
fn pages(columns: &[&str], rows: u64) -> Vec<String> {
    let mut queries = Vec::new();
    for column in columns {
        for way in ["asc.nullslast", "asc.nullsfirst", "desc.nullsfirst", "desc.nullslast"] {
            for (offset, limit) in
                [(0, 1), (0, 7), (0, rows + 5), (1, 2), (5, 9), (rows - 3, 8), (rows + 2, 3), (FAR, 3)]
            {
                queries.push(format!("order={column}.{way}&offset={offset}&limit={limit}"));
            }
        }
    }
    queries
}

/// How the server comes to the rows, and how many it looks at.
async fn explained(store: &MongoStore, schema: &Arc<Schema>, table: &str, query: &str) -> (String, u64) {
    let plan = support::planned(schema, table, query);
    let plan = Arc::new(authorize::read(schema, &Actor::System, plan).expect("the system may read"));
    let call = || Call { schema: schema.clone(), deadline: support::late() };
    let explained = store.explain(call(), plan.clone()).await.expect("it can be explained");
    let estimate = store.estimate(call(), plan).await.expect("an estimate").expect("it can tell");
    (format!("{}\n{}", explained.statements.join("\n"), explained.details.join("\n")), estimate.rows)
}

#[tokio::test]
async fn pages_of_collections_of_others() {
    let store = MongoStore::new(Link::open(&support::fresh()).await.expect("the server answers"));
    let at = |number: i64| match number % 9 {
        0 => Bson::Null,
        1 => Bson::Undefined,
        _ => Bson::from(DateTime::from_millis(number % 5 * 1000)),
    };
    let mut rows: Vec<Document> = (0..60).map(|id| doc! { "_id": id, "at": at(i64::from(id)), "n": id % 4 }).collect();
    rows.extend((60..70).map(|id| doc! { "_id": id, "n": f64::from(id) / 2.0 }));
    let database = store.link().database();
    database.collection::<Document>("events").insert_many(&rows).await.expect("they can be written");
    let indexes = doc! { "createIndexes": "events", "indexes": [
        { "key": { "at": -1 }, "name": "newest" },
        { "key": { "n": 1, "at": 1 }, "name": "both" },
    ] };
    database.run_command(indexes).await.expect("they can be made");
    let schema = Arc::new(store.find(support::late()).await.expect("the collections can be looked at"));
    for query in pages(&["n"], 70) {
        support::read(&store, &schema, "events", &format!("select=_id,n&{query}")).await;
        support::read(&store, &schema, "events", &format!("select=_id&n=lt.3&{query}")).await;
    }
    for query in pages(&["at"], 70) {
        support::read(&store, &schema, "events", &format!("select=_id&{query}")).await;
    }

    // What is of another kind than the column comes where the server has it.
    let lists = [vec![3000, 1000], vec![2000]];
    let lists = lists.map(|list| Bson::from(list.into_iter().map(DateTime::from_millis).collect::<Vec<_>>()));
    let events = database.collection::<Document>("events");
    events.delete_many(doc! { "at": { "$type": "undefined" } }).await.expect("they can be deleted");
    let odd = [Bson::from("text"), Bson::from(7)].into_iter().chain(lists).zip(70..);
    let odd: Vec<Document> = odd.map(|(at, id)| doc! { "_id": id, "at": at }).collect();
    events.insert_many(odd).await.expect("they can be written");
    let count = events.count_documents(doc! {}).await.expect("they can be counted");
    for query in pages(&["at"], count) {
        // Without a limit all rows are sorted.
        let (order, page) = query.split_once('&').expect("an order and a page");
        let numbers: Vec<usize> = page.split(['=', '&']).filter_map(|part| part.parse().ok()).collect();
        let all = support::planned(&schema, "events", &format!("select=_id&{order}"));
        let all = support::rows(&store, &schema, mainstay_query::plan::Read { limit: None, ..all }).await;
        let all: Vec<&str> = all.split_inclusive(')').collect();
        assert_eq!(all.len() as u64, count);
        let plan = support::planned(&schema, "events", &format!("select=_id&{query}"));
        let rows = support::rows(&store, &schema, plan).await;
        let expected: Vec<&str> = all.into_iter().skip(numbers[0]).take(numbers[1]).collect();
        assert_eq!(rows, expected.concat(), "{query}");
    }
    for query in ["order=at.desc&limit=5", "order=at&limit=5", "order=n.desc&limit=5", "order=at.desc,n&limit=5"] {
        let (words, examined) = explained(&store, &schema, "events", query).await;
        assert!(words.contains("IXSCAN by ") && !words.contains("COLLSCAN"), "{query}: {words}");
        assert!(!words.lines().any(|line| line.trim() == "SORT"), "{query}: {words}");
        assert!(examined <= 5, "{query}: {examined}");
    }
    support::drop_database(store.link()).await;
}

const NOTES: &str = "[notes.fields]\nid = { type = \"int\", primary = true }\nat = \"timestamp\"\n\
                     seen = { type = \"timestamp\", optional = true }\nweight = { type = \"float\", optional = true }\n\n\
                     [notes.indexes]\nby_at = [\"at\"]\nby_seen = [\"seen\"]\nby_weight = [\"weight desc\"]\n";

#[tokio::test]
async fn pages_of_declared_tables() {
    let store = MongoStore::new(Link::open(&support::fresh()).await.expect("the server answers"));
    store.prepare().await.expect("our own collections can be made");
    let source = SourceFile { path: "schema/a.toml".into(), text: NOTES.to_owned() };
    let schema = load(&[source]).expect("no mistakes");
    let plan = migrate::plan(&Schema::default(), &schema);
    let migration = Migration { name: "1".to_owned(), sql: plan.sql, schema: schema.to_json() };
    store.migrate(migration).await.expect("the tables can be made");
    let schema = Arc::new(schema);
    let texts: Vec<String> = (0..50)
        .map(|id| {
            let time = |second: u32| format!("2026-01-01T00:00:{second:02}Z");
            let seen = if id % 3 == 0 { "null".to_owned() } else { time(id % 6) };
            let weight = if id % 4 == 0 { "null".to_owned() } else { format!("{}.5", id % 8) };
            format!("{id}|{}|{seen}|{weight}", time(id % 7))
        })
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let insert = support::insert(&schema, "notes", "id at seen weight", &texts);
    support::write(&store, &schema, insert).await.expect("they can be written");
    for query in pages(&["at", "seen", "weight"], 50) {
        support::read(&store, &schema, "notes", &format!("select=id,at&{query}")).await;
        support::read(&store, &schema, "notes", &format!("id=gt.20&{query}")).await;
    }
    let is_by = |words: &str, index: &str| words.contains(&format!("IXSCAN by {index}"));
    for (query, index) in [
        ("order=at&limit=5", "notes_by_at"),
        ("order=at.desc&limit=5", "notes_by_at"),
        ("order=at.desc&offset=5&limit=5", "notes_by_at"),
        ("order=seen&limit=5", "notes_by_seen"),
        ("order=seen.desc&limit=5", "notes_by_seen"),
        ("order=weight.desc.nullslast&limit=5", "notes_by_weight"),
    ] {
        let (words, examined) = explained(&store, &schema, "notes", query).await;
        assert!(is_by(&words, index) && !words.lines().any(|line| line.trim() == "SORT"), "{query}: {words}");
        assert!(examined <= 10, "{query}: {examined}");
    }
    support::drop_database(store.link()).await;
}
