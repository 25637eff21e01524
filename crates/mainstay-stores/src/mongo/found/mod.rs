//! Collections of other programs, as a schema: what their validators say, and else what a sample of their documents
//! shows.
//!
//! ```text
//! rules.rs   what a validator says of fields      sample.rs  what documents show
//! ours.rs    collections that Mainstay made
//! ```
//!
//! Nothing here changes the database. A type that was only seen is marked as inferred, since the next document may be
//! another one. What cannot be served is left out and said (`Found::left_out`).

mod ours;
mod rules;
mod sample;

use std::error::Error;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

use futures_util::TryStreamExt;
use mainstay_schema::found::{Found, FoundColumn, FoundTable};
use mainstay_schema::model::{Checks, Texts};
use mainstay_schema::{
    Column, ColumnId, DefaultValue, Index, IndexColumn, Key, Schema, Table, TableId, TableKind, Type,
};
use mainstay_store::StoreError;
use mongodb::bson::{Bson, Document};
use mongodb::results::{CollectionSpecification, CollectionType};

use super::link::Link;
use super::migrate;
use super::names::ID;
use super::ours::OURS;
use super::proof;
use super::session::within;
use rules::Rule;
use sample::{Sample, Seen};

/// Most collections that are served.
const COLLECTIONS_MAX: usize = 5_000;
/// Most fields of a collection that are columns.
const FIELDS_MAX: usize = 500;

/// Why a collection is no table.
const NO_KEY: &str = "its _id is a document, or of several types, so that no row can be asked for by its key";

/// The collections that are there, as a schema. Nobody but the secret key may do anything with them yet.
///
/// # Errors
/// As the server says; [`StoreError::Deadline`].
pub(super) async fn find(link: &Link, deadline: Instant) -> Result<Schema, StoreError> {
    let mut found = Found::default();
    let mut tables: Vec<Table> = Vec::new();
    let mut specifications = listed(link, deadline).await?;
    specifications.sort_by(|one, other| one.name.cmp(&other.name));
    let recorded = within_store(deadline, ours::recorded(link)).await?;
    for one in &specifications {
        if tables.len() >= COLLECTIONS_MAX {
            found.left_out.push(format!("{}: there are more than {COLLECTIONS_MAX}", one.name));
            continue;
        }
        let declared = recorded.as_ref().and_then(|schema| schema.find(&one.name)).filter(|table| table.is_writable());
        if let Some(declared) = declared {
            let (table, about) = ours::table(declared, TableId(tables.len() as u32));
            tables.push(table);
            found.tables.push(about);
            continue;
        }
        let (sample, indexes) = match looked_at(link, one, deadline).await {
            Ok(seen) => seen,
            Err(error @ (StoreError::Deadline | StoreError::Unavailable(_))) => return Err(error),
            // Such as a view of what is no more.
            Err(error) => {
                found.left_out.push(format!("{}: it cannot be read: {}", one.name, told(&error)));
                continue;
            }
        };
        match table(TableId(tables.len() as u32), one, &sample, &indexes, &mut found.left_out) {
            Ok((table, about)) => {
                tables.push(table);
                found.tables.push(about);
            }
            Err(problem) => found.left_out.push(format!("{}: {problem}", one.name)),
        }
    }
    if let Some(recorded) = &recorded {
        ours::link_up(&mut tables, recorded);
        found.is_ours = true;
    }
    Ok(Schema::of_found(tables, found))
}

/// What a collection shows of itself.
async fn looked_at(
    link: &Link,
    one: &CollectionSpecification,
    deadline: Instant,
) -> Result<(Sample, Vec<(String, Document)>), StoreError> {
    let sample = sample::take(link, &one.name, deadline).await?;
    let indexes = match one.collection_type {
        CollectionType::Collection => within_store(deadline, proof::indexes(link.database(), &one.name)).await?,
        _ => Vec::new(),
    };
    Ok((sample, indexes))
}

