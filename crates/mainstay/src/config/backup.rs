//! `[backup]`.

use std::time::Duration;

use super::value::FromValue;
use super::{Kind, Value};

section! {
    /// Backups that a serving process makes by itself.
    BackupSettings in "backup" {
        /// Time between two backups; 0 for none by this rule.
        every: Duration = Kind::Seconds(0, 31_536_000), default "0";
        /// Time of day, in UTC, of a daily backup; `never` for none by this rule.
        at: TimeOfDay = Kind::Form { expected: EXPECTED, check: |text| TimeOfDay::parse(text).map(drop) }, default "never";
        /// Folder of the backups, relative to the project folder.
        folder: String = Kind::Text, default ".mainstay/backups";
        /// Newest backups that are kept in any case.
        keep_last: usize = Kind::Number(1, 10_000), default "7";
        /// Days of which the newest backup is kept beyond that.
        keep_daily: usize = Kind::Number(0, 10_000), default "0";
        /// Weeks of which the newest backup is kept beyond that.
        keep_weekly: usize = Kind::Number(0, 10_000), default "0";
        /// Months of which the newest backup is kept beyond that.
        keep_monthly: usize = Kind::Number(0, 10_000), default "0";
    }
}

const EXPECTED: &str = "a time of day in UTC such as 03:30, or never";

/// A time of day in UTC, or never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOfDay {
    /// Seconds since midnight.
    pub seconds: Option<i64>,
}

impl TimeOfDay {
    /// Reads `HH:MM` or `never`.
    ///
    /// # Errors
    /// What is wrong, to follow the name of the setting.
    pub fn parse(text: &str) -> Result<TimeOfDay, String> {
        if text == "never" {
            return Ok(TimeOfDay { seconds: None });
        }
        let wrong = || format!("is {text:?}");
        let (hours, minutes) = text.split_once(':').ok_or_else(wrong)?;
        let number = |part: &str, most: i64| {
            let is_plain = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
            part.parse::<i64>().ok().filter(|number| is_plain && *number <= most)
        };
        let (hours, minutes) = number(hours, 23).zip(number(minutes, 59)).ok_or_else(wrong)?;
        Ok(TimeOfDay { seconds: Some(hours * 3600 + minutes * 60) })
    }
}

impl FromValue for TimeOfDay {
    fn from_value(value: Option<Value>) -> TimeOfDay {
        TimeOfDay::parse(&String::from_value(value)).expect("the kind has checked it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_are_hours_and_minutes() {
        assert_eq!(TimeOfDay::parse("03:30"), Ok(TimeOfDay { seconds: Some(12_600) }));
        assert_eq!(TimeOfDay::parse("never"), Ok(TimeOfDay { seconds: None }));
        for wrong in ["", "3:30", "24:00", "03:60", "noon", "-1:00", "03:30:00"] {
            assert!(TimeOfDay::parse(wrong).is_err(), "{wrong}");
        }
    }
}
