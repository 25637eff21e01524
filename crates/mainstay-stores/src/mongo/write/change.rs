//! Updates and deletes: the rows are found, changed as every store computes it, and written by their keys.

use mainstay_query::plan::{Assign, Delete, Update, UpdateEach};
use mainstay_schema::{ColumnId, Table, Value};
use mainstay_store::{RowSink, StoreError};
use mongodb::bson::{Document, RawDocumentBuf, doc};

use super::faults::{Refusal, after, number};
use super::keys::{self, Key, Row, key_of};
use super::work::{COMMAND_OCTETS_MAX, KEYS_AT_ONCE, Work};
use crate::mongo::{names, types};
use crate::server::write::{check_set, computed};
use crate::server::{Affected, WriteFault};
use crate::sql::check_expect;

/// What becomes of some columns of a row.
pub(super) type Set = Vec<(ColumnId, Value)>;

/// Statements of one command, and the rows that each of them is about.
#[derive(Default)]
struct Updates<'c> {
    statements: Vec<Document>,
    rows: Vec<&'c [(Row, Set)]>,
    octets: usize,
}

impl Work<'_> {
    pub(super) async fn update(&mut self, plan: &Update, sink: &mut dyn RowSink) -> Result<Affected, WriteFault> {
        let table = self.schema.table(plan.table);
        let rows = self.changed(plan).await?;
        let affected = rows.len() as u64;
        self.settle(table).await?;
        check_expect(plan.expect, affected)?;
        if let Some(read) = plan.returning.as_deref() {
            self.give_back(table, read, rows, sink).await?;
        }
        Ok(Affected::changed(affected))
    }

    /// Changes rows; gives them as they are afterwards.
    async fn changed(&mut self, plan: &Update) -> Result<Vec<Row>, WriteFault> {
        let table = self.schema.table(plan.table);
        if plan.set.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.rows(table, &plan.filter).await?;
        let changes = found.into_iter().map(|row| assigned(table, &plan.set, row)).collect::<Result<Vec<_>, _>>()?;
        self.change(table, changes).await
    }

    pub(super) async fn update_each(
        &mut self,
        plan: &UpdateEach,
        sink: &mut dyn RowSink,
    ) -> Result<Affected, WriteFault> {
        let table = self.schema.table(plan.table);
        let mut rows: Vec<Row> = Vec::new();
        for change in &plan.rows {
            rows.extend(self.changed(&plan.update(change)).await?);
            self.settle(table).await?;
        }
        let affected = rows.len() as u64;
        check_expect(plan.expect, affected)?;
        if let Some(read) = plan.returning.as_deref() {
            self.give_back(table, read, rows, sink).await?;
        }
        Ok(Affected::changed(affected))
    }

    pub(super) async fn delete(&mut self, plan: &Delete, sink: &mut dyn RowSink) -> Result<Affected, WriteFault> {
        let table = self.schema.table(plan.table);
        let rows = self.rows(table, &plan.filter).await?;
        let affected = rows.len() as u64;
        // A deleted row cannot be read afterwards, and what it embeds may go with it.
        let given = match plan.returning.as_deref() {
            Some(read) => self.read_rows(table, read, rows.clone()).await?,
            None => Vec::new(),
        };
        self.remove(table, &rows).await?;
        self.settle(table).await?;
        check_expect(plan.expect, affected)?;
        self.put(&given, sink);
        Ok(Affected::changed(affected))
    }

    /// Changes rows that were found, one after the other; gives them as they are afterwards.
    pub(super) async fn change(&mut self, table: &Table, changes: Vec<(Row, Set)>) -> Result<Vec<Row>, WriteFault> {
        let mut rows = Vec::with_capacity(changes.len());
        let mut left = changes.as_slice();
        while let Some((before, set)) = left.first() {
            if self.schema.found().is_none() {
                check_set(table, set)?;
            }
            if is_moved(table, before, set) {
                rows.push(self.replace(table, before, set).await?);
                left = &left[1..];
                continue;
            }
            let run = left.iter().take(KEYS_AT_ONCE).take_while(|(before, set)| !is_moved(table, before, set)).count();
            self.set(table, &left[..run]).await?;
            for (before, set) in &left[..run] {
                rows.push(kept(table, after(before, set), set)?);
            }
            left = &left[run..];
        }
        let pairs = || changes.iter().map(|(before, _)| before).zip(&rows);
        let moved =
            pairs().filter(|(before, after)| key_of(before, &table.primary_key) != key_of(after, &table.primary_key));
        self.forget_made(table, moved.map(|(before, _)| before));
        self.ledger.changed(self.schema, table, pairs());
        Ok(rows)
    }

    /// Sets columns of rows, each to its own values; neighbours that get the same ones by one statement.
    async fn set(&mut self, table: &Table, changes: &[(Row, Set)]) -> Result<(), WriteFault> {
        let mut some = Updates::default();
        for rows in changes.chunk_by(|(_, one), (_, other)| one == other) {
            let keys: Vec<Key> = rows.iter().map(|(before, _)| key_of(before, &table.primary_key)).collect();
            let (filter, is_many) = match keys.as_slice() {
                [key] => (keys::one(table, &table.primary_key, key)?, false),
                keys => (keys::any(table, &table.primary_key, keys)?, true),
            };
            let set = assignments(table, &rows[0].1)?;
            let update = doc! { "q": filter, "u": { "$set": set }, "multi": is_many, "collation": keys::collation() };
            let octets = RawDocumentBuf::try_from(&update).map_or(0, |update| update.as_bytes().len());
            if some.octets + octets > COMMAND_OCTETS_MAX && !some.statements.is_empty() {
                self.send(table, std::mem::take(&mut some)).await?;
            }
            some.octets += octets;
            some.statements.push(update);
            some.rows.push(rows);
        }
        self.send(table, some).await
    }

    async fn send(&mut self, table: &Table, updates: Updates<'_>) -> Result<(), WriteFault> {
        let reply = self.command(doc! { "update": &*table.name, "updates": updates.statements }).await?;
        if let Some(refusal) = Refusal::first(&reply) {
            // Of several rows the server tells which.
            let row = match updates.rows.get(refusal.at) {
                Some([(before, set)]) => Some(after(before, set)),
                _ => None,
            };
            return Err(refusal.error(table, row.as_ref()).into());
        }
        if number(&reply, "n") != updates.rows.iter().map(|rows| rows.len() as u64).sum::<u64>() {
            return Err(StoreError::Internal("other rows were changed than were found".into()).into());
        }
        Ok(())
    }

    /// Changes the `_id` of a row: the document goes, and another one comes.
    async fn replace(&mut self, table: &Table, before: &Row, set: &Set) -> Result<Row, WriteFault> {
        let made = self.moved(table, before, set)?;
        let filter = keys::one(table, &table.primary_key, &key_of(before, &table.primary_key))?;
        let delete = doc! { "q": filter, "limit": 1, "collation": keys::collation() };
        self.command(doc! { "delete": &*table.name, "deletes": [delete] }).await?;
        let reply = self.insert_documents(table, &[&made.document]).await?;
        match Refusal::first(&reply) {
            Some(refusal) => Err(refusal.error(table, Some(&made.row)).into()),
            None => Ok(made.row),
        }
    }
}

