//! The API described in OpenAPI 3.1, for programs: generators of clients, validators, the reference in the browser.
//!
//! A pure function of a schema and of who asks, so that a description is made once and kept as bytes. It tells of
//! nothing that its reader may not touch: what is hidden leaves no trace in it.

mod cache;
mod columns;
mod functions;
mod json;
mod names;
mod shared;
mod sight;
mod tables;

pub(crate) use cache::{Documents, role};

use bytes::Bytes;
use mainstay_query::{Actor, Role};
use mainstay_schema::Schema;

use crate::encode::encoded;
use json::{Object, list};
use names::Names;
use sight::Sight;
use tables::Described;

/// What a description says of the API as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Name of the project.
    pub title: String,
    /// Where the API is, as far as it is known: a URL, or a path on the server that the description came from.
    pub server: String,
    /// Whether rows may be grouped by aggregates.
    pub aggregates: bool,
}

/// The description as this role sees it, or of everything.
pub fn openapi(schema: &Schema, role: Option<Role>, about: &About) -> Bytes {
    match role {
        None => document(schema, Sight::Everything, about),
        Some(role) => document(schema, Sight::Of(&Actor::Caller(role)), about),
    }
}

fn document(schema: &Schema, sight: Sight<'_>, about: &About) -> Bytes {
    let mut names = Names::with(&shared::SCHEMAS);
    let tables = described(schema, sight, &mut names);
    let families = functions::families(schema, sight, &tables, &mut names);
    let info = Object::new()
        .with("title", about.title.as_str())
        .with("version", env!("CARGO_PKG_VERSION"))
        .with("description", WORDS);
    let tags = tables.iter().map(|described| {
        let words = described.table.description.as_deref();
        Object::new().with("name", &described.table.name).with_some("description", words)
    });
    let has_tag = families.is_empty() || tables.iter().any(|described| &*described.table.name == functions::TAG);
    let functions_tag = Object::new().with("name", functions::TAG).with("description", "Functions in SQL.");
    let tags = tags.chain((!has_tag).then_some(functions_tag));
    let mut paths = Object::new().with("/", root());
    let mut schemas = Object::new().with("Error", shared::error());
    if tables.iter().any(|described| described.abilities.update) {
        schemas.push("ColumnChange", shared::column_change());
        schemas.push("JsonPatch", shared::json_patch());
    }
    let mut parameters = shared::parameters(about.aggregates);
    if tables.iter().all(|described| &*described.table.name != "batch") {
        paths.push("/batch", batch());
    }
    for described in &tables {
        paths.push(format!("/{}", encoded(&described.table.name)), described.path(about.aggregates));
        // Below `/rpc/` are functions, whatever tables are called.
        if described.abilities.read && &*described.table.name != functions::TAG {
            paths.push(format!("/{}/query", encoded(&described.table.name)), described.query_path(about.aggregates));
        }
        described.schemas(schema, sight, &mut schemas);
        described.parameters(&mut parameters);
    }
    for family in &families {
        paths.push(format!("/rpc/{}", encoded(family.name)), family.path());
        if let Some(path) = family.query_path() {
            paths.push(format!("/rpc/{}/query", encoded(family.name)), path);
        }
        family.components(schema, sight, &mut schemas, &mut parameters);
    }
    let components = Object::new()
        .with("schemas", schemas)
        .with("parameters", parameters)
        .with("headers", shared::headers())
        .with("responses", shared::responses())
        .with("securitySchemes", shared::security_schemes());
    let document = Object::new()
        .with("openapi", "3.1.0")
        .with("info", info)
        .with("servers", list([Object::new().with("url", about.server.as_str())]))
        .with("security", shared::security())
        .with("tags", list(tags))
        .with("paths", paths)
        .with("components", components);
    Bytes::from(document.into_bytes())
}

/// The tables that can be touched, with their names.
fn described<'s>(schema: &'s Schema, sight: Sight<'_>, names: &mut Names) -> Vec<Described<'s>> {
    let tables = schema.tables().iter().map(|table| (table, sight.of(schema, table)));
    let tables = tables.filter(|(_, abilities)| abilities.any());
    tables
        .map(|(table, abilities)| Described { table, abilities, name: names.give(&table.name, &tables::FORMS) })
        .collect()
}

/// The path of the description itself.
fn root() -> Object {
    let content =
        |name: &str| Object::new().with(name, Object::new().with("schema", Object::new().with("type", "object")));
    let found = Object::new().with("description", "The description.").with("content", content(MEDIA));
    let get = Object::new()
        .with("operationId", "describe")
        .with("summary", "This description")
        .with("responses", shared::with_errors(Object::new().with("200", found), shared::ROOT));
    Object::new().with("get", get)
}

/// The path at which several requests are one.
fn batch() -> Object {
    let object = || Object::new().with("type", "object");
    let steps = Object::new().with("type", "array").with("minItems", 1).with("items", object());
    let properties = Object::new().with("steps", steps);
    let steps = || object().with("required", list(["steps"])).with("properties", properties.clone());
    let content = || Object::new().with("application/json", Object::new().with("schema", steps()));
    let done = Object::new().with("description", "All of it happened.").with("content", content());
    let post = Object::new()
        .with("operationId", "batch")
        .with("summary", "Several requests as one, all of which happen or none")
        .with("requestBody", Object::new().with("required", true).with("content", content()))
        .with("responses", shared::with_errors(Object::new().with("200", done), shared::WRITE));
    Object::new().with("post", post)
}

/// The media type of a description.
pub(crate) const MEDIA: &str = "application/openapi+json";

const WORDS: &str = "Rows of every table at its own path. `select` says what each row holds, filters say which rows: \
                     `?price=lt.20&order=name`. Send a key in the header `apikey`, or a token as `Authorization: Bearer`.";
