//! What a filter and an assignment mean, defined once: the memory store, residual filters and live updates all use it, and stores
//! whose own language lacks a test call the functions here.
//!
//! Knows values and plans; where related rows come from is the caller's business ([`Related`]).

mod aggregate;
mod assign;
mod cast;
mod contain;
mod document;
mod json;
mod like;
mod matches;
mod order;
mod search;

pub use aggregate::{Accumulator, mean};
pub use assign::{AssignError, assign};
pub use cast::cast;
pub use contain::{contained_in, contains, overlaps};
pub use json::{json_get, json_text, to_json};
pub use like::{like, like_column, like_regex};
pub use matches::{pattern, regex};
pub use order::{compare_rows, is_after};
pub use search::{Node as SearchNode, SearchError, SearchQuery, words};

use std::cmp::Ordering;

use mainstay_schema::value::Json;
use mainstay_schema::{TableId, Value, ValueError};

use crate::plan::{ColumnTest, Comparison, Expr, Filter, Join, Pair, Search, Test};

/// The rows that links lead to.
pub trait Related {
    /// Whether `test` holds for at least one of the rows of `table` to which `join` leads from `row`.
    ///
    /// # Errors
    /// The first error of `test`.
    fn any(
        &self,
        join: &Join,
        row: &[Value],
        table: TableId,
        test: &mut dyn FnMut(&[Value]) -> Result<bool, ValueError>,
    ) -> Result<bool, ValueError>;
}

/// Whether `row`, which has a value for every column of its table, passes; `None` for unknown, which does not pass.
///
/// # Errors
/// [`ValueError`] if a cast inside the filter fails on this row, or a pattern that the row holds is too long.
pub fn filter(rows: &dyn Related, row: &[Value], condition: &Filter) -> Result<Option<bool>, ValueError> {
    match condition {
        Filter::True => Ok(Some(true)),
        Filter::False => Ok(Some(false)),
        Filter::Unknown => Ok(None),
        Filter::And(parts) => fold(rows, row, parts, false),
        Filter::Or(parts) => fold(rows, row, parts, true),
        Filter::Not(part) => Ok(filter(rows, row, part)?.map(|holds| !holds)),
        Filter::Test { expr: tested, test: wanted } => Ok(test(&expr(row, tested)?, wanted)),
        Filter::Search(wanted) => Ok(search(row, wanted)),
        Filter::Columns { left, test, right } => column_test(&expr(row, left)?, *test, &expr(row, right)?),
        Filter::Exists { join, table, filter: inner, skip } => {
            let mut left = *skip;
            let mut passes = |related: &[Value]| {
                let counts = filter(rows, related, inner)? == Some(true);
                let is_skipped = counts && left > 0;
                left -= u64::from(is_skipped);
                Ok(counts && !is_skipped)
            };
            rows.any(join, row, *table, &mut passes).map(Some)
        }
    }
}

/// `and` is decided by one false part, `or` by one true part; failing that, one unknown part makes the whole unknown.
fn fold(rows: &dyn Related, row: &[Value], parts: &[Filter], decisive: bool) -> Result<Option<bool>, ValueError> {
    let mut result = Some(!decisive);
    for part in parts {
        match filter(rows, row, part)? {
            Some(holds) if holds == decisive => return Ok(Some(decisive)),
            Some(_) => {}
            None => result = None,
        }
    }
    Ok(result)
}

/// The value of an expression on a row.
///
/// A path into a column that is not `json` goes into its JSON form; a path that leads nowhere gives null. `->` keeps
/// the JSON value `null` apart from null, `->>` does not, both as in PostgreSQL.
///
/// # Errors
/// [`ValueError`] if the cast fails.
pub fn expr(row: &[Value], expr: &Expr) -> Result<Value, ValueError> {
    let value = &row[expr.column.index()];
    let base = match (expr.path.as_slice(), to_json(value)) {
        ([], _) => value.clone(),
        (_, None) => Value::Null,
        (path, Some(json)) if expr.as_text => json_text(json.as_str(), path).map_or(Value::Null, Value::Text),
        (path, Some(json)) => {
            json_get(json.as_str(), path).map_or(Value::Null, |part| Value::Json(Json::from_canonical(part)))
        }
    };
    match &expr.cast {
        Some(ty) => cast(&base, ty),
        None => Ok(base),
    }
}

