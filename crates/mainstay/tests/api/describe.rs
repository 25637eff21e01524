//! What the API tells of itself: the description at the root (rest.md 18) and the reference in the browser.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mainstay_http::{Description, Reference, Scope};
use serde_json::Value;

use crate::app::{Ask, PUBLISHABLE, SECRET, TestApp, ask, get, post};
use crate::functions;

const FORM: &str = "application/x-www-form-urlencoded";

const SHELVES: &str = r#"
[books]
description = "What is read."

[books.fields]
id      = { type = "int", primary = true, default = "sequence" }
title   = { type = "text", min = 1, max = 40 }
owner   = { ref = "readers", optional = true }
"a b"  = { type = "text", optional = true }

[books.access]
read = true

[readers.fields]
id    = { type = "int", primary = true }
email = { type = "text", format = "email" }

[wishes.fields]
id   = { type = "uuid", primary = true, default = "uuid7" }
text = { type = "text", max = 100 }

[wishes.access]
create = true

[titles]
view = "SELECT title FROM books"

[titles.fields]
title = "text"

[titles.access]
read = true
"#;

fn told(scope: Scope, reference: Reference) -> Description {
    Description { scope, reference, ..Description::default() }
}

async fn shelves() -> TestApp {
    TestApp::describing(SHELVES, Description::default()).await
}

async fn document(app: &TestApp, ask: crate::app::Ask) -> Value {
    let reply = app.send(ask).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    serde_json::from_str(&reply.body).unwrap()
}

/// The methods of each path.
fn paths(document: &Value) -> Vec<String> {
    let paths = document["paths"].as_object().unwrap().iter();
    let methods = paths.flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |m| format!("{m} {path}")));
    methods.collect()
}

#[tokio::test]
async fn the_root_describes_the_api_in_openapi_3_1() {
    let app = shelves().await;
    let reply = app.send(get("")).await;
    assert_eq!(reply.header("content-type"), "application/openapi+json; charset=utf-8", "rest.md 18");
    let document: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"][0]["url"], "/rest/v1");
    let books = &document["components"]["schemas"]["books_insert"];
    assert_eq!(books["required"], serde_json::json!(["title"]));
    let change = &document["components"]["schemas"]["books_update"];
    assert_eq!((&change["additionalProperties"], &change["required"]), (&Value::Bool(false), &Value::Null));
    assert_eq!(books["properties"]["title"]["maxLength"], 40);
    assert_eq!(books["properties"]["owner"]["type"], serde_json::json!(["integer", "null"]));
    let view = &document["components"]["schemas"]["titles"]["properties"]["title"];
    assert_eq!(view["readOnly"], true);
    let quoted = &document["components"]["parameters"]["filter.books.3.a_b"];
    assert_eq!(quoted["name"], "a b");
}

#[tokio::test]
async fn every_reference_inside_a_description_leads_somewhere_and_every_operation_is_named_once() {
    let app = shelves().await;
    for ask in [get(""), get("").anon()] {
        let document = document(&app, ask).await;
        let mut names = Vec::new();
        walk(&document, &mut |name, value| {
            if name == "$ref" {
                let pointer = value.as_str().unwrap().strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{pointer}");
            }
            if name == "operationId" {
                names.push(value.to_string());
            }
        });
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}

fn walk(value: &Value, visit: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                visit(name, value);
                walk(value, visit);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        _ => {}
    }
}

#[tokio::test]
async fn what_the_reader_may_not_touch_leaves_no_trace() {
    let app = shelves().await;
    let reply = app.send(get("").anon()).await;
    let document: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(
        paths(&document),
        [
            "get /",
            "post /batch",
            "get /books",
            "post /books/query",
            "get /titles",
            "post /titles/query",
            "post /wishes"
        ]
    );
    for hidden in ["readers", "email", "PATCH", "_mainstay", "update_books", "books_insert"] {
        assert!(!reply.body.contains(hidden), "{hidden}");
    }
    // Who may only insert sees what to insert, and no rows.
    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert!(schemas.contains_key("wishes_insert") && !schemas.contains_key("wishes"));

    let all = app.send(get("")).await.body;
    assert!(all.contains("readers") && all.contains("update_books") && !all.contains("_mainstay"));
}

