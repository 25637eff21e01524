//! The server: sockets → requests → sockets.

mod socket;
mod target;
mod unreadable;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::app::App;
use crate::body::AnswerBody;
use crate::edge;
use crate::errors::Verbosity;
use socket::{Activity, TimedSocket};

/// Bounds on connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerLimits {
    /// Connections in all; more are closed at once.
    pub connections_max: usize,
    /// Time from the first octet of a request's head, or from the connection, to the head's end.
    pub head_time: Duration,
    /// Time that a connection may be idle between two requests.
    pub idle_time: Duration,
    /// Time that a client may take no octet of an answer.
    pub write_time: Duration,
    /// Time that requests have to end after the server was told to stop.
    pub drain_time: Duration,
    /// Header fields that are parsed at all; never fewer than a hundred. More are refused before they are a request.
    pub headers_max: usize,
    /// Octets of a head that are read at all.
    pub head_bytes_max: usize,
    /// Requests at once on one HTTP/2 connection.
    pub streams_max: u32,
}

impl Default for ServerLimits {
    fn default() -> ServerLimits {
        ServerLimits {
            connections_max: 20_000,
            head_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(60),
            write_time: Duration::from_secs(30),
            drain_time: Duration::from_secs(30),
            headers_max: HEADERS_ON_STACK,
            head_bytes_max: 128 << 10,
            streams_max: 100,
        }
    }
}

/// Pause after the system refused a connection, for want of files perhaps, before the next is asked for.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What answers requests.
pub trait Answers: Clone + Send + Sync + 'static {
    /// Answers one request, whatever happens on the way.
    fn answer<B>(&self, request: Request<B>) -> impl Future<Output = Response<AnswerBody>> + Send
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>;

    /// How much is told to whoever sends what is no request.
    fn verbosity(&self) -> Verbosity;
}

impl Answers for App {
    fn answer<B>(&self, request: Request<B>) -> impl Future<Output = Response<AnswerBody>> + Send
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        edge::answer(self, request)
    }

    fn verbosity(&self) -> Verbosity {
        self.answers.errors
    }
}

/// Where connections come from.
pub trait Listen: Send {
    /// One end of a connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection.
    fn accept(&self) -> impl Future<Output = std::io::Result<Self::Stream>> + Send;
}

impl Listen for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> std::io::Result<TcpStream> {
        let (stream, _) = TcpListener::accept(self).await?;
        // An answer is written in one piece, so there is nothing to wait for.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a socket does not take TCP_NODELAY");
        }
        Ok(stream)
    }
}

#[cfg(unix)]
impl Listen for tokio::net::UnixListener {
    type Stream = tokio::net::UnixStream;

    async fn accept(&self) -> std::io::Result<tokio::net::UnixStream> {
        tokio::net::UnixListener::accept(self).await.map(|(stream, _)| stream)
    }
}

/// Serves until `shutdown` completes, then lets running requests end, for at most [`ServerLimits::drain_time`].
///
/// # Errors
/// None that end the server: what goes wrong on one connection ends that connection.
pub async fn serve<L: Listen, A: Answers>(
    listener: L,
    app: A,
    limits: ServerLimits,
    shutdown: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let (cut, is_cut) = watch::channel(());
    let server = Arc::new(Server { app, builder: builder(&limits), limits, is_cut });
    let places = Arc::new(Semaphore::new(server.limits.connections_max));
    let graceful = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok(stream) => match places.clone().try_acquire_owned() {
                Ok(place) => {
                    tokio::spawn(server.clone().connection(stream, place, graceful.watcher()));
                }
                Err(_) => tracing::warn!("a connection was closed: server.connections_max are open"),
            },
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(server.limits.drain_time, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were cut: they did not end within server.drain_time");
        // An answer that is being sent holds a thread of the store, which could not close.
        drop(cut);
    }
    Ok(())
}

struct Server<A> {
    app: A,
    builder: Builder<TokioExecutor>,
    limits: ServerLimits,
    /// Its sender goes when what still runs is to end.
    is_cut: watch::Receiver<()>,
}

impl<A: Answers> Server<A> {
    async fn connection<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        self: Arc<Server<A>>,
        stream: S,
        place: OwnedSemaphorePermit,
        watcher: hyper_util::server::graceful::Watcher,
    ) {
        let activity = Arc::new(Activity::new());
        let app = &self.app;
        let socket = TimedSocket::new(stream, activity.clone(), &self.limits, app.verbosity());
        let socket = TokioIo::new(socket);
        let service = service_fn(|request: Request<Incoming>| {
            let running = activity.begin(request.version(), !request.body().is_end_stream());
            let app = app.clone();
            async move {
                let mut answer = app.answer(request).await;
                // It ends with its answer, which may yet have to be read.
                answer.body_mut().keep(running);
                Ok::<_, Infallible>(answer)
            }
        });
        let mut is_cut = self.is_cut.clone();
        tokio::select! {
            served = watcher.watch(self.builder.serve_connection(socket, service)) => {
                if let Err(error) = served {
                    tracing::debug!(%error, "a connection ended early");
                }
            }
            _ = is_cut.changed() => {}
        }
        drop(place);
    }
}

/// Header fields that the HTTP library parses without an allocation of its own for each request.
const HEADERS_ON_STACK: usize = 100;

fn builder(limits: &ServerLimits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    let mut http1 = builder.http1();
    http1
        .timer(TokioTimer::new())
        // Heads, idleness and slow readers are timed at the socket, which sees both versions of HTTP.
        .header_read_timeout(None)
        .max_buf_size(limits.head_bytes_max.max(8192));
    if limits.headers_max > HEADERS_ON_STACK {
        http1.max_headers(limits.headers_max);
    }
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams_max)
        .max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(100)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}
