//! `[stores.main]`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::value::FromValue;
use super::{Kind, Secret, Value};
use crate::server;

section! {
    /// Where rows are kept.
    StoreSettings in "stores.main" {
        /// The database: `sqlite:` and a path relative to the project folder, or the URL of a PostgreSQL, MySQL, MariaDB or
        /// MongoDB server. A URL with a password belongs into the environment, and stands here as `"env:DATABASE_URL"`.
        url: StoreUrl = Kind::Form { expected: EXPECTED, check: |text| StoreUrl::parse(text).map(drop) },
            default "sqlite:.mainstay/main.db", env ["DATABASE_URL"];
        /// Serves the tables that another program made in the database, as they are: no schema files, no migrations, and
        /// nothing is changed in it but by requests.
        introspect: bool = Kind::Flag, default "false";
        /// PostgreSQL: whose rules decide. `project`: those of the schema files and of `[stores.main.access]`.
        /// `database`: its own roles, grants and row-level security; then it is served as PostgREST serves it, and
        /// `introspect` is needed.
        rules: String = Kind::Choice(&["project", "database"]), default "project";
        /// SQLite: when a write is acknowledged: `full` after it is on the disk, `normal` when it would survive a crash of
        /// the program but perhaps not a power cut.
        synchronous: String = Kind::Choice(&["full", "normal"]), default "full";
        /// SQLite: threads that read, each with a connection of its own; 0 for one per core, at least two.
        readers: usize = Kind::Number(0, 256), default "0";
        /// SQLite: threads besides them that read answers which are sent while they are read, each with a connection of its
        /// own.
        streamers: usize = Kind::Number(1, 256), default "4";
        /// SQLite: page cache of each connection, in KiB.
        cache_kib: u32 = Kind::Number(64, 1_048_576), default "8192";
        /// Requests that may wait for the database; one more is answered with 503. SQLite counts reads and writes each.
        queue_max: usize = Kind::Number(1, 1_000_000), default "4096";
        /// Servers: connections of this process at most.
        connections_max: usize = Kind::Number(1, 10_000), default "10";
        /// Servers: how long a request waits for one of them before it is answered with 503.
        connection_wait: Duration = Kind::Seconds(1, 600), default "2";
        /// Servers: statements that each connection keeps prepared.
        statements_max: usize = Kind::Number(1, 100_000), default "256";
        /// PostgreSQL: whether statements are prepared under a name and used again. `false` behind PgBouncer in transaction
        /// mode, as `?pgbouncer=true` in the URL.
        named_statements: bool = Kind::Flag, default "true";
    }
}

const EXPECTED: &str = "sqlite: and the path of the file, as in sqlite:.mainstay/main.db, or postgres://USER@HOST/DATABASE, or mysql://…, mongodb://…";

/// A database engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// One file of this machine.
    Sqlite,
    /// A server.
    Server(Server),
}

/// A kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// PostgreSQL.
    Postgres,
    /// MySQL or MariaDB, which speak one protocol; which of them it is, is asked when it answers.
    Mysql,
    /// MongoDB.
    Mongo,
}

impl Server {
    /// Its name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Server::Postgres => "PostgreSQL",
            Server::Mysql => "MySQL or MariaDB",
            Server::Mongo => "MongoDB",
        }
    }

    /// The program of its own that makes backups.
    pub fn backup_program(self) -> &'static str {
        match self {
            Server::Postgres => "pg_dump",
            Server::Mysql => "mysqldump or mariadb-dump",
            Server::Mongo => "mongodump",
        }
    }

    /// How it makes a backup, and puts it back.
    pub fn backup_commands(self) -> [&'static str; 2] {
        match self {
            Server::Postgres => [
                "pg_dump --format=custom --file=shop.dump \"$DATABASE_URL\"",
                "pg_restore --clean --dbname=\"$DATABASE_URL\" shop.dump",
            ],
            Server::Mysql => [
                "mysqldump --single-transaction --routines shop > shop.sql (or mariadb-dump)",
                "mysql shop < shop.sql (or mariadb)",
            ],
            Server::Mongo => [
                "mongodump --uri=\"$DATABASE_URL\" --archive=shop.archive --gzip",
                "mongorestore --uri=\"$DATABASE_URL\" --archive=shop.archive --gzip --drop",
            ],
        }
    }

    /// Whose URLs begin so.
    pub fn of_scheme(scheme: &str) -> Option<Server> {
        match scheme {
            "postgres" | "postgresql" => Some(Server::Postgres),
            "mysql" | "mariadb" => Some(Server::Mysql),
            "mongodb" | "mongodb+srv" => Some(Server::Mongo),
            _ => None,
        }
    }
}

/// Which database, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// The file, as the project folder sees it.
    Sqlite(PathBuf),
    /// The whole URL, which may hold a password.
    Postgres(Secret),
    /// The whole URL, which may hold a password.
    Mysql(Secret),
    /// The whole URL, which may hold a password.
    Mongo(Secret),
}

impl StoreUrl {
    /// Reads `sqlite:PATH`, `sqlite://PATH`, or a URL of a server as its own programs take it.
    ///
    /// # Errors
    /// What is wrong, to follow the name of the setting. It never repeats the text: that may hold a password.
    pub fn parse(text: &str) -> Result<StoreUrl, String> {
        let scheme = text.split_once(':').map(|(scheme, _)| scheme);
        if let Some(kind) = scheme.and_then(Server::of_scheme) {
            server::check(kind, text)?;
            let url = Secret::new(text);
            return Ok(match kind {
                Server::Postgres => StoreUrl::Postgres(url),
                Server::Mysql => StoreUrl::Mysql(url),
                Server::Mongo => StoreUrl::Mongo(url),
            });
        }
        match scheme {
            Some("sqlite") => {}
            Some(other) if other.chars().all(|c| c.is_ascii_alphanumeric() || c == '+') => {
                return Err(format!(
                    "names a {other} database, but this build serves sqlite, postgres, mysql, mariadb and mongodb"
                ));
            }
            _ => return Err("has no scheme".to_owned()),
        }
        let rest = &text["sqlite:".len()..];
        let path = rest.strip_prefix("//").unwrap_or(rest);
        match path {
            "" => Err("names no file".to_owned()),
            ":memory:" => Err("would keep the rows in memory only".to_owned()),
            _ if path.contains('?') => Err("has parameters after the path, which mean nothing here".to_owned()),
            _ => Ok(StoreUrl::Sqlite(path.into())),
        }
    }

