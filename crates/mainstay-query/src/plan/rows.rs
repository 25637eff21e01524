//! The rows of a body as typed values.
//!
//! Columns are looked up once for the body; after that a cell costs the comparison of its name (in JSON) and the
//! making of its value. What a body looks like is the business of [`super::json`] and [`super::grid`]; what becomes of
//! cells that a body leaves out, that of [`super::defaults`].

use std::borrow::Cow;

use mainstay_schema::check::{check, sanitize};
use mainstay_schema::model::Checks;
use mainstay_schema::{Column, Schema, Table, Type, Value, ValueError};

use super::nested::{Nest, Nests};
use super::resolve;
use crate::error::PlanError;
use crate::limits::Limits;
use crate::parse::within;

/// Takes the rows of a body one after the other.
pub(super) struct Rows<'a> {
    pub(super) table: &'a Table,
    rows_max: usize,
    /// Whether the request said which columns count.
    is_chosen: bool,
    slots: Vec<Slot<'a>>,
    /// One cell a slot; `None` where a row says nothing about the column.
    rows: Vec<Row>,
    /// What rows may hold besides cells; `None` where they may not.
    nests: Option<Nests<'a>>,
    /// Whether only the form of the body counts.
    is_unread: bool,
}

/// The cells of a row; `None` where it says nothing about the column.
pub(super) type Row = Vec<Option<Value>>;

/// A column that the rows give.
struct Slot<'a> {
    /// As the body names it.
    name: Cow<'a, str>,
    column: &'a Column,
    has_checks: bool,
}

impl<'a> Rows<'a> {
    /// Rows of `table`, of which only the `chosen` columns count, if any are.
    pub(super) fn new(table: &'a Table, chosen: Option<&[String]>, rows_max: usize) -> Result<Rows<'a>, PlanError> {
        let (slots, rows) = (Vec::new(), Vec::new());
        let is_chosen = chosen.is_some();
        let rows = Rows { table, rows_max, is_chosen, slots, rows, nests: None, is_unread: false };
        rows.with_slots(chosen)
    }

    /// Rows of which only the form counts: every name is one of a column, the first one of `table`, and no cell is
    /// read.
    pub(super) fn unread(table: &'a Table, chosen: Option<&[String]>, rows_max: usize) -> Result<Rows<'a>, PlanError> {
        let mut rows = Rows::new(table, None, rows_max)?;
        rows.is_unread = true;
        rows.is_chosen = chosen.is_some();
        rows.with_slots(chosen)
    }

    /// Rows that may hold rows of related tables, `depth` levels below the first.
    pub(super) fn nesting(
        schema: &'a Schema,
        limits: &'a Limits,
        table: &'a Table,
        chosen: Option<&[String]>,
        depth: usize,
    ) -> Result<Rows<'a>, PlanError> {
        let mut rows = Rows::new(table, None, limits.write_rows_max)?;
        rows.nests = Some(Nests::new(schema, limits, depth));
        rows.is_chosen = chosen.is_some();
        rows.with_slots(chosen)
    }

    fn with_slots(mut self, chosen: Option<&[String]>) -> Result<Rows<'a>, PlanError> {
        for name in chosen.unwrap_or_default() {
            if self.slot(name).is_none() && self.nest(name, true)?.is_none() {
                self.add_slot(name)?;
            }
        }
        Ok(self)
    }

    /// The member of this name that holds rows: one that rows are known to have, or, if `may_add`, any that the name
    /// of a relation makes. A column goes before a relation of its name.
    pub(super) fn nest(&mut self, name: &str, may_add: bool) -> Result<Option<usize>, PlanError> {
        let Some(nests) = &mut self.nests else { return Ok(None) };
        match nests.find(name) {
            Some(number) => Ok(Some(number)),
            None if may_add && self.table.find_column(name).is_none() => nests.add(self.table, name),
            None => Ok(None),
        }
    }

