//! Opening connections: one that writes and those that only read, each with the settings that the promises rest on.

use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags, Result};

use super::functions;
use super::job::Watch;
use super::{SqliteOptions, Synchronous};

/// Virtual machine steps between two looks at the deadline: some tens of microseconds.
const PROGRESS_STEPS: i32 = 1000;
/// How long a statement waits for another process that holds the file.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The log is cut back to this after a checkpoint that could empty it.
const LOG_BYTES_KEPT: i64 = 64 << 20;
/// Bounds against what nobody needs: (which, most).
const LIMITS: [(Limit, i32); 6] = [
    (Limit::SQLITE_LIMIT_LENGTH, 256 << 20),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 16 << 20),
    (Limit::SQLITE_LIMIT_ATTACHED, 0),
    (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 500),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 100),
];

/// Opens the connection that writes, making the file if there is none, readable by its owner only.
pub(super) fn writer(path: &Path, options: &SqliteOptions, watch: &Watch) -> Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if !options.found {
        create_private(path)?;
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    if !options.found {
        // The mode stays with the file, so that of another program's file is left to that program.
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    }
    connection.pragma_update(None, "synchronous", options.synchronous.word())?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES_KEPT, |_| Ok(()))?;
    prepare(&mut connection, options, watch)?;
    Ok(connection)
}

/// Opens a connection that only reads.
pub(super) fn reader(path: &Path, options: &SqliteOptions, watch: &Watch) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "query_only", true)?;
    prepare(&mut connection, options, watch)?;
    Ok(connection)
}

/// Opens a database that lives in memory and nowhere else, for trying out statements.
pub(super) fn scratch() -> Result<Connection> {
    let connection = Connection::open_in_memory()?;
    functions::register(&connection)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// What both kinds have in common.
fn prepare(connection: &mut Connection, options: &SqliteOptions, watch: &Watch) -> Result<()> {
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    // Negative means KiB rather than pages.
    connection.pragma_update(None, "cache_size", -i64::from(options.cache_kib))?;
    // Another program may cut its file short under our eyes, which a mapping does not survive.
    let mmap_bytes = if options.found { 0 } else { options.mmap_bytes };
    connection.pragma_update_and_check(None, "mmap_size", mmap_bytes, |_| Ok(()))?;
    for (limit, most) in LIMITS {
        connection.set_limit(limit, most)?;
    }
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // Without this SQLite plans anew whenever a bound value changes that it looked at, and it looks at every LIMIT: each
    // run of a prepared statement would cost as much as preparing it, which is several times a point read.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // A name in double quotes that is no column is a mistake, never a text.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    connection.set_prepared_statement_cache_capacity(options.statements_max);
    functions::register(connection)?;
    rusqlite::vtab::array::load_module(connection)?;
    let watch = watch.clone();
    connection.progress_handler(PROGRESS_STEPS, Some(move || watch.is_due()))
}

/// Makes the file before SQLite does, because SQLite would let others read it. Its log files take over its mode.
fn create_private(path: &Path) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(_) => Err(rusqlite::Error::InvalidPath(path.to_owned())),
    }
}

impl Synchronous {
    fn word(self) -> &'static str {
        match self {
            Synchronous::Full => "full",
            Synchronous::Normal => "normal",
            Synchronous::Off => "off",
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    #[test]
    fn other_values_do_not_make_sqlite_plan_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("main.db");
        let connection = writer(&path, &SqliteOptions::default(), &Watch::default()).unwrap();
        connection.execute_batch("CREATE TABLE a (id INTEGER PRIMARY KEY, x TEXT) STRICT").unwrap();
        for round in 0..5 {
            let mut read = connection.prepare_cached("SELECT x FROM a WHERE id > ? ORDER BY id LIMIT ?").unwrap();
            assert!(!read.exists([round, 10 + round]).unwrap());
            assert_eq!(read.get_status(StatementStatus::RePrepare), 0);
        }
    }

    #[test]
    fn readers_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("main.db");
        let options = SqliteOptions::default();
        let writing = writer(&path, &options, &Watch::default()).unwrap();
        writing.execute_batch("CREATE TABLE a (x TEXT) STRICT").unwrap();
        let reading = reader(&path, &options, &Watch::default()).unwrap();
        assert!(reading.execute_batch("INSERT INTO a VALUES ('x')").is_err());
        assert!(reading.execute_batch("PRAGMA query_only = 0; INSERT INTO a VALUES ('x')").is_err());
        assert!(writing.execute_batch("ATTACH ':memory:' AS other").is_err());
    }
}
