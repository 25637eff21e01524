//! JSON Web Tokens, as little of them as there is need for: HS256 and the claims that decide about access.
//!
//! The algorithm is fixed by us and never chosen by the token, so there is nothing to confuse.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use mainstay_query::Role;
use serde_json::Value;
use sha2::Sha256;

/// Longest token that is read, in octets.
pub(super) const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// Seconds by which two clocks may differ.
const SLACK_S: i64 = 30;

/// Why a token is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It cannot be read or verified.
    Token(String),
    /// Its claims say no.
    Claims(String),
    /// Its role does not exist.
    Role(String),
}

/// What a token whose signature is good says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Verdict {
    role: Role,
    expires_s: Option<f64>,
    not_before_s: Option<f64>,
    issued_s: Option<f64>,
}

impl Verdict {
    /// The role, if the token's times allow it at `now_s`.
    pub(super) fn at(&self, now_s: i64) -> Result<Role, Refusal> {
        let earliest = (now_s - SLACK_S) as f64;
        let latest = (now_s + SLACK_S) as f64;
        let refuse = |message: &str| Err(Refusal::Claims(message.to_owned()));
        if self.expires_s.is_some_and(|expires| expires < earliest) {
            return refuse("JWT expired");
        }
        if self.not_before_s.is_some_and(|start| start > latest) {
            return refuse("JWT not yet valid");
        }
        if self.issued_s.is_some_and(|issued| issued > latest) {
            return refuse("JWT issued at future");
        }
        Ok(self.role)
    }
}

/// Verifies the signature of a token and reads its claims.
pub(super) fn verify(signer: &Hmac<Sha256>, text: &str) -> Result<Verdict, Refusal> {
    let refuse = |message: &str| Refusal::Token(message.to_owned());
    if text.len() > TOKEN_BYTES_MAX {
        return Err(refuse("The JWT is longer than 8192 octets"));
    }
    let parts: Vec<&str> = text.split('.').take(6).collect();
    let [header, payload, signature] = parts[..] else {
        return Err(Refusal::Token(format!("Expected 3 parts in JWT; got {}", parts.len())));
    };
    let decode = |part| URL_SAFE_NO_PAD.decode(part).map_err(|_| refuse("JWT cryptographic operation failed"));
    let header = object(&decode(header)?).ok_or_else(|| refuse("JWT cryptographic operation failed"))?;
    if header.get("alg").and_then(Value::as_str) != Some("HS256") {
        return Err(refuse("Wrong or unsupported encoding algorithm"));
    }
    if header.contains_key("crit") {
        return Err(refuse("Unsupported token type"));
    }
    let signed = &text[..text.len() - signature.len() - 1];
    let mut mac = signer.clone();
    mac.update(signed.as_bytes());
    mac.verify_slice(&decode(signature)?).map_err(|_| refuse("No suitable key or wrong key type"))?;
    claims(&decode(payload)?)
}

/// Reads the claims of a payload that the signature vouches for.
fn claims(payload: &[u8]) -> Result<Verdict, Refusal> {
    let claims = object(payload).ok_or_else(|| Refusal::Claims("Parsing claims failed".to_owned()))?;
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => match value.as_f64() {
            Some(seconds) => Ok(Some(seconds)),
            None => Err(Refusal::Claims(format!("The JWT '{name}' claim must be a number"))),
        },
    };
    // No audience is configured, so any is good, but it must be one.
    let audience = match claims.get("aud") {
        None | Some(Value::String(_)) => true,
        Some(Value::Array(names)) => names.iter().all(Value::is_string),
        Some(_) => false,
    };
    if !audience {
        let message = "The JWT 'aud' claim must be a string or an array of strings";
        return Err(Refusal::Claims(message.to_owned()));
    }
    let role = match claims.get("role") {
        None | Some(Value::Null) => Role::Anon,
        Some(Value::String(name)) => {
            let roles = [Role::Anon, Role::Authenticated, Role::Service];
            let known = roles.into_iter().find(|role| role.name() == name);
            known.ok_or_else(|| Refusal::Role(name.chars().take(63).collect()))?
        }
        Some(_) => return Err(Refusal::Claims("Parsing claims failed".to_owned())),
    };
    Ok(Verdict { role, expires_s: time("exp")?, not_before_s: time("nbf")?, issued_s: time("iat")? })
}

