use mainstay_schema::{ColumnId, Type};

use super::*;
use crate::plan::PathStep;

/// One child row for each value: enough to show that the inner filter sees the children.
struct Children(Vec<Value>);

impl Related for Children {
    fn any(
        &self,
        join: &Join,
        row: &[Value],
        _: TableId,
        test: &mut dyn FnMut(&[Value]) -> Result<bool, ValueError>,
    ) -> Result<bool, ValueError> {
        let Join::Direct(pairs) = join else { return Ok(false) };
        for child in &self.0 {
            let child = [child.clone()];
            if linked(pairs, row, &child) && test(&child)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn test_of(test: Test) -> Filter {
    Filter::Test { expr: Expr::column(ColumnId(0)), test }
}

fn eq(value: i64) -> Filter {
    test_of(Test::Compare(Comparison::Eq, Value::Int(value)))
}

fn check(value: Value, condition: &Filter, expected: Option<bool>) {
    let result = filter(&Children(vec![]), std::slice::from_ref(&value), condition);
    assert_eq!(result, Ok(expected), "{value:?} {condition:?}");
}

fn not(part: Filter) -> Filter {
    Filter::Not(Box::new(part))
}

#[test]
fn null_is_unknown_and_stays_so_under_not() {
    let tests = [
        Test::Compare(Comparison::Neq, Value::Int(1)),
        Test::In(vec![Value::Int(1)]),
        Test::Like { pattern: "%".into(), case_sensitive: true },
        Test::Contains(Value::Array(vec![])),
    ];
    for test in tests {
        check(Value::Null, &test_of(test.clone()), None);
        check(Value::Null, &not(test_of(test)), None);
    }
}

#[test]
fn tests_that_are_never_unknown() {
    for (value, test, expected) in [
        (Value::Null, Test::IsNull, true),
        (Value::Int(1), Test::IsNull, false),
        (Value::Null, Test::IsDistinct(Value::Int(1)), true),
        (Value::Int(1), Test::IsDistinct(Value::Int(1)), false),
        (Value::Int(2), Test::IsDistinct(Value::Int(1)), true),
        (Value::Null, Test::IsBool(true), false),
        (Value::Bool(false), Test::IsBool(false), true),
        (Value::Null, Test::In(vec![]), false),
        (Value::Int(1), Test::In(vec![]), false),
    ] {
        check(value, &test_of(test), Some(expected));
    }
}

#[test]
fn comparisons() {
    use Comparison::{Eq, Gt, Gte, Lt, Lte, Neq};
    for (comparison, outcomes) in [
        (Eq, [false, true, false]),
        (Neq, [true, false, true]),
        (Lt, [true, false, false]),
        (Lte, [true, true, false]),
        (Gt, [false, false, true]),
        (Gte, [false, true, true]),
    ] {
        for (value, expected) in [1, 2, 3].into_iter().zip(outcomes) {
            check(Value::Int(value), &test_of(Test::Compare(comparison, Value::Int(2))), Some(expected));
        }
    }
}

#[test]
fn logic_has_three_values() {
    let unknown = || test_of(Test::Compare(Comparison::Eq, Value::Text(String::new())));
    for (parts, all, any) in [
        (vec![eq(1), unknown()], None, Some(true)),
        (vec![unknown(), eq(2)], Some(false), None),
        (vec![unknown()], None, None),
        (vec![], Some(true), Some(false)),
        (vec![eq(1), eq(2)], Some(false), Some(true)),
    ] {
        check(Value::Int(1), &Filter::And(parts.clone()), all);
        check(Value::Int(1), &Filter::Or(parts), any);
    }
}

#[test]
fn exists_is_never_unknown_and_null_links_nothing() {
    let exists = |inner| Filter::Exists {
        join: Join::Direct(vec![Pair { here: ColumnId(0), there: ColumnId(0) }]),
        table: TableId(1),
        filter: Box::new(inner),
        skip: 0,
    };
    let rows = Children(vec![Value::Int(1), Value::Null]);
    for (value, inner, expected) in [
        (Value::Int(1), Filter::True, true),
        (Value::Int(1), eq(2), false),
        (Value::Int(2), Filter::True, false),
        (Value::Null, Filter::True, false),
    ] {
        assert_eq!(filter(&rows, std::slice::from_ref(&value), &exists(inner)), Ok(Some(expected)), "{value:?}");
    }
    assert_eq!(filter(&rows, &[Value::Null], &not(exists(Filter::True))), Ok(Some(true)));
}

#[test]
fn paths_go_into_any_column() {
    let at = |as_text, cast| Expr { column: ColumnId(0), path: vec![PathStep::Index(-1)], as_text, cast };
    let json = Value::parse(&Type::Json, r#"[1,"7"]"#).unwrap();
    assert_eq!(expr(std::slice::from_ref(&json), &at(true, None)), Ok(Value::Text("7".into())));
    assert_eq!(expr(std::slice::from_ref(&json), &at(true, Some(Type::Int))), Ok(Value::Int(7)));
    assert_eq!(expr(&[json], &at(false, None)), Ok(Value::Json(Json::string("7"))));
    let array = Value::Array(vec![Value::Int(1), Value::Int(2)]);
    assert_eq!(expr(&[array], &at(true, None)), Ok(Value::Text("2".into())));
    assert_eq!(expr(&[Value::Int(5)], &at(true, None)), Ok(Value::Null));
    assert_eq!(expr(&[Value::Null], &at(false, None)), Ok(Value::Null));
    assert!(expr(&[Value::Array(vec![Value::Text("x".into())])], &at(true, Some(Type::Int))).is_err());
}
