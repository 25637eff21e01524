//! `PUT`: one row by its primary key, inserted or changed.

use std::cmp::Ordering;

use mainstay_schema::{ColumnId, Table, Value};

use super::rows::Rows;
use super::{Comparison, Filter, Test};
use crate::error::PlanError;
use crate::request::{Condition, Operation, Operator, Query};

/// Refuses filters that are not `eq` on all and only the columns of the primary key.
pub(super) fn check_filters(table: &Table, query: &Query) -> Result<(), PlanError> {
    let mut named: Vec<ColumnId> = Vec::new();
    for condition in query.filters.iter().filter(|filter| filter.path.is_empty()).map(|filter| &filter.what) {
        let Condition::Test(field, Operation::Binary { operator: Operator::Eq, quantifier: None, .. }) = condition
        else {
            return Err(PlanError::ReplaceFilters);
        };
        match table.find_column(&field.name) {
            Some(column) if field.path.is_empty() && table.primary_key.contains(&column.id) => named.push(column.id),
            _ => return Err(PlanError::ReplaceFilters),
        }
    }
    let is_whole = !named.is_empty() && table.primary_key.iter().all(|column| named.contains(column));
    if is_whole { Ok(()) } else { Err(PlanError::ReplaceFilters) }
}

/// Refuses a body that is not the one row that `filter`, planned from filters that were checked, picks.
pub(super) fn check_body(filter: &Filter, rows: &Rows<'_>) -> Result<(), PlanError> {
    let columns = rows.columns();
    let [row] = rows.given() else { return Err(PlanError::ReplaceKey) };
    let is_equal = |test: &Filter| {
        let Filter::Test { expr, test: Test::Compare(Comparison::Eq, wanted) } = test else { return false };
        let place = columns.iter().position(|column| column.id == expr.column);
        let given = place.and_then(|place| row[place].as_ref());
        given.is_some_and(|given: &Value| given.compare(wanted) == Some(Ordering::Equal))
    };
    let is_same = match filter {
        Filter::And(tests) => tests.iter().all(is_equal),
        test => is_equal(test),
    };
    if is_same { Ok(()) } else { Err(PlanError::ReplaceKey) }
}
