//! Timestamps in the zone that the caller prefers (`Prefer: timezone=`). They are kept and read in UTC; only what an
//! answer shows is another text for the same instant.

use std::sync::LazyLock;
use std::task::{Context, Poll};

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use mainstay_query::plan::{MemberKind, Shape};
use mainstay_schema::Type;
use mainstay_store::{Cell, RowSink};

use super::Sink;
use super::escape::push_string;

/// The zones that come with the program, so that all servers know the same.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Zone(TimeZone);

impl Zone {
    /// Reads a zone's name in any letter case, or an offset. As in PostgreSQL, a signed offset with minutes counts west
    /// of Greenwich (`+05:30` is shown as `-05:30`); without a sign (`05:30`) and as a number of hours (`-3`) it counts
    /// east.
    pub(crate) fn parse(text: &str) -> Option<Zone> {
        if let Some(seconds) = offset_s(text) {
            return Offset::from_seconds(seconds).ok().map(|offset| Zone(TimeZone::fixed(offset)));
        }
        let is_name = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'+'));
        if !is_name || text.is_empty() {
            return None;
        }
        ZONES.get(text).ok().map(Zone)
    }

    /// A canonical timestamp as this zone shows it; what is none, or lies at the very end of time, as it is.
    fn show(&self, text: &str) -> Option<String> {
        let time: Timestamp = text.parse().ok()?;
        let offset = self.0.to_offset(time);
        let local = offset.to_datetime(time);
        let mut out = format!("{}T{:02}:{:02}:{:02}", local.date(), local.hour(), local.minute(), local.second());
        let micros = local.subsec_nanosecond() / 1000;
        if micros > 0 {
            let fraction = format!(".{micros:06}");
            out.push_str(fraction.trim_end_matches('0'));
        }
        let seconds = offset.seconds();
        let sign = if seconds < 0 { '-' } else { '+' };
        let seconds = seconds.unsigned_abs();
        out.push_str(&format!("{sign}{:02}:{:02}", seconds / 3600, seconds / 60 % 60));
        if !seconds.is_multiple_of(60) {
            out.push_str(&format!(":{:02}", seconds % 60));
        }
        Some(out)
    }
}

/// Seconds east of Greenwich, of what is an offset rather than a name. None is a day or longer.
fn offset_s(text: &str) -> Option<i32> {
    let (sign, body) = match text.as_bytes().first()? {
        b'+' => (Some(1), &text[1..]),
        b'-' => (Some(-1), &text[1..]),
        _ => (None, text),
    };
    let number = |part: &str, max: i32| {
        let is_number = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<i32>().ok().filter(|number| is_number && *number <= max)
    };
    match body.split_once(':') {
        None => Some(sign.unwrap_or(1) * number(body, 15)? * 3600),
        Some((hours, minutes)) => {
            let seconds = number(hours, 15)? * 3600 + number(minutes, 59)? * 60;
            Some(if let Some(sign) = sign { -sign * seconds } else { seconds })
        }
    }
}

/// Hands rows on to another sink, timestamps in a zone.
pub(crate) struct Zoned {
    inner: Sink,
    zone: Zone,
    /// Every object shape; the rows themselves are level 0.
    levels: Vec<Vec<Kind>>,
    /// What is open, outermost first.
    open: Vec<Open>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Other,
    Timestamp,
    Timestamps,
    Level(usize),
}

struct Open {
    level: usize,
    next: usize,
    is_list: bool,
}

impl Zoned {
    /// A sink before `inner`, for rows of this shape.
    pub(crate) fn new(inner: Sink, shape: &Shape, zone: Zone) -> Zoned {
        let mut levels = Vec::new();
        add_level(&mut levels, shape);
        Zoned { inner, zone, levels, open: Vec::new() }
    }

    /// The sink behind it, with the rows.
    pub(crate) fn into_inner(self) -> Sink {
        self.inner
    }

    /// What the next member of the open row is.
    fn member(&mut self) -> Kind {
        let Some(open) = self.open.last_mut() else { return Kind::Other };
        let kind = self.levels[open.level].get(open.next).copied().unwrap_or(Kind::Other);
        open.next += 1;
        kind
    }

    fn level_of_member(&mut self) -> usize {
        match self.member() {
            Kind::Level(level) => level,
            _ => 0,
        }
    }
}

