//! `select=`, `columns=` and `on_conflict=`: lists of members and of names.

use super::Budget;
use super::cursor::Cursor;
use crate::error::ParseError;
use crate::request::{EmbedItem, FieldItem, Item};

/// Reads the value of `select`; empty for all columns.
pub(super) fn select(text: &str, budget: &mut Budget<'_>) -> Result<Vec<Item>, ParseError> {
    let mut cursor = Cursor::new("select parameter", text);
    cursor.blanks();
    if cursor.is_end() {
        return Ok(Vec::new());
    }
    let items = items(&mut cursor, budget, 0)?;
    cursor.end()?;
    Ok(items)
}

/// Reads the value of `columns` or `on_conflict`: one name or more.
pub(super) fn names(what: &'static str, text: &str, budget: &Budget<'_>) -> Result<Vec<String>, ParseError> {
    let mut cursor = Cursor::new(what, text);
    let mut names = Vec::new();
    loop {
        names.push(cursor.name()?);
        budget.items(names.len())?;
        if !cursor.eat(",") {
            cursor.end()?;
            return Ok(names);
        }
    }
}

fn items(cursor: &mut Cursor<'_>, budget: &mut Budget<'_>, depth: usize) -> Result<Vec<Item>, ParseError> {
    let mut items = Vec::new();
    loop {
        items.push(item(cursor, budget, depth)?);
        budget.items(items.len())?;
        cursor.blanks();
        if !cursor.eat(",") {
            return Ok(items);
        }
    }
}

fn item(cursor: &mut Cursor<'_>, budget: &mut Budget<'_>, depth: usize) -> Result<Item, ParseError> {
    cursor.blanks();
    if cursor.eat("*") {
        return Ok(Item::Star);
    }
    if cursor.starts_with("...") {
        return Err(not_implemented("spread embeds (...relation(columns))"));
    }
    let first = cursor.name()?;
    let (alias, name) = match cursor.starts_with("::") || !cursor.eat(":") {
        true => (None, first),
        false => (Some(first), cursor.name()?),
    };
    if matches!(cursor.peek(), Some('!' | '(')) {
        return embed(cursor, budget, depth + 1, alias, name).map(Item::Embed);
    }
    let path = cursor.path()?;
    let cast = cast(cursor)?;
    if cursor.eat(".") {
        return Err(aggregate(cursor));
    }
    Ok(Item::Field(FieldItem { alias, field: crate::request::Field { name, path }, cast }))
}

fn cast(cursor: &mut Cursor<'_>) -> Result<Option<String>, ParseError> {
    if !cursor.eat("::") {
        return Ok(None);
    }
    let name = cursor.identifier();
    if name.is_empty() { Err(cursor.error("name of a type")) } else { Ok(Some(name.to_owned())) }
}

/// What is wrong with a dot after a selected column.
fn aggregate(cursor: &mut Cursor<'_>) -> ParseError {
    let start = cursor.position();
    let word = cursor.identifier();
    if ["sum", "avg", "min", "max", "count"].contains(&word) && cursor.eat("()") {
        not_implemented(&format!("aggregates ({word}())"))
    } else {
        cursor.error_at(start, "sum(), avg(), min(), max() or count()")
    }
}

fn embed(
    cursor: &mut Cursor<'_>,
    budget: &mut Budget<'_>,
    depth: usize,
    alias: Option<String>,
    target: String,
) -> Result<EmbedItem, ParseError> {
    let mut hint = None;
    let mut join = None;
    while cursor.eat("!") {
        let start = cursor.position();
        let word = cursor.name()?;
        let slot = if word == "inner" || word == "left" { &mut join } else { &mut hint };
        if slot.replace(word).is_some() {
            return Err(cursor.error_at(start, "one hint and one of inner and left at most"));
        }
    }
    cursor.expect("(")?;
    cursor.blanks();
    let is_empty = cursor.eat(")");
    if is_empty && target == "count" && hint.is_none() && join.is_none() {
        return Err(not_implemented("aggregates (count())"));
    }
    // Counted before going deeper, so that the depth of recursion is bounded.
    budget.embed(depth)?;
    let items = if is_empty {
        None
    } else {
        let items = items(cursor, budget, depth)?;
        cursor.expect(")")?;
        Some(items)
    };
    Ok(EmbedItem { alias, target, hint, inner: join.as_deref() == Some("inner"), items })
}

fn not_implemented(feature: &str) -> ParseError {
    ParseError::NotImplemented { details: format!("This version does not have {feature}.") }
}
