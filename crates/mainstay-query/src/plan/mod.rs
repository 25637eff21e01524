//! What to do, with every name resolved and every type checked: inert data that a store carries out.
//!
//! A plan holds ids of one [`Schema`](mainstay_schema::Schema) snapshot and typed values; it knows no HTTP and no SQL. Plans are made by
//! [`read()`] and [`write()`] from requests, and become [`Authorized`](crate::Authorized) before a store sees them.

mod assign;
mod call;
mod columns;
mod defaults;
mod each;
mod filter;
mod grid;
mod group;
mod json;
mod model;
mod nested;
mod operand;
mod operations;
pub mod outline;
mod precedence;
pub mod print;
mod read;
pub mod relations;
mod replace;
mod resolve;
mod rows;
mod scope;
mod search;
mod select;
pub mod touched;
pub mod wanted;
mod write;
mod xml;

pub use assign::{Assign, PatchOp, PatchStep};
pub use call::{Call, Work, call};
pub use group::grouped;
pub use model::*;
pub use precedence::Check;
pub use read::read;
pub use write::write;

pub use crate::request::Count;

/// Where a plan takes what is new in each run, so that a failing run can be replayed from its seed.
pub trait Fresh {
    /// The time of the request: the canonical text of a [`Value::Timestamp`](mainstay_schema::Value::Timestamp).
    fn now(&self) -> &str;
    /// A new version 7 uuid, larger than those before it.
    fn uuid7(&self) -> uuid::Uuid;
}
