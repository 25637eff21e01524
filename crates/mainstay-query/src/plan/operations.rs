//! Bodies of a `PATCH` that say how a row changes rather than what it becomes.
//!
//! ```text
//! application/vnd.mainstay.patch+json   {"stock": {"add": -1}, "tags": {"append": ["x"]}}
//! application/merge-patch+json          {"name": "y", "attributes": {"color": null}}         RFC 7396
//! application/json-patch+json           [{"op": "test", "path": "/stock", "value": 3}, …]     RFC 6902
//! ```
//!
//! In the two standard forms a row is the document, and its columns are the members of that document.

use std::fmt;

use mainstay_schema::value::Json;
use mainstay_schema::{Column, ColumnId, Table, Type, Value, ValueError};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::resolve::{self, not_implemented};
use super::rows;
use super::{Assign, PatchOp, PatchStep};
use crate::error::{ParseError, PlanError};

/// Operations of one JSON patch.
const PATCH_STEPS_MAX: usize = 1000;

/// What becomes of which column.
pub(super) type Set = Vec<(ColumnId, Assign)>;

/// One object of the body with an operation for each column; the members named in `key` hold plain values.
pub(super) struct Operations {
    /// Values of the key's columns.
    pub(super) key: Vec<Value>,
    /// The operations on all others.
    pub(super) set: Set,
}

/// Reads the objects of a body of operations, one or an array of them.
pub(super) fn operations(
    table: &Table,
    chosen: Option<&[String]>,
    key: &[ColumnId],
    body: &[u8],
) -> Result<Vec<Operations>, PlanError> {
    let chosen = chosen.map(|names| columns(table, names)).transpose()?;
    let objects = match read::<&RawValue>(body)?.get() {
        text if text.starts_with('[') => read::<Vec<Members<'_>>>(text.as_bytes())?,
        text => vec![read(text.as_bytes())?],
    };
    let chosen = chosen.as_deref();
    objects.iter().enumerate().map(|(at, object)| object_of(table, chosen, key, object, at + 1)).collect()
}

fn columns(table: &Table, names: &[String]) -> Result<Vec<ColumnId>, PlanError> {
    names.iter().map(|name| resolve::body_column(table, name).map(|column| column.id)).collect()
}

fn object_of(
    table: &Table,
    chosen: Option<&[ColumnId]>,
    key: &[ColumnId],
    object: &Members<'_>,
    row: usize,
) -> Result<Operations, PlanError> {
    let mut keys: Vec<Option<Value>> = vec![None; key.len()];
    let mut set = Set::new();
    for (name, source) in &object.0 {
        let column = match resolve::body_column(table, name) {
            Ok(column) => column,
            // With `columns`, other members do not count.
            Err(_) if chosen.is_some() => continue,
            Err(error) => return Err(error),
        };
        if let Some(place) = key.iter().position(|part| *part == column.id) {
            keys[place] = Some(given(table, column, source.get(), row)?);
        } else if chosen.is_none_or(|chosen| chosen.contains(&column.id)) {
            set.push((column.id, operation(table, column, source.get(), row)?));
        }
    }
    let missing = keys.iter().position(Option::is_none);
    if let Some(place) = missing {
        return Err(keyless(table.column(key[place]), row));
    }
    Ok(Operations { key: keys.into_iter().flatten().collect(), set })
}

/// A row of the body lacks a column of the key by which it is found.
pub(super) fn keyless(column: &Column, row: usize) -> PlanError {
    let message = format!("Every row must hold the key column \"{}\"", column.name);
    body_error(message, format!("row {row}"))
}

const OPERATIONS: &str = "set, add, append, prepend, remove, merge, patch";

