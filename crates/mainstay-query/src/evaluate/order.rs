//! The order of rows.

use std::cmp::Ordering;

use mainstay_schema::Value;

use crate::plan::Order;

/// Compares two rows by the values of their order terms, given in the order of `terms`.
///
/// Nulls go where a term says, whichever way it sorts; values that have no order are equal.
pub fn compare_rows(terms: &[Order], left: &[Value], right: &[Value]) -> Ordering {
    let compare = |((term, left), right): ((&Order, &Value), &Value)| match (left.is_null(), right.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) if term.nulls_first => Ordering::Less,
        (true, false) => Ordering::Greater,
        (false, true) if term.nulls_first => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => {
            let order = left.compare(right).unwrap_or(Ordering::Equal);
            if term.descending { order.reverse() } else { order }
        }
    };
    terms.iter().zip(left).zip(right).map(compare).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// Whether a row comes after a place in an order; both are given by the values of the order's terms.
pub fn is_after(terms: &[Order], row: &[Value], place: &[Value]) -> bool {
    compare_rows(terms, row, place).is_gt()
}

#[cfg(test)]
mod tests {
    use mainstay_schema::ColumnId;

    use super::*;
    use crate::plan::Expr;

    #[test]
    fn nulls_go_where_the_term_says() {
        for (descending, nulls_first, expected) in [
            (false, false, [Some(1), Some(2), None]),
            (false, true, [None, Some(1), Some(2)]),
            (true, false, [Some(2), Some(1), None]),
            (true, true, [None, Some(2), Some(1)]),
        ] {
            let term = Order { via: None, expr: Expr::column(ColumnId(0)), descending, nulls_first };
            let mut rows = [Some(2), None, Some(1)];
            let key = |value: &Option<i64>| [value.map_or(Value::Null, Value::Int)];
            rows.sort_by(|a, b| compare_rows(std::slice::from_ref(&term), &key(a), &key(b)));
            assert_eq!(rows, expected, "descending {descending}, nulls first {nulls_first}");
        }
    }
}
