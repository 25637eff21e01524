//! `price=gt(col).cost`: tests of one value of a row against another.

use mainstay_schema::{Table, Type};

use super::operand::word;
use super::{ColumnTest, Comparison, Expr, Filter, resolve};
use crate::error::PlanError;
use crate::request::{Field, Operator};

/// The test of `left` against the column that `field` names.
///
/// # Errors
/// [`PlanError::UnknownColumn`]; [`PlanError::Incomparable`] if the two are of types without an order among them.
pub(super) fn plan(table: &Table, mut left: Expr, operator: Operator, field: &Field) -> Result<Filter, PlanError> {
    let mut right = resolve::expr(table, field)?;
    let (from, to) = (left.base_type(table), right.base_type(table));
    let test = test(operator);
    let wanted = match test {
        Some(ColumnTest::Like { .. }) if from != Type::Text || to != Type::Text => None,
        Some(_) => casts(&from, &to),
        None => None,
    };
    let (Some(test), Some((left_cast, right_cast))) = (test, wanted) else {
        return Err(PlanError::Incomparable {
            left: from.wire_name(),
            operator: word(operator),
            right: to.wire_name(),
        });
    };
    (left.cast, right.cast) = (left_cast, right_cast);
    Ok(Filter::Columns { left, test, right })
}

fn test(operator: Operator) -> Option<ColumnTest> {
    Some(match operator {
        Operator::Eq => ColumnTest::Compare(Comparison::Eq),
        Operator::Neq => ColumnTest::Compare(Comparison::Neq),
        Operator::Gt => ColumnTest::Compare(Comparison::Gt),
        Operator::Gte => ColumnTest::Compare(Comparison::Gte),
        Operator::Lt => ColumnTest::Compare(Comparison::Lt),
        Operator::Lte => ColumnTest::Compare(Comparison::Lte),
        Operator::IsDistinct => ColumnTest::IsDistinct,
        Operator::Like => ColumnTest::Like { case_sensitive: true },
        Operator::Ilike => ColumnTest::Like { case_sensitive: false },
        _ => return None,
    })
}

/// What each side is converted to so that the two can be compared, as PostgreSQL converts them; `None` if nothing does
/// that. Numbers compare exactly unless one of them is a float.
fn casts(left: &Type, right: &Type) -> Option<(Option<Type>, Option<Type>)> {
    let whole = || Some(Type::Decimal { precision: 38, scale: 0 });
    match (left, right) {
        (left, right) if is_ordered_alike(left, right) => Some((None, None)),
        (Type::Array(left), Type::Array(right)) if is_ordered_alike(left, right) => Some((None, None)),
        (Type::Int | Type::BigInt, Type::Decimal { .. }) => Some((whole(), None)),
        (Type::Decimal { .. }, Type::Int | Type::BigInt) => Some((None, whole())),
        (Type::Float, Type::Int | Type::BigInt | Type::Decimal { .. }) => Some((None, Some(Type::Float))),
        (Type::Int | Type::BigInt | Type::Decimal { .. }, Type::Float) => Some((Some(Type::Float), None)),
        (Type::Date, Type::Timestamp) => Some((Some(Type::Timestamp), None)),
        (Type::Timestamp, Type::Date) => Some((None, Some(Type::Timestamp))),
        _ => None,
    }
}

/// Whether values of the two types are kept so that they compare as they are.
fn is_ordered_alike(left: &Type, right: &Type) -> bool {
    left == right
        || matches!(
            (left, right),
            (Type::Int, Type::BigInt) | (Type::BigInt, Type::Int) | (Type::Decimal { .. }, Type::Decimal { .. })
        )
}
