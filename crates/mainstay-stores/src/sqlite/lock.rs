//! Who has a database open: those that use it hold a lock together, and whoever replaces its file wants it alone.
//!
//! SQLite's own locks cannot tell: outside WAL mode a connection that does nothing holds none, and a file that was
//! renamed is another file to them. So the lock is on a file of its own, and the system gives it back when its holder
//! dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use mainstay_store::StoreError;

/// Takes the lock together with others.
///
/// # Errors
/// [`StoreError::Unavailable`] if somebody has it alone, [`StoreError::CannotWrite`] if its file cannot be made.
pub(super) fn shared(path: &Path) -> Result<File, StoreError> {
    let file = open(path)?;
    match file.try_lock_shared() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Unavailable("the database is being restored".into())),
        Err(TryLockError::Error(error)) => Err(StoreError::CannotWrite(Box::new(error))),
    }
}

/// Takes the lock alone; `None` if somebody has it.
///
/// # Errors
/// [`StoreError::CannotWrite`] if its file cannot be made or locked.
pub fn alone(path: &Path) -> Result<Option<File>, StoreError> {
    let file = open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(StoreError::CannotWrite(Box::new(error))),
    }
}

fn open(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| StoreError::CannotWrite(Box::new(error)))
}
