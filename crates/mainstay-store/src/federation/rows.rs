//! Rows on their way from what a store gave to what was asked for.

use mainstay_query::evaluate::{compare_rows, is_after};
use mainstay_query::plan::{Cardinality, Shape};
use mainstay_query::split::stores::{Level, Near, Piece, Place, Placing, Sort};
use mainstay_schema::{ColumnId, Value, link};

use crate::collect::{Collected, Member, Row, replay};
use crate::columns::Columns;
use crate::error::StoreError;
use crate::sink::RowSink;

/// What a link compares of the columns of one row; rows whose keys are equal belong together.
pub(super) type Key = Vec<String>;

/// The key that these values are, none if one of them is null.
pub(super) fn key<'v>(values: impl IntoIterator<Item = &'v Value>) -> Option<Key> {
    values.into_iter().map(link::key).collect()
}

/// The values at these places of a row.
pub(super) fn values_at(row: &Row, keys: &[(ColumnId, usize)]) -> Result<Vec<Value>, StoreError> {
    keys.iter().map(|(_, place)| value_at(row, *place).cloned()).collect()
}

fn value_at(row: &Row, place: usize) -> Result<&Value, StoreError> {
    match row.get(place) {
        Some(Member::Value(value)) => Ok(value),
        _ => Err(StoreError::Internal("a row without the column that it is joined by".into())),
    }
}

/// The values of the last members of a row, which are taken off.
pub(super) fn take_values(row: &mut Row, count: usize) -> Result<Vec<Value>, StoreError> {
    let kept = row.len().saturating_sub(count);
    let value = |member| match member {
        Member::Value(value) => Ok(value),
        Member::One(_) | Member::Many(_) => Err(StoreError::Internal("rows where a key was asked for".into())),
    };
    row.split_off(kept).into_iter().map(value).collect()
}

/// A level with the places that lead to it, outermost first.
pub(super) type At<'l> = (Vec<usize>, &'l Level);

/// All levels of a read, each after the one above it.
pub(super) fn levels(root: &Level) -> Vec<At<'_>> {
    let mut found = vec![(Vec::new(), root)];
    let mut next = 0;
    while next < found.len() {
        let (path, level) = found[next].clone();
        for Near { at, level, .. } in &level.near {
            found.push((path.iter().copied().chain([*at]).collect(), level));
        }
        next += 1;
    }
    found
}

/// The rows that a path leads to.
pub(super) fn rows_at<'r>(rows: &'r mut [Row], path: &[usize]) -> Vec<&'r mut Row> {
    let mut here: Vec<&mut Row> = rows.iter_mut().collect();
    for at in path {
        let below = here.into_iter().filter_map(|row| row.get_mut(*at));
        here = below
            .flat_map(|member| match member {
                Member::One(row) => std::slice::from_mut(row).iter_mut(),
                Member::Many(rows) => rows.iter_mut(),
                Member::Value(_) => [].iter_mut(),
            })
            .collect();
    }
    here
}

/// Sorts and cuts the rows of a level, in each list by itself.
pub(super) fn sort_at(rows: &mut Vec<Row>, path: &[usize], level: &Level, sort: &Sort) -> Result<(), StoreError> {
    let Some((last, above)) = path.split_last() else { return sort_rows(rows, level, sort) };
    for row in rows_at(rows, above) {
        if let Some(Member::Many(list)) = row.get_mut(*last) {
            sort_rows(list, level, sort)?;
        }
    }
    Ok(())
}

fn sort_rows(rows: &mut Vec<Row>, level: &Level, sort: &Sort) -> Result<(), StoreError> {
    let mut placed = Vec::with_capacity(rows.len());
    for row in rows.drain(..) {
        let values: Result<Vec<Value>, _> = sort.places.iter().map(|place| term(&row, level, *place)).collect();
        placed.push((values?, row));
    }
    if let Some(place) = &sort.after {
        placed.retain(|(values, _)| is_after(&sort.terms, values, place));
    }
    placed.sort_by(|(left, _), (right, _)| compare_rows(&sort.terms, left, right));
    rows.extend(page(placed.into_iter().map(|(_, row)| row), sort.offset, sort.limit));
    Ok(())
}

/// The value of a term; null where there is no far row.
fn term(row: &Row, level: &Level, place: Place) -> Result<Value, StoreError> {
    match place {
        Place::Given(place) => value_at(row, place).cloned(),
        Place::Far(number) => match row.get(level.width + number) {
            Some(Member::Many(rows)) => rows.first().map_or(Ok(Value::Null), |row| value_at(row, 0).cloned()),
            _ => Err(StoreError::Internal("far rows that nobody fetched".into())),
        },
    }
}

/// Those of some rows that lie on a page.
pub(super) fn page<T>(rows: impl IntoIterator<Item = T>, offset: u64, limit: Option<u64>) -> impl Iterator<Item = T> {
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    rows.into_iter().skip(count(offset)).take(limit.map_or(usize::MAX, count))
}

/// The rows that were asked for.
pub(super) fn arrange(rows: Vec<Row>, level: &Level) -> Result<Vec<Row>, StoreError> {
    if level.is_plain() {
        return Ok(rows);
    }
    rows.into_iter().map(|row| arrange_row(row, level)).collect()
}

fn arrange_row(mut row: Row, level: &Level) -> Result<Row, StoreError> {
    let far = level.width + level.sort.as_ref().map_or(0, |sort| sort.far.len());
    let mut take = |place: usize| match row.get_mut(place) {
        Some(member) => Ok(std::mem::replace(member, Member::Value(Value::Null))),
        None => Err(StoreError::Internal("a row with fewer members than were asked for".into())),
    };
    let mut made = Row::with_capacity(level.pieces.len());
    for piece in &level.pieces {
        match piece {
            Piece::Given(place) => made.push(take(*place)?),
            Piece::Near(number) => {
                let Near { at, level, placing } = &level.near[*number];
                let rows = match take(*at)? {
                    Member::Many(rows) => arrange(rows, level)?,
                    Member::One(row) => vec![arrange_row(row, level)?],
                    Member::Value(_) => Vec::new(),
                };
                place(rows, placing, &mut made)?;
            }
            Piece::Far(number) => match take(far + *number)? {
                Member::Many(rows) => place(rows, &level.far[*number].placing, &mut made)?,
                Member::One(_) | Member::Value(_) => {
                    return Err(StoreError::Internal("far rows that nobody fetched".into()));
                }
            },
        }
    }
    Ok(made)
}

/// Puts related rows into a row.
fn place(rows: Vec<Row>, placing: &Placing, made: &mut Row) -> Result<(), StoreError> {
    match (placing.is_spread, placing.cardinality) {
        (false, Cardinality::Many) => made.push(Member::Many(rows)),
        (false, Cardinality::One) => {
            made.push(rows.into_iter().next().map_or(Member::Value(Value::Null), Member::One));
        }
        (true, Cardinality::One) => match rows.into_iter().next() {
            Some(row) => made.extend(row),
            None => made.extend(placing.shape.members.iter().map(|_| Member::Value(Value::Null))),
        },
        (true, Cardinality::Many) => made.extend(spread(&rows, &placing.shape)?),
    }
    Ok(())
}

/// The members of rows as arrays.
fn spread(rows: &[Row], shape: &Shape) -> Result<Row, StoreError> {
    let mut columns = Columns::new(shape.clone());
    rows.iter().for_each(|row| replay(row, &mut columns));
    let mut collected = Collected::new(shape.spread());
    collected.start_row();
    columns.give(&mut collected);
    collected.end_row();
    Ok(collected.finish()?.pop().unwrap_or_default())
}
