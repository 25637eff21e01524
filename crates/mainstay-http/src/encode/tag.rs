//! The tag of an answer (`ETag`): a fast hash of its rows, equal exactly when the rows are.
//!
//! It tells versions apart and is no protection against who makes two documents with one hash on purpose; whoever can
//! write rows could as well write what they mean to hide.

use bytes::Bytes;
use http::HeaderValue;
use twox_hash::XxHash3_128;

use super::escape::push_hex;

/// The hash of the rows of an answer; prints as 32 hex digits in the quotes of an entity tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag(u128);

impl Tag {
    /// The tag of a body that holds rows. Of a JSON array only what is inside the brackets counts, so that one row has
    /// the same tag in a list and as an object of its own.
    pub(crate) fn of(body: &[u8], is_array: bool) -> Tag {
        let rows = if is_array { body.get(1..body.len().saturating_sub(1)).unwrap_or_default() } else { body };
        Tag(XxHash3_128::oneshot(rows))
    }

    /// The digits between the quotes.
    pub(crate) fn digits(self) -> String {
        format!("{:032x}", self.0)
    }

    /// The digits in their quotes, as the value of a header.
    pub(crate) fn header(self) -> Option<HeaderValue> {
        let mut text = Vec::with_capacity(34);
        text.push(b'"');
        push_hex(&mut text, &self.0.to_be_bytes());
        text.push(b'"');
        HeaderValue::from_maybe_shared(Bytes::from(text)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_row_has_one_tag_in_a_list_and_alone() {
        assert_eq!(Tag::of(b"[{\"id\":1}]", true), Tag::of(b"{\"id\":1}", false));
        assert_ne!(Tag::of(b"[{\"id\":1}]", true), Tag::of(b"[{\"id\":2}]", true));
        assert_eq!(Tag::of(b"[]", true).header().unwrap(), &*format!("\"{}\"", Tag::of(b"", false).digits()));
        assert_eq!(Tag::of(b"[]", true).digits().len(), 32);
    }
}
