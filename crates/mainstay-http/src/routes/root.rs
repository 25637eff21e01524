//! `/rest/v1/`: the description of the API, as much of it as its caller may use.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, Method, Response, request};
use mainstay_query::Actor;

use super::accept::{self, Accepted, Range};
use super::translate::{name_profile, profile};
use super::{VARIES, options};
use crate::app::App;
use crate::body::AnswerBody;
use crate::description::Scope;
use crate::edge::Answer;
use crate::errors::Problem;
use crate::errors::codes::{INTERNAL, METHOD, ROOT};
use crate::openapi::{self, role};

const METHODS: &str = "OPTIONS,GET,HEAD";
const OPENAPI: HeaderValue = HeaderValue::from_static("application/openapi+json; charset=utf-8");

/// Answers `GET`, `HEAD` and `OPTIONS`.
pub(crate) async fn answer(app: &App, actor: &Actor, head: &request::Parts) -> Result<Answer, Problem> {
    profile(&head.method, &head.headers)?;
    match head.method {
        Method::GET | Method::HEAD => {}
        Method::OPTIONS => return Ok(options(METHODS)),
        ref method => return Err(Problem::new(METHOD, format!("Unsupported HTTP method: {method}")).allow(METHODS)),
    }
    let role = match app.description.scope {
        Scope::Off => return Err(Problem::new(ROOT, "Root endpoint metadata is disabled")),
        Scope::Everything => None,
        Scope::Follow => role(actor),
    };
    negotiate(&head.headers)?;
    let own = app.clone();
    // It is made once for a schema, and takes a while where tables are many: beside the threads that answer.
    let made = move || own.documents.get(&own.engine.schema(), role, &own.description.about);
    let made = tokio::task::spawn_blocking(made).await;
    let body = made.map_err(|error| Problem::new(INTERNAL, "internal error").cause(&error))?;
    let mut response = Response::new(AnswerBody::default());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, OPENAPI);
    headers.insert(VARY, VARIES);
    name_profile(head, headers);
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
    let Some(text) = accept::text(headers) else { return Ok(()) };
    let accepted = Accepted::read(&text);
    let is_made = |range: &Range<'_>| {
        let names = [openapi::MEDIA, "application/json", "application/*", "*/*"];
        names.contains(&range.name.as_str())
            && range.parameter("version").is_none_or(|version| version.starts_with('3'))
    };
    match accepted.wanted().iter().any(is_made) {
        true => Ok(()),
        false => Err(accepted.unavailable().hint("The description of the API is application/openapi+json.")),
    }
}

#[cfg(test)]
mod tests {
    use http::header::ACCEPT;

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
