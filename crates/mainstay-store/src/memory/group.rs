//! Grouped rows: one list of groups, in which each row finds its own.

use std::collections::HashMap;

use mainstay_query::evaluate::{self, Accumulator, compare_rows};
use mainstay_query::plan::{Cardinality, Embed, Groups, Order, Output, Read, Source};
use mainstay_schema::{Type, Value};

use super::read::{View, bucket};
use super::rows::Row;
use crate::error::StoreError;
use crate::sink::{Cell, RowSink, put};

/// A group: its row with every value at its place, as the plan's table of groups has them, and whether the row of each
/// to-one embed is there.
pub(super) struct Group {
    values: Vec<Value>,
    present: Vec<bool>,
}

/// A group in the making.
struct Part {
    key: Key,
    accumulators: Vec<Accumulator>,
}

/// What makes two rows one group.
#[derive(Default, PartialEq)]
struct Key {
    values: Vec<Value>,
    present: Vec<bool>,
}

impl<'a> View<'a> {
    /// The groups of `rows` that are asked for, and the number that there are before paging.
    pub(super) fn groups(&self, plan: &Read, groups: &Groups, rows: &[&Row]) -> Result<(Vec<Group>, u64), StoreError> {
        let mut parts: Vec<Part> = Vec::new();
        let mut known: HashMap<Vec<Option<String>>, Vec<usize>> = HashMap::new();
        for row in rows {
            let (mut key, mut inputs) = (Key::default(), Vec::new());
            self.take_apart(&plan.select, Some(row), &mut key, &mut inputs)?;
            let alike = known.entry(key.values.iter().map(bucket).collect()).or_default();
            let at = match alike.iter().find(|at| parts[**at].key == key) {
                Some(at) => *at,
                None => {
                    alike.push(parts.len());
                    parts.push(Part { key, accumulators: self.accumulators(plan) });
                    parts.len() - 1
                }
            };
            for (accumulator, input) in parts[at].accumulators.iter_mut().zip(inputs) {
                match input {
                    Input::Value(value) => accumulator.add(&value).map_err(StoreError::Value)?,
                    Input::Row => accumulator.add_row(),
                    Input::Nothing => {}
                }
            }
        }
        if parts.is_empty() && !has_keys(&plan.select) {
            parts.push(Part { key: Key::default(), accumulators: self.accumulators(plan) });
        }
        let mut kept = Vec::new();
        for part in parts {
            let mut aggregates = Vec::new();
            for accumulator in part.accumulators {
                aggregates.push(accumulator.finish().map_err(StoreError::Value)?);
            }
            let mut values = Vec::new();
            self.put_together(
                &plan.select,
                &mut part.key.values.into_iter(),
                &mut aggregates.into_iter(),
                &mut values,
            )?;
            if self.passes(&groups.having, &values)? {
                kept.push(Group { values, present: part.key.present });
            }
        }
        let total = kept.len() as u64;
        let place =
            |group: &Group| -> Vec<Value> { groups.order.iter().map(|term| value(term, &group.values)).collect() };
        kept.sort_by(|left, right| compare_rows(&groups.order, &place(left), &place(right)));
        Ok((super::read::page(plan, kept), total))
    }

    /// The parts of a row: what makes its group, and what goes into the aggregates, in the order of the members.
    fn take_apart(
        &self,
        select: &[Output],
        row: Option<&Row>,
        key: &mut Key,
        inputs: &mut Vec<Input>,
    ) -> Result<(), StoreError> {
        for output in select {
            match &output.source {
                Source::Value(expr) => key.values.push(match row {
                    Some(row) => evaluate::expr(row, expr).map_err(StoreError::Value)?,
                    None => Value::Null,
                }),
                Source::Aggregate(aggregate) => inputs.push(match (row, &aggregate.input) {
                    (None, _) => Input::Nothing,
                    (Some(_), None) => Input::Row,
                    (Some(row), Some(input)) => Input::Value(evaluate::expr(row, input).map_err(StoreError::Value)?),
                }),
                Source::Embed(embed) => {
                    let related = self.related(embed, row)?;
                    key.present.push(related.is_some());
                    self.take_apart(&embed.read.select, related, key, inputs)?;
                }
                Source::Spread(embed) => {
                    let related = self.related(embed, row)?;
                    self.take_apart(&embed.read.select, related, key, inputs)?;
                }
            }
        }
        Ok(())
    }

