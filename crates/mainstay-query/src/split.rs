//! What a store does exactly, and what is left for us.
//!
//! A filter that a store cannot carry out exactly stays here as part of a [`Residual`], and with it the offset, the
//! limit and the count, which only mean something after all filters. The order goes to the store in any case: leaving
//! rows out does not change it. Writes leave nothing: what a store cannot do exactly is refused.

pub mod stores;

use mainstay_schema::{ColumnId, Schema, TableId, Value, ValueError};

use crate::authorize::Authorized;
use crate::evaluate::{self, Related};
use crate::plan::{Count, Expr, Filter, Join, Output, Read, Source, Via, Write};

/// How well an engine carries out a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// Gives exactly the rows that pass.
    Exact,
    /// Gives all rows that pass and perhaps more.
    Superset,
    /// Cannot use it.
    Unsupported,
}

/// A filter that neither the store nor we can carry out (PGRST127).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot filter rows of \"{table}\" {how}")]
pub struct Refused {
    /// The table whose rows were to be filtered.
    pub table: String,
    /// By what, and where.
    pub how: &'static str,
}

/// What is left for us of one level of a read. Rows come with the members that it needs at their end.
#[derive(Debug, Clone, PartialEq)]
pub struct Residual {
    /// Members of a row that were asked for; what follows them is ours and goes no further.
    pub members: usize,
    /// The columns that follow, in order.
    pub columns: Vec<ColumnId>,
    /// Columns of the table.
    width: usize,
    /// The filter left for us.
    filter: Filter,
    /// Rows to skip.
    pub offset: u64,
    /// Most rows to give.
    pub limit: Option<u64>,
    /// Whether to count the rows that pass.
    pub count: Count,
    /// What is left of the embeds, by the position of their member.
    pub embeds: Vec<(usize, Residual)>,
}

impl Residual {
    /// Whether a row passes what is left of the filter; `values` are those of [`Residual::columns`].
    ///
    /// # Errors
    /// [`ValueError`] if a cast inside the filter fails on this row.
    pub fn passes(&self, values: &[Value]) -> Result<bool, ValueError> {
        let mut row = vec![Value::Null; self.width];
        for (column, value) in self.columns.iter().zip(values) {
            row[column.index()] = value.clone();
        }
        evaluate::filter(&NoLinks, &row, &self.filter).map(|outcome| outcome == Some(true))
    }
}

/// Splits a read into what goes to the store and what is left for us, `None` if nothing is. The pushed read selects
/// all that ours needs, and no level of it that leaves work here gives more than `rows_max` rows and one.
///
/// # Errors
/// [`Refused`] if a filter that follows a link would be left for us: only the store has the rows that it leads to.
pub fn read(
    schema: &Schema,
    plan: Authorized<Read>,
    rows_max: u64,
    support: impl Fn(TableId, &Filter) -> Support,
) -> Result<(Authorized<Read>, Option<Residual>), Refused> {
    // Most stores do everything: then the plan goes on as it is, uncopied.
    if is_exact(&plan, &support) {
        return Ok((plan, None));
    }
    let mut pushed = (*plan).clone();
    match split(schema, &mut pushed, rows_max, &support)? {
        None => Ok((plan, None)),
        Some(residual) => Ok((plan.with_plan(pushed), Some(residual))),
    }
}

/// Whether the store carries out every filter of a write, and of the rows that it returns, exactly.
///
/// # Errors
/// [`Refused`] with the first that it does not.
pub fn write(schema: &Schema, plan: &Write, support: impl Fn(TableId, &Filter) -> Support) -> Result<(), Refused> {
    check_write(schema, plan, &support)
}

/// Whether nothing of a read and its embeds is left for us.
fn is_exact(plan: &Read, support: Supports<'_>) -> bool {
    let is_ours = |part: &Filter| support(plan.table, part) != Support::Exact;
    let leaves_filter = match &plan.filter {
        Filter::True => false,
        Filter::And(parts) => parts.iter().any(is_ours),
        other => is_ours(other),
    };
    let is_exact = |output: &Output| output.source.embed().is_none_or(|embed| is_exact(&embed.read, support));
    let is_exact_via = |via: &Via| via.filter == Filter::True || support(via.table, &via.filter) == Support::Exact;
    let orders = plan.order.iter().filter_map(|term| term.via.as_deref()).all(is_exact_via);
    !leaves_filter && orders && plan.select.iter().all(is_exact)
}

type Supports<'s> = &'s dyn Fn(TableId, &Filter) -> Support;

