//! What every description holds whatever the schema is: parameters, headers, error answers, ways to show a key.

use http::StatusCode;

use super::json::{Json, Object, list, reference};
use crate::errors::CODES;

/// Names of component schemas that no table may take.
pub(super) const SCHEMAS: [&str; 3] = ["Error", "ColumnChange", "JsonPatch"];

/// Statuses that a read may end with besides the good ones.
pub(super) const READ: &[u16] = &[300, 400, 401, 403, 404, 406, 412, 414, 416, 431, 500, 503, 504];
/// Statuses that a write may end with besides the good ones.
pub(super) const WRITE: &[u16] = &[300, 400, 401, 403, 404, 406, 408, 409, 412, 413, 414, 415, 416, 431, 500, 503, 504];
/// Statuses of the description itself.
pub(super) const ROOT: &[u16] = &[400, 401, 404, 406, 414, 431, 500, 503, 504];

/// The status of a method that a function does not take, and of a PUT whose filters are not its key.
pub(super) const NOT_ALLOWED: u16 = 405;

/// The media type of forms.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";
/// The media type of a single row.
pub(super) const SINGULAR: &str = "application/vnd.pgrst.object+json";
/// The same as an element.
pub(super) const SINGULAR_XML: &str = "application/vnd.pgrst.object+xml";

/// The parameter `name` of the shared ones.
pub(super) fn parameter(name: &str) -> Object {
    reference("parameters", name)
}

/// Puts these error answers behind the good ones.
pub(super) fn with_errors(mut responses: Object, statuses: &[u16]) -> Object {
    for status in statuses {
        responses.push(status.to_string(), reference("responses", &response_name(*status)));
    }
    responses
}

/// `components.parameters`, but those of the tables.
pub(super) fn parameters(aggregates: bool) -> Object {
    let query = |name: &str, schema: Object, words: &str| place("query", name, schema, words);
    let known = |name: &str, words: &str| place("query", name, schema_of(name), words);
    let header = |name: &str, schema: Object, words: &str| place("header", name, schema, words);
    let select = if aggregates { format!("{SELECT}{SELECT_AGGREGATES}") } else { SELECT.to_owned() };
    let parameters = Object::new()
        .with("select", known("select", &select))
        .with(
            "order",
            query(
                "order",
                text(&[]),
                "Columns to order by, each with `.asc` or `.desc` and `.nullsfirst` or `.nullslast` behind it if that is \
                 wanted: `price.desc,name`.",
            ),
        )
        .with("limit", known("limit", "The most rows to give. The server has a limit of its own as well."))
        .with("offset", known("offset", "Rows to skip."))
        .with("after", known("after", AFTER))
        .with(
            "distinct",
            known("distinct", "Rows that are equal in everything that `select` shows, once."),
        )
        .with("and", query("and", text(&[]), "Filters that must all hold: `(stars.gte.4,author.eq.Ada)`."))
        .with("or", query("or", text(&[]), "Filters of which one must hold: `(stars.eq.5,author.eq.Ada)`."))
        .with("columns", query("columns", text(&[]), "The columns to take from the body, where it may hold others."))
        .with(
            "on_conflict",
            query("on_conflict", text(&[]), "The unique key that decides whether a row is there already, by its columns."),
        )
        .with("ifMatch", header("If-Match", text(&[]), IF_MATCH))
        .with("ifNoneMatch", header("If-None-Match", text(&[]), IF_NONE_MATCH))
        .with("range", header("Range", text(&["0-9"]), "First and last row, as another way to say offset and limit."))
        .with("preferRead", header("Prefer", text(&["count=exact"]), PREFER_READ))
        .with("preferInsert", header("Prefer", text(&["return=representation"]), PREFER_INSERT))
        .with("preferWrite", header("Prefer", text(&["return=representation"]), PREFER_WRITE))
        .with("preferCall", header("Prefer", text(&["count=exact"]), PREFER_CALL));
    let having = || known("having", "Filters on what the groups of `select` show: `(count.gt.1,total.lt.100)`.");
    if aggregates { parameters.with("having", having()) } else { parameters }
}

/// The schema of a parameter that a query string and a form know alike.
pub(super) fn schema_of(name: &str) -> Object {
    match name {
        "limit" | "offset" => Object::new().with("type", "integer").with("format", "int64").with("minimum", 0),
        "distinct" => Object::new().with("type", "boolean"),
        "select" => text(&["*"]),
        _ => text(&[]),
    }
}

fn place(place: &str, name: &str, schema: Object, words: &str) -> Object {
    Object::new().with("name", name).with("in", place).with("description", words).with("schema", schema)
}

/// A text, with what it could be.
pub(super) fn text(examples: &[&str]) -> Object {
    let schema = Object::new().with("type", "string");
    if examples.is_empty() { schema } else { schema.with("examples", list(examples.iter().copied())) }
}

const SELECT: &str = "What each row holds: columns, `alias:column`, `column::type`, JSON paths `column->a->>b`, every column \
                      but some as `*,-column`, and rows of related tables as `table(columns)`. Without it, every column.";
const SELECT_AGGREGATES: &str =
    " `count()`, `price.sum()`, `.avg()`, `.min()`, `.max()` make one row of those that are equal in all else.";
const AFTER: &str = "Rows behind a place: empty for the first page, then what the header `Next-After` of the page before \
                     says.";
