//! What of the program is for databases of servers: which of them it is decides who answers. A build without the feature
//! of one has `missing.rs` in its place.

#[cfg(any(feature = "mysql", feature = "postgres"))]
mod kind;
#[cfg(not(all(feature = "mysql", feature = "postgres", feature = "mongo")))]
mod missing;
#[cfg(feature = "mongo")]
mod mongo;

use std::sync::Arc;

use mainstay_schema::Schema;
use mainstay_schema::load::{Probed, Refused, Statement};
use mainstay_store::{MigrationPlan, Store, StoreError};

use crate::config::{Server, StoreSettings, StoreUrl};

#[cfg(feature = "mongo")]
type Mongo = mongo::Mongo;
#[cfg(not(feature = "mongo"))]
type Mongo = missing::Missing;
#[cfg(feature = "mysql")]
type Mysql = kind::Of<mainstay_stores::mysql::MysqlEngine>;
#[cfg(not(feature = "mysql"))]
type Mysql = missing::Missing;
#[cfg(feature = "postgres")]
type Postgres = kind::Of<mainstay_stores::postgres::PostgresEngine>;
#[cfg(not(feature = "postgres"))]
type Postgres = missing::Missing;

/// A kind of server; what its functions are for stands at those of this file with the same names.
trait Kind {
    fn check(url: &str) -> Result<(), String>;
    fn place(url: &str) -> String;
    fn store(settings: &StoreSettings) -> Result<Arc<dyn Store>, StoreError>;
    fn plan(old: &Schema, new: &Schema) -> MigrationPlan;
    async fn prove(
        settings: &StoreSettings,
        old: &Schema,
        new: &Schema,
        sql: &str,
    ) -> Result<Result<(), Vec<String>>, StoreError>;
    async fn probe(
        settings: &StoreSettings,
        schema: &Schema,
        statements: &[Statement],
    ) -> Result<Vec<Result<Probed, Refused>>, StoreError>;
    async fn version(settings: &StoreSettings) -> Result<String, StoreError>;
}

/// Says what is wrong with a URL, to follow the name of a setting; it never repeats a value.
pub(crate) fn check(server: Server, url: &str) -> Result<(), String> {
    match server {
        Server::Postgres => Postgres::check(url),
        Server::Mysql => Mysql::check(url),
        Server::Mongo => Mongo::check(url),
    }
}

/// Where a URL leads, without anything secret: `host:port/database`.
pub(crate) fn place(server: Server, url: &str) -> String {
    match server {
        Server::Postgres => Postgres::place(url),
        Server::Mysql => Mysql::place(url),
        Server::Mongo => Mongo::place(url),
    }
}

/// The store, which connects when it is first asked. Must be called on a tokio runtime.
///
/// # Errors
/// [`StoreError::Unavailable`] if certificates cannot be read.
pub(crate) fn store(settings: &StoreSettings) -> Result<Arc<dyn Store>, StoreError> {
    match asked(settings)? {
        Server::Postgres => Postgres::store(settings),
        Server::Mysql => Mysql::store(settings),
        Server::Mongo => Mongo::store(settings),
    }
}

/// What would change between two schemas.
pub(crate) fn plan(server: Server, old: &Schema, new: &Schema) -> MigrationPlan {
    match server {
        Server::Postgres => Postgres::plan(old, new),
        Server::Mysql => Mysql::plan(old, new),
        Server::Mongo => Mongo::plan(old, new),
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
        Server::Postgres => Postgres::prove(settings, old, new, sql).await,
        Server::Mysql => Mysql::prove(settings, old, new, sql).await,
        Server::Mongo => Mongo::prove(settings, old, new, sql).await,
    }
}

/// What the server says of the statements of functions over the tables of a schema; the inner errors say what is wrong
/// with each.
///
/// # Errors
/// [`StoreError`] if it does not answer.
pub(crate) async fn probe(
    settings: &StoreSettings,
    schema: &Schema,
    statements: &[Statement],
) -> Result<Vec<Result<Probed, Refused>>, StoreError> {
    match asked(settings)? {
        Server::Postgres => Postgres::probe(settings, schema, statements).await,
        Server::Mysql => Mysql::probe(settings, schema, statements).await,
        Server::Mongo => Mongo::probe(settings, schema, statements).await,
    }
}

/// The name and the version of the server.
///
/// # Errors
/// [`StoreError`] if it does not answer.
pub(crate) async fn version(settings: &StoreSettings) -> Result<String, StoreError> {
    match asked(settings)? {
        Server::Postgres => Postgres::version(settings).await,
        Server::Mysql => Mysql::version(settings).await,
        Server::Mongo => Mongo::version(settings).await,
    }
}

fn asked(settings: &StoreSettings) -> Result<Server, StoreError> {
    match &settings.url {
        StoreUrl::Sqlite(_) => Err(StoreError::Internal("the database is a file".into())),
        StoreUrl::Postgres(_) => Ok(Server::Postgres),
        StoreUrl::Mysql(_) => Ok(Server::Mysql),
        StoreUrl::Mongo(_) => Ok(Server::Mongo),
    }
}
