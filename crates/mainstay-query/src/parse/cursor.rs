//! A position in the text of one query parameter, and the lexical rules that all parsers share: names, quoted text,
//! blanks, JSON paths.
//!
//! Knows nothing of what the text means. Every error it makes says where in the parameter it is.

use crate::error::ParseError;
use crate::limits::Limits;
use crate::request::{Field, Step, StepTo};

/// A place in a text that is being read.
pub(super) struct Cursor<'a> {
    /// What the text is, for messages: `filter`, `order`, …
    what: &'static str,
    text: &'a str,
    /// Octets read so far; always on a character boundary.
    at: usize,
    /// Whether only PostgREST's own language is read.
    postgrest_only: bool,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(what: &'static str, text: &'a str, limits: &Limits) -> Cursor<'a> {
        Cursor { what, text, at: 0, postgrest_only: limits.postgrest_only }
    }

    /// Whether only PostgREST's own language is read.
    pub(super) fn postgrest_only(&self) -> bool {
        self.postgrest_only
    }

    /// What is left to read.
    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn is_end(&self) -> bool {
        self.at == self.text.len()
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Goes back to what [`Cursor::position`] gave.
    pub(super) fn go_back(&mut self, position: usize) {
        self.at = position;
    }

    pub(super) fn starts_with(&self, token: &str) -> bool {
        self.rest().starts_with(token)
    }

    /// Reads `token` if it comes next.
    pub(super) fn eat(&mut self, token: &str) -> bool {
        let found = self.starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// Reads everything that is left.
    pub(super) fn take_rest(&mut self) -> &'a str {
        let rest = self.rest();
        self.at = self.text.len();
        rest
    }

    /// Reads characters as long as `belongs` says so.
    pub(super) fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    pub(super) fn blanks(&mut self) {
        self.take_while(is_blank);
    }

    /// Reads `token` or fails.
    pub(super) fn expect(&mut self, token: &str) -> Result<(), ParseError> {
        if self.eat(token) { Ok(()) } else { Err(self.error(&format!("\"{token}\""))) }
    }

    /// Fails unless everything was read.
    pub(super) fn end(&self) -> Result<(), ParseError> {
        if self.is_end() { Ok(()) } else { Err(self.error("end of input")) }
    }

    /// The error that something else should stand here.
    pub(super) fn error(&self, expecting: &str) -> ParseError {
        self.error_at(self.at, expecting)
    }

    /// The error that something else should stand at a former position.
    pub(super) fn error_at(&self, position: usize, expecting: &str) -> ParseError {
        let found = match self.text[position..].chars().next() {
            None => "end of input".to_owned(),
            Some(c) => format!("{:?}", c.to_string()),
        };
        ParseError::Syntax {
            what: self.what,
            text: self.text.to_owned(),
            column: self.text[..position].chars().count() + 1,
            details: format!("unexpected {found} expecting {expecting}"),
        }
    }

    /// Reads a quoted or plain name with the blanks around it.
    pub(super) fn name(&mut self) -> Result<String, ParseError> {
        self.blanks();
        let name = if self.peek() == Some('"') { self.quoted()? } else { self.identifier().to_owned() };
        if name.is_empty() {
            return Err(self.error("field name"));
        }
        self.blanks();
        Ok(name)
    }

    /// Reads letters, digits, `_`, `$`, blanks, and hyphens between them; may be empty.
    pub(super) fn identifier(&mut self) -> &'a str {
        let start = self.at;
        loop {
            self.take_while(is_identifier);
            let mut ahead = self.rest().chars();
            if ahead.next() != Some('-') || !ahead.next().is_some_and(is_identifier) {
                break;
            }
            self.at += 1;
        }
        self.text[start..self.at].trim_matches(is_blank)
    }

    /// Reads quoted text from its opening quote.
    pub(super) fn quoted(&mut self) -> Result<String, ParseError> {
        let start = self.at;
        self.expect("\"")?;
        let mut content = String::new();
        let mut characters = self.rest().char_indices();
        while let Some((offset, c)) = characters.next() {
            match c {
                '"' => {
                    self.at += offset + 1;
                    return Ok(content);
                }
                '\\' => content.extend(characters.next().map(|(_, escaped)| escaped)),
                c => content.push(c),
            }
        }
        Err(self.error_at(start, "a quoted text that ends with a quotation mark"))
    }

    /// Reads a column name and the JSON path after it.
    pub(super) fn field(&mut self) -> Result<Field, ParseError> {
        Ok(Field { name: self.name()?, path: self.path()? })
    }

    /// Reads the steps `->a->0->>b`; none if no arrow comes next.
    pub(super) fn path(&mut self) -> Result<Vec<Step>, ParseError> {
        let mut steps: Vec<Step> = Vec::new();
        loop {
            let start = self.at;
            let as_text = self.eat("->>");
            if !as_text && !self.eat("->") {
                return Ok(steps);
            }
            // PostgREST leaves it to the server to find that text has no parts.
            if !self.postgrest_only && steps.last().is_some_and(|last| last.as_text) {
                return Err(self.error_at(start, "no further step: \"->>\" gives text"));
            }
            if steps.len() == PATH_STEPS_MAX {
                return Err(ParseError::TooMuch {
                    limit: "path_steps_max",
                    max: PATH_STEPS_MAX as u64,
                    given: PATH_STEPS_MAX as u64 + 1,
                });
            }
            steps.push(Step { to: self.step()?, as_text });
        }
    }

    fn step(&mut self) -> Result<StepTo, ParseError> {
        if self.peek() == Some('"') {
            return self.quoted().map(StepTo::Key);
        }
        let start = self.at;
        self.eat("-");
        let digits = self.take_while(|c| c.is_ascii_digit());
        if !digits.is_empty() {
            let ends = self.is_end() || ["->", "::", ".", ",", ")"].iter().any(|end| self.starts_with(end));
            let index = self.text[start..self.at].parse().ok().filter(|_| ends);
            // To PostgREST, what goes on after its digits is a key; not so a minus, which no key begins with.
            if index.is_some() || !self.postgrest_only || self.text[start..].starts_with('-') {
                return index.map(StepTo::Index).ok_or_else(|| self.error("end of an array index"));
            }
        }
        self.at = start;
        loop {
            if self.take_while(|c| !"(-:.,>)".contains(c)).is_empty() {
                break;
            }
            let mut ahead = self.rest().chars();
            if ahead.next() != Some('-') || ahead.next().is_none_or(|c| "(-:.,>)".contains(c)) {
                break;
            }
            self.at += 1;
        }
        let key = &self.text[start..self.at];
        if key.is_empty() { Err(self.error("JSON key or array index")) } else { Ok(StepTo::Key(key.to_owned())) }
    }
}

pub(super) fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t'
}

fn is_identifier(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | ' ' | '$')
}

/// Steps of one JSON path; a document is at most this deep.
const PATH_STEPS_MAX: usize = mainstay_schema::value::JSON_DEPTH_MAX;