/// A JSON object in which no member stands twice: two readers of one token must never see two contents.
fn object(json: &[u8]) -> Option<serde_json::Map<String, Value>> {
    struct Once(serde_json::Map<String, Value>);

    impl<'de> serde::Deserialize<'de> for Once {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Once, D::Error> {
            struct Members;

            impl<'de> serde::de::Visitor<'de> for Members {
                type Value = Once;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }

                fn visit_map<A: serde::de::MapAccess<'de>>(self, mut access: A) -> Result<Once, A::Error> {
                    let mut members = serde_json::Map::new();
                    while let Some((name, value)) = access.next_entry::<String, Value>()? {
                        if members.insert(name, value).is_some() {
                            return Err(serde::de::Error::custom("a member stands twice"));
                        }
                    }
                    Ok(Once(members))
                }
            }

            deserializer.deserialize_map(Members)
        }
    }

    serde_json::from_slice::<Once>(json).ok().map(|once| once.0)
}

#[cfg(test)]
mod tests {
    use hmac::KeyInit;

    use super::*;

    const NOW_S: i64 = 1_790_000_000;

    fn signer() -> Hmac<Sha256> {
        Hmac::new_from_slice(b"0123456789abcdef0123456789abcdef").unwrap()
    }

    fn sign(header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let mut mac = signer();
        mac.update(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    fn role(text: &str) -> Result<Role, Refusal> {
        verify(&signer(), text)?.at(NOW_S)
    }

    fn payload(payload: &str) -> Result<Role, Refusal> {
        role(&sign(r#"{"alg":"HS256","typ":"JWT"}"#, payload))
    }

    #[test]
    fn the_role_claim_gives_the_role() {
        assert_eq!(payload(r#"{"role":"anon"}"#), Ok(Role::Anon));
        assert_eq!(payload(r#"{"role":"authenticated","sub":"x"}"#), Ok(Role::Authenticated));
        assert_eq!(payload(r#"{"role":"service_role"}"#), Ok(Role::Service));
        assert_eq!(payload("{}"), Ok(Role::Anon));
        assert_eq!(payload(r#"{"role":"postgres"}"#), Err(Refusal::Role("postgres".to_owned())));
        assert!(matches!(payload(r#"{"role":7}"#), Err(Refusal::Claims(_))));
        assert!(matches!(payload(r#"{"role":"anon","role":"service_role"}"#), Err(Refusal::Claims(_))));
        assert!(matches!(payload("[]"), Err(Refusal::Claims(_))));
    }

    #[test]
    fn times_are_checked_with_half_a_minute_of_slack() {
        for (claims, refused) in [
            (format!(r#"{{"exp":{}}}"#, NOW_S - 29), None),
            (format!(r#"{{"exp":{}}}"#, NOW_S - 31), Some("JWT expired")),
            (format!(r#"{{"nbf":{}}}"#, NOW_S + 29), None),
            (format!(r#"{{"nbf":{}}}"#, NOW_S + 31), Some("JWT not yet valid")),
            (format!(r#"{{"iat":{}}}"#, NOW_S + 31), Some("JWT issued at future")),
            (r#"{"exp":"never"}"#.to_owned(), Some("The JWT 'exp' claim must be a number")),
            (r#"{"nbf":null}"#.to_owned(), Some("The JWT 'nbf' claim must be a number")),
            (format!(r#"{{"exp":{}.5,"iat":{}}}"#, NOW_S, NOW_S), None),
        ] {
            let expected = refused.map_or(Ok(Role::Anon), |message| Err(Refusal::Claims(message.to_owned())));
            assert_eq!(payload(&claims), expected, "{claims}");
        }
    }

    #[test]
    fn the_algorithm_is_ours_to_choose() {
        for header in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"HS512"}"#,
            r#"{"alg":"hs256"}"#,
            r#"{"alg":["HS256"]}"#,
            r#"{}"#,
            r#"{"alg":"HS256","crit":["x"]}"#,
            r#"{"alg":"HS256","alg":"none"}"#,
        ] {
            assert!(matches!(role(&sign(header, r#"{"role":"service_role"}"#)), Err(Refusal::Token(_))), "{header}");
        }
    }

    #[test]
    fn any_change_of_a_signed_token_is_noticed() {
        let token = sign(r#"{"alg":"HS256"}"#, r#"{"role":"anon"}"#);
        assert_eq!(role(&token), Ok(Role::Anon));
        for place in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(role(&changed).is_err(), "{changed}");
        }
    }

    #[test]
    fn text_that_is_no_token_is_refused() {
        for (text, message) in [
            ("", "Expected 3 parts in JWT; got 1"),
            ("a.b", "Expected 3 parts in JWT; got 2"),
            ("a.b.c.d", "Expected 3 parts in JWT; got 4"),
            ("a.b.c", "JWT cryptographic operation failed"),
            ("..", "JWT cryptographic operation failed"),
        ] {
            assert_eq!(role(text), Err(Refusal::Token(message.to_owned())), "{text}");
        }
        assert!(matches!(role(&"a.".repeat(5000)), Err(Refusal::Token(_))));
    }
}
