//! What a body is declared to be: `Content-Type`.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::errors::Problem;
use crate::errors::codes::BODY;

/// A declared media type.
pub(super) struct Declared<'h> {
    /// As it was sent.
    text: Cow<'h, str>,
    /// Without its parameters, in lower case.
    pub(super) name: String,
}

/// What the header says; `None` if there is none, or nothing in it.
///
/// # Errors
/// A `charset` other than UTF-8: read as that, the body would mean something else.
pub(super) fn declared(headers: &HeaderMap) -> Result<Option<Declared<'_>>, Problem> {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(None) };
    let declared = Declared::new(String::from_utf8_lossy(value.as_bytes()));
    match declared.name.as_str() {
        "" => Ok(None),
        _ if declared.is_readable() => Ok(Some(declared)),
        _ => Err(declared.refused()),
    }
}

impl<'h> Declared<'h> {
    /// The type that a text names.
    pub(super) fn new(text: Cow<'h, str>) -> Declared<'h> {
        let name = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        Declared { text, name }
    }

    /// Whether it is JSON, or one of the forms that are JSON.
    pub(super) fn is_any_json(&self) -> bool {
        let subtype = self.name.strip_prefix("application/").unwrap_or_default();
        self.name.is_empty() || subtype == "json" || subtype.ends_with("+json")
    }

    /// The problem of a body that cannot be of this type.
    pub(super) fn refused(&self) -> Problem {
        Problem::new(BODY, format!("Content-Type not acceptable: {}", self.text))
    }

    /// Octets need no charset; everything else is UTF-8, of which ASCII is a part.
    fn is_readable(&self) -> bool {
        let parameters = self.text.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
        let mut charsets = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
        let is_ours =
            |charset: &str| ["utf-8", "utf8", "us-ascii"].iter().any(|ours| charset.eq_ignore_ascii_case(ours));
        self.name == "application/octet-stream"
            || charsets.all(|(_, charset)| is_ours(charset.trim().trim_matches('"')))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn check(text: &'static str) -> Result<Option<String>, String> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(text));
        let found = declared(&headers).map_err(|problem| problem.message().to_owned());
        found.map(|declared| declared.map(|declared| declared.name))
    }

    /// rest.md 11.1: the type alone decides, and what would be misread is refused.
    #[test]
    fn a_charset_is_utf_8_or_none_of_ours() {
        let name = |name: &str| Ok(Some(name.to_owned()));
        assert_eq!(check("Application/JSON"), name("application/json"));
        assert_eq!(check("text/csv; charset=UTF-8; header=present"), name("text/csv"));
        assert_eq!(check("text/csv;Charset=\"utf-8\""), name("text/csv"));
        assert_eq!(check("text/plain; charset=us-ascii"), name("text/plain"));
        assert_eq!(check("application/octet-stream; charset=binary"), name("application/octet-stream"));
        assert_eq!(check(" "), Ok(None));
        for other in ["text/csv; charset=iso-8859-1", "application/json;charset=utf-16", "text/xml; charset="] {
            assert_eq!(check(other), Err(format!("Content-Type not acceptable: {other}")));
        }
        assert_eq!(declared(&HeaderMap::new()).map(|declared| declared.is_none()).ok(), Some(true));
    }
}
