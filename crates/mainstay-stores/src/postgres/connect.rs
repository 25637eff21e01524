//! What a connection URL says: hosts, credentials, TLS, and the sizes of the pool. Called by `pool.rs`.
//!
//! The keys are libpq's.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, SslMode, SslNegotiation, TargetSessionAttrs};

use super::embedding::Embedding;
use super::lanes::LaneLimits;
use crate::server::url::{self, Certificates, Url, is_here, port_number, some};
use crate::server::{CONNECT_MAX, Options, PoolLimits, UrlError};

/// Settings of every connection, whatever the server, the database or the role says: those on which the form of values
/// depends, and that nobody wants to hear of what was there already.
pub(super) const SETTINGS: [(&str, &str); 6] = [
    ("client_min_messages", "warning"),
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO"),
    ("IntervalStyle", "postgres"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
];
/// Where servers put their sockets when they are installed from packages.
const SOCKETS: &str = "/var/run/postgresql";

/// How to reach a server, and how much of it to take.
#[derive(Clone)]
pub struct PostgresOptions {
    /// How much of it to take.
    pub limits: PoolLimits,
    /// Whether statements get names on the server and are used again. PgBouncer in transaction mode does not keep them
    /// unless it is 1.21 or later and configured to.
    pub named_statements: bool,
    /// Whether only the settings of the server, the database and the roles hold, as for any other program: none of ours
    /// for the form of values, and no limit on the time of statements.
    pub as_configured: bool,
    /// How what is embedded in rows is asked for.
    pub embedding: Embedding,
    /// What reads share connections.
    pub lanes: LaneLimits,
    pub(super) hosts: Vec<Host>,
    pub(super) certificates: Certificates,
}

/// One server of the URL.
#[derive(Clone)]
pub(super) struct Host {
    pub(super) config: Config,
    pub(super) verify: Verify,
    pub(super) connect_max: Duration,
}

/// What is asked of a server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verify {
    /// Nothing: whoever answers is believed.
    Nothing,
    /// That one of the roots has signed it.
    Chain,
    /// That, and that it is for this host.
    Name,
}

impl PostgresOptions {
    /// Reads a URL: `postgres://user:password@host:port,host2/database?sslmode=verify-full`.
    ///
    /// Unless the URL says otherwise, a server's certificate is verified with its name, but for servers on this machine,
    /// which may do without TLS.
    ///
    /// # Errors
    /// What is wrong with the URL; nothing of its values is told.
    pub fn parse(url: &str) -> Result<PostgresOptions, UrlError> {
        let url = Url::parse("PostgreSQL", ["postgres", "postgresql"], url)?;
        let mut read = Reader {
            user: url.user.clone(),
            password: url.password.clone(),
            database: url.database.clone(),
            ..Reader::default()
        };
        if !url.hosts.is_empty() {
            read.addresses = url.hosts.split(',').map(url::address).collect::<Result<_, _>>()?;
        }
        url.parameters(|key, value| read.parameter(key, value))?;
        read.finish()
    }

    /// The user that it connects as, where the URL names one.
    pub fn user(&self) -> Option<&str> {
        self.hosts.first().and_then(|host| host.config.get_user())
    }

    /// Where it connects to, without anything secret: `db.example.com:5432/shop`.
    pub fn place(&self) -> String {
        use tokio_postgres::config::Host as Address;
        let hosts: Vec<String> = self
            .hosts
            .iter()
            .map(|host| {
                let port = host.config.get_ports().first().copied().unwrap_or(PORT);
                match host.config.get_hosts().first() {
                    Some(Address::Tcp(name)) => url::written(name, port),
                    #[cfg(unix)]
                    Some(Address::Unix(path)) => format!("{}:{port}", path.display()),
                    None => String::new(),
                }
            })
            .collect();
        let database = self.hosts.first().and_then(|host| host.config.get_dbname()).unwrap_or_default();
        format!("{}/{database}", hosts.join(","))
    }
}

impl Options for PostgresOptions {
    fn parse(url: &str) -> Result<PostgresOptions, UrlError> {
        PostgresOptions::parse(url)
    }

    fn place(&self) -> String {
        PostgresOptions::place(self)
    }

    fn limits(&self) -> &PoolLimits {
        &self.limits
    }

    fn limits_mut(&mut self) -> &mut PoolLimits {
        &mut self.limits
    }

