//! Collections of other programs as schemas: from validators, from samples, and what is left out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mainstay_query::plan::{Conflict, Insert};
use mainstay_schema::model::{Reference, Texts};
use mainstay_schema::{DefaultValue, ReferenceAction, Schema, Type};
use mainstay_store::{Store, StoreError};
use mainstay_stores::MongoStore;
use mainstay_stores::mongo::Link;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, DateTime, Document, doc};

use crate::support;

async fn fresh() -> MongoStore {
    MongoStore::new(Link::open(&support::fresh()).await.expect("the server answers"))
}

async fn put(store: &MongoStore, collection: &str, documents: Vec<Document>) {
    store.link().database().collection(collection).insert_many(documents).await.expect("they can be written");
}

async fn find(store: &MongoStore) -> Schema {
    store.find(support::late()).await.expect("the collections can be looked at")
}

/// The columns of a table as `name type`, with a question mark where null is a value.
fn columns(schema: &Schema, table: &str) -> Vec<String> {
    let table = schema.find(table).unwrap_or_else(|| panic!("{table} is there"));
    let show = |column: &mainstay_schema::Column| {
        let ty = if column.texts == Texts::ObjectIds { "objectid".to_owned() } else { column.ty.to_string() };
        format!("{} {ty}{}", column.name, if column.optional { "?" } else { "" })
    };
    table.columns.iter().map(show).collect()
}

#[tokio::test]
async fn validators_tell_types_and_samples_the_rest() {
    let store = fresh().await;
    let rules = doc! { "$jsonSchema": {
        "bsonType": "object", "description": "People.", "required": ["name", "born", "id"],
        "properties": {
            "name": { "bsonType": "string", "description": "How they are called." },
            "born": { "bsonType": ["date", "null"] },
            "id": { "bsonType": "binData" },
            "state": { "enum": ["new", "old", Bson::Null] },
            "tags": { "bsonType": "array", "items": { "bsonType": "string" } },
            "any": { "bsonType": ["int", "string"] },
            "count": { "bsonType": ["int", "long"] },
        },
    } };
    let database = store.link().database();
    database.run_command(doc! { "create": "people", "validator": rules }).await.unwrap();
    let uuid = Binary { subtype: BinarySubtype::Uuid, bytes: vec![7; 16] };
    put(&store, "people", vec![doc! { "name": "a", "born": DateTime::MIN, "id": uuid, "more": 5_i64 }]).await;
    let schema = find(&store).await;
    let expected = [
        "_id objectid",
        "name text",
        "born timestamp?",
        "id uuid",
        "state text?",
        "tags text[]?",
        "any json?",
        "count bigint?",
        "more bigint?",
    ];
    assert_eq!(columns(&schema, "people"), expected);
    let people = schema.find("people").unwrap();
    assert_eq!(people.description.as_deref(), Some("People."));
    assert_eq!(people.columns[0].default, Some(DefaultValue::Expression("ObjectId()".to_owned())));
    assert_eq!(people.find_column("state").unwrap().checks.variants, ["new".into(), "old".into()]);
    let about = &schema.found().unwrap().tables[0];
    assert_eq!(
        (about.columns[1].declared.as_str(), about.columns[8].declared.as_str()),
        ("string", "long, inferred from 1 documents")
    );
    assert!(people.columns[8].description.as_ref().is_some_and(|words| words.contains("inferred")));
    support::drop_database(store.link()).await;
}

