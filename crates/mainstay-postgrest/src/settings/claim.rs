//! Where in the claims of a token its role stands: a path as RFC 9535 writes it, or in PostgREST's older form without
//! the `$`, with its comparisons of strings. What a path finds several of gives the first.

use serde_json::Value;

/// The way to a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolePath {
    text: String,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Name(String),
    /// From the end if it is negative.
    Index(i64),
    /// All members or elements.
    Each,
    /// Elements of a list, or characters of a text.
    Slice(Option<i64>, Option<i64>),
    /// Elements that compare so with a text.
    Filter(Test, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    Is,
    IsNot,
    StartsWith,
    EndsWith,
    Contains,
}

/// The longer operators first, since some begin like others.
const TESTS: [(&str, Test); 5] = [
    ("^==", Test::StartsWith),
    ("==^", Test::EndsWith),
    ("*==", Test::Contains),
    ("==", Test::Is),
    ("!=", Test::IsNot),
];

impl RolePath {
    /// Reads a path; `None` if it is none.
    pub fn parse(text: &str) -> Option<RolePath> {
        let mut rest = text.trim();
        rest = rest.strip_prefix('$').unwrap_or(rest);
        let mut segments = Vec::new();
        while !rest.is_empty() {
            let (segment, after) = match rest.strip_prefix('.') {
                Some(dotted) if dotted.starts_with('"') => {
                    let (name, after) = quoted(dotted)?;
                    (Segment::Name(name), after)
                }
                Some(dotted) if dotted.starts_with('*') => (Segment::Each, &dotted[1..]),
                Some(dotted) => name(dotted)?,
                None => bracketed(rest.strip_prefix('[')?.trim_start())?,
            };
            segments.push(segment);
            rest = after.trim_start();
        }
        (!segments.is_empty()).then(|| RolePath { text: text.to_owned(), segments })
    }

    /// The role that stands there; what is no text counts as its JSON text.
    pub fn find(&self, claims: &Value) -> Option<String> {
        let mut found = vec![claims.clone()];
        for segment in &self.segments {
            found = found.iter().flat_map(|value| segment.of(value)).collect();
        }
        found.into_iter().next().map(|value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Segment {
    fn of(&self, value: &Value) -> Vec<Value> {
        match (self, value) {
            (Segment::Name(name), Value::Object(members)) => members.get(name).cloned().into_iter().collect(),
            (Segment::Index(index), Value::Array(items)) => {
                at(*index, items.len()).and_then(|at| items.get(at)).cloned().into_iter().collect()
            }
            (Segment::Each, Value::Array(items)) => items.clone(),
            (Segment::Each, Value::Object(members)) => members.values().cloned().collect(),
            (Segment::Slice(from, to), Value::Array(items)) => {
                let (from, to) = bounds(*from, *to, items.len());
                items[from..to].to_vec()
            }
            (Segment::Slice(from, to), Value::String(text)) => {
                let characters: Vec<char> = text.chars().collect();
                let (from, to) = bounds(*from, *to, characters.len());
                vec![Value::String(characters[from..to].iter().collect())]
            }
            (Segment::Filter(test, wanted), Value::Array(items)) => {
                let passes = |item: &&Value| item.as_str().is_some_and(|text| test.passes(text, wanted));
                items.iter().filter(passes).cloned().collect()
            }
            _ => Vec::new(),
        }
    }
}

impl Test {
    fn passes(self, text: &str, wanted: &str) -> bool {
        match self {
            Test::Is => text == wanted,
            Test::IsNot => text != wanted,
            Test::StartsWith => text.starts_with(wanted),
            Test::EndsWith => text.ends_with(wanted),
            Test::Contains => text.contains(wanted),
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

/// `name` and what follows it.
fn name(text: &str) -> Option<(Segment, &str)> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '@' | '-') || !c.is_ascii();
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let (name, after) = text.split_at(end);
    (!name.is_empty()).then(|| (Segment::Name(name.to_owned()), after))
}

/// What stands in brackets, and what follows them.
fn bracketed(inner: &str) -> Option<(Segment, &str)> {
    let (segment, after) = match inner.chars().next()? {
        '"' | '\'' => {
            let (name, after) = quoted(inner)?;
            (Segment::Name(name), after)
        }
        '*' => (Segment::Each, &inner[1..]),
        '?' => filter(inner[1..].trim_start())?,
        _ => {
            let (text, _) = inner.split_once(']')?;
            let number = |text: &str| text.trim().parse::<i64>().ok();
            let segment = match text.split_once(':') {
                None => Segment::Index(number(text)?),
                Some((from, to)) => {
                    let bound = |text: &str| if text.trim().is_empty() { Some(None) } else { number(text).map(Some) };
                    Segment::Slice(bound(from)?, bound(to)?)
                }
            };
            (segment, &inner[text.len()..])
        }
    };
    Some((segment, after.trim_start().strip_prefix(']')?))
}

/// `(@ == "text")` or the same without parentheses.
fn filter(text: &str) -> Option<(Segment, &str)> {
    let inner = text.strip_prefix('(');
    let is_open = inner.is_some();
    let rest = inner.unwrap_or(text).trim_start().strip_prefix('@')?.trim_start();
    let (test, rest) = TESTS.iter().find_map(|(word, test)| Some((*test, rest.strip_prefix(word)?)))?;
    let (wanted, rest) = quoted(rest.trim_start())?;
    let rest = rest.trim_start();
    let rest = if is_open { rest.strip_prefix(')')? } else { rest };
    Some((Segment::Filter(test, wanted), rest))
}

/// A text in quotes of either kind, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut characters = text.chars();
    let quote = characters.next().filter(|c| matches!(c, '"' | '\''))?;
    let mut found = String::new();
    loop {
        match characters.next()? {
            c if c == quote => return Some((found, characters.as_str())),
            '\\' => found.push(characters.next()?),
            c => found.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_leads_to_a_role() {
        let claims = json!({"role": "a", "n": 7, "app": {"roles": ["b", "admin_c", "d_x"]}, "https://x/r": "e"});
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
            ("$.app.roles[9]", None),
            ("$.role.more", None),
        ] {
            assert_eq!(RolePath::parse(path).unwrap().find(&claims).as_deref(), expected, "{path}");
        }
        for wrong in ["", "$", "role", "$.", "$[", "$['a", ".a[?(@ = \"x\")]", "$.a[x]"] {
            assert_eq!(RolePath::parse(wrong), None, "{wrong}");
        }
    }
}
