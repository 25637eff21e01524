//! Carries out writes inside a transaction that the caller began and will end.
//!
//! Neither server gives back what an update did, MySQL nothing at all: so the keys of the rows are found first, the rows
//! being locked, and read when all is written. Rows that a write gives back are kept until its last statement is done and
//! only then put into the sink, so that a transaction that met another one can begin anew as long as nothing was given.
//!
//! References are the server's own as long as it agrees. What it refuses is done again with references kept by
//! `references.rs`, since InnoDB asks row by row what the API asks when a statement is over.

use futures_util::future::BoxFuture;
use mainstay_query::plan::{
    Assign, Comparison, Delete, Expect, Expr, Filter, Insert, Output, Read, Run, Source, Test, Update, UpdateEach,
    Write,
};
use mainstay_schema::{ColumnId, Schema, Table, Value};
use mainstay_store::{RowSink, StoreError};
use mysql_async::Value as Native;

use super::errors::{self, Context};
use super::hard::{self, Lock, key_in};
use super::level::{Level, Natives, Scratch, rows_of_keys};
use super::read::{Fault, native_params};
use super::references::Ledger;
use super::render::{self, From, Mysql};
use super::session::{Done, Session};
use super::single::values;
use super::{cells, keys, types};
use crate::server::write::{self, Computed, Writer, computed, computed_columns};
pub(super) use crate::server::{Affected, WriteFault};
use crate::sql;
pub(super) use crate::sql::check_expect;

/// A session inside a transaction, and the schema of its plans.
pub(super) struct Work<'w> {
    /// The session.
    pub(super) session: &'w mut Session,
    /// The schema.
    pub(super) schema: &'w Schema,
    /// Whether whoever begins anew brings new sinks.
    pub(super) begins_anew: bool,
    /// Whether anything was put into a sink, which cannot be taken back.
    pub(super) has_given: bool,
    /// What references ask, where they are kept here and not by the server.
    pub(super) ledger: Option<Ledger>,
}

/// A row by its primary key.
pub(super) type Key = Vec<Value>;

impl Writer for Work<'_> {
    fn has_given(&mut self) -> &mut bool {
        &mut self.has_given
    }

    async fn insert(&mut self, plan: &Insert, sink: &mut dyn RowSink) -> Result<Affected, WriteFault> {
        Work::insert(self, plan, sink).await
    }

    async fn update(&mut self, plan: &Update, sink: &mut dyn RowSink) -> Result<Affected, WriteFault> {
        Work::update(self, plan, sink).await
    }

    async fn update_each(&mut self, plan: &UpdateEach, sink: &mut dyn RowSink) -> Result<Affected, WriteFault> {
        Work::update_each(self, plan, sink).await
    }

    async fn delete(&mut self, plan: &Delete, sink: &mut dyn RowSink) -> Result<Affected, WriteFault> {
        Work::delete(self, plan, sink).await
    }

    async fn call(&mut self, plan: &Run, sink: &mut dyn RowSink) -> Result<Affected, WriteFault> {
        self.function(plan, sink).await
    }

    async fn read_back(&mut self, plan: &Read, sink: &mut dyn RowSink) -> Result<(), WriteFault> {
        let table = self.schema.table(plan.table);
        Work::read_back(self, table, plan, sink).await
    }
}

