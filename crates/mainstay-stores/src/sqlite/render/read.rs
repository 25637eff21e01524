//! Reads as SQL: one statement per level of embeds.

use std::ops::Range;

use mainstay_query::plan::{Cardinality, Embed, Filter, Join, Link, Order, Read, Source};
use mainstay_schema::{ColumnId, Schema, Table};

use super::super::types::{Bind, CellKind};
use super::{Scope, Sql};

/// One level of a read: a statement, and what its result columns become.
pub(in crate::sqlite) struct ReadSql<'p> {
    /// The statement.
    pub(in crate::sqlite) text: String,
    /// Its parameters.
    pub(in crate::sqlite) binds: Vec<Bind<'p>>,
    /// The parameters, from 0, that take the key of the row above.
    pub(in crate::sqlite) keys: Range<usize>,
    /// The members of each row.
    pub(in crate::sqlite) members: Vec<MemberSql<'p>>,
}

/// One member of a row.
pub(in crate::sqlite) enum MemberSql<'p> {
    /// A result column.
    Cell {
        /// Which.
        column: usize,
        /// What it becomes.
        kind: CellKind,
    },
    /// The rows of the next level.
    Embed {
        /// A list rather than one row or null.
        many: bool,
        /// The result columns that hold the key for the next level.
        keys: Vec<usize>,
        /// The next level.
        read: Box<ReadSql<'p>>,
    },
}

/// Which rows a level reads.
#[derive(Clone, Copy)]
pub(in crate::sqlite) enum From<'p> {
    /// Those of the plan.
    Plan,
    /// Those of the plan that are linked to the row above.
    Link(&'p Link),
    /// The one whose primary key is brought by each run; filter, order and limit of the plan do not count.
    Key,
    /// All that pass this filter; filter, order and limit of the plan do not count.
    Filter(&'p Filter),
}

impl<'p> ReadSql<'p> {
    /// Renders one level and those below.
    pub(in crate::sqlite) fn new(schema: &'p Schema, plan: &'p Read, from: From<'p>) -> ReadSql<'p> {
        let mut sql = Sql::new(schema);
        let table = schema.table(plan.table);
        sql.push("SELECT ");
        let members = sql.members(Scope::Alias(0), table, plan);
        sql.push(" FROM ");
        let scope = sql.table(table);
        let keys = sql.rows(scope, table, plan, from);
        if matches!(from, From::Plan | From::Link(_)) {
            sql.page(scope, table, plan);
        }
        ReadSql { text: sql.text, binds: sql.binds, keys, members }
    }

    /// All statements of this level and those below.
    pub(in crate::sqlite) fn levels(&self) -> Vec<&ReadSql<'p>> {
        let below = self.members.iter().filter_map(|member| match member {
            MemberSql::Embed { read, .. } => Some(read.levels()),
            MemberSql::Cell { .. } => None,
        });
        std::iter::once(self).chain(below.flatten()).collect()
    }
}

/// Renders the statement that counts the rows that pass a read's filter.
pub(in crate::sqlite) fn count<'p>(schema: &'p Schema, plan: &'p Read) -> (String, Vec<Bind<'p>>) {
    let mut sql = Sql::new(schema);
    let table = schema.table(plan.table);
    sql.push("SELECT count(*) FROM ");
    let scope = sql.table(table);
    sql.rows(scope, table, plan, From::Plan);
    (sql.text, sql.binds)
}

