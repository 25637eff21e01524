//! Filters that follow links into other stores.

use mainstay_schema::{Schema, TableId};

use super::{found, is_near, samples};
use crate::plan::{Comparison, Filter, Join, Pair, Read, Test, Write};

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
    /// holds. Nothing where nobody can look them up: they come from a function, or are not yet written.
    pub around: Option<Filter>,
}

impl FarFilter {
    /// The columns of the near rows and those that they are compared with, of the far table or of the junction.
    pub fn pairs(&self) -> &[Pair] {
        let (Join::Direct(pairs) | Join::Through { parent: pairs, .. }) = &self.join;
        pairs
    }

    /// Whether fewer rows are likely to be looked at when the near ones are looked up first: they are few by a key, or
    /// nothing is asked of the far ones but to be there.
    pub fn is_narrow_here(&self, schema: &Schema) -> bool {
        let Some(around) = &self.around else { return false };
        let parts = match around {
            Filter::And(parts) => parts.as_slice(),
            one => std::slice::from_ref(one),
        };
        let mut fixed = Vec::new();
        for part in parts {
            if let Filter::Test { expr, test: Test::Compare(Comparison::Eq, _) | Test::In(_) } = part {
                fixed.extend(expr.as_column());
            }
        }
        let table = schema.table(self.parent);
        let mut keys = table.uniques.iter().map(|key| &key.columns).chain([&table.primary_key]);
        let has_key = keys.any(|key| !key.is_empty() && key.iter().all(|column| fixed.contains(column)));
        has_key || (self.filter == Filter::True && *around != Filter::True)
    }
}

/// Tells each far filter of a read of `store` and of its near embeds, always in one order, and puts what it is told instead
/// in its place.
pub fn each_far(schema: &Schema, store: &str, read: &mut Read, tell: &mut dyn FnMut(FarFilter) -> Option<Filter>) {
    let mut walk = Walk { schema, store, tell };
    if read.call.is_some() { walk.result(read) } else { walk.read(read) }
}

/// The same for a write to tables of `store`, and for what it gives back.
pub fn each_far_of_write(
    schema: &Schema,
    store: &str,
    write: &mut Write,
    tell: &mut dyn FnMut(FarFilter) -> Option<Filter>,
) {
    let mut walk = Walk { schema, store, tell };
    walk.write(write, true);
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
    /// A write; `is_alone` unless others come before it, which change what its filters are asked of.
    fn write(&mut self, write: &mut Write, is_alone: bool) {
        let (table, filter) = match write {
            Write::Update(update) => (update.table, Some(&mut update.filter)),
            Write::UpdateEach(update) => (update.table, Some(&mut update.filter)),
            Write::Delete(delete) => (delete.table, Some(&mut delete.filter)),
            Write::Batch(writes) => return writes.iter_mut().for_each(|write| self.write(write, false)),
            Write::Insert(_) | Write::Nested(_) | Write::Run(_) => (TableId(0), None),
        };
        match filter {
            Some(filter) if is_alone => self.filter(table, filter),
            Some(filter) => self.part(table, filter, None),
            None => {}
        }
        let is_delete = matches!(write, Write::Delete(_));
        if let Some(returning) = returned_mut(write) {
            // What a row is like after the write, nobody can look up before it.
            if is_delete { self.read(returning) } else { self.result(returning) }
        }
    }

    fn read(&mut self, read: &mut Read) {
        self.filter(read.table, &mut read.filter);
        self.around(read);
    }

    /// Rows that nobody can look up: those that a function gives, or a write.
    fn result(&mut self, read: &mut Read) {
        self.part(read.table, &mut read.filter, None);
        self.around(read);
    }

    /// What a read leads to.
    fn around(&mut self, read: &mut Read) {
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
        self.part(table, filter, Some(&around));
    }

    fn part(&mut self, table: TableId, filter: &mut Filter, around: Option<&Filter>) {
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
                    around: around.cloned(),
                };
                if let Some(instead) = (self.tell)(far) {
                    *filter = instead;
                }
            }
        }
    }
}
