//! Reads that a store carries out only in part: the rest is done here, row by row, under a bound.

use std::any::Any;
use std::sync::Arc;

use mainstay_query::Authorized;
use mainstay_query::plan::{Count, Read, Write};
use mainstay_query::split::{self, Refused, Residual, stores};
use mainstay_schema::{Schema, TableId};

use crate::collect::{Collected, Member, Row, replay};
use crate::error::StoreError;
use crate::sink::{RowSink, ready};
use crate::store::{Call, ReadDone, Store};

/// Rows that may be read from a store to be filtered here. More, and the read is refused: it would be a scan in
/// disguise.
pub const RESIDUAL_ROWS_MAX: u64 = 10_000;

/// Reads like [`Store::read`], and does here what the store cannot. A read of several stores goes on as it is: whoever joins
/// them does the same for what each of them is asked, before anything is fetched for rows that do not pass.
///
/// # Errors
/// As [`Store::read`]; [`StoreError::Unsupported`] if neither side can do it, or more than [`RESIDUAL_ROWS_MAX`] rows
/// would have to be looked at.
pub async fn read(
    store: &dyn Store,
    call: Call,
    plan: Authorized<Read>,
    sink: Box<dyn RowSink>,
) -> Result<ReadDone, StoreError> {
    let schema = call.schema.clone();
    if stores::only_of_read(&schema, &plan).is_none() {
        return store.read(call, Arc::new(plan), sink).await;
    }
    let (support, table) = (|table, filter: &_| store.support(&schema, table, filter), plan.table);
    let (pushed, residual) = split::read(&schema, plan, RESIDUAL_ROWS_MAX, support)
        .map_err(|refused| unsupported(store, &schema, &refused))?;
    let Some(residual) = residual else { return store.read(call, Arc::new(pushed), sink).await };
    let collected = Box::new(Collected::new(pushed.shape(&schema)));
    let done = store.read(call, Arc::new(pushed), collected).await?;
    let rows = rows_of(done.sink)?;
    let mut scan = Scan { store, schema: &schema, table, seen: 0 };
    let (rows, passed) = scan.apply(&residual, rows)?;
    Ok(give(sink, &rows, if residual.count != Count::None { Some(passed) } else { done.total }).await)
}

/// Checks that a store carries out a write exactly, which is the only way to carry it out.
///
/// # Errors
/// [`StoreError::Unsupported`] if it does not.
pub fn check_write(store: &dyn Store, call: &Call, plan: &Authorized<Write>) -> Result<(), StoreError> {
    split::write(&call.schema, plan, |table, filter| store.support(&call.schema, table, filter))
        .map_err(|refused| unsupported(store, &call.schema, &refused))
}

/// What neither the store nor we can do.
pub fn unsupported(store: &dyn Store, schema: &Schema, refused: &Refused) -> StoreError {
    let name = schema.find(&refused.table).map_or(store.name().to_owned(), |table| store.name_at(schema, table.id));
    StoreError::Unsupported { what: format!("the store {name} {refused}") }
}

/// The rows that a store put into a sink of ours, which it gives back.
pub(crate) fn rows_of(sink: Box<dyn RowSink>) -> Result<Vec<Row>, StoreError> {
    collected(sink)?.finish()
}

/// A sink of ours, which a store gives back.
pub(crate) fn collected(sink: Box<dyn RowSink>) -> Result<Collected, StoreError> {
    let sink: Box<dyn Any> = sink;
    match sink.downcast::<Collected>() {
        Ok(collected) => Ok(*collected),
        Err(_) => Err(StoreError::Internal("the store gave back another sink".into())),
    }
}

/// Puts rows into a sink.
pub(crate) async fn give(mut sink: Box<dyn RowSink>, rows: &[Row], total: Option<u64>) -> ReadDone {
    let mut given = 0;
    for row in rows {
        ready(&mut *sink).await;
        if sink.is_full() {
            break;
        }
        replay(row, sink.as_mut());
        given += 1;
    }
    ReadDone { sink, rows: given, total }
}

struct Scan<'s> {
    store: &'s dyn Store,
    schema: &'s Schema,
    table: TableId,
    seen: u64,
}

impl Scan<'_> {
    /// The rows that remain, without the members that were only there for us, and the number that passed the filter.
    fn apply(&mut self, residual: &Residual, rows: Vec<Row>) -> Result<(Vec<Row>, u64), StoreError> {
        self.seen += rows.len() as u64;
        if self.seen > RESIDUAL_ROWS_MAX {
            let what = format!(
                "the store {} cannot filter like this, and more than {RESIDUAL_ROWS_MAX} rows would have to be looked \
                 at; add a filter that it can use",
                self.store.name_at(self.schema, self.table)
            );
            return Err(StoreError::Unsupported { what });
        }
        let mut kept = Vec::new();
        let mut passed = 0;
        for mut row in rows {
            let ours = row.split_off(residual.members);
            if residual.passes(&values(ours)).map_err(StoreError::Value)? {
                passed += 1;
                let is_in_page =
                    passed > residual.offset && residual.limit.is_none_or(|limit| passed - residual.offset <= limit);
                if is_in_page {
                    kept.push(self.apply_below(residual, row)?);
                }
            }
        }
        Ok((kept, passed))
    }

    fn apply_below(&mut self, residual: &Residual, mut row: Row) -> Result<Row, StoreError> {
        for (position, below) in &residual.embeds {
            let member = &mut row[*position];
            *member = match std::mem::replace(member, Member::Value(mainstay_schema::Value::Null)) {
                Member::Many(rows) => Member::Many(self.apply(below, rows)?.0),
                Member::One(one) => match self.apply(below, vec![one])?.0.pop() {
                    Some(one) => Member::One(one),
                    None => Member::Value(mainstay_schema::Value::Null),
                },
                absent @ Member::Value(_) => absent,
            };
        }
        Ok(row)
    }
}

fn values(members: Row) -> Vec<mainstay_schema::Value> {
    let value = |member| match member {
        Member::Value(value) => value,
        Member::One(_) | Member::Many(_) => unreachable!("a residual adds columns only"),
    };
    members.into_iter().map(value).collect()
}
