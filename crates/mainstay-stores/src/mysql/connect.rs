//! What a connection URL says: host, credentials, TLS, and the sizes of the pool. Called by `pool.rs`.
//!
//! The keys are those of the `mysql` client. A key that is not known is an error that names it, since one that is passed
//! over in silence might have been the one that makes a connection safe. No message holds a value, for a value may be a
//! secret.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::server::{CONNECT_MAX, PoolLimits};

/// The port of both servers.
const PORT: u16 = 3306;

/// How to reach a server, and how much of it to take.
#[derive(Clone)]
pub struct MysqlOptions {
    /// How much of it to take.
    pub limits: PoolLimits,
    /// How long one attempt to connect may take.
    pub connect_max: Duration,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) socket: Option<String>,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: Option<String>,
    pub(super) tls: TlsMode,
    pub(super) certificates: Certificates,
}

/// What is asked of a connection's TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TlsMode {
    /// None.
    Disabled,
    /// TLS with whoever answers: against those who only listen.
    Required,
    /// That one of the roots has signed the server's certificate, and that it is for this host. There is nothing between
    /// this and [`TlsMode::Required`]: see `docs/decisions/0033-mysql-driver.md`.
    VerifyIdentity,
}

/// Files of certificates.
#[derive(Debug, Clone, Default)]
pub(super) struct Certificates {
    /// Roots to believe; `None` for those of the system.
    pub(super) roots: Option<PathBuf>,
    /// Our own certificate and its key.
    pub(super) own: Option<(PathBuf, PathBuf)>,
}

/// Why a URL is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MysqlUrlError {
    /// It does not begin like one of ours.
    #[error("the URL of a MySQL or MariaDB server begins with mysql:// or mariadb://")]
    Scheme,
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
        expected: &'static str,
    },
}

impl MysqlOptions {
    /// Reads a URL: `mysql://user:password@host:port/database?ssl-mode=verify-identity`, or `mariadb://…`. Which of the
    /// two servers answers is asked when it does.
    ///
    /// Unless the URL says otherwise, a server's certificate is verified with its name, but for servers on this machine,
    /// with which there is no TLS.
    ///
    /// # Errors
    /// What is wrong with the URL; nothing of its values is told.
    pub fn parse(url: &str) -> Result<MysqlOptions, MysqlUrlError> {
        let rest = url.strip_prefix("mysql://").or_else(|| url.strip_prefix("mariadb://"));
        let rest = rest.ok_or(MysqlUrlError::Scheme)?;
        let (rest, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let mut options = MysqlOptions {
            limits: PoolLimits::default(),
            connect_max: CONNECT_MAX,
            host: "localhost".to_owned(),
            port: PORT,
            socket: None,
            user: None,
            password: None,
            database: some(decode("database", database)?),
            tls: TlsMode::Disabled,
            certificates: Certificates::default(),
        };
        let address = match authority.rsplit_once('@') {
            None => authority,
            Some((login, address)) => {
                let (user, password) = login.split_once(':').map_or((login, None), |(user, word)| (user, Some(word)));
                options.user = some(decode("user", user)?);
                options.password = password.map(|word| decode("password", word)).transpose()?;
                address
            }
        };
        options.address(address)?;
        let mut read = Parameters::default();
        for pair in parameters.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let key = decode("parameter", key)?;
            let value = decode(&key, value)?;
            read.parameter(&mut options, key, value).map_err(|error| match error {
                MysqlUrlError::Key { .. } if parameters.contains('@') => MysqlUrlError::HiddenKey,
                other => other,
            })?;
        }
        read.finish(options)
    }

    /// Where it connects to, without anything secret: `db.example.com:3306/shop`.
    pub fn place(&self) -> String {
        let database = self.database.as_deref().unwrap_or_default();
        match &self.socket {
            Some(path) => format!("{path}/{database}"),
            None if self.host.contains(':') => format!("[{}]:{}/{database}", self.host, self.port),
            None => format!("{}:{}/{database}", self.host, self.port),
        }
    }

