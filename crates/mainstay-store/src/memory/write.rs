//! Writes: all on a copy of the tables, which replaces them at the commit.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use mainstay_query::Authorized;
use mainstay_query::evaluate;
use mainstay_query::plan::{Assign, Conflict, Delete, Expect, Insert, Read, Update, UpdateEach, Write};
use mainstay_schema::{ColumnId, DefaultValue, Schema, Table, TableId, Value};

use super::read::View;
use super::rows::{Row, RowId, Rows, key_of};
use super::{check_deadline, unsupported};
use crate::change::{Change, ChangeKind};
use crate::error::StoreError;
use crate::nested::{self, Nesting};
use crate::script::{self, Fault};
use crate::sink::RowSink;

/// One write on its way. Dropping it undoes everything.
pub(super) struct Transaction<'a> {
    pub(super) schema: &'a Schema,
    pub(super) tables: Vec<Rows>,
    deadline: Instant,
    changes: Vec<Change>,
    /// Rows that were changed or removed, as they were and as they are, whose references have not acted yet.
    pub(super) pending: VecDeque<(TableId, Row, Option<Row>)>,
    /// Rows that this statement wrote: their references are checked when it ends.
    pub(super) written: Vec<(TableId, RowId)>,
    /// Rows whose keys this statement took away, as they were: nobody may point there when it ends.
    pub(super) vacated: Vec<(TableId, Row)>,
}

/// Rows affected by a write, cascades left out.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Done {
    pub(super) affected: u64,
    pub(super) inserted: u64,
}

impl<'a> Transaction<'a> {
    pub(super) fn new(schema: &'a Schema, tables: Vec<Rows>, deadline: Instant) -> Transaction<'a> {
        let (changes, pending) = (Vec::new(), VecDeque::new());
        Transaction { schema, tables, deadline, changes, pending, written: Vec::new(), vacated: Vec::new() }
    }

    pub(super) fn run(&mut self, plan: &Write, sink: &mut dyn RowSink) -> Result<Done, StoreError> {
        match plan {
            Write::Insert(insert) => self.insert(insert, sink),
            Write::Update(update) => self.update(update, sink),
            Write::UpdateEach(update) => self.update_each(update, sink),
            Write::Delete(delete) => self.delete(delete, sink),
            Write::Nested(nested) => {
                let schema = self.schema;
                let affected = nested::run(schema, nested, sink, self)?;
                Ok(Done { affected, inserted: affected })
            }
            Write::Batch(writes) => writes.iter().try_fold(Done::default(), |sum, write| {
                let done = self.run(write, sink)?;
                Ok(Done { affected: sum.affected + done.affected, inserted: sum.inserted + done.inserted })
            }),
            Write::Run(run) => Err(super::no_functions(self.schema, run.call.function)),
        }
    }

    /// The tables as they are now, and what happened to them.
    pub(super) fn commit(self) -> (Vec<Rows>, Vec<Change>) {
        (self.tables, self.changes)
    }

    fn insert(&mut self, plan: &Insert, sink: &mut dyn RowSink) -> Result<Done, StoreError> {
        let table = self.writable(plan.table)?;
        let mut done = Done::default();
        let mut ids = Vec::new();
        for cells in &plan.rows {
            check_deadline(self.deadline)?;
            let row = self.new_row(table, &plan.columns, cells);
            check_not_null(table, &row)?;
            match self.conflicting(table, plan.conflict.as_ref(), &row) {
                None => {
                    done.inserted += 1;
                    ids.push(self.add_row(table, row)?);
                }
                Some((id, merge)) => {
                    let Some(merge) = merge else { continue };
                    if ids.contains(&id) {
                        return Err(StoreError::RepeatedKey);
                    }
                    let set: Vec<_> = merge.iter().map(|column| (*column, row[column.index()].clone())).collect();
                    self.change_row(table.id, id, &set)?;
                    ids.push(id);
                }
            }
        }
        done.affected = ids.len() as u64;
        self.finish(table, &plan.expect, done.affected)?;
        self.emit(plan.returning.as_deref(), &ids, sink)?;
        Ok(done)
    }

    fn update(&mut self, plan: &Update, sink: &mut dyn RowSink) -> Result<Done, StoreError> {
        let table = self.writable(plan.table)?;
        let ids = self.update_rows(table, plan)?;
        let affected = ids.len() as u64;
        self.finish(table, &plan.expect, affected)?;
        self.emit(plan.returning.as_deref(), &ids, sink)?;
        Ok(Done { affected, inserted: 0 })
    }

    /// One update after the other, each with what its references ask.
    fn update_each(&mut self, plan: &UpdateEach, sink: &mut dyn RowSink) -> Result<Done, StoreError> {
        let table = self.writable(plan.table)?;
        let mut ids = Vec::new();
        for change in &plan.rows {
            ids.extend(self.update_rows(table, &plan.update(change))?);
            self.finish(table, &Expect::default(), 0)?;
        }
        let affected = ids.len() as u64;
        self.finish(table, &plan.expect, affected)?;
        self.emit(plan.returning.as_deref(), &ids, sink)?;
        Ok(Done { affected, inserted: 0 })
    }

    fn update_rows(&mut self, table: &Table, plan: &Update) -> Result<Vec<RowId>, StoreError> {
        let ids = self.view().matching(table.id, &plan.filter)?;
        for id in &ids {
            check_deadline(self.deadline)?;
            let Some(row) = self.tables[table.id.index()].get(*id) else { continue };
            let made = |(column, assign): &(ColumnId, Assign)| {
                let column = table.column(*column);
                let value = evaluate::assign(column, &row[column.id.index()], assign);
                value.map(|value| (column.id, value)).map_err(|error| StoreError::of_assignment(table, column, error))
            };
            let set = plan.set.iter().map(made).collect::<Result<Vec<_>, _>>()?;
            self.change_row(table.id, *id, &set)?;
        }
        Ok(ids)
    }

    fn delete(&mut self, plan: &Delete, sink: &mut dyn RowSink) -> Result<Done, StoreError> {
        let table = self.writable(plan.table)?;
        let ids = self.view().matching(table.id, &plan.filter)?;
        // The rows as they were before, and so were the rows that they embed.
        self.emit(plan.returning.as_deref(), &ids, sink)?;
        for id in &ids {
            check_deadline(self.deadline)?;
            self.remove_row(table.id, *id);
        }
        let affected = ids.len() as u64;
        self.finish(table, &plan.expect, affected)?;
        Ok(Done { affected, inserted: 0 })
    }

    fn writable(&self, table: TableId) -> Result<&'a Table, StoreError> {
        let table = self.schema.table(table);
        if !table.is_writable() {
            return Err(unsupported(format!("cannot write to the view \"{}\"", table.name)));
        }
        match table.indexes.iter().find(|index| index.unique && index.condition.is_some()) {
            Some(index) => Err(unsupported(format!("cannot keep the partial unique index \"{}\"", index.name))),
            None => Ok(table),
        }
    }

