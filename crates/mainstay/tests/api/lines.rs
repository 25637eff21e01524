//! NDJSON: rest.md 11.1 and 12 in the form that is sent while it is read.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use mainstay_http::{Cors, RequestLimits, router};
use mainstay_store::Store;
use tower::ServiceExt;

use crate::app::{Ask, TestApp, check, check_error, get, post, schema};

fn lines(url: &str) -> Ask {
    get(url).header("accept", "application/x-ndjson")
}

#[tokio::test]
async fn rows_are_lines_in_the_order_of_the_request() {
    let apps = TestApp::each().await;
    let body =
        "{\"id\":1,\"name\":\"Oak\",\"toys\":[{\"id\":1}]}\n{\"id\":2,\"name\":\"Pine\",\"toys\":[{\"id\":2}]}\n";
    check(&apps, lines("makers?select=id,name,toys(id)"), 200, body).await;
    check(&apps, lines("makers?id=eq.9"), 200, "").await;
    check(&apps, lines("toys?select=id,info&limit=1&order=id.desc&info=is.null"), 200, "{\"id\":2,\"info\":null}\n")
        .await;
    let stripped = get("toys?select=id,info&id=eq.2").header("accept", "application/jsonl;nulls=stripped");
    check(&apps, stripped, 200, "{\"id\":2}\n").await;
    check_error(&apps, lines("nothing"), 404, "PGRST205").await;
    check_error(&apps, lines("toys?nothing=eq.1"), 400, "42703").await;
}

#[tokio::test]
async fn few_rows_have_every_header_of_a_page() {
    for app in TestApp::each().await {
        let reply = app.send(lines("toys?select=id&limit=2").prefer("count=exact")).await;
        assert_eq!((reply.status, reply.body.as_str()), (206, "{\"id\":1}\n{\"id\":2}\n"));
        assert_eq!(reply.header("content-type"), "application/x-ndjson; charset=utf-8");
        assert_eq!(reply.header("content-range"), "0-1/3");
        assert_eq!(reply.header("content-length"), "18");
        let reply = app.send(get("toys?select=id").header("accept", "application/jsonl")).await;
        assert_eq!(reply.header("content-type"), "application/jsonl; charset=utf-8");
    }
}

