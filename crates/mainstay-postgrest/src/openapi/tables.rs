//! Relations in the document.

use serde_json::{Map, Value, json};

use super::{operation, parameter, types};
use crate::catalog::{Cardinality, Catalog, Column, Link, Relation};

/// What a row of the relation is.
pub(super) fn definition(catalog: &Catalog, relation: &Relation) -> Value {
    let mut definition = Map::new();
    definition.insert("type".into(), "object".into());
    if let Some(comment) = &relation.comment {
        definition.insert("description".into(), comment.as_str().into());
    }
    let properties: Map<String, Value> = (relation.columns.iter())
        .map(|column| (column.name.to_string(), property(catalog, relation, column)))
        .collect();
    if !properties.is_empty() {
        definition.insert("properties".into(), properties.into());
    }
    let required: Vec<&str> =
        relation.columns.iter().filter(|column| !column.is_nullable).map(|column| &*column.name).collect();
    if !required.is_empty() {
        definition.insert("required".into(), json!(required));
    }
    definition.into()
}

fn property(catalog: &Catalog, relation: &Relation, column: &Column) -> Value {
    let mut property = types::in_body(&column.shown_type);
    if let Some(value) = column.default.as_deref().and_then(|text| types::default(&column.shown_type, text)) {
        property.insert("default".into(), value);
    }
    if let Some(description) = description(catalog, relation, column) {
        property.insert("description".into(), description.into());
    }
    if !column.labels.is_empty() {
        property.insert("enum".into(), json!(column.labels));
    }
    if let Some(length) = column.length_max {
        property.insert("maxLength".into(), length.into());
    }
    property.into()
}

/// The comment of a column and what keys it is part of. Tools read the tags, so their wording is fixed.
fn description(catalog: &Catalog, relation: &Relation, column: &Column) -> Option<String> {
    let mut notes = Vec::new();
    if relation.primary_key.contains(&column.name) {
        notes.push("This is a Primary Key.<pk/>".to_owned());
    }
    if let Some((table, target)) = foreign_key(catalog, relation, &column.name) {
        notes.push(format!("This is a Foreign Key to `{table}.{target}`.<fk table='{table}' column='{target}'/>"));
    }
    let comment = column.comment.as_deref();
    if notes.is_empty() {
        return comment.map(str::to_owned);
    }
    let comment = comment.map(|comment| format!("{comment}\n\n")).unwrap_or_default();
    Some(format!("{comment}Note:\n{}", notes.join("\n")))
}

/// The table and column that a column alone is a foreign key to; tables go before views of them.
fn foreign_key<'c>(catalog: &'c Catalog, relation: &Relation, column: &str) -> Option<(&'c str, &'c str)> {
    let all = catalog.relationships.get(&relation.name)?;
    let mut found = all.iter().filter(|one| one.target.schema == relation.name.schema).filter_map(|one| {
        let Link::Key { columns, cardinality: Cardinality::ManyToOne | Cardinality::OneToOne, .. } = &one.link else {
            return None;
        };
        match &columns[..] {
            [(here, there)] if **here == *column => Some((one.target_is_view, (&*one.target.name, &**there))),
            _ => None,
        }
    });
    let first = found.next()?;
    let table = if first.0 { found.find(|(is_view, _)| !is_view).unwrap_or(first) } else { first };
    Some(table.1)
}

/// Adds the parameters of a relation: its row in a body, and a filter on each column.
pub(super) fn parameters(relation: &Relation, parameters: &mut Map<String, Value>) {
    let table = &*relation.name.name;
    let body = json!({
        "name": table, "description": table, "required": false, "in": "body",
        "schema": { "$ref": format!("#/definitions/{table}") },
    });
    parameters.insert(format!("body.{table}"), body);
    for column in &relation.columns {
        let mut filter = json!({ "name": &*column.name, "required": false, "in": "query", "type": "string" });
        if let Some(comment) = &column.comment {
            filter["description"] = comment.as_str().into();
        }
        parameters.insert(format!("rowFilter.{table}.{}", column.name), filter);
    }
}

/// What can be done with a relation. Whoever can be written at all is described with every way to write.
pub(super) fn path(relation: &Relation) -> Value {
    let table = &*relation.name.name;
    let about = operation(table.to_owned(), relation.comment.as_deref());
    let filters: Vec<Value> =
        relation.columns.iter().map(|column| parameter(&format!("rowFilter.{table}.{}", column.name))).collect();
    let body = format!("body.{table}");
    let with = |parameters: Vec<Value>, responses: Value| {
        let mut operation = about.clone();
        operation.insert("parameters".into(), parameters.into());
        operation.insert("responses".into(), responses);
        Value::from(operation)
    };
    let and = |names: &[&str]| filters.iter().cloned().chain(names.iter().map(|name| parameter(name))).collect();
    let rows = json!({ "type": "array", "items": { "$ref": format!("#/definitions/{table}") } });
    let mut path = json!({ "get": with(
        and(&["select", "order", "range", "rangeUnit", "offset", "limit", "preferCount"]),
        json!({ "200": { "description": "OK", "schema": rows }, "206": { "description": "Partial Content" } }),
    ) });
    if relation.insertable || relation.updatable || relation.deletable {
        let post = [&*body, "select", "preferPost"].map(parameter).to_vec();
        path["post"] = with(post, json!({ "201": { "description": "Created" } }));
        let done = json!({ "204": { "description": "No Content" } });
        path["patch"] = with(and(&[&body, "preferReturn"]), done.clone());
        path["delete"] = with(and(&["preferReturn"]), done);
    }
    path
}
