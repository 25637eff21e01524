//! The body of a batch: several requests in one, of which later ones refer to what earlier ones gave.
//!
//! ```text
//! body.rs       JSON → steps
//! reference.rs  `customer[0].id`, and what it leads to in the answers so far
//! template.rs   bodies with references in them
//! path.rs       query texts with references in them
//! ```
//!
//! A value that a reference leads to is data and stays data: in a body it is a JSON value in the place of another, and
//! in a query it takes the place of a whole operand after the query was parsed, so that it cannot be read as syntax.
//!
//! Pure, like all of this crate. Called by `mainstay-http`, which makes requests of the steps.

mod body;
mod path;
mod reference;
mod template;

pub use body::{Batch, Method, Step, read};
pub use path::PathText;
pub use reference::{Answers, Reference};
pub use template::Template;

use crate::error::ParseError;

/// References in one batch.
pub const REFERENCES_MAX: usize = 1000;
/// Octets of an answer that later steps refer to: each reference looks through it.
pub const REFERRED_BYTES_MAX: usize = 1 << 20;
/// Objects and arrays inside each other in the body of a step.
const DEPTH_MAX: usize = 64;
/// Characters of the name of a step.
const ID_CHARS_MAX: usize = 64;

/// Why a batch cannot be carried out, before or at one of its steps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct BatchError {
    /// The step, from 0, and its name; `None` when it is about the whole.
    pub step: Option<(usize, Option<String>)>,
    /// What is wrong.
    pub error: ParseError,
}

fn wrong(message: impl Into<String>, details: impl Into<String>) -> ParseError {
    ParseError::Body { message: message.into(), details: Some(details.into()) }
}

#[cfg(test)]
mod tests;
