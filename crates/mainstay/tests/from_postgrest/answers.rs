//! Statuses and headers of answers (rest.md 9 to 14, 16, 17).

use crate::support::{Database, Reply, Service};

/// What is looked at of an answer: status, some headers (empty for none), and its body if it is told.
#[track_caller]
fn check(reply: &Reply, status: u16, headers: &[(&str, &str)], body: Option<&str>) {
    assert_eq!(reply.status, status, "{reply:?}");
    for (name, value) in headers {
        assert_eq!(reply.header(name).unwrap_or_default(), *value, "{name} of {reply:?}");
    }
    if let Some(body) = body {
        assert_eq!(reply.body, body, "{reply:?}");
    }
}

const OBJECT: (&str, &str) = ("Accept", "application/vnd.pgrst.object+json");

#[test]
fn reads_tell_their_range_and_their_place() {
    let database = Database::new();
    let service = Service::over(&database, &[("DB_MAX_ROWS", "2")]);
    let all = "[{\"title\":\"Ran\"}, \n {\"title\":\"Playtime\"}]";
    let place = "/films?order=id&select=title";
    let headers = [
        ("Content-Range", "0-1/*"),
        ("Content-Location", place),
        ("Content-Type", "application/json; charset=utf-8"),
        ("Content-Profile", "api"),
        ("Content-Length", "41"),
        ("Vary", "Accept, Prefer, Range"),
        ("Preference-Applied", ""),
    ];
    check(&service.get("/films?select=title&order=id"), 200, &headers, Some(all));
    check(&service.get("/rest/v1/films?select=title&order=id"), 200, &headers, Some(all));

    let counted = |count, path| service.ask("GET", path, &[("Prefer", count)], "");
    check(
        &counted("count=exact", "/films"),
        206,
        &[("Content-Range", "0-1/3"), ("Preference-Applied", "count=exact")],
        None,
    );
    check(&counted("count=exact", "/films?offset=3"), 206, &[("Content-Range", "*/3")], Some("[]"));
    let beyond = counted("count=exact", "/films?offset=4");
    check(&beyond, 416, &[("Content-Range", "*/3"), ("Proxy-Status", "PostgREST; error=PGRST103")], None);
    assert_eq!(beyond.json()["details"], "An offset of 4 was requested, but there are only 3 rows.");
    check(&counted("count=estimated", "/films?id=lt.3"), 200, &[("Content-Range", "0-1/2")], None);
    check(
        &service.ask("GET", "/films?select=id&order=id", &[("Range", "1-1")], ""),
        200,
        &[("Content-Range", "1-1/*")],
        Some("[{\"id\":2}]"),
    );
    check(&service.ask("GET", "/films", &[("Range", "1-0")], ""), 416, &[], None);
    let apart = service.ask("GET", "/films?offset=2", &[("Range", "0-0")], "");
    check(&apart, 416, &[], None);
    assert_eq!(apart.json()["details"], "Limit should be greater than or equal to zero.");

    let head = service.ask("HEAD", "/films", &[("Prefer", "count=exact")], "");
    check(
        &head,
        206,
        &[("Content-Range", "0-1/3"), ("Content-Length", ""), ("Content-Type", "application/json; charset=utf-8")],
        Some(""),
    );
    check(&service.ask("HEAD", "/nothing", &[], ""), 404, &[("Proxy-Status", "PostgREST; error=PGRST205")], Some(""));
}

/// PostgREST looks at the bounds of the request's own rows alone.
#[test]
fn bounds_of_embeds_are_the_servers_to_refuse() {
    let database = Database::new();
    let service = Service::over(&database, &[]);
    for (bounds, code, message) in [
        ("films.limit=-1", "2201W", "LIMIT must not be negative"),
        ("films.offset=-1&films.limit=5", "2201X", "OFFSET must not be negative"),
    ] {
        let refused = service.ask("GET", &format!("/directors?select=id,films(id)&{bounds}"), &[], "");
        check(&refused, 400, &[], None);
        assert_eq!((&refused.json()["code"], &refused.json()["message"]), (&code.into(), &message.into()));
    }
    let unknown = service.ask("GET", "/directors?select=id&films.limit=-1", &[], "");
    check(&unknown, 400, &[("Proxy-Status", "PostgREST; error=PGRST108")], None);
    let above = service.ask("GET", "/directors?select=id&limit=-1", &[], "");
    check(&above, 416, &[("Proxy-Status", "PostgREST; error=PGRST103")], None);
}

