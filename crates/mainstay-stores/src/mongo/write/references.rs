//! Foreign keys. MongoDB has none: they act when a statement has touched all of its own rows, and whether every reference
//! finds its target is asked when all that this caused is over. So the order in which a statement meets its rows never
//! decides its outcome.

use std::collections::{BTreeSet, HashMap, HashSet};

use mainstay_schema::{Column, ColumnId, DefaultValue, Reference, ReferenceAction, Schema, Table, TableId, Value};
use mainstay_store::{BrokenReference, StoreError};

use super::faults::after;
use super::keys::{Key, Row, key_of, text_of};
use super::locks;
use super::work::Work;
use crate::server::WriteFault;

/// A row as it was, and as it is if it still is.
#[derive(Debug)]
struct Changed {
    before: Row,
    after: Option<Row>,
}

/// Rows that a statement wrote, by the table that they are of.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Rows that others may point at, whose references have not acted yet.
    pending: Vec<(TableId, Changed)>,
    /// Rows whose references must find their targets in the end, in the order of their writing; later ones of one key
    /// stand for the row.
    written: Vec<(TableId, Row)>,
    /// Keys of rows that went, so that nobody asks for their targets.
    gone: HashSet<(TableId, Vec<String>)>,
}

impl Ledger {
    /// Rows were inserted.
    pub(super) fn added(&mut self, table: &Table, rows: &[Row]) {
        for row in rows {
            self.gone.remove(&identity(table, row));
        }
        if !table.references.is_empty() {
            self.written.extend(rows.iter().map(|row| (table.id, row.clone())));
        }
    }

    /// Rows were changed, each from what it was to what it is.
    pub(super) fn changed<'r>(
        &mut self,
        schema: &Schema,
        table: &Table,
        rows: impl Iterator<Item = (&'r Row, &'r Row)>,
    ) {
        let pointing = references_to(schema, table.id);
        for (before, after) in rows {
            let moves = |columns: &[ColumnId]| key_of(before, columns) != key_of(after, columns);
            if moves(&table.primary_key) {
                self.gone.insert(identity(table, before));
                self.gone.remove(&identity(table, after));
            }
            if table.references.iter().any(|reference| moves(&reference.columns)) || moves(&table.primary_key) {
                self.written.push((table.id, after.clone()));
            }
            if pointing.iter().any(|(_, reference)| moves(&reference.target_columns)) {
                let changed = Changed { before: before.clone(), after: Some(after.clone()) };
                self.pending.push((table.id, changed));
            }
        }
    }

    /// Rows were removed.
    pub(super) fn removed(&mut self, schema: &Schema, table: &Table, rows: &[Row]) {
        if !table.references.is_empty() {
            self.gone.extend(rows.iter().map(|row| identity(table, row)));
        }
        if !references_to(schema, table.id).is_empty() {
            self.pending.extend(rows.iter().map(|row| (table.id, Changed { before: row.clone(), after: None })));
        }
    }
}

fn identity(table: &Table, row: &[Value]) -> (TableId, Vec<String>) {
    (table.id, text_of(&key_of(row, &table.primary_key)).unwrap_or_default())
}

/// Every reference of a table (a view only describes embeds) to this one.
pub(super) fn references_to(schema: &Schema, target: TableId) -> Vec<(&Table, &Reference)> {
    let tables = schema.tables().iter().filter(|table| table.is_writable());
    let references = tables.flat_map(|table| table.references.iter().map(move |reference| (table, reference)));
    references.filter(|(_, reference)| reference.target == target).collect()
}

