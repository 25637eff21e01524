//! Fields with their types to columns: bounds, formats and defaults that fit.

use toml::de::DeValue;

use super::declared::{DeclaredField, DeclaredTable};
use super::literal::{example, length, literal};
use super::node::Node;
use super::source::{Located, Mistakes, Place};
use crate::check::check;
use crate::ids::ColumnId;
use crate::model::{Checks, Column, DefaultValue, ReferenceAction, Texts};
use crate::types::Type;

/// Builds one column; `is_only_key` says whether it is the whole primary key.
pub(super) fn column(
    table: &DeclaredTable<'_>,
    position: usize,
    ty: &Type,
    is_only_key: bool,
    mistakes: &mut Mistakes,
) -> Column {
    let field = &table.fields[position];
    check_view(table, field, mistakes);
    let default = field.default.filter(|_| table.view.is_none());
    of_field(field, position, ty, default, is_only_key, mistakes)
}

/// Builds the column of a field that need not belong to a table.
pub(super) fn of_field(
    field: &DeclaredField<'_>,
    position: usize,
    ty: &Type,
    declared_default: Option<Node<'_>>,
    is_only_key: bool,
    mistakes: &mut Mistakes,
) -> Column {
    check_without_reference(field, mistakes);
    if let Some(place) = field.touched.filter(|_| *ty != Type::Timestamp) {
        let problem = format!("`update` sets a time, but `{}` is {ty}", field.name.value);
        mistakes.add(place, problem, "make the field timestamp, or remove `update`");
    }
    let mut column = Column {
        texts: Texts::Plain,
        id: ColumnId(position as u32),
        name: field.name.value.as_str().into(),
        was: field.was.as_ref().map(|was| was.value.as_str().into()),
        ty: ty.clone(),
        optional: field.optional,
        default: None,
        touched: field.touched.is_some(),
        checks: checks(field, ty, mistakes),
        description: field.description.clone(),
    };
    column.default = declared_default.and_then(|node| default(&column, node, is_only_key, mistakes));
    column
}

/// Rows of a view are computed: what would check or change them has no effect, so it is refused.
fn check_view(table: &DeclaredTable<'_>, field: &DeclaredField<'_>, mistakes: &mut Mistakes) {
    if table.view.is_none() {
        return;
    }
    let keys: [(&str, Option<Place>); 7] = [
        ("default", field.default.map(|node| node.place)),
        ("update", field.touched),
        ("min", field.min.map(|node| node.place)),
        ("max", field.max.map(|node| node.place)),
        ("pattern", field.pattern.as_ref().map(|pattern| pattern.place)),
        ("format", field.format.as_ref().map(|format| format.place)),
        ("was", field.was.as_ref().map(|was| was.place)),
    ];
    for (key, place) in keys {
        if let Some(place) = place {
            mistakes.add(place, format!("`{key}` has no meaning in a view"), "remove it");
        }
    }
}

/// What says more about a reference is said where there is one.
pub(super) fn check_without_reference(field: &DeclaredField<'_>, mistakes: &mut Mistakes) {
    let place = |action: &Option<Located<ReferenceAction>>| action.as_ref().map(|action| action.place);
    let keys = [
        ("on_delete", place(&field.on_delete)),
        ("on_update", place(&field.on_update)),
        ("convert", field.convert.as_ref().map(|convert| convert.place)),
    ];
    for (key, place) in keys {
        if let Some(place) = place.filter(|_| field.reference.is_none()) {
            mistakes.add(place, format!("`{key}` without `ref`"), "add ref = \"table\", or remove it");
        }
    }
}

