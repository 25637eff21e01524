//! Read request → plan.
//!
//! A request is a tree of levels: the table, its embeds, their embeds. Each level is planned from its select items
//! and from the filters, orders and limits whose path leads to it.

use std::sync::Arc;

use mainstay_schema::{ColumnId, Schema, Table};

use super::filter::{Conditions, Embeds};
use super::resolve::{self, not_implemented};
use super::{Cardinality, Embed, Expr, Filter, Link, Order, Output, Read, Source, Via, relations};
use crate::error::{ParseError, PlanError};
use crate::limits::Limits;
use crate::parse::within;
use crate::request::{Condition, EmbedItem, FieldItem, Item, Located, OrderTerm, Query, ReadRequest, StepTo};

/// Resolves every name and types every value of a read.
///
/// # Errors
/// [`PlanError`] with the first thing that is wrong.
pub fn read(schema: &Schema, limits: &Limits, request: &ReadRequest) -> Result<Read, PlanError> {
    let table = resolve::table(schema, &request.table)?;
    let level = Levels::new(schema, limits, Some(limits.page_rows_max)).root(table, &request.query)?;
    let mut read = level.read;
    read.filter = Filter::all([read.filter].into_iter().chain(level.inner));
    read.count = request.count;
    if request.unpaged {
        let asked = request.query.limit.iter().filter(|limit| limit.path.is_empty());
        read.limit = asked.map(|limit| limit.what).min();
    }
    Ok(read)
}

/// One planned level.
pub(super) struct Level {
    /// What is read. Its filter holds the conditions that were written, not those of inner embeds.
    pub(super) read: Read,
    /// What inner embeds ask of the rows of this level.
    pub(super) inner: Vec<Filter>,
}

/// Plans the levels of one request.
pub(super) struct Levels<'a> {
    schema: &'a Schema,
    limits: &'a Limits,
    conditions: Conditions<'a>,
    /// Most rows of each level; `None` for the rows that a write returns.
    rows_max: Option<u64>,
}

impl<'a> Levels<'a> {
    pub(super) fn new(schema: &'a Schema, limits: &'a Limits, rows_max: Option<u64>) -> Levels<'a> {
        Levels { schema, limits, conditions: Conditions::new(limits), rows_max }
    }

    /// Plans a query on `table`. An empty select means all columns.
    pub(super) fn root(&mut self, table: &Table, query: &Query) -> Result<Level, PlanError> {
        let items = if query.select.is_empty() { &[Item::Star] } else { query.select.as_slice() };
        self.level(table, items, Scope::root(query), Cardinality::Many)
    }

    fn level<'r>(
        &mut self,
        table: &Table,
        items: &'r [Item],
        scope: Scope<'r>,
        cardinality: Cardinality,
    ) -> Result<Level, PlanError> {
        let embeds: Vec<&EmbedItem> = items.iter().filter_map(as_embed).collect();
        refuse_namesakes(&embeds)?;
        let (here, below) = scope.split(&embeds)?;
        let mut joined = Vec::with_capacity(embeds.len());
        for (item, scope) in embeds.into_iter().zip(below) {
            joined.push(self.embed(table, item, scope)?);
        }
        let joined = Joined(joined);
        let mut filters = Vec::with_capacity(here.filters.len());
        for condition in here.filters {
            filters.push(self.conditions.plan(table, &joined, condition)?);
        }
        let mut order = order(self.schema, table, &joined, here.order.into_iter().flatten())?;
        if cardinality == Cardinality::Many {
            complete(table, &mut order);
        }
        let inner =
            joined.0.iter().filter(|embed| embed.item.inner).map(JoinedEmbed::exists).collect::<Result<_, _>>()?;
        let limit = here.limit.into_iter().chain(self.rows_max).min();
        // What is at most one row anyway needs no limit, unless that is none.
        let limit = limit.filter(|rows| cardinality == Cardinality::Many || *rows == 0);
        let read = Read {
            filter: Filter::all(filters),
            order,
            limit,
            offset: here.offset.into_iter().max().unwrap_or(0),
            select: outputs(table, items, joined)?,
            ..Read::new(table.id)
        };
        Ok(Level { read, inner })
    }

    fn embed<'r>(
        &mut self,
        parent: &Table,
        item: &'r EmbedItem,
        scope: Scope<'r>,
    ) -> Result<JoinedEmbed<'r>, PlanError> {
        let schema = self.schema;
        let (target, link) = relations::find(schema, parent, item)?;
        let items = item.items.as_deref().unwrap_or_default();
        let level = self.level(schema.table(target), items, scope, link.cardinality)?;
        let mut read = level.read;
        read.filter = Filter::all([read.filter].into_iter().chain(level.inner));
        // Every null test and every inner join repeats the filter one level up: without this bound, tests of tests
        // would grow as a power of the depth.
        within("filters_max", self.limits.filters_max, comparisons(&read.filter))?;
        Ok(JoinedEmbed { item, link, read })
    }
}

