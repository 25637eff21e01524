//! What PostgREST's documentation and the list of its changes say in passing, and clients rely on all the same.

use crate::support::{Database, Reply, Service};

const JSON: (&str, &str) = ("Content-Type", "application/json");

#[track_caller]
fn told(reply: &Reply, status: u16, code: &str, message: &str) {
    let body = reply.json();
    assert_eq!((reply.status, body["code"].as_str(), body["message"].as_str()), (status, Some(code), Some(message)));
}

/// The documentation of `url-use-legacy-target-names`.
#[test]
fn embeds_that_are_called_by_their_targets_are_told_of_once_each() {
    let database = Database::new();
    let service = Service::over(&database, &[]);
    let reply = service.get(
        "/directors?select=name,all:films(title,by:directors(name))&films.order=title&all.directors.name=eq.x&films.limit=1",
    );
    assert_eq!(reply.status, 200, "{reply:?}");
    let expected = "299 PostgRESTv16.1 \"Embedded resource was referenced by relation name even though it has an alias. This \
                    is deprecated and will stop working in a future release. Update `films` to `all`, `directors` to `by` \
                    in query string filters, orders or limits.\"";
    assert_eq!(reply.header("Warning").as_deref(), Some(expected));
    let named = service.get("/directors?select=name,all:films(title)&all.order=title");
    assert_eq!((named.status, named.header("Warning")), (200, None));

    let service = Service::over(&database, &[("URL_USE_LEGACY_TARGET_NAMES", "false")]);
    let refused = service.get("/directors?select=name,all:films(title)&films.order=title");
    told(&refused, 400, "PGRST108", "'films' is not an embedded resource in this request");
    assert_eq!(refused.json()["details"], "Target names are not allowed in filters if they have an alias");
    assert_eq!(refused.json()["hint"], "Change 'films' to 'all' in filters, orders or limits.");
}

/// Every parser tells what it could have gone on with.
#[test]
fn query_strings_that_do_not_parse_are_told_of_as_postgrest_does() {
    let database = Database::new();
    let service = Service::over(&database, &[]);
    let reply = service.get("/films?or=(title.ilike.%25a,b%25,title.ilike.%25a,b%25)");
    let message = "\"failed to parse logic tree ((title.ilike.%a,b%,title.ilike.%a,b%))\" (line 1, column 20)";
    told(&reply, 400, "PGRST100", message);
    let details = "unexpected \"%\" expecting letter, digit, \"-\", \"->>\", \"->\" or delimiter (.)";
    assert_eq!(reply.json()["details"], details);
    assert_eq!(reply.json()["hint"], serde_json::Value::Null);
    let reply = service.get("/films?select=id,directors(name[])");
    told(&reply, 400, "PGRST100", "\"failed to parse select parameter (id,directors(name[]))\" (line 1, column 18)");
    let follows = "letter, digit, \"-\", \"->>\", \"->\", \"::\", \".\", \")\", \",\" or end of input";
    assert_eq!(reply.json()["details"], format!("unexpected '[' expecting {follows}"));
    let reply = service.get("/films?select=count(*)");
    told(&reply, 400, "PGRST100", "\"failed to parse select parameter (count(*))\" (line 1, column 6)");
    assert_eq!(reply.json()["details"], format!("unexpected '(' expecting {follows}"));
}

