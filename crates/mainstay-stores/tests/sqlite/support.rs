//! A store with the tables of a schema, and short ways to read and write in it.

use std::any::Any;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mainstay_query::plan::{self, Expect, Filter, Insert, Read, Write};
use mainstay_query::request::{Count, ReadRequest};
use mainstay_query::{Actor, Authorized, Limits, authorize, parse};
use mainstay_schema::load::{self, SourceFile};
use mainstay_schema::{ColumnId, Schema, Value};
use mainstay_store::{Call, Cell, Migration, RowSink, Store, StoreError};
use mainstay_stores::SqliteStore;
use mainstay_stores::sqlite::migrate;

/// Customers and their orders, lines, tags; a tree; one table with every type; a view.
pub(crate) const SHOP: &str = r#"
[customers.fields]
id = { type = "bigint", primary = true, default = "sequence" }
email = { type = "text", unique = true }
name = { type = "text", optional = true }

[orders.fields]
id = { type = "bigint", primary = true, default = "sequence" }
customer_id = { ref = "customers", on_delete = "cascade" }
total = "decimal(12,2)"
note = { type = "json", optional = true }

[orders.indexes]
by_customer = ["customer_id"]
by_total = ["total desc"]

[tags.fields]
id = { type = "bigint", primary = true, default = "sequence" }
name = { type = "text", unique = true }

[order_tags]
primary = ["order_id", "tag_id"]
[order_tags.fields]
order_id = { ref = "orders", on_delete = "cascade" }
tag_id = { ref = "tags" }

[nodes.fields]
id = { type = "int", primary = true }
parent_id = { ref = "nodes", optional = true }
label = "text"

[things.fields]
id = { type = "uuid", primary = true, default = "uuid7" }
flag = { type = "bool", optional = true }
small = { type = "int", optional = true }
large = { type = "bigint", optional = true }
real = { type = "float", optional = true }
exact = { type = "decimal(20,4)", optional = true }
words = { type = "text", optional = true }
octets = { type = "bytes", optional = true }
day = { type = "date", optional = true }
hour = { type = "time", optional = true }
moment = { type = "timestamp", optional = true }
document = { type = "json", optional = true }
numbers = { type = "int[]", optional = true }

[order_totals]
view = "SELECT customer_id, count(*) AS orders FROM orders GROUP BY customer_id"
[order_totals.fields]
customer_id = { ref = "customers", primary = true }
orders = "bigint"
"#;

/// A store and the schema of its tables.
pub(crate) struct Shop {
    pub(crate) store: SqliteStore,
    pub(crate) schema: Arc<Schema>,
}

/// Reads a schema from its text.
pub(crate) fn schema(text: &str) -> Arc<Schema> {
    let file = SourceFile { path: "shop.toml".into(), text: text.to_owned() };
    Arc::new(load::load(&[file]).unwrap_or_else(|mistakes| panic!("{mistakes:#?}")))
}

/// A new store with the tables of [`SHOP`], empty.
pub(crate) async fn empty() -> Shop {
    over(SqliteStore::open_temporary().unwrap()).await
}

/// Makes the tables of [`SHOP`] in a store.
pub(crate) async fn over(store: SqliteStore) -> Shop {
    let schema = schema(SHOP);
    let sql = migrate::plan(&Schema::default(), &schema).sql;
    store.migrate(Migration { name: "1_init".into(), sql, schema: "{}".into() }).await.unwrap();
    Shop { store, schema }
}