impl<'p> Sql<'p> {
    /// Writes the result columns: the selected values, then the keys that embeds need and nobody selected.
    pub(super) fn members(&mut self, scope: Scope, table: &Table, plan: &'p Read) -> Vec<MemberSql<'p>> {
        let mut columns: Vec<Option<ColumnId>> = Vec::new();
        let mut members = Vec::with_capacity(plan.select.len());
        for output in &plan.select {
            match &output.source {
                Source::Value(expr) => {
                    self.comma(columns.len());
                    self.expr(scope, table, expr);
                    members.push(MemberSql::Cell { column: columns.len(), kind: CellKind::of(&expr.ty(table)) });
                    columns.push(expr.as_column());
                }
                Source::Embed(embed) => members.push(self.embed(embed)),
            }
        }
        for (member, output) in members.iter_mut().zip(&plan.select) {
            if let (MemberSql::Embed { keys, .. }, Source::Embed(embed)) = (member, &output.source) {
                *keys = self.keys(scope, table, near_columns(&embed.link.join), &mut columns);
            }
        }
        if columns.is_empty() {
            self.push("1");
        }
        members
    }

    fn embed(&mut self, embed: &'p Embed) -> MemberSql<'p> {
        let read = ReadSql::new(self.schema, &embed.read, From::Link(&embed.link));
        MemberSql::Embed { many: embed.link.cardinality == Cardinality::Many, keys: Vec::new(), read: Box::new(read) }
    }

    /// The result columns that hold `wanted`, adding those that are not there yet.
    fn keys(
        &mut self,
        scope: Scope,
        table: &Table,
        wanted: impl Iterator<Item = ColumnId>,
        columns: &mut Vec<Option<ColumnId>>,
    ) -> Vec<usize> {
        let position = |column| {
            columns.iter().position(|held| *held == Some(column)).unwrap_or_else(|| {
                self.comma(columns.len());
                self.column(scope, table, column);
                columns.push(Some(column));
                columns.len() - 1
            })
        };
        wanted.map(position).collect()
    }

    fn comma(&mut self, position: usize) {
        if position > 0 {
            self.push(",");
        }
    }

    /// Writes the rest of `FROM` and the `WHERE` clause; gives the parameters that are brought by each run.
    fn rows(&mut self, scope: Scope, table: &Table, plan: &'p Read, from: From<'p>) -> Range<usize> {
        let schema = self.schema;
        let (keys, filter) = match from {
            From::Plan => (0..0, &plan.filter),
            From::Filter(filter) => (0..0, filter),
            From::Key => (self.equal_later(scope, table, table.primary_key.iter().copied()), &Filter::True),
            From::Link(Link { join: Join::Direct(pairs), .. }) => {
                (self.equal_later(scope, table, pairs.iter().map(|pair| pair.there)), &plan.filter)
            }
            From::Link(Link { join: Join::Through { table: junction, parent, child }, .. }) => {
                let junction = schema.table(*junction);
                self.push(" JOIN ");
                let middle = self.table(junction);
                self.push(" ON ");
                self.pairs(child, (middle, junction), (scope, table));
                (self.equal_later(middle, junction, parent.iter().map(|pair| pair.there)), &plan.filter)
            }
        };
        if *filter != Filter::True {
            self.push(if keys.is_empty() { " WHERE " } else { " AND " });
            self.filter(scope, table, filter);
        }
        keys
    }

    /// Writes `WHERE a = ? AND b = ?` with parameters that each run brings.
    fn equal_later(&mut self, scope: Scope, table: &Table, columns: impl Iterator<Item = ColumnId>) -> Range<usize> {
        let start = self.binds.len();
        for (position, column) in columns.enumerate() {
            self.push(if position == 0 { " WHERE " } else { " AND " });
            self.column(scope, table, column);
            self.push("=");
            self.bind(Bind::Later);
        }
        start..self.binds.len()
    }

    fn page(&mut self, scope: Scope, table: &Table, plan: &'p Read) {
        for (position, term) in plan.order.iter().enumerate() {
            self.push(if position == 0 { " ORDER BY " } else { "," });
            self.term(scope, table, term);
        }
        match (plan.limit, plan.offset) {
            (None, 0) => {}
            (limit, offset) => {
                self.push(" LIMIT ");
                self.bind(Bind::Int(limit.map_or(-1, clamp)));
                if offset > 0 {
                    self.push(" OFFSET ");
                    self.bind(Bind::Int(clamp(offset)));
                }
            }
        }
    }

    fn term(&mut self, scope: Scope, table: &Table, term: &'p Order) {
        let schema = self.schema;
        let (ty, may_be_null) = match &term.via {
            None => {
                self.expr(scope, table, &term.expr);
                (term.expr.ty(table), may_be_null(table, term))
            }
            Some((join, target)) => {
                let target = schema.table(*target);
                // The link is written before what it leads to, so the value is taken by name from a nested select.
                self.push("(SELECT ");
                let inner = match join {
                    Join::Direct(_) => self.aliases,
                    Join::Through { .. } => self.aliases + 1,
                };
                self.expr(Scope::Alias(inner), target, &term.expr);
                self.push(" FROM ");
                self.link(scope, table, join, target);
                self.push(" LIMIT 1)");
                (term.expr.ty(target), true)
            }
        };
        self.collate(&ty);
        if term.descending {
            self.push(" DESC");
        }
        // SQLite takes null for the smallest value. Said only where it matters: the words cost the use of an index.
        let nulls_first_by_default = !term.descending;
        if may_be_null && term.nulls_first != nulls_first_by_default {
            self.push(if term.nulls_first { " NULLS FIRST" } else { " NULLS LAST" });
        }
    }
}

fn may_be_null(table: &Table, term: &Order) -> bool {
    // What a view declares about null is not enforced by anybody.
    !table.is_writable() || term.expr.as_column().is_none_or(|column| table.column(column).optional)
}

fn near_columns(join: &Join) -> impl Iterator<Item = ColumnId> {
    let pairs = match join {
        Join::Direct(pairs) => pairs,
        Join::Through { parent, .. } => parent,
    };
    pairs.iter().map(|pair| pair.here)
}

fn clamp(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
