//! The load: keep-alive connections on one thread, each with one request under way, driven by the system's readiness
//! events. It knows bytes and times; what is asked and whether the servers agree is decided in `workloads` and `verify`.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use serde::Serialize;

use crate::exchange;

/// A request ready to send, and what its answer must look like.
#[derive(Clone)]
pub(crate) struct Prepared {
    /// The request as it goes on the wire.
    pub(crate) bytes: Vec<u8>,
    /// The status it must answer.
    pub(crate) status: u16,
    /// How long its body must be; `None` where that differs from answer to answer, as with numbers of new rows.
    pub(crate) body_bytes: Option<usize>,
}

/// What one round measured.
#[derive(Clone, Serialize)]
pub(crate) struct Sample {
    /// Answers in each second of the round.
    pub(crate) per_second: f64,
    /// Half of the answers came within this time.
    pub(crate) median_us: u64,
    /// Of a hundred answers, one took longer.
    pub(crate) p99_us: u64,
}

struct Connection {
    stream: TcpStream,
    request: usize,
    sent: usize,
    received: Vec<u8>,
    began: Instant,
}

/// Puts load on `address` for `length`, taking the requests in turn.
///
/// # Errors
/// When an answer has another status or length than its request says, or the server closes a connection.
pub(crate) fn run(
    address: SocketAddr,
    requests: &[Prepared],
    connections: usize,
    length: Duration,
) -> anyhow::Result<Sample> {
    let mut poll = Poll::new()?;
    let mut open = connect(address, connections, &poll)?;
    let mut events = Events::with_capacity(connections);
    let mut part = vec![0; 256 << 10];
    let mut latencies = Vec::with_capacity(1 << 20);
    let mut turn = 0;
    let began = Instant::now();
    let mut stopping = false;
    let mut under_way = connections;
    for connection in &mut open {
        next(connection, requests, &mut turn)?;
    }
    while under_way > 0 {
        poll.poll(&mut events, Some(Duration::from_secs(10)))?;
        ensure!(!events.is_empty(), "no answer within 10 seconds");
        stopping |= began.elapsed() >= length;
        for event in &events {
            let connection = &mut open[event.token().0];
            if event.is_writable() {
                send(connection, requests)?;
            }
            if event.is_readable() && receive(connection, requests, &mut part)? {
                latencies.push(micros(connection.began.elapsed()));
                if stopping {
                    under_way -= 1;
                } else {
                    next(connection, requests, &mut turn)?;
                }
            }
        }
    }
    Ok(sample(latencies, began.elapsed()))
}

fn connect(address: SocketAddr, connections: usize, poll: &Poll) -> anyhow::Result<Vec<Connection>> {
    (0..connections)
        .map(|index| {
            // Connecting blocks, so that the first write finds an open connection.
            let stream = std::net::TcpStream::connect(address).with_context(|| format!("connecting to {address}"))?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry().register(&mut stream, Token(index), Interest::READABLE | Interest::WRITABLE)?;
            Ok(Connection {
                stream,
                request: 0,
                sent: 0,
                received: Vec::with_capacity(64 << 10),
                began: Instant::now(),
            })
        })
        .collect()
}

/// Begins the next request on a connection whose last answer is complete.
fn next(connection: &mut Connection, requests: &[Prepared], turn: &mut usize) -> anyhow::Result<()> {
    connection.request = *turn % requests.len();
    *turn += 1;
    connection.sent = 0;
    connection.received.clear();
    connection.began = Instant::now();
    send(connection, requests)
}

fn send(connection: &mut Connection, requests: &[Prepared]) -> anyhow::Result<()> {
    let bytes = &requests[connection.request].bytes;
    while connection.sent < bytes.len() {
        match connection.stream.write(&bytes[connection.sent..]) {
            Ok(count) => connection.sent += count,
            Err(problem) if problem.kind() == ErrorKind::WouldBlock => break,
            Err(problem) => return Err(problem).context("sending a request"),
        }
    }
    Ok(())
}

/// Takes what has come; `true` when the answer is complete and as it must be.
fn receive(connection: &mut Connection, requests: &[Prepared], part: &mut [u8]) -> anyhow::Result<bool> {
    let mut complete = false;
    loop {
        match connection.stream.read(part) {
            Ok(0) => bail!("the server closed a keep-alive connection"),
            Ok(count) => {
                ensure!(!complete, "bytes after the end of an answer");
                connection.received.extend_from_slice(&part[..count]);
                complete = check(&connection.received, &requests[connection.request])?;
            }
            Err(problem) if problem.kind() == ErrorKind::WouldBlock => return Ok(complete),
            Err(problem) => return Err(problem).context("receiving an answer"),
        }
    }
}

fn check(received: &[u8], request: &Prepared) -> anyhow::Result<bool> {
    let Some(answer) = exchange::parse(received)? else { return Ok(false) };
    ensure!(
        answer.status == request.status && request.body_bytes.is_none_or(|bytes| bytes == answer.body_bytes),
        "expected status {} and {:?} bytes, got {}",
        request.status,
        request.body_bytes,
        String::from_utf8_lossy(&received[..received.len().min(2000)])
    );
    Ok(true)
}

fn sample(mut latencies: Vec<u64>, elapsed: Duration) -> Sample {
    latencies.sort_unstable();
    let at = |part: f64| {
        // Truncation is meant: a place in the list.
        let place = (latencies.len() as f64 * part) as usize;
        latencies.get(place).copied().unwrap_or_default()
    };
    Sample { per_second: latencies.len() as f64 / elapsed.as_secs_f64(), median_us: at(0.5), p99_us: at(0.99) }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
