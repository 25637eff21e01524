//! Fields to typed values: which column a field belongs to, whether it may hold the value, and what fills the columns
//! that a record leaves out.
//!
//! It gives the same answers as planning an insert does, one record at a time: an import must know of every bad record
//! and not only of the first.

use std::sync::Arc;

use mainstay_engine::{Clock, SystemClock};
use mainstay_schema::{Column, ColumnId, DefaultValue, Schema, Table, TableId, Type, Value, check, near};

use super::fields::Field;

/// What each run and batch brings anew.
pub(super) struct Moment {
    now: Value,
}

impl Moment {
    /// The present.
    pub(super) fn new() -> Moment {
        let text = SystemClock.now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
        Moment { now: Value::parse(&Type::Timestamp, &text).expect("the present with microseconds is a timestamp") }
    }

    pub(super) fn now(&self) -> Value {
        self.now.clone()
    }
}

/// New names of fields: `Some` for a column, `None` for a field that is passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Renames(pub(super) Vec<(String, Option<String>)>);

impl Renames {
    /// Reads `file_field=table_column`, and `file_field=` for a field that is passed over.
    pub(super) fn parse(texts: &[String]) -> Result<Renames, String> {
        let part = |text: &String| {
            let (field, column) = text.split_once('=').ok_or_else(|| {
                format!("--map {text}: write field=column, or field= to leave a field of the file out")
            })?;
            Ok((field.to_owned(), (!column.is_empty()).then(|| column.to_owned())))
        };
        texts.iter().map(part).collect::<Result<_, String>>().map(Renames)
    }

    /// The same where documents call the only column of the key `_id`, unless something else was said of it.
    pub(super) fn with_document_id(mut self, table: &Table) -> Renames {
        let is_said = self.0.iter().any(|(from, _)| from == "_id") || table.find_column("_id").is_some();
        if let ([key], false) = (table.primary_key.as_slice(), is_said) {
            self.0.push(("_id".to_owned(), Some(table.column(*key).name.to_string())));
        }
        self
    }

    /// The column that a field of the file goes to, `None` if it is passed over.
    pub(super) fn column(&self, table: &Table, field: &str) -> Result<Option<ColumnId>, String> {
        let renamed = self.0.iter().find(|(from, _)| from == field).map(|(_, to)| to.as_deref());
        let Some(name) = renamed.unwrap_or(Some(field)) else { return Ok(None) };
        if let Some(column) = table.find_column(name) {
            return Ok(Some(column.id));
        }
        let names = table.columns.iter().map(|column| &*column.name);
        let remedy = match near(name, names) {
            Some(other) => format!("did you mean \"{other}\"? (--map {field}={other})"),
            None => format!("give its column with --map {field}=COLUMN, or leave it out with --map {field}="),
        };
        Err(format!("table {} has no column \"{name}\"; {remedy}", table.name))
    }
}

/// Makes rows of one table out of fields.
#[derive(Clone)]
pub(super) struct Typist {
    schema: Arc<Schema>,
    table: TableId,
    columns: Vec<ColumnId>,
    /// Position in `columns` of each column of the table.
    slots: Vec<Option<usize>>,
}

impl Typist {
    /// Rows that give the columns `given`, completed by those that have a default.
    pub(super) fn new(schema: &Arc<Schema>, table: TableId, given: &[ColumnId]) -> Typist {
        let all = &schema.table(table).columns;
        let fills = |column: &&Column| given.contains(&column.id) || column.default.is_some() || column.touched;
        let columns: Vec<_> = all.iter().filter(fills).map(|column| column.id).collect();
        let slots = all.iter().map(|column| columns.iter().position(|id| *id == column.id)).collect();
        Typist { schema: schema.clone(), table, columns, slots }
    }

    /// The columns of the rows, in order.
    pub(super) fn columns(&self) -> &[ColumnId] {
        &self.columns
    }

    pub(super) fn table(&self) -> &Table {
        self.schema.table(self.table)
    }

    /// Makes one row; absent where the store makes the value.
    ///
    /// # Errors
    /// What is wrong with the first field that is.
    pub(super) fn row<'a>(
        &self,
        moment: &Moment,
        fields: impl Iterator<Item = Result<(ColumnId, Field<'a>), String>>,
    ) -> Result<Vec<Option<Value>>, String> {
        let table = self.table();
        let mut row = vec![None; self.columns.len()];
        for field in fields {
            let (id, field) = field?;
            let slot = self.slots[id.index()].ok_or("a field that the first record does not have")?;
            row[slot] = value(table.column(id), field)?;
        }
        for (cell, id) in row.iter_mut().zip(&self.columns) {
            if cell.is_none() {
                *cell = fill(table.column(*id), moment)?;
            }
        }
        Ok(row)
    }
}

/// The value of a field; `None` if it says nothing and the column cannot be null, so that its default counts.
fn value(column: &Column, field: Field<'_>) -> Result<Option<Value>, String> {
    let value = match field {
        Field::Empty if column.optional => Ok(Value::Null),
        Field::Empty => return Ok(None),
        // Arrays are written as JSON by our exports, and as PostgreSQL's literal by its own.
        Field::Text(text) if matches!(column.ty, Type::Array(_)) && text.starts_with('[') => {
            Value::parse_json(&column.ty, &text)
        }
        Field::Text(text) => Value::parse(&column.ty, &text),
        Field::Json(text) => Value::parse_json(&column.ty, text),
    };
    let value = value.map_err(|error| format!("{}: {error}", column.name))?;
    if value.is_null() && !column.optional {
        return Err(format!("{} must not be null", column.name));
    }
    check::check(column, &value).map_err(|violation| violation.to_string())?;
    Ok(Some(value))
}

/// What an absent value becomes; `None` if the store makes it.
fn fill(column: &Column, moment: &Moment) -> Result<Option<Value>, String> {
    match &column.default {
        Some(DefaultValue::Now) => Ok(Some(moment.now())),
        Some(DefaultValue::Uuid7) => Ok(Some(Value::Uuid(SystemClock.uuid7()))),
        Some(DefaultValue::Literal(value)) => Ok(Some(value.clone())),
        Some(DefaultValue::Sequence | DefaultValue::Expression(_)) => Ok(None),
        None if column.touched && !column.optional => Ok(Some(moment.now())),
        None if column.optional => Ok(Some(Value::Null)),
        None => Err(format!("{} is missing", column.name)),
    }
}
