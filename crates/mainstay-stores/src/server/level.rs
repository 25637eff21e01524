//! Rows of one level of a read, what belongs to them, and their way into a sink.
//!
//! A level comes back whole before the next is asked for: one statement for all rows of the level above, whose keys go
//! along. How they go along and how a row tells where it belongs is each engine's own ([`Levels`]); the rest is here.

use std::future::Future;
use std::ops::Range;
use std::time::Instant;

use futures_util::future::{BoxFuture, FutureExt};
use mainstay_store::columns::Columns;
use mainstay_store::sink::ready;
use mainstay_store::{Cell, RowSink, StoreError};

use super::engine::Fault;
use super::errors::DriverError;
use crate::sql::{Dialect, Form, MemberSql, ReadSql};

/// What is kept from one cell to the next while rows are put into a sink; `K` is the engine's own part.
#[derive(Debug, Default)]
pub(crate) struct Scratch<K> {
    /// Where cells are written that cannot be borrowed.
    pub(crate) text: String,
    /// Rows of levels below that were put into the sink.
    pub(crate) embedded: u64,
    /// What the engine keeps.
    pub(crate) own: K,
}

/// A row whose members are put into a sink.
pub(crate) trait Source<D: Dialect> {
    /// What the engine keeps from one cell to the next.
    type Kept;
    /// The driver's error.
    type Error;

    /// Whether a result column is null.
    fn is_null(&self, column: usize) -> Result<bool, Fault<Self::Error>>;

    /// Puts a result column into the sink.
    fn cell(
        &self,
        column: usize,
        kind: &D::Kind,
        sink: &mut dyn RowSink,
        scratch: &mut Scratch<Self::Kept>,
    ) -> Result<(), Fault<Self::Error>>;

