//! The end of a statement before its own. Whoever asks for it waits until the other side hangs up, which says that it was
//! done: PgBouncer up to 1.18 ends itself if a client leaves before it has passed the request on.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio_postgres::config::Host;
use tokio_postgres::{CancelToken, Config, Error, NoTls};

/// Where a server without TLS is asked to cancel.
#[derive(Debug, Clone)]
pub(super) struct Place {
    host: Option<Host>,
    address: Option<IpAddr>,
    port: u16,
}

/// Where a server listens of which no port is said.
const PORT: u16 = 5432;

impl Place {
    pub(super) fn of(config: &Config) -> Place {
        Place {
            host: config.get_hosts().first().cloned(),
            address: config.get_hostaddrs().first().copied(),
            port: config.get_ports().first().copied().unwrap_or(PORT),
        }
    }

    /// Cancels what runs on a connection to this place.
    ///
    /// # Errors
    /// When the server cannot be reached, or hangs up before it was asked.
    pub(super) async fn cancel(&self, token: &CancelToken) -> Result<(), Error> {
        match self.reached().await {
            Some(stream) => token.cancel_query_raw(Patient(stream), NoTls).await,
            // The driver knows which of several servers it is.
            None => token.cancel_query(NoTls).await,
        }
    }

    async fn reached(&self) -> Option<TcpStream> {
        let addresses: Vec<SocketAddr> = match (self.address, &self.host) {
            (Some(address), _) => vec![(address, self.port).into()],
            (None, Some(Host::Tcp(name))) => lookup_host((name.as_str(), self.port)).await.ok()?.collect(),
            (None, _) => return None,
        };
        if addresses.len() > 1 && !addresses.iter().all(|address| address.ip().is_loopback()) {
            return None;
        }
        for address in addresses {
            if let Ok(stream) = TcpStream::connect(address).await {
                return Some(stream);
            }
        }
        None
    }
}

/// A connection that ends when the other side ends it.
struct Patient(TcpStream);

impl AsyncRead for Patient {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut octets = [0; 64];
        loop {
            let mut buffer = ReadBuf::new(&mut octets);
            match ready!(Pin::new(&mut self.0).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                // It has hung up, in one way or the other.
                Ok(()) | Err(_) => return Poll::Ready(Ok(())),
            }
        }
    }
}