#[test]
fn functions_of_bare_records_and_scalars_answer_in_every_form() {
    let database = Database::new();
    database.run(
        "CREATE FUNCTION api.bare() RETURNS record LANGUAGE sql STABLE AS 'SELECT id, title FROM api.films WHERE id = 1';
         CREATE FUNCTION api.bares(above int) RETURNS SETOF record LANGUAGE sql STABLE AS 'SELECT id FROM api.films WHERE id > above';
         CREATE FUNCTION api.numbers() RETURNS SETOF int LANGUAGE sql STABLE AS 'VALUES (1), (2)';
         GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA api TO pgrst_test_anon;",
    );
    let service = Service::over(&database, &[]);
    assert_eq!(service.get("/rpc/bare").body, r#"{"id":1,"title":"Ran"}"#);
    let several = service.ask("POST", "/rpc/bares", &[JSON], "{\"above\":1}");
    assert_eq!(several.body.replace([' ', '\n'], ""), r#"[{"id":2},{"id":3}]"#, "{several:?}");
    assert_eq!(service.get("/rpc/bares?above=2").body, r#"[{"id":3}]"#);
    let csv = |path: &str| service.ask("GET", path, &[("Accept", "text/csv")], "");
    assert_eq!(csv("/rpc/numbers").body, "pgrst_scalar\n1\n2");
    assert_eq!(csv("/rpc/add?a=1&b=2").body, "pgrst_scalar\n3");
    assert_eq!(csv("/rpc/nothing").status, 204);
}

#[test]
fn members_that_are_null_are_left_out_of_whatever_a_function_gives() {
    let database = Database::new();
    database.run(
        "CREATE FUNCTION api.thin() RETURNS json IMMUTABLE LANGUAGE sql AS $$ SELECT '{\"a\":null,\"b\":1}'::json $$;
         CREATE FUNCTION api.thins() RETURNS SETOF json IMMUTABLE LANGUAGE sql AS $$ SELECT '{\"a\":null,\"b\":1}'::json $$;
         CREATE FUNCTION api.pair(OUT a int, OUT b int) IMMUTABLE LANGUAGE sql AS 'SELECT NULL::int, 1';
         GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA api TO pgrst_test_anon;",
    );
    let service = Service::over(&database, &[]);
    let stripped = |kind: &str, path: &str| {
        let accept = format!("application/vnd.pgrst.{kind}+json;nulls=stripped");
        let reply = service.ask("GET", path, &[("Accept", &accept)], "");
        assert_eq!(reply.header("Content-Type").as_deref(), Some(&*format!("{accept}; charset=utf-8")));
        reply.body
    };
    assert_eq!(stripped("array", "/rpc/thin"), r#"{"b":1}"#);
    assert_eq!(stripped("object", "/rpc/thin"), r#"{"b":1}"#);
    assert_eq!(stripped("array", "/rpc/thins"), r#"[{"b":1}]"#);
    assert_eq!(stripped("array", "/rpc/pair"), r#"{"b":1}"#);
    assert_eq!(stripped("object", "/rpc/pair"), r#"{"b":1}"#);
    assert_eq!(stripped("object", "/rpc/thins"), r#"{"pgrst_scalar":{"b":1}}"#);
}

/// With `columns` nobody but the server looks into the body.
#[test]
fn bodies_whose_columns_are_named_are_read_by_the_server() {
    let database = Database::new();
    let service = Service::over(&database, &[]);
    let told_by_server = service.ask("POST", "/films?columns=title", &[JSON], "nonsense");
    told(&told_by_server, 400, "22P02", "invalid input syntax for type json");
    assert_eq!(told_by_server.json()["details"], "Token \"nonsense\" is invalid.");
    let scalar = service.ask("POST", "/films?columns=title", &[JSON], "\"x\"");
    told(&scalar, 400, "22023", "cannot call json_to_recordset on a scalar");
    told(&service.ask("POST", "/films", &[JSON], "nonsense"), 400, "PGRST102", "Empty or invalid json");
    let csv = service.ask("POST", "/films", &[("Content-Type", "text/csv"), ("Content-Length", "0")], "");
    assert_eq!((csv.status, csv.json()["code"].as_str()), (400, Some("PGRST102")));
}

/// rest.md 10.
#[test]
fn hours_of_a_time_zone_without_a_sign_are_to_the_east() {
    let database = Database::new();
    database.run(
        "CREATE VIEW api.moments AS SELECT '2020-01-01T00:00:00Z'::timestamptz AS at;
         GRANT SELECT ON api.moments TO pgrst_test_anon;",
    );
    let service = Service::over(&database, &[]);
    let at = |zone: &str| {
        let reply = service.ask("GET", "/moments", &[("Prefer", &format!("timezone={zone}"))], "");
        assert_eq!(reply.header("Preference-Applied"), Some(format!("timezone={zone}")));
        reply.body
    };
    assert_eq!(at("05:30"), r#"[{"at":"2020-01-01T05:30:00+05:30"}]"#);
    assert_eq!(at("+05:30"), r#"[{"at":"2019-12-31T18:30:00-05:30"}]"#);
    assert_eq!(at("Asia/Tokyo"), r#"[{"at":"2020-01-01T09:00:00+09:00"}]"#);
}

/// PostgREST's issue 4245: nobody but the server knows whether there is PostGIS.
#[test]
fn features_are_made_by_postgis_alone() {
    let database = Database::new();
    let service = Service::over(&database, &[]);
    let reply = service.ask("GET", "/films", &[("Accept", "application/geo+json")], "");
    told(&reply, 404, "42883", "function st_asgeojson(record) does not exist");
}

/// rest.md 11.4.
#[test]
fn a_merge_of_no_rows_makes_none() {
    let database = Database::new();
    let service = Service::over(&database, &[]);
    let merged = |path: &str, rows: &str| {
        service.ask(
            "POST",
            path,
            &[JSON, ("Prefer", "resolution=merge-duplicates"), ("Content-Profile", "other")],
            rows,
        )
    };
    assert_eq!((merged("/things", "[]").status, merged("/things", "[{\"a\":2}]").status), (200, 201));
}

/// Two changes of PostgREST 12.2.3 and 13.0.6.
#[test]
fn the_root_document_says_of_filters_and_preferences_what_tools_take() {
    let database = Database::new();
    let service = Service::over(&database, &[]);
    let parameters = &service.get("/").json()["parameters"];
    let filter = serde_json::json!({ "name": "title", "required": false, "in": "query", "type": "string" });
    assert_eq!(parameters["rowFilter.films.title"], filter);
    assert!(parameters["preferParams"].get("enum").is_none() && parameters["preferPost"].get("enum").is_some());
}
