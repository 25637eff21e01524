//! The snapshot in use, and what replaces it: read at start until that succeeds, and again when a notification, a signal,
//! somebody's wish or a change that we notice ourselves says so.
//!
//! Requests go on with the old snapshot meanwhile. One task reads; another listens on a connection of its own.

use std::mem::take;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use futures_util::future::BoxFuture;
use mainstay_stores::postgres::{Failure, Param, Pool, Session};
use mainstay_stores::retire;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::names::array;
use super::read::{read_open, reading};
use super::{Catalog, ReadOptions};

/// The first pause before reading is tried again; each is twice the one before.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(32);
/// How often we look for changes that nobody told us of, at most.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A look may take one part in this many of the time between looks, so that a large catalog is looked at less often.
const LOOK_SHARE: u32 = 50;
/// How long a look may take.
const LOOK_MAX: Duration = Duration::from_secs(30);
/// How long connecting to listen may take.
const LISTEN_MAX: Duration = Duration::from_secs(30);

/// Reads the configuration anew; gives what to read from now on, or `None` if it stays as it was because it is wrong.
pub type Reconfigure = Arc<dyn Fn() -> BoxFuture<'static, Option<ReadOptions>> + Send + Sync>;

/// How to keep a snapshot.
#[derive(Clone)]
pub struct LiveOptions {
    /// What to read.
    pub read: ReadOptions,
    /// The channel on which reloads are asked for; `None` to listen on none.
    pub channel: Option<String>,
    /// Whether to look for changes that nobody tells of.
    pub detect: bool,
    /// What reading the configuration anew is.
    pub reconfigure: Reconfigure,
}

/// How things stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Health {
    /// Whether there is a snapshot.
    pub is_loaded: bool,
    /// Whether one is being read.
    pub is_loading: bool,
    /// Whether the last attempt failed.
    pub is_failing: bool,
    /// How long until the next attempt at most, if the last one failed.
    pub pause: Duration,
    /// Whether the channel is listened on.
    pub is_listening: bool,
    /// How often a snapshot was read.
    pub loads: u64,
    /// How often reading failed.
    pub failures: u64,
    /// How long the last reading took.
    pub load_time: Duration,
    /// How many reloads were asked for, and how many of those are done: see [`Live::settled`].
    asked: u64,
    done: u64,
}

/// The snapshot in use, and the tasks that keep it. They end when this is dropped.
pub struct Live {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

struct Shared {
    catalog: ArcSwapOption<Catalog>,
    health: watch::Sender<Health>,
    wanted: Mutex<Wanted>,
    wake: Notify,
}

/// What is to be read anew.
#[derive(Debug, Clone, Copy, Default)]
struct Wanted {
    schema: bool,
    config: bool,
}

impl Live {
    /// Begins to read, to listen, and to heed signals. Must be called on a tokio runtime.
    pub fn start(pool: Pool, options: LiveOptions) -> Live {
        let (health, _) = watch::channel(Health { is_loading: true, ..Health::default() });
        let shared = Arc::new(Shared {
            catalog: ArcSwapOption::empty(),
            health,
            wanted: Mutex::new(Wanted { schema: true, config: false }),
            wake: Notify::new(),
        });
        let mut tasks = Vec::new();
        if let Some(channel) = options.channel.clone() {
            tasks.push(tokio::spawn(listen(pool.clone(), shared.clone(), channel)));
        }
        #[cfg(unix)]
        tasks.push(tokio::spawn(heed_signals(shared.clone())));
        let keeper = Keeper { shared: shared.clone(), pool, options, seen: None };
        tasks.push(tokio::spawn(keeper.run()));
        Live { shared, tasks }
    }

    /// The snapshot; `None` while none could be read yet.
    pub fn catalog(&self) -> Option<Arc<Catalog>> {
        self.shared.catalog.load_full()
    }

    /// How things stand.
    pub fn health(&self) -> Health {
        *self.shared.health.borrow()
    }

    /// Asks for the snapshot to be read anew.
    pub fn reload_schema(&self) {
        self.shared.want(Wanted { schema: true, config: false });
    }

    /// Asks for the configuration to be read anew.
    pub fn reload_config(&self) {
        self.shared.want(Wanted { schema: false, config: true });
    }

