//! Aggregates, and the groups that they make.

use super::embed;
use super::select::{converted, operand};
use super::statement::Sql;
use crate::plan::read::{Aggregated, Level, Member, Operand};

/// An aggregate of a value; without one, of rows.
pub(super) fn of(aggregated: &Aggregated, input: Option<Sql>) -> Sql {
    let mut sql = Sql::of(aggregated.word);
    sql.push("(");
    match input {
        Some(input) => sql.append(input),
        None => sql.push("*"),
    };
    sql.push(")");
    converted(sql, aggregated.cast.as_deref())
}

/// Groups by everything that is selected and not made of many rows; nothing where no member is.
pub(super) fn group_by(level: &Level) -> Sql {
    let mut sql = Sql::new();
    if !level.is_grouped() {
        return sql;
    }
    let field = |member: &Member| match member {
        // By the value itself: the form in which it is shown may have no equality.
        Member::Field { operand: by, .. } => Some(operand(&Operand { shown_by: None, ..by.clone() }, &level.qualifier)),
        Member::Star | Member::Aggregate { .. } | Member::One => None,
    };
    let mut terms: Vec<Sql> = level.members.iter().filter_map(field).collect();
    terms.extend(level.embeds.iter().flat_map(embed::grouped));
    if !terms.is_empty() {
        sql.push(" GROUP BY ").join(", ", terms);
    }
    sql
}
