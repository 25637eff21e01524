//! Rows of one level of a read, what belongs to them, and their way into a sink.
//!
//! A level comes back whole before the next is asked for: one statement for all rows of the level above, whose keys go
//! along as a list, and each row comes with the key that it belongs to.

use std::collections::HashMap;
use std::ops::Range;
use std::time::Instant;

use futures_util::future::{BoxFuture, FutureExt};
use mainstay_store::columns::Columns;
use mainstay_store::{Cell, RowSink, StoreError};
use mysql_async::{Row, Value as Native};
use smallvec::SmallVec;

use super::read::{Fault, native_params};
use super::render::{MemberSql, ReadSql};
use super::session::Session;
use crate::sql::{Form, KEYS};

/// Keys that go along with one statement.
const KEYS_MAX: usize = 1024;

/// Rows of a level, and what belongs to them.
pub(super) struct Level {
    pub(super) rows: Vec<Row>,
    /// The levels below, in the order in which the members of a row name them.
    below: Vec<Below>,
    /// Whether text that is not the same may be equal, as it is in tables of other programs.
    is_found: bool,
}

/// A level below.
struct Below {
    level: Option<Level>,
    /// Which rows of it belong to which row of the level above.
    ranges: Vec<Range<usize>>,
    /// Where rows are shown as columns.
    columns: Option<Box<Columns>>,
}

/// A key in a form that can be looked up.
#[derive(PartialEq, Eq, Hash)]
enum Part {
    Null,
    Int(i128),
    Float(u64),
    Octets(Vec<u8>),
    Moment(String),
}

type Key = SmallVec<[Part; 2]>;

impl Part {
    fn of(native: Option<&Native>) -> Part {
        match native {
            None | Some(Native::NULL) => Part::Null,
            Some(Native::Int(number)) => Part::Int((*number).into()),
            Some(Native::UInt(number)) => Part::Int((*number).into()),
            // The two zeros are equal.
            Some(Native::Double(number)) => Part::Float((*number + 0.0).to_bits()),
            Some(Native::Float(number)) => Part::Float((f64::from(*number) + 0.0).to_bits()),
            Some(Native::Bytes(octets)) => Part::Octets(octets.clone()),
            Some(other) => Part::Moment(other.as_sql(true)),
        }
    }
}

/// A statement with so many keys, and their place among its parameters.
pub(super) fn with_keys(read: &ReadSql<'_>, keys: &[Vec<Native>]) -> (String, Vec<Native>) {
    // Filled up to a power of two with the last key, so that few statements serve all numbers of them.
    let count = keys.len().next_power_of_two();
    let width = keys.first().map_or(0, Vec::len);
    let one = match width {
        1 => "?".to_owned(),
        width => format!("({})", vec!["?"; width].join(",")),
    };
    let text = read.text.replace(KEYS, &vec![one; count].join(","));
    let mut params = native_params(&read.binds);
    let padded = (0..count).flat_map(|at| keys[at.min(keys.len() - 1)].iter().cloned());
    params.splice(read.keys.start..read.keys.start, padded.collect::<Vec<_>>());
    (text, params)
}

