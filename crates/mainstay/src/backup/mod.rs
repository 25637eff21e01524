//! Backups of the database of a project: made while it is served, verified, kept for as long as was asked, restored.
//!
//! ```text
//! file.rs     what a backup file is     make.rs      making one
//! schedule.rs making them by itself     keep.rs      which of them stay
//! restore.rs  putting one back
//! ```
//!
//! A backup holds the database and nothing else: no keys, no settings, no files of the project folder.

mod file;
mod keep;
mod make;
mod restore;
mod schedule;

pub use file::{BackupFile, Kind, Manifest};
pub use make::{Made, make};
pub use restore::{Owner, Restored, restore};
pub use schedule::{Schedule, newest};
