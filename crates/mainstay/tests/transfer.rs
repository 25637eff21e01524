//! Imports, exports and seeds against the reference store.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "transfer/export.rs"]
mod export;
#[path = "transfer/flaky.rs"]
mod flaky;
#[path = "transfer/import.rs"]
mod import;
#[path = "transfer/seed.rs"]
mod seed;
#[path = "transfer/support.rs"]
mod support;
