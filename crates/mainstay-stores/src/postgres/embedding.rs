//! How the levels of a read are asked for: in one statement, or one for each.
//!
//! One statement saves a round trip for each level below, and costs the server about a microsecond more for each row
//! that is embedded: measured, as are the round trip (by the pool) and the rows (by what the same shape gave before).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How the levels of a read are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Embedding {
    /// As is quicker, by what was measured.
    #[default]
    Measured,
    /// In one statement, wherever that can be.
    OneStatement,
    /// One statement for each.
    EachLevel,
}

/// What a row costs the server more inside of a row than by itself.
const ROW_COST: Duration = Duration::from_micros(1);
/// Rows that are taken to belong to a row where nobody has seen any yet.
const ROWS_EACH: u64 = 10;
/// Shapes that are remembered; when there are more, all are forgotten.
const SHAPES_MAX: usize = 4096;

/// What reads gave before, by their shape.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<HashMap<u64, u64>>);

impl Seen {
    /// Rows that were embedded in a read of this shape lately; a guess where there was none.
    fn rows(&self, shape: u64, limit: u64) -> u64 {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(&shape).copied().unwrap_or_else(|| limit.saturating_mul(ROWS_EACH))
    }

    /// Remembers how many there were: half old, half new, so that one odd page does not decide for long.
    pub(super) fn saw(&self, shape: u64, rows: u64) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= SHAPES_MAX && !seen.contains_key(&shape) {
            seen.clear();
        }
        seen.entry(shape).and_modify(|old| *old = (*old).midpoint(rows)).or_insert(rows);
    }

    /// Whether one statement is quicker than these, for a page of so many rows.
    pub(super) fn is_one_quicker(
        &self,
        round_trip: Option<Duration>,
        statements: usize,
        shape: u64,
        limit: u64,
    ) -> bool {
        let (Some(round_trip), Ok(saved)) = (round_trip, u32::try_from(statements.saturating_sub(1))) else {
            return false;
        };
        let rows = u32::try_from(self.rows(shape, limit)).unwrap_or(u32::MAX);
        round_trip.saturating_mul(saved) > ROW_COST.saturating_mul(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// stores.md 12: on a socket some 50 to 100 rows, at a millisecond 1,000 for each level that is saved.
    #[test]
    fn one_statement_is_for_slow_networks_and_few_rows() {
        let seen = Seen::default();
        let trip = |us| Some(Duration::from_micros(us));
        seen.saw(1, 40);
        assert!(seen.is_one_quicker(trip(60), 2, 1, 1000));
        seen.saw(2, 400);
        assert!(!seen.is_one_quicker(trip(60), 2, 2, 1));
        assert!(seen.is_one_quicker(trip(1000), 2, 2, 1));
        assert!(!seen.is_one_quicker(trip(1000), 1, 2, 1), "nothing to save");
        assert!(!seen.is_one_quicker(None, 3, 1, 1), "nothing measured");
        assert!(seen.is_one_quicker(trip(1000), 2, 3, 20), "a page of 20 is taken for 200 rows");
        assert!(!seen.is_one_quicker(trip(100), 2, 3, 20));
    }

    #[test]
    fn what_was_seen_changes_slowly_and_is_bounded() {
        let seen = Seen::default();
        seen.saw(1, 100);
        seen.saw(1, 300);
        assert_eq!(seen.rows(1, 1), 200);
        for shape in 0..10_000 {
            seen.saw(shape, 1);
        }
        assert!(seen.0.lock().unwrap().len() <= SHAPES_MAX);
    }
}
