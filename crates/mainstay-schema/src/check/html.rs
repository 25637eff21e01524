//! Rich text, sanitized by a list of harmless elements after parsing as a browser would.

/// Whether this build can sanitize rich text.
pub(crate) const IS_THERE: bool = true;

/// The text without what a browser would run.
pub(crate) fn sanitize(text: String) -> String {
    ammonia::clean(&text)
}
