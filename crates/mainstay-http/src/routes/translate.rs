//! HTTP → request: method, query string, preferences and body. Knows nothing of the schema.

use bytes::Bytes;
use http::header::RANGE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, request};
use mainstay_query::parse::prefer::{CountPreference, Missing, Preferences, Return};
use mainstay_query::parse::{self, Purpose, range};
use mainstay_query::request::{Action, Body, Count, ReadRequest, WriteRequest};
use mainstay_query::{Limits, ParseError};

use super::declared::declared;
use super::{patch, prefer, query};
use crate::errors::Problem;
use crate::errors::codes::{BODY, METHOD, PROFILE};

/// Methods of a table whose rows can be written.
pub(super) const METHODS: &str = "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE";
/// Methods of a table whose rows can be written and have no key.
pub(super) const METHODS_KEYLESS: &str = "OPTIONS,GET,HEAD,POST,PATCH,DELETE";
/// Methods of a view.
pub(super) const METHODS_READ: &str = "OPTIONS,GET,HEAD";

const ACCEPT_PROFILE: HeaderName = HeaderName::from_static("accept-profile");
const CONTENT_PROFILE: HeaderName = HeaderName::from_static("content-profile");

/// The one schema that the API shows.
pub(super) const SCHEMA: &str = "public";

/// What was asked of a table.
pub(super) enum Asked {
    /// Which methods there are.
    Options,
    /// Rows.
    Read(ReadRequest),
    /// A change.
    Write(WriteRequest),
}

/// The checks of an HTTP request in their order: profile, method, query string, range, body.
pub(super) fn translate(
    head: &request::Parts,
    table: &str,
    body: Bytes,
    preferences: &Preferences,
    limits: &Limits,
) -> Result<Asked, Problem> {
    profile(&head.method, &head.headers)?;
    let text = query::text(head);
    let purpose = match head.method {
        Method::OPTIONS => return Ok(Asked::Options),
        Method::GET | Method::HEAD => Purpose::Read,
        Method::POST => Purpose::Insert,
        Method::PATCH => Purpose::Update,
        Method::DELETE => Purpose::Delete,
        Method::PUT => Purpose::Replace,
        ref method => return Err(Problem::new(METHOD, format!("Unsupported HTTP method: {method}")).allow(METHODS)),
    };
    let mut query = parse::query(purpose, text, limits)?;
    let table = table.to_owned();
    if purpose == Purpose::Read {
        if let Some(range) = range_header(head)? {
            range.narrow(&mut query)?;
        }
        let count = match preferences.count {
            None => Count::None,
            Some(CountPreference::Exact) => Count::Exact,
            Some(CountPreference::Planned) => Count::Planned,
            Some(CountPreference::Estimated) => Count::Estimated(limits.page_rows_max),
        };
        return Ok(Asked::Read(ReadRequest { table, query, count, unpaged: false }));
    }
    let action = match purpose {
        Purpose::Insert => Action::Insert {
            body: body_of(&head.headers, body)?,
            resolution: preferences.resolution,
            missing_default: preferences.missing == Some(Missing::Default),
        },
        Purpose::Replace => Action::Replace { body: body_of(&head.headers, body)? },
        Purpose::Update => Action::Update {
            body: match patch::form(&head.headers)? {
                Some(form) => form(body),
                None => body_of(&head.headers, body)?,
            },
            missing_default: preferences.missing == Some(Missing::Default),
        },
        Purpose::Read | Purpose::Delete | Purpose::Call => Action::Delete,
    };
    Ok(Asked::Write(WriteRequest {
        table,
        action,
        query,
        representation: preferences.answer == Some(Return::Representation),
        affected_max: prefer::affected_max(preferences, &head.method),
        // Set once the media type is known.
        singular: false,
        keys: purpose == Purpose::Insert && preferences.answer == Some(Return::HeadersOnly),
    }))
}

/// The profile that a request names, if it names one.
fn named_profile<'a>(method: &Method, headers: &'a HeaderMap) -> Option<&'a [u8]> {
    let is_read = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    let name = if is_read { ACCEPT_PROFILE } else { CONTENT_PROFILE };
    headers.get(name).map(HeaderValue::as_bytes)
}

