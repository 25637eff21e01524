//! Validation of values against a column's checks.
//!
//! It knows values and words, no requests and no stores. The query planner calls it for every value that is written,
//! the loader for defaults.

mod format;
#[cfg(feature = "html")]
pub(crate) mod html;
#[cfg(not(feature = "html"))]
#[path = "html_left_out.rs"]
pub(crate) mod html;

use std::fmt::Display;

use crate::error::Violation;
use crate::model::{Checks, Column};
use crate::types::Format;
use crate::value::Value;

/// Whether `column` accepts this value of its type. Null always passes: `optional` decides about it elsewhere.
///
/// # Errors
/// The first check that fails.
pub fn check(column: &Column, value: &Value) -> Result<(), Violation> {
    match problem(&column.checks, value) {
        None => Ok(()),
        Some(problem) => Err(Violation { column: column.name.to_string(), problem }),
    }
}

/// The value as it is kept: rich text without scripts, styles, event handlers and whatever else is not on the list of
/// harmless elements; everything else as it came. Sanitizing twice changes nothing more.
pub fn sanitize(column: &Column, value: Value) -> Value {
    match (column.checks.format, value) {
        (Some(Format::Html), Value::Text(text)) => Value::Text(html::sanitize(text)),
        (_, value) => value,
    }
}

fn problem(checks: &Checks, value: &Value) -> Option<String> {
    if let Value::Null = value {
        return None;
    }
    if checks.min.is_some() || checks.max.is_some() {
        let problem = bounds_problem(checks, value);
        if problem.is_some() {
            return problem;
        }
    }
    match value {
        Value::Text(text) => text_problem(checks, text),
        _ => None,
    }
}

fn bounds_problem(checks: &Checks, value: &Value) -> Option<String> {
    let length = match value {
        Value::Text(text) => return text_length_problem(checks, text),
        Value::Bytes(bytes) => Some((bytes.len(), "byte", "bytes")),
        Value::Array(items) => Some((items.len(), "item", "items")),
        _ => None,
    };
    match length {
        Some((length, one, many)) => length_problem(checks, length, one, many),
        None => value_problem(checks, value),
    }
}

fn value_problem(checks: &Checks, value: &Value) -> Option<String> {
    let text = |bound: &Value| bound.to_text().unwrap_or_default();
    if let Some(min) = checks.min.as_ref().filter(|min| value.compare(min).is_some_and(|order| order.is_lt())) {
        return Some(format!("must be at least {}", text(min)));
    }
    let max = checks.max.as_ref().filter(|max| value.compare(max).is_some_and(|order| order.is_gt()))?;
    Some(format!("must be at most {}", text(max)))
}

/// A text has at least a quarter as many characters as bytes and at most as many, so most lengths need no count.
fn text_length_problem(checks: &Checks, text: &str) -> Option<String> {
    let bytes = text.len();
    let is_long_enough = bound(checks.min.as_ref()).is_none_or(|min| bytes.div_ceil(4) >= min);
    let is_short_enough = bound(checks.max.as_ref()).is_none_or(|max| bytes <= max);
    if is_long_enough && is_short_enough {
        return None;
    }
    length_problem(checks, text.chars().count(), "character", "characters")
}

fn length_problem(checks: &Checks, length: usize, one: &str, many: &str) -> Option<String> {
    let unit = |bound: usize| if bound == 1 { one } else { many };
    if let Some(min) = bound(checks.min.as_ref()).filter(|min| length < *min) {
        return Some(format!("must have at least {min} {}", unit(min)));
    }
    let max = bound(checks.max.as_ref()).filter(|max| length > *max)?;
    Some(format!("must have at most {max} {}", unit(max)))
}

/// A bound on a length; the loader lets only whole numbers from 0 through.
fn bound(value: Option<&Value>) -> Option<usize> {
    match value {
        Some(Value::Int(bound)) => usize::try_from(*bound).ok(),
        _ => None,
    }
}

fn text_problem(checks: &Checks, text: &str) -> Option<String> {
    if !checks.variants.is_empty() && !checks.variants.iter().any(|variant| **variant == *text) {
        return Some(format!("must be one of {}", listed(&checks.variants)));
    }
    if let Some(format) = checks.format.filter(|format| !format::is_valid(*format, text)) {
        return Some(format!("must be {}", format::described(format)));
    }
    let pattern = checks.pattern.as_ref().filter(|pattern| !pattern.0.is_match(text))?;
    Some(format!("must match the pattern {}", pattern.0.as_str()))
}

fn listed(items: &[impl Display]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
