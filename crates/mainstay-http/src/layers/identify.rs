//! Who is calling: `apikey` and `Authorization` → [`Actor`].

use std::time::{SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use http::header::{AUTHORIZATION, AsHeaderName};
use mainstay_query::{Actor, Role};

use super::keys::Keys;
use super::token::Refusal;
use crate::errors::Problem;
use crate::errors::codes::{ANONYMOUS, CLAIMS, ROLE, TOKEN};

/// The actor of a request. A token or key in `Authorization` decides; a key in `apikey` decides where there is none.
/// What is sent must be good in both places.
pub(crate) fn identify(keys: &Keys, headers: &HeaderMap) -> Result<Actor, Problem> {
    let bearer = single(headers, AUTHORIZATION)?.and_then(bearer);
    let key = single(headers, "apikey")?;
    let role = match (bearer, key) {
        (None, None) => return Err(missing()),
        (Some(bearer), Some(key)) if bearer == key => role(keys, bearer)?,
        (Some(bearer), key) => {
            if let Some(key) = key {
                role(keys, key)?;
            }
            role(keys, bearer)?
        }
        (None, Some(key)) => role(keys, key)?,
    };
    Ok(Actor::Caller(role))
}

/// The value of a header that decides about access: two of them are no answer.
fn single(headers: &HeaderMap, name: impl AsHeaderName) -> Result<Option<&str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    match first.to_str() {
        Ok(text) if values.all(|value| value == first) => Ok(Some(text)),
        _ => Err(invalid(TOKEN, "Several or unreadable keys were sent")),
    }
}

/// The token of `Bearer token`; other schemes are not ours.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn role(keys: &Keys, text: &str) -> Result<Role, Problem> {
    if text.is_empty() {
        return Err(invalid(TOKEN, "Empty JWT is sent in Authorization header"));
    }
    if let Some(role) = keys.opaque(text) {
        return Ok(role);
    }
    if !text.contains('.') {
        return Err(invalid(TOKEN, "Unknown API key")
            .hint("The key is neither the publishable nor the secret key of this project."));
    }
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    keys.token(text, now_s.cast_signed()).map_err(|refusal| match refusal {
        Refusal::Token { message, details: None } => invalid(TOKEN, &message),
        Refusal::Token { message, details: Some(details) } => invalid(TOKEN, &message).details(details),
        Refusal::Claims(message) => invalid(CLAIMS, &message),
        Refusal::Role(name) => invalid(ROLE, &format!("role \"{name}\" does not exist")),
    })
}

fn missing() -> Problem {
    Problem::new(ANONYMOUS, "Anonymous access is disabled").hint(
        "Send the project's publishable or secret key in the header `apikey`, or a token as `Authorization: Bearer`.",
    )
}

fn invalid(code: &'static crate::errors::Code, message: &str) -> Problem {
    // Quotes and backslashes have a meaning in the header, and a role's name is the caller's text.
    let description: String = message.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').collect();
    let description = description.replace(['"', '\\'], "'");
    let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{description}\"");
    Problem::new(code, message).challenge(challenge)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const PUBLISHABLE: &str = "ms_publishable_0123456789";
    const SECRET: &str = "ms_secret_0123456789";

    fn check(headers: &[(&'static str, &str)], expected: Result<Role, &str>) {
        let keys = Keys::new(PUBLISHABLE, SECRET, "0123456789abcdef0123456789abcdef").unwrap();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        let found = identify(&keys, &map).map_err(|problem| problem.code().name);
        assert_eq!(found, expected.map(Actor::Caller), "{headers:?}");
    }

    #[test]
    fn either_header_brings_a_key() {
        check(&[("apikey", PUBLISHABLE)], Ok(Role::Anon));
        check(&[("apikey", SECRET)], Ok(Role::Service));
        check(&[("authorization", &format!("Bearer {SECRET}"))], Ok(Role::Service));
        check(&[("authorization", &format!("bEARER  {PUBLISHABLE} "))], Ok(Role::Anon));
        check(&[("apikey", PUBLISHABLE), ("authorization", &format!("Bearer {PUBLISHABLE}"))], Ok(Role::Anon));
        check(&[("apikey", PUBLISHABLE), ("authorization", &format!("Bearer {SECRET}"))], Ok(Role::Service));
    }

    #[test]
    fn no_key_is_no_access() {
        check(&[], Err("PGRST302"));
        check(&[("authorization", "Basic dTpw")], Err("PGRST302"));
        check(&[("x-apikey", SECRET)], Err("PGRST302"));
    }

    #[test]
    fn a_wrong_key_is_refused_wherever_it_stands() {
        for wrong in ["", "x", "ms_secret_0123456780", "ms_secret_01234567890", "a.b.c"] {
            check(&[("apikey", wrong)], Err("PGRST301"));
            check(&[("authorization", &format!("Bearer {wrong}"))], Err("PGRST301"));
            check(&[("apikey", wrong), ("authorization", &format!("Bearer {SECRET}"))], Err("PGRST301"));
            check(&[("apikey", SECRET), ("authorization", &format!("Bearer {wrong}"))], Err("PGRST301"));
        }
    }

    #[test]
    fn two_different_keys_in_one_header_are_refused() {
        check(&[("apikey", PUBLISHABLE), ("apikey", SECRET)], Err("PGRST301"));
        check(&[("apikey", SECRET), ("apikey", SECRET)], Ok(Role::Service));
    }
}
