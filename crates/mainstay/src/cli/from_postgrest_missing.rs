//! What stands in the place of `from_postgrest.rs` in a build without PostgreSQL.

use std::path::Path;

use super::listen::Address;
use super::{Console, Failure};
use crate::project::Project;

/// Refused.
pub(super) fn run(_: Option<&Path>, _: Option<&Address>, _: bool, _: &Console) -> Result<(), Failure> {
    Err(Failure::Usage("--from-postgrest serves a PostgreSQL database, and this build has none of it".to_owned()))
}

/// Refused: such a project names a PostgreSQL database, which this build does not take.
pub(super) async fn serve_project(_: &Project, _: &Console) -> Result<(), Failure> {
    Err(Failure::Usage("stores.main.rules = \"database\" is for PostgreSQL, and this build has none of it".to_owned()))
}
