//! Parsers that know what would have been right: each remembers, at the furthest place where it gave up, what it found
//! there and what it could have gone on with.
//!
//! What is remembered follows the rules of Parsec, in whose words the users of PostgREST are told: D. Leijen, E. Meijer
//! 2001, *Parsec: Direct Style Monadic Parser Combinators for the Real World*, UU-CS-2001-35, section 4. Slow next to
//! the parsers that read requests, and run only for a request that one of those refused.

use std::rc::Rc;

/// A parser: from a text and a place in it to what came of it.
pub(super) type Parser = Rc<dyn Fn(&[char], usize) -> Reply>;

/// What came of a parser.
pub(super) struct Reply {
    /// Whether it read anything, so that no other parser is tried.
    pub(super) consumed: bool,
    /// Where it stopped; `None` if it failed.
    pub(super) end: Option<usize>,
    /// What it could not go on with, also when it went well.
    pub(super) fault: Fault,
}

/// What was found and what was expected at a place.
#[derive(Clone, Default)]
pub(super) struct Fault {
    pub(super) at: usize,
    /// What stands there; empty at the end of the text.
    found: Vec<String>,
    /// What should not stand there.
    unexpected: Vec<String>,
    expected: Vec<String>,
}

impl Fault {
    fn at(at: usize) -> Fault {
        Fault { at, ..Fault::default() }
    }

    fn is_empty(&self) -> bool {
        self.found.is_empty() && self.unexpected.is_empty() && self.expected.is_empty()
    }

    /// The one that is further on; both where they are at one place.
    fn and(self, other: Fault) -> Fault {
        match (self.is_empty(), other.is_empty()) {
            (false, true) => return self,
            (true, false) => return other,
            _ => {}
        }
        if self.at != other.at {
            return if self.at > other.at { self } else { other };
        }
        let mut both = self;
        both.found.extend(other.found);
        both.unexpected.extend(other.unexpected);
        both.expected.extend(other.expected);
        both
    }

    /// `unexpected "x" expecting "a", "b" or c`.
    pub(super) fn told(&self) -> String {
        let found = match (self.unexpected.is_empty(), self.found.first()) {
            (false, _) => format!("unexpected {}", listed(&self.unexpected)),
            (true, Some(found)) if found.is_empty() => "unexpected end of input".to_owned(),
            (true, Some(found)) => format!("unexpected {found}"),
            (true, None) => String::new(),
        };
        let expected = listed(&self.expected);
        match (found.is_empty(), expected.is_empty()) {
            (true, true) => "unknown parse error".to_owned(),
            (false, true) => found,
            (true, false) => format!("expecting {expected}"),
            (false, false) => format!("{found} expecting {expected}"),
        }
    }
}

/// `a, b or c`, each once.
fn listed(words: &[String]) -> String {
    let mut all: Vec<&str> = Vec::new();
    for word in words.iter().filter(|word| !word.is_empty()) {
        if !all.contains(&word.as_str()) {
            all.push(word);
        }
    }
    match all.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
    }
}

/// A text in double quotes, with what cannot be printed as numbers.
fn shown(text: &str) -> String {
    format!("\"{}\"", text.chars().map(|c| escaped(c, '"')).collect::<String>())
}

/// A character in single quotes, likewise.
fn shown_char(c: char) -> String {
    format!("'{}'", escaped(c, '\''))
}

fn escaped(c: char, quote: char) -> String {
    match c {
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        '\r' => "\\r".to_owned(),
        c if c == quote => format!("\\{c}"),
        ' '..='~' => c.to_string(),
        c => format!("\\{}", u32::from(c)),
    }
}

fn failed(fault: Fault) -> Reply {
    Reply { consumed: false, end: None, fault }
}

/// Reads nothing.
fn nothing() -> Parser {
    Rc::new(|_, at| Reply { consumed: false, end: Some(at), fault: Fault::at(at) })
}

/// One character of which `belongs` holds.
pub(super) fn satisfy(belongs: impl Fn(char) -> bool + 'static) -> Parser {
    Rc::new(move |text, at| match text.get(at) {
        Some(c) if belongs(*c) => Reply { consumed: true, end: Some(at + 1), fault: Fault::at(at + 1) },
        other => {
            let found = other.map(|c| shown(&c.to_string())).unwrap_or_default();
            failed(Fault { found: vec![found], ..Fault::at(at) })
        }
    })
}

/// This character.
pub(super) fn character(c: char) -> Parser {
    label(satisfy(move |found| found == c), &shown(&c.to_string()))
}

/// A character that is none of these.
pub(super) fn none_of(these: &'static str) -> Parser {
    satisfy(move |c| !these.contains(c))
}

