//! Names of what Mainstay keeps for itself in a database. Schemas cannot have names that begin like these.

/// What all of them begin with.
pub(super) const OURS: &str = "_mainstay";
/// The collection of the last numbers that sequences gave: `{ _id: table, n: number }`.
pub(super) const COUNTERS: &str = "_mainstay_counters";
/// The collection of the documents that writers meet at: see `write/locks.rs`, and the lock of migrations.
pub(super) const LOCKS: &str = "_mainstay_locks";
/// The collection of the migrations that were applied.
pub(super) const MIGRATIONS: &str = "_mainstay_migrations";
/// The collection of the commands of a migration that is not through.
pub(super) const STEPS: &str = "_mainstay_migration_steps";
/// What the names of fields and collections begin with that are made beside others and then take their place.
pub(super) const FRESH: &str = "_mainstay_new_";
/// What the names of scratch databases begin with; the rest is the time at which they were made.
pub(super) const SCRATCH: &str = "_mainstay_scratch_";
