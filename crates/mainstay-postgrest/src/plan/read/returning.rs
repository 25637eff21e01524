//! Which columns the rows of a write must have for what is made of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::model::{Filter, Join, Level, Member, OrderBy};
use crate::plan::Root;

/// The columns: those of the relation first where all of them are needed.
pub(super) fn returning(root: Root<'_>, level: &Level) -> Vec<Arc<str>> {
    // A read has the relation, and a call all that it gives.
    let Root::Written(relation) = root else { return Vec::new() };
    let mut names = BTreeSet::new();
    let mut is_all = false;
    for member in &level.members {
        match member {
            Member::Star => is_all = true,
            Member::Field { operand, .. } => drop(names.insert(operand.name.clone())),
            Member::Aggregate { operand, .. } => names.extend(operand.iter().map(|operand| operand.name.clone())),
            Member::One => {}
        }
    }
    for embed in &level.embeds {
        match &embed.join {
            Join::Direct(pairs) => names.extend(pairs.iter().map(|(near, _)| near.clone())),
            Join::Through { near, .. } => names.extend(near.iter().map(|(near, _)| near.clone())),
            // A function of the row wants it whole.
            Join::Computed => is_all = true,
        }
    }
    for order in &level.order {
        if let OrderBy::Own(operand) = &order.by {
            names.insert(operand.name.clone());
        }
    }
    for filter in &level.filters {
        tested(filter, &mut names);
    }
    names.extend(relation.primary_key.iter().cloned());
    let mut all: Vec<Arc<str>> = Vec::new();
    if is_all {
        all.extend(relation.columns.iter().map(|column| column.name.clone()));
        names.retain(|name| relation.column(name).is_none());
    }
    all.extend(names);
    all
}

fn tested(filter: &Filter, names: &mut BTreeSet<Arc<str>>) {
    match filter {
        Filter::All(parts) | Filter::Any(parts) => parts.iter().for_each(|part| tested(part, names)),
        Filter::Not(inner) => tested(inner, names),
        Filter::Test(test) => drop(names.insert(test.operand.name.clone())),
        Filter::Embedded(_) => {}
    }
}
