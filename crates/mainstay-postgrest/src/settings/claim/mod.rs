//! Where in the claims of a token its role stands: a path as RFC 9535 writes it, or in PostgREST's older form without
//! the `$`, with its comparisons of strings. Of what a path finds the first counts.

mod read;

use std::cmp::Ordering;

use serde_json::Value;

use read::Reader;

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
    /// Elements of a list; in the older form characters of a text, too.
    Slice {
        from: Option<i64>,
        to: Option<i64>,
        step: i64,
        of_text: bool,
    },
    /// Members or elements of which this holds.
    Filter(Condition),
    /// What each of these finds, one after the other.
    Union(Vec<Segment>),
}

#[derive(Debug, Clone, PartialEq)]
enum Condition {
    Any(Vec<Condition>),
    All(Vec<Condition>),
    Not(Box<Condition>),
    /// Something is there.
    Exists(Operand),
    Compare(Operand, Test, Operand),
    /// `match(text, pattern)`, where the pattern is that of all of the text, and `search(text, pattern)`.
    Pattern {
        text: Operand,
        pattern: Operand,
        is_whole: bool,
    },
}

#[derive(Debug, Clone, PartialEq)]
enum Operand {
    /// From the member or element at hand.
    Here(Vec<Segment>),
    /// From the claims.
    Claims(Vec<Segment>),
    Literal(Value),
    /// `length(…)`: characters of a text, elements of a list, members of an object.
    Length(Box<Operand>),
    /// `count(…)`: how much a path finds.
    Count(Box<Operand>),
    /// `value(…)`: what a path finds, if that is one.
    Only(Box<Operand>),
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

/// Largest compiled pattern.
const PATTERN_OCTETS_MAX: usize = 1 << 20;

impl RolePath {
    /// Reads a path; `None` if it is none.
    pub fn parse(text: &str) -> Option<RolePath> {
        let trimmed = text.trim();
        let standard = trimmed.strip_prefix('$');
        let mut reader = Reader { rest: standard.unwrap_or(trimmed), is_old: standard.is_none() };
        let segments = reader.segments(0)?;
        (!segments.is_empty() && reader.rest.is_empty()).then(|| RolePath { text: text.to_owned(), segments })
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
            (Segment::Slice { from, to, step, .. }, Value::Array(items)) => {
                sliced(*from, *to, *step, items.len()).into_iter().filter_map(|at| items.get(at)).cloned().collect()
            }
            (Segment::Slice { from, to, step, of_text: true }, Value::String(text)) => {
                let characters: Vec<char> = text.chars().collect();
                let chosen = sliced(*from, *to, *step, characters.len());
                vec![Value::String(chosen.into_iter().filter_map(|at| characters.get(at)).collect())]
            }
            (Segment::Union(all), _) => all.iter().flat_map(|one| one.of(value, claims)).collect(),
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
            Condition::Pattern { text, pattern, is_whole } => {
                match (text.value(here, claims), pattern.value(here, claims)) {
                    (Some(Value::String(text)), Some(Value::String(pattern))) => fits(&text, &pattern, *is_whole),
                    _ => false,
                }
            }
        }
    }
}

impl Operand {
    fn value(&self, here: &Value, claims: &Value) -> Option<Value> {
        match self {
            Operand::Here(_) | Operand::Claims(_) | Operand::Literal(_) => self.found(here, claims).into_iter().next(),
            Operand::Length(of) => match of.value(here, claims)? {
                Value::String(text) => Some(text.chars().count().into()),
                Value::Array(items) => Some(items.len().into()),
                Value::Object(members) => Some(members.len().into()),
                _ => None,
            },
            Operand::Count(of) => Some(of.found(here, claims).len().into()),
            Operand::Only(of) => Some(of.found(here, claims)).filter(|found| found.len() == 1)?.pop(),
        }
    }

