//! How many statements a request is to the servers, as they count them, and what becomes of it meanwhile.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mainstay_query::plan::{self, Conflict, Count, Delete, Expect, Filter, Insert, Read, Update, Write};
use mainstay_query::request::ReadRequest;
use mainstay_query::{Actor, Limits, authorize, parse};
use mainstay_schema::load::{self, SourceFile};
use mainstay_schema::{ColumnId, Schema, Value};
use mainstay_store::collect::{Collected, Member};
use mainstay_store::{Call, Migration, Store, StoreError};
use mainstay_stores::MysqlStore;
use mainstay_stores::mysql::{Pool, Session, migrate};

use crate::conformance::fresh_database;
use crate::support::{SERVERS, ask, late, options};

const TABLES: &str = r#"
[people.fields]
id = { type = "int", primary = true, default = "sequence" }
name = "text"
pets = { type = "int", optional = true }

[stock.fields]
sku = { type = "text", primary = true }
count = "int"
note = { type = "text", optional = true }

[towns.fields]
id = { type = "int", primary = true }
name = { type = "text", unique = true }
"#;

/// A store with one connection, so that the server counts what is sent on it.
struct Shop {
    store: MysqlStore,
    schema: Arc<Schema>,
}

/// What a write did.
#[derive(Debug, PartialEq)]
struct Done {
    affected: u64,
    inserted: u64,
    rows: String,
}

impl Shop {
    async fn new(server: &str) -> Shop {
        let file = SourceFile { path: "shop.toml".into(), text: TABLES.to_owned() };
        let schema = Arc::new(load::load(&[file]).expect("a schema"));
        let mut options = fresh_database(server).await;
        options.limits.connections_max = 1;
        let store = MysqlStore::new(options).expect("no certificates are needed");
        store.prepare().await.expect("our own tables can be made");
        let sql = migrate::plan(&Schema::default(), &schema).sql;
        store.migrate(Migration { name: "1_init".into(), sql, schema: schema.to_json() }).await.expect("tables");
        Shop { store, schema }
    }

    fn call(&self, deadline: Instant) -> Call {
        Call { schema: self.schema.clone(), deadline }
    }

    fn plan(&self, table: &str, query: &str, count: Count) -> Read {
        let limits = Limits::default();
        let query = parse::query(parse::Purpose::Read, query, &limits).expect("a query");
        let request = ReadRequest { table: table.to_owned(), query, count, unpaged: false };
        plan::read(&self.schema, &limits, &request).expect("a plan")
    }

    fn filter(&self, table: &str, query: &str) -> Filter {
        self.plan(table, query, Count::None).filter
    }

    fn columns(&self, table: &str, names: &str) -> Vec<ColumnId> {
        let table = self.schema.find(table).expect("a table");
        names.split(',').map(|name| table.find_column(name).expect("a column").id).collect()
    }

    fn insert(&self, table: &str, columns: &str, rows: &[&str]) -> Insert {
        let of = self.schema.find(table).expect("a table");
        let columns = self.columns(table, columns);
        let cell = |(text, column): (&str, &ColumnId)| Value::parse(&of.column(*column).ty, text).expect("a value");
        let row = |row: &&str| row.split('|').zip(&columns).map(cell).map(Some).collect();
        let rows = rows.iter().map(row).collect();
        Insert { table: of.id, columns, rows, conflict: None, returning: None, expect: Expect::default() }
    }

    fn merge(&self, table: &str, columns: &str, target: &str, rows: &[&str]) -> Insert {
        let conflict = Conflict { target: self.columns(table, target), merge: Some(self.columns(table, columns)) };
        Insert { conflict: Some(conflict), ..self.insert(table, columns, rows) }
    }

    fn update(&self, table: &str, filter: &str, column: &str, value: &str) -> Update {
        let of = self.schema.find(table).expect("a table");
        let column = self.columns(table, column)[0];
        let value = Value::parse(&of.column(column).ty, value).expect("a value");
        let filter = self.filter(table, filter);
        Update { table: of.id, set: vec![(column, value.into())], filter, returning: None, expect: Expect::default() }
    }

    fn delete(&self, table: &str, filter: &str) -> Delete {
        let of = self.schema.find(table).expect("a table");
        Delete { table: of.id, filter: self.filter(table, filter), returning: None, expect: Expect::default() }
    }

    fn returning(&self, table: &str) -> Option<Box<Read>> {
        Some(Box::new(self.plan(table, "", Count::None)))
    }

