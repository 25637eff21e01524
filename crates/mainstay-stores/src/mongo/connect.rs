//! What a connection URL says, and how much of the server to take. Called by `link.rs`.
//!
//! The URL is the one that all of MongoDB's drivers read, and theirs are its parameters; here it is only seen to that no
//! parameter is passed over in silence and that a database is named.

use std::fmt;
use std::time::Duration;

use mongodb::options::{Acknowledgment, ClientOptions, WriteConcern};

use crate::server::url::Url;
use crate::server::{CONNECT_MAX, Options, PoolLimits, UrlError};

/// The parameters that drivers know, in lower case.
const PARAMETERS: [&str; 32] = [
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
    "maxidletimems",
    "maxpoolsize",
    "maxstalenessseconds",
    "minpoolsize",
    "readconcernlevel",
    "readpreference",
    "readpreferencetags",
    "replicaset",
    "retryreads",
    "retrywrites",
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
        let database = parts.database.clone().ok_or(UrlError::Database)?;
        if !is_name(&database) {
            return Err(UrlError::value("database", "a name without blanks, dots, slashes, quotes and dollar signs"));
        }
        parts.parameters(|key, _| {
            let is_known = PARAMETERS.contains(&&*key.to_ascii_lowercase());
            if is_known { Ok(()) } else { Err(UrlError::Key { key }) }
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
        let durable = WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build();
        options.write_concern = Some(durable);
        Ok(options)
    }
}

/// Whether a text is the name of a database on every platform of the server.
fn is_name(text: &str) -> bool {
    text.len() < 64 && !text.contains(['/', '\\', '.', ' ', '"', '$', '*', '<', '>', ':', '|', '?', '\0'])
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
        let place = MongoOptions::parse("mongodb+srv://ann:s3cret@cluster.example.com/shop").unwrap().place();
        assert_eq!(place, "cluster.example.com/shop");
    }

    #[test]
    fn what_is_wrong_is_told_without_values() {
        for (url, expected) in [
            ("mysql://a/b", "the URL of a MongoDB server begins with mongodb:// or mongodb+srv://"),
            ("mongodb://ann:s3cret@a", "the URL names no database"),
            ("mongodb://ann:s3cret@a/", "the URL names no database"),
            (
                "mongodb://a/s3cret.x",
                "the URL's database must be a name without blanks, dots, slashes, quotes and dollar signs",
            ),
            ("mongodb://a/b?s3cretive=1", "the URL's parameter \"s3cretive\" is not known"),
        ] {
            assert_eq!(MongoOptions::parse(url).unwrap_err().to_string(), expected);
        }
    }
}
