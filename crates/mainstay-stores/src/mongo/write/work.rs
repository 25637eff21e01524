//! What every write does inside its transaction: commands, and looking for rows.

use std::collections::HashSet;

use mainstay_query::plan::{Delete, Filter, Insert, Read, Run, Update, UpdateEach};
use mainstay_schema::{ColumnId, Schema, Table, TableId};
use mainstay_store::{RowSink, StoreError};
use mongodb::bson::{Bson, Document, doc};
use mongodb::options::FindOptions;

use super::faults::{fault, number, settled};
use super::keys::{self, Key, Row, key_of, text_of};
use super::locks::Locks;
use super::references::Ledger;
use super::transact::of_read;
use crate::mongo::session::Session;
use crate::mongo::store::cannot;
use crate::mongo::{cells, names, read};
use crate::server::write::Writer;
use crate::server::{Affected, WriteFault};

/// Octets of one command at most: what the server takes, less some for what stands around the documents.
pub(super) const COMMAND_OCTETS_MAX: usize = 12 << 20;
/// Keys that are looked up by one command.
pub(super) const KEYS_AT_ONCE: usize = 1000;

/// A transaction that carries out writes.
pub(super) struct Work<'w> {
    pub(super) session: &'w mut Session,
    pub(super) schema: &'w Schema,
    /// What references ask of what was written.
    pub(super) ledger: Ledger,
    pub(super) locks: Locks,
    /// Rows that this transaction made, which nobody else can see.
    pub(super) made: HashSet<(TableId, Vec<String>)>,
    /// Whether anything was put into a sink, which cannot be taken back.
    pub(super) has_given: bool,
}

