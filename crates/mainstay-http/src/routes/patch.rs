//! The forms of a `PATCH` body that say how rows change. Each has a media type of its own, so that none of them can be
//! taken for data.

use bytes::Bytes;
use http::HeaderMap;
use mainstay_query::request::Body;

use super::declared::declared;
use crate::errors::Problem;

/// Makes a body of what was sent in one of the forms.
type Form = fn(Bytes) -> Body;

/// The forms by media type.
const FORMS: [(&str, Form); 3] = [
    ("application/vnd.mainstay.patch+json", Body::Operations),
    ("application/merge-patch+json", Body::MergePatch),
    ("application/json-patch+json", Body::JsonPatch),
];

/// The form that a request declares, if it is one of these.
pub(super) fn form(headers: &HeaderMap) -> Result<Option<Form>, Problem> {
    let Some(declared) = declared(headers)? else { return Ok(None) };
    Ok(FORMS.iter().find(|(media, _)| *media == declared.name).map(|(_, form)| *form))
}
