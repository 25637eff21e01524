//! How rows are counted (rest.md 9).

use mainstay_query::parse::prefer::{CountPreference, Preferences};

use super::Planner;
use super::prepared::Guess;
use super::read::ReadPlan;
use crate::sql::{self, Sql, Total};

/// What counts the rows of a read.
pub(super) struct Count {
    /// What is counted.
    pub(super) total: Option<Total>,
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
        Some(CountPreference::Exact) => Count { total: Some(exact(read)), guess: None },
        Some(CountPreference::Planned) => Count { total: None, guess: guess(None, false) },
        Some(CountPreference::Estimated) => {
            let mut total = sql::count(read);
            let up_to = planner.limits.rows_max;
            if let Some(most) = up_to {
                total.push(&format!(" LIMIT {}", most.saturating_add(1)));
            }
            Count { total: Some(Total::Of(total)), guess: guess(up_to, true) }
        }
    }
}

/// What counts all rows of a read. Where the page has all of them they are not looked for twice, and groups count as rows.
pub(super) fn exact(read: &ReadPlan) -> Total {
    if read.is_whole() { Total::Page } else { Total::Of(sql::count(read)) }
}