impl Work<'_> {
    /// Carries out a command and gives the reply.
    pub(super) async fn command(&mut self, mut command: Document) -> Result<Document, WriteFault> {
        let left = i64::try_from(self.session.left()?.as_millis()).unwrap_or(i64::MAX);
        command.insert("maxTimeMS", left);
        let (database, deadline) = (self.session.database().clone(), self.session.deadline());
        let sent = database.run_command(command).session(&mut self.session.client);
        settled(deadline, sent).await?.map_err(fault)
    }

    /// The rows that pass, with a value for each column of the table.
    pub(super) async fn rows(&mut self, table: &Table, filter: &Filter) -> Result<Vec<Row>, WriteFault> {
        if let Some((key, Filter::True)) = keys::known(table, filter) {
            return self.with_keys(table, &table.primary_key, &[key]).await;
        }
        let found = read::matching(self.session, self.schema, table.id, filter).await.map_err(of_read)?;
        Ok(found.into_iter().map(|found| found.row).collect())
    }

    /// Reads as the store does outside of transactions.
    pub(super) async fn read(&mut self, plan: &Read, sink: &mut dyn RowSink) -> Result<read::Counted, WriteFault> {
        read::run_inside(self.session, self.schema, plan, sink).await.map_err(of_read)
    }

    /// The rows with one of these keys of theirs, with a value for each column of the table.
    pub(super) async fn with_keys(
        &mut self,
        table: &Table,
        columns: &[ColumnId],
        keys: &[Key],
    ) -> Result<Vec<Row>, WriteFault> {
        let mut rows = Vec::new();
        self.each_with(table, columns, keys, &FindOptions::default(), |row| {
            rows.push(row);
            Ok(())
        })
        .await?;
        Ok(rows)
    }

    /// The rows that point at one of these keys, if they are not more than one write looks at.
    pub(super) async fn pointing(
        &mut self,
        table: &Table,
        columns: &[ColumnId],
        keys: &[Key],
    ) -> Result<Vec<Row>, WriteFault> {
        let mut rows = Vec::new();
        self.each_with(table, columns, keys, &FindOptions::default(), |row| {
            rows.push(row);
            read::check_few(table, rows.len())
        })
        .await?;
        Ok(rows)
    }

    /// Which of these keys of theirs rows have, as texts.
    pub(super) async fn present(
        &mut self,
        table: &Table,
        columns: &[ColumnId],
        keys: &[Key],
    ) -> Result<HashSet<Vec<String>>, WriteFault> {
        let mut texts = HashSet::new();
        let options = FindOptions::builder().projection(only(table, columns)).build();
        self.each_with(table, columns, keys, &options, |row| {
            texts.extend(text_of(&key_of(&row, columns)));
            Ok(())
        })
        .await?;
        Ok(texts)
    }

    /// Whether any row has one of these keys.
    pub(super) async fn is_any(
        &mut self,
        table: &Table,
        columns: &[ColumnId],
        keys: &[Key],
    ) -> Result<bool, WriteFault> {
        let mut is_any = false;
        let options = FindOptions::builder().projection(only(table, columns)).limit(1).build();
        for some in keys.chunks(KEYS_AT_ONCE) {
            self.each_with(table, columns, some, &options, |_| {
                is_any = true;
                Ok(())
            })
            .await?;
            if is_any {
                break;
            }
        }
        Ok(is_any)
    }

    async fn each_with(
        &mut self,
        table: &Table,
        columns: &[ColumnId],
        keys: &[Key],
        options: &FindOptions,
        mut each: impl FnMut(Row) -> Result<(), StoreError>,
    ) -> Result<(), WriteFault> {
        for some in keys.chunks(KEYS_AT_ONCE) {
            let filter = keys::any(table, columns, some)?;
            let mut found = self.session.find(&table.name, filter, options.clone()).await.map_err(of_read)?;
            while let Some(batch) = found.next(self.session).await.map_err(of_read)? {
                for document in batch.documents()? {
                    each(cells::row(table, document))?;
                }
            }
        }
        Ok(())
    }

    /// Removes rows.
    pub(super) async fn remove(&mut self, table: &Table, rows: &[Row]) -> Result<(), WriteFault> {
        let keys: Vec<Key> = rows.iter().map(|row| key_of(row, &table.primary_key)).collect();
        for some in keys.chunks(KEYS_AT_ONCE) {
            let filter = keys::any(table, &table.primary_key, some)?;
            let delete = doc! { "q": filter, "limit": 0, "collation": keys::collation() };
            let reply = self.command(doc! { "delete": &*table.name, "deletes": [delete] }).await?;
            if number(&reply, "n") != some.len() as u64 {
                return Err(StoreError::Internal("other rows were removed than were found".into()).into());
            }
        }
        self.forget_made(table, rows.iter());
        self.ledger.removed(self.schema, table, rows);
        Ok(())
    }

    /// Rows went, or have other keys now: others that have their keys are not of our making.
    pub(super) fn forget_made<'r>(&mut self, table: &Table, rows: impl Iterator<Item = &'r Row>) {
        if self.made.is_empty() {
            return;
        }
        for text in rows.filter_map(|row| text_of(&key_of(row, &table.primary_key))) {
            self.made.remove(&(table.id, text));
        }
    }
}

/// Has the server tell these columns alone, and the key.
fn only(table: &Table, columns: &[ColumnId]) -> Document {
    columns.iter().map(|column| (names::field(table, *column).to_owned(), Bson::Int32(1))).collect()
}

impl Writer for Work<'_> {
    fn has_given(&mut self) -> &mut bool {
        &mut self.has_given
    }

    async fn insert(&mut self, plan: &Insert, sink: &mut dyn RowSink) -> Result<Affected, WriteFault> {
        Work::insert(self, plan, sink).await
    }

    async fn update(&mut self, plan: &Update, sink: &mut dyn RowSink) -> Result<Affected, WriteFault> {
        Work::update(self, plan, sink).await
    }

    async fn update_each(&mut self, plan: &UpdateEach, sink: &mut dyn RowSink) -> Result<Affected, WriteFault> {
        Work::update_each(self, plan, sink).await
    }

    async fn delete(&mut self, plan: &Delete, sink: &mut dyn RowSink) -> Result<Affected, WriteFault> {
        Work::delete(self, plan, sink).await
    }

    async fn call(&mut self, plan: &Run, _: &mut dyn RowSink) -> Result<Affected, WriteFault> {
        let name = &self.schema.function(plan.call.function).name;
        Err(cannot(&format!("run the function \"{name}\", which is SQL")).into())
    }

    async fn read_back(&mut self, plan: &Read, sink: &mut dyn RowSink) -> Result<(), WriteFault> {
        let done = self.read(plan, sink).await;
        self.has_given = true;
        done.map(drop)
    }
}
