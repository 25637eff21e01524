//! The four ways to write a search → [`Node`]. Words that leave nothing to search for (`...`) drop out.

use mainstay_schema::Language;

use super::{Node, SearchError, words};

/// Words of one search: each costs time on each row.
const WORDS_MAX: usize = 64;
/// Parentheses and negations inside one another.
const DEPTH_MAX: usize = 10;
/// Farthest distance of `<N>`, as in PostgreSQL.
const DISTANCE_MAX: u64 = 16_384;

/// Turns words into parts of a search, and counts them.
pub(super) struct Reader {
    language: Language,
    count: usize,
}

impl Reader {
    pub(super) fn new(language: Language) -> Reader {
        Reader { language, count: 0 }
    }

    /// The words of a text.
    fn words(&mut self, text: &str) -> Result<Vec<Node>, SearchError> {
        let mut nodes = Vec::new();
        words::each(text, self.language, |word| {
            nodes.push(Node::Word { word: word.to_owned(), is_prefix: false });
        });
        self.count += nodes.len();
        if self.count <= WORDS_MAX {
            Ok(nodes)
        } else {
            Err(SearchError::TooMuch { limit: "search_words_max", max: WORDS_MAX as u64, given: self.count as u64 })
        }
    }

    /// Words in any order: all of them.
    pub(super) fn plain(&mut self, text: &str) -> Result<Option<Node>, SearchError> {
        Ok(self.words(text)?.into_iter().reduce(and))
    }

    /// Words one after the other.
    pub(super) fn phrase(&mut self, text: &str) -> Result<Option<Node>, SearchError> {
        Ok(self.words(text)?.into_iter().reduce(|left, right| follows(left, 1, right)))
    }

    /// What people type into a search box: words, `"phrases"`, `or`, and `-` before what must not be there. Anything
    /// can be typed, so nothing is an error.
    pub(super) fn web(&mut self, text: &str) -> Result<Option<Node>, SearchError> {
        let mut alternatives = Vec::new();
        let mut all: Option<Node> = None;
        let mut rest = text;
        loop {
            rest = rest.trim_start_matches(is_web_blank);
            let Some(first) = rest.chars().next() else { break };
            let is_or = |word: &str| word.eq_ignore_ascii_case("or");
            if let Some((word, after)) = rest.split_once(char::is_whitespace)
                && is_or(word)
                && all.is_some()
                && after.chars().any(char::is_alphanumeric)
            {
                alternatives.extend(all.take());
                rest = after;
                continue;
            }
            let body = rest.strip_prefix('-').filter(|body| body.starts_with(|c| !is_web_blank(c) && c != '-'));
            let (is_negated, body) = (body.is_some(), body.unwrap_or(rest));
            let quoted = body.strip_prefix('"').and_then(|inside| inside.split_once('"'));
            let (part, after) = match quoted {
                Some((inside, after)) => (inside, after),
                None => {
                    let skipped = body.strip_prefix('"').unwrap_or(body);
                    // A sign that is no word, such as a hyphen by itself, is read as one too.
                    let end = skipped.find(|c| is_web_blank(c) || c == '"').unwrap_or(skipped.len());
                    skipped.split_at(end)
                }
            };
            debug_assert!(after.len() < rest.len(), "{first} is read");
            rest = after;
            let part = self.phrase(part)?;
            let part = if is_negated { part.map(not) } else { part };
            all = join(all, part, and);
        }
        Ok(alternatives.into_iter().chain(all).reduce(or))
    }

    /// `&`, `|`, `!`, `<->`, `<N>`, parentheses, `word:*`, and words in single quotes.
    pub(super) fn query(&mut self, text: &str) -> Result<Option<Node>, SearchError> {
        if text.chars().all(char::is_whitespace) {
            return Ok(None);
        }
        let mut cursor = Cursor { text, rest: text };
        let node = self.alternatives(&mut cursor, 0)?;
        cursor.blanks();
        if cursor.rest.is_empty() { Ok(node) } else { Err(cursor.wrong()) }
    }

