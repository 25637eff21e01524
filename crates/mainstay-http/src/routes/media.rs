//! Which form of the rows a caller takes: `Accept`.

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue};
use mainstay_query::plan::Shape;

use super::accept::{self, Accepted, Range};
use crate::encode::zoned::Zone;
use crate::encode::{CsvSink, JsonSink, LinesSink, Nulls, Sink, TooLarge, XmlSink, xml_schema};
use crate::errors::Problem;
use crate::errors::codes::NOT_IMPLEMENTED;

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
        let mut all = headers.get_all(ACCEPT).iter().map(HeaderValue::as_bytes);
        // Nearly everybody sends one of these, or nothing.
        if let (None | Some(b"*/*" | b"application/json"), None) = (all.next(), all.next()) {
            return Ok(Media::Array(Nulls::Kept));
        }
        let Some(text) = accept::text(headers) else { return Ok(Media::Array(Nulls::Kept)) };
        let accepted = Accepted::read(&text);
        let media = accepted.wanted().iter().find_map(|range| asked(range, &accepted));
        media.ok_or_else(|| unavailable(&accepted))
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
        self.sink(shape, max).zoned(shape, zone)
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

    /// The rows in this form, after they went into its sink.
    pub(super) fn body(self, sink: Sink) -> Result<Bytes, TooLarge> {
        match sink.innermost() {
            Sink::Json(sink) if self.is_single() => sink.finish_single(),
            sink => sink.finish(),
        }
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

/// The form that a range asks for, if it can be made.
fn asked(range: &Range<'_>, accepted: &Accepted<'_>) -> Option<Media> {
    let nulls = if range.has("nulls", "stripped") { Nulls::Stripped } else { Nulls::Kept };
    let xml = |nulls| Media::Xml { nulls, is_single: false, is_text: false };
    Some(match range.name.as_str() {
        "application/json" => Media::Array(Nulls::Kept),
        "application/vnd.pgrst.array+json" | "application/vnd.pgrst.array" => Media::Array(nulls),
        "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object" => Media::Single(nulls),
        "text/csv" => Media::Csv { for_spreadsheets: range.has("spreadsheet", "1") },
        "application/x-ndjson" => Media::Lines { nulls, name: LinesName::Ndjson },
        "application/jsonl" => Media::Lines { nulls, name: LinesName::Jsonl },
        "application/xml" if range.has("schema", "xsd") => Media::XmlSchema,
        "application/xml" => xml(nulls),
        "text/xml" => Media::Xml { nulls, is_single: false, is_text: true },
        "application/vnd.pgrst.object+xml" => Media::Xml { nulls, is_single: true, is_text: false },
        // A star covers everything but what is refused by its name.
        stars => {
            let start = stars.strip_suffix('*')?;
            let start = if start == "*/" { "" } else { start };
            let forms = [
                ("application/json", Media::Array(Nulls::Kept)),
                ("text/csv", Media::Csv { for_spreadsheets: false }),
                ("application/x-ndjson", Media::Lines { nulls: Nulls::Kept, name: LinesName::Ndjson }),
                ("application/xml", xml(Nulls::Kept)),
            ];
            let mut covered = forms.into_iter().filter(|(name, _)| name.starts_with(start) && !accepted.refuses(name));
            covered.next()?.1
        }
    })
}

/// Forms that are known and not made yet: whoever asks for one is told so.
const LATER: [&str; 1] = ["application/geo+json"];

fn unavailable(accepted: &Accepted<'_>) -> Problem {
    match accepted.wanted().iter().find(|range| LATER.contains(&range.name.as_str())) {
        None => accepted.unavailable(),
        Some(range) => Problem::new(NOT_IMPLEMENTED, "Feature not implemented")
            .details(format!("Answers as {} are not implemented.", range.name)),
    }
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
            ("*/*, text/csv", CSV),
            ("text/*", CSV),
            ("*/*, application/json;q=0", CSV),
            ("application/*, application/json;q=0, application/x-ndjson;q=0", XML),
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
            ("nonsense", "PGRST107 None of these media types are available: nonsense"),
            ("application/json;q=0", "PGRST107 None of these media types are available: application/json;q=0"),
            ("image/*", "PGRST107 None of these media types are available: image/*"),
        ] {
            assert_eq!(negotiate(accept), Err(expected.to_owned()), "{accept}");
        }
    }
}