#[tokio::test]
async fn the_setting_shows_everything_or_nothing() {
    let app = TestApp::describing(SHELVES, told(Scope::Everything, Reference::Secret)).await;
    let paths = paths(&document(&app, get("").anon()).await);
    assert!(paths.contains(&"delete /readers".to_owned()), "{paths:?}");

    let app = TestApp::describing(SHELVES, told(Scope::Off, Reference::Open)).await;
    let reply = app.send(get("")).await;
    assert_eq!((reply.status, reply.code().as_str()), (404, "PGRST126"), "rest.md 18");
    assert_eq!(app.send(get("/_/api")).await.status, 404);
}

#[tokio::test]
async fn the_root_gives_what_is_accepted_or_406() {
    let app = shelves().await;
    for accepted in ["application/openapi+json", "application/json", "*/*", "text/html, */*;q=0.1"] {
        assert_eq!(app.send(get("").header("accept", accepted)).await.status, 200, "{accepted}");
    }
    for refused in ["text/html", "text/csv", "application/vnd.pgrst.object+json"] {
        let reply = app.send(get("").header("accept", refused)).await;
        assert_eq!((reply.status, reply.code().as_str()), (406, "PGRST107"), "rest.md 18: {refused}");
    }
    let head = app.send(ask("HEAD", "")).await;
    assert_eq!((head.status, head.body.as_str(), head.header("content-length")), (200, "", ""));
    let options = app.send(ask("OPTIONS", "")).await;
    assert_eq!((options.status, options.header("allow")), (200, "OPTIONS,GET,HEAD"), "rest.md 17");
    let post = app.send(ask("POST", "")).await;
    assert_eq!((post.status, post.code().as_str()), (405, "PGRST117"), "rest.md 1");
}

#[tokio::test]
async fn a_description_follows_the_schema() {
    let app = shelves().await;
    assert!(app.send(get("")).await.body.contains("/books"));
    app.app().engine().replace_schema(crate::app::schema());
    let body = app.send(get("")).await.body;
    assert!(!body.contains("/books") && body.contains("/toys"));
}

#[tokio::test]
async fn a_browser_shows_the_secret_key_as_a_password() {
    let app = shelves().await;
    let with = |key: &str| get("/_/api").keyless().header("authorization", format!("Basic {}", STANDARD.encode(key)));
    assert_eq!(app.send(with(&format!("me:{SECRET}"))).await.status, 200);
    for wrong in [format!("me:{PUBLISHABLE}"), "me:x".to_owned(), SECRET.to_owned()] {
        let reply = app.send(with(&wrong)).await;
        assert_eq!(reply.status, 401, "{wrong}");
        assert!(reply.header("www-authenticate").starts_with("Basic realm="), "or a browser would not ask again");
    }
    let rows =
        app.send(get("books").keyless().header("authorization", format!("Basic {}", STANDARD.encode(SECRET)))).await;
    assert_eq!(rows.status, 401, "rows are never had by a password that a browser sends by itself");
}

