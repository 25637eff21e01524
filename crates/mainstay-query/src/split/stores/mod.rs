//! Plans over tables of several stores: what goes to which store, and how the rows are put together here.
//!
//! A read is taken apart at the links that lead from a table of one store to a table of another. Its rows come from
//! the store of its table with the members that those links need at their end ([`Level`]); the rows on the far side are then
//! read by their keys ([`keyed`]). A filter that follows such a link becomes a test of the near columns, once the keys are
//! known that pass on the far side ([`each_far`], [`found`]).
//!
//! Knows no store, only their names in the schema. Carried out by `mainstay-store`, in its folder `federation/`.

mod filters;
mod keys;
mod level;

use mainstay_schema::MAIN;
use mainstay_schema::{Schema, TableId};

use crate::authorize::{Authorized, Granted, Widened};
use crate::plan::{Join, Read, Write, touched};

pub use filters::{FarFilter, each_far, each_far_of_write, local, returned_mut, takes_apart};
pub use keys::{BEGINNINGS_MAX, any_of, beginnings, counted, found, found_of, keyed, samples};
pub use level::{Far, Level, Near, Piece, Place, Placing, Sort, check, level};

/// What cannot be put together from several stores (PGRST127): says which tables and stores, and what would do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Apart(pub String);

/// Name of the store whose rows a read gives. Functions are the main one's.
pub fn store_of<'s>(schema: &'s Schema, plan: &Read) -> &'s str {
    if plan.call.is_some() { MAIN } else { schema.table(plan.table).store_name() }
}

/// Names of the stores of all tables that a read touches, its own first.
pub fn of_read<'s>(schema: &'s Schema, plan: &Read) -> Vec<&'s str> {
    let mut names = vec![store_of(schema, plan)];
    let mut is_own = plan.call.is_some();
    touched::read(plan, &mut |table| {
        // The table of a function's result comes first, and says nothing of where the rows are.
        if !std::mem::take(&mut is_own) {
            add(schema, table, &mut names);
        }
    });
    names
}

/// The one store of a read, or nothing if it touches several. Every read is asked this, so it keeps no list.
pub fn only_of_read<'s>(schema: &'s Schema, plan: &Read) -> Option<&'s str> {
    let own = store_of(schema, plan);
    let mut is_one = true;
    let mut is_result = plan.call.is_some();
    touched::read(plan, &mut |table| {
        is_one &= std::mem::take(&mut is_result) || schema.table(table).store_name() == own;
    });
    is_one.then_some(own)
}

/// The stores of a read that touches several, its own first; nothing for any other.
pub fn several_of_read<'s>(schema: &'s Schema, plan: &Read) -> Option<Vec<&'s str>> {
    if only_of_read(schema, plan).is_some() { None } else { Some(of_read(schema, plan)) }
}

/// The stores of a write that touches several, that of what it changes first; nothing for any other.
pub fn several_of_write<'s>(schema: &'s Schema, plan: &Write) -> Option<Vec<&'s str>> {
    Some(of_write(schema, plan)).filter(|names| names.len() > 1)
}

/// Names of the stores of the rows that a write changes itself.
pub fn of_changed<'s>(schema: &'s Schema, plan: &Write) -> Vec<&'s str> {
    let mut names = Vec::new();
    touched::changed(plan, &mut |table| add(schema, table, &mut names));
    if names.is_empty() {
        names.push(MAIN);
    }
    names
}

/// Names of the stores of all tables that a write touches, that of what it changes first.
pub fn of_write<'s>(schema: &'s Schema, plan: &Write) -> Vec<&'s str> {
    let mut names = of_changed(schema, plan);
    touched::write(plan, &mut |table| add(schema, table, &mut names));
    names
}

/// The one store of a write, or nothing if it touches several.
pub fn only_of_write<'s>(schema: &'s Schema, plan: &Write) -> Option<&'s str> {
    one_of(of_write(schema, plan))
}

fn add<'s>(schema: &'s Schema, table: TableId, names: &mut Vec<&'s str>) {
    let name = schema.table(table).store_name();
    if !names.contains(&name) {
        names.push(name);
    }
}

fn one_of(names: Vec<&str>) -> Option<&str> {
    match names.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

/// Whether a link stays in one store.
pub fn is_near(schema: &Schema, store: &str, join: &Join, table: TableId) -> bool {
    let mut is_near = schema.table(table).store_name() == store;
    touched::join(join, &mut |junction| is_near &= schema.table(junction).store_name() == store);
    is_near
}

/// A part of a read that was let through.
///
/// # Errors
/// [`Widened`] if it is none, which is a mistake of whoever made it.
pub fn part(granted: &Granted, plan: Read) -> Result<Authorized<Read>, Widened> {
    granted.part(plan)
}

/// The part of a write that the store of its tables carries out.
///
/// # Errors
/// [`Widened`] if it is none.
pub fn part_of_write(whole: &Authorized<Write>, plan: Write) -> Result<Authorized<Write>, Widened> {
    whole.with_plan(plan)
}

#[cfg(test)]
mod tests;
