//! The reads: one command each where one is enough, documents written into the answer out of the server's messages.

use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::future::try_join;
use mongodb::Collection;
use mongodb::bson::{Document, RawBsonRef, RawDocument, RawDocumentBuf, doc};
use mongodb::error::Error;
use mongodb::raw_batch_cursor::{RawBatch, RawBatchCursor};
use tokio::sync::mpsc;

use super::Mongo;
use super::cells::Fields;
use crate::database::{PART_BYTES, PARTS_MAX, Parts};
use crate::encode::{self, CUSTOMER, CUSTOMER_OF_ORDER, List, Member, ORDER, SUM, members};
use crate::requests::{Read, Rows};
use crate::xml;

/// Rows of a page.
const PAGE_ROWS: i64 = 20;
/// Orders of a page of customers that come in one message.
const ORDERS_MAX: u32 = 10_000;
/// Documents of one message of an answer that is sent while it is read.
const STREAMED_DOCUMENTS: u32 = 2000;

/// Carries out one read.
pub(super) async fn run(database: &Mongo, read: &Read) -> anyhow::Result<Rows> {
    let orders = &database.orders;
    match *read {
        Read::Order { id } => list(found(orders, doc! { "_id": id }, None, 1).await?, ORDER),
        Read::Orders { after } => list(orders_after(database, after).await?, ORDER),
        Read::OrdersWithCustomer { after } => orders_with_customer(database, after).await,
        Read::CustomersWithOrders { after } => customers_with_orders(database, after).await,
        Read::CountedOrders { from, below } => counted_orders(database, from, below).await,
        Read::Sums { from, below } => list(sums(database, from, below).await?, SUM),
        Read::OrdersAfterPlace { customer, id } => {
            let beyond = doc! {
                "customer_id": { "$gte": customer },
                "$or": [{ "customer_id": { "$gt": customer } }, { "_id": { "$gt": id } }],
            };
            let rows = list(found(orders, beyond, Some(by_customer()), PAGE_ROWS).await?, ORDER)?;
            Ok(Rows { first: None, ..rows })
        }
        Read::OrdersAtOffset { offset } => {
            let skip = u64::try_from(offset)?;
            let cursor = orders.find(doc! {}).sort(by_customer()).skip(skip).limit(PAGE_ROWS).batch().await?;
            Ok(Rows { first: Some(offset), ..list(messages(cursor).await?, ORDER)? })
        }
        Read::Reviews { .. } => anyhow::bail!("there is no index of words on this server"),
        Read::OrdersAsXml { after } => orders_as_xml(database, after).await,
    }
}

fn by_customer() -> Document {
    doc! { "customer_id": 1, "_id": 1 }
}

/// The server's messages with the first documents that a condition lets through.
async fn found(
    collection: &Collection<RawDocumentBuf>,
    condition: Document,
    order: Option<Document>,
    limit: i64,
) -> Result<Vec<RawBatch>, Error> {
    let find = collection.find(condition).limit(limit);
    let find = if let Some(order) = order { find.sort(order) } else { find };
    messages(find.batch().await?).await
}

async fn messages(cursor: RawBatchCursor) -> Result<Vec<RawBatch>, Error> {
    cursor.try_collect().await
}

async fn orders_after(database: &Mongo, after: i64) -> Result<Vec<RawBatch>, Error> {
    found(&database.orders, doc! { "_id": { "$gt": after } }, Some(doc! { "_id": 1 }), PAGE_ROWS).await
}

async fn sums(database: &Mongo, from: i64, below: i64) -> Result<Vec<RawBatch>, Error> {
    let stages = [
        doc! { "$match": { "customer_id": { "$gte": from, "$lt": below } } },
        doc! { "$group": { "_id": "$customer_id", "orders": { "$sum": 1 }, "total": { "$sum": "$total" } } },
        doc! { "$sort": { "_id": 1 } },
    ];
    messages(database.orders.aggregate(stages).batch().await?).await
}

/// The documents of messages.
fn documents(messages: &[RawBatch]) -> anyhow::Result<Vec<&RawDocument>> {
    let mut documents = Vec::new();
    for message in messages {
        for document in message.doc_slices()? {
            documents.extend(document?.as_document());
        }
    }
    Ok(documents)
}

/// The rows of messages.
fn rows<'m>(messages: &'m [RawBatch], columns: &[Member]) -> anyhow::Result<Vec<Fields<'m>>> {
    documents(messages)?.into_iter().map(|document| Fields::of(document, columns)).collect()
}

/// Rows of a command, each an object of the members.
fn list(messages: Vec<RawBatch>, columns: &[Member]) -> anyhow::Result<Rows> {
    let mut list = List::new(4096);
    for document in documents(&messages)? {
        list.begin();
        members(&mut list.json, &Fields::of(document, columns)?, 0, columns)?;
        list.json.push(b'}');
    }
    Ok(list.end())
}

