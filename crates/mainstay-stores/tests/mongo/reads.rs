//! Reads of documents that another program wrote, and how the server goes about reads.

use std::any::Any;
use std::sync::Arc;

use mainstay_query::plan::{Comparison, Expr, Filter, Order, Output, PathStep, Read, Source, Test};
use mainstay_query::{Actor, Authorized, authorize};
use mainstay_schema::load::{SourceFile, load};
use mainstay_schema::value::Json;
use mainstay_schema::{Schema, Table, TableId, Value};
use mainstay_store::collect::{Collected, Member};
use mainstay_store::memory::Given;
use mainstay_store::{Call, Store};
use mainstay_stores::MongoStore;
use mainstay_stores::mongo::Link;
use mongodb::bson::{Document, doc};

use crate::support;

const TABLES: &str = r#"
[things.fields]
id = { type = "int", primary = true }
name = { type = "text", optional = true }
tags = { type = "text[]", optional = true }
octets = { type = "bytes", optional = true }
data = { type = "json", optional = true }
"#;

const THINGS: TableId = TableId(0);

struct Stage {
    store: MongoStore,
    schema: Arc<Schema>,
}

impl Stage {
    async fn new(documents: Vec<Document>) -> Stage {
        let store = MongoStore::new(Link::open(&support::fresh()).await.expect("the server answers"));
        let file = SourceFile { path: "t.toml".into(), text: TABLES.to_owned() };
        let schema = Arc::new(load(&[file]).expect("a schema"));
        let things = store.link().database().collection::<Document>("things");
        things.insert_many(documents).await.expect("documents can be written");
        Stage { store, schema }
    }

    fn call(&self) -> Call {
        Call { schema: self.schema.clone(), deadline: support::late() }
    }

    fn table(&self) -> &Table {
        self.schema.table(THINGS)
    }

    fn expr(&self, column: &str, path: &[&str], as_text: bool) -> Expr {
        let step = |text: &&str| text.parse().map_or_else(|_| PathStep::Key((*text).to_owned()), PathStep::Index);
        let column = self.table().find_column(column).expect("a column").id;
        Expr { path: path.iter().map(step).collect(), as_text, ..Expr::column(column) }
    }

    fn authorized(&self, plan: Read) -> Arc<Authorized<Read>> {
        Arc::new(authorize::read(&self.schema, &Actor::System, plan).expect("the system may read"))
    }

    fn plan(&self, filter: Filter) -> Read {
        let output = |column: &mainstay_schema::Column| Output {
            name: column.name.clone(),
            source: Source::Value(Expr::column(column.id)),
        };
        let key = Order { via: None, expr: self.expr("id", &[], false), descending: false, nulls_first: false };
        let select = self.table().columns.iter().map(output).collect();
        Read { select, filter, order: vec![key], ..Read::new(THINGS) }
    }

    async fn rows(&self, plan: Read) -> Vec<Vec<Value>> {
        let sink = Box::new(Collected::lenient(plan.shape(&self.schema)));
        let done = self.store.read(self.call(), self.authorized(plan), sink).await.expect("the read is possible");
        let sink: Box<dyn Any> = done.sink;
        let rows = sink.downcast::<Collected>().expect("the sink that was passed").finish().expect("rows of the shape");
        let value = |member: Member| match member {
            Member::Value(value) => value,
            other => panic!("{other:?}"),
        };
        rows.into_iter().map(|row| row.into_iter().map(value).collect()).collect()
    }

    /// What the server would do, and whether it does all of it.
    async fn explained(&self, plan: Read) -> (String, String) {
        let explained = self.store.explain(self.call(), self.authorized(plan)).await.expect("a read is explained");
        (explained.statements.join("\n"), explained.details.join("\n"))
    }

