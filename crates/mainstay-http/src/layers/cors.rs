//! Which pages of a browser may call the API.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, CONTENT_LENGTH, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Response, request};

const EXPOSED: HeaderValue = HeaderValue::from_static(
    "Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Location, Server, Transfer-Encoding, \
     Range-Unit, Next-After, Warning, ETag, Preference-Applied, Retry-After, X-Request-Id, Mainstay-Stores",
);
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD, QUERY");
const ANY: HeaderValue = HeaderValue::from_static("*");
/// Seconds for which a browser may remember a preflight.
const MAX_AGE_S: HeaderValue = HeaderValue::from_static("86400");

/// Origins whose pages may call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Cors {
    /// Every origin, without credentials: keys and tokens travel in headers that a page must know to send.
    #[default]
    Any,
    /// These origins, compared whole: `https://shop.example`.
    Origins(Vec<String>),
}

impl Cors {
    /// Every origin if the list has `*`, otherwise those of the list; `null` is never one.
    pub fn from_list(origins: &[String]) -> Cors {
        if origins.iter().any(|origin| origin == "*") {
            return Cors::Any;
        }
        Cors::Origins(origins.iter().filter(|origin| *origin != "null").cloned().collect())
    }

    /// Adds what an answer to a request with an `Origin` carries. That every page may call is told in each answer to
    /// `OPTIONS`, as PostgREST does.
    pub(crate) fn apply(&self, head: &request::Parts, answer: &mut HeaderMap) {
        if self.allow(&head.headers, answer) {
            answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        } else if *self == Cors::Any && head.method == Method::OPTIONS {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
        }
    }

    fn allow(&self, request: &HeaderMap, answer: &mut HeaderMap) -> bool {
        let origin = request.get(ORIGIN);
        match (self, origin) {
            (Cors::Any, None) => false,
            (Cors::Any, Some(_)) => {
                answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
                true
            }
            (Cors::Origins(origins), origin) => {
                answer.append(VARY, HeaderValue::from_static("Origin"));
                let Some(origin) = origin.filter(|origin| origins.iter().any(|o| o.as_bytes() == origin.as_bytes()))
                else {
                    return false;
                };
                answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
                answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
                true
            }
        }
    }

    /// The answer to a preflight; `None` if the request is none.
    pub(crate) fn preflight<B: Default>(&self, head: &request::Parts) -> Option<Response<B>> {
        let is_preflight = head.method == Method::OPTIONS
            && head.headers.contains_key(ORIGIN)
            && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !is_preflight {
            return None;
        }
        let mut response = Response::new(B::default());
        let answer = response.headers_mut();
        answer.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        if self.allow(&head.headers, answer) {
            answer.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed_headers(&head.headers));
            answer.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE_S);
        }
        Some(response)
    }
}

/// What was asked for, and what every page may send.
fn allowed_headers(request: &HeaderMap) -> HeaderValue {
    let asked = request.get(ACCESS_CONTROL_REQUEST_HEADERS).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut text = String::from("Authorization");
    for name in asked.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        text.push_str(", ");
        text.push_str(name);
    }
    text.push_str(", Accept, Accept-Language, Content-Language");
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Authorization"))
}
