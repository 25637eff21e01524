//! Text → request. All parsers share the lexical rules of the contract.
//!
//! Knows no schema: a name is a name, a value is text. Called by `mainstay-http` with the parts of a request, and by
//! the command line, which explains queries.

mod call;
mod cursor;
mod expected;
mod filter;
pub mod form;
mod order;
pub mod prefer;
pub mod range;
mod select;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod told;

pub use call::{CallQuery, call};
pub use prefer::prefer;
pub use range::range;

use cursor::Cursor;
use expected::Verdict;
use filter::Joint;

use crate::error::ParseError;
use crate::limits::Limits;
use crate::request::{Bound, Condition, Field, Located, Query};

/// Which parameters a method takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `GET`, `HEAD`.
    Read,
    /// `POST`.
    Insert,
    /// `PUT`.
    Replace,
    /// `PATCH`.
    Update,
    /// `DELETE`.
    Delete,
    /// Any method on a function.
    Call,
}

/// Reads the query string of a request, without its `?`, still percent-encoded.
///
/// Parameters that mean nothing for the purpose (`columns` of a read, `limit` of a write) are left out, as clients
/// send them. Every other name that is not reserved is a filter, so that a misspelled one names no column and is
/// refused when the request is planned.
///
/// # Errors
/// [`ParseError`] with the first parameter that does not parse or belong here.
pub fn query(purpose: Purpose, text: &str, limits: &Limits) -> Result<Query, ParseError> {
    let mut reader = Reader::new(purpose, limits);
    for (key, value) in pairs(text, limits)? {
        reader.take(&key, &value).map_err(Untaken::into_error)?;
    }
    reader.end()?;
    let at_root = |bounds: &[Located<u64>]| bounds.iter().any(|bound| bound.path.is_empty());
    if purpose == Purpose::Replace && (at_root(&reader.query.limit) || at_root(&reader.query.offset)) {
        return Err(ParseError::ReplaceRange);
    }
    Ok(reader.query)
}

/// The parameters with an equals sign, decoded, in the order in which they are read.
fn pairs(text: &str, limits: &Limits) -> Result<Vec<(String, String)>, ParseError> {
    // PostgREST's parser of forms knows the older separator too.
    let is_between = |c: char| c == '&' || (c == ';' && limits.postgrest_only);
    let pairs = text.split(is_between).filter_map(|pair| pair.split_once('='));
    let pairs = pairs.map(|(key, value)| Ok((decode(key)?, decode(value)?)));
    let mut pairs = pairs.collect::<Result<Vec<_>, ParseError>>()?;
    if limits.postgrest_only {
        // Which of several that do not parse is told of: PostgREST reads them by their kinds.
        pairs.sort_by_key(|(key, _)| match (key.as_str(), last_part(key)) {
            ("columns", _) => 2,
            ("select", _) => 3,
            ("on_conflict", _) => 5,
            (_, "order") => 0,
            (_, "and" | "or") => 1,
            (_, "limit" | "offset") => 6,
            _ => 4,
        });
    }
    Ok(pairs)
}

/// What stands behind the last point of a key, which decides what kind of parameter it is.
fn last_part(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or_default()
}

struct Reader<'a> {
    purpose: Purpose,
    budget: Budget<'a>,
    query: Query,
    /// Whether `select` was read; the first one counts, even when it is empty.
    has_select: bool,
    /// How many rows before the first one the page begins: PostgREST reads an `offset` below zero.
    rows_before: u64,
}

/// A parameter that was not taken.
enum Untaken {
    /// Its value does not begin as a filter does.
    NoFilter(ParseError),
    Refused(ParseError),
}

impl Untaken {
    fn into_error(self) -> ParseError {
        match self {
            Untaken::NoFilter(error) | Untaken::Refused(error) => error,
        }
    }
}

