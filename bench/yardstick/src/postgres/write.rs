//! The writes: one prepared statement for any number of rows, and one transaction of several steps.

use futures_util::future::{try_join, try_join3};
use tokio_postgres::{Client, Statement};

use super::connect::{Connection, Prepared};
use crate::requests::{Checkout, OrderChange, Visit};

const VISIT: &str =
    "INSERT INTO visits (page, referrer, duration_ms, seen_at) VALUES ($1, $2, $3, $4::text::timestamptz)";
const VISITS: &str = "INSERT INTO visits (page, referrer, duration_ms, seen_at) \
     SELECT page, referrer, duration_ms, seen_at::timestamptz \
     FROM unnest($1::text[], $2::text[], $3::int[], $4::text[]) AS v (page, referrer, duration_ms, seen_at)";
const CHANGE_ORDER: &str = "UPDATE orders SET status = $2, note = $3 WHERE id = $1";
const NEW_ORDER: &str = "INSERT INTO orders (customer_id, status, total, note, placed_at) \
     VALUES ($1, 'new', $2::text::numeric, $3, $4::text::timestamptz) RETURNING id, note";
const PAY_ORDER: &str = "UPDATE orders SET status = 'paid' WHERE id = $1";

/// The statements above, prepared.
pub(super) struct Statements {
    visit: Statement,
    visits: Statement,
    change_order: Statement,
    new_order: Statement,
    pay_order: Statement,
}

impl Prepared for Statements {
    async fn prepare(client: &Client) -> Result<Statements, tokio_postgres::Error> {
        Ok(Statements {
            visit: client.prepare(VISIT).await?,
            visits: client.prepare(VISITS).await?,
            change_order: client.prepare(CHANGE_ORDER).await?,
            new_order: client.prepare(NEW_ORDER).await?,
            pay_order: client.prepare(PAY_ORDER).await?,
        })
    }
}

type Done = Result<(), tokio_postgres::Error>;

/// New visits, all or none.
pub(super) async fn visits(connection: &Connection<Statements>, visits: &[Visit]) -> Done {
    let Connection { client, statements } = connection;
    if let [visit] = visits {
        let Visit { page, referrer, duration_ms, seen_at } = visit;
        return client.execute(&statements.visit, &[page, referrer, duration_ms, seen_at]).await.map(drop);
    }
    let pages: Vec<&str> = visits.iter().map(|visit| visit.page.as_str()).collect();
    let referrers: Vec<Option<&str>> = visits.iter().map(|visit| visit.referrer.as_deref()).collect();
    let durations: Vec<i32> = visits.iter().map(|visit| visit.duration_ms).collect();
    let times: Vec<&str> = visits.iter().map(|visit| visit.seen_at.as_str()).collect();
    client.execute(&statements.visits, &[&pages, &referrers, &durations, &times]).await.map(drop)
}

/// One order's new status and note.
pub(super) async fn order(connection: &Connection<Statements>, id: i64, change: &OrderChange) -> Done {
    let Connection { client, statements } = connection;
    client.execute(&statements.change_order, &[&id, &change.status, &change.note]).await.map(drop)
}

/// A new order, a visit that bears its note, and the order paid; the order's number. Two round trips: what can go
/// together does, in the order in which it is written here.
///
/// # Errors
/// When the server refuses any of it; the transaction may be open then.
pub(super) async fn check_out(
    connection: &Connection<Statements>,
    checkout: &Checkout,
) -> Result<i64, tokio_postgres::Error> {
    let Connection { client, statements } = connection;
    let Checkout { customer_id, total, note, placed_at, duration_ms } = checkout;
    let ((), order) = try_join(
        client.batch_execute("BEGIN"),
        client.query_one(&statements.new_order, &[customer_id, total, note, placed_at]),
    )
    .await?;
    let id: i64 = order.try_get(0)?;
    let page: &str = order.try_get(1)?;
    let referrer: Option<&str> = None;
    try_join3(
        client.execute(&statements.visit, &[&page, &referrer, duration_ms, placed_at]),
        client.execute(&statements.pay_order, &[&id]),
        client.batch_execute("COMMIT"),
    )
    .await?;
    Ok(id)
}
