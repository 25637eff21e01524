//! Text and JSON to values.

use jiff::{SignedDuration, civil};

use super::{Decimal, Json, Value};
use crate::error::ValueError;
use crate::types::Type;

fn syntax(ty: &Type, text: &str) -> ValueError {
    ValueError::Syntax { ty: ty.wire_name(), text: shorten(text) }
}

fn out_of_range(ty: &Type, text: &str) -> ValueError {
    ValueError::OutOfRange { ty: ty.wire_name(), text: shorten(text) }
}

fn shorten(text: &str) -> String {
    text.chars().take(200).collect()
}

pub(super) fn from_text(ty: &Type, text: &str) -> Result<Value, ValueError> {
    match ty {
        Type::Bool => boolean(text).map(Value::Bool).ok_or_else(|| syntax(ty, text)),
        Type::Int | Type::BigInt => integer(ty, text).map(Value::Int),
        Type::Float => float(ty, text).map(Value::Float),
        Type::Decimal { precision, scale } => Decimal::parse(text)?.fit(*precision, *scale).map(Value::Decimal),
        Type::Text => plain_text(text).map(Value::Text),
        Type::Uuid => uuid::Uuid::try_parse(text.trim()).map(Value::Uuid).map_err(|_| syntax(ty, text)),
        Type::Bytes => octets(text).map(Value::Bytes).ok_or_else(|| syntax(ty, text)),
        Type::Date => date(text).map(Value::Date),
        Type::Time => time(text).map(Value::Time),
        Type::Timestamp => timestamp(text).map(Value::Timestamp),
        Type::Json => Json::parse(text).map(Value::Json),
        Type::Array(item) => array(ty, item, text),
    }
}

pub(super) fn from_json(ty: &Type, source: &str) -> Result<Value, ValueError> {
    let source = source.trim_matches([' ', '\t', '\n', '\r']);
    if source == "null" {
        return Ok(Value::Null);
    }
    match (source.as_bytes().first(), ty) {
        (_, Type::Json) => Json::parse(source).map(Value::Json),
        (Some(b'"'), _) => {
            let text: String =
                serde_json::from_str(source).map_err(|_| ValueError::Json { reason: "malformed string".to_owned() })?;
            from_text(ty, &text)
        }
        (Some(b'['), Type::Array(item)) => {
            let items: Vec<&serde_json::value::RawValue> =
                serde_json::from_str(source).map_err(|_| ValueError::Json { reason: "malformed array".to_owned() })?;
            items.into_iter().map(|part| from_json(item, part.get())).collect::<Result<_, _>>().map(Value::Array)
        }
        (Some(b't' | b'f'), Type::Bool) | (Some(b'-' | b'0'..=b'9'), _) if is_scalar_for(ty) => from_text(ty, source),
        // What PostgreSQL's json_populate_record does: a text column takes the JSON text of anything.
        (Some(b't' | b'f' | b'-' | b'0'..=b'9' | b'{' | b'['), Type::Text) => {
            Json::parse(source).map(|json| Value::Text(json.as_str().to_owned()))
        }
        _ => Err(syntax(ty, source)),
    }
}

/// Whether an unquoted JSON scalar may stand for this type.
fn is_scalar_for(ty: &Type) -> bool {
    matches!(ty, Type::Bool | Type::Int | Type::BigInt | Type::Float | Type::Decimal { .. })
}

fn boolean(text: &str) -> Option<bool> {
    // PostgreSQL takes any unambiguous prefix of these words.
    let word = text.trim().to_ascii_lowercase();
    let is_prefix = |full: &str, least: usize| word.len() >= least && full.starts_with(&word);
    if is_prefix("true", 1) || is_prefix("yes", 1) || word == "on" || word == "1" {
        Some(true)
    } else if is_prefix("false", 1) || is_prefix("no", 1) || is_prefix("off", 2) || word == "0" {
        Some(false)
    } else {
        None
    }
}

