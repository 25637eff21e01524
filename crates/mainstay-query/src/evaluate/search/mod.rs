//! Full-text search: what is asked (`fts`, `plfts`, `phfts`, `wfts`) and which texts answer it.
//!
//! `words.rs` says what a word is, `syntax.rs` how searches are written. Stores that index words keep what [`words()`]
//! gives, and so find the same rows; what their index cannot decide they ask [`SearchQuery::matches`].

mod syntax;
mod words;

#[cfg(test)]
mod tests;

use mainstay_schema::Language;

use crate::request::SearchSyntax;

/// A search that was read. Equal searches are written equally.
#[derive(Debug, Clone)]
pub struct SearchQuery {
    syntax: SearchSyntax,
    language: Language,
    text: String,
    root: Option<Node>,
}

impl PartialEq for SearchQuery {
    fn eq(&self, other: &SearchQuery) -> bool {
        (self.syntax, self.language, &self.text) == (other.syntax, other.language, &other.text)
    }
}

/// What a text must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// This word.
    Word {
        /// In the form that [`words()`] gives.
        word: String,
        /// Words that begin so will do.
        is_prefix: bool,
    },
    /// Both.
    And(Box<Node>, Box<Node>),
    /// One of them.
    Or(Box<Node>, Box<Node>),
    /// Not this.
    Not(Box<Node>),
    /// One a number of words behind the other, in the same column.
    Follows {
        /// What comes first.
        left: Box<Node>,
        /// How many words behind; 1 is the next.
        distance: u64,
        /// What comes then.
        right: Box<Node>,
    },
}

/// Why a text is not a search.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// It does not parse.
    #[error("syntax error in tsquery: \"{text}\"")]
    Syntax {
        /// The text, shortened to at most 200 characters.
        text: String,
    },
    /// `word:A`: words have no weights here.
    #[error("words have no weights (:A to :D) here")]
    Weights,
    /// It has too many words, or too many parentheses.
    #[error("{limit} is {max}; this search has {given}")]
    TooMuch {
        /// Which bound.
        limit: &'static str,
        /// Its value.
        max: u64,
        /// What was asked.
        given: u64,
    },
}

/// The words of a text in the form in which they are compared, parted by blanks.
pub fn words(text: &str, language: Language) -> String {
    let mut all = String::with_capacity(text.len());
    words::each(text, language, |word| {
        if !all.is_empty() {
            all.push(' ');
        }
        all.push_str(word);
    });
    all
}

impl SearchQuery {
    /// Reads a search.
    ///
    /// # Errors
    /// [`SearchError`] if it cannot be read; only [`SearchSyntax::Query`] has a grammar that can be missed.
    pub fn parse(syntax: SearchSyntax, language: Language, text: &str) -> Result<SearchQuery, SearchError> {
        let mut reader = syntax::Reader::new(language);
        let root = match syntax {
            SearchSyntax::Query => reader.query(text),
            SearchSyntax::Plain => reader.plain(text),
            SearchSyntax::Phrase => reader.phrase(text),
            SearchSyntax::Web => reader.web(text),
        }?;
        Ok(SearchQuery { syntax, language, text: text.to_owned(), root })
    }

    /// How it was written, in which language, and the text: what [`SearchQuery::parse`] takes.
    pub fn source(&self) -> (SearchSyntax, Language, &str) {
        (self.syntax, self.language, &self.text)
    }

    /// What is asked; `None` for nothing, which no text answers.
    pub fn root(&self) -> Option<&Node> {
        self.root.as_ref()
    }

    /// Whether texts, taken together, answer the search. A phrase must be in one of them.
    pub fn matches<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> bool {
        let Some(root) = &self.root else { return false };
        let mut wanted = Vec::new();
        leaves(root, &mut wanted);
        let mut places = vec![Vec::new(); wanted.len()];
        for (at, text) in (0..).zip(texts) {
            let mut place: i64 = at * BETWEEN_TEXTS;
            words::each(text, self.language, |word| {
                for ((sought, is_prefix), places) in wanted.iter().zip(&mut places) {
                    if *sought == word || (*is_prefix && word.starts_with(*sought)) {
                        places.push(place);
                    }
                }
                place += 1;
            });
        }
        holds(root, &mut places.iter())
    }
}

