//! rest.md 10, 11.1, 12, 14, 16.1, 17, 18: headers and errors of every kind of answer.

use mainstay_http::{AnswerSettings, Cors, RequestLimits, Verbosity};

use super::member;
use crate::app::{Ask, TestApp, ask, check, check_error, get, post};
use crate::functions;

/// rest.md 17: OPTIONS of everything is empty, open to every page, and says what it depends on.
#[tokio::test]
async fn options_are_alike_everywhere() {
    let app = functions::app().await;
    for url in ["", "toys", "toys/query", "batch", "rpc/add", "rpc/add/query", "rpc/rename"] {
        let reply = app.send(ask("OPTIONS", url)).await;
        assert_eq!((reply.status, reply.body.as_str()), (200, ""), "{url}");
        for (name, value) in [
            ("access-control-allow-origin", "*"),
            ("content-length", "0"),
            ("vary", "Accept, Prefer, Range"),
            ("content-type", ""),
        ] {
            assert_eq!(reply.header(name), value, "{url}: {name}");
        }
        assert!(reply.header("allow").starts_with("OPTIONS,"), "{url}");
    }
    // Where only some pages may call, nobody is told more than is so.
    let origins = ["https://shop.example".to_owned()];
    let apps = TestApp::each_with(RequestLimits::default(), Cors::from_list(&origins)).await;
    assert_eq!(apps[0].send(ask("OPTIONS", "toys")).await.header("access-control-allow-origin"), "");
    assert_eq!(app.send(get("toys")).await.header("access-control-allow-origin"), "");
}

/// rest.md 21: what clients in browsers read must be exposed to them.
#[tokio::test]
async fn pages_may_read_what_their_clients_need() {
    let app = &TestApp::each().await[0];
    let reply = app.send(get("toys").header("origin", "https://shop.example")).await;
    let exposed: Vec<&str> = reply.header("access-control-expose-headers").split(", ").collect();
    for name in ["Content-Range", "Content-Location", "Location", "Preference-Applied", "Retry-After", "ETag"] {
        assert!(exposed.contains(&name), "{name}");
    }
}

/// rest.md 1, 14, 17, 18: the root knows profiles like every path.
#[tokio::test]
async fn the_root_has_a_profile_and_varies() {
    let apps = TestApp::each().await;
    check_error(&apps, get("").header("accept-profile", "private"), 406, "PGRST106").await;
    check_error(&apps, ask("OPTIONS", "").header("accept-profile", "private"), 406, "PGRST106").await;
    check_error(&apps, ask("PURGE", "").header("content-profile", "private"), 406, "PGRST106").await;
    check_error(&apps, post("batch", r#"{"steps":[]}"#).header("content-profile", "private"), 406, "PGRST106").await;
    for app in &apps {
        let named = app.send(get("").header("accept-profile", "public")).await;
        assert_eq!((named.header("content-profile"), named.header("vary")), ("public", "Accept, Prefer, Range"));
        assert_eq!(app.send(get("")).await.header("content-profile"), "");
    }
}

/// rest.md 17: the stages of everything that reaches the store.
#[tokio::test]
async fn every_kind_of_request_tells_its_stages() {
    let plain = functions::app().await;
    let answers = AnswerSettings { timing: true, ..AnswerSettings::default() };
    let app =
        TestApp::over_with(functions::schema(), plain.store.clone(), RequestLimits::default(), Cors::Any, answers);
    let all = ["jwt", "parse", "plan", "transaction", "response"];
    let together = ["jwt", "parse", "transaction", "response"];
    for (asked, stages) in [
        (get("rpc/add?a=1"), &all[..]),
        (post("rpc/rename", r#"{"id":9,"name":"x"}"#), &all),
        (get("toys?after=&limit=1"), &all),
        (ask("PATCH", "toys?id=eq.1").body(r#"{"sold":true}"#).header("if-match", "*"), &together),
        (post("batch", r#"{"steps":[{"method":"GET","path":"/toys"}]}"#), &together),
    ] {
        let reply = app.send(asked.clone()).await;
        assert!(reply.status < 300, "{}: {}", asked.name(), reply.body);
        let entries = reply.header("server-timing").split(", ");
        let names: Vec<_> = entries.map(|entry| entry.split_once(";dur=").unwrap().0).collect();
        assert_eq!(names, stages, "{}", asked.name());
    }
}

/// rest.md 16.1: `client-error-verbosity=minimal`.
#[tokio::test]
async fn errors_may_tell_their_code_and_message_alone() {
    let plain = TestApp::each().await.remove(1);
    let answers = AnswerSettings { errors: Verbosity::Minimal, ..AnswerSettings::default() };
    let app =
        TestApp::over_with(crate::app::schema(), plain.store.clone(), RequestLimits::default(), Cors::Any, answers);
    for (asked, status, body) in [
        (
            get("toyz"),
            404,
            r#"{"code":"PGRST205","message":"Could not find the table 'public.toyz' in the schema cache"}"#,
        ),
        (
            post("makers", r#"{"id":1,"name":"x"}"#),
            409,
            r#"{"code":"23505","message":"duplicate key value violates unique constraint \"makers_pkey\""}"#,
        ),
        (get("toys").keyless(), 401, r#"{"code":"PGRST302","message":"Anonymous access is disabled"}"#),
    ] {
        let reply = app.send(asked).await;
        assert_eq!((reply.status, reply.body.as_str()), (status, body));
        assert_eq!(reply.header("content-length"), body.len().to_string());
    }
}

/// rest.md 11.1: a body in another charset would be read as something else.
#[tokio::test]
async fn bodies_are_utf_8() {
    let apps = TestApp::each().await;
    let send = |declared: &'static str| -> Ask { post("makers", "id,name\n50,é\n").header("content-type", declared) };
    for declared in ["text/csv; charset=iso-8859-1", "text/csv;charset=\"utf-16\""] {
        check_error(&apps, send(declared), 400, "PGRST102").await;
        let reply = apps[0].send(send(declared)).await;
        assert_eq!(member(&reply, "message"), format!("Content-Type not acceptable: {declared}"));
    }
    check(&apps, send("text/csv; header=present; charset=\"UTF-8\""), 201, "").await;
    check(&apps, get("makers?select=name&id=eq.50"), 200, r#"[{"name":"é"}]"#).await;
}

/// rest.md 12: weights, particular types before stars, and what is refused by its name.
#[tokio::test]
async fn stars_cover_what_is_not_refused() {
    let json = "application/json; charset=utf-8";
    for app in TestApp::each().await {
        for (accept, told) in [
            ("*/*, text/csv", "text/csv; charset=utf-8"),
            ("*/*;q=1, application/json;q=0", "text/csv; charset=utf-8"),
            ("application/*", json),
            ("text/html, application/xhtml+xml, */*;q=0.8", json),
            ("text/csv;q=0.000, */*;q=0.001", json),
            (
                "application/json, application/vnd.pgrst.array+json;nulls=stripped",
                "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8",
            ),
        ] {
            let reply = app.send(get("makers?id=eq.1").header("accept", accept)).await;
            assert_eq!((reply.status, reply.header("content-type")), (200, told), "{accept}");
        }
        for (accept, types) in [("application/json;q=0", "application/json;q=0"), ("nonsense", "nonsense")] {
            let reply = app.send(get("makers").header("accept", accept)).await;
            assert_eq!(reply.status, 406);
            let message = format!("None of these media types are available: {types}");
            assert_eq!(member(&reply, "message"), message);
        }
    }
}
