//! Every committed row change is published once, in order, whatever caused it.

use std::sync::Arc;

use mainstay_query::plan::{Conflict, Delete, Expect, Filter, Insert, Update, Write};
use mainstay_schema::Value;
use mainstay_store::{Change, Commit, Store, Subscription};

use crate::support::{Shop, filled};

/// A change as text: `orders - 1,1,10.50,…` for a delete, `+` for an insert, `~` with both images for an update.
fn text(change: &Change) -> String {
    let image = |row: &Option<Vec<Value>>| {
        let cells = row.iter().flatten().map(|value| value.to_text().unwrap_or_else(|| "null".to_owned()));
        cells.collect::<Vec<_>>().join(",")
    };
    match (&change.before, &change.after) {
        (None, Some(_)) => format!("{} + {}", change.table, image(&change.after)),
        (Some(_), None) => format!("{} - {}", change.table, image(&change.before)),
        _ => format!("{} ~ {} > {}", change.table, image(&change.before), image(&change.after)),
    }
}

async fn next(heard: &mut Subscription) -> (Arc<Commit>, Vec<String>) {
    let commit = heard.next().await.unwrap();
    let texts = commit.changes.iter().map(text).collect();
    (commit, texts)
}

fn delete(shop: &Shop, table: &str, filter: Filter) -> Write {
    let table = shop.schema.find(table).unwrap().id;
    Write::Delete(Delete { table, filter, returning: None, expect: Expect::default() })
}

#[tokio::test]
async fn inserts_updates_and_deletes_with_both_images() {
    let shop = filled().await;
    let mut heard = shop.store.subscribe();
    shop.insert("customers", "id,email", &["7|g@x.org"]).await;
    let (first, texts) = next(&mut heard).await;
    assert_eq!(texts, ["customers + 7,g@x.org,null"]);
    assert_eq!(first.changes[0].columns.iter().map(|name| &**name).collect::<Vec<_>>(), ["id", "email", "name"]);
    let set = vec![(
        shop.columns("orders", "total")[0],
        Value::parse(&mainstay_schema::Type::Decimal { precision: 12, scale: 2 }, "1").unwrap().into(),
    )];
    let filter = shop.filter("orders", "id=eq.2");
    let table = shop.schema.find("orders").unwrap().id;
    let plan = Update { table, set, filter, returning: None, expect: Expect::default() };
    shop.write(Write::Update(plan)).await.unwrap();
    let (second, texts) = next(&mut heard).await;
    assert_eq!(texts, ["orders ~ 2,1,9.00,null > 2,1,1.00,null"]);
    assert_eq!(second.position, first.position + 1);
}

#[tokio::test]
async fn cascades_and_tables_without_row_numbers() {
    let shop = filled().await;
    let mut heard = shop.store.subscribe();
    shop.write(delete(&shop, "customers", shop.filter("customers", "id=eq.1"))).await.unwrap();
    let (_, mut texts) = next(&mut heard).await;
    texts.sort();
    assert_eq!(
        texts,
        [
            "customers - 1,ann@x.org,Ann",
            "order_tags - 1,1",
            "order_tags - 1,2",
            "orders - 1,1,10.50,{\"gift\":true,\"tags\":[\"a\",\"b\"]}",
            "orders - 2,1,9.00,null",
        ]
    );
}

#[tokio::test]
async fn a_whole_table_delete_is_seen_row_by_row_even_when_prepared_unheard() {
    let shop = filled().await;
    shop.write(delete(&shop, "order_tags", Filter::True)).await.unwrap();
    shop.insert("order_tags", "order_id,tag_id", &["1|1", "3|2"]).await;
    let mut heard = shop.store.subscribe();
    shop.write(delete(&shop, "order_tags", Filter::True)).await.unwrap();
    let (_, texts) = next(&mut heard).await;
    assert_eq!(texts, ["order_tags - 1,1", "order_tags - 3,2"]);
}

#[tokio::test]
async fn merges_are_inserts_or_updates() {
    let shop = filled().await;
    let mut heard = shop.store.subscribe();
    let rows = shop.new_rows("customers", "id,email", &["1|a@x.org", "8|h@x.org"]);
    let conflict =
        Conflict { target: shop.columns("customers", "id"), merge: Some(shop.columns("customers", "email")) };
    let done = shop.write(Write::Insert(Insert { conflict: Some(conflict), ..rows })).await.unwrap();
    assert_eq!((done.0, done.1), (2, 1));
    let (_, texts) = next(&mut heard).await;
    assert_eq!(texts, ["customers ~ 1,ann@x.org,Ann > 1,a@x.org,Ann", "customers + 8,h@x.org,null"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_undone_is_not_published() {
    let shop = Arc::new(filled().await);
    let mut heard = shop.store.subscribe();
    let tasks: Vec<_> = (0..60)
        .map(|n| {
            let shop = shop.clone();
            tokio::spawn(async move {
                // The second row of every third request is a duplicate: its first row must vanish again.
                let last = if n % 3 == 0 { "new".to_owned() } else { format!("last{n}") };
                shop.write(Write::Insert(shop.new_rows("tags", "name", &[&format!("first{n}"), &last]))).await.is_ok()
            })
        })
        .collect();
    let mut written = 0;
    for task in tasks {
        written += usize::from(task.await.unwrap());
    }
    assert_eq!(written, 40);
    shop.insert("tags", "name", &["end"]).await;
    let mut seen = Vec::new();
    let mut position = 0;
    while seen.last().is_none_or(|text: &String| !text.ends_with(",end")) {
        let (commit, texts) = next(&mut heard).await;
        assert!(commit.position > position);
        position = commit.position;
        seen.extend(texts);
    }
    assert_eq!(seen.len(), 81);
    assert_eq!(shop.read("tags", "select=id").await.matches('(').count(), 2 + 81);
}