impl Level {
    pub(super) fn new(members: &[MemberSql<'_>], rows: Vec<Row>, is_found: bool) -> Level {
        let mut below = Vec::new();
        prepare(members, &mut below);
        Level { rows, below, is_found }
    }

    /// Puts all rows into the sink; gives their number.
    ///
    /// # Errors
    /// [`StoreError::Deadline`] if there is no time for all of them.
    pub(super) fn put(
        &mut self,
        members: &[MemberSql<'_>],
        deadline: Instant,
        sink: &mut dyn RowSink,
    ) -> Result<u64, Fault> {
        let mut scratch = String::new();
        for at in 0..self.rows.len() {
            if Instant::now() >= deadline {
                return Err(Fault::Rows(StoreError::Deadline));
            }
            put_row(members, self, at, sink, &mut scratch)?;
        }
        Ok(self.rows.len() as u64)
    }

    /// Reads the levels below for all rows.
    pub(super) fn fill<'f>(
        &'f mut self,
        session: &'f mut Session,
        members: &'f [MemberSql<'_>],
    ) -> BoxFuture<'f, Result<(), Fault>> {
        async move {
            let mut embeds = Vec::new();
            list(members, &mut embeds);
            for (position, (keys, read)) in embeds.into_iter().enumerate() {
                let (level, ranges) = self.related(session, keys, read).await?;
                self.below[position].level = level;
                self.below[position].ranges = ranges;
            }
            Ok(())
        }
        .boxed()
    }

    /// Reads one level below: the keys of all rows go along, each once.
    async fn related(
        &self,
        session: &mut Session,
        keys: &[usize],
        read: &ReadSql<'_>,
    ) -> Result<(Option<Level>, Vec<Range<usize>>), Fault> {
        let mut places: HashMap<Key, usize> = HashMap::new();
        let mut wanted: Vec<Vec<Native>> = Vec::new();
        let mut place_of: Vec<Option<usize>> = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let key: Key = keys.iter().map(|column| Part::of(row.as_ref(*column))).collect();
            if read.needs_link && key.contains(&Part::Null) {
                place_of.push(None);
                continue;
            }
            let place = *places.entry(key).or_insert_with(|| {
                wanted.push(keys.iter().map(|column| row.as_ref(*column).cloned().unwrap_or(Native::NULL)).collect());
                wanted.len() - 1
            });
            place_of.push(Some(place));
        }
        let found = rows_of_keys(session, read, &wanted, self.is_found).await?;
        if let Some(table) = read.unsure
            && found.iter().any(|rows| rows.len() > 1)
        {
            return Err(Fault::Rows(StoreError::SeveralRows { table: table.into() }));
        }
        let mut rows = Vec::new();
        let mut range_of = Vec::with_capacity(found.len());
        for mut some in found {
            let start = rows.len();
            rows.append(&mut some);
            range_of.push(start..rows.len());
        }
        let ranges = place_of.into_iter().map(|place| place.map_or(0..0, |place| range_of[place].clone())).collect();
        if rows.is_empty() {
            return Ok((None, ranges));
        }
        let mut level = Level::new(&read.members, rows, self.is_found);
        level.fill(session, &read.members).await?;
        Ok((Some(level), ranges))
    }
}

/// The rows that belong to each key.
pub(super) async fn rows_of_keys(
    session: &mut Session,
    read: &ReadSql<'_>,
    keys: &[Vec<Native>],
    is_found: bool,
) -> Result<Vec<Vec<Row>>, Fault> {
    let mut found: Vec<Vec<Row>> = Vec::with_capacity(keys.len());
    let Some(listed) = &read.listed else {
        // A group of all rows is there even where there are none, and so each key is asked for by itself.
        for key in keys {
            let mut params = native_params(&read.binds);
            for (place, part) in read.keys.clone().zip(key) {
                params[place] = part.clone();
            }
            found.push(session.query_native(&read.text, params).await?.all().await?);
        }
        return Ok(found);
    };
    // Two texts may be equal and look different: then nobody but the server knows which row belongs to which key.
    let is_text = |part: &Native| matches!(part, Native::Bytes(_));
    let at_once = if is_found && keys.iter().flatten().any(is_text) { 1 } else { KEYS_MAX };
    for chunk in keys.chunks(at_once) {
        let (text, params) = with_keys(read, chunk);
        let rows = session.query_native(&text, params).await?.all().await?;
        if at_once == 1 {
            found.push(rows);
            continue;
        }
        let start = found.len();
        let key_of = |key: &Vec<Native>| -> Key { key.iter().map(|part| Part::of(Some(part))).collect() };
        let places: HashMap<Key, usize> = chunk.iter().map(key_of).zip(start..).collect();
        found.resize_with(start + chunk.len(), Vec::new);
        for row in rows {
            let key: Key = listed.columns.clone().map(|column| Part::of(row.as_ref(column))).collect();
            if let Some(place) = places.get(&key) {
                found[*place].push(row);
            }
        }
    }
    Ok(found)
}

/// The keys and statements of the levels below, in the order in which members name them.
fn list<'r, 'p>(members: &'r [MemberSql<'p>], embeds: &mut Vec<(&'r [usize], &'r ReadSql<'p>)>) {
    for member in members {
        match member {
            MemberSql::Cell { .. } => {}
            MemberSql::Embed { keys, read, .. } => embeds.push((keys, read)),
            MemberSql::Joined { members, .. } => list(members, embeds),
        }
    }
}

