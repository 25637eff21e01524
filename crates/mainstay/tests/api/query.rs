//! Queries in bodies: the method `QUERY`, and `POST …/query`.

use crate::app::{Ask, TestApp, ask, check, check_error, get, post};

const FORM: &str = "application/x-www-form-urlencoded";

fn both(table: &str, url: &str, body: &str) -> [Ask; 2] {
    [ask("QUERY", &format!("{table}{url}")), ask("POST", &format!("{table}/query{url}"))]
        .map(|ask| ask.header("content-type", FORM).body(body.to_owned()))
}

#[tokio::test]
async fn a_query_in_the_body_is_that_of_a_url() {
    let apps = TestApp::each().await;
    for ask in both("toys", "?order=id.desc", "select=id,name&id=in.(1,%203)\n") {
        check(&apps, ask, 200, r#"[{"id":3,"name":"top"},{"id":1,"name":"train"}]"#).await;
    }
    for ask in both("toys", "?select=id", "") {
        check(&apps, ask, 200, r#"[{"id":1},{"id":2},{"id":3}]"#).await;
    }
    for ask in both("toys", "", "select=id&limit=1") {
        check(&apps, ask.clone().header("accept", "text/csv"), 200, "id\n1").await;
    }
    for ask in both("toys", "", "select=id") {
        check(&apps, ask.header("range", "1-1"), 200, r#"[{"id":2}]"#).await;
    }
}

#[tokio::test]
async fn its_answer_has_the_headers_of_a_get() {
    for app in TestApp::each().await {
        let plain = app.send(get("toys?id=lt.3&select=id").prefer("count=exact")).await;
        for ask in both("toys", "?id=lt.3", "select=id") {
            let reply = app.send(ask.prefer("count=exact").header("accept-profile", "public")).await;
            for name in ["content-range", "content-location", "content-type", "preference-applied", "vary"] {
                assert_eq!(reply.header(name), plain.header(name), "{name}");
            }
            assert_eq!(reply.header("content-profile"), "public");
            assert_eq!(reply.body, plain.body);
        }
    }
}

#[tokio::test]
async fn options_tell_that_it_is_taken() {
    let app = &TestApp::each().await[0];
    for (url, allow) in [("toys", "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE"), ("toys/query", "OPTIONS,POST")] {
        let reply = app.send(ask("OPTIONS", url)).await;
        assert_eq!((reply.status, reply.header("accept-query"), reply.header("allow")), (200, FORM, allow));
    }
    check_error(&TestApp::each().await, ask("OPTIONS", "nothing/query"), 404, "PGRST205").await;
}

#[tokio::test]
async fn it_may_be_longer_than_a_url_and_then_has_no_place() {
    let ids: Vec<String> = (1..=5000).map(|id| id.to_string()).collect();
    for app in TestApp::each().await {
        for ask in both("toys", "", &format!("select=id&id=in.({})", ids.join(","))) {
            let reply = app.send(ask).await;
            assert_eq!((reply.status, reply.body.as_str()), (200, r#"[{"id":1},{"id":2},{"id":3}]"#));
            assert_eq!(reply.header("content-location"), "");
        }
    }
}

#[tokio::test]
async fn it_changes_nothing_and_is_refused_like_a_get() {
    let apps = TestApp::each().await;
    for (body, status, code) in [("select=nope", 400, "42703"), ("select=", 200, ""), ("id=nope.1", 400, "PGRST100")] {
        for ask in both("toys", "", body) {
            check_error(&apps, ask, status, code).await;
        }
    }
    for content_type in ["application/json", "text/plain", "text/csv"] {
        for method in [ask("QUERY", "toys"), post("toys/query", "")] {
            check_error(&apps, method.header("content-type", content_type).body("{}"), 400, "PGRST102").await;
        }
    }
    for ask in [both("toys", "", "\u{e9}").map(|ask| ask.body(vec![0xff])), both("letters", "", "").map(Ask::anon)] {
        for ask in ask {
            for app in &apps {
                assert!((400..=401).contains(&app.send(ask.clone()).await.status));
            }
        }
    }
    check_error(&apps, both("letters", "", "")[0].clone().anon(), 401, "42501").await;
    check_error(&apps, ask("DELETE", "toys/query?id=eq.1"), 405, "PGRST117").await;
    check_error(&apps, ask("QUERY", "toys/query"), 405, "PGRST117").await;
    check(&apps, get("toys?select=id"), 200, r#"[{"id":1},{"id":2},{"id":3}]"#).await;
}
