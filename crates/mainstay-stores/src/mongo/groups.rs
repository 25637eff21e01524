//! Aggregates and groups in stages, where the server's come out the same; and their way into the sink.
//!
//! A group is a document with one field for each member, by its place. Sums are made of numbers that cannot lose a digit;
//! a mean is the sum and the number of values, and divided here.

use bson::{Bson, Document, RawBsonRef, RawDocument, doc};
use mainstay_query::evaluate::{self, cast};
use mainstay_query::plan::{Aggregate, Filter, Function, Groups, Read, Source};
use mainstay_schema::model::Texts;
use mainstay_schema::value::float_text;
use mainstay_schema::{ColumnId, Schema, Table, Type, Value, ValueError};
use mainstay_store::sink::put;
use mainstay_store::{RowSink, StoreError};
use mongodb::bson;

use super::{cells, filter, names};

/// Digits of a decimal of which the server adds as many as there are without loss: it keeps 34.
const SUM_DIGITS_MAX: u8 = 24;

/// The field of a member.
fn place(at: usize) -> String {
    format!("g{at}")
}

/// The field of the number of values that a member is made of.
fn number(at: usize) -> String {
    format!("n{at}")
}

/// The stages that make groups of rows; `None` if the server has none with the same outcome.
pub(super) fn stages(schema: &Schema, plan: &Read, groups: &Groups) -> Option<Vec<Document>> {
    let (table, is_found) = (schema.table(plan.table), schema.found().is_some());
    let (mut key, mut group, mut kept) = (Document::new(), Document::new(), doc! { "_id": 0 });
    for (at, output) in plan.select.iter().enumerate() {
        match &output.source {
            Source::Value(expr) => {
                let column = expr.as_column()?;
                let ty = &table.column(column).ty;
                if !filter::is_comparable(ty) || matches!(ty, Type::Array(_)) {
                    return None;
                }
                let path = field(table, column)?;
                let value = if is_there(table, column, is_found) { path.into() } else { Bson::from(or_null(path)) };
                key.insert(place(at), value);
                kept.insert(place(at), format!("$_id.{}", place(at)));
            }
            Source::Aggregate(aggregate) => {
                let made = accumulated(table, aggregate, is_found)?;
                group.insert(place(at), made);
                kept.insert(place(at), 1);
                let adds = matches!(aggregate.function, Function::Sum | Function::Avg);
                if let Some(input) = aggregate.input.as_ref().filter(|_| adds) {
                    let column = input.as_column()?;
                    let is_there = is_there(table, column, is_found);
                    if is_there && aggregate.function == Function::Sum && has_keys(plan) {
                        continue; // A group has a row, and each row has a value.
                    }
                    let path = field(table, column)?;
                    // What another program left there and is no number is not added.
                    let counts = if is_found {
                        doc! { "$cond": [{ "$isNumber": path }, 1, 0] }.into()
                    } else if is_there {
                        Bson::Int32(1)
                    } else {
                        doc! { "$cond": [{ "$eq": [or_null(path), Bson::Null] }, 0, 1] }.into()
                    };
                    group.insert(number(at), doc! { "$sum": counts });
                    kept.insert(number(at), 1);
                    // Of no values there is no sum.
                    let is_none = doc! { "$eq": [format!("${}", number(at)), 0] };
                    let sum = format!("${}", place(at));
                    kept.insert(place(at), doc! { "$cond": [is_none, Bson::Null, sum] });
                }
            }
            Source::Embed(_) | Source::Spread(_) => return None,
        }
    }
    let key: Bson = if key.is_empty() { Bson::Null } else { key.into() };
    let mut all = doc! { "_id": key };
    all.extend(group);
    let mut stages = vec![doc! { "$group": all }, doc! { "$project": kept }];
    if groups.having != Filter::True {
        if !has_keys(plan) {
            return None;
        }
        stages.push(doc! { "$match": filter::exact(schema, &made_table(table, plan, groups), &groups.having)? });
    }
    Some(stages)
}

/// The groups of rows of a table, as a table whose columns are the fields that they are in.
pub(super) fn made_table(of: &Table, plan: &Read, groups: &Groups) -> Table {
    let mut table = groups.table.clone();
    table.primary_key.clear();
    for (at, (column, output)) in table.columns.iter_mut().zip(&plan.select).enumerate() {
        column.name = place(at).into();
        column.optional = match &output.source {
            Source::Value(expr) => of.column(expr.column).optional,
            _ => true,
        };
        // Those that are one of the values that were there are kept as these are.
        let one_of = match &output.source {
            Source::Value(expr) => expr.as_column(),
            Source::Aggregate(Aggregate { function: Function::Min | Function::Max, input: Some(input), .. }) => {
                input.as_column()
            }
            _ => None,
        };
        column.texts = one_of.map_or(Texts::Plain, |source| of.column(source).texts);
        if let Source::Aggregate(aggregate) = &output.source
            && (aggregate.function == Function::Avg || aggregate.cast.is_some())
        {
            // It is made here, so the server can neither compare it nor sort by it.
            column.name = "".into();
        }
    }
    table
}

/// Whether rows are told apart; without, there is one group, even of no rows.
pub(super) fn has_keys(plan: &Read) -> bool {
    plan.select.iter().any(|output| !matches!(output.source, Source::Aggregate(_)))
}

fn field(table: &Table, column: ColumnId) -> Option<String> {
    let name = names::field(table, column);
    names::is_plain(name).then(|| format!("${name}"))
}

