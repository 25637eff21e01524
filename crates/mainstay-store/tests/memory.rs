//! The reference store passes the suite that it is the reference of, and refuses what it cannot do.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use mainstay_query::plan::{Expect, Expr, Filter, Insert, Output, Read, Shape, Source, Write};
use mainstay_query::{Actor, authorize};
use mainstay_schema::load::{self, SourceFile};
use mainstay_schema::{ColumnId, Schema, Value};
use mainstay_store::collect::{Collected, Member, Row};
use mainstay_store::{Call, MemoryStore, Migration, Store, StoreError};

async fn open(schema: Arc<Schema>) -> Arc<dyn Store> {
    Arc::new(MemoryStore::with_schema(schema))
}

mainstay_store::conformance!(open);

fn schema(text: &str) -> Arc<Schema> {
    let file = SourceFile { path: "test.toml".into(), text: text.to_owned() };
    Arc::new(load::load(&[file]).unwrap_or_else(|mistakes| panic!("{mistakes:#?}")))
}

fn call(schema: &Arc<Schema>) -> Call {
    Call { schema: schema.clone(), deadline: Instant::now() + Duration::from_secs(10) }
}

async fn migrate(store: &MemoryStore, name: &str, schema: &Arc<Schema>) -> Result<(), StoreError> {
    store.migrate(Migration { name: name.to_owned(), sql: String::new(), schema: schema.to_json() }).await
}

async fn insert(store: &MemoryStore, schema: &Arc<Schema>, table: &str, row: Vec<Value>) -> Result<(), StoreError> {
    let table = schema.find(table).unwrap();
    let insert = Insert {
        table: table.id,
        columns: (0..row.len() as u32).map(ColumnId).collect(),
        rows: vec![row.into_iter().map(Some).collect()],
        conflict: None,
        returning: None,
        expect: Expect::default(),
    };
    let plan = authorize::write(schema, &Actor::System, Write::Insert(insert)).unwrap();
    let sink = Box::new(Collected::new(Shape { members: vec![] }));
    store.write(call(schema), Arc::new(plan), sink).await.map(|_| ())
}

async fn all(store: &MemoryStore, schema: &Arc<Schema>, table: &str) -> Result<Vec<Row>, StoreError> {
    let table = schema.find(table).unwrap();
    let output = |column: &mainstay_schema::Column| Output {
        name: column.name.clone(),
        source: Source::Value(Expr::column(column.id)),
    };
    let (select, filter) = (table.columns.iter().map(output).collect(), Filter::True);
    let plan = Read { select, filter, ..Read::new(table.id) };
    let sink = Box::new(Collected::new(plan.shape(schema)));
    let plan = authorize::read(schema, &Actor::System, plan).unwrap();
    let sink: Box<dyn std::any::Any> = store.read(call(schema), Arc::new(plan), sink).await?.sink;
    sink.downcast::<Collected>().unwrap().finish()
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

#[tokio::test]
async fn a_migration_keeps_the_rows_of_what_stays() {
    let old = schema("[a.fields]\nid = { type = \"int\", primary = true }\nx = \"text\"\ny = \"text\"\n");
    let new = schema(
        "[b]\nwas = \"a\"\n[b.fields]\nid = { type = \"int\", primary = true }\n\
         z = { type = \"int\", was = \"x\" }\nnew = { type = \"text\", default = \"n\" }\n",
    );
    let store = MemoryStore::new();
    migrate(&store, "1", &old).await.unwrap();
    insert(&store, &old, "a", vec![Value::Int(1), text("12"), text("gone")]).await.unwrap();
    migrate(&store, "2", &new).await.unwrap();
    let row: Row = [Value::Int(1), Value::Int(12), text("n")].into_iter().map(Member::Value).collect();
    assert_eq!(all(&store, &new, "b").await.unwrap(), [row]);
    assert!(matches!(all(&store, &old, "a").await, Err(StoreError::SchemaChanged(_))), "planned for the old tables");
    let names: Vec<String> = store.migrations().await.unwrap().into_iter().map(|applied| applied.name).collect();
    assert_eq!(names, ["1", "2"]);
}

#[tokio::test]
async fn a_migration_that_fails_changes_nothing() {
    let old = schema("[a.fields]\nid = { type = \"int\", primary = true }\nx = \"text\"\n");
    let store = MemoryStore::new();
    migrate(&store, "1", &old).await.unwrap();
    insert(&store, &old, "a", vec![Value::Int(1), text("twelve")]).await.unwrap();
    insert(&store, &old, "a", vec![Value::Int(2), text("twelve")]).await.unwrap();
    for fields in [
        "x = \"int\"",
        "x = { type = \"text\", unique = true }",
        "x = \"text\"\ny = \"text\"",
        "x = \"text\"\ny = { ref = \"a\", default = 9 }",
    ] {
        let new = schema(&format!("[a.fields]\nid = {{ type = \"int\", primary = true }}\n{fields}\n"));
        assert!(matches!(migrate(&store, "2", &new).await, Err(StoreError::Migration { .. })), "{fields}");
    }
    assert_eq!(all(&store, &old, "a").await.unwrap().len(), 2);
    assert_eq!(store.migrations().await.unwrap().len(), 1);
    let broken = Migration { name: "2".into(), sql: String::new(), schema: "{".into() };
    assert!(matches!(store.migrate(broken).await, Err(StoreError::Migration { .. })));
}

#[tokio::test]
async fn what_needs_sql_is_refused() {
    let schema = schema(
        "[t.fields]\nid = { type = \"int\", primary = true }\nx = \"text\"\n\
         [t.indexes]\none = { on = [\"x\"], unique = true, where = \"id > 5\" }\n\
         [v]\nview = \"select id from t\"\n[v.fields]\nid = \"int\"\n",
    );
    let store = MemoryStore::with_schema(schema.clone());
    assert!(matches!(all(&store, &schema, "v").await, Err(StoreError::Unsupported { .. })));
    let row = vec![Value::Int(1), text("a")];
    assert!(matches!(insert(&store, &schema, "t", row).await, Err(StoreError::Unsupported { .. })));
    assert_eq!(all(&store, &schema, "t").await.unwrap(), Vec::<Row>::new());
}

#[test]
fn every_case_of_the_suite_is_run() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/conformance");
    let list = std::fs::read_to_string(folder.join("mod.rs")).unwrap();
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        let source = std::fs::read_to_string(&path).unwrap();
        let cases = source.lines().filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next());
        for case in cases {
            let is_listed = list.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == case);
            assert!(is_listed, "{case} of {} is not in the list of `conformance!`", path.display());
        }
    }
}
