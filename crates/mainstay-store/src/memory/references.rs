//! Foreign keys. Actions happen row by row; whether every reference finds its target is asked when the statement,
//! with all that it caused, is over. So the order in which a statement touches its rows never decides its outcome.

use mainstay_schema::{DefaultValue, Reference, ReferenceAction, Table, TableId, Value};

use super::rows::{Row, RowId, key_of};
use super::write::Transaction;
use crate::error::StoreError;

impl Transaction<'_> {
    /// Does what the references to a removed row say.
    pub(super) fn key_removed(&mut self, table: &Table, before: Row) -> Result<(), StoreError> {
        for (owner, reference) in self.references_to(table.id) {
            let key = key_of(&before, &reference.target_columns);
            for id in self.holders(owner, reference, &key) {
                match reference.on_delete {
                    ReferenceAction::Restrict => {}
                    ReferenceAction::Cascade => self.remove_row(owner.id, id)?,
                    ReferenceAction::SetNull => self.repoint(owner, reference, id, None)?,
                    ReferenceAction::SetDefault => self.repoint(owner, reference, id, Some(owner))?,
                }
            }
        }
        self.vacated.push((table.id, before));
        Ok(())
    }

    /// Does what the references to a changed row say, if what they point at did change.
    pub(super) fn key_changed(&mut self, table: &Table, before: Row, after: &Row) -> Result<(), StoreError> {
        for (owner, reference) in self.references_to(table.id) {
            let (old, new) = (key_of(&before, &reference.target_columns), key_of(after, &reference.target_columns));
            if old == new {
                continue;
            }
            for id in self.holders(owner, reference, &old) {
                match reference.on_update {
                    ReferenceAction::Restrict => {}
                    ReferenceAction::Cascade => {
                        let set: Vec<_> = reference.columns.iter().copied().zip(new.iter().cloned()).collect();
                        self.change_row(owner.id, id, &set)?;
                    }
                    ReferenceAction::SetNull => self.repoint(owner, reference, id, None)?,
                    ReferenceAction::SetDefault => self.repoint(owner, reference, id, Some(owner))?,
                }
            }
        }
        self.vacated.push((table.id, before));
        Ok(())
    }

    /// Checks every reference that the statement may have broken. `table` is the one that it wrote to.
    pub(super) fn check_references(&mut self, table: &Table) -> Result<(), StoreError> {
        let violated = || StoreError::Reference { table: table.name.clone() };
        for (id, row) in std::mem::take(&mut self.written) {
            let Some(row) = self.tables[id.index()].get(row) else { continue };
            if !self.schema.table(id).references.iter().all(|reference| self.is_held(reference, row)) {
                return Err(violated());
            }
        }
        for (id, before) in std::mem::take(&mut self.vacated) {
            for (owner, reference) in self.references_to(id) {
                let key = key_of(&before, &reference.target_columns);
                let gone = self.tables[id.index()].with_key(&reference.target_columns, &key).next().is_none();
                if gone && !self.holders(owner, reference, &key).is_empty() {
                    return Err(violated());
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

    /// Sets the columns of a reference to null, or to the defaults of `defaults`.
    fn repoint(
        &mut self,
        owner: &Table,
        reference: &Reference,
        id: RowId,
        defaults: Option<&Table>,
    ) -> Result<(), StoreError> {
        let value = |column| match defaults.and_then(|table| table.column(column).default.as_ref()) {
            Some(DefaultValue::Literal(value)) => value.clone(),
            _ => Value::Null,
        };
        let set: Vec<_> = reference.columns.iter().map(|column| (*column, value(*column))).collect();
        self.change_row(owner.id, id, &set)
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
