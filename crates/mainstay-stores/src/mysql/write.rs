//! Carries out writes inside a transaction that the caller began and will end.
//!
//! Neither server gives back what an update did, MySQL nothing at all: so the keys of the rows are found first, the rows
//! being locked, and read when all is written. Rows that a write gives back are kept until its last statement is done and
//! only then put into the sink, so that a transaction that met another one can begin anew as long as nothing was given.
//!
//! References are the server's own as long as it agrees. What it refuses is done again with references kept by
//! `references.rs`, since InnoDB asks row by row what the API asks when a statement is over.

use futures_util::future::{BoxFuture, FutureExt};
use mainstay_query::evaluate;
use mainstay_query::plan::{Assign, Delete, Expect, Expr, Filter, Output, Read, Source, Update, UpdateEach, Write};
use mainstay_schema::{ColumnId, Schema, Table, Value};
use mainstay_store::collect::Collected;
use mainstay_store::nested::{self, Progress};
use mainstay_store::{RowSink, StoreError};
use mysql_async::Value as Native;

use super::errors::{self, Context};
use super::hard::{self, Lock, key_in};
use super::level::{Level, rows_of_keys};
use super::read::{Fault, native_params};
use super::references::Ledger;
use super::render::{self, From, Mysql};
use super::session::Session;
use super::{cells, types};
pub(super) use crate::server::{Affected, WriteFault};
use crate::sql;

pub(super) use super::insert::plain;

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

