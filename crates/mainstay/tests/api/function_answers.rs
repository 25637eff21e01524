//! Functions: queries in bodies, pages of writes, zones. rest.md 9, 10, 13.

use crate::app::{Ask, ask, post};
use crate::functions::{app, call, check, check_error, rpc, same};

/// A call whose arguments and filters are too long for a URL: by the method QUERY, and by POST of a query.
#[tokio::test]
async fn calls_come_by_queries_in_bodies() {
    let app = app().await;
    let form = "application/x-www-form-urlencoded";
    let both = |function: &str, body: &str| {
        [ask("QUERY", &format!("rpc/{function}")), post(&format!("rpc/{function}/query"), "")]
            .map(|ask| ask.anon().header("content-type", form).body(body.to_owned()))
    };
    for ask in both("cheap", "most=5&select=name&name=eq.top") {
        check(&app, ask, 200, r#"[{"name":"top"}]"#).await;
    }
    for ask in both("add", "a=1&b=6") {
        check(&app, ask, 200, "7").await;
    }
    for ask in both("cheap", "select=id&limit=2") {
        let reply = app.send(ask.prefer("count=exact")).await;
        assert_eq!((reply.status, reply.header("content-range")), (206, "0-1/3"));
    }
    // It changes nothing, like a GET.
    for ask in both("rename", "id=2&name=x") {
        check_error(&app, ask, 405, "25006").await;
    }
    for ask in both("add", "{}") {
        check_error(&app, ask.header("content-type", "application/json"), 404, "PGRST202").await;
    }
    for (url, methods) in [("rpc/add/query", "OPTIONS,POST"), ("rpc/add", "OPTIONS,GET,HEAD,POST")] {
        let reply = app.send(ask("OPTIONS", url).anon()).await;
        assert_eq!((reply.status, reply.header("allow"), reply.header("accept-query")), (200, methods, form));
    }
    assert_eq!(app.send(ask("OPTIONS", "rpc/rename").anon()).await.header("accept-query"), "");
}

/// rest.md 9 and 13: the page of what a function that writes gives back.
#[tokio::test]
async fn results_of_writes_are_counted_and_paged() {
    let app = app().await;
    for (url, status, range) in
        [("reprice?select=id&limit=2&offset=1", 200, "1-2/*"), ("reprice?select=id&limit=1", 200, "0-0/*")]
    {
        let reply = app.send(call(url, "{}")).await;
        assert_eq!((reply.status, reply.header("content-range")), (status, range), "{url}");
    }
    for (url, status, range) in [
        ("reprice?select=id&limit=1&offset=1", 206, "1-1/3"),
        ("reprice?select=id", 200, "0-2/3"),
        // What was written stays written, so nothing is refused.
        ("reprice?select=id&offset=9", 206, "*/3"),
    ] {
        let reply = app.send(call(url, "{}").prefer("count=exact")).await;
        assert_eq!((reply.status, reply.header("content-range")), (status, range), "{url}");
    }
}

/// rest.md 10: `timezone` of what functions give: values, rows, lists of values.
#[tokio::test]
async fn results_are_shown_in_a_zone() {
    let app = app().await;
    let berlin = |ask: Ask| ask.prefer("timezone=Europe/Berlin");
    let reply = app.send(berlin(rpc("cheap?select=seen_at&id=eq.1"))).await;
    same(&reply, 200, r#"[{"seen_at":"2026-01-02T03:04:05.6+01:00"}]"#);
    assert_eq!(reply.header("preference-applied"), "timezone=Europe/Berlin");
    let reply = app.send(berlin(call("echo?select=t", r#"{"t":"2026-07-02T00:00:00Z"}"#))).await;
    same(&reply, 200, r#"{"t":"2026-07-02T02:00:00+02:00"}"#);
    let reply = app.send(berlin(call("seen", "{}"))).await;
    same(&reply, 200, r#"["2026-01-02T03:04:05.6+01:00",null]"#);
    check(&app, berlin(rpc("add?a=1")), 200, "11").await;
    let wrong = rpc("add?a=1").prefer("timezone=Jupiter/Red_Spot");
    check_error(&app, wrong, 400, "22023").await;
}

/// rest.md 2, 13: only PostgREST's words are reserved, so ours are arguments; `having` is of groups of the result.
#[tokio::test]
async fn our_own_words_name_parameters() {
    let app = app().await;
    check(&app, rpc("later?after=2020-01-01&distinct=true"), 200, r#""2020-01-01 1""#).await;
    check(&app, rpc("later?after=2020-01-01"), 200, r#""2020-01-01 0""#).await;
    check_error(&app, rpc("cheap?after="), 404, "PGRST202").await;
    for (having, rows) in [("(count.gt.1)", r#"[{"count":3}]"#), ("(count.gt.9)", "[]")] {
        check(&app, rpc(&format!("cheap?select=count&having={having}")), 200, rows).await;
    }
    check_error(&app, rpc("cheap?select=id&having=(count.gt.1)"), 400, "PGRST100").await;
    // rest.md 7.4: the warning stands here as well.
    let reply = app.send(rpc("cheap?select=id,m:makers(name)&makers.name=eq.Oak&id=eq.1")).await;
    assert_eq!((reply.status, reply.header("warning").starts_with("299 - \"'makers'")), (200, true), "{reply:?}");
}