#[test]
fn media_types_are_negotiated() {
    let database = Database::new();
    let service = Service::over(&database, &[]);
    let accept = |accept: &str, path: &str| service.ask("GET", path, &[("Accept", accept)], "");
    let object = ("Content-Type", "application/vnd.pgrst.object+json; charset=utf-8");
    check(&service.ask("GET", "/films?id=eq.1&select=id", &[OBJECT], ""), 200, &[object], Some("{\"id\":1}"));
    let several = service.ask("GET", "/films", &[OBJECT], "");
    check(&several, 406, &[("Proxy-Status", "PostgREST; error=PGRST116")], None);
    assert_eq!(several.json()["details"], "The result contains 3 rows");
    let csv = [("Content-Type", "text/csv; charset=utf-8")];
    check(&accept("text/csv", "/films?select=id,title&id=eq.1"), 200, &csv, Some("id,title\n1,Ran"));
    check(&accept("image/png, text/csv;q=0.1", "/films?select=id&id=eq.1"), 200, &csv, Some("id\n1"));
    let refused = accept("image/png", "/films");
    check(&refused, 406, &[], None);
    assert_eq!(refused.json()["message"], "None of these media types are available: image/png");
    // Plans are not shown unless a setting says so.
    check(&accept("application/vnd.pgrst.plan", "/films"), 406, &[], None);
    check(&accept("text/plain", "/rpc/greets"), 200, &[("Content-Type", "text/plain; charset=utf-8")], Some("hello"));
    check(&accept("text/plain", "/films"), 406, &[], None);
}

/// What an error of the server that a column is not there looks like.
const SQL_COLUMN: (&str, &str) = ("Proxy-Status", "PostgREST; error=42703");