    /// The same server, another database.
    #[must_use]
    pub fn with_database(mut self, name: &str) -> MysqlOptions {
        self.database = some(name.to_owned());
        self
    }

    /// The database that connections are in.
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    fn address(&mut self, address: &str) -> Result<(), MysqlUrlError> {
        let (host, port) = match address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => address.rsplit_once(':').map_or((address, None), |(host, port)| (host, Some(port))),
        };
        if let Some(port) = port.filter(|port| !port.is_empty()) {
            self.port = port_number(port)?;
        }
        if let Some(host) = some(decode("host", host)?) {
            // A path is a socket, as `%2Frun%2Fmysqld%2Fmysqld.sock`.
            if host.starts_with('/') { self.socket = Some(host) } else { self.host = host }
        }
        Ok(())
    }
}

impl fmt::Debug for MysqlOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MysqlOptions")
            .field("place", &self.place())
            .field("login", &"[hidden]")
            .field("tls", &self.tls)
            .field("connections_max", &self.limits.connections_max)
            .finish_non_exhaustive()
    }
}

fn decode(part: &str, text: &str) -> Result<String, MysqlUrlError> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| MysqlUrlError::Encoding { part: part.to_owned() })
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn port_number(text: &str) -> Result<u16, MysqlUrlError> {
    let expected = "a number from 1 to 65535";
    text.parse().ok().filter(|port| *port > 0).ok_or(MysqlUrlError::Value { key: "port".to_owned(), expected })
}

/// What the parameters said, of what is decided when all are read.
#[derive(Default)]
struct Parameters {
    mode: Option<TlsMode>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

impl Parameters {
    fn parameter(&mut self, options: &mut MysqlOptions, key: String, value: String) -> Result<(), MysqlUrlError> {
        // Both spellings are common: `ssl-mode` of the client, `ssl_mode` of libraries.
        match &*key.to_ascii_lowercase().replace('_', "-") {
            "user" => options.user = some(value),
            "password" => options.password = Some(value),
            "socket" => options.socket = some(value),
            "ssl-mode" => {
                self.mode = Some(match &*value.to_ascii_lowercase().replace('_', "-") {
                    "disabled" => TlsMode::Disabled,
                    "required" => TlsMode::Required,
                    "verify-identity" => TlsMode::VerifyIdentity,
                    _ => {
                        let expected = "disabled, required or verify-identity";
                        return Err(MysqlUrlError::Value { key, expected });
                    }
                });
            }
            "ssl-ca" => options.certificates.roots = some(value).map(PathBuf::from),
            "ssl-cert" => self.certificate = some(value).map(PathBuf::from),
            "ssl-key" => self.key = some(value).map(PathBuf::from),
            "connect-timeout" => {
                let seconds = value.parse().ok().filter(|seconds| *seconds > 0);
                let expected = "a number of seconds";
                options.connect_max = seconds.map(Duration::from_secs).ok_or(MysqlUrlError::Value { key, expected })?;
            }
            _ => return Err(MysqlUrlError::Key { key }),
        }
        Ok(())
    }

