//! The databases behind the routes: each is one folder and one variant here.

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::mongo::Mongo;
use crate::mysql::Mysql;
use crate::postgres::Postgres;
use crate::requests::{Failure, Made, Read, Rows, Write};
use crate::sqlite::Sqlite;

/// Parts of an answer that is sent while it is read.
pub(crate) type Parts = mpsc::Receiver<Bytes>;

/// Octets of a part.
pub(crate) const PART_BYTES: usize = 64 << 10;
/// Parts that wait for a client before whoever reads does.
pub(crate) const PARTS_MAX: usize = 4;

/// The database that is served.
pub(crate) enum Database {
    Sqlite(Sqlite),
    Postgres(Postgres),
    Mysql(Mysql),
    Mongo(Mongo),
}

impl Database {
    /// Carries out one read.
    pub(crate) async fn read(&self, read: Read) -> Result<Rows, Failure> {
        match self {
            Database::Sqlite(database) => database.read(read).await,
            Database::Postgres(database) => database.read(read).await,
            Database::Mysql(database) => database.read(read).await,
            Database::Mongo(database) => database.read(read).await,
        }
    }

    /// Carries out one write, and returns once it is durable.
    pub(crate) async fn write(&self, write: Write) -> Result<Made, Failure> {
        match self {
            Database::Sqlite(database) => database.write(write).await,
            Database::Postgres(database) => database.write(write).await,
            Database::Mysql(database) => database.write(write).await,
            Database::Mongo(database) => database.write(write).await,
        }
    }

    /// The orders of a span of numbers as NDJSON, in parts.
    pub(crate) async fn orders(&self, from: i64, below: i64) -> Result<Parts, Failure> {
        match self {
            Database::Sqlite(database) => database.orders(from, below),
            Database::Postgres(database) => database.orders(from, below).await,
            Database::Mysql(database) => database.orders(from, below).await,
            Database::Mongo(database) => database.orders(from, below).await,
        }
    }
}
