//! Carries out writes inside a transaction that the caller began and will end.
//!
//! Rows that a write gives back are kept until its last statement is done and only then put into the sink, so that a
//! transaction that met another one can begin anew as long as nothing was given.

use futures_util::future::BoxFuture;
use mainstay_query::plan::{
    Assign, Delete, Expect, Expr, Filter, Insert, Output, Read, Run, Source, Test, Update, UpdateEach, Write,
};
use mainstay_schema::{ColumnId, DefaultValue, Schema, Table, Value};
use mainstay_store::collect::{Collected, Member};
use mainstay_store::nested;
use mainstay_store::{RowSink, StoreError};
use tokio_postgres::Row;

use super::level::{Kept, Level, filled, raw};
use super::read::{Fault, params};
use super::render::{self, From, MemberSql, Postgres, Returned, WriteSql};
use super::session::Session;
use super::types::Param;
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
}

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
        Work::read_back(self, table, plan, &Filter::True, sink).await
    }
}

/// Carries out a plan that is one statement, gives nothing back and has nothing checked afterwards: the server makes a
/// transaction of it by itself, which spares it two statements and the caller a message and its answer.
pub(super) async fn run_alone(
    session: &mut Session,
    schema: &Schema,
    plan: &Write,
) -> Result<Option<Affected>, WriteFault> {
    // Behind a pooler only transactions have our settings.
    if session.is_pooled() || plan.returning().is_some() {
        return Ok(None);
    }
    let (table, sql, is_insert) = match plan {
        Write::Insert(plan) if is_plain_insert(schema, plan) => (plan.table, sql::insert(Postgres, schema, plan), true),
        Write::Update(plan) if is_plain_update(plan) => (plan.table, sql::update(Postgres, schema, plan), false),
        Write::Delete(plan) if plan.expect == Expect::default() => {
            (plan.table, sql::delete(Postgres, schema, plan), false)
        }
        _ => return Ok(None),
    };
    let done = session.execute_alone(&sql.text, &params(&sql.binds)).await;
    let work = Work { session, schema, begins_anew: false, has_given: false };
    let affected = done.map_err(|failure| work.fault(schema.table(table), failure.into()))?;
    Ok(Some(Affected { affected, inserted: if is_insert { affected } else { 0 } }))
}

/// Whether an insert merges no rows and brings no numbers of its own, after which a sequence would have to go on.
fn is_plain_insert(schema: &Schema, plan: &Insert) -> bool {
    let is_counted =
        |column: &ColumnId| schema.table(plan.table).column(*column).default == Some(DefaultValue::Sequence);
    plan.expect == Expect::default()
        && !plan.rows.is_empty()
        && plan.conflict.as_ref().is_none_or(|conflict| conflict.merge.is_none())
        && (schema.found().is_some() || !plan.columns.iter().any(is_counted))
}

