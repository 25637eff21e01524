//! Grouped rows: what makes a group, which groups, in what order.

use std::sync::Arc;

use mainstay_schema::{Schema, Table, Type};

use super::filter::{Conditions, Embeds};
use super::resolve::{self, not_implemented};
use super::{Cardinality, Embed, Expr, Filter, Groups, Order, Output, Read, Source};
use crate::error::PlanError;
use crate::limits::Limits;
use crate::request::{Condition, OrderTerm};

/// One value of a group.
struct Leaf {
    /// The embed or spread that holds it, if one does.
    holder: Option<Arc<str>>,
    /// Whether it stands inside an object of its own.
    is_nested: bool,
    /// Name of the member.
    name: Arc<str>,
    /// What it is, unless it is an aggregate.
    key: Option<Expr>,
    ty: Type,
}

/// Plans what is asked of the groups that `select` makes of the rows of `table`.
pub(super) fn groups<'r>(
    schema: &Schema,
    conditions: &mut Conditions<'_>,
    table: &Table,
    select: &[Output],
    having: &[&'r Condition],
    order: impl Iterator<Item = &'r OrderTerm>,
) -> Result<Groups, PlanError> {
    let mut leaves = Vec::new();
    add_leaves(schema, table, select, None, false, &mut leaves)?;
    let mut groups = Groups { table: table_of(table, &leaves), having: Filter::True, order: Vec::new() };
    for term in order {
        groups.order.push(Order {
            via: None,
            expr: ordered(table, &groups.table, &leaves, term)?,
            descending: term.descending,
            nulls_first: term.nulls_first.unwrap_or(term.descending),
        });
    }
    for (leaf, column) in leaves.iter().zip(&groups.table.columns) {
        let is_ordered = groups.order.iter().any(|term| term.expr.as_column() == Some(column.id));
        if leaf.key.is_some() && !is_ordered {
            let expr = Expr::column(column.id);
            groups.order.push(Order { via: None, expr, descending: false, nulls_first: false });
        }
    }
    let mut parts = Vec::with_capacity(having.len());
    for condition in having {
        parts.push(conditions.plan(&groups.table, &NoEmbeds, condition)?);
    }
    groups.having = Filter::all(parts);
    Ok(groups)
}

/// Groups the rows of a read by all its members that are no aggregates, in their order.
///
/// # Errors
/// [`PlanError`] if they hold lists.
pub fn grouped(schema: &Schema, read: Read) -> Result<Read, PlanError> {
    let limits = Limits::default();
    let table = schema.table(read.table);
    let groups = groups(schema, &mut Conditions::new(&limits), table, &read.select, &[], std::iter::empty())?;
    Ok(Read { groups: Some(Box::new(groups)), order: Vec::new(), ..read })
}

fn add_leaves(
    schema: &Schema,
    table: &Table,
    select: &[Output],
    holder: Option<&Arc<str>>,
    is_nested: bool,
    leaves: &mut Vec<Leaf>,
) -> Result<(), PlanError> {
    for output in select {
        let (key, ty) = match &output.source {
            Source::Value(expr) => (Some(expr.clone()), expr.ty(table)),
            Source::Aggregate(aggregate) => (None, aggregate.ty(table)),
            Source::Embed(embed) | Source::Spread(embed) => {
                refuse_list(schema, output, embed)?;
                let is_nested = is_nested || matches!(output.source, Source::Embed(_));
                let target = schema.table(embed.read.table);
                add_leaves(schema, target, &embed.read.select, Some(&output.name), is_nested, leaves)?;
                continue;
            }
        };
        leaves.push(Leaf { holder: holder.cloned(), is_nested, name: output.name.clone(), key, ty });
    }
    Ok(())
}

/// What a group has in common must be values: those of this row, and of rows that it has one of at most.
fn refuse_list(schema: &Schema, output: &Output, embed: &Embed) -> Result<(), PlanError> {
    let read = &embed.read;
    let is_one = embed.link.cardinality == Cardinality::One && schema.table(read.table).is_writable();
    if is_one && read.groups.is_none() && read.offset == 0 && read.limit != Some(0) {
        return Ok(());
    }
    let details = format!(
        "Groups by '{}': rows are grouped by columns and by related rows of which there is one at most.",
        output.name
    );
    Err(not_implemented(details))
}

/// The groups as a table.
fn table_of(table: &Table, leaves: &[Leaf]) -> Table {
    let columns = leaves.iter().map(|leaf| {
        let name = match &leaf.holder {
            Some(holder) if leaf.is_nested => format!("{holder}({})", leaf.name).into(),
            _ => leaf.name.clone(),
        };
        (name, leaf.ty.clone())
    });
    resolve::unknown_table(&table.name, columns)
}

/// What a term orders groups by: a member of theirs, or a column that one of their members shows.
fn ordered(table: &Table, groups: &Table, leaves: &[Leaf], term: &OrderTerm) -> Result<Expr, PlanError> {
    let field = &term.field;
    if let Some(relation) = &term.relation {
        if !leaves.iter().any(|leaf| leaf.holder.as_deref() == Some(relation)) {
            return Err(PlanError::NotEmbedded { name: relation.clone(), alias: None });
        }
        let is_meant = |leaf: &Leaf| leaf.holder.as_deref() == Some(relation) && *leaf.name == field.name;
        let position = leaves.iter().position(is_meant).filter(|_| field.path.is_empty());
        let not_grouped = || PlanError::NotGrouped { table: relation.clone(), column: field.name.clone() };
        return position.map(|position| Expr::column(groups.columns[position].id)).ok_or_else(not_grouped);
    }
    if groups.find_column(&field.name).is_some() {
        return resolve::expr(groups, field);
    }
    let expr = resolve::expr(table, field)?;
    let is_shown = |leaf: &Leaf| leaf.holder.is_none() && leaf.key.as_ref() == Some(&expr);
    let position = leaves.iter().position(is_shown);
    let not_grouped = || PlanError::NotGrouped { table: table.name.to_string(), column: field.name.clone() };
    position.map(|position| Expr::column(groups.columns[position].id)).ok_or_else(not_grouped)
}

/// Groups hold no embeds that could be tested for null.
struct NoEmbeds;

impl Embeds for NoEmbeds {
    fn exists(&self, _: &str) -> Option<Result<Filter, PlanError>> {
        None
    }
}
