//! What stands in the place of a kind of server that a build does not have: no URL of such a server is taken, so nothing
//! else is ever asked.

use std::sync::Arc;

use mainstay_schema::Schema;
use mainstay_store::{MigrationPlan, Store, StoreError};

use crate::config::StoreSettings;

const MISSING: &str = "names a server of a kind that this build does not have";

/// Refuses every URL.
pub(super) fn check(_: &str) -> Result<(), String> {
    Err(MISSING.to_owned())
}

/// Nowhere.
pub(super) fn place(_: &str) -> String {
    String::new()
}

/// Refused.
pub(super) fn store(_: &StoreSettings) -> Result<Arc<dyn Store>, StoreError> {
    Err(missing())
}

/// Nothing.
pub(super) fn plan(_: &Schema, _: &Schema) -> MigrationPlan {
    MigrationPlan::default()
}

/// Refused.
pub(super) async fn prove(
    _: &StoreSettings,
    _: &Schema,
    _: &Schema,
    _: &str,
) -> Result<Result<(), Vec<String>>, StoreError> {
    Err(missing())
}

/// Refused.
pub(super) async fn version(_: &StoreSettings) -> Result<String, StoreError> {
    Err(missing())
}

fn missing() -> StoreError {
    StoreError::Unsupported { what: format!("the setting {MISSING}") }
}
