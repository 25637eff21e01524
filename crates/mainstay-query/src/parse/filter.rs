//! Filters `column=op.value` and logic trees `and=(…)`.
//!
//! The one difference between the two is where a value ends: a plain filter's value runs to the end of the parameter
//! as it is, a value inside a tree or a list may be quoted and ends before `,` or `)`.

use super::Budget;
use super::cursor::{Cursor, is_blank};
use crate::error::ParseError;
use crate::request::{Condition, Field, IsWord, Operation, Operator, Quantifier};

/// Reads the value of a plain filter on `field`.
pub(super) fn filter(field: Field, text: &str, budget: &mut Budget<'_>) -> Result<Condition, ParseError> {
    let mut cursor = Cursor::new("filter", text);
    let condition = test(&mut cursor, field, Place::Plain, budget)?;
    cursor.end()?;
    Ok(condition)
}

/// Reads the value of `and` or `or`.
pub(super) fn tree(joint: Joint, text: &str, budget: &mut Budget<'_>) -> Result<Condition, ParseError> {
    let mut cursor = Cursor::new("logic tree", text);
    cursor.blanks();
    let condition = branches(&mut cursor, joint, budget, 1)?;
    cursor.blanks();
    cursor.end()?;
    Ok(condition)
}

/// What joins the branches of a tree.
#[derive(Clone, Copy)]
pub(super) enum Joint {
    And,
    Or,
}

impl Joint {
    /// The joint that a key or word names.
    pub(super) fn of(word: &str) -> Option<Joint> {
        match word {
            "and" => Some(Joint::And),
            "or" => Some(Joint::Or),
            _ => None,
        }
    }
}

/// Where a value stands, which decides where it ends.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Plain,
    Tree,
}

fn branches(
    cursor: &mut Cursor<'_>,
    joint: Joint,
    budget: &mut Budget<'_>,
    depth: usize,
) -> Result<Condition, ParseError> {
    budget.logic(depth)?;
    cursor.expect("(")?;
    let mut parts = Vec::new();
    loop {
        parts.push(branch(cursor, budget, depth)?);
        cursor.blanks();
        if !cursor.eat(",") {
            break;
        }
    }
    cursor.expect(")")?;
    Ok(match joint {
        Joint::And => Condition::And(parts),
        Joint::Or => Condition::Or(parts),
    })
}

fn branch(cursor: &mut Cursor<'_>, budget: &mut Budget<'_>, depth: usize) -> Result<Condition, ParseError> {
    cursor.blanks();
    let start = cursor.position();
    let negated = cursor.eat("not.");
    if let Some(joint) = Joint::of(cursor.take_while(|c| c.is_ascii_lowercase())) {
        cursor.blanks();
        if cursor.peek() == Some('(') {
            let tree = branches(cursor, joint, budget, depth + 1)?;
            return Ok(if negated { Condition::Not(Box::new(tree)) } else { tree });
        }
    }
    // A column may be called "not", "and" or "or" as well.
    cursor.go_back(start);
    let field = cursor.field()?;
    cursor.expect(".")?;
    test(cursor, field, Place::Tree, budget)
}

fn test(cursor: &mut Cursor<'_>, field: Field, place: Place, budget: &mut Budget<'_>) -> Result<Condition, ParseError> {
    budget.filter()?;
    let negated = cursor.eat("not.");
    let condition = Condition::Test(field, operation(cursor, place, budget)?);
    Ok(if negated { Condition::Not(Box::new(condition)) } else { condition })
}

fn operation(cursor: &mut Cursor<'_>, place: Place, budget: &Budget<'_>) -> Result<Operation, ParseError> {
    let start = cursor.position();
    let word = cursor.take_while(|c| c.is_ascii_lowercase());
    let quantifier = if QUANTIFIED.contains(&word) { quantifier(cursor) } else { None };
    if let Some((_, feature)) = LATER.iter().find(|(later, _)| *later == word)
        && matches!(cursor.peek(), Some('.' | '('))
    {
        return Err(ParseError::NotImplemented { details: format!("This version does not have {feature} ({word}).") });
    }
    if !cursor.eat(".") {
        return Err(cursor.error_at(start, OPERATOR_EXPECTED));
    }
    match word {
        "is" => is_word(cursor).map(Operation::Is),
        "in" => list(cursor, budget).map(Operation::In),
        word => {
            let (_, operator) = *OPERATORS
                .iter()
                .find(|(name, _)| *name == word)
                .ok_or_else(|| cursor.error_at(start, OPERATOR_EXPECTED))?;
            let value = match place {
                Place::Plain => cursor.take_rest().to_owned(),
                Place::Tree => tree_value(cursor),
            };
            if matches!(operator, Operator::Like | Operator::Ilike) {
                budget.pattern(&value)?;
            }
            Ok(Operation::Binary { operator, quantifier, value })
        }
    }
}

