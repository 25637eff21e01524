//! A JSON Schema of `schema/*.toml`, which gives completion and explanations in editors.
//!
//! It is laxer than [`load`](crate::load::load), which alone knows what names mean; all it refuses, `load` refuses too.

use serde_json::{Map, Value as Json, json};

use crate::language::Language;
use crate::load::types::PLAIN_TYPES;
use crate::load::words::{ACCESS_KEYS, ACTIONS, FIELD_KEYS, INDEX_KEYS, OBJECT_ID, REFERENCE_KEYS, TABLE_KEYS};
use crate::types::Format;

/// The JSON Schema (draft 2020-12) of a schema file, one line a member.
pub fn json_schema() -> String {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Mainstay schema file",
        "description": "Tables of a Mainstay project: fields, keys, references, indexes, validation and access.",
        "type": "object",
        "propertyNames": reference("name"),
        "additionalProperties": reference("table"),
        "$defs": {
            "name": name(),
            "names": { "type": "array", "items": { "type": "string" }, "minItems": 1 },
            "type": data_type(),
            "action": { "type": "string", "enum": ACTIONS },
            "rule": { "anyOf": [{ "type": "boolean" }, { "type": "string", "enum": ["true", "false"] }] },
            "table": hidable(object(&TABLE_KEYS, table_key)),
            "field": { "anyOf": [reference("type"), hidable(object(&FIELD_KEYS, field_key))] },
            "reference": required(object(&REFERENCE_KEYS, reference_key), &["fields", "table"]),
            "index": {
                "anyOf": [reference("names"), one_of(object(&INDEX_KEYS, index_key), &["on", "fulltext"])],
            },
        },
    });
    serde_json::to_string_pretty(&schema).expect("a JSON value always has a text")
}

fn reference(definition: &str) -> Json {
    json!({ "$ref": format!("#/$defs/{definition}") })
}

/// Names of tables, fields and keys; which letters they may have is left to `load`.
fn name() -> Json {
    json!({ "type": "string", "minLength": 1, "maxLength": 63, "not": { "pattern": "^(_mainstay|sqlite_)" } })
}

/// The plain names are listed apart from the rest, because editors complete what is listed.
fn data_type() -> Json {
    let names: Vec<&str> = PLAIN_TYPES.iter().map(|(name, _)| *name).chain([OBJECT_ID]).collect();
    let lists = format!("^({}|decimal\\( *[0-9]+ *, *[0-9]+ *\\))(\\[\\])?$", names.join("|"));
    json!({ "anyOf": [{ "type": "string", "enum": names }, { "type": "string", "pattern": lists }] })
}

/// An object that has these keys and no others.
fn object(keys: &[(&str, &str)], value: fn(&str) -> Json) -> Json {
    let mut properties = Map::new();
    for (key, description) in keys {
        let mut property = value(key);
        property["description"] = json!(description);
        properties.insert((*key).to_owned(), property);
    }
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// Found tables and columns may be hidden; which they are, an editor cannot know.
fn hidable(mut object: Json) -> Json {
    let description = "Whether it is left out of the API altogether. Only where the tables of the store are found.";
    object["properties"]["hide"] = json!({ "type": "boolean", "description": description });
    object
}

fn required(mut object: Json, keys: &[&str]) -> Json {
    object["required"] = json!(keys);
    object
}

/// An object that has one of these keys.
fn one_of(mut object: Json, keys: &[&str]) -> Json {
    object["anyOf"] = keys.iter().map(|key| json!({ "required": [key] })).collect();
    object
}

/// An object of things that have names of their own.
fn named(value: Json) -> Json {
    json!({ "type": "object", "propertyNames": reference("name"), "additionalProperties": value })
}

fn text() -> Json {
    json!({ "type": "string" })
}

fn flag() -> Json {
    json!({ "type": "boolean" })
}

fn table_key(key: &str) -> Json {
    match key {
        "fields" => named(reference("field")),
        "primary" => reference("names"),
        "unique" => named(reference("names")),
        "references" => named(reference("reference")),
        "indexes" => named(reference("index")),
        "access" => object(&ACCESS_KEYS, |_| reference("rule")),
        _ => text(),
    }
}

fn field_key(key: &str) -> Json {
    match key {
        "type" => reference("type"),
        "optional" | "unique" | "primary" => flag(),
        "default" => json!({}),
        "update" => json!({ "type": "string", "enum": ["now"] }),
        "on_delete" | "on_update" => reference("action"),
        "enum" => json!({ "type": "array", "items": text(), "minItems": 1, "uniqueItems": true }),
        "format" => json!({ "type": "string", "enum": Format::ALL.map(|(name, _)| name) }),
        // Dates and times are text to JSON.
        "min" | "max" => json!({ "type": ["number", "string"] }),
        _ => text(),
    }
}

fn reference_key(key: &str) -> Json {
    match key {
        "fields" | "to" => reference("names"),
        "on_delete" | "on_update" => reference("action"),
        _ => text(),
    }
}

fn index_key(key: &str) -> Json {
    match key {
        "on" | "fulltext" => reference("names"),
        "language" => json!({ "type": "string", "enum": Language::ALL.map(|(name, _)| name) }),
        "unique" => flag(),
        _ => text(),
    }
}

#[cfg(test)]
mod tests;
