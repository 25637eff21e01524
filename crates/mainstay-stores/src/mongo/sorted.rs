//! Pages in an order that begins with a field of an index. The server takes an index for an order only if it has all of
//! it, with the key at the end and nothing (null) where we have it; else it reads and sorts all rows for each page. So where
//! the page ends is asked first, by the field alone, which the index tells; then only the rows up to there are
//! sorted. Rows with nothing in the field are asked for by themselves.

use bson::{Bson, Document, RawBsonRef, doc};
use mainstay_query::plan::{Expr, Order, Read};
use mainstay_schema::{ColumnId, Schema, Table};
use mainstay_store::StoreError;
use mongodb::bson;
use mongodb::options::FindOptions;

use super::filter::{self, Field, all, any};
use super::names::{self, ID};
use super::pipeline::Pipeline;
use super::read::{as_find, counted};
use super::session::Session;
use super::shell;

/// The field that an order begins with, and the page that is asked for.
#[derive(Debug, Clone)]
pub(super) struct Sorted {
    field: Field,
    descending: bool,
    nulls_first: bool,
    may_be_null: bool,
    pub(super) page: Page,
}

/// Which of the rows that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) offset: u64,
    pub(super) limit: u64,
}

/// Rows that follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Those with nothing in the field.
    Nothing,
    /// The others.
    Values,
}

impl Sorted {
    /// How a page is sorted, where an index has the first field of the order and not all of it.
    pub(super) fn of(schema: &Schema, table: &Table, plan: &Read, limit: Option<u64>) -> Option<Sorted> {
        // The server takes no larger number than this for rows that are passed over.
        let is_taken = |limit: &u64| *limit > 0 && plan.offset.saturating_add(*limit) <= i64::MAX.unsigned_abs();
        let limit = limit.filter(is_taken)?;
        let first = plan.order.first().filter(|_| plan.after.is_none())?;
        let column = plain(table, first)?;
        let field = Field::of(schema, table, column).filter(|field| field.name != ID)?;
        if !filter::is_ordered(&field.ty) {
            return None;
        }
        let may_be_null = field.is_found || table.column(column).optional;
        let indexes = indexes(schema, table);
        let mut leading = indexes.iter().filter(|index| index.first().is_some_and(|(name, _)| *name == field.name));
        let is_given = |index: &Index<'_>| !may_be_null && gives(index, table, &plan.order);
        if leading.clone().next().is_none() || leading.any(is_given) {
            return None;
        }
        let (descending, nulls_first) = (first.descending, first.nulls_first);
        Some(Sorted { field, descending, nulls_first, may_be_null, page: Page { offset: plan.offset, limit } })
    }

