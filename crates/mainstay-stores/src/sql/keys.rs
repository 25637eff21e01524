//! The keys of a level, which come with each run of its statement, or for many rows of the level above at once.

use std::fmt::Write as _;
use std::ops::Range;

use mainstay_query::plan::{Join, Link, Read};
use mainstay_schema::{ColumnId, Table};

use super::dialect::Dialect;
use super::read::From;
use super::{Batch, Bind, Scope, Sql, clamp};

/// A statement that takes a list of keys in place of [`KEYS`](super::KEYS); the parameters go before number
/// [`ReadSql::keys`](super::ReadSql::keys).
#[derive(Debug, Clone)]
#[cfg_attr(not(feature = "mysql"), allow(dead_code, reason = "only MySQL takes lists"))]
pub(crate) struct Listed {
    /// The result columns that hold the key that a row belongs to.
    pub(crate) columns: Range<usize>,
    /// How the rows are had without numbering those of each key.
    pub(crate) whole: Option<Whole>,
}

/// A statement that numbers the rows of each key to give a page of them, taken apart: where there are not many rows in all,
/// it costs the server less to give all of them.
#[derive(Debug, Clone)]
#[cfg_attr(not(feature = "mysql"), allow(dead_code, reason = "only MySQL takes lists"))]
pub(crate) struct Whole {
    /// Where the numbers stand.
    numbers: Range<usize>,
    /// Where they say which columns the key is.
    keys: Range<usize>,
    /// Where they say what the rows of a key are ordered by; empty if by nothing.
    order: Range<usize>,
    /// Where the statement within ends.
    end: usize,
    /// Its parameters, which are the first ones.
    pub(crate) binds: usize,
    /// Rows of each key that are passed over.
    offset: u64,
    /// Rows of each key that are given at most.
    limit: Option<u64>,
}

/// What stands before a statement whose rows are numbered.
pub(super) const NUMBERED: &str = "SELECT * FROM (";
/// Rows of each key from which on a page is worth to be cut from all rows. Of fewer, most would be read in vain.
const WHOLE_FROM: u64 = 100;

#[cfg_attr(not(feature = "mysql"), allow(dead_code, reason = "only MySQL takes lists"))]
impl Whole {
    /// The statement without numbers. Its last parameter is how many rows there are at most.
    pub(crate) fn text(&self, numbered: &str) -> String {
        let (head, tail) = (&numbered[NUMBERED.len()..self.numbers.start], &numbered[self.numbers.end..self.end]);
        let (keys, order) = (&numbered[self.keys.clone()], &numbered[self.order.clone()]);
        let comma = if order.is_empty() { "" } else { "," };
        // By the keys first, as an index by them has the rows, which are then not sorted.
        format!("{head}{tail} ORDER BY {keys}{comma}{order} LIMIT ?")
    }

    /// Rows of one key that are wanted, with those that are passed over; nothing where all are.
    pub(crate) fn wanted(&self) -> Option<u64> {
        self.limit.map(|limit| self.offset.saturating_add(limit))
    }

    /// Leaves the page of the rows of one key.
    pub(crate) fn cut<T>(&self, rows: &mut Vec<T>) {
        let count = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
        rows.drain(..count(self.offset).min(rows.len()));
        rows.truncate(self.limit.map_or(usize::MAX, count));
    }
}

impl<'p, D: Dialect> Sql<'p, D> {
    /// Writes what stands around a level whose keys come for many rows at once.
    pub(super) fn begin_batch(&mut self, plan: &'p Read, from: From<'p, D>) {
        let table = self.schema.table(plan.table);
        let (near, columns): (&Table, Vec<ColumnId>) = match from {
            From::Link(link, near) => (near, near_columns(&link.join).collect()),
            From::Key => (table, table.primary_key.clone()),
            From::Plan | From::Filter(_) | From::Given(_) => return,
        };
        if D::IS_LISTED && plan.groups.is_none() {
            self.batch = Batch::Listed;
        }
        if !D::IS_BATCHED {
            return;
        }
        let types: Vec<String> = columns.into_iter().map(|column| D::column_type(self.schema, near, column)).collect();
        D::keys(self, &types);
        self.batch = Batch::Lateral;
    }

    /// Gives a result column a name, where the statement stands inside another.
    pub(super) fn label(&mut self, position: usize) {
        if self.batch == Batch::Listed {
            let _ = write!(self.text, " AS m{position}");
        }
    }

