//! References that are kept here, where the server's own cannot do what the API says: they act when a statement has
//! touched all of its own rows, and whether every reference finds its target is asked when all that this caused is over.
//!
//! Meanwhile the server checks none (`foreign_key_checks`). What is looked at is locked, as the server itself would: a row
//! that is pointed at by a shared lock, so that nobody takes it away before the commit.

use std::collections::VecDeque;

use mainstay_query::plan::{Filter, Write};
use mainstay_schema::{
    Column, ColumnId, DefaultValue, Reference, ReferenceAction, Schema, Table, TableId, Type, Value,
};
use mainstay_store::{BrokenReference, StoreError};

use super::hard::{has_key, key_in};
use super::server::{Flavor, Server};
use super::write::{Key, Work, WriteFault};
use crate::server::write::check_set;

/// Rows that were written and whose references have not acted yet.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Rows that were changed or removed, as they were and as they are.
    pending: VecDeque<(TableId, Vec<Value>, Option<Vec<Value>>)>,
    /// Keys of rows that were written: what they point at must be there in the end.
    written: Vec<(TableId, Key)>,
}

impl Ledger {
    /// Rows are about to be changed.
    pub(super) fn changed(&mut self, table: &Table, rows: Vec<Vec<Value>>, set: &[(ColumnId, Value)]) {
        for before in rows {
            let mut after = before.clone();
            for (column, value) in set {
                after[column.index()] = value.clone();
            }
            self.written.push((table.id, values(&after, &table.primary_key)));
            self.pending.push_back((table.id, before, Some(after)));
        }
    }

    /// Rows are about to be removed.
    pub(super) fn removed(&mut self, table: &Table, rows: Vec<Vec<Value>>) {
        self.pending.extend(rows.into_iter().map(|row| (table.id, row, None)));
    }

    /// Rows were inserted.
    pub(super) fn added(&mut self, table: &Table, keys: Vec<Key>) {
        self.written.extend(keys.into_iter().map(|key| (table.id, key)));
    }

    /// Does what references say of the rows that were changed or removed, and of those that this changes in turn; then
    /// checks every reference that may be broken. `table` is the one that the statement wrote to.
    pub(super) async fn settle(mut self, work: &mut Work<'_>, table: &Table) -> Result<(), WriteFault> {
        let schema = work.schema;
        let mut vacated: Vec<(TableId, Vec<Value>)> = Vec::new();
        while let Some((id, before, after)) = self.pending.pop_front() {
            for (owner, reference) in references_to(schema, id) {
                let old = values(&before, &reference.target_columns);
                let new = after.as_ref().map(|after| values(after, &reference.target_columns));
                if new.as_ref() == Some(&old) || old.iter().any(Value::is_null) {
                    continue;
                }
                let action = if new.is_some() { reference.on_update } else { reference.on_delete };
                if action == ReferenceAction::Restrict {
                    continue;
                }
                let rows = work.whole(owner, &has_key(&reference.columns, &old)).await?;
                if rows.is_empty() {
                    continue;
                }
                let keys: Vec<Key> = rows.iter().map(|row| values(row, &owner.primary_key)).collect();
                let set: Vec<(ColumnId, Value)> = match (action, &new) {
                    (ReferenceAction::Cascade, None) => {
                        work.remove(owner, &key_in(&owner.primary_key, keys)).await?;
                        self.removed(owner, rows);
                        continue;
                    }
                    (ReferenceAction::Cascade, Some(key)) => {
                        reference.columns.iter().copied().zip(key.iter().cloned()).collect()
                    }
                    (ReferenceAction::SetDefault, _) => {
                        reference.columns.iter().map(|column| (*column, default_of(owner.column(*column)))).collect()
                    }
                    _ => reference.columns.iter().map(|column| (*column, Value::Null)).collect(),
                };
                check_set(owner, &set)?;
                work.set(owner, &set, &key_in(&owner.primary_key, keys)).await?;
                self.changed(owner, rows, &set);
            }
            vacated.push((id, before));
        }
        let violated = |broken| StoreError::Reference { table: table.name.clone(), broken: Some(Box::new(broken)) };
        for (id, key) in self.written {
            let owner = schema.table(id);
            if owner.references.is_empty() {
                continue;
            }
            let Some(row) = work.whole(owner, &has_key(&owner.primary_key, &key)).await?.pop() else { continue };
            for reference in &owner.references {
                let key = values(&row, &reference.columns);
                if !key.iter().any(Value::is_null) && !is_there(work, reference, &key).await? {
                    return Err(violated(BrokenReference::missing(schema, owner, reference, &key)).into());
                }
            }
        }
        for (id, before) in vacated {
            for (owner, reference) in references_to(schema, id) {
                let key = values(&before, &reference.target_columns);
                if key.iter().any(Value::is_null) || is_there(work, reference, &key).await? {
                    continue;
                }
                let holders = work.values(owner, &reference.columns, &has_key(&reference.columns, &key)).await?;
                if !holders.is_empty() {
                    return Err(violated(BrokenReference::held(schema, owner, reference, &key)).into());
                }
            }
        }
        Ok(())
    }
}

/// Whether the server itself misjudges what a plan writes. MySQL 9.7 takes a row for its own target without regard to
/// letter case, where a table has references to itself that hold text.
pub(super) fn are_misjudged(server: Server, schema: &Schema, plan: &Write) -> bool {
    let is_own = |table: TableId| {
        schema.table(table).references.iter().any(|reference| {
            let is_text = |column: &ColumnId| schema.table(table).column(*column).ty == Type::Text;
            reference.target == table && reference.columns.iter().any(is_text)
        })
    };
    let is_written = match plan {
        Write::Insert(plan) => is_own(plan.table),
        Write::Update(plan) => is_own(plan.table),
        Write::UpdateEach(plan) => is_own(plan.table),
        Write::Delete(_) | Write::Run(_) => false,
        Write::Nested(plan) => plan.parts.iter().any(|part| is_own(part.insert.table)),
        Write::Batch(plans) => return plans.iter().any(|plan| are_misjudged(server, schema, plan)),
    };
    is_written && server.flavor == Flavor::Mysql && schema.found().is_none()
}

/// Whether a reference with this key finds its target, which then stays until the transaction ends.
async fn is_there(work: &mut Work<'_>, reference: &Reference, key: &[Value]) -> Result<bool, WriteFault> {
    let target = work.schema.table(reference.target);
    let filter: Filter = has_key(&reference.target_columns, key);
    Ok(!work.values(target, &reference.target_columns, &filter).await?.is_empty())
}

fn values(row: &[Value], columns: &[ColumnId]) -> Key {
    columns.iter().map(|column| row[column.index()].clone()).collect()
}

fn default_of(column: &Column) -> Value {
    match &column.default {
        Some(DefaultValue::Literal(value)) => value.clone(),
        _ => Value::Null,
    }
}

/// Every reference of a table (a view only describes embeds) to this one.
fn references_to(schema: &Schema, target: TableId) -> Vec<(&Table, &Reference)> {
    let tables = schema.tables().iter().filter(|table| table.is_writable());
    let references = tables.flat_map(|table| table.references.iter().map(move |reference| (table, reference)));
    references.filter(|(_, reference)| reference.target == target).collect()
}