impl Work<'_> {
    /// Carries out a plan. On an error the caller undoes what has happened.
    pub(super) fn run<'f>(
        &'f mut self,
        plan: &'f Write,
        sink: &'f mut dyn RowSink,
    ) -> BoxFuture<'f, Result<Affected, WriteFault>> {
        let schema = self.schema;
        write::write(self, schema, plan, sink)
    }

    /// What an error of a statement means that writes to a table.
    pub(super) fn fault(&self, context: Context<'_>, fault: impl Into<Fault>) -> WriteFault {
        let failure = match fault.into() {
            Fault::Rows(error) => return error.into(),
            Fault::Session(failure) => failure,
        };
        let is_conflict = failure.is_conflict();
        let is_reference = failure.is_reference();
        let error = errors::translate(failure, self.schema, context);
        if is_conflict && (self.begins_anew || !self.has_given) {
            return WriteFault::Again(error);
        }
        if is_reference && self.ledger.is_none() && self.schema.found().is_none() && !self.has_given {
            return WriteFault::ByHand(error);
        }
        error.into()
    }

    async fn update(&mut self, plan: &Update, sink: &mut dyn RowSink) -> Result<Affected, WriteFault> {
        let table = self.schema.table(plan.table);
        let keys = self.changed(plan).await?;
        let affected = keys.affected();
        self.settle(table).await?;
        check_expect(plan.expect, affected)?;
        if let Some(read) = plan.returning.as_deref() {
            self.give_back(table, read, &keys.known(table)?, sink).await?;
        }
        Ok(Affected::changed(affected))
    }

    /// Changes rows; gives their keys as they are afterwards.
    async fn changed(&mut self, plan: &Update) -> Result<Keys, WriteFault> {
        let table = self.schema.table(plan.table);
        if plan.set.is_empty() {
            return Ok(Keys::Known(Vec::new()));
        }
        let mut filter = plan.filter.clone();
        hard::filter(self.session, self.schema, plan.table, &mut filter, Lock::Write)
            .await
            .map_err(|fault| self.fault(Context::of(table), fault))?;
        if plan.set.iter().any(|(_, assign)| assign.as_value().is_none()) {
            return self.computed(table, plan, &filter).await;
        }
        let set = values(plan);
        let is_direct = self.ledger.is_none() && plan.returning.is_none() && !has_links(&filter);
        if is_direct || table.primary_key.is_empty() {
            return self.set(table, &set, &filter).await.map(Keys::Counted);
        }
        let keys = match known_key(table, &filter).filter(|_| self.ledger.is_none() && !has_links(&filter)) {
            // Which row it is, is known; only the server knows whether it is there.
            Some(key) => match self.set(table, &set, &filter).await? {
                0 => Vec::new(),
                _ => vec![key],
            },
            None => {
                let keys = self.keys(table, &filter).await?;
                if !keys.is_empty() {
                    self.change(table, &keys, &set).await?;
                }
                keys
            }
        };
        let after = |key: Key| {
            let part = |(column, old): (&ColumnId, Value)| {
                set.iter().find(|(set, _)| set == column).map_or(old, |(_, new)| new.clone())
            };
            table.primary_key.iter().zip(key).map(part).collect()
        };
        let keys = keys.into_iter().map(after).collect();
        let is_moved = plan.returning.is_some() && set.iter().any(|(column, _)| table.primary_key.contains(column));
        Ok(Keys::Known(if is_moved { self.as_kept(table, &table.primary_key, keys).await? } else { keys }))
    }

    /// Sets columns of the rows with these keys.
    pub(super) async fn change(
        &mut self,
        table: &Table,
        keys: &[Key],
        set: &[(ColumnId, Value)],
    ) -> Result<(), WriteFault> {
        let filter = key_in(&table.primary_key, keys.to_vec());
        if self.ledger.is_some() {
            let before = self.whole(table, &filter).await?;
            if let Some(ledger) = &mut self.ledger {
                ledger.changed(table, before, set);
            }
        }
        self.set(table, set, &filter).await.map(drop)
    }

    /// Sets columns of the rows that pass; gives their number.
    pub(super) async fn set(
        &mut self,
        table: &Table,
        set: &[(ColumnId, Value)],
        filter: &Filter,
    ) -> Result<u64, WriteFault> {
        let update = Update {
            table: table.id,
            set: set.iter().map(|(column, value)| (*column, Assign::Value(value.clone()))).collect(),
            filter: filter.clone(),
            returning: None,
            expect: Expect::default(),
        };
        let sql = sql::update(Mysql(self.session.server()), self.schema, &update);
        let context = Context { table, set, rows: None };
        Ok(self.execute(context, &sql.text, native_params(&sql.binds)).await?.affected)
    }

    /// Runs a statement that writes.
    pub(super) async fn execute(
        &mut self,
        context: Context<'_>,
        text: &str,
        params: Vec<Native>,
    ) -> Result<Done, WriteFault> {
        let done = self.session.write(text, params).await;
        done.map_err(|failure| self.fault(context, failure))
    }

    /// The keys of the rows that pass, which are locked.
    async fn keys(&mut self, table: &Table, filter: &Filter) -> Result<Vec<Key>, WriteFault> {
        self.values(table, &table.primary_key, filter).await
    }

    /// The rows that pass, which are locked, with a value for each column of the table.
    pub(super) async fn whole(&mut self, table: &Table, filter: &Filter) -> Result<Vec<Vec<Value>>, WriteFault> {
        let columns: Vec<ColumnId> = table.columns.iter().map(|column| column.id).collect();
        self.values(table, &columns, filter).await
    }

    /// Values of the rows that pass, which are locked.
    pub(super) async fn values(
        &mut self,
        table: &Table,
        columns: &[ColumnId],
        filter: &Filter,
    ) -> Result<Vec<Vec<Value>>, WriteFault> {
        let select = columns.iter().map(|column| Output {
            name: table.column(*column).name.clone(),
            source: Source::Value(Expr::column(*column)),
        });
        let read = Read { select: select.collect(), ..Read::new(table.id) };
        let mut sql = render::read(self.session.server(), self.schema, &read, From::Filter(filter));
        sql.text.push_str(" FOR UPDATE");
        let rows = match self.session.query_native(&sql.text, native_params(&sql.binds)).await {
            Ok(rows) => rows.all().await,
            Err(failure) => Err(failure),
        };
        let rows = rows.map_err(|failure| self.fault(Context::of(table), failure))?;
        let row = |row: mysql_async::Row| {
            let cell = |(position, column): (usize, &ColumnId)| {
                cells::value(row.as_ref(position).unwrap_or(&Native::NULL), &table.column(*column).ty)
            };
            columns.iter().enumerate().map(cell).collect::<Result<Vec<Value>, StoreError>>()
        };
        rows.into_iter().map(row).collect::<Result<_, _>>().map_err(WriteFault::from)
    }

    /// An update whose values depend on what is there: the rows are locked and read, the values are computed as every
    /// store computes them, and each row is updated by its key.
    async fn computed(&mut self, table: &Table, plan: &Update, filter: &Filter) -> Result<Keys, WriteFault> {
        let columns = computed_columns(table, &plan.set)?;
        let mut changed = Vec::new();
        for row in self.values(table, &columns, filter).await? {
            let Computed { old_key, new_key, set } = computed(table, &plan.set, &row)?;
            self.change(table, &[old_key], &set).await?;
            changed.push(new_key);
        }
        Ok(Keys::Known(changed))
    }

    /// One statement a row, the same text each time; the rows given back are read once all is written.
    async fn update_each(&mut self, plan: &UpdateEach, sink: &mut dyn RowSink) -> Result<Affected, WriteFault> {
        let table = self.schema.table(plan.table);
        let mut found = Vec::new();
        for change in &plan.rows {
            let update = plan.update(change);
            let keys = self.changed(&update).await?;
            self.settle(table).await?;
            if keys.affected() > 0 {
                found.push(change);
            }
        }
        let affected = found.len() as u64;
        check_expect(plan.expect, affected)?;
        if let Some(read) = plan.returning.as_deref() {
            for change in found {
                let keys = self.values(table, &table.primary_key, &plan.key_filter(change)).await?;
                self.give_back(table, read, &keys, sink).await?;
            }
        }
        Ok(Affected::changed(affected))
    }

    async fn delete(&mut self, plan: &Delete, sink: &mut dyn RowSink) -> Result<Affected, WriteFault> {
        let table = self.schema.table(plan.table);
        let mut filter = plan.filter.clone();
        hard::filter(self.session, self.schema, plan.table, &mut filter, Lock::Write)
            .await
            .map_err(|fault| self.fault(Context::of(table), fault))?;
        let is_direct = self.ledger.is_none()
            && plan.returning.is_none()
            && !has_links(&filter)
            && !sql::deletes_reach_itself(self.schema, plan.table);
        if is_direct || table.primary_key.is_empty() {
            if plan.returning.is_some() {
                return Err(no_key(table));
            }
            let affected = self.remove(table, &filter).await?;
            check_expect(plan.expect, affected)?;
            return Ok(Affected::changed(affected));
        }
        let keys = self.keys(table, &filter).await?;
        // A deleted row cannot be read afterwards.
        let before = match plan.returning.as_deref() {
            Some(read) => Some(self.rows(table, read, &keys).await?),
            None => None,
        };
        if !keys.is_empty() {
            let filter = key_in(&table.primary_key, keys.clone());
            if self.ledger.is_some() {
                let rows = self.whole(table, &filter).await?;
                if let Some(ledger) = &mut self.ledger {
                    ledger.removed(table, rows);
                }
            }
            self.remove(table, &filter).await?;
        }
        let affected = keys.len() as u64;
        self.settle(table).await?;
        check_expect(plan.expect, affected)?;
        if let (Some((mut level, read)), Some(returning)) = (before, plan.returning.as_deref()) {
            let sql = render::read(self.session.server(), self.schema, read.as_ref().unwrap_or(returning), From::Key);
            self.has_given = true;
            level
                .put(&sql.members, self.session.deadline(), sink, &mut Scratch::default())
                .map_err(|fault| self.fault(Context::of(table), fault))?;
        }
        Ok(Affected::changed(affected))
    }

    /// Removes the rows that pass; gives their number.
    pub(super) async fn remove(&mut self, table: &Table, filter: &Filter) -> Result<u64, WriteFault> {
        let delete = Delete { table: table.id, filter: filter.clone(), returning: None, expect: Expect::default() };
        let sql = sql::delete(Mysql(self.session.server()), self.schema, &delete);
        Ok(self.execute(Context::of(table), &sql.text, native_params(&sql.binds)).await?.affected)
    }

    /// Does what references ask of what was written, where they are kept here.
    pub(super) async fn settle(&mut self, table: &Table) -> Result<(), WriteFault> {
        let Some(ledger) = self.ledger.take() else { return Ok(()) };
        // While it acts, what it does is told to a new one.
        self.ledger = Some(Ledger::default());
        let done = ledger.settle(self, table).await;
        self.ledger = Some(Ledger::default());
        done
    }

    /// Reads the rows with these keys, in their order, and what belongs to them; with the read as it was carried out, if
    /// that is another one.
    async fn rows(&mut self, table: &Table, read: &Read, keys: &[Key]) -> Result<(Level, Option<Read>), WriteFault> {
        let mut made = None;
        if hard::is_in(self.schema, read) {
            let mut exact = read.clone();
            hard::read(self.session, self.schema, &mut exact, Lock::No)
                .await
                .map_err(|fault| self.fault(Context::of(table), fault))?;
            made = Some(exact);
        }
        let sql = render::read(self.session.server(), self.schema, made.as_ref().unwrap_or(read), From::Key);
        let natives: Vec<Vec<Native>> = keys.iter().map(|key| key.iter().map(types::native).collect()).collect();
        let is_found = self.schema.found().is_some();
        let found = rows_of_keys(self.session, &sql, &natives, is_found).await;
        let found = found.map_err(|fault| self.fault(Context::of(table), fault))?;
        let about = self.schema.found().and_then(|found| found.table(table.id));
        // A view need not show what is written through it.
        let is_shown = about.is_some_and(|about| !about.is_view) && read.filter == Filter::True;
        if is_shown && found.iter().any(Vec::is_empty) {
            return Err(keys::lost(table).into());
        }
        let mut level = Level::new(&sql.members, found.into_iter().flatten().collect(), Natives { is_found });
        let filled = level.fill(self.session, &sql.members).await;
        filled.map_err(|fault| self.fault(Context::of(table), fault))?;
        drop(sql);
        Ok((level, made))
    }

    /// Puts the rows with these keys into the sink, in their order.
    pub(super) async fn give_back(
        &mut self,
        table: &Table,
        read: &Read,
        keys: &[Key],
        sink: &mut dyn RowSink,
    ) -> Result<(), WriteFault> {
        if keys.is_empty() {
            return Ok(());
        }
        if table.primary_key.is_empty() {
            return Err(no_key(table));
        }
        let (mut level, made) = self.rows(table, read, keys).await?;
        let sql = render::read(self.session.server(), self.schema, made.as_ref().unwrap_or(read), From::Key);
        self.has_given = true;
        let put = level.put(&sql.members, self.session.deadline(), sink, &mut Scratch::default());
        put.map(drop).map_err(|fault| self.fault(Context::of(table), fault))
    }

    /// Reads rows by the filter of a read and puts them into the sink.
    async fn read_back(&mut self, table: &Table, read: &Read, sink: &mut dyn RowSink) -> Result<(), WriteFault> {
        let done = super::read::run_inside(self.session, self.schema, read, sink).await;
        self.has_given = true;
        done.map(drop).map_err(|fault| self.fault(Context::of(table), fault))
    }
}

