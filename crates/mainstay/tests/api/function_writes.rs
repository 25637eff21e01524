//! Functions that write, alone and as steps of a batch: rest.md 10 and 13.

use mainstay_http::{AnswerSettings, Cors, RequestLimits, TxEnd};
use mainstay_query::Limits;
use serde_json::{Value, json};

use crate::app::{TestApp, ask, get, post};
use crate::functions::{app, call, check, check_error, rpc, same, schema};

const PRICES: &str = r#"[{"price":12.50},{"price":3.00},{"price":0.05}]"#;

async fn prices(app: &TestApp, expected: &str) {
    check(app, get("toys?select=price&order=id"), 200, expected).await;
}

/// rest.md 13: functions that write, by POST only (25006), with the rows that they give back.
#[tokio::test]
async fn functions_that_write_do_so_once_and_give_their_rows_back() {
    let app = app().await;
    let mut heard = app.store.subscribe();
    let renamed = call("rename?select=id,name,makers(name)", r#"{"id":1,"name":"engine"}"#);
    check(&app, renamed, 200, r#"[{"id":1,"name":"engine","makers":{"name":"Oak"}}]"#).await;
    let commit = heard.next().await.unwrap();
    assert_eq!((commit.changes.len(), &*commit.changes[0].table), (1, "toys"));
    for method in ["GET", "HEAD"] {
        let reply = app.send(ask(method, "/rest/v1/rpc/rename?id=1&name=x").anon()).await;
        assert_eq!((reply.status, reply.header("allow")), (405, "OPTIONS,POST"), "{method}");
    }
    let reply = check_error(&app, rpc("rename?id=1&name=x"), 405, "25006").await;
    assert!(reply.body.contains("cannot execute function rename in a read-only transaction"), "{}", reply.body);
    check(&app, get("toys?select=name&id=eq.1"), 200, r#"[{"name":"engine"}]"#).await;
    // Filters, order and page are of the rows that come back; the change is made whole.
    let reply =
        app.send(call("reprice?select=id,price&price=gt.1&order=id.desc&limit=1", "").prefer("count=exact")).await;
    same(&reply, 206, r#"[{"id":2,"price":6.00}]"#);
    assert_eq!(reply.header("content-range"), "0-0/2");
    check(&app, get("toys?select=price&order=id"), 200, r#"[{"price":25.00},{"price":6.00},{"price":0.10}]"#).await;
    check(&app, call("rename", r#"{"id":99,"name":"x"}"#), 200, "[]").await;
    check_error(&app, call("rename", r#"{"id":1,"name":""}"#), 400, "23514").await;
    check_error(&app, call("twice", r#"{"id":1}"#), 409, "23505").await;
}

/// rest.md 10 and 16: max-affected (PGRST124, PGRST128) and the singular type undo what a function did.
#[tokio::test]
async fn what_must_hold_of_the_rows_undoes_the_change_otherwise() {
    let app = app().await;
    let strict = |max: u32| format!("handling=strict, max-affected={max}");
    let reply = check_error(&app, call("reprice", "").prefer(&strict(2)), 400, "PGRST124").await;
    assert!(reply.body.contains("The query affects 3 rows"), "{}", reply.body);
    let single = "application/vnd.pgrst.object+json";
    check_error(&app, call("reprice", "").header("accept", single), 406, "PGRST116").await;
    check(&app, get("toys?select=price&order=id"), 200, r#"[{"price":12.50},{"price":3.00},{"price":0.05}]"#).await;
    let reply = app.send(call("reprice?select=id", "").prefer(&strict(3))).await;
    assert_eq!((reply.status, reply.header("preference-applied")), (200, "handling=strict, max-affected=3"));
    // Without handling=strict it counts for nothing.
    assert_eq!(app.send(call("reprice", "").prefer("max-affected=1")).await.status, 200);
    check_error(&app, rpc("cheap").prefer(&strict(1)), 400, "PGRST124").await;
    let reply = check_error(&app, rpc("add?a=1").prefer(&strict(1)), 400, "PGRST128").await;
    assert!(
        reply
            .body
            .contains("Function must return SETOF or TABLE when max-affected preference is used with handling=strict")
    );
    check_error(&app, rpc("dearest").prefer(&strict(1)), 400, "PGRST128").await;
}

/// rest.md 10: `tx=rollback` does everything, answers, and undoes it; with max-affected beside it.
#[tokio::test]
async fn a_function_can_be_tried_and_undone() {
    let app = app().await;
    let mut heard = app.store.subscribe();
    let reply = app.send(call("reprice?select=price&order=id", "").prefer("tx=rollback, count=exact")).await;
    same(&reply, 200, r#"[{"price":25.00},{"price":6.00},{"price":0.10}]"#);
    assert_eq!(reply.header("preference-applied"), "count=exact, tx=rollback");
    assert_eq!(reply.header("content-range"), "0-2/3");
    prices(&app, PRICES).await;
    let reply = app.send(post("rpc/forget", r#"{"number":1}"#).prefer("tx=rollback")).await;
    assert_eq!((reply.status, reply.body.as_str()), (204, ""));
    check(&app, get("parts?select=number&number=eq.1"), 200, r#"[{"number":1}]"#).await;
    let strict = |max: u32| format!("tx=rollback, handling=strict, max-affected={max}");
    let reply = app.send(call("reprice?select=id&order=id", "").prefer(&strict(3))).await;
    same(&reply, 200, r#"[{"id":1},{"id":2},{"id":3}]"#);
    assert_eq!(reply.header("preference-applied"), "tx=rollback, handling=strict, max-affected=3");
    check_error(&app, call("reprice", "").prefer(&strict(2)), 400, "PGRST124").await;
    check_error(&app, call("twice", r#"{"id":1}"#).prefer("tx=rollback"), 409, "23505").await;
    // What only reads has nothing to be undone, and the rules are the same.
    check(&app, call("add", r#"{"a":1}"#).prefer("tx=rollback"), 200, "11").await;
    check(&app, call("none", "").prefer("tx=rollback"), 200, "null").await;
    check_error(&app, call("cheap", "").prefer(&strict(1)), 400, "PGRST124").await;
    check_error(&app, call("closed", "").prefer("tx=rollback"), 401, "42501").await;
    check_error(&app, call("forget", r#"{"number":1}"#).prefer("tx=rollback"), 401, "42501").await;
    prices(&app, PRICES).await;
    // Nothing of it was published: what is heard first is what stays.
    check(&app, call("rename?select=name", r#"{"id":1,"name":"kept"}"#), 200, r#"[{"name":"kept"}]"#).await;
    let commit = heard.next().await.unwrap();
    assert_eq!((commit.changes.len(), &*commit.changes[0].table), (1, "toys"));
}

/// rest.md 10: the server decides how transactions end, and whether a caller may prefer otherwise.
#[tokio::test]
async fn the_server_decides_how_functions_end() {
    for (end, prefer, stays, applied) in [
        (TxEnd::Commit, "tx=rollback", true, ""),
        (TxEnd::Rollback, "tx=commit", false, ""),
        (TxEnd::RollbackAllowOverride, "count=exact", false, "count=exact"),
        (TxEnd::RollbackAllowOverride, "tx=commit", true, "tx=commit"),
    ] {
        let store = app().await.store;
        let answers = AnswerSettings { tx_end: end, ..AnswerSettings::default() };
        let app = TestApp::speaking(schema(), store, Limits::default(), RequestLimits::default(), Cors::Any, answers);
        let reply = app.send(call("rename?select=name", r#"{"id":1,"name":"new"}"#).prefer(prefer)).await;
        same(&reply, 200, r#"[{"name":"new"}]"#);
        assert_eq!(reply.header("preference-applied"), applied, "{end:?} {prefer}");
        let expected = if stays { r#"[{"name":"new"}]"# } else { r#"[{"name":"train"}]"# };
        check(&app, get("toys?select=name&id=eq.1"), 200, expected).await;
    }
}

fn batch(steps: &Value) -> crate::app::Ask {
    post("batch", json!({ "steps": steps }).to_string())
}

/// Functions are steps: what they give is referred to, and what a later step does wrong undoes them.
#[tokio::test]
async fn functions_are_steps_of_a_batch() {
    let app = app().await;
    let rename =
        json!({"id": "toy", "method": "POST", "path": "/rpc/rename?select=id,name", "body": {"id": 1, "name": "gt.5"}});
    let steps = json!([
        rename,
        {"id": "sum", "method": "GET", "path": "/rpc/add?a=${toy[0].id}&b=41"},
        {"method": "POST", "path": "/rpc/add", "body": {"a": {"$ref": "sum"}, "b": {"$ref": "toy[0].id"}}},
        {"method": "GET", "path": "/rpc/doc?doc=${toy[0].name}"},
        {"method": "GET", "path": "/rpc/cheap?most=5&select=id&order=id.desc&limit=1&id=lt.${sum}", "prefer": "count=exact"},
        {"method": "POST", "path": "/rpc/names", "prefer": "return=minimal"},
        {"method": "POST", "path": "/rpc/forget", "body": {"number": 1}},
        {"method": "GET", "path": "/rpc/none"}
    ]);
    // The argument is the text, which is no JSON, and not a filter.
    let reply = app.send(batch(&steps)).await;
    assert!(reply.status == 400 && reply.body.contains("\"index\":3"), "{}", reply.body);
    check(&app, get("toys?select=name&id=eq.1"), 200, r#"[{"name":"train"}]"#).await;
    let mut steps = steps;
    steps.as_array_mut().unwrap().remove(3);
    let reply = app.send(batch(&steps)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let found: Value = serde_json::from_str(&reply.body).unwrap();
    let entries: Vec<Value> =
        found["steps"].as_array().unwrap().iter().map(|entry| json!([entry["status"], entry["body"]])).collect();
    let expected = json!([
        [200, [{"id": 1, "name": "gt.5"}]], [200, 42], [200, 43], [206, [{"id": 3}]], [204, null], [204, null], [200, null]
    ]);
    assert_eq!(Value::from(entries), expected);
    check(&app, get("parts?select=number&number=eq.1"), 200, "[]").await;
}

/// Each step passes its own rules, and one that fails leaves nothing of those before it.
#[tokio::test]
async fn a_step_that_fails_leaves_nothing_of_a_function() {
    let app = app().await;
    let first = json!({"method": "POST", "path": "/rpc/reprice"});
    for (step, status, code) in [
        (json!({"method": "POST", "path": "/rpc/twice", "body": {"id": 1}}), 409, "23505"),
        (json!({"method": "GET", "path": "/rpc/rename?id=1&name=x"}), 405, "25006"),
        (json!({"method": "PATCH", "path": "/rpc/rename", "body": {}}), 405, "PGRST101"),
        (json!({"method": "POST", "path": "/rpc/nothing"}), 404, "PGRST202"),
        (json!({"method": "POST", "path": "/rpc/add", "body": {"a": "x"}}), 400, "22P02"),
        (
            json!({"method": "POST", "path": "/rpc/reprice", "prefer": "handling=strict, max-affected=2"}),
            400,
            "PGRST124",
        ),
        (
            json!({"method": "POST", "path": "/rpc/reprice", "accept": "application/vnd.pgrst.object+json"}),
            406,
            "PGRST116",
        ),
        (json!({"method": "POST", "path": "/rpc/reprice", "prefer": "tx=rollback"}), 400, "PGRST127"),
        (json!({"method": "POST", "path": "/rpc/reprice", "if_match": "*"}), 400, "PGRST127"),
        (
            json!({"method": "POST", "path": "/rpc/add", "body": {"a": 1}, "content_type": "text/plain"}),
            400,
            "PGRST102",
        ),
    ] {
        let reply = app.send(batch(&json!([first, step]))).await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{step}: {}", reply.body);
        prices(&app, PRICES).await;
    }
    let closed = json!([first, {"method": "POST", "path": "/rpc/forget", "body": {"number": 1}}]);
    check_error(&app, batch(&closed).anon(), 401, "42501").await;
    prices(&app, PRICES).await;
    let reply = app.send(batch(&json!([first])).prefer("tx=rollback")).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    prices(&app, PRICES).await;
}
