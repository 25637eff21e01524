//! Reads as SQL: one statement per level of embeds, with to-one embeds that are a plain look-up joined into it.

use std::ops::Range;

use mainstay_query::plan::{Cardinality, Count, Embed, Filter, Join, Link, Order, Pair, Read, Shape, Source};
use mainstay_schema::{ColumnId, Function, Schema, Table, Type};

use super::dialect::Dialect;
use super::keys::{Listed, NUMBERED, near_columns};
use super::place::may_be_null;
use super::{Batch, Bind, Scope, Sql, clamp, group};

/// One level of a read: a statement, and what its result columns become.
pub(crate) struct ReadSql<'p, D: Dialect> {
    /// The statement.
    pub(crate) text: String,
    /// Its parameters.
    pub(crate) binds: Vec<Bind<'p, D>>,
    /// The parameters, from 0, that take the key of the row above.
    pub(crate) keys: Range<usize>,
    /// The members of each row.
    pub(crate) members: Vec<MemberSql<'p, D>>,
    /// The result column that holds the number of rows that pass the filter, if it comes along.
    #[cfg_attr(
        not(any(feature = "postgres", feature = "mysql")),
        allow(dead_code, reason = "only servers count along")
    )]
    pub(crate) total: Option<usize>,
    /// Whether there are no rows without a key from the row above. One group is there even then.
    pub(crate) needs_link: bool,
    /// Where the keys come as a list: what goes with it.
    #[cfg_attr(not(feature = "mysql"), allow(dead_code, reason = "only MySQL takes lists"))]
    pub(crate) listed: Option<Listed>,
    /// Where one row at most is wanted and no key makes sure of it: what the rows are called, for the words of an error.
    pub(crate) unsure: Option<&'p str>,
}

/// One member of a row.
pub(crate) enum MemberSql<'p, D: Dialect> {
    /// A result column.
    Cell {
        /// Which.
        column: usize,
        /// What it becomes.
        kind: D::Kind,
    },
    /// The rows of the next level.
    Embed {
        /// How they are shown.
        form: Form,
        /// The result column that is null when the row that holds this is not there, which then shows as null.
        present: Option<usize>,
        /// The result columns that hold the key for the next level.
        keys: Vec<usize>,
        /// The result column that holds the rows themselves, as an array of records; `None` where the next level is a
        /// statement of its own.
        column: Option<usize>,
        /// The next level.
        read: Box<ReadSql<'p, D>>,
    },
    /// One row or null, joined into this statement.
    Joined {
        /// The result column that is null when there is no row.
        present: usize,
        /// The members of the row, in columns of this statement.
        members: Vec<MemberSql<'p, D>>,
    },
}

/// How the rows of a level are shown in the row above.
pub(crate) enum Form {
    /// One row or null; of two, nobody says which.
    One,
    /// A list.
    Many,
    /// So many members of the row above, of one row or none.
    SpreadOne(usize),
    /// An array for each member of these rows.
    SpreadMany(Shape),
}

impl<D: Dialect> MemberSql<'_, D> {
    /// Whether statements of their own are run below this one.
    pub(crate) fn has_levels(&self) -> bool {
        match self {
            MemberSql::Cell { .. } => false,
            MemberSql::Embed { column, .. } => column.is_none(),
            MemberSql::Joined { members, .. } => members.iter().any(MemberSql::has_levels),
        }
    }
}

/// Most embeds joined into one statement; MySQL joins 61 tables at most, and filters want some.
const JOINS_MAX: usize = 16;

/// Most columns of a statement that joins: far above what people ask for, far below PostgreSQL's 1,664.
const COLUMNS_MAX: usize = 1000;

/// A table that is joined into a statement.
pub(super) struct LeftJoin<'p> {
    pub(super) near: (Scope, &'p Table),
    pub(super) far: (u32, &'p Table),
    pub(super) pairs: &'p [Pair],
    pub(super) filter: Option<&'p Filter>,
}

/// The members of a row that is joined.
struct Joined<'p, D: Dialect> {
    /// The result column that is null when there is no row.
    present: usize,
    members: Vec<MemberSql<'p, D>>,
}

