//! The writes: one statement for any number of rows, and one transaction of several steps.

use std::path::Path;

use anyhow::{Context, ensure};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Value};

use crate::requests::{Checkout, OrderChange, Visit};
use crate::reviews::Reviews;

const CHANGE_ORDER: &str = "UPDATE orders SET status = ?, note = ? WHERE id = ?";
const NEW_ORDER: &str = "INSERT INTO orders (customer_id, status, total, note, placed_at) VALUES (?, 'new', ?, ?, ?)";
const PAY_ORDER: &str = "UPDATE orders SET status = 'paid' WHERE id = ?";

/// New visits, all or none.
pub(super) async fn visits(connection: &mut Conn, table: &str, visits: &[Visit]) -> anyhow::Result<()> {
    let mut values: Vec<Value> = Vec::with_capacity(visits.len() * 4);
    for Visit { page, referrer, duration_ms, seen_at } in visits {
        values.extend([page.into(), referrer.as_ref().into(), duration_ms.into(), time(seen_at)?.into()]);
    }
    let sql = insert(table, &["page", "referrer", "duration_ms", "seen_at"], visits.len());
    Ok(connection.exec_drop(sql, values).await?)
}

/// One order's new status and note.
pub(super) async fn order(connection: &mut Conn, id: i64, change: &OrderChange) -> anyhow::Result<()> {
    Ok(connection.exec_drop(CHANGE_ORDER, (&change.status, &change.note, id)).await?)
}

/// A new order, a visit that bears its note, and the order paid; the order's number.
///
/// # Errors
/// When the server refuses any of it.
pub(super) async fn check_out(connection: &mut Conn, checkout: &Checkout) -> anyhow::Result<i64> {
    connection.query_drop("START TRANSACTION").await?;
    let made = steps(connection, checkout).await;
    // The connection goes back to the others, so what is open is ended here.
    connection.query_drop(if made.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
    made
}

async fn steps(connection: &mut Conn, checkout: &Checkout) -> anyhow::Result<i64> {
    let Checkout { customer_id, total, note, placed_at, duration_ms } = checkout;
    let at = time(placed_at)?;
    connection.exec_drop(NEW_ORDER, (customer_id, total, note, &at)).await?;
    let order = i64::try_from(connection.last_insert_id().context("the order has no number")?)?;
    let visit = insert("visits", &["page", "referrer", "duration_ms", "seen_at"], 1);
    connection.exec_drop(visit, (note, Value::NULL, duration_ms, &at)).await?;
    connection.exec_drop(PAY_ORDER, (order,)).await?;
    Ok(order)
}

/// Loads reviews into their table in one transaction; how many.
pub(super) async fn import(connection: &mut Conn, file: &Path) -> anyhow::Result<u64> {
    let mut reviews = Reviews::open(file)?;
    let mut count = 0;
    connection.query_drop("START TRANSACTION").await?;
    loop {
        let part = reviews.part()?;
        if part.is_empty() {
            break;
        }
        let sql = insert("yardstick_reviews", &["id", "stars", "body"], part.len());
        count += part.len() as u64;
        let values = part.into_iter().flat_map(|(id, stars, body)| [id.into(), stars.into(), body.into()]);
        connection.exec_drop(sql, values.collect::<Vec<Value>>()).await?;
    }
    connection.query_drop("COMMIT").await?;
    Ok(count)
}

fn insert(table: &str, columns: &[&str], rows: usize) -> String {
    let row = format!("({})", vec!["?"; columns.len()].join(","));
    format!("INSERT INTO {table} ({}) VALUES {}", columns.join(", "), vec![row.as_str(); rows].join(","))
}

/// An instant as the servers read it: in UTC, without its offset.
fn time(text: &str) -> anyhow::Result<String> {
    let local = text.strip_suffix("+00:00").or_else(|| text.strip_suffix('Z'));
    let local = local.with_context(|| format!("{text} is not in UTC"))?;
    ensure!(local.len() >= 19 && local.as_bytes()[10] == b'T', "{text} is no instant");
    Ok(local.replacen('T', " ", 1))
}
