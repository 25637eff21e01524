//! Migrations by the real executable: files, plans, losses, and what is left when the process is killed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "migrate/files.rs"]
mod files;
#[path = "migrate/killed.rs"]
mod killed;
#[path = "migrate/support.rs"]
mod support;
