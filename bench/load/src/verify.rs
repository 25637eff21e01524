//! Proof, before anything is measured, that both servers answer alike.

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::client::Prepared;
use crate::exchange::fetch;
use crate::servers::Server;
use crate::workloads::{Kind, Workload};

/// A workload's requests with what each must answer.
pub(crate) struct Requests {
    pub(crate) mainstay: Vec<Prepared>,
    pub(crate) yardstick: Vec<Prepared>,
}

/// Sends every request of a read (one of a write) to both servers once.
///
/// # Errors
/// When the two answer differently: in status, in rows, or in the count of all rows.
pub(crate) fn agree(workload: &Workload, ours: &Server, theirs: &Server) -> anyhow::Result<Requests> {
    let mut requests = Requests { mainstay: Vec::new(), yardstick: Vec::new() };
    for (index, (mainstay, yardstick)) in workload.mainstay.iter().zip(&workload.yardstick).enumerate() {
        let (mut our_bytes, mut their_bytes) = (0, 0);
        if workload.kind == Kind::Read || index == 0 {
            let (our_status, our_head, our_body) = fetch(ours.address, mainstay)?;
            let (their_status, their_head, their_body) = fetch(theirs.address, yardstick)?;
            let asked = String::from_utf8_lossy(mainstay.split(|&byte| byte == b'\r').next().unwrap_or_default());
            let said = || format!("{asked}\n{our_head}{}", String::from_utf8_lossy(&our_body));
            ensure!(our_status == workload.status, "status {our_status} instead of {}: {}", workload.status, said());
            ensure!(their_status == workload.status, "the yardstick answered {their_status} to {asked}");
            if workload.kind == Kind::Read {
                ensure!(json(&our_body)? == json(&their_body)?, "the answers differ: {}", said());
                ensure!(range(&our_head) == range(&their_head), "the counts differ: {}", said());
            }
            (our_bytes, their_bytes) = (our_body.len(), their_body.len());
        }
        requests.mainstay.push(Prepared { bytes: mainstay.clone(), status: workload.status, body_bytes: our_bytes });
        requests.yardstick.push(Prepared {
            bytes: yardstick.clone(),
            status: workload.status,
            body_bytes: their_bytes,
        });
    }
    Ok(requests)
}

fn json(body: &[u8]) -> anyhow::Result<Value> {
    serde_json::from_slice(body).with_context(|| format!("not JSON: {}", String::from_utf8_lossy(body)))
}

fn range(head: &str) -> Option<&str> {
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-range").then(|| value.trim())
    })
}