/// `{"add": 1}`: exactly one operation with its operand.
fn operation(table: &Table, column: &Column, source: &str, row: usize) -> Result<Assign, PlanError> {
    let wrong = |details: String| {
        let message = format!("The column \"{}\" wants an object with exactly one operation", column.name);
        body_error(message, details)
    };
    if !source.starts_with('{') {
        return Err(wrong(format!("Write {{\"set\": {}}} to set a value.", shortened(source))));
    }
    let Members(members) = read(source.as_bytes())?;
    let [(word, operand)] = &members[..] else { return Err(wrong(format!("It has {} members.", members.len()))) };
    let operand = operand.get();
    let typed = |ty: &Type| {
        let value = Value::parse_json(ty, operand).map_err(|error| value_error(column, error, row))?;
        if value.is_null() { Err(wrong(format!("The operand of \"{word}\" is null."))) } else { Ok(value) }
    };
    let without = |operator| PlanError::NoOperator { ty: column.ty.wire_name(), operator };
    let is_list = matches!(column.ty, Type::Array(_));
    match word.as_str() {
        "set" => Ok(Assign::Value(given(table, column, operand, row)?)),
        "add" => match column.ty {
            Type::Int | Type::BigInt | Type::Float | Type::Decimal { .. } => typed(&column.ty).map(Assign::Add),
            _ => Err(without("add")),
        },
        "append" if is_list || column.ty == Type::Text => typed(&column.ty).map(Assign::Append),
        "append" => Err(without("append")),
        "prepend" if is_list || column.ty == Type::Text => typed(&column.ty).map(Assign::Prepend),
        "prepend" => Err(without("prepend")),
        "remove" if is_list => typed(&column.ty).map(Assign::Remove),
        "remove" => Err(without("remove")),
        "merge" if column.ty == Type::Json => document(column, operand, row).map(Assign::Merge),
        "merge" => Err(without("merge")),
        "patch" if column.ty == Type::Json || is_list => {
            let mut steps = Vec::new();
            for step in steps_of(operand.as_bytes())? {
                steps.push(step.into_step(column, row, |path| Ok(path.to_vec()))?);
            }
            Ok(Assign::Patch(steps))
        }
        "patch" => Err(without("patch")),
        _ => Err(wrong(format!("\"{}\" is none; there are {OPERATIONS}.", shortened(word)))),
    }
}

/// Reads a merge patch: members of json columns that are objects are merged, all others are values.
pub(super) fn merge_patch(table: &Table, chosen: Option<&[String]>, body: &[u8]) -> Result<Set, PlanError> {
    let chosen = chosen.map(|names| columns(table, names)).transpose()?;
    let Members(members) = read(body)?;
    let mut set = Set::new();
    for (name, source) in &members {
        let column = match (resolve::body_column(table, name), &chosen) {
            (Ok(column), None) => column,
            (Ok(column), Some(chosen)) if chosen.contains(&column.id) => column,
            (Err(error), None) => return Err(error),
            (_, Some(_)) => continue,
        };
        let source = source.get();
        let is_merge = column.ty == Type::Json && source.starts_with('{');
        let assign = match is_merge {
            true => Assign::Merge(document(column, source, 1)?),
            false => Assign::Value(given(table, column, source, 1)?),
        };
        set.push((column.id, assign));
    }
    Ok(set)
}

/// Reads a JSON patch. Operations on several columns do not depend on each other, so each column gets its own.
pub(super) fn json_patch(table: &Table, body: &[u8]) -> Result<Set, PlanError> {
    let mut patched: Vec<(&Column, Vec<PatchStep>)> = Vec::new();
    for step in steps_of(body)? {
        let Some((name, _)) = step.path.split_first() else {
            return Err(not_implemented("An operation of a JSON patch on the whole row.".to_owned()));
        };
        let column = resolve::body_column(table, name)?;
        let step = step.into_step(column, 1, |path| match path.split_first() {
            Some((first, rest)) if *first == *column.name => Ok(rest.to_vec()),
            _ => Err(not_implemented("An operation of a JSON patch from one column to another.".to_owned())),
        })?;
        match patched.iter_mut().find(|(other, _)| other.id == column.id) {
            Some((_, steps)) => steps.push(step),
            None => patched.push((column, vec![step])),
        }
    }
    patched.into_iter().map(|(column, steps)| Ok((column.id, settled(table, column, steps)?))).collect()
}

/// The value, when all that is done to a column is that it is set.
fn settled(table: &Table, column: &Column, steps: Vec<PatchStep>) -> Result<Assign, PlanError> {
    match &steps[..] {
        [PatchStep { path, op: PatchOp::Add(value) | PatchOp::Replace(value) }] if path.is_empty() => {
            Ok(Assign::Value(given(table, column, value.as_str(), 1)?))
        }
        _ => Ok(Assign::Patch(steps)),
    }
}

/// One operation of a JSON patch, as written.
struct Step<'b> {
    op: String,
    path: Vec<String>,
    from: Option<Vec<String>>,
    value: Option<&'b RawValue>,
}

impl Step<'_> {
    /// The step inside a column; `inside` takes the column off a path.
    fn into_step(
        self,
        column: &Column,
        row: usize,
        inside: impl Fn(&[String]) -> Result<Vec<String>, PlanError>,
    ) -> Result<PatchStep, PlanError> {
        let value = |value: Option<&RawValue>| match value {
            Some(value) => document(column, value.get(), row),
            None => {
                Err(body_error(format!("The operation \"{}\" of a JSON patch wants a value", self.op), String::new()))
            }
        };
        let from = || match &self.from {
            Some(from) => inside(from),
            None => Err(body_error(format!("The operation \"{}\" of a JSON patch wants from", self.op), String::new())),
        };
        let op = match self.op.as_str() {
            "add" => PatchOp::Add(value(self.value)?),
            "remove" => PatchOp::Remove,
            "replace" => PatchOp::Replace(value(self.value)?),
            "move" => PatchOp::Move(from()?),
            "copy" => PatchOp::Copy(from()?),
            "test" => PatchOp::Test(value(self.value)?),
            other => {
                let details = "There are add, remove, replace, move, copy, test.".to_owned();
                return Err(body_error(format!("\"{}\" is no operation of a JSON patch", shortened(other)), details));
            }
        };
        Ok(PatchStep { path: inside(&self.path)?, op })
    }
}