impl Work<'_> {
    /// Does what references say of the rows that were changed or removed, and of those that this changes in turn; then
    /// checks every reference that may be broken. `table` is the one that the statement wrote to.
    pub(super) async fn settle(&mut self, table: &Table) -> Result<(), WriteFault> {
        let schema = self.schema;
        let violated = |broken| StoreError::Reference { table: table.name.clone(), broken: Some(Box::new(broken)) };
        let mut vacated: Vec<(TableId, Changed)> = Vec::new();
        while !self.ledger.pending.is_empty() {
            let round = std::mem::take(&mut self.ledger.pending);
            for some in by_table(&round) {
                self.act(schema.table(some[0].0), &some).await?;
            }
            vacated.extend(round);
        }
        let written = std::mem::take(&mut self.ledger.written);
        let gone = std::mem::take(&mut self.ledger.gone);
        if let Some(broken) = self.missing(written, &gone).await? {
            return Err(violated(broken).into());
        }
        if let Some(broken) = self.held(vacated).await? {
            return Err(violated(broken).into());
        }
        Ok(())
    }

    /// Does what the references to rows of one table say.
    async fn act(&mut self, table: &Table, rows: &[&(TableId, Changed)]) -> Result<(), WriteFault> {
        let schema = self.schema;
        for (owner, reference) in references_to(schema, table.id) {
            let mut moved: Vec<(Key, Option<Key>)> = Vec::new();
            for (_, changed) in rows {
                let old = key_of(&changed.before, &reference.target_columns);
                let new = changed.after.as_ref().map(|after| key_of(after, &reference.target_columns));
                if new.as_ref() != Some(&old) && !old.iter().any(Value::is_null) {
                    moved.push((old, new));
                }
            }
            // Nobody may come to rely on these keys from now on.
            let texts = moved.iter().filter_map(|(old, _)| text_of(old));
            let places: BTreeSet<u64> = texts.map(|text| locks::place(table, &text)).collect();
            self.claim(places).await?;
            for is_gone in [true, false] {
                let action = if is_gone { reference.on_delete } else { reference.on_update };
                let some = moved.iter().filter(|(_, new)| new.is_none() == is_gone);
                let some: HashMap<Vec<String>, &(Key, Option<Key>)> =
                    some.filter_map(|one| Some((text_of(&one.0)?, one))).collect();
                if action == ReferenceAction::Restrict || some.is_empty() {
                    continue;
                }
                let keys: Vec<Key> = some.values().map(|(old, _)| old.clone()).collect();
                let holders = self.pointing(owner, &reference.columns, &keys).await?;
                if holders.is_empty() {
                    continue;
                }
                if action == ReferenceAction::Cascade && is_gone {
                    self.remove(owner, &holders).await?;
                    continue;
                }
                let mut changes = Vec::with_capacity(holders.len());
                for row in holders {
                    let new = text_of(&key_of(&row, &reference.columns)).and_then(|text| some.get(&text)?.1.clone());
                    let value = |(at, column): (usize, &ColumnId)| match action {
                        ReferenceAction::Cascade => new.as_ref().map_or(Value::Null, |new| new[at].clone()),
                        ReferenceAction::SetDefault => default_of(owner.column(*column)),
                        _ => Value::Null,
                    };
                    let columns = reference.columns.iter().enumerate();
                    let set: Vec<(ColumnId, Value)> =
                        columns.map(|(at, column)| (*column, value((at, column)))).collect();
                    changes.push((row, set));
                }
                // What a default points at already is asked for all the same.
                for (row, set) in &changes {
                    self.ledger.written.push((owner.id, after(row, set)));
                }
                self.change(owner, changes).await?;
            }
        }
        Ok(())
    }

    /// The first reference of rows that were written which finds nothing.
    async fn missing(
        &mut self,
        written: Vec<(TableId, Row)>,
        gone: &HashSet<(TableId, Vec<String>)>,
    ) -> Result<Option<BrokenReference>, WriteFault> {
        let schema = self.schema;
        // The last state of each row, at the place of its first.
        let mut places: HashMap<(TableId, Vec<String>), usize> = HashMap::new();
        let mut rows: Vec<(TableId, Row)> = Vec::new();
        for (id, row) in written {
            let identity = identity(schema.table(id), &row);
            if gone.contains(&identity) {
                continue;
            }
            match places.get(&identity) {
                Some(place) => rows[*place].1 = row,
                None => {
                    places.insert(identity, rows.len());
                    rows.push((id, row));
                }
            }
        }
        let mut tables: Vec<TableId> = rows.iter().map(|(id, _)| *id).collect();
        tables.sort_unstable_by_key(|id| id.index());
        tables.dedup();
        let mut first: Option<(usize, BrokenReference)> = None;
        for owner in tables.into_iter().map(|id| schema.table(id)) {
            for reference in &owner.references {
                let of_owner = rows.iter().enumerate().filter(|(_, (id, _))| *id == owner.id);
                let keys = of_owner.filter_map(|(at, (_, row))| {
                    let key = key_of(row, &reference.columns);
                    Some((at, text_of(&key)?, key))
                });
                let keys: Vec<(usize, Vec<String>, Key)> = keys.collect();
                let Some(at) = self.first_missing(reference, &keys).await? else { continue };
                if first.as_ref().is_none_or(|(other, _)| at < *other) {
                    let key = key_of(&rows[at].1, &reference.columns);
                    first = Some((at, BrokenReference::missing(schema, owner, reference, &key)));
                }
            }
        }
        Ok(first.map(|(_, broken)| broken))
    }

    /// The place of the first key that no row of the target has. Those that are there stay until the transaction ends.
    async fn first_missing(
        &mut self,
        reference: &Reference,
        keys: &[(usize, Vec<String>, Key)],
    ) -> Result<Option<usize>, WriteFault> {
        let target = self.schema.table(reference.target);
        let is_key = reference.target_columns == target.primary_key;
        let mut wanted: HashMap<&[String], &Key> = HashMap::new();
        for (_, text, key) in keys {
            // Nobody else can see what this transaction made, and so nobody removes it.
            if !(is_key && self.made.contains(&(target.id, text.clone()))) {
                wanted.insert(text, key);
            }
        }
        let places: BTreeSet<u64> = wanted.keys().map(|text| locks::place(target, text)).collect();
        let asked: Vec<Key> = wanted.values().map(|key| (*key).clone()).collect();
        let there = self.present(target, &reference.target_columns, &asked).await?;
        let missing = keys.iter().find(|(_, text, _)| wanted.contains_key(&**text) && !there.contains(text));
        if let Some((at, _, _)) = missing {
            return Ok(Some(*at));
        }
        self.share(places).await?;
        Ok(None)
    }

    /// The first key that went while rows still point at it. What references do is done: only those are asked for that
    /// refuse.
    async fn held(&mut self, vacated: Vec<(TableId, Changed)>) -> Result<Option<BrokenReference>, WriteFault> {
        let schema = self.schema;
        for some in by_table(&vacated) {
            let target = schema.table(some[0].0);
            for (owner, reference) in references_to(schema, target.id) {
                let mut keys: Vec<(Vec<String>, Key)> = Vec::new();
                for (_, changed) in &some {
                    let key = key_of(&changed.before, &reference.target_columns);
                    let now = changed.after.as_ref().map(|after| key_of(after, &reference.target_columns));
                    let action = if now.is_some() { reference.on_update } else { reference.on_delete };
                    if let Some(text) = text_of(&key)
                        && action == ReferenceAction::Restrict
                        && now.as_ref() != Some(&key)
                    {
                        keys.push((text, key));
                    }
                }
                let all: Vec<Key> = keys.iter().map(|(_, key)| key.clone()).collect();
                let there = self.present(target, &reference.target_columns, &all).await?;
                keys.retain(|(text, _)| !there.contains(text));
                let gone: Vec<Key> = keys.into_iter().map(|(_, key)| key).collect();
                if let Some(key) = self.first_held(owner, reference, &gone).await? {
                    return Ok(Some(BrokenReference::held(schema, owner, reference, &key)));
                }
            }
        }
        Ok(None)
    }

    /// The first of these keys that rows point at. They may be many, so that nobody asks for more than one of them.
    async fn first_held(
        &mut self,
        owner: &Table,
        reference: &Reference,
        keys: &[Key],
    ) -> Result<Option<Key>, WriteFault> {
        if !self.is_any(owner, &reference.columns, keys).await? {
            return Ok(None);
        }
        // One of them is held: the first one is in the half that comes first and has one.
        let mut some = keys;
        while some.len() > 1 {
            let (first, rest) = some.split_at(some.len() / 2);
            some = if self.is_any(owner, &reference.columns, first).await? { first } else { rest };
        }
        Ok(some.first().cloned())
    }
}

/// Rows by the table that they are of, in the order of the first of each.
fn by_table(rows: &[(TableId, Changed)]) -> Vec<Vec<&(TableId, Changed)>> {
    let mut groups: Vec<Vec<&(TableId, Changed)>> = Vec::new();
    for row in rows {
        match groups.iter_mut().find(|group| group[0].0 == row.0) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    groups
}

fn default_of(column: &Column) -> Value {
    match &column.default {
        Some(DefaultValue::Literal(value)) => value.clone(),
        _ => Value::Null,
    }
}
