//! Filters that follow far links: the keys that pass on the far side, or those of the near side that do.

use std::collections::HashMap;

use futures_util::future::try_join_all;
use mainstay_query::plan::{Filter, Join, Read, Write};
use mainstay_query::split::stores::{self, BEGINNINGS_MAX, FarFilter, any_of, beginnings, counted, found, found_of};
use mainstay_schema::{ColumnId, TableId, Value};

use super::read::Reading;
use super::rows::{Key, key, take_values};
use crate::collect::{Member, Row};
use crate::error::StoreError;

/// Keys in one read.
const KEYS_MAX: usize = 1000;

/// Parameters of all filters of one plan for keys of several columns, which engines take one by one: SQLite has 32,766.
const PARAMETERS_MAX: usize = 30_000;

/// Keys with the number of their rows.
type Counts = Vec<(Vec<Value>, u64)>;

/// The keys that pass a far filter.
struct Passing {
    counts: Counts,
    /// The keys that were asked about, where it was not all: of a row that gets another one in the meantime nothing is known.
    asked: Option<Vec<Vec<Value>>>,
}

impl Reading<'_> {
    /// Puts tests of near columns in the place of the far filters of a read.
    pub(super) async fn resolve(&self, store: &str, plan: &mut Read) -> Result<(), StoreError> {
        let mut asked = Vec::new();
        let schema = self.schema().clone();
        stores::each_far(&schema, store, plan, &mut |far| {
            asked.push(far);
            None
        });
        if !asked.is_empty() {
            let mut answers = self.answers(&asked).await?.into_iter();
            stores::each_far(&schema, store, plan, &mut |_| answers.next());
        }
        Ok(())
    }

    /// The same for a write.
    pub(super) async fn resolve_write(&self, store: &str, plan: &mut Write) -> Result<(), StoreError> {
        let mut asked = Vec::new();
        let schema = self.schema().clone();
        stores::each_far_of_write(&schema, store, plan, &mut |far| {
            asked.push(far);
            None
        });
        if !asked.is_empty() {
            let mut answers = self.answers(&asked).await?.into_iter();
            stores::each_far_of_write(&schema, store, plan, &mut |_| answers.next());
        }
        Ok(())
    }

    async fn answers(&self, asked: &[FarFilter]) -> Result<Vec<Filter>, StoreError> {
        let (mut filters, mut left) = (Vec::with_capacity(asked.len()), PARAMETERS_MAX);
        let answers = try_join_all(asked.iter().map(|far| self.answer(far))).await?;
        for (far, (filter, parameters)) in asked.iter().zip(answers) {
            left = left.checked_sub(parameters).ok_or_else(|| self.too_many(far.table))?;
            filters.push(filter);
        }
        Ok(filters)
    }

    /// The test of near columns that says the same, with the number of its parameters. It is asked from one side, and from
    /// the other if too many keys pass there.
    async fn answer(&self, far: &FarFilter) -> Result<(Filter, usize), StoreError> {
        let here: Vec<ColumnId> = far.pairs().iter().map(|pair| pair.here).collect();
        let is_narrow_here = far.is_narrow_here(self.schema());
        let mut passing = match is_narrow_here {
            true => self.passing_from_here(far, &here).await?,
            false => self.passing_over_there(far).await?,
        };
        if passing.is_none() {
            passing = match is_narrow_here {
                true => self.passing_over_there(far).await?,
                false => self.passing_from_here(far, &here).await?,
            };
        }
        let Passing { counts, asked } = passing.ok_or_else(|| self.too_many(far.table))?;
        let keys: Vec<Vec<Value>> =
            counts.into_iter().filter(|(_, count)| *count > far.skip).map(|(key, _)| key).collect();
        let keys = self.carried(&keys, far.parent, &here);
        let mut parameters = 0;
        for keys in [&keys].into_iter().chain(&asked).filter(|_| here.len() > 1) {
            let tests = beginnings(keys);
            if tests > BEGINNINGS_MAX {
                return Err(self.too_many(far.table));
            }
            parameters += keys.len() + tests * (here.len() - 1);
        }
        let filter = match asked {
            Some(asked) => found_of(&here, &asked, &keys),
            None => found(&here, &keys),
        };
        Ok((filter, parameters))
    }

    async fn passing_over_there(&self, far: &FarFilter) -> Result<Option<Passing>, StoreError> {
        Ok(self.counts_over_there(far).await?.map(|counts| Passing { counts, asked: None }))
    }

    /// The keys that pass, found from the far side; `None` if there are too many.
    async fn counts_over_there(&self, far: &FarFilter) -> Result<Option<Counts>, StoreError> {
        match &far.join {
            Join::Direct(pairs) => {
                let there: Vec<ColumnId> = pairs.iter().map(|pair| pair.there).collect();
                self.counts(far.table, &there, far.filter.clone(), 0).await
            }
            Join::Through { table: junction, parent, child } => {
                let there: Vec<ColumnId> = child.iter().map(|pair| pair.there).collect();
                let Some(children) = self.counts(far.table, &there, far.filter.clone(), 0).await? else {
                    return Ok(None);
                };
                let to_child: Vec<ColumnId> = child.iter().map(|pair| pair.here).collect();
                let to_parent: Vec<ColumnId> = parent.iter().map(|pair| pair.there).collect();
                let columns = [to_parent.as_slice(), &to_child].concat();
                let keys: Vec<Vec<Value>> = children.iter().map(|(key, _)| key.clone()).collect();
                let keys = self.carried(&keys, *junction, &to_child);
                let Some(between) = self.counts_of(*junction, &columns, &to_child, &keys, &Filter::True).await? else {
                    return Ok(None);
                };
                Ok(Some(joined(&between, to_parent.len(), &children)))
            }
        }
    }

    /// The keys of the rows on the near side that pass; `None` if there are too many to be asked about.
    async fn passing_from_here(&self, far: &FarFilter, here: &[ColumnId]) -> Result<Option<Passing>, StoreError> {
        let Some(around) = far.around.clone() else { return Ok(None) };
        let Some(near) = self.counts(far.parent, here, around, 0).await? else { return Ok(None) };
        let near: Vec<Vec<Value>> = near.into_iter().map(|(key, _)| key).collect();
        let Some(counts) = self.counts_for(far, &near).await? else { return Ok(None) };
        Ok(Some(Passing { counts, asked: Some(self.carried(&near, far.parent, here)) }))
    }

    /// Those of these keys of the near side that pass; `None` if there are too many.
    async fn counts_for(&self, far: &FarFilter, near: &[Vec<Value>]) -> Result<Option<Counts>, StoreError> {
        match &far.join {
            Join::Direct(pairs) => {
                let there: Vec<ColumnId> = pairs.iter().map(|pair| pair.there).collect();
                let keys = self.carried(near, far.table, &there);
                self.counts_of(far.table, &there, &there, &keys, &far.filter).await
            }
            Join::Through { table: junction, parent, child } => {
                let to_parent: Vec<ColumnId> = parent.iter().map(|pair| pair.there).collect();
                let to_child: Vec<ColumnId> = child.iter().map(|pair| pair.here).collect();
                let columns = [to_parent.as_slice(), &to_child].concat();
                let keys = self.carried(near, *junction, &to_parent);
                let Some(between) = self.counts_of(*junction, &columns, &to_parent, &keys, &Filter::True).await? else {
                    return Ok(None);
                };
                let there: Vec<ColumnId> = child.iter().map(|pair| pair.there).collect();
                let keys: Vec<Vec<Value>> = between.iter().map(|(key, _)| key[to_parent.len()..].to_vec()).collect();
                let keys = self.carried(&keys, far.table, &there);
                let children = self.counts_of(far.table, &there, &there, &keys, &far.filter).await?;
                Ok(children.map(|children| joined(&between, to_parent.len(), &children)))
            }
        }
    }

    /// The keys of the rows that pass a filter and have one of `keys` in the columns `by`; `None` if there are too many.
    async fn counts_of(
        &self,
        table: TableId,
        columns: &[ColumnId],
        by: &[ColumnId],
        keys: &[Vec<Value>],
        filter: &Filter,
    ) -> Result<Option<Counts>, StoreError> {
        let mut all = Counts::new();
        for keys in keys.chunks(KEYS_MAX) {
            let filter = Filter::all([any_of(by, keys), filter.clone()]);
            match self.counts(table, columns, filter, all.len() as u64).await? {
                Some(counts) => all.extend(counts),
                None => return Ok(None),
            }
        }
        Ok(Some(all))
    }

    /// The keys of the rows that pass a filter; `None` if there are more than may be held besides the `held` ones.
    async fn counts(
        &self,
        table: TableId,
        columns: &[ColumnId],
        filter: Filter,
        held: u64,
    ) -> Result<Option<Counts>, StoreError> {
        let left = self.federation.rows_max.saturating_sub(held);
        let mut plan = counted(self.schema(), table, columns, filter);
        plan.limit = Some(left.saturating_add(1));
        let rows = self.rows(plan).await?.rows;
        if rows.len() as u64 > left {
            return Ok(None);
        }
        rows.into_iter().map(counts_row).collect::<Result<Counts, _>>().map(Some)
    }
}

/// A key with the number that stands behind it.
fn counts_row(mut row: Row) -> Result<(Vec<Value>, u64), StoreError> {
    let count = match row.pop() {
        Some(Member::Value(Value::Int(count))) => u64::try_from(count).unwrap_or_default(),
        other => return Err(StoreError::Internal(format!("{other:?} is no count").into())),
    };
    let width = row.len();
    Ok((take_values(&mut row, width)?, count))
}

/// The keys of parents with the number of rows that the rows of a junction lead them to. The first `width` values of a row
/// between are those of the parent.
fn joined(between: &Counts, width: usize, children: &Counts) -> Counts {
    let children: HashMap<Key, u64> =
        children.iter().filter_map(|(values, count)| Some((key(values)?, *count))).collect();
    let mut places: HashMap<Key, usize> = HashMap::new();
    let mut parents = Counts::new();
    for (values, count) in between {
        let (parent, child) = values.split_at(width);
        let Some(rows) = key(child).and_then(|child| children.get(&child)) else { continue };
        let Some(parent_key) = key(parent) else { continue };
        let place = *places.entry(parent_key).or_insert(parents.len());
        if place == parents.len() {
            parents.push((parent.to_vec(), 0));
        }
        parents[place].1 += count * rows;
    }
    parents
}
