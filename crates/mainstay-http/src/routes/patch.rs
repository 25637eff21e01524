//! The forms of a `PATCH` body that say how rows change. Each has a media type of its own, so that none of them can be
//! taken for data.

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use mainstay_query::request::Body;

/// Makes a body of what was sent in one of the forms.
type Form = fn(Bytes) -> Body;

/// The forms by media type.
const FORMS: [(&str, Form); 3] = [
    ("application/vnd.mainstay.patch+json", Body::Operations),
    ("application/merge-patch+json", Body::MergePatch),
    ("application/json-patch+json", Body::JsonPatch),
];

/// The form that a request declares, if it is one of these.
pub(super) fn form(headers: &HeaderMap) -> Option<Form> {
    let declared = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let name = declared.split(';').next().unwrap_or_default().trim();
    FORMS.iter().find(|(media, _)| name.eq_ignore_ascii_case(media)).map(|(_, form)| *form)
}
