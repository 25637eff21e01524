//! Carries out writes on the writing connection, inside a transaction that its caller began and will end.

use std::collections::HashSet;

use mainstay_query::plan::{
    Assign, Comparison, Conflict, Delete, Expect, Filter, Insert, Read, Test, Update, UpdateEach, Write,
};
use mainstay_schema::{ColumnId, DefaultValue, ReferenceAction, Schema, Table, TableId, Value};
use mainstay_store::nested::{self, Nesting};
use mainstay_store::{RowSink, StoreError};
use rusqlite::types::Value as Native;
use rusqlite::{CachedStatement, Connection};

use super::changes::Recorder;
use super::faults::Faults;
use super::functions;
use super::job::Stop;
use super::read::{self, Level, Members, bind_all};
use super::render::{self, BOUND_BY_KEY_MAX, From, Returned};
use super::types;
use super::{defaults, errors};
use crate::sql::check_expect;

/// Rows written between two looks at the deadline.
const ROWS_PER_CHECK: usize = 64;

/// What a write did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Affected {
    /// Rows inserted, updated or deleted.
    pub(super) affected: u64,
    /// Rows inserted.
    pub(super) inserted: u64,
}

/// A connection inside a transaction, and what goes along.
pub(super) struct Work<'c> {
    /// The connection.
    pub(super) connection: &'c Connection,
    /// The schema of the plan.
    pub(super) schema: &'c Schema,
    /// When to stop.
    pub(super) stop: &'c Stop,
    /// What sees each changed row.
    pub(super) recorder: &'c Recorder,
}

/// Carries out a plan. On an error the caller undoes what has happened.
pub(super) fn run(work: &Work<'_>, plan: &Write, sink: &mut dyn RowSink) -> Result<Affected, StoreError> {
    match plan {
        Write::Insert(plan) => work.insert(plan, sink),
        Write::Update(plan) => work.update(plan, sink),
        Write::UpdateEach(plan) => work.update_each(plan, sink),
        Write::Delete(plan) => work.delete(plan, sink),
        Write::Nested(plan) => {
            let affected = nested::run(work.schema, plan, sink, &mut Nested(work))?;
            Ok(Affected { affected, inserted: affected })
        }
        Write::Run(plan) => work.function(plan, sink),
        Write::Batch(plans) => {
            let mut sum = Affected::default();
            for (position, plan) in plans.iter().enumerate() {
                let Affected { affected, inserted } = run(work, plan, sink)?;
                sum = Affected { affected: sum.affected + affected, inserted: sum.inserted + inserted };
                work.end_deferral(plan, &plans[position + 1..])?;
            }
            Ok(sum)
        }
    }
}

/// The inserts of a nested one, each of which stands alone.
struct Nested<'w, 'c>(&'w Work<'c>);

impl Nesting for Nested<'_, '_> {
    fn insert(&mut self, plan: &Insert, sink: &mut dyn RowSink) -> Result<(), StoreError> {
        self.0.insert(plan, sink)?;
        self.0.end_deferral_of(plan)
    }

    fn read(&mut self, plan: &Read, sink: &mut dyn RowSink) -> Result<(), StoreError> {
        self.0.stop.check()?;
        read::run_inside(self.0.connection, self.0.schema, plan, sink).map(|_| ())
    }
}

/// Carries out a plan and ends what it deferred, so that nothing which comes after it in the transaction can mend it.
pub(super) fn run_alone(work: &Work<'_>, plan: &Write, sink: &mut dyn RowSink) -> Result<Affected, StoreError> {
    let affected = run(work, plan, sink)?;
    work.end_every_deferral(plan)?;
    Ok(affected)
}

impl<'c> Work<'c> {
    fn end_every_deferral(&self, plan: &Write) -> Result<(), StoreError> {
        match plan {
            Write::Insert(insert) => self.end_deferral_of(insert),
            Write::Batch(plans) => plans.iter().try_for_each(|plan| self.end_every_deferral(plan)),
            Write::Update(_) | Write::UpdateEach(_) | Write::Delete(_) | Write::Nested(_) | Write::Run(_) => Ok(()),
        }
    }

