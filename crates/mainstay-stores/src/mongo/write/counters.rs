//! Numbers that sequences give. They are taken outside of transactions, so that writers do not wait for each other: a write
//! that fails leaves a gap, as in the other stores.

use mainstay_query::plan::Insert;
use mainstay_schema::{DefaultValue, Table, Value};
use mainstay_store::StoreError;
use mongodb::bson::{Document, doc};
use mongodb::options::{Acknowledgment, ReturnDocument, WriteConcern};

use super::faults::settled;
use crate::mongo::errors;
use crate::mongo::ours::COUNTERS;
use crate::mongo::session::Session;

/// Gives a number to each row that asks for one, in their order, and keeps the sequence ahead of numbers that were
/// given.
pub(super) async fn number(session: &Session, table: &Table, plan: &mut Insert) -> Result<(), StoreError> {
    let Some(column) = table.columns.iter().find(|column| column.default == Some(DefaultValue::Sequence)) else {
        return Ok(());
    };
    let place = match plan.columns.iter().position(|other| *other == column.id) {
        Some(place) => place,
        None => {
            plan.columns.push(column.id);
            plan.rows.iter_mut().for_each(|row| row.push(None));
            plan.columns.len() - 1
        }
    };
    let mut at = 0;
    while at < plan.rows.len() {
        let is_asking = plan.rows[at][place].is_none();
        let run = plan.rows[at..].iter().take_while(|row| row[place].is_none() == is_asking).count();
        let rows = &mut plan.rows[at..at + run];
        if is_asking {
            let first = take(session, table, run).await?;
            for (number, row) in (first..).zip(rows) {
                row[place] = Some(Value::Int(number));
            }
        } else {
            let numbers = rows.iter().filter_map(|row| match row[place] {
                Some(Value::Int(number)) => Some(number),
                _ => None,
            });
            if let Some(most) = numbers.max() {
                saw(session, table, most).await?;
            }
        }
        at += run;
    }
    Ok(())
}

/// One member of the set is enough: the rows with the numbers come later in the same log, and nobody is told of them before
/// most members have it.
fn taken_by_one() -> WriteConcern {
    WriteConcern::builder().w(Acknowledgment::Nodes(1)).build()
}

/// Takes some numbers; gives the first.
async fn take(session: &Session, table: &Table, count: usize) -> Result<i64, StoreError> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let all = session.database().collection::<Document>(COUNTERS);
    let change = doc! { "$inc": { "n": count } };
    let mut attempt = 0;
    loop {
        attempt += 1;
        let taken = all
            .find_one_and_update(doc! { "_id": &*table.name }, change.clone())
            .upsert(true)
            .return_document(ReturnDocument::After)
            .write_concern(taken_by_one())
            .max_time(session.left()?);
        match settled(session.deadline(), taken).await? {
            Ok(counter) => {
                let last = counter.and_then(|counter| counter.get_i64("n").ok());
                let last = last.ok_or_else(|| StoreError::Internal("a counter gave no number".into()))?;
                return Ok(last - count + 1);
            }
            // Somebody else began to count at the same moment.
            Err(error) if errors::code(&error) == Some(errors::DUPLICATE) && attempt == 1 => {}
            Err(error) => return Err(errors::meaning(error)),
        }
    }
}

/// Keeps the sequence ahead of a number.
async fn saw(session: &Session, table: &Table, number: i64) -> Result<(), StoreError> {
    let all = session.database().collection::<Document>(COUNTERS);
    let change = doc! { "$max": { "n": number } };
    let done = all
        .find_one_and_update(doc! { "_id": &*table.name }, change)
        .upsert(true)
        .write_concern(taken_by_one())
        .max_time(session.left()?);
    settled(session.deadline(), done).await?.map(drop).map_err(errors::meaning)
}