impl<'a> Reader<'a> {
    fn new(purpose: Purpose, limits: &'a Limits) -> Reader<'a> {
        Reader { purpose, budget: Budget::new(limits), query: Query::default(), has_select: false, rows_before: 0 }
    }

    /// Reads a parameter as those do whose language is read: PostgREST's parsers stop where they cannot go on, and some of
    /// them are then content.
    fn take(&mut self, key: &str, value: &str) -> Result<(), Untaken> {
        let Err(error) = self.parameter(key, value) else { return Ok(()) };
        let (is_key, is_filter) = match &error {
            ParseError::Syntax { what, .. } => (matches!(*what, "tree path" | "logic path"), *what == "filter"),
            _ => (false, false),
        };
        let untaken = if is_filter { Untaken::NoFilter } else { Untaken::Refused };
        if !self.budget.limits.postgrest_only {
            return Err(untaken(error));
        }
        match expected::verdict(error, key) {
            Verdict::Read(octets) if is_key => self.take(&key[..octets], value),
            Verdict::Read(octets) => self.parameter(key, &value[..octets]).map_err(Untaken::Refused),
            Verdict::Refused { error, has_begun: false } => Err(untaken(error)),
            Verdict::Refused { error, .. } => Err(Untaken::Refused(error)),
        }
    }

    /// Leaves out what was read but is not wanted, and takes the rows before the first one off the page.
    fn end(&mut self) -> Result<(), ParseError> {
        if !self.takes_columns() {
            self.query.columns = None;
        }
        if !self.takes_conflict() {
            self.query.on_conflict = None;
        }
        let before = std::mem::take(&mut self.rows_before);
        if before == 0 {
            return Ok(());
        }
        for limit in self.query.limit.iter_mut().filter(|limit| limit.path.is_empty()) {
            limit.what = limit.what.checked_sub(before).ok_or_else(|| below_zero("Limit"))?;
        }
        Ok(())
    }

    fn parameter(&mut self, key: &str, value: &str) -> Result<(), ParseError> {
        match key {
            "select" => {
                if !self.has_select {
                    self.query.select = select::select(value, &mut self.budget)?;
                    self.has_select = true;
                }
            }
            "columns" => {
                if self.is_looked_at(self.takes_columns()) && self.query.columns.is_none() {
                    self.query.columns = Some(select::names("columns parameter", value, &self.budget)?);
                }
            }
            "on_conflict" => {
                if self.is_looked_at(self.takes_conflict()) && self.query.on_conflict.is_none() {
                    self.query.on_conflict = Some(select::names("on_conflict parameter", value, &self.budget)?);
                }
            }
            key => self.located(key, value)?,
        }
        Ok(())
    }

    fn takes_columns(&self) -> bool {
        matches!(self.purpose, Purpose::Insert | Purpose::Update | Purpose::Call)
    }

    fn takes_conflict(&self) -> bool {
        matches!(self.purpose, Purpose::Insert | Purpose::Update)
    }

    /// Whether a parameter must parse: one that is wanted, and to PostgREST any.
    fn is_looked_at(&self, is_wanted: bool) -> bool {
        is_wanted || self.budget.limits.postgrest_only
    }

    /// A parameter that may stand on an embed.
    fn located(&mut self, key: &str, value: &str) -> Result<(), ParseError> {
        let Key { mut path, field, word } = Key::parse(key, self.budget.limits)?;
        // At a function these words of ours are arguments, as all are that PostgREST does not reserve.
        let is_ours = !self.budget.limits.postgrest_only;
        let is_rows = is_ours && (self.purpose != Purpose::Call || !path.is_empty());
        match word.as_deref() {
            Some("order") => {
                let what = order::order(value, &self.budget)?;
                self.query.order.push(Located { path, what });
            }
            Some("limit") => self.bound(path, value, "Limit")?,
            Some("offset") => self.bound(path, value, "Offset")?,
            Some("distinct") if is_rows && matches!(value, "true" | "false") => {
                self.need_read(&path, "distinct")?;
                self.query.distinct.push(Located { path, what: value == "true" });
            }
            Some("having") if is_ours && value.trim_start().starts_with('(') => {
                self.need_read(&path, "having")?;
                let what = filter::tree(Joint::And, value, &mut self.budget)?;
                self.query.having.push(Located { path, what });
            }
            // A filter has an operator and so a point, which no token has.
            Some("after") if is_rows && path.is_empty() && !value.contains('.') => {
                self.need_read(&path, "after")?;
                self.query.after.get_or_insert_with(|| value.to_owned());
            }
            Some(joint) if let Some(joint) = Joint::of(joint) => {
                let parts = path.len();
                match self.budget.limits.postgrest_only {
                    // There the word may stand anywhere in the path.
                    true => path.retain(|part| part != "not"),
                    false => drop(path.pop_if(|last| last == "not")),
                }
                let negated = path.len() < parts;
                let tree = filter::tree(joint, value, &mut self.budget)?;
                let what = if negated { Condition::Not(Box::new(tree)) } else { tree };
                self.query.filters.push(Located { path, what });
            }
            _ => {
                let what = filter::filter(field, value, &mut self.budget)?;
                self.query.filters.push(Located { path, what });
            }
        }
        Ok(())
    }

    /// Refuses what says which rows a read shows, where it stands on the rows of a write.
    fn need_read(&self, path: &[String], name: &str) -> Result<(), ParseError> {
        if !path.is_empty() || matches!(self.purpose, Purpose::Read | Purpose::Call) {
            return Ok(());
        }
        let message = format!("{name} is for reading rows");
        Err(ParseError::Parameter { message, hint: "Leave it out of a write.".to_owned() })
    }

    /// `limit` or `offset`. What is not a number is ignored, as PostgREST does; so is either of them on the rows of a
    /// write, but of a `PUT`, which refuses them.
    fn bound(&mut self, path: Vec<String>, value: &str, name: &str) -> Result<(), ParseError> {
        let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let value = value.trim();
        if path.is_empty() && !matches!(self.purpose, Purpose::Read | Purpose::Replace | Purpose::Call) {
            // PostgREST looks at it all the same.
            let is_below_zero = name == "Limit" && value.strip_prefix('-').is_some_and(is_number);
            return if self.budget.limits.postgrest_only && is_below_zero { Err(below_zero(name)) } else { Ok(()) };
        }
        if is_number(value) {
            // More rows than 64 bits can count are as good as all of them.
            let what = value.parse().unwrap_or(u64::MAX);
            let list = if name == "Limit" { &mut self.query.limit } else { &mut self.query.offset };
            list.push(Located { path, what });
        } else if let Some(digits) = value.strip_prefix('-').filter(|digits| is_number(digits)) {
            if self.budget.limits.postgrest_only && !path.is_empty() {
                let what = if name == "Limit" { Bound::Limit } else { Bound::Offset };
                self.query.below_zero.push(Located { path, what });
                return Ok(());
            }
            if name == "Limit" || !self.budget.limits.postgrest_only {
                return Err(below_zero(name));
            }
            self.rows_before = digits.parse().unwrap_or(u64::MAX);
        }
        Ok(())
    }
}

fn below_zero(name: &str) -> ParseError {
    ParseError::Range { details: format!("{name} should be greater than or equal to zero.") }
}

/// The key of a parameter: an embed path and a column, or an embed path and a reserved word.
struct Key {
    path: Vec<String>,
    /// The last part as a column.
    field: Field,
    /// The last part as a word, when it may be one: unquoted and without a JSON path.
    word: Option<String>,
}

impl Key {
    fn parse(text: &str, limits: &Limits) -> Result<Key, ParseError> {
        let is_logic = limits.postgrest_only && Joint::of(last_part(text)).is_some();
        let mut cursor = Cursor::new(if is_logic { "logic path" } else { "tree path" }, text, limits);
        let mut path = Vec::new();
        loop {
            let quoted = cursor.peek() == Some('"');
            let field = cursor.field()?;
            if field.path.is_empty() && cursor.eat(".") {
                path.push(field.name);
                continue;
            }
            cursor.end()?;
            let word = (!quoted && field.path.is_empty()).then(|| field.name.clone());
            return Ok(Key { path, field, word });
        }
    }
}

/// Decodes one key or value of a form: `+` is a blank, `%` escapes are UTF-8.
fn decode(text: &str) -> Result<String, ParseError> {
    let wrong = |message: &str| ParseError::Parameter {
        message: message.to_owned(),
        hint: "Percent-encode the UTF-8 form of the text.".to_owned(),
    };
    let blanks = text.replace('+', " ");
    let bytes: Vec<u8> = percent_encoding::percent_decode_str(&blanks).collect();
    let decoded = String::from_utf8(bytes).map_err(|_| wrong("The query string is not UTF-8"))?;
    if decoded.contains('\0') { Err(wrong("The query string holds the character NUL")) } else { Ok(decoded) }
}

/// What one request may still use of its [`Limits`].
struct Budget<'a> {
    limits: &'a Limits,
    filters: usize,
    embeds: usize,
}

