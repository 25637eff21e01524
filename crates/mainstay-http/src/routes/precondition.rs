//! `If-Match` and `If-None-Match` (RFC 9110, 13.1): what the caller believes the rows to be.

use http::HeaderMap;
use http::header::{IF_MATCH, IF_NONE_MATCH};

use crate::encode::Tag;
use crate::errors::Problem;
use crate::errors::codes::PRECONDITION;

/// The conditions of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Preconditions {
    /// One of these must be there.
    pub(super) wanted: Option<Tags>,
    /// None of these may be there.
    pub(super) unwanted: Option<Tags>,
}

/// A list of entity tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tags {
    /// `*`: any rows at all.
    Any,
    /// These. Of a header that is none, no tag: it matches nothing.
    List(Vec<Entity>),
}

/// One entity tag of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entity {
    is_weak: bool,
    digits: String,
}

impl Preconditions {
    /// The conditions in these headers.
    pub(super) fn read(headers: &HeaderMap) -> Preconditions {
        Preconditions { wanted: tags(headers, &IF_MATCH), unwanted: tags(headers, &IF_NONE_MATCH) }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.wanted.is_none() && self.unwanted.is_none()
    }

    /// Whether rows with this tag are what `If-Match` wants: tags are compared strongly, and `*` wants rows.
    pub(super) fn holds_wanted(&self, tag: Tag, rows: u64) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| match wanted {
            Tags::Any => rows > 0,
            Tags::List(list) => list.iter().any(|entity| !entity.is_weak && entity.digits == tag.digits()),
        })
    }

    /// Whether rows with this tag are none of what `If-None-Match` names: tags are compared weakly, and `*` names all.
    pub(super) fn holds_unwanted(&self, tag: Tag, rows: u64) -> bool {
        self.unwanted.as_ref().is_none_or(|unwanted| match unwanted {
            Tags::Any => rows == 0,
            Tags::List(list) => list.iter().all(|entity| entity.digits != tag.digits()),
        })
    }
}

/// The answer to a request whose conditions do not hold.
pub(super) fn failed() -> Problem {
    Problem::new(PRECONDITION, "The rows are not as If-Match or If-None-Match wants them")
        .details("Nothing was changed.")
        .hint("Read them again: the answer's ETag is the tag to send.")
}

fn tags(headers: &HeaderMap, name: &http::HeaderName) -> Option<Tags> {
    let mut values = headers.get_all(name).iter().peekable();
    values.peek()?;
    let lines: Option<Vec<&str>> = values.map(|value| value.to_str().ok()).collect();
    let text = lines.unwrap_or_default().join(",");
    if text.trim() == "*" {
        return Some(Tags::Any);
    }
    Some(Tags::List(entities(&text).unwrap_or_default()))
}

/// The tag of the rows in the tag of an answer that was sent in a coding.
fn uncoded(digits: &str) -> &str {
    ["-gzip", "-zstd"].iter().find_map(|coding| digits.strip_suffix(coding)).unwrap_or(digits)
}

/// The tags of a list; `None` if it is none.
fn entities(text: &str) -> Option<Vec<Entity>> {
    let mut list = Vec::new();
    let mut rest = text.trim_start_matches([' ', '\t', ',']);
    while !rest.is_empty() {
        let (is_weak, quoted) = match rest.strip_prefix("W/") {
            Some(quoted) => (true, quoted),
            None => (false, rest),
        };
        let (digits, after) = quoted.strip_prefix('"')?.split_once('"')?;
        list.push(Entity { is_weak, digits: uncoded(digits).to_owned() });
        let after = after.trim_start_matches([' ', '\t']);
        if !after.is_empty() && !after.starts_with(',') {
            return None;
        }
        rest = after.trim_start_matches([' ', '\t', ',']);
    }
    Some(list)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// Whether `If-Match` and `If-None-Match` of this text hold for one row with the tag `tag`.
    fn check(text: &str, wanted: bool, unwanted: bool) {
        let tag = Tag::of(b"row", false);
        let text = text.replace("TAG", &tag.digits());
        let mut headers = HeaderMap::new();
        headers.insert(IF_MATCH, HeaderValue::from_str(&text).unwrap());
        headers.insert(IF_NONE_MATCH, HeaderValue::from_str(&text).unwrap());
        let conditions = Preconditions::read(&headers);
        assert_eq!(conditions.holds_wanted(tag, 1), wanted, "If-Match: {text}");
        assert_eq!(conditions.holds_unwanted(tag, 1), unwanted, "If-None-Match: {text}");
    }

    #[test]
    fn lists_weak_tags_and_the_star() {
        check("\"TAG\"", true, false);
        check("\"other\", \"TAG\"", true, false);
        check("\"TAG-gzip\"", true, false);
        check("\"TAG-zstd\"", true, false);
        check("\"TAG-other\"", false, true);
        check(" , \"TAG\" ,", true, false);
        check("W/\"TAG\"", false, false);
        check("\"other\"", false, true);
        check("*", true, false);
        check("", false, true);
        for broken in ["TAG", "\"TAG", "\"TAG\" \"x\"", "w/\"TAG\"", "*, \"TAG\"", "'TAG'"] {
            check(broken, false, true);
        }
    }

    #[test]
    fn the_star_is_about_rows() {
        let mut headers = HeaderMap::new();
        headers.insert(IF_MATCH, HeaderValue::from_static("*"));
        let conditions = Preconditions::read(&headers);
        assert!(conditions.holds_wanted(Tag::of(b"", false), 1) && !conditions.holds_wanted(Tag::of(b"", false), 0));
        assert!(Preconditions::read(&HeaderMap::new()).is_empty());
    }
}