impl Work<'_> {
    /// Carries out a plan. On an error the caller undoes what has happened.
    pub(super) fn run<'f>(
        &'f mut self,
        plan: &'f Write,
        sink: &'f mut dyn RowSink,
    ) -> BoxFuture<'f, Result<Affected, WriteFault>> {
        async move {
            match plan {
                Write::Insert(plan) => self.insert(plan, sink).await,
                Write::Update(plan) => self.update(plan, sink).await,
                Write::UpdateEach(plan) => self.update_each(plan, sink).await,
                Write::Delete(plan) => self.delete(plan, sink).await,
                Write::Nested(plan) => self.nested(plan, sink).await,
                Write::Batch(plans) => {
                    let mut sum = Affected::default();
                    for plan in plans {
                        let Affected { affected, inserted } = self.run(plan, sink).await?;
                        sum = Affected { affected: sum.affected + affected, inserted: sum.inserted + inserted };
                    }
                    Ok(sum)
                }
                Write::Run(_) => {
                    let what = "the store mysql cannot run functions that write yet".to_owned();
                    Err(StoreError::Unsupported { what }.into())
                }
            }
        }
        .boxed()
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
        let set: Vec<(ColumnId, Value)> =
            plan.set.iter().filter_map(|(column, assign)| Some((*column, assign.as_value()?.clone()))).collect();
        let is_direct = self.ledger.is_none() && plan.returning.is_none() && !has_links(&filter);
        if is_direct || table.primary_key.is_empty() {
            return self.set(table, &set, &filter).await.map(Keys::Counted);
        }
        let keys = self.keys(table, &filter).await?;
        if keys.is_empty() {
            return Ok(Keys::Known(keys));
        }
        self.change(table, &keys, &set).await?;
        let after = |key: Key| {
            let part = |(column, old): (&ColumnId, Value)| {
                set.iter().find(|(set, _)| set == column).map_or(old, |(_, new)| new.clone())
            };
            table.primary_key.iter().zip(key).map(part).collect()
        };
        Ok(Keys::Known(keys.into_iter().map(after).collect()))
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
        self.execute(context, &sql.text, native_params(&sql.binds)).await
    }

    /// Runs a statement that writes; gives the number of rows that it touched.
    pub(super) async fn execute(
        &mut self,
        context: Context<'_>,
        text: &str,
        params: Vec<Native>,
    ) -> Result<u64, WriteFault> {
        let done = match self.session.query_native(text, params).await {
            Ok(rows) => rows.end().await,
            Err(failure) => Err(failure),
        };
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
        if table.primary_key.is_empty() {
            let what = format!("{} has no primary key: its values can be replaced, but not computed", table.name);
            return Err(StoreError::Unsupported { what }.into());
        }
        let width = table.primary_key.len();
        let columns: Vec<ColumnId> =
            table.primary_key.iter().copied().chain(plan.set.iter().map(|(column, _)| *column)).collect();
        let mut changed = Vec::new();
        for row in self.values(table, &columns, filter).await? {
            let (old_key, old) = row.split_at(width);
            let mut new_key = old_key.to_vec();
            let mut set = Vec::with_capacity(plan.set.len());
            for ((column, assign), old) in plan.set.iter().zip(old) {
                let new = evaluate::assign(table.column(*column), old, assign);
                let new = new.map_err(|error| StoreError::of_assignment(table, table.column(*column), error))?;
                if let Some(at) = table.primary_key.iter().position(|part| part == column) {
                    new_key[at] = new.clone();
                }
                set.push((*column, new));
            }
            self.change(table, &[old_key.to_vec()], &set).await?;
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
                .put(&sql.members, self.session.deadline(), sink)
                .map_err(|fault| self.fault(Context::of(table), fault))?;
        }
        Ok(Affected::changed(affected))
    }

    /// Removes the rows that pass; gives their number.
    pub(super) async fn remove(&mut self, table: &Table, filter: &Filter) -> Result<u64, WriteFault> {
        let delete = Delete { table: table.id, filter: filter.clone(), returning: None, expect: Expect::default() };
        let sql = sql::delete(Mysql(self.session.server()), self.schema, &delete);
        self.execute(Context::of(table), &sql.text, native_params(&sql.binds)).await
    }

    async fn nested(
        &mut self,
        plan: &mainstay_query::plan::Nested,
        sink: &mut dyn RowSink,
    ) -> Result<Affected, WriteFault> {
        let mut progress = Progress::new(self.schema, plan);
        while let Some(step) = progress.step()? {
            match step {
                nested::Step::Insert(insert) => match &insert.returning {
                    None => {
                        self.insert(&insert, &mut nested::Nothing).await?;
                        progress.inserted(Vec::new())?;
                    }
                    Some(returning) => {
                        let mut rows = Collected::of(self.schema, returning.shape(self.schema));
                        let had_given = self.has_given;
                        self.insert(&insert, &mut rows).await?;
                        // What only we have seen can be taken back.
                        self.has_given = had_given;
                        progress.inserted(rows.finish()?)?;
                    }
                },
                nested::Step::Read(read) => {
                    let table = self.schema.table(read.table);
                    self.read_back(table, &read, sink).await?;
                }
            }
        }
        let affected = progress.affected();
        Ok(Affected { affected, inserted: affected })
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
        let mut level = Level::new(&sql.members, found.into_iter().flatten().collect(), is_found);
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
        let put = level.put(&sql.members, self.session.deadline(), sink);
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

fn no_key(table: &Table) -> WriteFault {
    let what = format!("{} has no primary key: its rows can be written, but not given back", table.name);
    StoreError::Unsupported { what }.into()
}

/// Whether a filter looks at related rows: those may be of the table that is written to, which no statement may read.
fn has_links(filter: &Filter) -> bool {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(has_links),
        Filter::Not(part) => has_links(part),
        Filter::Exists { .. } => true,
        _ => false,
    }
}

/// Refuses what affected more or other rows than it may.
pub(super) fn check_expect(expect: Expect, affected: u64) -> Result<(), StoreError> {
    if expect.single && affected != 1 {
        return Err(StoreError::Unexpected { affected, single: true });
    }
    if expect.affected_max.is_some_and(|max| affected > max) {
        return Err(StoreError::Unexpected { affected, single: false });
    }
    Ok(())
}