impl<'p, D: Dialect> Joined<'p, D> {
    /// As one member.
    fn shown(self) -> MemberSql<'p, D> {
        MemberSql::Joined { present: self.present, members: self.members }
    }

    /// As members of the row above. Values are null by themselves when there is no row.
    fn spread(self) -> impl Iterator<Item = MemberSql<'p, D>> {
        self.members.into_iter().map(move |mut member| {
            if let MemberSql::Embed { present, .. } = &mut member {
                present.get_or_insert(self.present);
            }
            member
        })
    }
}

/// The result columns of a statement in the making, and what is joined for them.
pub(super) struct Columns<'p> {
    /// Which column of which table each is, if it is one as it is.
    pub(super) held: Vec<Option<(Scope, ColumnId)>>,
    /// The joins; `None` where a statement takes none.
    pub(super) joins: Option<Vec<LeftJoin<'p>>>,
    /// Members of the level that was begun last.
    pub(super) width: usize,
}

/// Which rows a level reads.
pub(crate) enum From<'p, D: Dialect> {
    /// Those of the plan.
    Plan,
    /// Those of the plan that are linked to the row above, which is one of this table.
    Link(&'p Link, &'p Table),
    /// The one whose primary key is brought by each run, if it passes the plan's filter; order and limit do not count.
    Key,
    /// All that pass this filter and the plan's; order and limit of the plan do not count.
    Filter(&'p Filter),
    /// Those of the plan, among rows that a function gave back.
    Given(Given<'p, D>),
}

/// Rows that a function gave back.
pub(crate) struct Given<'p, D: Dialect> {
    /// The function.
    pub(crate) function: &'p Function,
    /// Its rows one after the other; as many values each as its statement has columns.
    pub(crate) values: &'p [D::Native],
}

// Not derived: that would ask the driver's values to be copied too, and only references to them are.
impl<D: Dialect> Copy for From<'_, D> {}
impl<D: Dialect> Copy for Given<'_, D> {}

