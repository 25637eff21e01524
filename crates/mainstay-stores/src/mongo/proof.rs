//! Whether collections are what a schema says: their rules and indexes are compared with those that its tables should
//! have. A migration is tried in a scratch database of the server.

use std::time::Duration;

use futures_util::TryStreamExt;
use mainstay_schema::{Schema, Table};
use mainstay_store::StoreError;
use mongodb::Database;
use mongodb::bson::{Bson, Document, doc};
use mongodb::options::{ValidationAction, ValidationLevel};
use mongodb::results::CollectionType;
use uuid::Uuid;

use super::errors;
use super::link::Link;
use super::migrate::{self, Runner, Shape};
use super::ours::{OURS, SCRATCH};
use crate::sql::parts::{Extra, Parts, differences};

/// Age at which a scratch database was left by a process that is no more.
const LEFT_AFTER: Duration = Duration::from_secs(6 * 3600);
/// Members of an index that say what it is; the server adds others.
const INDEX_MEMBERS: [&str; 3] = ["key", "unique", "partialFilterExpression"];
/// Members that the server adds to every index, and that mean nothing.
const INDEX_NOISE: [&str; 4] = ["v", "name", "ns", "background"];

/// How much is told of collections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// What a schema says.
    Declared,
    /// And which collection it is, so that one that was dropped and made again is another.
    Identity,
}

/// Tries a migration on the collections of `old`; the inner error says what is wrong with it.
///
/// # Errors
/// [`StoreError`] if it cannot be tried, as when the user may not make databases.
pub(super) async fn prove(
    link: &Link,
    old: &Schema,
    new: &Schema,
    text: &str,
) -> Result<Result<(), Vec<String>>, StoreError> {
    let refusals = migrate::refusals(new);
    if !refusals.is_empty() {
        return Ok(Err(refusals));
    }
    let runner = &Runner::new(link.database());
    remove_left(runner).await?;
    let scratch = runner.within(&format!("{SCRATCH}{}", Uuid::now_v7().simple()));
    let found = made(&scratch, old, text).await;
    // Also when it failed.
    let dropped = scratch.database().drop().await;
    let found = match found? {
        Ok(found) => found,
        Err(problem) => return Ok(Err(vec![problem])),
    };
    dropped.map_err(errors::meaning)?;
    Ok(match differences(&wanted(new), &found, Extra::Told) {
        none if none.is_empty() => Ok(()),
        some => Err(some),
    })
}

/// How the collections differ from what `schema` says. Collections that it does not name are others' business.
///
/// # Errors
/// As [`prove`].
pub(super) async fn drift(link: &Link, schema: &Schema) -> Result<Vec<String>, StoreError> {
    let is_named = |name: &str| schema.find(name).is_some();
    Ok(differences(&wanted(schema), &described(link.database(), Detail::Declared, is_named).await?, Extra::Ignored))
}

/// Makes the collections of a schema, carries out commands, and tells what is there then. The inner error is what the
/// server says to a command.
async fn made(runner: &Runner, schema: &Schema, text: &str) -> Result<Result<Parts, String>, StoreError> {
    migrate::prepare_by(runner).await?;
    let create = migrate::plan(&Schema::default(), schema).sql;
    for text in [&*create, text] {
        let commands = match migrate::commands(text) {
            Ok(commands) => commands,
            Err(problem) => return Ok(Err(problem)),
        };
        for command in commands {
            if let Err(problem) = runner.run(&command).await? {
                return Ok(Err(problem));
            }
        }
    }
    described(runner.database(), Detail::Declared, |_| true).await.map(Ok)
}

/// What the tables of a schema should be.
fn wanted(schema: &Schema) -> Parts {
    let mut parts = Parts::new();
    for table in schema.tables().iter().filter(|table| !table.internal && table.is_writable()) {
        describe(&mut parts, schema, table);
    }
    parts
}

fn describe(parts: &mut Parts, schema: &Schema, table: &Table) {
    let shape = Shape::of(schema, table);
    is_collection(parts, &table.name, "strict");
    for (name, rule) in &shape.fields {
        field(parts, &table.name, name, rule, shape.required.contains(name));
    }
    for (name, spec) in &shape.indexes {
        index(parts, &table.name, name, spec);
    }
}

fn is_collection(parts: &mut Parts, table: &str, level: &str) {
    let how = format!("a collection with {level} rules");
    parts.insert((table.to_owned(), "is".to_owned()), how);
}

fn field(parts: &mut Parts, table: &str, name: &str, rule: &Document, is_required: bool) {
    let how = format!("{}{}", plain(&Bson::from(rule.clone())), if is_required { ", required" } else { "" });
    parts.insert((table.to_owned(), format!("field {name}")), how);
}

