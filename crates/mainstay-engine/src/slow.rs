//! Requests that took the store long, grouped by what they have in common.
//!
//! Only what took longer than a threshold is looked at, so that all others pay for one comparison. What is kept has bounds:
//! so many outlines, each with a histogram of fixed size, one plan and no values of anybody.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use mainstay_query::plan::wanted::WantedIndex;
use mainstay_schema::Schema;
use mainstay_store::StoreError;

/// Outlines that are kept; for another one the one goes that has cost least.
const OUTLINES_MAX: usize = 200;
/// Characters of an outline that are kept.
const OUTLINE_CHARS_MAX: usize = 1000;
/// Lines of a plan that are kept.
const PLAN_LINES_MAX: usize = 40;
/// Parts of each doubling in a histogram: a figure taken from it is at most a fifth too large.
const PARTS: u32 = 4;
/// Buckets: from 1 ms, doubling 22 times to more than an hour.
const BUCKETS: usize = 22 * PARTS as usize;

/// Requests that took long and differ in nothing but values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlowStatement {
    /// What they have in common: names and operators, no values.
    pub outline: String,
    /// How many there were.
    pub count: u64,
    /// How long they took together.
    pub total: Duration,
    /// How long 99 of 100 of them took at most.
    pub p99: Duration,
    /// How long the slowest took.
    pub worst: Duration,
    /// What the store's planner says about such a request, line by line.
    pub plan: Vec<String>,
    /// Indexes that would help, each with the table and its columns, and whether those are in descending order.
    pub indexes: Vec<(String, Vec<(String, bool)>)>,
}

/// Is told of a slow statement.
pub type Report = dyn Fn(&SlowStatement, Duration) + Send + Sync;

/// The slow statements since the start.
pub struct SlowLog {
    /// What takes this long is slow.
    threshold: Duration,
    report: Box<Report>,
    entries: Mutex<HashMap<u64, Entry>>,
}

struct Entry {
    outline: String,
    count: u64,
    total: Duration,
    worst: Duration,
    buckets: Box<[u32; BUCKETS]>,
    plan: Vec<String>,
    indexes: Vec<(String, Vec<(String, bool)>)>,
    /// How long the request took whose plan is kept.
    planned: Duration,
}

/// Times one request.
pub(crate) struct Watch<'l> {
    log: &'l SlowLog,
    started: Instant,
}

impl<'l> Watch<'l> {
    /// Begins, if somebody wants to know.
    pub(crate) fn start(log: Option<&'l SlowLog>) -> Option<Watch<'l>> {
        log.map(|log| Watch { log, started: Instant::now() })
    }

    /// How long it took, if that is slow. What failed does not count, unless it was time that it lacked.
    pub(crate) fn slow(self, failed: Option<&StoreError>) -> Option<Duration> {
        let counts = failed.is_none_or(|error| matches!(error, StoreError::Deadline));
        Some(self.started.elapsed()).filter(|took| counts && *took >= self.log.threshold)
    }
}

/// What is known of a slow request beyond its outline; made only where it is kept.
pub(crate) struct Particulars {
    pub(crate) plan: Vec<String>,
    pub(crate) indexes: Vec<(String, Vec<(String, bool)>)>,
}

impl SlowLog {
    /// A log of what takes at least `threshold`; each is told to `report`.
    pub fn new(threshold: Duration, report: Box<Report>) -> SlowLog {
        SlowLog { threshold, report, entries: Mutex::default() }
    }

    /// Counts a request; says whether its particulars are wanted: the first of its kind, or much slower than those before.
    pub(crate) fn count(&self, number: u64, outline: String, took: Duration) -> bool {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if !entries.contains_key(&number) && entries.len() >= OUTLINES_MAX {
            let cheapest = entries.iter().min_by_key(|(_, entry)| entry.total).map(|(number, _)| *number);
            cheapest.and_then(|number| entries.remove(&number));
        }
        let entry = entries.entry(number).or_insert_with(|| Entry {
            outline: outline.chars().take(OUTLINE_CHARS_MAX).collect(),
            count: 0,
            total: Duration::ZERO,
            worst: Duration::ZERO,
            buckets: Box::new([0; BUCKETS]),
            plan: Vec::new(),
            indexes: Vec::new(),
            planned: Duration::ZERO,
        });
        entry.count += 1;
        entry.total += took;
        entry.worst = entry.worst.max(took);
        let bucket = &mut entry.buckets[bucket(took)];
        *bucket = bucket.saturating_add(1);
        entry.planned.is_zero() || took > entry.planned * 2
    }

