//! Statements in the making: text with bound values, and names that are quoted here and nowhere else.

mod aggregate;
mod answer;
mod call;
mod embed;
mod explain;
mod filter;
mod order;
mod select;
mod statement;
mod write;

pub use answer::{Body, Form, Total, answer};
pub(crate) use call::{Argument, Arguments, call, octets};
pub use explain::explain;
pub use filter::conditions;
pub use select::{count, rows};
pub use statement::Sql;
pub(crate) use write::{Conflict, INSERTED, Insert, Rows, Update, delete, insert, update};

pub use crate::plan::read::Filter;
