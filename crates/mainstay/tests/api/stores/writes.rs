//! Writes to one store that look at others.

use serde_json::json;

use super::{Shop, is_refused};
use crate::app::{ask, get, post};

const BACK: &str = "return=representation";

#[tokio::test]
async fn far_rows_say_which_rows_are_written_and_come_back_with_them() {
    let shop = Shop::open().await;
    let patch = ask("PATCH", "orders?select=id,total,customers(name)&customers.name=eq.Ann&customers=not.is.null");
    let reply = shop.app.send(patch.body(r#"{"total":100}"#).prefer(BACK)).await;
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (200, r#"[{"id":10,"total":100,"customers":{"name":"Ann"}},{"id":11,"total":100,"customers":{"name":"Ann"}}]"#)
    );
    assert_eq!(reply.header("mainstay-stores"), "sales, main");
    shop.check("orders?select=id&total=eq.100&order=id", r#"[{"id":10},{"id":11}]"#).await;

    let insert = post("orders?select=id,customers(name)", r#"[{"id":20,"customer":"3","total":1}]"#).prefer(BACK);
    let reply = shop.app.send(insert).await;
    assert_eq!((reply.status, reply.body.as_str()), (201, r#"[{"id":20,"customers":{"name":"Cid"}}]"#));

    let delete = ask("DELETE", "events?select=kind,orders(id),notes(text)&id=eq.101").prefer(BACK);
    let reply = shop.app.send(delete).await;
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (200, r#"[{"kind":"sent","orders":{"id":10},"notes":[{"text":"late"}]}]"#)
    );
    shop.check("notes", "[]").await;
}

#[tokio::test]
async fn no_write_spans_several_stores() {
    let shop = Shop::open().await;
    let nested = post("labels", r#"{"id":9,"name":"old","order_labels":[{"order_id":10}]}"#);
    is_refused(&shop.app.send(nested).await, 400, "PGRST127", &["docs and sales", "one request for each store"]);
    shop.check("labels?id=eq.9", "[]").await;

    let batch = |steps: serde_json::Value| post("batch", json!({ "steps": steps }).to_string());
    let add = |path: &str, body: serde_json::Value| json!({"method": "POST", "path": path, "body": body});
    let two = json!([
        add("/customers", json!({"id": 9, "name": "Dan", "boss": null})),
        add("/orders", json!({"id": 90, "customer": "9", "total": 1})),
    ]);
    is_refused(&shop.app.send(batch(two)).await, 400, "PGRST127", &["\"index\":1", "main and sales", "each of them"]);
    shop.check("customers?id=eq.9", "[]").await;
    let joined = json!([{"method": "GET", "path": "/orders?select=id,customers(name)"}]);
    is_refused(&shop.app.send(batch(joined)).await, 400, "PGRST127", &["\"index\":0", "sales and main"]);

    // A transaction in one store goes there, whichever it is.
    let one = json!([
        add("/orders", json!({"id": 90, "customer": "3", "total": 1})),
        add("/order_labels", json!({"order_id": 90, "label_id": 1})),
        {"method": "GET", "path": "/orders?id=eq.90&select=order_labels(label_id)"},
    ]);
    let reply = shop.app.send(batch(one)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(reply.body.contains(r#"[{"order_labels":[{"label_id":1}]}]"#), "{}", reply.body);
    let tried = shop.app.send(ask("DELETE", "orders?id=eq.90").prefer("tx=rollback")).await;
    assert!(tried.status < 500, "{}", tried.body);
    shop.check("customers?select=name,orders(id)&id=eq.3", r#"[{"name":"Cid","orders":[{"id":90}]}]"#).await;
}

#[tokio::test]
async fn a_write_whose_far_rows_cannot_be_read_says_what_has_happened() {
    let shop = Shop::open().await;
    let insert = |id: u32| {
        let body = format!(r#"[{{"id":{id},"customer":"3","total":1}}]"#);
        post("orders?select=id,events(kind)", body).prefer(BACK)
    };
    // Who is down is noticed before anything is written.
    shop.docs.set_down(true);
    is_refused(&shop.app.send(insert(30)).await, 503, "PGRST000", &["the store docs is unavailable"]);
    shop.check("orders?id=eq.30", "[]").await;
    shop.docs.set_down(false);

    shop.docs.fail_reads(true);
    is_refused(&shop.app.send(insert(31)).await, 502, "MS502", &["the rows were written", "Do not write again"]);
    shop.docs.fail_reads(false);
    shop.check("orders?select=id&id=eq.31", r#"[{"id":31}]"#).await;

    shop.sales.set_down(true);
    is_refused(&shop.app.send(insert(32)).await, 503, "PGRST000", &["the store sales is unavailable"]);
    assert_eq!(shop.app.send(get("events")).await.status, 200);
}
