//! Conditions on what documents hold, by the paths that the server has for them.
//!
//! A path of the server goes through lists by itself, and ours do not: so each step of a path is asked to be no list. Only
//! what comes out the same on every document has a form; for some other tests there is one that lets more through.

use bson::{Bson, Document, doc};
use mainstay_query::evaluate::like_regex;
use mainstay_query::plan::{Comparison, Expr, PathStep, Test};
use mainstay_schema::value::Json;
use mainstay_schema::{Table, Type, Value};
use mongodb::bson;

use super::filter::{Field, Outcome, all, any, regex};
use super::{json, names};

/// A path of the server, and the conditions that it leads where ours does.
struct Path {
    name: String,
    guards: Vec<Document>,
    /// That it leads nowhere since a step is a list.
    strays: Vec<Document>,
}

impl Path {
    /// The server's path; `None` if it has no words for it.
    fn of(column: &str, steps: &[PathStep]) -> Option<Path> {
        let mut path = Path { name: column.to_owned(), guards: Vec::new(), strays: Vec::new() };
        for step in steps {
            let PathStep::Key(key) = step else { return None };
            if !names::is_plain(key) {
                return None;
            }
            path.guards.push(doc! { &path.name: { "$not": { "$type": "array" } } });
            path.strays.push(doc! { &path.name: { "$type": "array" } });
            path.name = format!("{}.{key}", path.name);
        }
        Some(path)
    }

    /// A condition on what stands there, which is no list.
    fn is(&self, condition: Document) -> Document {
        let mut parts = self.guards.clone();
        parts.push(doc! { &self.name: condition });
        parts.push(doc! { &self.name: { "$not": { "$type": "array" } } });
        all(parts)
    }
}

/// The form of a test of a path; `None` if it has none.
pub(super) fn form(field: &Field, expr: &Expr, test: &Test, outcome: Outcome) -> Option<Document> {
    if !expr.as_text || field.ty != Type::Json {
        return None;
    }
    let path = Path::of(&field.name, &expr.path)?;
    let is_true = outcome == Outcome::True;
    match test {
        Test::IsNull => {
            let mut nothing = path.strays.clone();
            nothing.push(path.is(doc! { "$eq": null }));
            let mut something = path.guards.clone();
            let ends = [doc! { "$ne": null }, doc! { "$type": "array" }].map(|end| doc! { &path.name: end });
            something.push(any(ends.to_vec()));
            Some(if is_true { any(nothing) } else { all(something) })
        }
        Test::Compare(Comparison::Eq, Value::Text(text)) if is_true => words(text).map(|list| path.is(among(list))),
        Test::In(list) if is_true && !list.is_empty() => {
            let lists: Option<Vec<Vec<Bson>>> = list.iter().map(|item| words(text_of(item)?)).collect();
            Some(path.is(among(lists?.concat())))
        }
        _ => None,
    }
}

fn text_of(value: &Value) -> Option<&str> {
    if let Value::Text(text) = value { Some(text) } else { None }
}

fn among(mut list: Vec<Bson>) -> Document {
    if list.len() == 1 {
        doc! { "$eq": list.remove(0) }
    } else {
        doc! { "$in": list }
    }
}

/// What has this text; `None` if that is more than can be listed.
fn words(text: &str) -> Option<Vec<Bson>> {
    match text {
        "true" | "false" => return Some(vec![text.into(), (text == "true").into()]),
        // `->>` gives no text for it, but for a string that says so.
        "null" => return Some(vec![text.into()]),
        _ => {}
    }
    // Numbers, lists and documents, object ids, moments, octets and identifiers have texts too.
    let is_of_something = Json::parse(text).is_ok()
        || text.starts_with(['{', '[', '\\'])
        || matches!(text, "NaN" | "Infinity" | "-Infinity")
        || text.starts_with(|first: char| first.is_ascii_digit() || first == '-')
        || text.len() == 24
        || text.len() == 36;
    (!is_of_something).then(|| vec![text.into()])
}

