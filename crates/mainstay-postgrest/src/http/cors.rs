//! Which pages of a browser may call, told as PostgREST tells it.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
};
use http::{HeaderMap, HeaderValue, Method, Response, request};
use mainstay_http::{AnswerBody, Cors};

const METHODS: &str = "GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD";
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Location, Server, Transfer-Encoding, \
     Range-Unit",
);
const MAX_AGE_S: HeaderValue = HeaderValue::from_static("86400");

/// The answer to a preflight; `None` if the request is none, or of a page that may not call.
pub(super) fn preflight(cors: &Cors, head: &request::Parts) -> Option<Response<AnswerBody>> {
    let wanted = head.headers.get(ACCESS_CONTROL_REQUEST_METHOD)?.to_str().ok()?;
    let is_known = METHODS.split(", ").any(|method| method == wanted);
    if head.method != Method::OPTIONS || !is_known {
        return None;
    }
    let mut response = Response::new(AnswerBody::default());
    let answer = response.headers_mut();
    if !allow(cors, &head.headers, answer) {
        return None;
    }
    let asked =
        head.headers.get(ACCESS_CONTROL_REQUEST_HEADERS).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut headers = vec!["Authorization"];
    headers.extend(asked.split(',').map(str::trim).filter(|name| !name.is_empty()));
    headers.extend(["Accept", "Accept-Language", "Content-Language"]);
    answer.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
    if let Ok(headers) = HeaderValue::try_from(headers.join(", ")) {
        answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, headers);
    }
    answer.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE_S);
    Some(response)
}

/// Adds what an answer to a page carries.
pub(super) fn apply(cors: &Cors, head: &request::Parts, answer: &mut HeaderMap) {
    if allow(cors, &head.headers, answer) {
        answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    } else if head.method == Method::OPTIONS && head.headers.contains_key(ORIGIN) {
        // A page that may not call is not told that every page may.
        answer.remove(ACCESS_CONTROL_ALLOW_ORIGIN);
    }
}

fn allow(cors: &Cors, request: &HeaderMap, answer: &mut HeaderMap) -> bool {
    let Some(origin) = request.get(ORIGIN) else { return false };
    match cors {
        Cors::Any => {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            true
        }
        Cors::Origins(origins) if origins.iter().any(|known| known.as_bytes() == origin.as_bytes()) => {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
            true
        }
        Cors::Origins(_) => false,
    }
}
