//! From the tree of a query to a plan.

use std::sync::Arc;

use mainstay_http::{Problem, codes};
use mainstay_query::request::{AggregateItem, Field, FieldItem, Item, OrderTerm, Query, StepTo};

use super::fields::Fields;
use super::model::{
    Aggregated, Embed, Filter, From, Join, Level, Lifted, Member, Operand, Order, OrderBy, Qualifier, ReadPlan,
};
use super::place::{Names, Node, not_embedded, place};
use super::returning::returning;
use crate::catalog::{Cardinality, Link, Name, Relation, Relationship};
use crate::plan::{Planner, Root, relationship};

/// Plans a read.
///
/// # Errors
/// PGRST108, 118, 120, 123, 127, 200 or 201.
pub(crate) fn plan<'c>(planner: &Planner<'c>, root: Root<'c>, query: &Query) -> Result<ReadPlan, Problem> {
    let mut names = Names { legacy_allowed: planner.limits.legacy_target_names, legacy: Vec::new() };
    let mut tree = place(query, &mut names)?;
    let (relation, from, qualifier) = match root {
        Root::Relation(relation) => {
            let name = relation.name.clone();
            (Some(relation), From::Relation(name.clone()), Qualifier::Relation(name))
        }
        Root::Written(relation) => {
            let columns = relation.columns.iter().map(|column| column.name.clone()).collect();
            (Some(relation), From::Written(columns), Qualifier::Alias(relation.name.name.clone()))
        }
        Root::Called { function, relation } => {
            let name = relation.map_or(&function.name, |relation| &relation.name);
            (relation, From::Called, Qualifier::Alias(name.name.clone()))
        }
    };
    let is_written = matches!(root, Root::Written(_));
    let mut picks = Vec::new();
    if is_written {
        // The rows that are changed have nothing embedded in them.
        let fields = Fields { catalog: planner.catalog, relation };
        for condition in std::mem::take(&mut tree.filters) {
            picks.push(fields.filter(condition, &[], &mut names)?);
        }
    }
    let mut builder = Builder { planner, names, is_written, refused: None };
    let place = Place { relation, from, qualifier, depth: 0, above: &[] };
    let root_level = builder.level(&tree, place)?;
    if uses_aggregates(&query.select) && !planner.limits.aggregates {
        return Err(Problem::new(codes::AGGREGATES_OFF, "Use of aggregate functions is not allowed"));
    }
    if let Some(problem) = builder.refused {
        return Err(problem);
    }
    let returning = returning(root, &root_level);
    let is_star = matches!(query.select.as_slice(), [] | [Item::Star]);
    let mut legacy = Vec::new();
    if !builder.names.legacy.is_empty() {
        in_order(&query.select, &builder.names.legacy, &mut legacy);
    }
    Ok(ReadPlan { root: root_level, picks, returning, is_star, legacy })
}

/// These pairs of target and alias as the embeds stand in the query.
fn in_order(items: &[Item], used: &[(Arc<str>, Arc<str>)], ordered: &mut Vec<(Arc<str>, Arc<str>)>) {
    for embed in items.iter().filter_map(Item::as_embed) {
        let is_pair = |(target, alias): &&(Arc<str>, Arc<str>)| {
            **target == *embed.target && embed.alias.as_deref() == Some(&**alias)
        };
        if let Some(pair) = used.iter().find(is_pair)
            && !ordered.contains(pair)
        {
            ordered.push(pair.clone());
        }
        in_order(embed.items.as_deref().unwrap_or_default(), used, ordered);
    }
}

fn uses_aggregates(items: &[Item]) -> bool {
    items.iter().any(|item| match item {
        Item::Aggregate(_) => true,
        Item::Embed(embed) | Item::Spread(embed) => embed.items.as_deref().is_some_and(uses_aggregates),
        Item::Star | Item::Except(_) | Item::Field(_) => false,
    })
}

struct Builder<'b, 'c> {
    planner: &'b Planner<'c>,
    names: Names,
    is_written: bool,
    /// What is refused only after everything else was found right.
    refused: Option<Problem>,
}

/// Where a level stands.
struct Place<'p, 'c> {
    relation: Option<&'c Relation>,
    from: From,
    qualifier: Qualifier,
    depth: usize,
    /// What the levels around it are called.
    above: &'p [Qualifier],
}

