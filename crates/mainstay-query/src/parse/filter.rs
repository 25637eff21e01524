//! Filters `column=op.value` and logic trees `and=(…)`.
//!
//! The one difference between the two is where a value ends: a plain filter's value runs to the end of the parameter
//! as it is, a value inside a tree or a list may be quoted and ends before `,` or `)`.

use super::Budget;
use super::cursor::{Cursor, is_blank};
use crate::error::ParseError;
use crate::request::{Condition, Field, IsWord, Operation, Operator, Quantifier, SearchSyntax};

/// Reads the value of a plain filter on `field`.
pub(super) fn filter(field: Field, text: &str, budget: &mut Budget<'_>) -> Result<Condition, ParseError> {
    let mut cursor = Cursor::new("filter", text, budget.limits);
    let condition = test(&mut cursor, field, Place::Plain, budget)?;
    cursor.end()?;
    Ok(condition)
}

/// Reads the value of `and` or `or`.
pub(super) fn tree(joint: Joint, text: &str, budget: &mut Budget<'_>) -> Result<Condition, ParseError> {
    let mut cursor = Cursor::new("logic tree", text, budget.limits);
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
    let expected = |cursor: &Cursor<'_>| cursor.error_at(start, OPERATOR_EXPECTED);
    match word {
        "is" if cursor.eat(".") => is_word(cursor).map(Operation::Is),
        "in" if cursor.eat(".") => list(cursor, budget).map(Operation::In),
        word => {
            if let Some((_, syntax)) = SearchSyntax::ALL.iter().find(|(name, _)| *name == word) {
                let language = language(cursor)?;
                if !cursor.eat(".") {
                    return Err(expected(cursor));
                }
                return Ok(Operation::Search { syntax: *syntax, language, text: value(cursor, place) });
            }
            let (_, operator, kind) =
                *OPERATORS.iter().find(|(name, ..)| *name == word).ok_or_else(|| expected(cursor))?;
            if kind.takes_column() && !budget.limits.postgrest_only && cursor.eat("(col).") {
                return Ok(Operation::Column { operator, field: cursor.field()? });
            }
            let quantifier = if kind.takes_list() { quantifier(cursor) } else { None };
            if !cursor.eat(".") {
                return Err(expected(cursor));
            }
            Ok(Operation::Binary { operator, quantifier, value: value(cursor, place) })
        }
    }
}

fn value(cursor: &mut Cursor<'_>, place: Place) -> String {
    match place {
        Place::Plain => cursor.take_rest().to_owned(),
        Place::Tree => tree_value(cursor),
    }
}

/// Reads the `(english)` of a full-text search, if it is there.
fn language(cursor: &mut Cursor<'_>) -> Result<Option<String>, ParseError> {
    if !cursor.eat("(") {
        return Ok(None);
    }
    let name = cursor.name()?;
    cursor.expect(")")?;
    Ok(Some(name))
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
    if let Some(literal) = brace_literal(cursor.rest())
        && is_value_end(&cursor.rest()[literal.len()..])
    {
        cursor.go_back(start + literal.len());
        return literal.to_owned();
    }
    // Blanks may stand before the comma; those that belong to a value stand in quotes.
    raw_value(cursor).trim_end_matches(is_blank).to_owned()
}

/// The literal `{…}` that `text` begins with: no braces inside but in quotes or after a backslash.
fn brace_literal(text: &str) -> Option<&str> {
    let mut is_quoted = false;
    let mut characters = text.char_indices().skip(1);
    text.starts_with('{').then_some(())?;
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => drop(characters.next()),
            '"' => is_quoted = !is_quoted,
            '}' if !is_quoted => return Some(&text[..=at]),
            '{' if !is_quoted => return None,
            _ => {}
        }
    }
    None
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

/// What an operator takes besides one value.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Nothing.
    Value,
    /// `(any)` and `(all)`.
    List,
    /// `(col)`.
    Column,
    /// All of them.
    Both,
}

impl Kind {
    fn takes_list(self) -> bool {
        matches!(self, Kind::List | Kind::Both)
    }

    fn takes_column(self) -> bool {
        matches!(self, Kind::Column | Kind::Both)
    }
}

/// The operators that take one operand, by their word.
const OPERATORS: [(&str, Operator, Kind); 19] = [
    ("eq", Operator::Eq, Kind::Both),
    ("neq", Operator::Neq, Kind::Column),
    ("gt", Operator::Gt, Kind::Both),
    ("gte", Operator::Gte, Kind::Both),
    ("lt", Operator::Lt, Kind::Both),
    ("lte", Operator::Lte, Kind::Both),
    ("like", Operator::Like, Kind::Both),
    ("ilike", Operator::Ilike, Kind::Both),
    ("match", Operator::Match, Kind::List),
    ("imatch", Operator::Imatch, Kind::List),
    ("isdistinct", Operator::IsDistinct, Kind::Column),
    ("cs", Operator::Contains, Kind::Value),
    ("cd", Operator::ContainedIn, Kind::Value),
    ("ov", Operator::Overlaps, Kind::Value),
    ("sl", Operator::StrictlyLeft, Kind::Value),
    ("sr", Operator::StrictlyRight, Kind::Value),
    ("nxr", Operator::NotRight, Kind::Value),
    ("nxl", Operator::NotLeft, Kind::Value),
    ("adj", Operator::Adjacent, Kind::Value),
];

const OPERATOR_EXPECTED: &str = "\"not\" or operator (eq, neq, gt, gte, lt, lte, like, ilike, match, imatch, in, is, isdistinct, fts, plfts, phfts, wfts, cs, cd, ov, sl, sr, nxr, nxl, adj)";
