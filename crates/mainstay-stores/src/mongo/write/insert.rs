//! Inserts and merges. Which row a merge meets is looked up by the key that was named.

use std::collections::HashMap;

use mainstay_query::plan::{Conflict, Insert};
use mainstay_schema::{ColumnId, Table, Value};
use mainstay_store::{RowSink, StoreError};
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, Document, RawDocumentBuf, doc};

use super::counters;
use super::faults::{Refusal, after};
use super::keys::{Key, Row, kept, key_of, text_of};
use super::references::references_to;
use super::work::{COMMAND_OCTETS_MAX, Work};
use crate::mongo::names::{self, ID};
use crate::mongo::{cells, errors, types};
use crate::server::write::{Fate, check_not_null, fates};
use crate::server::{Affected, WriteFault};
use crate::sql::check_expect;

/// Documents of one command at most: as many as the server takes.
const DOCUMENTS_MAX: usize = 100_000;

/// Octets of one document at most.
const DOCUMENT_OCTETS_MAX: usize = 16 << 20;

/// A new row: its document, and its values as they will be read.
pub(super) struct Made {
    pub(super) document: RawDocumentBuf,
    pub(super) row: Row,
}

/// Makes the document of a new row. In collections of others, what is not given is not there.
pub(super) fn made(
    is_found: bool,
    table: &Table,
    columns: &[ColumnId],
    cells: &[Option<Value>],
) -> Result<Made, StoreError> {
    let mut document = Document::new();
    let given = |column: ColumnId| columns.iter().position(|other| *other == column).and_then(|at| cells[at].as_ref());
    // `_id` comes first, as the server would have it.
    let has_id = table.columns.iter().any(|column| names::is_id(table, column.id));
    if !has_id || given_id(table).is_some_and(|id| given(id).is_none()) {
        document.insert(ID, ObjectId::new());
    }
    let (ids, others): (Vec<_>, Vec<_>) = table.columns.iter().partition(|column| names::is_id(table, column.id));
    for column in ids.into_iter().chain(others) {
        let value = match given(column.id) {
            Some(value) => types::keep(table, column, value)?,
            None if is_found || names::is_id(table, column.id) => continue,
            None => Bson::Null,
        };
        document.insert(names::field(table, column.id), value);
    }
    let document = RawDocumentBuf::try_from(&document).map_err(|error| StoreError::Internal(Box::new(error)))?;
    if document.as_bytes().len() > DOCUMENT_OCTETS_MAX {
        return Err(errors::too_large());
    }
    let row = cells::row(table, &document);
    Ok(Made { document, row })
}

/// The column that is `_id`.
fn given_id(table: &Table) -> Option<ColumnId> {
    table.columns.iter().map(|column| column.id).find(|column| names::is_id(table, *column))
}