    async fn write_until(&self, deadline: Instant, write: Write) -> Result<Done, StoreError> {
        let nothing = Read::new(self.schema.find("stock").expect("a table").id);
        let sink = Collected::of(&self.schema, write.returning().unwrap_or(&nothing).shape(&self.schema));
        let plan = authorize::write(&self.schema, &Actor::System, write).expect("the system may write");
        let done = self.store.write(self.call(deadline), Arc::new(plan), Box::new(sink)).await?;
        let sink: Box<dyn std::any::Any> = done.sink;
        let rows = sink.downcast::<Collected>().expect("the sink that it was given").finish().expect("rows");
        Ok(Done { affected: done.affected, inserted: done.inserted, rows: shown(rows) })
    }

    async fn write(&self, write: Write) -> Done {
        self.write_until(late(), write).await.expect("the write is possible")
    }

    async fn read(&self, table: &str, query: &str, count: Count) -> (String, Option<u64>) {
        let plan = self.plan(table, query, count);
        let sink = Box::new(Collected::of(&self.schema, plan.shape(&self.schema)));
        let plan = authorize::read(&self.schema, &Actor::System, plan).expect("the system may read");
        let done = self.store.read(self.call(late()), Arc::new(plan), sink).await.expect("the read is possible");
        let sink: Box<dyn std::any::Any> = done.sink;
        let rows = sink.downcast::<Collected>().expect("the sink that it was given").finish().expect("rows");
        (shown(rows), done.total)
    }

    /// Statements that the server has carried out on the connection.
    async fn statements(&self) -> u64 {
        let told = ask(self.store.pool(), "SHOW SESSION STATUS LIKE 'Questions'").await;
        told[0].split_once('|').expect("a name and a number").1.parse().expect("a number")
    }
}

fn shown(rows: Vec<Vec<Member>>) -> String {
    let cell = |member: Member| match member {
        Member::Value(value) => value.to_text().unwrap_or_else(|| "null".to_owned()),
        other => format!("{other:?}"),
    };
    let row = |row: Vec<Member>| row.into_iter().map(cell).collect::<Vec<_>>().join("|");
    rows.into_iter().map(row).collect::<Vec<_>>().join(" ")
}

/// Statements of a transaction besides its own: a limit and its beginning, its end and the end of the limit.
const AROUND: u64 = 4;

#[tokio::test]
async fn a_write_is_as_few_statements_as_the_server_has_words_for() {
    for server in SERVERS {
        let is_mariadb = server.contains("MARIADB");
        let shop = Shop::new(server).await;
        let people = |write: Insert| Write::Insert(Insert { returning: shop.returning("people"), ..write });
        let fifty: Vec<String> = (0..50).map(|at| format!("p{at}")).collect();
        let fifty: Vec<&str> = fifty.iter().map(String::as_str).collect();
        let thousand = fifty.repeat(20);
        let done = |affected, inserted, rows: &str| Done { affected, inserted, rows: rows.to_owned() };
        let cases: Vec<(&str, Write, u64, Done)> = vec![
            ("an insert", Write::Insert(shop.insert("people", "name", &["Ann"])), 1, done(1, 1, "")),
            (
                "of three",
                Write::Insert(shop.insert("people", "name,pets", &["Bo|1", "Cy|2", "Di|3"])),
                1,
                done(3, 3, ""),
            ),
            ("of fifty", Write::Insert(shop.insert("people", "name", &fifty)), 1, done(50, 50, "")),
            (
                "of a thousand",
                Write::Insert(shop.insert("people", "name", &thousand)),
                AROUND + 4,
                done(1000, 1000, ""),
            ),
            (
                "shown",
                people(shop.insert("people", "id,name", &["5000|Ed", "5001|Flo"])),
                if is_mariadb { 1 } else { AROUND + 2 },
                done(2, 2, "5000|Ed|null 5001|Flo|null"),
            ),
            ("an update", Write::Update(shop.update("people", "id=eq.5000", "pets", "7")), 1, done(1, 0, "")),
            ("of none", Write::Update(shop.update("people", "id=eq.9999", "pets", "7")), 1, done(0, 0, "")),
            (
                "an update, shown",
                Write::Update(Update {
                    returning: shop.returning("people"),
                    ..shop.update("people", "id=eq.5000&pets=gt.1", "id", "6000")
                }),
                AROUND + 2,
                done(1, 0, "6000|Ed|7"),
            ),
            (
                "an update of none, shown",
                Write::Update(Update {
                    returning: shop.returning("people"),
                    ..shop.update("people", "id=eq.6000&pets=gt.9", "pets", "8")
                }),
                AROUND + 1,
                done(0, 0, ""),
            ),
            ("a merge", Write::Insert(shop.merge("stock", "sku,count", "sku", &["a|1"])), 1, done(1, 1, "")),
            ("again", Write::Insert(shop.merge("stock", "sku,count", "sku", &["a|1"])), 1, done(1, 0, "")),
            ("changed", Write::Insert(shop.merge("stock", "sku,count", "sku", &["a|2"])), 1, done(1, 0, "")),
            (
                "of some",
                Write::Insert(shop.merge("stock", "sku,count", "sku", &["b|1", "a|2", "c|3"])),
                1,
                done(3, 2, ""),
            ),
            (
                "a merge, shown",
                Write::Insert(Insert {
                    returning: shop.returning("stock"),
                    ..shop.merge("stock", "sku,count", "sku", &["d|4", "a|9"])
                }),
                AROUND + 2,
                done(2, 1, "d|4|null a|9|null"),
            ),
            ("a delete", Write::Delete(shop.delete("people", "name=eq.Ann")), 1, done(1, 0, "")),
            (
                "a delete, shown",
                Write::Delete(Delete { returning: shop.returning("people"), ..shop.delete("people", "id=eq.6000") }),
                if is_mariadb { 1 } else { AROUND + 3 },
                done(1, 0, "6000|Ed|7"),
            ),
        ];
        for (what, write, expected, result) in cases {
            let before = shop.statements().await;
            assert_eq!(shop.write(write).await, result, "{what} on {server}");
            assert_eq!(shop.statements().await - before - 1, expected, "{what} on {server}");
        }
        assert_eq!(shop.read("stock", "order=sku", Count::None).await.0, "a|9|null b|1|null c|3|null d|4|null");
        shop.store.close().await;
    }
}

