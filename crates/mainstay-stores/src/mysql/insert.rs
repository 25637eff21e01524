//! Inserts and merges. Which row a merge meets is looked up by the key that was named, and locked: the server's own
//! `ON DUPLICATE KEY UPDATE` goes by any key.

use std::collections::{HashMap, HashSet};

use mainstay_query::plan::{Conflict, Expect, Insert};
use mainstay_schema::{ColumnId, DefaultValue, Schema, Table, Type, Value};
use mainstay_store::{RowSink, StoreError};

use super::errors::Context;
use super::hard::{has_key, key_in};
use super::keys;
use super::read::native_params;
use super::render::{MERGED, Mysql};
use super::session::Done;
use super::write::{Affected, Key, Work, WriteFault, check_expect, no_key};
use crate::server::write::{Fate, check_not_null, fates};
use crate::sql::{self, merged_columns};

/// Rows of one statement at most: round, as the numbers of those who send many are.
const ROWS_MAX: usize = 250;
/// Up to so many rows there is a statement for each number of them.
const ROWS_FEW: usize = 16;
/// Parameters of one statement at most; the servers count them in 16 bits.
const PARAMETERS_MAX: usize = 65_535;

/// The insert of some rows and nothing else.
pub(super) fn plain(plan: &Insert, rows: Vec<Vec<Option<Value>>>) -> Insert {
    Insert {
        table: plan.table,
        columns: plan.columns.clone(),
        rows,
        conflict: None,
        returning: None,
        expect: Expect::default(),
    }
}

/// How many of so many rows go into one statement: all of a few, and of many such numbers that few statements serve all
/// of them.
fn rows_at_once(rows: usize, columns: usize) -> usize {
    let most = ROWS_MAX.min(PARAMETERS_MAX / columns.max(1)).max(1);
    match rows {
        _ if rows >= most => most,
        50 | 100 | 150 | 200 => rows,
        _ if rows <= ROWS_FEW => rows,
        _ => 1 << rows.ilog2(),
    }
}

/// Whether all rows of an insert go into one statement. Where some ask for a number and others bring theirs, a server sets
/// aside numbers for all of them.
pub(super) fn is_one_statement(table: &Table, plan: &Insert) -> bool {
    let counted = table.columns.iter().find(|column| column.default == Some(DefaultValue::Sequence));
    let place = counted.and_then(|column| plan.columns.iter().position(|other| *other == column.id));
    let asking = place.map_or(0, |place| plan.rows.iter().filter(|row| row[place].is_none()).count());
    !plan.rows.is_empty()
        && (asking == 0 || asking == plan.rows.len())
        && rows_at_once(plan.rows.len(), plan.columns.len()) == plan.rows.len()
}

/// Whether the server's own `ON DUPLICATE KEY UPDATE`, which goes by any key, does what a merge asks: no other key can be
/// met than the one that was named, and no row of the insert meets another one.
pub(super) fn is_merged_at_once(schema: &Schema, table: &Table, plan: &Insert) -> bool {
    let Some(conflict) = plan.conflict.as_ref().filter(|conflict| conflict.merge.is_some()) else { return false };
    if schema.found().is_some() {
        return false;
    }
    let place = |column: &ColumnId| plan.columns.iter().position(|other| other == column);
    // A number that the server makes meets nothing.
    let is_new = |column: &ColumnId| {
        table.column(*column).default == Some(DefaultValue::Sequence)
            && place(column).is_none_or(|place| plan.rows.iter().all(|row| row[place].is_none()))
    };
    let indexes = table.indexes.iter().filter(|index| index.unique);
    let mut keys = std::iter::once(table.primary_key.clone())
        .chain(table.uniques.iter().map(|key| key.columns.clone()))
        .chain(indexes.map(|index| index.columns.iter().map(|part| part.column).collect()));
    let is_named = |key: &[ColumnId]| key.iter().all(|column| conflict.target.contains(column));
    if !keys.all(|key| (is_named(&key) && key.len() == conflict.target.len()) || key.iter().any(is_new)) {
        return false;
    }
    let merged = merged_columns(conflict);
    let is_given =
        |column: &ColumnId, row: &Vec<Option<Value>>| place(column).is_some_and(|place| row[place].is_some());
    let is_settled = !merged.is_empty()
        && !merged.iter().any(|column| table.primary_key.contains(column))
        && plan.rows.iter().all(|row| merged.iter().all(|column| is_given(column, row)));
    // Two zeros are one key, and look different.
    let is_float = conflict.target.iter().any(|column| table.column(*column).ty == Type::Float);
    let mut seen = HashSet::new();
    is_settled
        && !is_float
        && plan.rows.iter().all(|row| {
            let part = |column: &ColumnId| row[place(column)?].as_ref().filter(|value| !value.is_null())?.to_text();
            let key: Option<Vec<_>> = conflict.target.iter().map(part).collect();
            key.is_some_and(|key| seen.insert(key))
        })
}