#[test]
fn writes_tell_what_they_did() {
    let database = Database::new();
    let service = Service::over(&database, &[("DB_TX_END", "commit-allow-override")]);
    let send = |method: &str, path: &str, prefer: &str, body: &str| {
        service.ask(method, path, &[("Prefer", prefer), ("Content-Type", "application/json")], body)
    };
    let undone = "tx=rollback";
    let new = "{\"title\":\"Mon Oncle\"}";
    let minimal = send("POST", "/films", undone, new);
    check(
        &minimal,
        201,
        &[("Content-Range", "*/*"), ("Content-Length", "0"), ("Content-Type", ""), ("Location", "")],
        Some(""),
    );
    check(&minimal, 201, &[("Preference-Applied", "tx=rollback"), ("Content-Profile", "")], None);
    let placed = send("POST", "/films", "return=headers-only, count=exact", "{\"id\":50,\"title\":\"x\"}");
    check(&placed, 201, &[("Location", "/films?id=eq.50"), ("Content-Range", "*/1")], Some(""));
    // Headers alone are made of the same rows.
    check(&send("POST", "/films?select=nope", "return=headers-only", new), 400, &[SQL_COLUMN], None);
    let joined = "/films?select=id,directors!inner(id)&directors.id=eq.1";
    let some = send("PATCH", joined, "return=headers-only, count=exact, tx=rollback", "{\"year\":1}");
    check(&some, 204, &[("Content-Range", "0-1/2")], Some(""));
    check(
        &send("DELETE", "/films?id=eq.50", "count=exact", ""),
        204,
        &[("Content-Range", "*/1"), ("Content-Length", "")],
        Some(""),
    );
    let shown = send("POST", "/films?select=title", "tx=rollback, return=representation", new);
    check(
        &shown,
        201,
        &[("Preference-Applied", "return=representation, tx=rollback"), ("Location", "")],
        Some("[{\"title\":\"Mon Oncle\"}]"),
    );
    let merged = "resolution=merge-duplicates, return=representation, tx=rollback";
    check(
        &send("POST", "/directors", merged, "{\"id\":1,\"name\":\"K\"}"),
        200,
        &[],
        Some("[{\"id\":1,\"name\":\"K\"}]"),
    );
    check(&send("POST", "/directors", merged, "{\"id\":3,\"name\":\"K\"}"), 201, &[], None);
    let both = send("PATCH", "/films?director_id=eq.1", undone, "{\"year\":1}");
    check(&both, 204, &[("Content-Range", "0-1/*"), ("Content-Type", "")], Some(""));
    check(
        &send("PATCH", "/films?id=eq.99", "return=representation", "{\"year\":1}"),
        200,
        &[("Content-Range", "*/*")],
        Some("[]"),
    );
    check(
        &send("PUT", "/directors?id=eq.7", undone, "{\"id\":7,\"name\":\"x\"}"),
        204,
        &[("Content-Range", "")],
        Some(""),
    );
    let put = "return=representation, tx=rollback";
    check(
        &send("PUT", "/directors?id=eq.7", put, "{\"id\":7,\"name\":\"x\"}"),
        201,
        &[],
        Some("[{\"id\":7,\"name\":\"x\"}]"),
    );
    check(
        &send("PUT", "/directors?id=eq.1", put, "{\"id\":1,\"name\":\"x\"}"),
        200,
        &[],
        Some("[{\"id\":1,\"name\":\"x\"}]"),
    );
    check(
        &send("PUT", "/directors?id=eq.1", "", "{\"id\":2,\"name\":\"x\"}"),
        400,
        &[("Proxy-Status", "PostgREST; error=PGRST115")],
        None,
    );
    for body in ["{\"name\":\"x\"}", "{}", "[]"] {
        let keyless = send("PUT", "/directors?id=eq.1", "", body);
        check(&keyless, 400, &[SQL_COLUMN], None);
        assert_eq!(keyless.json()["message"], "column pgrst_body.id does not exist");
    }

    // All of it was undone, and so is what breaks a promise.
    let strict = "handling=strict, max-affected=1";
    let many = send("DELETE", "/films", strict, "");
    check(&many, 400, &[("Proxy-Status", "PostgREST; error=PGRST124")], None);
    assert_eq!(many.json()["details"], "The query affects 3 rows");
    check(&service.ask("DELETE", "/films", &[OBJECT], ""), 406, &[], None);
    let one = send("PATCH", "/films?id=eq.1", "handling=strict, max-affected=1, tx=rollback", "{\"year\":2}");
    check(&one, 204, &[("Preference-Applied", "tx=rollback, handling=strict, max-affected=1")], None);
    check(
        &service.ask("GET", "/films?select=year", &[("Prefer", "count=exact")], ""),
        200,
        &[("Content-Range", "0-2/3")],
        None,
    );
    check(&service.get("/films?year=lt.1900"), 200, &[], Some("[]"));
    check(&send("DELETE", "/directors?id=eq.1", "", ""), 409, &[("Proxy-Status", "PostgREST; error=23503")], None);
    let unknown = send("GET", "/films", "handling=strict, tz=x, more", "");
    check(&unknown, 400, &[], None);
    assert_eq!(unknown.json()["details"], "Invalid preferences: tz=x, more");
}

