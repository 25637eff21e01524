//! Numbers that sequences give. They are taken outside of transactions, so that writers do not wait for each other: a write
//! that fails leaves a gap, as in the other stores.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use mainstay_query::plan::Insert;
use mainstay_schema::{Column, DefaultValue, Table, Type, Value};
use mainstay_store::StoreError;
use mongodb::bson::{Document, doc};
use mongodb::options::{Acknowledgment, ReturnDocument, WriteConcern};

use super::faults::settled;
use crate::mongo::errors;
use crate::mongo::ours::COUNTERS;
use crate::mongo::session::Session;

/// How long is waited for a sequence to be ahead of rows that are there already.
const AHEAD_MAX: Duration = Duration::from_secs(2);

/// Gives a number to each row that asks for one, in their order, ahead of numbers that were given before. Those are noted for
/// [`keep_ahead`], so that rows that are refused leave the sequence where it was.
pub(super) async fn number<'p>(
    session: &mut Session,
    table: &Table,
    plan: &'p Insert,
) -> Result<Cow<'p, Insert>, StoreError> {
    let Some(column) = sequence(table) else { return Ok(Cow::Borrowed(plan)) };
    let mut plan = plan.clone();
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
            // A number that this very write was given is not given to another row of it.
            if let Some(number) = session.given.remove(&*table.name) {
                saw(session, &table.name, number, session.left()?, session.deadline()).await?;
            }
            let first = take(session, table, column, run).await?;
            for (number, row) in (first..).zip(rows) {
                row[place] = Some(Value::Int(number));
            }
        } else {
            let numbers = rows.iter().filter_map(|row| match row[place] {
                Some(Value::Int(number)) => Some(number),
                _ => None,
            });
            if let Some(most) = numbers.max() {
                let given = session.given.entry(table.name.to_string()).or_insert(most);
                *given = most.max(*given);
            }
        }
        at += run;
    }
    Ok(Cow::Owned(plan))
}

/// The column that a sequence numbers.
pub(super) fn sequence(table: &Table) -> Option<&Column> {
    table.columns.iter().find(|column| column.default == Some(DefaultValue::Sequence))
}

/// One member of the set is enough: the rows with the numbers come later in the same log, and nobody is told of them before
/// most members have it.
fn taken_by_one() -> WriteConcern {
    WriteConcern::builder().w(Acknowledgment::Nodes(1)).build()
}

/// Takes some numbers; gives the first.
async fn take(session: &Session, table: &Table, column: &Column, count: usize) -> Result<i64, StoreError> {
    let most = if column.ty == Type::Int { i64::from(i32::MAX) } else { i64::MAX };
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
                return match last <= most {
                    true => Ok(last - count + 1),
                    false => Err(errors::used_up(&table.name, &column.name)),
                };
            }
            // Somebody else began to count at the same moment.
            Err(error) if errors::code(&error) == Some(errors::DUPLICATE) && attempt == 1 => {}
            Err(error) if errors::code(&error) == Some(errors::BAD_VALUE) => {
                return Err(errors::used_up(&table.name, &column.name));
            }
            Err(error) => return Err(errors::meaning(error)),
        }
    }
}

/// Keeps sequences ahead of the numbers that rows were given which are there now. Whoever wrote them is told so whatever
/// becomes of this: a sequence that stayed behind gives a number that is refused as taken, and then the next one.
pub(super) async fn keep_ahead(session: &mut Session) {
    for (table, number) in std::mem::take(&mut session.given) {
        let _ = saw(session, &table, number, AHEAD_MAX, Instant::now() + AHEAD_MAX).await;
    }
}

/// Keeps the sequence ahead of a number.
async fn saw(session: &Session, table: &str, number: i64, left: Duration, deadline: Instant) -> Result<(), StoreError> {
    let all = session.database().collection::<Document>(COUNTERS);
    let change = doc! { "$max": { "n": number } };
    let done = all
        .find_one_and_update(doc! { "_id": table }, change)
        .upsert(true)
        .write_concern(taken_by_one())
        .max_time(left);
    settled(deadline, done).await?.map(drop).map_err(errors::meaning)
}
