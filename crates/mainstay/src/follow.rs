//! Follows the tables of a database that another program owns: when they change, the next request sees them.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use mainstay_engine::{Engine, SchemaSource};
use mainstay_store::Store;
use tokio::sync::Mutex;

use crate::config::Settings;
use crate::project::{self, Project};

/// A database whose tables may change under us.
pub(crate) struct Followed {
    folder: PathBuf,
    settings: Settings,
    store: Arc<dyn Store>,
    /// The version of the tables that are served; `UNKNOWN` before the first look.
    version: AtomicI64,
    /// Held by the one request that reads the tables anew.
    reading: Mutex<()>,
}

/// No version that a store counts.
const UNKNOWN: i64 = i64::MIN;

impl Followed {
    /// Follows the tables of a project from now on.
    pub(crate) fn new(project: &Project, store: Arc<dyn Store>) -> Followed {
        Followed {
            folder: project.folder.clone(),
            settings: project.settings.clone(),
            store,
            version: AtomicI64::new(UNKNOWN),
            reading: Mutex::new(()),
        }
    }

    async fn look(&self, engine: &Engine, deadline: Instant) {
        // A store that does not answer will tell the request itself.
        let Ok(version) = self.store.tables_version(deadline).await else { return };
        if version == self.version.load(Ordering::Acquire) {
            return;
        }
        let _reading = self.reading.lock().await;
        if version == self.version.load(Ordering::Acquire) {
            return;
        }
        let Ok(found) = self.store.find(deadline).await else { return };
        let (folder, settings) = (self.folder.clone(), self.settings.clone());
        let read = tokio::task::spawn_blocking(move || {
            let schema = project::laid_over(&folder, &settings, &found)?;
            project::add_functions(&folder, &settings.store, schema)
        })
        .await;
        match read {
            Ok(Ok(schema)) => engine.replace_schema(schema),
            Ok(Err(mistakes)) => {
                for mistake in mistakes {
                    tracing::warn!(%mistake, "the tables changed; the API goes on with those it knew");
                }
            }
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "reading the tables panicked"),
        }
        // Read before the tables were, so that a change in between is seen by the next request.
        self.version.store(version, Ordering::Release);
    }
}

impl SchemaSource for Followed {
    fn refresh<'a>(&'a self, engine: &'a Engine, deadline: Instant) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(self.look(engine, deadline))
    }
}
