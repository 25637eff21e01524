//! Functions (`/rest/v1/rpc/…`): rest.md 13, and what other sections say of them.

use std::sync::Arc;
use std::time::Duration;

use mainstay_http::{Cors, RequestLimits};
use mainstay_schema::Schema;
use mainstay_schema::load::{NoProbe, SourceFile, load_functions};
use mainstay_store::{MemoryStore, Store};
use mainstay_stores::{SqliteProbe, SqliteStore};

use crate::app::{Ask, Reply, TestApp, ask, get, post, token};

const QUERIES: &[(&str, &str)] = &[
    ("add.sql", "--- access = true\n--- params.a = \"int\"\n--- params.b = { type = \"int\", default = 10 }\n--- returns = \"int\"\nSELECT :a + :b"),
    ("cheap.sql", "--- access = true\n--- params.most = { type = \"decimal(8,2)\", min = 0, optional = true }\n--- returns = \"toys\"
SELECT * FROM toys WHERE CAST(price AS REAL) <= coalesce(CAST(:most AS REAL), 1e9) ORDER BY CAST(price AS REAL) DESC"),
    ("closed.sql", "--- returns = \"int\"\nSELECT 1"),
    ("dearest.sql", "--- access = true\n--- returns = \"toys\"\n--- rows = \"one\"\nSELECT * FROM toys ORDER BY CAST(price AS REAL) DESC"),
    ("doc.sql", "--- access = true\n--- params.doc = \"text\"\n--- returns = \"text\"\nSELECT json_extract(:doc, '$.a')"),
    ("echo.sql", "--- access = true
--- params.t = { type = \"timestamp\", default = \"now\" }
--- params.d = { type = \"date\", optional = true }
--- params.f = { type = \"bool\", default = false }
--- params.j = { type = \"json\", optional = true }
--- returns.fields = { t = \"timestamp\", d = \"date\", f = \"bool\", j = \"json\" }
--- rows = \"one\"
SELECT :t AS t, :d AS d, :f AS f, :j AS j"),
    ("forget.sql", "--- writes = true\n--- params.number = \"int\"\nDELETE FROM parts WHERE number = :number"),
    ("later.sql", "--- access = true\n--- params.after = \"date\"\n--- params.distinct = { type = \"bool\", default = false }\n--- returns = \"text\"
SELECT :after || ' ' || :distinct"),
    ("letters_all.sql", "--- access = true\n--- returns = \"letters\"\nSELECT * FROM letters"),
    ("names.sql", "--- access = true\n--- returns = \"text\"\n--- rows = \"many\"\nSELECT name FROM toys ORDER BY name"),
    ("none.sql", "--- access = true\n--- returns = \"toys\"\n--- rows = \"one\"\nSELECT * FROM toys WHERE 0"),
    ("octets.sql", "--- access = true\n--- params.data = \"bytes\"\n--- body = \"data\"\n--- returns = \"int\"\nSELECT length(:data)"),
    ("over.sql", "--- access = true\n--- params.a = \"int\"\n--- returns = \"int\"\nSELECT :a"),
    ("over.two.sql", "--- access = true\n--- params.a = \"int\"\n--- params.b = { type = \"text\", default = \"x\" }\n--- returns = \"int\"\nSELECT :a + length(:b)"),
    ("pick.sql", "--- access = true\n--- params.ids = \"int[]\"\n--- returns = \"toys\"\nSELECT * FROM toys WHERE id IN (SELECT value FROM json_each(:ids)) ORDER BY id DESC"),
    ("pick.by_name.sql", "--- access = true\n--- params.names = \"text[]\"\n--- returns = \"toys\"\nSELECT * FROM toys WHERE name IN (SELECT value FROM json_each(:names)) ORDER BY id"),
    ("rename.sql", "--- access = true\n--- writes = true\n--- params.id = \"int\"\n--- params.name = { type = \"text\", min = 1, max = 40 }\n--- returns = \"toys\"
UPDATE toys SET name = :name WHERE id = :id RETURNING *"),
    ("reprice.sql", "--- access = true\n--- writes = true\n--- returns = \"toys\"\nUPDATE toys SET price = printf('%.2f', price * 2) RETURNING *"),
    ("runaway.sql", "--- access = true\n--- returns = \"bigint\"\nWITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"),
    ("runaway_writes.sql", "--- access = true\n--- writes = true
INSERT INTO parts (toy_id, number) WITH RECURSIVE n (i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n) SELECT 1, i FROM n"),
    ("seen.sql", "--- access = true\n--- returns = \"timestamp\"\n--- rows = \"many\"\nSELECT seen_at FROM toys WHERE id < 3 ORDER BY id"),
    ("shout.sql", "--- access = true\n--- params.words = \"text\"\n--- body = \"words\"\n--- returns = \"text\"\nSELECT upper(:words)"),
    ("sizes.sql", "--- access = true\n--- params.doc = \"json\"\n--- body = \"doc\"\n--- returns = \"int\"\nSELECT json_array_length(:doc)"),
    ("stats.sql", "--- access = true
--- returns.fields.maker_id = { ref = \"makers\", optional = true }
--- returns.fields.n = \"bigint\"
--- returns.fields.total = \"decimal(10,2)\"
SELECT maker_id, count(*) AS n, sum(price) AS total FROM toys GROUP BY maker_id ORDER BY total"),
    ("twice.sql", "--- access = true\n--- writes = true\n--- params.id = \"int\"\n--- returns = \"toys\"\nINSERT INTO toys SELECT * FROM toys WHERE id = :id RETURNING *"),
];

fn files() -> Vec<SourceFile> {
    let file =
        |(name, text): &(&str, &str)| SourceFile { path: format!("queries/{name}").into(), text: (*text).to_owned() };
    QUERIES.iter().map(file).collect()
}

pub(crate) fn schema() -> Schema {
    let schema = crate::app::schema();
    let probe = SqliteProbe::new(&schema).unwrap();
    load_functions(schema, &files(), &probe).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"))
}

async fn app_with(limits: RequestLimits) -> TestApp {
    let schema = schema();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open_temporary().unwrap());
    let migration = mainstay_store::Migration {
        name: "20260101T000000_all".to_owned(),
        sql: mainstay_stores::sqlite::migrate::create(&schema),
        schema: schema.to_json(),
    };
    store.migrate(migration).await.unwrap();
    let app = TestApp::over(schema, store, limits, Cors::Any);
    app.fill().await;
    app
}

pub(crate) async fn app() -> TestApp {
    app_with(RequestLimits::default()).await
}

#[track_caller]
pub(crate) fn same(reply: &Reply, status: u16, body: &str) {
    assert_eq!((reply.status, reply.body.as_str()), (status, body));
}

pub(crate) async fn check(app: &TestApp, ask: Ask, status: u16, body: &str) {
    let name = ask.name();
    let reply = app.send(ask).await;
    assert_eq!((reply.status, reply.body.as_str()), (status, body), "{name}");
}

pub(crate) async fn check_error(app: &TestApp, ask: Ask, status: u16, code: &str) -> Reply {
    let name = ask.name();
    let reply = app.send(ask).await;
    assert_eq!((reply.status, reply.code().as_str()), (status, code), "{name}: {}", reply.body);
    reply
}

pub(crate) fn rpc(url: &str) -> Ask {
    get(&format!("rpc/{url}")).anon()
}

pub(crate) fn call(function: &str, body: &str) -> Ask {
    post(&format!("rpc/{function}"), body.to_owned()).anon()
}

fn form(function: &str, body: &str) -> Ask {
    call(function, body).header("content-type", "application/x-www-form-urlencoded")
}

/// rest.md 13, calls: arguments by JSON, by form and by query string, defaults, null.
#[tokio::test]
async fn arguments_come_by_json_form_and_query_string() {
    let app = app().await;
    check(&app, call("add", r#"{"a":1,"b":2}"#), 200, "3").await;
    check(&app, call("add", r#"{"b":"2","a":"40"}"#), 200, "42").await;
    check(&app, call("add", r#"{"a":1}"#), 200, "11").await;
    check(&app, form("add", "a=1&b=5"), 200, "6").await;
    check(&app, rpc("add?a=1&b=6"), 200, "7").await;
    // The last value counts.
    check(&app, rpc("add?a=1&b=6&b=7"), 200, "8").await;
    check(&app, form("add", "a=1&a=2"), 200, "12").await;
    // No body is no arguments.
    check(&app, call("names", ""), 200, r#"["kite","top","train"]"#).await;
    let echo = |body: &str| call("echo", body);
    let now = r#"{"t":"2026-01-02T03:04:05+00:00","d":null,"f":true,"j":{"a":[1,2]}}"#;
    check(&app, echo(r#"{"t":"2026-01-02 03:04:05Z","f":true,"j":{"a":[1,2]}}"#), 200, now).await;
    let reply = app.send(rpc("echo?d=2026-02-03&j=%5B1%5D")).await;
    assert!(
        reply.body.starts_with(r#"{"t":"2026-09-"#) && reply.body.ends_with(r#""d":"2026-02-03","f":false,"j":[1]}"#),
        "{}",
        reply.body
    );
    check(
        &app,
        call("cheap?select=name", r#"{"most":null}"#),
        200,
        r#"[{"name":"train"},{"name":"kite"},{"name":"top"}]"#,
    )
    .await;
}

/// rest.md 13, values: those that are not of their parameter's type or that it does not accept.
#[tokio::test]
async fn arguments_have_types_and_checks() {
    let app = app().await;
    let reply = check_error(&app, call("add", r#"{"a":"x"}"#), 400, "22P02").await;
    assert!(reply.body.contains(r#"invalid input syntax for type integer: \"x\""#), "{}", reply.body);
    assert!(reply.body.contains(r#"The value was meant for the parameter \"a\"."#), "{}", reply.body);
    check_error(&app, rpc("add?a=x"), 400, "22P02").await;
    check_error(&app, rpc("add?a=3000000000"), 400, "22003").await;
    check_error(&app, rpc("echo?d=2026-02-30"), 400, "22008").await;
    check_error(&app, call("echo", r#"{"j":{"a":1,"a":2}}"#), 400, "22P02").await;
    check_error(&app, call("add", r#"{"a":null}"#), 400, "23502").await;
    let reply = check_error(&app, call("cheap", r#"{"most":-1}"#), 400, "23514").await;
    assert!(reply.body.contains("most must be at least 0"), "{}", reply.body);
    check_error(&app, call("add", r#"{"a":1"#), 400, "PGRST102").await;
    check_error(&app, call("add", r#"{"a":1,"a":2}"#), 400, "PGRST102").await;
    check_error(&app, call("add", "\u{1}"), 400, "PGRST102").await;
    check_error(&app, call("add", "a=1").header("content-type", "text/csv"), 400, "PGRST102").await;
    // What SQL itself does not take is an error of the caller's, in SQLite's words.
    let reply = check_error(&app, call("doc", r#"{"doc":"{"}"#), 400, "22000").await;
    assert!(reply.body.contains("malformed JSON"), "{}", reply.body);
    check(&app, call("doc", r#"{"doc":"{\"a\":1}"}"#), 200, r#""1""#).await;
}

/// rest.md 13, variadic and arrays: JSON arrays, brace literals, repeated parameters.
#[tokio::test]
async fn arrays_come_in_each_form() {
    let app = app().await;
    let expected = r#"[{"id":3},{"id":1}]"#;
    check(&app, call("pick?select=id", r#"{"ids":[1,3]}"#), 200, expected).await;
    check(&app, call("pick?select=id", r#"{"ids":"{1,3}"}"#), 200, expected).await;
    check(&app, rpc("pick?select=id&ids=%7B1,3%7D"), 200, expected).await;
    check(&app, rpc("pick?select=id&ids=1&ids=3"), 200, expected).await;
    check(&app, form("pick?select=id", "ids=1&ids=3"), 200, expected).await;
    check(&app, rpc("pick?select=id&ids=3"), 200, r#"[{"id":3}]"#).await;
    check(&app, rpc("pick?select=id&ids=%7B%7D"), 200, "[]").await;
    check_error(&app, rpc("pick?ids=%7B1,x%7D"), 400, "22P02").await;
}

/// rest.md 13, lookup; 16.2 PGRST202 and PGRST203; 16.5 hints.
#[tokio::test]
async fn functions_are_found_by_name_and_arguments() {
    let app = app().await;
    check(&app, call("pick?select=id", r#"{"names":["top"]}"#), 200, r#"[{"id":3}]"#).await;
    check(&app, call("over", r#"{"a":1,"b":"xy"}"#), 200, "3").await;
    let reply = app.send(call("over", r#"{"a":1}"#)).await;
    same(
        &reply,
        300,
        r#"{"code":"PGRST203","details":null,"hint":"Try renaming the parameters or the function itself in the database so function overloading can be resolved","message":"Could not choose the best candidate function between: public.over(a => integer), public.over(a => integer, b => text)"}"#,
    );
    for (ask, message, details, hint) in [
        (
            rpc("chep?a=1"),
            "Could not find the function public.chep(a) in the schema cache",
            "Searched for the function public.chep with parameter a, but no matches were found in the schema cache.",
            r#""Perhaps you meant to call the function public.cheap""#.to_owned(),
        ),
        (
            rpc("dearst"),
            "Could not find the function public.dearst without parameters in the schema cache",
            "Searched for the function public.dearst without parameters, but no matches were found in the schema cache.",
            r#""Perhaps you meant to call the function public.dearest""#.to_owned(),
        ),
        (
            call("add", r#"{"bb":2,"a":1}"#),
            "Could not find the function public.add(a, bb) in the schema cache",
            "Searched for the function public.add with parameters a, bb or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache.",
            r#""Perhaps you meant to call the function public.add(a, b)""#.to_owned(),
        ),
        (
            call("add", "[1]"),
            "Could not find the function public.add without parameters in the schema cache",
            "Searched for the function public.add without parameters or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache.",
            r#""Perhaps you meant to call the function public.add(a, b)""#.to_owned(),
        ),
        (
            call("add", "x").header("content-type", "text/plain"),
            "Could not find the function public.add in the schema cache",
            "Searched for the function public.add with a single unnamed text parameter, but no matches were found in the schema cache.",
            "null".to_owned(),
        ),
        (
            call("add", "x").header("content-type", "application/octet-stream"),
            "Could not find the function public.add in the schema cache",
            "Searched for the function public.add with a single unnamed bytea parameter, but no matches were found in the schema cache.",
            "null".to_owned(),
        ),
        (
            rpc("zzzzz"),
            "Could not find the function public.zzzzz without parameters in the schema cache",
            "Searched for the function public.zzzzz without parameters, but no matches were found in the schema cache.",
            "null".to_owned(),
        ),
    ] {
        let expected = format!(r#"{{"code":"PGRST202","details":"{details}","hint":{hint},"message":"{message}"}}"#);
        check(&app, ask, 404, &expected).await;
    }
    // A required one is missing.
    check_error(&app, call("add", r#"{"b":1}"#), 404, "PGRST202").await;
}

/// rest.md 13: one parameter that takes the whole body, chosen by its type.
#[tokio::test]
async fn a_body_can_be_the_only_argument() {
    let app = app().await;
    check(&app, call("sizes", "[1,2,3]"), 200, "3").await;
    check(&app, call("sizes", r#"{"a":1}"#), 200, "0").await;
    check_error(&app, call("sizes", "[1,"), 400, "PGRST102").await;
    let text = |kind: &str| call("shout", "ab c").header("content-type", kind);
    check(&app, text("text/plain; charset=utf-8"), 200, r#""AB C""#).await;
    check(&app, text("text/xml"), 200, r#""AB C""#).await;
    let octets = post("rpc/octets", vec![0u8, 255, 1]).anon().header("content-type", "application/octet-stream");
    check(&app, octets, 200, "3").await;
    check_error(&app, text("application/octet-stream"), 404, "PGRST202").await;
    // POST only.
    check_error(&app, rpc("shout?words=x"), 404, "PGRST202").await;
    let broken = post("rpc/shout", vec![255u8]).anon().header("content-type", "text/plain");
    check_error(&app, broken, 400, "PGRST102").await;
}

/// rest.md 11.2: `columns` picks the members of a body that count.
#[tokio::test]
async fn columns_pick_the_arguments() {
    let app = app().await;
    check(&app, call("add?columns=a", r#"{"a":1,"b":2,"junk":3}"#), 200, "11").await;
    check_error(&app, call("add", r#"{"a":1,"b":2,"junk":3}"#), 404, "PGRST202").await;
}

/// rest.md 13, results: select, filters, logic, order, page, counts and embeds of table-like ones.
#[tokio::test]
async fn results_are_read_like_tables() {
    let app = app().await;
    check(
        &app,
        rpc("cheap?most=5&select=name,price"),
        200,
        r#"[{"name":"kite","price":3.00},{"name":"top","price":0.05}]"#,
    )
    .await;
    // What parses as a filter is one.
    check(&app, rpc("cheap?select=name&name=eq.top"), 200, r#"[{"name":"top"}]"#).await;
    check(
        &app,
        call("cheap?select=name&or=(name.eq.top,id.eq.1)&order=id", "{}"),
        200,
        r#"[{"name":"train"},{"name":"top"}]"#,
    )
    .await;
    check(
        &app,
        rpc("cheap?select=n:name,price::text&order=price.asc&limit=1&offset=1"),
        200,
        r#"[{"n":"kite","price":"3.00"}]"#,
    )
    .await;
    // The function's own order holds unless another is asked for.
    check(&app, rpc("cheap?select=id&limit=2"), 200, r#"[{"id":1},{"id":2}]"#).await;
    check(&app, rpc("cheap?select=id&order=id.desc"), 200, r#"[{"id":3},{"id":2},{"id":1}]"#).await;
    check(
        &app,
        rpc("cheap?select=id,makers(name),parts(number)&order=makers(name).desc.nullslast"),
        200,
        r#"[{"id":2,"makers":{"name":"Pine"},"parts":[]},{"id":1,"makers":{"name":"Oak"},"parts":[{"number":1},{"number":2}]},{"id":3,"makers":null,"parts":[]}]"#,
    )
    .await;
    check(
        &app,
        rpc("cheap?select=id&parts=not.is.null&select=id"),
        400,
        r#"{"code":"42703","details":null,"hint":null,"message":"column toys.parts does not exist"}"#,
    )
    .await;
    check(
        &app,
        rpc("cheap?select=id,parts!inner(number)&parts.number=eq.2"),
        200,
        r#"[{"id":1,"parts":[{"number":2}]}]"#,
    )
    .await;
    check(&app, rpc("cheap?select=id,info-%3Ea-%3E%3Ec&info-%3Ea-%3E%3Ec=eq.%C3%A9"), 200, r#"[{"id":1,"c":"é"}]"#)
        .await;
    check_error(&app, rpc("cheap?nope=eq.1"), 400, "42703").await;
    check_error(&app, rpc("cheap?select=nope"), 400, "42703").await;
    check_error(&app, rpc("cheap?order=x.sideways"), 400, "PGRST100").await;
    check_error(&app, rpc("cheap?select=id,letters(*)"), 400, "PGRST200").await;
}

/// rest.md 13 and 9: counts, Content-Range, the Range header.
#[tokio::test]
async fn results_are_counted_and_paged() {
    let app = app().await;
    let reply = app.send(rpc("cheap?select=id&limit=2").prefer("count=exact")).await;
    same(&reply, 206, r#"[{"id":1},{"id":2}]"#);
    assert_eq!(reply.header("content-range"), "0-1/3");
    assert_eq!(reply.header("preference-applied"), "count=exact");
    assert_eq!(reply.header("content-location"), "");
    let reply = app.send(rpc("cheap?select=id").header("range", "1-1")).await;
    same(&reply, 200, r#"[{"id":2}]"#);
    assert_eq!(reply.header("content-range"), "1-1/*");
    check_error(&app, rpc("cheap?offset=9").prefer("count=exact"), 416, "PGRST103").await;
    let reply = app.send(call("cheap?select=id&id=gt.1&limit=1", "{}").prefer("count=exact")).await;
    assert_eq!((reply.status, reply.header("content-range")), (206, "0-0/2"));
    // HEAD counts and shows nothing.
    let reply = app.send(ask("HEAD", "/rest/v1/rpc/cheap?most=5").anon().prefer("count=exact")).await;
    assert_eq!((reply.status, reply.body.as_str(), reply.header("content-range")), (200, "", "0-1/2"));
    let reply = app.send(rpc("add?a=1")).await;
    assert_eq!(reply.header("content-range"), "0-0/*");
}

/// rest.md 13: columns of the function's own, typed, with a reference to embed by.
#[tokio::test]
async fn results_of_their_own_have_types_and_references() {
    let app = app().await;
    check(
        &app,
        rpc("stats"),
        200,
        r#"[{"maker_id":null,"n":1,"total":0.05},{"maker_id":2,"n":1,"total":3.00},{"maker_id":1,"n":1,"total":12.50}]"#,
    )
    .await;
    check(
        &app,
        rpc("stats?select=total,makers(name)&total=gte.3&order=total.desc"),
        200,
        r#"[{"total":12.50,"makers":{"name":"Oak"}},{"total":3.00,"makers":{"name":"Pine"}}]"#,
    )
    .await;
    let reply = check_error(&app, rpc("stats?select=tota"), 400, "42703").await;
    assert!(reply.body.contains("column stats.tota does not exist"), "{}", reply.body);
}

/// rest.md 13: void, scalars, sets of scalars, one row.
#[tokio::test]
async fn results_take_the_form_of_their_kind() {
    let app = app().await;
    check(&app, rpc("names"), 200, r#"["kite","top","train"]"#).await;
    check(&app, rpc("names?limit=1&offset=1"), 200, r#"["top"]"#).await;
    let reply = app.send(rpc("dearest?select=id,name")).await;
    same(&reply, 200, r#"{"id":1,"name":"train"}"#);
    assert_eq!(reply.header("content-type"), "application/json; charset=utf-8");
    check(&app, rpc("none"), 200, "null").await;
    let reply = app.send(post("rpc/forget", r#"{"number":2}"#)).await;
    same(&reply, 204, "");
    assert_eq!(reply.header("content-type"), "");
    check(&app, get("parts?select=number"), 200, r#"[{"number":1}]"#).await;
    check_error(&app, rpc("add?a=1&select=add"), 400, "PGRST100").await;
    check_error(&app, post("rpc/forget?select=x", r#"{"number":2}"#), 400, "PGRST100").await;
}

/// rest.md 12 on functions: singular, null stripping, CSV.
#[tokio::test]
async fn results_come_in_each_media_type() {
    let app = app().await;
    let single = "application/vnd.pgrst.object+json";
    check(&app, rpc("cheap?select=id&id=eq.1").header("accept", single), 200, r#"{"id":1}"#).await;
    let reply = check_error(&app, rpc("cheap").header("accept", single), 406, "PGRST116").await;
    assert!(reply.body.contains("The result contains 3 rows"), "{}", reply.body);
    check(&app, rpc("add?a=1").header("accept", single), 200, "11").await;
    check(&app, rpc("cheap?select=id,name&limit=1").header("accept", "text/csv"), 200, "id,name\n1,train").await;
    check(&app, rpc("names").header("accept", "text/csv"), 200, "names\nkite\ntop\ntrain").await;
    let stripped = "application/vnd.pgrst.array+json;nulls=stripped";
    check(&app, rpc("stats?select=maker_id,n&limit=1").header("accept", stripped), 200, r#"[{"n":1}]"#).await;
    check_error(&app, rpc("cheap").header("accept", "image/png"), 406, "PGRST107").await;
    // Lookup comes before all of that.
    check_error(&app, rpc("nothing_here").header("accept", "image/png"), 404, "PGRST202").await;
}

/// rest.md 21: `head` with an argument that is an object falls back to POST with `return=minimal`.
#[tokio::test]
async fn a_minimal_answer_has_no_body() {
    let app = app().await;
    let reply = app.send(call("cheap", "{}").prefer("return=minimal,count=exact")).await;
    assert_eq!((reply.status, reply.body.as_str()), (204, ""));
    assert_eq!(reply.header("content-range"), "0-2/3");
    assert_eq!(reply.header("preference-applied"), "return=minimal, count=exact");
}

/// rest.md 1 and 17: methods (PGRST101), paths, OPTIONS.
#[tokio::test]
async fn methods_of_functions() {
    let app = app().await;
    for method in ["PUT", "PATCH", "DELETE"] {
        let reply = check_error(&app, ask(method, "/rest/v1/rpc/add").anon(), 405, "PGRST101").await;
        assert!(reply.body.contains(&format!("Cannot use the {method} method on RPC")), "{}", reply.body);
        assert_eq!(reply.header("allow"), "OPTIONS,GET,HEAD,POST");
    }
    check_error(&app, rpc("add/1"), 404, "PGRST125").await;
    for (function, methods) in [("add", "OPTIONS,GET,HEAD,POST"), ("rename", "OPTIONS,POST")] {
        let reply = app.send(ask("OPTIONS", &format!("/rest/v1/rpc/{function}")).anon()).await;
        assert_eq!((reply.status, reply.header("allow"), reply.header("content-length")), (200, methods, "0"));
    }
    check_error(&app, ask("OPTIONS", "/rest/v1/rpc/nope").anon(), 404, "PGRST202").await;
    check_error(&app, ask("OPTIONS", "/rest/v1/rpc/closed").anon(), 404, "PGRST202").await;
}

/// rest.md 14: functions choose the schema by method.
#[tokio::test]
async fn profiles_are_those_of_the_method() {
    let app = app().await;
    check_error(&app, rpc("add?a=1").header("accept-profile", "other"), 406, "PGRST106").await;
    check_error(&app, call("add", r#"{"a":1}"#).header("content-profile", "other"), 406, "PGRST106").await;
    let reply = app.send(call("add", r#"{"a":1}"#).header("content-profile", "public")).await;
    assert_eq!((reply.status, reply.header("content-profile")), (200, "public"));
}

/// Who may call what, and what the rows of a function may lead to.
#[tokio::test]
async fn the_rules_are_asked_of_functions_and_of_what_they_lead_to() {
    let app = app().await;
    let user = format!("Bearer {}", token(r#"{"role":"authenticated","sub":"u"}"#));
    for (function, body, expected) in [
        ("closed", "{}", [401, 401, 401, 403, 200]),
        ("forget", r#"{"number":9}"#, [401, 401, 401, 403, 204]),
        ("add", r#"{"a":1}"#, [401, 401, 200, 200, 200]),
        ("rename", r#"{"id":9,"name":"x"}"#, [401, 401, 200, 200, 200]),
        ("nope", "{}", [401, 401, 404, 404, 404]),
    ] {
        let base = post(&format!("rpc/{function}"), body);
        let callers = [
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
        assert_eq!(found, expected, "{function}");
    }
    let reply = check_error(&app, call("closed", "{}"), 401, "42501").await;
    assert!(reply.body.contains("permission denied for function closed"), "{}", reply.body);
    // Not even its parameters are told.
    let reply = check_error(&app, call("forget", r#"{"nmber":9}"#), 401, "42501").await;
    assert!(!reply.body.contains("number"), "{}", reply.body);
    let reply = check_error(&app, rpc("clsed"), 404, "PGRST202").await;
    assert!(!reply.body.contains("closed"), "{}", reply.body);

    // A function shows rows of a table that its caller may not read …
    assert_eq!(app.send(post("letters", r#"{"to_id":1}"#)).await.status, 201);
    check(&app, rpc("letters_all?select=to_id&to_id=eq.1&order=to_id"), 200, r#"[{"to_id":1}]"#).await;
    let reply = check_error(&app, rpc("letters_all?select=nope"), 400, "42703").await;
    assert!(reply.body.contains("column letters.nope does not exist"), "{}", reply.body);
    // … but no embed, filter or order leads from any row into such a table.
    for url in [
        "stats?select=n,makers(name,letters!letters_to_id_fkey(to_id))",
        "stats?select=n,makers!inner(letters!letters_to_id_fkey!inner())",
        "stats?select=n,makers(letters!letters_to_id_fkey(nope))",
    ] {
        check_error(&app, rpc(url), 401, "42501").await;
    }
    check(&app, rpc("letters_all?select=makers!letters_to_id_fkey(name)"), 200, r#"[{"makers":{"name":"Oak"}}]"#).await;
}

/// Text from outside never becomes SQL, whatever it looks like.
#[tokio::test]
async fn hostile_names_and_values_are_only_that() {
    let app = app().await;
    let evil = "'); DROP TABLE toys; --";
    let body = serde_json::json!({ "id": 1, "name": evil }).to_string();
    let reply = app.send(call("rename?select=name", &body)).await;
    same(&reply, 200, &serde_json::json!([{ "name": evil }]).to_string());
    for name in [
        "%27%29%3B%20DROP%20TABLE%20toys",
        "a%22b",
        "%00",
        "..%2F..%2Fetc",
        "add%3Bselect",
        "_mainstay_rows",
        &"x".repeat(3000),
    ] {
        let reply = app.send(rpc(name)).await;
        assert!((400..500).contains(&reply.status), "{name}: {} {}", reply.status, reply.body);
        assert!(reply.body.len() < 2000, "{}", reply.body.len());
    }
    for (key, value) in [(":a", "1"), ("a--", "1"), ("a;", "1"), ("a\"", "1"), ("a'", "'"), ("b) OR (1=1", "1")] {
        let body = serde_json::json!({ "a": 1, key: value }).to_string();
        check_error(&app, call("add", &body), 404, "PGRST202").await;
    }
    let many: serde_json::Map<_, _> = (0..3000).map(|n| (format!("p{n}"), 1.into())).collect();
    check_error(&app, call("add", &serde_json::Value::Object(many).to_string()), 400, "MS400").await;
    check_error(&app, call("cheap?select=name;drop", "{}"), 400, "PGRST100").await;
    check(&app, get("toys?select=id&limit=1"), 200, r#"[{"id":1}]"#).await;
}

/// A statement that does not end is ended by the deadline, and what it wrote is undone.
#[tokio::test]
async fn the_deadline_ends_a_runaway_query() {
    let limits = RequestLimits { handler_time: Duration::from_millis(400), ..RequestLimits::default() };
    let app = app_with(limits).await;
    for function in ["runaway", "runaway_writes"] {
        let reply = app.send(call(function, "{}")).await;
        let found = (reply.status, reply.code());
        let expected = [(500, "57014".to_owned()), (504, "MS504".to_owned())];
        assert!(expected.contains(&found), "{function}: {found:?}");
    }
    // The threads are free again.
    check(&app, get("parts?select=number"), 200, r#"[{"number":1},{"number":2}]"#).await;
    check(&app, call("rename?select=name", r#"{"id":2,"name":"x"}"#), 200, r#"[{"name":"x"}]"#).await;
}

/// The in-memory store speaks no SQL and says so.
#[tokio::test]
async fn a_store_without_sql_refuses_functions() {
    let schema = load_functions(crate::app::schema(), &files()[..2], &NoProbe).unwrap();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::with_schema(Arc::new(schema.clone())));
    let app = TestApp::over(schema, store, RequestLimits::default(), Cors::Any);
    let reply = check_error(&app, call("add", r#"{"a":1}"#), 400, "PGRST127").await;
    assert!(reply.body.contains(r#"the memory store cannot run the function \"add\", which is SQL"#), "{}", reply.body);
}

/// `mainstay explain` of a call changes nothing and shows each step.
#[tokio::test]
async fn explain_shows_what_becomes_of_a_call() {
    let app = app().await;
    let explain = |url: &str, method: &str| {
        let request = http::Request::builder().method(method).uri(url).body(bytes::Bytes::new()).unwrap();
        mainstay_http::preview(request, &mainstay_query::Limits::default()).unwrap()
    };
    let engine = app.app().engine().clone();
    let context = mainstay_engine::Context::system(Duration::from_secs(5));
    let shown = engine.explain(&context, &explain("/rest/v1/rpc/cheap?most=5&select=id&id=gt.1", "GET")).await.unwrap();
    let shown = shown.to_string();
    assert!(shown.contains("call cheap(most = 5.00)") && shown.contains("where id > 1"), "{shown}");
    assert!(shown.contains("_mainstay_rows") && shown.contains("toys"), "{shown}");
    let shown = engine.explain(&context, &explain("/rest/v1/rpc/reprice", "POST")).await.unwrap().to_string();
    assert!(shown.contains("run reprice()") && shown.contains("UPDATE toys"), "{shown}");
    check(&app, get("toys?select=price&id=eq.1"), 200, r#"[{"price":12.50}]"#).await;
}
