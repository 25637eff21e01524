//! How an API begins: the settings of the database, then its catalog; and both again when that is asked for.

use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures_util::FutureExt;

use super::{Api, Shared};
use crate::catalog::{Live, LiveOptions, ReadOptions};
use crate::settings::{Mistake, Settings, Sources};

/// Reads file and environment anew.
pub type Reread = Arc<dyn Fn() -> Result<Sources, Vec<Mistake>> + Send + Sync>;

/// How long reading the settings of the database may take.
const CONFIG_MAX: Duration = Duration::from_secs(30);
/// The first pause before it is tried again; each is twice the one before.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(32);

impl Api {
    /// Reads the settings of the database, as soon as there is a connection, and begins to keep the catalog.
    ///
    /// # Errors
    /// What is wrong with the settings of the database.
    pub async fn begin(&self, sources: &Sources, reread: Reread) -> Result<(), Vec<Mistake>> {
        let mut pause = PAUSE_MIN;
        let settings = loop {
            match configure(&self.0, sources).await {
                Ok(settings) => break settings?,
                Err(failure) => {
                    tracing::error!(
                        error = &failure as &dyn std::error::Error,
                        pause_s = pause.as_secs(),
                        "the database does not answer"
                    );
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        };
        let shared = Arc::downgrade(&self.0);
        let options = LiveOptions {
            read: options(&settings),
            channel: settings.channel.clone(),
            detect: true,
            reconfigure: Arc::new(move || reconfigure(shared.clone(), reread.clone()).boxed()),
        };
        self.0.catalog.get_or_init(|| Live::start(self.0.pool.clone(), options));
        Ok(())
    }
}

impl Api {
    /// Begins to keep the catalog by the settings as they are.
    pub fn keep(&self) {
        let settings = self.settings();
        let options = LiveOptions {
            read: options(&settings),
            channel: settings.channel.clone(),
            detect: true,
            reconfigure: Arc::new(|| std::future::ready(None).boxed()),
        };
        self.0.catalog.get_or_init(|| Live::start(self.0.pool.clone(), options));
    }
}

fn options(settings: &Settings) -> ReadOptions {
    ReadOptions { hoisted_settings: settings.hoisted.clone(), ..ReadOptions::of(settings.schemas.clone()) }
}

/// Lets the settings hold that file, environment and database have now. The inner error says what is wrong with them.
async fn configure(
    shared: &Shared,
    sources: &Sources,
) -> Result<Result<Arc<Settings>, Vec<Mistake>>, mainstay_stores::postgres::Failure> {
    let (settings, _) = match sources.read() {
        Ok(read) => read,
        Err(mistakes) => return Ok(Err(mistakes)),
    };
    let sources = sources.with_database(&shared.pool, &settings, Instant::now() + CONFIG_MAX).await?;
    Ok(sources.read().map(|(settings, _)| {
        let settings = Arc::new(settings);
        *shared.settings.write().unwrap_or_else(PoisonError::into_inner) = settings.clone();
        shared.tokens.clear();
        settings
    }))
}

/// The settings anew; `None` if they stay as they are.
async fn reconfigure(shared: Weak<Shared>, reread: Reread) -> Option<ReadOptions> {
    let shared = shared.upgrade()?;
    let told = |mistakes: Vec<Mistake>| {
        let mistakes = mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        tracing::error!(mistakes, "the settings stay as they are, since the new ones are wrong");
    };
    let sources = reread().map_err(told).ok()?;
    match configure(&shared, &sources).await {
        Ok(Ok(settings)) => {
            tracing::info!("settings were read anew");
            Some(options(&settings))
        }
        Ok(Err(mistakes)) => {
            told(mistakes);
            None
        }
        Err(failure) => {
            tracing::error!(
                error = &failure as &dyn std::error::Error,
                "the settings stay as they are, since the database does not answer"
            );
            None
        }
    }
}
