//! How the rows of a level come from the servers: the keys of the level above go along as a list, and each row comes with
//! the key that it belongs to.

use std::collections::HashMap;

use mainstay_store::{RowSink, StoreError};
use mysql_async::{Row, Value as Native};
use smallvec::SmallVec;

use super::cells::CellKind;
use super::read::{Fault, native_params};
use super::render::{Mysql, ReadSql};
use super::session::Session;
use crate::server::level::{self, Levels, Related};
use crate::sql::{KEYS, Whole, clamp};

/// Keys that go along with one statement.
pub(super) const KEYS_MAX: usize = 1024;

/// Rows that are read of a level before its keys' pages are left to the server to be cut.
const WHOLE_ROWS_MAX: u64 = 10_000;

/// Rows of a level, and what belongs to them.
pub(super) type Level = level::Level<Natives>;
/// What is kept from one cell to the next.
pub(super) type Scratch = level::Scratch<()>;

/// Rows of the driver.
#[derive(Debug, Clone, Copy)]
pub(super) struct Natives {
    /// Whether text that is not the same may be equal, as it is in tables of other programs.
    pub(super) is_found: bool,
}

impl Levels for Natives {
    type Dialect = Mysql;
    type Row = Row;
    type Error = mysql_async::Error;
    type Session = Session;
    type Kept = ();

    fn is_null(&self, row: &Row, column: usize) -> bool {
        matches!(row.as_ref(column), None | Some(Native::NULL))
    }

    fn put(
        &self,
        row: &Row,
        column: usize,
        kind: &CellKind,
        sink: &mut dyn RowSink,
        scratch: &mut Scratch,
    ) -> Result<(), Fault> {
        let native = row.as_ref(column).unwrap_or(&Native::NULL);
        kind.give(native, sink, &mut scratch.text).map_err(Fault::Rows)
    }

    /// The keys of all rows go along, each once.
    async fn related(
        level: &Level,
        session: &mut Session,
        keys: &[usize],
        read: &ReadSql<'_>,
    ) -> Result<Related<Natives>, Fault> {
        let mut places: HashMap<Key, usize> = HashMap::new();
        let mut wanted: Vec<Vec<Native>> = Vec::new();
        let mut place_of: Vec<Option<usize>> = Vec::with_capacity(level.rows.len());
        for row in &level.rows {
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
        let found = rows_of_keys(session, read, &wanted, level.own.is_found).await?;
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
        let mut below = Level::new(&read.members, rows, level.own);
        below.fill(session, &read.members).await?;
        Ok((Some(below), ranges))
    }
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

/// The statement that is run first for so many keys, and its parameters.
pub(super) fn with_keys(read: &ReadSql<'_>, keys: &[Vec<Native>]) -> (String, Vec<Native>) {
    match read.listed.as_ref().and_then(|listed| listed.whole.as_ref()) {
        Some(whole) => {
            let (text, mut params) = filled(read, &whole.text(&read.text), whole.binds, keys);
            let most = wanted(whole, keys).unwrap_or(WHOLE_ROWS_MAX + 1);
            params.push(Native::Int(clamp(most)));
            (text, params)
        }
        None => filled(read, &read.text, read.binds.len(), keys),
    }
}

/// How many rows are wanted of these keys, where that is known beforehand: of one.
fn wanted(whole: &Whole, keys: &[Vec<Native>]) -> Option<u64> {
    whole.wanted().filter(|_| keys.len() == 1)
}

/// A statement with so many keys, and their place among its first parameters.
fn filled(read: &ReadSql<'_>, text: &str, binds: usize, keys: &[Vec<Native>]) -> (String, Vec<Native>) {
    // Filled up to a power of two with the last key, so that few statements serve all numbers of them.
    let count = keys.len().next_power_of_two();
    let width = keys.first().map_or(0, Vec::len);
    let one = match width {
        1 => "?".to_owned(),
        width => format!("({})", vec!["?"; width].join(",")),
    };
    let text = text.replace(KEYS, &vec![one; count].join(","));
    let mut params = native_params(&read.binds[..binds]);
    let padded = (0..count).flat_map(|at| keys[at.min(keys.len() - 1)].iter().cloned());
    params.splice(read.keys.start..read.keys.start, padded.collect::<Vec<_>>());
    (text, params)
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
        let mut rows = session.query_native(&text, params).await?.all().await?;
        let mut whole = listed.whole.as_ref();
        let is_known = whole.is_none_or(|whole| wanted(whole, chunk).is_some());
        if !is_known && rows.len() as u64 > WHOLE_ROWS_MAX {
            let (text, params) = filled(read, &read.text, read.binds.len(), chunk);
            rows = session.query_native(&text, params).await?.all().await?;
            whole = None;
        }
        if let Some(whole) = whole.filter(|_| at_once == 1) {
            whole.cut(&mut rows);
        }
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
        if let Some(whole) = whole {
            found[start..].iter_mut().for_each(|rows| whole.cut(rows));
        }
    }
    Ok(found)
}
