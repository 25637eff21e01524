//! The reads: a pool of threads, each with its own connection and its own prepared statements.

use crossbeam_channel::{Receiver, Sender, bounded};
use rusqlite::{Connection, Params, params};
use tokio::sync::oneshot;

use super::search;
use crate::encode::{CUSTOMER, CUSTOMER_OF_ORDER, Member, ORDER, REVIEW, SUM, members};
use crate::requests::{Read, Rows};
use crate::xml;

type Job = (Read, oneshot::Sender<anyhow::Result<Rows>>);

/// The pool.
pub(crate) struct Readers {
    jobs: Sender<Job>,
}

impl Readers {
    /// Starts a thread for each connection.
    pub(crate) fn start(connections: Vec<Connection>) -> Self {
        let (jobs, inbox) = bounded::<Job>(1024);
        for connection in connections {
            let inbox: Receiver<Job> = inbox.clone();
            std::thread::spawn(move || {
                for (read, reply) in inbox {
                    let _ = reply.send(run(&connection, &read));
                }
            });
        }
        Self { jobs }
    }

    /// Carries out one read; `None` when the pool is full or gone.
    pub(crate) async fn run(&self, read: Read) -> Option<anyhow::Result<Rows>> {
        let (reply, answer) = oneshot::channel();
        self.jobs.try_send((read, reply)).ok()?;
        answer.await.ok()
    }
}

const ORDER_BY_KEY: &str = "SELECT id, customer_id, status, total, note, placed_at FROM orders WHERE id = ?1";
const ORDERS_AFTER: &str =
    "SELECT id, customer_id, status, total, note, placed_at FROM orders WHERE id > ?1 ORDER BY id LIMIT 20";
const ORDERS_AFTER_WITH_CUSTOMER: &str = "SELECT o.id, o.customer_id, o.status, o.total, o.note, o.placed_at, \
     c.id, c.name, c.email FROM orders o JOIN customers c ON c.id = o.customer_id \
     WHERE o.id > ?1 ORDER BY o.id LIMIT 20";
const CUSTOMERS_AFTER: &str =
    "SELECT id, name, email, city, active, created_at FROM customers WHERE id > ?1 ORDER BY id LIMIT 20";
const ORDERS_OF_CUSTOMER: &str =
    "SELECT id, customer_id, status, total, note, placed_at FROM orders WHERE customer_id = ?1 ORDER BY id";
const ORDERS_OF_SPAN: &str = "SELECT id, customer_id, status, total, note, placed_at FROM orders \
     WHERE customer_id >= ?1 AND customer_id < ?2 ORDER BY customer_id, id LIMIT 20";
/// A decimal of two digits is kept as its digits, so that it adds up exactly without its point.
const SUMS_OF_SPAN: &str = "SELECT customer_id, count(*), sum(CAST(replace(total, '.', '') AS INTEGER)) FROM orders \
     WHERE customer_id >= ?1 AND customer_id < ?2 GROUP BY customer_id ORDER BY customer_id";
const ORDERS_AFTER_PLACE: &str = "SELECT id, customer_id, status, total, note, placed_at FROM orders \
     WHERE (customer_id, id) > (?1, ?2) ORDER BY customer_id, id LIMIT 20";
const ORDERS_AT_OFFSET: &str = "SELECT id, customer_id, status, total, note, placed_at FROM orders \
     ORDER BY customer_id, id LIMIT 20 OFFSET ?1";
const COUNT_OF_SPAN: &str = "SELECT count(*) FROM orders WHERE customer_id >= ?1 AND customer_id < ?2";