    fn view(&self) -> View<'_> {
        View::new(self.schema, &self.tables, self.deadline, false)
    }

    fn emit(&self, returning: Option<&Read>, ids: &[RowId], sink: &mut dyn RowSink) -> Result<(), StoreError> {
        let Some(read) = returning else { return Ok(()) };
        let view = self.view();
        for row in ids.iter().filter_map(|id| self.tables[read.table.index()].get(*id)) {
            if view.passes(&read.filter, row)? {
                view.emit(&read.select, row, sink)?;
            }
        }
        Ok(())
    }

    fn new_row(&mut self, table: &Table, columns: &[ColumnId], cells: &[Option<Value>]) -> Row {
        let mut given: Vec<Option<Value>> = vec![None; table.columns.len()];
        for (column, cell) in columns.iter().zip(cells) {
            given[column.index()].clone_from(cell);
        }
        let rows = &mut self.tables[table.id.index()];
        let fill = |(column, cell): (&mainstay_schema::Column, Option<Value>)| match (cell, &column.default) {
            (None, Some(DefaultValue::Sequence)) => Value::Int(rows.next_number()),
            (None, _) => Value::Null,
            (Some(Value::Int(number)), Some(DefaultValue::Sequence)) => {
                rows.saw_number(number);
                Value::Int(number)
            }
            (Some(value), _) => value,
        };
        table.columns.iter().zip(given).map(fill).collect()
    }

    /// The row that already holds the key which an upsert looks at, and the columns to merge into it.
    fn conflicting<'c>(
        &self,
        table: &Table,
        conflict: Option<&'c Conflict>,
        row: &[Value],
    ) -> Option<(RowId, Option<&'c [ColumnId]>)> {
        let conflict = conflict?;
        let key = key_of(row, &conflict.target);
        let (id, _) = self.tables[table.id.index()].with_key(&conflict.target, &key).next()?;
        Some((id, conflict.merge.as_deref()))
    }

    /// Takes in a row of an older schema. Its references are checked when all rows are in.
    pub(super) fn take_in(&mut self, table: &Table, row: Row) -> Result<(), StoreError> {
        check_not_null(table, &row)?;
        self.add_row(table, row).map(|_| ())
    }

    fn add_row(&mut self, table: &Table, row: Row) -> Result<RowId, StoreError> {
        self.check_keys(table, &row, None)?;
        self.record(table, ChangeKind::Insert, None, Some(&row));
        let id = self.tables[table.id.index()].insert(row);
        self.written.push((table.id, id));
        Ok(id)
    }

    /// Sets columns of one row.
    pub(super) fn change_row(
        &mut self,
        table: TableId,
        id: RowId,
        set: &[(ColumnId, Value)],
    ) -> Result<(), StoreError> {
        let table = self.schema.table(table);
        let Some(before) = self.tables[table.id.index()].get(id).cloned() else { return Ok(()) };
        let mut after = before.clone();
        for (column, value) in set {
            after[column.index()] = value.clone();
        }
        check_not_null(table, &after)?;
        self.check_keys(table, &after, Some(id))?;
        self.record(table, ChangeKind::Update, Some(&before), Some(&after));
        self.tables[table.id.index()].replace(id, after.clone());
        self.written.push((table.id, id));
        self.pending.push_back((table.id, before, Some(after)));
        Ok(())
    }

    /// Removes one row.
    pub(super) fn remove_row(&mut self, table: TableId, id: RowId) {
        let table = self.schema.table(table);
        if let Some(before) = self.tables[table.id.index()].remove(id) {
            self.record(table, ChangeKind::Delete, Some(&before), None);
            self.pending.push_back((table.id, before, None));
        }
    }

    /// Ends a statement: what its references must find, and what it was expected to affect, in the order of SQL, where
    /// the constraints are the statement's own and the expectation is asked of its outcome.
    fn finish(&mut self, table: &Table, expect: &Expect, affected: u64) -> Result<(), StoreError> {
        self.settle()?;
        self.check_references(table)?;
        if expect.single && affected != 1 {
            return Err(StoreError::Unexpected { affected, single: true });
        }
        if expect.affected_max.is_some_and(|max| affected > max) {
            return Err(StoreError::Unexpected { affected, single: false });
        }
        Ok(())
    }

    fn check_keys(&self, table: &Table, row: &[Value], own: Option<RowId>) -> Result<(), StoreError> {
        let primary = (format!("{}_pkey", table.name).into(), table.primary_key.clone());
        let uniques = table.uniques.iter().map(|key| (key.name.clone(), key.columns.clone()));
        let indexes = table.indexes.iter().filter(|index| index.unique);
        let indexes =
            indexes.map(|index| (index.name.clone(), index.columns.iter().map(|part| part.column).collect::<Vec<_>>()));
        let keys = std::iter::once(primary).chain(uniques).chain(indexes);
        // A key of no columns would be the same in every row.
        for (key, columns) in keys.filter(|(_, columns)| !columns.is_empty()) {
            let values = key_of(row, &columns);
            if self.tables[table.id.index()].with_key(&columns, &values).any(|(id, _)| Some(id) != own) {
                return Err(duplicate(table, key, &columns, &values));
            }
        }
        Ok(())
    }

    fn record(&mut self, table: &Table, kind: ChangeKind, before: Option<&Row>, after: Option<&Row>) {
        self.changes.push(Change {
            table: table.name.clone(),
            kind,
            columns: table.columns.iter().map(|column| column.name.clone()).collect(),
            before: before.cloned(),
            after: after.cloned(),
        });
    }
}

