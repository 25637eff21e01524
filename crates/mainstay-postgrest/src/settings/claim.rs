//! Where in the claims of a token its role stands: a path as RFC 9535 writes it, or in PostgREST's older form without
//! the `$`, with its comparisons of strings. Of what a path finds the first counts.
//!
//! Not read are the functions of RFC 9535, and lists of several selectors in one pair of brackets.

use std::cmp::Ordering;

use serde_json::Value;

/// The way to a role.
#[derive(Debug, Clone, PartialEq)]
pub struct RolePath {
    text: String,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq)]
enum Segment {
    Name(String),
    /// From the end if it is negative.
    Index(i64),
    /// All members or elements.
    Each,
    /// What the next segment finds at any depth.
    Deep,
    /// Elements of a list, or characters of a text.
    Slice(Option<i64>, Option<i64>),
    /// Members or elements of which this holds.
    Filter(Condition),
}

#[derive(Debug, Clone, PartialEq)]
enum Condition {
    Any(Vec<Condition>),
    All(Vec<Condition>),
    Not(Box<Condition>),
    /// Something is there.
    Exists(Operand),
    Compare(Operand, Test, Operand),
}

#[derive(Debug, Clone, PartialEq)]
enum Operand {
    /// From the member or element at hand.
    Here(Vec<Segment>),
    /// From the claims.
    Claims(Vec<Segment>),
    Literal(Value),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    Is,
    IsNot,
    Less,
    LessOrIs,
    Greater,
    GreaterOrIs,
    StartsWith,
    EndsWith,
    Contains,
}

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
/// Deepest nesting of conditions that is read.
const DEPTH_MAX: usize = 16;

impl RolePath {
    /// Reads a path; `None` if it is none.
    pub fn parse(text: &str) -> Option<RolePath> {
        let trimmed = text.trim();
        let mut reader = Reader(trimmed.strip_prefix('$').unwrap_or(trimmed));
        let segments = reader.segments(0)?;
        (!segments.is_empty() && reader.0.is_empty()).then(|| RolePath { text: text.to_owned(), segments })
    }

