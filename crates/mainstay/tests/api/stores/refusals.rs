//! What is refused, and what a store that fails does to the others.

use super::{Shop, is_refused};
use crate::app::{get, post};

#[tokio::test]
async fn a_store_that_is_down_is_told_and_leaves_the_others_unharmed() {
    let shop = Shop::open().await;
    shop.docs.set_down(true);
    for url in [
        "events",
        "orders?select=id,events(kind)",
        "customers?select=name,orders(id,events(kind))",
        "orders?select=id,labels!inner()",
    ] {
        let reply = shop.app.send(get(url)).await;
        is_refused(&reply, 503, "PGRST000", &["the store docs is unavailable"]);
        assert_eq!(reply.header("retry-after"), "1", "{url}");
        assert!(!reply.body.contains("hidden"));
    }
    shop.check("orders?select=id,customers(name)&id=eq.10", r#"[{"id":10,"customers":{"name":"Ann"}}]"#).await;
    shop.check("customers?select=name&id=eq.1", r#"[{"name":"Ann"}]"#).await;
    // Nothing needs a store whose keys nobody has.
    shop.check("orders?select=id,events(kind)&id=eq.0", "[]").await;
    let ready = shop.app.send(get("/health/ready").keyless()).await;
    assert_eq!(ready.status, 503);
    shop.docs.set_down(false);
    shop.check("events?select=id&id=eq.100", r#"[{"id":100}]"#).await;
}

#[tokio::test]
async fn more_rows_than_may_be_held_are_refused() {
    let shop = Shop::with_rows_max(2).await;
    let words = |table: &'static str, store: &'static str| [table, store, "more than 2 rows", "Filter the rows"];
    for (url, table, store) in [
        ("customers?select=name,orders(id,total)", "orders", "sales"),
        ("orders?select=id,customers()&order=customers(name)", "orders", "sales"),
        ("events?select=id,orders!inner()", "orders", "sales"),
    ] {
        shop.refused(url, 400, "MS403", &words(table, store)).await;
    }
    // What is asked for fits, from whichever side it is looked at.
    shop.check("customers?select=name,orders(id)&id=eq.2", r#"[{"name":"Bob","orders":[{"id":12}]}]"#).await;
    shop.check("events?select=id,orders!inner()&id=eq.100", r#"[{"id":100}]"#).await;
    shop.check("events?select=id,orders!inner()&orders.total=eq.9", r#"[{"id":102}]"#).await;
    shop.check("orders?select=id,customers()&order=customers(name)&id=lt.12", r#"[{"id":10},{"id":11}]"#).await;
    shop.check(
        "customers?select=name,orders(id)&orders.limit=1&orders.order=id&id=eq.1",
        r#"[{"name":"Ann","orders":[{"id":10}]}]"#,
    )
    .await;
}

/// Rows are counted where they stand in the answer, and in lists that one store gives.
#[tokio::test]
async fn rows_that_stand_in_many_places_are_counted_in_each() {
    let shop = Shop::with_rows_max(10).await;
    let rows = |row: &dyn Fn(u32) -> String, count: u32| {
        format!("[{}]", (50..50 + count).map(row).collect::<Vec<_>>().join(","))
    };
    let orders = rows(&|id| format!(r#"{{"id":{id},"customer":"3","total":1}}"#), 5);
    let events = rows(&|id| format!(r#"{{"id":{id},"order_id":null,"kind":"x","actor":"3"}}"#), 5);
    assert_eq!(shop.app.send(post("orders", orders)).await.status, 201);
    assert_eq!(shop.app.send(post("events", events)).await.status, 201);
    let url = "orders?select=id,customers(events(id))&id=gte.50";
    shop.refused(url, 400, "MS403", &["more than 10 rows", "customers", "main"]).await;
    let reply = shop.app.send(get(&format!("{url}&limit=2"))).await;
    assert_eq!((reply.status, reply.body.matches("\"events\"").count()), (200, 2), "{}", reply.body);

    let team = rows(&|id| format!(r#"{{"id":{id},"name":"x","boss":2}}"#), 13);
    assert_eq!(shop.app.send(post("customers", team)).await.status, 201);
    let url = "customers?select=team:customers!boss(id,orders(id))&id=eq.2&limit=1";
    shop.refused(url, 400, "MS403", &["more than 10 rows", "customers", "main"]).await;
    shop.check(&format!("{url}&team.limit=1&team.order=id"), r#"[{"team":[{"id":50,"orders":[]}]}]"#).await;
}

#[tokio::test]
async fn groups_of_far_rows_are_refused_with_a_way_out() {
    let shop = Shop::open().await;
    let words = ["\\\"orders\\\" in the store sales", "\\\"customers\\\"", "aggregate inside the embed"];
    shop.refused("orders?select=count,customers(name)", 400, "PGRST127", &words).await;
}

#[tokio::test]
async fn rules_are_asked_of_far_tables_too() {
    let shop = Shop::open().await;
    for url in ["orders?select=id,labels(name)", "orders?select=id,labels!inner()", "labels"] {
        let reply = shop.app.send(get(url).anon()).await;
        is_refused(&reply, 401, "42501", &["labels"]);
    }
    let reply = shop.app.send(get("orders?select=id,customers(name)&id=eq.10").anon()).await;
    assert_eq!(reply.body, r#"[{"id":10,"customers":{"name":"Ann"}}]"#);
}
