//! Read request → plan.
//!
//! A request is a tree of levels: the table, its embeds, their embeds. Each level is planned from its select items
//! and from the filters, orders and limits whose path leads to it.

use mainstay_schema::{ColumnId, Schema, Table};

use super::filter::{Conditions, Embeds};
use super::group;
use super::resolve::{self, not_implemented};
use super::scope::{Names, Scope, member_name, refuse_namesakes};
use super::select::{has_aggregates, is_aggregate, outputs};
use super::{Cardinality, Expr, Filter, Link, Order, Read, Via, precedence, relations};
use crate::error::{ParseError, PlanError};
use crate::limits::Limits;
use crate::parse::within;
use crate::request::{EmbedItem, Item, OrderTerm, Query, ReadRequest};

/// Most terms of an order in which a place can be told: each one makes the condition deeper.
const AFTER_TERMS_MAX: usize = 16;

/// Resolves every name and types every value of a read. The place that `after` tells is left to the caller, who can
/// open it; here is made sure that there can be one.
///
/// # Errors
/// [`PlanError`] with the first thing that is wrong.
pub fn read(schema: &Schema, limits: &Limits, request: &ReadRequest) -> Result<Read, PlanError> {
    planned(schema, limits, request).map_err(|met| precedence::of_read(schema, limits, request, met))
}

fn planned(schema: &Schema, limits: &Limits, request: &ReadRequest) -> Result<Read, PlanError> {
    let table = resolve::table(schema, &request.table)?;
    let level = Levels::new(schema, limits, Some(limits.page_rows_max)).root(table, &request.query)?;
    let mut read = level.read;
    read.filter = Filter::all([read.filter].into_iter().chain(level.inner));
    read.count = request.count;
    if request.query.after.is_some() {
        if request.unpaged {
            let details = "Pages by key (after) of an answer that is sent while it is read.".to_owned();
            return Err(not_implemented(details));
        }
        need_places(table, &read)?;
    }
    if request.unpaged {
        let asked = request.query.limit.iter().filter(|limit| limit.path.is_empty());
        read.limit = asked.map(|limit| limit.what).min();
    }
    Ok(read)
}

/// Refuses a read whose rows have no place of their own in its order.
fn need_places(table: &Table, read: &Read) -> Result<(), PlanError> {
    if read.offset > 0 {
        let message = "after and offset are two ways to say where a page begins".to_owned();
        return Err(PlanError::Parse(ParseError::Parameter { message, hint: "Leave one of them out.".to_owned() }));
    }
    if read.groups.is_some() {
        return Err(not_implemented(
            "Pages by key (after) of grouped or distinct rows; use limit and offset.".to_owned(),
        ));
    }
    if !is_total(table, &read.order) {
        let details = format!("Pages by key (after) of \"{}\", which has no key; use limit and offset.", table.name);
        return Err(not_implemented(details));
    }
    Ok(within("order terms with after", AFTER_TERMS_MAX, read.order.len())?)
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
    names: Names,
    /// Most rows of each level; `None` for the rows that a write returns.
    rows_max: Option<u64>,
}

/// How the rows of a level stand in the row above.
#[derive(Clone, Copy)]
struct Holder {
    cardinality: Cardinality,
    is_spread: bool,
}

