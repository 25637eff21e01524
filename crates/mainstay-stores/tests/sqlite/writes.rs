//! Inserts, merges, updates, deletes, batches, and what is undone when something is wrong.

use std::sync::Arc;
use std::time::Duration;

use mainstay_query::plan::{Conflict, Delete, Expect, Filter, Insert, Update, Write};
use mainstay_query::{Actor, authorize};
use mainstay_schema::Value;
use mainstay_store::{Store, StoreError};

use crate::support::{Shop, TextSink, empty, filled};

fn merge(shop: &Shop, insert: Insert, target: &str, columns: Option<&str>) -> Write {
    let table = shop.schema.table(insert.table).name.to_string();
    let merge = columns.map(|columns| shop.columns(&table, columns));
    Write::Insert(Insert { conflict: Some(Conflict { target: shop.columns(&table, target), merge }), ..insert })
}

fn update(shop: &Shop, table: &str, column: &str, value: Value, filter: Filter) -> Update {
    let set = vec![(shop.columns(table, column)[0], value.into())];
    Update { table: shop.schema.find(table).unwrap().id, set, filter, returning: None, expect: Expect::default() }
}

fn delete(shop: &Shop, table: &str, filter: Filter) -> Delete {
    Delete { table: shop.schema.find(table).unwrap().id, filter, returning: None, expect: Expect::default() }
}

