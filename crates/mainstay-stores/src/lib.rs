//! The database engines behind [`Store`](mainstay_store::Store), one folder each, all with the same file names;
//! `sql/` holds what the SQL engines have in common.
//!
//! Knows plans, values and one engine each; knows no HTTP and no access rules. Called by `mainstay-engine` through the
//! trait, opened by `mainstay`.

#[cfg(any(feature = "sqlite", feature = "mysql"))]
mod found;
#[cfg(feature = "mongo")]
pub mod mongo;
#[cfg(feature = "mysql")]
pub mod mysql;
#[cfg(feature = "postgres")]
pub mod postgres;
mod retire;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "mongo"))]
pub mod server;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql", feature = "mongo"))]
mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;

pub use retire::retire;

#[cfg(feature = "mongo")]
pub use mongo::{MongoOptions, MongoStore};
#[cfg(feature = "mysql")]
pub use mysql::{MysqlOptions, MysqlStore};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresOptions, PostgresStore};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteOptions, SqliteProbe, SqliteStore, Synchronous};
