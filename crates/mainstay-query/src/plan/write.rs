//! Write request → plan.

use std::collections::HashSet;

use mainstay_schema::{Column, ColumnId, Schema, Table, Value};

use super::defaults::{self, Filled};
use super::read::{Level, Levels};
use super::resolve::{self, not_implemented};
use super::rows::Rows;
use super::{
    Assign, Conflict, Delete, Expect, Expr, Filter, Fresh, Insert, Nested, Output, Read, Returning, Source, Update,
    UpdateEach, Write, each, grid, json, nested, operations, precedence, replace, xml,
};
use crate::error::{ParseError, PlanError};
use crate::limits::Limits;
use crate::request::{Action, Body, Resolution, WriteRequest};

/// Resolves every name, types and checks every value of a write, and fills in defaults.
///
/// Filters of an insert must make sense but pick nothing; order and limit of any write shape nothing but embeds.
///
/// # Errors
/// [`PlanError`] with the first thing that is wrong.
pub fn write(schema: &Schema, limits: &Limits, fresh: &dyn Fresh, request: &WriteRequest) -> Result<Write, PlanError> {
    planned(schema, limits, fresh, request).map_err(|met| precedence::of_write(schema, limits, request, met))
}

fn planned(schema: &Schema, limits: &Limits, fresh: &dyn Fresh, request: &WriteRequest) -> Result<Write, PlanError> {
    let table = resolve::table(schema, &request.table)?;
    if !table.is_writable() {
        return Err(PlanError::ReadOnly { table: table.name.to_string() });
    }
    if let Action::Replace { .. } = request.action {
        replace::check_filters(table, &request.query)?;
    }
    let mut level = Levels::new(schema, limits, None).root(table, &request.query)?;
    if level.read.groups.is_some() {
        return Err(not_implemented("Aggregates and distinct rows of what a write returns.".to_owned()));
    }
    let filter = std::mem::replace(&mut level.read.filter, Filter::True);
    let returning = returning(table, request, level)?;
    let expect = Expect { single: request.singular, affected_max: request.affected_max };
    match &request.action {
        Action::Insert { body, resolution, missing_default } => {
            let mut rows = Rows::nesting(schema, limits, table, request.query.columns.as_deref(), 0)?;
            read_rows(body, &mut rows)?;
            if rows.has_nests() {
                if resolution.is_some() {
                    let details = "Rows inside rows together with resolution: which of them would be merged?";
                    return Err(not_implemented(details.to_owned()));
                }
                if returning.is_some() && table.primary_key.is_empty() {
                    let details = "Rows inside rows of a table without a primary key, given back.";
                    return Err(not_implemented(details.to_owned()));
                }
                let expect = Expect { single: request.singular, affected_max: None };
                let nested = nested::plan(rows, limits, fresh, *missing_default)?;
                return Ok(Write::Nested(Nested { returning, expect, ..nested }));
            }
            let insert = insert(table, fresh, request, rows, *resolution, *missing_default)?;
            let expect = Expect { single: request.singular, affected_max: None };
            Ok(Write::Insert(Insert { returning, expect, ..insert }))
        }
        Action::Replace { body } => {
            let rows = body_rows(table, limits, request, body)?;
            replace::check_body(&filter, &rows)?;
            let insert = insert(table, fresh, request, rows, Some(Resolution::Merge), false)?;
            Ok(Write::Insert(Insert { returning, expect: Expect { affected_max: None, ..expect }, ..insert }))
        }
        Action::Update { body, missing_default } if request.query.on_conflict.is_some() => {
            let key = conflict_target(table, request.query.on_conflict.as_deref())?;
            let chosen = request.query.columns.as_deref();
            let update = match body {
                Body::Operations(text) => {
                    let rows = operations::operations(table, chosen, &key, text)?;
                    each::of_operations(table, limits, rows, key, filter, fresh)?
                }
                Body::MergePatch(_) | Body::JsonPatch(_) => {
                    return Err(not_implemented("A JSON patch or merge patch with on_conflict.".to_owned()));
                }
                body => each::of_rows(body_rows(table, limits, request, body)?, key, filter, fresh, *missing_default)?,
            };
            Ok(Write::UpdateEach(UpdateEach { returning, expect, ..update }))
        }
        Action::Update { body, missing_default } => {
            let set = update_set(table, limits, fresh, request, body, *missing_default)?;
            if set.is_empty() {
                let (table, filter) = (table.id, Filter::False);
                return Ok(Write::Update(Update { table, set, filter, returning, expect }));
            }
            need_filter(request, "UPDATE")?;
            Ok(Write::Update(Update { table: table.id, set, filter, returning, expect }))
        }
        Action::Delete => {
            need_filter(request, "DELETE")?;
            Ok(Write::Delete(Delete { table: table.id, filter, returning, expect }))
        }
    }
}

