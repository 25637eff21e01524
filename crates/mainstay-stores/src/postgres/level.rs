//! How the rows of a level come from PostgreSQL: the keys of the level above go along as arrays, and each row comes with
//! the number of its key.

use std::collections::HashMap;

use mainstay_schema::Value;
use mainstay_store::{Cell, RowSink, StoreError};
use smallvec::SmallVec;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::cells::CellKind;
use super::errors::Failure;
use super::read::{Fault, params};
use super::records;
use super::render::{MemberSql, Postgres, ReadSql};
use super::session::Session;
use super::types::{Param, Raw};
use crate::server::level::{self, Levels, Related};
use crate::sql::Form;

/// Rows of a level, and what belongs to them.
pub(super) type Level = level::Level<Cells>;
/// What is kept from one cell to the next.
pub(super) type Scratch = level::Scratch<Kept>;

/// What is kept from one cell to the next.
#[derive(Default)]
pub(super) struct Kept {
    /// How cells of records are read, by the numbers of their types.
    pub(super) kinds: Vec<(u32, CellKind)>,
    /// Whether the tables are ours, whose documents have one form.
    pub(super) is_declared: bool,
}

impl Kept {
    pub(super) fn scratch(is_declared: bool) -> Scratch {
        Scratch { own: Kept { is_declared, ..Kept::default() }, ..Scratch::default() }
    }
}

/// How the cells of a level are read.
pub(super) struct Cells {
    kinds: Vec<CellKind>,
    /// Result columns before those of the members.
    offset: usize,
}

impl Cells {
    /// Those of a statement, of which this is a row, whose members begin after so many result columns.
    pub(super) fn of(row: &Row, offset: usize) -> Cells {
        // What is not known is asked for as text.
        let kind = |ty: &Type| CellKind::of(ty).unwrap_or(CellKind::Text);
        Cells { kinds: row.columns().iter().map(|column| kind(column.type_())).collect(), offset }
    }
}

/// A level of rows that a statement gave, whose members begin after so many result columns, with all that belongs to
/// them.
pub(super) async fn filled(
    session: &mut Session,
    members: &[MemberSql<'_>],
    rows: Vec<Row>,
    offset: usize,
) -> Result<Option<Level>, Fault> {
    let Some(first) = rows.first() else { return Ok(None) };
    let own = Cells::of(first, offset);
    let mut level = Level::new(members, rows, own);
    level.fill(session, members).await?;
    Ok(Some(level))
}

impl Levels for Cells {
    type Dialect = Postgres;
    type Row = Row;
    type Error = tokio_postgres::Error;
    type Session = Session;
    type Kept = Kept;

    fn is_null(&self, row: &Row, column: usize) -> bool {
        raw(row, self.offset + column).is_none()
    }

    fn put(
        &self,
        row: &Row,
        column: usize,
        _: &(),
        sink: &mut dyn RowSink,
        scratch: &mut Scratch,
    ) -> Result<(), Fault> {
        let column = self.offset + column;
        put_cell(&self.kinds[column], raw(row, column), scratch.own.is_declared, sink, &mut scratch.text)
    }

    fn put_inside(
        &self,
        row: &Row,
        column: usize,
        form: &Form,
        members: &[MemberSql<'_>],
        sink: &mut dyn RowSink,
        scratch: &mut Scratch,
    ) -> Result<(), Fault> {
        records::put(form, members, raw(row, self.offset + column), sink, scratch)
    }

    /// The keys of all rows go along, each once.
    async fn related(
        level: &Level,
        session: &mut Session,
        keys: &[usize],
        read: &ReadSql<'_>,
    ) -> Result<Related<Cells>, Fault> {
        type Key<'r> = SmallVec<[Option<&'r [u8]>; 2]>;
        let mut places: HashMap<Key<'_>, usize> = HashMap::new();
        let mut wanted: Vec<Vec<Option<&[u8]>>> = vec![Vec::new(); keys.len()];
        let mut place_of: Vec<Option<usize>> = Vec::with_capacity(level.rows.len());
        for row in &level.rows {
            let key: Key<'_> = keys.iter().map(|column| raw(row, level.own.offset + column)).collect();
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
        let none = || vec![0..0; level.rows.len()];
        let Some(first) = level.rows.first().filter(|_| !places.is_empty()) else { return Ok((None, none())) };
        let mut params = params(&read.binds);
        for (position, (list, column)) in wanted.iter().zip(keys).enumerate() {
            let item = first.columns()[level.own.offset + column].type_();
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
        let own = Cells::of(first, 1);
        let mut below = Level::new(&read.members, rows, own);
        below.fill(session, &read.members).await?;
        Ok((Some(below), ranges))
    }
}

/// Puts a cell into the sink.
pub(super) fn put_cell(
    kind: &CellKind,
    raw: Option<&[u8]>,
    is_declared: bool,
    sink: &mut dyn RowSink,
    text: &mut String,
) -> Result<(), Fault> {
    match (kind, raw) {
        // Only what was compared is `jsonb`, and has lost its form.
        (CellKind::Jsonb, Some(raw)) if is_declared => put_document(raw, sink),
        (kind, raw) => {
            sink.cell(kind.cell(raw, text)?);
            Ok(())
        }
    }
}

/// Puts a document in the form that all stores give it.
fn put_document(raw: &[u8], sink: &mut dyn RowSink) -> Result<(), Fault> {
    let text = raw.get(1..).and_then(|text| std::str::from_utf8(text).ok()).ok_or(super::cells::Malformed)?;
    match Value::parse_json(&mainstay_schema::Type::Json, text) {
        Ok(Value::Json(json)) => sink.cell(Cell::Json(json.as_str())),
        // The document `null` is a document, and not null.
        _ => sink.cell(Cell::Json(text)),
    }
    Ok(())
}

/// The octets of a result column, or null.
pub(super) fn raw(row: &Row, column: usize) -> Option<&[u8]> {
    row.try_get::<_, Option<Raw<'_>>>(column).ok().flatten().map(|raw| raw.0)
}
