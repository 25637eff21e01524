//! Every committed write, published once and in order.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mainstay_schema::Value;
use tokio::sync::broadcast;

/// Commits that a slow subscriber may fall behind before it is told of a gap.
pub const FEED_COMMITS_MAX: usize = 1024;

/// All row changes of one committed transaction, in the order in which they happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    /// Grows with each commit of this store since it was opened; commits that changed nothing are counted or not, but
    /// never published.
    pub position: u64,
    /// The changes.
    pub changes: Vec<Change>,
}

/// One changed row, whatever changed it: a statement, a foreign key's cascade, a trigger.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The table.
    pub table: Arc<str>,
    /// What happened.
    pub kind: ChangeKind,
    /// Column names, in the order of the values.
    pub columns: Arc<[Arc<str>]>,
    /// The row before; `None` for an insert.
    pub before: Option<Vec<Value>>,
    /// The row after; `None` for a delete.
    pub after: Option<Vec<Value>>,
}

/// What happened to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Insert,
    /// It has other values.
    Update,
    /// It is gone.
    Delete,
}

/// The publishing side, owned by a store.
#[derive(Debug, Clone)]
pub struct ChangeFeed {
    /// Taken away when the feed is closed. The lock is held for one call into the channel, which never waits.
    sender: Arc<Mutex<Option<broadcast::Sender<Arc<Commit>>>>>,
    listeners: Arc<AtomicUsize>,
}

impl Default for ChangeFeed {
    fn default() -> ChangeFeed {
        let sender = broadcast::channel(FEED_COMMITS_MAX).0;
        ChangeFeed { sender: Arc::new(Mutex::new(Some(sender))), listeners: Arc::default() }
    }
}

impl ChangeFeed {
    /// Whether anybody listens; when not, a store need not gather changes at all.
    pub fn is_heard(&self) -> bool {
        self.listeners.load(Ordering::Acquire) > 0
    }

    /// Publishes one commit. The store calls it after the commit is durable, in the order of commits.
    pub fn publish(&self, commit: Commit) {
        if let Some(sender) = &*self.sender() {
            // No receiver is no error: nobody listens.
            let _ = sender.send(Arc::new(commit));
        }
    }

    /// Listens to every commit from now on.
    pub fn subscribe(&self) -> Subscription {
        // Without a sender the channel is a closed one.
        let receiver = match &*self.sender() {
            Some(sender) => sender.subscribe(),
            None => broadcast::channel(1).1,
        };
        self.listeners.fetch_add(1, Ordering::AcqRel);
        Subscription { receiver, listeners: self.listeners.clone() }
    }

    /// Tells every listener that there is nothing more to come. The store calls it when it is closed.
    pub fn close(&self) {
        self.sender().take();
    }

    fn sender(&self) -> MutexGuard<'_, Option<broadcast::Sender<Arc<Commit>>>> {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The listening side.
#[derive(Debug)]
pub struct Subscription {
    receiver: broadcast::Receiver<Arc<Commit>>,
    listeners: Arc<AtomicUsize>,
}

/// Why a subscription gave no commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// The subscriber was too slow and missed this many commits: whatever it derived from them must be made anew.
    #[error("{0} commits were missed")]
    Gap(u64),
    /// The store was closed.
    #[error("the store was closed")]
    Closed,
}

impl Subscription {
    /// The next commit. Safe to drop at any time: nothing is lost.
    ///
    /// # Errors
    /// [`FeedError::Gap`] once after commits were missed, then goes on; [`FeedError::Closed`] at the end.
    pub async fn next(&mut self) -> Result<Arc<Commit>, FeedError> {
        self.receiver.recv().await.map_err(|error| match error {
            broadcast::error::RecvError::Lagged(missed) => FeedError::Gap(missed),
            broadcast::error::RecvError::Closed => FeedError::Closed,
        })
    }

    /// The next commit if one is there already.
    ///
    /// # Errors
    /// As [`Subscription::next`].
    pub fn try_next(&mut self) -> Result<Option<Arc<Commit>>, FeedError> {
        match self.receiver.try_recv() {
            Ok(commit) => Ok(Some(commit)),
            Err(broadcast::error::TryRecvError::Empty) => Ok(None),
            Err(broadcast::error::TryRecvError::Lagged(missed)) => Err(FeedError::Gap(missed)),
            Err(broadcast::error::TryRecvError::Closed) => Err(FeedError::Closed),
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.listeners.fetch_sub(1, Ordering::AcqRel);
    }
}
