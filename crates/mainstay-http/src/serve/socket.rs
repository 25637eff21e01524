//! A socket that gives up on a peer that is too slow: with the head of a request, between requests, or in taking an
//! answer. The body of a request is timed by its reader. What is no request gets an answer that says so.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::Version;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::target::Targets;
use super::{ServerLimits, unreadable};
use crate::errors::Verbosity;

/// What the requests of a connection tell its socket.
#[derive(Debug)]
pub(super) struct Activity {
    opened: Instant,
    running: AtomicUsize,
    begun: AtomicU64,
    /// When the last request ended, in milliseconds since the connection was opened.
    ended_ms: AtomicU64,
    /// Whether a request came with a body, after which nobody here knows where the next one begins.
    had_body: AtomicBool,
    /// On HTTP/2 octets come between requests as well, so they do not mean that a head has begun.
    is_http2: AtomicBool,
}

/// A request that runs, until it is dropped.
pub(super) struct Running(Arc<Activity>);

impl Activity {
    /// A connection that was opened now.
    pub(super) fn new() -> Activity {
        Activity {
            opened: Instant::now(),
            running: AtomicUsize::new(0),
            begun: AtomicU64::new(0),
            ended_ms: AtomicU64::new(0),
            had_body: AtomicBool::new(false),
            is_http2: AtomicBool::new(false),
        }
    }

