//! Timestamps as the server keeps them: milliseconds since the beginning of 1970. The digits below are cut off, towards
//! the past.

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// A canonical timestamp as milliseconds, and whether it has digits below that were cut off; `None` if it is none.
pub(super) fn milliseconds(text: &str) -> Option<(i64, bool)> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let days = days(number(0..4)?, number(5..7)?, number(8..10)?);
    let seconds = number(11..13)? * 3600 + number(14..16)? * 60 + number(17..19)?;
    let fraction = match text.get(19..)?.split_once('+')? {
        ("", "00:00") => "",
        (fraction, "00:00") => fraction.strip_prefix('.')?,
        _ => return None,
    };
    let kept = &fraction[..fraction.len().min(3)];
    let thousandths = format!("{kept:0<3}").parse::<i64>().ok()?;
    Some((days * DAY_MS + seconds * 1000 + thousandths, fraction.len() > 3))
}

/// Writes milliseconds as a canonical timestamp; `None` outside of the years 1 to 9999.
pub(super) fn write(milliseconds: i64, text: &mut String) -> Option<()> {
    use std::fmt::Write as _;
    let (day, rest) = (milliseconds.div_euclid(DAY_MS), milliseconds.rem_euclid(DAY_MS));
    let (year, month, date) = date(day);
    if !(1..=9999).contains(&year) {
        return None;
    }
    let (seconds, thousandths) = (rest / 1000, rest % 1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    write!(text, "{year:04}-{month:02}-{date:02}T{hours:02}:{minutes:02}:{seconds:02}").ok()?;
    if thousandths != 0 {
        let digits = format!("{thousandths:03}");
        write!(text, ".{}", digits.trim_end_matches('0')).ok()?;
    }
    text.push_str("+00:00");
    Some(())
}

/// Days since the beginning of 1970.
///
/// # Source
/// Howard Hinnant, *chrono-Compatible Low-Level Date Algorithms*, `days_from_civil`.
fn days(year: i64, month: i64, date: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + date - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of the month of a day since the beginning of 1970: `civil_from_days` of the same source.
fn date(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_come_back_without_what_is_cut_off() {
        for (text, expected, kept) in [
            ("1970-01-01T00:00:00+00:00", 0, "1970-01-01T00:00:00+00:00"),
            ("2026-11-23T10:00:00.1+00:00", 1_795_428_000_100, "2026-11-23T10:00:00.1+00:00"),
            ("1969-12-31T23:59:59.9999+00:00", -1, "1969-12-31T23:59:59.999+00:00"),
            ("0001-01-01T00:00:00+00:00", -62_135_596_800_000, "0001-01-01T00:00:00+00:00"),
            ("9999-12-31T23:59:59.999999+00:00", 253_402_300_799_999, "9999-12-31T23:59:59.999+00:00"),
            ("2024-02-29T00:00:00.012+00:00", 1_709_164_800_012, "2024-02-29T00:00:00.012+00:00"),
        ] {
            let (milliseconds, is_cut) = milliseconds(text).unwrap();
            assert_eq!(milliseconds, expected, "{text}");
            assert_eq!(is_cut, kept != text, "{text}");
            let mut written = String::new();
            write(milliseconds, &mut written).unwrap();
            assert_eq!(written, kept);
        }
        assert_eq!(write(253_402_300_800_000, &mut String::new()), None);
        assert_eq!(super::milliseconds("2026-11-23"), None);
    }
}
