//! SQLite: readers on their own threads, one writer with group commit, threads that stream.
//!
//! ```text
//! read.rs      rows, stepped into the answer      search.rs   words, by FTS5; an import with their index
//! write.rs     one thread, one commit for many    stream.rs   orders, sent while they are read
//! cells.rs     values → cells
//! ```

mod cells;
mod read;
mod search;
mod stream;
mod write;

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::database::Parts;
use crate::requests::{Failure, Made, Read, Rows, Write};

/// A database file.
pub(crate) struct Sqlite {
    readers: read::Readers,
    streamers: stream::Streamers,
    writer: write::Writer,
}

impl Sqlite {
    /// Opens a file that has the tables already.
    ///
    /// # Errors
    /// When it cannot be opened, or has other tables.
    pub(crate) fn open(path: &Path, synchronous: &str, readers: usize) -> anyhow::Result<Sqlite> {
        let writer = open_writer(path, synchronous, OpenFlags::empty())?;
        search::prepare(&writer)?;
        let connections = |count: usize| {
            (0..count).map(|_| open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)).collect::<anyhow::Result<Vec<_>>>()
        };
        Ok(Sqlite {
            readers: read::Readers::start(connections(readers)?),
            streamers: stream::Streamers::start(connections(stream::THREADS)?),
            writer: write::Writer::start(writer),
        })
    }

    /// Carries out one read.
    pub(crate) async fn read(&self, read: Read) -> Result<Rows, Failure> {
        Ok(self.readers.run(read).await.ok_or(Failure::Overloaded)??)
    }

    /// Carries out one write, and returns once it is on disk.
    pub(crate) async fn write(&self, write: Write) -> Result<Made, Failure> {
        Ok(self.writer.run(write).await.ok_or(Failure::Overloaded)??)
    }

    /// The orders of a span of numbers, in parts.
    pub(crate) fn orders(&self, from: i64, below: i64) -> Result<Parts, Failure> {
        self.streamers.orders(from, below).ok_or(Failure::Overloaded)
    }
}

/// Loads a CSV file of reviews into a new file with a full-text index; rows a second.
///
/// # Errors
/// When either cannot be read or written.
pub(crate) fn import(path: &Path, synchronous: &str, file: &Path) -> anyhow::Result<f64> {
    search::import(&open_writer(path, synchronous, OpenFlags::SQLITE_OPEN_CREATE)?, file)
}

fn open_writer(path: &Path, synchronous: &str, create: OpenFlags) -> anyhow::Result<Connection> {
    let writer = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | create)?;
    writer.pragma_update(None, "journal_mode", "WAL")?;
    writer.pragma_update(None, "synchronous", synchronous)?;
    writer.pragma_update(None, "foreign_keys", true)?;
    Ok(writer)
}

fn open(path: &Path, access: OpenFlags) -> anyhow::Result<Connection> {
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .with_context(|| format!("opening {}", path.display()))?;
    connection.pragma_update(None, "cache_size", -16_000)?;
    connection.pragma_update(None, "mmap_size", 256 << 20)?;
    connection.set_prepared_statement_cache_capacity(32);
    // Without this SQLite prepares a statement anew when a bound value changes that its planner looked at.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok(connection)
}
