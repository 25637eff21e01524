//! MySQL from 8.4 on and MariaDB from 10.11 on.
//!
//! ```text
//! connect.rs   URLs and settings            render/     plans → SQL
//! server.rs    which of the two it is       read.rs     rows of the top level
//! pool.rs      connections                  level.rs    rows of a level, and what belongs to them
//! session.rs   statements, transactions     hard.rs     tests that the servers have no words for
//! tls.rs       certificates                 write.rs    updates and deletes; insert.rs inserts and merges
//! types.rs     values → parameters          references.rs  what the server's references cannot do
//! cells.rs     the driver's cells → sink    count.rs    how many rows there are
//! errors.rs    error numbers → StoreError   explain.rs  plans → what the server would do
//! estimate/    how many rows it would look at   statistics.rs  what it has counted
//! store.rs     all of it as an Engine       migrate/    changing the tables
//! proof.rs     whether tables are what a schema says
//! found/       databases of other programs, as schemas
//! function.rs  functions that write or call  probe.rs    what statements of functions are
//! returning.rs changes that say what they give back      keys.rs     keys as the server has them
//! ```
//!
//! Knows plans, values and the two servers; knows no HTTP, no rules and no query language.

mod cells;
mod connect;
mod count;
mod errors;
mod estimate;
mod explain;
mod found;
mod function;
mod hard;
mod insert;
mod keys;
mod level;
pub mod migrate;
mod pool;
mod probe;
pub mod proof;
mod read;
mod references;
mod render;
mod returning;
mod server;
mod session;
mod single;
mod statistics;
mod store;
mod tls;
mod types;
mod write;

pub use connect::MysqlOptions;
pub use errors::Failure;
pub use pool::{MysqlDriver, Pool};
pub use server::{Flavor, Server};
pub use session::{Access, Isolation, Rows, Session};
pub use store::{MysqlEngine, MysqlStore};
pub use types::Param;