/// This text. What is told of another is its first character that differs, at the place where the text should begin.
pub(super) fn word(text: &'static str) -> Parser {
    Rc::new(move |input, at| {
        for (offset, wanted) in text.chars().enumerate() {
            let found = input.get(at + offset);
            if found != Some(&wanted) {
                let found = found.map(|c| shown(&c.to_string())).unwrap_or_default();
                let fault = Fault { found: vec![found], expected: vec![shown(text)], ..Fault::at(at) };
                return Reply { consumed: offset > 0, end: None, fault };
            }
        }
        let end = at + text.chars().count();
        Reply { consumed: true, end: Some(end), fault: Fault::at(end) }
    })
}

/// The end of the text.
pub(super) fn end() -> Parser {
    Rc::new(|text, at| {
        let expected = vec!["end of input".to_owned()];
        match text.get(at) {
            Some(c) => failed(Fault { unexpected: vec![shown_char(*c)], expected, ..Fault::at(at) }),
            None => {
                let fault = Fault { found: vec![String::new()], expected, ..Fault::at(at) };
                Reply { consumed: false, end: Some(at), fault }
            }
        }
    })
}

/// One after the other.
pub(super) fn all<const N: usize>(parts: [Parser; N]) -> Parser {
    Rc::new(move |text, at| {
        let mut so_far = nothing()(text, at);
        for part in &parts {
            let Some(at) = so_far.end else { break };
            let next = part(text, at);
            so_far = Reply {
                consumed: so_far.consumed || next.consumed,
                end: next.end,
                fault: if next.consumed { next.fault } else { so_far.fault.and(next.fault) },
            };
        }
        so_far
    })
}

/// The first that reads something, or reads nothing and goes well.
pub(super) fn any<const N: usize>(parts: [Parser; N]) -> Parser {
    Rc::new(move |text, at| {
        let mut so_far = failed(Fault::at(at));
        for part in &parts {
            let next = part(text, at);
            if next.consumed {
                return next;
            }
            so_far = Reply { fault: so_far.fault.and(next.fault), ..next };
            if so_far.end.is_some() {
                break;
            }
        }
        so_far
    })
}

/// As if nothing had been read, where it fails.
pub(super) fn attempt(part: Parser) -> Parser {
    Rc::new(move |text, at| {
        let reply = part(text, at);
        Reply { consumed: reply.consumed && reply.end.is_some(), ..reply }
    })
}

/// As often as it goes.
pub(super) fn many(part: Parser) -> Parser {
    Rc::new(move |text, at| {
        let (mut at, mut consumed) = (at, false);
        loop {
            let reply = part(text, at);
            match reply.end {
                Some(end) if reply.consumed => (at, consumed) = (end, true),
                None if reply.consumed => return reply,
                _ => return Reply { consumed, end: Some(at), fault: reply.fault },
            }
        }
    })
}

/// Once at least.
pub(super) fn many_once(part: Parser) -> Parser {
    all([part.clone(), many(part)])
}

/// Once or not at all.
pub(super) fn option(part: Parser) -> Parser {
    any([part, nothing()])
}

/// Once at least, with something between.
pub(super) fn separated(part: Parser, by: Parser) -> Parser {
    all([part.clone(), many(all([by, part]))])
}

/// Looks, and reads nothing.
pub(super) fn ahead(part: Parser) -> Parser {
    Rc::new(move |text, at| {
        let reply = part(text, at);
        match reply.end {
            Some(_) => nothing()(text, at),
            None => reply,
        }
    })
}

/// Fails where this character comes next.
pub(super) fn unless(belongs: impl Fn(char) -> bool + 'static) -> Parser {
    Rc::new(move |text, at| match text.get(at) {
        Some(c) if belongs(*c) => failed(Fault { unexpected: vec![shown_char(*c)], ..Fault::at(at + 1) }),
        _ => nothing()(text, at),
    })
}

/// What is expected where nothing was read, in other words.
pub(super) fn label(part: Parser, name: &str) -> Parser {
    let name = name.to_owned();
    Rc::new(move |text, at| {
        let mut reply = part(text, at);
        if !reply.consumed && (reply.end.is_none() || !reply.fault.is_empty()) {
            reply.fault.expected = vec![name.clone()];
        }
        reply
    })
}

/// Fails, and reads nothing, where what is read is this text.
pub(super) fn but(part: Parser, text: &'static str) -> Parser {
    Rc::new(move |input, at| {
        let reply = part(input, at);
        match reply.end {
            Some(end) if input[at..end].iter().copied().eq(text.chars()) => Reply { end: None, ..reply },
            _ => reply,
        }
    })
}