/// One aggregation. A look-up without stages of its own takes the server a fraction of the time of one with them.
async fn orders_with_customer(database: &Mongo, after: i64) -> anyhow::Result<Rows> {
    let stages = [
        doc! { "$match": { "_id": { "$gt": after } } },
        doc! { "$sort": { "_id": 1 } },
        doc! { "$limit": PAGE_ROWS },
        doc! { "$lookup": {
            "from": "customers", "localField": "customer_id", "foreignField": "_id", "as": "customers",
        } },
    ];
    let found = messages(database.orders.aggregate(stages).batch().await?).await?;
    let mut list = List::new(8192);
    for order in documents(&found)? {
        list.begin();
        members(&mut list.json, &Fields::of(order, ORDER)?, 0, ORDER)?;
        list.json.extend_from_slice(b",\"customers\":");
        match order.get_array("customers")?.into_iter().next().transpose()? {
            Some(RawBsonRef::Document(customer)) => {
                list.json.push(b'{');
                members(&mut list.json, &Fields::of(customer, CUSTOMER_OF_ORDER)?, 0, CUSTOMER_OF_ORDER)?;
                list.json.extend_from_slice(b"}}");
            }
            _ => list.json.extend_from_slice(b"null}"),
        }
    }
    Ok(list.end())
}

/// Two commands, the second about the customers that the first one found.
async fn customers_with_orders(database: &Mongo, after: i64) -> anyhow::Result<Rows> {
    let condition = doc! { "_id": { "$gt": after } };
    let customers = found(&database.customers, condition, Some(doc! { "_id": 1 }), PAGE_ROWS).await?;
    let customers = rows(&customers, CUSTOMER)?;
    let key = |row: Option<&Fields<'_>>| row.map(|row| encode::number(row, 0)).transpose();
    let (Some(first), Some(last)) = (key(customers.first())?, key(customers.last())?) else {
        return Ok(List::new(2).end());
    };
    let condition = doc! { "customer_id": { "$gte": first, "$lte": last } };
    // More than the server would put into its first message by itself.
    let orders = database.orders.find(condition).sort(by_customer()).batch_size(ORDERS_MAX);
    let orders = messages(orders.batch().await?).await?;
    encode::customers_with_orders(&customers, &rows(&orders, ORDER)?)
}

/// The page and the count, at the same time.
async fn counted_orders(database: &Mongo, from: i64, below: i64) -> anyhow::Result<Rows> {
    let condition = doc! { "customer_id": { "$gte": from, "$lt": below } };
    // The command and not the driver's aggregation: an index alone answers it.
    let count = doc! { "count": "orders", "query": condition.clone() };
    let (orders, counted) = try_join(
        found(&database.orders, condition, Some(by_customer()), PAGE_ROWS),
        database.database.run_command(count).into_future(),
    )
    .await?;
    Ok(Rows { total: Some(counted.get_i32("n")?.into()), ..list(orders, ORDER)? })
}

async fn orders_as_xml(database: &Mongo, after: i64) -> anyhow::Result<Rows> {
    let orders = orders_after(database, after).await?;
    let orders = rows(&orders, ORDER)?;
    let mut body = Vec::with_capacity(8192);
    body.extend_from_slice(xml::HEAD);
    for order in &orders {
        xml::order(&mut body, order)?;
    }
    body.extend_from_slice(xml::TAIL);
    Ok(Rows { body, rows: orders.len(), first: Some(0), total: None })
}

/// The orders of a span of numbers as NDJSON, read as fast as the client takes them.
pub(super) async fn stream(database: &Mongo, from: i64, below: i64) -> Result<Parts, Error> {
    let condition = doc! { "_id": { "$gte": from, "$lt": below } };
    let find = database.orders.find(condition).sort(doc! { "_id": 1 }).batch_size(STREAMED_DOCUMENTS);
    let cursor = find.batch().await?;
    let (parts, receiver) = mpsc::channel(PARTS_MAX);
    // A failure drops the sender in the middle; the client sees an answer without its end. The cursor, when it is
    // dropped, is closed on the server as well.
    tokio::spawn(async move { send(cursor, &parts).await });
    Ok(receiver)
}

/// Sends all parts, unless the client goes away before that.
async fn send(mut cursor: RawBatchCursor, parts: &mpsc::Sender<Bytes>) -> anyhow::Result<()> {
    let mut part = Vec::with_capacity(PART_BYTES + 1024);
    while let Some(message) = cursor.try_next().await? {
        for document in message.doc_slices()? {
            let RawBsonRef::Document(document) = document? else { continue };
            part.push(b'{');
            members(&mut part, &Fields::of(document, ORDER)?, 0, ORDER)?;
            part.extend_from_slice(b"}\n");
            if part.len() >= PART_BYTES {
                let full = std::mem::replace(&mut part, Vec::with_capacity(PART_BYTES + 1024));
                parts.send(full.into()).await?;
            }
        }
    }
    Ok(parts.send(part.into()).await?)
}