fn prepare(members: &[MemberSql<'_>], below: &mut Vec<Below>) {
    for member in members {
        match member {
            MemberSql::Cell { .. } => {}
            MemberSql::Embed { form, .. } => {
                let columns = match form {
                    Form::SpreadMany(shape) => Some(Box::new(Columns::new(shape.clone()))),
                    _ => None,
                };
                below.push(Below { level: None, ranges: Vec::new(), columns });
            }
            MemberSql::Joined { members, .. } => prepare(members, below),
        }
    }
}

pub(super) fn put_row(
    members: &[MemberSql<'_>],
    level: &mut Level,
    at: usize,
    sink: &mut dyn RowSink,
    scratch: &mut String,
) -> Result<(), Fault> {
    sink.start_row();
    put_members(members, level, at, &mut 0, sink, scratch)?;
    sink.end_row();
    Ok(())
}

fn is_null(row: &Row, column: usize) -> bool {
    matches!(row.as_ref(column), None | Some(Native::NULL))
}

/// Puts the members of row `at`; `next` is the level below that the next embed names.
fn put_members(
    members: &[MemberSql<'_>],
    level: &mut Level,
    at: usize,
    next: &mut usize,
    sink: &mut dyn RowSink,
    scratch: &mut String,
) -> Result<(), Fault> {
    for member in members {
        match member {
            MemberSql::Cell { column, kind } => {
                let native = level.rows[at].as_ref(*column).unwrap_or(&Native::NULL);
                kind.give(native, sink, scratch).map_err(Fault::Rows)?;
            }
            MemberSql::Joined { present, members } => {
                if is_null(&level.rows[at], *present) {
                    *next += embeds_in(members);
                    sink.cell(Cell::Null);
                } else {
                    sink.start_row();
                    put_members(members, level, at, next, sink, scratch)?;
                    sink.end_row();
                }
            }
            MemberSql::Embed { form, present, read, .. } => {
                let is_absent = present.is_some_and(|column| is_null(&level.rows[at], column));
                let below = &mut level.below[*next];
                *next += 1;
                if is_absent {
                    (0..width(form)).for_each(|_| sink.cell(Cell::Null));
                } else {
                    put_embed(form, &read.members, below, at, sink, scratch)?;
                }
            }
        }
    }
    Ok(())
}

fn put_embed(
    form: &Form,
    members: &[MemberSql<'_>],
    below: &mut Below,
    at: usize,
    sink: &mut dyn RowSink,
    scratch: &mut String,
) -> Result<(), Fault> {
    let range = below.ranges.get(at).cloned().unwrap_or(0..0);
    let first = range.start;
    match (form, &mut below.level) {
        (Form::One, Some(level)) if !range.is_empty() => put_row(members, level, first, sink, scratch),
        (Form::One, _) => {
            sink.cell(Cell::Null);
            Ok(())
        }
        (Form::Many, level) => {
            sink.start_list();
            if let Some(level) = level {
                range.into_iter().try_for_each(|row| put_row(members, level, row, sink, scratch))?;
            }
            sink.end_list();
            Ok(())
        }
        (Form::SpreadOne(_), Some(level)) if !range.is_empty() => {
            put_members(members, level, first, &mut 0, sink, scratch)
        }
        (Form::SpreadOne(width), _) => {
            (0..*width).for_each(|_| sink.cell(Cell::Null));
            Ok(())
        }
        (Form::SpreadMany(_), level) => {
            let Some(columns) = &mut below.columns else { return Ok(()) };
            if let Some(level) = level {
                range.into_iter().try_for_each(|row| put_row(members, level, row, &mut **columns, scratch))?;
            }
            columns.give(sink);
            Ok(())
        }
    }
}

/// The members that a level makes in the row above.
fn width(form: &Form) -> usize {
    match form {
        Form::One | Form::Many => 1,
        Form::SpreadOne(width) => *width,
        Form::SpreadMany(shape) => shape.members.len(),
    }
}

/// How many levels members name.
fn embeds_in(members: &[MemberSql<'_>]) -> usize {
    let count = |member: &MemberSql<'_>| match member {
        MemberSql::Cell { .. } => 0,
        MemberSql::Embed { .. } => 1,
        MemberSql::Joined { members, .. } => embeds_in(members),
    };
    members.iter().map(count).sum()
}
