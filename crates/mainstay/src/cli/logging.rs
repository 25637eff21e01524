//! The log of a serving process, on stderr: text on a terminal, one JSON object a line elsewhere.

mod json;

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config::LogSettings;
use json::Json;

/// Starts the log of this process; a second call changes nothing.
pub(super) fn start(settings: &LogSettings) {
    start_with(&settings.level, &settings.format);
}

/// The same, by a level or filters and a format.
pub(super) fn start_with(level: &str, format: &str) {
    let is_terminal = std::io::stderr().is_terminal();
    let is_json = match format {
        "json" => true,
        "text" => false,
        _ => !is_terminal,
    };
    let filter = EnvFilter::new(level);
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(is_terminal);
    // A log that is there already (tests in one process) is as good.
    let _ = if is_json { builder.event_format(Json).try_init() } else { builder.try_init() };
}
