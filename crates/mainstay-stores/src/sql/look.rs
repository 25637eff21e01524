//! When the tables were last looked at: not before each request, since a look is a round trip and reads the catalog.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a look at the tables holds. A change that adds something is served after this; one that takes something
/// away is noticed at once, by the first statement that fails.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How much longer a look holds than it took, so that looking is little work even where tables are many.
const TIMES_ITS_COST: u32 = 20;

/// What the last look gave.
#[derive(Debug, Default)]
pub(crate) struct LastLook(Mutex<Option<Look>>);

/// A look at the tables.
#[derive(Debug, Clone, Copy)]
struct Look {
    /// When it was over.
    at: Instant,
    version: i64,
    /// How long it holds.
    holds: Duration,
}

impl LastLook {
    fn last(&self) -> MutexGuard<'_, Option<Look>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The version, if nobody need look again. If somebody must, it is the one who is told so; others go on with the old
    /// one meanwhile.
    pub(crate) fn version(&self, now: Instant) -> Option<i64> {
        let mut last = self.last();
        let look = (*last)?;
        if now.saturating_duration_since(look.at) < look.holds {
            return Some(look.version);
        }
        *last = Some(Look { at: now, ..look });
        None
    }

    /// Notes what a look gave that took from `start` to `end`.
    pub(crate) fn saw(&self, start: Instant, end: Instant, version: i64) {
        let holds = LOOK_EVERY.max(end.saturating_duration_since(start) * TIMES_ITS_COST);
        *self.last() = Some(Look { at: end, version, holds });
    }

    /// A statement has failed for want of a table or column: the next one must look.
    pub(crate) fn doubt(&self) {
        *self.last() = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_holds_for_a_while_and_until_there_is_doubt() {
        let (look, start) = (LastLook::default(), Instant::now());
        assert_eq!(look.version(start), None);
        look.saw(start, start, 7);
        assert_eq!(look.version(start + LOOK_EVERY / 2), Some(7));
        assert_eq!(look.version(start + LOOK_EVERY), None, "one looks");
        assert_eq!(look.version(start + LOOK_EVERY), Some(7), "others go on");
        look.doubt();
        assert_eq!(look.version(start + LOOK_EVERY), None);
        let end = start + LOOK_EVERY;
        look.saw(start, end, 8);
        assert_eq!(look.version(end + LOOK_EVERY * 2), Some(8), "what takes long is not done often");
    }
}