impl<'c> Builder<'_, 'c> {
    fn level(&mut self, node: &Node<'_>, place: Place<'_, 'c>) -> Result<Level, Problem> {
        let Place { relation, from, qualifier, depth, above } = place;
        let fields = Fields { catalog: self.planner.catalog, relation };
        let around: Vec<Qualifier> = above.iter().cloned().chain([qualifier.clone()]).collect();
        let mut embeds = Vec::new();
        for child in &node.children {
            embeds.push(self.embed(child, relation, &around, depth + 1)?);
        }
        let mut order = Vec::new();
        for term in node.order {
            order.push(self.order(term, node, &mut embeds, fields, &qualifier)?);
        }
        let filters = node.filters.iter().map(|filter| fields.filter(filter, &node.children, &mut self.names));
        let filters: Vec<Filter> = filters.collect::<Result<_, _>>()?;
        let members = members(node, fields, &embeds, self.is_written && depth == 0);
        let mut level = Level {
            from,
            qualifier,
            members,
            is_spread: node.is_spread,
            embeds,
            filters,
            order,
            limit: node.limit,
            offset: node.offset,
            below_zero: node.below_zero.clone(),
        };
        if self.is_written {
            (level.limit, level.offset) = (None, 0);
            level.below_zero.clear();
        } else if let Some(most) = self.planner.limits.rows_max {
            level.limit = Some(level.limit.map_or(most, |limit| limit.min(most)));
        }
        Ok(level)
    }

    fn order(
        &mut self,
        term: &OrderTerm,
        node: &Node<'_>,
        embeds: &mut [Embed],
        fields: Fields<'c>,
        qualifier: &Qualifier,
    ) -> Result<Order, Problem> {
        let by = match &term.relation {
            None => OrderBy::Own(fields.operand(&term.field)),
            Some(name) => {
                let at = self.names.look_up(&node.children, name)?.ok_or_else(|| not_embedded(name))?;
                if embeds[at].is_many {
                    let parent = match qualifier {
                        // What a write or a call gave is called as PostgREST calls it.
                        Qualifier::Alias(_) if node.embed.is_none() => "pgrst_source",
                        _ => fields.relation.map_or(qualifier.name(), |relation| &relation.name.name),
                    };
                    let message = format!("A related order on '{name}' is not possible");
                    return Err(Problem::new(codes::RELATED_ORDER, message).details(format!(
                        "'{parent}' and '{name}' do not form a many-to-one or one-to-one relationship"
                    )));
                }
                let keys = &mut embeds[at].keys;
                let target = Fields { catalog: self.planner.catalog, relation: None };
                keys.push(target.operand(&term.field));
                OrderBy::Embedded { embed: at, key: keys.len() - 1 }
            }
        };
        Ok(Order { by, descending: term.descending, nulls_first: term.nulls_first })
    }

    fn embed(
        &mut self,
        node: &Node<'_>,
        parent: Option<&'c Relation>,
        around: &[Qualifier],
        depth: usize,
    ) -> Result<Embed, Problem> {
        let item = node.embed.expect("only the root is not embedded, and it is in nothing");
        let source = match parent {
            Some(relation) => relation.name.clone(),
            None => Name::new(self.planner.schema, around.last().map(Qualifier::name).unwrap_or_default()),
        };
        let hint = item.hint.as_deref();
        let found = relationship::find(self.planner, &source, &item.target, hint)?;
        let target = self.planner.catalog.relations.get(&found.target);
        let free = |name: &Arc<str>| free_name(name, around);
        let numbered = || free(&Arc::from(format!("{}_{depth}", found.target.name)));
        let unnumbered = |name: &Name, taken: Option<&str>| {
            let is_taken = around.iter().any(|above| *above.name() == *name.name) || taken == Some(&*name.name);
            match is_taken {
                true => Qualifier::Alias(free(&Arc::from(format!("{}_{depth}", name.name)))),
                false => Qualifier::Relation(name.clone()),
            }
        };
        let (qualifier, from, join) = match &found.link {
            Link::Key { columns, .. } => {
                let from = From::Relation(found.target.clone());
                (Qualifier::Alias(numbered()), from, Join::Direct(columns.clone()))
            }
            Link::Many(junction) => {
                let qualifier = unnumbered(&found.target, None);
                let join = Join::Through {
                    table: junction.table.clone(),
                    qualifier: unnumbered(&junction.table, Some(qualifier.name())),
                    near: junction.source_columns.clone(),
                    far: junction.target_columns.clone(),
                };
                (qualifier, From::Relation(found.target.clone()), join)
            }
            Link::Computed { function, parameter, .. } => {
                let from = From::Computed { function: function.clone(), parameter: parameter.clone() };
                (Qualifier::Alias(numbered()), from, Join::Computed)
            }
        };
        let level = self.level(node, Place { relation: target, from, qualifier, depth, above: around })?;
        let name: Arc<str> = Arc::from(item.alias.as_deref().unwrap_or(&item.target));
        let mut embed = Embed {
            alias: Arc::from(format!("{}_{name}_{depth}", source.name)),
            name: (!node.is_spread && shows_anything(&level)).then_some(name),
            is_many: is_many(found),
            is_inner: item.inner,
            join,
            keys: Vec::new(),
            lifted: Vec::new(),
            level,
        };
        if node.is_spread {
            self.lift(&mut embed);
        } else if !embed.is_many && embed.level.limit.is_some_and(|limit| limit > 0) && node.limit.is_none() {
            // A bound on many rows says nothing about one.
            embed.level.limit = None;
        }
        Ok(embed)
    }

    /// Hands the members of a spread up.
    fn lift(&mut self, embed: &mut Embed) {
        let mut lifted = Vec::new();
        let mut add = |name: Arc<str>, aggregate: Option<Aggregated>, is_json: bool| {
            let column = Arc::from(format!("c{}", lifted.len() + 1));
            lifted.push(Lifted { column, name, aggregate, is_json });
        };
        for member in &mut embed.level.members {
            let name = name_of(member);
            match member {
                Member::Aggregate { aggregated, operand, input_cast, .. } => {
                    let aggregated = aggregated.clone();
                    *member = match operand.take() {
                        Some(operand) => Member::Field { operand, cast: input_cast.take(), name: None },
                        None => Member::One,
                    };
                    add(name, Some(aggregated), false);
                }
                Member::Field { operand, .. } => {
                    let is_json = operand.shown_by.is_some();
                    add(name, None, is_json);
                }
                Member::Star | Member::One => add(name, None, false),
            }
        }
        for inner in &mut embed.level.embeds {
            if let Some(name) = &inner.name {
                add(name.clone(), None, true);
            }
            for inner in &mut inner.lifted {
                add(inner.name.clone(), inner.aggregate.take(), inner.is_json);
            }
        }
        if embed.is_many {
            if lifted.iter().any(|lifted| lifted.aggregate.is_some()) && self.refused.is_none() {
                let details = "Aggregates are not implemented for one-to-many or many-to-many spreads.";
                self.refused = Some(Problem::new(codes::NOT_IMPLEMENTED, "Feature not implemented").details(details));
            }
            lifted.iter_mut().for_each(|lifted| lifted.is_json = true);
        }
        embed.lifted = lifted;
    }
}