fn split(schema: &Schema, plan: &mut Read, rows_max: u64, support: Supports<'_>) -> Result<Option<Residual>, Refused> {
    let mut embeds = Vec::new();
    let members = plan.width();
    let mut position = 0;
    let table = schema.table(plan.table);
    let refused = |how| Err(Refused { table: table.name.to_string(), how });
    for output in &mut plan.select {
        let is_spread = matches!(output.source, Source::Spread(_));
        match output.source.embed_mut() {
            None => position += 1,
            Some(embed) => {
                let width = if is_spread { embed.read.width() } else { 1 };
                match split(schema, &mut embed.read, rows_max, support)? {
                    None => {}
                    // Their members are spread over the row above, or over arrays, where no row is left to look at.
                    Some(_) if is_spread || plan.groups.is_some() => return refused("and the rows that they hold"),
                    Some(residual) => embeds.push((position, residual)),
                }
                position += width;
            }
        }
    }
    let is_exact_via = |via: &Via| via.filter == Filter::True || support(via.table, &via.filter) == Support::Exact;
    if !plan.order.iter().filter_map(|term| term.via.as_deref()).all(is_exact_via) {
        return refused("and order them by related rows");
    }
    let filter = std::mem::replace(&mut plan.filter, Filter::True);
    let (pushed, left) = split_filter(plan.table, filter, support);
    plan.filter = Filter::all(pushed);
    if left.is_empty() && embeds.is_empty() {
        return Ok(None);
    }
    if left.iter().any(follows_link) {
        return refused("by rows related to them");
    }
    if left.iter().any(Filter::compares_ranges) {
        return refused("by how their ranges lie");
    }
    if !left.is_empty() && plan.groups.is_some() {
        return refused("before it groups them");
    }
    if !left.is_empty() && plan.after.is_some() && plan.count != Count::None {
        return refused("and count those before a place in their order");
    }
    let mut residual = Residual {
        members,
        columns: Vec::new(),
        width: table.columns.len(),
        filter: Filter::all(left),
        offset: 0,
        limit: None,
        count: Count::None,
        embeds,
    };
    if residual.filter == Filter::True {
        // Only embeds are left: this level is the store's as it is.
        return Ok(Some(residual));
    }
    columns_of(&residual.filter, &mut residual.columns);
    plan.select.extend(residual.columns.iter().map(|column| Output {
        name: table.column(*column).name.clone(),
        source: Source::Value(Expr::column(*column)),
    }));
    residual.offset = std::mem::take(&mut plan.offset);
    residual.limit = plan.limit.replace(rows_max.saturating_add(1));
    residual.count = std::mem::take(&mut plan.count);
    Ok(Some(residual))
}

/// The parts of a filter that the store may use, and those that are left for us; a superset is both.
fn split_filter(table: TableId, filter: Filter, support: Supports<'_>) -> (Vec<Filter>, Vec<Filter>) {
    let parts = match filter {
        Filter::True => Vec::new(),
        Filter::And(parts) => parts,
        other => vec![other],
    };
    let (mut pushed, mut left) = (Vec::new(), Vec::new());
    for part in parts {
        match support(table, &part) {
            Support::Exact => pushed.push(part),
            Support::Superset => {
                pushed.push(part.clone());
                left.push(part);
            }
            Support::Unsupported => left.push(part),
        }
    }
    (pushed, left)
}

fn follows_link(filter: &Filter) -> bool {
    match filter {
        Filter::True
        | Filter::False
        | Filter::Unknown
        | Filter::Test { .. }
        | Filter::Columns { .. }
        | Filter::Search(_) => false,
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(follows_link),
        Filter::Not(part) => follows_link(part),
        Filter::Exists { .. } => true,
    }
}

fn columns_of(filter: &Filter, columns: &mut Vec<ColumnId>) {
    let mut add = |column| {
        if !columns.contains(&column) {
            columns.push(column);
        }
    };
    match filter {
        Filter::True | Filter::False | Filter::Unknown | Filter::Exists { .. } => {}
        Filter::And(parts) | Filter::Or(parts) => parts.iter().for_each(|part| columns_of(part, columns)),
        Filter::Not(part) => columns_of(part, columns),
        Filter::Test { expr, .. } => add(expr.column),
        Filter::Columns { left, right, .. } => {
            add(left.column);
            add(right.column);
        }
        Filter::Search(search) => search.columns.iter().copied().for_each(add),
    }
}

fn check_write(schema: &Schema, plan: &Write, support: Supports<'_>) -> Result<(), Refused> {
    match plan {
        Write::Insert(_) | Write::Nested(_) => {}
        Write::Update(update) => check_exact(schema, update.table, &update.filter, support)?,
        Write::UpdateEach(update) => {
            let mut keys = update.rows.iter().take(1).map(|change| update.key_filter(change));
            keys.try_for_each(|key| check_exact(schema, update.table, &key, support))?;
            check_exact(schema, update.table, &update.filter, support)?;
        }
        Write::Delete(delete) => check_exact(schema, delete.table, &delete.filter, support)?,
        Write::Batch(writes) => writes.iter().try_for_each(|write| check_write(schema, write, support))?,
        Write::Run(_) => {}
    }
    plan.returning().map_or(Ok(()), |returning| check_returned(schema, returning, support))
}

fn check_returned(schema: &Schema, plan: &Read, support: Supports<'_>) -> Result<(), Refused> {
    check_exact(schema, plan.table, &plan.filter, support)?;
    for output in &plan.select {
        if let Some(embed) = output.source.embed() {
            check_returned(schema, &embed.read, support)?;
        }
    }
    Ok(())
}

fn check_exact(schema: &Schema, table: TableId, filter: &Filter, support: Supports<'_>) -> Result<(), Refused> {
    if split_filter(table, filter.clone(), support).1.is_empty() {
        Ok(())
    } else {
        Err(Refused { table: schema.table(table).name.to_string(), how: "like this in a write" })
    }
}

/// A residual follows no links: [`split`] refused those that would.
struct NoLinks;

impl Related for NoLinks {
    fn any(
        &self,
        _: &Join,
        _: &[Value],
        _: TableId,
        _: &mut dyn FnMut(&[Value]) -> Result<bool, ValueError>,
    ) -> Result<bool, ValueError> {
        unreachable!("a residual follows no links")
    }
}

#[cfg(test)]
mod tests;
