//! What the routes ask of a database, and what they get. Knows neither HTTP nor SQL.

use serde::Deserialize;

/// Rows that a request asks for.
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

/// One visit, as a request's body gives it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Visit {
    pub(crate) page: String,
    pub(crate) referrer: Option<String>,
    pub(crate) duration_ms: i32,
    pub(crate) seen_at: String,
}

/// What may be changed of an order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderChange {
    pub(crate) status: String,
    pub(crate) note: Option<String>,
}

/// An order that is paid at once, as a request's body gives it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Checkout {
    pub(crate) customer_id: i64,
    pub(crate) total: String,
    pub(crate) note: String,
    pub(crate) placed_at: String,
    pub(crate) duration_ms: i32,
}

/// What a request wants written.
pub(crate) enum Write {
    /// New visits, all or none.
    Visits(Vec<Visit>),
    /// One order's new status and note.
    Order { id: i64, change: OrderChange },
    /// A new order, a visit that bears its note, and the order paid: all or none.
    Checkout(Checkout),
}

/// The number of the order that a checkout made.
pub(crate) type Made = Option<i64>;

/// Why a request was not carried out.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Too many wait already.
    Overloaded,
    /// The database refused it, or is not there.
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::Failed(error.into())
    }
}
