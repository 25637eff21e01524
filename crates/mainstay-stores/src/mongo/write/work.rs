//! What every write does inside its transaction: commands, and looking for rows.

use std::collections::HashSet;

use mainstay_query::plan::{Delete, Filter, Insert, Read, Run, Update, UpdateEach};
use mainstay_schema::{ColumnId, Schema, Table, TableId};
use mainstay_store::{RowSink, StoreError};
use mongodb::bson::{Document, doc};
use mongodb::options::FindOptions;

use super::faults::{fault, number, settled};
use super::keys::{self, Key, Row, key_of, text_of};
use super::locks::Locks;
use super::references::Ledger;
use super::transact::of_read;
use crate::mongo::session::Session;
use crate::mongo::{cells, read};
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

    /// The rows with one of these keys, with a value for each column of the table.
    pub(super) async fn with_keys(
        &mut self,
        table: &Table,
        columns: &[ColumnId],
        keys: &[Key],
    ) -> Result<Vec<Row>, WriteFault> {
        let mut rows = Vec::new();
        for some in keys.chunks(KEYS_AT_ONCE) {
            let filter = keys::any(table, columns, some)?;
            let mut found = self.session.find(&table.name, filter, FindOptions::default()).await.map_err(of_read)?;
            while let Some(batch) = found.next(self.session).await.map_err(of_read)? {
                rows.extend(batch.documents()?.map(|document| cells::row(table, document)));
            }
        }
        Ok(rows)
    }

    /// Which of these keys rows have, as texts.
    pub(super) async fn present(
        &mut self,
        table: &Table,
        columns: &[ColumnId],
        keys: &[Key],
    ) -> Result<HashSet<Vec<String>>, WriteFault> {
        let mut texts = HashSet::new();
        for row in self.with_keys(table, columns, keys).await? {
            texts.extend(text_of(&key_of(&row, columns)));
        }
        Ok(texts)
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
        self.ledger.removed(self.schema, table, rows);
        Ok(())
    }
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
        let what = format!("the store mongodb cannot run the function \"{name}\", which is SQL");
        Err(StoreError::Unsupported { what }.into())
    }

    async fn read_back(&mut self, plan: &Read, sink: &mut dyn RowSink) -> Result<(), WriteFault> {
        let done = self.read(plan, sink).await;
        self.has_given = true;
        done.map(drop)
    }
}