/// Whether each row has a value in a column.
fn is_there(table: &Table, column: ColumnId, is_found: bool) -> bool {
    !is_found && !table.column(column).optional
}

fn or_null(path: String) -> Document {
    doc! { "$ifNull": [path, Bson::Null] }
}

fn accumulated(table: &Table, aggregate: &Aggregate, is_found: bool) -> Option<Document> {
    let Some(input) = &aggregate.input else { return Some(doc! { "$sum": 1 }) };
    let column = input.as_column()?;
    let (path, ty) = (field(table, column)?, &table.column(column).ty);
    let is_exact = match ty {
        Type::Int | Type::BigInt | Type::Float => true,
        Type::Decimal { precision, .. } => *precision <= SUM_DIGITS_MAX,
        _ => false,
    };
    Some(match aggregate.function {
        Function::Count if is_there(table, column, is_found) => doc! { "$sum": 1 },
        Function::Count => doc! { "$sum": { "$cond": [{ "$eq": [or_null(path), Bson::Null] }, 0, 1] } },
        Function::Sum | Function::Avg if !is_exact => return None,
        // Decimals lose no digit where whole numbers of 64 bits would overflow. Of what another program left there, only
        // numbers are converted; the sum itself passes over the rest.
        Function::Sum | Function::Avg if *ty == Type::BigInt && is_found => {
            doc! { "$sum": { "$cond": [{ "$isNumber": &path }, { "$toDecimal": &path }, Bson::Null] } }
        }
        Function::Sum | Function::Avg if *ty == Type::BigInt => doc! { "$sum": { "$toDecimal": path } },
        Function::Sum | Function::Avg => doc! { "$sum": path },
        Function::Min | Function::Max if !filter::is_ordered(ty) => return None,
        Function::Min => doc! { "$min": path },
        Function::Max => doc! { "$max": path },
    })
}

/// Puts a group into the sink.
///
/// # Errors
/// [`StoreError::Value`] if the result of an aggregate is none of its type.
pub(super) fn put_group(
    schema: &Schema,
    plan: &Read,
    document: &RawDocument,
    sink: &mut dyn RowSink,
    text: &mut String,
) -> Result<(), StoreError> {
    let table = schema.table(plan.table);
    sink.start_row();
    for (at, output) in plan.select.iter().enumerate() {
        let kept = cells::field(document, &place(at));
        match &output.source {
            Source::Value(expr) => cells::cell(kept, &table.column(expr.column).ty, sink, text),
            Source::Aggregate(aggregate) => {
                let values = cells::field(document, &number(at));
                put(sink, &result(table, aggregate, kept, values)?);
            }
            Source::Embed(_) | Source::Spread(_) => {
                return Err(StoreError::Internal("a group that holds rows".into()));
            }
        }
    }
    sink.end_row();
    Ok(())
}

/// Puts the group of no rows into the sink.
///
/// # Errors
/// As [`put_group`].
pub(super) fn put_nothing(
    schema: &Schema,
    plan: &Read,
    sink: &mut dyn RowSink,
    text: &mut String,
) -> Result<(), StoreError> {
    let mut counts = Document::new();
    for (at, output) in plan.select.iter().enumerate() {
        if let Source::Aggregate(Aggregate { function: Function::Count, .. }) = &output.source {
            counts.insert(place(at), 0);
        }
    }
    let document = bson::RawDocumentBuf::try_from(&counts).map_err(|error| StoreError::Internal(Box::new(error)))?;
    put_group(schema, plan, &document, sink, text)
}

/// The result of an aggregate.
fn result(
    table: &Table,
    aggregate: &Aggregate,
    kept: RawBsonRef<'_>,
    values: RawBsonRef<'_>,
) -> Result<Value, StoreError> {
    let base = aggregate.base_type(table);
    let input = aggregate.input.as_ref().map(|input| input.ty(table));
    let out_of_range = |ty: &'static str| {
        StoreError::Value(ValueError::OutOfRange { ty, text: "the result of an aggregate".to_owned() })
    };
    let value = match (aggregate.function, kept) {
        (_, RawBsonRef::Null) => Value::Null,
        (Function::Sum | Function::Avg, RawBsonRef::Double(sum)) if !sum.is_finite() => {
            return Err(out_of_range("double precision"));
        }
        // More than 64 bits hold.
        (Function::Sum, RawBsonRef::Double(_)) if base == Type::BigInt => return Err(out_of_range("bigint")),
        (Function::Avg, sum) => {
            let count = match values {
                RawBsonRef::Int32(count) => i64::from(count),
                RawBsonRef::Int64(count) => count,
                _ => 0,
            };
            let count = u64::try_from(count).unwrap_or_default().max(1);
            match (input, cells::value(sum, &base)) {
                (Some(Type::Float), Value::Float(sum)) => Value::Float(sum / count as f64),
                (Some(Type::Float), Value::Decimal(sum)) => {
                    let sum: f64 = sum.as_str().parse().unwrap_or_default();
                    Value::Float(sum / count as f64)
                }
                (_, Value::Float(sum)) => evaluate::mean(&float_text(sum), count).map_err(StoreError::Value)?,
                (_, sum) => {
                    let digits = sum.to_text().unwrap_or_default();
                    evaluate::mean(&digits, count).map_err(StoreError::Value)?
                }
            }
        }
        (_, kept) => cells::value(kept, &base),
    };
    match &aggregate.cast {
        Some(ty) => cast(&value, ty).map_err(StoreError::Value),
        None => Ok(value),
    }
}
