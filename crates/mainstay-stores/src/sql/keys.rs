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
pub(crate) struct Listed {
    /// The result columns that hold the key that a row belongs to.
    #[cfg_attr(not(feature = "mysql"), allow(dead_code, reason = "only MySQL takes lists"))]
    pub(crate) columns: Range<usize>,
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
        if is_windowed {
            self.push(",row_number() OVER (PARTITION BY ");
            for (position, column) in columns.iter().enumerate() {
                self.comma(position);
                self.column(holder, near, *column);
            }
            for (position, term) in plan.order.iter().enumerate() {
                self.push(if position == 0 { " ORDER BY " } else { "," });
                D::order_term(self, scope, table, term);
            }
            self.push(") AS i");
        }
        Listed { columns: held..held + columns.len() }
    }

    /// Writes which rows of each key are given.
    pub(super) fn window_page(&mut self, plan: &Read) {
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
