//! Proof, before anything is measured, that both servers answer alike.

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::client::Prepared;
use crate::exchange::{fetch, header, request};
use crate::figures::Settings;
use crate::servers::Server;
use crate::workloads::{Answers, Kind, Workload};

/// A workload's requests with what each must answer.
pub(crate) struct Requests {
    pub(crate) mainstay: Vec<Prepared>,
    pub(crate) yardstick: Vec<Prepared>,
}

/// Sends every request of a read (one of a write) to both servers once.
///
/// # Errors
/// When the two answer differently: in status, in rows, in the count of all rows, or in octets where it is those. Where
/// both write the same tables: when they leave other rows there, or the yardstick leaves none.
pub(crate) fn agree(
    workload: &Workload,
    ours: &Server,
    theirs: &Server,
    settings: &Settings,
    key: &str,
) -> anyhow::Result<Requests> {
    let targets = if settings.engine.is_shared() { workload.traces.as_slice() } else { &[] };
    let traces = || targets.iter().map(|target| trace(ours, target, key)).collect::<anyhow::Result<Vec<_>>>();
    let mut requests = Requests { mainstay: Vec::new(), yardstick: Vec::new() };
    for (index, (mainstay, yardstick)) in workload.mainstay.iter().zip(&workload.yardstick).enumerate() {
        let mut bytes = match workload.answers {
            Answers::Status => (Some(0), Some(0)),
            Answers::Rows | Answers::Octets | Answers::Made => (None, None),
        };
        if workload.kind == Kind::Read || index == 0 {
            let before = traces()?;
            let (their_status, their_head, their_body) = fetch(theirs.address, yardstick)?;
            let between = traces()?;
            let (our_status, our_head, our_body) = fetch(ours.address, mainstay)?;
            for ((before, between), after) in before.iter().zip(&between).zip(traces()?) {
                ensure!(before != between, "the yardstick wrote nothing: {between:?}");
                ensure!(between.rows == after.rows, "they wrote different rows: {between:?} and {after:?}");
                let news = (between.total - before.total, after.total - between.total);
                ensure!(news.0 == news.1, "they wrote different numbers of rows: {news:?}");
            }
            let asked = String::from_utf8_lossy(mainstay.split(|&byte| byte == b'\r').next().unwrap_or_default());
            let said = || format!("{asked}\n{our_head}{}", String::from_utf8_lossy(&our_body));
            ensure!(our_status == workload.status, "status {our_status} instead of {}: {}", workload.status, said());
            let they_said = String::from_utf8_lossy(&their_body);
            ensure!(their_status == workload.status, "the yardstick answered {their_status} to {asked}: {they_said}");
            match workload.answers {
                Answers::Rows => {
                    ensure!(json(&our_body)? == json(&their_body)?, "the answers differ: {}\n{they_said}", said());
                    let range = (header(&our_head, "content-range"), header(&their_head, "content-range"));
                    ensure!(range.0 == range.1, "the counts differ: {}", said());
                }
                Answers::Octets => ensure!(our_body == their_body, "the answers differ: {}\n{they_said}", said()),
                Answers::Status => ensure!(our_body.is_empty() && their_body.is_empty(), "a body: {}", said()),
                // What each of them made bears its own numbers.
                Answers::Made => ensure!(!our_body.is_empty() && !their_body.is_empty(), "no body: {}", said()),
            }
            if matches!(workload.answers, Answers::Rows | Answers::Octets) {
                bytes = (Some(our_body.len()), Some(their_body.len()));
            }
        }
        requests.mainstay.push(Prepared { bytes: mainstay.clone(), status: workload.status, body_bytes: bytes.0 });
        requests.yardstick.push(Prepared { bytes: yardstick.clone(), status: workload.status, body_bytes: bytes.1 });
    }
    Ok(requests)
}

/// What a table shows of a write.
#[derive(Debug, PartialEq)]
struct Trace {
    rows: Value,
    /// Rows of the table in all.
    total: i64,
}

fn trace(server: &Server, target: &str, key: &str) -> anyhow::Result<Trace> {
    let ask = request("GET", target, &[("apikey", key), ("prefer", "count=exact")], b"");
    let (status, head, body) = fetch(server.address, &ask)?;
    ensure!(matches!(status, 200 | 206), "{target} answered {head}");
    let range = header(&head, "content-range").with_context(|| format!("no count in {head}"))?;
    let total = range.rsplit('/').next().and_then(|total| total.parse().ok());
    Ok(Trace { rows: json(&body)?, total: total.with_context(|| format!("no count in {range}"))? })
}

fn json(body: &[u8]) -> anyhow::Result<Value> {
    serde_json::from_slice(body).with_context(|| format!("not JSON: {}", String::from_utf8_lossy(body)))
}