/// Refuses a profile that is not there.
pub(super) fn profile(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    match named_profile(method, headers) {
        Some(name) if name != SCHEMA.as_bytes() => {
            let name = String::from_utf8_lossy(name);
            Err(Problem::new(PROFILE, format!("Invalid schema: {name}"))
                .hint(format!("Only the following schemas are exposed: {SCHEMA}")))
        }
        _ => Ok(()),
    }
}

/// Names the schema in an answer with a body, if its request named one.
pub(super) fn name_profile(head: &request::Parts, answer: &mut HeaderMap) {
    if named_profile(&head.method, &head.headers).is_some() {
        answer.insert(CONTENT_PROFILE, HeaderValue::from_static(SCHEMA));
    }
}

/// The rows of the `Range` header, which counts on `GET` alone.
pub(super) fn range_header(head: &request::Parts) -> Result<Option<range::Range>, ParseError> {
    if head.method != Method::GET {
        return Ok(None);
    }
    match head.headers.get(RANGE).and_then(|value| value.to_str().ok()) {
        Some(text) => range::range(text),
        None => Ok(None),
    }
}

/// The body in the form that its type declares.
fn body_of(headers: &HeaderMap, body: Bytes) -> Result<Body, Problem> {
    let Some(declared) = declared(headers)? else { return Ok(Body::Json(body)) };
    match declared.name.as_str() {
        "application/json" => Ok(Body::Json(body)),
        "text/csv" => Ok(Body::Csv(body)),
        query::FORM => form(&body),
        "application/x-ndjson" | "application/jsonl" => Ok(Body::Ndjson(body)),
        "application/xml" | "text/xml" => Ok(Body::Xml(body)),
        _ => Err(declared.refused()),
    }
}

/// One row, all of whose values are text.
fn form(body: &[u8]) -> Result<Body, Problem> {
    let mut columns: Vec<String> = Vec::new();
    let mut row = Vec::new();
    for (name, value) in parse::form::form(body)? {
        if columns.contains(&name) {
            return Err(Problem::new(BODY, "A form field stands twice").details(format!("The field \"{name}\".")));
        }
        columns.push(name);
        row.push(Some(value));
    }
    Ok(Body::Rows { columns, rows: vec![row] })
}

#[cfg(test)]
mod tests {
    use http::header::CONTENT_TYPE;

    use super::*;

    #[test]
    fn a_form_is_one_row_of_text() {
        let text = |text: &str| Some(text.to_owned());
        let Ok(Body::Rows { columns, rows }) = form(b"a=1+2&b%20c=%C3%A9&d") else { panic!("a form") };
        assert_eq!(columns, ["a", "b c", "d"]);
        assert_eq!(rows, [[text("1 2"), text("é"), text("")]]);
        assert!(form(b"a=1&a=2").is_err());
        assert!(form(b"a=%ff").is_err());
    }

    #[test]
    fn the_declared_type_decides_what_a_body_is() {
        let check = |declared: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(declared));
            body_of(&headers, Bytes::from_static(b"x")).map_err(|problem| problem.code().name)
        };
        assert_eq!(check("application/json; charset=utf-8"), Ok(Body::Json(Bytes::from_static(b"x"))));
        assert_eq!(check("Text/CSV"), Ok(Body::Csv(Bytes::from_static(b"x"))));
        assert_eq!(check("image/png"), Err("PGRST102"));
        assert_eq!(check("application/x-ndjson"), Ok(Body::Ndjson(Bytes::from_static(b"x"))));
        assert_eq!(check("application/jsonl"), Ok(Body::Ndjson(Bytes::from_static(b"x"))));
        assert_eq!(check("application/xml"), Ok(Body::Xml(Bytes::from_static(b"x"))));
        assert_eq!(check("text/xml; charset=utf-8"), Ok(Body::Xml(Bytes::from_static(b"x"))));
        assert_eq!(check(""), Ok(Body::Json(Bytes::from_static(b"x"))));
        assert_eq!(check("text/plain"), Err("PGRST102"));
        assert_eq!(check("text/csv; charset=latin1"), Err("PGRST102"));
        assert_eq!(check("application/octet-stream"), Err("PGRST102"));
    }
}
