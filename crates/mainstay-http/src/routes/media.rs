//! Which form of the rows a caller takes: `Accept`.

use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue};
use mainstay_query::plan::Shape;

use crate::encode::zoned::{Zone, Zoned};
use crate::encode::{CsvSink, JsonSink, LinesSink, Nulls, Sink, XmlSink, xml_schema};
use crate::errors::Problem;
use crate::errors::codes::{MEDIA, NOT_IMPLEMENTED};

/// A form that rows can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    /// An array of objects.
    Array(Nulls),
    /// The only row, as an object.
    Single(Nulls),
    /// Lines.
    Csv {
        /// Whether text that looks like a formula is defused.
        for_spreadsheets: bool,
    },
    /// An object a line.
    Lines {
        nulls: Nulls,
        /// Which of its names it was asked by.
        name: LinesName,
    },
    /// Elements.
    Xml {
        nulls: Nulls,
        /// Whether the only row is the root.
        is_single: bool,
        /// Whether it was asked for as `text/xml`.
        is_text: bool,
    },
    /// The XML Schema of the answer.
    XmlSchema,
}

/// The names of NDJSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinesName {
    /// `application/x-ndjson`
    Ndjson,
    /// `application/jsonl`
    Jsonl,
}

impl Media {
    /// The first form that can be made, in the order of the caller's preference.
    pub(super) fn negotiate(headers: &HeaderMap) -> Result<Media, Problem> {
        let mut accepted = headers.get_all(ACCEPT).iter().map(HeaderValue::as_bytes).peekable();
        match accepted.peek() {
            None | Some(&b"*/*" | &b"application/json") => return Ok(Media::Array(Nulls::Kept)),
            Some(_) => {}
        }
        let text = accepted.map(String::from_utf8_lossy).collect::<Vec<_>>().join(",");
        let mut ranges: Vec<Range<'_>> = split(&text, ',').filter_map(Range::parse).collect();
        ranges.sort_by(|a, b| b.quality.total_cmp(&a.quality)); // Stable: equals keep their order.
        if ranges.is_empty() && text.trim().is_empty() {
            return Ok(Media::Array(Nulls::Kept));
        }
        ranges.iter().find_map(Range::media).ok_or_else(|| unavailable(&ranges))
    }

    /// The sink that makes it, for at most `max` octets.
    pub(super) fn sink(self, shape: &Shape, max: usize) -> Sink {
        match self {
            Media::Array(nulls) | Media::Single(nulls) => Sink::Json(JsonSink::new(shape, nulls, max)),
            Media::Lines { nulls, .. } => Sink::Lines(LinesSink::new(shape, nulls, max, None)),
            Media::Xml { nulls, is_single, .. } => Sink::Xml(XmlSink::new(shape, nulls, is_single, max)),
            Media::XmlSchema => Sink::XmlSchema(xml_schema(shape)),
            Media::Csv { for_spreadsheets } => Sink::Csv(CsvSink::new(shape, for_spreadsheets, max)),
        }
    }

    /// The same, with timestamps in a zone.
    pub(super) fn sink_in(self, shape: &Shape, max: usize, zone: Option<&Zone>) -> Sink {
        let sink = self.sink(shape, max);
        match zone {
            None => sink,
            Some(zone) => Sink::Zoned(Box::new(Zoned::new(sink, shape, zone.clone()))),
        }
    }

    /// The form in which the same rows are a list.
    pub(super) fn listed(self) -> Media {
        match self {
            Media::Single(nulls) => Media::Array(nulls),
            other => other,
        }
    }

    /// Whether it holds exactly one row.
    pub(super) fn is_single(self) -> bool {
        matches!(self, Media::Single(_) | Media::Xml { is_single: true, .. })
    }

    /// The `Content-Type` of the answer.
    pub(super) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Media::Array(Nulls::Kept) => "application/json; charset=utf-8",
            Media::Array(Nulls::Stripped) => "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8",
            Media::Single(Nulls::Kept) => "application/vnd.pgrst.object+json; charset=utf-8",
            Media::Single(Nulls::Stripped) => "application/vnd.pgrst.object+json;nulls=stripped; charset=utf-8",
            Media::Csv { .. } => "text/csv; charset=utf-8",
            Media::Xml { is_single: true, nulls: Nulls::Kept, .. } => "application/vnd.pgrst.object+xml; charset=utf-8",
            Media::Xml { is_single: true, .. } => "application/vnd.pgrst.object+xml;nulls=stripped; charset=utf-8",
            Media::Xml { nulls: Nulls::Stripped, .. } => "application/xml;nulls=stripped; charset=utf-8",
            Media::Xml { is_text: true, .. } => "text/xml; charset=utf-8",
            Media::Xml { .. } | Media::XmlSchema => "application/xml; charset=utf-8",
            Media::Lines { name: LinesName::Ndjson, .. } => "application/x-ndjson; charset=utf-8",
            Media::Lines { name: LinesName::Jsonl, .. } => "application/jsonl; charset=utf-8",
        })
    }
}