impl<'a> Budget<'a> {
    fn new(limits: &'a Limits) -> Budget<'a> {
        Budget { limits, filters: 0, embeds: 0 }
    }

    /// Counts one comparison.
    fn filter(&mut self) -> Result<(), ParseError> {
        self.filters += 1;
        within("filters_max", self.limits.filters_max, self.filters)
    }

    /// Counts one embed, `depth` levels below the root.
    fn embed(&mut self, depth: usize) -> Result<(), ParseError> {
        self.embeds += 1;
        within("embed_depth_max", self.limits.embed_depth_max, depth)?;
        within("embeds_max", self.limits.embeds_max, self.embeds)
    }

    fn logic(&self, depth: usize) -> Result<(), ParseError> {
        within("logic_depth_max", self.limits.logic_depth_max, depth)
    }

    fn list_items(&self, given: usize) -> Result<(), ParseError> {
        within("list_items_max", self.limits.list_items_max, given)
    }

    fn items(&self, given: usize) -> Result<(), ParseError> {
        within("items_max", self.limits.items_max, given)
    }
}

/// Refuses `given` when it passes a limit.
pub(crate) fn within(limit: &'static str, max: usize, given: usize) -> Result<(), ParseError> {
    if given <= max { Ok(()) } else { Err(ParseError::TooMuch { limit, max: max as u64, given: given as u64 }) }
}
