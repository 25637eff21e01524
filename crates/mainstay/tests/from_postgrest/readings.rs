//! What PostgREST makes of requests that another server would refuse, or read otherwise: its source and what its issues
//! tell of it.

use serde_json::{Value, json};

use crate::support::{Database, Reply, Service};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const CSV: (&str, &str) = ("Content-Type", "text/csv");
const SHOWN: (&str, &str) = ("Prefer", "return=representation, tx=rollback");

#[track_caller]
fn refused(reply: &Reply, status: u16, code: &str, message: &str) {
    let body = reply.json();
    assert_eq!((reply.status, body["code"].as_str(), body["message"].as_str()), (status, Some(code), Some(message)));
}

#[track_caller]
fn rows(reply: &Reply, status: u16, expected: &Value) {
    assert_eq!((reply.status, &reply.json()), (status, expected), "{reply:?}");
}

#[test]
fn parameters_are_read_as_far_as_they_go() {
    let database = Database::new();
    let service = Service::over(&database, &[]);
    rows(&service.get("/films?select=id)&id=in.(1)x"), 200, &json!([{"id": 1}]));
    rows(&service.get("/directors?select=,id&id=eq.1"), 200, &json!([{"id": 1, "name": "Kurosawa"}]));
    rows(&service.get("/films?select=id&year=is.nullx"), 200, &json!([]));
    // An offset below zero is none, but that it takes rows off the page.
    rows(&service.get("/films?select=id&order=id&offset=-1"), 200, &json!([{"id": 1}, {"id": 2}, {"id": 3}]));
    rows(&service.get("/films?select=id&order=id&offset=-1&limit=2"), 200, &json!([{"id": 1}]));
    assert_eq!(service.get("/films?offset=-2&limit=1").status, 416);
    assert_eq!(service.get("/films?limit=-1").status, 416);
    assert_eq!(service.ask("DELETE", "/films?limit=-1", &[], "").status, 416);
}

#[test]
fn arguments_in_the_query_string_may_not_begin_like_filters() {
    let database = Database::new();
    let service = Service::over(&database, &[]);
    assert_eq!(service.get("/rpc/setting?name=in").status, 200);
    assert_eq!(service.get("/rpc/add?a=1&x.b=2").body, "3");
    let reply = service.get("/rpc/setting?name=in.the");
    refused(&reply, 400, "PGRST100", "\"failed to parse filter (in.the)\" (line 1, column 4)");
}

#[test]
fn lines_of_csv_have_the_columns_of_their_first() {
    let database = Database::new();
    let service = Service::over(&database, &[("DB_TX_END", "commit-allow-override")]);
    let send = |path: &str, body: &str| service.ask("POST", path, &[CSV, SHOWN], body);
    let both = json!([{"id": 7, "name": "a"}, {"id": 8, "name": "b"}]);
    rows(&send("/directors", "id,name\n7,a,beyond\n8,b"), 201, &both);
    // Only of JSON `columns` says what is read.
    rows(&send("/directors?columns=id", "id,name\n7,a\n8,b"), 201, &both);
    refused(&send("/directors", "id,name\n7,a\n8"), 400, "PGRST102", "All lines must have same number of fields");
    assert_eq!(send("/directors", "id,name\n7").json()["code"], "23502");
    rows(&send("/directors", "id,nope"), 201, &json!([]));
    let form = [("Content-Type", "application/x-www-form-urlencoded"), SHOWN];
    let reply = service.ask("POST", "/directors?columns=id", &form, "id=7&name=a");
    rows(&reply, 201, &json!([{"id": 7, "name": "a"}]));
}

