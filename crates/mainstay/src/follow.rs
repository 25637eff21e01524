//! Follows the tables of a database that another program owns: when they change, requests see them as they are then.
//!
//! Requests never wait for much: a schema is read and made beside them, put in place whole, and the last good one serves
//! meanwhile. Where tables are few, which takes milliseconds, the request that notices waits, so that it sees what is
//! there; where they are many, only one that did not find a name.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use mainstay_engine::{Engine, SchemaSource};
use mainstay_stores::retire;
use tokio::time::timeout_at;

use crate::project::Project;
use crate::stores::{Stores, schema_over};

/// So many tables are read in milliseconds, and requests wait for that.
const AWAITED_TABLES_MAX: usize = 500;
/// How long after it began they still wait for it.
const AWAITED_MAX: Duration = Duration::from_secs(2);
/// How often somebody looks beside the requests, at most.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a look, and reading all tables, may take.
const READ_MAX: Duration = Duration::from_secs(120);

/// A database whose tables may change under us.
pub(crate) struct Followed(Arc<Shared>);

struct Shared {
    project: Project,
    stores: Stores,
    engine: Weak<Engine>,
    /// The version of the tables that are served; `UNKNOWN` before the first look.
    version: AtomicI64,
    /// Held by the one task that reads the tables anew.
    reading: Arc<tokio::sync::Mutex<()>>,
    /// When the last one began.
    began: Mutex<Instant>,
    /// When somebody may look beside the requests again; none while somebody does.
    next_look: Mutex<Option<Instant>>,
    /// Whether the last look got no answer: then no request waits for the next one, which it may not even need.
    is_unanswered: AtomicBool,
}

/// No version that a store counts.
const UNKNOWN: i64 = i64::MIN;

impl Followed {
    /// Follows the tables of a project from now on.
    pub(crate) fn new(project: &Project, engine: &Arc<Engine>, stores: Stores) -> Followed {
        Followed(Arc::new(Shared {
            project: project.clone(),
            stores,
            engine: Arc::downgrade(engine),
            version: AtomicI64::new(UNKNOWN),
            reading: Arc::default(),
            began: Mutex::new(Instant::now()),
            next_look: Mutex::new(Some(Instant::now())),
            is_unanswered: AtomicBool::new(false),
        }))
    }
}

impl SchemaSource for Followed {
    fn refresh(&self, deadline: Instant) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            let has_many = || self.0.engine.upgrade().is_some_and(|it| it.schema().tables().len() > AWAITED_TABLES_MAX);
            if self.0.is_unanswered.load(Ordering::Relaxed) || has_many() {
                self.0.look_beside();
            } else {
                self.0.look(deadline.min(Instant::now() + AWAITED_MAX), AWAITED_MAX).await;
            }
        })
    }

    fn settle(&self, deadline: Instant) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.0.look(deadline, READ_MAX))
    }
}

impl Shared {
    /// Whether the tables are those of this version, as far as is known.
    fn is_at(&self, version: i64) -> bool {
        self.version.load(Ordering::Acquire) == version
    }

    /// Looks, has the tables read if they have changed, and waits for that, but no longer than so long after it began.
    async fn look(self: &Arc<Shared>, until: Instant, patience: Duration) {
        // A store that does not answer will tell the request itself.
        let version = self.stores.tables_version(until).await;
        self.is_unanswered.store(version.is_err(), Ordering::Relaxed);
        let Ok(version) = version else { return };
        // What is being read may be older than what was seen just now: then it is read once more.
        for _ in 0..2 {
            if self.is_at(version) {
                return;
            }
            if let Ok(own) = self.reading.clone().try_lock_owned() {
                *self.began.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
                let shared = self.clone();
                // It goes on when this request is over.
                tokio::spawn(async move {
                    shared.read(version).await;
                    drop(own);
                });
            }
            let began = *self.began.lock().unwrap_or_else(PoisonError::into_inner);
            if timeout_at(until.min(began + patience).into(), self.reading.lock()).await.is_err() {
                return;
            }
        }
    }

    /// Has somebody look, and read the tables if they have changed, unless somebody does or did so just now.
    fn look_beside(self: &Arc<Shared>) {
        {
            let mut next = self.next_look.lock().unwrap_or_else(PoisonError::into_inner);
            if next.is_none_or(|next| Instant::now() < next) {
                return;
            }
            *next = None;
        }
        let shared = self.clone();
        tokio::spawn(async move {
            shared.look(Instant::now() + READ_MAX, READ_MAX).await;
            *shared.next_look.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + LOOK_EVERY);
        });
    }

    /// Reads the tables and puts them in place. What is wrong with them leaves those that are known.
    async fn read(&self, version: i64) {
        if self.is_at(version) {
            return;
        }
        let start = Instant::now();
        tracing::info!("reading the tables");
        // A server that does not answer is asked again by the next look.
        let Ok(found) = self.stores.find(start + READ_MAX).await else { return };
        let project = self.project.clone();
        match tokio::task::spawn_blocking(move || schema_over(&project, &found)).await {
            Ok(Ok(schema)) => {
                let Some(engine) = self.engine.upgrade() else { return };
                let tables = schema.tables().len();
                let old = engine.replace_schema(schema);
                let duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
                tracing::info!(tables, duration_ms, "the tables were read");
                tokio::spawn(retire(old));
            }
            Ok(Err(mistakes)) => {
                for mistake in mistakes {
                    tracing::warn!(%mistake, "the tables changed; the API goes on with those it knew");
                }
            }
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "reading the tables panicked"),
        }
        // Looked at before the tables were read, so that a change in between is seen by the next look.
        self.version.store(version, Ordering::Release);
    }
}
