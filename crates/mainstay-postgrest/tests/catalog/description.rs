//! The root document of the fixture (rest.md 18).

use mainstay_postgrest::catalog::{Catalog, ReadOptions, read};
use mainstay_postgrest::openapi::{About, Address, Allowed, allowed, document};
use mainstay_stores::postgres::{Access, Isolation, Pool};
use serde_json::{Value, json};

use super::support::{database, fixture, pool_of, run, session};

async fn catalog(pool: &Pool, schemas: &[&str]) -> Catalog {
    read(pool, &ReadOptions::of(schemas.iter().copied())).await.expect("it can be read")
}

fn described(catalog: &Catalog, allowed: Option<&Allowed>, security: bool) -> Value {
    let address = Address::of("!4", 3000);
    document(&About { catalog, schema: "api", allowed, security, address: &address, version: "16.1" })
}

async fn whole() -> Value {
    let pool = pool_of(fixture());
    let document = described(&catalog(&pool, &["api", "other"]).await, None, false);
    pool.close().await;
    document
}

#[tokio::test]
async fn the_document_tells_what_and_where_the_api_is() {
    let document = whole().await;
    let description = "Everything that\nis sold.";
    assert_eq!(document["info"], json!({ "title": "The shop", "description": description, "version": "16.1" }));
    assert_eq!(document["swagger"], "2.0");
    assert_eq!(document["host"], "0.0.0.0:3000");
    assert_eq!((&document["basePath"], &document["schemes"]), (&json!("/"), &json!(["http"])));
    let media = json!([
        "application/json",
        "application/vnd.pgrst.object+json;nulls=stripped",
        "application/vnd.pgrst.object+json",
        "text/csv"
    ]);
    assert_eq!((&document["consumes"], &document["produces"]), (&media, &media));
    assert_eq!(document["paths"]["/"]["get"]["tags"], json!(["Introspection"]));
    assert!(document.get("security").is_none() && document.get("securityDefinitions").is_none());
    let definitions = document["definitions"].as_object().expect("there are some");
    assert!(definitions.contains_key("clients") && !definitions.contains_key("shops"), "only of one schema");
}

#[tokio::test]
async fn a_relation_is_a_definition() {
    let document = whole().await;
    let definitions = &document["definitions"];
    assert_eq!(
        definitions["projects"],
        json!({
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": { "type": "integer", "format": "int32", "description": "Note:\nThis is a Primary Key.<pk/>" },
                "name": { "type": "string", "format": "text", "default": "new" },
                "client_id": {
                    "type": "integer", "format": "int32",
                    "description": "Note:\nThis is a Foreign Key to `clients.id`.<fk table='clients' column='id'/>",
                },
            },
        })
    );
    let clients = &definitions["clients"];
    assert_eq!(clients["description"], "Clients\nwho pay");
    assert_eq!(clients["properties"]["name"]["description"], "What they are called");
    let both =
        "Note:\nThis is a Primary Key.<pk/>\nThis is a Foreign Key to `clients.id`.<fk table='clients' column='id'/>";
    assert_eq!(definitions["passports"]["properties"]["client_id"]["description"], both);
    let kinds = &definitions["kinds"];
    assert_eq!(kinds["required"], json!(["id", "serial", "w", "is_on"]));
    for (column, expected) in [
        ("id", json!({ "type": "integer", "format": "int64" })),
        ("v", json!({ "type": "string", "format": "character varying", "maxLength": 7, "default": "x" })),
        ("n", json!({ "type": "number", "format": "numeric", "default": 1.5 })),
        ("m", json!({ "type": "string", "format": "api.mood", "default": "ok", "enum": ["sad", "ok", "happy"] })),
        ("ms", json!({ "type": "array", "format": "api.mood[]", "items": { "type": "string" } })),
        ("w", json!({ "type": "string", "format": "character varying", "maxLength": 8, "default": "none" })),
        ("is_on", json!({ "type": "boolean", "format": "boolean", "default": true })),
        ("at", json!({ "type": "string", "format": "timestamp with time zone", "default": "now()" })),
        ("j", json!({ "format": "jsonb" })),
    ] {
        assert_eq!(kinds["properties"][column], expected, "{column}");
    }
}

