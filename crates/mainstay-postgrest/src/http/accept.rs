//! `Accept`: media types in the order in which they are tried.
//!
//! By weight; of equal weight what is more particular first: a parameter counts for a type, a star against it.

use http::HeaderMap;
use http::header::ACCEPT;

use crate::plan::media::{Media, PlanMedia, PlanOption};

/// What is accepted, the best first; anything if nothing is said.
pub(super) fn accepted(headers: &HeaderMap) -> Vec<Media> {
    let texts: Vec<_> = headers.get_all(ACCEPT).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    let text = texts.join(",");
    if text.trim().is_empty() {
        return vec![Media::Any];
    }
    let mut all: Vec<(f32, i64, Media)> =
        split(&text, ',').filter(|part| !part.trim().is_empty()).map(weighed).collect();
    // Stable: what is equal in all that keeps its order.
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
    all.into_iter().map(|(_, _, media)| media).collect()
}

/// One element with its weight, and how particular it is.
fn weighed(text: &str) -> (f32, i64, Media) {
    let mut quality = 1.0;
    // What has no name of its own is known by all of its text, but for blanks and its weight.
    let whole = text.replace(' ', "");
    let whole = whole.split(";q=").next().unwrap_or_default().to_owned();
    let mut parts = split(text, ';');
    let name = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let mut parameters = Vec::new();
    for part in parts {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
        if key == "q" {
            quality = value.parse().ok().filter(|quality: &f32| quality.is_finite()).unwrap_or(1.0);
        } else {
            parameters.push((key, value.trim_matches('"')));
        }
    }
    let stars = name.bytes().filter(|b| *b == b'*').count();
    let rank = i64::try_from(parameters.len()).unwrap_or(0) - i64::try_from(stars).unwrap_or(0);
    (quality, rank, media(&name, &parameters, whole))
}

fn media(name: &str, parameters: &[(String, &str)], whole: String) -> Media {
    let parameter = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| *value);
    let is_stripped = parameter("nulls").is_some_and(|value| value.eq_ignore_ascii_case("stripped"));
    let plan = |is_json| {
        let of = parameter("for").map_or(Media::Json, |text| weighed(text).2);
        let words = parameter("options").unwrap_or_default().split('|').map(str::trim);
        let options = words
            .filter_map(|word| PlanOption::ALL.iter().find(|(known, _)| *known == word).map(|(_, option)| *option));
        Media::Plan(Box::new(PlanMedia { of, is_json, options: options.collect() }))
    };
    match name {
        "*/*" => Media::Any,
        "application/json" => Media::Json,
        "application/vnd.pgrst.array+json" | "application/vnd.pgrst.array" => Media::Array { is_stripped },
        "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object" => Media::Object { is_stripped },
        "text/csv" => Media::Csv,
        "application/geo+json" => Media::GeoJson,
        "application/openapi+json" => Media::OpenApi,
        "application/vnd.pgrst.plan" | "application/vnd.pgrst.plan+text" => plan(false),
        "application/vnd.pgrst.plan+json" => plan(true),
        "text/plain" | "text/xml" | "application/octet-stream" => Media::Other(name.to_owned()),
        "application/x-www-form-urlencoded" => Media::Other(name.to_owned()),
        _ => Media::Other(whole),
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
    use http::HeaderValue;

    use super::*;

    fn check(accept: &str, expected: &[&str]) {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
        assert_eq!(accepted(&headers).iter().map(Media::to_string).collect::<Vec<_>>(), expected, "{accept}");
    }

    #[test]
    fn types_without_a_name_of_their_own_are_all_of_their_text() {
        check("image/PNG; a=b;q=0.5, Text/Plain; charset=utf-8", &["text/plain", "image/PNG;a=b"]);
    }

    #[test]
    fn types_are_tried_in_the_order_that_is_liked() {
        check("text/csv, application/json", &["text/csv", "application/json"]);
        check("text/csv;q=0.5, application/json;q=0.7", &["application/json", "text/csv"]);
        check("*/*, text/csv", &["text/csv", "*/*"]);
        check(
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            &["text/html", "application/xhtml+xml", "application/xml", "*/*"],
        );
        check("", &["*/*"]);
        check("application/vnd.pgrst.object; Nulls=stripped", &["application/vnd.pgrst.object+json;nulls=stripped"]);
        assert_eq!(accepted(&HeaderMap::new()), [Media::Any]);
    }

    /// rest.md 21: as supabase-js writes it, with a semicolon at its end and options that may be empty.
    #[test]
    fn plans_are_told_what_they_are_of() {
        check(
            "application/vnd.pgrst.plan+text; for=\"application/json\"; options=analyze|verbose;",
            &["application/vnd.pgrst.plan+text; for=\"application/json\"; options=analyze|verbose"],
        );
        check(
            "application/vnd.pgrst.plan+json; for=\"application/vnd.pgrst.object\"; options=",
            &["application/vnd.pgrst.plan+json; for=\"application/vnd.pgrst.object+json\""],
        );
        check("application/vnd.pgrst.plan", &["application/vnd.pgrst.plan+text; for=\"application/json\""]);
    }
}
