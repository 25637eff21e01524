//! What the server would do for a read, in its own words and as a number of rows.

use bson::{Bson, Document, doc};
use mainstay_query::plan::{Count, Embed, Filter, Join, Read};
use mainstay_schema::{ColumnId, Schema, Table, TableId};
use mainstay_store::{Call, Estimate, Explanation, StoreError};
use mongodb::bson;

use super::link::{Link, View};
use super::pipeline::{self, Pipeline};
use super::read::{as_find, known};
use super::session::Session;
use super::store::cannot;
use super::{apart, filter, shell};

/// Rows for each key of an index of which nothing is known.
const ROWS_OF_KEY: f64 = 10.0;
/// The part of a collection that a range of an index leads to.
const PART_OF_RANGE: f64 = 0.25;

/// The commands of a read, and what the server's planner says of them.
///
/// # Errors
/// As the server says.
pub(super) async fn read(link: &Link, call: &Call, plan: &Read) -> Result<Explanation, StoreError> {
    let mut session = link.session(call.deadline, View::Latest).await?;
    let collection = call.schema.table(plan.table).name.clone();
    let (command, text, note) = command(&call.schema, plan)?;
    let mut statements = vec![text];
    if let Some(pipeline) = pipeline::read(&call.schema, plan) {
        if let Some(sorted) = &pipeline.sorted {
            // The first one tells where the page ends; what it gave stands here by the name of its field.
            statements.extend(sorted.parts().iter().map(|part| sorted.shown(&collection, &pipeline, *part)));
        }
        for beside in &pipeline.beside {
            // The keys are those of the rows that came.
            let filter = beside.filter(doc! { "$in": [format!("${}", beside.near)] }.into());
            statements.push(shell::find(&beside.collection, &filter, &beside.options));
        }
        if plan.count != Count::None {
            let mut stages = pipeline.which;
            stages.push(doc! { "$count": "count" });
            statements.push(shell::aggregate(&collection, &stages));
        }
    }
    let answer = session.apart(doc! { "explain": command, "verbosity": "queryPlanner" }).await?;
    let mut details: Vec<String> = note.into_iter().collect();
    tell(&Bson::Document(answer), 0, &mut details);
    Ok(Explanation { statements, details })
}

/// The command for the rows, as it is typed, and what is done with them here.
fn command(schema: &Schema, plan: &Read) -> Result<(Document, String, Option<String>), StoreError> {
    if plan.call.is_some() {
        return Err(cannot("run functions, which are SQL"));
    }
    let table = schema.table(plan.table);
    let name = &*table.name;
    let (pipeline, note) = match pipeline::read(schema, plan) {
        Some(pipeline) => (pipeline, None),
        None => {
            let could = filter::superset(schema, table, &plan.filter);
            let which = if could.is_empty() { Vec::new() } else { vec![doc! { "$match": could }] };
            let note = format!(
                "the rows that this leaves, {} at most, and those that belong to them are filtered, ordered and grouped \
                 outside of the server",
                apart::ROWS_MAX
            );
            (Pipeline { which, ..Pipeline::default() }, Some(note))
        }
    };
    let end = pipeline.sorted.as_ref().map(|sorted| sorted.end(&pipeline, sorted.page));
    let (mut command, text) = match end.or_else(|| as_find(&pipeline)) {
        Some((filter, options)) => {
            let text = shell::find(name, &filter, &options);
            let mut command = doc! { "find": name, "filter": filter };
            let parts = [("sort", options.sort), ("projection", options.projection)];
            command.extend(parts.into_iter().filter_map(|(name, part)| Some((name.to_owned(), part?.into()))));
            command
                .extend(options.skip.and_then(|skip| i64::try_from(skip).ok()).map(|n| ("skip".to_owned(), n.into())));
            command.extend(options.limit.map(|limit| ("limit".to_owned(), limit.into())));
            (command, text)
        }
        None => {
            let stages = pipeline.stages();
            let text = shell::aggregate(name, &stages);
            (doc! { "aggregate": name, "pipeline": stages, "cursor": {} }, text)
        }
    };
    // As it is read: which indexes there are depends on it.
    command.insert("collation", doc! { "locale": "simple" });
    Ok((command, text, note))
}

