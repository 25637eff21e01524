//! Whether a file is sound, as SQLite itself sees it.

use std::path::Path;

use mainstay_schema::Schema;
use mainstay_store::StoreError;
use rusqlite::{Connection, OpenFlags};

use super::{errors, functions};

/// Most problems that are told: one is bad enough, a few help to see what is broken.
const PROBLEMS_MAX: u32 = 10;

/// What is broken in a database file, one sentence each; empty when it is sound. Reads every page and changes nothing.
///
/// # Errors
/// [`StoreError`] if the file cannot be opened or is no database at all.
pub fn problems(path: &Path) -> Result<Vec<String>, StoreError> {
    let look = || {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        // Indexes may be in orders that SQLite does not know by itself.
        functions::register(&connection)?;
        let mut statement = connection.prepare(&format!("PRAGMA quick_check({PROBLEMS_MAX})"))?;
        let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
        lines.collect::<rusqlite::Result<Vec<_>>>()
    };
    let mut lines = look().map_err(|error| errors::translate(error, &Schema::default(), None))?;
    lines.retain(|line| line != "ok");
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sound_file_has_no_problems_and_a_broken_one_is_found_out() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.db");
        let connection = Connection::open(&file).unwrap();
        connection.execute_batch("CREATE TABLE t (a TEXT); CREATE INDEX i ON t (a)").unwrap();
        let rows = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
                    INSERT INTO t SELECT hex(randomblob(100)) FROM n";
        connection.execute(rows, []).unwrap();
        drop(connection);
        assert_eq!(problems(&file).unwrap(), Vec::<String>::new());

        let mut bytes = std::fs::read(&file).unwrap();
        bytes[4096 * 4..4096 * 5].fill(0xff);
        std::fs::write(&file, &bytes).unwrap();
        assert!(problems(&file).map_or(true, |problems| !problems.is_empty()));
        std::fs::write(&file, "no database").unwrap();
        assert!(problems(&file).is_err());
    }
}
