//! Carries out reads: rows go from the server's message into the sink one by one.

use bson::RawDocument;
use bson::{Document, RawBsonRef, doc};
use mainstay_query::plan::{Cardinality, Count, Embed, Filter, Read, Source};
use mainstay_schema::{Schema, Table, TableId, Value};
use mainstay_store::columns::Columns;
use mainstay_store::sink::ready;
use mainstay_store::{Call, Cell, RowSink, StoreError};
use mongodb::bson;
use mongodb::options::FindOptions;

use super::beside::{self, Beside};
use super::link::{Link, View};
use super::names::member;
use super::pipeline::{self, Pipeline};
use super::session::{Batch, Documents, Session};
use super::sorted::Page;
use super::store::cannot;
use super::{apart, cells, filter, groups};

/// What a read gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    /// Rows put into the sink.
    pub(super) rows: u64,
    /// Rows that pass the filter, if asked.
    pub(super) total: Option<u64>,
}

/// Reads the rows of a plan, all of it from one snapshot.
///
/// # Errors
/// Why it did not come to its end.
pub(super) async fn run(link: &Link, call: &Call, plan: &Read, sink: &mut dyn RowSink) -> Result<Counted, StoreError> {
    let mut session = link.session(call.deadline, View::Snapshot).await?;
    run_inside(&mut session, &call.schema, plan, sink).await
}

/// Reads the rows of a plan in a session, in the transaction that it is in.
///
/// # Errors
/// Why it did not come to its end.
pub(super) async fn run_inside(
    session: &mut Session,
    schema: &Schema,
    plan: &Read,
    sink: &mut dyn RowSink,
) -> Result<Counted, StoreError> {
    if plan.call.is_some() {
        return Err(cannot("run functions, which are SQL"));
    }
    let Some(pipeline) = pipeline::read(schema, plan) else {
        return apart::run(session, schema, plan, sink).await;
    };
    let is_empty = plan.limit == Some(0) || (is_one_group(plan) && plan.offset > 0);
    let rows = if is_empty { 0 } else { stream(session, schema, plan, &pipeline, sink).await? };
    if sink.is_full() {
        // Nothing of it will be shown.
        return Ok(Counted { rows, total: None });
    }
    let total = total(session, schema, plan, &pipeline, rows).await?;
    Ok(Counted { rows, total })
}

/// Puts the rows of a page into the sink; tells their number.
async fn stream(
    session: &mut Session,
    schema: &Schema,
    plan: &Read,
    pipeline: &Pipeline,
    sink: &mut dyn RowSink,
) -> Result<u64, StoreError> {
    let Some(sorted) = &pipeline.sorted else { return put_rows(session, schema, plan, pipeline, sink).await };
    let collection = &schema.table(plan.table).name;
    let (mut page, mut rows) = (sorted.page, 0);
    for part in sorted.parts() {
        let narrowed = sorted.narrowed(session, collection, pipeline, (*part, page)).await?;
        let given = put_rows(session, schema, plan, &narrowed, sink).await?;
        rows += given;
        if given == page.limit || sink.is_full() {
            break;
        }
        // The page goes on with the next part, behind all rows of this one.
        let passed = match given {
            0 if page.offset > 0 => sorted.count(session, collection, pipeline, (*part, page.offset)).await?,
            _ => page.offset,
        };
        page = Page { offset: page.offset - passed, limit: page.limit - given };
    }
    Ok(rows)
}

/// Puts the rows of a pipeline into the sink; tells their number.
async fn put_rows(
    session: &mut Session,
    schema: &Schema,
    plan: &Read,
    pipeline: &Pipeline,
    sink: &mut dyn RowSink,
) -> Result<u64, StoreError> {
    let mut documents = open(session, schema, plan.table, pipeline).await?;
    let mut text = String::new();
    let (mut rows, mut at_once) = (0, beside::PARENTS_MAX);
    while let Some(batch) = documents.next(session).await? {
        let documents: Vec<&RawDocument> = batch.documents()?.collect();
        let mut left = documents.as_slice();
        while !left.is_empty() {
            let (some, others) = left.split_at(left.len().min(at_once));
            let Some(asked) = ask(session, &pipeline.beside, some).await? else {
                at_once = (at_once / 8).max(1);
                continue;
            };
            let mut beside = Vec::with_capacity(asked.len());
            for (member, batches) in pipeline.beside.iter().zip(&asked) {
                beside.push((member.position, member.allot(some, batches)?));
            }
            for (at, document) in some.iter().enumerate() {
                ready(sink).await;
                session.left()?;
                if sink.is_full() {
                    return Ok(rows);
                }
                put_row(schema, plan, &Found { document, beside: &beside, at }, sink, &mut text)?;
                rows += 1;
            }
            left = others;
        }
    }
    if rows == 0 && is_one_group(plan) {
        groups::put_nothing(schema, plan, sink, &mut text)?;
        rows = 1;
    }
    Ok(rows)
}

