//! Addresses to listen on.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::str::FromStr;

use anyhow::Context;
use tokio::net::TcpListener;

use super::Failure;
use crate::config::{Override, ServerSettings};

/// Ports after the wanted one that `dev` tries.
const NEXT_PORTS: u16 = 20;

/// `HOST:PORT`, as on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    host: String,
    port: u16,
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Address, String> {
        let form = || "write HOST:PORT, as in 127.0.0.1:8080 or [::1]:8080".to_owned();
        let (host, port) = text.rsplit_once(':').ok_or_else(form)?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let is_bare_v6 = host.contains(':') && !text.starts_with('[');
        if host.is_empty() || is_bare_v6 {
            return Err(form());
        }
        Ok(Address { host: host.to_owned(), port: port.parse().map_err(|_| form())? })
    }
}

impl Address {
    /// Its host and port.
    #[cfg(feature = "postgres")]
    pub(super) fn parts(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// The settings that this address stands for.
    pub(super) fn overrides(&self) -> [Override; 2] {
        let set = |name, text| Override::new("server", name, text).expect("the server has a host and a port");
        [set("host", self.host.clone()), set("port", self.port.to_string())]
    }
}

/// Listens where the settings say.
pub(super) async fn listen(server: &ServerSettings) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind((server.host.as_str(), server.port)).await;
    Ok(listener.with_context(|| format!("cannot listen on {}:{}", server.host, server.port))?)
}

/// Listens where the settings say, or on the next free port after it.
pub(super) async fn listen_near(server: &ServerSettings) -> Result<TcpListener, Failure> {
    for port in server.port..=server.port.saturating_add(NEXT_PORTS) {
        match TcpListener::bind((server.host.as_str(), port)).await {
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            listener => {
                return Ok(listener.with_context(|| format!("cannot listen on {}:{port}", server.host))?);
            }
        }
    }
    Err(anyhow::anyhow!("port {} and the {NEXT_PORTS} after it are taken", server.port).into())
}

/// The URL under which a listener is reached from this machine.
pub(super) fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_a_host_and_a_port() {
        for (text, expected) in [
            ("127.0.0.1:80", Some(("127.0.0.1", 80))),
            ("localhost:0", Some(("localhost", 0))),
            ("[::1]:8080", Some(("::1", 8080))),
            ("::1:8080", None),
            (":8080", None),
            ("8080", None),
            ("a:b", None),
            ("a:70000", None),
        ] {
            let expected = expected.map(|(host, port)| Address { host: host.to_owned(), port });
            assert_eq!(text.parse::<Address>().ok(), expected, "{text}");
        }
    }

    #[tokio::test]
    async fn a_taken_port_is_stepped_over_only_when_asked() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let port_set = [Override::new("server", "port", port.to_string()).unwrap()];
        let none = crate::config::Environment::default();
        let server = crate::config::load(std::path::Path::new("."), "", &none, &port_set).unwrap().server;
        assert!(listen(&server).await.is_err());
        assert!(listen_near(&server).await.unwrap().local_addr().unwrap().port() > port);
    }
}