    fn insert(&self, plan: &Insert, sink: &mut dyn RowSink) -> Result<Affected, StoreError> {
        let table = self.schema.table(plan.table);
        let plan = &*defaults::leave_to_sqlite(table, plan)?;
        if let Some(conflict) = &plan.conflict {
            refuse_repeated_keys(plan, conflict)?;
        }
        let wrong = |error| errors::translate(error, self.schema, Some(table));
        if is_deferred(table, plan) {
            // A row may point at one that comes later, as in a single statement of other engines.
            self.connection.pragma_update(None, "defer_foreign_keys", true).map_err(wrong)?;
        }
        refuse_missing_numbers(table, plan)?;
        let sql = render::insert(self.schema, plan);
        // Only a merge leaves open which of its rows are new.
        let is_merge = plan.conflict.as_ref().is_some_and(|conflict| conflict.merge.is_some());
        let counting = is_merge.then(|| self.recorder.count_inserts(self.connection, &table.name));
        let mut statement = self.connection.prepare_cached(&sql.text).map_err(wrong)?;
        // What the rows given back need, such as paths into JSON; it stays bound from row to row.
        bind_all(&mut statement, &sql.binds).map_err(wrong)?;
        let mut back = Back::prepare(self.connection, table, sql.returned).map_err(wrong)?;
        let mut affected = 0;
        for (position, row) in plan.rows.iter().enumerate() {
            if position % ROWS_PER_CHECK == 0 {
                self.stop.check()?;
            }
            let done = bind_row(&mut statement, row).and_then(|()| back.run(&mut statement, sink));
            affected += done.map_err(|error| self.faults().of_row(plan, position, wrong(error)))?;
        }
        drop(statement);
        let inserted = counting.map_or(affected, |counting| counting.finish());
        if escapes_reference_check(table, plan) {
            self.check_references(table).map_err(|error| self.faults().of_rows(plan, error))?;
        }
        self.finish(table, plan.returning.as_deref(), back, plan.expect, affected, sink)?;
        Ok(Affected { affected, inserted })
    }

    /// Ends what an insert deferred before the writes that follow it in a batch, so that none of them can mend, or be
    /// allowed, what must be right when each write ends. Writes to tables without references can do neither.
    fn end_deferral(&self, plan: &Write, following: &[Write]) -> Result<(), StoreError> {
        match plan {
            Write::Insert(insert) if following.iter().any(|plan| meets_references(self.schema, plan)) => {
                self.end_deferral_of(insert)
            }
            _ => Ok(()),
        }
    }

    fn end_deferral_of(&self, insert: &Insert) -> Result<(), StoreError> {
        let table = self.schema.table(insert.table);
        if !is_deferred(table, insert) {
            return Ok(());
        }
        self.check_references(table).map_err(|error| self.faults().of_rows(insert, error))?;
        let end = self.connection.pragma_update(None, "defer_foreign_keys", false);
        end.map_err(|error| errors::translate(error, self.schema, Some(table)))
    }

    /// Looks through a whole table for rows that point at nothing.
    fn check_references(&self, table: &Table) -> Result<(), StoreError> {
        let sql = format!("PRAGMA foreign_key_check({})", render::ddl::quoted(&table.name));
        let check = || self.connection.prepare_cached(&sql)?.exists([]);
        match check().map_err(|error| errors::translate(error, self.schema, Some(table)))? {
            false => Ok(()),
            true => Err(StoreError::Reference { table: table.name.clone(), broken: None }),
        }
    }

    fn update(&self, plan: &Update, sink: &mut dyn RowSink) -> Result<Affected, StoreError> {
        let table = self.schema.table(plan.table);
        if plan.set.is_empty() {
            check_expect(plan.expect, 0)?;
            return Ok(Affected::default());
        }
        let sql = render::update(self.schema, plan);
        let _computing = functions::compute(table, &plan.set);
        let outcome = self.statement(table, sql, plan.returning.as_deref(), plan.expect, sink);
        // To SQLite null is no number at all, where the number of a row is wanted.
        let is_numbered = |column: ColumnId| render::ddl::is_row_number(table, table.column(column));
        let is_null = |assign: &Assign| assign.as_value().is_some_and(Value::is_null);
        match plan.set.iter().find(|(column, assign)| is_null(assign) && is_numbered(*column)) {
            Some((key, _)) if matches!(outcome, Err(StoreError::Internal(_))) => Err(not_null(table, *key)),
            _ => outcome.map_err(|error| self.faults().of_update(plan, error)),
        }
    }

