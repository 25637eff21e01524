//! What the server would do for a read.

use mainstay_query::plan::Read;
use mainstay_store::{Call, Estimate, Explanation, StoreError};

use super::link::Link;
use super::store::cannot;

/// The commands, and what the server's planner says of them.
///
/// # Errors
/// As the server says.
pub(super) async fn read(_: &Link, _: &Call, _: &Read) -> Result<Explanation, StoreError> {
    Err(cannot("explain reads"))
}

/// How many rows the server would look at.
///
/// # Errors
/// As the server says.
pub(super) async fn estimate(_: &Link, _: &Call, _: &Read) -> Result<Estimate, StoreError> {
    Err(cannot("explain reads"))
}