    /// All that it stands for.
    fn found(&self, here: &Value, claims: &Value) -> Vec<Value> {
        match self {
            Operand::Here(path) => follow(path, here, claims),
            Operand::Claims(path) => follow(path, claims, claims),
            Operand::Literal(value) => vec![value.clone()],
            Operand::Length(_) | Operand::Count(_) | Operand::Only(_) => self.value(here, claims).into_iter().collect(),
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
        // A number is the same however it is written.
        let is_same = || left == right || order() == Some(Ordering::Equal);
        match self {
            Test::Is => is_same(),
            Test::IsNot => !is_same(),
            Test::Less => order() == Some(Ordering::Less),
            Test::LessOrIs => is_same() || order() == Some(Ordering::Less),
            Test::Greater => order() == Some(Ordering::Greater),
            Test::GreaterOrIs => is_same() || order() == Some(Ordering::Greater),
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

/// The places that a slice chooses, in its order (RFC 9535, 2.3.4.2.2).
fn sliced(from: Option<i64>, to: Option<i64>, step: i64, length: usize) -> Vec<usize> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let place = |index: i64| if index < 0 { index.saturating_add(length) } else { index };
    let is_forward = step > 0;
    let (first, last) = if is_forward { (0, length) } else { (-1, length - 1) };
    let from = from.map_or(if is_forward { 0 } else { length - 1 }, place).clamp(first, last);
    let to = to.map_or(if is_forward { length } else { -1 }, place).clamp(first, last);
    let mut chosen = Vec::new();
    let mut at = from;
    while (is_forward && at < to) || (step < 0 && at > to) {
        chosen.extend(usize::try_from(at));
        at = at.saturating_add(step);
    }
    chosen
}

/// Whether a pattern (RFC 9485) is that of a text, or of a part of it. One that is none fits nothing.
fn fits(text: &str, pattern: &str, is_whole: bool) -> bool {
    let pattern = if is_whole { format!("^(?:{pattern})$") } else { pattern.to_owned() };
    regex::RegexBuilder::new(&pattern)
        .crlf(true)
        .size_limit(PATTERN_OCTETS_MAX)
        .build()
        .is_ok_and(|it| it.is_match(text))
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
            ("$['nobody', 'role']", Some("a")),
            ("$['nobody']['role', 'n']", None),
            ("$.app.roles[9, -1, 0]", Some("d_x")),
            ("$.app.roles[?@ == 'x', 1]", Some("admin_c")),
            ("$.app.roles[1:]", Some("admin_c")),
            ("$.app.roles[::-1]", Some("d_x")),
            ("$.app.roles[0:9:2][1]", None),
            ("$.app.roles[1][6:]", None),
            ("$.app.roles[?search(@, '^admin')]", Some("admin_c")),
            ("$.app.roles[?search(@, '_x$')]", Some("d_x")),
            ("$.app.roles[?match(@, 'd_.')]", Some("d_x")),
            ("$.app.roles[?match(@, 'd')]", None),
            ("$.app.roles[?search(@, '(')]", None),
            ("$.app.roles[?!search(@, '_')]", Some("b")),
            ("$.app.roles[?length(@) == 3.0]", Some("d_x")),
            ("$.teams[?count(@.*) > 3].name", Some("g")),
            ("$.teams[?value(@..lead) == true].name", Some("g")),
            ("$[\"https:\\u002f\\/x/r\"]", Some("e")),
            ("$.app.roles[9]", None),
            ("$.role.more", None),
        ] {
            assert_eq!(RolePath::parse(path).unwrap().find(&claims).as_deref(), expected, "{path}");
        }
        for wrong in [
            "",
            "$",
            "role",
            "$.",
            "$[",
            "$['a",
            ".a[?(@ = \"x\")]",
            "$.a[x]",
            "$.a[?'x']",
            "$.a[?(@]",
            "$.a b",
            "$['a',]",
            "$.a[?length(@)]",
            "$.a[?search(@)]",
            "$.a[?count(@ == 1]",
        ] {
            assert_eq!(RolePath::parse(wrong), None, "{wrong}");
        }
        assert_eq!(RolePath::parse(&format!("$.a[?{}@]", "!".repeat(100))), None, "depth is bounded");
    }
}
