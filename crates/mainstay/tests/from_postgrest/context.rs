//! What SQL knows of its request, and how its transaction runs (rest.md 10, 15).

use crate::support::{Database, Service, bearer};

#[test]
fn sql_reads_the_request_from_settings() {
    let database = Database::new();
    let service = Service::over(&database, &[("APP_SETTINGS_GREETING", "hello"), ("DB_PRE_REQUEST", "public.checks")]);
    let headers =
        [("X-One", "a\"b"), ("Cookie", "a=1; b=x=y"), ("Authorization", &*bearer(r#"{"role":"pgrst_test_user"}"#))];
    let setting = |name: &str| {
        let reply = service.ask("GET", &format!("/rpc/setting?name={name}"), &headers, "");
        reply.json().as_str().unwrap_or_default().to_owned()
    };
    let sent: serde_json::Value = serde_json::from_str(&setting("request.headers")).unwrap();
    assert_eq!((&sent["x-one"], &sent["host"], sent.get("cookie")), (&"a\"b".into(), &"test".into(), None));
    assert_eq!(setting("request.cookies"), r#"{"a":"1","b":"x=y"}"#);
    assert_eq!((setting("request.method"), setting("request.path")), ("GET".to_owned(), "/rpc/setting".to_owned()));
    assert_eq!(
        (setting("role"), setting("search_path")),
        ("pgrst_test_user".to_owned(), "\"api\", \"public\"".to_owned())
    );
    assert_eq!(setting("app.settings.greeting"), "hello");
    assert_eq!(
        (setting("statement_timeout"), setting("transaction_isolation")),
        ("7s".to_owned(), "repeatable read".to_owned())
    );
    assert_eq!(
        (setting("transaction_read_only"), setting("request.jwt.claims")),
        ("on".to_owned(), r#"{"role":"pgrst_test_user"}"#.to_owned())
    );

    let refused = service.ask("GET", "/films", &[("X-Refused", "1")], "");
    assert_eq!((refused.status, &refused.json()["message"]), (401, &"refused at the door".into()));
    let zone = service.ask("GET", "/rpc/setting?name=TimeZone", &[("Prefer", "timezone=America/Lima")], "");
    assert_eq!(
        (&*zone.body, zone.header("Preference-Applied").as_deref()),
        ("\"America/Lima\"", Some("timezone=America/Lima"))
    );
    let zone = service.ask("GET", "/films", &[("Prefer", "timezone=Nowhere")], "");
    assert_eq!((zone.status, &zone.json()["code"]), (400, &"22023".into()));
}

#[test]
fn the_settings_say_how_transactions_end() {
    let database = Database::new();
    let json = ("Content-Type", "application/json");
    let add = |service: &Service, prefer: &str| {
        let reply = service.ask("POST", "/directors", &[json, ("Prefer", prefer)], "{\"id\":5,\"name\":\"x\"}");
        let there = service.get("/directors?id=eq.5").json().as_array().unwrap().len();
        service.ask("DELETE", "/directors?id=eq.5", &[("Prefer", "tx=commit")], "");
        (reply.status, reply.header("Preference-Applied").unwrap_or_default(), there)
    };
    let told = |applied: &str, there: usize| (201, applied.to_owned(), there);
    let commit = Service::over(&database, &[]);
    assert_eq!(add(&commit, "tx=rollback"), told("", 1), "an override is not allowed, and not invalid");
    assert_eq!(add(&commit, "tx=rollback, handling=strict"), told("handling=strict", 1));
    let rollback = Service::over(&database, &[("DB_TX_END", "rollback-allow-override")]);
    assert_eq!(add(&rollback, ""), told("", 0));
    assert_eq!(add(&rollback, "tx=commit"), told("tx=commit", 1));
    let strict = Service::over(&database, &[("DB_TX_END", "rollback")]);
    assert_eq!(add(&strict, "tx=commit"), told("", 0));
}
