//! `order=`.

use super::Budget;
use super::cursor::Cursor;
use crate::error::ParseError;
use crate::request::OrderTerm;

/// Reads the value of `order`: one term or more.
pub(super) fn order(text: &str, budget: &Budget<'_>) -> Result<Vec<OrderTerm>, ParseError> {
    let mut cursor = Cursor::new("order", text, budget.limits);
    let mut terms = Vec::new();
    loop {
        terms.push(term(&mut cursor)?);
        budget.items(terms.len())?;
        if !cursor.eat(",") {
            cursor.end()?;
            return Ok(terms);
        }
    }
}

fn term(cursor: &mut Cursor<'_>) -> Result<OrderTerm, ParseError> {
    let mut field = cursor.field()?;
    let relation = if field.path.is_empty() && cursor.eat("(") {
        let inside = cursor.field()?;
        cursor.expect(")")?;
        Some(std::mem::replace(&mut field, inside).name)
    } else {
        None
    };
    let mut descending = None;
    let mut nulls_first = None;
    while cursor.eat(".") {
        let start = cursor.position();
        // The direction, if written, comes before the place of nulls; neither is written twice.
        match cursor.take_while(|c| c.is_ascii_lowercase()) {
            "asc" if descending.is_none() && nulls_first.is_none() => descending = Some(false),
            "desc" if descending.is_none() && nulls_first.is_none() => descending = Some(true),
            "nullsfirst" if nulls_first.is_none() => nulls_first = Some(true),
            "nullslast" if nulls_first.is_none() => nulls_first = Some(false),
            _ => return Err(cursor.error_at(start, "asc, desc, nullsfirst or nullslast")),
        }
    }
    cursor.blanks();
    Ok(OrderTerm { relation, field, descending: descending.unwrap_or(false), nulls_first })
}
