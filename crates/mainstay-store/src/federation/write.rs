//! Writes that look at tables of other stores, or give back rows of theirs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mainstay_query::Authorized;
use mainstay_query::authorize::Granted;
use mainstay_query::plan::{Read, Write};
use mainstay_query::split::stores::{self, Level, returned_mut};
use mainstay_schema::{Schema, TableId};
use tokio::time::timeout_at;

use super::read::Reading;
use super::rows::arrange;
use super::{Federation, apart, call_of, of_store, widened};
use crate::collect::Collected;
use crate::error::StoreError;
use crate::residual::give;
use crate::sink::RowSink;
use crate::store::{Call, WriteDone};

/// How long before the deadline of a request what belongs to rows that were written is waited for no more.
const TELLING_TIME_MAX: Duration = Duration::from_secs(1);

impl Federation {
    /// Carries out a write that touches several stores, of which it changes one.
    ///
    /// Filters that follow far links are answered before it, and far rows that it gives back are read after it is durable:
    /// neither is of one snapshot with it.
    pub(super) async fn write_apart(
        &self,
        call: Call,
        whole: &Authorized<Write>,
        sink: Box<dyn RowSink>,
    ) -> Result<WriteDone, StoreError> {
        let schema = call.schema.clone();
        let store = only_changed(&schema, whole)?;
        whole.returning().map_or(Ok(()), |returning| stores::check(&schema, returning)).map_err(apart)?;
        // Whoever cannot be asked afterwards should be missed before anything is changed.
        for other in stores::of_write(&schema, whole).into_iter().filter(|other| *other != store) {
            self.named(other)?.ping(call.deadline).await.map_err(|error| of_store(other, error))?;
        }
        let mut reading = Reading::new(self, call.clone(), Granted::by_write(whole));
        let mut plan = (**whole).clone();
        reading.resolve_write(store, &mut plan).await?;
        let level = level_of(&schema, store, &mut plan)?;
        let shape = plan.returning().map(|returning| returning.shape(&schema));
        let writer = self.named(store)?;
        let Some((level, shape)) = level.zip(shape).filter(|(level, _)| !level.is_plain()) else {
            let plan = Arc::new(stores::part_of_write(whole, plan).map_err(widened)?);
            return writer.write(call_of(store, call), plan, sink).await.map_err(|error| of_store(store, error));
        };
        // What gives back too much should not be written first.
        let table = plan.returning().map_or(TableId(0), |returning| returning.table);
        let is_bounded_here = bound(&mut plan, self.rows_max);
        if rows_given(&plan) > self.rows_max {
            return Err(reading.too_many(table));
        }
        let plan = Arc::new(stores::part_of_write(whole, plan).map_err(widened)?);
        let collected = Box::new(Collected::of(&schema, shape).at_most(self.rows_max));
        let done = writer.write(call_of(store, call.clone()), plan, collected).await.map_err(|error| match error {
            StoreError::Unexpected { single: false, .. } if is_bounded_here => reading.too_many(table),
            error => of_store(store, error),
        })?;
        let (affected, inserted) = (done.affected, done.inserted);
        // At the deadline nobody listens any more, and it is to be told that the rows were written.
        let left = call.deadline.saturating_duration_since(Instant::now());
        let deadline = call.deadline.checked_sub(TELLING_TIME_MAX.min(left / 4)).unwrap_or(call.deadline);
        reading.call.deadline = deadline;
        let completed = async {
            let mut rows = reading.collected(done.sink, table)?;
            reading.complete(&mut rows, &level).await?;
            arrange(rows, &level)
        };
        let completed = timeout_at(deadline.into(), completed).await.unwrap_or(Err(StoreError::Deadline));
        let rows = completed.map_err(|error| StoreError::AfterWrite(Box::new(error)))?;
        Ok(WriteDone { sink: give(sink, &rows, None).await.sink, affected, inserted })
    }
}

/// Has the store undo a change of more rows than may be given back; whether the request itself allowed so many.
fn bound(plan: &mut Write, rows_max: u64) -> bool {
    let expect = match plan {
        Write::Update(update) => &mut update.expect,
        Write::Delete(delete) => &mut delete.expect,
        _ => return false,
    };
    let is_bounded_here = expect.affected_max.is_none_or(|most| most > rows_max);
    if is_bounded_here {
        expect.affected_max = Some(rows_max);
    }
    is_bounded_here
}

/// The number of rows that a write is given.
fn rows_given(plan: &Write) -> u64 {
    match plan {
        Write::Insert(insert) => insert.rows.len() as u64,
        Write::UpdateEach(update) => update.rows.len() as u64,
        _ => 0,
    }
}

/// What of a write's returned rows is far; nothing if it returns none.
pub(super) fn level_of(schema: &Schema, store: &str, plan: &mut Write) -> Result<Option<Level>, StoreError> {
    let is_run = matches!(plan, Write::Run(_));
    let Some(returning) = returned_mut(plan) else { return Ok(None) };
    if !is_run {
        // Neither order nor page of what a write gives back is used, so nothing is fetched for them.
        *returning = Read { order: Vec::new(), after: None, limit: None, offset: 0, ..returning.clone() };
    }
    stores::level(schema, store, returning).map(Some).map_err(apart)
}

/// The store of the rows that a write changes.
///
/// # Errors
/// [`StoreError::Unsupported`] if there are several.
pub(super) fn only_changed<'s>(schema: &'s Schema, plan: &Write) -> Result<&'s str, StoreError> {
    match stores::of_changed(schema, plan).as_slice() {
        [one] => Ok(one),
        several => Err(StoreError::Unsupported {
            what: format!(
                "one write cannot change rows of several stores, here {}: no transaction spans them; send one request for \
                 each store",
                several.join(" and ")
            ),
        }),
    }
}
