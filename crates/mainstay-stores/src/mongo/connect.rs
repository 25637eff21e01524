//! What a connection URL says, and how much of the server to take. Called by `link.rs`.
//!
//! The URL is the one that all of MongoDB's drivers read, and theirs are its parameters; here it is only seen to that no
//! parameter is passed over in silence and that a database is named.

use std::fmt;
use std::time::Duration;

use mongodb::options::{Acknowledgment, ClientOptions, WriteConcern};

use crate::server::url::{Url, address};
use crate::server::{CONNECT_MAX, Options, PoolLimits, UrlError};

/// The parameters that drivers know and that are heeded here, in lower case.
const PARAMETERS: [&str; 36] = [
    "appname",
    "authmechanism",
    "authmechanismproperties",
    "authsource",
    "compressors",
    "connecttimeoutms",
    "directconnection",
    "heartbeatfrequencyms",
    "journal",
    "loadbalanced",
    "localthresholdms",
    "maxconnecting",
    "maxidletimems",
    "maxstalenessseconds",
    "minpoolsize",
    "readconcernlevel",
    "readpreference",
    "readpreferencetags",
    "replicaset",
    "retryreads",
    "retrywrites",
    "servermonitoringmode",
    "serverselectiontimeoutms",
    "sockettimeoutms",
    "srvmaxhosts",
    "srvservicename",
    "ssl",
    "tls",
    "tlsallowinvalidcertificates",
    "tlscafile",
    "tlscertificatekeyfile",
    "tlsinsecure",
    "uuidrepresentation",
    "w",
    "waitqueuetimeoutms",
    "wtimeoutms",
];

/// How to reach a server, and how much of it to take.
#[derive(Clone)]
pub struct MongoOptions {
    /// How much of it to take.
    pub limits: PoolLimits,
    /// How long looking for a server and connecting to it may take.
    pub connect_max: Duration,
    url: String,
    hosts: String,
    pub(super) database: String,
}

impl MongoOptions {
    /// Reads a URL: `mongodb://user:password@host:port/database?tls=true`, or `mongodb+srv://…`, which means TLS. A
    /// server's certificate is verified with its name wherever there is TLS, unless the URL says otherwise.
    ///
    /// # Errors
    /// What is wrong with the URL; nothing of its values is told.
    pub fn parse(url: &str) -> Result<MongoOptions, UrlError> {
        let parts = Url::parse("MongoDB", ["mongodb", "mongodb+srv"], url)?;
        // What is no host, and what comes after it, may be a password in which a slash is not encoded.
        for host in parts.hosts.split(',') {
            if address(host)?.0.is_empty() {
                return Err(UrlError::value("host", "a name or an address"));
            }
        }
        let database = parts.database.clone().ok_or(UrlError::Database)?;
        if !is_name(&database) {
            let expected =
                "a name without blanks, dots, slashes, quotes, dollar and at signs; a slash in a password is %2F";
            return Err(UrlError::value("database", expected));
        }
        parts.parameters(|key, value| match &*key.to_ascii_lowercase() {
            "maxpoolsize" => {
                Err(UrlError::value(&key, "left out; connections_max says how many connections there are"))
            }
            "w" if value != "majority" => Err(UrlError::value(&key, "majority or left out")),
            "journal" if value != "true" => Err(UrlError::value(&key, "true or left out")),
            known if PARAMETERS.contains(&known) => Ok(()),
            _ => Err(UrlError::Key { key }),
        })?;
        Ok(MongoOptions {
            limits: PoolLimits::default(),
            connect_max: CONNECT_MAX,
            url: url.to_owned(),
            hosts: parts.hosts.to_owned(),
            database,
        })
    }

    /// Where it connects to, without anything secret: `db.example.com:27017/shop`.
    pub fn place(&self) -> String {
        format!("{}/{}", self.hosts, self.database)
    }

    /// The same server, another database.
    #[must_use]
    pub fn with_database(mut self, name: &str) -> MongoOptions {
        name.clone_into(&mut self.database);
        self
    }

