//! Timestamps as a store keeps them that has fewer digits than ours ([`Capabilities::time_digits`]): the suite cuts off
//! what it writes, so that the reference store holds the same. What rows are compared with is left as it is.
//!
//! [`Capabilities::time_digits`]: crate::store::Capabilities::time_digits

use mainstay_query::plan::{Assign, Insert, Write};
use mainstay_schema::{ColumnId, Value};

/// A value as it is kept with so many digits of a second.
pub(super) fn kept(value: &Value, digits: u8) -> Value {
    match value {
        Value::Timestamp(text) => {
            let Some((start, fraction)) = text.split_once('.') else { return value.clone() };
            let fraction = fraction.trim_end_matches("+00:00");
            let fraction = fraction[..fraction.len().min(digits.into())].trim_end_matches('0');
            let point = if fraction.is_empty() { "" } else { "." };
            Value::Timestamp(format!("{start}{point}{fraction}+00:00"))
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| kept(item, digits)).collect()),
        other => other.clone(),
    }
}

/// Cuts off what a write would keep.
pub(super) fn cut(write: &mut Write, digits: u8) {
    match write {
        Write::Insert(insert) => cut_rows(insert, digits),
        Write::Update(update) => cut_set(&mut update.set, digits),
        Write::UpdateEach(update) => update.rows.iter_mut().for_each(|row| cut_set(&mut row.set, digits)),
        Write::Batch(writes) => writes.iter_mut().for_each(|write| cut(write, digits)),
        Write::Nested(nested) => nested.parts.iter_mut().for_each(|part| cut_rows(&mut part.insert, digits)),
        Write::Delete(_) | Write::Run(_) => {}
    }
}

fn cut_rows(insert: &mut Insert, digits: u8) {
    for cell in insert.rows.iter_mut().flatten().flatten() {
        *cell = kept(cell, digits);
    }
}

fn cut_set(set: &mut [(ColumnId, Assign)], digits: u8) {
    for (_, assign) in set {
        match assign {
            Assign::Value(value) | Assign::Append(value) | Assign::Prepend(value) => *value = kept(value, digits),
            Assign::Add(_) | Assign::Remove(_) | Assign::Merge(_) | Assign::Patch(_) => {}
        }
    }
}
