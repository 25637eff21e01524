//! The writes: one document by itself, and many, or several steps, in one transaction.
//!
//! Numbers are taken outside of transactions from where the server that is measured takes them. That need not wait for the
//! disk: nothing that bears a number is there without its being taken, since it comes later in the server's log.

use std::path::Path;

use futures_util::future::{FutureExt, try_join};
use mongodb::bson::{DateTime, Decimal128, Document, RawDocumentBuf, doc};
use mongodb::error::{Error, Result};
use mongodb::options::{Acknowledgment, ReturnDocument, WriteConcern};
use mongodb::{ClientSession, Collection};
use serde::Serialize;

use super::Mongo;
use crate::requests::{Checkout, OrderChange, Visit};
use crate::reviews::Reviews;

/// A visit as it is kept.
#[derive(Serialize)]
struct NewVisit<'v> {
    _id: i64,
    page: &'v str,
    referrer: Option<&'v str>,
    duration_ms: i32,
    seen_at: DateTime,
}

impl<'v> NewVisit<'v> {
    fn of(id: i64, visit: &'v Visit) -> anyhow::Result<NewVisit<'v>> {
        Ok(NewVisit {
            _id: id,
            page: &visit.page,
            referrer: visit.referrer.as_deref(),
            duration_ms: visit.duration_ms,
            seen_at: DateTime::parse_rfc3339_str(&visit.seen_at)?,
        })
    }
}

/// An order as it is kept.
#[derive(Serialize)]
struct NewOrder<'o> {
    _id: i64,
    customer_id: i64,
    status: &'o str,
    total: Decimal128,
    note: &'o str,
    placed_at: DateTime,
}

/// A review as it is kept.
#[derive(Serialize)]
pub(super) struct NewReview {
    _id: i64,
    stars: i32,
    body: String,
}

/// New visits, all or none.
pub(super) async fn visits(database: &Mongo, visits: &[Visit]) -> anyhow::Result<()> {
    let first = numbers(database, "visits", i64::try_from(visits.len())?).await?;
    let new = (first..).zip(visits).map(|(id, visit)| NewVisit::of(id, visit)).collect::<anyhow::Result<Vec<_>>>()?;
    let all = database.database.collection::<NewVisit<'_>>("visits");
    if let [visit] = new.as_slice() {
        all.insert_one(visit).await?;
        return Ok(());
    }
    let mut session = database.client.start_session().await?;
    let transaction = session.start_transaction();
    transaction.and_run((all, new), |session, (all, new)| insert(session, all, new).boxed()).await?;
    Ok(())
}

async fn insert(session: &mut ClientSession, all: &Collection<NewVisit<'_>>, new: &[NewVisit<'_>]) -> Result<()> {
    all.insert_many(new).session(session).await.map(drop)
}

/// One order's new status and note.
pub(super) async fn order(database: &Mongo, id: i64, change: &OrderChange) -> Result<()> {
    let set = doc! { "$set": { "status": &change.status, "note": &change.note } };
    database.orders.update_one(doc! { "_id": id }, set).await.map(drop)
}

/// A new order of a customer who is there, a visit that bears its note, and the order paid; the order's number.
///
/// # Errors
/// When there is no such customer, or the server refuses any of it.
pub(super) async fn check_out(database: &Mongo, checkout: &Checkout) -> anyhow::Result<i64> {
    let Checkout { customer_id, total, note, placed_at, duration_ms } = checkout;
    let at = DateTime::parse_rfc3339_str(placed_at)?;
    let total: Decimal128 = total.parse()?;
    let (order, visit) = try_join(numbers(database, "orders", 1), numbers(database, "visits", 1)).await?;
    let mut steps = Steps {
        customers: database.customers.clone(),
        orders: database.database.collection("orders"),
        visits: database.database.collection("visits"),
        order: NewOrder { _id: order, customer_id: *customer_id, status: "new", total, note, placed_at: at },
        visit: NewVisit { _id: visit, page: note, referrer: None, duration_ms: *duration_ms, seen_at: at },
    };
    let mut session = database.client.start_session().await?;
    session.start_transaction().and_run(&mut steps, |session, steps| steps.run(session).boxed()).await?;
    Ok(order)
}

/// What a checkout does.
struct Steps<'c> {
    customers: Collection<RawDocumentBuf>,
    orders: Collection<NewOrder<'c>>,
    visits: Collection<NewVisit<'c>>,
    order: NewOrder<'c>,
    visit: NewVisit<'c>,
}

impl Steps<'_> {
    async fn run(&self, session: &mut ClientSession) -> Result<()> {
        let Steps { customers, orders, visits, order, visit } = self;
        let customer = customers.find_one(doc! { "_id": order.customer_id }).projection(doc! { "_id": 1 });
        if customer.session(&mut *session).await?.is_none() {
            return Err(Error::custom(format!("there is no customer {}", order.customer_id)));
        }
        orders.insert_one(order).session(&mut *session).await?;
        visits.insert_one(visit).session(&mut *session).await?;
        let paid = doc! { "$set": { "status": "paid" } };
        orders.update_one(doc! { "_id": order._id }, paid).session(&mut *session).await?;
        Ok(())
    }
}

/// Takes numbers of a collection; the first.
async fn numbers(database: &Mongo, collection: &str, count: i64) -> anyhow::Result<i64> {
    let taken = database
        .counters
        .find_one_and_update(doc! { "_id": collection }, doc! { "$inc": { "n": count } })
        .upsert(true)
        .return_document(ReturnDocument::After)
        .write_concern(WriteConcern::builder().w(Acknowledgment::Nodes(1)).build())
        .await?;
    Ok(taken.unwrap_or_else(Document::new).get_i64("n")? - count + 1)
}

/// Loads reviews into their collection, a thousand at a time; how many.
pub(super) async fn import(collection: &Collection<NewReview>, file: &Path) -> anyhow::Result<u64> {
    let mut reviews = Reviews::open(file)?;
    let mut count = 0;
    loop {
        let part = reviews.part()?.into_iter();
        let part = part.map(|(id, stars, body)| anyhow::Ok(NewReview { _id: id, stars: i32::try_from(stars)?, body }));
        let part = part.collect::<anyhow::Result<Vec<_>>>()?;
        if part.is_empty() {
            return Ok(count);
        }
        collection.insert_many(&part).await?;
        count += part.len() as u64;
    }
}
