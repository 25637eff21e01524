//! Read request → plan.

use mainstay_schema::Schema;

use super::Read;
use crate::error::PlanError;
use crate::limits::Limits;
use crate::request::ReadRequest;

/// Resolves every name and types every value of a read.
///
/// # Errors
/// [`PlanError`] with the first thing that is wrong.
pub fn read(schema: &Schema, limits: &Limits, request: &ReadRequest) -> Result<Read, PlanError> {
    let _ = (schema, limits);
    Err(PlanError::UnknownTable { schema: "public", table: request.table.clone(), suggestion: None })
}
