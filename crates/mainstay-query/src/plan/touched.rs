//! Every table that a plan touches, by whatever part of it.

use mainstay_schema::TableId;

use super::{Filter, Join, Read, Write};

/// Tells every table of a read: its own, those of embeds, filters and orders, and the junctions between them. One that is
/// touched twice is told twice.
pub fn read(plan: &Read, tell: &mut dyn FnMut(TableId)) {
    tell(plan.table);
    around(plan, tell);
}

/// What a read leads to.
fn around(plan: &Read, tell: &mut dyn FnMut(TableId)) {
    filter(&plan.filter, tell);
    for via in plan.order.iter().filter_map(|term| term.via.as_deref()) {
        join(&via.join, tell);
        tell(via.table);
        filter(&via.filter, tell);
    }
    for embed in plan.select.iter().filter_map(|output| output.source.embed()) {
        join(&embed.link.join, tell);
        read(&embed.read, tell);
    }
}

/// Tells every table that a filter leads to; that on which it stands is not among them.
pub fn filter(condition: &Filter, tell: &mut dyn FnMut(TableId)) {
    match condition {
        Filter::True
        | Filter::False
        | Filter::Unknown
        | Filter::Test { .. }
        | Filter::Columns { .. }
        | Filter::Search(_) => {}
        Filter::And(parts) | Filter::Or(parts) => parts.iter().for_each(|part| filter(part, tell)),
        Filter::Not(part) => filter(part, tell),
        Filter::Exists { join: way, table, filter: inner, .. } => {
            join(way, tell);
            tell(*table);
            filter(inner, tell);
        }
    }
}

/// Tells the junction of a link, if it has one.
pub fn join(way: &Join, tell: &mut dyn FnMut(TableId)) {
    match way {
        Join::Direct(_) => {}
        Join::Through { table, .. } => tell(*table),
    }
}

/// Tells every table of a write: those that it changes itself, and those that it looks at or gives back. What a function
/// does is not known, but what is made of its result is.
pub fn write(plan: &Write, tell: &mut dyn FnMut(TableId)) {
    changed(plan, tell);
    match plan {
        Write::Update(update) => filter(&update.filter, tell),
        Write::UpdateEach(update) => filter(&update.filter, tell),
        Write::Delete(delete) => filter(&delete.filter, tell),
        Write::Batch(writes) => writes.iter().for_each(|one| write(one, tell)),
        Write::Insert(_) | Write::Nested(_) | Write::Run(_) => {}
    }
    if let Some(returning) = plan.returning() {
        match plan {
            // The rows are of the function's store, whatever table they are like.
            Write::Run(_) => around(returning, tell),
            _ => read(returning, tell),
        }
    }
}

/// Tells every table whose rows a write changes by itself.
pub fn changed(plan: &Write, tell: &mut dyn FnMut(TableId)) {
    match plan {
        Write::Insert(insert) => tell(insert.table),
        Write::Update(update) => tell(update.table),
        Write::UpdateEach(update) => tell(update.table),
        Write::Delete(delete) => tell(delete.table),
        Write::Nested(nested) => nested.parts.iter().for_each(|part| tell(part.insert.table)),
        Write::Batch(writes) => writes.iter().for_each(|one| changed(one, tell)),
        Write::Run(_) => {}
    }
}
