//! The reads: one prepared statement each, rows written into the answer as they come.

use bytes::Bytes;
use mysql_async::prelude::Queryable;
use mysql_async::{BinaryProtocol, Conn, Params, QueryResult, Row};
use tokio::sync::mpsc;

use crate::database::{PART_BYTES, PARTS_MAX, Parts};
use crate::encode::{self, CUSTOMER_OF_ORDER, List, Member, ORDER, SUM, members};
use crate::requests::{Read, Rows};
use crate::xml;

const ORDER_BY_KEY: &str = "SELECT id, customer_id, status, total, note, placed_at FROM orders WHERE id = ?";
const ORDERS_AFTER: &str =
    "SELECT id, customer_id, status, total, note, placed_at FROM orders WHERE id > ? ORDER BY id LIMIT 20";
const ORDERS_AFTER_WITH_CUSTOMER: &str = "SELECT o.id, o.customer_id, o.status, o.total, o.note, o.placed_at, \
     c.id, c.name, c.email FROM orders o JOIN customers c ON c.id = o.customer_id \
     WHERE o.id > ? ORDER BY o.id LIMIT 20";
const CUSTOMERS_AFTER: &str =
    "SELECT id, name, email, city, active, created_at FROM customers WHERE id > ? ORDER BY id LIMIT 20";
/// Of the customers that were found, by their numbers: those between the first and the last.
const ORDERS_OF_CUSTOMERS: &str = "SELECT id, customer_id, status, total, note, placed_at FROM orders \
     WHERE customer_id BETWEEN ? AND ? ORDER BY customer_id, id";
/// The count comes with each row: one statement, one snapshot.
const COUNTED_ORDERS_OF_SPAN: &str = "SELECT id, customer_id, status, total, note, placed_at, \
     (SELECT count(*) FROM orders WHERE customer_id >= ? AND customer_id < ?) FROM orders \
     WHERE customer_id >= ? AND customer_id < ? ORDER BY customer_id, id LIMIT 20";
const SUMS_OF_SPAN: &str = "SELECT customer_id, count(*), sum(total) FROM orders \
     WHERE customer_id >= ? AND customer_id < ? GROUP BY customer_id ORDER BY customer_id";
/// Written out, since the servers' planners read an index by a pair of columns only so.
const ORDERS_AFTER_PLACE: &str = "SELECT id, customer_id, status, total, note, placed_at FROM orders \
     WHERE customer_id >= ? AND (customer_id > ? OR id > ?) ORDER BY customer_id, id LIMIT 20";
const ORDERS_AT_OFFSET: &str = "SELECT id, customer_id, status, total, note, placed_at FROM orders \
     ORDER BY customer_id, id LIMIT 20 OFFSET ?";
const ORDERS_OF_NUMBERS: &str = "SELECT id, customer_id, status, total, note, placed_at FROM orders \
     WHERE id >= ? AND id < ? ORDER BY id";

type Found<'c> = QueryResult<'c, 'static, BinaryProtocol>;

/// Carries out one read.
pub(super) async fn run(connection: &mut Conn, read: &Read) -> anyhow::Result<Rows> {
    match *read {
        Read::Order { id } => list(connection, ORDER_BY_KEY, (id,), ORDER).await,
        Read::Orders { after } => list(connection, ORDERS_AFTER, (after,), ORDER).await,
        Read::OrdersWithCustomer { after } => orders_with_customer(connection, after).await,
        Read::CustomersWithOrders { after } => customers_with_orders(connection, after).await,
        Read::CountedOrders { from, below } => counted_orders(connection, from, below).await,
        Read::Sums { from, below } => list(connection, SUMS_OF_SPAN, (from, below), SUM).await,
        Read::OrdersAfterPlace { customer, id } => {
            let rows = list(connection, ORDERS_AFTER_PLACE, (customer, customer, id), ORDER).await?;
            Ok(Rows { first: None, ..rows })
        }
        Read::OrdersAtOffset { offset } => {
            let rows = list(connection, ORDERS_AT_OFFSET, (offset,), ORDER).await?;
            Ok(Rows { first: Some(offset), ..rows })
        }
        Read::Reviews { .. } => anyhow::bail!("there is no index of words on this server"),
        Read::OrdersAsXml { after } => orders_as_xml(connection, after).await,
    }
}