    /// Waits until everything that was asked for so far is done, or has failed; a request that did not find a name may
    /// look again then. Gives up after `most`.
    pub async fn settled(&self, most: Duration) {
        let mut health = self.shared.health.subscribe();
        let asked = health.borrow().asked;
        let is_done = health.wait_for(|health| health.done >= asked && !health.is_loading);
        // Time that is up, and an end of the keeper, mean that nothing more is to be waited for.
        let _ = timeout(most, is_done).await;
    }
}

impl Live {
    /// The snapshot that takes the place of `old`, if one is being read or was: for a request that did not find a name.
    /// Gives up after `most`.
    pub async fn newer(&self, old: &Arc<Catalog>, most: Duration) -> Option<Arc<Catalog>> {
        let is_old = |live: &Live| live.catalog().is_none_or(|catalog| Arc::ptr_eq(&catalog, old));
        if is_old(self) {
            let Health { is_loading, asked, done, .. } = self.health();
            if !is_loading && done >= asked {
                return None;
            }
            self.settled(most).await;
        }
        self.catalog().filter(|catalog| !Arc::ptr_eq(catalog, old))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Shared {
    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn want(&self, more: Wanted) {
        {
            let mut wanted = self.wanted();
            wanted.schema |= more.schema;
            wanted.config |= more.config;
            self.health.send_modify(|health| health.asked += 1);
        }
        self.wake.notify_one();
    }
}

/// What a notification asks for; `None` for one that is not for us.
fn asked_by(payload: &str) -> Option<Wanted> {
    match payload {
        "" => Some(Wanted { schema: true, config: true }),
        "reload schema" => Some(Wanted { schema: true, config: false }),
        "reload config" => Some(Wanted { schema: false, config: true }),
        _ => None,
    }
}

/// Listens as long as it lives. What was said while nobody listened is made up for by reading everything anew.
async fn listen(pool: Pool, shared: Arc<Shared>, channel: String) {
    let mut pause = PAUSE_MIN;
    let mut was_listening = false;
    loop {
        match pool.listen(&channel, Instant::now() + LISTEN_MAX).await {
            Ok(mut listener) => {
                tracing::info!(channel = %channel, "Listening for notifications");
                pause = PAUSE_MIN;
                shared.health.send_modify(|health| health.is_listening = true);
                if take(&mut was_listening) {
                    shared.want(Wanted { schema: true, config: true });
                }
                while let Some(payload) = listener.next().await {
                    match asked_by(&payload) {
                        Some(wanted) => shared.want(wanted),
                        None => tracing::debug!("a notification that asks for nothing"),
                    }
                }
                was_listening = true;
                shared.health.send_modify(|health| health.is_listening = false);
                tracing::warn!("the connection for notifications ended");
            }
            Err(failure) => {
                tracing::warn!(
                    error = &failure as &dyn std::error::Error,
                    pause_s = pause.as_secs(),
                    "no connection for notifications"
                );
                sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }
}

/// SIGUSR1 reloads the snapshot, SIGUSR2 the configuration.
#[cfg(unix)]
async fn heed_signals(shared: Arc<Shared>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (schema, config) = (signal(SignalKind::user_defined1()), signal(SignalKind::user_defined2()));
    let (mut schema, mut config) = match (schema, config) {
        (Ok(schema), Ok(config)) => (schema, config),
        (Err(error), _) | (_, Err(error)) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "signals are not heeded");
            return;
        }
    };
    loop {
        tokio::select! {
            Some(()) = schema.recv() => shared.want(Wanted { schema: true, config: false }),
            Some(()) = config.recv() => shared.want(Wanted { schema: false, config: true }),
            else => return,
        }
    }
}

/// The task that reads.
struct Keeper {
    shared: Arc<Shared>,
    pool: Pool,
    options: LiveOptions,
    /// The version that the snapshot has at least; a later one means a change.
    seen: Option<String>,
}

impl Keeper {
    async fn run(mut self) {
        let mut pause = PAUSE_MIN;
        loop {
            let (wanted, asked) = {
                let mut wanted = self.shared.wanted();
                (take(&mut *wanted), self.shared.health.borrow().asked)
            };
            let mut is_due = wanted.schema;
            if wanted.config
                && let Some(read) = (self.options.reconfigure)().await
            {
                // The same settings mean the same snapshot.
                let old = &self.options.read;
                is_due |= (&old.schemas, &old.hoisted_settings) != (&read.schemas, &read.hoisted_settings);
                self.options.read = read;
            }
            if !is_due {
                self.shared.health.send_modify(|health| health.done = asked);
                self.rest().await;
                continue;
            }
            self.shared.health.send_modify(|health| health.is_loading = true);
            let start = Instant::now();
            match self.load().await {
                Ok(session) => {
                    pause = PAUSE_MIN;
                    self.shared.health.send_modify(|health| {
                        *health = Health {
                            is_loaded: true,
                            is_loading: false,
                            is_failing: false,
                            pause: Duration::ZERO,
                            loads: health.loads + 1,
                            load_time: start.elapsed(),
                            done: asked,
                            ..*health
                        };
                    });
                    if self.options.detect {
                        // Nobody waits for it. Every change since is found by a later look; where this fails, that one
                        // finds everything changed.
                        self.seen = self.version(session).await.ok();
                    } else {
                        session.finish_read();
                    }
                    self.rest().await;
                }
                Err(failure) => {
                    tracing::error!(
                        error = &failure as &dyn std::error::Error,
                        pause_s = pause.as_secs(),
                        "Failed to load the schema cache"
                    );
                    self.shared.wanted().schema = true;
                    self.shared.health.send_modify(|health| {
                        let failures = health.failures + 1;
                        *health =
                            Health { is_loading: false, is_failing: true, pause, failures, done: asked, ..*health };
                    });
                    // Whoever asks now wants it tried now.
                    let _ = timeout(pause, self.shared.wake.notified()).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    /// Waits until there is something to do.
    async fn rest(&mut self) {
        let mut every = LOOK_EVERY;
        loop {
            let woken = self.shared.wake.notified();
            if !self.options.detect {
                return woken.await;
            }
            if timeout(every, woken).await.is_ok() {
                return;
            }
            let start = Instant::now();
            match self.look().await {
                Ok(version) if self.seen.as_ref() != Some(&version) => {
                    self.seen = Some(version);
                    self.shared.want(Wanted { schema: true, config: false });
                }
                Ok(_) => {}
                // Requests will tell of it; what we look for is no less there later.
                Err(failure) => tracing::debug!(error = &failure as &dyn std::error::Error, "no look for changes"),
            }
            every = LOOK_EVERY.max(start.elapsed() * LOOK_SHARE);
        }
    }

    async fn look(&self) -> Result<String, Failure> {
        self.version(reading(&self.pool, LOOK_MAX).await?).await
    }

    /// The version of what a session sees.
    async fn version(&self, mut session: Session) -> Result<String, Failure> {
        let schemas = array(&self.options.read.schemas);
        let rows = session.query_all(include_str!("sql/version.sql"), &[Param::Text(&schemas)]).await?;
        session.finish_read();
        let row = rows.first().ok_or_else(|| Failure::Unavailable("the server gave no answer".into()))?;
        Ok(row.try_get(0)?)
    }

    /// Reads a snapshot and lets it be used; the session that still sees what was read.
    async fn load(&mut self) -> Result<Session, Failure> {
        let start = Instant::now();
        let (catalog, session) = read_open(&self.pool, &self.options.read).await?;
        self.options.read.timezones = Some(catalog.timezones.clone());
        tracing::info!(
            duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
            "Schema cache loaded {} Relations, {} Relationships, {} Functions, {} Domain Representations, {} Media Type \
             Handlers, {} Timezones",
            catalog.relations.len(),
            catalog.relationships.values().map(Vec::len).sum::<usize>(),
            catalog.functions.values().map(Vec::len).sum::<usize>(),
            catalog.representations.len(),
            catalog.handlers.len(),
            catalog.timezones.len(),
        );
        let old = self.shared.catalog.swap(Some(Arc::new(catalog)));
        if let Some(old) = old {
            tokio::spawn(retire(old));
        }
        Ok(session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_say_what_to_read_anew() {
        let asked = |payload| asked_by(payload).map(|wanted| (wanted.schema, wanted.config));
        assert_eq!(asked(""), Some((true, true)));
        assert_eq!(asked("reload schema"), Some((true, false)));
        assert_eq!(asked("reload config"), Some((false, true)));
        assert_eq!(asked("hello"), None);
    }
}
