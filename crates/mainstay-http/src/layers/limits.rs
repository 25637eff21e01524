//! Bounds on a request before anything looks into it. Each answers with its name as in the settings.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, Version, request};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::decode;
use crate::errors::Problem;
use crate::errors::codes::{BODY, BODY_LARGE, BODY_SLOW, BUSY, FRAMING, HEAD_LARGE, URL_LONG};

/// Bounds on one request and on all that run at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestLimits {
    /// Octets of a body.
    pub body_bytes_max: u64,
    /// Time from the head of a request to the end of its body.
    pub body_time: Duration,
    /// Octets of path and query.
    pub url_bytes_max: usize,
    /// Header fields.
    pub headers_max: usize,
    /// Octets of all header fields together.
    pub head_bytes_max: usize,
    /// Octets of one answer to a read.
    pub response_bytes_max: usize,
    /// Time from the end of the body to the answer.
    pub handler_time: Duration,
    /// Time to read the rows of an answer that is sent while it is read.
    pub stream_time: Duration,
    /// Time that a client may take nothing of such an answer.
    pub write_time: Duration,
    /// Requests that run at once; more are told to come again.
    pub in_flight_max: usize,
}

impl Default for RequestLimits {
    fn default() -> RequestLimits {
        RequestLimits {
            body_bytes_max: 1 << 20,
            body_time: Duration::from_secs(60),
            url_bytes_max: 16 << 10,
            headers_max: 100,
            head_bytes_max: 64 << 10,
            response_bytes_max: 64 << 20,
            handler_time: Duration::from_secs(30),
            stream_time: Duration::from_secs(600),
            write_time: Duration::from_secs(30),
            in_flight_max: 4096,
        }
    }
}

/// Refuses a head that is too large, or whose framing two programs could read in two ways.
///
/// # Errors
/// Which bound was passed.
pub fn check_head(limits: &RequestLimits, head: &request::Parts) -> Result<(), Problem> {
    let url_bytes = head.uri.path_and_query().map_or(0, |url| url.as_str().len());
    if url_bytes > limits.url_bytes_max {
        let message = format!("limits.url_bytes_max is {}; this URL has {url_bytes}", limits.url_bytes_max);
        return Err(Problem::new(URL_LONG, message));
    }
    if head.headers.len() > limits.headers_max {
        let message = format!("limits.headers_max is {}; this request has {}", limits.headers_max, head.headers.len());
        return Err(Problem::new(HEAD_LARGE, message));
    }
    let head_bytes: usize = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if head_bytes > limits.head_bytes_max {
        let message = format!("limits.head_bytes_max is {}; this request has {head_bytes}", limits.head_bytes_max);
        return Err(Problem::new(HEAD_LARGE, message));
    }
    check_framing(head.version, &head.headers)
}

fn check_framing(version: Version, headers: &HeaderMap) -> Result<(), Problem> {
    if headers.contains_key(TRANSFER_ENCODING) && headers.contains_key(CONTENT_LENGTH) {
        return Err(Problem::new(FRAMING, "Content-Length and Transfer-Encoding exclude each other"));
    }
    let hosts = headers.get_all(HOST).iter().count();
    if hosts > 1 || (hosts == 0 && version == Version::HTTP_11) {
        return Err(Problem::new(FRAMING, "Exactly one Host header is needed"));
    }
    Ok(())
}

/// The whole body. A body whose length is announced above the limit is refused before any of it is read.
///
/// # Errors
/// Which bound was passed, or that the body ended too early.
pub async fn read_body<B>(limits: &RequestLimits, headers: &HeaderMap, body: B) -> Result<Bytes, Problem>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let packing = decode::packing(headers)?;
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limits.body_bytes_max) {
        return Err(too_large(limits));
    }
    let bytes_max = usize::try_from(limits.body_bytes_max).unwrap_or(usize::MAX);
    match tokio::time::timeout(limits.body_time, Limited::new(body, bytes_max).collect()).await {
        Ok(Ok(body)) => match packing {
            None => Ok(body.to_bytes()),
            Some(packing) => decode::unpack(packing, &body.to_bytes(), bytes_max),
        },
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(limits)),
        Ok(Err(error)) => Err(Problem::new(BODY, "The body ended too early").cause(&*error)),
        Err(_) => {
            let message = format!("limits.body_time is {} s; the body took longer", limits.body_time.as_secs());
            Err(Problem::new(BODY_SLOW, message))
        }
    }
}

fn too_large(limits: &RequestLimits) -> Problem {
    Problem::new(BODY_LARGE, format!("limits.body_bytes_max is {}; this body has more", limits.body_bytes_max))
        .hint("Send the rows in several requests, or load a file with `mainstay import`.")
}

/// Counts the requests that run.
#[derive(Debug, Default)]
pub(crate) struct InFlight(AtomicUsize);

/// One request that runs, until it is dropped.
#[derive(Debug)]
pub(crate) struct Running<'a>(&'a InFlight);

impl InFlight {
    /// Lets one more request run if there is room.
    pub(crate) fn enter(&self, max: usize) -> Result<Running<'_>, Problem> {
        let running = Running(self);
        if self.0.fetch_add(1, Ordering::Relaxed) >= max {
            return Err(Problem::new(BUSY, format!("limits.in_flight_max is {max}; as many requests are running")));
        }
        Ok(running)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_after_each_request_even_a_refused_one() {
        let in_flight = InFlight::default();
        let first = in_flight.enter(1).unwrap();
        assert_eq!(in_flight.enter(1).unwrap_err().status(), 503);
        drop(first);
        assert!(in_flight.enter(1).is_ok());
    }
}
