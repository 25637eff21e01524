//! Inserts and merges. Which row a merge meets is looked up by the key that was named, and locked: the server's own
//! `ON DUPLICATE KEY UPDATE` goes by any key.

use std::collections::{HashMap, HashSet};

use mainstay_query::plan::{Conflict, Expect, Insert};
use mainstay_schema::{ColumnId, DefaultValue, Table, Value};
use mainstay_store::{RowSink, StoreError};

use super::errors::Context;
use super::hard::key_in;
use super::read::native_params;
use super::render::Mysql;
use super::write::{Affected, Key, Work, WriteFault, check_expect};
use crate::sql::{self, merged_columns};

/// Rows of one statement at most.
const ROWS_MAX: usize = 256;
/// Parameters of one statement at most; the servers count them in 16 bits.
const PARAMETERS_MAX: usize = 65_535;

/// What a row of an insert becomes.
#[derive(Debug, Clone, PartialEq)]
enum Fate {
    /// A new row.
    New,
    /// Columns of the row with this key.
    Merged(Key),
    /// Nothing.
    Skipped,
}

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
            if keys.len() as u64 != affected.affected {
                let what = format!("the store mysql cannot give back rows of {} whose key it made", table.name);
                return Err(StoreError::Unsupported { what }.into());
            }
            self.give_back(table, read, &keys, sink).await?;
        }
        Ok(affected)
    }

    /// What becomes of the rows of an insert that may meet others.
    async fn fates(&mut self, table: &Table, plan: &Insert, conflict: &Conflict) -> Result<Vec<Fate>, WriteFault> {
        let place = |column: &ColumnId| plan.columns.iter().position(|other| other == column);
        let places: Vec<Option<usize>> = conflict.target.iter().map(place).collect();
        // A value that the server is to make is a new one.
        let target = |row: &Vec<Option<Value>>| -> Option<Key> {
            let part = |place: &Option<usize>| row[(*place)?].clone().filter(|value| !value.is_null());
            places.iter().map(part).collect()
        };
        let wanted: Vec<Option<Key>> = plan.rows.iter().map(target).collect();
        let known: Vec<Key> = wanted.iter().flatten().cloned().collect();
        let mut there: HashMap<Vec<String>, Key> = HashMap::new();
        if !known.is_empty() {
            let columns: Vec<ColumnId> = conflict.target.iter().chain(&table.primary_key).copied().collect();
            for row in self.values(table, &columns, &key_in(&conflict.target, known)).await? {
                let (target, key) = row.split_at(conflict.target.len());
                there.insert(texts(target), key.to_vec());
            }
        }
        let mut seen: HashSet<Vec<String>> = HashSet::new();
        let mut fates = Vec::with_capacity(wanted.len());
        for key in wanted {
            let Some(key) = key.map(|key| texts(&key)) else {
                fates.push(Fate::New);
                continue;
            };
            let is_repeated = seen.contains(&key);
            fates.push(match (there.get(&key), &conflict.merge) {
                (_, Some(_)) if is_repeated => return Err(StoreError::RepeatedKey.into()),
                (Some(key), Some(_)) => Fate::Merged(key.clone()),
                (None, _) if !is_repeated => Fate::New,
                _ => Fate::Skipped,
            });
            seen.insert(key);
        }
        Ok(fates)
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
        let rows = &plan.rows[range];
        let mut keys = Vec::with_capacity(rows.len());
        let mut at = 0;
        while at < rows.len() {
            // Numbers are consecutive in a statement all of whose rows ask for one.
            let is_asking = asks(&rows[at]);
            let run = rows[at..].iter().take_while(|row| asks(row) == is_asking).count();
            let most = ROWS_MAX.min(PARAMETERS_MAX / plan.columns.len().max(1)).max(1);
            // Powers of two, so that few statements serve all numbers of rows.
            let count = 1 << run.min(most).ilog2();
            let chunk = plain(plan, rows[at..at + count].to_vec());
            let sql = sql::insert(Mysql(self.session.server()), self.schema, &chunk);
            let context = Context { table, set: &[], rows: Some((&plan.columns, &chunk.rows)) };
            let done = self.execute(context, &sql.text, native_params(&sql.binds)).await;
            if let Err(fault) = done {
                return Err(match (&plan.conflict, fault) {
                    // Somebody else has inserted it since we looked.
                    (Some(conflict), WriteFault::Final(StoreError::Duplicate { columns, table: of, key, values }))
                        if conflict.target.iter().map(|column| &table.column(*column).name).eq(&columns)
                            && (self.begins_anew || !self.has_given) =>
                    {
                        WriteFault::Again(StoreError::Duplicate { columns, table: of, key, values })
                    }
                    (_, fault) => fault,
                });
            }
            let first = if is_asking { self.session.last_insert_id() } else { None };
            for (position, row) in chunk.rows.iter().enumerate() {
                let part = |column: &ColumnId| -> Option<Value> {
                    if is_asking && counted.is_some_and(|counted| counted.id == *column) {
                        let number = first? + position as u64 * u64::from(self.session.server().step);
                        return i64::try_from(number).ok().map(Value::Int);
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

fn texts(values: &[Value]) -> Vec<String> {
    values.iter().map(|value| value.to_text().unwrap_or_default()).collect()
}

/// Null where a value must be, which the server would take for the wish for a number, or tell of another column.
fn check_not_null(table: &Table, plan: &Insert) -> Result<(), StoreError> {
    let is_required = |column: &&mainstay_schema::Column| !column.optional || table.primary_key.contains(&column.id);
    for row in &plan.rows {
        for column in table.columns.iter().filter(is_required) {
            let place = plan.columns.iter().position(|other| *other == column.id);
            let is_missing = match place.map(|place| &row[place]) {
                Some(Some(value)) => value.is_null(),
                Some(None) | None => column.default.is_none(),
            };
            if is_missing {
                return Err(StoreError::NotNull { table: table.name.clone(), column: column.name.clone() });
            }
        }
    }
    Ok(())
}