#[tokio::test]
async fn inserts_give_back_rows_in_payload_order() {
    let shop = filled().await;
    let rows = shop.new_rows("customers", "id,email", &["-|z@x.org", "9|y@x.org", "-|x@x.org"]);
    let plan = Insert { returning: shop.returning("customers", "select=email,id"), ..rows };
    let (affected, inserted, rows) = shop.write(Write::Insert(plan)).await.unwrap();
    assert_eq!((affected, inserted), (3, 3));
    assert_eq!(rows, r#"("z@x.org",4),("y@x.org",9),("x@x.org",10)"#);
    let rows = shop.new_rows("orders", "id,customer_id,total", &["7|2|1", "6|1|2"]);
    let plan = Insert { returning: shop.returning("orders", "select=id,customers(name)"), ..rows };
    assert_eq!(shop.write(Write::Insert(plan)).await.unwrap().2, r#"(7,(null)),(6,("Ann"))"#);
}

#[tokio::test]
async fn a_merge_tells_new_rows_from_changed_ones() {
    let shop = filled().await;
    let rows = shop.new_rows("customers", "id,email,name", &["1|ann@x.org|Anna", "8|new@x.org|New"]);
    let plan = merge(&shop, rows, "id", Some("id,email,name"));
    assert_eq!(shop.write(plan).await.unwrap(), (2, 1, String::new()));
    let rows = shop.new_rows("customers", "email,name", &["ann@x.org|X", "newer@x.org|Newer"]);
    let rows = Insert { returning: shop.returning("customers", "select=name"), ..rows };
    let (affected, inserted, rows) = shop.write(merge(&shop, rows, "email", None)).await.unwrap();
    assert_eq!((affected, inserted, rows.as_str()), (1, 1, r#"("Newer")"#));
    assert_eq!(shop.read("customers", "select=name&order=id").await, r#"("Anna"),(null),("Çyd"),("New"),("Newer")"#);
    let rows = shop.new_rows("customers", "email,name", &["a@x.org|1", "a@x.org|2"]);
    let twice = shop.write(merge(&shop, rows, "email", Some("name"))).await;
    assert!(matches!(twice, Err(StoreError::RepeatedKey)));
    // Another key than the one that decides is still a key.
    let rows = shop.new_rows("customers", "id,email", &["1|bob@x.org"]);
    let other = shop.write(merge(&shop, rows, "id", Some("email"))).await;
    assert!(matches!(other, Err(StoreError::Duplicate { key, .. }) if &*key == "customers_email_key"));
}

#[tokio::test]
async fn a_merge_without_other_columns_still_gives_back_its_row() {
    let shop = filled().await;
    let rows = shop.new_rows("customers", "id,email", &["1|other@x.org"]);
    let rows = Insert { returning: shop.returning("customers", "select=email"), ..rows };
    let (affected, inserted, rows) = shop.write(merge(&shop, rows, "id", Some(""))).await.unwrap();
    assert_eq!((affected, inserted, rows.as_str()), (1, 0, r#"("ann@x.org")"#));
}

#[tokio::test]
async fn updates_and_deletes_give_back_what_they_touched() {
    let shop = filled().await;
    let filter = shop.filter("orders", "total=lt.50");
    let plan = update(&shop, "orders", "note", Value::Null, filter.clone());
    let plan = Update { returning: shop.returning("orders", "select=id,note,customers(name)"), ..plan };
    let (affected, _, rows) = shop.write(Write::Update(plan)).await.unwrap();
    assert_eq!((affected, rows.as_str()), (2, r#"(1,null,("Ann")),(2,null,("Ann"))"#));
    let plan = Delete {
        returning: shop.returning("orders", "select=id,tags(name)&tags.order=name"),
        ..delete(&shop, "orders", filter)
    };
    let (affected, _, rows) = shop.write(Write::Delete(plan)).await.unwrap();
    assert_eq!((affected, rows.as_str()), (2, r#"(1,[("new"),("old")]),(2,[])"#));
    let plan = Delete { returning: shop.returning("orders", "select=total"), ..delete(&shop, "orders", Filter::True) };
    assert_eq!(shop.write(Write::Delete(plan)).await.unwrap(), (1, 0, "(100.00)".to_owned()));
    assert_eq!(shop.read("order_tags", "select=order_id").await, "", "cascades went along");
    let nothing = Update { set: vec![], ..update(&shop, "customers", "name", Value::Null, Filter::True) };
    assert_eq!(shop.write(Write::Update(nothing)).await.unwrap().0, 0);
}

#[tokio::test]
async fn constraints_are_named() {
    let shop = filled().await;
    let insert = |table, columns, row| Write::Insert(shop.new_rows(table, columns, &[row]));
    for (plan, expected) in [
        (
            insert("customers", "id,email", "1|q@x.org"),
            "Duplicate { table: \"customers\", key: \"customers_pkey\", columns: [\"id\"]",
        ),
        (insert("customers", "email", "bob@x.org"), "Duplicate { table: \"customers\", key: \"customers_email_key\""),
        (
            insert("order_tags", "order_id,tag_id", "1|1"),
            "Duplicate { table: \"order_tags\", key: \"order_tags_pkey\", columns: [\"order_id\", \"tag_id\"]",
        ),
        (insert("customers", "email", "NULL"), "NotNull { table: \"customers\", column: \"email\" }"),
        (insert("orders", "customer_id,total", "77|1"), "Reference { table: \"orders\","),
        (Write::Delete(delete(&shop, "tags", Filter::True)), "Reference { table: \"tags\","),
    ] {
        let error = format!("{:?}", shop.write(plan).await.unwrap_err());
        assert!(error.starts_with(expected), "{error}");
    }
}

#[tokio::test]
async fn what_was_not_expected_is_undone() {
    let shop = filled().await;
    let all = Filter::True;
    let single = Expect { single: true, affected_max: None };
    let few = Expect { single: false, affected_max: Some(1) };
    for (expect, is_single) in [(single, true), (few, false)] {
        let plan = Delete { expect, ..delete(&shop, "orders", all.clone()) };
        let error = shop.write(Write::Delete(plan)).await.unwrap_err();
        assert!(matches!(error, StoreError::Unexpected { affected: 3, single } if single == is_single));
    }
    let plan = Delete { expect: few, ..delete(&shop, "orders", shop.filter("orders", "id=eq.1")) };
    assert_eq!(shop.write(Write::Delete(plan)).await.unwrap().0, 1);
    assert_eq!(shop.read("orders", "select=id&order=id").await, "(2),(3)");
}

#[tokio::test]
async fn a_batch_happens_whole_or_not_at_all() {
    let shop = filled().await;
    let good = Write::Insert(shop.new_rows("tags", "name", &["one", "two"]));
    let bad = Write::Insert(shop.new_rows("tags", "name", &["new"]));
    assert!(shop.write(Write::Batch(vec![good.clone(), bad])).await.is_err());
    assert_eq!(shop.read("tags", "select=name&order=id").await, r#"("new"),("old")"#);
    let gone = Write::Delete(delete(&shop, "tags", shop.filter("tags", "name=eq.one")));
    assert_eq!(shop.write(Write::Batch(vec![good, gone])).await.unwrap(), (3, 2, String::new()));
}

#[tokio::test]
async fn a_row_may_point_at_one_that_comes_later() {
    let shop = empty().await;
    shop.insert("nodes", "id,parent_id,label", &["1|2|child", "2|NULL|root"]).await;
    let dangling = shop.write(Write::Insert(shop.new_rows("nodes", "id,parent_id,label", &["3|4|x", "5|3|y"]))).await;
    assert!(matches!(&dangling, Err(StoreError::Reference { table, .. }) if &**table == "nodes"), "{dangling:?}");
    assert_eq!(shop.read("nodes", "select=id&order=id").await, "(1),(2)");
    // Both go in one statement, whichever comes first.
    assert_eq!(shop.write(Write::Delete(delete(&shop, "nodes", Filter::True))).await.unwrap().0, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_at_once_lose_nothing_and_disturb_nobody() {
    let shop = Arc::new(empty().await);
    let tasks: Vec<_> = (0..400)
        .map(|n| {
            let shop = shop.clone();
            // Every fourth one repeats a key of its neighbor, and must be the only one to fail of the two.
            let email = if n % 4 == 3 { format!("{}@x.org", n - 1) } else { format!("{n}@x.org") };
            tokio::spawn(async move {
                let rows = shop.new_rows("customers", "email", &[&email]);
                shop.write(Write::Insert(rows)).await.map(|done| done.0)
            })
        })
        .collect();
    let mut failed = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(affected) => assert_eq!(affected, 1),
            Err(StoreError::Duplicate { .. }) => failed += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(failed, 100);
    let rows = shop.read("customers", "select=id").await;
    assert_eq!(rows.matches('(').count(), 300);
}

#[tokio::test]
async fn a_write_that_takes_too_long_leaves_nothing_behind() {
    let shop = empty().await;
    let rows: Vec<String> = (1..=3000).map(|id| format!("{id}|NULL|label {id}")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    shop.insert("nodes", "id,parent_id,label", &rows).await;
    let filter = shop.filter("nodes", "or=(label.ilike.*q*,label.ilike.*z*,label.ilike.*label*)");
    let plan = Write::Update(update(&shop, "nodes", "label", Value::Text("changed".into()), filter));
    let plan = Arc::new(authorize::write(&shop.schema, &Actor::System, plan).unwrap());
    let late = shop.store.write(shop.call_within(Duration::from_millis(1)), plan, TextSink::boxed()).await;
    assert!(matches!(late, Err(StoreError::Deadline)), "{:?}", late.err());
    assert_eq!(shop.read("nodes", "select=id&label=eq.changed").await, "");
    shop.insert("nodes", "id,label", &["9999|still writes"]).await;
}

#[tokio::test]
async fn explaining_a_write_changes_nothing() {
    let shop = filled().await;
    let plan = Write::Delete(delete(&shop, "orders", shop.filter("orders", "id=eq.1")));
    let plan = Arc::new(authorize::write(&shop.schema, &Actor::System, plan).unwrap());
    let explanation = shop.store.explain_write(shop.call(), plan).await.unwrap();
    assert!(explanation.statements[0].starts_with("DELETE FROM"), "{explanation:?}");
    assert!(explanation.details.iter().any(|line| line.contains("SEARCH")), "{explanation:?}");
    assert_eq!(shop.read("orders", "select=id&order=id").await, "(1),(2),(3)");
}