impl<D: Dialect> Clone for From<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: Dialect> Clone for Given<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'p, D: Dialect> ReadSql<'p, D> {
    /// Renders one level and those below.
    pub(crate) fn new(dialect: D, schema: &'p Schema, plan: &'p Read, from: From<'p, D>) -> ReadSql<'p, D> {
        let mut sql = Sql::new(dialect, schema);
        if let (Some(call), From::Plan) = (&plan.call, from) {
            sql.computed = &schema.function(call.function).sql.computed;
        }
        sql.begin_batch(plan, from);
        sql.is_counting = matches!(from, From::Plan) && counts_along::<D>(plan);
        let is_batched = sql.batch == Batch::Lateral;
        let mut read = match &plan.groups {
            Some(groups) => ReadSql::grouped(sql, plan, groups, from),
            None => ReadSql::ungrouped(sql, plan, from),
        };
        if is_batched {
            read.text.push_str(") AS c");
        }
        read
    }

    pub(super) fn ungrouped(mut sql: Sql<'p, D>, plan: &'p Read, from: From<'p, D>) -> ReadSql<'p, D> {
        let table = sql.schema.table(plan.table);
        let alias = sql.alias();
        let scope = Scope::Alias(alias);
        // Joins may lose the order of what a function gives.
        let is_table = plan.call.is_none() && !matches!(from, From::Given(_));
        let mut columns = Columns { held: Vec::new(), joins: is_table.then(Vec::new), width: 0 };
        let is_paged = matches!(from, From::Plan | From::Link(..) | From::Given(_));
        let is_windowed = sql.batch == Batch::Listed && is_paged && (plan.limit.is_some() || plan.offset > 0);
        if is_windowed {
            sql.push(NUMBERED);
        }
        sql.push("SELECT ");
        let members = sql.level(scope, table, plan, &mut columns);
        let mut listed =
            (sql.batch == Batch::Listed).then(|| sql.listed(scope, table, plan, from, columns.held.len(), is_windowed));
        let total = std::mem::take(&mut sql.is_counting).then(|| sql.counted(table, plan, columns.held.len()));
        let is_empty = columns.held.is_empty() && listed.is_none() && total.is_none();
        sql.push(if is_empty { "1 FROM " } else { " FROM " });
        sql.rows_of(table, plan, from, alias);
        sql.joins(&columns.joins.unwrap_or_default());
        let keys = sql.rows(scope, table, plan, from);
        if is_windowed {
            sql.window_page(plan, &mut listed);
        } else if is_paged {
            sql.page(scope, table, &plan.order, plan.limit, plan.offset);
        }
        ReadSql { text: sql.text, binds: sql.binds, keys, members, total, needs_link: true, listed, unsure: None }
    }

    /// A level that is part of another one's statement.
    pub(super) fn inside(members: Vec<MemberSql<'p, D>>) -> ReadSql<'p, D> {
        ReadSql {
            text: String::new(),
            binds: Vec::new(),
            keys: 0..0,
            members,
            total: None,
            needs_link: true,
            listed: None,
            unsure: None,
        }
    }

    /// All statements of this level and those below.
    pub(crate) fn levels(&self) -> Vec<&ReadSql<'p, D>> {
        let mut levels = vec![self];
        below(&self.members, &mut levels);
        levels
    }
}

fn below<'r, 'p, D: Dialect>(members: &'r [MemberSql<'p, D>], levels: &mut Vec<&'r ReadSql<'p, D>>) {
    for member in members {
        match member {
            MemberSql::Cell { .. } => {}
            MemberSql::Embed { column: None, read, .. } => levels.extend(read.levels()),
            MemberSql::Embed { .. } => {}
            MemberSql::Joined { members, .. } => below(members, levels),
        }
    }
}

/// Whether the number of rows that pass a read's filter comes along with its rows: of a page, which may not show all.
pub(super) fn counts_along<D: Dialect>(plan: &Read) -> bool {
    D::COUNTS_ALONG
        && plan.count == Count::Exact
        && plan.limit.is_some_and(|limit| limit > 0)
        && plan.groups.is_none()
        && plan.call.is_none()
}

/// Renders the statement that counts the rows that pass a read's filter.
pub(crate) fn count<'p, D: Dialect>(
    dialect: D,
    schema: &'p Schema,
    plan: &'p Read,
    from: From<'p, D>,
) -> (String, Vec<Bind<'p, D>>) {
    let mut sql = Sql::new(dialect, schema);
    if let Some(groups) = &plan.groups {
        return group::count(sql, plan, groups, from);
    }
    let table = schema.table(plan.table);
    sql.push("SELECT count(*) FROM ");
    let alias = sql.alias();
    sql.rows_of(table, plan, from, alias);
    // The filter alone: a place in the order does not count.
    sql.passing(Scope::Alias(alias), table, plan);
    (sql.text, sql.binds)
}

/// Renders the statement that counts the rows that pass a read's filter, but no more than `most`.
pub(crate) fn count_some<'p, D: Dialect>(
    dialect: D,
    schema: &'p Schema,
    plan: &'p Read,
    from: From<'p, D>,
    most: u64,
) -> (String, Vec<Bind<'p, D>>) {
    let mut sql = Sql::new(dialect, schema);
    let table = schema.table(plan.table);
    sql.push("SELECT count(*) FROM (SELECT 1 FROM ");
    let alias = sql.alias();
    sql.rows_of(table, plan, from, alias);
    sql.passing(Scope::Alias(alias), table, plan);
    sql.push(" LIMIT ");
    sql.bind(Bind::Int(clamp(most)));
    sql.push(") AS g");
    (sql.text, sql.binds)
}