impl Nesting for Transaction<'_> {
    fn insert(&mut self, plan: &Insert, sink: &mut dyn RowSink) -> Result<(), StoreError> {
        Transaction::insert(self, plan, sink).map(|_| ())
    }

    fn read(&mut self, plan: &Read, sink: &mut dyn RowSink) -> Result<(), StoreError> {
        self.view().read(plan, sink).map(|_| ())
    }
}

impl script::Transaction for Transaction<'_> {
    fn check(&self) -> Result<(), StoreError> {
        check_deadline(self.deadline)
    }

    fn read(&mut self, plan: &Authorized<Read>, sink: &mut dyn RowSink) -> Result<(u64, Option<u64>), Fault> {
        Ok(self.view().read(plan, sink)?)
    }

    fn write(&mut self, plan: &Authorized<Write>, sink: &mut dyn RowSink) -> Result<(u64, u64), Fault> {
        let Done { affected, inserted } = self.run(plan, sink)?;
        Ok((affected, inserted))
    }
}

fn check_not_null(table: &Table, row: &[Value]) -> Result<(), StoreError> {
    let is_missing = |column: &&mainstay_schema::Column| {
        row[column.id.index()].is_null() && (!column.optional || table.primary_key.contains(&column.id))
    };
    match table.columns.iter().find(is_missing) {
        Some(column) => Err(StoreError::NotNull { table: table.name.clone(), column: column.name.clone() }),
        None => Ok(()),
    }
}

fn duplicate(table: &Table, key: Arc<str>, columns: &[ColumnId], values: &[Value]) -> StoreError {
    StoreError::Duplicate {
        table: table.name.clone(),
        key,
        columns: columns.iter().map(|column| table.column(*column).name.clone()).collect(),
        values: Some(values.iter().map(|value| value.to_text().unwrap_or_default()).collect()),
    }
}
