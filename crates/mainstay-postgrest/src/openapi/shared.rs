//! Parameters that every document has.

use serde_json::{Map, Value, json};

/// A header by which a client says what it would like.
const PREFERENCES: [(&str, &[&str]); 4] = [
    // There was one, which functions with one parameter without a name have replaced; tools still look for the place.
    ("preferParams", &[]),
    ("preferReturn", &["return=representation", "return=minimal", "return=none"]),
    ("preferCount", &["count=none"]),
    (
        "preferPost",
        &[
            "return=representation",
            "return=minimal",
            "return=none",
            "resolution=ignore-duplicates",
            "resolution=merge-duplicates",
        ],
    ),
];

/// Name, what it is called in a request, where it stands there, and what it does.
const OTHERS: [(&str, &str, &str, &str); 7] = [
    ("select", "select", "query", "Filtering Columns"),
    ("on_conflict", "on_conflict", "query", "On Conflict"),
    ("order", "order", "query", "Ordering"),
    ("range", "Range", "header", "Limiting and Pagination"),
    ("rangeUnit", "Range-Unit", "header", "Limiting and Pagination"),
    ("offset", "offset", "query", "Limiting and Pagination"),
    ("limit", "limit", "query", "Limiting and Pagination"),
];

/// Those parameters by name.
pub(super) fn parameters() -> Map<String, Value> {
    let mut parameters = Map::new();
    for (name, values) in PREFERENCES {
        let mut preference = json!({
            "name": "Prefer", "description": "Preference", "required": false, "in": "header", "type": "string",
        });
        if !values.is_empty() {
            preference["enum"] = json!(values);
        }
        parameters.insert(name.into(), preference);
    }
    for (name, called, place, description) in OTHERS {
        let other = json!({
            "name": called, "description": description, "required": false, "in": place, "type": "string",
        });
        parameters.insert(name.into(), other);
    }
    parameters["rangeUnit"]["default"] = "items".into();
    parameters
}