/// What became of an update.
enum Keys {
    /// The keys of the rows, as they are afterwards.
    Known(Vec<Key>),
    /// Their number.
    Counted(u64),
}

impl Keys {
    fn affected(&self) -> u64 {
        match self {
            Keys::Known(keys) => keys.len() as u64,
            Keys::Counted(count) => *count,
        }
    }

    fn known(self, table: &Table) -> Result<Vec<Key>, WriteFault> {
        match self {
            Keys::Known(keys) => Ok(keys),
            Keys::Counted(_) => Err(no_key(table)),
        }
    }
}

pub(super) fn no_key(table: &Table) -> WriteFault {
    let what = format!("{} has no primary key: its rows can be written, but not given back", table.name);
    StoreError::Unsupported { what }.into()
}

/// The primary key of the one row that can pass a filter, if it names one.
fn known_key(table: &Table, filter: &Filter) -> Option<Key> {
    let parts = match filter {
        Filter::And(parts) => parts.as_slice(),
        one => std::slice::from_ref(one),
    };
    let value = |column: &ColumnId| {
        parts.iter().find_map(|part| match part {
            Filter::Test { expr, test: Test::Compare(Comparison::Eq, value) } if expr.as_column() == Some(*column) => {
                Some(value.clone())
            }
            _ => None,
        })
    };
    let key: Key = table.primary_key.iter().map(value).collect::<Option<_>>()?;
    (!key.is_empty()).then_some(key)
}

/// Whether a filter looks at related rows: those may be of the table that is written to, which no statement may read.
pub(super) fn has_links(filter: &Filter) -> bool {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(has_links),
        Filter::Not(part) => has_links(part),
        Filter::Exists { .. } => true,
        _ => false,
    }
}