/// What a body makes of the columns of every row that is picked.
fn update_set(
    table: &Table,
    limits: &Limits,
    fresh: &dyn Fresh,
    request: &WriteRequest,
    body: &Body,
    missing_default: bool,
) -> Result<Vec<(ColumnId, Assign)>, PlanError> {
    let chosen = request.query.columns.as_deref();
    let mut set = match body {
        Body::Operations(text) => {
            let mut rows = operations::operations(table, chosen, &[], text)?;
            if rows.len() > 1 {
                let message = "Operations for several rows need on_conflict, the key by which each is found".to_owned();
                return Err(PlanError::Parse(ParseError::Body { message, details: None }));
            }
            rows.pop().map(|row| row.set).unwrap_or_default()
        }
        Body::MergePatch(text) => operations::merge_patch(table, chosen, text)?,
        Body::JsonPatch(text) => operations::json_patch(table, text)?,
        body => return defaults::update(body_rows(table, limits, request, body)?, fresh, missing_default),
    };
    if !set.is_empty() {
        for (column, time) in defaults::touched_values(table, fresh)? {
            if set.iter().all(|(other, _)| *other != column) {
                set.push((column, Assign::Value(time)));
            }
        }
    }
    Ok(set)
}

/// All rows are changed only by who says how many that may be.
fn need_filter(request: &WriteRequest, verb: &'static str) -> Result<(), PlanError> {
    let has_filter = request.query.filters.iter().any(|filter| filter.path.is_empty());
    if has_filter || request.affected_max.is_some() { Ok(()) } else { Err(PlanError::NoFilter { verb }) }
}

fn body_rows<'a>(
    table: &'a Table,
    limits: &Limits,
    request: &WriteRequest,
    body: &Body,
) -> Result<Rows<'a>, PlanError> {
    let mut rows = Rows::new(table, request.query.columns.as_deref(), limits.write_rows_max)?;
    read_rows(body, &mut rows)?;
    Ok(rows)
}

pub(super) fn read_rows(body: &Body, rows: &mut Rows<'_>) -> Result<(), PlanError> {
    match body {
        Body::Json(text) => json::read(text, rows)?,
        Body::Ndjson(text) => json::read_lines(text, rows)?,
        Body::Xml(text) => xml::read(text, rows)?,
        Body::Csv(text) => grid::read_csv(text, rows)?,
        Body::Rows { columns, rows: cells } => grid::read_rows(columns, cells, rows)?,
        Body::Operations(_) | Body::MergePatch(_) | Body::JsonPatch(_) => {
            return Err(not_implemented("A patch as the body of anything but PATCH.".to_owned()));
        }
    }
    Ok(())
}

