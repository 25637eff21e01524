//! Carries out reads on a connection: steps rows and hands their cells to the sink, each embed level by its own
//! prepared statement, run once for each row above. In process that is the fastest way, and the simplest. Only what is
//! a plain look-up of one row comes joined into the level above.

use mainstay_query::plan::{Count, Read};
use mainstay_schema::Schema;
use mainstay_store::columns::Columns;
use mainstay_store::{Cell, RowSink, StoreError};
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, Row, Rows};

use super::render::{self, Bind, Form, From, MemberSql, ReadSql};
use super::types::{self, CellKind};
use super::{count, errors, functions};

/// What a read gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    /// Rows put into the sink.
    pub(super) rows: u64,
    /// Rows that pass the filter, if asked.
    pub(super) total: Option<u64>,
}

/// Reads the rows of a plan, all of it from one snapshot.
pub(super) fn run(
    connection: &Connection,
    schema: &Schema,
    plan: &Read,
    sink: &mut dyn RowSink,
) -> Result<Counted, StoreError> {
    let sql = render::read(schema, plan, From::Plan);
    let has_levels = sql.members.iter().any(MemberSql::has_levels);
    // A single statement is its own snapshot.
    let snapshot = (has_levels || plan.count != Count::None).then(|| Snapshot::begin(connection)).transpose();
    let result = snapshot.and_then(|_snapshot| rows(connection, schema, plan, sql, sink));
    result.map_err(|error| wrong(error, schema, plan))
}

/// Reads the rows of a plan inside the transaction that the connection is in.
pub(super) fn run_inside(
    connection: &Connection,
    schema: &Schema,
    plan: &Read,
    sink: &mut dyn RowSink,
) -> Result<Counted, StoreError> {
    let result = rows(connection, schema, plan, render::read(schema, plan, From::Plan), sink);
    result.map_err(|error| wrong(error, schema, plan))
}

fn wrong(error: rusqlite::Error, schema: &Schema, plan: &Read) -> StoreError {
    match &plan.call {
        None => errors::translate(error, schema, None),
        Some(call) => errors::of_function(error, schema, schema.function(call.function)),
    }
}

fn rows(
    connection: &Connection,
    schema: &Schema,
    plan: &Read,
    sql: ReadSql<'_>,
    sink: &mut dyn RowSink,
) -> rusqlite::Result<Counted> {
    // Of rows that are sent while they are read, the number comes first.
    let counted = match plan.count {
        Count::None => None,
        _ if !sink.may_wait() => None,
        _ => Some(count::all(connection, schema, plan)?),
    };
    if let Some(total) = counted {
        sink.counted(total);
    }
    let rows = Level::prepare(connection, sql)?.rows(sink)?;
    let total = match counted {
        None => count::total(connection, schema, plan, From::Plan, rows)?,
        counted => counted,
    };
    Ok(Counted { rows, total })
}

/// A read transaction that ends when it goes.
struct Snapshot<'c>(&'c Connection);

impl<'c> Snapshot<'c> {
    fn begin(connection: &'c Connection) -> rusqlite::Result<Snapshot<'c>> {
        connection.prepare_cached("BEGIN")?.raw_execute()?;
        Ok(Snapshot(connection))
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        // Nothing was written, so there is nothing that could fail to be undone.
        let _ = self.0.prepare_cached("ROLLBACK").and_then(|mut statement| statement.raw_execute());
    }
}

/// Binds every parameter that is known.
pub(super) fn bind_all(statement: &mut CachedStatement<'_>, binds: &[Bind<'_>]) -> rusqlite::Result<()> {
    binds.iter().enumerate().try_for_each(|(position, bind)| types::apply(statement, position + 1, bind))
}

/// One level of a read, prepared.
pub(super) struct Level<'c> {
    statement: CachedStatement<'c>,
    /// Number of the first parameter that takes the key of the row above, from 1.
    first_key: usize,
    members: Vec<Member<'c>>,
    /// Whether there are no rows without a key from the row above.
    needs_link: bool,
    /// Where one row at most is wanted and no key makes sure of it: what the rows are called.
    unsure: Option<Box<str>>,
}

