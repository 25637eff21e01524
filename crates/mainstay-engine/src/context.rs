//! What goes along with a request from the edge to the store.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use mainstay_query::Actor;
use uuid::Uuid;

use crate::clock::mix;

/// Who asks, until when, and by which name the logs know it.
#[derive(Debug, Clone)]
pub struct Context {
    /// Who asks. There is no context without.
    pub actor: Actor,
    /// When to give up.
    pub deadline: Instant,
    /// The request's name in logs and answers.
    pub request_id: RequestId,
    /// Where the ends of its stages are noted, if somebody wants to know.
    pub stages: Option<Arc<Stages>>,
    /// Where it is noted which stores the answer is joined from, if there are several at all.
    pub joined: Option<Arc<Joined>>,
}

/// The stores from which an answer is joined. Each of them is read at its own time.
#[derive(Debug, Default)]
pub struct Joined(OnceLock<Vec<Arc<str>>>);

/// When the stages of a request ended.
#[derive(Debug, Default)]
pub struct Stages([OnceLock<Instant>; 3]);

/// A stage of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// From text to a request.
    Parse,
    /// From a request to an authorized plan.
    Plan,
    /// The store's work.
    Store,
}

impl Stages {
    /// When a stage ended; `None` if it did not, or nobody noted it.
    pub fn end(&self, stage: Stage) -> Option<Instant> {
        self.0[stage as usize].get().copied()
    }
}

impl Context {
    /// A context for work of our own, which passes every rule.
    pub fn system(time: Duration) -> Context {
        Context {
            actor: Actor::System,
            deadline: Instant::now() + time,
            request_id: RequestId::next(),
            stages: None,
            joined: None,
        }
    }

    /// Notes the stores of a plan, if they are several. The first of several plans counts.
    pub(crate) fn note_stores<'s>(&self, several: impl FnOnce() -> Option<Vec<&'s str>>) {
        if let Some(joined) = &self.joined
            && let Some(names) = several()
        {
            let _ = joined.0.set(names.into_iter().map(Arc::from).collect());
        }
    }

    /// The stores from which the answer is joined, that of its rows first; none if it is of one store.
    pub fn joined_stores(&self) -> &[Arc<str>] {
        self.joined.as_ref().and_then(|joined| joined.0.get()).map_or(&[], Vec::as_slice)
    }

    /// Notes that a stage has ended. The first of several ends counts.
    pub fn note(&self, stage: Stage) {
        if let Some(stages) = &self.stages {
            let _ = stages.0[stage as usize].set(Instant::now());
        }
    }
}

/// Names one request; prints as 16 hex digits. Unique in a process, and very likely among several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(u64);

impl RequestId {
    /// A new one. Costs no call to the operating system but the first time.
    pub fn next() -> RequestId {
        static START: OnceLock<u64> = OnceLock::new();
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let start = *START.get_or_init(|| Uuid::now_v7().as_u64_pair().1);
        RequestId(mix(start.wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed))))
    }

    /// Its digits.
    pub fn digits(self) -> [u8; 16] {
        let mut digits = [0; 16];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0.to_be_bytes()) {
            pair.copy_from_slice(&[
                b"0123456789abcdef"[usize::from(byte >> 4)],
                b"0123456789abcdef"[usize::from(byte & 15)],
            ]);
        }
        digits
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn request_ids_differ_and_print_as_16_digits() {
        let ids: HashSet<_> = (0..1000).map(|_| RequestId::next().to_string()).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.len() == 16));
        let id = RequestId(0x0123_4567_89ab_cdef);
        assert_eq!(id.to_string().as_bytes(), id.digits());
    }
}