#[test]
fn bodies_of_functions_are_bodies_as_any_other() {
    let database = Database::new();
    database.run(
        "CREATE FUNCTION api.gives_back(json) RETURNS json LANGUAGE sql IMMUTABLE AS 'SELECT $1';
         GRANT EXECUTE ON FUNCTION api.gives_back TO pgrst_test_anon;",
    );
    let service = Service::over(&database, &[]);
    let send = |body: &str| service.ask("POST", "/rpc/gives_back", &[JSON], body);
    assert_eq!(send(r#"[{"a":1},{"a":2}]"#).body, r#"[{"a":1},{"a":2}]"#);
    assert_eq!((send("\"text\"").body, send("").body), ("[]".to_owned(), "{}".to_owned()));
    refused(&send("[1,2]"), 400, "PGRST102", "All object keys must match");
    refused(&send(" "), 400, "PGRST102", "Empty or invalid json");
}

#[test]
fn types_that_are_not_taken_are_told_of_as_they_were_written() {
    let database = Database::new();
    let service = Service::over(&database, &[]);
    let reply = service.ask("POST", "/films", &[("Content-Type", "Text/HTML; charset=x")], "x");
    refused(&reply, 400, "PGRST102", "Content-Type not acceptable: Text/HTML; charset=x");
    let reply = service.ask("GET", "/films", &[("Accept", "image/PNG; a=b;q=0.5, text/Foo")], "");
    refused(&reply, 406, "PGRST107", "None of these media types are available: text/Foo, image/PNG;a=b");
    let array = [("Content-Type", "application/vnd.pgrst.array+json")];
    assert_eq!(service.ask("POST", "/rpc/add", &array, r#"{"a":1,"b":2}"#).body, "3");
}

#[test]
fn a_row_that_is_null_is_null() {
    let database = Database::new();
    database.run(
        "CREATE FUNCTION api.one(n int) RETURNS api.directors LANGUAGE sql STABLE AS 'SELECT * FROM api.directors WHERE id = n';
         CREATE FUNCTION api.outs(OUT a int, OUT b text) LANGUAGE sql STABLE AS 'SELECT NULL::int, NULL::text';
         GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA api TO pgrst_test_anon;",
    );
    let service = Service::over(&database, &[]);
    rows(&service.get("/rpc/one?n=1"), 200, &json!({"id": 1, "name": "Kurosawa"}));
    let none = service.get("/rpc/one?n=99");
    rows(&none, 200, &json!(null));
    rows(&service.get("/rpc/outs"), 200, &json!(null));
}

#[test]
fn the_bound_on_rows_is_known_whatever_it_says() {
    let database = Database::new();
    let service = Service::over(&database, &[]);
    let strict = |more: &str| service.ask("GET", "/films", &[("Prefer", &format!("handling=strict, {more}"))], "");
    assert_eq!(strict("max-affected=many").status, 200);
    assert_eq!(strict("max_affected=1").json()["details"], "Invalid preferences: max_affected=1");
}

/// The rows were read when it turned out that there are none, so that what was said of them stays.
#[test]
fn pages_beyond_the_last_row_say_what_was_applied() {
    let database = Database::new();
    let service = Service::over(&database, &[]);
    let beyond = service.ask("GET", "/films?offset=9", &[("Prefer", "count=exact")], "");
    refused(&beyond, 416, "PGRST103", "Requested range not satisfiable");
    for (name, value) in [
        ("Content-Range", "*/3"),
        ("Content-Location", "/films?offset=9"),
        ("Preference-Applied", "count=exact"),
        ("Vary", "Accept, Prefer, Range"),
        ("Content-Type", "application/json; charset=utf-8"),
    ] {
        assert_eq!(beyond.header(name).as_deref(), Some(value), "{name}");
    }
    let beyond = service.ask("GET", "/rpc/films_of?d=1&offset=9", &[("Prefer", "count=exact")], "");
    assert_eq!((beyond.status, beyond.header("Preference-Applied").as_deref()), (416, Some("count=exact")));
}

/// Rows that are all on the page are not looked for twice, and groups count as what they are: rows of the answer.
#[test]
fn groups_are_counted_where_the_page_has_all() {
    let database = Database::new();
    let service = Service::over(&database, &[("DB_AGGREGATES_ENABLED", "true")]);
    let count = |path: &str| service.ask("GET", path, &[("Prefer", "count=exact")], "");
    let range = |reply: &Reply| (reply.status, reply.header("content-range"));
    assert_eq!(range(&count("/films?select=count()")), (200, Some("0-0/1".to_owned())));
    assert_eq!(range(&count("/films?select=count()&limit=5")), (206, Some("0-0/3".to_owned())));
    assert_eq!(range(&count("/films?id=eq.0")), (200, Some("*/0".to_owned())));
}

/// Whatever the address, its query string must be one.
#[test]
fn query_strings_are_read_where_they_mean_nothing() {
    let database = Database::new();
    let service = Service::over(&database, &[]);
    for (method, path) in [("GET", "/?a=b"), ("OPTIONS", "/films?a=b"), ("DELETE", "/films?columns=&id=eq.0")] {
        assert_eq!(service.ask(method, path, &[], "").json()["code"], "PGRST100", "{method} {path}");
    }
}
