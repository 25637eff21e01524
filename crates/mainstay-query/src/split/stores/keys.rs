//! Reads of far rows by their keys, and of the keys that pass a filter.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use mainstay_schema::{Column, ColumnId, Schema, Table, TableId, Type, Value, link};

use crate::plan::{Aggregate, Comparison, Expr, Filter, Function, Groups, Output, Read, Source, Test, grouped};

/// How many [`beginnings`] keys of several columns may have in one filter: each is a test of its own, for which an engine
/// may read all rows.
pub const BEGINNINGS_MAX: usize = 1000;

/// Whether the columns have one of these keys: unknown where one of them is null, as for every test of a value.
pub fn any_of(columns: &[ColumnId], keys: &[Vec<Value>]) -> Filter {
    if keys.is_empty() {
        return Filter::False;
    }
    let Grouped { end, groups } = grouped_keys(keys);
    let equal = |value: &Value| Test::Compare(Comparison::Eq, value.clone());
    let with = |ends: Vec<&Vec<Value>>| {
        let test = |(at, column): (usize, &ColumnId)| {
            let test = match ends.as_slice() {
                [one] if columns.len() > 1 => equal(&one[at]),
                ends if at == end => Test::In(ends.iter().map(|key| key[at].clone()).collect()),
                ends => equal(&ends[0][at]),
            };
            Filter::Test { expr: Expr::column(*column), test }
        };
        Filter::all(columns.iter().enumerate().map(test))
    };
    let mut tests: Vec<Filter> = groups.into_iter().map(with).collect();
    if tests.len() == 1 { tests.remove(0) } else { one_of(tests) }
}

/// How many tests these keys are, of which each names values of one column: that which tells most of them apart.
pub fn beginnings(keys: &[Vec<Value>]) -> usize {
    grouped_keys(keys).groups.len()
}

/// Keys in groups that differ in one column only.
struct Grouped<'k> {
    /// The place of that column.
    end: usize,
    groups: Vec<Vec<&'k Vec<Value>>>,
}

fn grouped_keys(keys: &[Vec<Value>]) -> Grouped<'_> {
    let width = keys.first().map_or(0, Vec::len);
    let count = |at: &usize| keys.iter().map(|key| link::key(&key[*at])).collect::<HashSet<_>>().len();
    let end = if width > 1 { (0..width).max_by_key(count).unwrap_or_default() } else { 0 };
    let mut places: HashMap<Vec<Option<String>>, usize> = HashMap::new();
    let mut groups: Vec<Vec<&Vec<Value>>> = Vec::new();
    for key in keys {
        let others = key.iter().enumerate().filter(|(at, _)| *at != end).map(|(_, value)| link::key(value));
        let place = *places.entry(others.collect()).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(key);
    }
    Grouped { end, groups }
}

/// One of any number of tests, in a tree that is not deep: engines count each `or` of a list as a level of its own.
fn one_of(mut parts: Vec<Filter>) -> Filter {
    const WIDTH: usize = 32;
    while parts.len() > WIDTH {
        let mut left = parts.into_iter();
        parts = Vec::new();
        loop {
            let branch: Vec<Filter> = left.by_ref().take(WIDTH).collect();
            if branch.is_empty() {
                break;
            }
            parts.push(Filter::Or(branch));
        }
    }
    Filter::Or(parts)
}

/// Whether the columns have one of these keys; never unknown, as whether a related row exists is not.
pub fn found(columns: &[ColumnId], keys: &[Vec<Value>]) -> Filter {
    if keys.is_empty() {
        return Filter::False;
    }
    Filter::all(are_there(columns).chain([any_of(columns, keys)]))
}

/// The same of keys of which only the `asked` ones are known to be among them or not: unknown for any other.
pub fn found_of(columns: &[ColumnId], asked: &[Vec<Value>], keys: &[Vec<Value>]) -> Filter {
    let is_other = Filter::Not(Box::new(found(columns, asked)));
    let other = Filter::all(are_there(columns).chain([is_other, Filter::Unknown]));
    Filter::Or(vec![found(columns, keys), other])
}

fn are_there(columns: &[ColumnId]) -> impl Iterator<Item = Filter> {
    columns.iter().map(|column| {
        let test = Filter::Test { expr: Expr::column(*column), test: Test::IsNull };
        Filter::Not(Box::new(test))
    })
}

/// The rows of a read that have one of these keys, without its page, which is that of each parent, and with the columns of
/// the key at the end. Groups are made for each key.
pub fn keyed(schema: &Schema, read: &Read, columns: &[ColumnId], keys: &[Vec<Value>]) -> Read {
    let table = schema.table(read.table);
    let mut keyed = Read { limit: None, offset: 0, ..read.clone() };
    keyed.filter = Filter::all([any_of(columns, keys), keyed.filter]);
    keyed.select.extend(columns.iter().map(|column| value(table, *column)));
    if let Some(groups) = &mut keyed.groups {
        add_columns(groups, table, columns);
    }
    keyed
}

/// The keys are the last members, so they are the last values of a group.
fn add_columns(groups: &mut Groups, table: &Table, columns: &[ColumnId]) {
    for column in columns {
        let place = groups.table.columns.len();
        let name: Arc<str> = format!("key {place}").into();
        // A table has fewer columns than an id can count, and so have groups of its columns.
        let id = ColumnId(u32::try_from(place).unwrap_or(u32::MAX));
        groups.table.columns.push(Column::new(id, name, table.column(*column).ty.clone()));
    }
}

/// The keys of the rows that pass a filter, each once, with the number of its rows at the end. Null is a key, too.
pub fn counted(schema: &Schema, table: TableId, columns: &[ColumnId], filter: Filter) -> Read {
    let of = schema.table(table);
    let mut select: Vec<Output> = columns.iter().map(|column| value(of, *column)).collect();
    let count = Aggregate { function: Function::Count, input: None, cast: None };
    select.push(Output { name: "count".into(), source: Source::Aggregate(count) });
    let read = Read { select, filter, ..Read::new(table) };
    grouped(schema, read).expect("columns and a count are no lists")
}

fn value(table: &Table, column: ColumnId) -> Output {
    Output { name: table.column(column).name.clone(), source: Source::Value(Expr::column(column)) }
}

/// A key of these columns, for whoever shows a read whose keys are not known yet.
pub fn samples(schema: &Schema, table: TableId, columns: &[ColumnId]) -> Vec<Value> {
    columns.iter().map(|column| sample(&schema.table(table).column(*column).ty)).collect()
}

fn sample(ty: &Type) -> Value {
    let text = match ty {
        Type::Bool => "false",
        Type::Text | Type::Json | Type::Array(_) => return Value::Text(String::new()),
        Type::Int | Type::BigInt | Type::Float | Type::Decimal { .. } => "0",
        Type::Uuid => "00000000-0000-0000-0000-000000000000",
        Type::Bytes => "\\x",
        Type::Date => "2000-01-01",
        Type::Time => "00:00:00",
        Type::Timestamp => "2000-01-01T00:00:00+00:00",
    };
    Value::parse(ty, text).expect("a value of each type is written above")
}
