//! Groups of rows that no store sees together: those to which a junction of another store leads.

use std::collections::HashMap;

use mainstay_query::evaluate::{self, Accumulator, Related, compare_rows};
use mainstay_query::plan::{Aggregate, Groups, Join, Output, Read, Source};
use mainstay_schema::{Schema, TableId, Type, Value, ValueError, link};

use super::rows::Key;
use crate::collect::{Member, Row};
use crate::error::StoreError;

/// Where the rows of each key are.
type Places = HashMap<Key, Vec<usize>>;

/// How groups are made of rows.
pub(super) struct Grouping<'p> {
    groups: &'p Groups,
    members: Vec<Made<'p>>,
    /// The rows of which they are made, with what goes into members at their places.
    pub(super) rows: Read,
}

/// How a member of a group is made.
enum Made<'p> {
    /// It is what the rows of the group have in common.
    Common,
    /// From all rows of the group, whose values have this type; nothing for the rows themselves.
    Of(&'p Aggregate, Option<Type>),
}

/// A group in the making.
struct Part<'v> {
    common: Vec<&'v Value>,
    accumulators: Vec<Accumulator>,
}

impl<'p> Grouping<'p> {
    /// Of a read whose members are columns and aggregates of columns.
    pub(super) fn new(schema: &Schema, plan: &'p Read, groups: &'p Groups) -> Grouping<'p> {
        let table = schema.table(plan.table);
        let (mut members, mut select) = (Vec::new(), Vec::new());
        for Output { name, source } in &plan.select {
            let expr = match source {
                Source::Value(expr) => {
                    members.push(Made::Common);
                    Some(expr)
                }
                Source::Aggregate(aggregate) => {
                    members.push(Made::Of(aggregate, aggregate.input.as_ref().map(|input| input.ty(table))));
                    aggregate.input.as_ref()
                }
                Source::Embed(_) | Source::Spread(_) => None,
            };
            select.extend(expr.map(|expr| Output { name: name.clone(), source: Source::Value(expr.clone()) }));
        }
        let rows = Read { select, filter: plan.filter.clone(), ..Read::new(plan.table) };
        Grouping { groups, members, rows }
    }

    /// The groups of each list of rows, in their order.
    pub(super) fn group(&self, rows: &[Row], of: Places) -> Result<(Vec<Row>, Places), StoreError> {
        let (mut all, mut places) = (Vec::new(), HashMap::new());
        for (key, of) in of {
            let groups = self.groups_of(of.into_iter().map(|place| &rows[place]))?;
            places.insert(key, (all.len()..all.len() + groups.len()).collect());
            all.extend(groups);
        }
        Ok((all, places))
    }

    fn groups_of<'v>(&self, rows: impl Iterator<Item = &'v Row>) -> Result<Vec<Row>, StoreError> {
        let mut parts: Vec<Part<'v>> = Vec::new();
        let mut places: HashMap<Vec<Option<String>>, Vec<usize>> = HashMap::new();
        for row in rows {
            let mut values = row.iter().map(|member| match member {
                Member::Value(value) => Ok(value),
                Member::One(_) | Member::Many(_) => {
                    Err(StoreError::Internal("rows where values were asked for".into()))
                }
            });
            let mut next = || values.next().unwrap_or(Ok(&Value::Null));
            let (mut common, mut inputs) = (Vec::new(), Vec::new());
            for member in &self.members {
                match member {
                    Made::Common => common.push(next()?),
                    Made::Of(_, None) => inputs.push(None),
                    Made::Of(_, Some(_)) => inputs.push(Some(next()?)),
                }
            }
            // Values that are equal have one text, all but documents and lists.
            let text = |value: &&Value| match value {
                Value::Json(_) | Value::Array(_) => None,
                value => link::key(value),
            };
            let alike = places.entry(common.iter().map(text).collect()).or_default();
            let at = match alike.iter().copied().find(|at| parts[*at].common == common) {
                Some(at) => at,
                None => {
                    alike.push(parts.len());
                    parts.push(Part { common, accumulators: self.accumulators() });
                    parts.len() - 1
                }
            };
            for (accumulator, input) in parts[at].accumulators.iter_mut().zip(inputs) {
                match input {
                    Some(value) => accumulator.add(value).map_err(StoreError::Value)?,
                    None => accumulator.add_row(),
                }
            }
        }
        let mut kept = Vec::new();
        for part in parts {
            let values = self.values(part)?;
            if evaluate::filter(&NoLinks, &values, &self.groups.having).map_err(StoreError::Value)? == Some(true) {
                kept.push(values);
            }
        }
        let order = &self.groups.order;
        let place = |values: &Vec<Value>| -> Result<Vec<Value>, ValueError> {
            order.iter().map(|term| evaluate::expr(values, &term.expr)).collect()
        };
        let placed: Result<Vec<_>, _> = kept.into_iter().map(|values| Ok((place(&values)?, values))).collect();
        let mut placed = placed.map_err(StoreError::Value)?;
        placed.sort_by(|(left, _), (right, _)| compare_rows(order, left, right));
        Ok(placed.into_iter().map(|(_, values)| values.into_iter().map(Member::Value).collect()).collect())
    }

    fn accumulators(&self) -> Vec<Accumulator> {
        let made = |member: &Made<'_>| match member {
            Made::Common => None,
            Made::Of(aggregate, ty) => Some(Accumulator::new(aggregate.function, ty.as_ref().unwrap_or(&Type::BigInt))),
        };
        self.members.iter().filter_map(made).collect()
    }

    /// The values of a group in the order of the members.
    fn values(&self, part: Part<'_>) -> Result<Vec<Value>, StoreError> {
        let (mut common, mut made) = (part.common.into_iter(), part.accumulators.into_iter());
        let mut values = Vec::with_capacity(self.members.len());
        for member in &self.members {
            values.push(match member {
                Made::Common => common.next().cloned().unwrap_or(Value::Null),
                Made::Of(aggregate, _) => {
                    let value = made.next().map_or(Ok(Value::Null), Accumulator::finish).map_err(StoreError::Value)?;
                    match &aggregate.cast {
                        Some(ty) => evaluate::cast(&value, ty).map_err(StoreError::Value)?,
                        None => value,
                    }
                }
            });
        }
        Ok(values)
    }
}

/// Groups hold no links.
struct NoLinks;

impl Related for NoLinks {
    fn any(
        &self,
        _: &Join,
        _: &[Value],
        _: TableId,
        _: &mut dyn FnMut(&[Value]) -> Result<bool, ValueError>,
    ) -> Result<bool, ValueError> {
        Ok(false)
    }
}