    fn name_no_statements(&mut self) {
        self.named_statements = false;
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verify: Vec<_> = self.hosts.iter().map(|host| (host.config.get_ssl_mode(), host.verify)).collect();
        f.debug_struct("PostgresOptions")
            .field("place", &self.place())
            .field("login", &"[hidden]")
            .field("tls", &verify)
            .field("connections_max", &self.limits.connections_max)
            .field("named_statements", &self.named_statements)
            .finish_non_exhaustive()
    }
}

/// PostgreSQL's port.
const PORT: u16 = 5432;

/// The value of `sslmode`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// What was read so far.
#[derive(Default)]
struct Reader {
    user: Option<String>,
    password: Option<String>,
    database: Option<String>,
    /// Host and port; both may be missing.
    addresses: Vec<(String, Option<u16>)>,
    numbers: Vec<IpAddr>,
    mode: Option<Mode>,
    roots: Option<String>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    connect_max: Option<Duration>,
    unnamed_statements: bool,
    /// What holds for every host.
    shared: Config,
}

impl Reader {
    fn parameter(&mut self, key: String, value: String) -> Result<(), UrlError> {
        let wrong = |expected: &'static str| UrlError::value(&key, expected);
        let seconds = || value.parse().map(Duration::from_secs).map_err(|_| wrong("a number of seconds"));
        match &*key {
            "user" => self.user = some(value),
            "password" => self.password = Some(value),
            "dbname" => self.database = some(value),
            "host" => {
                let old = std::mem::take(&mut self.addresses);
                let port = |at: usize| old.get(at).and_then(|(_, port)| *port);
                self.addresses = value.split(',').enumerate().map(|(at, host)| (host.to_owned(), port(at))).collect();
            }
            "hostaddr" => {
                let numbers = value.split(',').map(str::parse).collect::<Result<_, _>>();
                self.numbers = numbers.map_err(|_| wrong("an IP address for each host"))?;
            }
            "port" => {
                let ports: Vec<u16> = value.split(',').map(port_number).collect::<Result<_, _>>()?;
                let hosts = self.addresses.len().max(ports.len());
                if ports.len() != 1 && ports.len() != hosts {
                    return Err(wrong("one port, or one for each host"));
                }
                self.addresses.resize(hosts, (String::new(), None));
                for (at, (_, port)) in self.addresses.iter_mut().enumerate() {
                    *port = ports.get(at).or(ports.first()).copied();
                }
            }
            "sslmode" => {
                self.mode = Some(match &*value {
                    "disable" => Mode::Disable,
                    "prefer" => Mode::Prefer,
                    "require" => Mode::Require,
                    "verify-ca" => Mode::VerifyCa,
                    "verify-full" => Mode::VerifyFull,
                    _ => return Err(wrong("disable, prefer, require, verify-ca or verify-full")),
                });
            }
            "sslrootcert" => self.roots = some(value),
            "sslcert" => self.certificate = some(value).map(PathBuf::from),
            "sslkey" => self.key = some(value).map(PathBuf::from),
            "sslnegotiation" => {
                self.shared.ssl_negotiation(match &*value {
                    "postgres" => SslNegotiation::Postgres,
                    "direct" => SslNegotiation::Direct,
                    _ => return Err(wrong("postgres or direct")),
                });
            }
            "channel_binding" => {
                self.shared.channel_binding(match &*value {
                    "disable" => ChannelBinding::Disable,
                    "prefer" => ChannelBinding::Prefer,
                    "require" => ChannelBinding::Require,
                    _ => return Err(wrong("disable, prefer or require")),
                });
            }
            "target_session_attrs" => {
                self.shared.target_session_attrs(match &*value {
                    "any" => TargetSessionAttrs::Any,
                    "read-write" => TargetSessionAttrs::ReadWrite,
                    "read-only" => TargetSessionAttrs::ReadOnly,
                    _ => return Err(wrong("any, read-write or read-only")),
                });
            }
            "application_name" => {
                self.shared.application_name(value);
            }
            "options" => {
                self.shared.options(value);
            }
            // 0 means no limit to libpq; a request has one all the same.
            "connect_timeout" => self.connect_max = Some(seconds()?).filter(|limit| !limit.is_zero()),
            "tcp_user_timeout" => {
                let limit = value.parse().map(Duration::from_millis);
                self.shared.tcp_user_timeout(limit.map_err(|_| wrong("a number of milliseconds"))?);
            }
            "keepalives" => {
                self.shared.keepalives(flag(&value).ok_or_else(|| wrong("0 or 1"))?);
            }
            "keepalives_idle" => {
                self.shared.keepalives_idle(seconds()?);
            }
            "keepalives_interval" => {
                self.shared.keepalives_interval(seconds()?);
            }
            "keepalives_count" => {
                self.shared.keepalives_retries(value.parse().map_err(|_| wrong("a number"))?);
            }
            "pgbouncer" => self.unnamed_statements = flag(&value).ok_or_else(|| wrong("true or false"))?,
            "client_encoding" if matches!(&*value.to_ascii_lowercase(), "utf8" | "utf-8" | "auto") => {}
            "client_encoding" => return Err(wrong("UTF8")),
            "gssencmode" if matches!(&*value, "disable" | "prefer") => {}
            "gssencmode" => return Err(wrong("disable or prefer")),
            _ => return Err(UrlError::Key { key }),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<PostgresOptions, UrlError> {
        if self.addresses.is_empty() {
            self.addresses.push((String::new(), None));
        }
        if !self.numbers.is_empty() && self.numbers.len() != self.addresses.len() {
            return Err(UrlError::value("hostaddr", "an IP address for each host"));
        }
        let own = url::own_certificate(["sslcert", "sslkey"], self.certificate.take(), self.key.take())?;
        let roots = self.roots.take();
        let hosts = (0..self.addresses.len()).map(|at| self.host(at, roots.as_deref())).collect();
        Ok(PostgresOptions {
            limits: PoolLimits::default(),
            named_statements: !self.unnamed_statements,
            as_configured: false,
            embedding: Embedding::default(),
            lanes: LaneLimits::default(),
            hosts,
            certificates: Certificates { roots: roots.filter(|roots| roots != "system").map(PathBuf::from), own },
        })
    }

    fn host(&self, at: usize, roots: Option<&str>) -> Host {
        let (name, port) = &self.addresses[at];
        let name = match &**name {
            "" if Path::new(SOCKETS).is_dir() => SOCKETS,
            "" => "localhost",
            name => name,
        };
        let mut config = self.shared.clone();
        config.host(name).port(port.unwrap_or(PORT));
        if let Some(number) = self.numbers.get(at) {
            config.hostaddr(*number);
        }
        if let Some(user) = &self.user {
            config.user(user);
        }
        if let Some(database) = &self.database {
            config.dbname(database);
        }
        if let Some(password) = &self.password {
            config.password(password);
        }
        let is_socket = name.starts_with('/') || name.starts_with('@');
        let mode = self.mode.unwrap_or(if is_here(name) { Mode::Prefer } else { Mode::VerifyFull });
        let (ssl, verify) = match mode {
            _ if is_socket => (SslMode::Disable, Verify::Nothing), // PostgreSQL has no TLS over sockets.
            Mode::Disable => (SslMode::Disable, Verify::Nothing),
            Mode::Prefer => (SslMode::Prefer, Verify::Nothing),
            // As libpq does it: who names the roots means them.
            Mode::Require if roots == Some("system") => (SslMode::Require, Verify::Name),
            Mode::Require if roots.is_some() => (SslMode::Require, Verify::Chain),
            Mode::Require => (SslMode::Require, Verify::Nothing),
            Mode::VerifyCa => (SslMode::Require, Verify::Chain),
            Mode::VerifyFull => (SslMode::Require, Verify::Name),
        };
        config.ssl_mode(ssl);
        let connect_max = self.connect_max.unwrap_or(CONNECT_MAX);
        config.connect_timeout(connect_max);
        Host { config, verify, connect_max }
    }
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "1" | "true" | "on" => Some(true),
        "0" | "false" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(url: &str) -> Vec<(SslMode, Verify)> {
        let options = PostgresOptions::parse(url).expect(url);
        options.hosts.iter().map(|host| (host.config.get_ssl_mode(), host.verify)).collect()
    }

    #[test]
    fn certificates_are_verified_unless_the_url_says_otherwise() {
        for (url, expected) in [
            ("postgres://db.example.com/shop", (SslMode::Require, Verify::Name)),
            ("postgresql://10.0.0.5/shop", (SslMode::Require, Verify::Name)),
            ("postgres://localhost/shop", (SslMode::Prefer, Verify::Nothing)),
            ("postgres://127.8.0.1/shop", (SslMode::Prefer, Verify::Nothing)),
            ("postgres://[::1]:5433/shop", (SslMode::Prefer, Verify::Nothing)),
            ("postgres://localhost.example.com/shop", (SslMode::Require, Verify::Name)),
            ("postgres://%2Frun%2Fpostgresql/shop?sslmode=require", (SslMode::Disable, Verify::Nothing)),
            ("postgres:///shop?host=/tmp", (SslMode::Disable, Verify::Nothing)),
            ("postgres://db/shop?sslmode=disable", (SslMode::Disable, Verify::Nothing)),
            ("postgres://db/shop?sslmode=prefer", (SslMode::Prefer, Verify::Nothing)),
            ("postgres://db/shop?sslmode=require", (SslMode::Require, Verify::Nothing)),
            ("postgres://db/shop?sslmode=require&sslrootcert=ca.pem", (SslMode::Require, Verify::Chain)),
            ("postgres://db/shop?sslmode=require&sslrootcert=system", (SslMode::Require, Verify::Name)),
            ("postgres://db/shop?sslmode=verify-ca", (SslMode::Require, Verify::Chain)),
            ("postgres://localhost/shop?sslmode=verify-full", (SslMode::Require, Verify::Name)),
        ] {
            assert_eq!(tls(url), [expected], "{url}");
        }
        let each = tls("postgres://localhost,db.example.com/shop");
        assert_eq!(each, [(SslMode::Prefer, Verify::Nothing), (SslMode::Require, Verify::Name)]);
    }

    #[test]
    fn parts_of_a_url() {
        for (url, expected) in [
            ("postgres://a:b@db:6000/shop", "db:6000/shop"),
            ("postgres://a@h1:1,h2,[fe80::1]:3/shop", "h1:1,h2:5432,[fe80::1]:3/shop"),
            ("postgres://a:p%40ss%2F@db/my%20shop?application_name=x&connect_timeout=3", "db:5432/my shop"),
            ("postgres://a:p@ss@db/shop", "db:5432/shop"),
            ("postgres://?host=h1,h2&port=7&dbname=shop&user=a&password=b", "h1:7,h2:7/shop"),
            ("postgres://h1,h2/shop?port=1,2&target_session_attrs=read-write", "h1:1,h2:2/shop"),
            ("postgres://db/shop?hostaddr=10.0.0.1&options=-c%20geqo%3Doff", "db:5432/shop"),
            ("postgres:///shop?host=%2Ftmp&port=6000", "/tmp:6000/shop"),
        ] {
            assert_eq!(PostgresOptions::parse(url).map(|options| options.place()), Ok(expected.to_owned()), "{url}");
        }
        let options = PostgresOptions::parse("postgres://a:p%40ss@db/shop?pgbouncer=true").expect("a URL");
        assert_eq!(options.hosts[0].config.get_password(), Some(&b"p@ss"[..]));
        assert_eq!(options.hosts[0].config.get_user(), Some("a"));
        assert!(!options.named_statements);
    }

    #[test]
    fn wrong_urls_are_refused_without_telling_their_values() {
        for (url, expected) in [
            ("mysql://secret@db/shop", "the URL of a PostgreSQL server begins with postgres:// or postgresql://"),
            ("postgres://db:secret/shop", "the URL's port must be a number from 1 to 65535"),
            (
                "postgres://db/shop?sslmode=secret",
                "the URL's sslmode must be disable, prefer, require, verify-ca or verify-full",
            ),
            ("postgres://db/shop?ssl_mode=secret", "the URL's parameter \"ssl_mode\" is not known"),
            ("postgres://db/shop?connect_timeout=secret", "the URL's connect_timeout must be a number of seconds"),
            ("postgres://db/shop?sslcert=secret", "the URL's sslkey must be given, since sslcert is"),
            ("postgres://a:%FFsecret@db/shop", "the URL's password is not UTF-8 after percent-decoding"),
            ("postgres://a,b/shop?hostaddr=10.0.0.1", "the URL's hostaddr must be an IP address for each host"),
            ("postgres://a,b/shop?port=1,2,3", "the URL's hostaddr must be"),
        ] {
            match PostgresOptions::parse(url) {
                Err(error) => assert_eq!(error.to_string(), expected, "{url}"),
                // More ports than hosts: the hosts that are not named are on this machine.
                Ok(options) => assert_eq!(options.hosts.len(), 3, "{url}"),
            }
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let options = PostgresOptions::parse("postgres://ann:sesame@db/shop?password=sesame").expect("a URL");
        let printed = format!("{options:?}");
        assert!(!printed.contains("sesame") && !printed.contains("ann"), "{printed}");
        assert!(printed.contains("db:5432/shop"), "{printed}");
    }
}