fn steps_of(body: &[u8]) -> Result<Vec<Step<'_>>, PlanError> {
    let objects: Vec<Members<'_>> = read(body)?;
    if objects.len() > PATCH_STEPS_MAX {
        let details = format!("This one has {}.", objects.len());
        return Err(body_error(format!("A JSON patch has at most {PATCH_STEPS_MAX} operations"), details));
    }
    objects.into_iter().enumerate().map(|(at, object)| step_of(object, at + 1)).collect()
}

fn step_of<'b>(Members(members): Members<'b>, number: usize) -> Result<Step<'b>, PlanError> {
    let member = |name: &str| members.iter().find(|(other, _)| other == name).map(|(_, source)| *source);
    let lacks = |name: &str| {
        body_error(format!("An operation of a JSON patch wants \"{name}\", a string"), format!("operation {number}"))
    };
    let string =
        |name: &str| member(name).map(|source| read::<String>(source.get().as_bytes()).map_err(|_| lacks(name)));
    let op = string("op").ok_or_else(|| lacks("op"))??;
    let path = string("path").ok_or_else(|| lacks("path"))??;
    let from = string("from").transpose()?;
    let pointer = |text: &str| {
        pointer(text).ok_or_else(|| {
            body_error(format!("\"{}\" is no JSON pointer", shortened(text)), format!("operation {number}"))
        })
    };
    Ok(Step { op, path: pointer(&path)?, from: from.as_deref().map(pointer).transpose()?, value: member("value") })
}

/// The segments of a JSON pointer (RFC 6901).
fn pointer(text: &str) -> Option<Vec<String>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let body = text.strip_prefix('/')?;
    body.split('/').map(unescaped).collect()
}

fn unescaped(segment: &str) -> Option<String> {
    let mut out = String::with_capacity(segment.len());
    let mut rest = segment.chars();
    while let Some(c) = rest.next() {
        match (c, c == '~') {
            (_, true) => out.push(match rest.next()? {
                '0' => '~',
                '1' => '/',
                _ => return None,
            }),
            (c, false) => out.push(c),
        }
    }
    Some(out)
}

/// The value that a member gives to a column, checked as in any other body.
fn given(table: &Table, column: &Column, source: &str, row: usize) -> Result<Value, PlanError> {
    let value = Value::parse_json(&column.ty, source).map_err(|error| value_error(column, error, row))?;
    rows::accepted(table, column, value, row)
}

fn document(column: &Column, source: &str, row: usize) -> Result<Json, PlanError> {
    Json::parse(source).map_err(|error| value_error(column, error, row))
}

fn value_error(column: &Column, error: ValueError, row: usize) -> PlanError {
    PlanError::Value { error, column: column.name.to_string(), row: Some(row) }
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}

/// The members of an object in their order, none of them twice.
struct Members<'de>(Vec<(String, &'de RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Members<'de>, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members: Vec<(String, &'de RawValue)> = Vec::new();
                while let Some((name, source)) = map.next_entry::<String, &'de RawValue>()? {
                    if members.iter().any(|(other, _)| *other == name) {
                        return Err(serde::de::Error::custom(format!("member \"{name}\" appears twice")));
                    }
                    members.push((name, source));
                }
                Ok(Members(members))
            }
        }

        source.deserialize_map(Object)
    }
}

/// Refuses a body that is no JSON.
pub(super) fn check_json(body: &[u8]) -> Result<(), PlanError> {
    read::<IgnoredAny>(body).map(drop)
}

fn read<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, PlanError> {
    serde_json::from_slice(body).map_err(|error| body_error("Empty or invalid json".to_owned(), error.to_string()))
}

fn body_error(message: String, details: String) -> PlanError {
    PlanError::Parse(ParseError::Body { message, details: Some(details).filter(|details| !details.is_empty()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_taken_apart() {
        for (text, expected) in [
            ("", Some(vec![])),
            ("/", Some(vec![""])),
            ("/a/b", Some(vec!["a", "b"])),
            ("/a~1b/~01/0", Some(vec!["a/b", "~1", "0"])),
            ("a", None),
            ("/~", None),
            ("/~2", None),
        ] {
            let expected = expected.map(|segments| segments.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(pointer(text), expected, "{text}");
        }
    }
}
