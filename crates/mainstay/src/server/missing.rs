//! What stands in the place of a kind of server that a build does not have: no URL of such a server is taken, so nothing
//! else is ever asked.

use std::sync::Arc;

use mainstay_schema::Schema;
use mainstay_schema::load::{Probed, Refused, Statement};
use mainstay_store::{MigrationPlan, Store, StoreError};

use super::Kind;
use crate::config::StoreSettings;

const MISSING: &str = "names a server of a kind that this build does not have";

/// A kind of server that this build does not have.
pub(super) struct Missing;

impl Kind for Missing {
    fn check(_: &str) -> Result<(), String> {
        Err(MISSING.to_owned())
    }

    fn place(_: &str) -> String {
        String::new()
    }

    fn store(_: &StoreSettings) -> Result<Arc<dyn Store>, StoreError> {
        Err(missing())
    }

    fn plan(_: &Schema, _: &Schema) -> MigrationPlan {
        MigrationPlan::default()
    }

    async fn prove(_: &StoreSettings, _: &Schema, _: &Schema, _: &str) -> Result<Result<(), Vec<String>>, StoreError> {
        Err(missing())
    }

    async fn probe(_: &StoreSettings, _: &Schema, _: &[Statement]) -> Result<Vec<Result<Probed, Refused>>, StoreError> {
        Err(missing())
    }

    async fn version(_: &StoreSettings) -> Result<String, StoreError> {
        Err(missing())
    }
}

fn missing() -> StoreError {
    StoreError::Unsupported { what: format!("the setting {MISSING}") }
}
