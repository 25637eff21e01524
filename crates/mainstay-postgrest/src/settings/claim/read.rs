//! Texts → paths to roles.

use serde_json::Value;

use super::{Condition, Operand, Segment, Test};

/// The longer operators first, since some begin like others.
const TESTS: [(&str, Test); 9] = [
    ("^==", Test::StartsWith),
    ("==^", Test::EndsWith),
    ("*==", Test::Contains),
    ("==", Test::Is),
    ("!=", Test::IsNot),
    ("<=", Test::LessOrIs),
    (">=", Test::GreaterOrIs),
    ("<", Test::Less),
    (">", Test::Greater),
];
/// Functions of one operand, by how they begin.
const CALLS: [(&str, Call); 3] = [("length(", Operand::Length), ("count(", Operand::Count), ("value(", Operand::Only)];
/// Deepest nesting of conditions that is read.
const DEPTH_MAX: usize = 16;

/// What a function makes of its operand.
type Call = fn(Box<Operand>) -> Operand;

/// What is left to read.
pub(super) struct Reader<'t> {
    pub(super) rest: &'t str,
    /// Whether the path is in the older form.
    pub(super) is_old: bool,
}

impl<'t> Reader<'t> {
    fn eat(&mut self, token: &str) -> bool {
        self.rest = self.rest.trim_start();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn take(&mut self, part: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !part(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// As many segments as follow.
    pub(super) fn segments(&mut self, depth: usize) -> Option<Vec<Segment>> {
        let mut all = Vec::new();
        loop {
            if self.eat("..") {
                all.push(Segment::Deep);
                if self.rest.starts_with('[') {
                    continue;
                }
                all.push(self.dotted()?);
            } else if self.eat(".") {
                all.push(self.dotted()?);
            } else if self.eat("[") {
                all.push(self.bracketed(depth)?);
            } else {
                return Some(all);
            }
        }
    }

    /// `name`, `"name"` or `*`.
    fn dotted(&mut self) -> Option<Segment> {
        if self.eat("*") {
            return Some(Segment::Each);
        }
        if self.rest.starts_with('"') {
            return self.quoted().map(Segment::Name);
        }
        let name = self.take(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '@' | '-') || !c.is_ascii());
        (!name.is_empty()).then(|| Segment::Name(name.to_owned()))
    }

    /// What stands in brackets, and the one that closes them.
    fn bracketed(&mut self, depth: usize) -> Option<Segment> {
        let mut all = vec![self.selector(depth)?];
        while self.eat(",") {
            all.push(self.selector(depth)?);
        }
        let segment = if all.len() == 1 { all.remove(0) } else { Segment::Union(all) };
        self.eat("]").then_some(segment)
    }

    fn selector(&mut self, depth: usize) -> Option<Segment> {
        self.rest = self.rest.trim_start();
        if self.rest.starts_with(['"', '\'']) {
            return self.quoted().map(Segment::Name);
        }
        if self.eat("*") {
            return Some(Segment::Each);
        }
        if self.eat("?") {
            return self.any(depth + 1).map(Segment::Filter);
        }
        let from = self.number()?;
        if !self.eat(":") {
            return from.map(Segment::Index);
        }
        let to = self.number()?;
        let step = if self.eat(":") { self.number()?.unwrap_or(1) } else { 1 };
        Some(Segment::Slice { from, to, step, of_text: self.is_old })
    }

    /// A whole number, if one follows; the outer `None` for one that is too large.
    fn number(&mut self) -> Option<Option<i64>> {
        self.rest = self.rest.trim_start();
        match self.take(|c| c.is_ascii_digit() || c == '-') {
            "" => Some(None),
            digits => digits.parse().ok().map(Some),
        }
    }

    /// A text in quotes of either kind.
    fn quoted(&mut self) -> Option<String> {
        let mut characters = self.rest.chars();
        let quote = characters.next().filter(|c| matches!(c, '"' | '\''))?;
        let mut found = String::new();
        loop {
            match characters.next()? {
                c if c == quote => {
                    self.rest = characters.as_str();
                    return Some(found);
                }
                '\\' => found.push(match characters.next()? {
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'u' => {
                        let digits: String = characters.by_ref().take(4).collect();
                        u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)?
                    }
                    c => c,
                }),
                c => found.push(c),
            }
        }
    }

    fn any(&mut self, depth: usize) -> Option<Condition> {
        let mut all = vec![self.all(depth)?];
        while self.eat("||") {
            all.push(self.all(depth)?);
        }
        Some(if all.len() == 1 { all.remove(0) } else { Condition::Any(all) })
    }

    fn all(&mut self, depth: usize) -> Option<Condition> {
        let mut all = vec![self.one(depth)?];
        while self.eat("&&") {
            all.push(self.one(depth)?);
        }
        Some(if all.len() == 1 { all.remove(0) } else { Condition::All(all) })
    }

    fn one(&mut self, depth: usize) -> Option<Condition> {
        if depth > DEPTH_MAX {
            return None;
        }
        if self.eat("!") {
            return self.one(depth + 1).map(|one| Condition::Not(Box::new(one)));
        }
        if self.eat("(") {
            let inner = self.any(depth + 1)?;
            return self.eat(")").then_some(inner);
        }
        for (start, is_whole) in [("match(", true), ("search(", false)] {
            if self.eat(start) {
                let text = self.operand(depth)?;
                let pattern = self.eat(",").then(|| self.operand(depth))??;
                return self.eat(")").then_some(Condition::Pattern { text, pattern, is_whole });
            }
        }
        let left = self.operand(depth)?;
        match TESTS.iter().find(|(word, _)| self.eat(word)) {
            Some((_, test)) => Some(Condition::Compare(left, *test, self.operand(depth)?)),
            None => matches!(left, Operand::Here(_) | Operand::Claims(_)).then_some(Condition::Exists(left)),
        }
    }

    fn operand(&mut self, depth: usize) -> Option<Operand> {
        if depth > DEPTH_MAX {
            return None;
        }
        for (start, call) in CALLS {
            if self.eat(start) {
                let of = self.operand(depth + 1)?;
                return self.eat(")").then(|| call(Box::new(of)));
            }
        }
        if self.eat("@") {
            return self.segments(depth).map(Operand::Here);
        }
        if self.eat("$") {
            return self.segments(depth).map(Operand::Claims);
        }
        self.rest = self.rest.trim_start();
        if self.rest.starts_with(['"', '\'']) {
            return self.quoted().map(|text| Operand::Literal(Value::String(text)));
        }
        let word = self.take(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.'));
        serde_json::from_str(word).ok().map(Operand::Literal)
    }
}
