//! Dates and times as PostgreSQL keeps them, in the canonical forms of [`mainstay_schema::Value`]. Those beyond the years 1
//! to 9999, and the infinite ones, as PostgreSQL prints them.

/// Days from 1 March of the year 0 to 1 January 2000.
const DAYS_TO_2000: i64 = 730_425;
/// Days in 400 years.
const DAYS_PER_ERA: i64 = 146_097;
/// Microseconds in a day.
const DAY_US: i64 = 86_400_000_000;

/// Two digits of a number below a hundred: a text that is there already costs less than characters that are made.
pub(super) const PAIRS: [&str; 100] = {
    const DIGITS: &str = "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
                          5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
    let (mut pairs, mut rest, mut at) = ([""; 100], DIGITS, 0);
    while at < 100 {
        (pairs[at], rest) = rest.split_at(2);
        at += 1;
    }
    pairs
};

/// Writes the date that is so many days after 1 January 2000.
pub(super) fn push_date(out: &mut String, days: i32) {
    match days {
        i32::MAX => out.push_str("infinity"),
        i32::MIN => out.push_str("-infinity"),
        days => {
            if date(out, days.into()) {
                out.push_str(" BC");
            }
        }
    }
}

/// Writes the moment that is so many microseconds after the beginning of 1 January 2000.
pub(super) fn push_timestamp(out: &mut String, since_2000_us: i64, zone: &str) {
    match since_2000_us {
        i64::MAX => out.push_str("infinity"),
        i64::MIN => out.push_str("-infinity"),
        _ => {
            let is_before = date(out, since_2000_us.div_euclid(DAY_US));
            out.push('T');
            push_time(out, since_2000_us.rem_euclid(DAY_US));
            out.push_str(zone);
            if is_before {
                out.push_str(" BC");
            }
        }
    }
}

/// Writes the time of day that is so many microseconds after midnight, fraction without trailing zeros. `24:00:00` is one
/// to PostgreSQL.
pub(super) fn push_time(out: &mut String, time_us: i64) {
    let (seconds, fraction) = ((time_us / 1_000_000) as u32, (time_us % 1_000_000) as u32);
    two(out, seconds / 3600);
    out.push(':');
    two(out, seconds / 60 % 60);
    out.push(':');
    two(out, seconds % 60);
    if fraction > 0 {
        out.push('.');
        two(out, fraction / 10_000);
        two(out, fraction / 100);
        two(out, fraction);
        out.truncate(out.trim_end_matches('0').len());
    }
}

/// Writes the offset from UTC of a zone that is so many seconds east of it, as PostgreSQL does: `+02`, `-05:30`,
/// `+00:00:30`.
pub(super) fn push_zone(out: &mut String, east_s: i32) {
    let offset = east_s.unsigned_abs();
    out.push(if east_s < 0 { '-' } else { '+' });
    two(out, offset / 3600);
    if !offset.is_multiple_of(3600) {
        out.push(':');
        two(out, offset / 60 % 60);
        if !offset.is_multiple_of(60) {
            out.push(':');
            two(out, offset % 60);
        }
    }
}

/// Writes the date that is so many days after 1 January 2000; whether it is before Christ, which stands at the end.
///
/// # Source
/// Hinnant, *chrono-Compatible Low-Level Date Algorithms*, `civil_from_days`: years that begin in March.
fn date(out: &mut String, days: i64) -> bool {
    use std::fmt::Write as _;
    let days = days + DAYS_TO_2000;
    let era = days.div_euclid(DAYS_PER_ERA);
    let day = days.rem_euclid(DAYS_PER_ERA) as u32; // Less than 146,097.
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + i64::from(year) + i64::from(month <= 2);
    // There is no year 0: 1 BC comes before 1 AD.
    let (year, is_before) = if year > 0 { (year, false) } else { (1 - year, true) };
    match u32::try_from(year) {
        Ok(year @ ..10_000) => {
            two(out, year / 100);
            two(out, year);
        }
        _ => {
            let _ = write!(out, "{year}"); // Strings take everything.
        }
    }
    out.push('-');
    two(out, month);
    out.push('-');
    two(out, day);
    is_before
}

/// The last two digits of a number.
fn two(out: &mut String, value: u32) {
    out.push_str(PAIRS[(value % 100) as usize]);
}
