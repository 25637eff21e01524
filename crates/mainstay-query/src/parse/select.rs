//! `select=`, `columns=` and `on_conflict=`: lists of members and of names.

use super::Budget;
use super::cursor::Cursor;
use crate::error::ParseError;
use crate::request::{AggregateItem, EmbedItem, Field, FieldItem, Function, Item};

/// Reads the value of `select`; empty for all columns.
pub(super) fn select(text: &str, budget: &mut Budget<'_>) -> Result<Vec<Item>, ParseError> {
    let mut cursor = Cursor::new("select parameter", text, budget.limits);
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
    let mut cursor = Cursor::new(what, text, budget.limits);
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
    if cursor.eat("...") {
        let target = cursor.name()?;
        return embed(cursor, budget, depth + 1, None, target).map(Item::Spread);
    }
    if !budget.limits.postgrest_only && cursor.eat("-") {
        return cursor.name().map(Item::Except);
    }
    let first = cursor.name()?;
    let (alias, name) = match cursor.starts_with("::") || !cursor.eat(":") {
        true => (None, first),
        false => (Some(first), cursor.name()?),
    };
    if name == "count" && cursor.eat("()") {
        let cast = cast(cursor)?;
        let function = Function::Count;
        return Ok(Item::Aggregate(AggregateItem { alias, function, field: None, input_cast: None, cast }));
    }
    if matches!(cursor.peek(), Some('!' | '(')) {
        // PostgREST takes this word for its aggregate alone.
        if budget.limits.postgrest_only && name == "count" {
            return Err(cursor.error("count()"));
        }
        return embed(cursor, budget, depth + 1, alias, name).map(Item::Embed);
    }
    let path = cursor.path()?;
    let cast = cast(cursor)?;
    let field = Field { name, path };
    if cursor.eat(".") {
        let function = function(cursor)?;
        let (input_cast, cast) = (cast, self::cast(cursor)?);
        return Ok(Item::Aggregate(AggregateItem { alias, function, field: Some(field), input_cast, cast }));
    }
    if cursor.postgrest_only() {
        // Read there as that of an aggregate, and passed over where there is none.
        self::cast(cursor)?;
    }
    Ok(Item::Field(FieldItem { alias, field, cast }))
}

fn cast(cursor: &mut Cursor<'_>) -> Result<Option<String>, ParseError> {
    if !cursor.eat("::") {
        return Ok(None);
    }
    let name = cursor.identifier();
    if name.is_empty() { Err(cursor.error("name of a type")) } else { Ok(Some(name.to_owned())) }
}

/// Reads `sum()` after the dot.
fn function(cursor: &mut Cursor<'_>) -> Result<Function, ParseError> {
    let start = cursor.position();
    let word = cursor.identifier();
    let function = FUNCTIONS.into_iter().find(|function| function.word() == word).filter(|_| cursor.eat("()"));
    function.ok_or_else(|| cursor.error_at(start, "sum(), avg(), min(), max() or count()"))
}

const FUNCTIONS: [Function; 5] = [Function::Count, Function::Sum, Function::Avg, Function::Min, Function::Max];

fn embed(
    cursor: &mut Cursor<'_>,
    budget: &mut Budget<'_>,
    depth: usize,
    alias: Option<String>,
    target: String,
) -> Result<EmbedItem, ParseError> {
    let (mut hint, mut join, mut count) = (None, None, 0);
    while cursor.eat("!") {
        let start = cursor.position();
        let word = cursor.name()?;
        let slot = if word == "inner" || word == "left" { &mut join } else { &mut hint };
        count += 1;
        // PostgREST takes any two words, of which the first of a kind counts.
        if count > 2 || (slot.is_some() && !budget.limits.postgrest_only) {
            return Err(cursor.error_at(start, "one hint and one of inner and left at most"));
        }
        slot.get_or_insert(word);
    }
    cursor.expect("(")?;
    cursor.blanks();
    let is_empty = cursor.eat(")");
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
