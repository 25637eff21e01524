//! The order of JSON documents: by kind, then by value, as people expect of `data->size=gt.9`.
//!
//! Null comes before strings, strings before numbers, numbers before `false` and `true`, those before arrays, arrays before
//! objects. Numbers compare as numbers, strings by their content, shorter arrays and objects come first. Called by
//! [`super::Json`] and, on text that a store holds, by the stores.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::value::Decimal;

/// Orders two documents given as canonical text. Only equal texts are equal: `1` comes before `1.0`.
pub(super) fn compare(left: &str, right: &str) -> Ordering {
    by_value(left, right).then_with(|| left.cmp(right))
}

/// The order without what tells equal values apart.
pub(super) fn by_value(left: &str, right: &str) -> Ordering {
    let kinds = kind(left).cmp(&kind(right));
    if kinds.is_ne() {
        return kinds;
    }
    match kind(left) {
        Kind::Null | Kind::Bool => left.cmp(right),
        Kind::String => both(left, right, |a: Content<'_>, b| a.0.cmp(&b.0)),
        Kind::Number => numbers(left, right),
        Kind::Array => both(left, right, |a: Vec<&RawValue>, b| {
            let items = a.iter().zip(&b).map(|(a, b)| by_value(a.get(), b.get()));
            a.len().cmp(&b.len()).then_with(|| first_difference(items))
        }),
        Kind::Object => both(left, right, |a: Members<'_>, b| {
            let members = a.iter().zip(&b);
            let members = members.map(|(a, b)| a.0.0.cmp(&b.0.0).then_with(|| by_value(a.1.get(), b.1.get())));
            a.len().cmp(&b.len()).then_with(|| first_difference(members))
        }),
    }
}

/// Kinds of documents in their order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Null,
    String,
    Number,
    Bool,
    Array,
    Object,
}

fn kind(text: &str) -> Kind {
    match text.as_bytes().first() {
        Some(b'"') => Kind::String,
        Some(b'[') => Kind::Array,
        Some(b'{') => Kind::Object,
        Some(b't' | b'f') => Kind::Bool,
        Some(b'-' | b'0'..=b'9') => Kind::Number,
        _ => Kind::Null,
    }
}

/// The content of a string, borrowed when nothing in it is escaped.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(transparent)]
struct Content<'a>(#[serde(borrow)] Cow<'a, str>);

type Members<'a> = BTreeMap<Content<'a>, &'a RawValue>;

/// Compares what both texts hold. Text that is no such document compares as text; canonical text always is one.
fn both<'a, T: Deserialize<'a>>(left: &'a str, right: &'a str, compare: impl Fn(T, T) -> Ordering) -> Ordering {
    match (serde_json::from_str(left), serde_json::from_str(right)) {
        (Ok(a), Ok(b)) => compare(a, b),
        _ => left.cmp(right),
    }
}

/// Exact where the digits are not too many to hold, else as doubles.
fn numbers(left: &str, right: &str) -> Ordering {
    let double = |text: &str| text.parse::<f64>().unwrap_or_default();
    let roughly = double(left).total_cmp(&double(right));
    roughly.then_with(|| match (Decimal::parse(left), Decimal::parse(right)) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => Ordering::Equal,
    })
}

fn first_difference(mut orders: impl Iterator<Item = Ordering>) -> Ordering {
    orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_ordered_by_kind_then_by_value() {
        let ascending = [
            "null",
            r#""""#,
            r#""\n""#,
            r#""10""#,
            r#""9""#,
            r#""é""#,
            "-1e400",
            "-2",
            "-1.5",
            "0",
            "9",
            "9.0",
            "20",
            "9007199254740993",
            "9007199254740993.1",
            "1e300",
            "false",
            "true",
            "[]",
            "[9]",
            "[20]",
            "[1,1]",
            "{}",
            r#"{"b":1}"#,
            r#"{"a":1,"b":9}"#,
            r#"{"a":1,"b":20}"#,
        ];
        for (index, left) in ascending.iter().enumerate() {
            for (other, right) in ascending.iter().enumerate() {
                assert_eq!(compare(left, right), index.cmp(&other), "{left} and {right}");
            }
        }
    }
}