enum Member<'c> {
    Cell { column: usize, kind: CellKind },
    Embed { shown: Shown, present: Option<usize>, keys: Vec<usize>, level: Level<'c> },
    Joined { present: usize, members: Vec<Member<'c>> },
}

impl<'c> Level<'c> {
    /// Prepares a level and those below.
    pub(super) fn prepare(connection: &'c Connection, sql: ReadSql<'_>) -> rusqlite::Result<Level<'c>> {
        let mut statement = connection.prepare_cached(&sql.text)?;
        bind_all(&mut statement, &sql.binds)?;
        let members = prepare_members(connection, sql.members)?;
        let (first_key, unsure) = (sql.keys.start + 1, sql.unsure.map(Box::from));
        Ok(Level { statement, first_key, members, needs_link: sql.needs_link, unsure })
    }

    /// Puts all rows into the sink, and keeps nothing of a statement that will not come again.
    pub(super) fn rows_once(mut self, sink: &mut dyn RowSink) -> rusqlite::Result<u64> {
        let rows = self.rows(sink);
        self.statement.discard();
        rows
    }

    /// Binds one part of the key of the row above.
    pub(super) fn bind_key(&mut self, position: usize, key: ValueRef<'_>) -> rusqlite::Result<()> {
        types::bind_ref(&mut self.statement, self.first_key + position, key)
    }

    /// Puts all rows into the sink and says how many there were.
    pub(super) fn rows(&mut self, sink: &mut dyn RowSink) -> rusqlite::Result<u64> {
        let Level { statement, members, .. } = self;
        let mut rows = statement.raw_query();
        let mut count = 0;
        while let Some(row) = rows.next()? {
            put_row(members, row, sink)?;
            count += 1;
            if sink.is_full() {
                break;
            }
        }
        Ok(count)
    }

    /// Puts the members of the one row into the sink; says whether there was one.
    fn members(&mut self, sink: &mut dyn RowSink) -> rusqlite::Result<bool> {
        let Level { statement, members, unsure, .. } = self;
        let mut rows = statement.raw_query();
        let Some(row) = rows.next()? else { return Ok(false) };
        put_members(members, row, sink)?;
        check_only(unsure.as_deref(), &mut rows)?;
        Ok(true)
    }

    /// Puts the one row into the sink, or null.
    fn row_or_null(&mut self, sink: &mut dyn RowSink) -> rusqlite::Result<()> {
        let Level { statement, members, unsure, .. } = self;
        let mut rows = statement.raw_query();
        match rows.next()? {
            Some(row) => {
                put_row(members, row, sink)?;
                check_only(unsure.as_deref(), &mut rows)
            }
            None => {
                sink.cell(Cell::Null);
                Ok(())
            }
        }
    }
}

/// Refuses a second row where there can be but one, if nobody else did.
fn check_only(unsure: Option<&str>, rows: &mut Rows<'_>) -> rusqlite::Result<()> {
    match unsure {
        Some(table) if rows.next()?.is_some() => {
            Err(functions::failed(StoreError::SeveralRows { table: table.into() }))
        }
        _ => Ok(()),
    }
}

/// How the rows of a level are shown in the row above: see [`Form`].
enum Shown {
    One,
    Many,
    SpreadOne(usize),
    SpreadMany { width: usize, columns: Box<Columns> },
}

impl Shown {
    /// The members that it makes.
    fn width(&self) -> usize {
        match self {
            Shown::One | Shown::Many => 1,
            Shown::SpreadOne(width) | Shown::SpreadMany { width, .. } => *width,
        }
    }
}

/// The members of rows that another statement than a read gives back.
pub(super) struct Members<'c>(Vec<Member<'c>>);

impl<'c> Members<'c> {
    /// Prepares what is below them.
    pub(super) fn prepare(connection: &'c Connection, members: Vec<MemberSql<'_>>) -> rusqlite::Result<Members<'c>> {
        prepare_members(connection, members).map(Members)
    }

    /// Puts one row into the sink.
    pub(super) fn put(&mut self, row: &Row<'_>, sink: &mut dyn RowSink) -> rusqlite::Result<()> {
        put_row(&mut self.0, row, sink)
    }
}