/// Rows of one statement, each an object of the members.
async fn list(
    connection: &mut Conn,
    sql: &'static str,
    params: impl Into<Params> + Send,
    columns: &[Member],
) -> anyhow::Result<Rows> {
    let mut list = List::new(4096);
    let mut found: Found<'_> = connection.exec_iter(sql, params).await?;
    while let Some(row) = found.next().await? {
        list.begin();
        members(&mut list.json, &row, 0, columns)?;
        list.json.push(b'}');
    }
    Ok(list.end())
}

async fn orders_with_customer(connection: &mut Conn, after: i64) -> anyhow::Result<Rows> {
    let mut list = List::new(8192);
    let mut found: Found<'_> = connection.exec_iter(ORDERS_AFTER_WITH_CUSTOMER, (after,)).await?;
    while let Some(row) = found.next().await? {
        list.begin();
        members(&mut list.json, &row, 0, ORDER)?;
        list.json.extend_from_slice(b",\"customers\":{");
        members(&mut list.json, &row, ORDER.len(), CUSTOMER_OF_ORDER)?;
        list.json.extend_from_slice(b"}}");
    }
    Ok(list.end())
}

/// Two statements, the second about the customers that the first one found.
async fn customers_with_orders(connection: &mut Conn, after: i64) -> anyhow::Result<Rows> {
    let customers: Vec<Row> = connection.exec(CUSTOMERS_AFTER, (after,)).await?;
    let key = |row: Option<&Row>| row.map(|row| encode::number(row, 0)).transpose();
    let (first, last) = (key(customers.first())?, key(customers.last())?);
    let orders: Vec<Row> = connection.exec(ORDERS_OF_CUSTOMERS, (first, last)).await?;
    encode::customers_with_orders(&customers, &orders)
}

async fn counted_orders(connection: &mut Conn, from: i64, below: i64) -> anyhow::Result<Rows> {
    let mut list = List::new(4096);
    // No row at all: none were counted.
    let mut total = 0;
    let mut found: Found<'_> = connection.exec_iter(COUNTED_ORDERS_OF_SPAN, (from, below, from, below)).await?;
    while let Some(row) = found.next().await? {
        total = row.get(ORDER.len()).unwrap_or_default();
        list.begin();
        members(&mut list.json, &row, 0, ORDER)?;
        list.json.push(b'}');
    }
    Ok(Rows { total: Some(total), ..list.end() })
}

async fn orders_as_xml(connection: &mut Conn, after: i64) -> anyhow::Result<Rows> {
    let mut body = Vec::with_capacity(8192);
    let mut count = 0;
    let mut found: Found<'_> = connection.exec_iter(ORDERS_AFTER, (after,)).await?;
    body.extend_from_slice(xml::HEAD);
    while let Some(row) = found.next().await? {
        xml::order(&mut body, &row)?;
        count += 1;
    }
    body.extend_from_slice(xml::TAIL);
    Ok(Rows { body, rows: count, first: Some(0), total: None })
}

/// The orders of a span of numbers as NDJSON, read as fast as the client takes them.
pub(super) fn stream(mut connection: Conn, from: i64, below: i64) -> Parts {
    let (parts, receiver) = mpsc::channel(PARTS_MAX);
    tokio::spawn(async move {
        // A failure drops the sender in the middle; the client sees an answer without its end.
        if !matches!(send(&mut connection, &parts, from, below).await, Ok(true)) {
            // What the server was still reading ends with the connection.
            let _ = connection.disconnect().await;
        }
    });
    receiver
}

/// Sends all parts; `false` if the client went away before that.
async fn send(connection: &mut Conn, parts: &mpsc::Sender<Bytes>, from: i64, below: i64) -> anyhow::Result<bool> {
    let mut found: Found<'_> = connection.exec_iter(ORDERS_OF_NUMBERS, (from, below)).await?;
    let mut part = Vec::with_capacity(PART_BYTES + 1024);
    while let Some(row) = found.next().await? {
        part.push(b'{');
        members(&mut part, &row, 0, ORDER)?;
        part.extend_from_slice(b"}\n");
        if part.len() >= PART_BYTES {
            let full = std::mem::replace(&mut part, Vec::with_capacity(PART_BYTES + 1024));
            if parts.send(full.into()).await.is_err() {
                return Ok(false);
            }
        }
    }
    Ok(parts.send(part.into()).await.is_ok())
}