    /// The rows of all pages, in their order.
    pub(super) fn parts(&self) -> &'static [Part] {
        match (self.may_be_null, self.nulls_first) {
            (false, _) => &[Part::Values],
            (true, true) => &[Part::Nothing, Part::Values],
            (true, false) => &[Part::Values, Part::Nothing],
        }
    }

    /// What is true of the rows of a part alone. A list that holds nothing is taken for nothing.
    fn condition(&self, part: Part) -> Document {
        match part {
            Part::Nothing => self.field.is(Bson::Null),
            Part::Values if self.may_be_null => self.field.is(doc! { "$ne": null }),
            Part::Values => filter::always(),
        }
    }

    /// The condition on the rows of a part, of which a read has this one.
    fn which(&self, pipeline: &Pipeline, part: Part) -> Document {
        all(vec![pipeline.filter().unwrap_or_default(), self.condition(part)])
    }

    /// What tells where a page of a part ends: by the index alone, if it has all fields of the condition.
    pub(super) fn end(&self, pipeline: &Pipeline, page: Page) -> (Document, FindOptions) {
        let mut options = FindOptions::default();
        options.sort = Some(doc! { &self.field.name: if self.descending { -1 } else { 1 } });
        options.skip = Some((page.offset + page.limit).saturating_sub(1));
        options.limit = Some(1);
        options.projection = Some(doc! { "_id": 0, &self.field.name: 1 });
        (self.which(pipeline, Part::Values), options)
    }

    /// That a row is not behind the last one of a page, as far as the field tells.
    pub(super) fn is_not_behind(&self, last: Bson) -> Document {
        let (until, behind) = if self.descending { ("$gte", "$lt") } else { ("$lte", "$gt") };
        // A value of another kind is neither before nor behind to a condition, and is to an order.
        let not_behind = self.field.is(doc! { "$not": { behind: last.clone() } });
        match self.field.is_found {
            // Of a list the order takes the item that is first.
            true => any(vec![self.field.is(doc! { until: last }), not_behind]),
            false => not_behind,
        }
    }

    /// A read of a page of a part.
    ///
    /// # Errors
    /// As the server says.
    pub(super) async fn narrowed(
        &self,
        session: &mut Session,
        collection: &str,
        pipeline: &Pipeline,
        (part, page): (Part, Page),
    ) -> Result<Pipeline, StoreError> {
        let mut bound = filter::always();
        if part == Part::Values {
            let (filter, options) = self.end(pipeline, page);
            let mut ends = session.find(collection, filter, options).await?;
            if let Some(batch) = ends.next(session).await?
                && let Some(document) = batch.documents()?.next()
                && let Ok(Some(last)) = document.get(&self.field.name)
                && !matches!(last, RawBsonRef::Array(_) | RawBsonRef::Null | RawBsonRef::Undefined)
            {
                let last = Bson::try_from(last).map_err(|error| StoreError::Internal(Box::new(error)))?;
                bound = self.is_not_behind(last);
            }
        }
        Ok(self.bounded(pipeline, (part, page), bound))
    }

    /// A read of a page of a part, of whose rows something is known.
    pub(super) fn bounded(&self, pipeline: &Pipeline, (part, page): (Part, Page), bound: Document) -> Pipeline {
        let which = all(vec![self.which(pipeline, part), bound]);
        let which = if which.is_empty() { Vec::new() } else { vec![doc! { "$match": which }] };
        let rest = pipeline.rest.iter().filter(|stage| !stage.contains_key("$skip")).cloned();
        let mut rest: Vec<Document> = rest.collect();
        if part == Part::Nothing {
            // There are several kinds of nothing to an order.
            rest.iter_mut().filter_map(|stage| stage.get_document_mut("$sort").ok()).for_each(|sort| {
                sort.remove(&self.field.name);
            });
            rest.retain(|stage| !stage.get_document("$sort").is_ok_and(Document::is_empty));
        }
        if let Some(at) = rest.iter().position(|stage| stage.contains_key("$limit")) {
            let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
            rest[at] = doc! { "$limit": number(page.limit) };
            if page.offset > 0 {
                rest.insert(at, doc! { "$skip": number(page.offset) });
            }
        }
        Pipeline { which, rest, beside: pipeline.beside.clone(), sorted: None }
    }

    /// The command for a part of the page, as it is typed; what it knows of the last row has the name of its field.
    pub(super) fn shown(&self, collection: &str, pipeline: &Pipeline, part: Part) -> String {
        let bound = match part {
            Part::Nothing => filter::always(),
            Part::Values => self.is_not_behind(Bson::String(format!("${}", self.field.name))),
        };
        let narrowed = self.bounded(pipeline, (part, self.page), bound);
        match as_find(&narrowed) {
            Some((filter, options)) => shell::find(collection, &filter, &options),
            None => shell::aggregate(collection, &narrowed.stages()),
        }
    }

    /// How many rows a part has, and `most` if they are more.
    ///
    /// # Errors
    /// As the server says.
    pub(super) async fn count(
        &self,
        session: &mut Session,
        collection: &str,
        pipeline: &Pipeline,
        (part, most): (Part, u64),
    ) -> Result<u64, StoreError> {
        counted(session, collection, vec![doc! { "$match": self.which(pipeline, part) }], Some(most)).await
    }
}

/// The fields of an index, each with whether it is in descending order.
type Index<'t> = Vec<(&'t str, bool)>;

/// The column that a term of an order is, if it is no more than that.
fn plain(table: &Table, term: &Order) -> Option<ColumnId> {
    let Order { expr, via: None, .. } = term else { return None };
    let Expr { path, .. } = expr;
    (path.is_empty() && !filter::is_cast(table, expr)).then_some(expr.column)
}

/// The indexes that have all rows, as Mainstay makes them or as they were found.
fn indexes<'t>(schema: &Schema, table: &'t Table) -> Vec<Index<'t>> {
    let is_found = schema.found().is_some();
    let key = || table.primary_key.iter().copied();
    let named = |columns: &mut dyn Iterator<Item = (ColumnId, bool)>| -> Index<'t> {
        columns.map(|(column, descending)| (names::field(table, column), descending)).collect()
    };
    let mut indexes = Vec::new();
    for index in table.indexes.iter().filter(|index| index.condition.is_none() && !index.unique) {
        let of = index.columns.iter().map(|part| (part.column, part.descending));
        let is_new = |column: &ColumnId| !is_found && index.columns.iter().all(|part| part.column != *column);
        indexes.push(named(&mut of.chain(key().filter(is_new).map(|column| (column, false)))));
    }
    for reference in table.references.iter().filter(|_| !is_found) {
        let is_new = |column: &ColumnId| !reference.columns.contains(column);
        let of = reference.columns.iter().copied().chain(key().filter(is_new));
        indexes.push(named(&mut of.map(|column| (column, false))));
    }
    let uniques = table.uniques.iter().map(|key| key.columns.as_slice());
    for columns in uniques.chain((table.primary_key.len() > 1).then_some(table.primary_key.as_slice())) {
        // Of those that may be null not all rows are in it.
        if is_found || columns.iter().all(|column| !table.column(*column).optional) {
            indexes.push(named(&mut columns.iter().map(|column| (*column, false))));
        }
    }
    indexes
}

/// Whether rows come out of an index in all of an order, from one end or the other.
fn gives(index: &Index<'_>, table: &Table, order: &[Order]) -> bool {
    let mut way = None;
    order.len() <= index.len()
        && order.iter().zip(index).all(|(term, (name, descending))| {
            let is_backward = term.descending != *descending;
            let is_it = plain(table, term).is_some_and(|column| {
                names::field(table, column) == *name && (*name == ID || !table.column(column).optional)
            });
            is_it && *way.get_or_insert(is_backward) == is_backward
        })
}
