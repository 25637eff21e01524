//! When the tables were last looked at: not before each request, since a look is a round trip and reads the catalog.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a look at the tables holds. A change that adds something is served after this; one that takes something
/// away is noticed at once, by the first statement that fails.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What the last look gave.
#[derive(Debug, Default)]
pub(in crate::postgres) struct LastLook(Mutex<Option<(Instant, i64)>>);

impl LastLook {
    fn last(&self) -> MutexGuard<'_, Option<(Instant, i64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The version, if nobody need look again. If somebody must, it is the one who is told so; others go on with the old
    /// one meanwhile.
    pub(in crate::postgres) fn version(&self, now: Instant) -> Option<i64> {
        let mut last = self.last();
        let (at, version) = (*last)?;
        if now.saturating_duration_since(at) < LOOK_EVERY {
            return Some(version);
        }
        *last = Some((now, version));
        None
    }

    /// Notes what a look that began at `now` gave.
    pub(in crate::postgres) fn saw(&self, now: Instant, version: i64) {
        *self.last() = Some((now, version));
    }

    /// A statement has failed for want of a table or column: the next one must look.
    pub(in crate::postgres) fn doubt(&self) {
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
        look.saw(start, 7);
        assert_eq!(look.version(start + LOOK_EVERY / 2), Some(7));
        assert_eq!(look.version(start + LOOK_EVERY), None, "one looks");
        assert_eq!(look.version(start + LOOK_EVERY), Some(7), "others go on");
        look.doubt();
        assert_eq!(look.version(start + LOOK_EVERY), None);
    }
}
