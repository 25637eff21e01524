//! The little of HTTP/1.1 that the load generator needs: writing requests ahead of time and finding where an answer ends.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

/// The bytes of one request.
pub(crate) fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{method} {target} HTTP/1.1\r\nhost: localhost\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    if !body.is_empty() {
        bytes.extend_from_slice(
            format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()).as_bytes(),
        );
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// Where an answer's parts lie in the bytes that hold it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// Length of the body, without the framing of chunks.
    pub(crate) body_bytes: usize,
    /// Length of the whole answer as sent.
    pub(crate) wire_bytes: usize,
    /// Where the body begins.
    pub(crate) body_at: usize,
    /// Whether the body is chunked.
    pub(crate) chunked: bool,
}

/// Reads an answer from the front of `bytes`; `None` while some of it has not come yet.
///
/// # Errors
/// When the bytes are no HTTP/1.1 answer.
pub(crate) fn parse(bytes: &[u8]) -> anyhow::Result<Option<Answer>> {
    let Some(head_end) = memchr::memmem::find(bytes, b"\r\n\r\n") else {
        return Ok(None);
    };
    let body_at = head_end + 4;
    let head = std::str::from_utf8(&bytes[..head_end]).context("a head that is not text")?;
    let mut lines = head.split("\r\n");
    let status: u16 = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1.1 "))
        .and_then(|rest| rest.get(..3)?.parse().ok())
        .with_context(|| format!("not a status line: {head}"))?;
    let mut length = 0;
    let mut chunked = false;
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { bail!("not a header: {line}") };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().context("content-length")?;
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            chunked = value.trim().eq_ignore_ascii_case("chunked");
        }
    }
    if chunked {
        return Ok(chunks(&bytes[body_at..])?.map(|(body_bytes, framed)| Answer {
            status,
            body_bytes,
            wire_bytes: body_at + framed,
            body_at,
            chunked,
        }));
    }
    // These have no body, whatever length they speak of (RFC 9110 6.4.1).
    let length = if matches!(status, 204 | 304) { 0 } else { length };
    let wire_bytes = body_at + length;
    Ok((bytes.len() >= wire_bytes).then_some(Answer { status, body_bytes: length, wire_bytes, body_at, chunked }))
}

/// Length of a chunked body without and with its framing; `None` while it is not complete.
fn chunks(bytes: &[u8]) -> anyhow::Result<Option<(usize, usize)>> {
    let (mut at, mut body) = (0, 0);
    loop {
        let Some(line) = memchr::memmem::find(&bytes[at..], b"\r\n") else { return Ok(None) };
        let size = std::str::from_utf8(&bytes[at..at + line])?;
        let size = usize::from_str_radix(size.trim(), 16).with_context(|| format!("chunk size {size:?}"))?;
        at += line + 2 + size + 2;
        body += size;
        if at > bytes.len() {
            return Ok(None);
        }
        if size == 0 {
            return Ok(Some((body, at)));
        }
    }
}

/// The body of an answer that [`parse`] found complete, without the framing of chunks.
fn body(bytes: &[u8], answer: &Answer) -> anyhow::Result<Vec<u8>> {
    let framed = &bytes[answer.body_at..answer.wire_bytes];
    if !answer.chunked {
        return Ok(framed.to_vec());
    }
    let mut out = Vec::with_capacity(answer.body_bytes);
    let mut rest = framed;
    while let Some(line) = memchr::memmem::find(rest, b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line])?.trim(), 16)?;
        if size == 0 {
            break;
        }
        out.extend_from_slice(&rest[line + 2..line + 2 + size]);
        rest = &rest[line + 2 + size + 2..];
    }
    Ok(out)
}

/// Sends one request on a connection of its own and waits for the whole answer: status, head and body.
///
/// # Errors
/// When the server cannot be reached, or answers with something that is not HTTP.
pub(crate) fn fetch(address: SocketAddr, request: &[u8]) -> anyhow::Result<(u16, String, Vec<u8>)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(request)?;
    let mut bytes = Vec::new();
    let mut part = [0; 65_536];
    loop {
        if let Some(answer) = parse(&bytes)? {
            let head = String::from_utf8_lossy(&bytes[..answer.body_at]).into_owned();
            return Ok((answer.status, head, body(&bytes, &answer)?));
        }
        let count = stream.read(&mut part)?;
        ensure!(count > 0, "the server closed the connection in the middle of an answer");
        bytes.extend_from_slice(&part[..count]);
    }
}

/// The value of a header in a head that [`fetch`] gave; its name is written in any case.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &str, expected: Option<(u16, usize, usize)>) {
        let found = parse(bytes.as_bytes()).unwrap();
        assert_eq!(found.map(|answer| (answer.status, answer.body_bytes, answer.wire_bytes)), expected, "{bytes:?}");
    }

    #[test]
    fn an_answer_ends_where_its_head_says() {
        check("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]", Some((200, 2, 40)));
        check("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[", None);
        check("HTTP/1.1 204 No Content\r\n\r\n", Some((204, 0, 27)));
        check("HTTP/1.1 304 Not Modified\r\ncontent-length: 2\r\n\r\n", Some((304, 0, 48)));
        check("HTTP/1.1 200 OK\r\ncontent-le", None);
    }

    #[test]
    fn chunks_are_counted_without_their_framing() {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        check(&format!("{head}3\r\nabc\r\na\r\n0123456789\r\n0\r\n\r\n"), Some((200, 13, head.len() + 28)));
        check(&format!("{head}3\r\nabc\r\na\r\n01234"), None);
        check(&format!("{head}3\r\nabc\r\n0\r\n"), None);
    }

    #[test]
    fn something_else_than_http_is_refused() {
        assert!(parse(b"SSH-2.0\r\n\r\n").is_err());
    }
}