/// Tests and links in a filter.
fn comparisons(filter: &Filter) -> usize {
    match filter {
        Filter::True | Filter::False | Filter::Unknown => 0,
        Filter::Test { .. } | Filter::Columns { .. } | Filter::Search(_) => 1,
        Filter::And(parts) | Filter::Or(parts) => parts.iter().map(comparisons).sum(),
        Filter::Not(part) => comparisons(part),
        Filter::Exists { filter, .. } => 1 + comparisons(filter),
    }
}

/// The parts of a query that stand on one level, or below it with the rest of their path.
#[derive(Default)]
struct Scope<'r> {
    filters: Vec<Placed<'r, &'r Condition>>,
    order: Vec<Placed<'r, &'r [OrderTerm]>>,
    limit: Vec<Placed<'r, u64>>,
    offset: Vec<Placed<'r, u64>>,
}

/// What stands on the level that `path` leads to from here.
type Placed<'r, T> = (&'r [String], T);

/// The parts of a query that stand on one level.
struct Here<'r> {
    filters: Vec<&'r Condition>,
    order: Vec<&'r [OrderTerm]>,
    limit: Vec<u64>,
    offset: Vec<u64>,
}

impl<'r> Scope<'r> {
    fn root(query: &'r Query) -> Scope<'r> {
        fn placed<'r, T, U>(parts: &'r [Located<T>], what: impl Fn(&'r T) -> U) -> Vec<Placed<'r, U>> {
            parts.iter().map(|part| (part.path.as_slice(), what(&part.what))).collect()
        }
        Scope {
            filters: placed(&query.filters, |condition| condition),
            order: placed(&query.order, |terms| terms.as_slice()),
            limit: placed(&query.limit, |rows| *rows),
            offset: placed(&query.offset, |rows| *rows),
        }
    }

    /// What stands here, and what stands on each of the embeds or below it.
    fn split(self, embeds: &[&EmbedItem]) -> Result<(Here<'r>, Vec<Scope<'r>>), PlanError> {
        let mut below: Vec<Scope<'r>> = embeds.iter().map(|_| Scope::default()).collect();
        let here = Here {
            filters: distribute(self.filters, embeds, |embed, part| below[embed].filters.push(part))?,
            order: distribute(self.order, embeds, |embed, part| below[embed].order.push(part))?,
            limit: distribute(self.limit, embeds, |embed, part| below[embed].limit.push(part))?,
            offset: distribute(self.offset, embeds, |embed, part| below[embed].offset.push(part))?,
        };
        Ok((here, below))
    }
}

/// Gives the parts whose path ends here, and passes the others on to the embed that comes first in their path.
fn distribute<'r, T>(
    parts: Vec<Placed<'r, T>>,
    embeds: &[&EmbedItem],
    mut pass_on: impl FnMut(usize, Placed<'r, T>),
) -> Result<Vec<T>, PlanError> {
    let mut here = Vec::new();
    for (path, what) in parts {
        match path.split_first() {
            None => here.push(what),
            Some((name, rest)) => {
                let embed = named(embeds, name).ok_or_else(|| PlanError::NotEmbedded { name: name.clone() })?;
                pass_on(embed, (rest, what));
            }
        }
    }
    Ok(here)
}

/// The embed that a path or filter names: by its member name, else by its target although it has an alias.
fn named(embeds: &[&EmbedItem], name: &str) -> Option<usize> {
    let by_member = embeds.iter().position(|embed| member_name(embed) == name);
    by_member.or_else(|| embeds.iter().position(|embed| embed.target == name))
}

/// Two embeds of one name could not be told apart, neither by filters nor in the answer.
fn refuse_namesakes(embeds: &[&EmbedItem]) -> Result<(), PlanError> {
    for (position, embed) in embeds.iter().enumerate() {
        let name = member_name(embed);
        if embeds[..position].iter().any(|other| member_name(other) == name) {
            let message = format!("'{name}' is embedded twice");
            let hint = format!("Give one of them an alias: other:{}(…).", embed.target);
            return Err(PlanError::Parse(ParseError::Parameter { message, hint }));
        }
    }
    Ok(())
}

fn member_name(embed: &EmbedItem) -> &str {
    embed.alias.as_deref().unwrap_or(&embed.target)
}

/// A planned embed with the item that asked for it.
struct JoinedEmbed<'r> {
    item: &'r EmbedItem,
    link: Link,
    read: Read,
}

impl JoinedEmbed<'_> {
    /// Whether a row has at least one row in this embed.
    fn exists(&self) -> Result<Filter, PlanError> {
        self.refuse_cut("inner or tested for null")?;
        Ok(Filter::Exists {
            join: self.link.join.clone(),
            table: self.read.table,
            filter: Box::new(self.read.filter.clone()),
            skip: 0,
        })
    }

    /// The link to follow for ordering the rows of this level by a column of the embed.
    fn via(&self, parent: &Table) -> Result<Via, PlanError> {
        let name = member_name(self.item);
        if self.link.cardinality == Cardinality::Many {
            return Err(PlanError::BadRelatedOrder { table: parent.name.to_string(), name: name.to_owned() });
        }
        self.refuse_cut("ordered by")?;
        // An inner join drops the rows whose related row is filtered away; otherwise those count as having none.
        let filter = if self.item.inner { Filter::True } else { self.read.filter.clone() };
        Ok(Via { join: self.link.join.clone(), table: self.read.table, filter })
    }

