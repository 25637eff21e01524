//! How a person sees that an import gets on.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// How often a line is printed where no bar can be drawn.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Is told how a transfer gets on.
pub trait Progress: Send {
    /// It begins; the file has so many bytes, and an earlier run dealt with so many of its records.
    fn start(&mut self, bytes_total: u64, records_before: u64);
    /// So many bytes were read, so many records dealt with and so many of them set aside, since the start of the file.
    fn reach(&mut self, bytes: u64, records: u64, bad: u64);
    /// It ended.
    fn end(&mut self);
}

/// Says nothing.
#[derive(Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn start(&mut self, _: u64, _: u64) {}
    fn reach(&mut self, _: u64, _: u64, _: u64) {}
    fn end(&mut self) {}
}

/// A bar on a terminal, else a line every few seconds; on stderr.
#[derive(Debug)]
pub struct Terminal {
    label: String,
    bar: Option<ProgressBar>,
    bytes_total: u64,
    started: Instant,
    printed: Instant,
    /// Records that an earlier run dealt with: they do not count for the speed of this one.
    records_before: u64,
}

impl Terminal {
    /// Shows progress under this name.
    pub fn new(label: impl Into<String>) -> Terminal {
        let now = Instant::now();
        Terminal { label: label.into(), bar: None, bytes_total: 0, started: now, printed: now, records_before: 0 }
    }

    fn message(&self, records: u64, bad: u64) -> String {
        let rate = records.saturating_sub(self.records_before) as f64 / self.started.elapsed().as_secs_f64().max(0.001);
        let bad = if bad == 0 { String::new() } else { format!(", {bad} bad") };
        format!("{records} records{bad}, {rate:.0}/s")
    }
}

impl Progress for Terminal {
    fn start(&mut self, bytes_total: u64, records_before: u64) {
        self.bytes_total = bytes_total;
        self.records_before = records_before;
        self.started = Instant::now();
        self.printed = self.started;
        if std::io::stderr().is_terminal() {
            let percent = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                let _ = write!(out, "{:.0} %", state.fraction() * 100.0);
            };
            let style = ProgressStyle::with_template("{prefix} {wide_bar} {percent_text} {msg}, {eta} left")
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .with_key("percent_text", percent);
            let bar = ProgressBar::with_draw_target(Some(bytes_total), ProgressDrawTarget::stderr_with_hz(10));
            self.bar = Some(bar.with_style(style).with_prefix(self.label.clone()));
        }
    }

    fn reach(&mut self, bytes: u64, records: u64, bad: u64) {
        let message = self.message(records, bad);
        if let Some(bar) = &self.bar {
            bar.set_position(bytes);
            bar.set_message(message);
        } else if self.printed.elapsed() >= LINE_EVERY {
            self.printed = Instant::now();
            let percent = bytes * 100 / self.bytes_total.max(1);
            let mut out = std::io::stderr().lock();
            let _ = std::io::Write::write_fmt(&mut out, format_args!("{}: {percent} %, {message}\n", self.label));
        }
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