    /// Keeps the particulars of a request that was counted.
    pub(crate) fn keep(&self, number: u64, took: Duration, particulars: Particulars) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get_mut(&number) {
            entry.planned = took;
            entry.plan = particulars.plan;
            entry.plan.truncate(PLAN_LINES_MAX);
            entry.indexes = particulars.indexes;
        }
    }

    /// Tells of a request that was counted.
    pub(crate) fn tell(&self, number: u64, took: Duration) {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let statement = entries.get(&number).map(Entry::statement);
        drop(entries);
        if let Some(statement) = statement {
            (self.report)(&statement, took);
        }
    }

    /// All that is known, what cost most first.
    pub fn statements(&self) -> Vec<SlowStatement> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statements: Vec<SlowStatement> = entries.values().map(Entry::statement).collect();
        drop(entries);
        statements.sort_by(|one, other| other.total.cmp(&one.total).then_with(|| one.outline.cmp(&other.outline)));
        statements
    }
}

impl Entry {
    fn statement(&self) -> SlowStatement {
        SlowStatement {
            outline: self.outline.clone(),
            count: self.count,
            total: self.total,
            p99: percentile(&*self.buckets, 99).min(self.worst),
            worst: self.worst,
            plan: self.plan.clone(),
            indexes: self.indexes.clone(),
        }
    }
}

/// The bucket of a time.
fn bucket(took: Duration) -> usize {
    let ms = took.as_secs_f64() * 1000.0;
    let place = (ms.max(1.0).log2() * f64::from(PARTS)).floor();
    (place as usize).min(BUCKETS - 1)
}

/// The upper end of the bucket in which so many of 100 lie.
fn percentile(buckets: &[u32], percent: u64) -> Duration {
    let all: u64 = buckets.iter().map(|count| u64::from(*count)).sum();
    let wanted = (all * percent).div_ceil(100);
    let mut seen = 0;
    let place = buckets.iter().position(|count| {
        seen += u64::from(*count);
        seen >= wanted
    });
    let ends_ms = place.map_or(0.0, |place| ((place + 1) as f64 / f64::from(PARTS)).exp2());
    Duration::from_secs_f64(ends_ms / 1000.0)
}

/// Indexes by their names, for whoever has another snapshot of the schema, or none.
pub(crate) fn named(schema: &Schema, wanted: &[WantedIndex]) -> Vec<(String, Vec<(String, bool)>)> {
    let one = |wanted: &WantedIndex| {
        let table = schema.table(wanted.table);
        let columns = wanted.columns.iter().map(|(column, down)| (table.column(*column).name.to_string(), *down));
        (table.name.to_string(), columns.collect())
    };
    wanted.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> SlowLog {
        SlowLog::new(Duration::from_millis(100), Box::new(|_, _| {}))
    }

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn times_are_counted_by_outline() {
        let log = log();
        assert!(log.count(1, "a".into(), ms(200)), "the first of its kind");
        log.keep(1, ms(200), Particulars { plan: vec!["SCAN a".to_owned(); 100], indexes: Vec::new() });
        for _ in 0..98 {
            assert!(!log.count(1, "a".into(), ms(210)));
        }
        assert!(log.count(1, "a".into(), ms(5000)), "much slower than the one whose plan is kept");
        log.count(2, "b".into(), ms(300));
        let statements = log.statements();
        let a = &statements[0];
        assert_eq!((a.outline.as_str(), a.count, a.worst, a.plan.len()), ("a", 100, ms(5000), PLAN_LINES_MAX));
        assert_eq!(a.total, ms(200 + 98 * 210 + 5000));
        assert!(a.p99 >= ms(210) && a.p99 <= ms(260), "{:?}", a.p99);
        assert_eq!(statements[1].p99, ms(300), "never more than the slowest");
    }

    #[test]
    fn what_is_kept_has_bounds() {
        let log = log();
        for number in 0..5000 {
            log.count(number, "x".repeat(5000), ms(100 + number));
        }
        let statements = log.statements();
        assert_eq!(statements.len(), OUTLINES_MAX);
        assert!(statements.iter().all(|one| one.outline.len() == OUTLINE_CHARS_MAX));
        assert_eq!(statements[0].total, ms(5099), "what has cost most stays");
    }

    #[test]
    fn buckets_are_a_fifth_wide() {
        for took in [1, 2, 3, 10, 99, 1000, 12_345, 3_600_000] {
            let mut buckets = [0; BUCKETS];
            buckets[bucket(ms(took))] = 1;
            let told = percentile(&buckets, 99).as_secs_f64() * 1000.0;
            assert!(told >= took as f64 && told <= took as f64 * 1.2, "{took}: {told}");
        }
        assert_eq!(bucket(Duration::ZERO), 0);
        assert_eq!(bucket(Duration::from_secs(1 << 40)), BUCKETS - 1);
    }
}
