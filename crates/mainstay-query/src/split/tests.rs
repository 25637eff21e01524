use mainstay_schema::model::{Checks, Texts};
use mainstay_schema::{Access, Column, Table, TableKind, Type};

use super::*;
use crate::authorize::{self, Actor};
use crate::plan::{Comparison, Pair, RangeTest, Test};

fn schema() -> Schema {
    let column = |id, name: &str| Column {
        id: ColumnId(id),
        name: name.into(),
        was: None,
        ty: Type::Int,
        texts: Texts::default(),
        optional: true,
        default: None,
        touched: false,
        checks: Checks::default(),
        description: None,
    };
    Schema::new(vec![Table {
        id: TableId(0),
        name: "t".into(),
        was: None,
        store: None,
        kind: TableKind::Table,
        description: None,
        columns: vec![column(0, "id"), column(1, "a"), column(2, "b")],
        primary_key: vec![ColumnId(0)],
        uniques: vec![],
        references: vec![],
        far_references: Vec::new(),
        indexes: vec![],
        fulltexts: vec![],
        access: Access::default(),
        internal: false,
    }])
}

fn test(column: u32, test: Test) -> Filter {
    Filter::Test { expr: Expr::column(ColumnId(column)), test }
}

fn eq(column: u32) -> Filter {
    test(column, Test::Compare(Comparison::Eq, Value::Int(1)))
}

fn gt(column: u32) -> Filter {
    test(column, Test::Compare(Comparison::Gt, Value::Int(1)))
}

fn is_null(column: u32) -> Filter {
    test(column, Test::IsNull)
}

fn related() -> Filter {
    let join = Join::Direct(vec![Pair { here: ColumnId(0), there: ColumnId(1) }]);
    Filter::Exists { join, table: TableId(0), filter: Box::new(Filter::True), skip: 0 }
}

/// `eq` exactly, `gt` roughly, nothing else.
fn support(_: TableId, filter: &Filter) -> Support {
    match filter {
        Filter::Test { test: Test::Compare(Comparison::Eq, _), .. } => Support::Exact,
        Filter::Test { test: Test::Compare(Comparison::Gt, _), .. } => Support::Superset,
        _ => Support::Unsupported,
    }
}

fn plan(filter: Filter) -> Read {
    let select = vec![Output { name: "id".into(), source: Source::Value(Expr::column(ColumnId(0))) }];
    let table = TableId(0);
    Read { select, filter, limit: Some(5), offset: 2, count: Count::Exact, ..Read::new(table) }
}

fn split_of(filter: Filter) -> Result<(Read, Option<Residual>), Refused> {
    let schema = schema();
    let plan = authorize::read(&schema, &Actor::System, plan(filter)).unwrap();
    read(&schema, plan, 100, support).map(|(pushed, residual)| ((*pushed).clone(), residual))
}

#[test]
fn what_is_exact_goes_to_the_store_as_it_is() {
    for filter in [Filter::True, eq(1), Filter::And(vec![eq(1), eq(2)])] {
        assert_eq!(split_of(filter.clone()), Ok((plan(filter), None)));
    }
}

#[test]
fn what_is_left_keeps_the_page_and_the_count() {
    let (pushed, residual) = split_of(Filter::And(vec![eq(0), gt(1), is_null(2)])).unwrap();
    let residual = residual.unwrap();
    assert_eq!(pushed.filter, Filter::And(vec![eq(0), gt(1)]));
    assert_eq!((pushed.limit, pushed.offset, pushed.count), (Some(101), 0, Count::None));
    let names: Vec<&str> = pushed.select.iter().map(|output| &*output.name).collect();
    assert_eq!(names, ["id", "a", "b"]);
    assert_eq!((residual.members, residual.columns.as_slice()), (1, [ColumnId(1), ColumnId(2)].as_slice()));
    assert_eq!((residual.limit, residual.offset, residual.count), (Some(5), 2, Count::Exact));
    for (values, expected) in [
        ([Value::Int(2), Value::Null], true),
        ([Value::Int(1), Value::Null], false),
        ([Value::Null, Value::Null], false),
        ([Value::Int(2), Value::Int(0)], false),
    ] {
        assert_eq!(residual.passes(&values), Ok(expected), "{values:?}");
    }
}

#[test]
fn a_tree_is_split_only_where_all_must_hold() {
    let (pushed, residual) = split_of(Filter::Or(vec![eq(0), is_null(1)])).unwrap();
    assert_eq!(pushed.filter, Filter::True);
    assert!(residual.is_some());
}

#[test]
fn ranges_are_refused_unless_the_store_compares_them() {
    let range = test(1, Test::Range(RangeTest::Adjacent, Value::Text("[1,2)".to_owned())));
    for filter in [range.clone(), Filter::And(vec![eq(0), Filter::Not(Box::new(range))])] {
        let refused = split_of(filter).unwrap_err();
        assert_eq!(refused.to_string(), "cannot filter rows of \"t\" by how their ranges lie");
    }
}

#[test]
fn links_are_refused_unless_the_store_follows_them() {
    let refused = split_of(Filter::And(vec![eq(0), related()])).unwrap_err();
    assert_eq!(refused.to_string(), "cannot filter rows of \"t\" by rows related to them");
    let schema = schema();
    let plan = authorize::read(&schema, &Actor::System, plan(related())).unwrap();
    assert!(read(&schema, plan, 100, |_, _| Support::Exact).is_ok_and(|(_, residual)| residual.is_none()));
}

#[test]
fn a_write_leaves_nothing() {
    let delete = |filter| {
        let delete = crate::plan::Delete { table: TableId(0), filter, returning: None, expect: Default::default() };
        write(&schema(), &Write::Delete(delete), support)
    };
    assert!(delete(eq(0)).is_ok());
    assert!(delete(gt(0)).is_err());
    assert!(delete(Filter::And(vec![eq(0), is_null(1)])).is_err());
}
