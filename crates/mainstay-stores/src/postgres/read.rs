//! Carries out reads: one statement a level for all rows of the level above at once, whose keys go along as arrays.
//!
//! A level comes back whole before the next is asked for, so what is kept is bounded by the rows of one chunk of the
//! top level ([`CHUNK_ROWS`]) and what belongs to them. Without levels rows go from the server's message into the
//! sink one by one.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::time::Instant;

use futures_util::future::{BoxFuture, FutureExt};
use mainstay_query::plan::{Count, Read};
use mainstay_schema::{Schema, Value};
use mainstay_store::columns::Columns;
use mainstay_store::sink::ready;
use mainstay_store::{Cell, RowSink, StoreError};
use smallvec::SmallVec;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::cells::CellKind;
use super::count;
use super::embedding::{Embedding, Seen};
use super::errors::Failure;
use super::pool::Pool;
use super::records::{self, Scratch};
use super::render::{self, Bind, From, MemberSql, ReadSql};
use super::session::{Access, Isolation, Session};
use super::types::{Param, Raw};
pub(super) use crate::server::Counted;
use crate::sql::Form;

/// Rows of the top level that are read at a time when there are levels below and no limit keeps them few.
const CHUNK_ROWS: u64 = 1000;

/// Why a read did not come to its end.
pub(super) type Fault = crate::server::Fault<tokio_postgres::Error>;

impl std::convert::From<super::cells::Malformed> for Fault {
    fn from(malformed: super::cells::Malformed) -> Fault {
        Fault::Rows(malformed.into())
    }
}

/// Reads the rows of a plan, all of it from one snapshot.
pub(super) async fn run(
    session: &mut Session,
    (pool, seen): (&Pool, &Seen),
    schema: &Schema,
    plan: &Read,
    sink: &mut dyn RowSink,
) -> Result<Counted, Fault> {
    let mut sql = render::read(schema, plan, From::Plan);
    let mut has_levels = sql.members.iter().any(MemberSql::has_levels);
    // Of a page that is not bounded the levels come for some rows at a time.
    let limit = plan.limit.filter(|limit| has_levels && *limit <= CHUNK_ROWS);
    let shape = limit.map(|_| hash(&sql.text));
    if let (Some(limit), Some(shape)) = (limit, shape) {
        let is_wanted = match pool.options().embedding {
            Embedding::OneStatement => true,
            Embedding::EachLevel => false,
            Embedding::Measured => seen.is_one_quicker(pool.round_trip(), sql.levels().len(), shape, limit),
        };
        if let Some(one) = is_wanted.then(|| render::read_in_one(schema, plan)).flatten() {
            (sql, has_levels) = (one, false);
        }
    }
    // A single statement is its own snapshot.
    if has_levels || plan.count != Count::None || session.is_pooled() {
        session.begin(Access::Read, Isolation::RepeatableRead);
    }
    let (counted, embedded) = counted(session, schema, plan, &sql, sink).await?;
    if let Some(shape) = shape {
        seen.saw(shape, embedded);
    }
    Ok(counted)
}

/// Reads the rows of a plan inside the transaction that the session is in.
pub(super) async fn run_inside(
    session: &mut Session,
    schema: &Schema,
    plan: &Read,
    sql: ReadSql<'_>,
    sink: &mut dyn RowSink,
) -> Result<Counted, Fault> {
    Ok(counted(session, schema, plan, &sql, sink).await?.0)
}

