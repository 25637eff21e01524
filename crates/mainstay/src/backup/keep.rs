//! Which backups stay: the newest ones, and the newest of each of the last days, weeks and months.

use std::collections::BTreeSet;

use crate::config::BackupSettings;

/// A backup by the time of its making: year, month, day, and seconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct When {
    /// Seconds since 1970.
    pub(super) seconds: i64,
    /// Months since year 0.
    pub(super) month: i64,
}

/// Days between 1970-01-01, a Thursday, and the Monday before it.
const DAYS_TO_MONDAY: i64 = 3;

/// For each of `made`, newest first, whether it stays.
pub(super) fn kept(made: &[When], settings: &BackupSettings) -> Vec<bool> {
    let day = |when: &When| when.seconds.div_euclid(86_400);
    let week = |when: &When| (day(when) + DAYS_TO_MONDAY).div_euclid(7);
    let mut kept: Vec<bool> = (0..made.len()).map(|position| position < settings.keep_last).collect();
    newest_of_each(made, settings.keep_daily, day, &mut kept);
    newest_of_each(made, settings.keep_weekly, week, &mut kept);
    newest_of_each(made, settings.keep_monthly, |when| when.month, &mut kept);
    kept
}

fn newest_of_each(made: &[When], most: usize, span: impl Fn(&When) -> i64, kept: &mut [bool]) {
    let mut seen = BTreeSet::new();
    for (when, kept) in made.iter().zip(kept) {
        if seen.len() < most && seen.insert(span(when)) {
            *kept = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Override, load};

    fn settings(text: &str) -> BackupSettings {
        let given: Vec<Override> = text.split(' ').map(|text| format!("backup.{text}").parse().unwrap()).collect();
        load(std::path::Path::new("."), "", &Environment::default(), &given).unwrap().backup
    }

    /// The days before 2026-11-26 that stay of a backup a day, the newest first.
    fn stay(text: &str, days: i64) -> Vec<i64> {
        let today = 20_783; // 2026-11-26, a Thursday.
        let made: Vec<When> =
            (0..days).map(|ago| When { seconds: (today - ago) * 86_400 + 10, month: (today - ago) / 30 }).collect();
        let kept = kept(&made, &settings(text));
        (0..days).zip(kept).filter(|(_, kept)| *kept).map(|(ago, _)| ago).collect()
    }

    #[test]
    fn the_newest_stay_and_the_newest_of_each_span() {
        assert_eq!(stay("keep_last=3", 10), [0, 1, 2]);
        assert_eq!(stay("keep_last=1 keep_daily=4", 10), [0, 1, 2, 3]);
        // This week's newest is today's; the others are Sundays.
        assert_eq!(stay("keep_last=1 keep_weekly=3", 30), [0, 4, 11]);
        assert_eq!(stay("keep_last=2 keep_monthly=2", 70).len(), 3);
        assert_eq!(stay("keep_last=5", 2), [0, 1]);
    }
}