#[tokio::test]
async fn samples_tell_types_views_and_what_is_left_out() {
    let store = fresh().await;
    let database = store.link().database();
    let rows = vec![
        doc! { "_id": 1, "n": 1, "s": "a", "o": ObjectId::new(), "d": { "x": [1] }, "mixed": 1, "list": ["a"], "a.b": 1, "$x": 2 },
        doc! { "_id": 2, "n": 2.5, "s": Bson::Null, "mixed": "b", "list": [] },
    ];
    // Names with dots and dollars are put by those who mean it.
    put(&store, "events", rows).await;
    put(&store, "odd", vec![doc! { "_id": { "a": 1 } }]).await;
    database
        .run_command(doc! { "create": "some", "viewOn": "events", "pipeline": [{ "$match": { "n": 1 } }] })
        .await
        .unwrap();
    let divided = doc! { "$project": { "n": { "$divide": ["$n", 0] } } };
    database.run_command(doc! { "create": "broken", "viewOn": "events", "pipeline": [divided] }).await.unwrap();
    let rules = doc! { "$jsonSchema": { "properties": { "_id": { "bsonType": ["int", "string"] } } } };
    database.run_command(doc! { "create": "several", "validator": rules }).await.unwrap();
    let indexes = doc! { "createIndexes": "events", "indexes": [
        { "key": { "n": 1 }, "name": "large", "unique": true, "partialFilterExpression": { "n": { "$gte": 100 } } },
        { "key": { "o": 1 }, "name": "o_1", "unique": true, "partialFilterExpression": { "o": { "$exists": true } } },
        { "key": { "s": 1 }, "name": "s_1", "unique": true, "partialFilterExpression": { "s": { "$type": "string" } } },
        { "key": { "n": -1, "s": 1 }, "name": "both" },
        { "key": { "d.x": 1 }, "name": "inside" },
        { "key": { "s": "text" }, "name": "words" },
    ] };
    database.run_command(indexes).await.unwrap();
    store.prepare().await.unwrap();
    let schema = find(&store).await;
    let names: Vec<&str> = schema.tables().iter().map(|table| &*table.name).collect();
    assert_eq!(names, ["events", "some"], "ours are left out, and so is what has no key");
    let expected = ["_id int", "n float?", "s text?", "o objectid?", "d json?", "mixed json?", "list text[]?"];
    assert_eq!(columns(&schema, "events"), expected);
    let left_out = &schema.found().unwrap().left_out;
    for expected in [
        "events: the field \"a.b\": the dot",
        "events: the field \"$x\"",
        "odd: its _id is a document",
        "several: its _id is a document, or of several types",
        "broken: it cannot be read: ",
    ] {
        assert!(left_out.iter().any(|line| line.starts_with(expected)), "{left_out:?}");
    }
    let events = schema.find("events").unwrap();
    assert_eq!(events.primary_key, [events.columns[0].id]);
    assert_eq!(events.uniques.iter().map(|key| &*key.name).collect::<Vec<_>>(), ["o_1", "s_1"]);
    assert_eq!(events.indexes.iter().map(|index| &*index.name).collect::<Vec<_>>(), ["both"]);
    assert!(events.indexes[0].columns[0].descending);
    let some = schema.find("some").unwrap();
    assert!(!some.is_writable() && some.primary_key.is_empty());
    support::drop_database(store.link()).await;
}

#[tokio::test]
async fn the_version_changes_with_the_collections() {
    let store = fresh().await;
    let version = async || store.tables_version(support::late()).await.expect("the server answers");
    let first = version().await;
    assert_eq!(version().await, first);
    let database = store.link().database();
    database.run_command(doc! { "create": "t" }).await.unwrap();
    let second = version().await;
    assert_ne!(second, first);
    database.run_command(doc! { "collMod": "t", "validator": { "a": 1 } }).await.unwrap();
    assert_ne!(version().await, second);
    support::drop_database(store.link()).await;
}

/// Rows of such collections are written like others; `_id` is made where none is given.
#[tokio::test]
async fn rows_are_written_into_collections_of_others() {
    let store = fresh().await;
    put(&store, "notes", vec![doc! { "text": "a", "n": 1 }]).await;
    let schema = Arc::new(find(&store).await);
    let rows = support::write(&store, &schema, support::insert(&schema, "notes", "text", &["b"]))
        .await
        .expect("it is written");
    assert_eq!(rows.affected, 1);
    let all = support::all(store.link(), "notes").await;
    assert_eq!(all.len(), 2);
    assert!(all[1].get_object_id("_id").is_ok());
    assert!(!all[1].contains_key("n"), "what is not given is not there: {}", all[1]);
    assert_eq!(schema.find("notes").unwrap().find_column("n").unwrap().ty, Type::Int);
    support::drop_database(store.link()).await;
}

