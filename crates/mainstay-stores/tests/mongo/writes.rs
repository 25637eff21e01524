//! Writes side by side, and values that look like commands.

use std::sync::Arc;

use mainstay_query::plan::{Conflict, Filter, Write};
use mainstay_schema::Value;
use mainstay_schema::value::Json;
use mainstay_store::collect::Member;
use mainstay_store::{ReferenceEnd, StoreError};
use mongodb::bson::{Bson, Document, doc};

use crate::shop::Shop;
use crate::support::{self, delete, equals, insert, update, write};

/// However children come while parents go, none is left without its parent.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_child_slips_past_the_removal_of_its_parent() {
    const ROUNDS: i64 = 25;
    let shop = Arc::new(Shop::new().await);
    for round in 0..ROUNDS {
        shop.fill("people", "id", &[&round.to_string()]).await;
        let children = (0..3).map(|at| {
            let shop = shop.clone();
            let table = if at == 0 { "letters" } else { "orders" };
            let row = format!("{}|{round}", round * 10 + at);
            tokio::spawn(async move {
                write(&shop.store, &shop.schema, insert(&shop.schema, table, "id person", &[&row])).await
            })
        });
        let children: Vec<_> = children.collect();
        let remover = {
            let shop = shop.clone();
            tokio::spawn(async move {
                let gone = delete(&shop.schema, "people", equals(&shop.schema, "people", "id", &round.to_string()));
                write(&shop.store, &shop.schema, gone).await
            })
        };
        for outcome in children {
            match outcome.await.expect("none panics") {
                Ok(done) => assert_eq!((done.affected, done.inserted), (1, 1)),
                Err(StoreError::Reference { broken, .. }) => {
                    assert_eq!(broken.expect("it is told").end, ReferenceEnd::Pointing);
                }
                Err(other) => panic!("{other:?}"),
            }
        }
        match remover.await.expect("none panics") {
            Ok(done) => assert_eq!(done.affected, 1),
            Err(StoreError::Reference { broken, .. }) => {
                assert_eq!(broken.expect("it is told").end, ReferenceEnd::Target)
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    let people: Vec<Bson> =
        support::all(shop.store.link(), "people").await.iter().filter_map(|row| row.get("_id").cloned()).collect();
    for table in ["orders", "letters"] {
        for child in support::all(shop.store.link(), table).await {
            assert!(people.contains(child.get("person").expect("it points")), "{table}: {child}");
        }
    }
    support::drop_database(shop.store.link()).await;
}

/// Those who add children of one parent do not keep one another waiting for long, and none fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_children_of_one_parent_at_once() {
    let shop = Arc::new(Shop::new().await);
    shop.fill("people", "id", &["1"]).await;
    let writers = (0..8).map(|writer| {
        let shop = shop.clone();
        tokio::spawn(async move {
            for n in 0..10 {
                shop.fill("orders", "id person", &[&format!("{}|1", writer * 100 + n)]).await;
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("none fails");
    }
    assert_eq!(support::all(shop.store.link(), "orders").await.len(), 80);
    support::drop_database(shop.store.link()).await;
}

/// Who merges the same new row at the same moment meets the other, and one inserts it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_merges_inserts() {
    let shop = Arc::new(Shop::new().await);
    let name = shop.schema.find("people").and_then(|table| table.find_column("name")).expect("it is there").id;
    let count = shop.schema.find("people").and_then(|table| table.find_column("count")).expect("it is there").id;
    for round in 0..10 {
        let rivals = (0..4).map(|rival| {
            let shop = shop.clone();
            tokio::spawn(async move {
                // A key that points at others' rows is looked after in a transaction, one of a plain table is not.
                let row = format!("{}|n{round}|{rival}", round * 10 + rival);
                let mut merge = insert(&shop.schema, "people", "id name count", &[&row]);
                merge.conflict = Some(Conflict { target: vec![name], merge: Some(vec![count]) });
                write(&shop.store, &shop.schema, merge).await.expect("it meets nobody for good").inserted
            })
        });
        let mut inserted = 0;
        for rival in rivals.collect::<Vec<_>>() {
            inserted += rival.await.expect("none panics");
        }
        assert_eq!(inserted, 1, "round {round}");
    }
    assert_eq!(support::all(shop.store.link(), "people").await.len(), 10);
    let id = shop.schema.find("plain").and_then(|table| table.find_column("id")).expect("it is there").id;
    let note = shop.schema.find("plain").and_then(|table| table.find_column("note")).expect("it is there").id;
    let rivals = (0..6).map(|rival| {
        let shop = shop.clone();
        tokio::spawn(async move {
            let mut merge = insert(&shop.schema, "plain", "id person note", &[&format!("1|1|{rival}")]);
            merge.conflict = Some(Conflict { target: vec![id], merge: Some(vec![note]) });
            write(&shop.store, &shop.schema, merge).await.expect("it meets nobody for good").inserted
        })
    });
    let mut inserted = 0;
    for rival in rivals.collect::<Vec<_>>() {
        inserted += rival.await.expect("none panics");
    }
    assert_eq!(inserted, 1);
    support::drop_database(shop.store.link()).await;
}

/// Values and names inside of documents that look like commands are values and names.
#[tokio::test]
async fn what_looks_like_a_command_is_none() {
    let shop = Shop::new().await;
    let hostile = [
        r#"{"$gt":""}"#,
        r#"{"$where":"sleep(10000)","$set":{"a":1}}"#,
        r#"{"a.b":{"$ne":null},"":1,"c":{"$expr":{"$eq":[1,1]}}}"#,
        r#"[{"$ref":"people","$id":1,"$db":"admin"},"$name","$$ROOT"]"#,
        r#"{"$oid":"507f1f77bcf86cd799439011","$numberLong":"5","$literal":"$name"}"#,
        r#""$name""#,
    ];
    let people = shop.schema.find("people").expect("it is there");
    let (id, data) = (people.columns[0].id, people.find_column("data").expect("it is there").id);
    for (at, text) in hostile.iter().enumerate() {
        let json = Value::Json(Json::parse(text).expect("a document"));
        // As a new row, as one of several, as a merge of both kinds, and as an update by key and by another column.
        let mut new = insert(&shop.schema, "people", "id name data", &[&format!("{at}|n{at}|{{}}")]);
        new.rows[0][2] = Some(json.clone());
        write(&shop.store, &shop.schema, new.clone()).await.expect("it is a value");
        new.conflict = Some(Conflict { target: vec![id], merge: Some(vec![data]) });
        write(&shop.store, &shop.schema, new.clone()).await.expect("it is a value");
        let by_key = equals(&shop.schema, "people", "id", &at.to_string());
        let by_name = equals(&shop.schema, "people", "name", &format!("n{at}"));
        for filter in [by_key, by_name] {
            let set = vec![(data, json.clone().into())];
            let mut plan = mainstay_query::plan::Update {
                table: people.id,
                set,
                filter,
                returning: None,
                expect: mainstay_query::plan::Expect::default(),
            };
            let value = mainstay_query::plan::Source::Value(mainstay_query::plan::Expr::column(data));
            let output = mainstay_query::plan::Output { name: "data".into(), source: value };
            plan.returning = Some(Box::new(mainstay_query::plan::Read {
                select: vec![output],
                ..mainstay_query::plan::Read::new(people.id)
            }));
            let done = write(&shop.store, &shop.schema, Write::Update(plan)).await.expect("it is a value");
            assert_eq!(done.rows, [vec![Member::Value(json.clone())]], "{text}");
        }
    }
    // A text that is an operator finds itself and nothing else.
    shop.fill("plain", "id person note", &["1|1|{\"$gt\":\"\"}", "2|1|x", "3|1|$note"]).await;
    for (text, expected) in [("{\"$gt\":\"\"}", 1), ("$note", 1), ("{\"$ne\":null}", 0)] {
        let gone = delete(&shop.schema, "plain", equals(&shop.schema, "plain", "note", text));
        assert_eq!(write(&shop.store, &shop.schema, gone).await.expect("it is done").affected, expected, "{text}");
    }
    assert_eq!(support::all(shop.store.link(), "plain").await.len(), 1);
    shop.close().await;
}

/// A rule of the database itself, which somebody made stricter than the schema, is told by the name of the field.
#[tokio::test]
async fn rules_of_others_are_told() {
    let shop = Shop::new().await;
    let rules = doc! { "$jsonSchema": { "properties": { "note": { "maxLength": 3 } } } };
    shop.store.link().database().run_command(doc! { "collMod": "plain", "validator": rules }).await.unwrap();
    let refused = |outcome: Result<support::Done, StoreError>| match outcome {
        Err(StoreError::Check { table, check }) => format!("{table} {check}"),
        other => panic!("{other:?}"),
    };
    let long = insert(&shop.schema, "plain", "id person note", &["1|1|long"]);
    assert_eq!(refused(write(&shop.store, &shop.schema, long).await), "plain plain_note_check");
    let both = insert(&shop.schema, "plain", "id person note", &["1|1|a", "2|1|long"]);
    assert_eq!(refused(write(&shop.store, &shop.schema, both).await), "plain plain_note_check");
    assert_eq!(support::all(shop.store.link(), "plain").await.len(), 0);
    shop.fill("plain", "id person note", &["1|1|abc"]).await;
    let longer = update(&shop.schema, "plain", "note", "longer", equals(&shop.schema, "plain", "id", "1"));
    assert_eq!(refused(write(&shop.store, &shop.schema, longer).await), "plain plain_note_check");
    let longer = update(&shop.schema, "plain", "note", "longer", Filter::True);
    assert_eq!(refused(write(&shop.store, &shop.schema, longer).await), "plain plain_note_check");
    shop.close().await;
}

/// A document that is larger than the server takes is refused, and many that are large together are not.
#[tokio::test]
async fn large_documents() {
    let shop = Shop::new().await;
    let text = |octets: usize| "x".repeat(octets);
    let rows: Vec<String> = (0..3).map(|at| format!("{at}|1|{}", text(5 << 20))).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    shop.fill("plain", "id person note", &rows).await;
    assert_eq!(support::all(shop.store.link(), "plain").await.len(), 3);
    // All of them by one update, which names the value once.
    let longer = update(&shop.schema, "plain", "note", &text(7 << 20), Filter::True);
    assert_eq!(write(&shop.store, &shop.schema, longer).await.expect("each of them is small enough").affected, 3);
    for rows in [vec![format!("9|1|{}", text(17 << 20))], vec!["8|1|x".to_owned(), format!("9|1|{}", text(17 << 20))]] {
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let outcome = write(&shop.store, &shop.schema, insert(&shop.schema, "plain", "id person note", &rows)).await;
        match outcome {
            Err(StoreError::Database(error)) => assert_eq!(&*error.code, "54000", "{error}"),
            other => panic!("{:?}", other.map(|done| done.affected)),
        }
    }
    assert_eq!(support::all(shop.store.link(), "plain").await.len(), 3);
    shop.close().await;
}

/// Which of many rows are still pointed at is asked without looking at all who point, and nobody removes more of them than
/// one write looks at.
#[tokio::test]
async fn many_rows_that_point_at_one() {
    let shop = Shop::new().await;
    shop.fill("people", "id", &["1", "2", "3", "4", "5"]).await;
    shop.fill("orders", "id person", &["1|4", "2|3", "3|3"]).await;
    let gone = || delete(&shop.schema, "people", Filter::True);
    match write(&shop.store, &shop.schema, gone()).await {
        Err(StoreError::Reference { broken, .. }) => {
            assert_eq!(broken.expect("it is told").values, Some(vec!["3".to_owned()]))
        }
        other => panic!("{other:?}"),
    }
    shop.store.link().database().collection::<Document>("orders").delete_many(doc! {}).await.unwrap();
    let letters: Vec<Document> = (0..100_001).map(|id| doc! { "_id": id, "person": 2 }).collect();
    let all = shop.store.link().database().collection::<Document>("letters");
    all.insert_many(letters).await.unwrap();
    match write(&shop.store, &shop.schema, gone()).await {
        Err(StoreError::Unsupported { what }) => {
            assert!(what.contains("cannot change more than 100000 rows of \"letters\""), "{what}")
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(support::all(shop.store.link(), "people").await.len(), 5);
    all.delete_many(doc! { "_id": { "$gte": 1000 } }).await.unwrap();
    assert_eq!(write(&shop.store, &shop.schema, gone()).await.expect("they are few").affected, 5);
    assert_eq!(support::all(shop.store.link(), "letters").await, Vec::<Document>::new());
    shop.close().await;
}

/// A row that a write made and removed again is not there for those that it makes then.
#[tokio::test]
async fn what_was_made_and_removed_is_not_there() {
    let shop = Shop::new().await;
    let made = Write::Insert(insert(&shop.schema, "people", "id", &["1"]));
    let removed = delete(&shop.schema, "people", equals(&shop.schema, "people", "id", "1"));
    let child = || Write::Insert(insert(&shop.schema, "orders", "id person", &["1|1"]));
    let done = write(&shop.store, &shop.schema, Write::Batch(vec![made.clone(), removed, child()])).await;
    assert!(matches!(done, Err(StoreError::Reference { .. })), "{done:?}");
    let moved = update(&shop.schema, "people", "id", "2", equals(&shop.schema, "people", "id", "1"));
    let done = write(&shop.store, &shop.schema, Write::Batch(vec![made.clone(), moved, child()])).await;
    assert!(matches!(done, Err(StoreError::Reference { .. })), "{done:?}");
    write(&shop.store, &shop.schema, Write::Batch(vec![made, child()])).await.expect("it is there");
    shop.close().await;
}

/// Rows that are refused leave the sequence where it was, and a sequence that has come to its end says so.
#[tokio::test]
async fn sequences_stay_ahead_of_rows_that_are_there() {
    let shop = Shop::new().await;
    let ids = async || {
        let all = support::all(shop.store.link(), "numbered").await;
        all.iter().map(|row| row.get_i32("_id").expect("a number")).collect::<Vec<_>>()
    };
    let rows = |columns: &str, rows: &[&str]| insert(&shop.schema, "numbered", columns, rows);
    shop.fill("numbered", "name", &["a"]).await;
    for refused in [&["1000|a"][..], &["2000|b", "2001|a"]] {
        let done = write(&shop.store, &shop.schema, rows("id name", refused)).await;
        assert!(matches!(done, Err(StoreError::Duplicate { .. })), "{done:?}");
    }
    shop.fill("numbered", "name", &["b"]).await;
    assert_eq!(ids().await, [1, 2]);
    // One by itself, several in a transaction, and numbers that are given and asked for in one write.
    shop.fill("numbered", "id name", &["10|c"]).await;
    shop.fill("numbered", "name", &["d"]).await;
    shop.fill("numbered", "id name", &["20|e", "15|f"]).await;
    shop.fill("numbered", "name", &["g"]).await;
    let mut mixed = rows("id name", &["30|h", "1|i"]);
    mixed.rows[1][0] = None;
    write(&shop.store, &shop.schema, mixed).await.expect("each has a number of its own");
    assert_eq!(ids().await, [1, 2, 10, 11, 15, 20, 21, 30, 31]);
    let used_up = async |most: i64| {
        let counters = shop.store.link().database().collection::<Document>("_mainstay_counters");
        counters.update_one(doc! { "_id": "numbered" }, doc! { "$set": { "n": most } }).await.unwrap();
        match write(&shop.store, &shop.schema, rows("name", &["z"])).await {
            Err(StoreError::Database(error)) => assert_eq!(&*error.code, "2200H", "{error}"),
            other => panic!("{other:?}"),
        }
    };
    used_up(i32::MAX.into()).await;
    used_up(i64::MAX).await;
    shop.close().await;
}