fn is_plain_update(plan: &Update) -> bool {
    let is_plain = |(_, assign): &(ColumnId, Assign)| assign.as_value().is_some();
    plan.expect == Expect::default() && !plan.set.is_empty() && plan.set.iter().all(is_plain)
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

    fn is_declared(&self) -> bool {
        self.schema.found().is_none()
    }

    fn fault(&self, table: &Table, fault: Fault) -> WriteFault {
        let failure = match fault {
            Fault::Rows(error) => return error.into(),
            Fault::Session(failure) => failure,
        };
        let code = failure.server().map(|error| error.code().code().to_owned()).unwrap_or_default();
        let error = match &*code {
            "21000" => StoreError::RepeatedKey,
            _ => failure.translate(self.schema, Some(table)),
        };
        match &*code {
            "40001" | "40P01" if self.begins_anew || !self.has_given => WriteFault::Again(error),
            _ => error.into(),
        }
    }

    async fn insert(&mut self, plan: &Insert, sink: &mut dyn RowSink) -> Result<Affected, WriteFault> {
        let table = self.schema.table(plan.table);
        if plan.rows.is_empty() {
            check_expect(plan.expect, 0)?;
            return Ok(Affected::default());
        }
        // A sequence keeps what it was told even if the rows are refused: so it is told after them, unless some of them ask
        // for the number after those of others.
        let asks = plan.rows.iter().flatten().any(Option::is_none);
        if asks {
            self.count_on(table, plan).await?;
        }
        let mut sql = sql::insert(Postgres, self.schema, plan);
        // Only a merge leaves open which of its rows are new.
        let is_merge = plan.conflict.as_ref().is_some_and(|conflict| conflict.merge.is_some());
        if is_merge {
            sql.text.push_str(match sql.returned {
                Returned::Nothing => " RETURNING (xmax=0)",
                Returned::Members(_) | Returned::Key => ",(xmax=0)",
            });
        }
        let done = self.statement(table, &sql, is_merge).await?;
        check_expect(plan.expect, done.affected)?;
        if !asks {
            self.count_on(table, plan).await?;
        }
        let inserted = if is_merge { done.rows.iter().filter(|row| is_new(row)).count() as u64 } else { done.affected };
        self.give_back(table, plan.returning.as_deref(), sql, done.rows, sink).await?;
        Ok(Affected { affected: done.affected, inserted })
    }

    /// Has a sequence go on after numbers that an insert brings itself, as it does on every store.
    async fn count_on(&mut self, table: &Table, plan: &Insert) -> Result<(), WriteFault> {
        let is_counted = |column: &ColumnId| table.column(*column).default == Some(DefaultValue::Sequence);
        let Some(place) = plan.columns.iter().position(is_counted).filter(|_| self.is_declared()) else {
            return Ok(());
        };
        let number = |row: &Vec<Option<Value>>| match &row[place] {
            Some(Value::Int(number)) => Some(*number),
            _ => None,
        };
        let Some(largest) = plan.rows.iter().filter_map(number).max().filter(|largest| *largest > 0) else {
            return Ok(());
        };
        let (name, column) = (render::ddl::quoted(&table.name), &table.column(plan.columns[place]).name);
        let sql = "SELECT setval(s, $3) FROM (SELECT pg_get_serial_sequence($1, $2)::regclass AS s) AS q \
                   WHERE coalesce(pg_sequence_last_value(s), 0) < $3";
        let done = self.session.execute(sql, &[Param::Text(&name), Param::Text(column), Param::Int(largest)]).await;
        done.map(drop).map_err(|failure| self.fault(table, failure.into()))
    }

    async fn update(&mut self, plan: &Update, sink: &mut dyn RowSink) -> Result<Affected, WriteFault> {
        let table = self.schema.table(plan.table);
        if plan.set.is_empty() {
            check_expect(plan.expect, 0)?;
            return Ok(Affected::default());
        }
        if plan.set.iter().any(|(_, assign)| assign.as_value().is_none()) {
            return self.compute(plan, sink).await;
        }
        let sql = sql::update(Postgres, self.schema, plan);
        let done = self.statement(table, &sql, false).await?;
        check_expect(plan.expect, done.affected)?;
        self.give_back(table, plan.returning.as_deref(), sql, done.rows, sink).await?;
        Ok(Affected::changed(done.affected))
    }

    /// An update whose values depend on what is there: the rows are locked and read, the values are computed as every
    /// store computes them, and each row is updated by its key.
    async fn compute(&mut self, plan: &Update, sink: &mut dyn RowSink) -> Result<Affected, WriteFault> {
        let table = self.schema.table(plan.table);
        let key = &table.primary_key;
        let columns = computed_columns(table, &plan.set)?;
        let select = columns.into_iter().map(|column| Output {
            name: table.column(column).name.clone(),
            source: Source::Value(Expr::column(column)),
        });
        let read = Read { select: select.collect(), ..Read::new(plan.table) };
        let mut sql = render::read(self.schema, &read, From::Filter(&plan.filter));
        sql.text.push_str(" FOR UPDATE");
        let rows = self.session.query_all(&sql.text, &params(&sql.binds)).await;
        let rows = rows.map_err(|failure| self.fault(table, failure.into()))?;
        let mut collected = Collected::of(self.schema, read.shape(self.schema));
        let level = filled(self.session, &sql.members, rows, 0).await.map_err(|fault| self.fault(table, fault))?;
        if let Some(level) = level {
            self.put(table, level, &sql.members, &mut collected)?;
        }
        let mut changed = Vec::new();
        for row in collected.finish()? {
            let values: Vec<Value> = row.into_iter().map(plain).collect::<Result<_, _>>()?;
            let Computed { old_key, new_key, set } = computed(table, &plan.set, &values)?;
            let set = set.into_iter().map(|(column, value)| (column, Assign::Value(value))).collect();
            let filter = key_filter(key, &old_key);
            let update = Update { table: plan.table, set, filter, returning: None, expect: Expect::default() };
            let sql = sql::update(Postgres, self.schema, &update);
            self.statement(table, &sql, false).await?;
            changed.push(new_key);
        }
        let affected = changed.len() as u64;
        check_expect(plan.expect, affected)?;
        if let Some(read) = plan.returning.as_deref() {
            for values in changed {
                self.read_back(table, read, &key_filter(key, &values), sink).await?;
            }
        }
        Ok(Affected::changed(affected))
    }

    /// One statement a row, the same text each time; the rows given back are read once all is written.
    async fn update_each(&mut self, plan: &UpdateEach, sink: &mut dyn RowSink) -> Result<Affected, WriteFault> {
        let table = self.schema.table(plan.table);
        let mut found = Vec::new();
        for change in &plan.rows {
            let update = plan.update(change);
            let done = self.update(&update, &mut nested::Nothing).await?;
            if done.affected > 0 {
                found.push(change);
            }
        }
        let affected = found.len() as u64;
        check_expect(plan.expect, affected)?;
        if let Some(read) = plan.returning.as_deref() {
            for change in found {
                self.read_back(table, read, &plan.key_filter(change), sink).await?;
            }
        }
        Ok(Affected::changed(affected))
    }

    async fn delete(&mut self, plan: &Delete, sink: &mut dyn RowSink) -> Result<Affected, WriteFault> {
        let table = self.schema.table(plan.table);
        let sql = sql::delete(Postgres, self.schema, plan);
        // A deleted row cannot be read afterwards: where the statement itself does not give it back, it is read before.
        let before = match (plan.returning.as_deref(), &sql.returned) {
            (Some(read), Returned::Nothing) => {
                let lock = Read::new(plan.table);
                let mut lock = render::read(self.schema, &lock, From::Filter(&plan.filter));
                lock.text.push_str(" FOR UPDATE");
                let locked = self.session.execute(&lock.text, &params(&lock.binds)).await;
                locked.map_err(|failure| self.fault(table, failure.into()))?;
                let sql = render::read(self.schema, read, From::Filter(&plan.filter));
                let rows = self.session.query_all(&sql.text, &params(&sql.binds)).await;
                let rows = rows.map_err(|failure| self.fault(table, failure.into()))?;
                let level = filled(self.session, &sql.members, rows, 0).await;
                Some((level.map_err(|fault| self.fault(table, fault))?, sql))
            }
            _ => None,
        };
        let done = self.statement(table, &sql, false).await?;
        check_expect(plan.expect, done.affected)?;
        match before {
            Some((Some(level), sql)) => {
                self.has_given = true;
                self.put(table, level, &sql.members, sink)?;
            }
            Some((None, _)) => {}
            None => self.give_back(table, plan.returning.as_deref(), sql, done.rows, sink).await?,
        }
        Ok(Affected::changed(done.affected))
    }

    /// Runs a statement that writes; `has_rows` if it gives rows back whatever it returns to the caller.
    async fn statement(&mut self, table: &Table, sql: &WriteSql<'_>, has_rows: bool) -> Result<Done, WriteFault> {
        let params = params(&sql.binds);
        let outcome = if has_rows || !matches!(sql.returned, Returned::Nothing) {
            let rows = self.session.query_all(&sql.text, &params).await;
            rows.map(|rows| Done { affected: rows.len() as u64, rows })
        } else {
            let affected = self.session.execute(&sql.text, &params).await;
            affected.map(|affected| Done { affected, rows: Vec::new() })
        };
        outcome.map_err(|failure| self.fault(table, failure.into()))
    }

    /// Puts what a statement gave back into the sink, reading by keys what it could not give itself.
    async fn give_back(
        &mut self,
        table: &Table,
        returning: Option<&Read>,
        sql: WriteSql<'_>,
        rows: Vec<Row>,
        sink: &mut dyn RowSink,
    ) -> Result<(), WriteFault> {
        let (Some(read), Some(first)) = (returning, rows.first()) else { return Ok(()) };
        match sql.returned {
            Returned::Nothing => Ok(()),
            Returned::Members(members) => self.give(table, &members, rows, sink).await,
            Returned::Key => {
                let sql = render::read(self.schema, read, From::Key);
                let width = sql.keys.len();
                let raws: Vec<Vec<Option<&[u8]>>> =
                    (0..width).map(|column| rows.iter().map(|row| raw(row, column)).collect()).collect();
                let mut params = params(&sql.binds);
                for (column, items) in raws.iter().enumerate() {
                    let item = first.columns()[column].type_();
                    params[sql.keys.start + column] = Param::Raw { item, items };
                }
                let found = self.session.query_all(&sql.text, &params).await;
                let found = found.map_err(|failure| self.fault(table, failure.into()))?;
                self.give_from(table, &sql.members, found, 1, sink).await
            }
        }
    }

    /// Reads rows by a filter and puts them into the sink.
    async fn read_back(
        &mut self,
        table: &Table,
        read: &Read,
        filter: &Filter,
        sink: &mut dyn RowSink,
    ) -> Result<(), WriteFault> {
        let sql = render::read(self.schema, read, From::Filter(filter));
        let rows = self.session.query_all(&sql.text, &params(&sql.binds)).await;
        let rows = rows.map_err(|failure| self.fault(table, failure.into()))?;
        self.give(table, &sql.members, rows, sink).await
    }

    async fn give(
        &mut self,
        table: &Table,
        members: &[MemberSql<'_>],
        rows: Vec<Row>,
        sink: &mut dyn RowSink,
    ) -> Result<(), WriteFault> {
        self.give_from(table, members, rows, 0, sink).await
    }

    async fn give_from(
        &mut self,
        table: &Table,
        members: &[MemberSql<'_>],
        rows: Vec<Row>,
        offset: usize,
        sink: &mut dyn RowSink,
    ) -> Result<(), WriteFault> {
        let level = filled(self.session, members, rows, offset).await;
        if let Some(level) = level.map_err(|fault| self.fault(table, fault))? {
            self.has_given = true;
            self.put(table, level, members, sink)?;
        }
        Ok(())
    }

    /// Puts the rows of a level into the sink.
    fn put(
        &self,
        table: &Table,
        mut level: Level,
        members: &[MemberSql<'_>],
        sink: &mut dyn RowSink,
    ) -> Result<(), WriteFault> {
        let mut scratch = Kept::scratch(self.is_declared());
        let put = level.put(members, self.session.deadline(), sink, &mut scratch);
        put.map(drop).map_err(|fault| self.fault(table, fault))
    }
}

/// What a statement did.
struct Done {
    affected: u64,
    rows: Vec<Row>,
}

/// Whether the last column of a row says that it is new.
fn is_new(row: &Row) -> bool {
    row.try_get(row.len() - 1).unwrap_or(false)
}

fn plain(member: Member) -> Result<Value, StoreError> {
    match member {
        Member::Value(value) => Ok(value),
        _ => Err(StoreError::Internal("a row where a value was asked for".into())),
    }
}

fn key_filter(key: &[ColumnId], values: &[Value]) -> Filter {
    use mainstay_query::plan::Comparison;
    let equals = |(column, value): (&ColumnId, &Value)| Filter::Test {
        expr: Expr::column(*column),
        test: Test::Compare(Comparison::Eq, value.clone()),
    };
    Filter::all(key.iter().zip(values).map(equals))
}
