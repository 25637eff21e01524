use mainstay_schema::load::{SourceFile, StorePart, load_stores};
use mainstay_schema::{ColumnId, Value};

use super::*;
use crate::authorize::{self, Actor};
use crate::limits::Limits;
use crate::parse::{self, Purpose};
use crate::plan::{self, Comparison, Expr, Filter, Test};
use crate::request::ReadRequest;

fn schema() -> Schema {
    let text = r#"
[customers.fields]
id   = { type = "int", primary = true }
name = "text"
[orders]
store = "sales"
[orders.fields]
id       = { type = "int", primary = true }
customer = { ref = "customers" }
payer    = { ref = "customers", optional = true }
[lines]
store = "sales"
[lines.fields]
id       = { type = "int", primary = true }
order_id = { ref = "orders" }
"#;
    let file = SourceFile { path: "schema/a.toml".into(), text: text.to_owned() };
    let part = |name| StorePart { name, found: None };
    load_stores(&[file], &[part(None), part(Some("sales"))]).unwrap_or_else(|mistakes| panic!("{}", mistakes[0]))
}

fn plan(schema: &Schema, target: &str) -> Result<Read, crate::PlanError> {
    let (table, query) = target.split_once('?').unwrap_or((target, ""));
    let limits = Limits { aggregates: true, ..Limits::default() };
    let query = parse::query(Purpose::Read, query, &limits).unwrap();
    plan::read(schema, &limits, &ReadRequest { table: table.to_owned(), query, ..ReadRequest::default() })
}

fn planned(schema: &Schema, target: &str) -> Read {
    plan(schema, target).unwrap()
}

#[test]
fn plans_tell_their_stores_by_whatever_part() {
    let schema = schema();
    for (target, expected) in [
        ("customers", &["main"][..]),
        ("lines?select=id,orders(id)", &["sales"]),
        ("orders?select=id,customers!customer(name)", &["sales", "main"]),
        ("lines?select=id,orders!inner(customers!customer!inner())", &["sales", "main"]),
        ("customers?select=name,orders!customer()&orders=is.null", &["main", "sales"]),
    ] {
        let plan = planned(&schema, target);
        assert_eq!(of_read(&schema, &plan), expected, "{target}");
        assert_eq!(only_of_read(&schema, &plan), if expected.len() == 1 { Some(expected[0]) } else { None });
        assert_eq!(several_of_read(&schema, &plan).is_some(), expected.len() > 1, "{target}");
    }
}

/// Far references make relations like near ones: with hints, columns and choices.
#[test]
fn relations_follow_far_references() {
    let schema = schema();
    let error = plan(&schema, "orders?select=id,customers(name)").unwrap_err().to_string();
    assert!(error.contains("more than one relationship"), "{error}");
    assert!(plan(&schema, "orders?select=id,payer(name)").is_ok());
    assert!(plan(&schema, "customers?select=name,orders!orders_payer_fkey(id)").is_ok());
    assert!(plan(&schema, "customers?select=name,lines(id)").is_err());
}

#[test]
fn what_is_far_leaves_its_keys_behind() {
    let schema = schema();
    let mut read =
        planned(&schema, "orders?select=id,payer(name),lines(id),customers!customer(name)&order=payer(name).desc");
    let level = level(&schema, "sales", &mut read).unwrap();
    let names: Vec<&str> = read.select.iter().map(|output| &*output.name).collect();
    // Once for each column, whoever asks for it.
    assert_eq!(names, ["id", "lines", "payer", "customer"]);
    assert_eq!(level.pieces, [Piece::Given(0), Piece::Far(0), Piece::Given(1), Piece::Far(1)]);
    assert_eq!(level.far.iter().map(|far| far.keys[0]).collect::<Vec<_>>(), [(ColumnId(2), 2), (ColumnId(1), 3)]);
    let sort = level.sort.unwrap();
    assert_eq!(sort.places, [Place::Far(0), Place::Given(0)]);
    assert!(read.order.is_empty() && read.limit.is_none() && sort.limit == Some(1000));
}

