//! Where time and identifiers come from: the machine, or a seed when a run must be replayed.

use std::cell::OnceCell;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use mainstay_query::plan::Fresh;
use uuid::Uuid;

/// Gives the time and new identifiers.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// A new version 7 uuid, larger than those before it.
    fn uuid7(&self) -> Uuid;
}

/// The clock and the random source of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn uuid7(&self) -> Uuid {
        // Monotonic within the process.
        Uuid::now_v7()
    }
}

/// A clock for tests: starts at a given second and advances by one millisecond each time it is read; identifiers
/// follow from the seed.
#[derive(Debug)]
pub struct SeededClock {
    start_ms: u64,
    seed: u64,
    reads: AtomicU64,
}

impl SeededClock {
    /// A clock that starts at `start_s` seconds after 1970 (clipped to the years that a timestamp can hold).
    pub fn new(start_s: u32, seed: u64) -> SeededClock {
        SeededClock { start_ms: u64::from(start_s) * 1000, seed, reads: AtomicU64::new(0) }
    }

    fn tick(&self) -> u64 {
        self.start_ms + self.reads.fetch_add(1, Ordering::Relaxed)
    }
}

impl Clock for SeededClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.tick().cast_signed()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn uuid7(&self) -> Uuid {
        let ms = self.tick();
        let mut tail = [0; 10];
        tail[..8].copy_from_slice(&mix(self.seed ^ ms).to_be_bytes());
        uuid::Builder::from_unix_timestamp_millis(ms, &tail).into_uuid()
    }
}

/// Spreads the bits of `x` (the finalizer of splitmix64), so that neighbors look unrelated. A bijection.
pub(crate) fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// What one write takes from a clock: all its rows share one time.
pub(crate) struct Moment<'a> {
    clock: &'a dyn Clock,
    /// Printed when the first default asks for it: most changes need no time.
    now: OnceCell<String>,
}

impl<'a> Moment<'a> {
    pub(crate) fn new(clock: &'a dyn Clock) -> Moment<'a> {
        Moment { clock, now: OnceCell::new() }
    }
}

impl Fresh for Moment<'_> {
    fn now(&self) -> &str {
        self.now.get_or_init(|| timestamp_text(self.clock.now()))
    }

    fn uuid7(&self) -> Uuid {
        self.clock.uuid7()
    }
}

/// The canonical text of a `Value::Timestamp`: UTC, microseconds without trailing zeros.
fn timestamp_text(time: Timestamp) -> String {
    let microseconds = time.as_microsecond();
    let time = Timestamp::from_microsecond(microseconds).unwrap_or(time);
    time.strftime("%Y-%m-%dT%H:%M:%S%.f+00:00").to_string()
}

#[cfg(test)]
mod tests {
    use mainstay_schema::{Type, Value};

    use super::*;

    #[test]
    fn the_time_of_a_write_is_canonical() {
        for text in ["2026-11-23T10:00:00.5Z", "2026-11-23T10:00:00Z", "1999-01-02T03:04:05.123456789Z"] {
            let printed = timestamp_text(text.parse().unwrap());
            let value = Value::parse(&Type::Timestamp, &printed).unwrap();
            assert_eq!(value, Value::Timestamp(printed));
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_run() {
        let run = |seed| {
            let clock = SeededClock::new(1_790_000_000, seed);
            (clock.now(), clock.uuid7(), clock.uuid7())
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
    }

    #[test]
    fn identifiers_grow() {
        for clock in [&SystemClock as &dyn Clock, &SeededClock::new(5, 5)] {
            let ids: Vec<_> = (0..1000).map(|_| clock.uuid7()).collect();
            assert!(ids.is_sorted_by(|a, b| a < b), "{clock:?}");
            assert!(ids.iter().all(|id| id.get_version_num() == 7));
        }
    }
}