#[test]
fn functions_are_called() {
    let database = Database::new();
    let service = Service::over(&database, &[]);
    let json = [("Content-Type", "application/json")];
    check(&service.get("/rpc/add?a=1&b=2"), 200, &[("Content-Range", "0-0/*"), ("Content-Location", "")], Some("3"));
    check(&service.ask("POST", "/rpc/add", &json, "{\"a\":1,\"b\":2}"), 200, &[("Content-Length", "1")], Some("3"));
    check(
        &service.ask("POST", "/rpc/nothing", &[], ""),
        204,
        &[("Content-Type", ""), ("Content-Length", "")],
        Some(""),
    );
    check(&service.get("/rpc/films_of?d=1&year=lt.1980&select=title"), 200, &[], Some("[{\"title\":\"Yojimbo\"}]"));
    let writes = service.get("/rpc/writes");
    check(&writes, 405, &[("Proxy-Status", "PostgREST; error=25006")], None);
    check(&service.ask("POST", "/rpc/writes", &[], ""), 204, &[], None);
    check(&service.ask("POST", "/rpc/writes", &[], ""), 409, &[], None);
    let paid = service.ask("POST", "/rpc/pays", &[], "");
    check(
        &paid,
        402,
        &[],
        Some(r#"{"code":"PT402","details":"Quota exceeded","hint":"Upgrade","message":"Payment Required"}"#),
    );
    let raised = service.ask("POST", "/rpc/raises", &[], "");
    check(&raised, 332, &[("X-Own", "1")], Some(r#"{"code":"123","details":null,"hint":null,"message":"ABC"}"#));
    let shape = |headers: &str, status: &str| {
        let body = serde_json::json!({"headers": headers, "status": status}).to_string();
        service.ask("POST", "/rpc/shapes", &json, &body)
    };
    let shaped =
        shape(r#"[{"Set-Cookie":"a=1"},{"Set-Cookie":"b=2"},{"Content-Type":"text/html"},{"Vary":"x"}]"#, "418");
    check(&shaped, 418, &[("Set-Cookie", "a=1|b=2"), ("Content-Type", "text/html"), ("Vary", "x")], Some("\"shaped\""));
    check(&shape("{}", "200"), 500, &[("Proxy-Status", "PostgREST; error=PGRST111")], None);
    check(&shape("[]", "abc"), 500, &[("Proxy-Status", "PostgREST; error=PGRST112")], None);
}

#[test]
fn methods_profiles_and_paths_are_checked_in_their_order() {
    let database = Database::new();
    let service = Service::over(&database, &[("CLIENT_ERROR_VERBOSITY", "verbose")]);
    let code = |reply: Reply| (reply.status, reply.json()["code"].as_str().unwrap().to_owned());
    let told = |status: u16, name: &str| (status, name.to_owned());
    assert_eq!(code(service.get("/films/1")), told(404, "PGRST125"));
    assert_eq!(code(service.get("/filmz")), told(404, "PGRST205"));
    assert_eq!(code(service.get("/rpc/nope")), told(404, "PGRST202"));
    assert_eq!(code(service.ask("POST", "/", &[], "")), told(405, "PGRST117"));
    assert_eq!(code(service.ask("BREW", "/films", &[], "")), told(405, "PGRST117"));
    assert_eq!(code(service.ask("DELETE", "/rpc/add", &[], "")), told(405, "PGRST101"));
    assert_eq!(code(service.ask("GET", "/films/1", &[("Accept-Profile", "x")], "")), told(404, "PGRST125"));
    assert_eq!(code(service.ask("BREW", "/films", &[("Accept-Profile", "x")], "")), told(406, "PGRST106"));
    assert_eq!(code(service.ask("GET", "/films/1", &[("Authorization", "Bearer x")], "")), told(401, "PGRST301"));
    assert_eq!(code(service.get("/films?id=x.1")), told(400, "PGRST100"));
    assert_eq!(code(service.ask("POST", "/films", &[("Content-Type", "text/html")], "x")), told(400, "PGRST102"));
    let other = service.ask("GET", "/things", &[("Accept-Profile", "other")], "");
    check(&other, 200, &[("Content-Profile", "other")], Some("[{\"a\":1}]"));
    let profile =
        [("Content-Profile", "other"), ("Prefer", "return=representation"), ("Content-Type", "application/json")];
    check(&service.ask("POST", "/things", &profile, "{\"a\":2}"), 201, &[("Content-Profile", "other")], None);

    let any = ("Access-Control-Allow-Origin", "*");
    let all = "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE";
    check(&service.ask("OPTIONS", "/films", &[], ""), 200, &[("Allow", all), any, ("Content-Length", "0")], Some(""));
    check(&service.ask("OPTIONS", "/rpc/add", &[], ""), 200, &[("Allow", "OPTIONS,GET,HEAD,POST")], None);
    check(&service.ask("OPTIONS", "/rpc/writes", &[], ""), 200, &[("Allow", "OPTIONS,POST")], None);
    check(&service.ask("OPTIONS", "/", &[], ""), 200, &[("Allow", "OPTIONS,GET,HEAD")], None);
    check(&service.ask("OPTIONS", "/nothing", &[], ""), 404, &[], None);
    let page = [
        ("Origin", "http://a.example"),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "apikey, x-y"),
    ];
    let expected = [
        any,
        ("Access-Control-Allow-Methods", "GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD"),
        ("Access-Control-Allow-Headers", "Authorization, apikey, x-y, Accept, Accept-Language, Content-Language"),
        ("Access-Control-Max-Age", "86400"),
        ("Access-Control-Allow-Credentials", ""),
    ];
    check(&service.ask("OPTIONS", "/films", &page, ""), 200, &expected, Some(""));
    let plain = service.ask("GET", "/films", &page[..1], "");
    assert!(
        plain
            .header("Access-Control-Expose-Headers")
            .unwrap()
            .starts_with("Content-Encoding, Content-Location, Content-Range")
    );
}