    /// Puts the rows of the next level into the sink, which stand in a result column or are a level of their own.
    fn embed(
        &mut self,
        form: &Form,
        column: Option<usize>,
        members: &[MemberSql<'_, D>],
        sink: &mut dyn RowSink,
        scratch: &mut Scratch<Self::Kept>,
    ) -> Result<(), Fault<Self::Error>>;

    /// Passes over the levels that these members name, since the row that holds them is not there.
    fn skip(&mut self, members: &[MemberSql<'_, D>]);
}

/// Puts the members of a row into the sink.
pub(crate) fn put_members<D: Dialect, S: Source<D>>(
    members: &[MemberSql<'_, D>],
    source: &mut S,
    sink: &mut dyn RowSink,
    scratch: &mut Scratch<S::Kept>,
) -> Result<(), Fault<S::Error>> {
    for member in members {
        match member {
            MemberSql::Cell { column, kind } => source.cell(*column, kind, sink, scratch)?,
            MemberSql::Joined { present, members } => {
                if source.is_null(*present)? {
                    source.skip(members);
                    sink.cell(Cell::Null);
                } else {
                    sink.start_row();
                    put_members(members, source, sink, scratch)?;
                    sink.end_row();
                }
            }
            MemberSql::Embed { form, present, column, read, .. } => {
                let is_absent = match present {
                    Some(present) => source.is_null(*present)?,
                    None => false,
                };
                if is_absent {
                    source.skip(std::slice::from_ref(member));
                    put_nulls(form, sink);
                } else {
                    source.embed(form, *column, &read.members, sink, scratch)?;
                }
            }
        }
    }
    Ok(())
}

/// Puts what stands in the row above where there is nothing to be embedded.
pub(crate) fn put_nulls(form: &Form, sink: &mut dyn RowSink) {
    let width = match form {
        Form::One | Form::Many => 1,
        Form::SpreadOne(width) => *width,
        Form::SpreadMany(shape) => shape.members.len(),
    };
    (0..width).for_each(|_| sink.cell(Cell::Null));
}

/// How an engine has the rows of a level. A value of it is what is known of one level, such as how its columns are read.
pub(crate) trait Levels: Sized + Send + Sync {
    /// The SQL.
    type Dialect: Dialect<Native: Send + Sync, List: Send + Sync, Kind: Send + Sync>;
    /// The driver's row.
    type Row: Send + Sync;
    /// The driver's error.
    type Error: DriverError;
    /// A connection that is lent.
    type Session: Send;
    /// What is kept from one cell to the next.
    type Kept: Send;

    /// Whether a result column is null.
    fn is_null(&self, row: &Self::Row, column: usize) -> bool;

    /// Puts a result column into the sink.
    fn put(
        &self,
        row: &Self::Row,
        column: usize,
        kind: &<Self::Dialect as Dialect>::Kind,
        sink: &mut dyn RowSink,
        scratch: &mut Scratch<Self::Kept>,
    ) -> Result<(), Fault<Self::Error>>;

    /// Puts rows into the sink that stand in a result column. Only where a dialect asks for such.
    fn put_inside(
        &self,
        row: &Self::Row,
        column: usize,
        form: &Form,
        members: &[MemberSql<'_, Self::Dialect>],
        sink: &mut dyn RowSink,
        scratch: &mut Scratch<Self::Kept>,
    ) -> Result<(), Fault<Self::Error>> {
        let _ = (row, column, members, scratch);
        debug_assert!(false, "rows inside of a row that nobody asked for");
        put_nulls(form, sink);
        Ok(())
    }

    /// Reads one level below, for all rows of a level: it, and which rows of it belong to which row.
    fn related(
        level: &Level<Self>,
        session: &mut Self::Session,
        keys: &[usize],
        read: &ReadSql<'_, Self::Dialect>,
    ) -> impl Future<Output = Result<Related<Self>, Fault<Self::Error>>> + Send;
}

/// A level below, if it has any rows, and which rows of it belong to which row of the level above.
pub(crate) type Related<L> = (Option<Level<L>>, Vec<Range<usize>>);

/// Rows of a level, and what belongs to them.
pub(crate) struct Level<L: Levels> {
    /// The rows.
    pub(crate) rows: Vec<L::Row>,
    /// What is known of them.
    pub(crate) own: L,
    /// The levels below, in the order in which the members of a row name them.
    below: Vec<Below<L>>,
}

/// A level below.
struct Below<L: Levels> {
    level: Option<Level<L>>,
    /// Which rows of it belong to which row of the level above.
    ranges: Vec<Range<usize>>,
    /// Where rows are shown as columns.
    columns: Option<Box<Columns>>,
}

impl<L: Levels> Level<L> {
    pub(crate) fn new(members: &[MemberSql<'_, L::Dialect>], rows: Vec<L::Row>, own: L) -> Level<L> {
        let mut below = Vec::new();
        prepare(members, &mut below);
        Level { rows, own, below }
    }

    /// Reads the levels below for all rows.
    pub(crate) fn fill<'f>(
        &'f mut self,
        session: &'f mut L::Session,
        members: &'f [MemberSql<'_, L::Dialect>],
    ) -> BoxFuture<'f, Result<(), Fault<L::Error>>> {
        async move {
            let mut embeds = Vec::new();
            list(members, &mut embeds);
            for (position, (keys, read)) in embeds.into_iter().enumerate() {
                let (level, ranges) = L::related(self, session, keys, read).await?;
                self.below[position].level = level;
                self.below[position].ranges = ranges;
            }
            Ok(())
        }
        .boxed()
    }

    /// Puts all rows into the sink; gives their number.
    ///
    /// # Errors
    /// [`StoreError::Deadline`] if there is no time for all of them.
    pub(crate) fn put(
        &mut self,
        members: &[MemberSql<'_, L::Dialect>],
        deadline: Instant,
        sink: &mut dyn RowSink,
        scratch: &mut Scratch<L::Kept>,
    ) -> Result<u64, Fault<L::Error>> {
        for at in 0..self.rows.len() {
            if Instant::now() >= deadline {
                return Err(Fault::Rows(StoreError::Deadline));
            }
            self.put_row(members, at, sink, scratch)?;
        }
        Ok(self.rows.len() as u64)
    }

    /// Reads what belongs to the rows and puts all into the sink, as fast as it takes them and until it is full; gives
    /// the number of rows.
    ///
    /// # Errors
    /// As for [`Level::put`].
    pub(crate) async fn give(
        &mut self,
        session: &mut L::Session,
        deadline: Instant,
        members: &[MemberSql<'_, L::Dialect>],
        sink: &mut dyn RowSink,
        scratch: &mut Scratch<L::Kept>,
    ) -> Result<u64, Fault<L::Error>> {
        self.fill(session, members).await?;
        self.give_filled(deadline, members, sink, scratch).await
    }

    /// Puts the rows and what was read for them into the sink, as fast as it takes them and until it is full; gives the
    /// number of rows.
    ///
    /// # Errors
    /// As for [`Level::put`].
    pub(crate) async fn give_filled(
        &mut self,
        deadline: Instant,
        members: &[MemberSql<'_, L::Dialect>],
        sink: &mut dyn RowSink,
        scratch: &mut Scratch<L::Kept>,
    ) -> Result<u64, Fault<L::Error>> {
        let mut given = 0;
        for at in 0..self.rows.len() {
            ready(sink).await;
            if Instant::now() >= deadline {
                return Err(Fault::Rows(StoreError::Deadline));
            }
            if sink.is_full() {
                break;
            }
            self.put_row(members, at, sink, scratch)?;
            given += 1;
        }
        Ok(given)
    }

    /// Puts one more row into the sink, of a level that has none below and keeps none.
    pub(crate) async fn pass(
        &mut self,
        row: L::Row,
        members: &[MemberSql<'_, L::Dialect>],
        sink: &mut dyn RowSink,
        scratch: &mut Scratch<L::Kept>,
    ) -> Result<(), Fault<L::Error>> {
        self.rows.push(row);
        ready(sink).await;
        self.put_row(members, 0, sink, scratch)?;
        self.rows.clear();
        Ok(())
    }

    fn put_row(
        &mut self,
        members: &[MemberSql<'_, L::Dialect>],
        at: usize,
        sink: &mut dyn RowSink,
        scratch: &mut Scratch<L::Kept>,
    ) -> Result<(), Fault<L::Error>> {
        sink.start_row();
        put_members(members, &mut Place { level: self, at, next: 0 }, sink, scratch)?;
        sink.end_row();
        Ok(())
    }
}

/// A row of a level.
struct Place<'l, L: Levels> {
    level: &'l mut Level<L>,
    at: usize,
    /// The level below that the next embed names.
    next: usize,
}

impl<L: Levels> Source<L::Dialect> for Place<'_, L> {
    type Kept = L::Kept;
    type Error = L::Error;

    fn is_null(&self, column: usize) -> Result<bool, Fault<L::Error>> {
        Ok(self.level.own.is_null(&self.level.rows[self.at], column))
    }

    fn cell(
        &self,
        column: usize,
        kind: &<L::Dialect as Dialect>::Kind,
        sink: &mut dyn RowSink,
        scratch: &mut Scratch<L::Kept>,
    ) -> Result<(), Fault<L::Error>> {
        self.level.own.put(&self.level.rows[self.at], column, kind, sink, scratch)
    }

    fn embed(
        &mut self,
        form: &Form,
        column: Option<usize>,
        members: &[MemberSql<'_, L::Dialect>],
        sink: &mut dyn RowSink,
        scratch: &mut Scratch<L::Kept>,
    ) -> Result<(), Fault<L::Error>> {
        if let Some(column) = column {
            return self.level.own.put_inside(&self.level.rows[self.at], column, form, members, sink, scratch);
        }
        self.next += 1;
        self.level.below[self.next - 1].put(form, members, self.at, sink, scratch)
    }

    fn skip(&mut self, members: &[MemberSql<'_, L::Dialect>]) {
        self.next += embeds_in(members);
    }
}

impl<L: Levels> Below<L> {
    /// Puts what belongs to row `at` of the level above.
    fn put(
        &mut self,
        form: &Form,
        members: &[MemberSql<'_, L::Dialect>],
        at: usize,
        sink: &mut dyn RowSink,
        scratch: &mut Scratch<L::Kept>,
    ) -> Result<(), Fault<L::Error>> {
        let range = self.ranges.get(at).cloned().unwrap_or(0..0);
        let first = range.start;
        scratch.embedded += range.len() as u64;
        match (form, &mut self.level) {
            (Form::One, Some(level)) if !range.is_empty() => level.put_row(members, first, sink, scratch),
            (Form::SpreadOne(_), Some(level)) if !range.is_empty() => {
                put_members(members, &mut Place { level, at: first, next: 0 }, sink, scratch)
            }
            (Form::One | Form::SpreadOne(_), _) => {
                put_nulls(form, sink);
                Ok(())
            }
            (Form::Many, level) => {
                sink.start_list();
                if let Some(level) = level {
                    range.into_iter().try_for_each(|row| level.put_row(members, row, sink, scratch))?;
                }
                sink.end_list();
                Ok(())
            }
            (Form::SpreadMany(_), level) => {
                let Some(columns) = &mut self.columns else { return Ok(()) };
                if let Some(level) = level {
                    range.into_iter().try_for_each(|row| level.put_row(members, row, &mut **columns, scratch))?;
                }
                columns.give(sink);
                Ok(())
            }
        }
    }
}

/// The keys and statements of the levels below, in the order in which members name them.
fn list<'r, 'p, D: Dialect>(members: &'r [MemberSql<'p, D>], embeds: &mut Vec<(&'r [usize], &'r ReadSql<'p, D>)>) {
    for member in members {
        match member {
            MemberSql::Embed { column: None, keys, read, .. } => embeds.push((keys, read)),
            MemberSql::Joined { members, .. } => list(members, embeds),
            MemberSql::Cell { .. } | MemberSql::Embed { .. } => {}
        }
    }
}

/// Makes room for the levels below.
fn prepare<L: Levels>(members: &[MemberSql<'_, L::Dialect>], below: &mut Vec<Below<L>>) {
    for member in members {
        match member {
            MemberSql::Embed { column: None, form, .. } => {
                let columns = match form {
                    Form::SpreadMany(shape) => Some(Box::new(Columns::new(shape.clone()))),
                    _ => None,
                };
                below.push(Below { level: None, ranges: Vec::new(), columns });
            }
            MemberSql::Joined { members, .. } => prepare(members, below),
            MemberSql::Cell { .. } | MemberSql::Embed { .. } => {}
        }
    }
}

/// How many levels members name.
fn embeds_in<D: Dialect>(members: &[MemberSql<'_, D>]) -> usize {
    let count = |member: &MemberSql<'_, D>| match member {
        MemberSql::Cell { .. } => 0,
        MemberSql::Embed { column, .. } => usize::from(column.is_none()),
        MemberSql::Joined { members, .. } => embeds_in(members),
    };
    members.iter().map(count).sum()
}