#[tokio::test]
async fn a_merge_goes_by_the_key_that_was_named_and_no_other() {
    for server in SERVERS {
        let shop = Shop::new(server).await;
        shop.write(Write::Insert(shop.insert("towns", "id,name", &["1|Ulm", "2|Bern"]))).await;
        // The server's own words for a merge would take this for the row of Bern.
        let other = shop.write_until(late(), Write::Insert(shop.merge("towns", "id,name", "id", &["1|Bern"]))).await;
        assert!(matches!(&other, Err(StoreError::Duplicate { key, .. }) if &**key == "towns_name_key"), "{other:?}");
        let twice = shop.write_until(late(), Write::Insert(shop.merge("stock", "sku,count", "sku", &["a|1", "a|2"])));
        assert!(matches!(twice.await, Err(StoreError::RepeatedKey)), "{server}");
        let towns = shop.read("towns", "order=id", Count::None).await.0;
        assert_eq!((towns.as_str(), shop.read("stock", "", Count::None).await.0.as_str()), ("1|Ulm 2|Bern", ""));
        shop.store.close().await;
    }
}

#[tokio::test]
async fn what_must_hold_afterwards_is_undone_if_it_does_not() {
    for server in SERVERS {
        let shop = Shop::new(server).await;
        shop.write(Write::Insert(shop.insert("stock", "sku,count", &["a|1", "b|1"]))).await;
        let expect = Expect { single: false, affected_max: Some(1) };
        let update = Update { expect, ..shop.update("stock", "count=eq.1", "count", "5") };
        let refused = shop.write_until(late(), Write::Update(update)).await;
        assert!(matches!(refused, Err(StoreError::Unexpected { affected: 2, .. })), "{refused:?}");
        let delete = Delete { expect, returning: shop.returning("stock"), ..shop.delete("stock", "count=eq.1") };
        let refused = shop.write_until(late(), Write::Delete(delete)).await;
        assert!(matches!(refused, Err(StoreError::Unexpected { affected: 2, .. })), "{refused:?}");
        assert_eq!(shop.read("stock", "order=sku", Count::None).await.0, "a|1|null b|1|null");
        shop.store.close().await;
    }
}

