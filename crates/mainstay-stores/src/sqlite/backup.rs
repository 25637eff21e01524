//! Copies of a whole database while others use it, and putting one in the place of another.
//!
//! With a write-ahead log a copy is taken inside one read transaction: it is the database of one moment, and nobody
//! waits for it. Without one a reader would keep writers from committing, so the copy is taken in short steps, which
//! SQLite begins anew when somebody wrote in between. Files and their names are the business of the caller.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mainstay_schema::Schema;
use mainstay_store::StoreError;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{connect, errors, functions, render};

/// Pages of one step: about a megabyte.
const STEP_PAGES: i32 = 256;
/// After so many beginnings the copy is taken in one go, and writers wait for it: better than never.
const BEGINNINGS_MAX: u32 = 5;
/// Pause when somebody else holds the file.
const BUSY_PAUSE: Duration = Duration::from_millis(20);
/// Pauses in a row before the copy is given up.
const BUSY_MAX: u32 = 1500;
/// Virtual machine steps between two looks at whether it is over: less than a millisecond.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;
/// Most problems that are told.
const PROBLEMS_MAX: u32 = 10;

/// What a database holds, as far as two copies of it can be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// Whether the file has a write-ahead log when it is used.
    pub is_write_ahead: bool,
    /// Rows of each table.
    pub rows: BTreeMap<String, u64>,
    /// Rows that point at nothing.
    pub broken_references: u64,
    /// Name of the last migration, where there are any.
    pub migration: Option<String>,
    /// Name and time of the first migration, by which databases of one project know each other.
    pub origin: Option<String>,
}

/// Set to have a copy or a look end early.
pub type IsOver = Arc<AtomicBool>;

/// Is told after each step of a copy how many pages are left of how many. It may pause, and it may stop the copy.
pub type OnStep<'f> = dyn FnMut(u64, u64) -> ControlFlow<()> + 'f;

