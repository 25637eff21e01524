//! URLs that an answer names.

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Writes `text` so that it can stand anywhere in a path or query.
pub(super) fn push_encoded(out: &mut String, text: &str) {
    out.extend(utf8_percent_encode(text, ENCODED));
}

/// `text` so that it can stand as one segment of a path.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_encoded(&mut out, text);
    out
}

/// The name under which an answer is saved, as a parameter of `Content-Disposition` (RFC 6266): plain where it is
/// plain, otherwise percent-encoded UTF-8 (RFC 8187).
pub(crate) fn file_name(table: &str, ending: &str) -> String {
    let is_plain = table.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if is_plain {
        return format!("filename=\"{table}.{ending}\"");
    }
    let mut out = "filename*=UTF-8''".to_owned();
    push_encoded(&mut out, table);
    out + "." + ending
}

/// The canonical form of a request for rows: parameters sorted by name and encoded anew.
pub(crate) fn content_location(table: &str, query: &str) -> Bytes {
    let mut out = String::with_capacity(1 + table.len() + 1 + query.len());
    out.push('/');
    push_encoded(&mut out, table);
    if is_canonical(query) {
        out.push('?');
        out.push_str(query);
        return Bytes::from(out);
    }
    let mut parameters: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    parameters.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (position, (name, value)) in parameters.iter().enumerate() {
        out.push(if position == 0 { '?' } else { '&' });
        push_encoded(&mut out, name);
        out.push('=');
        push_encoded(&mut out, value);
    }
    Bytes::from(out)
}

/// Whether a query is one parameter that would be written as it is: the most frequent one, a row by its key.
fn is_canonical(query: &str) -> bool {
    let is_unreserved = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~');
    match query.split_once('=') {
        Some((name, value)) => name.bytes().chain(value.bytes()).all(is_unreserved),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_without_a_way_out_of_the_header() {
        assert_eq!(file_name("films_2", "csv"), "filename=\"films_2.csv\"");
        assert_eq!(file_name("a\"b;\r\n/é", "csv"), "filename*=UTF-8''a%22b%3B%0D%0A%2F%C3%A9.csv");
    }

    #[test]
    fn parameters_are_sorted_by_name_and_encoded() {
        for (query, expected) in [
            ("", "/films"),
            ("id=eq.5", "/films?id=eq.5"),
            ("id=eq.5=", "/films?id=eq.5%3D"),
            ("id", "/films?id="),
            ("year=gt.2000&select=id,title", "/films?select=id%2Ctitle&year=gt.2000"),
            ("a=2&a=1&b=x+y", "/films?a=2&a=1&b=x%20y"),
            ("n=eq.%C3%A9", "/films?n=eq.%C3%A9"),
        ] {
            assert_eq!(content_location("films", query), expected);
        }
        assert_eq!(content_location("my films/ü", ""), "/my%20films%2F%C3%BC");
    }
}
