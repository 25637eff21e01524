//! Updates that say how rows change, and updates of each row in its own way.

use crate::app::{Ask, TestApp, ask, check, check_error, get, post};

const OPERATIONS: &str = "application/vnd.mainstay.patch+json";
const MERGE: &str = "application/merge-patch+json";
const STEPS: &str = "application/json-patch+json";

fn patch(url: &str, media: &str, body: &str) -> Ask {
    ask("PATCH", url).header("content-type", media).body(body.to_owned())
}

#[tokio::test]
async fn operations_change_what_is_there() {
    let apps = TestApp::each().await;
    let body = r#"{"pieces":{"add":1},"price":{"add":-2.25},"weight":{"add":0.25},"tags":{"append":["new"]},"name":{"append":"!"},"info":{"merge":{"a":null,"n":1.0}}}"#;
    let ask = patch("toys?id=eq.1&select=pieces,price,weight,tags,name,info", OPERATIONS, body);
    let changed = r#"[{"pieces":9007199254740994,"price":10.25,"weight":0.75,"tags":["wood","a,b","new"],"name":"train!","info":{"b":[1,null],"n":1.0}}]"#;
    check(&apps, ask.prefer("return=representation"), 200, changed).await;
    let body = r#"{"tags":{"remove":["new","wood"]},"color":{"set":"blue"},"info":{"patch":[{"op":"replace","path":"/b/1","value":2}]}}"#;
    let ask = patch("toys?id=eq.1&select=tags,color,info", OPERATIONS, body).prefer("return=representation");
    check(&apps, ask, 200, r#"[{"tags":["a,b"],"color":"blue","info":{"b":[1,2],"n":1.0}}]"#).await;
    // Null counts as nothing yet.
    let ask = patch("toys?id=eq.2&select=pieces", OPERATIONS, r#"{"pieces":{"add":4}}"#);
    check(&apps, ask.prefer("return=representation"), 200, r#"[{"pieces":4}]"#).await;
}

#[tokio::test]
async fn a_result_that_the_column_does_not_accept_changes_nothing() {
    let apps = TestApp::each().await;
    let check_body = r#"{"code":"23514","details":"price must be at least 0.00.","hint":null,"message":"new row for relation \"toys\" violates check constraint \"toys_price_check\""}"#;
    // The first row could pay, the third cannot.
    check(&apps, patch("toys?id=gt.0", OPERATIONS, r#"{"price":{"add":-1}}"#), 400, check_body).await;
    for (body, status, code) in [
        (r#"{"price":{"add":999999}}"#, 400, "22003"),
        (r#"{"pieces":{"add":9223372036854775807}}"#, 400, "22003"),
        (r#"{"name":{"append":"0123456789012345678901234567890123456789"}}"#, 400, "23514"),
        (r#"{"color":{"append":"ish"}}"#, 400, "23514"),
        (r#"{"name":{"add":1}}"#, 404, "42883"),
        (r#"{"price":{"inc":1}}"#, 400, "PGRST102"),
        (r#"{"price":5}"#, 400, "PGRST102"),
        (r#"{"price":{"set":null}}"#, 400, "23502"),
        (r#"{"nope":{"set":1}}"#, 400, "PGRST204"),
        ("[", 400, "PGRST102"),
    ] {
        check_error(&apps, patch("toys?id=eq.1", OPERATIONS, body), status, code).await;
    }
    check(
        &apps,
        get("toys?select=id,price&order=id"),
        200,
        r#"[{"id":1,"price":12.50},{"id":2,"price":3.00},{"id":3,"price":0.05}]"#,
    )
    .await;
    // What is computed tells about what is there.
    check_error(&apps, patch("letters?id=not.is.null", OPERATIONS, r#"{"to_id":{"add":1}}"#).anon(), 401, "42501")
        .await;
    // Only of PATCH.
    let post = ask("POST", "makers").header("content-type", OPERATIONS).body("{}");
    check_error(&apps, post, 400, "PGRST102").await;
}

/// Beyond rest.md 11.6: merge patches.
#[tokio::test]
async fn merge_patches_go_into_documents() {
    let apps = TestApp::each().await;
    let body = r#"{"name":"express","info":{"a":{"c":null,"d":1}},"color":null}"#;
    let ask = patch("toys?id=eq.1&select=name,info,color", MERGE, body).prefer("return=representation");
    check(&apps, ask, 200, r#"[{"name":"express","info":{"a":{"d":1},"b":[1,null]},"color":null}]"#).await;
    check_error(&apps, patch("toys?id=eq.1", MERGE, r#"{"name":null}"#), 400, "23502").await;
    check_error(&apps, patch("toys?id=eq.1", MERGE, r#"["name"]"#), 400, "PGRST102").await;
}

#[tokio::test]
async fn json_patches_apply_whole_or_not_at_all() {
    let apps = TestApp::each().await;
    let steps = r#"[{"op":"test","path":"/pieces","value":3},{"op":"replace","path":"/name","value":"spin"},{"op":"add","path":"/info/-","value":{"x":1}},{"op":"add","path":"/tags/0","value":"t"}]"#;
    let ask = patch("toys?id=eq.3&select=name,info,tags", STEPS, steps).prefer("return=representation");
    check(&apps, ask, 200, r#"[{"name":"spin","info":[{"x":1}],"tags":["t"]}]"#).await;
    let failed = r#"[{"op":"replace","path":"/name","value":"no"},{"op":"test","path":"/info/0/x","value":2}]"#;
    let body = r#"{"code":"MS409","details":"the test failed (operation 1 on this column, at \"/0/x\")","hint":null,"message":"the patch does not apply to column \"info\" of relation \"toys\""}"#;
    check(&apps, patch("toys?id=eq.3", STEPS, failed), 409, body).await;
    check_error(&apps, patch("toys?id=eq.3", STEPS, r#"[{"op":"remove","path":"/info/x"}]"#), 409, "MS409").await;
    check_error(&apps, patch("toys?id=eq.3", STEPS, r#"[{"op":"remove","path":"/name"}]"#), 400, "23502").await;
    check_error(&apps, patch("toys?id=eq.3", STEPS, r#"[{"op":"replace","path":"","value":1}]"#), 400, "PGRST127")
        .await;
    check_error(&apps, patch("toys?id=eq.3", STEPS, r#"[{"op":"x","path":"/name"}]"#), 400, "PGRST102").await;
    check(&apps, get("toys?id=eq.3&select=name"), 200, r#"[{"name":"spin"}]"#).await;
}

#[tokio::test]
async fn each_row_of_an_array_changes_the_row_with_its_key() {
    for app in TestApp::each().await {
        let rows = r#"[{"id":3,"price":9},{"id":99,"price":9},{"id":1,"price":8}]"#;
        let ask = patch("toys?on_conflict=id&select=id,price", "application/json", rows);
        let reply = app.send(ask.prefer("return=representation,count=exact")).await;
        assert_eq!((reply.status, reply.header("content-range")), (200, "0-1/2"));
        assert_eq!(reply.body, r#"[{"id":3,"price":9.00},{"id":1,"price":8.00}]"#);
    }
    let apps = TestApp::each().await;
    check(&apps, post("makers", r#"{"id":5,"name":"Ash"}"#), 201, "").await;
    let names = r#"[{"name":"Oak","id":1},{"name":"Ash","id":7},{"name":"Elm","id":8}]"#;
    check(&apps, patch("makers?on_conflict=name", "application/json", names), 204, "").await;
    check(&apps, get("makers?select=id&order=id"), 200, r#"[{"id":1},{"id":2},{"id":7}]"#).await;
    let stock = r#"[{"id":1,"pieces":{"add":-3}},{"id":3,"pieces":{"add":-3}}]"#;
    check(&apps, patch("toys?on_conflict=id", OPERATIONS, stock), 204, "").await;
    check(&apps, get("toys?select=pieces&id=in.(1,3)&order=id"), 200, r#"[{"pieces":9007199254740990},{"pieces":0}]"#)
        .await;
    // Filters narrow it down further.
    let rows = r#"[{"id":1,"price":1},{"id":2,"price":1}]"#;
    let sold = patch("toys?on_conflict=id&sold=is.true&select=id", "application/json", rows);
    check(&apps, sold.prefer("return=representation"), 200, r#"[{"id":1}]"#).await;
}

#[tokio::test]
async fn an_update_of_each_row_happens_whole_or_not_at_all() {
    let apps = TestApp::each().await;
    let each = |body: &str| patch("toys?on_conflict=id", "application/json", body);
    for (body, status, code) in [
        (r#"[{"id":1,"price":7},{"id":1,"price":8}]"#, 500, "21000"),
        (r#"[{"id":1,"price":7},{"id":2,"price":-1}]"#, 400, "23514"),
        (r#"[{"id":1,"maker_id":1},{"id":2,"maker_id":77}]"#, 409, "23503"),
        (r#"[{"price":7}]"#, 400, "PGRST102"),
        (r#"[{"id":1,"price":7},{"id":2,"name":"x"}]"#, 400, "PGRST102"),
    ] {
        check_error(&apps, each(body), status, code).await;
    }
    let two = r#"[{"id":1,"price":7},{"id":2,"price":7}]"#;
    check_error(&apps, each(two).prefer("handling=strict,max-affected=1"), 400, "PGRST124").await;
    check_error(&apps, each(two).header("accept", "application/vnd.pgrst.object+json"), 406, "PGRST116").await;
    check_error(&apps, patch("toys?on_conflict=price", "application/json", two), 400, "42P10").await;
    check_error(&apps, each(two).anon(), 401, "42501").await;
    let fits = r#"[{"id":1,"price":7},{"id":99,"price":7}]"#;
    check(&apps, get("toys?price=eq.7"), 200, "[]").await;
    check(&apps, each(fits).prefer("handling=strict,max-affected=1"), 204, "").await;
}
