//! A sink that keeps rows as typed values, for whoever must look at them before they go out.

use mainstay_query::plan::{MemberKind, Shape};
use mainstay_schema::value::{Decimal, Json, float_text};
use mainstay_schema::{Schema, Type, Value, ValueError};

use crate::error::StoreError;
use crate::sink::{Cell, RowSink, put};

/// The members of a row, in the order of its shape.
pub type Row = Vec<Member>;

/// One member of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Member {
    /// A value, or null for an absent to-one row and for any member of an absent row that is spread.
    Value(Value),
    /// A to-one row.
    One(Row),
    /// To-many rows.
    Many(Vec<Row>),
}

impl Member {
    /// Gives the member to a sink.
    pub fn replay(&self, sink: &mut dyn RowSink) {
        match self {
            Member::Value(value) => put(sink, value),
            Member::One(row) => replay(row, sink),
            Member::Many(rows) => {
                sink.start_list();
                rows.iter().for_each(|row| replay(row, sink));
                sink.end_list();
            }
        }
    }
}

/// How many rows a row holds in lists, at any depth.
pub(crate) fn held(row: &[Member]) -> u64 {
    row.iter().fold(0, |sum: u64, member| {
        sum.saturating_add(match member {
            Member::Value(_) => 0,
            Member::One(row) => held(row),
            Member::Many(rows) => rows.iter().fold(0, |sum: u64, row| sum.saturating_add(1 + held(row))),
        })
    })
}

/// Gives a row to a sink.
pub fn replay(row: &[Member], sink: &mut dyn RowSink) {
    sink.start_row();
    row.iter().for_each(|member| member.replay(sink));
    sink.end_row();
}

/// Keeps the rows of a read as typed values.
#[derive(Debug)]
pub struct Collected {
    shape: Shape,
    rows: Vec<Row>,
    open: Vec<Open>,
    fault: Option<String>,
    /// Whether values need not be in canonical form.
    is_lenient: bool,
    /// Rows that were given, those in lists included; to-one rows are as many as the rows that they stand in.
    count: u64,
    /// How many of them are kept.
    rows_max: u64,
}

/// A row or list that has begun and not ended.
#[derive(Debug)]
enum Open {
    Row(Row),
    List(Vec<Row>),
}

impl Collected {
    /// Collects rows of this shape.
    pub fn new(shape: Shape) -> Collected {
        let (rows, open, fault) = Default::default();
        Collected { shape, rows, open, fault, is_lenient: false, count: 0, rows_max: u64::MAX }
    }

    /// Collects rows of this shape, of tables that may be another program's.
    pub fn of(schema: &Schema, shape: Shape) -> Collected {
        Collected { is_lenient: schema.found().is_some(), ..Collected::new(shape) }
    }

    /// Collects rows of this shape whoever wrote them: a value in another form is taken for what it stands for, and one
    /// that stands for no value of its type is kept as what it is.
    pub fn lenient(shape: Shape) -> Collected {
        Collected { is_lenient: true, ..Collected::new(shape) }
    }

    /// The same, but full when it holds so many rows, those in lists included.
    #[must_use]
    pub fn at_most(self, rows_max: u64) -> Collected {
        Collected { rows_max, ..self }
    }

    /// Whether there were more rows than it holds.
    pub fn is_over(&self) -> bool {
        self.count > self.rows_max
    }

    /// The rows.
    ///
    /// # Errors
    /// [`StoreError::Internal`] if the store gave something else than rows of the shape with canonical values.
    pub fn finish(self) -> Result<Vec<Row>, StoreError> {
        match self.fault {
            Some(fault) => Err(StoreError::Internal(fault.into())),
            None if self.open.is_empty() => Ok(self.rows),
            None => Err(StoreError::Internal("a row was begun and not ended".into())),
        }
    }

    /// What the shape says of the member that comes next.
    fn next_kind(&self) -> Option<&MemberKind> {
        let mut shape = &self.shape;
        let mut rows = self.open.iter().filter_map(|open| match open {
            Open::Row(row) => Some(row),
            Open::List(_) => None,
        });
        let mut row = rows.next()?;
        loop {
            let kind = &shape.members.get(row.len())?.kind;
            let Some(inner) = rows.next() else { return Some(kind) };
            match kind {
                MemberKind::One(below) | MemberKind::Many(below) => shape = below,
                MemberKind::Value(_) => return None,
            }
            row = inner;
        }
    }

