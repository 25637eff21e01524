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
    answer.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
    let asked = head.headers.get(ACCESS_CONTROL_REQUEST_HEADERS).and_then(|value| value.to_str().ok());
    if let Some(Ok(headers)) = asked.map(|asked| HeaderValue::try_from(allowed_headers(asked))) {
        answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, headers);
    }
    answer.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE_S);
    Some(response)
}

/// Those that were asked for between those that always are; none of the latter twice.
fn allowed_headers(asked: &str) -> String {
    let mut headers = vec!["Authorization"];
    headers.extend(asked.split(',').map(str::trim).filter(|name| !name.is_empty()));
    for usual in ["Accept", "Accept-Language", "Content-Language"] {
        if !headers.iter().any(|name| name.eq_ignore_ascii_case(usual)) {
            headers.push(usual);
        }
    }
    headers.join(", ")
}

/// Adds what an answer to a page carries. `OPTIONS` that is no preflight is about what a path can do, for whomever.
pub(super) fn apply(cors: &Cors, head: &request::Parts, answer: &mut HeaderMap) {
    if head.method != Method::OPTIONS && allow(cors, &head.headers, answer) {
        answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn head(method: Method, headers: &[(&str, &str)]) -> request::Parts {
        let mut request = http::Request::builder().method(method);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_preflight_allows_the_headers_that_were_asked_for() {
        for (asked, expected) in [
            (Some("foo,bar"), Some("Authorization, foo, bar, Accept, Accept-Language, Content-Language")),
            (Some("accept, x"), Some("Authorization, accept, x, Accept-Language, Content-Language")),
            (None, None),
        ] {
            let mut headers = vec![("origin", "http://a"), ("access-control-request-method", "POST")];
            headers.extend(asked.map(|asked| ("access-control-request-headers", asked)));
            let response = preflight(&Cors::Any, &head(Method::OPTIONS, &headers)).unwrap();
            let told = response.headers().get(ACCESS_CONTROL_ALLOW_HEADERS).map(|value| value.to_str().unwrap());
            assert_eq!(told, expected, "{asked:?}");
        }
    }

    #[test]
    fn options_that_are_no_preflight_are_not_for_pages() {
        for (method, expected) in [(Method::GET, true), (Method::OPTIONS, false)] {
            let mut answer = HeaderMap::new();
            apply(&Cors::Any, &head(method, &[("origin", "http://a")]), &mut answer);
            assert_eq!(answer.contains_key(ACCESS_CONTROL_EXPOSE_HEADERS), expected);
        }
    }
}
