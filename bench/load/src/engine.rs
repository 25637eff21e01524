//! The databases that the two servers are compared on. One is a variant here, a folder of the yardstick and a kind of
//! server of `cargo xtask bench`.

use std::process::Command;

use clap::ValueEnum;
use serde::Serialize;

use crate::workloads::Kind;

/// What both servers keep their rows in.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Engine {
    /// A file each.
    Sqlite,
    /// The same tables of the same server.
    Postgres,
    /// The same.
    Mariadb,
    /// The same.
    Mysql,
    /// The same collections of the same server.
    Mongo,
}

/// Where programs look for the URL of a server.
const URL: &str = "DATABASE_URL";

impl Engine {
    /// What the files of a run begin with.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Engine::Sqlite => "",
            Engine::Postgres => "postgres-",
            Engine::Mariadb => "mariadb-",
            Engine::Mysql => "mysql-",
            Engine::Mongo => "mongo-",
        }
    }

    /// The ratio to the yardstick that is aimed at.
    pub(crate) fn target(self, kind: Kind) -> f64 {
        match (self, kind) {
            (Engine::Sqlite, Kind::Read) => 0.7,
            (Engine::Sqlite, Kind::Write) => 0.8,
            // The server does much of the work for both.
            (_, Kind::Read) => 0.8,
            (_, Kind::Write) => 0.9,
        }
    }

    /// Whether what either server writes can be read from the other.
    pub(crate) fn is_shared(self) -> bool {
        self != Engine::Sqlite
    }

    /// Whether Mainstay makes an index of words there.
    pub(crate) fn has_words(self) -> bool {
        matches!(self, Engine::Sqlite | Engine::Postgres)
    }

    /// Tells a program nothing of a server, unless this is one. The URL is inherited, so that no list of processes shows it.
    pub(crate) fn tell(self, command: &mut Command) {
        if self == Engine::Sqlite {
            command.env_remove(URL);
        }
    }

    /// Whether the environment names the server, if there must be one.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) fn check(self) -> anyhow::Result<()> {
        let is_told = self == Engine::Sqlite || std::env::var_os(URL).is_some();
        anyhow::ensure!(is_told, "{URL} names no server with an empty database; `cargo xtask bench` starts one");
        Ok(())
    }
}