    /// One statement a row, the same text each time; the rows given back are read once all is written.
    fn update_each(&self, plan: &UpdateEach, sink: &mut dyn RowSink) -> Result<Affected, StoreError> {
        let mut found = Vec::new();
        for (position, change) in plan.rows.iter().enumerate() {
            if position % ROWS_PER_CHECK == 0 {
                self.stop.check()?;
            }
            if self.update(&plan.update(change), sink)?.affected > 0 {
                found.push(change);
            }
        }
        let affected = found.len() as u64;
        check_expect(plan.expect, affected)?;
        let Some(read) = plan.returning.as_deref() else { return Ok(Affected { affected, inserted: 0 }) };
        let table = self.schema.table(plan.table);
        for change in found {
            let filter = plan.key_filter(change);
            let sql = render::read(self.schema, read, From::Filter(&filter));
            let rows = Level::prepare(self.connection, sql).and_then(|mut level| level.rows(sink));
            rows.map_err(|error| errors::translate(error, self.schema, Some(table)))?;
        }
        Ok(Affected { affected, inserted: 0 })
    }

    fn delete(&self, plan: &Delete, sink: &mut dyn RowSink) -> Result<Affected, StoreError> {
        let table = self.schema.table(plan.table);
        let wrong = |error| errors::translate(error, self.schema, Some(table));
        let reaches_itself =
            render::deletes_reach_itself(self.schema, plan.table) || render::has_triggers(self.schema, table);
        // SQLite does not count a row that a cascade took before the statement came to it, nor give it back as it was.
        let passing = reaches_itself.then(|| self.count(plan).map_err(wrong)).transpose()?;
        if let Some(read) = plan.returning.as_deref().filter(|read| reaches_itself || render::is_read_apart(read)) {
            let sql = render::read(self.schema, read, From::Filter(&plan.filter));
            Level::prepare(self.connection, sql).and_then(|mut level| level.rows(sink)).map_err(wrong)?;
        }
        let expect = if reaches_itself { Expect::default() } else { plan.expect };
        let done = self.statement(table, render::delete(self.schema, plan), None, expect, sink);
        let done = done.map_err(|error| self.faults().of_delete(plan, error))?;
        let affected = passing.unwrap_or(done.affected);
        check_expect(plan.expect, affected)?;
        Ok(Affected { affected, inserted: 0 })
    }

    fn faults(&self) -> Faults<'_> {
        Faults { connection: self.connection, schema: self.schema }
    }

    /// How many rows pass the filter of a delete.
    fn count(&self, plan: &Delete) -> rusqlite::Result<u64> {
        let read = Read { filter: plan.filter.clone(), ..Read::new(plan.table) };
        let (text, binds) = render::count(self.schema, &read, From::Plan);
        let mut statement = self.connection.prepare_cached(&text)?;
        bind_all(&mut statement, &binds)?;
        let mut rows = statement.raw_query();
        let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        row.get(0).map(i64::unsigned_abs)
    }

    fn statement(
        &self,
        table: &Table,
        sql: render::WriteSql<'_>,
        returning: Option<&Read>,
        expect: Expect,
        sink: &mut dyn RowSink,
    ) -> Result<Affected, StoreError> {
        let wrong = |error| errors::translate(error, self.schema, Some(table));
        let mut statement = self.connection.prepare_cached(&sql.text).map_err(wrong)?;
        bind_all(&mut statement, &sql.binds).map_err(wrong)?;
        let mut back = Back::prepare(self.connection, table, sql.returned).map_err(wrong)?;
        let affected = back.run(&mut statement, sink).map_err(wrong)?;
        drop(statement);
        self.finish(table, returning, back, expect, affected, sink)?;
        Ok(Affected { affected, inserted: 0 })
    }

    /// Checks what was expected and reads back what the statement itself could not give.
    fn finish(
        &self,
        table: &Table,
        returning: Option<&Read>,
        back: Back<'_>,
        expect: Expect,
        affected: u64,
        sink: &mut dyn RowSink,
    ) -> Result<(), StoreError> {
        check_expect(expect, affected)?;
        let (Some(read), Back::Keys { width, keys }) = (returning, back) else { return Ok(()) };
        let mut again = || {
            let mut level = Level::prepare(self.connection, render::read(self.schema, read, From::Key))?;
            for key in keys.chunks(width) {
                for (position, part) in key.iter().enumerate() {
                    level.bind_key(position, part.into())?;
                }
                level.rows(sink)?;
            }
            Ok(())
        };
        again().map_err(|error| errors::translate(error, self.schema, Some(table)))
    }
}