/// Keys are compared by code point in collections that compare texts otherwise.
#[tokio::test]
async fn a_collation_of_others_finds_no_other_row() {
    let store = fresh().await;
    let database = store.link().database();
    let collation = doc! { "locale": "en", "strength": 2 };
    database.run_command(doc! { "create": "words", "collation": collation }).await.unwrap();
    let rows = vec![doc! { "_id": "abc", "n": 1, "group": "a" }, doc! { "_id": "def", "n": 2, "group": "a" }];
    put(&store, "words", rows.clone()).await;
    let schema = Arc::new(find(&store).await);
    let by_key = |key: &str| support::equals(&schema, "words", "_id", key);
    for plan in [
        support::delete(&schema, "words", by_key("ABC")),
        support::update(&schema, "words", "n", "7", by_key("ABC")),
        support::update(&schema, "words", "n", "7", support::equals(&schema, "words", "group", "A")),
        support::delete(&schema, "words", support::equals(&schema, "words", "group", "A")),
    ] {
        assert_eq!(support::write(&store, &schema, plan).await.expect("it is done").affected, 0);
    }
    let words = schema.find("words").unwrap();
    let n = words.find_column("n").unwrap().id;
    let merged = |rows: &[&str]| {
        let conflict = Some(Conflict { target: vec![words.columns[0].id], merge: Some(vec![n]) });
        Insert { conflict, ..support::insert(&schema, "words", "_id n", rows) }
    };
    // Once by one document, and once in a transaction: the key is taken, and the row is another one.
    for rows in [&["ABC|7"][..], &["ABC|7", "DEF|8"]] {
        let start = Instant::now();
        match support::write(&store, &schema, merged(rows)).await {
            Err(StoreError::Duplicate { values, .. }) => assert_eq!(values.unwrap_or_default(), ["ABC"]),
            other => panic!("{other:?}"),
        }
        assert!(start.elapsed() < Duration::from_secs(20), "it is not tried over and over");
    }
    assert_eq!(support::all(store.link(), "words").await, rows);
    let done = support::write(&store, &schema, merged(&["abc|7", "def|8"])).await.expect("they are there");
    assert_eq!((done.affected, done.inserted), (2, 0));
    let done = support::write(&store, &schema, support::delete(&schema, "words", by_key("abc"))).await;
    assert_eq!(done.expect("it is there").affected, 1);
    support::drop_database(store.link()).await;
}

/// A key that no row can have names none, and a row that is null in a unique key of others meets nobody.
#[tokio::test]
async fn keys_that_no_row_can_have() {
    let store = fresh().await;
    let moment = DateTime::from_millis(1_700_000_000_123);
    put(&store, "ids", vec![doc! { "n": 1 }]).await;
    put(&store, "moments", vec![doc! { "_id": moment, "n": 1 }]).await;
    put(
        &store,
        "people",
        vec![doc! { "_id": 1, "email": Bson::Null, "n": 1 }, doc! { "_id": 2, "email": "a", "n": 1 }],
    )
    .await;
    let index =
        doc! { "createIndexes": "people", "indexes": [{ "key": { "email": 1 }, "name": "mail", "unique": true }] };
    store.link().database().run_command(index).await.unwrap();
    let schema = Arc::new(find(&store).await);
    for (table, key, expected) in [
        ("ids", "nobody", 0),
        ("moments", "2023-11-14T22:13:20.123456Z", 0),
        ("moments", "2023-11-14T22:13:20.123Z", 1),
    ] {
        let by_key = || support::equals(&schema, table, "_id", key);
        let done = support::write(&store, &schema, support::update(&schema, table, "n", "2", by_key())).await;
        assert_eq!(done.expect("it is a question").affected, expected, "{key}");
        let done = support::write(&store, &schema, support::delete(&schema, table, by_key())).await;
        assert_eq!(done.expect("it is a question").affected, expected, "{key}");
    }
    let people = schema.find("people").unwrap();
    let column = |name: &str| people.find_column(name).unwrap().id;
    let start = Instant::now();
    for rows in [&["3|null|2"][..], &["3|null|2", "4|b|2"]] {
        let conflict = Some(Conflict { target: vec![column("email")], merge: Some(vec![column("n")]) });
        let merge = Insert { conflict, ..support::insert(&schema, "people", "_id email n", rows) };
        match support::write(&store, &schema, merge).await {
            Err(StoreError::Duplicate { key, .. }) => assert_eq!(&*key, "mail"),
            other => panic!("{other:?}"),
        }
    }
    assert!(start.elapsed() < Duration::from_secs(20), "it is not tried over and over");
    support::drop_database(store.link()).await;
}

