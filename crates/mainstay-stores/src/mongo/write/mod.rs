//! Writes.
//!
//! ```text
//! mod.rs       which way a write goes         alone.rs       one document, without a transaction
//! transact.rs  transactions, begun anew       insert.rs      rows that are new, or merged into others
//! work.rs      reads and commands inside      change.rs      updates and deletes
//! references.rs  foreign keys, kept here      locks.rs       where writers of both ends of one meet
//! give.rs      rows that are given back       counters.rs    numbers
//! keys.rs      rows by their keys             faults.rs      what the server says to a write
//! explain.rs   what would be run
//! ```
//!
//! One document changes whole or not at all, so a write that touches one and has nothing to check goes without a
//! transaction. Everything else is one transaction over a snapshot, which begins anew when it met another one: what it
//! gives back is kept until it is committed. MongoDB knows no references; they are kept here, for all that Mainstay
//! writes (`docs/decisions/0040-references-in-mongodb.md`).

mod alone;
mod change;
mod counters;
mod explain;
mod faults;
mod give;
mod insert;
mod keys;
mod locks;
mod references;
mod transact;
mod work;

pub(super) use explain::explain;
pub(super) use faults::number;
pub(super) use keys::value_of;
pub(super) use transact::{run, transact};
