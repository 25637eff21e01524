//! One file a noun. A handler translates between HTTP and the engine, and decides nothing else.

mod accept;
pub(crate) mod batch;
mod conditional;
mod declared;
pub(crate) mod functions;
pub(crate) mod health;
pub(crate) mod legacy;
mod media;
mod patch;
mod precondition;
pub(crate) mod prefer;
pub(crate) mod preview;
pub(crate) mod query;
pub(crate) mod records;
pub(crate) mod reference;
pub(crate) mod root;
pub(crate) mod slow;
mod translate;

use http::header::{ALLOW, CONTENT_LENGTH, VARY};
use http::{HeaderValue, Response};

use crate::body::AnswerBody;
use crate::edge::Answer;

/// What a good answer depends on besides its URL.
const VARIES: HeaderValue = HeaderValue::from_static("Accept, Prefer, Range");

/// The answer to `OPTIONS`: these methods, and no body.
fn options(methods: &'static str) -> Answer {
    let mut response = Response::new(AnswerBody::default());
    let headers = response.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static(methods));
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    headers.insert(VARY, VARIES);
    response
}