    /// What rows hold, besides cells, under a number that [`Rows::nest`] gave.
    pub(super) fn nest_member(&mut self, number: usize) -> Option<&mut Nest<'a>> {
        self.nests.as_mut().map(|nests| nests.member(number))
    }

    /// Whether any row may hold rows.
    pub(super) fn has_nests(&self) -> bool {
        self.nests.as_ref().is_some_and(|nests| !nests.is_empty())
    }

    /// Whether the row that is being read named all that rows hold.
    pub(super) fn names_all_nests(&self) -> bool {
        self.nests.as_ref().is_none_or(|nests| nests.are_named_by(self.next_row()))
    }

    /// Takes away what the rows hold.
    pub(super) fn take_nests(&mut self) -> Vec<Nest<'a>> {
        self.nests.take().map(Nests::into_members).unwrap_or_default()
    }

    pub(super) fn is_chosen(&self) -> bool {
        self.is_chosen
    }

    /// Number of the row that comes next, from 1.
    pub(super) fn next_row(&self) -> usize {
        self.rows.len() + 1
    }

    /// Columns that a row gives.
    pub(super) fn width(&self) -> usize {
        self.slots.len()
    }

    /// The type of the column of a slot.
    pub(super) fn ty(&self, slot: usize) -> &'a Type {
        &self.slots[slot].column.ty
    }

    /// The slot of a column, if rows give it.
    pub(super) fn slot(&self, name: &str) -> Option<usize> {
        self.slots.iter().position(|slot| slot.name == name)
    }

    /// The slot of a column that probably is the one at `guess`: the rows of a body mostly name columns in one order.
    pub(super) fn slot_near(&self, guess: usize, name: &str) -> Option<usize> {
        match self.slots.get(guess) {
            Some(slot) if slot.name == name => Some(guess),
            _ => self.slot(name),
        }
    }

    /// A slot for a column that the first row, or the header, names.
    pub(super) fn add_slot(&mut self, name: &str) -> Result<usize, PlanError> {
        let (name, column) = match self.table.columns.first().filter(|_| self.is_unread) {
            Some(any) => (Cow::Owned(name.to_owned()), any),
            None => {
                let column = resolve::body_column(self.table, name)?;
                (Cow::Borrowed(&*column.name), column)
            }
        };
        self.slots.push(Slot { name, column, has_checks: column.checks != Checks::default() });
        Ok(self.slots.len() - 1)
    }

    /// The names of the columns that rows give, as the body has them.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.slots.iter().map(|slot| &*slot.name)
    }

    /// The cell of the next row that stands in `slot`, read by `read` as a value of the column's type.
    pub(super) fn cell(
        &self,
        slot: usize,
        read: impl FnOnce(&Type) -> Result<Value, ValueError>,
    ) -> Result<Value, PlanError> {
        let Slot { column, has_checks, .. } = &self.slots[slot];
        if self.is_unread {
            return Ok(Value::Null);
        }
        let value = read(&column.ty).map_err(|error| PlanError::Value {
            error,
            column: column.name.to_string(),
            row: Some(self.next_row()),
        })?;
        if value.is_null() && !column.optional {
            return Err(null(self.table, column, self.next_row()));
        }
        if *has_checks { checked(self.table, column, value, self.next_row()) } else { Ok(value) }
    }

    /// Takes a row: one cell a slot.
    pub(super) fn push(&mut self, row: Row) -> Result<(), PlanError> {
        debug_assert_eq!(row.len(), self.slots.len());
        within("write_rows_max", self.rows_max, self.next_row())?;
        self.rows.push(row);
        Ok(())
    }

    /// The columns that rows give.
    pub(super) fn columns(&self) -> Vec<&'a Column> {
        self.slots.iter().map(|slot| slot.column).collect()
    }

    /// The rows so far.
    pub(super) fn given(&self) -> &[Row] {
        &self.rows
    }

    /// The columns that rows give, and the rows.
    pub(super) fn into_parts(self) -> (Vec<&'a Column>, Vec<Row>) {
        (self.columns(), self.rows)
    }
}

/// A value that a body gives to a column, as it is kept, if the column accepts it.
pub(super) fn accepted(table: &Table, column: &Column, value: Value, row: usize) -> Result<Value, PlanError> {
    if value.is_null() && !column.optional {
        return Err(null(table, column, row));
    }
    checked(table, column, value, row)
}

fn checked(table: &Table, column: &Column, value: Value, row: usize) -> Result<Value, PlanError> {
    let value = sanitize(column, value);
    match check(column, &value) {
        Ok(()) => Ok(value),
        Err(violation) => Err(PlanError::Check { table: table.name.to_string(), violation, row: Some(row) }),
    }
}

/// The error that a required column has no value.
pub(super) fn null(table: &Table, column: &Column, row: usize) -> PlanError {
    PlanError::NotNull { table: table.name.to_string(), column: column.name.to_string(), row: Some(row) }
}