    fn finish(self, mut options: MysqlOptions) -> Result<MysqlOptions, MysqlUrlError> {
        let missing = |key: &str, expected| MysqlUrlError::Value { key: key.to_owned(), expected };
        options.certificates.own = match (self.certificate, self.key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (Some(_), None) => return Err(missing("ssl-key", "given, since ssl-cert is")),
            (None, Some(_)) => return Err(missing("ssl-cert", "given, since ssl-key is")),
        };
        if options.database.is_none() {
            return Err(MysqlUrlError::Database);
        }
        let is_here = options.socket.is_some() || is_here(&options.host);
        options.tls = match self.mode {
            _ if options.socket.is_some() => TlsMode::Disabled,
            Some(mode) => mode,
            None if is_here && options.certificates.roots.is_none() => TlsMode::Disabled,
            None => TlsMode::VerifyIdentity,
        };
        Ok(options)
    }
}

/// Whether a host is this machine.
fn is_here(name: &str) -> bool {
    let is_loopback = |address: IpAddr| address.is_loopback();
    name == "localhost" || name.parse().is_ok_and(is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_verified_unless_the_url_says_otherwise() {
        for (url, expected) in [
            ("mysql://db.example.com/shop", TlsMode::VerifyIdentity),
            ("mariadb://10.0.0.5/shop", TlsMode::VerifyIdentity),
            ("mysql://localhost/shop", TlsMode::Disabled),
            ("mysql://127.8.0.1/shop", TlsMode::Disabled),
            ("mysql://[::1]:3307/shop", TlsMode::Disabled),
            ("mysql://localhost.example.com/shop", TlsMode::VerifyIdentity),
            ("mysql://localhost/shop?ssl-ca=ca.pem", TlsMode::VerifyIdentity),
            ("mysql://%2Frun%2Fmysqld.sock/shop?ssl-mode=required", TlsMode::Disabled),
            ("mysql://db/shop?ssl-mode=DISABLED", TlsMode::Disabled),
            ("mysql://db/shop?ssl_mode=REQUIRED", TlsMode::Required),
            ("mysql://db/shop?ssl-mode=VERIFY_IDENTITY", TlsMode::VerifyIdentity),
            ("mysql://localhost/shop?ssl-mode=verify-identity", TlsMode::VerifyIdentity),
        ] {
            assert_eq!(MysqlOptions::parse(url).expect(url).tls, expected, "{url}");
        }
    }

    #[test]
    fn parts_of_a_url() {
        for (url, expected) in [
            ("mysql://a:b@db:6000/shop", "db:6000/shop"),
            ("mariadb://a:p%40ss%2F@db/my%20shop?connect-timeout=3", "db:3306/my shop"),
            ("mysql://a:p@ss@db/shop", "db:3306/shop"),
            ("mysql://a@[fe80::1]:3/shop", "[fe80::1]:3/shop"),
            ("mysql:///shop?socket=%2Ftmp%2Fs", "/tmp/s/shop"),
            ("mysql://%2Ftmp%2Fs/shop", "/tmp/s/shop"),
        ] {
            assert_eq!(MysqlOptions::parse(url).map(|options| options.place()), Ok(expected.to_owned()), "{url}");
        }
        let options = MysqlOptions::parse("mysql://a:p%40ss@db/shop").expect("a URL");
        assert_eq!((options.user.as_deref(), options.password.as_deref()), (Some("a"), Some("p@ss")));
    }

    #[test]
    fn wrong_urls_are_refused_without_telling_their_values() {
        for (url, expected) in [
            ("postgres://secret@db/shop", "the URL of a MySQL or MariaDB server begins with mysql:// or mariadb://"),
            ("mysql://db:secret/shop", "the URL's port must be a number from 1 to 65535"),
            ("mysql://db/", "the URL names no database"),
            ("mysql://db/shop?ssl-mode=secret", "the URL's ssl-mode must be disabled, required or verify-identity"),
            ("mysql://db/shop?sslmode=secret", "the URL's parameter \"sslmode\" is not known"),
            ("mysql://db/shop?x=a@b", "the URL has a parameter that is not known"),
            ("mysql://db/shop?connect-timeout=secret", "the URL's connect-timeout must be a number of seconds"),
            ("mysql://db/shop?ssl-cert=secret", "the URL's ssl-key must be given, since ssl-cert is"),
            ("mysql://a:%FFsecret@db/shop", "the URL's password is not UTF-8 after percent-decoding"),
        ] {
            let error = MysqlOptions::parse(url).expect_err(url);
            assert_eq!(error.to_string(), expected, "{url}");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let options = MysqlOptions::parse("mysql://ann:sesame@db/shop?password=sesame").expect("a URL");
        let printed = format!("{options:?}");
        assert!(!printed.contains("sesame") && !printed.contains("ann"), "{printed}");
        assert!(printed.contains("db:3306/shop"), "{printed}");
    }
}
