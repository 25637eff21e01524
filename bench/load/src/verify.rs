//! Proof, before anything is measured, that both servers answer alike.

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::client::Prepared;
use crate::exchange::{fetch, header};
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
/// When the two answer differently: in status, in rows, in the count of all rows, or in octets where it is those.
pub(crate) fn agree(workload: &Workload, ours: &Server, theirs: &Server) -> anyhow::Result<Requests> {
    let mut requests = Requests { mainstay: Vec::new(), yardstick: Vec::new() };
    for (index, (mainstay, yardstick)) in workload.mainstay.iter().zip(&workload.yardstick).enumerate() {
        let mut bytes = match workload.answers {
            Answers::Status => (Some(0), Some(0)),
            Answers::Rows | Answers::Octets | Answers::Made => (None, None),
        };
        if workload.kind == Kind::Read || index == 0 {
            let (our_status, our_head, our_body) = fetch(ours.address, mainstay)?;
            let (their_status, their_head, their_body) = fetch(theirs.address, yardstick)?;
            let asked = String::from_utf8_lossy(mainstay.split(|&byte| byte == b'\r').next().unwrap_or_default());
            let said = || format!("{asked}\n{our_head}{}", String::from_utf8_lossy(&our_body));
            ensure!(our_status == workload.status, "status {our_status} instead of {}: {}", workload.status, said());
            ensure!(their_status == workload.status, "the yardstick answered {their_status} to {asked}");
            match workload.answers {
                Answers::Rows => {
                    ensure!(json(&our_body)? == json(&their_body)?, "the answers differ: {}", said());
                    let range = (header(&our_head, "content-range"), header(&their_head, "content-range"));
                    ensure!(range.0 == range.1, "the counts differ: {}", said());
                }
                Answers::Octets => ensure!(our_body == their_body, "the answers differ: {}", said()),
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

fn json(body: &[u8]) -> anyhow::Result<Value> {
    serde_json::from_slice(body).with_context(|| format!("not JSON: {}", String::from_utf8_lossy(body)))
}