/// What belongs to some rows; `None` if that is too much for so many of them.
async fn ask(
    session: &mut Session,
    members: &[Beside],
    rows: &[&RawDocument],
) -> Result<Option<Vec<Vec<Batch>>>, StoreError> {
    let mut asked = Vec::with_capacity(members.len());
    for member in members {
        let Some(batches) = member.ask(session, rows).await? else { return Ok(None) };
        asked.push(batches);
    }
    Ok(Some(asked))
}

/// A row as it came, and what was asked by itself and belongs to it: a list of each row, by the place of the member.
struct Found<'f, 'd> {
    document: &'d RawDocument,
    beside: &'f [(usize, Vec<Vec<&'d RawDocument>>)],
    at: usize,
}

impl<'f, 'd> Found<'f, 'd> {
    /// A row that is all inside of one document.
    fn whole(document: &'d RawDocument) -> Found<'f, 'd> {
        Found { document, beside: &[], at: 0 }
    }

    /// The rows of a member.
    fn rows(&self, position: usize) -> Vec<&'d RawDocument> {
        if let Some((_, lists)) = self.beside.iter().find(|(place, _)| *place == position) {
            return lists.get(self.at).cloned().unwrap_or_default();
        }
        let rows = self.document.get_array(member(position)).ok();
        rows.into_iter().flatten().flatten().filter_map(RawBsonRef::as_document).collect()
    }
}

/// Whether a read gives one group, even of no rows.
fn is_one_group(plan: &Read) -> bool {
    plan.groups.is_some() && !groups::has_keys(plan)
}

/// Asks for the rows: by the plainer command where one is enough.
async fn open(
    session: &mut Session,
    schema: &Schema,
    table: TableId,
    pipeline: &Pipeline,
) -> Result<Documents, StoreError> {
    let collection = &schema.table(table).name;
    match as_find(pipeline) {
        Some((filter, options)) => session.find(collection, filter, options).await,
        None => session.aggregate(collection, pipeline.stages()).await,
    }
}

/// The pipeline as a `find`, if it is one.
pub(super) fn as_find(pipeline: &Pipeline) -> Option<(Document, FindOptions)> {
    let mut options = FindOptions::default();
    for stage in &pipeline.rest {
        let (name, value) = stage.iter().next()?;
        match &**name {
            "$sort" => options.sort = value.as_document().cloned(),
            "$skip" => options.skip = u64::try_from(value.as_i64()?).ok(),
            "$limit" => options.limit = value.as_i64(),
            "$project" => options.projection = value.as_document().cloned(),
            _ => return None,
        }
    }
    Some((pipeline.filter()?, options))
}

/// How many rows pass the filter of a read that gave `rows`; nothing unless it is asked.
async fn total(
    session: &mut Session,
    schema: &Schema,
    plan: &Read,
    pipeline: &Pipeline,
    rows: u64,
) -> Result<Option<u64>, StoreError> {
    if plan.count == Count::None {
        return Ok(None);
    }
    // A page that is not full tells by itself.
    let is_last_page =
        plan.limit.is_none_or(|limit| rows < limit) && (rows > 0 || plan.offset == 0) && plan.after.is_none();
    if is_last_page && plan.count != Count::Planned {
        return Ok(Some(plan.offset + rows));
    }
    let collection = &schema.table(plan.table).name;
    let is_whole = plan.filter == Filter::True && plan.groups.is_none();
    let most = match plan.count {
        // The server knows how many documents there are, and nothing of which.
        Count::Planned if is_whole => return known(session, collection).await.map(Some),
        Count::Estimated(most) if plan.groups.is_none() => Some(most.saturating_add(1)),
        _ => None,
    };
    if is_one_group(plan) {
        return Ok(Some(1));
    }
    let counted = counted(session, collection, pipeline.which.clone(), most).await?;
    if most.is_some_and(|most| counted >= most) {
        // More than are counted: all there are is the guess.
        return known(session, collection).await.map(|all| Some(all.max(counted)));
    }
    Ok(Some(counted))
}

/// How many rows some stages leave, and `most` if they are more.
pub(super) async fn counted(
    session: &mut Session,
    collection: &str,
    mut stages: Vec<Document>,
    most: Option<u64>,
) -> Result<u64, StoreError> {
    if let Some(most) = most.and_then(|most| i64::try_from(most).ok()) {
        stages.push(doc! { "$limit": most });
    }
    stages.push(doc! { "$count": COUNT });
    let counted = session.aggregate(collection, stages).await?.all(session, 1).await?.unwrap_or_default();
    counted.first().map_or(Ok(0), |document| number(document.get(COUNT).ok().flatten()))
}

/// The field of a count.
const COUNT: &str = "count";

/// How many documents a collection has, as the server keeps count of them.
pub(super) async fn known(session: &mut Session, collection: &str) -> Result<u64, StoreError> {
    let answer = session.apart(doc! { "count": collection }).await?;
    match answer.get("n") {
        Some(bson::Bson::Int32(number)) => Ok(u64::try_from(*number).unwrap_or_default()),
        Some(bson::Bson::Int64(number)) => Ok(u64::try_from(*number).unwrap_or_default()),
        other => Err(StoreError::Internal(format!("a count that is {other:?}").into())),
    }
}