    /// A request's head is complete.
    pub(super) fn begin(self: &Arc<Activity>, version: Version, has_body: bool) -> Running {
        if has_body {
            self.had_body.store(true, Ordering::Relaxed);
        }
        if version == Version::HTTP_2 {
            self.is_http2.store(true, Ordering::Relaxed);
        }
        self.running.fetch_add(1, Ordering::Relaxed);
        self.begun.fetch_add(1, Ordering::Relaxed);
        Running(self.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let ended_ms = u64::try_from(self.0.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.ended_ms.store(ended_ms, Ordering::Relaxed);
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The socket with its clocks.
pub(super) struct TimedSocket<S> {
    stream: S,
    activity: Arc<Activity>,
    head_time: Duration,
    idle_time: Duration,
    write_time: Duration,
    /// When the head at hand began.
    head_since: Option<Instant>,
    /// Requests that had begun before it.
    seen: u64,
    read_alarm: Alarm,
    write_alarm: Alarm,
    targets: Targets,
    /// Requests that had begun when the last head was read to its end.
    heads_seen: u64,
    /// What was read and made right, and did not fit into the buffer of the library.
    unread: Bytes,
    /// What is left to send instead of what the library wrote.
    instead: Option<Bytes>,
    verbosity: Verbosity,
}

impl<S: AsyncRead + AsyncWrite + Unpin> TimedSocket<S> {
    pub(super) fn new(
        stream: S,
        activity: Arc<Activity>,
        limits: &ServerLimits,
        verbosity: Verbosity,
    ) -> TimedSocket<S> {
        TimedSocket {
            stream,
            activity,
            head_time: limits.head_time,
            idle_time: limits.idle_time,
            write_time: limits.write_time,
            // The first head is expected from the moment of the connection.
            head_since: Some(Instant::now()),
            seen: 0,
            read_alarm: Alarm::default(),
            write_alarm: Alarm::default(),
            targets: Targets::new(),
            heads_seen: 0,
            unread: Bytes::new(),
            instead: None,
            verbosity,
        }
    }

    /// When to look at the peer again, and whether it is late if it has sent nothing by then.
    fn read_deadline(&mut self) -> (Instant, bool) {
        let begun = self.activity.begun.load(Ordering::Relaxed);
        if begun != self.seen {
            self.seen = begun;
            self.head_since = None;
        }
        if self.activity.running.load(Ordering::Relaxed) > 0 {
            // Nobody asks the socket anew when a request ends, so it wakes up by itself to see whether one has.
            return (Instant::now() + self.idle_time, false);
        }
        match self.head_since {
            Some(since) => (since + self.head_time, true),
            None => {
                let ended = Duration::from_millis(self.activity.ended_ms.load(Ordering::Relaxed));
                (self.activity.opened + ended + self.idle_time, true)
            }
        }
    }

    /// Octets came.
    fn note_read(&mut self) {
        let between_requests =
            self.activity.running.load(Ordering::Relaxed) == 0 && !self.activity.is_http2.load(Ordering::Relaxed);
        if between_requests {
            self.read_deadline(); // Forgets the head before, if a request has begun since.
            self.head_since.get_or_insert_with(Instant::now);
        }
    }

    /// Makes the targets of requests right in what was read after the first `start` octets of `buf`.
    fn make_right(&mut self, start: usize, buf: &mut ReadBuf<'_>) {
        let octets = &buf.filled()[start..];
        if octets.is_empty() {
            return;
        }
        if self.targets.is_between() {
            // The head that was read became one request, it had no body, and it was answered: then this is the next.
            let begun = self.activity.begun.load(Ordering::Relaxed);
            let is_answered = begun == self.heads_seen + 1 && self.activity.running.load(Ordering::Relaxed) == 0;
            self.targets.begin(is_answered && !self.activity.had_body.load(Ordering::Relaxed));
            self.heads_seen = begun;
        }
        let Some(right) = self.targets.pass(octets) else { return };
        buf.set_filled(start);
        let mut right = Bytes::from(right);
        buf.put_slice(&right.split_to(right.len().min(buf.remaining())));
        self.unread = right;
    }

    /// Writes another answer in the place of `given`; ready with nothing if `given` may be written as it is.
    fn poll_instead(&mut self, cx: &mut Context<'_>, given: &[u8]) -> Poll<io::Result<Option<usize>>> {
        if self.instead.is_none() {
            self.instead = unreadable::answer(given, self.verbosity);
        }
        while let Some(rest) = &mut self.instead {
            let written = std::task::ready!(Pin::new(&mut self.stream).poll_write(cx, rest))?;
            rest.advance(written);
            if rest.is_empty() || written == 0 {
                self.instead = None;
                return Poll::Ready(Ok(Some(given.len())));
            }
        }
        Poll::Ready(Ok(None))
    }

    fn writing<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write_alarm.clear();
            return written;
        }
        let deadline = self.write_alarm.deadline().unwrap_or_else(|| Instant::now() + self.write_time);
        match self.write_alarm.poll(cx, deadline) {
            Poll::Ready(()) => Poll::Ready(Err(too_slow("the client takes no answer"))),
            Poll::Pending => Poll::Pending,
        }
    }
}

fn too_slow(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

impl<S: AsyncRead + Unpin + AsyncWrite> AsyncRead for TimedSocket<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.unread.is_empty() {
            buf.put_slice(&this.unread.split_to(this.unread.len().min(buf.remaining())));
            return Poll::Ready(Ok(()));
        }
        let start = buf.filled().len();
        if let Poll::Ready(outcome) = Pin::new(&mut this.stream).poll_read(cx, buf) {
            this.make_right(start, buf);
            this.note_read();
            this.read_alarm.clear();
            return Poll::Ready(outcome);
        }
        let (deadline, is_late) = this.read_deadline();
        match this.read_alarm.poll(cx, deadline) {
            Poll::Ready(()) if is_late => Poll::Ready(Err(too_slow("the client sends no request"))),
            _ => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TimedSocket<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = match self.poll_instead(cx, buf) {
            Poll::Ready(Ok(None)) => Pin::new(&mut self.stream).poll_write(cx, buf),
            other => other.map_ok(|written| written.unwrap_or_default()),
        };
        self.writing(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = bufs.first().map_or(&[][..], |first| first);
        let written = match self.poll_instead(cx, first) {
            Poll::Ready(Ok(None)) => Pin::new(&mut self.stream).poll_write_vectored(cx, bufs),
            other => other.map_ok(|written| written.unwrap_or_default()),
        };
        self.writing(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A timer that costs nothing until it is needed, and keeps its place in the runtime once it was.
#[derive(Default)]
struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
    deadline: Option<Instant>,
}

impl Alarm {
    /// When it rings; `None` if it is not set.
    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    fn clear(&mut self) {
        self.deadline = None;
    }

    /// Ready once `deadline` has passed.
    fn poll(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        // A timer that rings too early is set anew then: cheaper than moving it with each request.
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        }
        self.deadline = Some(deadline);
        while sleep.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}
