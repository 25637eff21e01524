//! For tests: rows as plain data, fed to sinks in the way of a store.

use mainstay_query::plan::{Member, MemberKind, Shape};
use mainstay_schema::Type;
use mainstay_store::{Cell, RowSink};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// One member of a row.
#[derive(Debug, Clone)]
pub(super) enum Field<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Text(&'a str),
    One(Option<Vec<Field<'a>>>),
    Many(Vec<Vec<Field<'a>>>),
}

fn value(name: &str, ty: Type) -> Member {
    Member { name: name.into(), kind: MemberKind::Value(ty) }
}

pub(super) fn flat_shape() -> Shape {
    Shape { members: vec![value("id", Type::Int)] }
}

pub(super) fn text_shape() -> Shape {
    Shape { members: vec![value("t", Type::Text)] }
}

/// `id, n, one{t}, many[t]`
pub(super) fn nested_shape() -> Shape {
    let one = Member { name: "one".into(), kind: MemberKind::One(text_shape()) };
    let many = Member { name: "many".into(), kind: MemberKind::Many(text_shape()) };
    Shape { members: vec![value("id", Type::Int), value("n", Type::Text), one, many] }
}

pub(super) fn feed(sink: &mut dyn RowSink, rows: &[Vec<Field<'_>>]) {
    for row in rows {
        sink.start_row();
        for field in row {
            match field {
                Field::Null | Field::One(None) => sink.cell(Cell::Null),
                Field::Bool(value) => sink.cell(Cell::Bool(*value)),
                Field::Int(value) => sink.cell(Cell::Int(*value)),
                Field::Text(value) => sink.cell(Cell::Text(value)),
                Field::One(Some(row)) => feed(sink, std::slice::from_ref(row)),
                Field::Many(rows) => {
                    sink.start_list();
                    feed(sink, rows);
                    sink.end_list();
                }
            }
        }
        sink.end_row();
    }
}

/// Values whose JSON is known, for generated rows: an array of rows, each an array of members.
pub(super) fn feed_values(sink: &mut dyn RowSink, rows: &[Value]) {
    for row in rows {
        sink.start_row();
        for member in row.as_array().unwrap() {
            match member {
                Value::Null => sink.cell(Cell::Null),
                Value::Bool(value) => sink.cell(Cell::Bool(*value)),
                Value::Number(value) => sink.cell(Cell::Int(value.as_i64().unwrap())),
                Value::String(value) => sink.cell(Cell::Text(value)),
                Value::Array(_) => feed_values(sink, std::slice::from_ref(member)),
                Value::Object(list) => {
                    sink.start_list();
                    feed_values(sink, list["rows"].as_array().unwrap());
                    sink.end_list();
                }
            }
        }
        sink.end_row();
    }
}

/// The JSON that generated rows stand for.
pub(super) fn to_json(shape: &Shape, rows: &[Value]) -> Value {
    let object = |row: &Value| {
        let members = shape.members.iter().zip(row.as_array().unwrap()).map(|(member, value)| {
            let value = match (&member.kind, value) {
                (MemberKind::One(shape), row @ Value::Array(_)) => to_json(shape, std::slice::from_ref(row))[0].take(),
                (MemberKind::Many(shape), list) => to_json(shape, list["rows"].as_array().unwrap()),
                (_, value) => value.clone(),
            };
            (member.name.to_string(), value)
        });
        Value::Object(members.collect::<Map<_, _>>())
    };
    rows.iter().map(object).collect()
}

/// A shape, and rows that fit it.
pub(super) fn shape_and_rows() -> impl Strategy<Value = (Shape, Vec<Value>)> {
    shape(3).prop_flat_map(|shape| {
        let rows = prop::collection::vec(row(&shape), 0..4);
        (Just(shape), rows)
    })
}

fn shape(depth: u32) -> BoxedStrategy<Shape> {
    let kind = if depth == 0 {
        Just(MemberKind::Value(Type::Text)).boxed()
    } else {
        prop_oneof![
            3 => Just(MemberKind::Value(Type::Text)),
            1 => shape(depth - 1).prop_map(MemberKind::One),
            1 => shape(depth - 1).prop_map(MemberKind::Many),
        ]
        .boxed()
    };
    prop::collection::vec((any::<char>(), kind), 0..4)
        .prop_map(|members| {
            let named = members.into_iter().enumerate();
            let members = named.map(|(at, (c, kind))| Member { name: format!("{c}{at}").into(), kind });
            Shape { members: members.collect() }
        })
        .boxed()
}

fn row(shape: &Shape) -> BoxedStrategy<Value> {
    let members: Vec<BoxedStrategy<Value>> = shape
        .members
        .iter()
        .map(|member| match &member.kind {
            MemberKind::Value(_) => scalar().boxed(),
            MemberKind::One(shape) => prop_oneof![Just(Value::Null), row(shape)].boxed(),
            MemberKind::Many(shape) => {
                prop::collection::vec(row(shape), 0..3).prop_map(|rows| json!({ "rows": rows })).boxed()
            }
        })
        .collect();
    members.prop_map(Value::Array).boxed()
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "(?s).{0,12}".prop_map(Value::from),
    ]
}