/// Reads and counts; tells the rows below the top level, too.
async fn counted(
    session: &mut Session,
    schema: &Schema,
    plan: &Read,
    sql: &ReadSql<'_>,
    sink: &mut dyn RowSink,
) -> Result<(Counted, u64), Fault> {
    let mut scratch = Scratch::new(schema.found().is_none());
    let rows = top(session, plan, sql, sink, &mut scratch).await?;
    if sink.is_full() {
        // Nothing of it will be shown.
        return Ok((Counted { rows, total: None }, scratch.embedded));
    }
    let total = count::total(session, schema, plan, rows).await?;
    Ok((Counted { rows, total }, scratch.embedded))
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Reads the rows of the top level with all that belongs to them.
async fn top(
    session: &mut Session,
    plan: &Read,
    sql: &ReadSql<'_>,
    sink: &mut dyn RowSink,
    scratch: &mut Scratch,
) -> Result<u64, Fault> {
    let params = params(&sql.binds);
    if !sql.members.iter().any(MemberSql::has_levels) {
        return stream(session, sql, &params, sink, scratch).await;
    }
    if plan.limit.is_some_and(|limit| limit <= CHUNK_ROWS) {
        let rows = session.query_all(&sql.text, &params).await?;
        return give(session, sql, rows, sink, scratch).await;
    }
    // A statement is kept by its text, and what fetching gives depends on the cursor: so each has its own name.
    let cursor = format!("page_{:x}", hash(&sql.text));
    session.execute(&format!("DECLARE {cursor} NO SCROLL CURSOR FOR {}", sql.text), &params).await?;
    let fetch = format!("FETCH {CHUNK_ROWS} FROM {cursor}");
    let mut given = 0;
    loop {
        let rows = session.query_all(&fetch, &[]).await?;
        let is_last = (rows.len() as u64) < CHUNK_ROWS;
        given += give(session, sql, rows, sink, scratch).await?;
        if is_last || sink.is_full() {
            session.batch_execute(&format!("CLOSE {cursor}")).await?;
            return Ok(given);
        }
    }
}

/// Puts rows of a level without levels below into the sink as they come.
async fn stream(
    session: &mut Session,
    sql: &ReadSql<'_>,
    params: &[Param<'_>],
    sink: &mut dyn RowSink,
    scratch: &mut Scratch,
) -> Result<u64, Fault> {
    let mut rows = session.query(&sql.text, params).await?;
    let mut level: Option<Level> = None;
    let mut given = 0;
    while let Some(row) = rows.next().await? {
        let mut one = level.take().unwrap_or_else(|| Level::new(&sql.members, &row));
        one.rows.push(row);
        ready(sink).await;
        put_row(&sql.members, &mut one, 0, sink, scratch)?;
        one.rows.clear();
        level = Some(one);
        given += 1;
        // What is still to come is canceled on the server.
        if sink.is_full() {
            break;
        }
    }
    Ok(given)
}

/// Reads what belongs to rows of the top level and puts all into the sink.
async fn give(
    session: &mut Session,
    sql: &ReadSql<'_>,
    rows: Vec<Row>,
    sink: &mut dyn RowSink,
    scratch: &mut Scratch,
) -> Result<u64, Fault> {
    let Some(first) = rows.first() else { return Ok(0) };
    let mut level = Level::new(&sql.members, first);
    level.rows = rows;
    level.fill(session, &sql.members, 0).await?;
    let mut given = 0;
    for at in 0..level.rows.len() {
        ready(sink).await;
        if Instant::now() >= session.deadline() {
            return Err(Fault::Rows(StoreError::Deadline));
        }
        if sink.is_full() {
            break;
        }
        put_row(&sql.members, &mut level, at, sink, scratch)?;
        given += 1;
    }
    Ok(given)
}

/// The parameters that a plan brings.
pub(super) fn params<'b>(binds: &'b [Bind<'_>]) -> Vec<Param<'b>> {
    let param = |bind: &'b Bind<'_>| match bind {
        Bind::Value(value) => Param::Value(value),
        Bind::Int(number) => Param::Int(*number),
        Bind::Text(text) => Param::Text(text),
        Bind::List(values) => Param::List(values),
        Bind::Native(()) | Bind::Given(()) | Bind::Later => Param::Cell(None),
    };
    binds.iter().map(param).collect()
}

/// Rows of a level, and what belongs to them.
pub(super) struct Level {
    rows: Vec<Row>,
    kinds: Vec<CellKind>,
    /// The levels below, in the order in which the members of a row name them.
    below: Vec<Below>,
    /// Result columns before those of the members.
    offset: usize,
}

/// A level below.
struct Below {
    level: Option<Level>,
    /// Which rows of it belong to which row of the level above.
    ranges: Vec<Range<usize>>,
    /// Where rows are shown as columns.
    columns: Option<Box<Columns>>,
}

impl Level {
    fn new(members: &[MemberSql<'_>], first: &Row) -> Level {
        let kinds = first.columns().iter().map(|column| kind(column.type_())).collect();
        let mut below = Vec::new();
        prepare(members, &mut below);
        Level { rows: Vec::new(), kinds, below, offset: 0 }
    }

    /// A level of rows that a statement gave back.
    pub(super) async fn of(
        session: &mut Session,
        members: &[MemberSql<'_>],
        rows: Vec<Row>,
    ) -> Result<Option<Level>, Fault> {
        Level::of_columns(session, members, rows, 0).await
    }

    /// The same for rows whose members begin after so many result columns.
    pub(super) async fn of_columns(
        session: &mut Session,
        members: &[MemberSql<'_>],
        rows: Vec<Row>,
        offset: usize,
    ) -> Result<Option<Level>, Fault> {
        let Some(first) = rows.first() else { return Ok(None) };
        let mut level = Level::new(members, first);
        level.rows = rows;
        level.fill(session, members, offset).await?;
        Ok(Some(level))
    }

    /// Puts all rows into the sink; gives their number.
    ///
    /// # Errors
    /// [`StoreError::Deadline`] if there is no time for all of them.
    pub(super) fn put(
        mut self,
        is_declared: bool,
        members: &[MemberSql<'_>],
        deadline: Instant,
        sink: &mut dyn RowSink,
    ) -> Result<u64, Fault> {
        let mut scratch = Scratch::new(is_declared);
        for at in 0..self.rows.len() {
            if Instant::now() >= deadline {
                return Err(Fault::Rows(StoreError::Deadline));
            }
            put_row(members, &mut self, at, sink, &mut scratch)?;
        }
        Ok(self.rows.len() as u64)
    }

    /// Reads the levels below for all rows.
    fn fill<'f>(
        &'f mut self,
        session: &'f mut Session,
        members: &'f [MemberSql<'_>],
        offset: usize,
    ) -> BoxFuture<'f, Result<(), Fault>> {
        async move {
            self.offset = offset;
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
        type Key<'r> = SmallVec<[Option<&'r [u8]>; 2]>;
        let mut places: HashMap<Key<'_>, usize> = HashMap::new();
        let mut wanted: Vec<Vec<Option<&[u8]>>> = vec![Vec::new(); keys.len()];
        let mut place_of: Vec<Option<usize>> = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let key: Key<'_> = keys.iter().map(|column| raw(row, self.offset + column)).collect();
            if read.needs_link && key.iter().any(Option::is_none) {
                place_of.push(None);
                continue;
            }
            let next = places.len();
            let place = *places.entry(key).or_insert_with_key(|key| {
                for (list, part) in wanted.iter_mut().zip(key) {
                    list.push(*part);
                }
                next
            });
            place_of.push(Some(place));
        }
        let none = || vec![0..0; self.rows.len()];
        let Some(first) = self.rows.first().filter(|_| !places.is_empty()) else { return Ok((None, none())) };
        let mut params = params(&read.binds);
        for (position, (list, column)) in wanted.iter().zip(keys).enumerate() {
            let item = first.columns()[self.offset + column].type_();
            params[read.keys.start + position] = Param::Raw { item, items: list };
        }
        let rows = session.query_all(&read.text, &params).await?;
        let mut ranges = vec![0..0; places.len()];
        for (at, row) in rows.iter().enumerate() {
            // Places count from 1, and come in their order.
            let place: i64 = row.try_get(0).map_err(Failure::from)?;
            let range = usize::try_from(place - 1).ok().and_then(|place| ranges.get_mut(place));
            let Some(range) = range else { continue };
            if range.start == range.end {
                range.start = at;
            }
            range.end = at + 1;
        }
        if let Some(table) = read.unsure
            && ranges.iter().any(|range| range.len() > 1)
        {
            return Err(Fault::Rows(StoreError::SeveralRows { table: table.into() }));
        }
        let of_row = |place: &Option<usize>| place.map_or(0..0, |place| ranges[place].clone());
        let ranges = place_of.iter().map(of_row).collect();
        let Some(first) = rows.first() else { return Ok((None, ranges)) };
        let mut level = Level::new(&read.members, first);
        level.rows = rows;
        level.fill(session, &read.members, 1).await?;
        Ok((Some(level), ranges))
    }
}

fn kind(ty: &Type) -> CellKind {
    // What is not known is asked for as text.
    CellKind::of(ty).unwrap_or(CellKind::Text)
}

fn raw(row: &Row, column: usize) -> Option<&[u8]> {
    row.try_get::<_, Option<Raw<'_>>>(column).ok().flatten().map(|raw| raw.0)
}

/// The keys and statements of the levels below, in the order in which members name them.
fn list<'r, 'p>(members: &'r [MemberSql<'p>], embeds: &mut Vec<(&'r [usize], &'r ReadSql<'p>)>) {
    for member in members {
        match member {
            MemberSql::Cell { .. } => {}
            MemberSql::Embed { column: None, keys, read, .. } => embeds.push((keys, read)),
            MemberSql::Embed { .. } => {}
            MemberSql::Joined { members, .. } => list(members, embeds),
        }
    }
}

fn prepare(members: &[MemberSql<'_>], below: &mut Vec<Below>) {
    for member in members {
        match member {
            MemberSql::Cell { .. } => {}
            MemberSql::Embed { column: Some(_), .. } => {}
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

fn put_row(
    members: &[MemberSql<'_>],
    level: &mut Level,
    at: usize,
    sink: &mut dyn RowSink,
    scratch: &mut Scratch,
) -> Result<(), Fault> {
    sink.start_row();
    put_members(members, level, at, &mut 0, sink, scratch)?;
    sink.end_row();
    Ok(())
}

/// Puts the members of row `at`; `next` is the level below that the next embed names.
fn put_members(
    members: &[MemberSql<'_>],
    level: &mut Level,
    at: usize,
    next: &mut usize,
    sink: &mut dyn RowSink,
    scratch: &mut Scratch,
) -> Result<(), Fault> {
    for member in members {
        match member {
            MemberSql::Cell { column, .. } => {
                let column = level.offset + column;
                let raw = raw(&level.rows[at], column);
                match (&level.kinds[column], raw) {
                    // Only what was compared is `jsonb`, and has lost its form.
                    (CellKind::Jsonb, Some(raw)) if scratch.is_declared => put_document(raw, sink)?,
                    (kind, raw) => sink.cell(kind.cell(raw, &mut scratch.text)?),
                }
            }
            MemberSql::Joined { present, members } => {
                if raw(&level.rows[at], level.offset + present).is_none() {
                    *next += embeds_in(members);
                    sink.cell(Cell::Null);
                } else {
                    sink.start_row();
                    put_members(members, level, at, next, sink, scratch)?;
                    sink.end_row();
                }
            }
            MemberSql::Embed { form, present, column, read, .. } => {
                let is_absent = present.is_some_and(|column| raw(&level.rows[at], level.offset + column).is_none());
                if let Some(column) = column {
                    let array = raw(&level.rows[at], level.offset + column);
                    match is_absent {
                        true => (0..width(form)).for_each(|_| sink.cell(Cell::Null)),
                        false => records::put(form, &read.members, array, sink, scratch)?,
                    }
                    continue;
                }
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
    scratch: &mut Scratch,
) -> Result<(), Fault> {
    let range = below.ranges.get(at).cloned().unwrap_or(0..0);
    let first = range.start;
    scratch.embedded += range.len() as u64;
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
pub(super) fn width(form: &Form) -> usize {
    match form {
        Form::One | Form::Many => 1,
        Form::SpreadOne(width) => *width,
        Form::SpreadMany(shape) => shape.members.len(),
    }
}

/// Puts a document in the form that all stores give it.
pub(super) fn put_document(raw: &[u8], sink: &mut dyn RowSink) -> Result<(), Fault> {
    let text = raw.get(1..).and_then(|text| std::str::from_utf8(text).ok()).ok_or(super::cells::Malformed)?;
    match Value::parse_json(&mainstay_schema::Type::Json, text) {
        Ok(Value::Json(json)) => sink.cell(Cell::Json(json.as_str())),
        // The document `null` is a document, and not null.
        _ => sink.cell(Cell::Json(text)),
    }
    Ok(())
}

/// How many levels members name.
fn embeds_in(members: &[MemberSql<'_>]) -> usize {
    let count = |member: &MemberSql<'_>| match member {
        MemberSql::Cell { .. } => 0,
        MemberSql::Embed { column, .. } => usize::from(column.is_none()),
        MemberSql::Joined { members, .. } => embeds_in(members),
    };
    members.iter().map(count).sum()
}