fn quantifier(cursor: &mut Cursor<'_>) -> Option<Quantifier> {
    if cursor.eat("(any)") {
        Some(Quantifier::Any)
    } else if cursor.eat("(all)") {
        Some(Quantifier::All)
    } else {
        None
    }
}

fn is_word(cursor: &mut Cursor<'_>) -> Result<IsWord, ParseError> {
    let start = cursor.position();
    let word = cursor.take_while(|c| c.is_ascii_alphabetic() || c == '_').to_ascii_lowercase();
    match word.as_str() {
        "null" => Ok(IsWord::Null),
        "not_null" => Ok(IsWord::NotNull),
        "true" => Ok(IsWord::True),
        "false" => Ok(IsWord::False),
        "unknown" => Ok(IsWord::Unknown),
        _ => Err(cursor.error_at(start, "null, not_null, true, false or unknown")),
    }
}

/// Reads `(a,"b,c")`. A list of nothing, or of one empty element, matches nothing and is given as empty.
fn list(cursor: &mut Cursor<'_>, budget: &Budget<'_>) -> Result<Vec<String>, ParseError> {
    cursor.blanks();
    cursor.expect("(")?;
    let mut elements = Vec::new();
    loop {
        cursor.blanks();
        elements.push(quoted_value(cursor).unwrap_or_else(|| raw_value(cursor).trim_matches(is_blank).to_owned()));
        budget.list_items(elements.len())?;
        if !cursor.eat(",") {
            break;
        }
    }
    cursor.expect(")")?;
    if elements == [""] {
        elements.clear();
    }
    Ok(elements)
}

/// Reads a quoted value, a brace literal, or everything before `,` or `)`.
fn tree_value(cursor: &mut Cursor<'_>) -> String {
    if let Some(value) = quoted_value(cursor) {
        return value;
    }
    let start = cursor.position();
    if cursor.eat("{") {
        let inside = cursor.take_while(|c| !matches!(c, '{' | '}'));
        if cursor.eat("}") && is_value_end(cursor.rest()) {
            return format!("{{{inside}}}");
        }
        cursor.go_back(start);
    }
    raw_value(cursor).to_owned()
}

fn raw_value<'a>(cursor: &mut Cursor<'a>) -> &'a str {
    cursor.take_while(|c| !matches!(c, ',' | ')'))
}

/// Reads a quoted value that is followed by the end of a value; `None`, with nothing read, if there is none.
///
/// A quotation mark inside ends the value only there: clients are known to put quotes around an element without
/// escaping those that it holds.
fn quoted_value(cursor: &mut Cursor<'_>) -> Option<String> {
    let start = cursor.position();
    if !cursor.eat("\"") {
        return None;
    }
    let mut content = String::new();
    loop {
        content.push_str(cursor.take_while(|c| !matches!(c, '"' | '\\')));
        if cursor.eat("\\") {
            match cursor.peek() {
                Some(escaped) => {
                    content.push(escaped);
                    cursor.go_back(cursor.position() + escaped.len_utf8());
                }
                None => break,
            }
        } else if cursor.eat("\"") {
            if is_value_end(cursor.rest()) {
                cursor.blanks();
                return Some(content);
            }
            content.push('"');
        } else {
            break;
        }
    }
    cursor.go_back(start);
    None
}

/// Whether a value may end before `rest`.
fn is_value_end(rest: &str) -> bool {
    matches!(rest.trim_start_matches(is_blank).chars().next(), None | Some(',' | ')'))
}

/// The operators that take one operand, by their word.
const OPERATORS: [(&str, Operator); 12] = [
    ("eq", Operator::Eq),
    ("neq", Operator::Neq),
    ("gt", Operator::Gt),
    ("gte", Operator::Gte),
    ("lt", Operator::Lt),
    ("lte", Operator::Lte),
    ("like", Operator::Like),
    ("ilike", Operator::Ilike),
    ("isdistinct", Operator::IsDistinct),
    ("cs", Operator::Contains),
    ("cd", Operator::ContainedIn),
    ("ov", Operator::Overlaps),
];

/// The operators that take `(any)` and `(all)`.
const QUANTIFIED: [&str; 7] = ["eq", "gt", "gte", "lt", "lte", "like", "ilike"];

/// Words of the language that this version lacks, and what they are.
const LATER: [(&str, &str); 11] = [
    ("fts", "full-text search"),
    ("plfts", "full-text search"),
    ("phfts", "full-text search"),
    ("wfts", "full-text search"),
    ("match", "regular expressions"),
    ("imatch", "regular expressions"),
    ("sl", "range operators"),
    ("sr", "range operators"),
    ("nxl", "range operators"),
    ("nxr", "range operators"),
    ("adj", "range operators"),
];

const OPERATOR_EXPECTED: &str =
    "\"not\" or operator (eq, neq, gt, gte, lt, lte, like, ilike, in, is, isdistinct, cs, cd, ov)";