/// What becomes of the rows that a statement gives back.
enum Back<'c> {
    /// It gives none.
    Nothing,
    /// Its rows go to the sink as they are.
    Members(Members<'c>),
    /// Its rows are primary keys of so many columns, kept for reading by them once all is written.
    Keys { width: usize, keys: Vec<Native> },
}

impl<'c> Back<'c> {
    fn prepare(connection: &'c Connection, table: &Table, returned: Returned<'_>) -> rusqlite::Result<Back<'c>> {
        Ok(match returned {
            Returned::Nothing => Back::Nothing,
            Returned::Members(members) => Back::Members(Members::prepare(connection, members)?),
            Returned::Key => Back::Keys { width: table.primary_key.len().max(1), keys: Vec::new() },
        })
    }

    /// Runs the statement once; gives the number of affected rows.
    fn run(&mut self, statement: &mut CachedStatement<'_>, sink: &mut dyn RowSink) -> rusqlite::Result<u64> {
        if matches!(self, Back::Nothing) {
            return statement.raw_execute().map(|affected| affected as u64);
        }
        let mut rows = statement.raw_query();
        let mut affected = 0;
        while let Some(row) = rows.next()? {
            affected += 1;
            match self {
                Back::Nothing => {}
                Back::Members(members) => members.put(row, sink)?,
                Back::Keys { width, keys } => {
                    for column in 0..*width {
                        keys.push(row.get(column)?);
                    }
                }
            }
        }
        Ok(affected)
    }
}

fn bind_row(statement: &mut CachedStatement<'_>, row: &[Option<Value>]) -> rusqlite::Result<()> {
    for (position, cell) in row.iter().enumerate() {
        // Null in the key of a sequence asks SQLite for the next number.
        types::bind(statement, position + 1, cell.as_ref().unwrap_or(&Value::Null))?;
    }
    Ok(())
}

/// SQLite forgets to check the references of a new row when the statement, had it met a conflict, would have changed a
/// key of the table that the table itself points at with `SET NULL` or `SET DEFAULT` (seen in 3.40.1 and 3.54.1).
fn escapes_reference_check(table: &Table, plan: &Insert) -> bool {
    let merged = plan.conflict.as_ref().map(render::merged_columns).unwrap_or_default();
    table.references.iter().any(|reference| {
        reference.target == table.id
            && matches!(reference.on_update, ReferenceAction::SetNull | ReferenceAction::SetDefault)
            && reference.target_columns.iter().any(|column| merged.contains(column))
    })
}

/// SQLite numbers a row whose integer key is null or left out; only a sequence asks for that.
fn refuse_missing_numbers(table: &Table, plan: &Insert) -> Result<(), StoreError> {
    let numbered = table.columns.iter().find(|column| render::ddl::is_row_number(table, column));
    let Some(key) = numbered.filter(|key| key.default != Some(DefaultValue::Sequence)) else { return Ok(()) };
    let place = plan.columns.iter().position(|column| *column == key.id);
    let is_missing = |row: &Vec<Option<Value>>| place.is_none_or(|at| row[at].as_ref().is_none_or(Value::is_null));
    if plan.rows.iter().any(is_missing) {
        return Err(not_null(table, key.id));
    }
    Ok(())
}

fn not_null(table: &Table, column: ColumnId) -> StoreError {
    StoreError::NotNull { table: table.name.clone(), column: table.column(column).name.clone() }
}

/// A merge cannot touch a row twice: which of the two would count?
fn refuse_repeated_keys(plan: &Insert, conflict: &Conflict) -> Result<(), StoreError> {
    let places = |column: &ColumnId| plan.columns.iter().position(|given| given == column);
    let Some(places) = conflict.target.iter().map(places).collect::<Option<Vec<usize>>>() else { return Ok(()) };
    if conflict.merge.is_none() || plan.rows.len() < 2 {
        return Ok(());
    }
    let mut seen = HashSet::with_capacity(plan.rows.len());
    for row in &plan.rows {
        let key: Option<Vec<String>> =
            places.iter().map(|place| row[*place].as_ref().and_then(Value::to_text)).collect();
        // Null equals nothing, and a number that the store makes is new.
        if key.is_some_and(|key| !seen.insert(key)) {
            return Err(StoreError::RepeatedKey);
        }
    }
    Ok(())
}

