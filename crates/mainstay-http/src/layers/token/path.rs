//! Where in the claims of a token its role stands: a path as RFC 9535 writes those that lead to one value.

use serde_json::Value;

/// The way to one value, from the claims: `$.role`, `$.app_metadata.role`, `$['https://example.org/roles'][0]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimPath(Vec<Segment>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Name(String),
    /// From 0; from the end if it is negative.
    Index(i64),
}

/// A text is no path to one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a JSON path to one value, such as $.role, $.app_metadata.role or $['a b'][0]")]
pub struct NoPath;

impl Default for ClaimPath {
    fn default() -> ClaimPath {
        ClaimPath(vec![Segment::Name("role".to_owned())])
    }
}

impl ClaimPath {
    /// Reads a path. The older form of PostgREST, without the `$`, is one as well.
    ///
    /// # Errors
    /// [`NoPath`] for anything else, wildcards and filters included: what they find may be none or many.
    pub fn parse(text: &str) -> Result<ClaimPath, NoPath> {
        let mut rest = text.trim();
        rest = rest.strip_prefix('$').unwrap_or(rest);
        let mut segments = Vec::new();
        while !rest.is_empty() {
            let (segment, after) = match rest.strip_prefix('.') {
                Some(named) => name(named),
                None => bracketed(rest),
            }
            .ok_or(NoPath)?;
            segments.push(segment);
            rest = after.trim_start();
        }
        if segments.is_empty() { Err(NoPath) } else { Ok(ClaimPath(segments)) }
    }

    /// What stands there; `None` if the way ends before.
    pub(super) fn find<'c>(&self, claims: &'c Value) -> Option<&'c Value> {
        self.0.iter().try_fold(claims, |value, segment| match segment {
            Segment::Name(name) => value.get(name),
            Segment::Index(index) => {
                let list = value.as_array()?;
                let back = usize::try_from(index.unsigned_abs()).ok()?;
                list.get(if *index < 0 { list.len().checked_sub(back)? } else { back })
            }
        })
    }
}

/// `name` and what follows it.
fn name(text: &str) -> Option<(Segment, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii();
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let (name, after) = text.split_at(end);
    let is_name = name.starts_with(|c: char| !c.is_ascii_digit());
    is_name.then(|| (Segment::Name(name.to_owned()), after))
}

/// `['name']`, `["name"]` or `[0]` and what follows it.
fn bracketed(text: &str) -> Option<(Segment, &str)> {
    let inner = text.strip_prefix('[')?.trim_start();
    let (segment, after) = match inner.chars().next()? {
        quote @ ('\'' | '"') => quoted(&inner[1..], quote)?,
        _ => {
            let (number, after) = inner.split_once(']')?;
            let number = number.trim_end();
            let digits = number.strip_prefix('-').unwrap_or(number);
            let is_number = digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
            let index = number.parse().ok().filter(|_| is_number && number != "-0")?;
            return Some((Segment::Index(index), after));
        }
    };
    Some((segment, after.trim_start().strip_prefix(']')?))
}

/// A name up to its quote; a backslash makes a quote or a backslash one of the name.
fn quoted(text: &str, quote: char) -> Option<(Segment, &str)> {
    let mut name = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next()? {
            c if c == quote => return Some((Segment::Name(name), characters.as_str())),
            '\\' => name.push(characters.next().filter(|c| matches!(c, '\\' | '\'' | '"'))?),
            c if c < ' ' => return None,
            c => name.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// rest.md 15: the role is found by a path of RFC 9535.
    #[test]
    fn a_path_leads_to_one_value() {
        let claims = json!({"role": "a", "app": {"roles": ["b", "c"], "x y": {"é": "d"}}, "o'clock": "e", "": "f"});
        for (path, found) in [
            ("$.role", Some("a")),
            (".role", Some("a")),
            ("$['role']", Some("a")),
            ("$[\"role\"]", Some("a")),
            ("$.app.roles[0]", Some("b")),
            ("$ ['app'] . roles", None),
            ("$.app.roles[-1]", Some("c")),
            ("$['app']['x y'].é", Some("d")),
            ("$['o\\'clock']", Some("e")),
            ("$['']", Some("f")),
            ("$.app.roles[2]", None),
            ("$.app.roles[-3]", None),
            ("$.role.more", None),
            ("$.role[0]", None),
            ("$.nothing", None),
        ] {
            let found_there = ClaimPath::parse(path).ok().and_then(|path| path.find(&claims)?.as_str());
            assert_eq!(found_there, found, "{path}");
        }
        assert_eq!(ClaimPath::parse("$.role"), Ok(ClaimPath::default()));
    }

    #[test]
    fn what_may_lead_to_many_or_nowhere_is_no_path() {
        for text in [
            "",
            "$",
            "role",
            "$.",
            "$.*",
            "$..role",
            "$[*]",
            "$[0:1]",
            "$[?@.a]",
            "$[0,1]",
            "$['a",
            "$['a'",
            "$[a]",
            "$[]",
            "$[01]",
            "$[-0]",
            "$[9999999999999999999]",
            "$.1a",
            "$['\\n']",
            "$.a b",
        ] {
            assert_eq!(ClaimPath::parse(text), Err(NoPath), "{text}");
        }
    }
}