    /// The role that stands there; what is no text counts as its JSON text.
    pub fn find(&self, claims: &Value) -> Option<String> {
        follow(&self.segments, claims, claims).into_iter().next().map(|value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// What a path finds from `start`.
fn follow(segments: &[Segment], start: &Value, claims: &Value) -> Vec<Value> {
    let mut found = vec![start.clone()];
    for segment in segments {
        found = found.iter().flat_map(|value| segment.of(value, claims)).collect();
    }
    found
}

impl Segment {
    fn of(&self, value: &Value, claims: &Value) -> Vec<Value> {
        match (self, value) {
            (Segment::Name(name), Value::Object(members)) => members.get(name).cloned().into_iter().collect(),
            (Segment::Index(index), Value::Array(items)) => {
                at(*index, items.len()).and_then(|at| items.get(at)).cloned().into_iter().collect()
            }
            (Segment::Each, _) => children(value),
            (Segment::Deep, _) => {
                let mut all = vec![value.clone()];
                for child in children(value) {
                    all.extend(Segment::Deep.of(&child, claims));
                }
                all
            }
            (Segment::Slice(from, to), Value::Array(items)) => {
                let (from, to) = bounds(*from, *to, items.len());
                items[from..to].to_vec()
            }
            (Segment::Slice(from, to), Value::String(text)) => {
                let characters: Vec<char> = text.chars().collect();
                let (from, to) = bounds(*from, *to, characters.len());
                vec![Value::String(characters[from..to].iter().collect())]
            }
            (Segment::Filter(condition), _) => {
                children(value).into_iter().filter(|child| condition.holds(child, claims)).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn children(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        Value::Object(members) => members.values().cloned().collect(),
        _ => Vec::new(),
    }
}

impl Condition {
    fn holds(&self, here: &Value, claims: &Value) -> bool {
        match self {
            Condition::Any(all) => all.iter().any(|one| one.holds(here, claims)),
            Condition::All(all) => all.iter().all(|one| one.holds(here, claims)),
            Condition::Not(one) => !one.holds(here, claims),
            Condition::Exists(operand) => operand.value(here, claims).is_some(),
            Condition::Compare(left, test, right) => {
                test.passes(left.value(here, claims).as_ref(), right.value(here, claims).as_ref())
            }
        }
    }
}

impl Operand {
    fn value(&self, here: &Value, claims: &Value) -> Option<Value> {
        match self {
            Operand::Here(path) => follow(path, here, claims).into_iter().next(),
            Operand::Claims(path) => follow(path, claims, claims).into_iter().next(),
            Operand::Literal(value) => Some(value.clone()),
        }
    }
}

impl Test {
    fn passes(self, left: Option<&Value>, right: Option<&Value>) -> bool {
        let order = || match (left?, right?) {
            (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
            (left, right) => left.as_f64()?.partial_cmp(&right.as_f64()?),
        };
        let texts = |test: fn(&str, &str) -> bool| match (left, right) {
            (Some(Value::String(left)), Some(Value::String(right))) => test(left, right),
            _ => false,
        };
        match self {
            Test::Is => left == right,
            Test::IsNot => left != right,
            Test::Less => order() == Some(Ordering::Less),
            Test::LessOrIs => matches!(order(), Some(Ordering::Less | Ordering::Equal)),
            Test::Greater => order() == Some(Ordering::Greater),
            Test::GreaterOrIs => matches!(order(), Some(Ordering::Greater | Ordering::Equal)),
            Test::StartsWith => texts(|left, right| left.starts_with(right)),
            Test::EndsWith => texts(|left, right| left.ends_with(right)),
            Test::Contains => texts(|left, right| left.contains(right)),
        }
    }
}

fn at(index: i64, length: usize) -> Option<usize> {
    let distance = usize::try_from(index.unsigned_abs()).ok()?;
    if index < 0 { length.checked_sub(distance) } else { Some(distance) }
}

fn bounds(from: Option<i64>, to: Option<i64>, length: usize) -> (usize, usize) {
    let place = |index: Option<i64>, default| index.map_or(default, |index| at(index, length).unwrap_or(0)).min(length);
    let (from, to) = (place(from, 0), place(to, length));
    (from, to.max(from))
}

/// What is left to read.
struct Reader<'t>(&'t str);

impl<'t> Reader<'t> {
    fn eat(&mut self, token: &str) -> bool {
        self.0 = self.0.trim_start();
        let rest = self.0.strip_prefix(token);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn take(&mut self, part: impl Fn(char) -> bool) -> &'t str {
        let end = self.0.find(|c| !part(c)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken
    }

    /// As many segments as follow.
    fn segments(&mut self, depth: usize) -> Option<Vec<Segment>> {
        let mut all = Vec::new();
        loop {
            if self.eat("..") {
                all.push(Segment::Deep);
                if self.0.starts_with('[') {
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
        if self.0.starts_with('"') {
            return self.quoted().map(Segment::Name);
        }
        let name = self.take(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '@' | '-') || !c.is_ascii());
        (!name.is_empty()).then(|| Segment::Name(name.to_owned()))
    }

    /// What stands in brackets, and the one that closes them.
    fn bracketed(&mut self, depth: usize) -> Option<Segment> {
        self.0 = self.0.trim_start();
        let segment = if self.0.starts_with(['"', '\'']) {
            Segment::Name(self.quoted()?)
        } else if self.eat("*") {
            Segment::Each
        } else if self.eat("?") {
            Segment::Filter(self.any(depth + 1)?)
        } else {
            let from = self.number()?;
            if self.eat(":") { Segment::Slice(from, self.number()?) } else { Segment::Index(from?) }
        };
        self.eat("]").then_some(segment)
    }

    /// A whole number, if one follows; the outer `None` for one that is too large.
    fn number(&mut self) -> Option<Option<i64>> {
        self.0 = self.0.trim_start();
        match self.take(|c| c.is_ascii_digit() || c == '-') {
            "" => Some(None),
            digits => digits.parse().ok().map(Some),
        }
    }

    /// A text in quotes of either kind.
    fn quoted(&mut self) -> Option<String> {
        let mut characters = self.0.chars();
        let quote = characters.next().filter(|c| matches!(c, '"' | '\''))?;
        let mut found = String::new();
        loop {
            match characters.next()? {
                c if c == quote => {
                    self.0 = characters.as_str();
                    return Some(found);
                }
                '\\' => found.push(characters.next()?),
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
        let left = self.operand(depth)?;
        match TESTS.iter().find(|(word, _)| self.eat(word)) {
            Some((_, test)) => Some(Condition::Compare(left, *test, self.operand(depth)?)),
            None => (!matches!(left, Operand::Literal(_))).then_some(Condition::Exists(left)),
        }
    }

    fn operand(&mut self, depth: usize) -> Option<Operand> {
        if self.eat("@") {
            return self.segments(depth).map(Operand::Here);
        }
        if self.eat("$") {
            return self.segments(depth).map(Operand::Claims);
        }
        self.0 = self.0.trim_start();
        if self.0.starts_with(['"', '\'']) {
            return self.quoted().map(|text| Operand::Literal(Value::String(text)));
        }
        let word = self.take(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.'));
        serde_json::from_str(word).ok().map(Operand::Literal)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_leads_to_a_role() {
        let claims = json!({
            "role": "a", "n": 7, "app": {"roles": ["b", "admin_c", "d_x"]}, "https://x/r": "e",
            "teams": [{"name": "f", "on": false, "level": 1}, {"name": "g", "on": true, "level": 3, "lead": true}],
        });
        for (path, expected) in [
            ("$.role", Some("a")),
            (".role", Some("a")),
            ("$['role']", Some("a")),
            ("$.app.roles[0]", Some("b")),
            (".app.roles[-1]", Some("d_x")),
            ("$.app.roles[*]", Some("b")),
            (".app.roles[?(@ == \"d_x\")]", Some("d_x")),
            ("$.app.roles[?@ != 'b']", Some("admin_c")),
            (".app.roles[?(@ ^== \"admin\")]", Some("admin_c")),
            (".app.roles[?(@ ==^ \"_x\")]", Some("d_x")),
            (".app.roles[?(@ *== \"min_\")]", Some("admin_c")),
            (".app.roles[1][6:]", Some("c")),
            (".\"https://x/r\"", Some("e")),
            ("$.n", Some("7")),
            ("$..name", Some("f")),
            ("$.teams[?@.on == true].name", Some("g")),
            ("$.teams[?(@.level >= 2 && @['name'] != 'f')].name", Some("g")),
            ("$.teams[?@.lead].name", Some("g")),
            ("$.teams[?!@.lead || @.level > 5].name", Some("f")),
            ("$.teams[?@.level < $.n].name", Some("f")),
            ("$.app.roles[9]", None),
            ("$.role.more", None),
        ] {
            assert_eq!(RolePath::parse(path).unwrap().find(&claims).as_deref(), expected, "{path}");
        }
        for wrong in
            ["", "$", "role", "$.", "$[", "$['a", ".a[?(@ = \"x\")]", "$.a[x]", "$.a[?'x']", "$.a[?(@]", "$.a b"]
        {
            assert_eq!(RolePath::parse(wrong), None, "{wrong}");
        }
        assert_eq!(RolePath::parse(&format!("$.a[?{}@]", "!".repeat(100))), None, "depth is bounded");
    }
}
