//! Who is calling: a token's role, or nobody's.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use http::header::AUTHORIZATION;
use mainstay_http::{Keys, Problem, TokenReader, UnreadableToken, codes};
use mainstay_query::{Actor, Role};
use serde_json::{Map, Value};

use super::codes::NO_SECRET;
use crate::settings::Settings;

/// Seconds by which two clocks may differ.
const SLACK_S: f64 = 30.0;

/// Who calls.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Caller {
    /// The role of the database.
    pub(crate) role: String,
    /// The claims, as JSON text, the role among them.
    pub(crate) claims: String,
    /// Whether it is the role of requests without a token.
    pub(crate) is_anonymous: bool,
}

/// The keys of a project, where they and not tokens alone open the API.
#[derive(Debug)]
pub struct ProjectKeys {
    /// The keys.
    pub keys: Keys,
    /// The role of the secret key.
    pub service_role: String,
}

/// What a token says.
type Claims = Map<String, Value>;

/// Tokens whose signature was good, by their text.
#[derive(Default)]
pub(crate) struct Tokens {
    known: RwLock<HashMap<Box<str>, Arc<Claims>>>,
    /// How often one was looked up.
    pub(crate) asked: AtomicU64,
    /// How often it was there.
    pub(crate) found: AtomicU64,
    /// How many were forgotten to make room.
    pub(crate) evicted: AtomicU64,
}

impl Tokens {
    /// Forgets all, since keys may have changed.
    pub(crate) fn clear(&self) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How many are remembered.
    pub(crate) fn len(&self) -> usize {
        self.known.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn claims(
        &self,
        reader: &TokenReader,
        text: &str,
        most: usize,
    ) -> Result<Arc<Map<String, Value>>, UnreadableToken> {
        if most == 0 {
            return reader.claims(text).map(Arc::new);
        }
        self.asked.fetch_add(1, Ordering::Relaxed);
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(text).cloned();
        if let Some(known) = known {
            self.found.fetch_add(1, Ordering::Relaxed);
            return Ok(known);
        }
        let claims = Arc::new(reader.claims(text)?);
        let mut all = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= most {
            self.evicted.fetch_add(all.len() as u64, Ordering::Relaxed);
            all.clear();
        }
        all.insert(text.into(), claims.clone());
        Ok(claims)
    }
}

/// The caller of a request.
///
/// # Errors
/// PGRST300 to PGRST303.
pub(crate) fn identify(
    settings: &Settings,
    keys: Option<&ProjectKeys>,
    tokens: &Tokens,
    headers: &HeaderMap,
) -> Result<Caller, Problem> {
    let mut text = bearer(headers);
    if let Some(keys) = keys {
        match opened(keys, text, headers)? {
            Opened::Role(Role::Service) => return Ok(of_role(settings, keys.service_role.clone(), Map::new())),
            Opened::Role(_) => text = None,
            Opened::Token => {}
        }
    }
    let Some(text) = text else {
        let role = settings.anon_role.clone().ok_or_else(no_access)?;
        return Ok(of_role(settings, role, Map::new()));
    };
    if text.is_empty() {
        return Err(invalid(codes::TOKEN, "Empty JWT is sent in Authorization header"));
    }
    let reader = settings.tokens.as_ref().ok_or_else(|| Problem::new(NO_SECRET, "Server lacks JWT secret"))?;
    let claims = tokens.claims(reader, text, settings.tokens_max).map_err(|unreadable| match unreadable {
        UnreadableToken::Token { message, details: None } => invalid(codes::TOKEN, &message),
        UnreadableToken::Token { message, details: Some(details) } => invalid(codes::TOKEN, &message).details(details),
        UnreadableToken::Claims => invalid(codes::CLAIMS, "Parsing claims failed"),
    })?;
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64());
    check(&claims, settings.audience.as_deref(), settings.audience_is_needed, now_s)
        .map_err(|message| invalid(codes::CLAIMS, &message))?;
    let claims = Value::Object((*claims).clone());
    let role = settings.role_path.find(&claims).or_else(|| settings.anon_role.clone()).ok_or_else(no_access)?;
    let Value::Object(claims) = claims else { return Err(no_access()) };
    Ok(of_role(settings, role, claims))
}

fn of_role(settings: &Settings, role: String, mut claims: Map<String, Value>) -> Caller {
    claims.insert("role".to_owned(), Value::String(role.clone()));
    let is_anonymous = settings.anon_role.as_deref() == Some(&role);
    Caller { role, claims: Value::Object(claims).to_string(), is_anonymous }
}

/// What the keys of a project have to say.
enum Opened {
    /// A key alone.
    Role(Role),
    /// There is a token besides.
    Token,
}