/// So far apart that no chain of distances leads from one text into the next.
const BETWEEN_TEXTS: i64 = 1 << 40;

/// The words of a search from left to right.
fn leaves<'n>(node: &'n Node, found: &mut Vec<(&'n str, bool)>) {
    match node {
        Node::Word { word, is_prefix } => found.push((word, *is_prefix)),
        Node::And(left, right) | Node::Or(left, right) | Node::Follows { left, right, .. } => {
            leaves(left, found);
            leaves(right, found);
        }
        Node::Not(inner) => leaves(inner, found),
    }
}

/// Where the words of a search are, from left to right.
type Places<'p> = std::slice::Iter<'p, Vec<i64>>;

fn holds(node: &Node, places: &mut Places<'_>) -> bool {
    match node {
        Node::Word { .. } => places.next().is_some_and(|places| !places.is_empty()),
        // Both sides are always looked at, so that each takes its own places.
        Node::And(left, right) => holds(left, places) & holds(right, places),
        Node::Or(left, right) => holds(left, places) | holds(right, places),
        Node::Not(inner) => !holds(inner, places),
        Node::Follows { .. } => {
            let spots = spots(node, places);
            spots.is_elsewhere || !spots.starts.is_empty()
        }
    }
}

/// Where a part of a phrase begins, in ascending order.
struct Spots {
    starts: Vec<i64>,
    /// These are the places where it does *not* begin.
    is_elsewhere: bool,
    /// Words from its first to its last.
    width: i64,
}

/// The places of a part of a phrase: sets of beginnings, of which `!` gives the complement.
///
/// # Source
/// The meaning is that of PostgreSQL's phrase operator on operands that are not plain words: alternatives and
/// conjunctions begin at one place, and are as wide as the wider side.
fn spots(node: &Node, places: &mut Places<'_>) -> Spots {
    match node {
        Node::Word { .. } => {
            Spots { starts: places.next().cloned().unwrap_or_default(), is_elsewhere: false, width: 0 }
        }
        Node::Not(inner) => {
            let inner = spots(inner, places);
            Spots { is_elsewhere: !inner.is_elsewhere, ..inner }
        }
        Node::And(left, right) => {
            let (left, right) = (spots(left, places), spots(right, places));
            let width = left.width.max(right.width);
            both(left, right, width)
        }
        Node::Or(left, right) => {
            let (left, right) = (spots(left, places), spots(right, places));
            let width = left.width.max(right.width);
            let neither = both(left.inverted(), right.inverted(), width);
            neither.inverted()
        }
        Node::Follows { left, distance, right } => {
            let (left, mut right) = (spots(left, places), spots(right, places));
            // At most `DISTANCE_MAX` for each word, so this is far from overflowing.
            let step = left.width + *distance as i64;
            right.starts.iter_mut().for_each(|start| *start -= step);
            let width = step + right.width;
            both(left, right, width)
        }
    }
}

impl Spots {
    fn inverted(self) -> Spots {
        Spots { is_elsewhere: !self.is_elsewhere, ..self }
    }
}

/// Where both begin.
fn both(left: Spots, right: Spots, width: i64) -> Spots {
    let among = |starts: &[i64], start: &i64| starts.binary_search(start).is_ok();
    let (starts, is_elsewhere) = match (left.is_elsewhere, right.is_elsewhere) {
        (false, false) => (left.starts.into_iter().filter(|start| among(&right.starts, start)).collect(), false),
        (false, true) => (left.starts.into_iter().filter(|start| !among(&right.starts, start)).collect(), false),
        (true, false) => (right.starts.into_iter().filter(|start| !among(&left.starts, start)).collect(), false),
        (true, true) => {
            let mut all: Vec<i64> = left.starts.into_iter().chain(right.starts).collect();
            all.sort_unstable();
            all.dedup();
            (all, true)
        }
    };
    Spots { starts, is_elsewhere, width }
}