/// One line for each thing that the planner does.
fn tell(part: &Bson, depth: usize, lines: &mut Vec<String>) {
    let Bson::Document(document) = part else {
        if let Bson::Array(parts) = part {
            parts.iter().for_each(|part| tell(part, depth, lines));
        }
        return;
    };
    let mut below = depth;
    if let Ok(stage) = document.get_str("stage") {
        let index = document.get_str("indexName").map(|name| format!(" by {name}")).unwrap_or_default();
        lines.push(format!("{}{stage}{index}", "  ".repeat(depth)));
        below += 1;
    }
    for (name, value) in document {
        match &**name {
            "$lookup" => {
                let from = value.as_document().and_then(|look_up| look_up.get_str("from").ok()).unwrap_or_default();
                lines.push(format!("{}$lookup in {from}", "  ".repeat(depth)));
            }
            "$cursor" | "queryPlanner" | "winningPlan" | "queryPlan" | "inputStage" | "inputStages" | "stages"
            | "shards" => tell(value, below, lines),
            // The answer's own, which is no stage.
            "$clusterTime" => {}
            name if name.starts_with('$') => lines.push(format!("{}{name}", "  ".repeat(depth))),
            _ => {}
        }
    }
}

/// How many rows the server would look at for a read.
///
/// # Errors
/// As the server says.
pub(super) async fn estimate(link: &Link, call: &Call, plan: &Read) -> Result<Estimate, StoreError> {
    let mut session = link.session(call.deadline, View::Latest).await?;
    let schema = &*call.schema;
    let (command, ..) = command(schema, plan)?;
    let answer = session.apart(doc! { "explain": command, "verbosity": "queryPlanner" }).await?;
    let all = known(&mut session, &schema.table(plan.table).name).await? as f64;
    let mut plans = Vec::new();
    scans(&Bson::Document(answer), &mut plans);
    let mut examined: f64 = plans.iter().map(|scan| scan.rows(all)).sum();
    let has_sort = plans.iter().any(|scan| matches!(scan, Scan::Sort));
    let taken = plan.limit.map(|limit| limit.saturating_add(plan.offset) as f64);
    if plan.filter == Filter::True && plan.groups.is_none() && plan.count == Count::None && !has_sort {
        // What is not taken is not looked at.
        examined = taken.map_or(examined, |taken| taken.min(examined));
    }
    let mut rows = examined;
    if plan.count == Count::Exact && plan.limit.is_some() {
        rows += examined;
    }
    let given = plan.limit.map_or(examined, |limit| examined.min(limit as f64)).max(1.0);
    rows += below(&mut session, schema, plan, examined.max(1.0), given).await?;
    Ok(Estimate { rows: rows as u64 })
}

type Cost<'f> = futures_util::future::BoxFuture<'f, Result<f64, StoreError>>;

/// Rows that are looked at because they belong to others: to those that a filter is about, and to those that are given.
fn below<'f>(session: &'f mut Session, schema: &'f Schema, plan: &'f Read, examined: f64, given: f64) -> Cost<'f> {
    Box::pin(async move {
        let mut rows = related(session, schema, &plan.filter, examined).await?;
        for via in plan.order.iter().filter_map(|term| term.via.as_deref()) {
            rows += examined * linked(session, schema, &via.join, via.table).await?;
        }
        for output in &plan.select {
            if let Some(Embed { link, read }) = output.source.embed() {
                let each = linked(session, schema, &link.join, read.table).await?;
                rows += given * each;
                rows += below(session, schema, read, given * each, given * each).await?;
            }
        }
        Ok(rows)
    })
}

fn related<'f>(session: &'f mut Session, schema: &'f Schema, filter: &'f Filter, parents: f64) -> Cost<'f> {
    Box::pin(async move {
        let mut rows = 0.0;
        match filter {
            Filter::And(parts) | Filter::Or(parts) => {
                for part in parts {
                    rows += related(session, schema, part, parents).await?;
                }
            }
            Filter::Not(part) => rows += related(session, schema, part, parents).await?,
            Filter::Exists { join, table, filter, .. } => {
                let each = linked(session, schema, join, *table).await?;
                rows += parents * each;
                rows += related(session, schema, filter, parents * each).await?;
            }
            _ => {}
        }
        Ok(rows)
    })
}

