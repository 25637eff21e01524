//! rest.md 15: who is calling, by what they send.

use std::time::{SystemTime, UNIX_EPOCH};

use mainstay_http::{ClaimPath, Keys, MissingAudience, TokenSettings};

use super::member;
use crate::app::{Ask, JWT_SECRET, PUBLISHABLE, SECRET, TestApp, ask, check, check_error, get, token};

/// A read that only the service may make, with this token beside the publishable key.
fn with(bearer: &str) -> Ask {
    get("letters").anon().header("authorization", format!("Bearer {bearer}"))
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// rest.md 15: the scheme in any case, other schemes passed over, no token, an empty one.
#[tokio::test]
async fn a_token_is_sent_as_bearer() {
    let apps = TestApp::each().await;
    let service = token(r#"{"role":"service_role"}"#);
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let asked = get("letters").keyless().header("authorization", format!("{scheme} {service}"));
        check(&apps, asked, 200, "[]").await;
    }
    check(&apps, get("letters").header("authorization", "Basic dTpw"), 200, "[]").await;
    check_error(&apps, get("letters").anon().header("authorization", "Basic dTpw"), 401, "42501").await;
    for app in &apps {
        for asked in [get("toys").keyless(), get("toys").keyless().header("authorization", "Basic dTpw")] {
            let reply = app.send(asked).await;
            assert_eq!((reply.status, reply.code().as_str()), (401, "PGRST302"));
            assert_eq!(member(&reply, "message"), "Anonymous access is disabled");
            assert_eq!(reply.header("www-authenticate"), "Bearer");
        }
        let head = app.send(ask("HEAD", "toys").keyless()).await;
        assert_eq!((head.status, head.body.as_str(), head.header("www-authenticate")), (401, "", "Bearer"));
    }
}

/// rest.md 15 and 16.2: every refused token, its code and words, and the challenge that says them again.
#[tokio::test]
async fn a_refused_token_says_why() {
    let apps = TestApp::each().await;
    let now = now_s();
    let late = |claim: &str, at: u64| token(&format!(r#"{{"role":"service_role","{claim}":{at}}}"#));
    let good = token(r#"{"role":"service_role"}"#);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { "B" } else { "A" };
    let unsigned = format!("{signed}.{other}{}", &signature[1..]);
    for (bearer, code, message) in [
        (String::new(), "PGRST301", "Empty JWT is sent in Authorization header"),
        ("a.b".to_owned(), "PGRST301", "Expected 3 parts in JWT; got 2"),
        ("a.b.c.d".to_owned(), "PGRST301", "Expected 3 parts in JWT; got 4"),
        ("a.b.c".to_owned(), "PGRST301", "JWT cryptographic operation failed"),
        // {"alg":"none"}
        ("eyJhbGciOiJub25lIn0.e30.".to_owned(), "PGRST301", "Wrong or unsupported encoding algorithm"),
        (unsigned, "PGRST301", "No suitable key or wrong key type"),
        (late("exp", now - 60), "PGRST303", "JWT expired"),
        (late("nbf", now + 90), "PGRST303", "JWT not yet valid"),
        (late("iat", now + 90), "PGRST303", "JWT issued at future"),
        (token(r#"{"exp":"soon"}"#), "PGRST303", "The JWT 'exp' claim must be a number"),
        (token(r#"{"nbf":true}"#), "PGRST303", "The JWT 'nbf' claim must be a number"),
        (token(r#"{"iat":[]}"#), "PGRST303", "The JWT 'iat' claim must be a number"),
        (token(r#"{"aud":7}"#), "PGRST303", "The JWT 'aud' claim must be a string or an array of strings"),
        (token(r#"{"aud":["a",7]}"#), "PGRST303", "The JWT 'aud' claim must be a string or an array of strings"),
        (token("[]"), "PGRST303", "Parsing claims failed"),
        (token(r#"{"role":"root"}"#), "22023", "role \"root\" does not exist"),
    ] {
        for app in &apps {
            let reply = app.send(with(&bearer)).await;
            assert_eq!((reply.status, reply.code().as_str(), member(&reply, "message").as_str()), (401, code, message));
            let told = message.replace('"', "'");
            let challenge = format!(r#"Bearer error="invalid_token", error_description="{told}""#);
            assert_eq!(reply.header("www-authenticate"), challenge);
            assert_eq!(reply.header("proxy-status"), format!("PostgREST; error={code}"));
        }
    }
}

/// rest.md 15: half a minute of slack; an audience of any name, as long as none is configured.
#[tokio::test]
async fn accepted_claims() {
    let apps = TestApp::each().await;
    let now = now_s();
    for claims in [
        format!(r#""exp":{}"#, now - 20),
        format!(r#""nbf":{}"#, now + 20),
        format!(r#""iat":{}"#, now + 20),
        format!(r#""exp":{}.5"#, now + 60),
        r#""aud":"anybody""#.to_owned(),
        r#""aud":["a","b"]"#.to_owned(),
        r#""aud":[]"#.to_owned(),
    ] {
        check(&apps, with(&token(&format!(r#"{{"role":"service_role",{claims}}}"#))), 200, "[]").await;
    }
}

/// rest.md 15: an audience, another place for the role, and keys of others, all by setting.
#[tokio::test]
async fn settings_say_which_tokens_count() {
    let key = r#"{"kty":"oct","kid":"theirs","k":"dGhlaXIgc2VjcmV0LCB0aGlydHktdHdvIG9jdGV0cyE"}"#;
    let settings = TokenSettings {
        keys: Some(key.to_owned()),
        audience: Some("shop".to_owned()),
        missing_audience: MissingAudience::Accept,
        role: ClaimPath::parse("$.app_metadata.role").unwrap(),
    };
    let keys = || Keys::with_tokens(PUBLISHABLE, SECRET, JWT_SECRET, settings.clone()).unwrap();
    let apps: Vec<_> = TestApp::each().await.into_iter().map(|app| app.with_keys(keys())).collect();
    let service = r#""app_metadata":{"role":"service_role"}"#;
    for good in [format!(r#"{{"aud":"shop",{service}}}"#), format!("{{{service}}}")] {
        check(&apps, with(&token(&good)), 200, "[]").await;
    }
    for app in &apps {
        let reply = app.send(with(&token(&format!(r#"{{"aud":["other"],{service}}}"#)))).await;
        assert_eq!((reply.status, reply.code().as_str()), (401, "PGRST303"));
        assert_eq!(member(&reply, "message"), "JWT not in audience");
        let reply = app.send(with(&token(r#"{"role":"service_role"}"#))).await;
        assert_eq!((reply.status, reply.code().as_str()), (401, "42501"), "the role stands elsewhere");
        let reply = app.send(with("eyJhbGciOiJIUzI1NiIsImtpZCI6InRoZWlycyJ9.e30.AAAA")).await;
        assert_eq!((reply.status, reply.code().as_str()), (401, "PGRST301"));
        assert_eq!(member(&reply, "message"), "No suitable key or wrong key type");
        assert_eq!(member(&reply, "details"), "None of the keys was able to decode the JWT");
    }
}

/// rest.md 15: the role of the token, of none the anonymous one; 401 tells anonymous callers to sign in, 403 others.
#[tokio::test]
async fn the_role_decides() {
    let apps = TestApp::each().await;
    check(&apps, with(&token(r#"{"role":"service_role"}"#)), 200, "[]").await;
    check(&apps, with(SECRET), 200, "[]").await;
    for app in &apps {
        for (bearer, status, challenge) in [
            (token(r#"{"role":"authenticated","sub":"u"}"#), 403, ""),
            (token(r#"{"role":"anon"}"#), 401, "Bearer"),
            (token(r#"{"sub":"u"}"#), 401, "Bearer"),
            (PUBLISHABLE.to_owned(), 401, "Bearer"),
        ] {
            for asked in [
                with(&bearer),
                ask("DELETE", "letters?to_id=eq.1").anon().header("authorization", format!("Bearer {bearer}")),
            ] {
                let reply = app.send(asked).await;
                assert_eq!((reply.status, reply.code().as_str()), (status, "42501"), "{bearer}");
                assert_eq!(member(&reply, "message"), "permission denied for table letters");
                assert_eq!(reply.header("www-authenticate"), challenge);
            }
        }
    }
}
