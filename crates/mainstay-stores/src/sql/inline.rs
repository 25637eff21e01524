//! Reads in one statement: each level of embeds is an array of records in the row above it.
//!
//! For engines that know such arrays. What comes back is what the levels would give, in the same order; it costs the
//! server more and the network less. Chosen by whoever runs the statement.

#![cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "only PostgreSQL has such arrays"))]

use mainstay_query::plan::{Cardinality, Embed, Join, Read, Source};
use mainstay_schema::{Schema, Table};

use super::dialect::Dialect;
use super::read::{Columns, counts_along};
use super::{Form, From, MemberSql, ReadSql, Scope, Sql};

impl<'p, D: Dialect> ReadSql<'p, D> {
    /// Renders a read with all its levels in one statement; `None` where a level is of a kind that has to be read by a
    /// statement of its own.
    pub(crate) fn in_one(dialect: D, schema: &'p Schema, plan: &'p Read) -> Option<ReadSql<'p, D>> {
        let mut sql = Sql::new(dialect, schema);
        if plan.groups.is_some() || plan.call.is_some() || !sql.fits(plan) {
            return None;
        }
        sql.is_in_one = true;
        sql.is_counting = counts_along::<D>(plan);
        Some(ReadSql::ungrouped(sql, plan, From::Plan))
    }
}

impl<'p, D: Dialect> Sql<'p, D> {
    /// Whether everything that is embedded in a read can come as arrays.
    fn fits(&self, plan: &Read) -> bool {
        plan.select.iter().all(|output| match &output.source {
            Source::Embed(embed) | Source::Spread(embed) => self.fits_inside(embed),
            Source::Value(_) | Source::Aggregate(_) => true,
        })
    }

    fn fits_inside(&self, embed: &Embed) -> bool {
        let (read, table) = (&embed.read, self.schema.table(embed.read.table));
        let is_known = |output: &mainstay_query::plan::Output| match &output.source {
            // What is in a record comes without a name of its type, so that only the engine's own are told apart.
            Source::Value(expr) => expr.as_column().is_none_or(|column| D::has_own_type(self.schema, table, column)),
            Source::Embed(_) | Source::Spread(_) => true,
            Source::Aggregate(_) => false,
        };
        // Of several rows where one is wanted the levels make an error, which an array could not tell.
        let is_sure = embed.link.cardinality == Cardinality::Many || read.limit == Some(1) || self.leads_to_one(embed);
        let is_plain = read.groups.is_none() && read.call.is_none() && read.after.is_none();
        is_sure && is_plain && read.select.iter().all(is_known) && self.fits(read)
    }

    /// Writes the rows of an embed as one result column.
    pub(super) fn inline(
        &mut self,
        near: (Scope, &'p Table),
        embed: &'p Embed,
        form: Form,
        columns: &mut Columns<'p>,
    ) -> MemberSql<'p, D> {
        let column = columns.held.len();
        columns.held.push(None);
        self.comma(column);
        let (read, from) = (&embed.read, From::Link(&embed.link, near.1));
        let table = self.schema.table(read.table);
        self.push("ARRAY(SELECT ROW(");
        let alias = self.alias();
        let scope = Scope::Alias(alias);
        let mut inner = Columns { held: Vec::new(), joins: Some(Vec::new()), width: 0 };
        let members = self.level(scope, table, read, &mut inner);
        self.push(") FROM ");
        self.rows_of(table, read, from, alias);
        self.joins(&inner.joins.unwrap_or_default());
        match &embed.link.join {
            Join::Direct(pairs) => {
                self.push(" WHERE ");
                self.pairs(pairs, near, (scope, table));
            }
            Join::Through { table: junction, parent, child } => {
                let junction = self.schema.table(*junction);
                self.push(" JOIN ");
                let middle = self.table(junction);
                self.push(" ON ");
                self.pairs(child, (middle, junction), (scope, table));
                self.push(" WHERE ");
                self.pairs(parent, near, (middle, junction));
            }
        }
        self.also(scope, table, &read.filter);
        self.page(scope, table, &read.order, read.limit, read.offset);
        self.push(")");
        let read = ReadSql::inside(members);
        MemberSql::Embed { form, present: None, keys: Vec::new(), column: Some(column), read: Box::new(read) }
    }
}
