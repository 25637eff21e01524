//! The JSON of a batch → steps. Closed: a member that is not known is refused.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::path::PathText;
use super::reference::Names;
use super::template::Template;
use super::{BatchError, ID_CHARS_MAX, wrong};
use crate::error::ParseError;
use crate::limits::Limits;
use crate::parse::within;

/// Steps to carry out in their order, all of them or none.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The steps; at least one.
    pub steps: Vec<Step>,
}

/// One request of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The name by which later steps refer to it.
    pub id: Option<String>,
    /// What is done.
    pub method: Method,
    /// The table or the function, and the query.
    pub path: PathText,
    /// What a request of its own would say in `Prefer`.
    pub prefer: Option<String>,
    /// What it would say in `Accept`.
    pub accept: Option<String>,
    /// What it would say in `Content-Type`.
    pub content_type: Option<String>,
    /// What it would say in `If-Match`.
    pub if_match: Option<String>,
    /// Its body.
    pub body: Option<Template>,
    /// Whether a later step refers to it.
    pub is_referred: bool,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads rows.
    Get,
    /// Inserts.
    Post,
    /// Inserts or replaces one row.
    Put,
    /// Changes.
    Patch,
    /// Deletes.
    Delete,
}

impl Method {
    /// The method's name in HTTP.
    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }

    fn find(name: &str) -> Option<Method> {
        [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete].into_iter().find(|m| m.name() == name)
    }

    /// Whether requests of this method have a body.
    pub fn has_body(self) -> bool {
        matches!(self, Method::Post | Method::Put | Method::Patch)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    #[serde(borrow)]
    steps: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireStep<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    path: Cow<'a, str>,
    prefer: Option<String>,
    accept: Option<String>,
    content_type: Option<String>,
    if_match: Option<String>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
}

/// Reads a batch and everything in it that does not depend on answers.
///
/// # Errors
/// [`BatchError`] with the first thing that is wrong.
pub fn read(text: &[u8], limits: &Limits) -> Result<Batch, BatchError> {
    let whole = |error| BatchError { step: None, error };
    let text = std::str::from_utf8(text).map_err(|_| whole(invalid("the body is not UTF-8".to_owned())))?;
    // Serde takes a list for the members of a struct in their order, which is no batch.
    if text.trim_start().starts_with('[') {
        return Err(whole(invalid("it is an object with the member steps, and this is a list".to_owned())));
    }
    let wire: Wire<'_> = serde_json::from_str(text).map_err(|error| whole(invalid(error.to_string())))?;
    if wire.steps.is_empty() {
        return Err(whole(invalid("there are no steps".to_owned())));
    }
    within("batch_steps_max", limits.batch_steps_max, wire.steps.len()).map_err(whole)?;
    let mut names = Names::default();
    let mut steps = Vec::with_capacity(wire.steps.len());
    for (position, step) in wire.steps.into_iter().enumerate() {
        let unread = |details| BatchError { step: Some((position, None)), error: invalid(details) };
        if !step.get().starts_with('{') {
            return Err(unread("a step is an object".to_owned()));
        }
        let step: WireStep<'_> = serde_json::from_str(step.get()).map_err(|error| unread(error.to_string()))?;
        let id = step.id.as_deref().map(str::to_owned);
        let here = |error| BatchError { step: Some((position, id.clone())), error };
        let step = read_step(step, &mut names).map_err(here)?;
        if let Some(id) = &step.id
            && !names.add(id, position)
        {
            return Err(here(wrong("Two steps have the same id", format!("The id \"{id}\"."))));
        }
        steps.push(step);
    }
    for (position, step) in steps.iter_mut().enumerate() {
        step.is_referred = names.is_referred(position);
    }
    Ok(Batch { steps })
}

fn invalid(details: String) -> ParseError {
    wrong("The body is not a batch", details)
}

fn read_step(step: WireStep<'_>, names: &mut Names) -> Result<Step, ParseError> {
    if let Some(id) = &step.id {
        let is_name = id.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
            && id.len() <= ID_CHARS_MAX;
        if !is_name {
            let details = format!("It is a letter or _, then letters, digits, _ and -, at most {ID_CHARS_MAX} in all.");
            return Err(wrong("The id of a step is no name", details));
        }
    }
    let method = Method::find(&step.method).ok_or_else(|| {
        wrong(format!("A step cannot be \"{}\"", step.method), "Its method is GET, POST, PUT, PATCH or DELETE.")
    })?;
    let path = PathText::read(&step.path, names)?;
    let body = match (step.body, method.has_body()) {
        (Some(body), true) => Some(Template::read(body.get(), names)?),
        // A function may be called without arguments.
        (None, true) if path.is_call => None,
        (None, true) => return Err(wrong("A step has no body", format!("{} needs one.", method.name()))),
        (Some(_), false) => return Err(wrong("A step has a body", format!("{} takes none.", method.name()))),
        (None, false) => None,
    };
    Ok(Step {
        id: step.id.map(Cow::into_owned),
        method,
        path,
        prefer: step.prefer,
        accept: step.accept,
        content_type: step.content_type,
        if_match: step.if_match,
        body,
        is_referred: false,
    })
}
