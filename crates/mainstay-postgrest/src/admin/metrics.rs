//! What is counted, as Prometheus reads it, under the names that PostgREST gives.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use crate::http::Api;

/// All of it.
pub(super) fn text(api: &Api) -> String {
    let (status, health, counters) = (api.pool().status(), api.health(), api.counters());
    let most = api.pool().options().limits.connections_max;
    let tokens = api.tokens();
    let of = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    let mut out = String::new();
    let mut tell = |name: &str, kind: &str, what: &str, values: &[(&str, String)]| {
        let _ = writeln!(out, "# HELP {name} {what}\n# TYPE {name} {kind}");
        for (labels, value) in values {
            let _ = writeln!(out, "{name}{labels} {value}");
        }
    };
    let seconds = health.load_time.as_secs_f64();
    let loads =
        [("{status=\"SUCCESS\"}", health.loads.to_string()), ("{status=\"FAIL\"}", health.failures.to_string())];
    tell(
        "pgrst_schema_cache_query_time_seconds",
        "gauge",
        "The time it took to load the schema cache last",
        &[("", format!("{seconds}"))],
    );
    tell("pgrst_schema_cache_loads_total", "counter", "The total number of times the schema cache was loaded", &loads);
    tell(
        "pgrst_db_pool_timeouts_total",
        "counter",
        "The total number of pool connection timeouts",
        &[("", of(&counters.pool_timeouts).to_string())],
    );
    tell(
        "pgrst_db_pool_available",
        "gauge",
        "Available connections in the pool",
        &[("", most.saturating_sub(status.busy).to_string())],
    );
    tell(
        "pgrst_db_pool_waiting",
        "gauge",
        "Requests waiting to acquire a pool connection",
        &[("", status.waiting.to_string())],
    );
    tell("pgrst_db_pool_max", "gauge", "Max pool connections", &[("", most.to_string())]);
    tell(
        "pgrst_jwt_cache_requests_total",
        "counter",
        "The total number of JWT cache lookups",
        &[("", of(&tokens.asked).to_string())],
    );
    tell(
        "pgrst_jwt_cache_hits_total",
        "counter",
        "The total number of JWT cache hits",
        &[("", of(&tokens.found).to_string())],
    );
    tell(
        "pgrst_jwt_cache_evictions_total",
        "counter",
        "The total number of JWT cache evictions",
        &[("", of(&tokens.evicted).to_string())],
    );
    tell("mainstay_jwt_cache_entries", "gauge", "Tokens that are remembered", &[("", tokens.len().to_string())]);
    out
}
