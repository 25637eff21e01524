//! SQLite's pre-update hook: a look at each row just before it changes, whatever changes it.
//!
//! The C library is compiled with the hook by `.cargo/config.toml`. Knows neither schemas nor changes; `changes.rs` is
//! the one caller.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;
use std::sync::Arc;

use mainstay_store::ChangeKind;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ffi};

/// What is called for each row. `Send` and `Sync` because a connection, and the hook with it, may change threads.
pub(in crate::sqlite) type Listener = Arc<dyn Fn(&Event<'_>) + Send + Sync>;

/// One row that is about to change.
pub(in crate::sqlite) struct Event<'a> {
    db: *mut ffi::sqlite3,
    /// What happens to it.
    pub(in crate::sqlite) kind: ChangeKind,
    /// The table.
    pub(in crate::sqlite) table: &'a str,
}

impl Event<'_> {
    /// Columns of the table.
    pub(in crate::sqlite) fn columns(&self) -> usize {
        // SAFETY: an event exists only during the hook of this connection, when the call is allowed.
        let count = unsafe { ffi::sqlite3_preupdate_count(self.db) };
        usize::try_from(count).unwrap_or(0)
    }

    /// 0 for a row of the statement itself, more for cascades and triggers.
    pub(in crate::sqlite) fn depth(&self) -> i32 {
        // SAFETY: as in `columns`.
        unsafe { ffi::sqlite3_preupdate_depth(self.db) }
    }

    /// A column of the row before; null for an insert.
    pub(in crate::sqlite) fn before(&self, column: usize) -> ValueRef<'_> {
        match self.kind {
            ChangeKind::Insert => ValueRef::Null,
            ChangeKind::Update | ChangeKind::Delete => self.value(ffi::sqlite3_preupdate_old, column),
        }
    }

    /// A column of the row after; null for a delete.
    pub(in crate::sqlite) fn after(&self, column: usize) -> ValueRef<'_> {
        match self.kind {
            ChangeKind::Delete => ValueRef::Null,
            ChangeKind::Insert | ChangeKind::Update => self.value(ffi::sqlite3_preupdate_new, column),
        }
    }

    fn value(
        &self,
        take: unsafe extern "C" fn(*mut ffi::sqlite3, c_int, *mut *mut ffi::sqlite3_value) -> c_int,
        column: usize,
    ) -> ValueRef<'_> {
        let mut value = std::ptr::null_mut();
        let Ok(column) = c_int::try_from(column) else { return ValueRef::Null };
        // SAFETY: called during the hook, for the kinds of event that have this image; a column out of range is an
        // error code and leaves the pointer null.
        let code = unsafe { take(self.db, column, &mut value) };
        if code != ffi::SQLITE_OK || value.is_null() {
            return ValueRef::Null;
        }
        // SAFETY: SQLite owns the value and keeps it until the hook returns; the event, from which the result borrows,
        // does not outlive that.
        unsafe { borrow(value) }
    }
}

/// # Safety
/// `value` must stay valid and unchanged for `'a`.
unsafe fn borrow<'a>(value: *mut ffi::sqlite3_value) -> ValueRef<'a> {
    // SAFETY: the pointer is valid by the caller's promise. Text and blob calls come before the length call, as SQLite
    // asks, and a null pointer goes with an empty value or with exhausted memory.
    unsafe {
        let octets = |start: *const u8| {
            let length = usize::try_from(ffi::sqlite3_value_bytes(value)).unwrap_or(0);
            if start.is_null() { &[][..] } else { slice::from_raw_parts(start, length) }
        };
        match ffi::sqlite3_value_type(value) {
            ffi::SQLITE_INTEGER => ValueRef::Integer(ffi::sqlite3_value_int64(value)),
            ffi::SQLITE_FLOAT => ValueRef::Real(ffi::sqlite3_value_double(value)),
            ffi::SQLITE_TEXT => ValueRef::Text(octets(ffi::sqlite3_value_text(value))),
            ffi::SQLITE_BLOB => ValueRef::Blob(octets(ffi::sqlite3_value_blob(value).cast())),
            _ => ValueRef::Null,
        }
    }
}

/// Calls `listener` for every row that changes through this connection; `None` ends that.
pub(in crate::sqlite) fn listen(connection: &Connection, listener: Option<Listener>) {
    let (hook, context): (Option<Hook>, *mut c_void) = match listener {
        Some(listener) => (Some(on_row), Box::into_raw(Box::new(listener)).cast()),
        None => (None, std::ptr::null_mut()),
    };
    // SAFETY: the handle is open while `connection` is borrowed. The context is a leaked box, so it lives as long as
    // SQLite may use it: until it is taken back below, or for good when the connection closes with a hook in place.
    let former = unsafe { ffi::sqlite3_preupdate_hook(connection.handle(), hook, context) };
    if !former.is_null() {
        // SAFETY: SQLite gives back the context of the hook that was just replaced, which only this function sets.
        drop(unsafe { Box::from_raw(former.cast::<Listener>()) });
    }
}

type Hook = unsafe extern "C" fn(
    *mut c_void,
    *mut ffi::sqlite3,
    c_int,
    *const c_char,
    *const c_char,
    ffi::sqlite3_int64,
    ffi::sqlite3_int64,
);

unsafe extern "C" fn on_row(
    context: *mut c_void,
    db: *mut ffi::sqlite3,
    operation: c_int,
    _database: *const c_char,
    table: *const c_char,
    _old_key: ffi::sqlite3_int64,
    _new_key: ffi::sqlite3_int64,
) {
    let kind = match operation {
        ffi::SQLITE_INSERT => ChangeKind::Insert,
        ffi::SQLITE_UPDATE => ChangeKind::Update,
        _ => ChangeKind::Delete,
    };
    // SAFETY: the context is the box that `listen` leaked and has not taken back, or the hook would be gone; SQLite
    // passes a table name that ends with NUL and lives during the call.
    let (listener, table) = unsafe { (&*context.cast::<Listener>(), CStr::from_ptr(table)) };
    let Ok(table) = table.to_str() else { return };
    // A panic must not unwind through C. The listener notes what it missed on its own (`Recorder` poisons its lock).
    let _ = catch_unwind(AssertUnwindSafe(|| listener(&Event { db, kind, table })));
}
