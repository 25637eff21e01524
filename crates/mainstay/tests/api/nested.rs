//! Rows inside rows.

use crate::app::{Ask, TestApp, check, check_error, get, post};

fn returning(url: &str, body: &'static str) -> Ask {
    post(url, body).prefer("return=representation")
}

#[tokio::test]
async fn children_go_in_with_their_parents() {
    let apps = TestApp::each().await;
    let one = r#"{"name":"car","parts":[{"number":1,"label":"door"},{"number":2,"label":null}]}"#;
    let expected = r#"[{"id":4,"name":"car","parts":[{"number":1,"label":"door"},{"number":2,"label":null}]}]"#;
    check(&apps, returning("toys?select=id,name,parts(number,label)", one), 201, expected).await;
    // Several parents, some without; the answer is in the order of the body.
    let several = r#"[{"name":"z","parts":[]},{"name":"y","parts":[{"number":7}]},{"name":"x","parts":[{"number":7},{"number":8}]}]"#;
    let expected = r#"[{"name":"z","parts":[]},{"name":"y","parts":[{"number":7}]},{"name":"x","parts":[{"number":7},{"number":8}]}]"#;
    check(&apps, returning("toys?select=name,parts(number)", several), 201, expected).await;
    check(
        &apps,
        get("toys?select=id,name&name=in.(x,y,z)&order=id"),
        200,
        r#"[{"id":5,"name":"z"},{"id":6,"name":"y"},{"id":7,"name":"x"}]"#,
    )
    .await;
    // Counted, located and returned without embeds are the rows at the top.
    for app in &apps {
        let ask = post("toys", r#"{"name":"w","parts":[{"number":1},{"number":2}]}"#);
        let reply = app.send(ask.prefer("return=headers-only,count=exact")).await;
        assert_eq!((reply.status, reply.header("content-range")), (201, "*/1"), "{reply:?}");
        assert_eq!(reply.header("location"), "/toys?id=eq.8");
        let reply = app.send(post("toys", r#"{"name":"v","parts":[{"number":1}]}"#)).await;
        assert_eq!((reply.status, reply.body.as_str()), (201, ""));
    }
    let single = returning("toys?select=name", r#"[{"name":"a","parts":[]},{"name":"b","parts":[]}]"#);
    check_error(&apps, single.header("accept", "application/vnd.pgrst.object+json"), 406, "PGRST116").await;
    check(&apps, get("toys?name=in.(a,b)"), 200, "[]").await;
}

#[tokio::test]
async fn parents_go_in_with_their_children_and_levels_go_deep() {
    let apps = TestApp::each().await;
    let up = r#"{"name":"boat","makers":{"id":7,"name":"Yew"},"parts":[{"number":1}]}"#;
    check(
        &apps,
        returning("toys?select=name,maker_id,makers(name),parts(number)", up),
        201,
        r#"[{"name":"boat","maker_id":7,"makers":{"name":"Yew"},"parts":[{"number":1}]}]"#,
    )
    .await;
    let none = r#"[{"name":"p","makers":null},{"name":"q","makers":{"id":8,"name":"Oaken"}}]"#;
    let expected = r#"[{"name":"p","maker_id":null},{"name":"q","maker_id":8}]"#;
    check(&apps, returning("toys?select=name,maker_id", none), 201, expected).await;
    let deep =
        r#"{"id":9,"name":"Elm","toys":[{"name":"m","parts":[{"number":1},{"number":2}]},{"name":"n","parts":[]}]}"#;
    let expected =
        r#"[{"name":"Elm","toys":[{"name":"m","parts":[{"number":1},{"number":2}]},{"name":"n","parts":[]}]}]"#;
    check(&apps, returning("makers?select=name,toys(name,parts(number))", deep), 201, expected).await;
    // Two relations to one table: a hint says which.
    let hinted =
        r#"{"first word":"hi","makers!from_id":{"id":20,"name":"F"},"makers!letters_to_id_fkey":{"id":21,"name":"T"}}"#;
    check(&apps, returning("letters?select=from_id,to_id", hinted), 201, r#"[{"from_id":20,"to_id":21}]"#).await;
    check_error(&apps, post("letters", r#"{"makers":{"id":22,"name":"U"}}"#), 300, "PGRST201").await;
}

#[tokio::test]
async fn columns_and_defaults_hold_inside() {
    let apps = TestApp::each().await;
    // As the client libraries send lists: the union of the keys.
    let chosen = r#"[{"name":"a","parts":[{"number":1}],"price":5},{"name":"b"}]"#;
    let expected = r#"[{"name":"a","price":1.00,"parts":[{"number":1}]},{"name":"b","price":1.00,"parts":[]}]"#;
    check(
        &apps,
        returning("toys?columns=%22name%22,%22parts%22&select=name,price,parts(number)", chosen),
        201,
        expected,
    )
    .await;
    let left_out = r#"{"name":"c","price":5,"parts":[{"number":1}]}"#;
    check(
        &apps,
        returning("toys?columns=name&select=name,price,parts(number)", left_out),
        201,
        r#"[{"name":"c","price":1.00,"parts":[]}]"#,
    )
    .await;
}

#[tokio::test]
async fn what_is_wrong_inside_says_where_and_leaves_nothing() {
    let apps = TestApp::each().await;
    let ok = r#"{"name":"a","parts":[{"number":1}]}"#;
    for (body, status, code, place) in [
        (
            format!(r#"[{ok},{{"name":"b","parts":[{{"number":1}},{{"number":"x"}}]}}]"#),
            400,
            "22P02",
            "column \\\"number\\\". In row 2, parts row 2 of the body.",
        ),
        (
            format!(r#"[{ok},{{"name":"b","parts":[{{"number":null}}]}}]"#),
            400,
            "23502",
            "In row 2, parts row 1 of the body.",
        ),
        (format!(r#"[{ok},{{"name":"b","parts":[{{}}]}}]"#), 400, "PGRST102", "In row 2, parts row 1 of the body."),
        (r#"{"name":"a","parts":[{"label":"x"}]}"#.to_owned(), 400, "23502", "In row 1, parts row 1 of the body."),
        (
            r#"{"name":"a","parts":[{"number":1,"nope":1}]}"#.to_owned(),
            400,
            "PGRST204",
            "In row 1, parts row 1 of the body.",
        ),
        (r#"{"name":"a","parts":[1]}"#.to_owned(), 400, "PGRST102", "parts row 1"),
        (r#"{"name":"a","parts":{"number":1}}"#.to_owned(), 400, "PGRST102", "row 1"),
        (r#"{"name":"a","parts":null}"#.to_owned(), 400, "PGRST102", "row 1"),
        (r#"{"name":"a","makers":[]}"#.to_owned(), 400, "PGRST102", "row 1"),
        (r#"{"name":"a","parts":[],"parts":[]}"#.to_owned(), 400, "PGRST102", "row 1"),
        (r#"{"name":"a","parts":[{"number":1,"toy_id":3}]}"#.to_owned(), 400, "PGRST102", "By itself"),
        (r#"{"name":"a","maker_id":1,"makers":{"id":30,"name":"M"}}"#.to_owned(), 400, "PGRST102", "By itself"),
        (r#"[{"name":"a","parts":[]},{"name":"b"}]"#.to_owned(), 400, "PGRST102", "row 2"),
        (r#"{"name":"a","letters":[]}"#.to_owned(), 400, "PGRST204", "null"),
        (r#"{"name":"a","makers":{"id":1,"name":"Oak2"}}"#.to_owned(), 409, "23505", "already exists"),
        (
            r#"{"name":"a","makers":{"id":40,"name":"new"},"parts":[{"number":1},{"number":1}]}"#.to_owned(),
            409,
            "23505",
            "already exists",
        ),
    ] {
        for app in &apps {
            let reply = app.send(post("toys", body.clone())).await;
            assert_eq!((reply.status, reply.code().as_str()), (status, code), "{body}: {}", reply.body);
            assert!(reply.body.contains(place), "{body}: {}", reply.body);
        }
        check(&apps, get("toys?name=in.(a,b)"), 200, "[]").await;
        check(&apps, get("makers?id=gt.2"), 200, "[]").await;
    }
    for prefer in ["resolution=merge-duplicates", "resolution=ignore-duplicates"] {
        check_error(&apps, post("toys", ok).prefer(prefer), 400, "PGRST127").await;
    }
    // Nothing but an insert holds rows.
    check_error(&apps, crate::app::ask("PATCH", "toys?id=eq.1").body(r#"{"parts":[]}"#), 400, "PGRST204").await;
    let levels = format!("{}null{}", r#"{"id":1,"name":"x","toys":[{"name":"y","makers":"#.repeat(5), "}]}".repeat(5));
    check_error(&apps, post("makers", levels), 400, "MS400").await;
}

#[tokio::test]
async fn the_rules_are_asked_for_every_table() {
    let apps = TestApp::each().await;
    check(
        &apps,
        returning("toys?select=name,parts(number)", r#"{"name":"a","parts":[{"number":1}]}"#).anon(),
        201,
        r#"[{"name":"a","parts":[{"number":1}]}]"#,
    )
    .await;
    // Makers may be read by everybody and created by nobody; nothing is told of them that a request of its own is not.
    for body in [
        r#"{"name":"b","makers":{"id":9,"name":"M"}}"#,
        r#"{"name":"b","makers":{"nope":1}}"#,
        r#"{"name":"b","makers":{"id":"x"}}"#,
        r#"{"name":"b","makers":{"id":9,"name":"M","letters!from_id":[{"nope":1}]}}"#,
    ] {
        check_error(&apps, post("toys", body).anon(), 401, "42501").await;
    }
    // Letters may be created by everybody and read by nobody.
    check_error(&apps, returning("letters", r#"{"makers!from_id":null}"#).anon(), 401, "42501").await;
    check(&apps, get("toys?name=eq.b"), 200, "[]").await;
}