impl<'p, D: Dialect> Sql<'p, D> {
    /// Writes the result columns of a statement that joins nothing.
    pub(super) fn members(&mut self, scope: Scope, table: &'p Table, plan: &'p Read) -> Vec<MemberSql<'p, D>> {
        let mut columns = Columns { held: Vec::new(), joins: None, width: 0 };
        let members = self.level(scope, table, plan, &mut columns);
        if columns.held.is_empty() {
            self.push("1");
        }
        members
    }

    /// Writes the selected values of one table, then the keys that embeds need and nobody selected.
    pub(super) fn level(
        &mut self,
        scope: Scope,
        table: &'p Table,
        plan: &'p Read,
        columns: &mut Columns<'p>,
    ) -> Vec<MemberSql<'p, D>> {
        let mut members = Vec::with_capacity(plan.select.len());
        columns.width += plan.select.len();
        // Levels of their own, which want the columns that they are looked up by.
        let mut waiting: Vec<(usize, &'p Embed)> = Vec::new();
        for output in &plan.select {
            members.push(match &output.source {
                Source::Value(expr) => {
                    self.comma(columns.held.len());
                    let kind = D::shown(self, scope, table, expr);
                    self.label(columns.held.len());
                    // What is shown in another form is no key to what is below.
                    let is_plain = |column: &ColumnId| !D::is_opaque(self.schema, table, *column);
                    columns.held.push(expr.as_column().filter(is_plain).map(|column| (scope, column)));
                    MemberSql::Cell { column: columns.held.len() - 1, kind }
                }
                Source::Embed(embed) => match self.is_look_up(embed, columns) {
                    Some(pairs) => self.joined((scope, table), embed, pairs, columns).shown(),
                    None => {
                        let is_one = embed.link.cardinality == Cardinality::One;
                        let form = if is_one { Form::One } else { Form::Many };
                        if self.is_in_one {
                            self.inline((scope, table), embed, form, columns)
                        } else {
                            waiting.push((members.len(), embed));
                            self.embed(table, embed, form)
                        }
                    }
                },
                Source::Spread(embed) => match self.is_look_up(embed, columns) {
                    Some(pairs) => {
                        members.extend(self.joined((scope, table), embed, pairs, columns).spread());
                        continue;
                    }
                    None => {
                        let form = match embed.link.cardinality {
                            Cardinality::One => Form::SpreadOne(embed.read.width()),
                            Cardinality::Many => Form::SpreadMany(embed.read.shape(self.schema)),
                        };
                        if self.is_in_one {
                            self.inline((scope, table), embed, form, columns)
                        } else {
                            waiting.push((members.len(), embed));
                            self.embed(table, embed, form)
                        }
                    }
                },
                Source::Aggregate(_) => unreachable!("rows with aggregates are grouped"),
            });
        }
        for (member, embed) in waiting {
            if let MemberSql::Embed { keys, .. } = &mut members[member] {
                *keys = self.keys(scope, table, near_columns(&embed.link.join), columns);
            }
        }
        members
    }

    fn embed(&mut self, near: &'p Table, embed: &'p Embed, form: Form) -> MemberSql<'p, D> {
        let mut read = ReadSql::new(self.dialect, self.schema, &embed.read, From::Link(&embed.link, near));
        // A group of all rows is one, and of a bound that was asked for there is no more.
        let is_bounded = embed.read.groups.is_some() || embed.read.limit == Some(1);
        if matches!(form, Form::One | Form::SpreadOne(_)) && !is_bounded && !self.leads_to_one(embed) {
            read.unsure = Some(&self.schema.table(embed.read.table).name);
        }
        MemberSql::Embed { form, present: None, keys: Vec::new(), column: None, read: Box::new(read) }
    }

    /// The columns of an embed that a join gives as well as a statement of its own: one row at most, which a key of the
    /// table makes sure of, and no filter.
    fn is_look_up(&self, embed: &'p Embed, columns: &Columns<'p>) -> Option<&'p [Pair]> {
        let Join::Direct(pairs) = &embed.link.join else { return None };
        let read = &embed.read;
        let is_one = embed.link.cardinality == Cardinality::One && self.leads_to_one(embed);
        let is_whole =
            read.filter == Filter::True && read.offset == 0 && read.limit != Some(0) && read.groups.is_none();
        // What a row of this level still has to say comes on top, and engines bound the columns.
        let width = columns.width + columns.held.len() + read.select.len();
        let has_room = columns.joins.as_ref().is_some_and(|joins| joins.len() < JOINS_MAX) && width < COLUMNS_MAX;
        (is_one && is_whole && has_room).then_some(pairs)
    }

    /// Whether a key makes sure that an embed finds one row at most. What a view declares is enforced by nobody.
    pub(super) fn leads_to_one(&self, embed: &Embed) -> bool {
        let target = self.schema.table(embed.read.table);
        let Join::Direct(pairs) = &embed.link.join else { return false };
        let holds = |key: &[ColumnId]| {
            !key.is_empty() && key.iter().all(|column| pairs.iter().any(|pair| pair.there == *column))
        };
        target.is_writable() && (holds(&target.primary_key) || target.uniques.iter().any(|key| holds(&key.columns)))
    }

    /// Writes the result columns of an embed that is joined.
    fn joined(
        &mut self,
        near: (Scope, &'p Table),
        embed: &'p Embed,
        pairs: &'p [Pair],
        columns: &mut Columns<'p>,
    ) -> Joined<'p, D> {
        let target = self.schema.table(embed.read.table);
        let alias = self.alias();
        columns.joins.get_or_insert_default().push(LeftJoin { near, far: (alias, target), pairs, filter: None });
        let scope = Scope::Alias(alias);
        let members = self.level(scope, target, &embed.read, columns);
        // What is equal to something is not null.
        let present = self.keys(scope, target, pairs.iter().map(|pair| pair.there).take(1), columns);
        Joined { present: present[0], members }
    }

    /// Writes the joins of a statement, each after the table that it starts from.
    pub(super) fn joins(&mut self, joins: &[LeftJoin<'p>]) {
        for LeftJoin { near, far: (alias, target), pairs, filter } in joins {
            self.push(" LEFT JOIN ");
            self.aliased(target, *alias);
            self.push(" ON ");
            self.pairs(pairs, *near, (Scope::Alias(*alias), target));
            if let Some(filter) = filter.filter(|filter| **filter != Filter::True) {
                self.push(" AND ");
                self.filter(Scope::Alias(*alias), target, filter);
            }
        }
    }

    /// The result columns that hold `wanted`, adding those that are not there yet.
    fn keys(
        &mut self,
        scope: Scope,
        table: &Table,
        wanted: impl Iterator<Item = ColumnId>,
        columns: &mut Columns<'p>,
    ) -> Vec<usize> {
        let held = &mut columns.held;
        let position = |column| {
            held.iter().position(|held| *held == Some((scope, column))).unwrap_or_else(|| {
                self.comma(held.len());
                self.column(scope, table, column);
                self.label(held.len());
                held.push(Some((scope, column)));
                held.len() - 1
            })
        };
        wanted.map(position).collect()
    }

    /// Writes the number of rows that pass the filter of a read as one more result column; gives its place.
    fn counted(&mut self, table: &'p Table, plan: &'p Read, place: usize) -> usize {
        self.comma(place);
        self.push("(SELECT count(*) FROM ");
        let alias = self.alias();
        self.aliased(table, alias);
        self.passing(Scope::Alias(alias), table, plan);
        self.push(")");
        place
    }

    /// Writes the filter of a read as its whole condition.
    fn passing(&mut self, scope: Scope, table: &Table, plan: &'p Read) {
        if plan.filter != Filter::True {
            self.push(" WHERE ");
            self.filter(scope, table, &plan.filter);
        }
    }

    /// Writes the rest of `FROM` and the `WHERE` clause; gives the parameters that are brought by each run.
    pub(super) fn rows(&mut self, scope: Scope, table: &Table, plan: &'p Read, from: From<'p, D>) -> Range<usize> {
        let schema = self.schema;
        let (keys, filter) = match from {
            From::Plan | From::Given(_) => (0..0, &plan.filter),
            From::Filter(filter) => {
                self.push(" WHERE ");
                self.filter(scope, table, filter);
                self.also(scope, table, &plan.filter);
                return 0..0;
            }
            From::Key => match super::row_number(schema, table) {
                Some(name) => {
                    self.push(" WHERE ");
                    self.scoped_name(scope, name);
                    self.push("=");
                    self.bind(Bind::Later);
                    (self.binds.len() - 1..self.binds.len(), &plan.filter)
                }
                None => (self.equal_later(scope, table, table.primary_key.iter().copied()), &plan.filter),
            },
            From::Link(Link { join: Join::Direct(pairs), .. }, _) => {
                (self.equal_later(scope, table, pairs.iter().map(|pair| pair.there)), &plan.filter)
            }
            From::Link(Link { join: Join::Through { table: junction, parent, child }, .. }, _) => {
                let junction = schema.table(*junction);
                self.push(" JOIN ");
                let alias = self.between.take().unwrap_or_else(|| self.alias());
                self.aliased(junction, alias);
                let middle = Scope::Alias(alias);
                self.push(" ON ");
                self.pairs(child, (middle, junction), (scope, table));
                (self.equal_later(middle, junction, parent.iter().map(|pair| pair.there)), &plan.filter)
            }
        };
        let has_keys = matches!(from, From::Key | From::Link(..));
        if !has_keys && *filter != Filter::True {
            self.push(" WHERE ");
            self.filter(scope, table, filter);
        } else {
            self.also(scope, table, filter);
        }
        if let (From::Plan | From::Link(..), Some(place)) = (from, &plan.after) {
            let is_first = !has_keys && *filter == Filter::True;
            self.push(if is_first { " WHERE " } else { " AND " });
            self.after(scope, table, &plan.order, place);
        }
        keys
    }

    /// Adds another condition to a `WHERE` clause.
    pub(super) fn also(&mut self, scope: Scope, table: &Table, filter: &'p Filter) {
        if *filter != Filter::True {
            self.push(" AND ");
            self.filter(scope, table, filter);
        }
    }

    pub(super) fn page(&mut self, scope: Scope, table: &Table, order: &'p [Order], limit: Option<u64>, offset: u64) {
        for (position, term) in order.iter().enumerate() {
            self.push(if position == 0 { " ORDER BY " } else { "," });
            D::order_term(self, scope, table, term);
        }
        // Pages are stable only in an order that is total. Groups have one of their own.
        if scope != Scope::Groups
            && !self.is_result
            && let Some(name) = super::row_number(self.schema, table)
        {
            self.push(if order.is_empty() { " ORDER BY " } else { "," });
            self.scoped_name(scope, name);
        }
        D::page(self, limit, offset);
    }

    /// Writes what a term orders by; gives its type, and whether it may be null.
    pub(crate) fn term_value(&mut self, scope: Scope, table: &Table, term: &'p Order) -> (Type, bool) {
        let schema = self.schema;
        self.is_comparing = true;
        let value = match &term.via {
            None => {
                D::expr(self, scope, table, &term.expr);
                (term.expr.ty(table), self.is_result || may_be_null(table, term))
            }
            Some(via) => {
                let (join, target) = (&via.join, schema.table(via.table));
                // The link is written before what it leads to, so the value is taken by name from a nested select.
                self.push("(SELECT ");
                let inner = match join {
                    Join::Direct(_) => self.aliases,
                    Join::Through { .. } => self.aliases + 1,
                };
                D::expr(self, Scope::Alias(inner), target, &term.expr);
                self.push(" FROM ");
                let related = self.link(scope, table, join, target);
                if via.filter != Filter::True {
                    self.push(" AND ");
                    self.filter(related, target, &via.filter);
                }
                self.push(" LIMIT 1)");
                (term.expr.ty(target), true)
            }
        };
        self.is_comparing = false;
        value
    }
}