/// The collections of a store with links between their fields.
async fn linked(store: &MongoStore, links: &[(&str, &str, &str)]) -> Arc<Schema> {
    let schema = find(store).await;
    let mut tables = schema.tables().to_vec();
    for (table, column, target) in links {
        let target = schema.find(target).expect("the target is there");
        let here = schema.find(table).expect("the table is there");
        tables[here.id.index()].references.push(Reference {
            name: format!("{table}_{column}").into(),
            columns: vec![here.find_column(column).expect("the column is there").id],
            target: target.id,
            target_columns: target.primary_key.clone(),
            on_delete: ReferenceAction::default(),
            on_update: ReferenceAction::default(),
        });
    }
    Arc::new(Schema::of_found(tables, schema.found().expect("it is found").clone()))
}

/// A view gives one document several times: with one `_id`, or with none.
#[tokio::test]
async fn rows_of_views_are_told_apart() {
    let store = fresh().await;
    put(&store, "lists", vec![doc! { "_id": 1, "n": 5, "w": ["a", "a", "b"] }]).await;
    for (view, kept) in [("shared", doc! { "n": 1, "w": 1 }), ("bare", doc! { "_id": 0, "n": 1, "w": 1 })] {
        let pipeline = vec![doc! { "$unwind": "$w" }, doc! { "$project": kept }];
        let create = doc! { "create": view, "viewOn": "lists", "pipeline": pipeline };
        store.link().database().run_command(create).await.unwrap();
    }
    let schema = Arc::new(find(&store).await);
    for view in ["shared", "bare"] {
        assert_eq!(support::read(&store, &schema, view, "select=w&order=w").await, "(a)(a)(b)", "{view}");
    }
    support::drop_database(store.link()).await;
}

/// A text of 24 digits and an object id are one value of the API, and two of the server.
#[tokio::test]
async fn object_ids_and_texts_are_one_value() {
    let store = fresh().await;
    let [one, two] = [ObjectId::new(), ObjectId::new()];
    let people = [(one, "ann"), (two, "bob")].map(|(id, name)| doc! { "_id": id, "name": name });
    put(&store, "people", people.to_vec()).await;
    let visits = [(1, one), (2, two), (3, two)];
    put(&store, "visits", visits.map(|(id, at)| doc! { "_id": id, "person": at.to_hex(), "by": at }).to_vec()).await;
    let schema = linked(&store, &[("visits", "person", "people")]).await;
    let read = async |table, query: String| support::read(&store, &schema, table, &query).await;
    let visits = read("visits", "select=_id,people(name)&order=_id".to_owned()).await;
    assert_eq!(visits, "(1,(ann))(2,(bob))(3,(bob))");
    let people = read("people", "select=name,visits(_id)&order=name".to_owned()).await;
    assert_eq!(people, "(ann,[(1)])(bob,[(2)(3)])");
    let of_bob = read("visits", "select=_id,people!inner()&people.name=eq.bob&order=_id".to_owned()).await;
    assert_eq!(of_bob, "(2)(3)");
    let groups = read("visits", format!("select=by,count()&having=(by.eq.{two})")).await;
    assert_eq!(groups, format!("({two},2)"));
    let groups = read("visits", format!("select=person,last:by.max()&having=(last.eq.{two})")).await;
    assert_eq!(groups, format!("({two},{two})"));
    support::drop_database(store.link()).await;
}