/// Copies the database `source` into the empty file `target`, and says what it holds.
///
/// # Errors
/// [`StoreError`] if the one cannot be read, the other not be written, or the copy is not what it was copied from;
/// [`StoreError::Deadline`] if it was stopped.
pub fn copy(source: &Path, target: &Path, is_over: &IsOver, on_step: &mut OnStep<'_>) -> Result<Contents, StoreError> {
    let mut from = open(source, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(translated)?;
    watch(&mut from, is_over).map_err(translated)?;
    let is_write_ahead = mode(&from).map_err(translated)? == "wal";
    let counted = if is_write_ahead {
        // The first look begins the snapshot; that of the copy is the same because the transaction goes on.
        from.execute_batch("BEGIN").map_err(translated)?;
        Some(rows(&from).map_err(translated)?)
    } else {
        None
    };
    copy_pages(&from, target, on_step)?;
    drop(from);
    // A copy that needs no other file beside it.
    let copy = open(target, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(translated)?;
    set_mode(&copy, "delete").map_err(translated)?;
    drop(copy);
    let contents = Contents { is_write_ahead, ..examine(target, is_over)? };
    match counted {
        Some(rows) if rows != contents.rows => Err(StoreError::Internal("the copy has other rows".into())),
        _ => Ok(contents),
    }
}

fn copy_pages(from: &Connection, target: &Path, on_step: &mut OnStep<'_>) -> Result<(), StoreError> {
    let mut to = open(target, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(translated)?;
    // The caller makes the file durable once it is whole; until then nobody needs a way back.
    to.pragma_update(None, "synchronous", "off").map_err(translated)?;
    set_mode(&to, "off").map_err(translated)?;
    let backup = Backup::new(from, &mut to).map_err(translated)?;
    let (mut left, mut beginnings, mut waits) = (u64::MAX, 1, 0);
    loop {
        let pages = if beginnings > BEGINNINGS_MAX { -1 } else { STEP_PAGES };
        match backup.step(pages).map_err(translated)? {
            StepResult::Done => return Ok(()),
            StepResult::More => {
                waits = 0;
                let progress = backup.progress();
                let number = |pages: i32| u64::try_from(pages).unwrap_or(0);
                let now = number(progress.remaining);
                beginnings += u32::from(now > left);
                left = now;
                if on_step(now, number(progress.pagecount)).is_break() {
                    return Err(StoreError::Deadline);
                }
            }
            _ if waits < BUSY_MAX => {
                waits += 1;
                std::thread::sleep(BUSY_PAUSE);
            }
            _ => return Err(StoreError::Overloaded),
        }
    }
}

/// Looks at every page, every index and every reference of a database file that nobody uses.
///
/// # Errors
/// [`StoreError::Internal`] if it is damaged or no database; [`StoreError::Deadline`] if it was over before the end.
pub fn examine(path: &Path, is_over: &IsOver) -> Result<Contents, StoreError> {
    let look = || {
        let mut connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        watch(&mut connection, is_over)?;
        let mut statement = connection.prepare(&format!("PRAGMA integrity_check({PROBLEMS_MAX})"))?;
        let problems = statement.query_map([], |row| row.get::<_, String>(0))?;
        let problems = problems.collect::<rusqlite::Result<Vec<_>>>()?;
        let broken = "SELECT count(*) FROM pragma_foreign_key_check";
        // A reference to a table that is not there cannot be checked; it is no damage of the file.
        let broken_references = match connection.query_row(broken, [], |row| row.get::<_, i64>(0)) {
            Ok(count) => count.unsigned_abs(),
            Err(rusqlite::Error::SqliteFailure(error, _)) if error.code == ErrorCode::Unknown => 0,
            Err(error) => return Err(error),
        };
        let is_write_ahead = mode(&connection)? == "wal";
        let rows = rows(&connection)?;
        let (migration, origin) = (migration(&connection)?, origin_of(&connection)?);
        Ok((problems, Contents { is_write_ahead, rows, broken_references, migration, origin }))
    };
    let (problems, contents) = look().map_err(translated)?;
    match problems.as_slice() {
        [ok] if ok == "ok" => Ok(contents),
        _ => Err(StoreError::Internal(format!("damaged: {}", problems.join("; ")).into())),
    }
}

/// Name and time of the first migration of a database; `None` where there are none or nobody can tell.
pub fn origin(path: &Path) -> Option<String> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
    origin_of(&connection).ok()?
}

/// Names of the tables of a database; empty where nobody can tell.
pub fn tables(path: &Path) -> BTreeSet<String> {
    let look = || rows(&open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?);
    look().unwrap_or_default().into_keys().collect()
}

/// Sets how a file is written when it is used next. Nobody may be using it.
///
/// # Errors
/// [`StoreError`] if that cannot be done.
pub fn set_write_ahead(path: &Path) -> Result<(), StoreError> {
    let set = || set_mode(&open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?, "wal");
    set().map_err(translated)
}

/// A database that nobody else can use: all of it is in its one file.
#[derive(Debug)]
pub struct Settled(#[expect(dead_code, reason = "its lock is what it is for")] Connection);

/// Brings everything into the one file of a database and keeps all others out until the answer is dropped.
///
/// # Errors
/// [`StoreError::Overloaded`] if somebody uses it, [`StoreError::Internal`] if it is damaged or no database.
pub fn settle(path: &Path) -> Result<Settled, StoreError> {
    let settle = || {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        functions::register(&connection)?;
        // Leaving the log needs the file alone, which is how others who have it open are noticed.
        set_mode(&connection, "delete")?;
        connection.execute_batch("BEGIN EXCLUSIVE")?;
        Ok(connection)
    };
    settle().map(Settled).map_err(translated)
}

fn open(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(connect::BUSY_TIMEOUT)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // Indexes may be in orders that SQLite does not know by itself.
    functions::register(&connection)?;
    Ok(connection)
}

fn mode(connection: &Connection) -> rusqlite::Result<String> {
    connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))
}

/// SQLite answers with the mode that holds afterwards; another one means that somebody is in the way.
fn set_mode(connection: &Connection, mode: &str) -> rusqlite::Result<()> {
    let now: String = connection.query_row(&format!("PRAGMA journal_mode = {mode}"), [], |row| row.get(0))?;
    if now == mode {
        return Ok(());
    }
    Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None))
}

fn rows(connection: &Connection) -> rusqlite::Result<BTreeMap<String, u64>> {
    let mut list = connection.prepare(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'shadow')
         AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )?;
    let names = list.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    let count = |name: String| {
        let sql = format!("SELECT count(*) FROM {}", render::ddl::quoted(&name));
        let rows: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
        Ok((name, rows.unsigned_abs()))
    };
    names.into_iter().map(count).collect()
}

fn migration(connection: &Connection) -> rusqlite::Result<Option<String>> {
    one_migration(connection, "SELECT name FROM _mainstay_migrations ORDER BY position DESC LIMIT 1")
}

fn origin_of(connection: &Connection) -> rusqlite::Result<Option<String>> {
    one_migration(connection, "SELECT name || ' of ' || applied_at FROM _mainstay_migrations ORDER BY position LIMIT 1")
}

fn one_migration(connection: &Connection, sql: &str) -> rusqlite::Result<Option<String>> {
    match connection.query_row(sql, [], |row| row.get(0)) {
        Ok(name) => Ok(Some(name)),
        // None were applied, or it is another program's file.
        Err(rusqlite::Error::QueryReturnedNoRows | rusqlite::Error::SqlInputError { .. }) => Ok(None),
        Err(rusqlite::Error::SqliteFailure(error, _)) if error.code == ErrorCode::Unknown => Ok(None),
        Err(error) => Err(error),
    }
}

/// Has statements of a connection end when it is over.
fn watch(connection: &mut Connection, is_over: &IsOver) -> rusqlite::Result<()> {
    let is_over = is_over.clone();
    connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || is_over.load(Ordering::Relaxed)))
}

