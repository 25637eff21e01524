//! Reads of tables in several stores, level by level.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt, try_join_all};
use mainstay_query::authorize::Granted;
use mainstay_query::plan::{Cardinality, Read};
use mainstay_query::split::stores::{self, Far, Level};
use mainstay_schema::{Schema, TableId};
use tokio::sync::Semaphore;

use super::far::Fetched;
use super::rows::{At, arrange, levels, rows_at, sort_at, values_at};
use super::{Federation, apart, call_of, of_store, widened};
use crate::collect::{Collected, Member, Row};
use crate::error::StoreError;
use crate::residual;
use crate::sink::RowSink;
use crate::store::{Call, ReadDone};

/// One read under way, with all that belongs to it.
pub(super) struct Reading<'f> {
    pub(super) federation: &'f Federation,
    pub(super) call: Call,
    /// What the rules let the whole through to.
    pub(super) granted: Granted,
    /// Reads that stores may be asked for at once: one request is not to take all their connections.
    at_once: Semaphore,
}

/// Parts of one request that are read at once, however many stores and embeds it has.
const READS_MAX: usize = 4;

/// What a read gave.
pub(super) struct Found {
    pub(super) rows: Vec<Row>,
    pub(super) total: Option<u64>,
}

impl<'f> Reading<'f> {
    pub(super) fn new(federation: &'f Federation, call: Call, granted: Granted) -> Reading<'f> {
        Reading { federation, call, granted, at_once: Semaphore::new(READS_MAX) }
    }

    pub(super) fn schema(&self) -> &Arc<Schema> {
        &self.call.schema
    }

    /// Puts the rows of a read into a sink.
    pub(super) async fn give(&self, plan: &Read, mut sink: Box<dyn RowSink>) -> Result<ReadDone, StoreError> {
        stores::check(self.schema(), plan).map_err(apart)?;
        let found = self.rows(plan.clone()).await?;
        if let Some(total) = found.total {
            sink.counted(total);
        }
        Ok(residual::give(sink, &found.rows, found.total).await)
    }

    /// The rows of a read, whatever stores they are of.
    pub(super) fn rows(&self, plan: Read) -> BoxFuture<'_, Result<Found, StoreError>> {
        self.rows_now(plan).boxed()
    }

    async fn rows_now(&self, mut plan: Read) -> Result<Found, StoreError> {
        let schema = self.schema().clone();
        let store = stores::store_of(&schema, &plan);
        self.resolve(store, &mut plan).await?;
        let level = stores::level(&schema, store, &mut plan).map_err(apart)?;
        // One more than may be, to notice that there are more.
        let is_bounded = plan.limit.is_some();
        plan.limit = Some(plan.limit.unwrap_or(self.federation.rows_max.saturating_add(1)));
        let table = plan.table;
        let Found { mut rows, total } = self.ask(store, plan).await?;
        if !is_bounded && rows.len() as u64 > self.federation.rows_max {
            return Err(self.too_many(table));
        }
        self.complete(&mut rows, &level).await?;
        Ok(Found { rows: arrange(rows, &level)?, total })
    }

    /// What one store gives for a read of its own tables.
    async fn ask(&self, store: &str, plan: Read) -> Result<Found, StoreError> {
        let plan = stores::part(&self.granted, plan).map_err(widened)?;
        let table = lists_of(&plan).unwrap_or(plan.table);
        // Besides the rows of its page, which are bounded, those that they hold.
        let rows_max = plan.limit.unwrap_or_default().saturating_add(self.federation.rows_max);
        let sink = Box::new(Collected::of(self.schema(), plan.shape(self.schema())).at_most(rows_max));
        let named = self.federation.named(store)?;
        let _permit = self.at_once.acquire().await.map_err(|closed| StoreError::Internal(closed.into()))?;
        let done = residual::read(named, call_of(store, self.call.clone()), plan, sink).await;
        let done = done.map_err(|error| of_store(store, error))?;
        Ok(Found { rows: self.collected(done.sink, table)?, total: done.total })
    }

    /// The rows that a store gave, unless they were too many.
    pub(super) fn collected(&self, sink: Box<dyn RowSink>, table: TableId) -> Result<Vec<Row>, StoreError> {
        match residual::collected(sink)? {
            over if over.is_over() => Err(self.too_many(table)),
            collected => collected.finish(),
        }
    }

    /// Adds to rows what is far: first what orders look at, so that no more is fetched for rows that are not on the page.
    pub(super) async fn complete(&self, rows: &mut Vec<Row>, root: &Level) -> Result<(), StoreError> {
        if root.is_plain() {
            return Ok(());
        }
        let levels = levels(root);
        for (path, level) in &levels {
            let Some(sort) = &level.sort else { continue };
            let held = rows_at(rows, path).len() as u64;
            if held > self.federation.rows_max {
                let parent = sort.far.first().map(|far| far.parent);
                return Err(parent.map_or_else(
                    || StoreError::Internal("an order by nothing far".into()),
                    |table| self.too_many(table),
                ));
            }
            self.fetch_all(rows, sort.far.iter().map(|far| (path.as_slice(), far)).collect()).await?;
            sort_at(rows, path, level, sort)?;
        }
        let far = |(path, level): &'_ At<'_>| -> Vec<(Vec<usize>, Far)> {
            level.far.iter().map(|far| (path.clone(), far.clone())).collect()
        };
        let fars: Vec<(Vec<usize>, Far)> = levels.iter().flat_map(far).collect();
        self.fetch_all(rows, fars.iter().map(|(path, far)| (path.as_slice(), far)).collect()).await
    }

    /// Fetches far rows, all at once, and adds them to the rows that they belong to, in the order of `fars`.
    async fn fetch_all(&self, rows: &mut [Row], fars: Vec<(&[usize], &Far)>) -> Result<(), StoreError> {
        let mut fetches = Vec::with_capacity(fars.len());
        for (path, far) in &fars {
            let mut keys = Vec::new();
            for row in rows_at(rows, path) {
                keys.push(values_at(row, &far.keys)?);
            }
            fetches.push(self.fetch(far, keys));
        }
        let fetched: Vec<Fetched> = try_join_all(fetches).await?;
        for ((path, far), fetched) in fars.iter().zip(fetched) {
            // Rows that belong to several were fetched once, and stand in the answer with each of them.
            let (mut placed, placed_max) = (0u64, fetched.held_once().saturating_add(self.federation.rows_max));
            for row in rows_at(rows, path) {
                let values = values_at(row, &far.keys)?;
                placed = placed.saturating_add(fetched.held(&values, far.link.cardinality));
                if placed > placed_max {
                    return Err(self.too_many(far.read.table));
                }
                row.push(Member::Many(fetched.of(&values)));
            }
        }
        Ok(())
    }

    /// The refusal of a request for which more rows of this table would have to be held here than may be.
    pub(super) fn too_many(&self, table: TableId) -> StoreError {
        let table = self.schema().table(table);
        let store = table.store_name().into();
        StoreError::TooManyRows { table: table.name.clone(), store, max: self.federation.rows_max }
    }
}

/// The table of the first list that the rows of a read hold.
fn lists_of(plan: &Read) -> Option<TableId> {
    plan.select.iter().filter_map(|output| output.source.embed()).find_map(|embed| match embed.link.cardinality {
        Cardinality::Many => Some(embed.read.table),
        Cardinality::One => lists_of(&embed.read),
    })
}