#[tokio::test]
async fn a_relation_is_a_path_with_parameters() {
    let document = whole().await;
    let path = document["paths"]["/clients"].as_object().expect("a path");
    assert_eq!(path.keys().collect::<Vec<_>>(), ["delete", "get", "patch", "post"]);
    let references = |method: &str| -> Vec<String> {
        let list = path[method]["parameters"].as_array().expect("a list");
        list.iter().map(|one| one["$ref"].as_str().expect("a reference").replace("#/parameters/", "")).collect()
    };
    let get = [
        "rowFilter.clients.id",
        "rowFilter.clients.name",
        "select",
        "order",
        "range",
        "rangeUnit",
        "offset",
        "limit",
        "preferCount",
    ];
    assert_eq!(references("get"), get);
    assert_eq!(references("post"), ["body.clients", "select", "preferPost"]);
    assert_eq!(references("patch"), ["rowFilter.clients.id", "rowFilter.clients.name", "body.clients", "preferReturn"]);
    assert_eq!(references("delete"), ["rowFilter.clients.id", "rowFilter.clients.name", "preferReturn"]);
    for method in path.keys() {
        for reference in references(method) {
            assert!(document["parameters"].get(&reference).is_some(), "{reference}");
        }
    }
    assert_eq!(path["get"]["summary"], "Clients");
    assert_eq!(path["get"]["description"], "who pay");
    let rows = json!({ "type": "array", "items": { "$ref": "#/definitions/clients" } });
    assert_eq!(path["get"]["responses"]["200"], json!({ "description": "OK", "schema": rows }));
    let names = |path: &str| document["paths"][path].as_object().expect(path).keys().cloned().collect::<Vec<_>>();
    assert_eq!(names("/everybody"), ["get"], "nobody can write there");
    assert_eq!(names("/written").len(), 4, "rows can be inserted");
    assert_eq!(
        document["parameters"]["rowFilter.clients.name"],
        json!({
            "name": "name", "description": "What they are called", "required": false, "in": "query", "type": "string",
        })
    );
    assert_eq!(
        document["parameters"]["body.clients"],
        json!({
            "name": "clients", "description": "clients", "required": false, "in": "body",
            "schema": { "$ref": "#/definitions/clients" },
        })
    );
}

#[tokio::test]
async fn a_function_is_a_path() {
    let document = whole().await;
    let add = &document["paths"]["/rpc/add"];
    assert_eq!(
        add["post"],
        json!({
            "tags": ["(rpc) add"],
            "summary": "Adds",
            "description": "two numbers",
            "produces": [
                "application/json", "application/vnd.pgrst.object+json;nulls=stripped", "application/vnd.pgrst.object+json"
            ],
            "parameters": [
                { "name": "args", "required": true, "in": "body", "schema": {
                    "type": "object",
                    "description": "Adds\n\ntwo numbers",
                    "required": ["a"],
                    "properties": {
                        "a": { "type": "integer", "format": "int32" },
                        "b": { "type": "integer", "format": "int32" },
                    },
                } },
                { "$ref": "#/parameters/preferParams" },
            ],
            "responses": { "200": { "description": "OK" } },
        })
    );
    assert_eq!(
        add["get"]["parameters"],
        json!([
            { "name": "a", "required": true, "in": "query", "type": "integer", "format": "int32" },
            { "name": "b", "required": false, "in": "query", "type": "integer", "format": "int32" },
        ])
    );
    assert!(document["paths"]["/rpc/slow"].get("get").is_none(), "it may write");
    assert!(document["paths"].get("/rpc/on_change").is_none());
}

#[tokio::test]
async fn a_role_is_told_of_what_it_may_use() {
    let pool = pool_of(&database("allowed").await);
    let role = format!("reader_{}", std::process::id());
    run(
        &pool,
        &format!(
            "CREATE ROLE {role}; CREATE SCHEMA api; GRANT USAGE ON SCHEMA api TO {role};
         CREATE TABLE api.shown (id int); CREATE TABLE api.hidden (id int); CREATE TABLE api.partly (a int, b int);
         GRANT DELETE ON api.shown TO {role}; GRANT SELECT (b) ON api.partly TO {role};
         CREATE FUNCTION api.open() RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE FUNCTION api.shut() RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE FUNCTION api.shut(a int) RETURNS int STABLE LANGUAGE sql AS 'SELECT 1';
         REVOKE EXECUTE ON FUNCTION api.shut() FROM public"
        ),
    )
    .await;
    let catalog = catalog(&pool, &["api"]).await;
    let mut session = session(&pool).await;
    session.begin_with(Access::Read, Isolation::ReadCommitted, vec![("role".to_owned(), role)]);
    let found = allowed(&mut session, "api").await.expect("it may ask");
    session.rollback().await.expect("it ends");
    drop(session); // Closing the pool waits for it.
    let document = described(&catalog, Some(&found), true);
    let keys = |part: &str| document[part].as_object().expect(part).keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys("definitions"), ["partly", "shown"]);
    assert_eq!(keys("paths"), ["/", "/partly", "/rpc/open", "/rpc/shut", "/shown"]);
    assert!(document["paths"]["/rpc/shut"].get("get").is_some(), "the one that may be called");
    assert_eq!(document["security"], json!([{ "JWT": [] }]));
    assert_eq!(document["securityDefinitions"]["JWT"]["name"], "Authorization");
    let all = described(&catalog, None, true);
    assert!(all["definitions"].get("hidden").is_some());
    pool.close().await;
}
