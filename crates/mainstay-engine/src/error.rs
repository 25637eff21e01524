//! Why a request was not answered.

use mainstay_query::{Denied, ParseError, PlanError};
use mainstay_store::StoreError;

use crate::guard::TooHeavy;

/// Why a request was not answered. Each case says which step refused it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not a request.
    #[error(transparent)]
    Parse(ParseError),
    /// The request does not fit the schema.
    #[error(transparent)]
    Plan(PlanError),
    /// The rules do not allow it.
    #[error(transparent)]
    Denied(Denied),
    /// The store would have to look at too many rows.
    #[error(transparent)]
    TooHeavy(Box<TooHeavy>),
    /// The store could not do it.
    #[error(transparent)]
    Store(StoreError),
    /// Something here broke a promise to itself.
    #[error("internal error: {0}")]
    Internal(&'static str),
}

impl From<ParseError> for Error {
    fn from(error: ParseError) -> Error {
        Error::Parse(error)
    }
}

impl From<PlanError> for Error {
    fn from(error: PlanError) -> Error {
        // A plan that fails in a part that is text is a parse error for whoever asked.
        match error {
            PlanError::Parse(error) => Error::Parse(error),
            error => Error::Plan(error),
        }
    }
}

impl From<Denied> for Error {
    fn from(error: Denied) -> Error {
        Error::Denied(error)
    }
}

impl From<TooHeavy> for Error {
    fn from(error: TooHeavy) -> Error {
        Error::TooHeavy(Box::new(error))
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Error {
        Error::Store(error)
    }
}