/// One element of `Accept`.
struct Range<'a> {
    /// As written, without its weight.
    text: &'a str,
    name: String,
    parameters: Vec<(String, &'a str)>,
    quality: f32,
}

impl<'a> Range<'a> {
    /// `None` for an element that is not a media range, or not wanted at all.
    fn parse(text: &'a str) -> Option<Range<'a>> {
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
                range.quality = value.parse().unwrap_or(0.0);
            } else {
                range.parameters.push((key, value));
                range.text = text.trim();
            }
        }
        (range.quality > 0.0).then_some(range)
    }

    fn media(&self) -> Option<Media> {
        let is = |name: &str, value: &str| self.parameters.iter().any(|(key, v)| key == name && *v == value);
        let nulls = if is("nulls", "stripped") { Nulls::Stripped } else { Nulls::Kept };
        Some(match self.name.as_str() {
            "*/*" | "application/*" | "application/json" => Media::Array(Nulls::Kept),
            "application/vnd.pgrst.array+json" | "application/vnd.pgrst.array" => Media::Array(nulls),
            "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object" => Media::Single(nulls),
            "text/csv" | "text/*" => Media::Csv { for_spreadsheets: is("spreadsheet", "1") },
            "application/x-ndjson" => Media::Lines { nulls, name: LinesName::Ndjson },
            "application/jsonl" => Media::Lines { nulls, name: LinesName::Jsonl },
            "application/xml" if is("schema", "xsd") => Media::XmlSchema,
            "application/xml" => Media::Xml { nulls, is_single: false, is_text: false },
            "text/xml" => Media::Xml { nulls, is_single: false, is_text: true },
            "application/vnd.pgrst.object+xml" => Media::Xml { nulls, is_single: true, is_text: false },
            _ => return None,
        })
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

fn unavailable(ranges: &[Range<'_>]) -> Problem {
    let later = ["application/geo+json"];
    if let Some(range) = ranges.iter().find(|range| later.contains(&range.name.as_str())) {
        let details = format!("Answers as {} are not implemented.", range.name);
        return Problem::new(NOT_IMPLEMENTED, "Feature not implemented").details(details);
    }
    let types: Vec<_> = ranges.iter().map(|range| range.text).collect();
    Problem::new(MEDIA, format!("None of these media types are available: {}", types.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiate(accept: &str) -> Result<Media, String> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
        Media::negotiate(&headers).map_err(|problem| format!("{} {}", problem.code().name, problem.message()))
    }

    #[test]
    fn the_best_form_that_can_be_made_wins() {
        const JSON: Media = Media::Array(Nulls::Kept);
        const XML: Media = Media::Xml { nulls: Nulls::Kept, is_single: false, is_text: false };
        const CSV: Media = Media::Csv { for_spreadsheets: false };
        for (accept, expected) in [
            ("", JSON),
            ("*/*", JSON),
            ("application/json", JSON),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", XML),
            ("text/csv", CSV),
            ("application/json;q=0.5, text/csv", CSV),
            ("text/csv;q=0.5, application/json;q=0.7", JSON),
            ("image/png, text/csv;q=0.1", CSV),
            ("text/csv;q=0, application/json;q=0.1", JSON),
            ("TEXT/CSV; Spreadsheet=1", Media::Csv { for_spreadsheets: true }),
            ("application/vnd.pgrst.object+json", Media::Single(Nulls::Kept)),
            ("application/vnd.pgrst.object", Media::Single(Nulls::Kept)),
            ("application/x-ndjson", Media::Lines { nulls: Nulls::Kept, name: LinesName::Ndjson }),
            ("application/jsonl;nulls=stripped", Media::Lines { nulls: Nulls::Stripped, name: LinesName::Jsonl }),
            ("application/vnd.pgrst.array+json;nulls=stripped", Media::Array(Nulls::Stripped)),
            ("application/vnd.pgrst.object+json;nulls=stripped", Media::Single(Nulls::Stripped)),
        ] {
            assert_eq!(negotiate(accept), Ok(expected), "{accept}");
        }
    }

    #[test]
    fn what_cannot_be_made_is_named() {
        for (accept, expected) in [
            ("image/png", "PGRST107 None of these media types are available: image/png"),
            ("image/png;q=0.2, text/html", "PGRST107 None of these media types are available: text/html, image/png"),
            (
                r#"application/vnd.pgrst.plan+text; for="application/json,x"; options=analyze|;"#,
                r#"PGRST107 None of these media types are available: application/vnd.pgrst.plan+text; for="application/json,x"; options=analyze|;"#,
            ),
            ("application/geo+json", "PGRST127 Feature not implemented"),
            ("nonsense", "PGRST107 None of these media types are available: "),
        ] {
            assert_eq!(negotiate(accept), Err(expected.to_owned()), "{accept}");
        }
    }
}
