//! `Accept`: what a caller takes, in the order in which it likes it.
//!
//! By weight; of equal weight what is more particular first, as PostgREST has it: a parameter counts for a media range,
//! a star against it. A range of weight 0 is not wanted, not even where a star would cover it.

use http::HeaderMap;
use http::header::ACCEPT;

use crate::errors::Problem;
use crate::errors::codes::MEDIA;
use crate::layers::coding::weight;

/// The text of every `Accept` header as one list; `None` if there is none, or nothing in it.
pub(super) fn text(headers: &HeaderMap) -> Option<String> {
    let texts = headers.get_all(ACCEPT).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let text = texts.collect::<Vec<_>>().join(",");
    (!text.trim().is_empty()).then_some(text)
}

/// The media ranges of a list.
pub(super) struct Accepted<'a> {
    /// Those that are wanted, the best first.
    wanted: Vec<Range<'a>>,
    /// The names of those that are not, in lower case.
    refused: Vec<String>,
    /// The whole of it.
    text: &'a str,
}

/// One element of the list.
pub(super) struct Range<'a> {
    /// As written, without its weight if that is all there is besides the name.
    text: &'a str,
    /// In lower case.
    pub(super) name: String,
    /// Names in lower case.
    parameters: Vec<(String, &'a str)>,
    quality: f32,
}

impl<'a> Accepted<'a> {
    /// Reads a list. What is no media range in it is passed over.
    pub(super) fn read(text: &'a str) -> Accepted<'a> {
        let (mut wanted, refused): (Vec<_>, Vec<_>) =
            split(text, ',').filter_map(Range::read).partition(|range| range.quality > 0.0);
        // Stable: what is equal in all that keeps its order.
        wanted.sort_by(|a, b| b.quality.total_cmp(&a.quality).then(b.rank().cmp(&a.rank())));
        Accepted { wanted, refused: refused.into_iter().map(|range| range.name).collect(), text }
    }

    /// Those that are wanted, the best first.
    pub(super) fn wanted(&self) -> &[Range<'a>] {
        &self.wanted
    }

    /// Whether this very name is told not to be wanted.
    pub(super) fn refuses(&self, name: &str) -> bool {
        self.refused.iter().any(|refused| refused == name)
    }

    /// The answer if none of them can be made.
    pub(super) fn unavailable(&self) -> Problem {
        let types = match self.wanted.as_slice() {
            [] => self.text.trim().to_owned(),
            wanted => wanted.iter().map(|range| range.text).collect::<Vec<_>>().join(", "),
        };
        Problem::new(MEDIA, format!("None of these media types are available: {types}"))
    }
}

impl<'a> Range<'a> {
    fn read(text: &'a str) -> Option<Range<'a>> {
        let mut parts = split(text, ';');
        let name = parts.next()?.trim();
        if !name.contains('/') {
            return None;
        }
        let mut range = Range { text: name, name: name.to_ascii_lowercase(), parameters: Vec::new(), quality: 1.0 };
        for part in parts {
            let Some((key, value)) = part.split_once('=') else { continue };
            let (key, value) = (key.trim().to_ascii_lowercase(), value.trim().trim_matches('"'));
            if key == "q" {
                range.quality = weight(value);
            } else {
                range.parameters.push((key, value));
                range.text = text.trim();
            }
        }
        Some(range)
    }

    /// Whether it has this parameter with this value.
    pub(super) fn has(&self, name: &str, value: &str) -> bool {
        self.parameter(name) == Some(value)
    }

    /// The value of a parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&'a str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| *value)
    }

    /// How particular it is.
    fn rank(&self) -> i64 {
        let stars = self.name.bytes().filter(|b| *b == b'*').count();
        i64::try_from(self.parameters.len()).unwrap_or(i64::MAX) - i64::try_from(stars).unwrap_or(0)
    }
}

/// Splits at `separator` outside of quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    text.split(move |c| {
        is_quoted ^= c == '"';
        c == separator && !is_quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let accepted = Accepted::read(text);
        assert_eq!(accepted.wanted().iter().map(|range| range.text).collect::<Vec<_>>(), expected, "{text}");
    }

    /// rest.md 12: by weight, then by how particular a range is, then as written.
    #[test]
    fn ranges_are_ordered_by_what_their_caller_likes() {
        check("text/csv, application/json", &["text/csv", "application/json"]);
        check("text/csv;q=0.5, application/json;q=0.7", &["application/json", "text/csv"]);
        check("*/*, text/csv", &["text/csv", "*/*"]);
        check("text/*, application/json, */*", &["application/json", "text/*", "*/*"]);
        check("a/a, a/b;x=1, a/c;q=0.9;x=1;y=2", &["a/b;x=1", "a/a", "a/c;q=0.9;x=1;y=2"]);
        check("a/a;q=0, a/b;q=0.000, a/c;q=-1, a/d;q=2, a/e;q=nan, nonsense, , a/f;q=\"1\"", &["a/f"]);
        check(r#"a/a;for="x,y;z=1";q=0.1, a/b"#, &["a/b", r#"a/a;for="x,y;z=1";q=0.1"#]);
    }

    #[test]
    fn what_cannot_be_made_is_named_as_it_was_written() {
        let told = |text: &str| Accepted::read(text).unavailable().message().to_owned();
        assert!(told("image/png;q=0.2, text/html").ends_with(": text/html, image/png"));
        assert!(told("nonsense").ends_with(": nonsense"));
        assert!(told("application/json;q=0").ends_with(": application/json;q=0"));
        assert!(Accepted::read("*/*, Text/CSV;q=0").refuses("text/csv"));
    }
}