impl<'a> Levels<'a> {
    pub(super) fn new(schema: &'a Schema, limits: &'a Limits, rows_max: Option<u64>) -> Levels<'a> {
        let names = if limits.legacy_target_names { Names::Legacy } else { Names::AliasOnly };
        Levels { schema, limits, conditions: Conditions::new(limits), names, rows_max }
    }

    /// Plans a query on `table`. An empty select means all columns.
    pub(super) fn root(&mut self, table: &Table, query: &Query) -> Result<Level, PlanError> {
        let items = if query.select.is_empty() { &[Item::Star] } else { query.select.as_slice() };
        let holder = Holder { cardinality: Cardinality::Many, is_spread: false };
        self.level(table, items, Scope::root(query), holder)
    }

    fn level<'r>(
        &mut self,
        table: &Table,
        items: &'r [Item],
        scope: Scope<'r>,
        holder: Holder,
    ) -> Result<Level, PlanError> {
        let embeds: Vec<&EmbedItem> = items.iter().filter_map(Item::as_embed).collect();
        refuse_namesakes(&embeds)?;
        let (here, below) = scope.split(&embeds, self.names)?;
        let spread = items.iter().filter(|item| item.as_embed().is_some()).map(|item| matches!(item, Item::Spread(_)));
        let mut joined = Vec::with_capacity(embeds.len());
        for ((item, scope), is_spread) in embeds.into_iter().zip(below).zip(spread) {
            joined.push(self.embed(table, item, scope, is_spread)?);
        }
        let joined = Joined { embeds: joined, names: self.names };
        let mut filters = Vec::with_capacity(here.filters.len());
        for condition in here.filters {
            filters.push(self.conditions.plan(table, &joined, condition)?);
        }
        let terms = || here.order.iter().copied().flatten();
        let mut order = Vec::new();
        let inner: Vec<Filter> =
            joined.embeds.iter().filter(|embed| embed.item.inner).map(JoinedEmbed::exists).collect::<Result<_, _>>()?;
        let is_many = holder.cardinality == Cardinality::Many;
        let distinct = is_many && here.distinct.first().copied().unwrap_or_default();
        // Whether rows are grouped is known once their members are, and members take the embeds that orders look at.
        let is_hoisted = |embed: &JoinedEmbed<'_>| embed.spread && has_aggregates(&embed.read.select);
        if !distinct && !items.iter().any(|item| is_aggregate(table, item)) && !joined.embeds.iter().any(is_hoisted) {
            order = ordered(self.schema, table, &joined, terms())?;
        }
        let select = outputs(self.limits, table, items, joined.embeds)?;
        let mut groups = None;
        if distinct && (holder.is_spread || select.is_empty()) {
            return Err(not_implemented("Distinct rows in a spread, or of no members.".to_owned()));
        }
        if distinct || (has_aggregates(&select) && !holder.is_spread) {
            let planned = group::groups(self.schema, &mut self.conditions, table, &select, &here.having, terms())?;
            groups = Some(Box::new(planned));
        } else if !here.having.is_empty() {
            let message = "having asks for groups, and nothing here makes groups".to_owned();
            let hint = "Select an aggregate, or filter rows by their columns.".to_owned();
            return Err(PlanError::Parse(ParseError::Parameter { message, hint }));
        }
        if is_many && groups.is_none() {
            complete(table, &mut order);
        }
        let limit = here.limit.into_iter().chain(self.rows_max).min();
        // What is at most one row anyway needs no limit, unless that is none.
        let limit = limit.filter(|rows| is_many || *rows == 0);
        let read = Read {
            filter: Filter::all(filters),
            groups,
            order,
            limit,
            offset: here.offset.into_iter().max().unwrap_or(0),
            select,
            ..Read::new(table.id)
        };
        Ok(Level { read, inner })
    }

    fn embed<'r>(
        &mut self,
        parent: &Table,
        item: &'r EmbedItem,
        scope: Scope<'r>,
        spread: bool,
    ) -> Result<JoinedEmbed<'r>, PlanError> {
        let schema = self.schema;
        let (target, link) = relations::find(schema, parent, item)?;
        let items = item.items.as_deref().unwrap_or_default();
        let holder = Holder { cardinality: link.cardinality, is_spread: spread };
        let level = self.level(schema.table(target), items, scope, holder)?;
        let mut read = level.read;
        read.filter = Filter::all([read.filter].into_iter().chain(level.inner));
        // Every null test and every inner join repeats the filter one level up: without this bound, tests of tests
        // would grow as a power of the depth.
        within("filters_max", self.limits.filters_max, comparisons(&read.filter))?;
        Ok(JoinedEmbed { item, spread, link, read })
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

