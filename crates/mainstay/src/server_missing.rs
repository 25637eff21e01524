//! What stands in the place of `server.rs` in a build without PostgreSQL: no URL of a server is taken, so nothing else is
//! ever asked.

use std::sync::Arc;

use mainstay_schema::Schema;
use mainstay_store::{MigrationPlan, Store, StoreError};

use crate::config::StoreSettings;

const MISSING: &str = "names a PostgreSQL server, and this build has none of it";

/// Refuses every URL.
pub(crate) fn check(_: &str) -> Result<(), String> {
    Err(MISSING.to_owned())
}

/// Nowhere.
pub(crate) fn place(_: &str) -> String {
    String::new()
}

/// Refused.
pub(crate) fn store(_: &StoreSettings) -> Result<Arc<dyn Store>, StoreError> {
    Err(missing())
}

/// Nothing.
pub(crate) fn plan(_: &Schema, _: &Schema) -> MigrationPlan {
    MigrationPlan::default()
}

/// Refused.
pub(crate) async fn prove(
    _: &StoreSettings,
    _: &Schema,
    _: &Schema,
    _: &str,
) -> Result<Result<(), Vec<String>>, StoreError> {
    Err(missing())
}

/// Refused.
pub(crate) async fn version(_: &StoreSettings) -> Result<String, StoreError> {
    Err(missing())
}

fn missing() -> StoreError {
    StoreError::Unsupported { what: format!("the setting {MISSING}") }
}