#[tokio::test]
async fn lines_are_taken_as_a_body() {
    let apps = TestApp::each().await;
    let send = |body: &'static str| post("makers?select=id", body).header("content-type", "application/x-ndjson");
    let body = "{\"id\":7,\"name\":\"Elm\"}\r\n\n{\"id\":8,\"name\":\"Ash\"}";
    check(&apps, send(body).prefer("return=representation"), 201, r#"[{"id":7},{"id":8}]"#).await;
    for (body, code) in [
        ("{\"id\":17,\"name\":\"a\"}\n{\"id\":18}", "PGRST102"),
        ("{\"id\":17,\"name\":\"a\"}\n[1]", "PGRST102"),
        ("{\"id\":17,\"name\":\"a\"}\n{", "PGRST102"),
        ("{\"id\":17,\"name\":\"a\"} {\"id\":18,\"name\":\"b\"}", "PGRST102"),
        ("{\"id\":17,\"id\":18}", "PGRST102"),
        ("{\"id\":17,\"nothing\":18}", "PGRST204"),
        ("{\"id\":\"x\",\"name\":\"b\"}", "22P02"),
    ] {
        check_error(&apps, send(body), 400, code).await;
    }
    check(&apps, get("makers?select=id&id=gt.10"), 200, "[]").await;
}

/// An app over SQLite with many rows, and few octets that are kept before they are sent.
async fn many(rows: usize) -> TestApp {
    let limits = RequestLimits { response_bytes_max: 1000, ..RequestLimits::default() };
    let mut apps = TestApp::each_with(limits, Cors::Any).await;
    let app = apps.remove(1);
    for start in (100..100 + rows).step_by(5000) {
        let rows: Vec<_> = (start..start + 5000).map(|id| format!(r#"{{"id":{id},"name":"{id}"}}"#)).collect();
        assert_eq!(app.send(post("makers", format!("[{}]", rows.join(",")))).await.status, 201);
    }
    app
}

#[tokio::test]
async fn more_rows_than_a_page_come_while_they_are_read() {
    let app = many(20_000).await;
    let reply = app.send(lines("makers?select=id")).await;
    assert_eq!(reply.status, 200);
    // Nobody knows how many they are when the head is sent.
    for (name, value) in
        [("content-type", "application/x-ndjson; charset=utf-8"), ("content-range", ""), ("content-length", "")]
    {
        assert_eq!(reply.header(name), value);
    }
    let ids: Vec<u64> = reply
        .body
        .lines()
        .map(|line| line.trim_start_matches("{\"id\":").trim_end_matches('}').parse().unwrap())
        .collect();
    assert_eq!(ids.len(), 20_002);
    assert!(ids.is_sorted());
    let reply = app.send(lines("makers?select=id&limit=3000&order=id.desc")).await;
    assert_eq!(reply.body.lines().count(), 3000, "a limit that was asked for holds");
}

/// rest.md 9 and 10: a count comes before the rows, so the head of an answer that is sent meanwhile can tell it.
#[tokio::test]
async fn rows_that_are_sent_while_they_are_read_are_counted_before() {
    let app = many(20_000).await;
    for (url, count, status, range) in [
        ("makers?select=id", "exact", 200, "0-20001/20002"),
        ("makers?select=id&limit=3000", "exact", 206, "0-2999/20002"),
        ("makers?select=id&offset=17000&limit=9000", "estimated", 206, "17000-20001/20002"),
        ("makers?select=id&id=gt.5000", "planned", 200, "0-15098/15099"),
    ] {
        let reply = app.send(lines(url).prefer(&format!("count={count}"))).await;
        assert_eq!((reply.status, reply.header("content-range")), (status, range), "{url}");
        assert_eq!(reply.header("preference-applied"), format!("count={count}"));
        assert_eq!(reply.header("content-length"), "", "{url} is sent while it is read");
        let (page, _) = range.split_once('/').unwrap();
        let (first, last) = page.split_once('-').unwrap();
        let rows = last.parse::<usize>().unwrap() - first.parse::<usize>().unwrap() + 1;
        assert_eq!(reply.body.lines().count(), rows, "{url}");
    }
    let reply = app.send(lines("makers?offset=20003").prefer("count=exact")).await;
    assert_eq!((reply.status, reply.code().as_str()), (416, "PGRST103"));
}

#[tokio::test]
async fn an_error_before_the_first_chunk_is_an_error_and_one_after_it_cuts_the_answer() {
    let app = many(20_000).await;
    assert_eq!(app.send(post("makers", r#"{"id":900000,"name":"no number"}"#)).await.status, 201);
    let early = app.send(lines("makers?select=n:name::int&order=id.desc")).await;
    assert_eq!((early.status, early.code().as_str()), (400, "22P02"));
    let late = lines("makers?select=n:name::int&id=gt.99").request();
    let mut response = router(app.app()).oneshot(late).await.unwrap();
    assert_eq!(response.status(), 200);
    let (mut octets, mut outcome) = (0, Ok(()));
    while let Some(frame) = response.body_mut().frame().await {
        match frame {
            Ok(frame) => octets += frame.into_data().unwrap().len(),
            Err(error) => outcome = Err(error),
        }
    }
    assert!(octets > 1000);
    assert!(outcome.is_err(), "an answer without its end must not look whole");
}

#[tokio::test]
async fn a_client_that_goes_away_gives_its_thread_back() {
    let app = many(20_000).await;
    for _ in 0..20 {
        let mut response = router(app.app()).oneshot(lines("makers").request()).await.unwrap();
        response.body_mut().frame().await.unwrap().unwrap();
    }
    let reply = tokio::time::timeout(Duration::from_secs(5), app.send(lines("makers?select=id&limit=2000"))).await;
    assert_eq!(reply.unwrap().body.lines().count(), 2000);
}

#[tokio::test]
async fn clients_that_take_nothing_hold_up_neither_pages_nor_writes() {
    let app = many(30_000).await;
    let mut held = Vec::new();
    for number in 0..6 {
        let after = if number % 2 == 0 { "" } else { "&after=&limit=30000" };
        let request = lines(&format!("makers?select=id,name{after}")).request();
        let response = tokio::spawn(router(app.app()).oneshot(request));
        held.push(response);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    for id in 1..=20 {
        let page = tokio::time::timeout(Duration::from_secs(5), app.send(get("makers?id=eq.1&select=id"))).await;
        assert_eq!(page.unwrap().body, r#"[{"id":1}]"#);
        let write = post("makers", format!(r#"{{"id":{},"name":"late {id}"}}"#, 900_000 + id));
        let write = tokio::time::timeout(Duration::from_secs(5), app.send(write)).await;
        assert_eq!(write.unwrap().status, 201);
    }
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_given_up() {
    let limits =
        RequestLimits { response_bytes_max: 1000, write_time: Duration::from_millis(100), ..RequestLimits::default() };
    let filled = many(30_000).await;
    let store: Arc<dyn Store> = filled.store.clone();
    let app = TestApp::over(schema(), store, limits, Cors::Any);
    let request = lines("makers?select=id,name").request();
    let mut response = router(app.app()).oneshot(request).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut outcome = Ok(());
    while let Some(frame) = response.body_mut().frame().await {
        outcome = outcome.and(frame.map(drop));
    }
    assert!(outcome.is_err(), "an answer that was given up must not look whole");
}
