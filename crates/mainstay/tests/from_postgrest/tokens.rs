//! Who calls (rest.md 15).

use crate::support::{Database, Service, bearer, token};

#[test]
fn a_token_gives_its_role_and_its_claims() {
    let database = Database::new();
    let service = Service::over(&database, &[("JWT_AUD", "films")]);
    let ask = |authorization: &str, path: &str| service.ask("GET", path, &[("Authorization", authorization)], "");
    let user = r#"{"role":"pgrst_test_user","sub":"ann"}"#;
    assert_eq!(ask(&bearer(user), "/secrets").body, r#"[{"id":1,"owner":"ann"}]"#);
    let claims = ask(&bearer(user), "/rpc/setting?name=request.jwt.claims").json();
    assert_eq!(claims, r#"{"role":"pgrst_test_user","sub":"ann"}"#);
    assert_eq!(ask(&bearer(r#"{"role":"pgrst_test_user","aud":["x","films"]}"#), "/secrets").status, 200);

    let anonymous = service.get("/secrets");
    assert_eq!((anonymous.status, anonymous.header("WWW-Authenticate").as_deref()), (401, Some("Bearer")));
    assert_eq!(anonymous.json()["code"], "42501");
    assert_eq!(ask("Basic dTpw", "/films").status, 200, "other schemes are ignored");
    for (authorization, status, code, message) in [
        ("Bearer".to_owned(), 401, "PGRST301", "Empty JWT is sent in Authorization header"),
        ("bearer x".to_owned(), 401, "PGRST301", "Expected 3 parts in JWT; got 1"),
        ("Bearer a.b.c".to_owned(), 401, "PGRST301", "JWT cryptographic operation failed"),
        (format!("Bearer {}x", token("{}")), 401, "PGRST301", "No suitable key or wrong key type"),
        (bearer(r#"{"exp":1}"#), 401, "PGRST303", "JWT expired"),
        (bearer(r#"{"aud":"x"}"#), 401, "PGRST303", "JWT not in audience"),
        (bearer(r#"{"role":"pgrst_test_nobody"}"#), 401, "22023", "role \"pgrst_test_nobody\" does not exist"),
    ] {
        let reply = ask(&authorization, "/rpc/add?a=1&b=1");
        assert_eq!(
            (reply.status, &reply.json()["code"], &reply.json()["message"]),
            (status, &code.into(), &message.into())
        );
        let challenge = reply.header("WWW-Authenticate").unwrap();
        let is_token = code.starts_with("PGRST");
        assert_eq!(challenge.contains(&format!("error_description=\"{message}\"")), is_token, "{challenge}");
    }
}

#[test]
fn without_a_secret_or_an_anonymous_role_nobody_gets_far() {
    let database = Database::new();
    let service = Service::over(&database, &[("JWT_SECRET", ""), ("DB_ANON_ROLE", "")]);
    let anonymous = service.get("/films");
    assert_eq!((anonymous.status, &anonymous.json()["code"]), (401, &"PGRST302".into()));
    assert_eq!(anonymous.header("WWW-Authenticate").as_deref(), Some("Bearer"));
    let reply = service.ask("GET", "/films", &[("Authorization", &bearer("{}"))], "");
    assert_eq!((reply.status, &reply.json()["code"]), (500, &"PGRST300".into()));
}

#[test]
fn the_role_stands_where_the_path_says() {
    let database = Database::new();
    let path = ("JWT_ROLE_CLAIM_KEY", ".app.roles[?(@ ==^ \"_user\")]");
    let service = Service::over(&database, &[path]);
    let claims = r#"{"app":{"roles":["x","pgrst_test_user"]},"sub":"ben"}"#;
    let reply = service.ask("GET", "/secrets", &[("Authorization", &bearer(claims))], "");
    assert_eq!(reply.body, r#"[{"id":2,"owner":"ben"}]"#);
    let reply = service.ask("GET", "/secrets", &[("Authorization", &bearer(r#"{"role":"pgrst_test_user"}"#))], "");
    assert_eq!(reply.status, 401, "the anonymous role");
}