/// Rows that are looked at to follow a link once.
async fn linked(session: &mut Session, schema: &Schema, join: &Join, target: TableId) -> Result<f64, StoreError> {
    match join {
        Join::Direct(pairs) => match pairs.first() {
            Some(pair) => looked_up(session, schema.table(target), pair.there).await,
            None => Ok(0.0),
        },
        Join::Through { table, parent, child } => {
            let mut rows = 0.0;
            if let (Some(near), Some(far)) = (parent.first(), child.first()) {
                let between = looked_up(session, schema.table(*table), near.there).await?;
                rows = between + ROWS_OF_KEY.min(between) * looked_up(session, schema.table(target), far.there).await?;
            }
            Ok(rows)
        }
    }
}

/// Rows that are looked at to find those with one value in a column.
async fn looked_up(session: &mut Session, table: &Table, column: ColumnId) -> Result<f64, StoreError> {
    let leads = |columns: &[ColumnId]| columns.first() == Some(&column);
    if table.primary_key == [column] || table.uniques.iter().any(|key| key.columns == [column]) {
        return Ok(1.0);
    }
    let is_indexed = leads(&table.primary_key)
        || table.uniques.iter().any(|key| leads(&key.columns))
        || table.indexes.iter().any(|index| index.columns.first().is_some_and(|part| part.column == column));
    if is_indexed { Ok(ROWS_OF_KEY) } else { known(session, &table.name).await.map(|rows| rows as f64) }
}

/// How the server comes to rows.
enum Scan {
    /// All of them.
    All,
    /// One, by its `_id`.
    One,
    /// Those that so many single keys of an index lead to; at most one each if it is unique.
    Keys { count: f64, is_unique: bool },
    /// Those of a range of an index.
    Range,
    /// All must be there before the first is given.
    Sort,
}

impl Scan {
    fn rows(&self, all: f64) -> f64 {
        match self {
            Scan::All => all,
            Scan::One => 1.0,
            Scan::Keys { count, is_unique: true } => *count,
            Scan::Keys { count, is_unique: false } => (count * ROWS_OF_KEY).min(all),
            Scan::Range => all * PART_OF_RANGE,
            Scan::Sort => 0.0,
        }
    }
}

fn scans(part: &Bson, found: &mut Vec<Scan>) {
    match part {
        Bson::Array(parts) => parts.iter().for_each(|part| scans(part, found)),
        Bson::Document(document) => {
            match document.get_str("stage") {
                Ok("COLLSCAN") => found.push(Scan::All),
                Ok("IDHACK") => found.push(Scan::One),
                Ok("SORT") => found.push(Scan::Sort),
                Ok("IXSCAN" | "COUNT_SCAN" | "DISTINCT_SCAN") => found.push(of_index(document)),
                _ => {}
            }
            for (name, value) in document {
                if name == "$sort" {
                    found.push(Scan::Sort);
                }
                if [
                    "$cursor",
                    "queryPlanner",
                    "winningPlan",
                    "queryPlan",
                    "inputStage",
                    "inputStages",
                    "stages",
                    "shards",
                ]
                .contains(&&**name)
                {
                    scans(value, found);
                }
            }
        }
        _ => {}
    }
}

/// How much of an index is read: as many single keys as its bounds name, or a range.
fn of_index(stage: &Document) -> Scan {
    let is_unique = stage.get_bool("isUnique").unwrap_or_default();
    let Ok(bounds) = stage.get_document("indexBounds") else { return Scan::Range };
    let mut count = 1.0;
    for (position, (_, ranges)) in bounds.iter().enumerate() {
        let ranges: Vec<&str> = ranges.as_array().into_iter().flatten().filter_map(Bson::as_str).collect();
        if ranges.iter().all(|range| is_point(range)) {
            count *= ranges.len() as f64;
        } else if position > 0 {
            return Scan::Keys { count, is_unique: false };
        } else if ranges.iter().any(|range| range.contains("MinKey") && range.contains("MaxKey")) {
            return Scan::All;
        } else {
            return Scan::Range;
        }
    }
    Scan::Keys { count, is_unique }
}

/// Whether both ends of a range are one value.
fn is_point(range: &str) -> bool {
    let Some(inside) = range.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else { return false };
    let half = inside.len().saturating_sub(2) / 2;
    inside.is_char_boundary(half) && inside.get(half..).and_then(|rest| rest.strip_prefix(", ")) == inside.get(..half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_single_keys_or_ranges() {
        for (range, expected) in [
            ("[5, 5]", true),
            ("[\"a, b\", \"a, b\"]", true),
            ("[5, 6]", false),
            ("(5, inf.0]", false),
            ("[MinKey, MaxKey]", false),
        ] {
            assert_eq!(is_point(range), expected, "{range}");
        }
    }
}
