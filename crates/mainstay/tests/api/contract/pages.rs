//! `rest.md` 6, 7.9, 9, 12, 17: groups, spreads, pages, and what goes along with an answer.

use super::rows;
use crate::app::{TestApp, ask, check, check_error, get, post};

/// rest.md 6: paths and a star are keys of groups; filters come first.
#[tokio::test]
async fn what_stands_beside_an_aggregate_groups() {
    let apps = TestApp::each_speaking(|limits| limits.aggregates = true).await;
    rows(
        &apps,
        &[
            (
                "makers?select=*,count()&order=id",
                r#"[{"id":1,"name":"Oak","count":1},{"id":2,"name":"Pine","count":1}]"#,
            ),
            (
                "toys?select=info-%3Ea-%3E%3Ec,count()&order=info-%3Ea-%3E%3Ec",
                r#"[{"c":"é","count":1},{"c":null,"count":2}]"#,
            ),
            ("toys?select=n:count()&price=gt.1", r#"[{"n":2}]"#),
            ("toys?select=pieces.sum(),n:pieces.count(),count()&id=eq.2", r#"[{"sum":null,"n":0,"count":1}]"#),
        ],
    )
    .await;
}

/// rest.md 7.9: order, duplicates and null in lists; spreads in spreads; through a junction.
#[tokio::test]
async fn spreads_combine() {
    let apps = TestApp::each().await;
    check(&apps, post("toys", r#"[{"name":"train","maker_id":1},{"name":"ark","maker_id":1}]"#), 201, "").await;
    rows(
        &apps,
        &[
            (
                "makers?select=id,...toys(name,pieces)&toys.order=name,id&id=eq.1",
                r#"[{"id":1,"name":["ark","train","train"],"pieces":[null,9007199254740993,null]}]"#,
            ),
            (
                "makers?select=id,...toys(name)&toys.order=id.desc&toys.limit=2&id=eq.1",
                r#"[{"id":1,"name":["ark","train"]}]"#,
            ),
            (
                "parts?select=number,...toys(toy:name,...makers(maker:name))&order=number",
                r#"[{"number":1,"toy":"train","maker":"Oak"},{"number":2,"toy":"train","maker":"Oak"}]"#,
            ),
        ],
    )
    .await;
}

/// rest.md 9: header and query meet; `limit=0`; what is no page.
#[tokio::test]
async fn pages_are_cut_out() {
    for app in TestApp::each().await {
        for (url, range, status, content_range, count) in [
            ("toys?limit=2", "1-", 200, "1-1/*", 1),
            ("toys?offset=1", "0-1", 200, "1-1/*", 1),
            ("toys?limit=1&offset=1", "0-9", 200, "1-1/*", 1),
            ("toys", "0-0", 200, "0-0/*", 1),
            ("toys", "5-9", 200, "*/*", 0),
            ("toys?limit=0", "", 200, "*/*", 0),
            ("toys?offset=9", "", 200, "*/*", 0),
            ("toys", "items=0-1", 200, "0-2/*", 3),
        ] {
            let asked = get(url);
            let asked =
                if range.is_empty() { asked } else { asked.header("range-unit", "items").header("range", range) };
            let reply = app.send(asked).await;
            let found: Vec<serde_json::Value> = serde_json::from_str(&reply.body).unwrap();
            let given = (reply.status, reply.header("content-range"), found.len());
            assert_eq!(given, (status, content_range, count), "{url} {range}");
        }
        // The header counts on GET alone.
        let head = app.send(ask("HEAD", "toys").header("range", "1-1")).await;
        assert_eq!(head.header("content-range"), "0-2/*");
        for (asked, details) in [
            (get("toys?limit=-1"), "Limit should be greater than or equal to zero."),
            (
                get("toys").header("range", "2-1"),
                "The lower boundary must be lower than or equal to the upper boundary in the Range header.",
            ),
            (get("toys?offset=4").prefer("count=exact"), "An offset of 4 was requested, but there are only 3 rows."),
        ] {
            let reply = app.send(asked).await;
            assert_eq!((reply.status, reply.code().as_str()), (416, "PGRST103"));
            assert_eq!(super::member(&reply, "details"), details);
        }
    }
}

/// rest.md 9, by `db-max-rows`: the cap holds for the top and for every embed, not for writes.
#[tokio::test]
async fn the_most_rows_hold_on_every_level() {
    let apps = TestApp::each_speaking(|limits| limits.page_rows_max = 1).await;
    rows(
        &apps,
        &[
            ("toys?select=id", r#"[{"id":1}]"#),
            ("toys?select=id&limit=3", r#"[{"id":1}]"#),
            ("toys?select=id,parts(number)&parts.order=number", r#"[{"id":1,"parts":[{"number":1}]}]"#),
            ("toys?select=id,parts(number)&parts.order=number&parts.limit=2", r#"[{"id":1,"parts":[{"number":1}]}]"#),
        ],
    )
    .await;
    for app in &apps {
        let reply = app.send(get("toys").prefer("count=exact")).await;
        assert_eq!((reply.status, reply.header("content-range")), (206, "0-0/3"));
    }
    let change = ask("PATCH", "toys?id=gt.0&select=id").body(r#"{"sold":true}"#).prefer("return=representation");
    check(&apps, change, 200, r#"[{"id":1},{"id":2},{"id":3}]"#).await;
}

/// rest.md 12: types by their weight, the first that can be made; none is JSON.
#[tokio::test]
async fn the_heaviest_type_that_can_be_made() {
    let json = "application/json; charset=utf-8";
    for app in TestApp::each().await {
        assert_eq!(app.send(get("makers?id=eq.1")).await.header("content-type"), json);
        for (accept, told) in [
            ("text/csv, application/json", "text/csv; charset=utf-8"),
            ("text/csv;q=0.5, application/json", json),
            ("image/png, */*;q=0.1", json),
            ("application/json;q=0.1, text/csv;q=0.2", "text/csv; charset=utf-8"),
            ("APPLICATION/JSON", json),
        ] {
            let reply = app.send(get("makers?id=eq.1").header("accept", accept)).await;
            assert_eq!((reply.status, reply.header("content-type")), (200, told), "{accept}");
        }
        let reply = app.send(get("makers").header("accept", "image/png, text/plain")).await;
        assert_eq!((reply.status, reply.code().as_str()), (406, "PGRST107"));
        let message = "None of these media types are available: image/png, text/plain";
        assert_eq!(super::member(&reply, "message"), message);
        let write = app.send(post("makers", r#"{"id":9,"name":"x"}"#)).await;
        assert_eq!((write.status, write.header("content-type")), (201, ""));
    }
}

/// rest.md 17: the place of a read in one form, whatever the order of its parameters; what an answer depends on.
#[tokio::test]
async fn a_read_has_one_place() {
    for app in TestApp::each().await {
        for (url, place) in [
            ("makers", "/makers"),
            ("makers?select=id&id=eq.1", "/makers?id=eq.1&select=id"),
            ("makers?id=eq.1&select=id", "/makers?id=eq.1&select=id"),
            ("makers?name=eq.a+b", "/makers?name=eq.a%20b"),
        ] {
            let reply = app.send(get(url)).await;
            assert_eq!((reply.status, reply.header("content-location")), (200, place), "{url}");
            assert_eq!(reply.header("vary"), "Accept, Prefer, Range");
        }
        for (url, allow) in [("makers", "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE"), ("", "OPTIONS,GET,HEAD")] {
            let reply = app.send(ask("OPTIONS", url)).await;
            assert_eq!((reply.status, reply.body.as_str(), reply.header("allow")), (200, "", allow));
        }
    }
    let apps = TestApp::each().await;
    check_error(&apps, ask("OPTIONS", "nothing"), 404, "PGRST205").await;
}
