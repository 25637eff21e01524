//! Writes of one document that need no transaction: nothing else has to be looked at, and one document changes whole.

use mainstay_query::plan::{Assign, Conflict, Delete, Expect, Filter, Insert, Read, Update, Write};
use mainstay_schema::{ColumnId, Schema, Table, Value};
use mainstay_store::collect::replay;
use mainstay_store::{RowSink, StoreError};
use mongodb::bson::{Document, RawDocumentBuf, doc};
use mongodb::options::ReturnDocument;

use super::change::{assignments, kept};
use super::faults::{Refusal, after, ended, meaning};
use super::insert::{Made, made};
use super::keys::{self, Row, key_of};
use super::references::references_to;
use super::{counters, give};
use crate::mongo::session::{Session, simple};
use crate::mongo::{cells, names, read};
use crate::server::write::{check_not_null, check_set};
use crate::server::{Affected, WriteFault};
use crate::sql::check_expect;

/// Carries out a write that is one document and has nothing checked; `None` if it is not such a one.
pub(super) async fn run(
    session: &mut Session,
    schema: &Schema,
    plan: &Write,
    sink: &mut dyn RowSink,
) -> Result<Option<Affected>, WriteFault> {
    let affected = match plan {
        Write::Insert(plan) if is_alone(schema, plan) => insert(session, schema, plan, sink).await?,
        Write::Update(plan) => match known(schema, plan)? {
            Some((filter, set)) => update(session, schema, plan, filter, &set, sink).await?,
            None => return Ok(None),
        },
        Write::Delete(plan) => match gone(schema, plan)? {
            Some(filter) => delete(session, schema, plan, filter, sink).await?,
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    Ok(Some(affected))
}

/// Whether what is expected holds for one row, whatever happens to it. That none was found undoes nothing.
fn is_expected(expect: Expect) -> bool {
    expect.affected_max.is_none_or(|most| most >= 1)
}

fn is_given(returning: Option<&Read>) -> bool {
    returning.is_none_or(give::is_plain)
}

fn is_alone(schema: &Schema, plan: &Insert) -> bool {
    let table = schema.table(plan.table);
    let [row] = plan.rows.as_slice() else { return false };
    let given =
        |column: &ColumnId| plan.columns.iter().position(|other| other == column).and_then(|at| row[at].as_ref());
    // A reference with a part that is null points at nothing.
    let points = table
        .references
        .iter()
        .any(|reference| reference.columns.iter().all(|column| given(column).is_some_and(|value| !value.is_null())));
    let merges = plan.conflict.as_ref().is_none_or(|conflict| is_merged_alone(schema, table, conflict, given));
    !points && merges && is_expected(plan.expect) && is_given(plan.returning.as_deref())
}

/// Whether the server's own upsert does what a merge asks: all that it looks for is given, and no key changes.
fn is_merged_alone<'v>(
    schema: &Schema,
    table: &Table,
    conflict: &Conflict,
    given: impl Fn(&ColumnId) -> Option<&'v Value>,
) -> bool {
    let is_named = |column: &ColumnId| given(column).is_some_and(|value| !value.is_null());
    let merge = conflict.merge.as_deref().unwrap_or_default();
    let changes_id = merge.iter().any(|column| names::is_id(table, *column) && !conflict.target.contains(column));
    // What others point at, or what points at others, is looked after in a transaction.
    let is_bound = !table.references.is_empty() || !references_to(schema, table.id).is_empty();
    conflict.target.iter().all(is_named) && !changes_id && !is_bound
}

async fn insert(
    session: &mut Session,
    schema: &Schema,
    plan: &Insert,
    sink: &mut dyn RowSink,
) -> Result<Affected, WriteFault> {
    let table = schema.table(plan.table);
    let is_found = schema.found().is_some();
    if !is_found {
        check_not_null(table, plan)?;
    }
    let numbered = counters::number(session, table, plan).await?;
    let new = made(is_found, table, &numbered.columns, &numbered.rows[0])?;
    if let Some(conflict) = &plan.conflict {
        return merge(session, table, &numbered, conflict, new, sink).await;
    }
    session.left()?;
    let deadline = session.deadline();
    let all = session.collection(&table.name);
    let inserted = all.insert_one(&new.document).session(&mut session.client);
    if let Err(error) = ended(deadline, inserted).await? {
        return Err(refused(table, error, Some(&new.row)));
    }
    counters::keep_ahead(session).await;
    put(plan.returning.as_deref(), &new.row, sink)?;
    Ok(Affected { affected: 1, inserted: 1 })
}

/// Merges a row into the one with its key, or inserts it.
async fn merge(
    session: &mut Session,
    table: &Table,
    plan: &Insert,
    conflict: &Conflict,
    new: Made,
    sink: &mut dyn RowSink,
) -> Result<Affected, WriteFault> {
    let row = &plan.rows[0];
    let cell = |column: &ColumnId| {
        let place = plan.columns.iter().position(|other| other == column)?;
        Some((*column, row[place].clone()?))
    };
    let set: Vec<(ColumnId, Value)> = conflict.merge.iter().flatten().filter_map(cell).collect();
    let filter = keys::one(table, &conflict.target, &key_of(&new.row, &conflict.target))?;
    let mut change = Document::new();
    let mut rest = Document::try_from(new.document.as_ref()).map_err(|error| StoreError::Internal(Box::new(error)))?;
    // What is looked for is in a new document already, and stays in one that is there.
    let set: Vec<(ColumnId, Value)> = set.into_iter().filter(|(column, _)| !conflict.target.contains(column)).collect();
    for column in conflict.target.iter().chain(set.iter().map(|(column, _)| column)) {
        rest.remove(names::field(table, *column));
    }
    if !set.is_empty() {
        change.insert("$set", assignments(table, &set)?);
    }
    if !rest.is_empty() || change.is_empty() {
        change.insert("$setOnInsert", rest);
    }
    let deadline = session.deadline();
    let mut attempt = 0;
    let before = loop {
        attempt += 1;
        let left = session.left()?;
        let all = session.collection(&table.name);
        let merged = all
            .find_one_and_update(filter.clone(), change.clone())
            .collation(simple())
            .upsert(true)
            .return_document(ReturnDocument::Before)
            .max_time(left)
            .session(&mut session.client);
        match ended(deadline, merged).await? {
            Ok(before) => break before,
            Err(error) => {
                let refusal = Refusal::of(&error);
                // Somebody else has inserted it at the same moment.
                let is_race = |refusal: &Refusal| refusal.is_duplicate() && refusal.columns(table) == conflict.target;
                if !(attempt == 1 && refusal.as_ref().is_some_and(is_race)) {
                    return Err(refused(table, error, Some(&new.row)));
                }
            }
        }
    };
    let Some(before) = before else {
        counters::keep_ahead(session).await;
        put(plan.returning.as_deref(), &new.row, sink)?;
        return Ok(Affected { affected: 1, inserted: 1 });
    };
    if conflict.merge.is_none() {
        // Nothing has happened that would have to be undone.
        check_expect(plan.expect, 0)?;
        return Ok(Affected::default());
    }
    let merged = kept(table, after(&cells::row(table, &before), &set), &set)?;
    put(plan.returning.as_deref(), &merged, sink)?;
    Ok(Affected::changed(1))
}

/// The document that a filter names by its key, with what else it must pass, as the server's own filter.
fn named(schema: &Schema, table: &Table, filter: &Filter) -> Result<Option<Document>, StoreError> {
    let Some((key, rest)) = keys::known(table, filter) else { return Ok(None) };
    let key = keys::one(table, &table.primary_key, &key)?;
    Ok(match rest {
        Filter::True => Some(key),
        rest => read::condition(schema, table.id, &rest).map(|rest| doc! { "$and": [key, rest] }),
    })
}

/// The one document that an update names by its key, and what it sets.
type Known = (Document, Vec<(ColumnId, Value)>);

/// What an update names by its key, and sets, if nothing else has to be looked at.
fn known(schema: &Schema, plan: &Update) -> Result<Option<Known>, StoreError> {
    let table = schema.table(plan.table);
    let set: Option<Vec<(ColumnId, Value)>> =
        plan.set.iter().map(|(column, assign)| Some((*column, plain(assign)?))).collect();
    let Some(set) = set.filter(|set| !set.is_empty()) else { return Ok(None) };
    let touches = |columns: &[ColumnId]| set.iter().any(|(column, _)| columns.contains(column));
    let is_bound = touches(&table.primary_key)
        || table.references.iter().any(|reference| touches(&reference.columns))
        || references_to(schema, table.id).iter().any(|(_, reference)| touches(&reference.target_columns));
    // Null where a value must be is refused of rows that are there, and so looked for first.
    let is_refused = schema.found().is_none() && check_set(table, &set).is_err();
    if is_bound || is_refused || !is_expected(plan.expect) || !is_given(plan.returning.as_deref()) {
        return Ok(None);
    }
    Ok(named(schema, table, &plan.filter)?.map(|filter| (filter, set)))
}

fn plain(assign: &Assign) -> Option<Value> {
    assign.as_value().cloned()
}

async fn update(
    session: &mut Session,
    schema: &Schema,
    plan: &Update,
    filter: Document,
    set: &[(ColumnId, Value)],
    sink: &mut dyn RowSink,
) -> Result<Affected, WriteFault> {
    let table = schema.table(plan.table);
    let change = doc! { "$set": assignments(table, set)? };
    let left = session.left()?;
    let deadline = session.deadline();
    let all = session.collection(&table.name);
    let changed = all
        .find_one_and_update(filter, change)
        .collation(simple())
        .return_document(ReturnDocument::After)
        .max_time(left)
        .session(&mut session.client);
    // Only where nothing is given back is nothing asked for.
    let changed = match plan.returning {
        Some(_) => changed,
        None => changed.projection(doc! { "_id": 1 }),
    };
    let row = match ended(deadline, changed).await? {
        Ok(row) => row,
        Err(error) => {
            let given = after(&vec![Value::Null; table.columns.len()], set);
            return Err(refused(table, error, is_whole(table, set).then_some(&given)));
        }
    };
    finish(table, plan.expect, plan.returning.as_deref(), row, sink)
}

/// Whether each key of a table is all set or not at all, so that a duplicate can be told from what is set.
fn is_whole(table: &Table, set: &[(ColumnId, Value)]) -> bool {
    let has = |column: &ColumnId| set.iter().any(|(other, _)| other == column);
    table.uniques.iter().all(|key| key.columns.iter().all(has) || !key.columns.iter().any(has))
}

/// The one document that a delete names by its key, if nobody may point at it.
fn gone(schema: &Schema, plan: &Delete) -> Result<Option<Document>, StoreError> {
    let table = schema.table(plan.table);
    let is_bound = !references_to(schema, table.id).is_empty();
    if is_bound || !is_expected(plan.expect) || !is_given(plan.returning.as_deref()) {
        return Ok(None);
    }
    named(schema, table, &plan.filter)
}

async fn delete(
    session: &mut Session,
    schema: &Schema,
    plan: &Delete,
    filter: Document,
    sink: &mut dyn RowSink,
) -> Result<Affected, WriteFault> {
    let table = schema.table(plan.table);
    let left = session.left()?;
    let deadline = session.deadline();
    let all = session.collection(&table.name);
    let removed = all.find_one_and_delete(filter).collation(simple()).max_time(left).session(&mut session.client);
    let removed = match plan.returning {
        Some(_) => removed,
        None => removed.projection(doc! { "_id": 1 }),
    };
    let row = ended(deadline, removed).await?.map_err(meaning)?;
    finish(table, plan.expect, plan.returning.as_deref(), row, sink)
}

/// What became of a row that was looked for.
fn finish(
    table: &Table,
    expect: Expect,
    returning: Option<&Read>,
    row: Option<RawDocumentBuf>,
    sink: &mut dyn RowSink,
) -> Result<Affected, WriteFault> {
    let affected = u64::from(row.is_some());
    if expect.single && affected != 1 {
        return Err(StoreError::Unexpected { affected, single: true }.into());
    }
    if let Some(row) = row {
        put(returning, &cells::row(table, &row), sink)?;
    }
    Ok(Affected::changed(affected))
}

fn put(returning: Option<&Read>, row: &Row, sink: &mut dyn RowSink) -> Result<(), StoreError> {
    if let Some(read) = returning {
        replay(&give::plain(read, row)?, sink);
    }
    Ok(())
}

fn refused(table: &Table, error: mongodb::error::Error, row: Option<&Row>) -> WriteFault {
    match Refusal::of(&error) {
        Some(refusal) => refusal.error(table, row).into(),
        None => meaning(error).into(),
    }
}
