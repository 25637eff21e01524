//! Rows written.

use mainstay_query::plan::Write;
use mainstay_store::{Call, Explanation, RowSink, Script, StoreError};
use mongodb::bson::{Document, doc};

use super::link::{Link, View};
use super::session::within;
use super::store::cannot;
use super::{names, types};

/// What a write did.
pub(super) struct Affected {
    /// Rows inserted, updated or deleted.
    pub(super) affected: u64,
    /// Of those, rows that were inserted rather than merged into others.
    pub(super) inserted: u64,
}

/// Carries out a write.
///
/// # Errors
/// Why it failed; nothing has happened.
pub(super) async fn run(link: &Link, call: &Call, plan: &Write, _: &mut dyn RowSink) -> Result<Affected, StoreError> {
    let Write::Insert(insert) = plan else { return Err(cannot("do this")) };
    let mut session = link.session(call.deadline, View::Latest).await?;
    let table = call.schema.table(insert.table);
    let mut documents = Vec::new();
    for row in &insert.rows {
        let mut document = Document::new();
        for (column, value) in insert.columns.iter().zip(row) {
            let Some(value) = value else { return Err(cannot("number rows")) };
            document.insert(names::field(table, *column), types::keep(table, table.column(*column), value)?);
        }
        documents.push(document);
    }
    let count = documents.len() as u64;
    let deadline = session.deadline();
    let collection = session.database().collection::<Document>(&table.name);
    within(deadline, collection.insert_many(documents).session(&mut session.client)).await?;
    Ok(Affected { affected: count, inserted: count })
}

/// Carries out the steps of a script in one transaction.
///
/// # Errors
/// Why it failed; nothing has happened.
pub(super) async fn transact(_: &Link, _: &Call, _: Box<dyn Script>) -> Result<Box<dyn Script>, StoreError> {
    Err(cannot("carry out several steps as one transaction"))
}

/// What the server would run for a write.
///
/// # Errors
/// As the server says.
pub(super) async fn explain(_: &Link, _: &Call, _: &Write) -> Result<Explanation, StoreError> {
    let _ = doc! {};
    Err(cannot("explain writes"))
}
