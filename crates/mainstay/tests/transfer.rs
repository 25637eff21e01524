//! Imports, exports and seeds against the reference store, and by the executable when it is killed or may not write.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "transfer/export.rs"]
mod export;
#[path = "transfer/faults.rs"]
mod faults;
#[path = "transfer/flaky.rs"]
mod flaky;
#[path = "transfer/import.rs"]
mod import;
#[path = "transfer/seed.rs"]
mod seed;
#[path = "transfer/support.rs"]
mod support;
