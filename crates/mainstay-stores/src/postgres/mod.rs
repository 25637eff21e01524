//! PostgreSQL, from version 12 on.
//!
//! The lowest layer: connections, statements and transactions, values and errors. It knows the protocol and PostgreSQL's
//! types; it knows no plans. What renders, reads and writes stands on [`Session`].

mod cells;
mod connect;
mod errors;
mod pool;
mod session;
mod tls;
mod types;

pub use cells::{CellKind, Malformed};
pub use connect::{PostgresOptions, PostgresUrlError};
pub use errors::Failure;
pub use pool::{Pool, PoolStatus};
pub use session::{Access, Isolation, Rows, Session};
pub use types::{Param, Raw};