/// Whether the references of an insert's rows are checked after all of them.
fn is_deferred(table: &Table, plan: &Insert) -> bool {
    plan.rows.len() > 1 && refers_to_itself(table)
}

/// Whether a write is to a table that points anywhere or is pointed at.
fn meets_references(schema: &Schema, plan: &Write) -> bool {
    let table = match plan {
        Write::Insert(plan) => plan.table,
        Write::Update(plan) => plan.table,
        Write::UpdateEach(plan) => plan.table,
        Write::Delete(plan) => plan.table,
        Write::Nested(_) => return true,
        Write::Batch(plans) => return plans.iter().any(|plan| meets_references(schema, plan)),
        // Who knows what it touches?
        Write::Run(_) => return true,
    };
    let mut references = schema.tables().iter().flat_map(|other| &other.references);
    !schema.table(table).references.is_empty() || references.any(|reference| reference.target == table)
}

fn refers_to_itself(table: &Table) -> bool {
    table.references.iter().any(|reference| reference.target == table.id)
}

/// Whether a write touches a handful of rows whatever is in the tables, so that it may share a transaction with
/// others: one that had to be interrupted would take the others with it.
pub(super) fn is_bounded(schema: &Schema, plan: &Write) -> bool {
    let written = match plan {
        Write::Insert(plan) => Some(plan.table),
        Write::Update(plan) => Some(plan.table),
        Write::UpdateEach(plan) => Some(plan.table),
        Write::Delete(plan) => Some(plan.table),
        // Each of their parts is asked.
        Write::Batch(_) | Write::Nested(_) | Write::Run(_) => None,
    };
    if written.is_some_and(|table| render::has_triggers(schema, schema.table(table))) {
        return false;
    }
    match plan {
        Write::Insert(plan) => is_bounded_insert(schema, plan),
        Write::Nested(plan) => plan.parts.iter().all(|part| {
            let table = schema.table(part.insert.table);
            !render::has_triggers(schema, table) && is_bounded_insert(schema, &part.insert)
        }),
        Write::Update(plan) => is_by_key(schema.table(plan.table), &plan.filter) && !spreads(schema, plan.table, false),
        Write::UpdateEach(plan) => !spreads(schema, plan.table, false),
        Write::Delete(plan) => is_by_key(schema.table(plan.table), &plan.filter) && !spreads(schema, plan.table, true),
        Write::Batch(plans) => plans.iter().all(|plan| is_bounded(schema, plan)),
        Write::Run(_) => false,
    }
}

fn is_bounded_insert(schema: &Schema, plan: &Insert) -> bool {
    plan.rows.len() == 1 || !refers_to_itself(schema.table(plan.table))
}

/// Whether a changed or deleted row may change rows elsewhere.
fn spreads(schema: &Schema, table: TableId, is_delete: bool) -> bool {
    schema.tables().iter().flat_map(|other| &other.references).any(|reference| {
        let action = if is_delete { reference.on_delete } else { reference.on_update };
        reference.target == table && action != ReferenceAction::Restrict
    })
}

/// Whether the filter pins every column of the primary key or of a unique key.
fn is_by_key(table: &Table, filter: &Filter) -> bool {
    let pinned = pinned_columns(filter);
    let pins = |key: &[ColumnId]| !key.is_empty() && key.iter().all(|column| pinned.contains(column));
    pins(&table.primary_key) || table.uniques.iter().any(|key| pins(&key.columns))
}

fn pinned_columns(filter: &Filter) -> Vec<ColumnId> {
    match filter {
        Filter::And(parts) => parts.iter().flat_map(pinned_columns).collect(),
        Filter::Test { expr, test: Test::Compare(Comparison::Eq, _) } => expr.as_column().into_iter().collect(),
        Filter::Test { expr, test: Test::In(list) } if list.len() <= BOUND_BY_KEY_MAX => {
            expr.as_column().into_iter().collect()
        }
        _ => Vec::new(),
    }
}