    fn refuse_cut(&self, use_: &str) -> Result<(), PlanError> {
        if self.read.offset == 0 && self.read.limit != Some(0) {
            return Ok(());
        }
        let name = member_name(self.item);
        Err(not_implemented(format!("An offset or a limit of 0 on '{name}', which is {use_}.")))
    }
}

/// The embeds of one level.
struct Joined<'r>(Vec<JoinedEmbed<'r>>);

impl<'r> Joined<'r> {
    fn find(&self, name: &str) -> Option<&JoinedEmbed<'r>> {
        let items: Vec<&EmbedItem> = self.0.iter().map(|embed| embed.item).collect();
        named(&items, name).map(|position| &self.0[position])
    }
}

impl Embeds for Joined<'_> {
    fn exists(&self, name: &str) -> Option<Result<Filter, PlanError>> {
        self.find(name).map(JoinedEmbed::exists)
    }
}

fn as_embed(item: &Item) -> Option<&EmbedItem> {
    match item {
        Item::Embed(embed) => Some(embed),
        Item::Star | Item::Field(_) => None,
    }
}

/// The members of a row: columns in the order of select, then embeds.
///
/// No two have one name, because readers of JSON keep only one of them: like them, the last one is kept.
fn outputs(table: &Table, items: &[Item], joined: Joined<'_>) -> Result<Vec<Output>, PlanError> {
    let mut outputs: Vec<Output> = Vec::new();
    let mut has_star = false;
    for item in items {
        match item {
            Item::Star if !has_star => {
                has_star = true;
                for column in &table.columns {
                    add(&mut outputs, column.name.clone(), Expr::column(column.id));
                }
            }
            Item::Field(item) => {
                let (name, expr) = field_output(table, item)?;
                add(&mut outputs, name, expr);
            }
            Item::Star | Item::Embed(_) => {}
        }
    }
    for JoinedEmbed { item, link, read } in joined.0 {
        if item.items.is_some() {
            let name = member_name(item);
            outputs.retain(|output| &*output.name != name);
            outputs.push(Output { name: name.into(), source: Source::Embed(Embed { link, read: Box::new(read) }) });
        }
    }
    Ok(outputs)
}

fn add(outputs: &mut Vec<Output>, name: Arc<str>, expr: Expr) {
    let source = Source::Value(expr);
    match outputs.iter_mut().find(|output| output.name == name) {
        Some(output) => output.source = source,
        None => outputs.push(Output { name, source }),
    }
}

fn field_output(table: &Table, item: &FieldItem) -> Result<(Arc<str>, Expr), PlanError> {
    let field = &item.field;
    if field.name == "count" && field.path.is_empty() && table.find_column("count").is_none() {
        return Err(not_implemented("This version does not have aggregates (count).".to_owned()));
    }
    let mut expr = resolve::expr(table, field)?;
    if let Some(cast) = &item.cast {
        let from = expr.base_type(table);
        // A cast to what it is already would only keep a store from copying the value as it is.
        expr.cast = Some(resolve::cast(&from, cast)?).filter(|to| *to != from);
    }
    // Named after the last key of the path; an index has no name.
    let last_key = field.path.iter().rev().find_map(|step| match &step.to {
        StepTo::Key(key) => Some(key.as_str()),
        StepTo::Index(_) => None,
    });
    let name = item.alias.as_deref().or(last_key).map_or_else(|| table.column(expr.column).name.clone(), Arc::from);
    Ok((name, expr))
}

fn order<'r>(
    schema: &Schema,
    table: &Table,
    joined: &Joined<'_>,
    terms: impl Iterator<Item = &'r OrderTerm>,
) -> Result<Vec<Order>, PlanError> {
    let mut order = Vec::new();
    for term in terms {
        let via = match &term.relation {
            None => None,
            Some(name) => {
                let embed = joined.find(name).ok_or_else(|| PlanError::NotEmbedded { name: name.clone() })?;
                Some(Box::new(embed.via(table)?))
            }
        };
        let holder = via.as_ref().map_or(table, |via| schema.table(via.table));
        order.push(Order {
            expr: resolve::expr(holder, &term.field)?,
            via,
            descending: term.descending,
            nulls_first: term.nulls_first.unwrap_or(term.descending),
        });
    }
    Ok(order)
}

/// Makes an order total, so that pages do not overlap: rows that are equal so far follow their primary key.
fn complete(table: &Table, order: &mut Vec<Order>) {
    let ordered = |order: &[Order], id: &ColumnId| {
        order.iter().any(|term| term.via.is_none() && term.expr.as_column() == Some(*id))
    };
    let is_total =
        |key: &[ColumnId]| !key.is_empty() && key.iter().all(|id| ordered(order, id) && !table.column(*id).optional);
    if is_total(&table.primary_key) || table.uniques.iter().any(|key| is_total(&key.columns)) {
        return;
    }
    for id in &table.primary_key {
        if !ordered(order, id) {
            order.push(Order { via: None, expr: Expr::column(*id), descending: false, nulls_first: false });
        }
    }
}
