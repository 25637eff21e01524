//! Which function a call means: by its name, then by the names of what it is called with.

use mainstay_schema::{Function, Schema, Type, nearest};

use super::super::resolve::{NAME_PERCENT_MAX, WIRE_SCHEMA};
use super::arguments::Given;
use crate::error::PlanError;
use crate::request::RawKind;

/// Most letters in a hundred that may differ where another list of parameters is proposed.
const PARAMETERS_PERCENT_MAX: usize = 67;
/// Longest name that a message repeats whole.
const SHOWN_CHARS_MAX: usize = 200;

/// The only function that fits.
///
/// # Errors
/// [`PlanError::UnknownFunction`] if none does, [`PlanError::AmbiguousFunction`] if several do.
pub(super) fn find<'s>(
    schema: &'s Schema,
    name: &str,
    given: &Given<'_>,
    may_call: &dyn Fn(&Function) -> bool,
) -> Result<&'s Function, PlanError> {
    let mut named: Vec<&Function> = schema.find_functions(name).collect();
    if named.iter().any(|function| may_call(function)) {
        named.retain(|function| may_call(function));
    }
    let mut fitting: Vec<&Function> = named.iter().copied().filter(|function| fits_by_name(function, given)).collect();
    if fitting.is_empty() {
        fitting = named.iter().copied().filter(|function| fits_whole(function, given)).collect();
    }
    match fitting.as_slice() {
        [one] => Ok(one),
        [] => Err(unknown(schema, name, given, &named, may_call)),
        several => Err(PlanError::AmbiguousFunction {
            candidates: several.iter().map(|function| signature(function)).collect::<Vec<_>>().join(", "),
        }),
    }
}

/// All required parameters are there, and nothing that is no parameter.
fn fits_by_name(function: &Function, given: &Given<'_>) -> bool {
    if function.takes_body || matches!(given, Given::Json(_) | Given::Raw(..)) {
        return false;
    }
    let names = given.names();
    function.parameters.iter().all(|one| !one.is_required() || names.contains(&&*one.name))
        && names.iter().all(|name| function.find_parameter(name).is_some())
}

/// It takes the whole body, and a body of this kind.
fn fits_whole(function: &Function, given: &Given<'_>) -> bool {
    let Some(parameter) = function.parameters.first().filter(|_| function.takes_body) else { return false };
    match given {
        Given::Texts(_) => false,
        Given::Members(..) | Given::Json(_) => parameter.ty == Type::Json,
        Given::Raw(RawKind::Text | RawKind::Xml, _) => parameter.ty == Type::Text,
        Given::Raw(RawKind::Bytes, _) => parameter.ty == Type::Bytes,
    }
}

/// `public.f(a => integer, b => text)`
fn signature(function: &Function) -> String {
    let parameters: Vec<String> =
        function.parameters.iter().map(|one| format!("{} => {}", one.name, one.ty.wire_name())).collect();
    format!("{WIRE_SCHEMA}.{}({})", function.name, parameters.join(", "))
}

fn unknown(
    schema: &Schema,
    name: &str,
    given: &Given<'_>,
    named: &[&Function],
    may_call: &dyn Fn(&Function) -> bool,
) -> PlanError {
    let shown = shortened(name);
    let names: Vec<String> = given.names().into_iter().map(shortened).collect();
    let (in_message, in_details) = match names.as_slice() {
        [] => (" without parameters".to_owned(), " without parameters".to_owned()),
        [one] => (format!("({one})"), format!(" with parameter {one}")),
        several => {
            let list = several.join(", ");
            (format!("({list})"), format!(" with parameters {list}"))
        }
    };
    let (in_message, in_details) = match given {
        Given::Texts(_) => (in_message, in_details),
        Given::Members(..) | Given::Json(_) => {
            (in_message, format!("{in_details} or with a single unnamed json/jsonb parameter"))
        }
        Given::Raw(kind, _) => {
            let kind = match kind {
                RawKind::Text => "text",
                RawKind::Xml => "xml",
                RawKind::Bytes => "bytea",
            };
            (String::new(), format!(" with a single unnamed {kind} parameter"))
        }
    };
    PlanError::UnknownFunction {
        message: format!("Could not find the function {WIRE_SCHEMA}.{shown}{in_message} in the schema cache"),
        details: format!(
            "Searched for the function {WIRE_SCHEMA}.{shown}{in_details}, but no matches were found in the schema cache."
        ),
        hint: match given {
            Given::Raw(..) => None,
            _ => hint(schema, name, &given.names(), named, may_call),
        },
    }
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(SHOWN_CHARS_MAX) {
        None => name.to_owned(),
        Some((end, _)) => format!("{}…", &name[..end]),
    }
}

/// The function, or the parameters of it, that were probably meant.
fn hint(
    schema: &Schema,
    name: &str,
    names: &[&str],
    named: &[&Function],
    may_call: &dyn Fn(&Function) -> bool,
) -> Option<String> {
    let said = |meant: &str| format!("Perhaps you meant to call the function {WIRE_SCHEMA}.{meant}");
    if named.is_empty() {
        let known = schema.functions().iter().filter(|function| may_call(function)).map(|function| &*function.name);
        return nearest(name, known, NAME_PERCENT_MAX).map(said);
    }
    let list = |names: &[&str]| format!("({})", names.join(", "));
    let known: Vec<String> = named
        .iter()
        .map(|function| {
            let mut names: Vec<&str> = function.parameters.iter().map(|one| &*one.name).collect();
            names.sort_unstable();
            list(&names)
        })
        .collect();
    let meant = nearest(&list(names), known.iter().map(String::as_str), PARAMETERS_PERCENT_MAX)?;
    Some(said(&format!("{name}{meant}")))
}
