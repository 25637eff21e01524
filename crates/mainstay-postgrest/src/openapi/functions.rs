//! Functions in the document.

use serde_json::{Map, Value, json};

use super::{MEDIA, operation, parameter, types};
use crate::catalog::{Function, Volatility};

/// How a function is called.
pub(super) fn path(function: &Function) -> Value {
    let mut about = operation(format!("(rpc) {}", function.name.name), function.comment.as_deref());
    // The last is for relations alone.
    about.insert("produces".into(), json!(MEDIA[..MEDIA.len() - 1]));
    about.insert("responses".into(), json!({ "200": { "description": "OK" } }));
    let with = |parameters: Vec<Value>| {
        let mut operation = about.clone();
        if !parameters.is_empty() {
            operation.insert("parameters".into(), parameters.into());
        }
        Value::from(operation)
    };
    let body = json!({ "name": "args", "required": true, "in": "body", "schema": arguments(function) });
    let mut path = json!({ "post": with(vec![body, parameter("preferParams")]) });
    if function.volatility != Volatility::Volatile {
        path["get"] = with(
            function
                .parameters
                .iter()
                .map(|parameter| {
                    let mut told = types::in_query(&parameter.ty, parameter.is_variadic);
                    told.insert("name".into(), (&*parameter.name).into());
                    told.insert("required".into(), parameter.is_required.into());
                    told.insert("in".into(), "query".into());
                    Value::from(told)
                })
                .collect(),
        );
    }
    path
}

/// What a function takes, as one object.
fn arguments(function: &Function) -> Value {
    let mut schema = Map::new();
    schema.insert("type".into(), "object".into());
    if let Some(comment) = &function.comment {
        schema.insert("description".into(), comment.as_str().into());
    }
    let properties: Map<String, Value> = (function.parameters.iter())
        .map(|parameter| (parameter.name.to_string(), types::in_body(&parameter.ty).into()))
        .collect();
    if !properties.is_empty() {
        schema.insert("properties".into(), properties.into());
    }
    let required: Vec<&str> = (function.parameters.iter())
        .filter(|parameter| parameter.is_required)
        .map(|parameter| &*parameter.name)
        .collect();
    if !required.is_empty() {
        schema.insert("required".into(), json!(required));
    }
    schema.into()
}