fn index(parts: &mut Parts, table: &str, name: &str, spec: &Document) {
    let members = spec.iter().filter(|(member, _)| !INDEX_NOISE.contains(&member.as_str()));
    let mut members: Vec<(&String, &Bson)> = members.collect();
    members.sort_by_key(|(member, _)| INDEX_MEMBERS.iter().position(|known| known == member).unwrap_or(usize::MAX));
    let how: Vec<String> = members.into_iter().map(|(member, value)| format!("{member} {}", plain(value))).collect();
    parts.insert((table.to_owned(), format!("index {name}")), how.join(", "));
}

/// A value in words that do not tell kinds of numbers apart, which the server does not keep as they were sent.
fn plain(value: &Bson) -> String {
    match value {
        Bson::Document(members) => {
            let members = members.iter().map(|(name, value)| format!("{name}: {}", plain(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        Bson::Array(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(", ")),
        Bson::Int32(number) => number.to_string(),
        Bson::Int64(number) => number.to_string(),
        Bson::Double(number) => number.to_string(),
        other => other.to_string(),
    }
}

/// What the server says of the collections of a database that are asked for; Mainstay's own are left out.
pub(super) async fn described(
    database: &Database,
    detail: Detail,
    is_asked: impl Fn(&str) -> bool,
) -> Result<Parts, StoreError> {
    let mut parts = Parts::new();
    let mut found = database.list_collections().await.map_err(errors::meaning)?;
    while let Some(one) = found.try_next().await.map_err(errors::meaning)? {
        let table = one.name.as_str();
        let is_ours = table.starts_with(OURS) && detail == Detail::Declared;
        if is_ours || table.starts_with("system.") || !is_asked(table) {
            continue;
        }
        if one.collection_type != CollectionType::Collection {
            parts.insert((table.to_owned(), "is".to_owned()), "a view".to_owned());
            continue;
        }
        let level = match (&one.options.validation_level, &one.options.validation_action) {
            (Some(ValidationLevel::Off), _) => "no",
            // Who breaks them is told of in the log of the server.
            (_, Some(ValidationAction::Warn)) => "unenforced",
            (Some(ValidationLevel::Moderate), _) => "moderate",
            _ => "strict",
        };
        let rules = one.options.validator.as_ref().and_then(|rules| rules.get_document("$jsonSchema").ok());
        is_collection(&mut parts, table, if rules.is_some() { level } else { "no" });
        if let Some(rules) = rules {
            let required: Vec<&str> = rules
                .get_array("required")
                .map(|all| all.iter().filter_map(Bson::as_str).collect())
                .unwrap_or_default();
            for (name, rule) in rules.get_document("properties").into_iter().flatten() {
                let rule = rule.as_document().cloned().unwrap_or_default();
                field(&mut parts, table, name, &rule, required.contains(&name.as_str()));
            }
        }
        if detail == Detail::Identity {
            let uuid = one.info.uuid.map(|uuid| format!("{:02x?}", uuid.bytes)).unwrap_or_default();
            parts.insert((table.to_owned(), "uuid".to_owned()), uuid);
        }
        for (name, spec) in indexes(database, table).await? {
            index(&mut parts, table, &name, &spec);
        }
    }
    Ok(parts)
}

/// The indexes of a collection by their names, as the server tells them; that of `_id` is left out.
pub(super) async fn indexes(database: &Database, collection: &str) -> Result<Vec<(String, Document)>, StoreError> {
    let listed = database.run_cursor_command(doc! { "listIndexes": collection }).await;
    let specs: Vec<Document> = match listed {
        Ok(cursor) => cursor.try_collect().await.map_err(errors::meaning)?,
        // It went away in between.
        Err(error) if errors::code(&error) == Some(errors::NO_COLLECTION) => Vec::new(),
        Err(error) => return Err(errors::meaning(error)),
    };
    let named = |spec: Document| Some((spec.get_str("name").ok()?.to_owned(), spec));
    Ok(specs.into_iter().filter_map(named).filter(|(name, _)| name != "_id_").collect())
}

/// Drops scratch databases whose makers are gone.
async fn remove_left(runner: &Runner) -> Result<(), StoreError> {
    let now = Uuid::now_v7().get_timestamp().map_or(0, |time| time.to_unix().0);
    for name in runner.databases().await? {
        let id = name.strip_prefix(SCRATCH).and_then(|id| Uuid::try_parse(id).ok());
        let made = id.and_then(|id| id.get_timestamp()).map(|time| time.to_unix().0);
        if made.is_some_and(|made| made + LEFT_AFTER.as_secs() < now) {
            runner.within(&name).database().drop().await.map_err(errors::meaning)?;
        }
    }
    Ok(())
}
