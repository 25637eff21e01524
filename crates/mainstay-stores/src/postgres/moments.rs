//! Dates and times as PostgreSQL keeps them, in the canonical forms of [`mainstay_schema::Value`]. Those beyond the years 1
//! to 9999, and the infinite ones, as PostgreSQL prints them.

/// Days from 1 March of the year 0 to 1 January 2000.
const DAYS_TO_2000: i64 = 730_425;
/// Days in 400 years.
const DAYS_PER_ERA: i64 = 146_097;
/// Microseconds in a day.
const DAY_US: i64 = 86_400_000_000;

/// Writes the date that is so many days after 1 January 2000.
pub(super) fn push_date(out: &mut String, days: i32) {
    let mut line = Line::default();
    match days {
        i32::MAX => line.words("infinity"),
        i32::MIN => line.words("-infinity"),
        days => {
            if line.date(days.into()) {
                line.words(" BC");
            }
        }
    }
    out.push_str(line.text());
}

/// Writes the time of day that is so many microseconds after midnight.
pub(super) fn push_time(out: &mut String, time_us: i64) {
    let mut line = Line::default();
    line.time(time_us);
    out.push_str(line.text());
}

/// Writes the time of day in a zone that is so many seconds east of UTC.
pub(super) fn push_time_tz(out: &mut String, time_us: i64, east_s: i32) {
    let mut line = Line::default();
    line.time(time_us);
    line.zone(east_s);
    out.push_str(line.text());
}

/// Writes the moment that is so many microseconds after the beginning of 1 January 2000.
pub(super) fn push_timestamp(out: &mut String, since_2000_us: i64, zone: &str) {
    let mut line = Line::default();
    match since_2000_us {
        i64::MAX => line.words("infinity"),
        i64::MIN => line.words("-infinity"),
        _ => {
            let is_before = line.date(since_2000_us.div_euclid(DAY_US));
            line.push(b'T');
            line.time(since_2000_us.rem_euclid(DAY_US));
            line.words(zone);
            if is_before {
                line.words(" BC");
            }
        }
    }
    out.push_str(line.text());
}

/// A date, a time or both in the making: characters of one octet each, put together before they go into the text.
struct Line {
    octets: [u8; Line::MAX],
    len: usize,
}

impl Default for Line {
    fn default() -> Line {
        Line { octets: [0; Line::MAX], len: 0 }
    }
}

impl Line {
    /// More than a year of six digits, a time with a fraction, and a zone with seconds take.
    const MAX: usize = 48;

    fn text(&self) -> &str {
        std::str::from_utf8(&self.octets[..self.len]).unwrap_or_default()
    }

    fn push(&mut self, octet: u8) {
        if let Some(place) = self.octets.get_mut(self.len) {
            *place = octet;
            self.len += 1;
        }
    }

    fn words(&mut self, words: &str) {
        words.bytes().for_each(|octet| self.push(octet));
    }

    /// Two digits.
    fn two(&mut self, value: u32) {
        self.push(b'0' + (value / 10 % 10) as u8);
        self.push(b'0' + (value % 10) as u8);
    }

    /// The date that is so many days after 1 January 2000; whether it is before Christ, which stands at the end.
    ///
    /// # Source
    /// Hinnant, *chrono-Compatible Low-Level Date Algorithms*, `civil_from_days`: years that begin in March.
    fn date(&mut self, days: i64) -> bool {
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
        let year = year as u32; // Some five million at most.
        if year >= 10_000 {
            let mut power = 1_000_000;
            while power > year {
                power /= 10;
            }
            while power >= 10_000 {
                self.push(b'0' + (year / power % 10) as u8);
                power /= 10;
            }
        }
        self.two(year / 100 % 100);
        self.two(year % 100);
        self.push(b'-');
        self.two(month);
        self.push(b'-');
        self.two(day);
        is_before
    }

    /// The time of day that is so many microseconds after midnight, fraction without trailing zeros. `24:00:00` is one to
    /// PostgreSQL.
    fn time(&mut self, time_us: i64) {
        let (seconds, fraction) = ((time_us / 1_000_000) as u32, (time_us % 1_000_000) as u32);
        self.two(seconds / 3600 % 100);
        self.push(b':');
        self.two(seconds / 60 % 60);
        self.push(b':');
        self.two(seconds % 60);
        if fraction > 0 {
            self.push(b'.');
            self.two(fraction / 10_000);
            self.two(fraction / 100 % 100);
            self.two(fraction % 100);
            while self.octets[self.len - 1] == b'0' {
                self.len -= 1;
            }
        }
    }

    /// The offset from UTC as PostgreSQL writes it: `+02`, `-05:30`, `+00:00:30`.
    fn zone(&mut self, east_s: i32) {
        let offset = east_s.unsigned_abs();
        self.push(if east_s < 0 { b'-' } else { b'+' });
        self.two(offset / 3600 % 100);
        if offset % 3600 != 0 {
            self.push(b':');
            self.two(offset / 60 % 60);
            if offset % 60 != 0 {
                self.push(b':');
                self.two(offset % 60);
            }
        }
    }
}