/// The insert without what it returns and expects.
fn insert(
    table: &Table,
    fresh: &dyn Fresh,
    request: &WriteRequest,
    rows: Rows<'_>,
    resolution: Option<Resolution>,
    missing_default: bool,
) -> Result<Insert, PlanError> {
    let given = rows.columns();
    let mut timed = Vec::new();
    let conflict = match resolution {
        None => None,
        // Without a key nothing is there already.
        Some(_) if table.primary_key.is_empty() && request.query.on_conflict.is_none() => None,
        Some(resolution) => {
            let target = conflict_target(table, request.query.on_conflict.as_deref())?;
            let merge = (resolution == Resolution::Merge).then(|| {
                // What a merge changes has the time of the change, so each row brings it along.
                timed = defaults::touched(table, &given);
                merged(&given, &target, &timed)
            });
            Some(Conflict { target, merge })
        }
    };
    let Filled { columns, rows } = defaults::insert(rows, fresh, missing_default, &timed)?;
    if let Some(Conflict { target, merge: Some(_) }) = &conflict {
        refuse_repeated(target, &columns, &rows)?;
    }
    Ok(Insert { table: table.id, columns, rows, conflict, returning: None, expect: Expect::default() })
}

/// The columns that a merge sets: those given, but the key, which is equal anyway. Never none, because a merge of rows
/// that are nothing but a key finds those rows.
fn merged(given: &[&Column], target: &[ColumnId], timed: &[ColumnId]) -> Vec<ColumnId> {
    let changed: Vec<ColumnId> = given.iter().map(|column| column.id).filter(|id| !target.contains(id)).collect();
    if changed.is_empty() { target.to_vec() } else { [changed.as_slice(), timed].concat() }
}

/// The key that decides about conflicts: the primary key, or the one that `on_conflict` names.
fn conflict_target(table: &Table, names: Option<&[String]>) -> Result<Vec<ColumnId>, PlanError> {
    let Some(names) = names else {
        // Tables that were found may have no key.
        return if table.primary_key.is_empty() { Err(PlanError::NoSuchKey) } else { Ok(table.primary_key.clone()) };
    };
    let mut target = Vec::with_capacity(names.len());
    for name in names {
        let id = resolve::column(table, name)?.id;
        if !target.contains(&id) {
            target.push(id);
        }
    }
    let is_unique_index = table.indexes.iter().any(|index| {
        index.unique
            && index.condition.is_none()
            && index.columns.len() == target.len()
            && index.columns.iter().all(|part| target.contains(&part.column))
    });
    if table.is_key(&target) || is_unique_index { Ok(target) } else { Err(PlanError::NoSuchKey) }
}

/// A merge that names one row twice would depend on the order of its rows.
fn refuse_repeated(target: &[ColumnId], columns: &[ColumnId], rows: &[Vec<Option<Value>>]) -> Result<(), PlanError> {
    let places: Option<Vec<usize>> = target.iter().map(|id| columns.iter().position(|column| column == id)).collect();
    // A key that the store makes is never there already.
    let Some(places) = places else { return Ok(()) };
    let mut seen = HashSet::with_capacity(rows.len());
    for row in rows {
        let key: Option<Vec<String>> = places.iter().map(|place| row[*place].as_ref()?.to_text()).collect();
        if key.is_some_and(|key| !seen.insert(key)) {
            return Err(PlanError::RepeatedKey);
        }
    }
    Ok(())
}

/// What the write gives back: the selected members, or the key for the place of the new row.
fn returning(table: &Table, request: &WriteRequest, level: Level) -> Result<Option<Returning>, PlanError> {
    let mut filter = Filter::True;
    let select = if request.representation {
        if request.singular && !level.inner.is_empty() {
            let details = "An inner embed in the one object that a write returns: it would hide what was written.";
            return Err(not_implemented(details.to_owned()));
        }
        filter = Filter::all(level.inner);
        level.read.select
    } else if request.keys && !table.primary_key.is_empty() {
        let key = table.primary_key.iter().map(|id| table.column(*id));
        key.map(|column| Output { name: column.name.clone(), source: Source::Value(Expr::column(column.id)) }).collect()
    } else {
        return Ok(None);
    };
    Ok(Some(Box::new(Read { select, filter, ..Read::new(table.id) })))
}
