//! What is asked of the rest of the REST language: conditional reads, groups, words, pages deep in a table, other forms,
//! and several changes in one request. Some of it needs a look at what the servers answer first: tags, places of pages.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::dataset::{Data, word};
use crate::exchange::{fetch, header, request};
use crate::figures::Settings;
use crate::servers::Server;
use crate::workloads::{Answers, Kind, VARIANTS, Workload, newest_visits, spread};

/// Rows of an answer that is sent while it is read: more than the octets that Mainstay sends whole.
const STREAMED_ROWS: usize = 10_000;
/// Different requests of a workload whose answers are so large.
const STREAMED_VARIANTS: usize = 10;
/// Rows of the pages by which the places deep in the table are found.
const WALK_ROWS: usize = 1000;

/// The workload that needs an index of words.
pub(crate) const WORDS: &str = "full text, two words";

/// The reads.
///
/// # Errors
/// When a server does not give the tags or places that later requests are made of.
pub(crate) fn reads(settings: &Settings, data: &Data, ours: &Server, theirs: &Server) -> anyhow::Result<Vec<Workload>> {
    let key = data.secret_key.as_str();
    let get = Get { key };
    let Settings { orders, customers, .. } = *settings;
    let places = places(orders, key, ours)?;
    Ok(vec![
        conditional(orders, key, ours, theirs)?,
        get.rows("count and sum of 50 groups", VARIANTS, |turn| {
            let from = spread(turn, customers - 50);
            let below = from + 50;
            let select = "customer_id,orders:count(),total:total.sum()";
            (
                format!(
                    "/rest/v1/orders?select={select}&customer_id=gte.{from}&customer_id=lt.{below}&order=customer_id"
                ),
                format!("/order-sums?from={from}&below={below}"),
            )
        }),
        get.rows(WORDS, VARIANTS, |turn| {
            let (one, other) = (word(turn), word(turn + VARIANTS));
            (
                format!("/rest/v1/reviews?body=plfts.{one}%20{other}&order=id&limit=20"),
                format!("/reviews?words={one}%20{other}"),
            )
        }),
        get.rows("page of 20 by key, deep", places.len(), |turn| {
            let Place { token, customer, id, .. } = &places[turn];
            (
                format!("/rest/v1/orders?order=customer_id&limit=20&after={token}"),
                format!("/orders-by-customer?customer={customer}&id={id}"),
            )
        }),
        get.rows("page of 20 by offset, deep", places.len(), |turn| {
            let offset = places[turn].offset;
            (
                format!("/rest/v1/orders?order=customer_id&limit=20&offset={offset}"),
                format!("/orders-at?offset={offset}"),
            )
        }),
        get.octets("page of 20 as XML", VARIANTS, "application/xml", |turn| {
            let after = spread(turn, orders - 20);
            (format!("/rest/v1/orders?id=gt.{after}&order=id&limit=20"), format!("/orders.xml?after={after}"))
        }),
        get.octets("10,000 rows as NDJSON", STREAMED_VARIANTS, "application/x-ndjson", |turn| {
            let from = spread(turn, (orders - STREAMED_ROWS).max(1)) + 1;
            let below = from + STREAMED_ROWS;
            (
                format!("/rest/v1/orders?id=gte.{from}&id=lt.{below}&order=id"),
                format!("/orders.ndjson?from={from}&below={below}"),
            )
        }),
    ])
}

struct Get<'a> {
    key: &'a str,
}

impl Get<'_> {
    fn rows(&self, name: &'static str, variants: usize, targets: impl Fn(usize) -> (String, String)) -> Workload {
        self.read(name, Answers::Rows, variants, "application/json", targets)
    }

    fn octets(
        &self,
        name: &'static str,
        variants: usize,
        accept: &str,
        targets: impl Fn(usize) -> (String, String),
    ) -> Workload {
        self.read(name, Answers::Octets, variants, accept, targets)
    }

    fn read(
        &self,
        name: &'static str,
        answers: Answers,
        variants: usize,
        accept: &str,
        targets: impl Fn(usize) -> (String, String),
    ) -> Workload {
        let headers = [("apikey", self.key), ("accept", accept)];
        let (mainstay, yardstick) = (0..variants)
            .map(targets)
            .map(|(ours, theirs)| (request("GET", &ours, &headers, b""), request("GET", &theirs, &headers, b"")))
            .unzip();
        Workload { name, kind: Kind::Read, status: 200, answers, traces: Vec::new(), mainstay, yardstick }
    }
}

