//! What the program does with a MongoDB server.

use std::sync::Arc;

use mainstay_schema::Schema;
use mainstay_schema::load::{Probed, Refused, Statement};
use mainstay_store::{MigrationPlan, Store, StoreError};
use mainstay_stores::mongo::{LateMongoStore, migrate};
use mainstay_stores::{MongoOptions, MongoStore};

use super::Kind;
use crate::config::{StoreSettings, StoreUrl};

/// MongoDB.
pub(super) struct Mongo;

fn options(settings: &StoreSettings) -> Result<MongoOptions, StoreError> {
    let StoreUrl::Mongo(url) = &settings.url else {
        return Err(StoreError::Internal("the database is no MongoDB server".into()));
    };
    let mut options = MongoOptions::parse(url.expose()).map_err(|error| StoreError::Internal(Box::new(error)))?;
    options.limits.connections_max = settings.connections_max;
    options.limits.waiting_max = settings.queue_max;
    options.limits.wait_max = settings.connection_wait;
    Ok(options)
}

impl Kind for Mongo {
    fn check(url: &str) -> Result<(), String> {
        MongoOptions::parse(url).map(drop).map_err(|error| format!("cannot be used ({error})"))
    }

    fn place(url: &str) -> String {
        MongoOptions::parse(url).map(|options| options.place()).unwrap_or_default()
    }

    fn store(settings: &StoreSettings) -> Result<Arc<dyn Store>, StoreError> {
        Ok(Arc::new(LateMongoStore::new(options(settings)?)))
    }

    fn plan(old: &Schema, new: &Schema) -> MigrationPlan {
        migrate::plan(old, new)
    }

    async fn prove(
        settings: &StoreSettings,
        old: &Schema,
        new: &Schema,
        text: &str,
    ) -> Result<Result<(), Vec<String>>, StoreError> {
        let store = MongoStore::open(&options(settings)?).await?;
        let proved = store.prove(old, new, text).await;
        store.close().await;
        proved
    }

    async fn probe(
        _: &StoreSettings,
        _: &Schema,
        statements: &[Statement],
    ) -> Result<Vec<Result<Probed, Refused>>, StoreError> {
        let refused = |_: &Statement| {
            Err(Refused {
                problem: "MongoDB runs no SQL".to_owned(),
                remedy: "take the file out of queries/, or keep these tables in a SQL database".to_owned(),
                at: None,
            })
        };
        Ok(statements.iter().map(refused).collect())
    }

    async fn version(settings: &StoreSettings) -> Result<String, StoreError> {
        let store = MongoStore::open(&options(settings)?).await?;
        let version = store.server_version();
        store.close().await;
        Ok(version)
    }
}
