//! What is asked, in both servers' words. Names here are the names in the report.
//!
//! Plain reads and writes are here; `language` has those of the rest of the REST language.

use serde_json::json;

use crate::dataset::Data;
use crate::exchange::request;
use crate::figures::Settings;
use crate::language;
use crate::servers::Server;

/// How a workload is judged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Answers rows; both servers must answer the same.
    Read,
    /// Changes rows and answers with a bare status.
    Write,
}

/// What the two answers have in common.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answers {
    /// The same JSON, and the same count.
    Rows,
    /// The same octets.
    Octets,
    /// A status and no body.
    Status,
    /// A body each, of what each has made.
    Made,
}

/// One workload: the same questions for both servers.
pub(crate) struct Workload {
    /// The name in the report.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// The status of every answer.
    pub(crate) status: u16,
    pub(crate) answers: Answers,
    /// Where Mainstay shows what the first write did: the newest rows of each table, or the one that was changed.
    pub(crate) traces: Vec<String>,
    /// The requests to Mainstay.
    pub(crate) mainstay: Vec<Vec<u8>>,
    /// The requests to the yardstick, one for each of Mainstay's.
    pub(crate) yardstick: Vec<Vec<u8>>,
}

/// How many different requests a workload has: enough that no single page of the file is all that is read.
pub(crate) const VARIANTS: usize = 500;

/// Every workload, reads first, so that they all see the data as it was made.
pub(crate) fn all(settings: &Settings, data: &Data, ours: &Server, theirs: &Server) -> anyhow::Result<Vec<Workload>> {
    let mut all = plain_reads(settings, data);
    all.extend(language::reads(settings, data, ours, theirs)?);
    all.extend(plain_writes(settings, data));
    all.push(language::batch(settings, data));
    all.retain(|workload| settings.engine.has_words() || workload.name != language::WORDS);
    Ok(all)
}

fn plain_reads(settings: &Settings, data: &Data) -> Vec<Workload> {
    let make = Maker { data };
    let orders = settings.orders;
    let customers = settings.customers;
    vec![
        make.read("point read", 200, orders, |id| {
            (format!("/rest/v1/orders?id=eq.{}", id + 1), format!("/orders/{}", id + 1))
        }),
        make.read("page of 20", 200, orders - 20, |after| {
            (format!("/rest/v1/orders?id=gt.{after}&order=id&limit=20"), format!("/orders?after={after}"))
        }),
        make.read("page of 20, to-one embed", 200, orders - 20, |after| {
            (
                format!("/rest/v1/orders?select=*,customers(id,name,email)&id=gt.{after}&order=id&limit=20"),
                format!("/orders-with-customer?after={after}"),
            )
        }),
        make.read("page of 20, to-many embed", 200, customers - 20, |after| {
            (
                format!("/rest/v1/customers?select=*,orders(*)&orders.order=id&id=gt.{after}&order=id&limit=20"),
                format!("/customers-with-orders?after={after}"),
            )
        }),
        make.read("filtered count", 206, customers - 50, |from| {
            let below = from + 50;
            (
                format!("/rest/v1/orders?customer_id=gte.{from}&customer_id=lt.{below}&order=customer_id,id&limit=20"),
                format!("/orders-counted?from={from}&below={below}"),
            )
        }),
    ]
}

fn plain_writes(settings: &Settings, data: &Data) -> Vec<Workload> {
    let make = Maker { data };
    let orders = settings.orders;
    vec![
        make.write("insert", 201, |turn| Change {
            method: "POST",
            mainstay: "/rest/v1/visits".into(),
            yardstick: "/visits".into(),
            trace: newest_visits(1),
            body: visit(turn),
        }),
        make.write("bulk insert of 1,000", 201, |turn| Change {
            method: "POST",
            mainstay: "/rest/v1/visits".into(),
            yardstick: "/visits".into(),
            trace: newest_visits(1000),
            body: (0..1000).map(|row| visit(turn * 1000 + row)).collect(),
        }),
        make.write("update", 204, |turn| {
            let id = spread(turn, orders) + 1;
            Change {
                method: "PATCH",
                mainstay: format!("/rest/v1/orders?id=eq.{id}"),
                yardstick: format!("/orders/{id}"),
                trace: format!("/rest/v1/orders?id=eq.{id}"),
                body: json!({ "status": "shipped", "note": format!("left the house in van {turn}") }),
            }
        }),
    ]
}

struct Change {
    method: &'static str,
    mainstay: String,
    yardstick: String,
    trace: String,
    body: serde_json::Value,
}

struct Maker<'a> {
    data: &'a Data,
}

impl Maker<'_> {
    fn read(
        &self,
        name: &'static str,
        status: u16,
        below: usize,
        targets: impl Fn(usize) -> (String, String),
    ) -> Workload {
        let key = self.data.secret_key.as_str();
        let ours: &[(&str, &str)] = match status {
            206 => &[("apikey", key), ("prefer", "count=exact")],
            _ => &[("apikey", key)],
        };
        let (mainstay, yardstick) = (0..VARIANTS)
            .map(|turn| targets(spread(turn, below)))
            .map(|(mainstay, yardstick)| {
                (request("GET", &mainstay, ours, b""), request("GET", &yardstick, &[("apikey", key)], b""))
            })
            .unzip();
        Workload { name, kind: Kind::Read, status, answers: Answers::Rows, traces: Vec::new(), mainstay, yardstick }
    }

    fn write(&self, name: &'static str, status: u16, change: impl Fn(usize) -> Change) -> Workload {
        let headers = [("apikey", self.data.secret_key.as_str())];
        let (mainstay, yardstick) = (0..VARIANTS.min(100))
            .map(|turn| {
                let change = change(turn);
                let body = change.body.to_string();
                (
                    request(change.method, &change.mainstay, &headers, body.as_bytes()),
                    request(change.method, &change.yardstick, &headers, body.as_bytes()),
                )
            })
            .unzip();
        let traces = vec![change(0).trace];
        Workload { name, kind: Kind::Write, status, answers: Answers::Status, traces, mainstay, yardstick }
    }
}

/// The visits that came last, without their numbers.
pub(crate) fn newest_visits(rows: usize) -> String {
    format!("/rest/v1/visits?select=page,referrer,duration_ms,seen_at&order=id.desc&limit={rows}")
}

fn visit(turn: usize) -> serde_json::Value {
    json!({
        "page": format!("/products/{}", turn % 977),
        "referrer": turn.is_multiple_of(3).then(|| format!("https://example.org/{}", turn % 31)),
        "duration_ms": turn % 60_000,
        "seen_at": format!("2026-05-{:02}T{:02}:{:02}:00+00:00", turn % 28 + 1, turn % 24, turn % 60),
    })
}

/// The `turn`-th of many numbers below `below`, far from its neighbours and the same in every run.
pub(crate) fn spread(turn: usize, below: usize) -> usize {
    const PRIME: usize = 2_654_435_761;
    turn.wrapping_mul(PRIME) % below
}
