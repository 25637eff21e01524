//! Where the columns of a query come from: SQLite's column metadata. Only prepares statements, and runs none;
//! `found/views.rs` is the one caller.

use std::ffi::{CStr, CString, c_char, c_int};

use rusqlite::{Connection, ffi};

/// The base column of a result column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sqlite) struct Origin {
    /// The table, as it was declared.
    pub(in crate::sqlite) table: String,
    /// The column, as it was declared.
    pub(in crate::sqlite) column: String,
}

/// For each result column of a query the column it comes straight from; `None` where it is computed, or where it comes
/// from another database. Empty if the query does not run.
pub(in crate::sqlite) fn origins(connection: &Connection, sql: &str) -> Vec<Option<Origin>> {
    let Ok(sql) = CString::new(sql) else { return Vec::new() };
    let mut statement = std::ptr::null_mut();
    // SAFETY: the handle is open while `connection` is borrowed, and the text ends with NUL. The statement is finalized
    // below, before the borrow ends.
    let code =
        unsafe { ffi::sqlite3_prepare_v2(connection.handle(), sql.as_ptr(), -1, &mut statement, std::ptr::null_mut()) };
    if code != ffi::SQLITE_OK || statement.is_null() {
        return Vec::new();
    }
    // SAFETY: the statement was prepared above.
    let count = unsafe { ffi::sqlite3_column_count(statement) };
    let origins = (0..count).map(|column| origin(statement, column)).collect();
    // SAFETY: the statement is not used after this; its code only repeats that of the last step, and there was none.
    unsafe { ffi::sqlite3_finalize(statement) };
    origins
}

fn origin(statement: *mut ffi::sqlite3_stmt, column: c_int) -> Option<Origin> {
    // SAFETY: the caller's statement is prepared and not finalized, and `column` is one of its result columns. Each
    // text is copied before the next call of the same function.
    unsafe {
        let database = text(ffi::sqlite3_column_database_name(statement, column))?;
        let table = text(ffi::sqlite3_column_table_name(statement, column))?;
        let column = text(ffi::sqlite3_column_origin_name(statement, column))?;
        (database == "main").then_some(Origin { table, column })
    }
}

/// # Safety
/// `start` must be null or a text that ends with NUL and stays as it is during the call.
unsafe fn text(start: *const c_char) -> Option<String> {
    if start.is_null() {
        return None;
    }
    // SAFETY: by the caller's promise.
    unsafe { CStr::from_ptr(start) }.to_str().ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_followed_through_views_of_views() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE \"t \"\"1\" (a INT, \"b c\" TEXT);
                 CREATE VIEW v AS SELECT a AS x, \"b c\" || '!' AS y, \"b c\" AS z FROM \"t \"\"1\";
                 CREATE VIEW w AS SELECT x AS p, count(*) AS n, max(z) AS q FROM v GROUP BY x;",
            )
            .unwrap();
        let found = |sql: &str| -> Vec<String> {
            let named = |origin: Option<Origin>| origin.map_or("-".into(), |o| format!("{}.{}", o.table, o.column));
            origins(&connection, sql).into_iter().map(named).collect()
        };
        assert_eq!(found("SELECT * FROM v"), ["t \"1.a", "-", "t \"1.b c"]);
        assert_eq!(found("SELECT * FROM w"), ["t \"1.a", "-", "-"]);
        assert!(found("SELECT * FROM nope").is_empty());
    }
}
