//! PostgreSQL's types and defaults in the words of JSON.

use serde_json::{Map, Value, json};

/// The type of a value in JSON; `None` for one that may be of any.
fn kind(ty: &str) -> Option<&'static str> {
    match ty {
        "character varying" | "character" | "text" => Some("string"),
        "boolean" => Some("boolean"),
        "smallint" | "integer" | "bigint" => Some("integer"),
        "numeric" | "real" | "double precision" => Some("number"),
        "json" | "jsonb" => None,
        _ if ty.ends_with("[]") => Some("array"),
        _ => Some("string"),
    }
}

/// The SQL type, or what the standard calls it.
fn format(ty: &str) -> &str {
    match ty {
        "smallint" | "integer" => "int32",
        "bigint" => "int64",
        _ => ty,
    }
}

/// The type of an array's items.
fn item(ty: &str) -> &str {
    ty.strip_suffix("[]").unwrap_or(ty)
}

/// The schema of a value in a body.
pub(super) fn in_body(ty: &str) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("format".into(), format(ty).into());
    if let Some(kind) = kind(ty) {
        schema.insert("type".into(), kind.into());
        if kind == "array" {
            let item = kind_only(item(ty));
            schema.insert("items".into(), item);
        }
    }
    schema
}

fn kind_only(ty: &str) -> Value {
    kind(ty).map_or_else(|| json!({}), |kind| json!({ "type": kind }))
}

/// What a value in the query is. Arrays are written as literals there, so they are strings, but for those that are given by
/// repetition.
pub(super) fn in_query(ty: &str, is_repeated: bool) -> Map<String, Value> {
    let simple = |ty: &str| {
        let kind = kind(ty).filter(|kind| *kind != "array").unwrap_or("string");
        Map::from_iter([("type".to_owned(), kind.into()), ("format".to_owned(), format(ty).into())])
    };
    if !is_repeated {
        return simple(ty);
    }
    Map::from_iter([
        ("type".to_owned(), "array".into()),
        ("items".to_owned(), simple(item(ty)).into()),
        ("collectionFormat".to_owned(), "multi".into()),
    ])
}

/// The value that a default is, if it is a plain one; expressions for strings as their text.
pub(super) fn default(ty: &str, default: &str) -> Option<Value> {
    if kind(ty) != Some("string") {
        return serde_json::from_str(default).ok();
    }
    let literal = default.strip_suffix(ty).and_then(|rest| rest.strip_suffix("::"));
    let text = literal.map_or(default, |literal| literal.trim_matches('\''));
    // Text that JSON would have to escape is left out, as PostgREST does.
    serde_json::from_str(&format!("\"{text}\"")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_that_are_plain_values_are_told() {
        for (ty, text, expected) in [
            ("integer", "1", Some(json!(1))),
            ("numeric", "1.5", Some(json!(1.5))),
            ("boolean", "true", Some(json!(true))),
            ("integer", "nextval('s.t_id_seq'::regclass)", None),
            ("text", "'hello'::text", Some(json!("hello"))),
            ("character varying", "'x'::character varying", Some(json!("x"))),
            ("api.mood", "'ok'::api.mood", Some(json!("ok"))),
            ("timestamp with time zone", "now()", Some(json!("now()"))),
            ("text", "'\"'::text", None),
            ("jsonb", "'{}'::jsonb", None),
            ("text[]", "'{}'::text[]", None),
        ] {
            assert_eq!(default(ty, text), expected, "{ty} {text}");
        }
    }

    #[test]
    fn types_in_bodies_and_queries() {
        let body = |ty| Value::from(in_body(ty));
        assert_eq!(body("bigint"), json!({ "format": "int64", "type": "integer" }));
        assert_eq!(body("jsonb"), json!({ "format": "jsonb" }));
        assert_eq!(
            body("integer[]"),
            json!({ "format": "integer[]", "type": "array", "items": { "type": "integer" } })
        );
        assert_eq!(body("json[]"), json!({ "format": "json[]", "type": "array", "items": {} }));
        assert_eq!(body("api.mood"), json!({ "format": "api.mood", "type": "string" }));
        let query = |ty, is_repeated| Value::from(in_query(ty, is_repeated));
        assert_eq!(query("json", false), json!({ "format": "json", "type": "string" }));
        assert_eq!(query("text[]", false), json!({ "format": "text[]", "type": "string" }));
        assert_eq!(
            query("text[]", true),
            json!({
                "type": "array", "items": { "format": "text", "type": "string" }, "collectionFormat": "multi"
            })
        );
    }
}
