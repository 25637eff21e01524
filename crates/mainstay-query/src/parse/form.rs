//! `application/x-www-form-urlencoded` bodies: names and values, all of them text.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use crate::error::ParseError;

/// The pairs of a form in their order; a name may come several times.
///
/// # Errors
/// [`ParseError::Body`] for what is not UTF-8: it is refused rather than replaced.
pub fn form(body: &[u8]) -> Result<Vec<(String, String)>, ParseError> {
    let pairs = body.split(|b| *b == b'&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| {
        let mut parts = pair.splitn(2, |b| *b == b'=');
        let mut part = || text(parts.next().unwrap_or_default());
        Ok((part()?, part()?))
    });
    pairs.collect()
}

fn text(part: &[u8]) -> Result<String, ParseError> {
    let spaced: Vec<u8> = part.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    let decoded = percent_decode(&spaced).decode_utf8().map(Cow::into_owned);
    decoded.map_err(|_| ParseError::Body { message: "The form is not UTF-8".to_owned(), details: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded_strictly() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = [pair("a", "1 2"), pair("b c", "é"), pair("d", ""), pair("", "x=y"), pair("a", "+")];
        assert_eq!(form(b"a=1+2&b%20c=%C3%A9&&d&=x=y&a=%2B").unwrap(), expected);
        assert_eq!(form(b"").unwrap(), []);
        assert!(form(b"a=%ff").is_err() && form(b"\xff=a").is_err());
    }
}
