//! What has no safe binding in rusqlite: the one module of the workspace with `unsafe`.
//!
//! ```text
//! preupdate.rs  a look at each row just before it changes     lineage.rs  where the columns of a query come from
//! ```
//!
//! rusqlite binds both behind features that have SQLite's headers read by libclang, or all of it compiled once more,
//! though the bundled library has them already. Each file gives a safe interface and keeps no pointer beyond a call.
#![expect(
    unsafe_code,
    reason = "the pre-update hook and column metadata have no binding without another build of SQLite"
)]

pub(super) mod lineage;
pub(super) mod preupdate;