fn add_level(levels: &mut Vec<Vec<Kind>>, shape: &Shape) -> usize {
    let number = levels.len();
    levels.push(Vec::new());
    let kinds = shape.members.iter().map(|member| match &member.kind {
        MemberKind::Value(Type::Timestamp) => Kind::Timestamp,
        MemberKind::Value(Type::Array(item)) if **item == Type::Timestamp => Kind::Timestamps,
        MemberKind::Value(_) => Kind::Other,
        MemberKind::One(shape) | MemberKind::Many(shape) => Kind::Level(add_level(levels, shape)),
    });
    let kinds = kinds.collect();
    levels[number] = kinds;
    number
}

impl RowSink for Zoned {
    fn start_row(&mut self) {
        let level = match self.open.last() {
            None => 0,
            Some(open) if open.is_list => open.level,
            Some(_) => self.level_of_member(),
        };
        self.open.push(Open { level, next: 0, is_list: false });
        self.inner.start_row();
    }

    fn end_row(&mut self) {
        self.open.pop();
        self.inner.end_row();
    }

    fn start_list(&mut self) {
        let level = self.level_of_member();
        self.open.push(Open { level, next: 0, is_list: true });
        self.inner.start_list();
    }

    fn end_list(&mut self) {
        self.open.pop();
        self.inner.end_list();
    }

    fn cell(&mut self, cell: Cell<'_>) {
        match (self.member(), cell) {
            (Kind::Timestamp, Cell::Plain(text)) => match self.zone.show(text) {
                Some(shown) => self.inner.cell(Cell::Plain(&shown)),
                None => self.inner.cell(cell),
            },
            (Kind::Timestamps, Cell::Json(list)) => match shown_list(&self.zone, list) {
                Some(shown) => self.inner.cell(Cell::Json(&shown)),
                None => self.inner.cell(cell),
            },
            _ => self.inner.cell(cell),
        }
    }

    fn is_full(&self) -> bool {
        self.inner.is_full()
    }

    fn counted(&mut self, total: u64) {
        self.inner.counted(total);
    }

    fn may_wait(&self) -> bool {
        self.inner.may_wait()
    }

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.inner.poll_ready(context)
    }
}

fn shown_list(zone: &Zone, list: &str) -> Option<String> {
    let items: Vec<Option<String>> = serde_json::from_str(list).ok()?;
    let mut out = vec![b'['];
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        match item {
            None => out.extend_from_slice(b"null"),
            Some(text) => push_string(&mut out, zone.show(text).as_deref().unwrap_or(text)),
        }
    }
    out.push(b']');
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(zone: &str, text: &str, expected: &str) {
        let zone = Zone::parse(zone).unwrap_or_else(|| panic!("{zone} is a zone"));
        assert_eq!(zone.show(text).as_deref(), Some(expected));
    }

    #[test]
    fn names_and_offsets_show_the_same_instant() {
        let winter = "2026-01-02T03:04:05.6+00:00";
        check("UTC", winter, "2026-01-02T03:04:05.6+00:00");
        check("Europe/Berlin", winter, "2026-01-02T04:04:05.6+01:00");
        check("europe/berlin", "2026-07-02T03:04:05+00:00", "2026-07-02T05:04:05+02:00");
        check("America/New_York", winter, "2026-01-01T22:04:05.6-05:00");
        check("Asia/Kolkata", winter, "2026-01-02T08:34:05.6+05:30");
        check("+05:30", winter, "2026-01-01T21:34:05.6-05:30");
        check("-05:30", winter, "2026-01-02T08:34:05.6+05:30");
        check("05:30", winter, "2026-01-02T08:34:05.6+05:30");
        check("-3", winter, "2026-01-02T00:04:05.6-03:00");
        check("Europe/Brussels", "1885-01-01T00:00:00+00:00", "1885-01-01T00:17:30+00:17:30");
    }

    #[test]
    fn what_is_no_zone_is_refused() {
        for text in ["", "Jupiter/Red_Spot", "+25:00", "24", "05:60", "+5:30:00", "../etc/passwd", "Berlin; drop"] {
            assert_eq!(Zone::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_end_of_time_stays_as_it_is() {
        let zone = Zone::parse("Asia/Tokyo").unwrap();
        assert_eq!(zone.show("9999-12-31T23:59:59+00:00"), None);
        assert_eq!(
            shown_list(&zone, "[\"2026-01-01T00:00:00+00:00\",null]").unwrap(),
            "[\"2026-01-01T09:00:00+09:00\",null]"
        );
    }
}
