//! Where settings come from and what they change (rest.md 19, 20).

use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Database, JWT_SECRET, Service, bearer, command};

#[test]
fn a_file_is_read_checked_and_printed_without_its_secrets() {
    let database = Database::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("postgrest.conf");
    let text = format!(
        "# ours\ndb-uri = \"{}\"\ndb-schema = \"api\"\ndb-anon-role = \"pgrst_test_anon\"\njwt-secret = \"@{}\"\nserver-tls = true\n\
         raw-media-types = \"image/png\"\n",
        database.door(),
        folder.path().join("secret").display()
    );
    std::fs::write(&file, text).unwrap();
    std::fs::write(folder.path().join("secret"), format!("{JWT_SECRET}\n")).unwrap();
    let name = database_name(&database);
    database.run(&format!("ALTER ROLE pgrst_test_door IN DATABASE {name} SET pgrst.db_max_rows = '1'"));
    let printed = command(&["serve", "--check", "--from-postgrest", file.to_str().unwrap()]).output().unwrap();
    let (out, errors) = (String::from_utf8(printed.stdout).unwrap(), String::from_utf8(printed.stderr).unwrap());
    assert!(printed.status.success(), "{out}{errors}");
    assert!(out.contains("db-schemas = \"api\"\n") && out.contains("db-uri = \"[hidden]\"\n"), "{out}");
    assert!(out.contains("db-max-rows = \"1\"\n"), "what the database says counts: {out}");
    assert!(
        errors.contains("server-tls is not a setting that is known")
            && errors.contains("raw-media-types has no effect"),
        "{errors}"
    );
    assert!(!out.contains("sesame") && !errors.contains("sesame") && !out.contains(JWT_SECRET), "{out}{errors}");

    let mut serve = command(&["serve", "--listen", "127.0.0.1:0", "--from-postgrest", file.to_str().unwrap()]);
    serve.env("PGRST_CLIENT_ERROR_VERBOSITY", "minimal");
    let service = Service::start(serve, false);
    service.waits_until_ready("/films");
    assert_eq!(service.get("/films?select=id&order=id").body, "[{\"id\":1}]");
    assert_eq!(
        service.get("/none").body,
        r#"{"code":"PGRST205","message":"Could not find the table 'api.none' in the schema cache"}"#
    );
    let user = bearer(r#"{"role":"pgrst_test_user","sub":"ann"}"#);
    assert_eq!(service.ask("GET", "/secrets?select=id", &[("Authorization", &user)], "").body, "[{\"id\":1}]");
}

fn database_name(database: &Database) -> String {
    database.url().split_once('?').unwrap().0.rsplit_once('/').unwrap().1.to_owned()
}

#[test]
fn what_is_wrong_is_told_and_nothing_is_served() {
    let mut serve = command(&["serve", "--from-postgrest"]);
    serve.env("PGRST_JWT_SECRET", "sesame").env("PGRST_DB_TX_END", "sometimes");
    let printed = serve.output().unwrap();
    let errors = String::from_utf8(printed.stderr).unwrap();
    assert_eq!(printed.status.code(), Some(2), "{errors}");
    assert!(
        errors.contains("jwt-secret must be at least 32 characters long")
            && errors.contains("db-tx-end must be one of"),
        "{errors}"
    );
    assert!(!errors.contains("sesame"), "{errors}");
}

#[test]
fn what_the_database_says_wrongly_ends_the_start() {
    let database = Database::new();
    let name = database_name(&database);
    database.run(&format!("ALTER ROLE pgrst_test_door IN DATABASE {name} SET pgrst.db_tx_end = 'sometimes'"));
    let mut serve = command(&["serve", "--from-postgrest", "--listen", "127.0.0.1:0"]);
    let printed = serve.env("PGRST_DB_URI", database.door()).output().unwrap();
    let errors = String::from_utf8(printed.stderr).unwrap();
    assert_eq!(printed.status.code(), Some(2), "{errors}");
    assert!(errors.contains("db-tx-end must be one of commit"), "{errors}");
}

#[test]
fn options_of_projects_are_not_passed_over() {
    let printed = command(&["serve", "--from-postgrest", "--set", "server.port=1"]).output().unwrap();
    assert_eq!(printed.status.code(), Some(2));
    assert!(String::from_utf8(printed.stderr).unwrap().contains("--set and --store are for projects"));
}

#[test]
fn the_database_says_when_to_look_again() {
    let database = Database::new();
    let service = Service::over(&database, &[]);
    assert_eq!(service.get("/later").status, 404);
    database.run(&format!(
        "CREATE TABLE api.later AS SELECT 1 AS a; GRANT SELECT ON api.later TO pgrst_test_anon;
         ALTER ROLE pgrst_test_door IN DATABASE {} SET pgrst.db_schemas = 'api'; NOTIFY pgrst",
        database_name(&database)
    ));
    let end = Instant::now() + Duration::from_secs(30);
    while service.get("/later").status != 200 {
        assert!(Instant::now() < end, "the catalog is read anew");
        thread::sleep(Duration::from_millis(20));
    }
    let gone = service.ask("GET", "/things", &[("Accept-Profile", "other")], "");
    assert_eq!(gone.json()["hint"], "Only the following schemas are exposed: api");
}

#[test]
fn headers_of_answers_follow_the_settings() {
    let database = Database::new();
    let settings = [
        ("SERVER_TIMING_ENABLED", "true"),
        ("SERVER_TRACE_HEADER", "X-Trace"),
        ("SERVER_CORS_ALLOWED_ORIGINS", "http://a.example, http://b.example"),
        ("DB_SCHEMAS", "api"),
    ];
    let service = Service::over(&database, &settings);
    let reply = service.ask("GET", "/films", &[("X-Trace", "7"), ("Origin", "http://b.example")], "");
    assert_eq!(reply.header("X-Trace").as_deref(), Some("7"));
    assert_eq!(reply.header("Access-Control-Allow-Origin").as_deref(), Some("http://b.example"));
    assert_eq!(reply.header("Access-Control-Allow-Credentials").as_deref(), Some("true"));
    assert_eq!(reply.header("Content-Profile"), None, "there is one schema, and none was asked for");
    let timing = reply.header("Server-Timing").unwrap();
    let stages: Vec<&str> = timing.split(", ").map(|stage| stage.split_once(";dur=").unwrap().0).collect();
    let all = ["jwt", "parse", "plan", "transaction", "response"];
    assert_eq!(stages, all);
    let timing = service.ask("OPTIONS", "/films", &[], "").header("Server-Timing").unwrap();
    assert!(all.iter().all(|stage| timing.contains(stage)), "{timing}");
    let reply = service.ask("GET", "/nothing", &[("Origin", "http://c.example")], "");
    assert_eq!((reply.header("X-Trace").as_deref(), reply.header("Access-Control-Allow-Origin")), (Some(""), None));
    assert_eq!(reply.header("Server-Timing"), None, "it was refused before there was an answer");
    assert!(reply.header("Server").unwrap().starts_with("postgrest/"));
    let beyond = service.ask("GET", "/films?offset=9", &[("Prefer", "count=exact")], "");
    assert_eq!((beyond.status, beyond.header("Server-Timing").is_some()), (416, true), "the rows were read");
    let preflight = |origin| [("Origin", origin), ("Access-Control-Request-Method", "POST"), ("X-Trace", "8")];
    let allowed = service.ask("OPTIONS", "/films", &preflight("http://a.example"), "");
    assert_eq!(allowed.header("Access-Control-Allow-Origin").as_deref(), Some("http://a.example"));
    assert_eq!(
        (allowed.header("X-Trace").as_deref(), allowed.header("Access-Control-Allow-Headers")),
        (Some("8"), None)
    );
    // A preflight of a page that may not call is a question like any other, whose answer allows no method.
    let refused = service.ask("OPTIONS", "/films", &preflight("http://c.example"), "");
    assert_eq!((refused.status, refused.header("Access-Control-Allow-Methods")), (200, None));
    assert_eq!(refused.header("Access-Control-Allow-Origin").as_deref(), Some("*"));
    assert!(refused.header("Allow").is_some());
}

#[test]
fn the_admin_server_tells_how_things_stand() {
    let database = Database::new();
    let service = Service::over(&database, &[]);
    assert_eq!((service.admin("/live").status, service.admin("/ready").status), (200, 200));
    assert_eq!((service.admin("/live").body.as_str(), service.admin("/other").status), ("", 404));
    let metrics = service.admin("/metrics");
    assert!(metrics.header("Content-Type").unwrap().starts_with("text/plain"));
    for line in [
        "pgrst_schema_cache_loads_total{status=\"SUCCESS\"} ",
        "pgrst_db_pool_max 10\n",
        "pgrst_jwt_cache_requests_total 0\n",
    ] {
        assert!(metrics.body.contains(line), "{}", metrics.body);
    }
    assert_eq!(service.admin("/config").status, 404, "what counts is shown by --check");
    let cache = service.admin("/schema_cache").json();
    let tables = cache["dbTables"].as_array().unwrap();
    assert!(tables.iter().any(|table| table[0]["qiName"] == "films" && table[1]["tablePKCols"][0] == "id"), "{cache}");
}

#[test]
fn the_root_is_a_document_or_a_function_or_nothing() {
    let database = Database::new();
    let service = Service::over(&database, &[]);
    let root = service.get("/");
    database.run("COMMENT ON SCHEMA other IS 'one line'");
    assert_eq!(root.header("Content-Type").as_deref(), Some("application/openapi+json; charset=utf-8"));
    let document = root.json();
    assert_eq!((&document["swagger"], &document["info"]["title"]), (&"2.0".into(), &"Films".into()));
    assert!(
        document["paths"]["/films"].is_object() && document["paths"]["/secrets"].is_null(),
        "what the role may use"
    );
    assert_eq!(service.ask("GET", "/", &[("Accept", "text/csv")], "").status, 406);
    let service = Service::over(&database, &[]);
    let info = service.ask("GET", "/", &[("Accept-Profile", "other")], "").json()["info"].clone();
    assert_eq!((&info["title"], &info["description"]), (&"one line".into(), &"".into()));
    database.run("CREATE FUNCTION api.root() RETURNS json LANGUAGE sql STABLE AS $$ SELECT '{\"own\":true}'::json $$");
    let service = Service::over(&database, &[("DB_ROOT_SPEC", "api.root")]);
    assert_eq!(service.get("/").json()["own"], true);
    let service = Service::over(&database, &[("OPENAPI_MODE", "disabled")]);
    assert_eq!(service.ask("POST", "/", &[], "").status, 404, "there is nothing to do anything with");
    assert_eq!((service.get("/").status, &service.get("/").json()["code"]), (404, &"PGRST126".into()));
}

#[cfg(unix)]
#[test]
fn a_socket_in_the_file_system_is_served() {
    use std::os::unix::fs::PermissionsExt;

    let database = Database::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("api.sock");
    let mut serve = command(&["serve", "--from-postgrest"]);
    serve
        .env("PGRST_DB_URI", database.door())
        .env("PGRST_DB_SCHEMAS", "api")
        .env("PGRST_DB_ANON_ROLE", "pgrst_test_anon");
    serve.env("PGRST_SERVER_UNIX_SOCKET", &path).env("PGRST_SERVER_UNIX_SOCKET_MODE", "600");
    let service = Service::start(serve, false);
    assert_eq!(service.address, path.display().to_string());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let stream = std::os::unix::net::UnixStream::connect(&path).unwrap();
        let reply = crate::support::talk(stream, "GET", "/films?select=id&id=eq.1", &[], "");
        if reply.status == 200 {
            assert_eq!(reply.body, "[{\"id\":1}]");
            return;
        }
        assert!(Instant::now() < end, "{reply:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// A signal that nobody listens for would end the process.
#[cfg(unix)]
#[test]
fn reloads_may_be_asked_for_before_there_is_a_database() {
    let mut serve = command(&["serve", "--from-postgrest", "--listen", "127.0.0.1:0"]);
    serve.env("PGRST_DB_URI", "postgres://nobody@127.0.0.1:1/none").env("PGRST_DB_ANON_ROLE", "nobody");
    let service = Service::start(serve, false);
    for signal in ["USR1", "USR2"] {
        service.signal(signal);
        thread::sleep(Duration::from_millis(100));
        assert_eq!(service.get("/films").status, 503, "{signal}");
    }
}
