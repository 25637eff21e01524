//! Grouped rows as SQL: the groups in a nested statement, what is asked of them around it.
//!
//! The nested statement names its columns `c0`, `c1`, … after the columns of the plan's table of groups, so no name of
//! a request gets into the text.

use std::fmt::Write as _;

use mainstay_query::plan::{Aggregate, Embed, Filter, Function, Groups, Join, Output, Read, Source};
use mainstay_schema::{ColumnId, Table, Type};

use super::dialect::Dialect;
use super::read::{From, LeftJoin, MemberSql, ReadSql};
use super::{Bind, Scope, Sql};

/// The result columns of the nested statement in the making.
#[derive(Default)]
struct Nested<'p> {
    /// Result columns so far.
    columns: usize,
    /// Values of a group so far.
    values: usize,
    /// The result columns, from 1, that make the groups.
    keys: Vec<usize>,
    joins: Vec<LeftJoin<'p>>,
}

/// A table whose columns are written, and the column of it that says whether its row is there at all.
#[derive(Clone, Copy)]
struct Near<'p> {
    scope: Scope,
    table: &'p Table,
    present: Option<ColumnId>,
}

impl<'p, D: Dialect> ReadSql<'p, D> {
    /// Renders the groups of a level.
    pub(super) fn grouped(
        mut sql: Sql<'p, D>,
        plan: &'p Read,
        groups: &'p Groups,
        from: From<'p, D>,
    ) -> ReadSql<'p, D> {
        sql.push("SELECT * FROM ");
        let nested = sql.nested(plan, groups, from);
        if matches!(from, From::Plan | From::Link(..) | From::Given(_)) {
            sql.page(Scope::Groups, &groups.table, &groups.order, plan.limit, plan.offset);
        }
        ReadSql {
            text: sql.text,
            binds: sql.binds,
            keys: nested.later,
            members: nested.members,
            total: None,
            needs_link: nested.has_keys,
            listed: None,
            unsure: None,
        }
    }
}

/// What the groups of a level are made of.
pub(super) struct NestedSql<'p, D: Dialect> {
    later: std::ops::Range<usize>,
    members: Vec<MemberSql<'p, D>>,
    /// Whether no rows are no groups.
    has_keys: bool,
}

impl<'p, D: Dialect> Sql<'p, D> {
    /// Writes `(SELECT … GROUP BY …) WHERE …`.
    pub(super) fn nested(&mut self, plan: &'p Read, groups: &'p Groups, from: From<'p, D>) -> NestedSql<'p, D> {
        let table = self.schema.table(plan.table);
        let alias = self.alias();
        let scope = Scope::Alias(alias);
        let mut nested = Nested::default();
        self.push("(SELECT ");
        let members = self.group_members(Near { scope, table, present: None }, &plan.select, &mut nested);
        self.push(" FROM ");
        self.rows_of(table, plan, from, alias);
        self.joins(&nested.joins);
        let later = self.rows(scope, table, plan, from);
        for (position, key) in nested.keys.iter().enumerate() {
            self.push(if position == 0 { " GROUP BY " } else { "," });
            let _ = write!(self.text, "{key}");
        }
        self.push(") AS g");
        if groups.having != Filter::True {
            self.push(" WHERE ");
            self.filter(Scope::Groups, &groups.table, &groups.having);
        }
        NestedSql { later, members, has_keys: !nested.keys.is_empty() }
    }

    fn group_members(
        &mut self,
        near: Near<'p>,
        select: &'p [Output],
        nested: &mut Nested<'p>,
    ) -> Vec<MemberSql<'p, D>> {
        let mut members = Vec::with_capacity(select.len());
        for output in select {
            match &output.source {
                Source::Value(expr) => {
                    self.comma(nested.columns);
                    // Equal documents may be different text.
                    let was_comparing = std::mem::replace(&mut self.is_comparing, expr.ty(near.table) == Type::Json);
                    D::expr(self, near.scope, near.table, expr);
                    self.is_comparing = was_comparing;
                    members.push(self.value(&expr.ty(near.table), nested));
                    nested.keys.push(nested.columns);
                }
                Source::Aggregate(aggregate) => {
                    self.comma(nested.columns);
                    let kind = self.aggregate(near, aggregate);
                    members.push(self.named(kind, nested));
                }
                Source::Spread(embed) => {
                    let far = self.group_join(near, embed, nested);
                    members.extend(self.group_members(far, &embed.read.select, nested));
                }
                Source::Embed(embed) => {
                    let far = self.group_join(near, embed, nested);
                    let inner = self.group_members(far, &embed.read.select, nested);
                    self.comma(nested.columns);
                    self.push("CASE WHEN ");
                    self.present(far);
                    let _ = write!(self.text, " IS NOT NULL THEN 1 END AS p{}", nested.columns);
                    nested.columns += 1;
                    nested.keys.push(nested.columns);
                    members.push(MemberSql::Joined { present: nested.columns - 1, members: inner });
                }
            }
        }
        members
    }