    fn alternatives(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Result<Option<Node>, SearchError> {
        let mut node = self.conjunction(cursor, depth)?;
        while cursor.eat("|") {
            node = join(node, self.conjunction(cursor, depth)?, or);
        }
        Ok(node)
    }

    fn conjunction(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Result<Option<Node>, SearchError> {
        let mut node = self.sequence(cursor, depth)?;
        while cursor.eat("&") {
            node = join(node, self.sequence(cursor, depth)?, and);
        }
        Ok(node)
    }

    fn sequence(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Result<Option<Node>, SearchError> {
        let mut node = self.operand(cursor, depth)?;
        while let Some(distance) = cursor.distance()? {
            node = join(node, self.operand(cursor, depth)?, |left, right| follows(left, distance, right));
        }
        Ok(node)
    }

    fn operand(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Result<Option<Node>, SearchError> {
        if depth > DEPTH_MAX {
            return Err(SearchError::TooMuch { limit: "search_depth_max", max: DEPTH_MAX as u64, given: depth as u64 });
        }
        if cursor.eat("!") {
            return Ok(self.operand(cursor, depth + 1)?.map(not));
        }
        if cursor.eat("(") {
            let node = self.alternatives(cursor, depth + 1)?;
            return if cursor.eat(")") { Ok(node) } else { Err(cursor.wrong()) };
        }
        let word = cursor.word()?;
        let is_prefix = cursor.flags()?;
        let mut words = self.words(&word)?;
        if let Some(Node::Word { is_prefix: last, .. }) = words.last_mut() {
            *last = is_prefix;
        }
        Ok(words.into_iter().reduce(|left, right| follows(left, 1, right)))
    }
}

/// What parts the words of a web search; the signs of the query language among it, as they mean nothing there.
fn is_web_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '&' | '|' | '!' | '(' | ')')
}

/// Both by `how`, or the one that is there.
fn join(left: Option<Node>, right: Option<Node>, how: impl FnOnce(Node, Node) -> Node) -> Option<Node> {
    match (left, right) {
        (Some(left), Some(right)) => Some(how(left, right)),
        (one, other) => one.or(other),
    }
}

fn and(left: Node, right: Node) -> Node {
    Node::And(Box::new(left), Box::new(right))
}

fn or(left: Node, right: Node) -> Node {
    Node::Or(Box::new(left), Box::new(right))
}

fn not(node: Node) -> Node {
    Node::Not(Box::new(node))
}

fn follows(left: Node, distance: u64, right: Node) -> Node {
    Node::Follows { left: Box::new(left), distance, right: Box::new(right) }
}

struct Cursor<'t> {
    text: &'t str,
    rest: &'t str,
}

impl<'t> Cursor<'t> {
    fn wrong(&self) -> SearchError {
        SearchError::Syntax { text: self.text.chars().take(200).collect() }
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, sign: &str) -> bool {
        self.blanks();
        let after = self.rest.strip_prefix(sign);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    /// Reads `<->` or `<N>`.
    fn distance(&mut self) -> Result<Option<u64>, SearchError> {
        if !self.eat("<") {
            return Ok(None);
        }
        let (inside, after) = self.rest.split_once('>').ok_or_else(|| self.wrong())?;
        let is_number = !inside.is_empty() && inside.bytes().all(|byte| byte.is_ascii_digit());
        let distance = match inside {
            "-" => 1,
            digits if is_number => digits.parse().ok().filter(|n| *n <= DISTANCE_MAX).ok_or_else(|| self.wrong())?,
            _ => return Err(self.wrong()),
        };
        self.rest = after;
        Ok(Some(distance))
    }

    /// Reads one operand: in single quotes, which are doubled or escaped inside, or up to a blank or a sign.
    fn word(&mut self) -> Result<String, SearchError> {
        self.blanks();
        let is_quoted = self.rest.starts_with('\'');
        let mut word = String::new();
        let mut characters = self.rest.char_indices().skip(usize::from(is_quoted)).peekable();
        let mut end = None;
        while let Some((at, c)) = characters.next() {
            match c {
                '\\' => word.extend(characters.next().map(|(_, c)| c)),
                '\'' if is_quoted && characters.next_if(|(_, next)| *next == '\'').is_some() => word.push('\''),
                '\'' if is_quoted => {
                    end = Some(at + 1);
                    break;
                }
                c if !is_quoted && (c.is_whitespace() || "&|!()<:'".contains(c)) => {
                    end = Some(at);
                    break;
                }
                c => word.push(c),
            }
        }
        let end = match end {
            Some(end) => end,
            None if is_quoted => return Err(self.wrong()),
            None => self.rest.len(),
        };
        if end == 0 {
            return Err(self.wrong());
        }
        self.rest = &self.rest[end..];
        Ok(word)
    }

    /// Reads `:*`. Weights are PostgreSQL's.
    fn flags(&mut self) -> Result<bool, SearchError> {
        let Some(after) = self.rest.strip_prefix(':') else { return Ok(false) };
        let end = after.find(|c: char| !c.is_ascii_alphabetic() && c != '*').unwrap_or(after.len());
        let (flags, rest) = after.split_at(end);
        if flags.is_empty() || flags.contains(|c: char| !"*abcdABCD".contains(c)) {
            return Err(self.wrong());
        }
        if flags.contains(|c: char| c != '*') {
            return Err(SearchError::Weights);
        }
        self.rest = rest;
        Ok(true)
    }
}
