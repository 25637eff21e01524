//! `/rest/v1/`: the description of the API, as much of it as its caller may use.

use crate::body::AnswerBody;
use bytes::Bytes;
use http::header::{ACCEPT, ALLOW, CONTENT_LENGTH, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, Method, Response, request};
use mainstay_query::Actor;

use crate::app::App;
use crate::description::Scope;
use crate::edge::Answer;
use crate::errors::Problem;
use crate::errors::codes::{MEDIA, METHOD, ROOT};
use crate::openapi::{self, role};

const METHODS: &str = "OPTIONS,GET,HEAD";
const OPENAPI: HeaderValue = HeaderValue::from_static("application/openapi+json; charset=utf-8");

/// Answers `GET`, `HEAD` and `OPTIONS`.
pub(crate) fn answer(app: &App, actor: &Actor, head: &request::Parts) -> Result<Answer, Problem> {
    let mut response = Response::new(AnswerBody::default());
    match head.method {
        Method::GET | Method::HEAD => {}
        Method::OPTIONS => {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(METHODS));
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
            return Ok(response);
        }
        ref method => return Err(Problem::new(METHOD, format!("Unsupported HTTP method: {method}")).allow(METHODS)),
    }
    let role = match app.description.scope {
        Scope::Off => return Err(Problem::new(ROOT, "Root endpoint metadata is disabled")),
        Scope::Everything => None,
        Scope::Follow => role(actor),
    };
    negotiate(&head.headers)?;
    let body = app.documents.get(&app.engine.schema(), role, &app.description.about);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, OPENAPI);
    headers.insert(VARY, HeaderValue::from_static("Accept, Authorization, apikey"));
    if head.method == Method::GET {
        put(&mut response, body);
    }
    Ok(response)
}

/// Puts a body with its length into an answer.
pub(super) fn put(response: &mut Answer, body: Bytes) {
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    *response.body_mut() = AnswerBody::whole(body);
}

/// Refuses a caller who takes no description.
fn negotiate(headers: &HeaderMap) -> Result<(), Problem> {
    let accepted: Vec<_> =
        headers.get_all(ACCEPT).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    let accepted = accepted.join(",");
    let is_taken = |range: &str| {
        let mut parts = range.split(';').map(|part| part.trim().to_ascii_lowercase());
        let name = parts.next().unwrap_or_default();
        let is_wanted = parts.all(|parameter| match parameter.split_once('=') {
            Some(("q", weight)) => weight.parse::<f32>().is_ok_and(|weight| weight > 0.0),
            Some(("version", version)) => version.trim_matches('"').starts_with("3"),
            _ => true,
        });
        is_wanted && [openapi::MEDIA, "application/json", "application/*", "*/*"].contains(&name.as_str())
    };
    if accepted.trim().is_empty() || accepted.split(',').any(is_taken) {
        return Ok(());
    }
    Err(Problem::new(MEDIA, format!("None of these media types are available: {accepted}"))
        .hint("The description of the API is application/openapi+json."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_json_in_openapi_3() {
        let check = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            negotiate(&headers).is_ok()
        };
        for taken in ["", "*/*", "application/json", "application/openapi+json", "text/html, */*;q=0.1"] {
            assert!(check(taken), "{taken}");
        }
        for refused in ["text/html", "text/csv", "application/json;q=0", "application/openapi+json;version=2.0"] {
            assert!(!check(refused), "{refused}");
        }
    }
}
