//! `Server-Timing`: how long each stage of a request took.

use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue};

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// The stage that makes the answer.
const LAST: &str = "response";

/// The stages of one request as they end.
#[derive(Debug)]
pub(super) struct Timing {
    last: Instant,
    stages: Vec<(&'static str, Duration)>,
}

impl Timing {
    /// From now on.
    pub(super) fn new() -> Timing {
        Timing { last: Instant::now(), stages: Vec::with_capacity(5) }
    }

    /// A stage has ended.
    pub(super) fn end(&mut self, stage: &'static str) {
        let now = Instant::now();
        self.stages.push((stage, now.duration_since(self.last)));
        self.last = now;
    }

    /// Tells the stages in milliseconds; nothing of a request that was refused before the last of them.
    pub(super) fn tell(&self, answer: &mut HeaderMap) {
        if self.stages.last().is_none_or(|(stage, _)| *stage != LAST) {
            return;
        }
        let entries: Vec<String> =
            self.stages.iter().map(|(stage, time)| format!("{stage};dur={:.1}", time.as_secs_f64() * 1e3)).collect();
        if let Ok(value) = HeaderValue::try_from(entries.join(", ")) {
            answer.insert(SERVER_TIMING, value);
        }
    }
}
