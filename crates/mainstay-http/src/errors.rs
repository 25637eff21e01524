//! Every error that a caller can see: its code, its status, its four members. The only place that knows both the
//! errors of the crates below and what goes over the wire.

pub mod codes;
mod database;
mod translate;

pub use codes::{CODES, Code};
pub(crate) use translate::singular;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use hyper::ext::ReasonPhrase;

use crate::body::AnswerBody;
use crate::encode::push_string;

/// Seconds after which a caller who met a 503 may try again.
const RETRY_AFTER_S: u64 = 1;

const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// How much the body of an error tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verbosity {
    /// All four members.
    #[default]
    Verbose,
    /// Code and message alone.
    Minimal,
}

/// An error on its way to the caller.
#[derive(Debug)]
pub struct Problem(Box<Parts>); // Boxed: most results are no errors, and should be small to hand on.

#[derive(Debug)]
struct Parts {
    code: &'static Code,
    /// Code, status and perhaps reason that a database chose; then `code` is [`DATABASE`].
    own: Option<Own>,
    message: String,
    details: Details,
    hint: Option<String>,
    challenge: Option<String>,
    allow: Option<&'static str>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<String>,
}

#[derive(Debug)]
struct Own {
    code: Box<str>,
    status: StatusCode,
    reason: Option<ReasonPhrase>,
}

/// Stands for every code that a database chose.
static DATABASE: Code = Code { name: "", status: 500, when: "The database said so." };

#[derive(Debug)]
enum Details {
    None,
    Text(String),
    /// JSON source text.
    Json(String),
}

impl Details {
    fn push(&self, out: &mut Vec<u8>) {
        match self {
            Details::None => out.extend_from_slice(b"null"),
            Details::Text(text) => push_string(out, text),
            Details::Json(json) => out.extend_from_slice(json.as_bytes()),
        }
    }
}

impl Problem {
    /// A problem with this code; `message` is for the caller.
    pub fn new(code: &'static Code, message: impl Into<String>) -> Problem {
        Problem(Box::new(Parts {
            code,
            own: None,
            message: message.into(),
            details: Details::None,
            hint: None,
            challenge: None,
            allow: None,
            headers: Vec::new(),
            cause: None,
        }))
    }

    /// A problem in a database's own words, with its code and the status that this code gets.
    pub fn database(code: &str, status: StatusCode, message: impl Into<String>) -> Problem {
        let mut problem = Problem::new(&DATABASE, message);
        problem.0.own = Some(Own { code: code.into(), status, reason: None });
        problem
    }

    /// The words beside the status that a database chose. Words that cannot stand there are left out.
    pub fn reason(mut self, text: &str) -> Problem {
        if let Some(own) = &mut self.0.own {
            own.reason = ReasonPhrase::try_from(text.as_bytes()).ok();
        }
        self
    }

    /// What makes this case particular.
    pub fn details(mut self, text: impl Into<String>) -> Problem {
        self.0.details = Details::Text(text.into());
        self
    }

    /// What makes this case particular, as JSON source text.
    pub fn details_json(mut self, json: String) -> Problem {
        self.0.details = Details::Json(json);
        self
    }

    /// Where it is, after the details.
    pub(crate) fn place(mut self, place: &str) -> Problem {
        self.0.details = match self.0.details {
            Details::None => Details::Text(place.to_owned()),
            Details::Text(text) => Details::Text(format!("{text} {place}")),
            Details::Json(json) => Details::Json(json),
        };
        self
    }

    /// The same problem, met at a step of a batch: which it is stands before the details.
    pub(crate) fn at_step(mut self, index: usize, id: Option<&str>) -> Problem {
        let mut json = format!("{{\"index\":{index},\"id\":").into_bytes();
        match id {
            Some(id) => push_string(&mut json, id),
            None => json.extend_from_slice(b"null"),
        }
        json.extend_from_slice(b",\"details\":");
        self.0.details.push(&mut json);
        json.push(b'}');
        self.0.details = Details::Json(String::from_utf8(json).unwrap_or_default());
        self
    }

    /// What would be right.
    pub fn hint(mut self, text: impl Into<String>) -> Problem {
        self.0.hint = Some(text.into());
        self
    }

