//! What of the program is for databases of servers: which of them it is decides who answers. A build without the feature
//! of one has `missing.rs` in its place.

#[cfg(not(all(feature = "mysql", feature = "postgres")))]
mod missing;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;

use std::sync::Arc;
use std::time::Duration;

use mainstay_schema::Schema;
use mainstay_store::{MigrationPlan, Store, StoreError};

use crate::config::{Server, StoreSettings, StoreUrl};
#[cfg(not(feature = "mysql"))]
use missing as mysql;
#[cfg(not(feature = "postgres"))]
use missing as postgres;

/// Longest wait for a server that is asked for its version.
#[cfg_attr(not(any(feature = "mysql", feature = "postgres")), expect(dead_code, reason = "there is nobody to ask"))]
const VERSION_TIME_MAX: Duration = Duration::from_secs(10);

/// Says what is wrong with a URL, to follow the name of a setting; it never repeats a value.
pub(crate) fn check(server: Server, url: &str) -> Result<(), String> {
    match server {
        Server::Postgres => postgres::check(url),
        Server::Mysql => mysql::check(url),
    }
}

/// Where a URL leads, without anything secret: `host:port/database`.
pub(crate) fn place(server: Server, url: &str) -> String {
    match server {
        Server::Postgres => postgres::place(url),
        Server::Mysql => mysql::place(url),
    }
}

/// The store, which connects when it is first asked. Must be called on a tokio runtime.
///
/// # Errors
/// [`StoreError::Unavailable`] if certificates cannot be read.
pub(crate) fn store(settings: &StoreSettings) -> Result<Arc<dyn Store>, StoreError> {
    match asked(settings)? {
        Server::Postgres => postgres::store(settings),
        Server::Mysql => mysql::store(settings),
    }
}

/// What would change between two schemas.
pub(crate) fn plan(server: Server, old: &Schema, new: &Schema) -> MigrationPlan {
    match server {
        Server::Postgres => postgres::plan(old, new),
        Server::Mysql => mysql::plan(old, new),
    }
}

/// Proves a migration on scratch tables of the server; the inner error says what is wrong with it.
///
/// # Errors
/// [`StoreError`] if it cannot be tried.
pub(crate) async fn prove(
    settings: &StoreSettings,
    old: &Schema,
    new: &Schema,
    sql: &str,
) -> Result<Result<(), Vec<String>>, StoreError> {
    match asked(settings)? {
        Server::Postgres => postgres::prove(settings, old, new, sql).await,
        Server::Mysql => mysql::prove(settings, old, new, sql).await,
    }
}

/// The name and the version of the server.
///
/// # Errors
/// [`StoreError`] if it does not answer.
pub(crate) async fn version(settings: &StoreSettings) -> Result<String, StoreError> {
    match asked(settings)? {
        Server::Postgres => postgres::version(settings).await,
        Server::Mysql => mysql::version(settings).await,
    }
}

fn asked(settings: &StoreSettings) -> Result<Server, StoreError> {
    match &settings.url {
        StoreUrl::Sqlite(_) => Err(StoreError::Internal("the database is a file".into())),
        StoreUrl::Postgres(_) => Ok(Server::Postgres),
        StoreUrl::Mysql(_) => Ok(Server::Mysql),
    }
}
