//! Who may do what: every route for every kind of caller.

use mainstay_http::ROUTES;

use crate::app::{Ask, PUBLISHABLE, SECRET, TestApp, ask, check_error, get, token};

/// Expected statuses for: no key, a wrong key, anon, authenticated, service.
type Row = (&'static str, &'static str, &'static str, [u16; 5]);

/// Every route with every method that it answers. `toys` may be read and inserted by everybody, `parts` changed as
/// well, `letters` inserted but not read.
const MATRIX: &[Row] = &[
    ("/rest/v1/", "GET", "", [401, 401, 200, 200, 200]),
    ("/rest/v1/", "HEAD", "", [401, 401, 200, 200, 200]),
    ("/rest/v1/", "OPTIONS", "", [401, 401, 200, 200, 200]),
    ("/rest/v1/", "POST", "{}", [401, 401, 405, 405, 405]),
    ("/admin/v1/slow", "GET", "", [401, 401, 401, 403, 404]),
    ("/admin/v1/slow", "HEAD", "", [401, 401, 401, 403, 404]),
    ("/admin/v1/slow", "OPTIONS", "", [401, 401, 401, 403, 200]),
    ("/admin/v1/slow", "POST", "{}", [401, 401, 401, 403, 405]),
    ("/admin/v1/nothing", "GET", "", [401, 401, 404, 404, 404]),
    ("/_/api", "GET", "", [401, 401, 401, 403, 200]),
    ("/_/api", "HEAD", "", [401, 401, 401, 403, 200]),
    ("/_/api", "POST", "", [401, 401, 401, 403, 405]),
    ("/_/api/page.js", "GET", "", [401, 401, 401, 403, 200]),
    ("/_/api/page.js", "HEAD", "", [401, 401, 401, 403, 200]),
    ("/_/api/openapi.json", "GET", "", [401, 401, 401, 403, 200]),
    ("/_/api/settings.json", "GET", "", [401, 401, 401, 403, 200]),
    ("/_/api/nothing", "GET", "", [401, 401, 401, 403, 404]),
    ("/rest/v1/toys", "GET", "", [401, 401, 200, 200, 200]),
    ("/rest/v1/toys", "HEAD", "", [401, 401, 200, 200, 200]),
    ("/rest/v1/toys", "OPTIONS", "", [401, 401, 200, 200, 200]),
    ("/rest/v1/toys", "POST", r#"{"name":"x"}"#, [401, 401, 201, 201, 201]),
    ("/rest/v1/toys?name=eq.x", "PATCH", r#"{"name":"y"}"#, [401, 401, 401, 403, 204]),
    ("/rest/v1/toys?name=eq.y", "DELETE", "", [401, 401, 401, 403, 204]),
    ("/rest/v1/toys", "QUERY", "id=eq.1", [401, 401, 200, 200, 200]),
    ("/rest/v1/toys/query", "POST", "id=eq.1", [401, 401, 200, 200, 200]),
    ("/rest/v1/toys/query", "OPTIONS", "", [401, 401, 200, 200, 200]),
    ("/rest/v1/letters", "QUERY", "", [401, 401, 401, 403, 200]),
    ("/rest/v1/letters/query", "POST", "", [401, 401, 401, 403, 200]),
    ("/rest/v1/nothing/query", "POST", "", [401, 401, 404, 404, 404]),
    ("/rest/v1/toys/query", "GET", "", [401, 401, 405, 405, 405]),
    ("/rest/v1/toys?id=eq.1", "PUT", "{}", [401, 401, 400, 400, 400]),
    ("/rest/v1/parts?number=eq.7", "PATCH", r#"{"label":"y"}"#, [401, 401, 204, 204, 204]),
    ("/rest/v1/parts?number=eq.7", "DELETE", "", [401, 401, 204, 204, 204]),
    ("/rest/v1/letters", "GET", "", [401, 401, 401, 403, 200]),
    ("/rest/v1/letters", "HEAD", "", [401, 401, 401, 403, 200]),
    ("/rest/v1/letters", "POST", "{}", [401, 401, 201, 201, 201]),
    ("/rest/v1/letters?from_id=eq.1", "DELETE", "", [401, 401, 401, 403, 204]),
    ("/rest/v1/_mainstay_imports", "GET", "", [401, 401, 404, 404, 404]),
    ("/rest/v1/_mainstay_imports", "OPTIONS", "", [401, 401, 404, 404, 404]),
    ("/rest/v1/batch", "POST", r#"{"steps":[{"method":"GET","path":"/toys"}]}"#, [401, 401, 200, 200, 200]),
    ("/rest/v1/batch", "POST", r#"{"steps":[{"method":"GET","path":"/letters"}]}"#, [401, 401, 401, 403, 200]),
    ("/rest/v1/batch", "OPTIONS", "", [401, 401, 200, 200, 200]),
    ("/rest/v1/nothing", "GET", "", [401, 401, 404, 404, 404]),
    ("/rest/v1/toys/1", "GET", "", [401, 401, 404, 404, 404]),
    ("/rest/v1/rpc/f", "GET", "", [401, 401, 404, 404, 404]),
    ("/rest/v1/rpc/f", "HEAD", "", [401, 401, 404, 404, 404]),
    ("/rest/v1/rpc/f", "POST", "{}", [401, 401, 404, 404, 404]),
    ("/rest/v1/rpc/f", "OPTIONS", "", [401, 401, 404, 404, 404]),
    ("/rest/v1/rpc/f", "QUERY", "", [401, 401, 404, 404, 404]),
    ("/rest/v1/rpc/f/query", "POST", "", [401, 401, 404, 404, 404]),
    ("/rest/v1/rpc/f/query", "OPTIONS", "", [401, 401, 404, 404, 404]),
    ("/rest/v1/rpc/f/query", "GET", "", [401, 401, 405, 405, 405]),
    ("/rest/v1/nothing/query", "OPTIONS", "", [401, 401, 404, 404, 404]),
    ("/health/live", "GET", "", [200, 200, 200, 200, 200]),
    ("/health/live", "HEAD", "", [200, 200, 200, 200, 200]),
    ("/health/ready", "GET", "", [200, 200, 200, 200, 200]),
    ("/health/ready", "HEAD", "", [200, 200, 200, 200, 200]),
    ("/health/live", "POST", "", [405, 405, 405, 405, 405]),
    ("/", "GET", "", [401, 401, 404, 404, 404]),
    ("/.env", "GET", "", [401, 401, 404, 404, 404]),
];

#[tokio::test]
async fn every_route_asks_every_caller_for_a_key_and_the_rules() {
    for app in TestApp::each().await {
        let user = format!("Bearer {}", token(r#"{"role":"authenticated","sub":"u"}"#));
        for (url, method, body, expected) in MATRIX {
            let base = ask(method, url).body(*body);
            let callers: [Ask; 5] = [
                base.clone().keyless(),
                base.clone().keyless().header("apikey", "ms_secret_wrong_and_long_enough"),
                base.clone().anon(),
                base.clone().anon().header("authorization", &user),
                base.clone(),
            ];
            let mut found = [0; 5];
            for (caller, status) in callers.into_iter().zip(&mut found) {
                *status = app.send(caller).await.status;
            }
            assert_eq!(found, *expected, "{method} {url} on {}", app.store.name());
        }
    }
}

#[test]
fn every_route_is_in_the_matrix() {
    for (pattern, methods) in ROUTES {
        let start = pattern.split('{').next().unwrap();
        for method in *methods {
            let end = pattern.split('}').nth(1).unwrap_or_default();
            let is_there = MATRIX.iter().any(|(url, m, ..)| {
                let path = url.split('?').next().unwrap();
                let below = path.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
                m == method && below.is_some_and(|rest| rest.is_empty() != pattern.contains('{') && !rest.contains('/'))
            });
            assert!(is_there, "{method} {pattern} is not in the matrix");
        }
    }
}

#[tokio::test]
async fn filters_orders_embeds_and_counts_need_the_right_to_read() {
    let apps = TestApp::each().await;
    for url in [
        "letters?select=to_id",
        "letters?order=to_id",
        "letters?to_id=eq.1",
        "makers?select=name,letters!letters_to_id_fkey(to_id)",
        "makers?select=name,letters!letters_to_id_fkey!inner()",
        "makers?select=name,letters!letters_to_id_fkey()&letters=is.null",
    ] {
        check_error(&apps, get(url).anon(), 401, "42501").await;
    }
    let insert = ask("POST", "letters").body("{}").anon().prefer("return=representation");
    check_error(&apps, insert, 401, "42501").await;
    let merge = ask("POST", "letters").body("{}").anon().prefer("resolution=ignore-duplicates");
    check_error(&apps, merge, 401, "42501").await;
}

#[tokio::test]
async fn messages_tell_nothing_of_a_closed_table() {
    let apps = TestApp::each().await;
    for url in [
        "letters?nope=eq.1",
        "letters?to_id=eq.x",
        "letters?select=to_idd",
        "makers?select=letters!letters_to_id_fkey(nope)",
    ] {
        for app in &apps {
            let reply = app.send(get(url).anon()).await;
            assert_eq!(reply.code(), "42501", "{url}: {}", reply.body);
        }
    }
    for app in &apps {
        let hint = app.send(get("letter").anon()).await.body;
        assert!(!hint.contains("letters"), "{hint}");
        let hint = app.send(get("toy").anon()).await.body;
        assert!(hint.contains("toys"), "{hint}");
    }
}

/// rest.md 15.
#[tokio::test]
async fn tokens_give_their_role_and_bad_ones_say_why() {
    let apps = TestApp::each().await;
    let with = |bearer: &str| get("letters").anon().header("authorization", format!("Bearer {bearer}"));
    crate::app::check(&apps, with(&token(r#"{"role":"service_role"}"#)), 200, "[]").await;
    crate::app::check(&apps, with(SECRET), 200, "[]").await;
    check_error(&apps, with(PUBLISHABLE), 401, "42501").await;
    check_error(&apps, with(&token(r#"{"role":"authenticated"}"#)), 403, "42501").await;
    check_error(&apps, with(&token(r#"{"role":"service_role","exp":1}"#)), 401, "PGRST303").await;
    check_error(&apps, with(&token(r#"{"role":"root"}"#)), 401, "22023").await;
    check_error(&apps, with("a.b.c"), 401, "PGRST301").await;
    check_error(&apps, with(""), 401, "PGRST301").await;

    let reply = apps[0].send(with(&token(r#"{"exp":1}"#))).await;
    let challenge = r#"Bearer error="invalid_token", error_description="JWT expired""#;
    assert_eq!(reply.header("www-authenticate"), challenge);
    let reply = apps[0].send(get("toys").keyless()).await;
    assert_eq!((reply.code().as_str(), reply.header("www-authenticate")), ("PGRST302", "Bearer"));
}

#[tokio::test]
async fn a_token_is_checked_against_the_clock_each_time_though_it_is_remembered() {
    let apps = TestApp::each().await;
    let bearer = format!("Bearer {}", token(r#"{"role":"service_role","exp":99999999999}"#));
    for _ in 0..3 {
        let ask = get("letters").keyless().header("authorization", &bearer);
        crate::app::check(&apps, ask, 200, "[]").await;
    }
}