/// A form that all rows pass of which a test of a path is true, and perhaps more.
pub(super) fn candidates(table: &Table, expr: &Expr, test: &Test) -> Option<Document> {
    let column = names::field(table, expr.column);
    let is_json = table.column(expr.column).ty == Type::Json;
    if !is_json || !names::is_plain(column) {
        return None;
    }
    let path = loose(column, &expr.path)?;
    match test {
        Test::Compare(Comparison::Eq, value) => Some(doc! { path: alternatives(value)? }),
        Test::In(list) => {
            let parts: Option<Vec<Document>> =
                list.iter().map(|value| Some(doc! { &path: alternatives(value)? })).collect();
            parts.map(any)
        }
        // Only strings have texts that hold letters and blanks at their start.
        Test::Like { pattern, case_sensitive } if expr.as_text && pattern.starts_with(|c: char| c.is_alphabetic()) => {
            let regex = regex(like_regex(pattern, *case_sensitive).as_str(), *case_sensitive)?;
            let other = doc! { &path: { "$not": { "$type": "string" } } };
            Some(any(vec![doc! { &path: { "$regex": regex } }, other]))
        }
        Test::Contains(Value::Json(document)) if expr.path.is_empty() || !expr.as_text => holding(&path, document),
        _ => None,
    }
}

/// The server's path, which may lead to more.
fn loose(column: &str, steps: &[PathStep]) -> Option<String> {
    let mut path = column.to_owned();
    for step in steps {
        let step = match step {
            PathStep::Key(key) if names::is_plain(key) => key.clone(),
            PathStep::Index(index) if *index >= 0 => index.to_string(),
            _ => return None,
        };
        path = format!("{path}.{step}");
    }
    Some(path)
}

/// What may be equal to a value, or have it as its text.
fn alternatives(value: &Value) -> Option<Document> {
    match value {
        Value::Text(text) => {
            if let Some(list) = words(text) {
                return Some(among(list));
            }
            if text.starts_with(['{', '[']) {
                return None;
            }
            let mut list = vec![Bson::String(text.clone())];
            if let Some(id) = super::types::object_id(text) {
                list.push(id.into());
            }
            let is_number = Json::parse(text).is_ok() && !text.starts_with('"');
            match (is_number, json::number(text)) {
                // A whole number is the same in every form that numbers are kept in.
                (true, Some(number @ (Bson::Int32(_) | Bson::Int64(_)))) => list.push(number),
                (true, _) => return None,
                (false, _) if text.len() == 36 || text.starts_with(|c: char| c.is_ascii_digit() || c == '\\') => {
                    return None;
                }
                // Numbers too have these texts.
                (false, _) if matches!(&**text, "NaN" | "Infinity" | "-Infinity") => return None,
                _ => {}
            }
            Some(among(list))
        }
        Value::Json(document) => scalar(document)?.map(|kept| doc! { "$eq": kept }),
        _ => None,
    }
}

/// A string, truth value or whole number, which is equal to nothing that is kept otherwise.
fn scalar(document: &Json) -> Option<Option<Bson>> {
    let kept = json::to_bson(document).ok()?;
    Some(match kept {
        // A moment or an object id of another program is equal to the string that it is shown as.
        Bson::String(text) => words(&text).and_then(|list| list.into_iter().next()),
        Bson::Boolean(_) | Bson::Int32(_) => Some(kept),
        _ => None,
    })
}

/// What may contain a document: each scalar member of an object stands at its place.
fn holding(path: &str, document: &Json) -> Option<Document> {
    let Ok(Bson::Document(members)) = json::to_bson(document) else { return None };
    let mut parts = Vec::new();
    for (name, member) in members {
        let is_sure = match &member {
            Bson::String(text) => words(text).is_some(),
            Bson::Boolean(_) | Bson::Int32(_) => true,
            _ => false,
        };
        if is_sure && names::is_plain(&name) {
            parts.push(doc! { format!("{path}.{name}"): { "$eq": member } });
        }
    }
    if parts.is_empty() { None } else { Some(all(parts)) }
}
