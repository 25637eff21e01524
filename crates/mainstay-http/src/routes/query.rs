//! Reads whose query comes in the body: the method `QUERY`, and `POST …/query` for clients that cannot send it. For
//! filters that are too long for a URL. Safe like `GET`, which is what becomes of them here.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, request};

use super::declared::declared;
use crate::edge::Answer;
use crate::errors::Problem;
use crate::errors::codes::{BODY, METHOD};

/// The form of the query, which is that of a URL's.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// Says in the answer to `OPTIONS` that queries in bodies are taken, and in which form.
pub(super) const ACCEPT_QUERY: HeaderName = HeaderName::from_static("accept-query");

/// Methods of a path that takes nothing but queries.
const METHODS: &str = "OPTIONS,POST";

/// The whole query of a request, in the place of its URL's.
#[derive(Debug, Clone)]
struct Text(String);

/// Whether this method asks by its body.
pub(crate) fn is_query(method: &Method) -> bool {
    method.as_str() == "QUERY"
}

/// The query of a request, whichever way it came.
pub(crate) fn text(head: &request::Parts) -> &str {
    match head.extensions.get::<Text>() {
        Some(Text(text)) => text,
        None => head.uri.query().unwrap_or_default(),
    }
}

/// Whether the query came in the body.
pub(crate) fn is_in_body(head: &request::Parts) -> bool {
    head.extensions.get::<Text>().is_some()
}

/// Refuses methods other than `POST` and `OPTIONS` on a path that takes queries.
pub(crate) fn check_method(method: &Method) -> Result<(), Problem> {
    match *method {
        Method::POST | Method::OPTIONS => Ok(()),
        ref method => Err(Problem::new(METHOD, format!("Unsupported HTTP method: {method}")).allow(METHODS)),
    }
}

/// The answer to `OPTIONS` at such a path.
pub(crate) fn options() -> Answer {
    let mut response = super::options(METHODS);
    response.headers_mut().insert(ACCEPT_QUERY, HeaderValue::from_static(FORM));
    response
}

/// The `GET` that a query in the body stands for: its parameters come after those of the URL.
pub(crate) fn as_get(head: &request::Parts, body: &Bytes) -> Result<request::Parts, Problem> {
    if let Some(declared) = declared(&head.headers)?.filter(|declared| declared.name != FORM) {
        let hint = format!("Send the query as {FORM}: what would stand after the ? of a URL.");
        return Err(declared.refused().hint(hint));
    }
    let body = std::str::from_utf8(body).map_err(|_| Problem::new(BODY, "The query is not UTF-8"))?;
    // As a person would write it into a file; no parameter begins or ends with a line's end.
    let body = body.trim_ascii();
    let text = match head.uri.query() {
        Some(query) if !query.is_empty() && !body.is_empty() => format!("{query}&{body}"),
        Some(query) if body.is_empty() => query.to_owned(),
        _ => body.to_owned(),
    };
    let mut head = head.clone();
    head.method = Method::GET;
    head.extensions.insert(Text(text));
    Ok(head)
}
