//! Foreign keys. They act when a statement has touched all of its own rows; whether every reference finds its target is
//! asked when all that this caused is over. So the order in which a statement meets its rows never decides its outcome.

use mainstay_schema::{Column, DefaultValue, Reference, ReferenceAction, Table, TableId, Value};

use super::rows::{RowId, key_of};
use super::write::Transaction;
use crate::error::{BrokenReference, StoreError};

impl Transaction<'_> {
    /// Does what references say of the rows that were changed or removed, and of those that this changes in turn.
    pub(super) fn settle(&mut self) -> Result<(), StoreError> {
        while let Some((table, before, after)) = self.pending.pop_front() {
            for (owner, reference) in self.references_to(table) {
                let old = key_of(&before, &reference.target_columns);
                let new = after.as_ref().map(|after| key_of(after, &reference.target_columns));
                if new.as_ref() == Some(&old) {
                    continue;
                }
                let action = if new.is_some() { reference.on_update } else { reference.on_delete };
                for id in self.holders(owner, reference, &old) {
                    self.act(owner, reference, action, id, new.as_deref())?;
                }
            }
            self.vacated.push((table, before));
        }
        Ok(())
    }

    /// Does to one row what its reference says; `key` is what it pointed at as that is now, if it still is.
    fn act(
        &mut self,
        owner: &Table,
        reference: &Reference,
        action: ReferenceAction,
        id: RowId,
        key: Option<&[Value]>,
    ) -> Result<(), StoreError> {
        match (action, key) {
            (ReferenceAction::Restrict, _) => Ok(()),
            (ReferenceAction::Cascade, None) => {
                self.remove_row(owner.id, id);
                Ok(())
            }
            (ReferenceAction::Cascade, Some(key)) => {
                let set: Vec<_> = reference.columns.iter().copied().zip(key.iter().cloned()).collect();
                self.change_row(owner.id, id, &set)
            }
            (ReferenceAction::SetNull, _) => self.repoint(owner, reference, id, |_| Value::Null),
            (ReferenceAction::SetDefault, _) => self.repoint(owner, reference, id, default_of),
        }
    }

    /// Checks every reference that the statement may have broken. `table` is the one that it wrote to.
    pub(super) fn check_references(&mut self, table: &Table) -> Result<(), StoreError> {
        let violated = |broken| StoreError::Reference { table: table.name.clone(), broken: Some(Box::new(broken)) };
        for (id, row) in std::mem::take(&mut self.written) {
            let Some(row) = self.tables[id.index()].get(row) else { continue };
            let owner = self.schema.table(id);
            if let Some(reference) = owner.references.iter().find(|reference| !self.is_held(reference, row)) {
                let key = key_of(row, &reference.columns);
                return Err(violated(BrokenReference::missing(self.schema, owner, reference, &key)));
            }
        }
        for (id, before) in std::mem::take(&mut self.vacated) {
            for (owner, reference) in self.references_to(id) {
                let key = key_of(&before, &reference.target_columns);
                let gone = self.tables[id.index()].with_key(&reference.target_columns, &key).next().is_none();
                if gone && !self.holders(owner, reference, &key).is_empty() {
                    return Err(violated(BrokenReference::held(self.schema, owner, reference, &key)));
                }
            }
        }
        Ok(())
    }

    /// Whether a row points at nothing or at something that is there.
    fn is_held(&self, reference: &Reference, row: &[Value]) -> bool {
        let key = key_of(row, &reference.columns);
        let target = &self.tables[reference.target.index()];
        key.iter().any(Value::is_null) || target.with_key(&reference.target_columns, &key).next().is_some()
    }

    fn holders(&self, owner: &Table, reference: &Reference, key: &[Value]) -> Vec<RowId> {
        self.tables[owner.id.index()].with_key(&reference.columns, key).map(|(id, _)| id).collect()
    }

    fn repoint(
        &mut self,
        owner: &Table,
        reference: &Reference,
        id: RowId,
        value: impl Fn(&Column) -> Value,
    ) -> Result<(), StoreError> {
        let set: Vec<_> = reference.columns.iter().map(|column| (*column, value(owner.column(*column)))).collect();
        self.change_row(owner.id, id, &set)
    }
}

fn default_of(column: &Column) -> Value {
    match &column.default {
        Some(DefaultValue::Literal(value)) => value.clone(),
        _ => Value::Null,
    }
}

impl<'a> Transaction<'a> {
    /// Every reference of a table (a view only describes embeds) to this one.
    fn references_to(&self, target: TableId) -> Vec<(&'a Table, &'a Reference)> {
        let tables = self.schema.tables().iter().filter(|table| table.is_writable());
        let references = tables.flat_map(|table| table.references.iter().map(move |reference| (table, reference)));
        references.filter(|(_, reference)| reference.target == target).collect()
    }
}
