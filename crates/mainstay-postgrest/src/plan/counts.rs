//! How rows are counted (rest.md 9).

use mainstay_query::parse::prefer::{CountPreference, Preferences};

use super::Planner;
use super::prepared::Guess;
use super::read::ReadPlan;
use crate::sql::{self, Sql};

/// What counts the rows of a read.
pub(super) struct Count {
    /// A query whose rows are counted.
    pub(super) total: Option<Sql>,
    /// What is guessed.
    pub(super) guess: Option<Guess>,
}

/// What counts the rows of this read, as preferred.
pub(super) fn of(planner: &Planner<'_>, preferences: &Preferences, read: &ReadPlan) -> Count {
    let guess = |up_to, counted| {
        let mut explain = Sql::of("EXPLAIN (FORMAT JSON) ");
        explain.append(sql::count(read));
        Some(Guess { explain, up_to, counted })
    };
    match preferences.count {
        None => Count { total: None, guess: None },
        Some(CountPreference::Exact) => Count { total: Some(sql::count(read)), guess: None },
        Some(CountPreference::Planned) => Count { total: None, guess: guess(None, false) },
        Some(CountPreference::Estimated) => {
            let mut total = sql::count(read);
            let up_to = planner.limits.rows_max;
            if let Some(most) = up_to {
                total.push(&format!(" LIMIT {}", most.saturating_add(1)));
            }
            Count { total: Some(total), guess: guess(up_to, true) }
        }
    }
}
