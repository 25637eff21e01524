//! What of the program is for PostgreSQL alone.

use std::sync::Arc;
use std::time::Instant;

use mainstay_schema::Schema;
use mainstay_store::{MigrationPlan, Store, StoreError};
use mainstay_stores::postgres::migrate;
use mainstay_stores::{PostgresOptions, PostgresStore};

use super::VERSION_TIME_MAX;
use crate::config::{StoreSettings, StoreUrl};

/// Says what is wrong with a URL, to follow the name of a setting; it never repeats a value.
pub(super) fn check(url: &str) -> Result<(), String> {
    PostgresOptions::parse(url).map(drop).map_err(|error| format!("cannot be used ({error})"))
}

/// Where a URL leads, without anything secret: `host:port/database`.
pub(super) fn place(url: &str) -> String {
    PostgresOptions::parse(url).map(|options| options.place()).unwrap_or_default()
}

/// The store, which connects when it is first asked. Must be called on a tokio runtime.
///
/// # Errors
/// [`StoreError::Unavailable`] if certificates cannot be read.
pub(super) fn store(settings: &StoreSettings) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(open(settings)?))
}

fn open(settings: &StoreSettings) -> Result<PostgresStore, StoreError> {
    let StoreUrl::Postgres(url) = &settings.url else {
        return Err(StoreError::Internal("the database is no PostgreSQL server".into()));
    };
    let mut options = PostgresOptions::parse(url.expose()).map_err(|error| StoreError::Internal(Box::new(error)))?;
    options.limits.connections_max = settings.connections_max;
    options.limits.waiting_max = settings.queue_max;
    options.limits.wait_max = settings.connection_wait;
    options.limits.statements_max = settings.statements_max;
    // Whoever says in either place that names are not kept is right.
    options.named_statements &= settings.named_statements;
    PostgresStore::new(options)
}

/// What would change between two schemas.
pub(super) fn plan(old: &Schema, new: &Schema) -> MigrationPlan {
    migrate::plan(old, new)
}

/// Proves a migration in scratch schemas of the server; the inner error says what is wrong with it.
///
/// # Errors
/// [`StoreError`] if it cannot be tried.
pub(super) async fn prove(
    settings: &StoreSettings,
    old: &Schema,
    new: &Schema,
    sql: &str,
) -> Result<Result<(), Vec<String>>, StoreError> {
    let store = open(settings)?;
    let proved = store.prove(old, new, sql).await;
    store.close().await;
    proved
}

/// The name and the version of the server.
///
/// # Errors
/// [`StoreError`] if it does not answer.
pub(super) async fn version(settings: &StoreSettings) -> Result<String, StoreError> {
    let store = open(settings)?;
    let version = store.server_version(Instant::now() + VERSION_TIME_MAX).await;
    store.close().await;
    version
}
