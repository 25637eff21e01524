//! Values of another type, as every store converts them: MongoDB's own conversions mean other things.

use futures_util::TryStreamExt;
use mainstay_query::evaluate::cast;
use mainstay_schema::load::parse_type;
use mainstay_schema::model::Texts;
use mainstay_schema::{Column, ColumnId, Table, TableId, TableKind, Type};
use mongodb::Database;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, Document, doc};
use uuid::Uuid;

use super::run::{Told, told};
use crate::mongo::write::{number, value_of};
use crate::mongo::{errors, types};

/// Documents that are changed by one command.
const DOCUMENTS_AT_ONCE: usize = 1000;
/// How often documents are looked at that others change meanwhile.
const PASSES_MAX: usize = 20;

/// `convertField`: makes the values of a field anew, as another type, in the field `into`. Documents that have that field
/// are done.
pub(super) async fn convert(database: &Database, command: &Document) -> Told<()> {
    let word =
        |name: &str| command.get_str(name).map(str::to_owned).map_err(|_| format!("convertField wants \"{name}\""));
    let read = || {
        let (from, to) = (column(&word("from")?)?, column(&word("to")?)?);
        Ok::<_, String>((word("convertField")?, word("field")?, word("into")?, from, to))
    };
    let (collection, field, into, from, to) = match read() {
        Ok(parts) => parts,
        Err(problem) => return Ok(Err(problem)),
    };
    let table = Table::new(TableId(0), collection.as_str(), TableKind::Table, Vec::new());
    let filter = doc! { &field: { "$exists": true }, &into: { "$exists": false } };
    let made = |document: &Document| -> Result<Bson, String> {
        let old = document.get(&field).unwrap_or(&Bson::Null);
        let value = value_of(&from.ty, old);
        let value = cast(&value, &to.ty).map_err(|error| error.to_string())?;
        types::keep(&table, &to, &value).map_err(|error| error.to_string())
    };
    each(database, &collection, filter, &field, &into, made).await
}

/// `fillField`: a value of its own for each document that has none.
pub(super) async fn fill(database: &Database, command: &Document) -> Told<()> {
    let (Ok(collection), Ok(field)) = (command.get_str("fillField"), command.get_str("field")) else {
        return Ok(Err("fillField wants a collection and \"field\"".to_owned()));
    };
    if !command.get_str("with").is_ok_and(|with| with == "uuid7") {
        return Ok(Err("fillField knows \"with\": \"uuid7\" and nothing else".to_owned()));
    }
    let made = |_: &Document| {
        Ok(Bson::Binary(Binary { subtype: BinarySubtype::Uuid, bytes: Uuid::now_v7().as_bytes().to_vec() }))
    };
    each(database, collection, doc! { field: Bson::Null }, field, field, made).await
}

/// Sets a field of each document that passes to what is made of the document. One whose field somebody changes meanwhile is
/// looked at again.
async fn each(
    database: &Database,
    collection: &str,
    filter: Document,
    field: &str,
    into: &str,
    made: impl Fn(&Document) -> Result<Bson, String>,
) -> Told<()> {
    for _ in 0..PASSES_MAX {
        match pass(database, collection, filter.clone(), field, into, &made).await? {
            Ok(0) => return Ok(Ok(())),
            Ok(_) => {}
            Err(problem) => return Ok(Err(problem)),
        }
    }
    Ok(Err(format!("{collection}.{field} is written all the time; have nobody write to it and migrate again")))
}

/// Does it for all documents that are there, and tells how many of them were others by then.
async fn pass(
    database: &Database,
    collection: &str,
    filter: Document,
    field: &str,
    into: &str,
    made: &impl Fn(&Document) -> Result<Bson, String>,
) -> Told<u64> {
    let mut missed = 0;
    let documents = database.collection::<Document>(collection);
    let mut cursor = match documents.find(filter).projection(doc! { "_id": 1, field: 1 }).await {
        Ok(cursor) => cursor,
        Err(error) => return told(error),
    };
    let mut updates: Vec<Document> = Vec::new();
    loop {
        let next = cursor.try_next().await.map_err(errors::meaning)?;
        let is_last = next.is_none();
        if let Some(document) = next {
            let id = document.get("_id").cloned().unwrap_or(Bson::Null);
            match made(&document) {
                Ok(value) => {
                    let read = document.get(field).cloned().unwrap_or(Bson::Null);
                    let this = doc! { "_id": id, field: { "$eq": read } };
                    updates.push(
                        doc! { "q": this, "u": { "$set": { into: value } }, "collation": { "locale": "simple" } },
                    );
                }
                Err(problem) => return Ok(Err(format!("{collection}.{field} of _id {id}: {problem}"))),
            }
        }
        if updates.len() >= DOCUMENTS_AT_ONCE || (is_last && !updates.is_empty()) {
            let count = updates.len() as u64;
            let command = doc! {
                "update": collection, "updates": std::mem::take(&mut updates), "bypassDocumentValidation": true,
                "writeConcern": { "w": "majority" },
            };
            let reply = match database.run_command(command).await {
                Ok(reply) => reply,
                Err(error) => return told(error),
            };
            if let Some(problem) = reply.get_array("writeErrors").ok().and_then(|errors| errors.first()) {
                return Ok(Err(format!("{collection}.{field}: {problem}")));
            }
            missed += count.saturating_sub(number(&reply, "n"));
        }
        if is_last {
            return Ok(Ok(missed));
        }
    }
}

/// A column of a type by its name, as `print` of a plan writes it.
fn column(name: &str) -> Result<Column, String> {
    if name == "objectid" {
        return Ok(Column { texts: Texts::ObjectIds, ..Column::new(ColumnId(0), "value", Type::Text) });
    }
    let ty = parse_type(name).map_err(|(problem, remedy)| format!("{problem}; {remedy}"))?;
    Ok(Column::new(ColumnId(0), "value", ty))
}