/// What became of the rows of an insert that was one statement.
pub(super) fn counted(plan: &Insert, done: &Done) -> Affected {
    let affected = plan.rows.len() as u64;
    let merged = match (&plan.conflict, affected) {
        (None, _) => 0,
        (Some(_), 1) => u64::from(done.number == Some(MERGED)),
        // `Records: 3  Duplicates: 2  Warnings: 0`, in any language.
        (Some(_), _) => {
            let mut numbers = done.info.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
            numbers.nth(1).and_then(|digits| digits.parse().ok()).unwrap_or(0)
        }
    };
    Affected { affected, inserted: affected.saturating_sub(merged) }
}

impl Work<'_> {
    pub(super) async fn insert(&mut self, plan: &Insert, sink: &mut dyn RowSink) -> Result<Affected, WriteFault> {
        let table = self.schema.table(plan.table);
        if plan.rows.is_empty() {
            check_expect(plan.expect, 0)?;
            return Ok(Affected::default());
        }
        if self.schema.found().is_none() {
            check_not_null(table, plan)?;
        }
        let made = self.with_made_keys(table, plan).await?;
        let plan = made.as_ref().unwrap_or(plan);
        if self.ledger.is_none() && is_merged_at_once(self.schema, table, plan) {
            return self.merge_at_once(table, plan, sink).await;
        }
        let fates = match &plan.conflict {
            None => vec![Fate::New; plan.rows.len()],
            Some(conflict) => self.fates(table, plan, conflict).await?,
        };
        let mut keys: Vec<Key> = Vec::new();
        let mut affected = Affected::default();
        let mut at = 0;
        // In their order, since a row may want a key that one before it gives up.
        while at < fates.len() {
            match &fates[at] {
                Fate::Skipped => at += 1,
                Fate::Merged(key) => {
                    affected.affected += 1;
                    keys.push(self.merge(table, plan, at, key).await?);
                    at += 1;
                }
                Fate::New => {
                    let run = fates[at..].iter().take_while(|fate| **fate == Fate::New).count();
                    keys.extend(self.add(table, plan, at..at + run).await?);
                    affected.affected += run as u64;
                    affected.inserted += run as u64;
                    at += run;
                }
            }
        }
        self.settle(table).await?;
        check_expect(plan.expect, affected.affected)?;
        if let Some(read) = plan.returning.as_deref() {
            if table.primary_key.is_empty() {
                return Err(no_key(table));
            }
            if keys.len() as u64 != affected.affected {
                let what = format!("the store mysql cannot give back rows of {} whose key it made", table.name);
                return Err(StoreError::Unsupported { what }.into());
            }
            let keys = self.as_kept(table, &table.primary_key, keys).await?;
            self.give_back(table, read, &keys, sink).await?;
        }
        Ok(affected)
    }

    /// Merges rows by the server's own words for it.
    async fn merge_at_once(
        &mut self,
        table: &Table,
        plan: &Insert,
        sink: &mut dyn RowSink,
    ) -> Result<Affected, WriteFault> {
        let mut affected = Affected::default();
        let mut rows = plan.rows.as_slice();
        while !rows.is_empty() {
            let (some, others) = rows.split_at(rows_at_once(rows.len(), plan.columns.len()));
            let chunk = Insert { conflict: plan.conflict.clone(), ..plain(plan, some.to_vec()) };
            let sql = sql::insert(Mysql(self.session.server()), self.schema, &chunk);
            let context = Context { table, set: &[], rows: Some((&plan.columns, some)) };
            let done = self.execute(context, &sql.text, native_params(&sql.binds)).await?;
            let counted = counted(&chunk, &done);
            affected.affected += counted.affected;
            affected.inserted += counted.inserted;
            rows = others;
        }
        check_expect(plan.expect, affected.affected)?;
        if let (Some(read), Some(conflict)) = (plan.returning.as_deref(), &plan.conflict) {
            let keys = self.keys_of(table, plan, conflict).await?;
            self.give_back(table, read, &keys, sink).await?;
        }
        Ok(affected)
    }

    /// The primary keys of rows that were merged, in their order.
    async fn keys_of(&mut self, table: &Table, plan: &Insert, conflict: &Conflict) -> Result<Vec<Key>, WriteFault> {
        let targets = |columns: &[ColumnId]| -> Vec<Key> {
            let place = |column: &ColumnId| plan.columns.iter().position(|other| other == column);
            let places: Vec<usize> = columns.iter().filter_map(place).collect();
            plan.rows.iter().map(|row| places.iter().filter_map(|place| row[*place].clone()).collect()).collect()
        };
        // The key may be named in another order than the table's own.
        if table.primary_key.iter().all(|column| conflict.target.contains(column)) {
            return Ok(targets(&table.primary_key));
        }
        let wanted = targets(&conflict.target);
        let columns: Vec<ColumnId> = conflict.target.iter().chain(&table.primary_key).copied().collect();
        let found = self.values(table, &columns, &key_in(&conflict.target, wanted.clone())).await?;
        let mut there: HashMap<Vec<String>, Key> = HashMap::new();
        for row in found {
            let (target, key) = row.split_at(conflict.target.len());
            there.insert(texts(target), key.to_vec());
        }
        Ok(wanted.iter().filter_map(|target| there.remove(&texts(target))).collect())
    }

    /// What becomes of the rows of an insert that may meet others.
    async fn fates(&mut self, table: &Table, plan: &Insert, conflict: &Conflict) -> Result<Vec<Fate<Key>>, WriteFault> {
        let place = |column: &ColumnId| plan.columns.iter().position(|other| other == column);
        let places: Vec<Option<usize>> = conflict.target.iter().map(place).collect();
        // A value that the server is to make is a new one.
        let target = |row: &Vec<Option<Value>>| -> Option<Key> {
            let part = |place: &Option<usize>| row[(*place)?].clone().filter(|value| !value.is_null());
            places.iter().map(part).collect()
        };
        let mut wanted: Vec<Option<Key>> = plan.rows.iter().map(target).collect();
        let known: Vec<Key> = wanted.iter().flatten().cloned().collect();
        let known = self.as_kept(table, &conflict.target, known).await?;
        for (key, kept) in wanted.iter_mut().flatten().zip(&known) {
            key.clone_from(kept);
        }
        let mut there: HashMap<Vec<String>, Key> = HashMap::new();
        if !known.is_empty() {
            let is_plain = self.schema.found().is_none() || known.iter().all(keys::is_plain);
            let columns: Vec<ColumnId> = conflict.target.iter().chain(&table.primary_key).copied().collect();
            for row in self.values(table, &columns, &key_in(&conflict.target, known)).await? {
                let (target, key) = row.split_at(conflict.target.len());
                there.insert(texts(target), key.to_vec());
            }
            if !is_plain {
                self.liken(table, conflict, &columns, &there, &mut wanted).await?;
            }
        }
        let wanted = wanted.into_iter().map(|key| key.map(|key| texts(&key)));
        Ok(fates(wanted, &there, conflict.merge.is_some())?)
    }

    /// Makes keys look like those of the rows that they meet, and like one another, where they are equal to the server alone.
    async fn liken(
        &mut self,
        table: &Table,
        conflict: &Conflict,
        columns: &[ColumnId],
        there: &HashMap<Vec<String>, Key>,
        wanted: &mut [Option<Key>],
    ) -> Result<(), WriteFault> {
        let mut new = Vec::new();
        for key in wanted.iter_mut().flatten().filter(|key| !there.contains_key(&texts(key))) {
            let met = match there.is_empty() {
                true => None,
                false => self.values(table, columns, &has_key(&conflict.target, key)).await?.into_iter().next(),
            };
            match met {
                Some(row) => *key = row[..conflict.target.len()].to_vec(),
                None => new.push(key),
            }
        }
        self.alike(table, &conflict.target, &mut new).await
    }

    /// Merges a row into the one with this key; gives its key afterwards.
    async fn merge(&mut self, table: &Table, plan: &Insert, at: usize, key: &Key) -> Result<Key, WriteFault> {
        let Some(conflict) = &plan.conflict else { return Ok(key.clone()) };
        let row = &plan.rows[at];
        let cell = |column: ColumnId| {
            let place = plan.columns.iter().position(|other| *other == column)?;
            Some((column, row[place].clone()?))
        };
        let set: Vec<(ColumnId, Value)> = merged_columns(conflict).into_iter().filter_map(cell).collect();
        if set.is_empty() {
            return Ok(key.clone());
        }
        self.change(table, std::slice::from_ref(key), &set).await?;
        let part = |(column, old): (&ColumnId, &Value)| {
            set.iter().find(|(set, _)| set == column).map_or(old, |(_, new)| new).clone()
        };
        Ok(table.primary_key.iter().zip(key).map(part).collect())
    }

    /// Inserts rows as new ones; gives their keys, or none where the server made them and does not tell.
    async fn add(
        &mut self,
        table: &Table,
        plan: &Insert,
        range: std::ops::Range<usize>,
    ) -> Result<Vec<Key>, WriteFault> {
        let counted = table.columns.iter().find(|column| column.default == Some(DefaultValue::Sequence));
        let place = counted.and_then(|column| plan.columns.iter().position(|other| *other == column.id));
        let asks = |row: &Vec<Option<Value>>| counted.is_some() && place.is_none_or(|place| row[place].is_none());
        // Where it is no first part of an index, each value of the others has numbers of its own.
        let is_common = counted.is_none_or(|counted| leads(table, counted.id));
        let rows = &plan.rows[range];
        let mut keys = Vec::with_capacity(rows.len());
        let mut at = 0;
        while at < rows.len() {
            // Numbers are consecutive in a statement all of whose rows ask for one.
            let is_asking = asks(&rows[at]);
            let run = rows[at..].iter().take_while(|row| asks(row) == is_asking).count();
            let count = if is_asking && !is_common { 1 } else { rows_at_once(run, plan.columns.len()) };
            let chunk = plain(plan, rows[at..at + count].to_vec());
            let sql = sql::insert(Mysql(self.session.server()), self.schema, &chunk);
            let context = Context { table, set: &[], rows: Some((&plan.columns, &chunk.rows)) };
            let done = self.execute(context, &sql.text, native_params(&sql.binds)).await;
            let done = match done {
                Ok(done) => done,
                Err(fault) => {
                    return Err(match (&plan.conflict, fault) {
                        // Somebody else has inserted it since we looked.
                        (
                            Some(conflict),
                            WriteFault::Final(StoreError::Duplicate { columns, table: of, key, values }),
                        ) if conflict.target.iter().map(|column| &table.column(*column).name).eq(&columns)
                            && (self.begins_anew || !self.has_given) =>
                        {
                            WriteFault::Again(StoreError::Duplicate { columns, table: of, key, values })
                        }
                        (_, fault) => fault,
                    });
                }
            };
            let first = done.number.filter(|_| is_asking);
            for (position, row) in chunk.rows.iter().enumerate() {
                let part = |column: &ColumnId| -> Option<Value> {
                    if let Some(counted) = counted.filter(|counted| is_asking && counted.id == *column) {
                        let number = first? + position as u64 * u64::from(self.session.server().step);
                        return keys::number(counted, number);
                    }
                    row[plan.columns.iter().position(|other| other == column)?].clone()
                };
                let key: Option<Key> = table.primary_key.iter().map(part).collect();
                keys.extend(key.filter(|key| !key.is_empty()));
            }
            if let Some(ledger) = &mut self.ledger {
                let start = keys.len() - count.min(keys.len());
                ledger.added(table, keys[start..].to_vec());
            }
            at += count;
        }
        Ok(keys)
    }
}

/// Whether a key or an index begins with a column.
fn leads(table: &Table, column: ColumnId) -> bool {
    let uniques = table.uniques.iter().filter_map(|key| key.columns.first());
    let indexes = table.indexes.iter().filter_map(|index| index.columns.first()).map(|part| &part.column);
    table.primary_key.first().into_iter().chain(uniques).chain(indexes).any(|first| *first == column)
}

fn texts(values: &[Value]) -> Vec<String> {
    values.iter().map(|value| value.to_text().unwrap_or_default()).collect()
}
