//! What a connection URL says: host, credentials, TLS, and the sizes of the pool. Called by `pool.rs`.
//!
//! The keys are those of the `mysql` client.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::server::url::{self, Certificates, Url, is_here, some};
use crate::server::{CONNECT_MAX, Options, PoolLimits, UrlError};

/// The port of both servers.
const PORT: u16 = 3306;

/// How to reach a server, and how much of it to take.
#[derive(Clone)]
pub struct MysqlOptions {
    /// How much of it to take.
    pub limits: PoolLimits,
    /// How long one attempt to connect may take.
    pub connect_max: Duration,
    /// Whether divisions have as many digits as the server is told to give everybody.
    pub(super) divides_as_configured: bool,
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

impl MysqlOptions {
    /// Reads a URL: `mysql://user:password@host:port/database?ssl-mode=verify-identity`, or `mariadb://…`. Which of the
    /// two servers answers is asked when it does.
    ///
    /// Unless the URL says otherwise, a server's certificate is verified with its name, but for servers on this machine,
    /// with which there is no TLS.
    ///
    /// # Errors
    /// What is wrong with the URL; nothing of its values is told.
    pub fn parse(url: &str) -> Result<MysqlOptions, UrlError> {
        let url = Url::parse("MySQL or MariaDB", ["mysql", "mariadb"], url)?;
        let (host, port) = url::address(url.hosts)?;
        let mut options = MysqlOptions {
            limits: PoolLimits::default(),
            connect_max: CONNECT_MAX,
            divides_as_configured: false,
            host: "localhost".to_owned(),
            port: port.unwrap_or(PORT),
            socket: None,
            user: url.user.clone(),
            password: url.password.clone(),
            database: url.database.clone(),
            tls: TlsMode::Disabled,
            certificates: Certificates::default(),
        };
        if let Some(host) = some(host) {
            // A path is a socket, as `%2Frun%2Fmysqld%2Fmysqld.sock`.
            if host.starts_with('/') { options.socket = Some(host) } else { options.host = host }
        }
        let mut read = Parameters::default();
        url.parameters(|key, value| read.parameter(&mut options, key, value))?;
        read.finish(options)
    }

    /// Where it connects to, without anything secret: `db.example.com:3306/shop`.
    pub fn place(&self) -> String {
        let database = self.database.as_deref().unwrap_or_default();
        match &self.socket {
            Some(path) => format!("{path}/{database}"),
            None => format!("{}/{database}", url::written(&self.host, self.port)),
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
}

impl Options for MysqlOptions {
    fn parse(url: &str) -> Result<MysqlOptions, UrlError> {
        MysqlOptions::parse(url)
    }

    fn place(&self) -> String {
        MysqlOptions::place(self)
    }

    fn limits(&self) -> &PoolLimits {
        &self.limits
    }

    fn limits_mut(&mut self) -> &mut PoolLimits {
        &mut self.limits
    }

    fn compute_as_configured(&mut self) {
        self.divides_as_configured = true;
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

/// What the parameters said, of what is decided when all are read.
#[derive(Default)]
struct Parameters {
    mode: Option<TlsMode>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

impl Parameters {
    fn parameter(&mut self, options: &mut MysqlOptions, key: String, value: String) -> Result<(), UrlError> {
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
                        return Err(UrlError::value(&key, "disabled, required or verify-identity"));
                    }
                });
            }
            "ssl-ca" => options.certificates.roots = some(value).map(PathBuf::from),
            "ssl-cert" => self.certificate = some(value).map(PathBuf::from),
            "ssl-key" => self.key = some(value).map(PathBuf::from),
            "connect-timeout" => {
                let seconds = value.parse().ok().filter(|seconds| *seconds > 0);
                let wrong = || UrlError::value(&key, "a number of seconds");
                options.connect_max = seconds.map(Duration::from_secs).ok_or_else(wrong)?;
            }
            _ => return Err(UrlError::Key { key }),
        }
        Ok(())
    }

    fn finish(self, mut options: MysqlOptions) -> Result<MysqlOptions, UrlError> {
        options.certificates.own = url::own_certificate(["ssl-cert", "ssl-key"], self.certificate, self.key)?;
        if options.database.is_none() {
            return Err(UrlError::Database);
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
