//! The query language, as data: text → [`request`] → [`plan`] → [`Authorized`] plan → what a store does and what is
//! left for us ([`split`]). [`evaluate`] is the one definition of what a filter means.
//!
//! Pure: knows no HTTP and no SQL, reads no clock and does no I/O. Called by `mainstay-engine`; the types of a plan are
//! read by every store.

pub mod authorize;
pub mod batch;
pub mod csv;
pub mod error;
pub mod evaluate;
pub mod limits;
pub mod parse;
pub mod plan;
pub mod request;
pub mod split;
pub mod xml;

pub use authorize::{Actor, Authorized, Role};
pub use error::{Denied, ParseError, PlanError};
pub use limits::Limits;