/// The same with a few rows in it.
pub(crate) async fn filled() -> Shop {
    let shop = empty().await;
    shop.insert("customers", "id,email,name", &["1|ann@x.org|Ann", "2|bob@x.org|NULL", "3|cyd@x.org|Çyd"]).await;
    shop.insert(
        "orders",
        "id,customer_id,total,note",
        &[r#"1|1|10.50|{"gift":true,"tags":["a","b"]}"#, "2|1|9.00|NULL", "3|2|100.00|[1,2]"],
    )
    .await;
    shop.insert("tags", "id,name", &["1|new", "2|old"]).await;
    shop.insert("order_tags", "order_id,tag_id", &["1|1", "1|2", "3|2"]).await;
    shop
}

impl Shop {
    pub(crate) fn call(&self) -> Call {
        self.call_within(Duration::from_secs(20))
    }

    pub(crate) fn call_within(&self, time: Duration) -> Call {
        Call { schema: self.schema.clone(), deadline: Instant::now() + time }
    }

    /// The plan of a read written as a query string.
    pub(crate) fn plan(&self, table: &str, query: &str, count: Count) -> Arc<Authorized<Read>> {
        let limits = Limits::default();
        let query = parse::query(parse::Purpose::Read, query, &limits).unwrap();
        let request = ReadRequest { table: table.to_owned(), query, count, unpaged: false };
        let plan = plan::read(&self.schema, &limits, &request).unwrap();
        Arc::new(authorize::read(&self.schema, &Actor::System, plan).unwrap())
    }

    /// The filter that a query string makes.
    pub(crate) fn filter(&self, table: &str, query: &str) -> Filter {
        self.plan(table, query, Count::None).filter.clone()
    }

    /// The rows of a read, or its error.
    pub(crate) async fn try_read(&self, table: &str, query: &str) -> Result<String, StoreError> {
        let done = self.store.read(self.call(), self.plan(table, query, Count::None), TextSink::boxed()).await?;
        Ok(TextSink::text(done.sink))
    }

    /// The rows of a read.
    pub(crate) async fn read(&self, table: &str, query: &str) -> String {
        self.try_read(table, query).await.unwrap()
    }

    /// The columns with these names, separated by commas.
    pub(crate) fn columns(&self, table: &str, names: &str) -> Vec<ColumnId> {
        let table = self.schema.find(table).unwrap();
        names.split(',').filter(|name| !name.is_empty()).map(|name| table.find_column(name).unwrap().id).collect()
    }

    /// An insert of rows whose cells are separated by `|`; `NULL` is null, `-` leaves the value to the store.
    pub(crate) fn new_rows(&self, table: &str, columns: &str, rows: &[&str]) -> Insert {
        let of = self.schema.find(table).unwrap();
        let columns = self.columns(table, columns);
        let cell = |(text, column): (&str, &ColumnId)| match text {
            "-" => None,
            "NULL" => Some(Value::Null),
            text => Some(Value::parse(&of.column(*column).ty, text).unwrap()),
        };
        let rows = rows.iter().map(|row| row.split('|').zip(&columns).map(cell).collect()).collect();
        Insert { table: of.id, columns, rows, conflict: None, returning: None, expect: Expect::default() }
    }

    /// Carries out a write: rows affected, rows inserted, rows given back.
    pub(crate) async fn write(&self, plan: Write) -> Result<(u64, u64, String), StoreError> {
        let plan = Arc::new(authorize::write(&self.schema, &Actor::System, plan).unwrap());
        let done = self.store.write(self.call(), plan, TextSink::boxed()).await?;
        Ok((done.affected, done.inserted, TextSink::text(done.sink)))
    }

    pub(crate) async fn insert(&self, table: &str, columns: &str, rows: &[&str]) {
        self.write(Write::Insert(self.new_rows(table, columns, rows))).await.unwrap();
    }

    /// What a write gives back, written as a query string.
    pub(crate) fn returning(&self, table: &str, query: &str) -> Option<Box<Read>> {
        Some(Box::new((**self.plan(table, query, Count::None)).clone()))
    }
}

/// Writes rows as text: `(1,"a",(…),[(…)])`.
#[derive(Default)]
pub(crate) struct TextSink(String);

impl TextSink {
    pub(crate) fn boxed() -> Box<dyn RowSink> {
        Box::new(TextSink::default())
    }

    pub(crate) fn text(sink: Box<dyn RowSink>) -> String {
        let sink: Box<dyn Any> = sink;
        sink.downcast::<TextSink>().unwrap().0
    }

    fn comma(&mut self) {
        if !self.0.is_empty() && !self.0.ends_with(['(', '[']) {
            self.0.push(',');
        }
    }
}

impl RowSink for TextSink {
    fn start_row(&mut self) {
        self.comma();
        self.0.push('(');
    }

    fn end_row(&mut self) {
        self.0.push(')');
    }

    fn start_list(&mut self) {
        self.comma();
        self.0.push('[');
    }

    fn end_list(&mut self) {
        self.0.push(']');
    }

    fn cell(&mut self, cell: Cell<'_>) {
        self.comma();
        let _ = match cell {
            Cell::Null => write!(self.0, "null"),
            Cell::Bool(value) => write!(self.0, "{value}"),
            Cell::Int(value) => write!(self.0, "{value}"),
            Cell::Float(value) => write!(self.0, "{value}"),
            Cell::Digits(text) | Cell::Plain(text) | Cell::Json(text) => write!(self.0, "{text}"),
            Cell::Text(text) => write!(self.0, "{text:?}"),
            Cell::Bytes(octets) => write!(self.0, "{octets:?}"),
        };
    }
}
