//! Carries out one command of a migration. Most are the server's own; two are ours, for what it has no words for:
//!
//! ```text
//! {"convertField":"t","field":"a","from":"int","to":"text","into":"b"}   values of another type, beside the old ones
//! {"fillField":"t","field":"u","with":"uuid7"}                           a new uuid where there is no value
//! ```

use futures_util::TryStreamExt;
use mainstay_store::StoreError;
use mongodb::bson::{Bson, Document, doc};
use mongodb::error::{Error, ErrorKind};
use mongodb::{Client, Database};

use super::convert;
use crate::mongo::errors;

/// Commands that wait until what they did is safe, if they are told so.
const WRITES: [&str; 11] = [
    "create",
    "createIndexes",
    "drop",
    "dropIndexes",
    "collMod",
    "update",
    "insert",
    "delete",
    "aggregate",
    "findAndModify",
    "renameCollection",
];
/// Commands that change documents, and can be carried out again.
const OF_DOCUMENTS: [&str; 7] =
    ["update", "insert", "delete", "aggregate", "findAndModify", "convertField", "fillField"];
/// Documents that break new rules and are named.
const NAMED_MAX: i64 = 3;

/// Why a command was not carried out: the server said so, in the inner error, or did not say anything.
pub(in crate::mongo) type Told<T> = Result<Result<T, String>, StoreError>;

/// Carries out commands in one database.
#[derive(Debug, Clone)]
pub(in crate::mongo) struct Runner {
    client: Client,
    database: Database,
}

impl Runner {
    pub(in crate::mongo) fn new(database: &Database) -> Runner {
        Runner { client: database.client().clone(), database: database.clone() }
    }

    pub(in crate::mongo) fn database(&self) -> &Database {
        &self.database
    }

    /// The same for another database of the server.
    pub(in crate::mongo) fn within(&self, database: &str) -> Runner {
        Runner { client: self.client.clone(), database: self.client.database(database) }
    }

    /// The names of the databases that can be seen.
    pub(in crate::mongo) async fn databases(&self) -> Result<Vec<String>, StoreError> {
        self.client.list_database_names().await.map_err(errors::meaning)
    }

    /// Carries out a command.
    pub(in crate::mongo) async fn run(&self, command: &Document) -> Told<()> {
        let Some((name, first)) = command.iter().next() else { return Ok(Err("an empty command".to_owned())) };
        match name.as_str() {
            "convertField" => convert::convert(&self.database, command).await,
            "fillField" => convert::fill(&self.database, command).await,
            "collMod" if makes_strict(command) => {
                if let Err(refusal) = self.check_rules(first.as_str().unwrap_or_default()).await? {
                    return Ok(Err(refusal));
                }
                self.send(&self.database, command.clone()).await
            }
            "renameCollection" => {
                // The only command that wants whole names, and another database.
                let mut command = command.clone();
                for part in ["renameCollection", "to"] {
                    let whole = format!("{}.{}", self.database.name(), command.get_str(part).unwrap_or_default());
                    command.insert(part, whole);
                }
                self.send(&self.client.database("admin"), command).await
            }
            _ => self.send(&self.database, command.clone()).await,
        }
    }

    async fn send(&self, database: &Database, mut command: Document) -> Told<()> {
        let name = command.keys().next().cloned().unwrap_or_default();
        if WRITES.contains(&&*name) && !command.contains_key("writeConcern") {
            command.insert("writeConcern", doc! { "w": "majority" });
        }
        let reply = match database.run_command(command).await {
            Ok(reply) => reply,
            Err(error) => return told(error),
        };
        let errors = reply.get_array("writeErrors").ok().and_then(|errors| errors.first()?.as_document());
        Ok(match errors.map(|error| error.get_str("errmsg").unwrap_or("a document was refused").to_owned()) {
            Some(message) => Err(message),
            None => Ok(()),
        })
    }

    /// Refuses rules that documents break which are there.
    async fn check_rules(&self, collection: &str) -> Told<()> {
        let filter = doc! { "name": collection };
        let mut found = match self.database.list_collections().filter(filter).await {
            Ok(found) => found,
            Err(error) => return told(error),
        };
        let options = found.try_next().await.map_err(errors::meaning)?.map(|found| found.options);
        let Some(validator) = options.and_then(|options| options.validator).filter(|rules| !rules.is_empty()) else {
            return Ok(Ok(()));
        };
        let broken = doc! { "$nor": [validator] };
        let documents = self.database.collection::<Document>(collection);
        let few = documents.find(broken.clone()).projection(doc! { "_id": 1 }).limit(NAMED_MAX).await;
        let few: Vec<Document> = match few {
            Ok(few) => few.try_collect().await.map_err(errors::meaning)?,
            Err(error) => return told(error),
        };
        if few.is_empty() {
            return Ok(Ok(()));
        }
        let count = documents.count_documents(broken).await.map_err(errors::meaning)?;
        let named: Vec<String> = few.iter().filter_map(|one| one.get("_id")).map(Bson::to_string).collect();
        let (these, more) = (named.join(", "), if count > few.len() as u64 { ", …" } else { "" });
        Ok(Err(format!(
            "{count} documents of {collection} break its new rules (_id {these}{more}): a value is missing, or is not of \
             the type that the schema says; change them and migrate again"
        )))
    }
}

/// Whether a command has rules hold for every document that are there already.
fn makes_strict(command: &Document) -> bool {
    !command.contains_key("validator") && command.get_str("validationLevel").is_ok_and(|level| level == "strict")
}

/// Whether a command changes documents and not collections, so that it can be carried out again.
pub(super) fn is_of_documents(command: &Document) -> bool {
    command.keys().next().is_some_and(|name| OF_DOCUMENTS.contains(&name.as_str()))
}

/// What a server said to a command, or that it said nothing.
pub(super) fn told<T>(error: Error) -> Told<T> {
    match &*error.kind {
        ErrorKind::Command(command) => Ok(Err(command.message.clone())),
        ErrorKind::Write(_) | ErrorKind::InsertMany(_) | ErrorKind::InvalidArgument { .. } => {
            Ok(Err(error.to_string()))
        }
        _ => Err(errors::meaning(error)),
    }
}
