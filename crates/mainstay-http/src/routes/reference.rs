//! `/_/api`: the API in a browser, with requests to try. Plain files that are part of the program; all that they show
//! they ask of the API themselves.

use crate::body::AnswerBody;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method, Response, request};
use mainstay_query::{Actor, Role};

use super::root::put;
use crate::app::App;
use crate::description::{Reference, Scope};
use crate::edge::Answer;
use crate::encode::push_string;
use crate::errors::Problem;
use crate::errors::codes::{ANONYMOUS, DENIED, DENIED_ANONYMOUS, METHOD, NO_ROUTE};
use crate::layers::identify::identify;
use crate::openapi::role;

const METHODS: &str = "GET,HEAD";

/// Nothing but our own files, nothing written in the page itself, and no markup made from text by scripts.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

/// Asks a browser to ask its user for the key.
const CHALLENGE: &str = "Basic realm=\"The secret key of this project, as the password\", charset=\"UTF-8\"";

/// The files: name, type, text.
const FILES: &[(&str, &str, &str)] = &[
    ("", "text/html; charset=utf-8", include_str!("reference/page.html")),
    ("page.css", "text/css; charset=utf-8", include_str!("reference/page.css")),
    ("page.js", SCRIPT, include_str!("reference/page.js")),
    ("answer.js", SCRIPT, include_str!("reference/answer.js")),
    ("api.js", SCRIPT, include_str!("reference/api.js")),
    ("document.js", SCRIPT, include_str!("reference/document.js")),
    ("element.js", SCRIPT, include_str!("reference/element.js")),
    ("snippets.js", SCRIPT, include_str!("reference/snippets.js")),
    ("table.js", SCRIPT, include_str!("reference/table.js")),
    ("try.js", SCRIPT, include_str!("reference/try.js")),
    ("icon.svg", "image/svg+xml", include_str!("reference/icon.svg")),
];

const SCRIPT: &str = "text/javascript; charset=utf-8";
const JSON: &str = "application/json; charset=utf-8";

/// Answers `GET` and `HEAD`; `file` is empty for the page itself.
pub(crate) fn answer(app: &App, head: &request::Parts, file: &str) -> Result<Answer, Problem> {
    let description = &app.description;
    if description.scope == Scope::Off || description.reference == Reference::Off {
        return Err(Problem::new(NO_ROUTE, "Nothing is at this path").hint("Tables are at /rest/v1/{table}."));
    }
    let is_development = description.reference == Reference::Development && is_loopback(&head.headers);
    let shown_to = if is_development { Some(Actor::System) } else { admitted(app, &head.headers)? };
    if !matches!(head.method, Method::GET | Method::HEAD) {
        let problem = Problem::new(METHOD, format!("Unsupported HTTP method: {}", head.method));
        return Err(problem.allow(METHODS));
    }
    let (media, body) = match file {
        "settings.json" => (JSON, settings(app, is_development)),
        "openapi.json" => {
            let actor = shown_to.map_or_else(|| identify(&app.keys, &head.headers), Ok)?;
            let role = role(&actor).filter(|role| *role != Role::Service);
            (JSON, app.documents.get(&app.engine.schema(), role, &description.about))
        }
        _ => {
            let found = FILES.iter().find(|(name, ..)| *name == file);
            let (_, media, text) = found.ok_or_else(|| Problem::new(NO_ROUTE, "Nothing is at this path"))?;
            (*media, Bytes::from_static(text.as_bytes()))
        }
    };
    let mut response = Response::new(AnswerBody::default());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    if head.method == Method::GET {
        put(&mut response, body);
    }
    Ok(response)
}

/// Who is let in: the actor, or `None` for anybody, who sees nothing but the files.
fn admitted(app: &App, headers: &HeaderMap) -> Result<Option<Actor>, Problem> {
    if app.description.reference == Reference::Open {
        return Ok(None);
    }
    let ask = |problem: Problem| problem.challenge(CHALLENGE.to_owned());
    let actor = match password(headers) {
        Some(key) => app.keys.actor(&key),
        None => Some(identify(&app.keys, headers).map_err(ask)?),
    };
    match actor {
        Some(Actor::Caller(Role::Service)) => Ok(actor),
        Some(Actor::Caller(Role::Authenticated)) => {
            Err(Problem::new(DENIED, "The reference is for the secret key alone"))
        }
        Some(_) => Err(ask(Problem::new(DENIED_ANONYMOUS, "The reference is for the secret key alone"))),
        None => Err(ask(Problem::new(ANONYMOUS, "This is not the secret key"))),
    }
}

/// The password of basic authentication, which is the way of a browser to send a key with a page.
fn password(headers: &HeaderMap) -> Option<String> {
    use base64::Engine as _;
    let (scheme, encoded) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = base64::engine::general_purpose::STANDARD.decode(encoded.trim()).unwrap_or_default();
    let text = String::from_utf8(decoded).unwrap_or_default();
    Some(text.split_once(':').map(|(_, password)| password.to_owned()).unwrap_or_default())
}

/// Whether the page was asked for by a name of this machine: a foreign name that leads here is somebody's trick to read
/// it from a page of theirs.
fn is_loopback(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else { return false };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(name, _)| name),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What the page has to know before it asks the API.
fn settings(app: &App, is_development: bool) -> Bytes {
    let mut out = b"{\"project\":".to_vec();
    push_string(&mut out, &app.description.about.title);
    out.extend_from_slice(b",\"key\":");
    match is_development {
        true => push_string(&mut out, app.keys.publishable()),
        false => out.extend_from_slice(b"null"),
    }
    // Whether the description can be had without a key.
    let is_described = is_development || app.description.reference == Reference::Secret;
    out.extend_from_slice(if is_described { b",\"described\":true}" } else { b",\"described\":false}" });
    Bytes::from(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_machine_are_told_from_others() {
        let check = |host: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static(host));
            is_loopback(&headers)
        };
        for near in ["localhost", "localhost:8080", "127.0.0.1:8080", "127.9.9.9", "[::1]:8080", "LOCALHOST"] {
            assert!(check(near), "{near}");
        }
        for far in ["example.org", "127.0.0.1.example.org", "localhost.example.org:80", "10.0.0.1", "[::2]", ""] {
            assert!(!check(far), "{far}");
        }
    }
}