fn checks(field: &DeclaredField<'_>, ty: &Type, mistakes: &mut Mistakes) -> Checks {
    let mut text_only = |key: &str, place: Place| {
        if *ty != Type::Text {
            let problem = format!("`{key}` is for text, but `{}` is {ty}", field.name.value);
            mistakes.add(place, problem, format!("make the field text, or remove `{key}`"));
        }
    };
    if let Some(format) = &field.format {
        text_only("format", format.place);
    }
    if let Some(pattern) = &field.pattern {
        text_only("pattern", pattern.place);
    }
    if let Some(variants) = &field.variants {
        text_only("enum", variants.place);
        check_variants(&variants.value, mistakes);
    }
    let checks = Checks {
        min: bound(field, "min", field.min, ty, mistakes),
        max: bound(field, "max", field.max, ty, mistakes),
        pattern: field.pattern.as_ref().map(|pattern| pattern.value.clone()),
        format: field.format.as_ref().map(|format| format.value),
        variants: field.variants.iter().flat_map(|list| &list.value).map(|text| text.value.as_str().into()).collect(),
    };
    if let (Some(min), Some(max), Some(node)) = (&checks.min, &checks.max, field.max)
        && min.compare(max).is_some_and(|order| order.is_gt())
    {
        let text = |value: &crate::Value| value.to_text().unwrap_or_default();
        let problem = format!("`min` {} is greater than `max` {}", text(min), text(max));
        mistakes.add(node.place, problem, "no value would be accepted: raise `max` or lower `min`");
    }
    checks
}

fn check_variants(variants: &[Located<String>], mistakes: &mut Mistakes) {
    for (at, variant) in variants.iter().enumerate() {
        if variants[..at].iter().any(|earlier| earlier.value == variant.value) {
            mistakes.add(variant.place, format!("\"{}\" is there twice", variant.value), "name each value once");
        }
    }
}

fn bound(
    field: &DeclaredField<'_>,
    key: &str,
    node: Option<Node<'_>>,
    ty: &Type,
    mistakes: &mut Mistakes,
) -> Option<crate::Value> {
    let node = node?;
    let (value, expected) = match ty {
        Type::Bool | Type::Uuid | Type::Json => {
            let problem =
                format!("`{key}` is for numbers, times, text, bytes and lists, but `{}` is {ty}", field.name.value);
            mistakes.add(node.place, problem, format!("remove `{key}`"));
            return None;
        }
        Type::Text | Type::Bytes | Type::Array(_) => (length(node.value), "a length: a whole number from 0".to_owned()),
        _ => (literal(ty, node.value), example(ty)),
    };
    if value.is_none() {
        let problem = format!("`{key}` of the {ty} `{}` cannot be this value", field.name.value);
        mistakes.add(node.place, problem, format!("write {expected}"));
    }
    value
}

fn default(column: &Column, node: Node<'_>, is_only_key: bool, mistakes: &mut Mistakes) -> Option<DefaultValue> {
    if let (DeValue::String(word), false) = (node.value, column.ty == Type::Text) {
        let computed = computed_default(node.value, &column.ty);
        if computed.as_ref().is_some_and(|default| is_only_key || *default != DefaultValue::Sequence) {
            return computed;
        }
        if let Some(remedy) = word_remedy(word, &column.ty) {
            mistakes.add(
                node.place,
                format!("\"{word}\" cannot be the default of {} `{}`", column.ty, column.name),
                remedy,
            );
            return None;
        }
    }
    let Some(value) = literal(&column.ty, node.value) else {
        let problem = format!("the default of `{}` is not of type {}", column.name, column.ty);
        mistakes.add(node.place, problem, format!("write {}", example(&column.ty)));
        return None;
    };
    if let Err(violation) = check(column, &value) {
        let problem = format!("the default of `{}` breaks its own rule: it {}", column.name, violation.problem);
        mistakes.add(node.place, problem, "change the default or the rule");
        return None;
    }
    Some(DefaultValue::Literal(value))
}

/// The default that a word stands for at a column of this type, if it does not stand for itself.
pub(super) fn computed_default(value: &DeValue<'_>, ty: &Type) -> Option<DefaultValue> {
    let DeValue::String(word) = value else { return None };
    match (word.as_ref(), ty) {
        ("now", Type::Timestamp) => Some(DefaultValue::Now),
        ("uuid7", Type::Uuid) => Some(DefaultValue::Uuid7),
        ("sequence", Type::Int | Type::BigInt) => Some(DefaultValue::Sequence),
        _ => None,
    }
}

/// What would be right where a word for a computed default stands at a column that cannot have it.
fn word_remedy(word: &str, ty: &Type) -> Option<&'static str> {
    match word {
        "now" => Some("make the field timestamp, or write a value"),
        "uuid7" => Some("make the field uuid, or write a value"),
        "sequence" if matches!(ty, Type::Int | Type::BigInt) => {
            Some("a sequence numbers rows: make this field alone the primary key with primary = true")
        }
        "sequence" => Some("make the field int or bigint and the only one of the primary key, or write a value"),
        _ => None,
    }
}
