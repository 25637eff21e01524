//! PUT: one row by its key (rest.md 11.5).

use crate::app::{Ask, TestApp, ask, check, check_error, get};

fn put(url: &str, body: &'static str) -> Ask {
    ask("PUT", url).body(body)
}

#[tokio::test]
async fn a_put_inserts_or_replaces_the_row_of_its_url() {
    for app in TestApp::each().await {
        let reply = app.send(put("makers?id=eq.3", r#"{"id":3,"name":"Elm"}"#)).await;
        assert_eq!((reply.status, reply.body.as_str()), (204, ""));
        assert_eq!((reply.header("content-range"), reply.header("content-type")), ("*/*", ""));
        let elm = put("makers?id=eq.3", r#"[{"id":3,"name":"Elm 2"}]"#).prefer("return=representation,count=exact");
        let reply = app.send(elm).await;
        assert_eq!((reply.status, reply.body.as_str()), (200, r#"[{"id":3,"name":"Elm 2"}]"#));
        assert_eq!(reply.header("preference-applied"), "return=representation, count=exact");
        let new = put("makers?id=eq.4&select=name", r#"{"id":4,"name":"Fir"}"#).prefer("return=representation");
        let reply = app.send(new).await;
        assert_eq!((reply.status, reply.body.as_str()), (201, r#"[{"name":"Fir"}]"#));
        let one = put("makers?id=eq.4", r#"{"id":4,"name":"Fir 2"}"#).prefer("return=representation");
        let reply = app.send(one.header("accept", "application/vnd.pgrst.object+json")).await;
        assert_eq!((reply.status, reply.body.as_str()), (200, r#"{"id":4,"name":"Fir 2"}"#));
    }
}

#[tokio::test]
async fn columns_that_a_put_leaves_out_take_defaults_on_insert_and_stay_on_update() {
    let apps = TestApp::each().await;
    check(&apps, put("toys?id=eq.1", r#"{"id":1,"name":"engine"}"#), 204, "").await;
    check(&apps, get("toys?id=eq.1&select=name,price,sold"), 200, r#"[{"name":"engine","price":12.50,"sold":true}]"#)
        .await;
    check(&apps, put("toys?id=eq.9", r#"{"id":9,"name":"ball"}"#), 204, "").await;
    check(&apps, get("toys?id=eq.9&select=name,price,sold"), 200, r#"[{"name":"ball","price":1.00,"sold":false}]"#)
        .await;
}

#[tokio::test]
async fn the_url_of_a_put_is_the_whole_key_and_nothing_else() {
    let apps = TestApp::each().await;
    let filters = r#"{"code":"PGRST105","details":null,"hint":null,"message":"Filters must include all and only primary key columns with 'eq' operators"}"#;
    let body = r#"{"id":1,"name":"Oak"}"#;
    for query in ["", "?id=gt.1", "?id=not.eq.1", "?name=eq.Oak", "?id=eq.1&name=eq.Oak", "?and=(id.eq.1)"] {
        check(&apps, put(&format!("makers{query}"), body), 405, filters).await;
    }
    check(&apps, put("parts?toy_id=eq.1", r#"{"toy_id":1,"number":1}"#), 405, filters).await;
    check(&apps, put("parts?number=eq.1&toy_id=eq.1", r#"{"toy_id":1,"number":1,"label":"w"}"#), 204, "").await;
    let bounds = r#"{"code":"PGRST114","details":null,"hint":null,"message":"limit/offset querystring parameters are not allowed for PUT"}"#;
    for query in ["?id=eq.1&limit=1", "?id=eq.1&offset=0", "?limit=1"] {
        check(&apps, put(&format!("makers{query}"), body), 400, bounds).await;
    }
    let key = r#"{"code":"PGRST115","details":null,"hint":null,"message":"Payload values do not match URL in primary key column(s)"}"#;
    for body in [r#"{"id":2,"name":"x"}"#, r#"{"name":"x"}"#, "[]", "5", r#"[{"id":1,"name":"x"},{"id":1,"name":"y"}]"#]
    {
        check(&apps, put("makers?id=eq.1", body), 400, key).await;
    }
    check(&apps, get("makers?select=name&id=eq.1"), 200, r#"[{"name":"Oak"}]"#).await;
}

#[tokio::test]
async fn a_put_may_only_do_what_an_upsert_may() {
    let apps = TestApp::each().await;
    // May be created and read, but not changed.
    check_error(&apps, put("toys?id=eq.1", r#"{"id":1,"name":"x"}"#).anon(), 401, "42501").await;
    check(&apps, put("parts?toy_id=eq.1&number=eq.7", r#"{"toy_id":1,"number":7}"#).anon(), 204, "").await;
    check_error(&apps, put("nothing?id=eq.1", "{}"), 404, "PGRST205").await;
    check_error(&apps, put("makers?id=eq.1", r#"{"id":1,"nope":2}"#), 400, "PGRST204").await;
    check_error(&apps, put("makers?id=eq.1", r#"{"id":1}"#), 400, "23502").await;
    check_error(&apps, put("makers?id=eq.x", r#"{"id":1,"name":"x"}"#), 400, "22P02").await;
    check_error(&apps, put("makers?id=eq.1", r#"{"id":1,"name":"Pine"}"#), 409, "23505").await;
}
