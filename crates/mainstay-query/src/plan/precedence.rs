//! Which of several mistakes a caller is told: the one that the earlier check meets.
//!
//! Planning meets mistakes in the order that costs least. Where that is not the order of the checks, the earlier
//! mistake is looked for here, once something is known to be wrong. What is right pays nothing for it.

use mainstay_schema::{Schema, Table, Type};

use super::rows::Rows;
use super::scope::{Names, Scope, member_name, refuse_namesakes};
use super::select::{is_aggregate, is_plain_count};
use super::{Cardinality, nested, operations, relations, resolve, write};
use crate::error::{ParseError, PlanError};
use crate::limits::Limits;
use crate::request::{Action, Body, Condition, EmbedItem, IsWord, Item, Operation, Query, ReadRequest, WriteRequest};

/// The check that meets a mistake. Checks come in this order, and the first that meets one tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// Of the body by itself.
    Body,
    /// Of the names of tables and functions, of relations, and of what stands on embeds.
    Names,
    /// Of the columns that a body names.
    Columns,
    /// What a database would find while it does the work: fields, types, values, keys.
    Work,
}

impl PlanError {
    /// The check that meets this mistake.
    pub fn check(&self) -> Check {
        match self {
            PlanError::Parse(ParseError::Body { .. }) => Check::Body,
            PlanError::Nested { error, .. } => error.check(),
            PlanError::UnknownBodyColumn { .. } => Check::Columns,
            PlanError::Parse(_)
            | PlanError::UnknownTable { .. }
            | PlanError::NotEmbedded { .. }
            | PlanError::AggregatesOff
            | PlanError::BadEmbedFilter { .. }
            | PlanError::BadRelatedOrder { .. }
            | PlanError::NoRelation { .. }
            | PlanError::Ambiguous { .. }
            | PlanError::ReplaceFilters
            | PlanError::UnknownFunction { .. }
            | PlanError::AmbiguousFunction { .. }
            | PlanError::SingleAffected => Check::Names,
            _ => Check::Work,
        }
    }
}

/// What the caller of a read is told, whose planning met `met`.
pub(super) fn of_read(schema: &Schema, limits: &Limits, request: &ReadRequest, met: PlanError) -> PlanError {
    match resolve::table(schema, &request.table) {
        Ok(table) => of_query(schema, limits, table, &request.query, met),
        Err(_) => met,
    }
}

/// What the caller is told of a query on `table`, the planning of which met `met`.
pub(super) fn of_query(schema: &Schema, limits: &Limits, table: &Table, query: &Query, met: PlanError) -> PlanError {
    if met.check() <= Check::Names {
        return met;
    }
    names(schema, limits, table, query).err().unwrap_or(met)
}

/// What the caller of a write is told, whose planning met `met`.
pub(super) fn of_write(schema: &Schema, limits: &Limits, request: &WriteRequest, met: PlanError) -> PlanError {
    if met.check() == Check::Body {
        return met;
    }
    let columns = match body_columns(limits, request) {
        Err(error) if error.check() == Check::Body => return error,
        columns => columns.unwrap_or_default(),
    };
    let Ok(table) = resolve::table(schema, &request.table) else { return met };
    let met = of_query(schema, limits, table, &request.query, met);
    if met.check() <= Check::Columns {
        return met;
    }
    let may_hold_rows = matches!(request.action, Action::Insert { .. });
    let is_row = |name: &str| may_hold_rows && nested::is_relation(schema, table, name);
    let unknown = columns.iter().filter(|name| !is_row(name));
    unknown.map(|name| resolve::body_column(table, name)).find_map(Result::err).unwrap_or(met)
}

/// The columns that the body of a write names, whatever its table.
fn body_columns(limits: &Limits, request: &WriteRequest) -> Result<Vec<String>, PlanError> {
    let body = match &request.action {
        Action::Insert { body, .. } | Action::Replace { body } | Action::Update { body, .. } => body,
        Action::Delete => return Ok(Vec::new()),
    };
    if let Body::Operations(text) | Body::MergePatch(text) | Body::JsonPatch(text) = body {
        operations::check_json(text)?;
        return Ok(Vec::new());
    }
    // In a body of elements this type takes whatever another would.
    let any = resolve::unknown_table("", [("any".into(), Type::Array(Box::new(Type::Text)))]);
    let mut rows = Rows::unread(&any, request.query.columns.as_deref(), limits.write_rows_max)?;
    write::read_rows(body, &mut rows)?;
    Ok(rows.names().map(str::to_owned).collect())
}

/// The first mistake in the relations of a query and in what stands on its embeds.
fn names(schema: &Schema, limits: &Limits, table: &Table, query: &Query) -> Result<(), PlanError> {
    let names = if limits.legacy_target_names { Names::Legacy } else { Names::AliasOnly };
    Level { schema, limits, names }.check(table, &query.select, Scope::root(query))
}

/// Checks one level after the other.
struct Level<'a> {
    schema: &'a Schema,
    limits: &'a Limits,
    names: Names,
}

impl Level<'_> {
    fn check(&self, table: &Table, items: &[Item], scope: Scope<'_>) -> Result<(), PlanError> {
        let embeds: Vec<&EmbedItem> = items.iter().filter_map(Item::as_embed).collect();
        refuse_namesakes(&embeds)?;
        let (here, below) = scope.split(&embeds, self.names)?;
        let mut cardinalities = Vec::with_capacity(embeds.len());
        for (embed, scope) in embeds.iter().zip(below) {
            let (target, link) = relations::find(self.schema, table, embed)?;
            self.check(self.schema.table(target), embed.items.as_deref().unwrap_or_default(), scope)?;
            cardinalities.push(link.cardinality);
        }
        let is_counted = |item: &&Item| is_aggregate(table, item) && !is_plain_count(table, items, item);
        if !self.limits.aggregates && items.iter().any(|item| is_counted(&item)) {
            return Err(PlanError::AggregatesOff);
        }
        for name in here.order.iter().copied().flatten().filter_map(|term| term.relation.as_ref()) {
            let embed = self.names.need(&embeds, name)?;
            if cardinalities[embed] == Cardinality::Many {
                let name = member_name(embeds[embed]).to_owned();
                return Err(PlanError::BadRelatedOrder { table: table.name.to_string(), name });
            }
        }
        here.filters.iter().try_for_each(|condition| self.null_tests(table, &embeds, condition))
    }

    /// Refuses tests of embeds for anything but null.
    fn null_tests(&self, table: &Table, embeds: &[&EmbedItem], condition: &Condition) -> Result<(), PlanError> {
        match condition {
            Condition::And(parts) | Condition::Or(parts) => {
                parts.iter().try_for_each(|part| self.null_tests(table, embeds, part))
            }
            Condition::Not(part) => self.null_tests(table, embeds, part),
            Condition::Test(_, Operation::Is(IsWord::Null | IsWord::NotNull)) => Ok(()),
            Condition::Test(field, _) => {
                let is_embed = field.path.is_empty()
                    && table.find_column(&field.name).is_none()
                    && self.names.find(embeds, &field.name).is_some();
                if is_embed { Err(PlanError::BadEmbedFilter { name: field.name.clone() }) } else { Ok(()) }
            }
        }
    }
}