/// Without a good key nothing is open; a token is one too.
fn opened(keys: &ProjectKeys, bearer: Option<&str>, headers: &HeaderMap) -> Result<Opened, Problem> {
    let role = |text: &str| match keys.keys.actor(text) {
        Some(Actor::Caller(role)) => Some(role),
        _ => None,
    };
    let unknown = || invalid(codes::TOKEN, "Unknown API key");
    let key = headers.get("apikey").map(|key| key.to_str().unwrap_or_default());
    let of_key = match key {
        None => None,
        Some(key) => match role(key) {
            None if bearer == Some(key) && key.contains('.') => None,
            found => Some(found.ok_or_else(unknown)?),
        },
    };
    match (bearer, of_key) {
        (Some(text), _) if let Some(role) = role(text) => Ok(Opened::Role(role)),
        (Some(text), _) if text.contains('.') || text.is_empty() => Ok(Opened::Token),
        (Some(_), _) => Err(unknown()),
        (None, Some(role)) => Ok(Opened::Role(role)),
        (None, None) => Err(no_access()),
    }
}

/// The token of `Bearer token`; other schemes are not ours.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let end = value.find(char::is_whitespace).unwrap_or(value.len());
    value[..end].eq_ignore_ascii_case("bearer").then(|| value[end..].trim())
}

/// Whether times and audience of a token are as they must be.
fn check(claims: &Map<String, Value>, audience: Option<&str>, is_needed: bool, now_s: f64) -> Result<(), String> {
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or_else(|| format!("The JWT '{name}' claim must be a number")),
    };
    let (expires, starts, issued) = (time("exp")?, time("nbf")?, time("iat")?);
    if expires.is_some_and(|expires| now_s - SLACK_S > expires) {
        return Err("JWT expired".to_owned());
    }
    if starts.is_some_and(|starts| now_s + SLACK_S < starts) {
        return Err("JWT not yet valid".to_owned());
    }
    if issued.is_some_and(|issued| now_s + SLACK_S < issued) {
        return Err("JWT issued at future".to_owned());
    }
    let malformed = || "The JWT 'aud' claim must be a string or an array of strings".to_owned();
    let named: Vec<&str> = match claims.get("aud") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => {
            names.iter().map(|name| name.as_str().ok_or_else(malformed)).collect::<Result<_, _>>()?
        }
        Some(_) => return Err(malformed()),
    };
    match audience {
        Some(audience) if (is_needed || !named.is_empty()) && !named.contains(&audience) => {
            Err("JWT not in audience".to_owned())
        }
        _ => Ok(()),
    }
}

fn no_access() -> Problem {
    Problem::new(codes::ANONYMOUS, "Anonymous access is disabled")
}

fn invalid(code: &'static mainstay_http::Code, message: &str) -> Problem {
    let description: String = message.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').collect();
    let challenge =
        format!("Bearer error=\"invalid_token\", error_description=\"{}\"", description.replace(['"', '\\'], "'"));
    Problem::new(code, message).challenge(challenge)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(claims: Value, audience: Option<&str>) -> String {
        let Value::Object(claims) = claims else { panic!("claims are an object") };
        check(&claims, audience, false, 1_000_000.0).err().unwrap_or_default()
    }

    #[test]
    fn times_have_half_a_minute_of_slack() {
        for (claims, expected) in [
            (json!({"exp": 999_971}), ""),
            (json!({"exp": 999_969}), "JWT expired"),
            (json!({"nbf": 1_000_029.5}), ""),
            (json!({"nbf": 1_000_031}), "JWT not yet valid"),
            (json!({"iat": 1_000_031}), "JWT issued at future"),
            (json!({"exp": "x"}), "The JWT 'exp' claim must be a number"),
            (json!({"iat": true}), "The JWT 'iat' claim must be a number"),
        ] {
            assert_eq!(told(claims.clone(), None), expected, "{claims}");
        }
    }

    /// rest.md 15: who says nothing of an audience passes.
    #[test]
    fn the_audience_must_be_ours_where_one_is_named() {
        for (claims, audience, expected) in [
            (json!({}), Some("a"), ""),
            (json!({"aud": []}), Some("a"), ""),
            (json!({"aud": "a"}), Some("a"), ""),
            (json!({"aud": ["b", "a"]}), Some("a"), ""),
            (json!({"aud": "b"}), Some("a"), "JWT not in audience"),
            (json!({"aud": ["b"]}), Some("a"), "JWT not in audience"),
            (json!({"aud": "b"}), None, ""),
            (json!({"aud": 1}), None, "The JWT 'aud' claim must be a string or an array of strings"),
            (json!({"aud": ["a", 1]}), Some("a"), "The JWT 'aud' claim must be a string or an array of strings"),
        ] {
            assert_eq!(told(claims.clone(), audience), expected, "{claims}");
        }
        assert!(check(&Map::new(), Some("a"), true, 0.0).is_err());
        assert!(check(&Map::new(), None, true, 0.0).is_ok());
    }
}