    /// Names the value that was just written.
    fn value(&mut self, ty: &Type, nested: &mut Nested<'p>) -> MemberSql<'p, D> {
        self.named(D::kind(ty), nested)
    }

    fn named(&mut self, kind: D::Kind, nested: &mut Nested<'p>) -> MemberSql<'p, D> {
        let _ = write!(self.text, " AS c{}", nested.values);
        nested.values += 1;
        nested.columns += 1;
        MemberSql::Cell { column: nested.columns - 1, kind }
    }

    /// The related table, to be joined under the filter of the embed. The planner lets in only links to one row.
    fn group_join(&mut self, near: Near<'p>, embed: &'p Embed, nested: &mut Nested<'p>) -> Near<'p> {
        let Join::Direct(pairs) = &embed.link.join else { unreachable!("a link to one row has no junction") };
        let table = self.schema.table(embed.read.table);
        let alias = self.alias();
        let filter = Some(&embed.read.filter);
        nested.joins.push(LeftJoin { near: (near.scope, near.table), far: (alias, table), pairs, filter });
        // What is equal to something is not null.
        Near { scope: Scope::Alias(alias), table, present: pairs.first().map(|pair| pair.there) }
    }

    fn present(&mut self, near: Near<'p>) {
        match near.present {
            Some(column) => self.column(near.scope, near.table, column),
            None => self.push("1"),
        }
    }

    /// Writes an aggregate; gives how it is read.
    fn aggregate(&mut self, near: Near<'p>, aggregate: &'p Aggregate) -> D::Kind {
        let base = aggregate.base_type(near.table);
        let cast = aggregate.cast.as_ref().filter(|to| **to != base);
        if let Some(kind) = cast.and_then(|to| D::cast_later(&base, to)) {
            self.uncast(near, aggregate);
            return kind;
        }
        match cast {
            Some(to) => D::cast(self, &base, to, |sql| sql.uncast(near, aggregate)),
            None => self.uncast(near, aggregate),
        }
        D::kind(&aggregate.ty(near.table))
    }

    fn uncast(&mut self, near: Near<'p>, aggregate: &'p Aggregate) {
        match &aggregate.input {
            None => {
                self.push("count(");
                match near.present {
                    Some(_) => self.present(near),
                    None => self.push("*"),
                }
                self.push(")");
            }
            Some(input) => {
                let ty = input.ty(near.table);
                let is_opaque = input.as_column().is_some_and(|column| D::is_opaque(self.schema, near.table, column));
                // The largest of some values is not the one whose text comes last.
                let was_comparing = std::mem::replace(&mut self.is_comparing, is_opaque);
                let value = |sql: &mut Self| {
                    D::aggregate(sql, aggregate.function, &ty, |sql| D::expr(sql, near.scope, near.table, input));
                };
                match aggregate.function {
                    Function::Min | Function::Max if is_opaque => D::opaque(self, &ty, value),
                    _ => value(self),
                }
                self.is_comparing = was_comparing;
            }
        }
    }
}

/// Renders the statement that counts the groups.
pub(super) fn count<'p, D: Dialect>(
    mut sql: Sql<'p, D>,
    plan: &'p Read,
    groups: &'p Groups,
    from: From<'p, D>,
) -> (String, Vec<Bind<'p, D>>) {
    sql.push("SELECT count(*) FROM ");
    sql.nested(plan, groups, from);
    (sql.text, sql.binds)
}
