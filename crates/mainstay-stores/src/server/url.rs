//! What URLs of servers have in common: login, hosts, a database, parameters.
//!
//! A parameter that is not known is an error that names it, since one that is passed over in silence might have been the
//! one that makes a connection safe. No message holds a value, for a value may be a secret.

use std::borrow::Cow;
use std::net::IpAddr;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;

/// Why a URL is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// It does not begin like one of ours.
    #[error("the URL of a {server} server begins with {}:// or {}://", .schemes[0], .schemes[1])]
    Scheme {
        /// Whose server.
        server: &'static str,
        /// What it begins with.
        schemes: [&'static str; 2],
    },
    /// A part that must be text is not UTF-8 once it is decoded.
    #[error("the URL's {part} is not UTF-8 after percent-decoding")]
    Encoding {
        /// Which part.
        part: String,
    },
    /// No database is named, and there is none that everybody has.
    #[error("the URL names no database")]
    Database,
    /// A key that is not known.
    #[error("the URL's parameter {key:?} is not known")]
    Key {
        /// The key.
        key: String,
    },
    /// A key that is not known, and may be part of a password in which `?` or `&` is not encoded.
    #[error("the URL has a parameter that is not known")]
    HiddenKey,
    /// A value that the key does not take.
    #[error("the URL's {key} must be {expected}")]
    Value {
        /// The key.
        key: String,
        /// What it takes.
        expected: Cow<'static, str>,
    },
}

impl UrlError {
    /// That the key takes something else.
    pub(crate) fn value(key: &str, expected: impl Into<Cow<'static, str>>) -> UrlError {
        UrlError::Value { key: key.to_owned(), expected: expected.into() }
    }
}

/// Files of certificates.
#[derive(Debug, Clone, Default)]
pub(crate) struct Certificates {
    /// Roots to believe; `None` for those of the system.
    pub(crate) roots: Option<PathBuf>,
    /// Our own certificate and its key.
    pub(crate) own: Option<(PathBuf, PathBuf)>,
}

/// A URL taken apart.
pub(crate) struct Url<'u> {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    /// Hosts with their ports, as they are written.
    pub(crate) hosts: &'u str,
    pub(crate) database: Option<String>,
    parameters: &'u str,
}

impl<'u> Url<'u> {
    /// Takes `scheme://user:password@hosts/database?parameters` apart.
    ///
    /// # Errors
    /// What is wrong with it; nothing of its values is told.
    pub(crate) fn parse(server: &'static str, schemes: [&'static str; 2], url: &'u str) -> Result<Url<'u>, UrlError> {
        let of = |scheme: &str| url.strip_prefix(scheme)?.strip_prefix("://");
        let rest = schemes.into_iter().find_map(of).ok_or(UrlError::Scheme { server, schemes })?;
        let (rest, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = login.split_once(':').map_or((login, None), |(user, word)| (user, Some(word)));
        Ok(Url {
            user: some(decode("user", user)?),
            password: password.map(|word| decode("password", word)).transpose()?,
            hosts,
            database: some(decode("database", database)?),
            parameters,
        })
    }

    /// Reads the parameters, key and value, in their order.
    ///
    /// # Errors
    /// What `read` says, and what is no text.
    pub(crate) fn parameters(
        &self,
        mut read: impl FnMut(String, String) -> Result<(), UrlError>,
    ) -> Result<(), UrlError> {
        for pair in self.parameters.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let key = decode("parameter", key)?;
            let value = decode(&key, value)?;
            read(key, value).map_err(|error| match error {
                UrlError::Key { .. } if self.parameters.contains('@') => UrlError::HiddenKey,
                other => other,
            })?;
        }
        Ok(())
    }
}

/// A host, which may be empty, and its port.
///
/// # Errors
/// What is no text, and a port that is none.
pub(crate) fn address(text: &str) -> Result<(String, Option<u16>), UrlError> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = port.filter(|port| !port.is_empty()).map(port_number).transpose()?;
    Ok((decode("host", host)?, port))
}

/// A port.
///
/// # Errors
/// What is no port.
pub(crate) fn port_number(text: &str) -> Result<u16, UrlError> {
    let number = text.parse().ok().filter(|port| *port > 0);
    number.ok_or_else(|| UrlError::value("port", "a number from 1 to 65535"))
}

/// A host and its port as they are written in a URL.
pub(crate) fn written(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Our own certificate and its key, of which one needs the other; the two parameters are named so.
///
/// # Errors
/// [`UrlError::Value`] for one without the other.
pub(crate) fn own_certificate(
    names: [&str; 2],
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
) -> Result<Option<(PathBuf, PathBuf)>, UrlError> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
        (None, None) => Ok(None),
        (Some(_), None) => Err(UrlError::value(names[1], format!("given, since {} is", names[0]))),
        (None, Some(_)) => Err(UrlError::value(names[0], format!("given, since {} is", names[1]))),
    }
}

/// Whether a host is this machine: a name, an address, or the path of a socket.
pub(crate) fn is_here(name: &str) -> bool {
    let is_loopback = |address: IpAddr| address.is_loopback();
    name.starts_with(['/', '@']) || name == "localhost" || name.parse().is_ok_and(is_loopback)
}

pub(crate) fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn decode(part: &str, text: &str) -> Result<String, UrlError> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| UrlError::Encoding { part: part.to_owned() })
}
