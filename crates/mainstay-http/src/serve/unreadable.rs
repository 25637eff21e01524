//! The answer to what is no request. The HTTP library refuses such octets by itself, with a bare status; whoever sent
//! them is told as much as everybody else.

use bytes::Bytes;
use http::StatusCode;
use memchr::memmem;

use crate::edge;
use crate::errors::codes::{FRAMING, HEAD_LARGE, URL_LONG};
use crate::errors::{Problem, Verbosity};

/// Our own answers to HTTP/1 carry one of these; the library's refusals do not.
const OURS: [&[u8]; 2] = [b"\r\nx-request-id: ", b"\r\nserver: "];

/// What to send instead of `written`, if that is a refusal by the library.
pub(super) fn answer(written: &[u8], verbosity: Verbosity) -> Option<Bytes> {
    let status = written.strip_prefix(b"HTTP/1.1 4")?.get(..2)?;
    if OURS.iter().any(|header| memmem::find(written, header).is_some()) {
        return None;
    }
    let problem = match status {
        b"00" => Problem::new(FRAMING, "The request is not HTTP")
            .hint("In a URL write > as %3E, < as %3C, \" as %22 and a space as %20."),
        b"14" => Problem::new(URL_LONG, "The URL is longer than the server reads"),
        b"31" => Problem::new(HEAD_LARGE, "The header fields are more or larger than the server reads")
            .hint("The bounds are limits.headers_max and limits.head_bytes_max."),
        _ => return None,
    };
    Some(on_the_wire(problem, verbosity))
}

/// The problem as a whole HTTP/1 answer, after which the connection ends.
fn on_the_wire(problem: Problem, verbosity: Verbosity) -> Bytes {
    let status = problem.status();
    let body = problem.to_json(verbosity);
    let mut response = problem.into_response(false, verbosity);
    edge::lock_down(response.headers_mut());
    let reason = StatusCode::canonical_reason(&status).unwrap_or_default();
    let mut out = format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).into_bytes();
    for (name, value) in response.headers() {
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"connection: close\r\n\r\n");
    out.extend_from_slice(&body);
    Bytes::from(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_refusals_by_the_library_are_replaced() {
        let bare = |status: &str| format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        for (written, code) in [
            (bare("400 Bad Request"), Some("MS401")),
            (bare("414 URI Too Long"), Some("MS414")),
            (bare("431 Request Header Fields Too Large"), Some("MS431")),
            (bare("404 Not Found"), None),
            (bare("200 OK"), None),
            ("HTTP/1.1 400 Bad Request\r\nx-request-id: 1\r\n\r\n".to_owned(), None),
            ("HTTP/1.1 400 Bad Request\r\nserver: x\r\n\r\n".to_owned(), None),
            ("HTTP/1.1 4".to_owned(), None),
        ] {
            let found = answer(written.as_bytes(), Verbosity::Verbose);
            let text = found.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
            assert_eq!(found.is_some(), code.is_some(), "{written}");
            assert!(text.contains(code.unwrap_or_default()), "{text}");
        }
    }
}
