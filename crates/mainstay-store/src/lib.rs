//! The [`Store`] trait, the [`Change`]s a store publishes, and the errors it may give; the in-memory reference store
//! and the conformance suite that every store must pass.
//!
//! Knows plans and values, no SQL and no HTTP. `mainstay-stores` implements it, `mainstay-engine` calls it.

pub mod change;
pub mod collect;
pub mod columns;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod error;
pub mod federation;
pub mod memory;
pub mod nested;
pub mod residual;
pub mod script;
pub mod sink;
pub mod store;

pub use change::{Change, ChangeFeed, ChangeKind, Commit, Subscription};
pub use error::{BoxError, BrokenReference, DatabaseError, ReferenceEnd, StoreError};
pub use federation::Federation;
pub use memory::MemoryStore;
pub use script::{Script, Step, StepDone};
pub use sink::{Cell, RowSink};
pub use store::{
    Call, Capabilities, Estimate, Explanation, IndexStatistics, Migrated, Migration, MigrationPlan, OrderSupport,
    ReadDone, Statistics, Store, Support, TableStatistics, Transactions, WriteDone,
};
