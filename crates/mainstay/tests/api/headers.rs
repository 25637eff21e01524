//! Headers that go with every answer.

use mainstay_http::Cors;

use crate::app::{TestApp, ask, get, post};

#[tokio::test]
async fn every_answer_is_locked_down_and_named() {
    for app in TestApp::each().await {
        for request in [
            get("toys"),
            get("nothing"),
            get("toys").keyless(),
            get("/health/live"),
            get("/elsewhere"),
            ask("PUT", "toys"),
            ask("OPTIONS", "toys"),
        ] {
            let reply = app.send(request.clone()).await;
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
                ("referrer-policy", "no-referrer"),
                ("cache-control", "no-store"),
                ("server", "mainstay"),
            ] {
                assert_eq!(reply.header(name), value, "{}", request.name());
            }
            assert_eq!(reply.header("x-request-id").len(), 16);
        }
    }
}

/// rest.md 17: Content-Location and Vary; 14: the profile.
#[tokio::test]
async fn a_read_names_its_place_and_what_it_depends_on() {
    let app = &TestApp::each().await[0];
    let reply = app.send(get("toys?select=name&id=eq.1").header("accept-profile", "public")).await;
    assert_eq!(reply.header("content-location"), "/toys?id=eq.1&select=name");
    assert_eq!(reply.header("vary"), "Accept, Prefer, Range");
    assert_eq!(reply.header("content-profile"), "public");
    assert_eq!(reply.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(reply.header("content-length"), reply.body.len().to_string());
    assert_eq!(app.send(get("toys")).await.header("content-profile"), "");
}

/// rest.md 17: OPTIONS.
#[tokio::test]
async fn options_lists_what_can_be_done() {
    let app = &TestApp::each().await[0];
    let reply = app.send(ask("OPTIONS", "toys")).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, ""));
    assert_eq!(reply.header("allow"), "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE");
    assert_eq!(app.send(ask("OPTIONS", "nothing")).await.status, 404);
}

/// rest.md 10.
#[tokio::test]
async fn preferences_that_were_applied_are_told() {
    let app = &TestApp::each().await[0];
    let request = post("makers", "[]").prefer("count=exact, foo").prefer("return=minimal, handling=lenient");
    let reply = app.send(request).await;
    assert_eq!(reply.header("preference-applied"), "return=minimal, count=exact, handling=lenient");
    assert_eq!(app.send(get("toys")).await.header("preference-applied"), "");
    assert_eq!(app.send(get("nothing").prefer("count=exact")).await.header("preference-applied"), "");
}

fn preflight(origin: &str) -> crate::app::Ask {
    ask("OPTIONS", "toys")
        .keyless()
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "apikey,x-client-info")
}

/// rest.md 17: CORS for everybody.
#[tokio::test]
async fn pages_of_every_origin_may_call_without_credentials() {
    let app = &TestApp::each().await[0];
    let reply = app.send(preflight("https://shop.example")).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, ""));
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD, QUERY"),
        (
            "access-control-allow-headers",
            "Authorization, apikey, x-client-info, Accept, Accept-Language, Content-Language",
        ),
        ("access-control-max-age", "86400"),
        ("access-control-allow-credentials", ""),
    ] {
        assert_eq!(reply.header(name), value);
    }
    let reply = app.send(get("toys").header("origin", "https://shop.example")).await;
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert!(reply.header("access-control-expose-headers").contains("Content-Range"));
    let reply = app.send(get("nothing").header("origin", "https://shop.example")).await;
    assert_eq!(reply.header("access-control-allow-origin"), "*", "errors must be readable too");
}

/// rest.md 17: CORS for a list.
#[tokio::test]
async fn with_a_list_only_whole_origins_of_it_may_call() {
    let origins = ["https://shop.example".to_owned(), "null".to_owned()];
    let apps = TestApp::each_with(mainstay_http::RequestLimits::default(), Cors::from_list(&origins)).await;
    let app = &apps[0];
    let reply = app.send(preflight("https://shop.example")).await;
    assert_eq!(reply.header("access-control-allow-origin"), "https://shop.example");
    assert_eq!(reply.header("access-control-allow-credentials"), "true");
    for origin in [
        "https://shop.example.evil.example",
        "https://evil-shop.example",
        "http://shop.example",
        "https://shop.example:8443",
        "https://shop",
        "null",
        "*",
    ] {
        for request in [preflight(origin), get("toys").header("origin", origin)] {
            let reply = app.send(request).await;
            assert_eq!(reply.header("access-control-allow-origin"), "", "{origin}");
        }
    }
    let reply = app.send(get("toys")).await;
    assert!(reply.headers.get_all("vary").iter().any(|value| value == "Origin"));
}