#[test]
fn groups_are_of_one_store() {
    let schema = schema();
    let told = |target: &str| check(&schema, &planned(&schema, target)).map_err(|error| error.0);
    assert_eq!(told("customers?select=name,orders!customer(count)"), Ok(()));
    let error = told("orders?select=count,payer(name)").unwrap_err();
    assert!(error.contains("\"orders\" in the store sales") && error.contains("\"customers\""), "{error}");
    let error = told("customers?select=name,orders!customer(id.count(),payer(name))").unwrap_err();
    assert!(error.contains("\"orders\" in the store sales"), "{error}");
}

#[test]
fn a_far_filter_becomes_a_test_that_is_never_unknown() {
    let columns = [ColumnId(1)];
    assert_eq!(found(&columns, &[]), Filter::False);
    let test = format!("{:?}", found(&columns, &[vec![Value::Int(1)]]));
    assert!(test.starts_with("And([Not(Test") && test.contains("IsNull") && test.contains("In([Int(1)])"), "{test}");
    assert_eq!(any_of(&columns, &[]), Filter::False);
    let schema = schema();
    let table = schema.find("orders").unwrap().id;
    let read = planned(&schema, "orders?select=id,payer!inner()&id=eq.1");
    let local = local(&schema, table, &read.filter).unwrap();
    assert!(!takes_apart(&schema, "sales", &local) && takes_apart(&schema, "sales", &read.filter));
    let mut seen = Vec::new();
    each_far(&schema, "sales", &mut read.clone(), &mut |far| {
        seen.push((far.is_narrow_here(&schema), far.skip));
        None
    });
    assert_eq!(seen, [(true, 0)], "a key makes the near rows few");
}

/// Keys of several columns are few tests, so that an engine need not look at all rows for each of them.
#[test]
fn keys_are_told_apart_by_one_column() {
    let key = |a: i64, b: i64| vec![Value::Int(a), Value::Int(b)];
    let columns = [ColumnId(1), ColumnId(2)];
    let equal = |column: usize, value: i64| Filter::Test {
        expr: Expr::column(columns[column]),
        test: Test::Compare(Comparison::Eq, Value::Int(value)),
    };
    let one_of = |column: usize, values: &[i64]| Filter::Test {
        expr: Expr::column(columns[column]),
        test: Test::In(values.iter().copied().map(Value::Int).collect()),
    };
    // By whichever of them does so for most.
    for (keys, expected) in [
        (vec![key(1, 1)], Filter::And(vec![equal(0, 1), equal(1, 1)])),
        (vec![key(1, 1), key(1, 2), key(1, 3)], Filter::And(vec![equal(0, 1), one_of(1, &[1, 2, 3])])),
        (vec![key(1, 7), key(2, 7), key(3, 7)], Filter::And(vec![one_of(0, &[1, 2, 3]), equal(1, 7)])),
        (
            vec![key(1, 1), key(2, 5), key(1, 2)],
            Filter::Or(vec![
                Filter::And(vec![equal(0, 1), one_of(1, &[1, 2])]),
                Filter::And(vec![equal(0, 2), equal(1, 5)]),
            ]),
        ),
    ] {
        assert_eq!(any_of(&columns, &keys), expected);
    }
    assert_eq!(any_of(&columns[..1], &[vec![Value::Int(1)]]), one_of(0, &[1]));
    assert_eq!(beginnings(&[key(1, 1), key(1, 2), key(2, 2)]), 2);
    let apart: Vec<Vec<Value>> = (0..50).map(|number| key(number, number)).collect();
    assert_eq!(beginnings(&apart), 50);
}

/// Nobody gets by a part what the whole was not let through to.
#[test]
fn parts_touch_no_table_that_the_whole_does_not() {
    let schema = schema();
    let whole = planned(&schema, "orders?select=id,payer(name)");
    let whole = authorize::read(&schema, &Actor::System, whole).unwrap();
    let granted = Granted::by_read(&whole);
    assert!(part(&granted, planned(&schema, "customers?select=name")).is_ok());
    for other in ["lines", "orders?select=id,lines(id)", "orders?select=id,lines!inner()"] {
        assert_eq!(part(&granted, planned(&schema, other)), Err(Widened), "{other}");
    }
    let call =
        plan::FunctionCall { function: mainstay_schema::FunctionId(0), arguments: Vec::new(), left_out: Vec::new() };
    let called = Read { call: Some(Box::new(call)), ..planned(&schema, "customers") };
    assert_eq!(part(&granted, called), Err(Widened));
}
