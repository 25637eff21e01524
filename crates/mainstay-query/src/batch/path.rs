//! Paths with references in them: `/orders?customer_id=eq.${customer[0].id}`, `/rpc/receipt?order_id=${order[0].id}`.
//!
//! The query is parsed with a mark in the place of each reference, and the value goes to where the mark is found in
//! what was parsed: an operand, whole. So no value is ever read as part of the language.

use percent_encoding::percent_decode_str;

use super::reference::{Answers, Names, Reference};
use super::wrong;
use crate::error::ParseError;
use crate::limits::Limits;
use crate::parse::within;
use crate::request::{Arguments, CallRequest, Condition, Operation, Operator, Query};

/// Begins and ends a mark: the last character of the last private plane, which no name and no number can hold.
const MARK: char = '\u{10FFFD}';

/// The path of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathText {
    /// The table, or the function.
    pub name: String,
    /// Whether it is a function.
    pub is_call: bool,
    /// The query as it would stand in a URL, with marks.
    pub query: String,
    references: Vec<Reference>,
}

impl PathText {
    pub(super) fn read(text: &str, names: &mut Names) -> Result<PathText, ParseError> {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let path = path.strip_prefix('/');
        let (is_call, name) = match path.and_then(|path| path.strip_prefix("rpc/")) {
            Some(function) => (true, Some(function)),
            None => (false, path),
        };
        let name = name.filter(|name| !name.is_empty() && !name.contains('/')).ok_or_else(|| {
            wrong("The path of a step leads to no table", "It is /{table}?{query} or /rpc/{function}?{query}.")
        })?;
        let name = percent_decode_str(name).decode_utf8().map_err(|_| wrong("A path does not parse", "Not UTF-8."))?;
        let (name, query_text, references) = (name.into_owned(), String::new(), Vec::new());
        let mut path = PathText { name, is_call, query: query_text, references };
        let mut rest = query;
        while let Some((before, after)) = rest.split_once("${") {
            path.push(before);
            let (reference, after) = Reference::read_start(after, names)?;
            let unclosed = || wrong("A reference does not parse", format!("\"${{{reference}\" has no }} at its end."));
            rest = after.strip_prefix('}').ok_or_else(unclosed)?;
            path.push(&mark(path.references.len()));
            path.references.push(reference);
        }
        path.push(rest);
        Ok(path)
    }

    /// Adds text, percent-encoding what a URL cannot hold as it is.
    fn push(&mut self, text: &str) {
        for byte in text.bytes() {
            match byte {
                b'!' | b'$'..=b';' | b'=' | b'?'..=b'[' | b']' | b'_' | b'a'..=b'z' | b'~' => {
                    self.query.push(char::from(byte));
                }
                _ => self.query.push_str(&format!("%{byte:02X}")),
            }
        }
    }

    /// Puts values into the places of the marks in a query that was parsed from [`PathText::query`].
    ///
    /// # Errors
    /// [`ParseError`] if a reference stands for something else than a whole operand, or leads to nothing that could be
    /// one.
    pub fn fill(&self, query: &mut Query, answers: &Answers, limits: &Limits) -> Result<(), ParseError> {
        self.replace(query, &mut [], &|reference| operands(reference, answers), limits)
    }

    /// The same in a call, whose arguments may be references as well.
    ///
    /// # Errors
    /// As [`PathText::fill`].
    pub fn fill_call(&self, call: &mut CallRequest, answers: &Answers, limits: &Limits) -> Result<(), ParseError> {
        let arguments = named(&mut call.arguments);
        self.replace(&mut call.query, arguments, &|reference| operands(reference, answers), limits)
    }

    /// Checks the places of references without the values.
    ///
    /// # Errors
    /// As [`PathText::fill`].
    pub fn check(&self, mut query: Query, limits: &Limits) -> Result<(), ParseError> {
        self.replace(&mut query, &mut [], &|_| Ok(vec![String::new()]), limits)
    }

    /// Checks the places of references in a call without the values.
    ///
    /// # Errors
    /// As [`PathText::fill`].
    pub fn check_call(&self, mut call: CallRequest, limits: &Limits) -> Result<(), ParseError> {
        self.replace(&mut call.query, named(&mut call.arguments), &|_| Ok(vec![String::new()]), limits)
    }

    /// What is wrong, when it was a mark that a query did not parse for: then `message` has it.
    pub fn misplaced_in(&self, message: &str) -> Option<ParseError> {
        let place = self.references.iter().enumerate().find(|(number, _)| message.contains(&mark(*number)));
        place.map(|(_, reference)| misplaced(reference))
    }