    fn fail(&mut self, fault: String) {
        self.fault.get_or_insert(fault);
    }

    fn member(&mut self, member: Member) {
        match self.open.last_mut() {
            Some(Open::Row(row)) => row.push(member),
            _ => self.fail("a member outside of a row".to_owned()),
        }
    }

    fn typed(&self, cell: Cell<'_>) -> Result<Value, String> {
        match (self.next_kind(), cell) {
            (Some(_), Cell::Null) => Ok(Value::Null),
            (Some(MemberKind::Value(ty)), cell) => match value(ty, cell) {
                Some(value) => Ok(value),
                None if self.is_lenient => Ok(meant(ty, cell)),
                None => Err(format!("{cell:?} is no {ty}")),
            },
            (kind, cell) => Err(format!("{cell:?} where the shape has {kind:?}")),
        }
    }
}

/// The value of a cell, if it is one of this type in its canonical form.
fn value(ty: &Type, cell: Cell<'_>) -> Option<Value> {
    let canonical = |text: &str, value: Result<Value, ValueError>| {
        value.ok().filter(|value| value.to_text().as_deref() == Some(text))
    };
    match (ty, cell) {
        (Type::Bool, Cell::Bool(value)) => Some(Value::Bool(value)),
        (Type::Int | Type::BigInt, Cell::Int(value)) => Some(Value::Int(value)),
        (Type::Float, Cell::Float(value)) => Some(Value::Float(value)),
        (Type::Decimal { .. }, Cell::Digits(text)) => canonical(text, Decimal::parse(text).map(Value::Decimal)),
        (Type::Text, Cell::Text(text) | Cell::Plain(text)) => Some(Value::Text(text.to_owned())),
        (Type::Uuid | Type::Date | Type::Time | Type::Timestamp, Cell::Plain(text)) => {
            canonical(text, Value::parse(ty, text))
        }
        (Type::Bytes, Cell::Bytes(octets)) => Some(Value::Bytes(octets.to_owned())),
        (Type::Json, Cell::Json(text)) => canonical(text, Json::parse(text).map(Value::Json)),
        (Type::Array(_), Cell::Json(text)) => Value::parse_json(ty, text).ok(),
        _ => None,
    }
}

/// The value that a cell in any form stands for.
fn meant(ty: &Type, cell: Cell<'_>) -> Value {
    let (text, kept) = match cell {
        Cell::Null => return Value::Null,
        Cell::Bytes(octets) => return Value::Bytes(octets.to_owned()),
        Cell::Bool(value) => (value.to_string(), Value::Bool(value)),
        Cell::Int(value) => (value.to_string(), Value::Int(value)),
        Cell::Float(value) => (float_text(value), Value::Float(value)),
        Cell::Digits(text) | Cell::Text(text) | Cell::Plain(text) | Cell::Json(text) => {
            (text.to_owned(), Value::Text(text.to_owned()))
        }
    };
    match ty {
        // A number among texts is no text: what refers to it must find it.
        Type::Text => kept,
        ty => Value::parse(ty, &text).unwrap_or(kept),
    }
}

impl RowSink for Collected {
    fn start_row(&mut self) {
        self.open.push(Open::Row(Row::new()));
    }

    fn end_row(&mut self) {
        match (self.open.pop(), self.open.last_mut()) {
            (Some(Open::Row(row)), Some(Open::Row(outer))) => outer.push(Member::One(row)),
            (Some(Open::Row(row)), outer) => {
                self.count += 1;
                if self.count <= self.rows_max {
                    match outer {
                        Some(Open::List(list)) => list.push(row),
                        _ => self.rows.push(row),
                    }
                }
            }
            _ => self.fail("a row ended that had not begun".to_owned()),
        }
    }

    fn start_list(&mut self) {
        self.open.push(Open::List(Vec::new()));
    }

    fn end_list(&mut self) {
        match self.open.pop() {
            Some(Open::List(rows)) => self.member(Member::Many(rows)),
            _ => self.fail("a list ended that had not begun".to_owned()),
        }
    }

    fn cell(&mut self, cell: Cell<'_>) {
        let value = self.typed(cell).unwrap_or_else(|fault| {
            self.fail(fault);
            Value::Null
        });
        self.member(Member::Value(value));
    }

    fn is_full(&self) -> bool {
        self.is_over()
    }
}