#[tokio::test]
async fn the_reference_runs_nothing_but_its_own_files_and_is_read_by_no_other_page() {
    let app = TestApp::describing(SHELVES, told(Scope::Follow, Reference::Open)).await;
    let page = app.send(get("/_/api").keyless().header("origin", "https://elsewhere.example")).await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    let policy = page.header("content-security-policy");
    for part in ["default-src 'none'", "script-src 'self'", "trusted-types 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert_eq!(page.header("access-control-allow-origin"), "");
    assert!(!page.body.contains("<script>") && !page.body.contains("style=") && !page.body.contains("onclick"));
    // The files are for everybody, the description is for who has a key.
    assert_eq!(
        app.send(get("/_/api/settings.json").keyless()).await.body,
        r#"{"project":"Mainstay","key":null,"described":false}"#
    );
    assert_eq!(app.send(get("/_/api/openapi.json").keyless()).await.status, 401);
    let opened = app.send(get("/_/api/openapi.json").anon()).await;
    assert!(opened.status == 200 && !opened.body.contains("readers"));
}

#[tokio::test]
async fn while_developing_only_this_machine_by_its_own_name_needs_no_key() {
    let app = TestApp::describing(SHELVES, told(Scope::Follow, Reference::Development)).await;
    let by = |host: &str, url: &str| get(url).keyless().named(host);
    let settings = app.send(by("127.0.0.1:8080", "/_/api/settings.json")).await;
    assert!(settings.body.contains(PUBLISHABLE) && !settings.body.contains(SECRET), "{}", settings.body);
    assert!(app.send(by("localhost:8080", "/_/api/openapi.json")).await.body.contains("readers"));
    for host in ["attacker.example", "127.0.0.1.attacker.example"] {
        assert_eq!(app.send(by(host, "/_/api/settings.json")).await.status, 401, "{host}");
    }
}

/// rest.md 18: functions in the description, each with what it takes and gives, and only those that the reader may call.
#[tokio::test]
async fn functions_are_described_to_those_who_may_call_them() {
    let app = functions::app().await;
    let described = async |ask: Ask| -> serde_json::Value { serde_json::from_str(&app.send(ask).await.body).unwrap() };
    let anon = described(get("").anon()).await;
    let all = described(get("")).await;
    assert!(anon["paths"]["/rpc/closed"].is_null() && !all["paths"]["/rpc/closed"].is_null());
    assert!(all["paths"]["/rpc/rename"]["get"].is_null(), "what writes is called by POST alone");

    let arguments = &anon["components"]["schemas"]["add_arguments"];
    assert_eq!(arguments["required"], serde_json::json!(["a"]));
    assert_eq!(
        (&arguments["properties"]["b"]["default"], &arguments["additionalProperties"]),
        (&10.into(), &false.into())
    );
    let parameters = anon["paths"]["/rpc/add"]["get"]["parameters"].as_array().unwrap();
    assert_eq!((&parameters[0]["name"], &parameters[0]["required"]), (&"a".into(), &true.into()));
    assert_eq!((&parameters[1]["name"], &parameters[1]["required"]), (&"b".into(), &false.into()));

    let answer = |name: &str, status: &str| {
        anon["paths"][format!("/rpc/{name}")]["post"]["responses"][status]["content"]["application/json"]["schema"]
            .clone()
    };
    assert_eq!(answer("add", "200")["type"], serde_json::json!(["integer", "null"]));
    assert_eq!(answer("names", "200")["items"]["type"], serde_json::json!(["string", "null"]));
    assert_eq!(answer("cheap", "206")["items"]["$ref"], "#/components/schemas/toys");
    assert_eq!(answer("stats", "200")["items"]["$ref"], "#/components/schemas/stats_result");
    assert_eq!(answer("dearest", "200")["anyOf"][1]["type"], "null");
    let over = &anon["paths"]["/rpc/over"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(over["anyOf"].as_array().map(Vec::len), Some(2));
    let whole = |name: &str| &anon["paths"][format!("/rpc/{name}")]["post"]["requestBody"]["content"];
    assert!(whole("shout")["text/plain"].is_object() && whole("octets")["application/octet-stream"].is_object());
    let forget = &all["paths"]["/rpc/forget"]["post"]["responses"];
    assert!(forget["200"].is_null() && forget["204"].is_object());
}

/// rest.md 11.1, 12: what the description says of bodies and answers is what is taken and given.
#[tokio::test]
async fn every_form_that_is_described_is_taken_and_given() {
    for app in [shelves().await, functions::app().await] {
        let described = document(&app, get("")).await;
        let mut forms = 0;
        for (path, item) in described["paths"].as_object().unwrap() {
            if path == "/batch" || path.contains("runaway") {
                continue;
            }
            for (method, operation) in item.as_object().unwrap() {
                let asked = || ask(&method.to_uppercase(), path.trim_start_matches('/'));
                let names = |content: &Value| -> Vec<String> {
                    content.as_object().map(|content| content.keys().cloned().collect()).unwrap_or_default()
                };
                for form in names(&operation["requestBody"]["content"]) {
                    let reply = app.send(asked().header("content-type", &form).body("%")).await;
                    let named = format!("{method} {path}, {form}: {} {}", reply.status, reply.body);
                    assert!(!reply.body.contains("Content-Type not acceptable"), "{named}");
                    forms += 1;
                }
                for form in names(&operation["responses"]["200"]["content"]) {
                    let reply = app.send(asked().header("accept", &form)).await;
                    let given = reply.header("content-type");
                    let is_given = given.starts_with(&form) || (reply.status >= 400 && reply.code() != "PGRST107");
                    assert!(is_given || given.is_empty(), "{method} {path}, {form}: {} {given}", reply.status);
                    forms += 1;
                }
            }
        }
        assert!(forms > 50, "{forms}");
    }
}

/// rest.md 11: the bodies of writes, by the names that readers of the description look for.
#[tokio::test]
async fn writes_are_described_in_every_form() {
    let app = shelves().await;
    let described = document(&app, get("")).await;
    let content = |method: &str| described["paths"]["/books"][method]["requestBody"]["content"].clone();
    for method in ["post", "put", "patch"] {
        for form in ["text/csv", "application/x-ndjson", "application/jsonl", "application/xml"] {
            assert_eq!(content(method)[form]["schema"]["type"], "string", "{method} {form}");
        }
    }
    let form = &content("post")[FORM]["schema"];
    assert_eq!((&form["required"], &form["propertyNames"]["enum"][3]), (&serde_json::json!(["title"]), &"a b".into()));
    let rows = &content("patch")["application/json"]["schema"]["oneOf"];
    assert_eq!(rows[1]["items"]["$ref"], "#/components/schemas/books_update");
    let parameters = described["paths"]["/books"]["patch"]["parameters"].to_string();
    assert!(parameters.contains("parameters/columns") && parameters.contains("parameters/on_conflict"));
    let single = &described["paths"]["/books"]["get"]["responses"]["200"]["content"];
    assert!(single["application/vnd.pgrst.object+xml"].is_object());
}

/// rest.md 13: forms and `columns` for calls, and their queries in bodies.
#[tokio::test]
async fn calls_by_forms_and_by_queries_are_described() {
    let app = functions::app().await;
    let described = document(&app, get("")).await;
    let call = |name: &str| &described["paths"][format!("/rpc/{name}")]["post"];
    let form = |operation: &Value| operation["requestBody"]["content"][FORM].clone();
    assert_eq!(form(call("add"))["schema"]["$ref"], "#/components/schemas/add_arguments");
    assert!(form(call("shout")).is_null() && form(call("closed")).is_null());
    let takes_columns = |name: &str| call(name)["parameters"].to_string().contains("parameters/columns");
    assert!(takes_columns("add") && !takes_columns("shout") && !takes_columns("closed"));

    let asked = |name: &str| &described["paths"][format!("/rpc/{name}/query")]["post"];
    let add = &form(asked("add"))["schema"];
    assert_eq!((&add["required"], &add["properties"]["b"]["default"]), (&serde_json::json!(["a"]), &10.into()));
    let cheap = form(asked("cheap"))["schema"]["properties"].clone();
    for name in ["most", "select", "order", "limit", "offset", "price", "and", "or"] {
        assert!(cheap[name].is_object(), "{name}");
    }
    assert!(asked("rename").is_null() && asked("shout").is_null(), "what no URL calls has no such path");

    let reply =
        app.send(post("rpc/cheap/query", "most=10&select=id&limit=1").header("content-type", FORM).anon()).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}