    async fn close(self) {
        support::drop_database(self.store.link()).await;
        self.store.close().await;
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn json(source: &str) -> Value {
    Value::Json(Json::parse(source).expect("JSON"))
}

/// Documents that a path of the server and one of ours lead into in different ways, and names that look like operators.
fn documents() -> Vec<Document> {
    let data = [
        doc! { "k": "x" },
        doc! { "k": ["x"] },
        doc! { "k": { "$gt": "" } },
        doc! { "k": null },
        doc! { "$where": "true" },
        doc! { "a.b": "x", "a": { "b": "y" } },
        doc! { "k": 5 },
        doc! { "k": 5.5 },
        doc! { "k": "5" },
        doc! { "k": true, "0": "zero" },
        doc! { "k": "X" },
        doc! { "k": f64::NAN },
        doc! { "k": "-Infinity" },
        doc! { "k": f64::NEG_INFINITY },
    ];
    let mut all: Vec<Document> = (1..).zip(data).map(|(id, data)| doc! { "_id": id, "data": data }).collect();
    all.push(doc! { "_id": 20, "data": [{ "k": "x" }, "x"] });
    all.push(doc! { "_id": 21, "data": "x" });
    all.push(doc! { "_id": 22 });
    all.push(doc! { "_id": 23, "name": "$where", "tags": ["a", "$gt"] });
    all.push(doc! { "_id": 24, "name": "a.b", "tags": ["a", null] });
    all.push(doc! { "_id": 25, "name": "{\"$gt\":\"\"}", "tags": [] });
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_lead_where_the_reference_goes() {
    let stage = Stage::new(documents()).await;
    let all = stage.rows(stage.plan(Filter::True)).await;
    assert_eq!(all.len(), documents().len());
    let mut filters = Vec::new();
    let texts =
        ["x", "5", "5.5", "true", "null", "zero", "", "{\"$gt\":\"\"}", "[\"x\"]", "y", "$where", "NaN", "-Infinity"];
    for path in
        [&["k"][..], &["0"], &["0", "k"], &["-1"], &["$where"], &["a.b"], &["a", "b"], &["k", "$gt"], &["k", "0"]]
    {
        for as_text in [true, false] {
            let expr = stage.expr("data", path, as_text);
            filters.push(Filter::Test { expr: expr.clone(), test: Test::IsNull });
            for word in texts {
                let value = if as_text { text(word) } else { json(&format!("{word:?}")) };
                for test in [
                    Test::Compare(Comparison::Eq, value.clone()),
                    Test::Compare(Comparison::Neq, value.clone()),
                    Test::In(vec![value.clone(), if as_text { text("X") } else { json("5") }]),
                    Test::IsDistinct(value.clone()),
                ] {
                    filters.push(Filter::Test { expr: expr.clone(), test });
                }
            }
            if as_text {
                let like = Test::Like { pattern: "x%".to_owned(), case_sensitive: false };
                filters.push(Filter::Test { expr, test: like });
            }
        }
    }
    for (column, value) in [
        ("name", text("$where")),
        ("name", text("{\"$gt\":\"\"}")),
        ("name", text("a.b")),
        ("tags", Value::Array(vec![text("$gt")])),
        ("tags", Value::Array(vec![])),
        ("data", json(r#"{"$where":"true"}"#)),
    ] {
        let expr = stage.expr(column, &[], false);
        filters.push(Filter::Test { expr: expr.clone(), test: Test::Compare(Comparison::Eq, value.clone()) });
        if column != "name" {
            filters.push(Filter::Test { expr, test: Test::Contains(value) });
        }
    }
    let given = Given::new(&stage.schema, vec![all], support::late());
    for filter in filters {
        for filter in [filter.clone(), Filter::Not(Box::new(filter))] {
            let expected = given.passing(THINGS, &filter).expect("the reference filters");
            assert_eq!(stage.rows(stage.plan(filter.clone())).await, expected, "{filter:?}");
        }
    }
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_can_do_it_does() {
    let stage = Stage::new(documents()).await;
    let apart = "outside of the server";
    let test = |expr: Expr, test: Test| stage.plan(Filter::Test { expr, test });

    let by_key = test(stage.expr("id", &[], false), Test::Compare(Comparison::Eq, Value::Int(3)));
    let (statement, details) = stage.explained(by_key.clone()).await;
    assert!(statement.starts_with("db.getCollection(\"things\").find({ _id: 3 }"), "{statement}");
    assert!(details.contains("IDHACK") || details.contains("IXSCAN by _id_"), "{details}");
    let estimate = stage.store.estimate(stage.call(), stage.authorized(by_key)).await.expect("an estimate");
    assert_eq!(estimate.expect("it can tell").rows, 1);

    let by_path = test(stage.expr("data", &["k"], true), Test::Compare(Comparison::Eq, text("x")));
    let (statement, details) = stage.explained(by_path.clone()).await;
    assert!(statement.contains("\"data.k\""), "{statement}");
    // The order is that of the index, all of which is gone through.
    assert!(details.contains("IXSCAN by _id_") && !details.contains(apart), "{details}");
    let estimate = stage.store.estimate(stage.call(), stage.authorized(by_path)).await.expect("an estimate");
    assert_eq!(estimate.expect("it can tell").rows, documents().len() as u64);

    let mut by_octets = stage.plan(Filter::True);
    by_octets.order[0].expr = stage.expr("octets", &[], false);
    let (_, details) = stage.explained(by_octets).await;
    assert!(details.contains(apart), "{details}");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_can_be_seen() {
    let stage = Stage::new(documents()).await;
    let statistics = stage.store.statistics(support::late()).await.expect("the server tells");
    let things = statistics.tables.iter().find(|table| table.table == "things").expect("the collection is told");
    assert_eq!(things.rows, documents().len() as u64);
    assert!(statistics.indexes.iter().any(|index| index.table == "things" && index.index == "_id_"));
    assert!(statistics.days.is_some() && statistics.uncounted.is_none(), "{statistics:?}");
    stage.store.ping(support::late()).await.expect("it answers");
    stage.close().await;
}
