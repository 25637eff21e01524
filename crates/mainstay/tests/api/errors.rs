//! Errors as a caller sees them: status, code, and words that say where and what would be right.

use crate::app::{TestApp, ask, check, check_error, get, post};

/// rest.md 16.2, 16.3: reads.
#[tokio::test]
async fn reads_that_make_no_sense_say_why() {
    let apps = TestApp::each().await;
    for (url, status, code) in [
        ("nothing", 404, "PGRST205"),
        ("toys?nope=eq.1", 400, "42703"),
        ("toys?select=nope", 400, "42703"),
        ("toys?order=nope", 400, "42703"),
        ("toys?id=1", 400, "PGRST100"),
        ("toys?id=equals.1", 400, "PGRST100"),
        ("toys?select=(", 400, "PGRST100"),
        ("toys?and=()", 400, "PGRST100"),
        ("toys?order=id.sideways", 400, "PGRST100"),
        ("toys?id=eq.x", 400, "22P02"),
        ("toys?id=eq.3000000000", 400, "22003"),
        ("toys?pieces=eq.9223372036854775808", 400, "22003"),
        ("toys?since=eq.2026-02-30", 400, "22008"),
        ("toys?select=name::nonsense", 400, "42704"),
        ("toys?sold=like.x", 404, "42883"),
        ("toys?makers.name=eq.x", 400, "PGRST108"),
        ("toys?select=letters(to_id)", 400, "PGRST200"),
        ("makers?select=letters(to_id)", 300, "PGRST201"),
        ("makers?select=toys(id)&toys=eq.1", 400, "PGRST120"),
        ("makers?select=toys(id)&order=toys(id)", 400, "PGRST118"),
    ] {
        check_error(&apps, get(url), status, code).await;
    }
}

/// rest.md 16.4.
#[tokio::test]
async fn ambiguous_embeds_list_their_ways() {
    for app in TestApp::each().await {
        let body = app.send(get("makers?select=letters(to_id)")).await.body;
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["details"].as_array().unwrap().len(), 2, "{body}");
        assert_eq!(body["details"][0]["cardinality"], "one-to-many");
        assert_eq!(body["details"][0]["embedding"], "makers with letters");
        let hint = body["hint"].as_str().unwrap();
        assert!(hint.starts_with("Try changing 'letters' to one of the following: 'letters!letters_"), "{hint}");
    }
}

