//! `Server-Timing`: how long each stage of a request took, for the developer tools of a browser.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue};
use mainstay_engine::{Stage, Stages};

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// The stages of one request as they end.
#[derive(Debug, Default)]
pub(crate) struct Timing {
    /// When the search for the caller began and ended.
    pub(crate) identified: Option<(Instant, Instant)>,
    /// When the body was there.
    pub(crate) read: Option<Instant>,
    /// What the engine notes.
    pub(crate) stages: Arc<Stages>,
}

impl Timing {
    /// Tells the stages that there were: `jwt;dur=0.1, parse;dur=…, plan;dur=…, transaction;dur=…, response;dur=…`,
    /// in milliseconds. Several requests in one transaction are planned in it.
    pub(crate) fn tell(&self, answer: &mut HeaderMap) {
        let Some((start, end)) = self.identified else { return };
        let mut text = entry("jwt", end.duration_since(start));
        let ends = [("parse", Stage::Parse), ("plan", Stage::Plan), ("transaction", Stage::Store)];
        let mut last = self.read;
        for (name, stage) in ends {
            let (Some(since), Some(end)) = (last, self.stages.end(stage)) else { continue };
            let _ = write!(text, ", {}", entry(name, end.saturating_duration_since(since)));
            last = Some(end);
        }
        if let Some(since) = last {
            let _ = write!(text, ", {}", entry("response", since.elapsed()));
        }
        if let Ok(value) = HeaderValue::try_from(text) {
            answer.insert(SERVER_TIMING, value);
        }
    }
}

fn entry(name: &str, time: Duration) -> String {
    format!("{name};dur={:.1}", time.as_secs_f64() * 1e3)
}
