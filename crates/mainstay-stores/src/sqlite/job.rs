//! What goes between a caller and the threads that own the connections: the promise of an answer, and the news that
//! nobody waits for it any more.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use mainstay_store::StoreError;
use tokio::sync::oneshot;

use super::errors;

/// The side that answers.
#[derive(Debug)]
pub(super) struct Reply<T> {
    sender: oneshot::Sender<Result<T, StoreError>>,
    stop: Stop,
}

/// The side that waits. Dropping it stops the work.
#[derive(Debug)]
pub(super) struct Ticket<T> {
    receiver: oneshot::Receiver<Result<T, StoreError>>,
    cancelled: Arc<AtomicBool>,
}

/// When a job has to stop.
#[derive(Debug, Clone)]
pub(super) struct Stop {
    deadline: Instant,
    cancelled: Arc<AtomicBool>,
}

/// The two sides of a job that must be answered before `deadline`.
pub(super) fn promise<T>(deadline: Instant) -> (Reply<T>, Ticket<T>) {
    let (sender, receiver) = oneshot::channel();
    let cancelled = Arc::new(AtomicBool::new(false));
    let stop = Stop { deadline, cancelled: cancelled.clone() };
    (Reply { sender, stop }, Ticket { receiver, cancelled })
}

impl<T> Reply<T> {
    /// Answers; nobody may be listening any more.
    pub(super) fn send(self, answer: Result<T, StoreError>) {
        let _ = self.sender.send(answer);
    }

    /// When to stop working on it.
    pub(super) fn stop(&self) -> &Stop {
        &self.stop
    }
}

impl<T> Ticket<T> {
    /// The answer. A thread that went away without one has closed the store.
    pub(super) async fn wait(mut self) -> Result<T, StoreError> {
        (&mut self.receiver).await.unwrap_or_else(|_| Err(errors::closed()))
    }
}

impl<T> Drop for Ticket<T> {
    fn drop(&mut self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
}

impl Stop {
    /// Fails once the deadline has passed or nobody waits any more.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if self.is_due() { Err(StoreError::Deadline) } else { Ok(()) }
    }

    fn is_due(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed) || Instant::now() >= self.deadline
    }
}

/// What the progress handler of a connection looks at while a statement runs.
#[derive(Debug, Default, Clone)]
pub(super) struct Watch(Arc<Mutex<Option<Stop>>>);

impl Watch {
    /// From now on, statements stop when `stop` says so.
    pub(super) fn arm(&self, stop: &Stop) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(stop.clone());
    }

    /// From now on, statements run to their end.
    pub(super) fn disarm(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether the running statement must stop.
    pub(super) fn is_due(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(Stop::is_due)
    }
}
