//! Migrations: what lies in `migrations/`, what was applied, what lies between the schema and the database, and how to
//! get from one to the other.
//!
//! Knows no SQL: the store's own `plan` turns two schemas into statements, and [`Store::migrate`](mainstay_store::Store)
//! carries them out, whole or not at all. Called by the command `migrate`, and through [`sync()`] by whatever opens a
//! store for use.
//!
//! A migration is a file of statements, and beside it the schema that holds afterwards, by which later migrations are
//! planned and earlier ones are recognized. While a project is worked on, `dev` changes the database directly; such
//! changes are remembered as migrations without a file. A file that leads to what is there already is then only noted.

mod apply;
mod error;
mod files;
mod history;
mod new;
mod sync;

pub use apply::{Applied, AppliedFile, Pending, PendingFile, apply, pending};
pub use error::MigrationError;
pub use files::MigrationFile;
pub(crate) use files::nothing;
pub(crate) use history::recorded;
pub use history::{History, State};
pub use mainstay_store::MigrationPlan;
pub use new::{Written, write_new};
pub(crate) use new::{is_behind, prove};
pub use sync::{Allow, Synced, require_current, sync};

use mainstay_schema::Schema;

use crate::config::Database;
use crate::server;

/// What would change between two schemas in a database of this engine, in the order in which it would be done.
pub fn plan(database: Database, old: &Schema, new: &Schema) -> MigrationPlan {
    match database {
        Database::Sqlite => mainstay_stores::sqlite::migrate::plan(old, new),
        Database::Server(kind) => server::plan(kind, old, new),
    }
}

/// Whether the tables of two schemas are the same to a store; words, access and validation may differ.
pub(crate) fn is_same(database: Database, one: &Schema, other: &Schema) -> bool {
    let plan = plan(database, one, other);
    plan.steps.is_empty() && plan.sql.trim().is_empty()
}
