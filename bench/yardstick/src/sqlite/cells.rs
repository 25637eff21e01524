//! SQLite's values as cells, in its own memory.

use rusqlite::Row;
use rusqlite::types::ValueRef;

use crate::encode::{self, Cell, Form};

impl encode::Row for Row<'_> {
    fn cell(&self, column: usize, form: Form) -> anyhow::Result<Cell<'_>> {
        Ok(match (self.get_ref(column)?, form) {
            (ValueRef::Integer(number), Form::Bool) => Cell::Bool(number != 0),
            (ValueRef::Integer(number), Form::Decimal) => Cell::Hundredths(number),
            (ValueRef::Integer(number), _) => Cell::Integer(number),
            (ValueRef::Text(text), Form::Decimal) => Cell::Digits(text),
            (ValueRef::Text(text), _) => Cell::Text(text),
            // The columns hold nothing else.
            (ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_), _) => Cell::Null,
        })
    }
}
