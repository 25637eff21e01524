//! Input that means harm. It is refused, and the next request is answered.

use crate::app::{Ask, TestApp, ask, check, check_error, get, post, small_limits};

#[tokio::test]
async fn bodies_that_mean_harm_are_refused() {
    let apps = TestApp::each().await;
    let deep = |depth: usize| format!(r#"{{"name":"a","info":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    for (body, code) in [
        (b"{\"name\":\"\xff\"}".to_vec(), "PGRST102"),
        (br#"{"name":"a\u0000b"}"#.to_vec(), "22021"),
        (br#"{"name":"\ud800"}"#.to_vec(), "22P02"),
        (br#"{"name":"a","name":"b"}"#.to_vec(), "PGRST102"),
        (br#"{"name":"a","n\u0061me":"b"}"#.to_vec(), "PGRST102"),
        (br#"{"name":"a","info":{"x":1,"x":2}}"#.to_vec(), "22P02"),
        (br#"{"name":"a","pieces":1e400}"#.to_vec(), "22P02"),
        (br#"{"name":"a","pieces":9223372036854775808}"#.to_vec(), "22003"),
        (br#"{"name":"a","weight":NaN}"#.to_vec(), "PGRST102"),
        (br#"{"name":"a","pieces":{"$gt":0}}"#.to_vec(), "22P02"),
        (br#"{"name":"a","maker_id":[1]}"#.to_vec(), "22P02"),
        (format!(r#"{{"name":"a","pieces":{}}}"#, "9".repeat(5000)).into_bytes(), "22003"),
        (deep(66).into_bytes(), "22P02"),
        (deep(200_000).into_bytes(), "22P02"),
        (format!("{}{}", "[".repeat(200_000), "]".repeat(200_000)).into_bytes(), "PGRST102"),
    ] {
        let name = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        for app in &apps {
            let reply = app.send(post("toys", body.clone())).await;
            assert_eq!((reply.status, reply.code().as_str()), (400, code), "{name}: {}", reply.body);
        }
    }
    check(&apps, get("toys?select=id&id=gt.3"), 200, "[]").await;
}

#[tokio::test]
async fn queries_that_mean_harm_are_refused() {
    let apps = TestApp::each().await;
    let nested = |depth: usize| format!("toys?and=({}id.eq.1{})", "or(".repeat(depth), ")".repeat(depth));
    let embeds = |depth: usize| {
        let down: String = (0..depth).map(|level| if level % 2 == 0 { "toys(" } else { "makers(" }).collect();
        format!("makers?select={down}id{}", ")".repeat(depth))
    };
    let filters = |count: usize| format!("toys?{}", vec!["id=eq.1"; count].join("&"));
    for (url, status, code) in [
        ("toys?name=eq.%00".to_owned(), 400, "PGRST100"),
        ("toys?id=eq.1'%20or%20'1'='1".to_owned(), 400, "22P02"),
        ("toys?select=id;drop%20table%20toys".to_owned(), 400, "PGRST100"),
        ("toys?%27=eq.1".to_owned(), 400, "PGRST100"),
        ("toys?\"na\\\"me\"=eq.1".replace('\\', "%5C").replace('"', "%22"), 400, "42703"),
        ("toys%00".to_owned(), 404, "PGRST205"),
        ("%ff".to_owned(), 404, "PGRST125"),
        ("toys%22;--".to_owned(), 404, "PGRST205"),
        (nested(17), 400, "MS400"),
        (embeds(9), 400, "MS400"),
        (filters(101), 400, "MS400"),
        (format!("toys?name=like.{}", "*a".repeat(600)), 400, "MS400"),
    ] {
        check_error(&apps, get(&url), status, code).await;
    }
    check(&apps, get("toys?select=id&name=eq.'%20or%201=1--"), 200, "[]").await;
    check(&apps, get("toys?select=id&name=like.%25%27"), 200, "[]").await;
    check(&apps, get(&filters(100)).prefer("count=exact").header("range", "0-0"), 200, crate::reads::TRAIN).await;
}

#[tokio::test]
async fn every_limit_refuses_by_its_name() {
    let apps = TestApp::each_with(small_limits(), mainstay_http::Cors::Any).await;
    let many = (0..9).fold(get("toys"), |ask, n| ask.header(&format!("x-{n}"), "v"));
    let big = |bytes: usize| post("makers", format!(r#"{{"id":3,"name":"{}"}}"#, "x".repeat(bytes)));
    let cases: [(Ask, u16, &str); 6] = [
        (get(&format!("toys?name=eq.{}", "x".repeat(300))), 414, "limits.url_bytes_max is 300;"),
        (many, 431, "limits.headers_max is 8;"),
        (get("toys").header("x-long", "v".repeat(600)), 431, "limits.head_bytes_max is 600;"),
        (big(1000), 413, "limits.body_bytes_max is 1000;"),
        (big(3).header("content-length", "1001"), 413, "limits.body_bytes_max is 1000;"),
        (
            get("toys?select=a:name,b:name,c:name,d:name,e:name,f:name,g:name,h:name,*"),
            400,
            "limits.response_bytes_max is 500;",
        ),
    ];
    for (ask, status, message) in cases {
        for app in &apps {
            let reply = app.send(ask.clone()).await;
            assert_eq!(reply.status, status, "{}: {}", ask.name(), reply.body);
            assert!(reply.body.contains(message), "{} lacks {message}", reply.body);
        }
    }
    let limit = apps[1].send(get(&format!("toys?id=in.({})", "1,".repeat(50)))).await;
    assert_eq!(limit.status, 400, "an empty element is no number");
}

#[tokio::test]
async fn ambiguous_framing_is_refused() {
    let apps = TestApp::each().await;
    let both = post("makers", "{}").header("content-length", "2").header("transfer-encoding", "chunked");
    check_error(&apps, both, 400, "MS401").await;
    check_error(&apps, get("toys").header("host", "other"), 400, "MS401").await;
}

#[tokio::test]
async fn headers_that_rewrite_requests_are_not_heard() {
    let apps = TestApp::each().await;
    let request = ask("GET", "toys?select=id&id=eq.1")
        .header("x-http-method-override", "DELETE")
        .header("x-original-url", "/rest/v1/makers")
        .header("x-rewrite-url", "/rest/v1/makers");
    check(&apps, request, 200, r#"[{"id":1}]"#).await;
}

#[tokio::test]
async fn errors_show_no_sql_and_no_paths() {
    for app in TestApp::each().await {
        for request in [
            get("toys?id=eq.x"),
            get("nothing"),
            post("makers", r#"{"id":1,"name":"x"}"#),
            post("toys", r#"{"name":"x","maker_id":99}"#),
        ] {
            let body = app.send(request).await.body;
            for word in ["SELECT", "INSERT", "sqlite", "main.db", "/tmp", "src/", "ms_secret"] {
                assert!(!body.contains(word), "{body} has {word}");
            }
        }
    }
}
