//! The reads: one prepared statement each, rows written into the answer as they come.

use std::pin::pin;

use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::future::try_join;
use tokio::sync::mpsc;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, RowStream, Statement};

use super::connect::{Connection, Lending, Lent, Prepared};
use crate::database::{PART_BYTES, PARTS_MAX, Parts};
use crate::encode::{self, CUSTOMER_OF_ORDER, List, Member, ORDER, REVIEW, SUM, members};
use crate::requests::{Read, Rows};
use crate::xml;

const ORDER_BY_KEY: &str = "SELECT id, customer_id, status, total, note, placed_at FROM orders WHERE id = $1";
const ORDERS_AFTER: &str =
    "SELECT id, customer_id, status, total, note, placed_at FROM orders WHERE id > $1 ORDER BY id LIMIT 20";
const ORDERS_AFTER_WITH_CUSTOMER: &str = "SELECT o.id, o.customer_id, o.status, o.total, o.note, o.placed_at, \
     c.id, c.name, c.email FROM orders o JOIN customers c ON c.id = o.customer_id \
     WHERE o.id > $1 ORDER BY o.id LIMIT 20";
const CUSTOMERS_AFTER: &str =
    "SELECT id, name, email, city, active, created_at FROM customers WHERE id > $1 ORDER BY id LIMIT 20";
/// Finds the same customers again, so that it need not wait for the answer to the statement before.
const ORDERS_OF_CUSTOMERS_AFTER: &str = "SELECT o.id, o.customer_id, o.status, o.total, o.note, o.placed_at \
     FROM (SELECT id FROM customers WHERE id > $1 ORDER BY id LIMIT 20) c JOIN orders o ON o.customer_id = c.id \
     ORDER BY o.customer_id, o.id";
/// The count comes with each row: one statement, one snapshot.
const COUNTED_ORDERS_OF_SPAN: &str = "SELECT id, customer_id, status, total, note, placed_at, \
     (SELECT count(*) FROM orders WHERE customer_id >= $1 AND customer_id < $2) FROM orders \
     WHERE customer_id >= $1 AND customer_id < $2 ORDER BY customer_id, id LIMIT 20";
const SUMS_OF_SPAN: &str = "SELECT customer_id, count(*), sum(total) FROM orders \
     WHERE customer_id >= $1 AND customer_id < $2 GROUP BY customer_id ORDER BY customer_id";
const ORDERS_AFTER_PLACE: &str = "SELECT id, customer_id, status, total, note, placed_at FROM orders \
     WHERE (customer_id, id) > ($1, $2) ORDER BY customer_id, id LIMIT 20";
const ORDERS_AT_OFFSET: &str = "SELECT id, customer_id, status, total, note, placed_at FROM orders \
     ORDER BY customer_id, id LIMIT 20 OFFSET $1";
const REVIEWS: &str = "SELECT id, stars, body FROM reviews \
     WHERE to_tsvector('english', body) @@ plainto_tsquery('english', $1) ORDER BY id LIMIT 20";
const ORDERS_OF_NUMBERS: &str = "SELECT id, customer_id, status, total, note, placed_at FROM orders \
     WHERE id >= $1 AND id < $2 ORDER BY id";

/// The statements above, prepared.
pub(super) struct Statements {
    order_by_key: Statement,
    orders_after: Statement,
    orders_after_with_customer: Statement,
    customers_after: Statement,
    orders_of_customers_after: Statement,
    counted_orders_of_span: Statement,
    sums_of_span: Statement,
    orders_after_place: Statement,
    orders_at_offset: Statement,
    reviews: Statement,
    orders_of_numbers: Statement,
}

impl Prepared for Statements {
    async fn prepare(client: &Client) -> Result<Statements, tokio_postgres::Error> {
        Ok(Statements {
            order_by_key: client.prepare(ORDER_BY_KEY).await?,
            orders_after: client.prepare(ORDERS_AFTER).await?,
            orders_after_with_customer: client.prepare(ORDERS_AFTER_WITH_CUSTOMER).await?,
            customers_after: client.prepare(CUSTOMERS_AFTER).await?,
            orders_of_customers_after: client.prepare(ORDERS_OF_CUSTOMERS_AFTER).await?,
            counted_orders_of_span: client.prepare(COUNTED_ORDERS_OF_SPAN).await?,
            sums_of_span: client.prepare(SUMS_OF_SPAN).await?,
            orders_after_place: client.prepare(ORDERS_AFTER_PLACE).await?,
            orders_at_offset: client.prepare(ORDERS_AT_OFFSET).await?,
            reviews: client.prepare(REVIEWS).await?,
            orders_of_numbers: client.prepare(ORDERS_OF_NUMBERS).await?,
        })
    }
}

type Param<'p> = &'p (dyn ToSql + Sync);