#[tokio::test]
async fn a_page_and_its_count_are_one_statement() {
    for server in SERVERS {
        let shop = Shop::new(server).await;
        shop.write(Write::Insert(shop.insert("stock", "sku,count", &["a|1", "b|2", "c|3", "d|4"]))).await;
        for (query, expected, total, statements) in [
            ("count=gt.1&order=sku&limit=2", "b|2|null c|3|null", 3, 1),
            ("count=gt.1&order=sku&limit=2&offset=2", "d|4|null", 3, 1),
            ("count=gt.7&limit=2", "", 0, 1),
            ("count=gt.1&order=sku", "b|2|null c|3|null d|4|null", 3, 1),
            // No row came that could tell: both are read again, from one snapshot.
            ("count=gt.1&limit=2&offset=9", "", 3, 1 + AROUND + 1 + 2),
        ] {
            let before = shop.statements().await;
            let (rows, counted) = shop.read("stock", query, Count::Exact).await;
            assert_eq!((rows.as_str(), counted), (expected, Some(total)), "{query} on {server}");
            // The end of a transaction that read goes to the server when the answer is given.
            let after = shop.statements().await;
            assert_eq!(after - before - 1, statements, "{query} on {server}");
        }
        shop.store.close().await;
    }
}

/// A shop with one row, which a session of somebody else holds.
async fn held(server: &str) -> (Shop, Pool, Session) {
    let shop = Shop::new(server).await;
    shop.write(Write::Insert(shop.insert("stock", "sku,count", &["a|1"]))).await;
    let other = Pool::new(shop.store.pool().options().clone()).expect("a pool");
    let mut holder = crate::support::session(&other).await;
    holder.batch_execute("BEGIN; UPDATE stock SET count=2").await.expect("nobody else has the row");
    (shop, other, holder)
}

/// Waits until no statement changes the shop's row any more.
async fn no_more_updates(watch: &Pool) {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let running = ask(watch, "SHOW PROCESSLIST").await;
        if !running.iter().any(|line| line.contains("UPDATE `stock`")) {
            return;
        }
        assert!(Instant::now() < until, "it still runs: {running:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_write_that_waits_for_another_one_ends_at_its_deadline_and_has_not_happened() {
    for server in SERVERS {
        let (shop, other, mut holder) = held(server).await;
        let start = Instant::now();
        let write = Write::Update(shop.update("stock", "sku=eq.a", "count", "3"));
        let refused = shop.write_until(start + Duration::from_millis(300), write).await;
        assert!(matches!(refused, Err(StoreError::Deadline)), "{refused:?} on {server}");
        assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
        holder.batch_execute("ROLLBACK").await.expect("it is undone");
        drop(holder);
        // The server lists a statement for a moment after it has told its end.
        let watch = Pool::new(options(server)).expect("a pool");
        no_more_updates(&watch).await;
        assert_eq!(shop.read("stock", "", Count::None).await.0, "a|1|null", "{server}");
        other.close().await;
        watch.close().await;
        shop.store.close().await;
    }
}

#[tokio::test]
async fn a_write_that_is_let_go_is_ended_and_its_connection_with_it() {
    for server in SERVERS {
        let (shop, other, mut holder) = held(server).await;
        let write = Write::Update(shop.update("stock", "sku=eq.a", "count", "3"));
        let let_go = tokio::time::timeout(Duration::from_millis(300), shop.write_until(late(), write)).await;
        assert!(let_go.is_err(), "it waits for the row");
        let watch = Pool::new(options(server)).expect("a pool");
        no_more_updates(&watch).await;
        holder.batch_execute("ROLLBACK").await.expect("it is undone");
        drop(holder);
        assert_eq!(shop.read("stock", "", Count::None).await.0, "a|1|null", "{server}");
        other.close().await;
        watch.close().await;
        shop.store.close().await;
    }
}

#[tokio::test]
async fn a_table_is_counted_when_somebody_asks_and_what_is_wrong_is_told() {
    for server in SERVERS {
        let shop = Shop::new(server).await;
        let table = shop.schema.find("stock").expect("a table").id;
        let counted = async || ask(shop.store.pool(), "SHOW SESSION STATUS LIKE 'Com_analyze'").await.remove(0);
        assert_eq!(counted().await, "Com_analyze|0");
        shop.store.analyze(shop.call(late()), table).await.expect("the table is there");
        assert_eq!(counted().await, "Com_analyze|1", "{server}");
        crate::support::run(shop.store.pool(), "DROP TABLE stock").await;
        let refused = shop.store.analyze(shop.call(late()), table).await;
        let told = refused.expect_err("there is none").to_string();
        assert!(told.contains("stock"), "{told} on {server}");
        shop.store.close().await;
    }
}