    /// Writes the key that a row belongs to, after so many result columns, and its place among those of that key.
    pub(super) fn listed(
        &mut self,
        scope: Scope,
        table: &'p Table,
        plan: &'p Read,
        from: From<'p, D>,
        held: usize,
        is_windowed: bool,
    ) -> Listed {
        let schema = self.schema;
        let (holder, near, columns): (Scope, &'p Table, Vec<ColumnId>) = match from {
            From::Link(Link { join: Join::Direct(pairs), .. }, _) => {
                (scope, table, pairs.iter().map(|pair| pair.there).collect())
            }
            From::Link(Link { join: Join::Through { table: junction, parent, .. }, .. }, _) => {
                let alias = self.alias();
                self.between = Some(alias);
                let columns = parent.iter().map(|pair| pair.there).collect();
                (Scope::Alias(alias), schema.table(*junction), columns)
            }
            _ => (scope, table, table.primary_key.clone()),
        };
        for (position, column) in columns.iter().enumerate() {
            self.comma(held + position);
            self.column(holder, near, *column);
            let _ = write!(self.text, " AS k{position}");
        }
        let mut whole = None;
        if is_windowed {
            let (start, binds) = (self.text.len(), self.binds.len());
            self.push(",row_number() OVER (PARTITION BY ");
            let keys = self.text.len();
            for (position, column) in columns.iter().enumerate() {
                self.comma(position);
                self.column(holder, near, *column);
            }
            let keys = keys..self.text.len();
            self.push(if plan.order.is_empty() { "" } else { " ORDER BY " });
            let order = self.text.len();
            for (position, term) in plan.order.iter().enumerate() {
                self.comma(position);
                D::order_term(self, scope, table, term);
            }
            let order = order..self.text.len();
            self.push(") AS i");
            // Parameters of the order would stand elsewhere.
            let is_large = plan.limit.is_none_or(|limit| limit >= WHOLE_FROM) && plan.offset <= WHOLE_FROM;
            whole = (is_large && self.binds.len() == binds).then_some(Whole {
                numbers: start..self.text.len(),
                keys,
                order,
                end: 0,
                binds: 0,
                offset: plan.offset,
                limit: plan.limit,
            });
        }
        Listed { columns: held..held + columns.len(), whole }
    }

    /// Writes which rows of each key are given.
    pub(super) fn window_page(&mut self, plan: &Read, listed: &mut Option<Listed>) {
        if let Some(whole) = listed.as_mut().and_then(|listed| listed.whole.as_mut()) {
            (whole.end, whole.binds) = (self.text.len(), self.binds.len());
        }
        self.push(") AS c WHERE c.i>");
        self.bind(Bind::Int(clamp(plan.offset)));
        if let Some(limit) = plan.limit {
            self.push(" AND c.i<=");
            self.bind(Bind::Int(clamp(plan.offset.saturating_add(limit))));
        }
        self.push(" ORDER BY c.i");
    }

    /// Writes `WHERE a = ? AND b = ?` with parameters that each run brings, or with the keys of a batch.
    pub(super) fn equal_later(
        &mut self,
        scope: Scope,
        table: &Table,
        columns: impl Iterator<Item = ColumnId>,
    ) -> Range<usize> {
        let (start, mut count) = (self.binds.len(), 0);
        if self.batch == Batch::Listed {
            let columns: Vec<ColumnId> = columns.collect();
            self.push(if columns.len() > 1 { " WHERE (" } else { " WHERE " });
            for (position, column) in columns.iter().enumerate() {
                self.comma(position);
                D::key_column(self, scope, table, *column);
            }
            self.push(if columns.len() > 1 { ") IN (" } else { " IN (" });
            self.text.push(super::KEYS);
            self.push(")");
            return start..start;
        }
        for (position, column) in columns.enumerate() {
            self.push(if position == 0 { " WHERE " } else { " AND " });
            self.column(scope, table, column);
            self.push("=");
            if self.batch == Batch::Lateral {
                let _ = write!(self.text, "k.k{position}");
                count += 1;
            } else {
                self.bind(Bind::Later);
            }
        }
        // The arrays of keys are the first parameters.
        if self.batch == Batch::Lateral { 0..count } else { start..self.binds.len() }
    }
}

pub(super) fn near_columns(join: &Join) -> impl Iterator<Item = ColumnId> {
    let pairs = match join {
        Join::Direct(pairs) => pairs,
        Join::Through { parent, .. } => parent,
    };
    pairs.iter().map(|pair| pair.here)
}
