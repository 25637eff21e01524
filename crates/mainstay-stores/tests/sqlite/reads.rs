//! Rows, embeds, order, pages, counts.

use std::sync::Arc;
use std::time::Duration;

use mainstay_query::plan::Read;
use mainstay_query::request::Count;
use mainstay_query::{Actor, authorize};
use mainstay_schema::{Schema, Type, Value};
use mainstay_store::{Migration, Store, StoreError};
use mainstay_stores::sqlite::migrate;
use mainstay_stores::{SqliteOptions, SqliteStore};

use crate::support::{SHOP, Shop, TextSink, empty, filled, over, schema};

#[tokio::test]
async fn embeds_of_every_kind() {
    let shop = filled().await;
    for (table, query, expected) in [
        (
            "customers",
            "select=name,orders(id,total)&order=id",
            r#"("Ann",[(1,10.50),(2,9.00)]),(null,[(3,100.00)]),("Çyd",[])"#,
        ),
        ("orders", "select=id,customers(email)&order=id.desc&limit=2", r#"(3,("bob@x.org")),(2,("ann@x.org"))"#),
        (
            "orders",
            "select=id,tags(name)&order=id&tags.order=name.desc",
            r#"(1,[("old"),("new")]),(2,[]),(3,[("old")])"#,
        ),
        ("customers", "select=id,orders!inner(id)&orders.total=gt.50", "(2,[(3)])"),
        ("customers", "select=id,orders(id,tags(id))&id=eq.1&orders.limit=1&orders.order=id", "(1,[(1,[(1),(2)])])"),
        ("customers", "select=orders(id)&id=eq.3", "([])"),
        ("customers", "select=id,order_totals(orders)&order=id", "(1,(2)),(2,(1)),(3,null)"),
    ] {
        assert_eq!(shop.read(table, query).await, expected, "{table}?{query}");
    }
}

#[tokio::test]
async fn order_and_pages() {
    let shop = filled().await;
    for (query, expected) in [
        ("select=id&order=total", "(2),(1),(3)"),
        ("select=id&order=total.desc&limit=1&offset=1", "(1)"),
        ("select=id&order=note,id", "(3),(1),(2)"),
        ("select=id&order=note.desc.nullslast,id", "(1),(3),(2)"),
        ("select=id&order=note.nullsfirst,id", "(2),(3),(1)"),
        ("select=id&offset=1", "(2),(3)"),
        ("select=id,customers()&order=customers(email).desc,id", "(3),(1),(2)"),
    ] {
        assert_eq!(shop.read("orders", query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn an_exact_count_does_not_depend_on_the_page() {
    let shop = filled().await;
    for (query, rows, total) in [
        ("select=id", 3, 3),
        ("select=id&limit=1", 1, 3),
        ("select=id&limit=1&offset=2", 1, 3),
        ("select=id&limit=5&offset=9", 0, 3),
        ("select=id&limit=0", 0, 3),
        ("select=id&total=gt.9.00&limit=1", 1, 2),
    ] {
        let done =
            shop.store.read(shop.call(), shop.plan("orders", query, Count::Exact), TextSink::boxed()).await.unwrap();
        assert_eq!((done.rows, done.total), (rows, Some(total)), "{query}");
    }
}

#[tokio::test]
async fn every_type_comes_back_as_it_was_written() {
    let shop = empty().await;
    let columns = "id,flag,small,large,real,exact,words,octets,day,hour,moment,document,numbers";
    shop.insert(
        "things",
        columns,
        &["0190A5B2-7e1c-7c3a-9b1d-000000000001|true|-5|9223372036854775807|1.5|12.5|a \"b\"|\\x00ff|2026-11-23|10:00|2026-11-23T10:00:00.5+01:00|{\"b\":1,\"a\":[null]}|{3,NULL,1}"],
    )
    .await;
    assert_eq!(
        shop.read("things", &format!("select={columns}")).await,
        "(0190a5b2-7e1c-7c3a-9b1d-000000000001,true,-5,9223372036854775807,1.5,12.5000,\"a \\\"b\\\"\",[0, 255],\
         2026-11-23,10:00:00,2026-11-23T09:00:00.5+00:00,{\"a\":[null],\"b\":1},[3,null,1])"
    );
    assert_eq!(
        shop.read("things", "select=document->a->0,document->>b,numbers->0,exact::int,day::text").await,
        "(null,\"1\",3,13,\"2026-11-23\")"
    );
    assert!(matches!(shop.try_read("things", "select=words::int").await, Err(StoreError::Value(_))));
}

#[tokio::test]
async fn explaining_shows_each_level_and_changes_nothing() {
    let shop = filled().await;
    let plan = shop.plan("customers", "select=id,orders(id)&id=eq.1", Count::None);
    let explanation = shop.store.explain(shop.call(), plan).await.unwrap();
    assert_eq!(explanation.statements.len(), 2);
    assert!(
        explanation.details.iter().any(|line| line.contains("orders_by_customer (customer_id=?)")),
        "{explanation:?}"
    );
}

#[tokio::test]
async fn indexes_serve_ranges_prefixes_and_decimal_order() {
    let shop = filled().await;
    for (table, query, expected) in [
        ("orders", "select=id&total=gt.5&order=total.desc", "orders_by_total"),
        ("orders", "select=id&total=eq.9", "orders_by_total"),
        ("customers", "select=id&email=like.ann*", "(email>? AND email<?)"),
        ("customers", "select=id&email=in.(a,b,c)", "(email=?)"),
    ] {
        let explanation = shop.store.explain(shop.call(), shop.plan(table, query, Count::None)).await.unwrap();
        assert!(explanation.details.iter().any(|line| line.contains(expected)), "{query}: {explanation:?}");
    }
}

/// Pages by key: whatever lies before the place is not even looked at.
#[tokio::test]
async fn an_index_leads_to_the_place_after_which_a_page_begins() {
    let shop = filled().await;
    let number = |number| Value::Int(number);
    let total = || Value::parse(&Type::Decimal { precision: 12, scale: 2 }, "9.50").unwrap();
    let email = || Value::Text("b".to_owned());
    for (table, query, place, expected) in [
        ("orders", "select=id", vec![number(1)], "INTEGER PRIMARY KEY (rowid>?)"),
        ("orders", "select=id&order=id.desc", vec![number(3)], "INTEGER PRIMARY KEY (rowid<?)"),
        ("orders", "select=id&order=customer_id", vec![number(1), number(1)], "orders_by_customer (customer_id>?)"),
        (
            "orders",
            "select=id&order=customer_id.desc",
            vec![number(2), number(1)],
            "orders_by_customer (customer_id<?)",
        ),
        ("orders", "select=id&order=total.desc", vec![total(), number(1)], "orders_by_total (total<?)"),
        ("customers", "select=id&order=email", vec![email()], "(email>?)"),
        ("order_tags", "select=tag_id", vec![number(1), number(1)], "((order_id,tag_id)>(?,?))"),
    ] {
        let plan = Read { after: Some(place), limit: Some(2), ..(**shop.plan(table, query, Count::None)).clone() };
        let plan = Arc::new(authorize::read(&shop.schema, &Actor::System, plan).unwrap());
        let details = shop.store.explain(shop.call(), plan).await.unwrap().details;
        assert!(
            details.iter().any(|line| line.starts_with("SEARCH") && line.contains(expected)),
            "{query}: {details:?}"
        );
        assert!(!details.iter().any(|line| line == "USE TEMP B-TREE FOR ORDER BY"), "{query}: {details:?}");
    }
}

#[tokio::test]
async fn counts_that_need_not_be_exact_come_from_what_was_counted_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions { count_after: Duration::from_millis(20), ..SqliteOptions::default() };
    let shop = over(SqliteStore::open(&folder.path().join("main.db"), options).unwrap()).await;
    let add = |from: i64, to: i64| {
        let rows: Vec<String> = (from..to).map(|id| format!("{id}|NULL|x")).collect();
        let shop = &shop;
        async move { shop.insert("nodes", "id,parent_id,label", &rows.iter().map(String::as_str).collect::<Vec<_>>()).await }
    };
    let total = |query: &'static str, count| {
        let read = shop.store.read(shop.call(), shop.plan("nodes", query, count), TextSink::boxed());
        async move { read.await.unwrap().total.unwrap() }
    };
    let planned = || total("select=id&limit=1", Count::Planned);
    let counted = async |wanted: u64| {
        let patience = std::time::Instant::now() + Duration::from_secs(20);
        while planned().await != wanted {
            assert!(std::time::Instant::now() < patience, "{} instead of {wanted}", planned().await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    add(0, 400).await;
    counted(400).await;
    // Too few to be counted again, so the guess stays; what is filtered or small is always counted.
    tokio::time::sleep(Duration::from_millis(100)).await;
    add(400, 420).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(planned().await, 400);
    assert_eq!(total("select=id&limit=1", Count::Exact).await, 420);
    assert_eq!(total("select=id&limit=1&id=gte.10", Count::Planned).await, 410);
    assert_eq!(total("select=id&limit=1", Count::Estimated(1000)).await, 420);
    assert_eq!(total("select=id&limit=1", Count::Estimated(100)).await, 400);
    add(420, 1000).await;
    counted(1000).await;
}

/// What a view declares is enforced by nobody.
#[tokio::test]
async fn two_rows_are_never_shown_as_one() {
    let text = SHOP.replace("GROUP BY customer_id", "GROUP BY customer_id, id");
    let store = SqliteStore::open_temporary().unwrap();
    let schema = schema(&text);
    let sql = migrate::plan(&Schema::default(), &schema).sql;
    store.migrate(Migration { name: "1_init".into(), sql, schema: "{}".into() }).await.unwrap();
    let shop = Shop { store, schema };
    shop.insert("customers", "id,email,name", &["1|ann@x.org|Ann", "2|bob@x.org|NULL"]).await;
    shop.insert("orders", "id,customer_id,total", &["1|1|10.50", "2|1|9.00", "3|2|1.00"]).await;
    for query in ["select=id,order_totals(orders)", "select=id,...order_totals(orders)"] {
        let failed = shop.try_read("customers", query).await;
        assert!(
            matches!(failed, Err(StoreError::SeveralRows { ref table }) if &**table == "order_totals"),
            "{failed:?}"
        );
        let only_one = shop.read("customers", &format!("{query}&id=eq.2")).await;
        assert!(only_one == "(2,(1))" || only_one == "(2,1)", "{only_one}");
    }
}

#[tokio::test]
async fn a_table_that_went_away_is_a_changed_schema() {
    let shop = filled().await;
    let other = schema(&format!("{SHOP}\n[missing.fields]\nid = {{ type = \"int\", primary = true }}\n"));
    let shop = Shop { schema: other, ..shop };
    assert!(matches!(shop.try_read("missing", "select=id").await, Err(StoreError::SchemaChanged(_))));
}

#[tokio::test]
async fn a_late_read_is_not_begun_and_a_long_one_is_stopped() {
    let shop = filled().await;
    let plan = shop.plan("customers", "select=id", Count::None);
    let late = shop.store.read(shop.call_within(Duration::ZERO), plan, TextSink::boxed()).await;
    assert!(matches!(late, Err(StoreError::Deadline)));
    let rows: Vec<String> = (1..=2000).map(|id| format!("{id}|NULL|x")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    shop.insert("nodes", "id,parent_id,label", &rows).await;
    // No index serves the reference, so each node looks at all others.
    let plan = shop.plan(
        "nodes",
        "select=id,nodes!parent_id(id)&label=ilike.*y*&or=(label.ilike.*q*,label.ilike.*z*)",
        Count::Exact,
    );
    let long = shop.store.read(shop.call_within(Duration::from_millis(1)), plan, TextSink::boxed()).await;
    assert!(matches!(long, Err(StoreError::Deadline)), "{:?}", long.err());
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let shop = filled().await;
    shop.store.close().await;
    assert!(matches!(shop.try_read("customers", "select=id").await, Err(StoreError::Unavailable(_))));
    shop.store.close().await;
}

#[tokio::test]
async fn more_than_may_wait_is_refused_and_the_rest_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions { queue_max: 1, readers: 1, ..SqliteOptions::default() };
    let shop = over(SqliteStore::open(&folder.path().join("main.db"), options).unwrap()).await;
    let plan = shop.plan("customers", "select=id", Count::None);
    // A read is queued when it is asked for, before anybody waits for it.
    let asked: Vec<_> = (0..500).map(|_| shop.store.read(shop.call(), plan.clone(), TextSink::boxed())).collect();
    let (mut answered, mut refused) = (0, 0);
    for read in asked {
        match read.await {
            Ok(_) => answered += 1,
            Err(StoreError::Overloaded) => refused += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(answered > 0 && refused > 0, "{answered} answered, {refused} refused");
}