fn prepare_members<'c>(connection: &'c Connection, members: Vec<MemberSql<'_>>) -> rusqlite::Result<Vec<Member<'c>>> {
    let prepare = |member| {
        Ok(match member {
            MemberSql::Cell { column, kind } => Member::Cell { column, kind },
            MemberSql::Embed { form, present, keys, read, .. } => {
                let shown = match form {
                    Form::One => Shown::One,
                    Form::Many => Shown::Many,
                    Form::SpreadOne(width) => Shown::SpreadOne(width),
                    Form::SpreadMany(shape) => {
                        Shown::SpreadMany { width: shape.members.len(), columns: Box::new(Columns::new(shape)) }
                    }
                };
                Member::Embed { shown, present, keys, level: Level::prepare(connection, *read)? }
            }
            MemberSql::Joined { present, members } => {
                Member::Joined { present, members: prepare_members(connection, members)? }
            }
        })
    };
    members.into_iter().map(prepare).collect()
}

fn put_row(members: &mut [Member<'_>], row: &Row<'_>, sink: &mut dyn RowSink) -> rusqlite::Result<()> {
    sink.start_row();
    put_members(members, row, sink)?;
    sink.end_row();
    Ok(())
}

/// Cells of a row that go to the sink together.
const CELLS: usize = 16;

fn put_members(members: &mut [Member<'_>], row: &Row<'_>, sink: &mut dyn RowSink) -> rusqlite::Result<()> {
    let mut cells = [Cell::Null; CELLS];
    let mut waiting = 0;
    for member in members {
        if let Member::Cell { column, kind } = member {
            cells[waiting] = kind.cell(row.get_ref(*column)?)?;
            waiting += 1;
            if waiting == CELLS {
                sink.cells(&cells);
                waiting = 0;
            }
            continue;
        }
        sink.cells(&cells[..waiting]);
        waiting = 0;
        match member {
            Member::Cell { .. } => {}
            Member::Embed { shown, present, .. } if is_null(*present, row)? => {
                (0..shown.width()).for_each(|_| sink.cell(Cell::Null));
            }
            Member::Embed { shown, keys, level, .. } => put_embed(shown, keys, level, row, sink)?,
            Member::Joined { present, .. } if row.get_ref(*present)? == ValueRef::Null => sink.cell(Cell::Null),
            Member::Joined { members, .. } => put_row(members, row, sink)?,
        }
    }
    sink.cells(&cells[..waiting]);
    Ok(())
}

fn is_null(present: Option<usize>, row: &Row<'_>) -> rusqlite::Result<bool> {
    present.map_or(Ok(false), |column| Ok(row.get_ref(column)? == ValueRef::Null))
}

fn put_embed(
    shown: &mut Shown,
    keys: &[usize],
    level: &mut Level<'_>,
    row: &Row<'_>,
    sink: &mut dyn RowSink,
) -> rusqlite::Result<()> {
    let mut is_linked = true;
    for (position, column) in keys.iter().enumerate() {
        let key = row.get_ref(*column)?;
        is_linked &= key != ValueRef::Null;
        level.bind_key(position, key)?;
    }
    is_linked |= !level.needs_link;
    match shown {
        Shown::One if is_linked => level.row_or_null(sink),
        Shown::One => {
            sink.cell(Cell::Null);
            Ok(())
        }
        Shown::Many => {
            sink.start_list();
            if is_linked {
                level.rows(sink)?;
            }
            sink.end_list();
            Ok(())
        }
        Shown::SpreadOne(width) => {
            if !is_linked || !level.members(sink)? {
                (0..*width).for_each(|_| sink.cell(Cell::Null));
            }
            Ok(())
        }
        Shown::SpreadMany { columns, .. } => {
            if is_linked {
                level.rows(&mut **columns)?;
            }
            columns.give(sink);
            Ok(())
        }
    }
}