    fn replace(
        &self,
        query: &mut Query,
        arguments: &mut [(String, String)],
        value: Values<'_>,
        limits: &Limits,
    ) -> Result<(), ParseError> {
        let mut filler =
            Filler { references: &self.references, value, limits, filled: vec![false; self.references.len()] };
        for filter in &mut query.filters {
            filler.condition(&mut filter.what)?;
        }
        for (_, argument) in arguments {
            filler.operand(argument, "Call the function by POST to give it one.")?;
        }
        match filler.filled.iter().position(|filled| !filled) {
            None => Ok(()),
            Some(position) => Err(misplaced(&self.references[position])),
        }
    }
}

/// Gives the operands that a reference leads to.
type Values<'v> = &'v dyn Fn(&Reference) -> Result<Vec<String>, ParseError>;

/// The arguments that stand in a query string.
fn named(arguments: &mut Arguments) -> &mut [(String, String)] {
    match arguments {
        Arguments::Named(named) => named,
        Arguments::Json(_) | Arguments::Raw { .. } => &mut [],
    }
}

fn mark(number: usize) -> String {
    format!("{MARK}{number}{MARK}")
}

struct Filler<'p> {
    references: &'p [Reference],
    value: Values<'p>,
    limits: &'p Limits,
    filled: Vec<bool>,
}

impl Filler<'_> {
    fn condition(&mut self, condition: &mut Condition) -> Result<(), ParseError> {
        match condition {
            Condition::And(parts) | Condition::Or(parts) => parts.iter_mut().try_for_each(|part| self.condition(part)),
            Condition::Not(part) => self.condition(part),
            Condition::Test(_, operation) => self.operation(operation),
            #[allow(unreachable_patterns, reason = "a kind of condition without operands needs nothing")]
            _ => Ok(()),
        }
    }

    fn operation(&mut self, operation: &mut Operation) -> Result<(), ParseError> {
        match operation {
            Operation::Binary { operator, quantifier: None, value } if takes_values(*operator) => {
                self.operand(value, "Write it as in.(${…}).")?;
            }
            Operation::In(list) => {
                let mut filled = Vec::with_capacity(list.len());
                for element in list.drain(..) {
                    match self.number(&element) {
                        None => filled.push(element),
                        Some(number) => {
                            filled.extend((self.value)(&self.references[number])?);
                            self.filled[number] = true;
                        }
                    }
                }
                within("list_items_max", self.limits.list_items_max, filled.len())?;
                *list = filled;
            }
            _ => {}
        }
        Ok(())
    }

    /// Puts one value into its place; `hint` says where a list could stand.
    fn operand(&mut self, value: &mut String, hint: &str) -> Result<(), ParseError> {
        let Some(number) = self.number(value) else { return Ok(()) };
        let reference = &self.references[number];
        if reference.is_list() {
            return Err(wrong("A reference to a list cannot stand here", format!("\"{reference}\". {hint}")));
        }
        *value = (self.value)(reference)?.pop().unwrap_or_default();
        self.filled[number] = true;
        Ok(())
    }

    /// The reference whose mark this operand is.
    fn number(&self, operand: &str) -> Option<usize> {
        let number: usize = operand.strip_prefix(MARK)?.strip_suffix(MARK)?.parse().ok()?;
        (number < self.references.len()).then_some(number)
    }
}

/// Operators whose operand is a value and nothing else; in a pattern, characters of the value would have a meaning.
fn takes_values(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::Eq
            | Operator::Neq
            | Operator::Gt
            | Operator::Gte
            | Operator::Lt
            | Operator::Lte
            | Operator::IsDistinct
            | Operator::Contains
            | Operator::ContainedIn
            | Operator::Overlaps
    )
}

/// The values of a reference as operands. Null has none, for nothing equals it.
fn operands(reference: &Reference, answers: &Answers) -> Result<Vec<String>, ParseError> {
    let operand = |json: String| match json.as_bytes().first() {
        Some(b'"') => serde_json::from_str(&json).map_err(|error| wrong("A value does not parse", error.to_string())),
        Some(b'n') => {
            let details = format!(
                "\"{reference}\" is null, which equals nothing and is no argument; use is.null, or leave the step out."
            );
            Err(wrong("A reference in a path leads to null", details))
        }
        _ => Ok(json),
    };
    answers.values(reference)?.into_iter().map(operand).collect()
}

fn misplaced(reference: &Reference) -> ParseError {
    let details = format!(
        "\"${{{reference}}}\" stands for the whole value of a filter, as in id=eq.${{…}} or id=in.(${{…}}), after eq, \
         neq, gt, gte, lt, lte, isdistinct, cs, cd, ov or in, or for the whole argument of a function."
    );
    wrong("A reference cannot stand here", details)
}