fn translated(error: rusqlite::Error) -> StoreError {
    errors::translate(error, &Schema::default(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path, name: &str) -> std::path::PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, "").unwrap();
        path
    }

    /// Two tables whose rows always add up to nothing.
    fn accounts(path: &Path, mode: &str) -> Connection {
        let connection = Connection::open(path).unwrap();
        set_mode(&connection, mode).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE a (id INTEGER PRIMARY KEY, n INT, pad TEXT); CREATE TABLE b (id INTEGER PRIMARY KEY, n INT, pad TEXT);
                 WITH RECURSIVE i (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM i WHERE i < 3000)
                 INSERT INTO a SELECT i, 0, hex(randomblob(400)) FROM i;
                 INSERT INTO b SELECT * FROM a;",
            )
            .unwrap();
        connection
    }

    fn move_one(connection: &Connection) -> rusqlite::Result<()> {
        connection.execute_batch(
            "BEGIN IMMEDIATE; UPDATE a SET n = n + 1 WHERE id % 500 = 0; UPDATE b SET n = n - 1 WHERE id % 500 = 0;
             INSERT INTO a (n) VALUES (1); INSERT INTO b (n) VALUES (-1); COMMIT",
        )
    }

    fn sum(path: &Path) -> (i64, i64) {
        let sql = "SELECT (SELECT sum(n) FROM a) + (SELECT sum(n) FROM b), (SELECT count(*) FROM a) - (SELECT count(*) FROM b)";
        Connection::open(path).unwrap().query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    }

    #[test]
    fn a_copy_is_of_one_moment_and_writers_go_on_meanwhile() {
        for mode in ["wal", "delete"] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("main.db");
            let writer = accounts(&path, mode);
            let target = file(folder.path(), "copy.db");
            let mut writes = 0;
            let contents = copy(&path, &target, &IsOver::default(), &mut |_, _| {
                // With every step somebody else commits; it is not kept waiting, so this cannot fail.
                if writes < 4 || mode == "wal" {
                    move_one(&writer).unwrap();
                    writes += 1;
                }
                ControlFlow::Continue(())
            })
            .unwrap();
            assert!(writes >= 4, "{mode}: the copy took {writes} steps");
            assert_eq!(sum(&target), (0, 0), "{mode}");
            assert_eq!(contents.is_write_ahead, mode == "wal");
            if mode == "wal" {
                assert_eq!(contents.rows["a"], 3000, "the copy is of the moment when it began");
            }
            assert_eq!(examine(&target, &IsOver::default()).unwrap().rows, contents.rows);
            let names: Vec<_> =
                std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            assert!(names.iter().all(|name| !name.to_string_lossy().starts_with("copy.db-")), "{names:?}");
        }
    }

    #[test]
    fn a_damaged_file_is_not_copied_as_if_it_were_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("main.db");
        drop(accounts(&path, "delete"));
        let mut octets = std::fs::read(&path).unwrap();
        let middle = octets.len() / 8192 * 4096;
        octets[middle..middle + 4096].fill(0x5a);
        std::fs::write(&path, octets).unwrap();
        assert!(
            copy(&path, &file(folder.path(), "copy.db"), &IsOver::default(), &mut |_, _| ControlFlow::Continue(()))
                .is_err()
        );
        assert!(examine(&path, &IsOver::default()).is_err());
    }

    #[test]
    fn a_copy_can_be_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("main.db");
        drop(accounts(&path, "wal"));
        let stopped =
            copy(&path, &file(folder.path(), "copy.db"), &IsOver::default(), &mut |_, _| ControlFlow::Break(()));
        assert!(matches!(stopped, Err(StoreError::Deadline)));
        // The look at the whole of a copy takes longest, and ends as soon as it is over.
        let is_over = IsOver::default();
        let over_with_the_last_page = copy(&path, &file(folder.path(), "copy.db"), &is_over, &mut |left, _| {
            is_over.store(left == 0, Ordering::Relaxed);
            ControlFlow::Continue(())
        });
        assert!(matches!(over_with_the_last_page, Ok(_) | Err(StoreError::Deadline)), "{over_with_the_last_page:?}");
        assert!(matches!(examine(&path, &IsOver::new(AtomicBool::new(true))), Err(StoreError::Deadline)));
    }

    #[test]
    fn a_file_in_use_cannot_be_settled() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("main.db");
        let other = accounts(&path, "wal");
        assert!(matches!(settle(&path), Err(StoreError::Overloaded)));
        drop(other);
        let settled = settle(&path).unwrap();
        let late = Connection::open(&path).unwrap();
        late.busy_timeout(Duration::ZERO).unwrap();
        assert!(move_one(&late).is_err());
        drop(settled);
        late.execute_batch("ROLLBACK").ok();
        move_one(&late).unwrap();
    }
}
