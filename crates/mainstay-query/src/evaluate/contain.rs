//! `@>`, `<@` and `&&` on arrays and JSON documents, as PostgreSQL's `jsonb` and arrays have them.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use mainstay_schema::Value;
use mainstay_schema::value::Decimal;
use serde_json::value::RawValue;

/// Whether `left` contains `right`.
///
/// An array contains another if each element of that equals one of its own; null equals nothing. A JSON object
/// contains another if it has each of its members with a value that contains the other's; a JSON array if each element
/// of the other is in it, in any order; a scalar if it is equal, numbers by value. At the top an array also contains a
/// single scalar. False if either is null.
pub fn contains(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => right.iter().all(|item| has(left, item)),
        (Value::Json(left), Value::Json(right)) => {
            let (left, right) = (left.as_str(), right.as_str());
            match (Kind::of(left), Kind::of(right)) {
                (Kind::Array, Kind::Scalar) => elements(left).iter().any(|item| json_equal(item.get(), right)),
                _ => json_contains(left, right),
            }
        }
        _ => false,
    }
}

/// Whether `right` contains `left`.
pub fn contained_in(left: &Value, right: &Value) -> bool {
    contains(right, left)
}

/// Whether two arrays share an element other than null.
pub fn overlaps(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => right.iter().any(|item| has(left, item)),
        _ => false,
    }
}

fn has(items: &[Value], wanted: &Value) -> bool {
    items.iter().any(|item| item.compare(wanted) == Some(Ordering::Equal))
}

#[derive(PartialEq, Clone, Copy)]
enum Kind {
    Object,
    Array,
    Scalar,
}

impl Kind {
    fn of(json: &str) -> Kind {
        match json.as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            _ => Kind::Scalar,
        }
    }
}

/// Containment below the top, where only like contains like.
fn json_contains(left: &str, right: &str) -> bool {
    match (Kind::of(left), Kind::of(right)) {
        (Kind::Object, Kind::Object) => {
            let left = members(left);
            members(right)
                .iter()
                .all(|(name, wanted)| left.get(name).is_some_and(|value| json_contains(value.get(), wanted.get())))
        }
        (Kind::Array, Kind::Array) => {
            let left = elements(left);
            elements(right).iter().all(|wanted| left.iter().any(|item| json_contains(item.get(), wanted.get())))
        }
        (Kind::Scalar, Kind::Scalar) => json_equal(left, right),
        _ => false,
    }
}

/// Equality of scalars; texts are canonical, so only numbers can be equal and look different.
fn json_equal(left: &str, right: &str) -> bool {
    let number = |text: &str| Decimal::parse(text).ok();
    left == right || matches!((number(left), number(right)), (Some(a), Some(b)) if a.cmp(&b).is_eq())
}

/// Documents come out of a [`Value`] and are well formed; one that is not would have no parts.
fn members(json: &str) -> BTreeMap<String, &RawValue> {
    serde_json::from_str(json).unwrap_or_default()
}

fn elements(json: &str) -> Vec<&RawValue> {
    serde_json::from_str(json).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use mainstay_schema::Type;

    use super::*;

    fn json(text: &str) -> Value {
        Value::parse(&Type::Json, text).unwrap()
    }

    fn ints(text: &str) -> Value {
        Value::parse(&Type::Array(Box::new(Type::Int)), text).unwrap()
    }

    #[test]
    fn json_containment() {
        for (left, right, expected) in [
            (r#"{"a":1,"b":2}"#, r#"{"a":1}"#, true),
            (r#"{"a":1}"#, r#"{"a":1,"b":2}"#, false),
            (r#"{"a":{"b":[1,2]}}"#, r#"{"a":{"b":[2]}}"#, true),
            (r#"{"a":[1,2]}"#, r#"{"a":1}"#, false),
            ("[1,2,[1,3]]", "[1,3]", false),
            ("[1,2,[1,3]]", "[[1]]", true),
            ("[1,2]", "[2,2,1]", true),
            ("[1,2]", "2", true),
            ("[[1,2]]", "[1]", false),
            ("2", "[2]", false),
            ("\"foo\"", "\"foo\"", true),
            ("1.0", "1", true),
            ("[100]", "[1e2]", true),
            ("[9007199254740993]", "[9007199254740992]", false),
            ("\"1\"", "1", false),
            ("null", "null", true),
            (r#"{"a":null}"#, r#"{"a":null}"#, true),
            ("{}", "[]", false),
            ("[1]", "[]", true),
        ] {
            assert_eq!(contains(&json(left), &json(right)), expected, "{left} @> {right}");
            assert_eq!(contained_in(&json(right), &json(left)), expected, "{right} <@ {left}");
        }
    }

    #[test]
    fn array_containment_and_overlap() {
        for (left, right, contain, overlap) in [
            ("{1,2,3}", "{3,1,1}", true, true),
            ("{1,2}", "{2,3}", false, true),
            ("{1,2}", "{}", true, false),
            ("{}", "{}", true, false),
            ("{1,NULL}", "{NULL}", false, false),
            ("{1,NULL}", "{1}", true, true),
            ("{1}", "{4}", false, false),
        ] {
            assert_eq!(contains(&ints(left), &ints(right)), contain, "{left} @> {right}");
            assert_eq!(overlaps(&ints(left), &ints(right)), overlap, "{left} && {right}");
        }
        assert!(!contains(&Value::Null, &ints("{}")));
        assert!(!overlaps(&json("[1]"), &json("[1]")), "documents do not overlap, only arrays do");
    }
}