/// The outcome of one test; `None` for unknown.
pub fn test(value: &Value, test: &Test) -> Option<bool> {
    match test {
        Test::IsNull => return Some(value.is_null()),
        Test::IsBool(wanted) => return Some(*value == Value::Bool(*wanted)),
        Test::IsDistinct(operand) => return Some(value.compare(operand) != Some(Ordering::Equal)),
        // The empty list decides before null does, as `= ANY('{}')` does.
        Test::In(list) if list.is_empty() => return Some(false),
        _ if value.is_null() => return None,
        _ => {}
    }
    match test {
        Test::Compare(comparison, operand) => value.compare(operand).map(|order| compares(*comparison, order)),
        Test::In(list) => Some(list.iter().any(|item| value.compare(item) == Some(Ordering::Equal))),
        Test::Like { pattern, case_sensitive } => match value {
            Value::Text(text) => Some(like(pattern, text, *case_sensitive)),
            _ => None,
        },
        Test::Match { pattern, .. } => match value {
            Value::Text(text) => Some(pattern.0.is_match(text)),
            _ => None,
        },
        Test::Contains(operand) => Some(contains(value, operand)),
        Test::ContainedIn(operand) => Some(contained_in(value, operand)),
        Test::Overlaps(operand) => Some(overlaps(value, operand)),
        // No store leaves it to us (`split.rs`): nothing passes, nor its opposite.
        Test::Range(..) => None,
        Test::IsNull | Test::IsBool(_) | Test::IsDistinct(_) => unreachable!("answered above"),
    }
}

/// Whether the texts of a row answer a search; unknown when there are none.
fn search(row: &[Value], search: &Search) -> Option<bool> {
    let texts: Vec<&str> = search
        .columns
        .iter()
        .map(|column| &row[column.index()])
        .filter_map(|value| if let Value::Text(text) = value { Some(text.as_str()) } else { None })
        .collect();
    (!texts.is_empty()).then(|| search.query.matches(texts))
}

/// The outcome of a test of one value against another; `None` for unknown.
fn column_test(left: &Value, test: ColumnTest, right: &Value) -> Result<Option<bool>, ValueError> {
    Ok(match (test, left, right) {
        (ColumnTest::Compare(comparison), ..) => left.compare(right).map(|order| compares(comparison, order)),
        // Two nulls have no order, and are not distinct.
        (ColumnTest::IsDistinct, ..) => {
            Some(left.is_null() != right.is_null() || left.compare(right).is_some_and(Ordering::is_ne))
        }
        (ColumnTest::Like { case_sensitive }, Value::Text(text), Value::Text(pattern)) => {
            Some(like_column(pattern, text, case_sensitive)?)
        }
        (ColumnTest::Like { .. }, ..) => None,
    })
}

fn compares(comparison: Comparison, order: Ordering) -> bool {
    match comparison {
        Comparison::Eq => order.is_eq(),
        Comparison::Neq => order.is_ne(),
        Comparison::Lt => order.is_lt(),
        Comparison::Lte => order.is_le(),
        Comparison::Gt => order.is_gt(),
        Comparison::Gte => order.is_ge(),
    }
}

/// Whether two rows are linked: every pair is equal, and null equals nothing.
pub fn linked(pairs: &[Pair], here: &[Value], there: &[Value]) -> bool {
    pairs.iter().all(|pair| here[pair.here.index()].compare(&there[pair.there.index()]) == Some(Ordering::Equal))
}

#[cfg(test)]
mod tests;
