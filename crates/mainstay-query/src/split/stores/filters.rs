//! Filters that follow links into other stores.

use mainstay_schema::{Schema, TableId};

use super::{found, is_near, samples};
use crate::plan::{Filter, Join, Pair, Read, Write};

/// Whether more than `skip` far rows pass: a part of a filter that the store of the near rows cannot answer.
#[derive(Debug, Clone, PartialEq)]
pub struct FarFilter {
    /// The table on whose rows it stands.
    pub parent: TableId,
    /// How the far rows are found.
    pub join: Join,
    /// Their table.
    pub table: TableId,
    /// What they must satisfy.
    pub filter: Filter,
    /// Rows that do not count.
    pub skip: u64,
    /// What the near rows must satisfy besides, as far as their store can tell: of others it does not matter whether this
    /// holds.
    pub around: Filter,
}

impl FarFilter {
    /// The columns of the near rows and those that they are compared with, of the far table or of the junction.
    pub fn pairs(&self) -> &[Pair] {
        let (Join::Direct(pairs) | Join::Through { parent: pairs, .. }) = &self.join;
        pairs
    }
}

/// Tells each far filter of a read of `store` and of its near embeds, always in one order, and puts what it is told instead
/// in its place.
pub fn each_far(schema: &Schema, store: &str, read: &mut Read, tell: &mut dyn FnMut(FarFilter) -> Option<Filter>) {
    Walk { schema, store, tell }.read(read);
}

/// The same for a write to tables of `store`, and for what it gives back.
pub fn each_far_of_write(
    schema: &Schema,
    store: &str,
    write: &mut Write,
    tell: &mut dyn FnMut(FarFilter) -> Option<Filter>,
) {
    let mut walk = Walk { schema, store, tell };
    match write {
        Write::Update(update) => walk.filter(update.table, &mut update.filter),
        Write::UpdateEach(update) => walk.filter(update.table, &mut update.filter),
        Write::Delete(delete) => walk.filter(delete.table, &mut delete.filter),
        Write::Batch(writes) => {
            writes.iter_mut().for_each(|write| each_far_of_write(schema, store, write, walk.tell));
            return;
        }
        Write::Insert(_) | Write::Nested(_) | Write::Run(_) => {}
    }
    if let Some(returning) = returned_mut(write) {
        walk.read(returning);
    }
}

/// What a write gives back.
pub fn returned_mut(write: &mut Write) -> Option<&mut Read> {
    match write {
        Write::Insert(insert) => insert.returning.as_deref_mut(),
        Write::Update(update) => update.returning.as_deref_mut(),
        Write::UpdateEach(update) => update.returning.as_deref_mut(),
        Write::Delete(delete) => delete.returning.as_deref_mut(),
        Write::Nested(nested) => nested.returning.as_deref_mut(),
        Write::Batch(_) => None,
        Write::Run(run) => run.returning.as_deref_mut(),
    }
}

/// The filter as the store of `table` will see it, with keys that stand for any; `None` if it follows no far link.
pub fn local(schema: &Schema, table: TableId, filter: &Filter) -> Option<Filter> {
    let store = schema.table(table).store_name();
    let mut local = filter.clone();
    let mut is_far = false;
    let mut tell = |far: FarFilter| {
        is_far = true;
        let columns: Vec<_> = far.pairs().iter().map(|pair| pair.here).collect();
        Some(found(&columns, &[samples(schema, far.parent, &columns)]))
    };
    Walk { schema, store, tell: &mut tell }.filter(table, &mut local);
    is_far.then_some(local)
}

/// Whether a filter on rows of a table of `store` follows a far link anywhere.
pub fn takes_apart(schema: &Schema, store: &str, filter: &Filter) -> bool {
    match filter {
        Filter::True
        | Filter::False
        | Filter::Unknown
        | Filter::Test { .. }
        | Filter::Columns { .. }
        | Filter::Search(_) => false,
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(|part| takes_apart(schema, store, part)),
        Filter::Not(part) => takes_apart(schema, store, part),
        Filter::Exists { join, table, filter, .. } => {
            !is_near(schema, store, join, *table) || takes_apart(schema, store, filter)
        }
    }
}

struct Walk<'w> {
    schema: &'w Schema,
    store: &'w str,
    tell: &'w mut dyn FnMut(FarFilter) -> Option<Filter>,
}

impl Walk<'_> {
    fn read(&mut self, read: &mut Read) {
        self.filter(read.table, &mut read.filter);
        for via in read.order.iter_mut().filter_map(|term| term.via.as_deref_mut()) {
            if is_near(self.schema, self.store, &via.join, via.table) {
                self.filter(via.table, &mut via.filter);
            }
        }
        for embed in read.select.iter_mut().filter_map(|output| output.source.embed_mut()) {
            if is_near(self.schema, self.store, &embed.link.join, embed.read.table) {
                self.read(&mut embed.read);
            }
        }
    }

    /// A filter as a whole.
    fn filter(&mut self, table: TableId, filter: &mut Filter) {
        if !takes_apart(self.schema, self.store, filter) {
            return;
        }
        let parts = match &*filter {
            Filter::And(parts) => parts.as_slice(),
            other => std::slice::from_ref(other),
        };
        let is_near = |part: &&Filter| !takes_apart(self.schema, self.store, part);
        let around = Filter::all(parts.iter().filter(is_near).cloned());
        self.part(table, filter, &around);
    }

    fn part(&mut self, table: TableId, filter: &mut Filter, around: &Filter) {
        match filter {
            Filter::True
            | Filter::False
            | Filter::Unknown
            | Filter::Test { .. }
            | Filter::Columns { .. }
            | Filter::Search(_) => {}
            Filter::And(parts) | Filter::Or(parts) => {
                parts.iter_mut().for_each(|part| self.part(table, part, around));
            }
            Filter::Not(part) => self.part(table, part, around),
            Filter::Exists { join, table: other, filter: inner, skip } => {
                if is_near(self.schema, self.store, join, *other) {
                    self.filter(*other, inner);
                    return;
                }
                let far = FarFilter {
                    parent: table,
                    join: join.clone(),
                    table: *other,
                    filter: (**inner).clone(),
                    skip: *skip,
                    around: around.clone(),
                };
                if let Some(instead) = (self.tell)(far) {
                    *filter = instead;
                }
            }
        }
    }
}