/// An error and what is behind it.
fn told(error: &StoreError) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// A number that changes whenever the collections or their rules do.
///
/// # Errors
/// As the server says; [`StoreError::Deadline`].
pub(super) async fn version(link: &Link, deadline: Instant) -> Result<i64, StoreError> {
    let mut parts: Vec<String> = Vec::new();
    for one in listed(link, deadline).await? {
        let rules = one.options.validator.as_ref().map(Document::to_string);
        let uuid = one.info.uuid.as_ref().map(|uuid| format!("{:?}", uuid.bytes));
        parts.push(format!("{} {:?} {rules:?} {uuid:?}", one.name, one.collection_type));
    }
    parts.sort_unstable();
    // The same within one process, which is all that is asked.
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    Ok(i64::from_ne_bytes(hasher.finish().to_ne_bytes()))
}

/// The collections of others.
async fn listed(link: &Link, deadline: Instant) -> Result<Vec<CollectionSpecification>, StoreError> {
    let listed = async { link.database().list_collections().await?.try_collect::<Vec<_>>().await };
    let listed: Vec<CollectionSpecification> = within(deadline, listed).await?;
    Ok(listed.into_iter().filter(|one| !one.name.starts_with(OURS) && !one.name.starts_with("system.")).collect())
}

async fn within_store<T>(
    deadline: Instant,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    tokio::time::timeout_at(deadline.into(), work).await.unwrap_or(Err(StoreError::Deadline))
}

/// What a field is, from its rule or from what was seen.
struct Field {
    ty: Type,
    texts: Texts,
    optional: bool,
    variants: Vec<String>,
    description: Option<String>,
    declared: String,
}

fn table(
    id: TableId,
    one: &CollectionSpecification,
    sample: &Sample,
    indexes: &[(String, Document)],
    left_out: &mut Vec<String>,
) -> Result<(Table, FoundTable), String> {
    let is_collection = one.collection_type == CollectionType::Collection;
    let rules = one.options.validator.as_ref().map(rules::read).unwrap_or_default();
    let mut names: Vec<&str> = vec![ID];
    names.extend(rules.fields.iter().map(|rule| &*rule.name).filter(|name| *name != ID));
    for name in sample.fields.iter().map(|(name, _)| &**name) {
        if !names.contains(&name) && !rules.is_closed {
            names.push(name);
        }
    }
    let mut columns: Vec<Column> = Vec::new();
    let mut about: Vec<FoundColumn> = Vec::new();
    for name in names {
        if let Some(problem) = unnamable(name)
            .or_else(|| (columns.len() >= FIELDS_MAX).then(|| format!("there are more than {FIELDS_MAX} fields")))
        {
            left_out.push(format!("{}: the field {name:?}: {problem}", one.name));
            continue;
        }
        let rule = rules.fields.iter().find(|rule| rule.name == name);
        let seen = sample.field(name);
        if name == ID && !is_collection && seen.is_none() {
            continue;
        }
        let field = field(name, rule, seen, sample.count)?;
        let id = ColumnId(columns.len() as u32);
        let is_made = name == ID && field.texts == Texts::ObjectIds && is_collection;
        about.push(FoundColumn { declared: field.declared, ..FoundColumn::default() });
        columns.push(Column {
            texts: field.texts,
            optional: field.optional && !(name == ID && is_collection),
            default: is_made.then(|| DefaultValue::Expression("ObjectId()".to_owned())),
            checks: Checks {
                variants: field.variants.iter().map(|word| word.as_str().into()).collect(),
                ..Checks::default()
            },
            description: field.description,
            ..Column::new(id, name, field.ty)
        });
    }
    let kind = if is_collection { TableKind::Table } else { TableKind::View { sql: String::new() } };
    let mut table = Table { description: rules.description, ..Table::new(id, one.name.as_str(), kind, columns) };
    if is_collection {
        table.primary_key = vec![ColumnId(0)];
        indexes.iter().for_each(|(name, index)| add_index(&mut table, name, index));
    }
    Ok((table, FoundTable { is_view: !is_collection, columns: about, ..FoundTable::default() }))
}