fn run(connection: &Connection, read: &Read) -> anyhow::Result<Rows> {
    match *read {
        Read::Order { id } => list(connection, ORDER_BY_KEY, [id], ORDER),
        Read::Orders { after } => list(connection, ORDERS_AFTER, [after], ORDER),
        Read::OrdersWithCustomer { after } => orders_with_customer(connection, after),
        Read::CustomersWithOrders { after } => customers_with_orders(connection, after),
        Read::CountedOrders { from, below } => {
            let snapshot = connection.unchecked_transaction()?;
            let total = snapshot.prepare_cached(COUNT_OF_SPAN)?.query_row(params![from, below], |row| row.get(0))?;
            let rows = list(&snapshot, ORDERS_OF_SPAN, [from, below], ORDER)?;
            Ok(Rows { total: Some(total), ..rows })
        }
        Read::Sums { from, below } => list(connection, SUMS_OF_SPAN, [from, below], SUM),
        Read::OrdersAfterPlace { customer, id } => {
            Ok(Rows { first: None, ..list(connection, ORDERS_AFTER_PLACE, [customer, id], ORDER)? })
        }
        Read::OrdersAtOffset { offset } => {
            Ok(Rows { first: Some(offset), ..list(connection, ORDERS_AT_OFFSET, [offset], ORDER)? })
        }
        Read::Reviews { ref words } => list(connection, search::REVIEWS, [search::all_of(words)], REVIEW),
        Read::OrdersAsXml { after } => orders_as_xml(connection, after),
    }
}

/// Rows of one statement, each an object of the members.
fn list(connection: &Connection, sql: &str, binds: impl Params, columns: &[Member]) -> anyhow::Result<Rows> {
    let mut body = Vec::with_capacity(4096);
    let rows = objects(connection, sql, binds, columns, &mut body)?;
    Ok(Rows { body, rows, first: Some(0), total: None })
}

/// Appends `[{…},…]`; returns how many rows it held.
fn objects(
    connection: &Connection,
    sql: &str,
    binds: impl Params,
    columns: &[Member],
    out: &mut Vec<u8>,
) -> anyhow::Result<usize> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(binds)?;
    let mut count = 0;
    out.push(b'[');
    while let Some(row) = rows.next()? {
        out.extend_from_slice(if count == 0 { b"{" } else { b",{" });
        members(out, row, 0, columns)?;
        out.push(b'}');
        count += 1;
    }
    out.push(b']');
    Ok(count)
}

fn orders_with_customer(connection: &Connection, after: i64) -> anyhow::Result<Rows> {
    let mut statement = connection.prepare_cached(ORDERS_AFTER_WITH_CUSTOMER)?;
    let mut rows = statement.query([after])?;
    let mut json = Vec::with_capacity(8192);
    let mut count = 0;
    json.push(b'[');
    while let Some(row) = rows.next()? {
        json.extend_from_slice(if count == 0 { b"{" } else { b",{" });
        members(&mut json, row, 0, ORDER)?;
        json.extend_from_slice(b",\"customers\":{");
        members(&mut json, row, ORDER.len(), CUSTOMER_OF_ORDER)?;
        json.extend_from_slice(b"}}");
        count += 1;
    }
    json.push(b']');
    Ok(Rows { body: json, rows: count, first: Some(0), total: None })
}

fn customers_with_orders(connection: &Connection, after: i64) -> anyhow::Result<Rows> {
    let snapshot = connection.unchecked_transaction()?;
    let mut statement = snapshot.prepare_cached(CUSTOMERS_AFTER)?;
    let mut rows = statement.query([after])?;
    let mut json = Vec::with_capacity(32_768);
    let mut count = 0;
    json.push(b'[');
    while let Some(row) = rows.next()? {
        json.extend_from_slice(if count == 0 { b"{" } else { b",{" });
        members(&mut json, row, 0, CUSTOMER)?;
        json.extend_from_slice(b",\"orders\":");
        objects(&snapshot, ORDERS_OF_CUSTOMER, [row.get::<_, i64>(0)?], ORDER, &mut json)?;
        json.push(b'}');
        count += 1;
    }
    json.push(b']');
    Ok(Rows { body: json, rows: count, first: Some(0), total: None })
}

fn orders_as_xml(connection: &Connection, after: i64) -> anyhow::Result<Rows> {
    let mut statement = connection.prepare_cached(ORDERS_AFTER)?;
    let mut rows = statement.query([after])?;
    let mut body = Vec::with_capacity(8192);
    let mut count = 0;
    body.extend_from_slice(xml::HEAD);
    while let Some(row) = rows.next()? {
        xml::order(&mut body, row)?;
        count += 1;
    }
    body.extend_from_slice(xml::TAIL);
    Ok(Rows { body, rows: count, first: Some(0), total: None })
}
