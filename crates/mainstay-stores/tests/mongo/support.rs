//! Where the server is, and databases of it.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use mainstay_query::plan::{
    Assign, Comparison, Count, Delete, Expect, Expr, Filter, Insert, PathStep, Read, Shape, Test, Update, Write,
};
use mainstay_query::request::ReadRequest;
use mainstay_query::{Actor, Limits, authorize, parse, plan};
use mainstay_schema::{ColumnId, Schema, Value};
use mainstay_store::collect::{Collected, Member, Row};
use mainstay_store::{Call, Store, StoreError};
use mainstay_stores::mongo::Link;
use mainstay_stores::{MongoOptions, MongoStore};
use mongodb::bson::{Document, doc};

/// The server's URL; without it tests fail, since nobody should take what did not run for what passed.
pub(crate) fn url() -> String {
    let name = "MAINSTAY_TEST_MONGO_URL";
    std::env::var(name)
        .unwrap_or_else(|_| panic!("not run: no server; cargo xtask test starts one ({name} is not set)"))
}

/// A deadline that no test should meet.
pub(crate) fn late() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// A database that nobody else uses; it is there as soon as something is written.
pub(crate) fn fresh() -> MongoOptions {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("case_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let (place, parameters) =
        url().split_once("/?").map(|(a, b)| (a.to_owned(), b.to_owned())).expect("it names no database");
    // Whatever it says of reads, transactions begin where writes go.
    let url = format!("{place}/{name}?{parameters}&readPreference=primaryPreferred");
    let mut options = MongoOptions::parse(&url).expect("the variable holds a URL");
    // Cases run side by side.
    options.limits.connections_max = 4;
    options
}

/// Drops the database of a link.
pub(crate) async fn drop_database(link: &Link) {
    link.database().drop().await.expect("our own database can be dropped");
}

/// All documents of a collection, by their keys.
pub(crate) async fn all(link: &Link, collection: &str) -> Vec<Document> {
    let all = link.database().collection::<Document>(collection);
    let cursor = all.find(doc! {}).sort(doc! { "_id": 1 }).await.expect("the server answers");
    cursor.try_collect().await.expect("the server answers")
}

/// Rows to insert; cells are parted by bars, `null` is null.
pub(crate) fn insert(schema: &Schema, table: &str, columns: &str, rows: &[&str]) -> Insert {
    let table = schema.find(table).expect("the table is there");
    let columns: Vec<&mainstay_schema::Column> =
        columns.split(' ').map(|name| table.find_column(name).expect("the column is there")).collect();
    let cell = |(column, text): (&&mainstay_schema::Column, &str)| match text {
        "null" => Some(Value::Null),
        text => Some(Value::parse(&column.ty, text).expect("a value of the column")),
    };
    Insert {
        table: table.id,
        rows: rows.iter().map(|row| columns.iter().zip(row.split('|')).map(cell).collect()).collect(),
        columns: columns.iter().map(|column| column.id).collect(),
        conflict: None,
        returning: None,
        expect: Expect::default(),
    }
}

/// Rows whose column has a value.
pub(crate) fn equals(schema: &Schema, table: &str, column: &str, text: &str) -> Filter {
    let column = schema.find(table).and_then(|table| table.find_column(column)).expect("the column is there");
    let value = Value::parse(&column.ty, text).expect("a value of the column");
    Filter::Test { expr: Expr::column(column.id), test: Test::Compare(Comparison::Eq, value) }
}

/// The rows of a read written as a query string: `(1,a,(…),[(…)])`; the same if the server only gathers them.
pub(crate) async fn read(store: &MongoStore, schema: &Arc<Schema>, table: &str, query: &str) -> String {
    let plan = planned(schema, table, query);
    let mut apart = plan.clone();
    apart.filter = Filter::And(vec![apart.filter, passes_here()]);
    let there = rows(store, schema, plan).await;
    assert_eq!(there, rows(store, schema, apart).await, "apart, {table}?{query}");
    there
}

/// The plan of a read written as a query string.
pub(crate) fn planned(schema: &Schema, table: &str, query: &str) -> Read {
    let limits = Limits { aggregates: true, ..Limits::default() };
    let query = parse::query(parse::Purpose::Read, query, &limits).expect("a query");
    let request = ReadRequest { table: table.to_owned(), query, count: Count::None, unpaged: false };
    plan::read(schema, &limits, &request).expect("a plan")
}

/// What the server has no words for, and every row passes.
fn passes_here() -> Filter {
    let expr = Expr { path: vec![PathStep::Key("x".to_owned())], as_text: true, ..Expr::column(ColumnId(0)) };
    let is_null = Filter::Test { expr, test: Test::IsNull };
    Filter::Or(vec![is_null.clone(), Filter::Not(Box::new(is_null))])
}

/// The rows of a plan, as [`read`] writes them.
pub(crate) async fn rows(store: &MongoStore, schema: &Arc<Schema>, plan: Read) -> String {
    let sink = Box::new(Collected::lenient(plan.shape(schema)));
    let plan = authorize::read(schema, &Actor::System, plan).expect("the system may read");
    let call = Call { schema: schema.clone(), deadline: late() };
    let done = store.read(call, Arc::new(plan), sink).await.expect("the read is possible");
    let sink: Box<dyn Any> = done.sink;
    let rows = sink.downcast::<Collected>().expect("the sink comes back").finish().expect("rows of the shape");
    rows.iter().map(shown).collect()
}

fn shown(row: &Row) -> String {
    let member = |member: &Member| match member {
        Member::Value(value) => value.to_text().unwrap_or_else(|| "null".to_owned()),
        Member::One(row) => shown(row),
        Member::Many(rows) => format!("[{}]", rows.iter().map(shown).collect::<String>()),
    };
    format!("({})", row.iter().map(member).collect::<Vec<_>>().join(","))
}

/// The rows to delete.
pub(crate) fn delete(schema: &Schema, table: &str, filter: Filter) -> Write {
    let table = schema.find(table).expect("the table is there").id;
    Write::Delete(Delete { table, filter, returning: None, expect: Expect::default() })
}

/// One column to set.
pub(crate) fn update(schema: &Schema, table: &str, column: &str, text: &str, filter: Filter) -> Write {
    let of = schema.find(table).expect("the table is there");
    let column = of.find_column(column).expect("the column is there");
    let value = Value::parse(&column.ty, text).expect("a value of the column");
    let set = vec![(column.id, Assign::Value(value))];
    Write::Update(Update { table: of.id, set, filter, returning: None, expect: Expect::default() })
}

/// What a write did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) affected: u64,
    pub(crate) inserted: u64,
    pub(crate) rows: Vec<Row>,
}

/// Carries out a write.
pub(crate) async fn write(store: &MongoStore, schema: &Arc<Schema>, plan: impl Into<Plan>) -> Result<Done, StoreError> {
    let plan = plan.into().0;
    let call = Call { schema: schema.clone(), deadline: late() };
    let shape = plan.returning().map(|read| read.shape(schema)).unwrap_or(Shape { members: vec![] });
    let plan = authorize::write(schema, &Actor::System, plan).expect("the system may write");
    let done = store.write(call, Arc::new(plan), Box::new(Collected::of(schema, shape))).await?;
    let sink: Box<dyn Any> = done.sink;
    let rows = sink.downcast::<Collected>().expect("the sink comes back").finish()?;
    Ok(Done { affected: done.affected, inserted: done.inserted, rows })
}

/// A write in the making.
pub(crate) struct Plan(pub(crate) Write);

impl From<Insert> for Plan {
    fn from(insert: Insert) -> Plan {
        Plan(Write::Insert(insert))
    }
}

impl From<Write> for Plan {
    fn from(write: Write) -> Plan {
        Plan(write)
    }
}
