//! PostgreSQL, from version 12 on.
//!
//! ```text
//! connect.rs   URLs and settings            render/     plans → SQL
//! pool.rs      connections                  read.rs     rows of the top level
//! session.rs   statements, transactions     write.rs    statements that write, one after the other
//! tls.rs       certificates                 count.rs    how many rows there are
//! types.rs     values → parameters          explain.rs  plans → what the server would do
//! cells.rs     binary cells → sink          migrate.rs  changing the tables
//! errors.rs    SQLSTATEs → StoreError       found/      databases of other programs, as schemas
//! store.rs     all of it as an Engine       proof.rs    whether tables are what a schema says
//! listen.rs    what is notified             statistics.rs how tables and indexes are used
//! records.rs   rows inside of rows → sink   embedding.rs one statement for all levels, or one for each
//! estimate.rs  how many rows a read looks at level.rs   rows of a level, and what belongs to them
//! function.rs  functions that write or call  probe.rs   what statements of functions are
//! lanes.rs     connections that quick reads share moments.rs dates and times → text
//! cancel.rs    the end of a statement before its own
//! ```
//!
//! Knows plans, values and PostgreSQL; knows no HTTP, no rules and no query language.

mod cancel;
mod cells;
mod connect;
mod count;
mod embedding;
mod errors;
mod estimate;
mod explain;
mod found;
mod function;
mod lanes;
mod level;
mod listen;
pub mod migrate;
mod moments;
mod pool;
mod probe;
mod proof;
mod read;
mod records;
mod render;
mod session;
mod statistics;
mod store;
mod tls;
mod types;
mod write;

pub use cells::{CellKind, Malformed};
pub use connect::PostgresOptions;
pub use embedding::Embedding;
pub use errors::Failure;
pub use found::lineage;
pub use lanes::{LaneLimits, Sharing};
pub use listen::Listener;
pub use pool::{Pool, PostgresDriver};
pub use session::{Access, Isolation, Rows, Session};
pub use store::{PostgresEngine, PostgresStore};
pub use tokio_postgres::Row;
pub use types::{Param, Raw};