    fn related(&self, embed: &Embed, row: Option<&Row>) -> Result<Option<&'a Row>, StoreError> {
        if embed.link.cardinality == Cardinality::Many {
            return Err(super::unsupported("does not group by lists".to_owned()));
        }
        let Some(row) = row else { return Ok(None) };
        let related = self.follow(&embed.link.join, row, embed.read.table)?;
        Ok(self.select(&embed.read, related)?.0.first().copied())
    }

    /// One for each aggregate, in the order of the members.
    fn accumulators(&self, plan: &Read) -> Vec<Accumulator> {
        let mut accumulators = Vec::new();
        self.add_accumulators(plan, &mut accumulators);
        accumulators
    }

    fn add_accumulators(&self, plan: &Read, accumulators: &mut Vec<Accumulator>) {
        let table = self.schema.table(plan.table);
        for output in &plan.select {
            match &output.source {
                Source::Value(_) => {}
                Source::Aggregate(aggregate) => {
                    let input = aggregate.input.as_ref().map_or(Type::BigInt, |input| input.ty(table));
                    accumulators.push(Accumulator::new(aggregate.function, &input));
                }
                Source::Embed(embed) | Source::Spread(embed) => self.add_accumulators(&embed.read, accumulators),
            }
        }
    }

    /// The values of a group in the order of the members.
    fn put_together(
        &self,
        select: &[Output],
        keys: &mut dyn Iterator<Item = Value>,
        aggregates: &mut dyn Iterator<Item = Value>,
        values: &mut Vec<Value>,
    ) -> Result<(), StoreError> {
        for output in select {
            match &output.source {
                Source::Value(_) => values.extend(keys.next()),
                Source::Aggregate(aggregate) => {
                    let value = aggregates.next().unwrap_or(Value::Null);
                    values.push(match &aggregate.cast {
                        Some(ty) => evaluate::cast(&value, ty).map_err(StoreError::Value)?,
                        None => value,
                    });
                }
                Source::Embed(embed) | Source::Spread(embed) => {
                    self.put_together(&embed.read.select, keys, aggregates, values)?;
                }
            }
        }
        Ok(())
    }
}

/// What a row brings to an aggregate.
enum Input {
    Value(Value),
    Row,
    Nothing,
}

fn has_keys(select: &[Output]) -> bool {
    select.iter().any(|output| match &output.source {
        Source::Value(_) | Source::Embed(_) => true,
        Source::Aggregate(_) => false,
        Source::Spread(embed) => has_keys(&embed.read.select),
    })
}

/// The value that a term of the order of groups looks at. Groups follow no links and their orders have no casts.
fn value(term: &Order, values: &[Value]) -> Value {
    evaluate::expr(values, &term.expr).unwrap_or(Value::Null)
}

impl Group {
    /// Puts the group into `sink`.
    pub(super) fn emit(&self, select: &[Output], sink: &mut dyn RowSink) {
        let (mut values, mut present) = (self.values.iter(), self.present.iter());
        sink.start_row();
        members(select, &mut values, &mut present, true, sink);
        sink.end_row();
    }
}

/// Gives the members of a row, or only passes over them.
fn members(
    select: &[Output],
    values: &mut std::slice::Iter<'_, Value>,
    present: &mut std::slice::Iter<'_, bool>,
    shown: bool,
    sink: &mut dyn RowSink,
) {
    for output in select {
        match &output.source {
            Source::Value(_) | Source::Aggregate(_) => {
                let value = values.next();
                if shown {
                    put(sink, value.unwrap_or(&Value::Null));
                }
            }
            Source::Spread(embed) => members(&embed.read.select, values, present, shown, sink),
            Source::Embed(embed) => {
                let is_there = present.next().copied().unwrap_or_default();
                match (shown, is_there) {
                    (true, true) => {
                        sink.start_row();
                        members(&embed.read.select, values, present, true, sink);
                        sink.end_row();
                    }
                    (true, false) => {
                        sink.cell(Cell::Null);
                        members(&embed.read.select, values, present, false, sink);
                    }
                    (false, _) => members(&embed.read.select, values, present, false, sink),
                }
            }
        }
    }
}
