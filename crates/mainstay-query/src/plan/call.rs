//! Call of a function → plan: which function is meant, what it is called with, and what is made of its result.
//!
//! The result is a source of rows like a table, so its select, filters, order and embeds are planned as those of a
//! read. A function that only reads becomes a [`Read`], one that writes a [`Write`].

mod arguments;
mod lookup;

use mainstay_schema::{Function, FunctionId, Returns, Schema};

use super::read::Levels;
use super::resolve::not_implemented;
use super::{Expect, Filter, Fresh, FunctionCall, Read, Run, Write, precedence};
use crate::error::{ParseError, PlanError};
use crate::limits::Limits;
use crate::request::CallRequest;

/// A planned call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The function that is meant.
    pub function: FunctionId,
    /// What is done.
    pub work: Work,
}

/// What a call does.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// Rows are read.
    Read(Box<Read>),
    /// Rows are changed, and perhaps given back.
    Write(Box<Write>),
}

/// Finds the function that a request means among those that `may_call` lets through, types every argument and plans
/// what is made of the result. If it lets none of that name through, all of them are looked at: the rules refuse the
/// plan, and whoever tells the caller about an error must tell that instead.
///
/// # Errors
/// [`PlanError`] with the first thing that is wrong.
pub fn call(
    schema: &Schema,
    limits: &Limits,
    fresh: &dyn Fresh,
    request: &CallRequest,
    may_call: &dyn Fn(&Function) -> bool,
) -> Result<Call, PlanError> {
    let given = arguments::Given::read(request, limits)?;
    let function = lookup::find(schema, &request.function, &given, may_call)?;
    if request.affected_max.is_some() && !function.returns.is_many() {
        return Err(PlanError::SingleAffected);
    }
    let read = result(schema, limits, function, request)?;
    let (arguments, left_out) = (given.values(function, fresh)?, given.left_out(function));
    let call = FunctionCall { function: function.id, arguments, left_out };
    if function.writes && request.read_only {
        return Err(PlanError::ReadOnlyCall { function: function.name.to_string() });
    }
    let work = match read {
        Some(read) if !function.writes => {
            Work::Read(Box::new(Read { call: Some(Box::new(call)), count: request.count, ..read }))
        }
        read => {
            let expect = Expect { single: request.singular && read.is_some(), affected_max: request.affected_max };
            let returning = read.map(|read| Box::new(Read { count: request.count, ..read }));
            Work::Write(Box::new(Write::Run(Run { call, returning, expect })))
        }
    };
    Ok(Call { function: function.id, work })
}

/// What is made of the rows that a function gives back; nothing if it gives none.
fn result(
    schema: &Schema,
    limits: &Limits,
    function: &Function,
    request: &CallRequest,
) -> Result<Option<Read>, PlanError> {
    let query = &request.query;
    let Some(table) = function.rows() else {
        return if query.select.is_empty() && query.filters.is_empty() {
            Ok(None)
        } else {
            Err(nothing_there(function))
        };
    };
    if matches!(function.returns, Returns::Value { .. }) && !query.select.is_empty() {
        return Err(nothing_there(function));
    }
    let table = schema.table(table);
    let level = Levels::new(schema, limits, Some(limits.page_rows_max)).root(table, query);
    let level = level.map_err(|met| precedence::of_query(schema, limits, table, query, met))?;
    let mut read = level.read;
    read.filter = Filter::all([read.filter].into_iter().chain(level.inner));
    if searches(&read.filter) {
        // The index knows the rows of the table, and not which of them these are.
        return Err(not_implemented("A full-text search in the result of a function; let its SQL search.".to_owned()));
    }
    // The order of the function holds where the request asks for none.
    if !query.order.iter().any(|order| order.path.is_empty()) {
        read.order.clear();
    }
    if !function.returns.is_many() {
        // As in PostgreSQL, the first row is the result.
        (read.limit, read.offset) = (Some(1), 0);
        read.order.clear();
    }
    Ok(Some(read))
}

/// Whether a filter looks into a full-text index for rows of this level.
fn searches(filter: &Filter) -> bool {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(searches),
        Filter::Not(part) => searches(part),
        Filter::Search(_) => true,
        Filter::True
        | Filter::False
        | Filter::Unknown
        | Filter::Test { .. }
        | Filter::Columns { .. }
        | Filter::Exists { .. } => false,
    }
}

fn nothing_there(function: &Function) -> PlanError {
    let what = if function.rows().is_some() { "a value, which has no columns" } else { "nothing" };
    PlanError::Parse(ParseError::Parameter {
        message: format!("The function {} returns {what}", function.name),
        hint: "Leave out select and filters.".to_owned(),
    })
}