/// What an update makes of a row.
pub(super) fn assigned(table: &Table, set: &[(ColumnId, Assign)], row: Row) -> Result<(Row, Set), StoreError> {
    let read: Vec<Value> = table
        .primary_key
        .iter()
        .chain(set.iter().map(|(column, _)| column))
        .map(|column| row[column.index()].clone())
        .collect();
    let made = computed(table, set, &read)?;
    Ok((row, made.set))
}

/// What `$set` takes.
pub(super) fn assignments(table: &Table, set: &[(ColumnId, Value)]) -> Result<Document, StoreError> {
    let mut document = Document::new();
    for (column, value) in set.iter().filter(|(column, _)| !names::is_id(table, *column)) {
        document.insert(names::field(table, *column), types::keep(table, table.column(*column), value)?);
    }
    if document.is_empty() {
        // What is written is what is there; the server takes no empty change.
        for (column, value) in set {
            document.insert(names::field(table, *column), types::keep(table, table.column(*column), value)?);
        }
    }
    Ok(document)
}

/// A row with the values that were set as they will be read.
pub(super) fn kept(table: &Table, mut row: Row, set: &[(ColumnId, Value)]) -> Result<Row, StoreError> {
    for (column, value) in set {
        row[column.index()] = keys::kept(table, *column, value)?;
    }
    Ok(row)
}

/// Whether a change gives a row another `_id`, which no document can have.
fn is_moved(table: &Table, before: &Row, set: &[(ColumnId, Value)]) -> bool {
    set.iter().any(|(column, value)| names::is_id(table, *column) && before[column.index()] != *value)
}
