//! `select` → the members of a row.

use std::sync::Arc;

use mainstay_schema::{ColumnId, Table, Type};

use super::read::JoinedEmbed;
use super::resolve::{self, not_implemented};
use super::scope::member_name;
use super::{Aggregate, Cardinality, Embed, Expr, Function, Output, Source};
use crate::error::{ParseError, PlanError};
use crate::limits::Limits;
use crate::request::{AggregateItem, Field, FieldItem, Item, StepTo};

/// The members of a row: columns in the order of select, then embeds and spreads.
///
/// No two have one name, because readers of JSON keep only one of them: like them, the last one is kept. Only spreads
/// may bring a name that is there already, which then stands twice.
pub(super) fn outputs(
    limits: &Limits,
    table: &Table,
    items: &[Item],
    joined: Vec<JoinedEmbed<'_>>,
) -> Result<Vec<Output>, PlanError> {
    let mut outputs: Vec<Output> = Vec::new();
    let mut has_star = false;
    let excluded = excluded(table, items)?;
    for item in items {
        match item {
            Item::Star if !has_star => {
                has_star = true;
                for column in table.columns.iter().filter(|column| !excluded.contains(&column.id)) {
                    add(&mut outputs, column.name.clone(), Source::Value(Expr::column(column.id)));
                }
            }
            Item::Field(field) if is_legacy_count(table, field) => {
                if !is_plain_count(table, items, item) {
                    need_aggregates(limits)?;
                }
                let item = field;
                let cast = item.cast.as_deref().map(|cast| resolve::cast(&Type::BigInt, cast));
                let aggregate = Aggregate { function: Function::Count, input: None, cast: cast.transpose()? };
                let name = item.alias.as_deref().unwrap_or("count");
                add(&mut outputs, name.into(), Source::Aggregate(aggregate));
            }
            Item::Field(item) => {
                let (name, expr) = field_output(table, item)?;
                add(&mut outputs, name, Source::Value(expr));
            }
            Item::Aggregate(item) => {
                need_aggregates(limits)?;
                let name = item.alias.as_deref().unwrap_or(item.function.word());
                add(&mut outputs, name.into(), Source::Aggregate(aggregate(table, item)?));
            }
            Item::Star | Item::Except(_) | Item::Embed(_) | Item::Spread(_) => {}
        }
    }
    for JoinedEmbed { item, spread, link, read, .. } in joined {
        if item.items.is_none() {
            continue;
        }
        let name = member_name(item);
        if spread && link.cardinality == Cardinality::Many && has_aggregates(&read.select) {
            let details = "Aggregates are not implemented for one-to-many or many-to-many spreads.";
            return Err(not_implemented(details.to_owned()));
        }
        let embed = Embed { link, read: Box::new(read) };
        if spread {
            outputs.push(Output { name: name.into(), source: Source::Spread(embed) });
        } else {
            outputs.retain(|output| &*output.name != name || matches!(output.source, Source::Spread(_)));
            outputs.push(Output { name: name.into(), source: Source::Embed(embed) });
        }
    }
    Ok(outputs)
}

/// The columns that a star leaves out.
fn excluded(table: &Table, items: &[Item]) -> Result<Vec<ColumnId>, PlanError> {
    let mut excluded = Vec::new();
    for item in items {
        if let Item::Except(name) = item {
            if !items.contains(&Item::Star) {
                let message = format!("\"-{name}\" leaves a column out of \"*\", which is not selected");
                let hint = format!("Write select=*,-{name}, or select the columns that are wanted.");
                return Err(PlanError::Parse(ParseError::Parameter { message, hint }));
            }
            excluded.push(resolve::column(table, name)?.id);
        }
    }
    Ok(excluded)
}

fn add(outputs: &mut Vec<Output>, name: Arc<str>, source: Source) {
    match outputs.iter_mut().find(|output| output.name == name) {
        Some(output) => output.source = source,
        None => outputs.push(Output { name, source }),
    }
}

/// `count` without parentheses, where no column is called so.
fn is_legacy_count(table: &Table, item: &FieldItem) -> bool {
    item.field.name == "count" && item.field.path.is_empty() && table.find_column("count").is_none()
}

/// Whether an item is the one `count` of all rows that was there before there were aggregates, and so does not ask
/// whether they are allowed.
pub(super) fn is_plain_count(table: &Table, items: &[Item], item: &Item) -> bool {
    items.len() == 1 && matches!(item, Item::Field(field) if is_legacy_count(table, field))
}

fn need_aggregates(limits: &Limits) -> Result<(), PlanError> {
    if limits.aggregates { Ok(()) } else { Err(PlanError::AggregatesOff) }
}

fn field_output(table: &Table, item: &FieldItem) -> Result<(Arc<str>, Expr), PlanError> {
    let expr = cast_expr(table, &item.field, item.cast.as_deref())?;
    // Named after the last key of the path; an index has no name.
    let last_key = item.field.path.iter().rev().find_map(|step| match &step.to {
        StepTo::Key(key) => Some(key.as_str()),
        StepTo::Index(_) => None,
    });
    let name = item.alias.as_deref().or(last_key).map_or_else(|| table.column(expr.column).name.clone(), Arc::from);
    Ok((name, expr))
}

fn cast_expr(table: &Table, field: &Field, cast: Option<&str>) -> Result<Expr, PlanError> {
    let mut expr = resolve::expr(table, field)?;
    if let Some(cast) = cast {
        let from = expr.base_type(table);
        // A cast to what it is already would only keep a store from copying the value as it is.
        expr.cast = Some(resolve::cast(&from, cast)?).filter(|to| *to != from);
    }
    Ok(expr)
}

fn aggregate(table: &Table, item: &AggregateItem) -> Result<Aggregate, PlanError> {
    let input = item.field.as_ref().map(|field| cast_expr(table, field, item.input_cast.as_deref())).transpose()?;
    if let Some(input) = &input {
        let ty = input.ty(table);
        if item.function.result(&ty).is_none() {
            return Err(PlanError::NoFunction { name: item.function.word(), ty: ty.wire_name() });
        }
    }
    let mut aggregate = Aggregate { function: item.function, input, cast: None };
    if let Some(cast) = &item.cast {
        let from = aggregate.base_type(table);
        aggregate.cast = Some(resolve::cast(&from, cast)?).filter(|to| *to != from);
    }
    Ok(aggregate)
}

/// Whether an item is an aggregate, by whichever word.
pub(super) fn is_aggregate(table: &Table, item: &Item) -> bool {
    match item {
        Item::Aggregate(_) => true,
        Item::Field(item) => is_legacy_count(table, item),
        Item::Star | Item::Except(_) | Item::Embed(_) | Item::Spread(_) => false,
    }
}

/// Whether members are made from groups of the rows: aggregates here, or in spreads of one row.
pub(super) fn has_aggregates(select: &[Output]) -> bool {
    select.iter().any(|output| match &output.source {
        Source::Aggregate(_) => true,
        Source::Spread(embed) => has_aggregates(&embed.read.select),
        Source::Value(_) | Source::Embed(_) => false,
    })
}