/// Why a field cannot be asked for by its name.
fn unnamable(name: &str) -> Option<String> {
    let problem = match name {
        "" => "its name is empty",
        name if name.contains('.') => "the dot in its name means a field inside of a field",
        name if name.starts_with('$') => "its name begins with $, as operators do",
        _ => return None,
    };
    Some(problem.to_owned())
}

fn field(name: &str, rule: Option<&Rule>, seen: Option<&Seen>, count: usize) -> Result<Field, String> {
    let inferred = seen.map(Seen::data_type);
    let is_id = name == ID;
    if let Some(rule) = rule
        && let Some((ty, texts)) = rule.data_type(inferred.as_ref())
    {
        if is_id && ty == Type::Json {
            return Err(NO_KEY.to_owned());
        }
        return Ok(Field {
            ty,
            texts,
            optional: rule.optional,
            variants: rule.variants.clone(),
            description: rule.description.clone(),
            declared: rule.declared.clone(),
        });
    }
    let (ty, texts) = match (inferred, is_id) {
        (Some((Type::Json, _)), true) => {
            return Err(NO_KEY.to_owned());
        }
        (Some(inferred), _) => inferred,
        // What no document shows: the server makes object ids.
        (None, true) => (Type::Text, Texts::ObjectIds),
        (None, false) => (Type::Json, Texts::Plain),
    };
    let words = match seen {
        Some(seen) => format!("{}, inferred from {count} documents", seen.words()),
        None if is_id => "objectId".to_owned(),
        None => "of any type".to_owned(),
    };
    let description = seen.is_some().then(|| format!("Its type is inferred: {}.", words));
    Ok(Field { ty, texts, optional: true, variants: Vec::new(), description, declared: words })
}

/// An index over whole fields. One that leads inside of fields, or is of another kind, is no business of the schema.
fn add_index(table: &mut Table, name: &str, index: &Document) {
    let Ok(key) = index.get_document("key") else { return };
    let mut columns: Vec<IndexColumn> = Vec::new();
    for (field, direction) in key {
        let (Some(column), Some(direction)) = (table.find_column(field), number(direction)) else { return };
        columns.push(IndexColumn { column: column.id, descending: direction < 0.0 });
    }
    let is_unique = index.get_bool("unique").unwrap_or_default();
    let is_scalar = |part: &IndexColumn| !matches!(table.column(part.column).ty, Type::Array(_) | Type::Json);
    let ids: Vec<ColumnId> = columns.iter().map(|part| part.column).collect();
    if is_unique && columns.iter().all(is_scalar) && is_of_all(table, index, key) {
        table.uniques.push(Key { name: name.into(), columns: ids });
    } else if !index.contains_key("partialFilterExpression") {
        table.indexes.push(Index { name: name.into(), columns, unique: false, condition: None });
    }
}

/// Whether a unique index holds all documents that have its fields.
fn is_of_all(table: &Table, index: &Document, key: &Document) -> bool {
    let Ok(part) = index.get_document("partialFilterExpression") else { return true };
    let is_presence = |field: &str, condition: &Bson| {
        let test = condition.as_document().filter(|test| test.len() == 1).and_then(|test| test.iter().next());
        test.is_some_and(|(word, value)| match word.as_str() {
            "$exists" => *value == Bson::Boolean(true) || number(value).is_some_and(|number| number != 0.0),
            "$type" => true,
            // That all values are in it, or those from some value on.
            "$gte" => table.find_column(field).is_some_and(|column| *value == migrate::least(column)),
            _ => false,
        })
    };
    part.iter().all(|(field, condition)| key.contains_key(field) && is_presence(field, condition))
}

fn number(value: &Bson) -> Option<f64> {
    match value {
        Bson::Int32(number) => Some(f64::from(*number)),
        Bson::Int64(number) => Some(if *number < 0 { -1.0 } else { 1.0 }),
        Bson::Double(number) => Some(*number),
        _ => None,
    }
}