fn integer(ty: &Type, text: &str) -> Result<i64, ValueError> {
    let digits = text.trim();
    let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(digits);
    if unsigned.is_empty() || !unsigned.bytes().all(|b| b.is_ascii_digit()) {
        // 3.0 and 3e2 are integers in JSON; take them when they are exactly that.
        let whole = Decimal::parse(digits).map_err(|_| syntax(ty, text))?;
        let whole = whole.fit(38, 0).map_err(|_| syntax(ty, text))?;
        return in_range(ty, text, whole.as_str().parse().ok());
    }
    in_range(ty, text, digits.parse().ok())
}

fn in_range(ty: &Type, text: &str, value: Option<i64>) -> Result<i64, ValueError> {
    let value = value.ok_or_else(|| out_of_range(ty, text))?;
    let fits = !matches!(ty, Type::Int) || i32::try_from(value).is_ok();
    if fits { Ok(value) } else { Err(out_of_range(ty, text)) }
}

fn float(ty: &Type, text: &str) -> Result<f64, ValueError> {
    // Rust also reads "inf" and "nan"; JSON has no such numbers, so they are refused as syntax.
    let digits = text.trim();
    if !digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) {
        return Err(syntax(ty, text));
    }
    let value: f64 = digits.parse().map_err(|_| syntax(ty, text))?;
    // Minus zero would print as -0 and compare equal to 0: keep one zero.
    if value.is_finite() { Ok(value + 0.0) } else { Err(out_of_range(ty, text)) }
}

fn plain_text(text: &str) -> Result<String, ValueError> {
    if text.contains('\0') { Err(ValueError::Nul) } else { Ok(text.to_owned()) }
}

fn octets(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let Some(digits) = text.strip_prefix("\\x") else {
        return base64::engine::general_purpose::STANDARD.decode(text).ok();
    };
    if digits.len() % 2 != 0 {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|value| value as u8);
    digits.as_bytes().chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

fn date(text: &str) -> Result<String, ValueError> {
    let body = text.trim();
    if !is_date_shape(body.as_bytes()) {
        return Err(syntax(&Type::Date, text));
    }
    read_date(body, text).map(|date| date.to_string())
}

fn read_date(body: &str, text: &str) -> Result<civil::Date, ValueError> {
    let date: civil::Date = body.parse().map_err(|_| ValueError::NoSuchTime { text: shorten(text) })?;
    if date.year() >= 1 { Ok(date) } else { Err(ValueError::NoSuchTime { text: shorten(text) }) }
}

/// `dddd-dd-dd`; jiff takes more forms than the contract does.
fn is_date_shape(bytes: &[u8]) -> bool {
    bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, b)| if at == 4 || at == 7 { *b == b'-' } else { b.is_ascii_digit() })
}