impl Work<'_> {
    pub(super) async fn insert(&mut self, plan: &Insert, sink: &mut dyn RowSink) -> Result<Affected, WriteFault> {
        let table = self.schema.table(plan.table);
        if plan.rows.is_empty() {
            check_expect(plan.expect, 0)?;
            return Ok(Affected::default());
        }
        let is_found = self.schema.found().is_some();
        if !is_found {
            check_not_null(table, plan)?;
        }
        let numbered = counters::number(self.session, table, plan).await?;
        let mut new: Vec<Made> = Vec::with_capacity(plan.rows.len());
        for cells in &numbered.rows {
            new.push(made(is_found, table, &numbered.columns, cells)?);
        }
        let fates = match &plan.conflict {
            None => vec![Fate::New; new.len()],
            Some(conflict) => self.fates(table, &numbered, conflict).await?,
        };
        let mut rows: Vec<Row> = Vec::new();
        let mut affected = Affected::default();
        let mut at = 0;
        // In their order, since a row may want a key that one before it gives up.
        while at < fates.len() {
            match &fates[at] {
                Fate::Skipped => at += 1,
                Fate::Merged(before) => {
                    rows.push(self.merge(table, &numbered, at, before).await?);
                    affected.affected += 1;
                    at += 1;
                }
                Fate::New => {
                    let run = fates[at..].iter().take_while(|fate| **fate == Fate::New).count();
                    self.add(table, &new[at..at + run], plan.conflict.as_ref()).await?;
                    rows.extend(new[at..at + run].iter().map(|made| made.row.clone()));
                    affected.affected += run as u64;
                    affected.inserted += run as u64;
                    at += run;
                }
            }
        }
        self.settle(table).await?;
        check_expect(plan.expect, affected.affected)?;
        if let Some(read) = plan.returning.as_deref() {
            self.give_back(table, read, rows, sink).await?;
        }
        Ok(affected)
    }

    /// What becomes of the rows of an insert that may meet others.
    async fn fates(&mut self, table: &Table, plan: &Insert, conflict: &Conflict) -> Result<Vec<Fate<Row>>, WriteFault> {
        let place = |column: &ColumnId| plan.columns.iter().position(|other| other == column);
        let places: Vec<Option<usize>> = conflict.target.iter().map(place).collect();
        // A value that is made for the row is a new one.
        let target = |row: &Vec<Option<Value>>| -> Option<Key> {
            let part = |(place, column): (&Option<usize>, &ColumnId)| {
                let value = row[(*place)?].as_ref().filter(|value| !value.is_null())?;
                // As it will be kept, so that it is found.
                kept(table, *column, value).ok()
            };
            places.iter().zip(&conflict.target).map(part).collect()
        };
        let wanted: Vec<Option<Key>> = plan.rows.iter().map(target).collect();
        let known: Vec<Key> = wanted.iter().flatten().cloned().collect();
        let mut there: HashMap<Vec<String>, Row> = HashMap::new();
        for row in self.with_keys(table, &conflict.target, &known).await? {
            there.extend(text_of(&key_of(&row, &conflict.target)).map(|text| (text, row)));
        }
        let wanted = wanted.into_iter().map(|key| key.and_then(|key| text_of(&key)));
        Ok(fates(wanted, &there, conflict.merge.is_some())?)
    }

    /// Merges a row into one that is there; gives it as it is afterwards.
    async fn merge(&mut self, table: &Table, plan: &Insert, at: usize, before: &Row) -> Result<Row, WriteFault> {
        let merge = plan.conflict.as_ref().and_then(|conflict| conflict.merge.as_deref()).unwrap_or_default();
        let cell = |column: &ColumnId| {
            let place = plan.columns.iter().position(|other| other == column)?;
            Some((*column, plan.rows[at][place].clone()?))
        };
        let set: Vec<(ColumnId, Value)> = merge.iter().filter_map(cell).collect();
        if set.is_empty() {
            return Ok(before.clone());
        }
        let changed = self.change(table, vec![(before.clone(), set)]).await?;
        changed.into_iter().next().ok_or_else(|| StoreError::Internal("a row changed and is not there".into()).into())
    }

    /// Inserts documents.
    pub(super) async fn add(
        &mut self,
        table: &Table,
        new: &[Made],
        conflict: Option<&Conflict>,
    ) -> Result<(), WriteFault> {
        let mut left = new;
        while !left.is_empty() {
            let mut octets = 0;
            let fits = |made: &&Made| {
                octets += made.document.as_bytes().len();
                octets <= COMMAND_OCTETS_MAX
            };
            let count = left.iter().take(DOCUMENTS_MAX).take_while(fits).count().max(1);
            let (some, others) = left.split_at(count);
            let documents: Vec<&RawDocumentBuf> = some.iter().map(|made| &made.document).collect();
            let reply = self.insert_documents(table, &documents).await?;
            if let Some(refusal) = Refusal::first(&reply) {
                let row = some.get(refusal.at).map(|made| &made.row);
                let error = refusal.error(table, row);
                // Somebody else has inserted it since we looked. What is null was not looked for.
                let is_race = |conflict: &Conflict| {
                    let is_whole = |row: &Row| conflict.target.iter().all(|column| !row[column.index()].is_null());
                    refusal.columns(table) == conflict.target && row.is_some_and(is_whole)
                };
                let is_race = refusal.is_duplicate() && conflict.is_some_and(is_race);
                return Err(if is_race { WriteFault::Again(error) } else { error.into() });
            }
            left = others;
        }
        let rows: Vec<Row> = new.iter().map(|made| made.row.clone()).collect();
        if !references_to(self.schema, table.id).is_empty() {
            let keys = rows.iter().filter_map(|row| text_of(&key_of(row, &table.primary_key)));
            self.made.extend(keys.map(|text| (table.id, text)));
        }
        self.ledger.added(table, &rows);
        Ok(())
    }

    /// A row that takes the place of one with another `_id`.
    pub(super) fn moved(&self, table: &Table, before: &Row, set: &[(ColumnId, Value)]) -> Result<Made, StoreError> {
        let row = after(before, set);
        let columns: Vec<ColumnId> = table.columns.iter().map(|column| column.id).collect();
        let cells: Vec<Option<Value>> = row.into_iter().map(Some).collect();
        made(false, table, &columns, &cells)
    }

    pub(super) async fn insert_documents(
        &mut self,
        table: &Table,
        documents: &[&RawDocumentBuf],
    ) -> Result<Document, WriteFault> {
        let documents: Vec<Document> = documents
            .iter()
            .map(|document| Document::try_from(document.as_ref()))
            .collect::<Result<_, _>>()
            .map_err(|error| StoreError::Internal(Box::new(error)))?;
        self.command(doc! { "insert": &*table.name, "documents": documents }).await
    }
}
