//! Where the document says the API is.

use std::fmt;

/// Where an API is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `http` or `https`.
    pub scheme: String,
    /// Host and port.
    pub host: String,
    /// The path that all others begin with.
    pub base_path: String,
}

/// A URI that is no address of an API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoAddress;

impl fmt::Display for NoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it must be a URI that begins with http:// or https:// and names a host")
    }
}

impl std::error::Error for NoAddress {}

impl Address {
    /// Of a server that listens on a host and port. The words for every address (`*4`, `!6` and the like) are no hosts, and
    /// come out as `0.0.0.0`.
    pub fn of(host: &str, port: u16) -> Address {
        let host = if matches!(host, "*" | "*4" | "!4" | "*6" | "!6") { "0.0.0.0" } else { host };
        Address { scheme: "http".into(), host: format!("{host}:{port}"), base_path: "/".into() }
    }

    /// Of a proxy before the server: `https://api.example.com/v1`.
    ///
    /// # Errors
    /// [`NoAddress`] if it is something else.
    pub fn of_proxy(uri: &str) -> Result<Address, NoAddress> {
        let uri: http::Uri = uri.parse().map_err(|_| NoAddress)?;
        let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https")).ok_or(NoAddress)?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(NoAddress)?;
        let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
        let base_path = if uri.path().is_empty() { "/" } else { uri.path() };
        Ok(Address { scheme: scheme.into(), host: format!("{host}:{port}"), base_path: base_path.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_always_told() {
        for (uri, expected) in [
            ("https://api.example.com/v1", Ok(("https", "api.example.com:443", "/v1"))),
            ("http://example.com", Ok(("http", "example.com:80", "/"))),
            ("http://example.com:8000/", Ok(("http", "example.com:8000", "/"))),
            ("ftp://example.com/", Err(NoAddress)),
            ("example.com", Err(NoAddress)),
            ("", Err(NoAddress)),
        ] {
            let found = Address::of_proxy(uri);
            let found = found.as_ref().map(|found| (&*found.scheme, &*found.host, &*found.base_path));
            assert_eq!(found, expected.as_ref().map(|expected| *expected), "{uri}");
        }
        assert_eq!(Address::of("!4", 3000).host, "0.0.0.0:3000");
        assert_eq!(Address::of("db.local", 80).host, "db.local:80");
    }
}