/// What is selected. Rows that a write gives back may have more columns than the relation, so that the star would be too much.
fn members(node: &Node<'_>, fields: Fields<'_>, embeds: &[Embed], is_written: bool) -> Vec<Member> {
    let is_root_default = node.embed.is_none() && node.items.is_empty();
    let is_lifted = |embed: &Embed| embed.lifted.iter().any(|lifted| lifted.aggregate.is_some());
    let is_grouped = node.items.iter().any(|item| matches!(item, Item::Aggregate(_))) || embeds.iter().any(is_lifted);
    let is_known = fields.relation.is_some();
    let must_expand = fields.has_shown_forms() || node.is_spread || (is_known && (is_grouped || is_written));
    let star = || match must_expand {
        true => fields.all_shown().into_iter().map(|operand| field(operand, None, None)).collect(),
        false => vec![Member::Star],
    };
    if is_root_default {
        return star();
    }
    let mut members = Vec::new();
    for item in node.items {
        match item {
            Item::Star => members.extend(star()),
            Item::Field(FieldItem { alias, field: asked, cast }) => {
                let name = alias.as_deref().or_else(|| key_of(asked));
                members.push(field(fields.shown(asked), cast.clone(), name));
            }
            Item::Aggregate(item) => members.push(aggregate(item, fields)),
            // Leaving columns out is no part of PostgREST's language, so nothing parses to this.
            Item::Except(_) => {}
            Item::Embed(_) | Item::Spread(_) => {}
        }
    }
    members
}

fn field(operand: Operand, cast: Option<String>, name: Option<&str>) -> Member {
    // What a function makes of a column would be called like the function.
    let own = operand.shown_by.is_some().then(|| operand.name.clone());
    Member::Field { name: name.map(Arc::from).or(own), operand, cast }
}

fn aggregate(item: &AggregateItem, fields: Fields<'_>) -> Member {
    Member::Aggregate {
        aggregated: Aggregated { word: item.function.word(), cast: item.cast.clone() },
        operand: item.field.as_ref().map(|field| fields.operand(field)),
        input_cast: item.input_cast.clone(),
        name: item.alias.as_deref().map(Arc::from),
    }
}

/// The name that a JSON path gives: its last key, or that of the column if there is none.
fn key_of(field: &Field) -> Option<&str> {
    let key = field.path.iter().rev().find_map(|step| match &step.to {
        StepTo::Key(key) => Some(key.as_str()),
        StepTo::Index(_) => None,
    });
    (!field.path.is_empty()).then(|| key.unwrap_or(&field.name))
}

fn name_of(member: &Member) -> Arc<str> {
    match member {
        Member::Field { operand, name, .. } => name.clone().unwrap_or_else(|| operand.name.clone()),
        Member::Aggregate { aggregated, name, .. } => name.clone().unwrap_or_else(|| Arc::from(aggregated.word)),
        Member::Star | Member::One => Arc::from("*"),
    }
}

fn shows_anything(level: &Level) -> bool {
    let is_shown = |embed: &Embed| embed.name.is_some() || !embed.lifted.is_empty();
    !level.members.is_empty() || level.embeds.iter().any(is_shown)
}

fn is_many(relationship: &Relationship) -> bool {
    match &relationship.link {
        Link::Key { cardinality, .. } => *cardinality == Cardinality::OneToMany,
        Link::Many(_) => true,
        Link::Computed { to_one, .. } => !to_one,
    }
}

/// A name that no level around has.
fn free_name(name: &Arc<str>, around: &[Qualifier]) -> Arc<str> {
    let mut name = name.clone();
    while around.iter().any(|above| *above.name() == *name) {
        name = Arc::from(format!("{name}_"));
    }
    name
}