fn number(counted: Option<RawBsonRef<'_>>) -> Result<u64, StoreError> {
    match counted {
        Some(RawBsonRef::Int32(number)) => Ok(u64::try_from(number).unwrap_or_default()),
        Some(RawBsonRef::Int64(number)) => Ok(u64::try_from(number).unwrap_or_default()),
        other => Err(StoreError::Internal(format!("a count that is {other:?}").into())),
    }
}

/// Puts a row into the sink.
fn put_row(
    schema: &Schema,
    plan: &Read,
    found: &Found<'_, '_>,
    sink: &mut dyn RowSink,
    text: &mut String,
) -> Result<(), StoreError> {
    if plan.groups.is_some() {
        return groups::put_group(schema, plan, found.document, sink, text);
    }
    sink.start_row();
    put_members(schema, plan, found, sink, text)?;
    sink.end_row();
    Ok(())
}

fn put_members(
    schema: &Schema,
    plan: &Read,
    found: &Found<'_, '_>,
    sink: &mut dyn RowSink,
    text: &mut String,
) -> Result<(), StoreError> {
    let table = schema.table(plan.table);
    for (position, output) in plan.select.iter().enumerate() {
        match &output.source {
            Source::Value(expr) => cells::give(table, found.document, expr, sink, text)?,
            Source::Embed(embed) => put_embed(schema, embed, found.rows(position), false, sink, text)?,
            Source::Spread(embed) => put_embed(schema, embed, found.rows(position), true, sink, text)?,
            Source::Aggregate(_) => {
                return Err(StoreError::Internal("an aggregate of rows that are not grouped".into()));
            }
        }
    }
    Ok(())
}

/// Puts what belongs to a row into the sink.
fn put_embed(
    schema: &Schema,
    embed: &Embed,
    rows: Vec<&RawDocument>,
    is_spread: bool,
    sink: &mut dyn RowSink,
    text: &mut String,
) -> Result<(), StoreError> {
    let mut rows = rows.into_iter().map(Found::whole);
    let read = &*embed.read;
    match (embed.link.cardinality, is_spread) {
        (Cardinality::One, false) => match rows.next() {
            Some(row) => put_row(schema, read, &row, sink, text)?,
            None if is_one_group(read) => groups::put_nothing(schema, read, sink, text)?,
            None => sink.cell(Cell::Null),
        },
        (Cardinality::One, true) => match rows.next() {
            Some(row) => put_members(schema, read, &row, sink, text)?,
            None => (0..read.width()).for_each(|_| sink.cell(Cell::Null)),
        },
        (Cardinality::Many, false) => {
            sink.start_list();
            let mut given = 0;
            for row in rows {
                put_row(schema, read, &row, sink, text)?;
                given += 1;
            }
            if given == 0 && is_one_group(read) {
                groups::put_nothing(schema, read, sink, text)?;
            }
            sink.end_list();
        }
        (Cardinality::Many, true) => {
            let mut columns = Columns::new(read.shape(schema));
            rows.try_for_each(|row| put_row(schema, read, &row, &mut columns, text))?;
            columns.give(sink);
        }
    }
    Ok(())
}

/// A row that passes a condition.
#[derive(Debug, Clone)]
pub(super) struct Match {
    /// A value for every column of the table.
    pub(super) row: Vec<Value>,
}

/// Rows that one write looks at: they are held here until it is over, as the server holds what becomes of them.
const MATCHING_ROWS_MAX: usize = 100_000;

/// The rows of a table that pass a condition, whatever it is: what a write is about.
///
/// # Errors
/// As the server says; [`StoreError::Unsupported`] if too many rows would have to be looked at here.
pub(super) async fn matching(
    session: &mut Session,
    schema: &Schema,
    table: TableId,
    condition: &Filter,
) -> Result<Vec<Match>, StoreError> {
    let Some(stages) = pipeline::which(schema, table, condition) else {
        return apart::matching(session, schema, table, condition).await;
    };
    let of = schema.table(table);
    let pipeline = Pipeline { which: stages, ..Pipeline::default() };
    let mut documents = open(session, schema, table, &pipeline).await?;
    let mut found = Vec::new();
    while let Some(batch) = documents.next(session).await? {
        for document in batch.documents()? {
            found.push(Match { row: cells::row(of, document) });
        }
        check_few(of, found.len())?;
    }
    Ok(found)
}

/// Refuses more rows than one write looks at.
///
/// # Errors
/// [`StoreError::Unsupported`] with the way out.
pub(super) fn check_few(table: &Table, rows: usize) -> Result<(), StoreError> {
    if rows <= MATCHING_ROWS_MAX {
        return Ok(());
    }
    let what = format!(
        "change more than {MATCHING_ROWS_MAX} rows of \"{}\" in one transaction; change them in parts, by a filter on \
         their key",
        table.name
    );
    Err(cannot(&what))
}

/// A condition as the server's own, for commands that take one; `None` if it has none that comes out the same, and then
/// it is for [`matching`].
pub(super) fn condition(schema: &Schema, table: TableId, condition: &Filter) -> Option<Document> {
    filter::exact(schema, schema.table(table), condition)
}
