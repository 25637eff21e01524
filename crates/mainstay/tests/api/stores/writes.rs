//! Writes to one store that look at others.

use std::time::Duration;

use mainstay_http::RequestLimits;
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
    let tried = shop.app.send(ask("DELETE", "order_labels?order_id=eq.90").prefer("tx=rollback")).await;
    assert_eq!((tried.status, tried.header("preference-applied")), (204, "tx=rollback"), "{}", tried.body);
    shop.check("order_labels?order_id=eq.90", r#"[{"order_id":90,"label_id":1}]"#).await;
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

/// Rows get other keys while another store is asked about those that they had: of these nothing is known.
#[tokio::test]
async fn a_write_leaves_alone_what_was_not_asked_about() {
    let shop = Shop::open().await;
    shop.sales.shut();
    let delete = shop.app.send(ask("DELETE", "events?select=orders()&id=eq.100&orders=is.null").prefer(BACK));
    let meanwhile = async {
        shop.sales.arrived().await;
        let moved = shop.app.send(ask("PATCH", "events?id=eq.100").body(r#"{"order_id":12}"#)).await;
        assert_eq!(moved.status, 204, "{}", moved.body);
        shop.sales.open();
    };
    let (deleted, ()) = tokio::join!(delete, meanwhile);
    assert_eq!((deleted.status, deleted.body.as_str()), (200, "[]"));
    shop.check("events?select=orders(id)&id=eq.100", r#"[{"orders":{"id":12}}]"#).await;
    // What has no key at all is without a far row whatever else happens.
    let clear = ask("PATCH", "events?id=eq.100").body(r#"{"order_id":null}"#);
    assert_eq!(shop.app.send(clear).await.status, 204);
    let delete = ask("DELETE", "events?select=id,orders()&id=eq.100&orders=is.null").prefer(BACK);
    assert_eq!(shop.app.send(delete).await.body, r#"[{"id":100}]"#);
}

/// It is in time that the rows were written, though what belongs to them is not.
#[tokio::test]
async fn a_write_does_not_wait_for_far_rows_until_nobody_listens() {
    let limits = RequestLimits { handler_time: Duration::from_secs(2), ..RequestLimits::default() };
    let shop = Shop::with_limits(10_000, limits).await;
    shop.docs.shut();
    let insert = post("orders?select=id,events(kind)", r#"[{"id":40,"customer":"3","total":1}]"#).prefer(BACK);
    is_refused(&shop.app.send(insert).await, 502, "MS502", &["the rows were written", "Do not write again"]);
    shop.docs.open();
    shop.check("orders?select=id&id=eq.40", r#"[{"id":40}]"#).await;
}

#[tokio::test]
async fn a_write_that_gives_back_too_much_is_not_carried_out() {
    let shop = Shop::with_rows_max(2).await;
    let rows =
        r#"[{"id":40,"customer":"3","total":1},{"id":41,"customer":"3","total":1},{"id":42,"customer":"3","total":1}]"#;
    let insert = post("orders?select=id,customers(name)", rows).prefer(BACK);
    is_refused(&shop.app.send(insert).await, 400, "MS403", &["more than 2 rows", "sales"]);
    shop.check("orders?id=gte.40", "[]").await;

    // How many an update or a delete changes, nobody knows before it is carried out; then it is undone.
    let reply = shop.app.send(post("orders", rows)).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    let change = |method: &str| {
        let body = if method == "PATCH" { r#"{"total":9}"# } else { "" };
        ask(method, "orders?select=id,customers(name)&id=gte.40").body(body).prefer(BACK)
    };
    for method in ["PATCH", "DELETE"] {
        is_refused(&shop.app.send(change(method)).await, 400, "MS403", &["more than 2 rows", "sales"]);
        let asked = change(method).prefer("max-affected=1, handling=strict");
        is_refused(&shop.app.send(asked).await, 400, "PGRST124", &["3 rows"]);
    }
    shop.check("orders?select=total&id=gte.40", r#"[{"total":1},{"total":1},{"total":1}]"#).await;
}
