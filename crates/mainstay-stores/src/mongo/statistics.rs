//! What the server has counted of its collections and indexes.

use std::time::Instant;

use mainstay_store::{Statistics, StoreError};

use super::link::Link;

/// What it has counted.
///
/// # Errors
/// As the server says.
pub(super) async fn look(_: &Link, _: Instant) -> Result<Statistics, StoreError> {
    Ok(Statistics::default())
}