    /// The database that is meant.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// What the driver is told. Looks a `mongodb+srv` name up.
    ///
    /// # Errors
    /// What the driver says of the URL or of its name.
    pub(super) async fn client(&self) -> Result<ClientOptions, mongodb::error::Error> {
        let mut options = ClientOptions::parse(&self.url).await?;
        // Of those who login with no database to look them up in, the driver takes the one of the URL.
        options.app_name.get_or_insert_with(|| "mainstay".to_owned());
        options.max_pool_size = u32::try_from(self.limits.connections_max).ok();
        options.max_idle_time = self.limits.idle_max.or(options.max_idle_time);
        options.connect_timeout.get_or_insert(self.connect_max);
        options.server_selection_timeout.get_or_insert(self.connect_max);
        options.retry_reads.get_or_insert(true);
        options.retry_writes.get_or_insert(true);
        // What is answered is on the disks of most of the set.
        let mut durable = WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build();
        durable.w_timeout = options.write_concern.and_then(|asked| asked.w_timeout);
        options.write_concern = Some(durable);
        Ok(options)
    }
}

/// Whether a text is the name of a database on every platform of the server, and no part of a login.
fn is_name(text: &str) -> bool {
    text.len() < 64 && !text.contains(['/', '\\', '.', ' ', '"', '$', '*', '<', '>', ':', '|', '?', '@', '\0'])
}

impl Options for MongoOptions {
    fn parse(url: &str) -> Result<MongoOptions, UrlError> {
        MongoOptions::parse(url)
    }

    fn place(&self) -> String {
        MongoOptions::place(self)
    }

    fn limits(&self) -> &PoolLimits {
        &self.limits
    }

    fn limits_mut(&mut self) -> &mut PoolLimits {
        &mut self.limits
    }
}

impl fmt::Debug for MongoOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MongoOptions")
            .field("place", &self.place())
            .field("login", &"[hidden]")
            .field("connections_max", &self.limits.connections_max)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart_and_keep_their_secrets() {
        let options = MongoOptions::parse("mongodb://ann:s3cret@a:1,b:2/shop?replicaSet=rs0&tls=true").unwrap();
        assert_eq!(options.place(), "a:1,b:2/shop");
        assert!(!format!("{options:?}").contains("s3cret"), "{options:?}");
        assert_eq!(options.with_database("other").place(), "a:1,b:2/other");
        let socket = MongoOptions::parse("mongodb://%2Ftmp%2Fmongodb.sock/shop?w=majority&journal=true").unwrap();
        assert_eq!(socket.place(), "%2Ftmp%2Fmongodb.sock/shop");
        assert!(MongoOptions::parse("mongodb://[::1]:27017/shop?wtimeoutMS=500&maxConnecting=3").is_ok());
        let place = MongoOptions::parse("mongodb+srv://ann:s3cret@cluster.example.com/shop").unwrap().place();
        assert_eq!(place, "cluster.example.com/shop");
    }

    #[test]
    fn what_is_wrong_is_told_without_values() {
        let database = "the URL's database must be a name without blanks, dots, slashes, quotes, dollar and at signs; a \
                        slash in a password is %2F";
        for (url, expected) in [
            ("mysql://a/b", "the URL of a MongoDB server begins with mongodb:// or mongodb+srv://"),
            ("mongodb://ann:s3cret@a", "the URL names no database"),
            ("mongodb://ann:s3cret@a/", "the URL names no database"),
            ("mongodb://a/s3cret.x", database),
            ("mongodb://ann:s3/cret@db", "the URL's port must be a number from 1 to 65535"),
            ("mongodb://ann:33/cret@db/shop", database),
            ("mongodb://ann:33/cret@db", database),
            ("mongodb://a,:1/shop", "the URL's host must be a name or an address"),
            ("mongodb://a/b?s3cretive=1", "the URL's parameter \"s3cretive\" is not known"),
            ("mongodb://a/b?w=1", "the URL's w must be majority or left out"),
            ("mongodb://a/b?journal=false", "the URL's journal must be true or left out"),
            (
                "mongodb://a/b?maxPoolSize=5",
                "the URL's maxPoolSize must be left out; connections_max says how many connections there are",
            ),
        ] {
            assert_eq!(MongoOptions::parse(url).unwrap_err().to_string(), expected);
        }
    }
}
