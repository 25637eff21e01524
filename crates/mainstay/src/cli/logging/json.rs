//! A log line as one JSON object. Written by hand because every request has its line: through the library's serializers it
//! costs a quarter of all that a read of one row does.

use std::error::Error;
use std::fmt::{self, Debug, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// `{"timestamp":…,"level":…,"message":…,…,"target":…}`, the fields of the event in their order.
pub(super) struct Json;

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = String::with_capacity(320);
        line.push_str("{\"timestamp\":\"");
        SystemTime.format_time(&mut Writer::new(&mut line))?;
        line.push_str("\",\"level\":\"");
        line.push_str(event.metadata().level().as_str());
        line.push('"');
        event.record(&mut Members { line: &mut line, text: String::new() });
        line.push_str(",\"target\":");
        push_string(&mut line, event.metadata().target());
        line.push_str("}\n");
        out.write_str(&line)
    }
}

/// Writes the fields of an event as members of the object.
struct Members<'l> {
    line: &'l mut String,
    /// What a value prints, before it is escaped.
    text: String,
}

impl Members<'_> {
    fn name(&mut self, field: &Field) {
        self.line.push(',');
        push_string(self.line, field.name());
        self.line.push(':');
    }

    fn plain(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        self.name(field);
        let _ = self.line.write_fmt(value); // Strings take everything.
    }
}

impl Visit for Members<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.name(field);
        push_string(self.line, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.name(field);
        self.text.clear();
        let _ = write!(self.text, "{value:?}");
        push_string(self.line, &self.text);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, format_args!("{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, format_args!("{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, format_args!("{value}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        match value.is_finite() {
            true => self.plain(field, format_args!("{value}")),
            false => self.plain(field, format_args!("null")), // JSON has no other words for it.
        }
    }
}

/// Writes a text with its quotes.
fn push_string(line: &mut String, text: &str) {
    line.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|octet| octet < 0x20 || octet == b'"' || octet == b'\\') {
        line.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            octet @ (b'"' | b'\\') => line.extend(['\\', char::from(octet)]),
            b'\n' => line.push_str("\\n"),
            octet => {
                let _ = write!(line, "\\u{octet:04x}");
            }
        }
        rest = &rest[at + 1..];
    }
    line.push_str(rest);
    line.push('"');
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(octets)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_event_is_one_object_on_one_line() {
        let kept = Kept::default();
        let writer = kept.clone();
        let log = fmt().event_format(Json).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(log, || {
            let cause = io::Error::other("a \"cause\"\nof two lines");
            let (route, none) = ("/rest/v1/{table}", Option::<u64>::None);
            let request_id = format_args!("\u{1}ä\\").to_string();
            tracing::info!(route, status = 200_u16, duration_ms = 0.125, ok = true, %request_id, none, "answered");
            tracing::error!(error = &cause as &dyn Error, left = -3, share = f64::NAN, "failed {}", 1);
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
        let [answered, failed] = &lines[..] else { panic!("{text}") };
        assert!(answered["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')), "{answered}");
        for (member, expected) in [
            ("level", serde_json::json!("INFO")),
            ("message", "answered".into()),
            ("route", "/rest/v1/{table}".into()),
            ("status", 200.into()),
            ("duration_ms", 0.125.into()),
            ("ok", true.into()),
            ("request_id", "\u{1}ä\\".into()),
            ("target", module_path!().into()),
        ] {
            assert_eq!(answered[member], expected, "{answered}");
        }
        assert!(answered.get("none").is_none(), "{answered}");
        assert_eq!(failed["error"], "a \"cause\"\nof two lines");
        assert_eq!((&failed["left"], &failed["share"]), (&(-3).into(), &serde_json::Value::Null));
        assert_eq!((&failed["level"], &failed["message"]), (&"ERROR".into(), &"failed 1".into()));
    }
}