/// One order that the caller has already, by the tag that each server gave it.
fn conditional(orders: usize, key: &str, ours: &Server, theirs: &Server) -> anyhow::Result<Workload> {
    let known = |server: &Server, target: &str| {
        let (status, head, _) = fetch(server.address, &request("GET", target, &[("apikey", key)], b""))?;
        ensure!(status == 200, "{target} answered {head}");
        let tag = header(&head, "etag").with_context(|| format!("no tag in {head}"))?;
        anyhow::Ok(request("GET", target, &[("apikey", key), ("if-none-match", tag)], b""))
    };
    let (mut mainstay, mut yardstick) = (Vec::new(), Vec::new());
    for turn in 0..VARIANTS {
        let id = spread(turn, orders) + 1;
        mainstay.push(known(ours, &format!("/rest/v1/orders?id=eq.{id}"))?);
        yardstick.push(known(theirs, &format!("/orders-tagged/{id}"))?);
    }
    let name = "point read, not modified";
    let (kind, answers) = (Kind::Read, Answers::Status);
    Ok(Workload { name, kind, status: 304, answers, traces: Vec::new(), mainstay, yardstick })
}

/// A place among the orders by customer.
struct Place {
    /// Mainstay's word for it.
    token: String,
    /// The row before it.
    customer: i64,
    id: i64,
    /// Rows before it.
    offset: usize,
}

/// Places in the second half of the orders by customer, found by walking there.
fn places(orders: usize, key: &str, ours: &Server) -> anyhow::Result<Vec<Place>> {
    let mut places = Vec::new();
    let mut token = String::new();
    for page in 1..orders / WALK_ROWS {
        let target = format!("/rest/v1/orders?order=customer_id&limit={WALK_ROWS}&after={token}");
        let (status, head, body) = fetch(ours.address, &request("GET", &target, &[("apikey", key)], b""))?;
        ensure!(status == 200, "{target} answered {head}");
        token = header(&head, "next-after").with_context(|| format!("no next page in {head}"))?.to_owned();
        let rows: Vec<Value> = serde_json::from_slice(&body)?;
        let number = |name: &str| rows.last().and_then(|row| row[name].as_i64()).with_context(|| format!("no {name}"));
        let place = Place {
            token: token.clone(),
            customer: number("customer_id")?,
            id: number("id")?,
            offset: page * WALK_ROWS,
        };
        if place.offset >= orders / 2 {
            places.push(place);
        }
    }
    Ok(places)
}

/// Three steps, of which two need what the first one made.
pub(crate) fn batch(settings: &Settings, data: &Data) -> Workload {
    let headers = [("apikey", data.secret_key.as_str())];
    let (mainstay, yardstick) = (0..100)
        .map(|turn| {
            let customer = spread(turn, settings.customers) + 1;
            let (total, note) = (format!("{}.{:02}", turn + 5, turn), format!("From page {turn}"));
            let (at, duration_ms) = (format!("2026-07-{:02}T12:00:00+00:00", turn % 28 + 1), 100 + turn);
            let steps = json!({ "steps": [
                { "id": "order", "method": "POST", "path": "/orders?select=id,note", "prefer": "return=representation",
                  "body": { "customer_id": customer, "status": "new", "total": total, "note": note, "placed_at": at } },
                { "method": "POST", "path": "/visits",
                  "body": { "page": { "$ref": "order[0].note" }, "duration_ms": duration_ms, "seen_at": at } },
                { "method": "PATCH", "path": "/orders?id=eq.${order[0].id}", "body": { "status": "paid" } },
            ] });
            let checkout = json!({
                "customer_id": customer, "total": total, "note": note, "placed_at": at, "duration_ms": duration_ms,
            });
            (
                request("POST", "/rest/v1/batch", &headers, steps.to_string().as_bytes()),
                request("POST", "/checkouts", &headers, checkout.to_string().as_bytes()),
            )
        })
        .unzip();
    let name = "batch of 3 steps";
    // What the steps give is answered, so the yardstick answers with the number of the order.
    let newest = "/rest/v1/orders?select=customer_id,status,total,note,placed_at&order=id.desc&limit=1";
    let traces = vec![newest.to_owned(), newest_visits(1)];
    Workload { name, kind: Kind::Write, status: 200, answers: Answers::Made, traces, mainstay, yardstick }
}