/// rest.md 16.2, 16.3: writes.
#[tokio::test]
async fn writes_that_make_no_sense_say_why_and_where() {
    let apps = TestApp::each().await;
    for (url, body, status, code) in [
        ("toys", "", 400, "PGRST102"),
        ("toys", "{", 400, "PGRST102"),
        ("toys", "{\"name\":\"a\"} {}", 400, "PGRST102"),
        ("toys", r#"[{"name":"a"},{"price":1}]"#, 400, "PGRST102"),
        ("toys", r#"{"nope":1}"#, 400, "PGRST204"),
        ("toys?columns=nope", "{}", 400, "PGRST204"),
        ("toys", "{}", 400, "23502"),
        ("toys", r#"{"name":null}"#, 400, "23502"),
        ("toys", r#"{"name":""}"#, 400, "23514"),
        ("toys", r#"{"name":"a","price":-1}"#, 400, "23514"),
        ("toys", r#"{"name":"a","color":"green"}"#, 400, "23514"),
        ("toys", r#"{"name":"a","price":1e9}"#, 400, "22003"),
        ("toys", r#"{"name":"a","sold":"perhaps"}"#, 400, "22P02"),
        ("toys", r#"{"name":"a","maker_id":77}"#, 409, "23503"),
        ("makers", r#"{"id":1,"name":"other"}"#, 409, "23505"),
        ("nothing", "{}", 404, "PGRST205"),
        ("_mainstay_imports", r#"{"id":"x"}"#, 404, "PGRST205"),
    ] {
        check_error(&apps, post(url, body), status, code).await;
    }
    let reply = apps[1].send(post("toys", r#"[{"name":"a","price":1},{"name":"b","price":"x"}]"#)).await;
    assert!(
        reply.body.contains(r#"The value was meant for the column \"price\", in row 2 of the body."#),
        "{}",
        reply.body
    );
}

/// rest.md 16.1.
#[tokio::test]
async fn an_error_has_its_four_members_and_names_itself_to_proxies() {
    let apps = TestApp::each().await;
    let body = r#"{"code":"PGRST205","details":null,"hint":"Perhaps you meant the table 'public.toys'","message":"Could not find the table 'public.toyz' in the schema cache"}"#;
    check(&apps, get("toyz"), 404, body).await;
    let reply = apps[0].send(get("toyz")).await;
    assert_eq!(reply.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(reply.header("proxy-status"), "PostgREST; error=PGRST205");
    assert_eq!(reply.header("content-length"), reply.body.len().to_string());
}

/// rest.md 1, 14 and 10.
#[tokio::test]
async fn methods_profiles_and_preferences_are_checked() {
    let apps = TestApp::each().await;
    for method in ["TRACE", "CONNECT", "PROPFIND"] {
        let asked = ask(method, "toys");
        check_error(&apps, asked, 405, "PGRST117").await;
    }
    check_error(&apps, ask("PUT", "toys?id=eq.1").body("{}"), 400, "PGRST115").await;
    check_error(&apps, get("toys").header("accept-profile", "private"), 406, "PGRST106").await;
    check_error(&apps, post("toys", "{}").header("content-profile", "private"), 406, "PGRST106").await;
    let strict = get("toys").prefer("handling=strict, foo=bar, return=everything");
    let body = r#"{"code":"PGRST122","details":"Invalid preferences: foo=bar, return=everything","hint":null,"message":"Invalid preferences given with handling=strict"}"#;
    check(&apps, strict, 400, body).await;
    check_error(&apps, get("toys/1"), 404, "PGRST125").await;
    check_error(&apps, get("rpc/f"), 404, "PGRST202").await;
    check_error(&apps, get("/elsewhere"), 404, "MS404").await;
}

/// rest.md 16.1: Retry-After.
#[tokio::test]
async fn a_store_that_is_gone_is_503_and_says_when_to_come_again() {
    for app in TestApp::each().await {
        app.store.close().await;
        let reply = app.send(get("toys")).await;
        assert_eq!((reply.status, reply.code().as_str(), reply.header("retry-after")), (503, "PGRST000", "1"));
        assert_eq!(app.send(get("/health/ready").keyless()).await.status, 503);
        assert_eq!(app.send(get("/health/live").keyless()).await.status, 200);
    }
}

/// Checks message and details of a refused write.
async fn check_refused(apps: &[TestApp], ask: crate::app::Ask, code: &str, message: &str, details: &str) {
    let text = |text| serde_json::Value::from(text).to_string();
    let (message, details) = (text(message), text(details));
    let body = format!(r#"{{"code":"{code}","details":{details},"hint":null,"message":{message}}}"#);
    check(apps, ask, 409, &body).await;
}

/// rest.md 16.3 by SQLSTATE: 23503.
#[tokio::test]
async fn a_row_that_points_at_nothing_is_told_with_its_key() {
    let apps = TestApp::each().await;
    let message = r#"insert or update on table "toys" violates foreign key constraint "toys_maker_id_fkey""#;
    let missing = r#"Key (maker_id)=(77) is not present in table "makers"."#;
    check_refused(&apps, post("toys", r#"{"name":"a","maker_id":77}"#), "23503", message, missing).await;
    check_refused(&apps, post("toys", r#"{"name":"a","maker_id":77}"#).anon(), "23503", message, missing).await;
    check_refused(&apps, ask("PATCH", "toys?id=eq.1").body(r#"{"maker_id":77}"#), "23503", message, missing).await;
    let rows = r#"[{"name":"a","maker_id":1},{"name":"b","maker_id":77}]"#;
    let missing = format!("{missing} (row 2 of the body)");
    check_refused(&apps, post("toys", rows), "23503", message, &missing).await;
}

/// rest.md 16.3 by SQLSTATE: 23503.
#[tokio::test]
async fn what_is_still_referenced_is_told_with_who_refers_to_it() {
    let apps = TestApp::each().await;
    check(&apps, post("letters", r#"[{"from_id":null,"to_id":2}]"#), 201, "").await;
    let message =
        r#"update or delete on table "makers" violates foreign key constraint "letters_to_id_fkey" on table "letters""#;
    let held = r#"Key (id)=(2) is still referenced from table "letters"."#;
    check_refused(&apps, ask("DELETE", "makers?id=gt.0"), "23503", message, held).await;
    check_refused(&apps, ask("DELETE", "makers?name=eq.Pine"), "23503", message, held).await;
}

/// rest.md 16.3 by SQLSTATE: 23505.
#[tokio::test]
async fn a_duplicate_in_a_bulk_insert_is_told_with_its_value() {
    let apps = TestApp::each().await;
    let rows = r#"[{"id":10,"name":"A"},{"id":11,"name":"Oak"},{"id":12,"name":"Pine"}]"#;
    let message = r#"duplicate key value violates unique constraint "makers_name_key""#;
    check_refused(&apps, post("makers", rows), "23505", message, "Key (name)=(Oak) already exists.").await;
    let change = ask("PATCH", "makers?id=eq.2").body(r#"{"name":"Oak"}"#);
    check_refused(&apps, change, "23505", message, "Key (name)=(Oak) already exists.").await;
}