/// Nothing is linked by nothing, and no list by its items, whatever stands in `_id`.
#[tokio::test]
async fn nothing_and_lists_link_no_rows() {
    let store = fresh().await;
    put(&store, "people", vec![doc! { "_id": 1, "name": "ann" }, doc! { "_id": 2, "name": "bob" }]).await;
    let visits = vec![doc! { "_id": 1, "person": 1 }, doc! { "_id": 2, "person": 2 }, doc! { "_id": 3 }];
    put(&store, "visits", visits).await;
    let schema = linked(&store, &[("visits", "person", "people")]).await;
    put(&store, "people", vec![doc! { "_id": Bson::Null, "name": "nobody" }]).await;
    put(&store, "visits", vec![doc! { "_id": 4, "person": [1, 2] }]).await;
    let visits = support::read(&store, &schema, "visits", "select=_id,people(name)&order=_id").await;
    assert_eq!(visits, "(1,(ann))(2,(bob))(3,null)(4,null)");
    let people = support::read(&store, &schema, "people", "select=name,visits(_id)&order=name").await;
    assert_eq!(people, "(ann,[(1)])(bob,[(2)])(nobody,[])");
    support::drop_database(store.link()).await;
}

/// However many rows belong to how many, each is given with its own, in order.
#[tokio::test]
async fn lists_of_rows_are_of_their_own_rows() {
    let store = fresh().await;
    put(&store, "people", (0..300).map(|id| doc! { "_id": id, "name": "ann" }).collect()).await;
    // One person has 130 visits, the others have two, one and none by turns.
    let visits = (0..130).map(|_| 299).chain((0..299).flat_map(|id| vec![id; (id % 3) as usize]));
    let visits = visits.zip(1..).map(|(person, id)| doc! { "_id": id, "person": person, "n": id % 7 });
    put(&store, "visits", visits.chain([doc! { "_id": 1000, "n": 1 }]).collect()).await;
    let schema = linked(&store, &[("visits", "person", "people")]).await;
    // Whole numbers are one, however wide they are kept, and lists link nothing.
    let others = [Bson::from(1_i64), Bson::from("1"), Bson::from(vec![1]), Bson::Null];
    put(&store, "visits", others.into_iter().zip(2000..).map(|(one, id)| doc! { "_id": id, "person": one }).collect())
        .await;
    let visits = store.link().database().collection::<Document>("visits");
    let count = visits.count_documents(doc! {}).await.unwrap();
    let read = async |query| support::read(&store, &schema, "people", query).await;
    let all = read("select=_id,visits(_id)&visits.order=_id.asc.nullsfirst").await;
    assert_eq!(all.matches("(").count() as u64, 300 + count - 4);
    assert!(all.starts_with("(0,[])(1,[(131)(2000)])(2,["), "{all}");
    let some = read("select=_id,visits(n)&visits.order=_id.desc.nullslast&visits.limit=100&order=_id.desc").await;
    assert!(some.starts_with("(299,[(4)(3)(2)(1)(0)(6)("), "{some}");
    read("select=_id,...visits(n)&visits.n=gt.3&visits.order=_id.asc.nullsfirst").await;

    // More than are held at once.
    put(&store, "visits", (0..12_000).map(|id| doc! { "_id": 10_000 + id, "person": id % 100 }).collect()).await;
    let plan = support::planned(
        &schema,
        "people",
        "select=_id,visits(_id)&visits._id=gte.10000&visits.order=_id.asc.nullsfirst",
    );
    let rows = support::rows(&store, &schema, plan).await;
    let expected = |person: i32| {
        let visits = (0..12_000).filter(|id| id % 100 == person);
        format!("({person},[{}])", visits.map(|id| format!("({})", 10_000 + id)).collect::<String>())
    };
    assert_eq!(rows, (0..300).map(expected).collect::<String>());
    support::drop_database(store.link()).await;
}

/// What is no number is not added, and makes no mean smaller.
#[tokio::test]
async fn sums_are_of_numbers() {
    let store = fresh().await;
    put(&store, "counts", vec![doc! { "_id": 1, "n": 5_i64 }, doc! { "_id": 2, "n": 8_i64 }]).await;
    let schema = Arc::new(find(&store).await);
    assert_eq!(schema.find("counts").unwrap().find_column("n").unwrap().ty, Type::BigInt);
    put(&store, "counts", vec![doc! { "_id": 3, "n": "abc" }, doc! { "_id": 4, "n": "7" }, doc! { "_id": 5 }]).await;
    let groups = support::read(&store, &schema, "counts", "select=n.sum(),n.avg(),n.count()").await;
    assert_eq!(groups, "(13,6.5000000000000000,4)");
    support::drop_database(store.link()).await;
}