/// `dd:dd`, `dd:dd:dd` or with a fraction of one to nine digits.
fn is_time_shape(bytes: &[u8]) -> bool {
    let fields = |bytes: &[u8]| {
        bytes.iter().enumerate().all(|(at, b)| if at % 3 == 2 { *b == b':' } else { b.is_ascii_digit() })
    };
    match bytes.len() {
        5 | 8 => fields(bytes),
        10..=18 => fields(&bytes[..8]) && bytes[8] == b'.' && bytes[9..].iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

fn time(text: &str) -> Result<String, ValueError> {
    let body = text.trim();
    if !is_time_shape(body.as_bytes()) {
        return Err(syntax(&Type::Time, text));
    }
    read_time(body, text).map(|time| time_text(&time))
}

fn read_time(body: &str, text: &str) -> Result<civil::Time, ValueError> {
    // jiff turns second 60 into 59; a leap second is not a time that any of the stores can keep.
    if body.len() >= 8 && &body[6..8] == "60" {
        return Err(ValueError::NoSuchTime { text: shorten(text) });
    }
    let time: civil::Time = body.parse().map_err(|_| ValueError::NoSuchTime { text: shorten(text) })?;
    if time.subsec_nanosecond() % 1000 == 0 {
        Ok(time)
    } else {
        Err(ValueError::OutOfRange { ty: "time", text: shorten(text) })
    }
}

fn time_text(time: &civil::Time) -> String {
    let mut out = format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
    let micros = time.subsec_nanosecond() / 1000;
    if micros > 0 {
        let fraction = format!(".{micros:06}");
        out.push_str(fraction.trim_end_matches('0'));
    }
    out
}

/// Date, `T` or a blank, time, and a zone of `Z` or an offset. Without a zone the time is taken as UTC, like
/// PostgreSQL in a session whose zone is UTC; a date alone is its midnight.
fn timestamp(text: &str) -> Result<String, ValueError> {
    utc_timestamp(text).map_or_else(|| any_timestamp(text), Ok)
}

/// The canonical text, or that with `Z`, which is what programs send: nothing has to be worked out, only checked. `None`
/// for everything else, right or wrong. Bulk inserts spend a good part of their time here.
fn utc_timestamp(text: &str) -> Option<String> {
    let local = text.strip_suffix("+00:00").or_else(|| text.strip_suffix('Z'))?;
    let bytes = local.as_bytes();
    let (day, clock) = (bytes.get(..10)?, bytes.get(11..)?);
    let is_whole = clock.len() == 8 || (clock.len() <= 15 && !clock.ends_with(b"0"));
    if bytes[10] != b'T' || !is_whole || clock.len() < 8 || !is_date_shape(day) || !is_time_shape(clock) {
        return None;
    }
    let two = |at: usize| (bytes[at] - b'0') * 10 + (bytes[at + 1] - b'0');
    let year = i16::from(two(0)) * 100 + i16::from(two(2));
    let is_time = two(11) < 24 && two(14) < 60 && two(17) < 60;
    let is_date = year >= 1 && civil::Date::new(year, two(5).cast_signed(), two(8).cast_signed()).is_ok();
    (is_time && is_date).then(|| [local, "+00:00"].concat())
}

fn any_timestamp(text: &str) -> Result<String, ValueError> {
    let wrong = || syntax(&Type::Timestamp, text);
    let missing = || ValueError::NoSuchTime { text: shorten(text) };
    let body = text.trim();
    let (day, rest) = body.split_at_checked(10).ok_or_else(wrong)?;
    if !is_date_shape(day.as_bytes()) {
        return Err(wrong());
    }
    let date = read_date(day, text)?;
    let (clock, offset_s) = match rest.as_bytes().first() {
        None => ("00:00", 0),
        Some(b'T' | b't' | b' ') => split_zone(rest[1..].trim_start_matches(' ')).ok_or_else(wrong)?,
        Some(_) => return Err(wrong()),
    };
    if !is_time_shape(clock.as_bytes()) {
        return Err(wrong());
    }
    let local = date.to_datetime(read_time(clock, text)?);
    // By the calendar and not by jiff's `Timestamp`, which ends a day before the year 9999 does.
    let utc = local.checked_sub(SignedDuration::from_secs(offset_s.into())).map_err(|_| missing())?;
    if !(1..=9999).contains(&utc.year()) {
        return Err(missing());
    }
    Ok(format!("{}T{}+00:00", utc.date(), time_text(&utc.time())))
}

/// Splits `10:00:00.5+05:30` into the time and the offset in seconds.
fn split_zone(rest: &str) -> Option<(&str, i32)> {
    let Some(at) = rest.find(['Z', 'z', '+', '-']) else {
        return Some((rest.trim_end(), 0));
    };
    let (clock, zone) = (rest[..at].trim_end(), &rest[at..]);
    if zone.eq_ignore_ascii_case("z") {
        return Some((clock, 0));
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits: String = zone[1..].chars().filter(|c| *c != ':').collect();
    let is_shape = matches!(zone.len(), 3 | 5 | 6) && (zone.len() != 6 || zone.as_bytes()[3] == b':');
    if !is_shape || !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits[..2].parse().ok()?;
    let minutes: i32 = digits.get(2..).filter(|m| !m.is_empty()).map_or(Some(0), |m| m.parse().ok())?;
    (hours <= 15 && minutes < 60).then_some((clock, sign * (hours * 3600 + minutes * 60)))
}

/// PostgreSQL's array literal: `{a,"with, comma",NULL}` with backslash escapes. One dimension.
fn array(ty: &Type, item: &Type, text: &str) -> Result<Value, ValueError> {
    let wrong = || syntax(ty, text);
    let body = text.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).ok_or_else(wrong)?;
    let mut items = Vec::new();
    let mut chars = body.chars().peekable();
    if body.trim().is_empty() {
        return Ok(Value::Array(items));
    }
    loop {
        while chars.next_if(|c| c.is_ascii_whitespace()).is_some() {}
        let mut part = String::new();
        let quoted = chars.next_if_eq(&'"').is_some();
        if quoted {
            loop {
                match chars.next().ok_or_else(wrong)? {
                    '"' => break,
                    '\\' => part.push(chars.next().ok_or_else(wrong)?),
                    c => part.push(c),
                }
            }
            while chars.next_if(|c| c.is_ascii_whitespace()).is_some() {}
        } else {
            while let Some(c) = chars.next_if(|c| *c != ',') {
                match c {
                    '\\' => part.push(chars.next().ok_or_else(wrong)?),
                    '{' | '}' | '"' => return Err(wrong()),
                    c => part.push(c),
                }
            }
            part.truncate(part.trim_end().len());
            if part.is_empty() {
                return Err(wrong());
            }
        }
        let is_null = !quoted && part.eq_ignore_ascii_case("null");
        items.push(if is_null { Value::Null } else { from_text(item, &part)? });
        match chars.next() {
            None => return Ok(Value::Array(items)),
            Some(',') => {}
            Some(_) => return Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(ty: &Type, input: &str) -> Option<String> {
        from_text(ty, input).ok().and_then(|value| value.to_text())
    }

    #[test]
    fn timestamps_become_utc() {
        for (input, expected) in [
            ("2026-11-23T10:00:00Z", "2026-11-23T10:00:00+00:00"),
            ("2026-11-23 10:00", "2026-11-23T10:00:00+00:00"),
            ("2026-11-23T10:00:00.500000+05:30", "2026-11-23T04:30:00.5+00:00"),
            ("2024-02-29", "2024-02-29T00:00:00+00:00"),
            ("2026-01-01T00:30:00+01", "2025-12-31T23:30:00+00:00"),
            ("2026-01-01t00:30:00-0100", "2026-01-01T01:30:00+00:00"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999+00:00"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
        ] {
            assert_eq!(text(&Type::Timestamp, input).as_deref(), Some(expected), "{input}");
        }
        for input in [
            "2023-02-29T00:00:00Z",
            "2026-13-01",
            "0000-01-01",
            "10000-01-01",
            "2026-11-23T24:00:01Z",
            "2026-11-23T23:59:60Z",
            "2026-11-23T10:00:00.1234567Z",
            "infinity",
            "now",
            "2026-11-23T10",
            "",
            "0001-01-01T00:00:00+10:00",
            "9999-12-31T23:00:00-02:00",
            "2026-11-23T10:00:00+16:00",
            "2026-11-23T10:00:00+5",
            "2026-1-1",
        ] {
            assert_eq!(text(&Type::Timestamp, input), None, "{input}");
        }
    }

    #[test]
    fn the_short_way_gives_what_the_long_way_does() {
        for (input, is_short) in [
            ("2026-11-23T10:00:00Z", true),
            ("2026-11-23T10:00:00+00:00", true),
            ("2024-02-29T23:59:59.999999+00:00", true),
            ("0001-01-01T00:00:00.5Z", true),
            ("2026-11-23T10:00:00.50Z", false),
            ("2026-11-23T10:00:00.1234567Z", false),
            ("2026-11-23T10:00Z", false),
            ("2026-11-23T10:00:00.Z", false),
            ("2026-11-23 10:00:00Z", false),
            ("2023-02-29T00:00:00Z", false),
            ("0000-01-01T00:00:00Z", false),
            ("2026-11-23T24:00:00Z", false),
            ("2026-11-23T23:59:60Z", false),
            ("2026-11-23T10:00:00+01:00", false),
            ("2026-11-2\u{661}T10:00:00Z", false),
            ("Z", false),
        ] {
            let short = utc_timestamp(input);
            assert_eq!(short.is_some(), is_short, "{input}");
            if short.is_some() {
                assert_eq!(short, any_timestamp(input).ok(), "{input}");
            }
        }
    }

    #[test]
    fn timestamp_text_sorts_like_time() {
        let sorted = ["2026-01-01T00:00:00", "2026-01-01T00:00:00.49", "2026-01-01T00:00:00.5", "2026-01-01T00:00:01"];
        let texts: Vec<_> = sorted.iter().map(|input| text(&Type::Timestamp, input)).collect();
        assert!(texts.is_sorted(), "{texts:?}");
    }

    #[test]
    fn integers_keep_every_digit_and_their_range() {
        assert_eq!(from_text(&Type::BigInt, "9007199254740993"), Ok(Value::Int(9_007_199_254_740_993)));
        assert_eq!(from_text(&Type::BigInt, "-9223372036854775808"), Ok(Value::Int(i64::MIN)));
        assert_eq!(from_json(&Type::Int, "3.0"), Ok(Value::Int(3)));
        for (ty, input) in [(Type::BigInt, "9223372036854775808"), (Type::Int, "2147483648")] {
            assert!(matches!(from_text(&ty, input), Err(ValueError::OutOfRange { .. })), "{input}");
        }
        for input in ["", "x", "1.5", "0x10", "1_000", "--1", "1e400"] {
            assert!(matches!(from_text(&Type::Int, input), Err(ValueError::Syntax { .. })), "{input}");
        }
    }

    #[test]
    fn floats_are_finite() {
        assert_eq!(text(&Type::Float, "1e3").as_deref(), Some("1000"));
        assert_eq!(text(&Type::Float, "-0").as_deref(), Some("0"));
        for input in ["NaN", "inf", "1e999", "", "0x1p3"] {
            assert_eq!(text(&Type::Float, input), None, "{input}");
        }
    }

    #[test]
    fn arrays_by_literal_and_by_json() {
        let ty = Type::Array(Box::new(Type::Text));
        let expected = Value::Array(vec![Value::Text("a".into()), Value::Text("b, c".into()), Value::Null]);
        assert_eq!(from_text(&ty, r#"{a,"b, c",NULL}"#), Ok(expected.clone()));
        assert_eq!(from_json(&ty, r#"["a","b, c",null]"#), Ok(expected.clone()));
        assert_eq!(from_text(&ty, &expected.to_text().unwrap()), Ok(expected));
        assert_eq!(from_text(&ty, "{}"), Ok(Value::Array(vec![])));
        for input in ["", "{a", "{a,}", "{{a}}", r#"{"a"#, r#"{"a"b}"#, "a,b"] {
            assert!(from_text(&ty, input).is_err(), "{input}");
        }
    }

    #[test]
    fn json_values_by_column_type() {
        assert_eq!(from_json(&Type::Text, "12.50"), Ok(Value::Text("12.50".into())));
        assert_eq!(from_json(&Type::Bool, "\"yes\""), Ok(Value::Bool(true)));
        assert!(from_json(&Type::Bool, "{}").is_err());
        assert!(from_json(&Type::Text, "\"a\\u0000b\"").is_err());
        assert!(from_json(&Type::Uuid, "12").is_err());
        let decimal = Type::Decimal { precision: 12, scale: 2 };
        assert_eq!(text(&decimal, "12.5").as_deref(), Some("12.50"));
        assert_eq!(from_text(&Type::Bytes, "\\x00ff"), Ok(Value::Bytes(vec![0, 255])));
        assert_eq!(from_text(&Type::Bytes, "AP8="), Ok(Value::Bytes(vec![0, 255])));
    }
}