const IF_MATCH: &str = "Entity tags as `ETag` gives them: go on only if the rows are still these. `*` wants any row.";
const IF_NONE_MATCH: &str = "Entity tags as `ETag` gives them: go on only if the rows are others. `*` wants none.";
const PREFER_CALL: &str = "`count=exact` counts all rows (in `Content-Range`). `return=minimal` gives nothing back. \
                           `handling=strict,max-affected=1` undoes what touches more than one row.";
const PREFER_READ: &str = "`count=exact` counts all rows that pass the filters (in `Content-Range`). `handling=strict` \
                           refuses preferences that are not known.";
const PREFER_INSERT: &str = "`return=representation` gives the new rows back, `return=headers-only` where they are. \
                             `resolution=merge-duplicates` changes a row whose key is there already, \
                             `resolution=ignore-duplicates` leaves it. `missing=default` takes the default for what a \
                             row leaves out, also in lists of rows.";
const PREFER_WRITE: &str = "`return=representation` gives the rows back. `count=exact` counts them. \
                            `handling=strict,max-affected=1` refuses to touch more than one row.";

/// `components.headers`.
pub(super) fn headers() -> Object {
    let header = |words: &str| Object::new().with("description", words).with("schema", text(&[]));
    Object::new()
        .with("Content-Range", header("`first-last/total`; `*` for what is not there or was not counted."))
        .with("Content-Location", header("The request in its canonical form."))
        .with("Preference-Applied", header("The preferences that counted."))
        .with("ETag", header("The tag of these rows, for `If-Match` and `If-None-Match`."))
        .with("Next-After", header("With `after`: its value for the next page, if there may be one."))
        .with("Location", header("Where the one new row is, if that was asked for."))
}

/// References to these headers.
pub(super) fn header_references(names: &[&str]) -> Object {
    let mut headers = Object::new();
    for name in names {
        headers.push(*name, reference("headers", name));
    }
    headers
}

/// `components.responses`: one for each status of an error, with the codes that it comes with.
pub(super) fn responses() -> Object {
    let mut statuses: Vec<u16> = [READ, WRITE, ROOT, &[NOT_ALLOWED]].concat();
    statuses.sort_unstable();
    statuses.dedup();
    let mut responses = Object::new();
    for status in statuses {
        responses.push(response_name(status), response(status));
    }
    responses
}

fn response(status: u16) -> Object {
    let mut words = reason(status);
    let mut codes: Vec<(&str, String)> = Vec::new();
    for code in CODES.iter().filter(|code| code.status == status) {
        words.push_str(&format!("\n* `{}`: {}", code.name, code.when));
        match codes.iter_mut().find(|(name, _)| *name == code.name) {
            Some((_, when)) => when.push_str(&format!(" {}", code.when)),
            None => codes.push((code.name, code.when.to_owned())),
        }
    }
    let mut meanings = Object::new();
    for (name, when) in codes {
        meanings.push(name, when);
    }
    let content = Object::new().with("application/json", Object::new().with("schema", reference("schemas", "Error")));
    Object::new().with("description", words).with("content", content).with("x-codes", meanings)
}

fn reason(status: u16) -> String {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    reason.unwrap_or_default().to_owned()
}

fn response_name(status: u16) -> String {
    reason(status).replace([' ', '-'], "")
}

/// The schema of every error.
pub(super) fn error() -> Object {
    let text = |words: &str| Object::new().with("type", "string").with("description", words);
    let optional = |words: &str| Object::new().with("type", list(["string", "null"])).with("description", words);
    let properties = Object::new()
        .with("code", text("Stable: programs decide by it."))
        .with("message", text("What is wrong."))
        // A list of candidates for PGRST201, otherwise text.
        .with("details", Object::new().with("description", "What makes this case particular: a text, a list, or null."))
        .with("hint", optional("What would be right."));
    Object::new()
        .with("type", "object")
        .with("description", "Why a request was refused.")
        .with("required", list(["code", "message", "details", "hint"]))
        .with("properties", properties)
}

/// What is done to a column, in a body of `application/vnd.mainstay.patch+json`.
pub(super) fn column_change() -> Object {
    let words = "What is done to the column: one operation and its operand.";
    let operations = ["set", "add", "append", "prepend", "remove", "merge", "patch"];
    Object::new()
        .with("type", "object")
        .with("description", words)
        .with("minProperties", 1)
        .with("maxProperties", 1)
        .with("propertyNames", Object::new().with("enum", list(operations)))
}

/// A body of `application/json-patch+json` (RFC 6902).
pub(super) fn json_patch() -> Object {
    let operations = ["add", "remove", "replace", "move", "copy", "test"];
    let properties = Object::new()
        .with("op", Object::new().with("type", "string").with("enum", list(operations)))
        .with("path", text(&[]))
        .with("from", text(&[]))
        .with("value", Object::new().with("description", "Any value."));
    let operation =
        Object::new().with("type", "object").with("required", list(["op", "path"])).with("properties", properties);
    Object::new()
        .with("type", "array")
        .with("description", "Operations on the row as a document, whose members are its columns.")
        .with("items", operation)
}

/// `components.securitySchemes`.
pub(super) fn security_schemes() -> Object {
    let key = Object::new()
        .with("type", "apiKey")
        .with("in", "header")
        .with("name", "apikey")
        .with("description", "The publishable or the secret key of the project.");
    let bearer = Object::new()
        .with("type", "http")
        .with("scheme", "bearer")
        .with("description", "A token that the project signed, or one of its keys.");
    Object::new().with("apikey", key).with("bearer", bearer)
}

/// Either of them opens every path.
pub(super) fn security() -> Json {
    let one = |name: &str| Object::new().with(name, Json::List(Vec::new()));
    list([one("apikey"), one("bearer")])
}
