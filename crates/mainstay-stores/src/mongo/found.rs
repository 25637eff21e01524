//! Collections of other programs, as a schema.

use std::time::Instant;

use mainstay_schema::Schema;
use mainstay_store::StoreError;

use super::link::Link;
use super::store::cannot;

/// The collections that are there, as a schema.
///
/// # Errors
/// As the server says.
pub(super) async fn find(_: &Link, _: Instant) -> Result<Schema, StoreError> {
    Err(cannot("tell which tables it has"))
}

/// A number that changes whenever the collections do.
///
/// # Errors
/// As the server says.
pub(super) async fn version(_: &Link, _: Instant) -> Result<i64, StoreError> {
    Err(cannot("tell whether its tables changed"))
}
