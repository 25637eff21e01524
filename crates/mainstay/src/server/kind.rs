//! What the program does with a database server, whichever it is.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mainstay_schema::Schema;
use mainstay_schema::load::{Probed, Refused, Statement};
use mainstay_store::{MigrationPlan, Store, StoreError};
use mainstay_stores::server::{Driver, Engine, Options, ServerStore};

use super::Kind;
use crate::config::{StoreSettings, StoreUrl};

/// Longest wait for a server that is asked for its version.
const VERSION_TIME_MAX: Duration = Duration::from_secs(10);

/// A kind of server that this build has.
pub(super) struct Of<E>(PhantomData<E>);

/// How its servers are reached.
type OptionsOf<E> = <<E as Engine>::Driver as Driver>::Options;

fn open<E: Engine>(settings: &StoreSettings) -> Result<ServerStore<E>, StoreError> {
    let url = match &settings.url {
        StoreUrl::Postgres(url) | StoreUrl::Mysql(url) => url.expose(),
        StoreUrl::Sqlite(_) | StoreUrl::Mongo(_) => {
            return Err(StoreError::Internal("the database is no server of this kind".into()));
        }
    };
    let mut options = OptionsOf::<E>::parse(url).map_err(|error| StoreError::Internal(Box::new(error)))?;
    let limits = options.limits_mut();
    limits.connections_max = settings.connections_max;
    limits.waiting_max = settings.queue_max;
    limits.wait_max = settings.connection_wait;
    limits.statements_max = settings.statements_max;
    if settings.introspect {
        options.compute_as_configured();
    }
    if !settings.named_statements {
        options.name_no_statements();
    }
    ServerStore::new(options)
}

impl<E: Engine> Kind for Of<E> {
    fn check(url: &str) -> Result<(), String> {
        OptionsOf::<E>::parse(url).map(drop).map_err(|error| format!("cannot be used ({error})"))
    }

    fn place(url: &str) -> String {
        OptionsOf::<E>::parse(url).map(|options| options.place()).unwrap_or_default()
    }

    fn store(settings: &StoreSettings) -> Result<Arc<dyn Store>, StoreError> {
        Ok(Arc::new(open::<E>(settings)?))
    }

    fn plan(old: &Schema, new: &Schema) -> MigrationPlan {
        E::plan(old, new)
    }

    async fn prove(
        settings: &StoreSettings,
        old: &Schema,
        new: &Schema,
        sql: &str,
    ) -> Result<Result<(), Vec<String>>, StoreError> {
        let store = open::<E>(settings)?;
        let proved = store.prove(old, new, sql).await;
        store.close().await;
        proved
    }

    async fn probe(
        settings: &StoreSettings,
        schema: &Schema,
        statements: &[Statement],
    ) -> Result<Vec<Result<Probed, Refused>>, StoreError> {
        let store = open::<E>(settings)?;
        let probed = store.probe(schema, statements).await;
        store.close().await;
        probed
    }

    async fn version(settings: &StoreSettings) -> Result<String, StoreError> {
        let store = open::<E>(settings)?;
        let version = store.server_version(Instant::now() + VERSION_TIME_MAX).await;
        store.close().await;
        version
    }
}