    /// What would be right, where that is known.
    pub fn hint_if_any(mut self, text: Option<String>) -> Problem {
        self.0.hint = text;
        self
    }

    /// The `WWW-Authenticate` of a 401 that has more to say than `Bearer`.
    pub fn challenge(mut self, text: String) -> Problem {
        self.0.challenge = Some(text);
        self
    }

    /// The methods that a 405 offers.
    pub(crate) fn allow(mut self, methods: &'static str) -> Problem {
        self.0.allow = Some(methods);
        self
    }

    /// A header that says more.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Problem {
        self.0.headers.push((name, value));
        self
    }

    /// What the log is told and the caller is not.
    pub fn cause(mut self, error: &dyn std::error::Error) -> Problem {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            text.push_str(": ");
            text.push_str(&error.to_string());
            source = error.source();
        }
        self.0.cause = Some(text);
        self
    }

    /// The code; nameless when a database chose another one.
    pub fn code(&self) -> &'static Code {
        self.0.code
    }

    /// The code as it goes over the wire.
    pub fn name(&self) -> &str {
        self.0.own.as_ref().map_or(self.0.code.name, |own| &own.code)
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        match &self.0.own {
            Some(own) => own.status,
            None => StatusCode::from_u16(self.0.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    /// The message for the caller.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// All of it in one line, for the person at the terminal: what is wrong, where, what would be right, and the cause
    /// that callers are not told.
    pub fn told(&self) -> String {
        let details = match &self.0.details {
            Details::None => None,
            Details::Text(text) | Details::Json(text) => Some(text.as_str()),
        };
        let parts = [Some(self.message()), details, self.0.hint.as_deref(), self.log_cause()];
        let parts: Vec<&str> = parts.into_iter().flatten().map(|part| part.trim_end_matches('.')).collect();
        parts.join("; ")
    }

    /// What the log is told and the caller is not.
    pub fn log_cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// The JSON object that every error answer holds.
    pub fn to_json(&self, verbosity: Verbosity) -> Bytes {
        let mut out = Vec::with_capacity(128 + self.0.message.len());
        out.extend_from_slice(b"{\"code\":");
        push_string(&mut out, self.name());
        if verbosity == Verbosity::Verbose {
            out.extend_from_slice(b",\"details\":");
            self.0.details.push(&mut out);
            out.extend_from_slice(b",\"hint\":");
            match &self.0.hint {
                None => out.extend_from_slice(b"null"),
                Some(text) => push_string(&mut out, text),
            }
        }
        out.extend_from_slice(b",\"message\":");
        push_string(&mut out, &self.0.message);
        out.push(b'}');
        Bytes::from(out)
    }

    /// The answer. A `HEAD` request gets the headers alone.
    pub fn into_response(self, is_head: bool, verbosity: Verbosity) -> Response<AnswerBody> {
        let body = self.to_json(verbosity);
        let mut response = Response::new(AnswerBody::default());
        let status = self.status();
        *response.status_mut() = status;
        let headers = response.headers_mut();
        if !is_head {
            headers.insert(CONTENT_TYPE, JSON);
            headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        if let Ok(value) = HeaderValue::from_str(&format!("PostgREST; error={}", self.name())) {
            headers.insert(PROXY_STATUS, value);
        }
        if status == StatusCode::UNAUTHORIZED {
            let challenge = self.0.challenge.and_then(|text| HeaderValue::from_str(&text).ok());
            headers.insert(WWW_AUTHENTICATE, challenge.unwrap_or(HeaderValue::from_static("Bearer")));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
        }
        if let Some(methods) = self.0.allow {
            headers.insert(ALLOW, HeaderValue::from_static(methods));
        }
        for (name, value) in self.0.headers {
            headers.insert(name, value);
        }
        // A status that nobody knows has no words of its own.
        let no_words = response.status().canonical_reason().is_none().then(|| ReasonPhrase::from_static(b""));
        if let Some(reason) = self.0.own.and_then(|own| own.reason).or(no_words) {
            response.extensions_mut().insert(reason);
        }
        if !is_head {
            *response.body_mut() = AnswerBody::whole(body);
        }
        response
    }
}