    /// Whether the text of a URL holds a password, so that it does not belong into a file that others read.
    pub(super) fn holds_password(text: &str) -> bool {
        let Some((scheme, rest)) = text.split_once("://") else { return false };
        let (authority, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let login = authority.rsplit_once('@').map_or("", |(login, _)| login);
        Server::of_scheme(scheme).is_some()
            && (login.contains(':') || parameters.split('&').any(|pair| pair.starts_with("password=")))
    }

    /// The engine.
    pub fn database(&self) -> Database {
        match self {
            StoreUrl::Sqlite(_) => Database::Sqlite,
            StoreUrl::Postgres(_) => Database::Server(Server::Postgres),
            StoreUrl::Mysql(_) => Database::Server(Server::Mysql),
            StoreUrl::Mongo(_) => Database::Server(Server::Mongo),
        }
    }

    /// The database file of the project in `folder`, where the database is a file.
    pub fn file(&self, folder: &Path) -> Option<PathBuf> {
        match self {
            StoreUrl::Sqlite(path) => Some(folder.join(path)),
            StoreUrl::Postgres(_) | StoreUrl::Mysql(_) | StoreUrl::Mongo(_) => None,
        }
    }

    /// Where it is, for people and without anything secret: the file, or `host:port/database`.
    pub fn place(&self, folder: &Path) -> String {
        match self {
            StoreUrl::Sqlite(path) => folder.join(path).display().to_string(),
            StoreUrl::Postgres(url) => server::place(Server::Postgres, url.expose()),
            StoreUrl::Mysql(url) => server::place(Server::Mysql, url.expose()),
            StoreUrl::Mongo(url) => server::place(Server::Mongo, url.expose()),
        }
    }
}

impl FromValue for StoreUrl {
    fn from_value(value: Option<Value>) -> StoreUrl {
        StoreUrl::parse(&String::from_value(value)).expect("the kind has checked it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_sqlite_give_the_file() {
        for (text, expected) in [
            ("sqlite:shop.db", "/p/shop.db"),
            ("sqlite://data/shop.db", "/p/data/shop.db"),
            ("sqlite:/var/shop.db", "/var/shop.db"),
            ("sqlite:///var/shop.db", "/var/shop.db"),
        ] {
            let file = StoreUrl::parse(text).unwrap().file(Path::new("/p"));
            assert_eq!(file.as_deref(), Some(Path::new(expected)), "{text}");
        }
    }

    #[test]
    fn urls_of_servers_are_told_without_what_is_secret() {
        let url = StoreUrl::parse("postgres://u:hunter2@h:6543/d?sslmode=require").unwrap();
        assert_eq!((url.database(), url.file(Path::new("/p"))), (Database::Server(Server::Postgres), None));
        assert_eq!(url.place(Path::new("/p")), "h:6543/d");
        assert!(!format!("{url:?}").contains("hunter2"));
        let url = StoreUrl::parse("mariadb://u:hunter2@h:3307/d").unwrap();
        assert_eq!((url.database(), url.file(Path::new("/p"))), (Database::Server(Server::Mysql), None));
        assert_eq!(url.place(Path::new("/p")), "h:3307/d");
        assert!(!format!("{url:?}").contains("hunter2"));
        let url = StoreUrl::parse("mongodb://u:hunter2@h:27018,i/d?replicaSet=r").unwrap();
        assert_eq!(url.database(), Database::Server(Server::Mongo));
        assert_eq!(url.place(Path::new("/p")), "h:27018,i/d");
        for (text, expected) in [
            ("postgres://u:hunter2@h/d", true),
            ("postgresql://h/d?user=u&password=hunter2", true),
            ("mysql://u:hunter2@h/d", true),
            ("mongodb+srv://u:hunter2@h/d", true),
            ("mysql://u@h/d", false),
            ("postgres://u@h:5432/d?sslmode=require", false),
            ("sqlite:shop.db", false),
        ] {
            assert_eq!(StoreUrl::holds_password(text), expected, "{text}");
        }
    }

    #[test]
    fn other_urls_are_refused_without_repeating_them() {
        for (text, expected) in [
            (
                "redis://u:hunter2@h/d",
                "names a redis database, but this build serves sqlite, postgres, mysql, mariadb and mongodb",
            ),
            (
                "postgres://u:hunter2@h/d?sslmode=maybe",
                "cannot be used (the URL's sslmode must be disable, prefer, require, verify-ca or verify-full)",
            ),
            ("postgres://u:hunter2@h/d?hun@ter2=x", "cannot be used (the URL has a parameter that is not known)"),
            ("postgres://u:hun?ter2@h/d", "cannot be used (the URL's port must be a number from 1 to 65535)"),
            ("shop.db", "has no scheme"),
            ("sqlite:", "names no file"),
            ("sqlite::memory:", "would keep the rows in memory only"),
            ("sqlite:a.db?mode=ro", "has parameters after the path, which mean nothing here"),
        ] {
            assert_eq!(StoreUrl::parse(text).unwrap_err(), expected, "{text}");
        }
    }
}
