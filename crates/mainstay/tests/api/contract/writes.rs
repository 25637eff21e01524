//! rest.md 11: what a write takes and what it answers.

use super::rows;
use crate::app::{Ask, TestApp, ask, check, check_error, get, post};

const SINGLE: &str = "application/vnd.pgrst.object+json";

/// rest.md 11.1: JSON bodies; the words of each refusal.
#[tokio::test]
async fn json_bodies() {
    let apps = TestApp::each().await;
    for body in [
        r#"{"id":11,"name":"a"}"#,
        r#"[{"id":12,"name":"b"}]"#,
        // Strings are taken for any type.
        r#"{"id":"13","name":"c"}"#,
        " \n[ ]",
    ] {
        check(&apps, post("makers", body), 201, "").await;
    }
    check(&apps, get("makers?select=id&id=gt.10"), 200, r#"[{"id":11},{"id":12},{"id":13}]"#).await;
    for (body, message) in [
        ("", "Empty or invalid json"),
        ("{", "Empty or invalid json"),
        (r#"[{"id":1}"#, "Empty or invalid json"),
        (r#"[{"id":21,"name":"x"},{"id":22}]"#, "All object keys must match"),
    ] {
        for app in &apps {
            let reply = app.send(post("makers", body)).await;
            assert_eq!((reply.status, reply.code().as_str()), (400, "PGRST102"), "{body}");
            assert_eq!(super::member(&reply, "message"), message, "{body}");
        }
    }
    for app in &apps {
        let csv = app.send(post("makers", "id,name\n21").header("content-type", "text/csv")).await;
        assert_eq!(
            (csv.status, super::member(&csv, "message").as_str()),
            (400, "All lines must have same number of fields")
        );
        let type_of = app.send(post("makers", "x").header("content-type", "image/png")).await;
        assert_eq!(
            (type_of.status, super::member(&type_of, "message").as_str()),
            (400, "Content-Type not acceptable: image/png")
        );
        let column = app.send(post("makers", r#"{"nope":1}"#)).await;
        assert_eq!((column.status, column.code().as_str()), (400, "PGRST204"));
        assert_eq!(
            super::member(&column, "message"),
            "Could not find the 'nope' column of 'makers' in the schema cache"
        );
    }
    let csv = post("parts", "toy_id,number,label\n2,1,NULL\n2,2,\"NULL\"\n").header("content-type", "text/csv");
    check(&apps, csv, 201, "").await;
    check(&apps, get("parts?select=number&toy_id=eq.2&label=is.null"), 200, r#"[{"number":1}]"#).await;
}

/// rest.md 11.2: `columns` picks what is read of a body.
#[tokio::test]
async fn columns_pick_members() {
    let apps = TestApp::each().await;
    let insert = |url: &str, body: &'static str, prefer: &str| {
        post(url, body).prefer(&format!("return=representation,{prefer}"))
    };
    for (url, body, prefer, given) in [
        ("makers?columns=id,name", r#"{"id":21,"name":"a","nope":1}"#, "", r#"[{"id":21,"name":"a"}]"#),
        ("makers?columns=%22id%22,%22name%22", r#"[{"id":22,"name":"b"}]"#, "", r#"[{"id":22,"name":"b"}]"#),
        (
            "parts?columns=toy_id,number,label",
            r#"[{"toy_id":3,"number":1},{"toy_id":3,"number":2,"label":"x"}]"#,
            "",
            r#"[{"toy_id":3,"number":1,"label":null},{"toy_id":3,"number":2,"label":"x"}]"#,
        ),
        (
            "toys?select=name,price&columns=name,price",
            r#"[{"name":"a"}]"#,
            "missing=default",
            r#"[{"name":"a","price":1.00}]"#,
        ),
    ] {
        check(&apps, insert(url, body, prefer), 201, given).await;
    }
    let change = ask("PATCH", "toys?id=eq.1&columns=name&select=name,sold").body(r#"{"name":"x","sold":false}"#);
    check(&apps, change.prefer("return=representation"), 200, r#"[{"name":"x","sold":true}]"#).await;
    check_error(&apps, insert("toys?columns=name,price", r#"[{"name":"a"}]"#, ""), 400, "23502").await;
    check_error(&apps, insert("makers?columns=nope", "{}", ""), 400, "PGRST204").await;
    check_error(&apps, insert("makers?columns=", "{}", ""), 400, "PGRST100").await;
}

/// rest.md 11.3: what an insert answers.
#[tokio::test]
async fn inserts_answer() {
    for app in TestApp::each().await {
        for (url, body, prefer, range, location, given) in [
            ("makers", r#"{"id":31,"name":"a"}"#, "", "*/*", "", ""),
            ("makers", r#"{"id":32,"name":"b"}"#, "return=minimal,count=exact", "*/1", "", ""),
            ("makers", r#"{"id":33,"name":"c"}"#, "return=headers-only", "*/*", "/makers?id=eq.33", ""),
            ("makers", r#"[{"id":34,"name":"d"}]"#, "return=headers-only", "*/*", "/makers?id=eq.34", ""),
            (
                "makers",
                r#"[{"id":35,"name":"e"},{"id":36,"name":"f"}]"#,
                "return=headers-only,count=exact",
                "*/2",
                "",
                "",
            ),
            ("parts", r#"{"toy_id":2,"number":7}"#, "return=headers-only", "*/*", "/parts?toy_id=eq.2&number=eq.7", ""),
            ("makers", r#"{"id":37,"name":"g"}"#, "return=representation", "*/*", "", r#"[{"id":37,"name":"g"}]"#),
            (
                "letters?select=to_id,from_id",
                "{}",
                "return=representation",
                "*/*",
                "",
                r#"[{"to_id":null,"from_id":null}]"#,
            ),
            ("makers", "[]", "return=representation,count=exact", "*/0", "", "[]"),
            ("makers", "[]", "", "*/*", "", ""),
        ] {
            let reply = app.send(post(url, body).prefer(prefer)).await;
            let found = (reply.status, reply.header("content-range"), reply.header("location"), reply.body.as_str());
            assert_eq!(found, (201, range, location, given), "{url} {body} {prefer}");
            let kind = if given.is_empty() { "" } else { "application/json; charset=utf-8" };
            assert_eq!(reply.header("content-type"), kind);
        }
    }
    let apps = TestApp::each().await;
    check_error(&apps, post("makers", r#"[{"id":41,"name":"x"},{"id":1,"name":"y"}]"#), 409, "23505").await;
    rows(&apps, &[("makers?id=eq.41", "[]")]).await;
}

/// rest.md 11.4: merging and ignoring, by key or by `on_conflict`.
#[tokio::test]
async fn upserts() {
    let apps = TestApp::each().await;
    let upsert = |url: &str, body: &'static str, how: &str| {
        post(url, body).prefer(&format!("resolution={how}-duplicates,return=representation"))
    };
    for (url, body, how, status, given) in [
        ("makers", r#"{"id":1,"name":"Oak"}"#, "merge", 200, r#"[{"id":1,"name":"Oak"}]"#),
        ("makers", r#"{"id":51,"name":"x"}"#, "merge", 201, r#"[{"id":51,"name":"x"}]"#),
        ("makers", r#"[{"id":51,"name":"y"},{"id":52,"name":"z"}]"#, "ignore", 201, r#"[{"id":52,"name":"z"}]"#),
        ("makers?on_conflict=name", r#"{"id":1,"name":"Oak"}"#, "merge", 200, r#"[{"id":1,"name":"Oak"}]"#),
        ("letters?select=to_id", r#"{"to_id":1}"#, "merge", 201, r#"[{"to_id":1}]"#),
        ("letters?select=to_id", r#"{"to_id":1}"#, "merge", 201, r#"[{"to_id":1}]"#),
    ] {
        check(&apps, upsert(url, body, how), status, given).await;
    }
    check(&apps, get("makers?select=name&id=eq.51"), 200, r#"[{"name":"x"}]"#).await;
    check_error(&apps, upsert("toys?on_conflict=price", r#"{"name":"x"}"#, "merge"), 400, "42P10").await;
    check_error(&apps, upsert("makers?on_conflict=nope", r#"{"id":1}"#, "merge"), 400, "42703").await;
    check_error(&apps, upsert("makers", r#"[{"id":1,"name":"a"},{"id":1,"name":"b"}]"#, "merge"), 500, "21000").await;
}

/// rest.md 11.6 and 11.7: changes and removals, what they answer.
#[tokio::test]
async fn changes_and_removals_answer() {
    for app in TestApp::each().await {
        for (method, url, body, prefer, status, range, given) in [
            ("PATCH", "toys?id=lte.2", r#"{"price":5}"#, "", 204, "0-1/*", ""),
            ("PATCH", "toys?id=lte.2", r#"[{"price":6}]"#, "count=exact", 204, "0-1/2", ""),
            ("PATCH", "toys?id=eq.9", r#"{"price":5}"#, "", 204, "*/*", ""),
            ("PATCH", "toys?id=eq.9", r#"{"price":5}"#, "return=representation,count=exact", 200, "*/0", "[]"),
            (
                "PATCH",
                "toys?id=eq.1&select=id,price",
                r#"{"price":7}"#,
                "return=representation",
                200,
                "0-0/*",
                r#"[{"id":1,"price":7.00}]"#,
            ),
            ("PATCH", "toys?id=eq.1", "{}", "", 204, "*/*", ""),
            ("PATCH", "toys?id=eq.1", "[]", "return=representation", 200, "*/*", "[]"),
            ("DELETE", "parts?number=eq.9", "", "return=representation", 200, "*/*", "[]"),
            ("DELETE", "parts?number=eq.2", "", "count=exact", 204, "*/1", ""),
            (
                "DELETE",
                "parts?number=eq.1&select=label",
                "",
                "return=representation",
                200,
                "*/*",
                r#"[{"label":"wheel"}]"#,
            ),
            // rest.md 9: writes pass over limit and offset.
            ("PATCH", "toys?id=gt.0&limit=1&offset=1", r#"{"sold":true}"#, "count=exact", 204, "0-2/3", ""),
        ] {
            let reply = app.send(ask(method, url).body(body).prefer(prefer)).await;
            let found = (reply.status, reply.header("content-range"), reply.body.as_str());
            assert_eq!(found, (status, range, given), "{method} {url} {body} {prefer}");
        }
        for (asked, message) in [
            (ask("PATCH", "toys").body(r#"{"price":5}"#), "UPDATE requires a WHERE clause"),
            (ask("DELETE", "toys"), "DELETE requires a WHERE clause"),
        ] {
            let reply = app.send(asked).await;
            assert_eq!((reply.status, reply.code().as_str()), (400, "21000"));
            assert_eq!(super::member(&reply, "message"), message);
        }
    }
}

/// rest.md 11.8: one object is one row, or nothing happens, whether or not the row was asked for.
#[tokio::test]
async fn singular_writes_are_of_one_row() {
    let apps = TestApp::each().await;
    let two = r#"[{"id":61,"name":"a"},{"id":62,"name":"b"}]"#;
    let refused = |count: u32| {
        format!(
            r#"{{"code":"PGRST116","details":"The result contains {count} rows","hint":null,"message":"Cannot coerce the result to a single JSON object"}}"#
        )
    };
    let cases: [(Ask, u32); 6] = [
        (post("makers", two), 2),
        (post("makers", "[]"), 0),
        (ask("PATCH", "toys?id=lte.2").body(r#"{"name":"x"}"#), 2),
        (ask("PATCH", "toys?id=eq.9").body(r#"{"name":"x"}"#), 0),
        (ask("DELETE", "parts?number=gt.0"), 2),
        (ask("DELETE", "parts?number=eq.9"), 0),
    ];
    for (asked, count) in cases {
        for prefer in ["return=minimal", "return=representation"] {
            check(&apps, asked.clone().header("accept", SINGLE).prefer(prefer), 406, &refused(count)).await;
        }
    }
    rows(
        &apps,
        &[
            ("makers?select=id&id=gt.60", "[]"),
            ("toys?select=name&name=eq.x", "[]"),
            ("parts?select=number", r#"[{"number":1},{"number":2}]"#),
        ],
    )
    .await;
    let one = |asked: Ask, prefer: &str| asked.header("accept", SINGLE).prefer(prefer);
    check(&apps, one(post("makers", r#"{"id":63,"name":"c"}"#), "return=minimal"), 201, "").await;
    let change = ask("PATCH", "toys?id=eq.1&select=name").body(r#"{"name":"y"}"#);
    check(&apps, one(change, "return=representation"), 200, r#"{"name":"y"}"#).await;
    check(&apps, one(ask("DELETE", "parts?number=eq.2"), "return=minimal"), 204, "").await;
}
