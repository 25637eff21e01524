//! What a run measured, as it is kept in `latest.json`.

use std::time::Duration;

use serde::Serialize;

use crate::client::Sample;
use crate::dataset::Import;
use crate::engine::Engine;
use crate::workloads::Workload;

/// How the run was made.
#[derive(Clone, Serialize)]
pub(crate) struct Settings {
    /// Keep-alive connections, each with one request under way.
    pub(crate) connections: usize,
    /// Rounds for each server and workload.
    pub(crate) rounds: usize,
    pub(crate) round: Duration,
    pub(crate) warm_up: Duration,
    /// Rows of `customers`.
    pub(crate) customers: usize,
    /// Rows of `orders`.
    pub(crate) orders: usize,
    /// Rows of `reviews`.
    pub(crate) reviews: usize,
    /// What both servers keep their rows in.
    pub(crate) engine: Engine,
    /// The yardstick's threads or connections that read, if not its own choice.
    pub(crate) yardstick_readers: Option<usize>,
    pub(crate) cores: usize,
}

/// Everything one run measured.
#[derive(Serialize)]
pub(crate) struct Figures {
    pub(crate) settings: Settings,
    /// The database and its settings, as the yardstick saw them.
    pub(crate) database: String,
    pub(crate) workloads: Vec<Comparison>,
    pub(crate) import: Import,
    pub(crate) start_ms: f64,
    pub(crate) idle_bytes: u64,
    pub(crate) idle_bytes_yardstick: u64,
    pub(crate) loaded_bytes: u64,
    pub(crate) loaded_bytes_yardstick: u64,
    pub(crate) binary_bytes: u64,
    pub(crate) binary_bytes_yardstick: u64,
}

/// One workload's rounds on both servers.
#[derive(Serialize)]
pub(crate) struct Comparison {
    pub(crate) name: &'static str,
    /// The ratio that is aimed at.
    pub(crate) target: f64,
    pub(crate) mainstay: Vec<Sample>,
    pub(crate) yardstick: Vec<Sample>,
}

impl Comparison {
    /// An empty comparison.
    pub(crate) fn new(workload: &Workload, engine: Engine) -> Self {
        let target = engine.target(workload.kind);
        Self { name: workload.name, target, mainstay: Vec::new(), yardstick: Vec::new() }
    }

    /// The ratio of the medians, and the least and greatest ratio of two neighbouring rounds.
    pub(crate) fn ratio(&self) -> (f64, f64, f64) {
        let pairs =
            || self.mainstay.iter().zip(&self.yardstick).map(|(ours, theirs)| ours.per_second / theirs.per_second);
        (
            median(&self.mainstay) / median(&self.yardstick),
            pairs().fold(f64::INFINITY, f64::min),
            pairs().fold(0.0, f64::max),
        )
    }
}

/// The median of the rounds' times within which 99 of 100 answers came, in microseconds.
pub(crate) fn median_p99(samples: &[Sample]) -> u64 {
    let mut times: Vec<u64> = samples.iter().map(|sample| sample.p99_us).collect();
    times.sort_unstable();
    times[times.len() / 2]
}

/// The median of the rounds' answers a second.
pub(crate) fn median(samples: &[Sample]) -> f64 {
    let mut rates: Vec<f64> = samples.iter().map(|sample| sample.per_second).collect();
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
