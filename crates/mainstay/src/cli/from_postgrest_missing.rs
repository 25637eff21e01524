//! What stands in the place of `from_postgrest.rs` in a build without PostgreSQL.

use std::path::Path;

use super::listen::Address;
use super::{Console, Failure};

/// Refused.
pub(super) fn run(_: Option<&Path>, _: Option<&Address>, _: bool, _: &Console) -> Result<(), Failure> {
    Err(Failure::Usage("--from-postgrest serves a PostgreSQL database, and this build has none of it".to_owned()))
}