/// Carries out one read.
pub(super) async fn run(connection: &Connection<Statements>, read: &Read) -> anyhow::Result<Rows> {
    let Connection { client, statements } = connection;
    match read {
        Read::Order { id } => list(client, &statements.order_by_key, &[id], ORDER).await,
        Read::Orders { after } => list(client, &statements.orders_after, &[after], ORDER).await,
        Read::OrdersWithCustomer { after } => orders_with_customer(connection, *after).await,
        Read::CustomersWithOrders { after } => customers_with_orders(connection, *after).await,
        Read::CountedOrders { from, below } => counted_orders(connection, *from, *below).await,
        Read::Sums { from, below } => list(client, &statements.sums_of_span, &[from, below], SUM).await,
        Read::OrdersAfterPlace { customer, id } => {
            let rows = list(client, &statements.orders_after_place, &[customer, id], ORDER).await?;
            Ok(Rows { first: None, ..rows })
        }
        Read::OrdersAtOffset { offset } => {
            let rows = list(client, &statements.orders_at_offset, &[offset], ORDER).await?;
            Ok(Rows { first: Some(*offset), ..rows })
        }
        Read::Reviews { words } => list(client, &statements.reviews, &[words], REVIEW).await,
        Read::OrdersAsXml { after } => orders_as_xml(connection, *after).await,
    }
}

async fn rows(
    client: &Client,
    statement: &Statement,
    params: &[Param<'_>],
) -> Result<RowStream, tokio_postgres::Error> {
    client.query_raw(statement, params.iter().copied()).await
}

/// Rows of one statement, each an object of the members.
async fn list(
    client: &Client,
    statement: &Statement,
    params: &[Param<'_>],
    columns: &[Member],
) -> anyhow::Result<Rows> {
    let mut list = List::new(4096);
    let mut rows = pin!(rows(client, statement, params).await?);
    while let Some(row) = rows.try_next().await? {
        list.begin();
        members(&mut list.json, &row, 0, columns)?;
        list.json.push(b'}');
    }
    Ok(list.end())
}

async fn orders_with_customer(connection: &Connection<Statements>, after: i64) -> anyhow::Result<Rows> {
    let mut list = List::new(8192);
    let statement = &connection.statements.orders_after_with_customer;
    let mut rows = pin!(rows(&connection.client, statement, &[&after]).await?);
    while let Some(row) = rows.try_next().await? {
        list.begin();
        members(&mut list.json, &row, 0, ORDER)?;
        list.json.extend_from_slice(b",\"customers\":{");
        members(&mut list.json, &row, ORDER.len(), CUSTOMER_OF_ORDER)?;
        list.json.extend_from_slice(b"}}");
    }
    Ok(list.end())
}

/// Two statements that go out together. Orders of a customer that the first did not see yet are left out.
async fn customers_with_orders(connection: &Connection<Statements>, after: i64) -> anyhow::Result<Rows> {
    let Connection { client, statements } = connection;
    let params: [Param<'_>; 1] = [&after];
    let (customers, orders) = try_join(
        client.query(&statements.customers_after, &params),
        client.query(&statements.orders_of_customers_after, &params),
    )
    .await?;
    encode::customers_with_orders(&customers, &orders)
}

async fn counted_orders(connection: &Connection<Statements>, from: i64, below: i64) -> anyhow::Result<Rows> {
    let mut list = List::new(4096);
    // No row at all: none were counted.
    let mut total = 0;
    let statement = &connection.statements.counted_orders_of_span;
    let mut rows = pin!(rows(&connection.client, statement, &[&from, &below]).await?);
    while let Some(row) = rows.try_next().await? {
        total = row.try_get(ORDER.len())?;
        list.begin();
        members(&mut list.json, &row, 0, ORDER)?;
        list.json.push(b'}');
    }
    Ok(Rows { total: Some(total), ..list.end() })
}

async fn orders_as_xml(connection: &Connection<Statements>, after: i64) -> anyhow::Result<Rows> {
    let mut body = Vec::with_capacity(8192);
    let mut count = 0;
    let mut rows = pin!(rows(&connection.client, &connection.statements.orders_after, &[&after]).await?);
    body.extend_from_slice(xml::HEAD);
    while let Some(row) = rows.try_next().await? {
        xml::order(&mut body, &row)?;
        count += 1;
    }
    body.extend_from_slice(xml::TAIL);
    Ok(Rows { body, rows: count, first: Some(0), total: None })
}

/// The orders of a span of numbers as NDJSON, read as fast as the client takes them.
pub(super) fn stream(lent: Lent<Statements>, streamers: Lending<Statements>, from: i64, below: i64) -> Parts {
    let (parts, receiver) = mpsc::channel(PARTS_MAX);
    tokio::spawn(async move {
        // A failure drops the sender in the middle; the client sees an answer without its end. The connection is then
        // closed, and with it what the server was still reading.
        if let Ok(true) = send(&lent, &parts, from, below).await {
            streamers.take_back(lent);
        }
    });
    receiver
}

/// Sends all parts; `false` if the client went away before that.
async fn send(
    connection: &Connection<Statements>,
    parts: &mpsc::Sender<Bytes>,
    from: i64,
    below: i64,
) -> anyhow::Result<bool> {
    let statement = &connection.statements.orders_of_numbers;
    let mut rows = pin!(rows(&connection.client, statement, &[&from, &below]).await?);
    let mut part = Vec::with_capacity(PART_BYTES + 1024);
    while let Some(row) = rows.try_next().await? {
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
