//! The reads: a pool of threads, each with its own connection and its own prepared statements.

use std::fmt::Write as _;

use crossbeam_channel::{Receiver, Sender, bounded};
use rusqlite::{Connection, Params, params};
use tokio::sync::oneshot;

use crate::encode::{Form, Member, members};
use crate::{search, xml};

/// What a request asks for.
pub(crate) enum Read {
    /// One order by its key.
    Order { id: i64 },
    /// Twenty orders after a key.
    Orders { after: i64 },
    /// Twenty orders after a key, each with its customer.
    OrdersWithCustomer { after: i64 },
    /// Twenty customers after a key, each with all its orders.
    CustomersWithOrders { after: i64 },
    /// The first twenty orders of a span of customers, and how many there are in all.
    CountedOrders { from: i64, below: i64 },
    /// For each customer of a span, how many orders and for how much.
    Sums { from: i64, below: i64 },
    /// Twenty orders by customer, after one of them.
    OrdersAfterPlace { customer: i64, id: i64 },
    /// Twenty orders by customer, after so many others.
    OrdersAtOffset { offset: i64 },
    /// The first twenty reviews that have all these words.
    Reviews { words: String },
    /// Twenty orders after a key, as XML.
    OrdersAsXml { after: i64 },
}

/// An answer: the rows as they are sent, how many they are, and the count of all when it was asked for.
pub(crate) struct Rows {
    pub(crate) body: Vec<u8>,
    pub(crate) rows: usize,
    /// Rows before the first one; `None` where nobody has counted them.
    pub(crate) first: Option<i64>,
    pub(crate) total: Option<i64>,
}

type Job = (Read, oneshot::Sender<rusqlite::Result<Rows>>);

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
    pub(crate) async fn run(&self, read: Read) -> Option<rusqlite::Result<Rows>> {
        let (reply, answer) = oneshot::channel();
        self.jobs.try_send((read, reply)).ok()?;
        answer.await.ok()
    }
}

pub(crate) const ORDER: &[Member] = &[
    ("\"id\":", Form::Integer),
    ("\"customer_id\":", Form::Integer),
    ("\"status\":", Form::Text),
    ("\"total\":", Form::Digits),
    ("\"note\":", Form::Text),
    ("\"placed_at\":", Form::Text),
];
const CUSTOMER: &[Member] = &[
    ("\"id\":", Form::Integer),
    ("\"name\":", Form::Text),
    ("\"email\":", Form::Text),
    ("\"city\":", Form::Text),
    ("\"active\":", Form::Bool),
    ("\"created_at\":", Form::Text),
];
const SUM: &[Member] =
    &[("\"customer_id\":", Form::Integer), ("\"orders\":", Form::Integer), ("\"total\":", Form::Cents)];
const CUSTOMER_OF_ORDER: &[Member] =
    &[("\"id\":", Form::Integer), ("\"name\":", Form::Text), ("\"email\":", Form::Text)];

const ORDER_BY_KEY: &str = "SELECT id, customer_id, status, total, note, placed_at FROM orders WHERE id = ?1";
pub(crate) const ORDERS_AFTER: &str =
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

fn run(connection: &Connection, read: &Read) -> rusqlite::Result<Rows> {
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
        Read::Reviews { ref words } => list(connection, search::REVIEWS, [search::all_of(words)], search::REVIEW),
        Read::OrdersAsXml { after } => xml::orders(connection, after),
    }
}

/// Rows of one statement, each an object of the members.
fn list(connection: &Connection, sql: &str, binds: impl Params, columns: &[Member]) -> rusqlite::Result<Rows> {
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
) -> rusqlite::Result<usize> {
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

fn orders_with_customer(connection: &Connection, after: i64) -> rusqlite::Result<Rows> {
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

fn customers_with_orders(connection: &Connection, after: i64) -> rusqlite::Result<Rows> {
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

/// The `Content-Range` of an answer.
pub(crate) fn content_range(rows: &Rows) -> String {
    let mut text = String::with_capacity(24);
    // Writing to a String cannot fail.
    let _ = match rows.first {
        Some(first) if rows.rows > 0 => write!(text, "{first}-{}/", first + rows.rows as i64 - 1),
        _ => write!(text, "*/"),
    };
    let _ = match rows.total {
        Some(total) => write!(text, "{total}"),
        None => write!(text, "*"),
    };
    text
}