/// A planned embed with the item that asked for it.
pub(super) struct JoinedEmbed<'r> {
    pub(super) item: &'r EmbedItem,
    /// Whether its members stand in the row above.
    pub(super) spread: bool,
    pub(super) link: Link,
    pub(super) read: Read,
}

impl JoinedEmbed<'_> {
    /// Whether a row has at least one row in this embed.
    fn exists(&self) -> Result<Filter, PlanError> {
        if self.read.groups.as_ref().is_some_and(|groups| groups.having != Filter::True) {
            let name = member_name(self.item);
            return Err(not_implemented(format!("A having on '{name}', which is inner or tested for null.")));
        }
        if self.is_empty() {
            return Ok(Filter::False);
        }
        Ok(Filter::Exists {
            join: self.link.join.clone(),
            table: self.read.table,
            filter: Box::new(self.read.filter.clone()),
            skip: self.read.offset,
        })
    }

    /// Whether its limit or offset leaves nothing of it, whatever there is.
    fn is_empty(&self) -> bool {
        self.read.limit == Some(0) || (self.link.cardinality == Cardinality::One && self.read.offset > 0)
    }

    /// The link to follow for ordering the rows of this level by a column of the embed.
    fn via(&self, parent: &Table) -> Result<Via, PlanError> {
        if self.link.cardinality == Cardinality::Many {
            let name = member_name(self.item).to_owned();
            return Err(PlanError::BadRelatedOrder { table: parent.name.to_string(), name });
        }
        // An inner join drops the rows whose related row is filtered away; otherwise those count as having none.
        let filter = if self.item.inner { Filter::True } else { self.read.filter.clone() };
        Ok(Via { join: self.link.join.clone(), table: self.read.table, filter })
    }
}

/// The embeds of one level.
struct Joined<'r> {
    embeds: Vec<JoinedEmbed<'r>>,
    names: Names,
}

impl<'r> Joined<'r> {
    fn items(&self) -> Vec<&'r EmbedItem> {
        self.embeds.iter().map(|embed| embed.item).collect()
    }
}

impl Embeds for Joined<'_> {
    fn exists(&self, name: &str) -> Option<Result<Filter, PlanError>> {
        self.names.find(&self.items(), name).map(|position| self.embeds[position].exists())
    }
}

fn ordered<'r>(
    schema: &Schema,
    table: &Table,
    joined: &Joined<'_>,
    terms: impl Iterator<Item = &'r OrderTerm>,
) -> Result<Vec<Order>, PlanError> {
    let mut order = Vec::new();
    for term in terms {
        let embed = match &term.relation {
            None => None,
            Some(name) => Some(&joined.embeds[joined.names.need(&joined.items(), name)?]),
        };
        let via = embed.map(|embed| embed.via(table)).transpose()?;
        let holder = via.as_ref().map_or(table, |via| schema.table(via.table));
        let expr = resolve::expr(holder, &term.field)?;
        if embed.is_some_and(JoinedEmbed::is_empty) {
            // Null for every row.
            continue;
        }
        order.push(Order {
            expr,
            via: via.map(Box::new),
            descending: term.descending,
            nulls_first: term.nulls_first.unwrap_or(term.descending),
        });
    }
    Ok(order)
}

/// Makes an order total, so that pages do not overlap: rows that are equal so far follow their primary key.
fn complete(table: &Table, order: &mut Vec<Order>) {
    if is_total(table, order) {
        return;
    }
    for id in &table.primary_key {
        if !is_ordered(order, id) {
            order.push(Order { via: None, expr: Expr::column(*id), descending: false, nulls_first: false });
        }
    }
}

/// Whether no two rows are equal in an order.
fn is_total(table: &Table, order: &[Order]) -> bool {
    let is_total =
        |key: &[ColumnId]| !key.is_empty() && key.iter().all(|id| is_ordered(order, id) && !table.column(*id).optional);
    is_total(&table.primary_key) || table.uniques.iter().any(|key| is_total(&key.columns))
}

fn is_ordered(order: &[Order], id: &ColumnId) -> bool {
    order.iter().any(|term| term.via.is_none() && term.expr.as_column() == Some(*id))
}
