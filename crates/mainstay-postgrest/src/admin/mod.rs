//! The admin server: whether the API lives and is ready, what it counts, and what it knows. For whoever runs it, on a
//! port of its own.

mod cache;
mod metrics;

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use mainstay_http::{AnswerBody, Answers, Verbosity};
use tokio::time::timeout;

use crate::http::Api;

/// How long the API's own socket has to answer.
const ANSWER_MAX: Duration = Duration::from_secs(1);

/// Where the API listens, to be asked whether it does.
#[derive(Debug, Clone)]
pub enum Door {
    /// An address.
    Tcp(std::net::SocketAddr),
    /// A socket in the file system.
    #[cfg(unix)]
    Unix(std::path::PathBuf),
}

/// The admin server of an API. Cheap to clone.
#[derive(Clone)]
pub struct Admin {
    api: Api,
    door: Door,
}

impl Admin {
    /// That of an API which listens there.
    pub fn new(api: Api, door: Door) -> Admin {
        Admin { api, door }
    }

    async fn is_live(&self) -> bool {
        match &self.door {
            Door::Tcp(address) => {
                let mut address = *address;
                if address.ip().is_unspecified() {
                    let here: std::net::IpAddr = match address {
                        std::net::SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                        std::net::SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
                    };
                    address.set_ip(here);
                }
                matches!(timeout(ANSWER_MAX, tokio::net::TcpStream::connect(address)).await, Ok(Ok(_)))
            }
            #[cfg(unix)]
            Door::Unix(path) => matches!(timeout(ANSWER_MAX, tokio::net::UnixStream::connect(path)).await, Ok(Ok(_))),
        }
    }

    /// Whether requests can be answered: 503 while that may still come by itself.
    async fn ready(&self) -> StatusCode {
        if !self.is_live().await {
            return StatusCode::INTERNAL_SERVER_ERROR;
        }
        let health = self.api.health();
        match (health.is_loaded, health.is_loading) {
            (_, true) => StatusCode::SERVICE_UNAVAILABLE,
            (true, false) if self.api.can_connect().await => StatusCode::OK,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl Answers for Admin {
    async fn answer<B>(&self, request: Request<B>) -> Response<AnswerBody>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let status = |status| (status, "", String::new());
        let text = |kind, text| (StatusCode::OK, kind, text);
        let (status, kind, text) = match request.uri().path() {
            "/live" if self.is_live().await => status(StatusCode::OK),
            "/live" => status(StatusCode::INTERNAL_SERVER_ERROR),
            "/ready" => status(self.ready().await),
            "/metrics" => text("text/plain; charset=utf-8", metrics::text(&self.api)),
            "/schema_cache" => match self.api.catalog() {
                Some(catalog) => text("application/json; charset=utf-8", cache::json(&catalog)),
                None => status(StatusCode::SERVICE_UNAVAILABLE),
            },
            _ => status(StatusCode::NOT_FOUND),
        };
        let is_head = *request.method() == Method::HEAD;
        let mut response = Response::new(if is_head { AnswerBody::default() } else { AnswerBody::whole(text) });
        *response.status_mut() = status;
        if !kind.is_empty() {
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        response
    }

    fn verbosity(&self) -> Verbosity {
        Verbosity::Minimal
    }
}
