//! The driver's cells in the canonical forms of [`mainstay_schema::Value`], on their way into a sink.
//!
//! How a column is read is decided once per statement. What the servers cannot compute exactly comes as what it is made
//! of, and is made here: means, the least of arrays, casts, parts of documents.

use std::fmt::Write as _;
use std::sync::Arc;

use mainstay_query::evaluate;
use mainstay_query::plan::Expr;
use mainstay_schema::value::{Decimal, Json};
use mainstay_schema::{ColumnId, Type, Value, ValueError};
use mainstay_store::sink::put;
use mainstay_store::{Cell, RowSink, StoreError};
use mysql_async::Value as Native;

use super::render::SEPARATOR;
use crate::sql::typed::typed;

/// Digits of a decimal at most.
const DIGITS_MAX: usize = 38;

/// How the cells of one column become those of a sink.
#[derive(Debug, Clone)]
pub(crate) struct CellKind {
    ty: Type,
    /// What is made of the value, of which it is then column 0.
    made: Option<Arc<Expr>>,
    /// Whether somebody's SQL computes the value, so that it need be none of the type.
    is_computed: bool,
}

impl CellKind {
    /// For values of this type.
    pub(super) fn of(ty: &Type) -> CellKind {
        CellKind { ty: ty.clone(), made: None, is_computed: false }
    }

    /// For what an expression makes of values of this type.
    pub(super) fn made(ty: &Type, expr: &Expr) -> CellKind {
        let expr = Expr { column: ColumnId(0), ..expr.clone() };
        CellKind { ty: ty.clone(), made: Some(Arc::new(expr)), is_computed: false }
    }

    /// The same for what the SQL of a function computes.
    pub(super) fn computed(self) -> CellKind {
        CellKind { is_computed: true, ..self }
    }

    /// Gives a cell to a sink. What cannot be borrowed from the row is written to `scratch`.
    ///
    /// # Errors
    /// [`StoreError::Value`] if what is made of it is none, [`StoreError::NoText`] for a text that is not UTF-8.
    pub(super) fn give(&self, native: &Native, sink: &mut dyn RowSink, scratch: &mut String) -> Result<(), StoreError> {
        if self.is_computed {
            let value = taken(native, &self.ty)?;
            let made = self.made.as_ref().map(|expr| evaluate::expr(std::slice::from_ref(&value), expr)).transpose();
            put(sink, &made.map_err(StoreError::Value)?.unwrap_or(value));
            return Ok(());
        }
        if let Some(expr) = &self.made {
            let made = evaluate::expr(&[value(native, &self.ty)?], expr).map_err(StoreError::Value)?;
            put(sink, &made);
            return Ok(());
        }
        scratch.clear();
        let cell = match (native, &self.ty) {
            (Native::NULL, _) => Cell::Null,
            (Native::Int(number @ (0 | 1)), Type::Bool) => Cell::Bool(*number != 0),
            (Native::UInt(number @ (0 | 1)), Type::Bool) => Cell::Bool(*number != 0),
            (Native::Int(number), Type::Float) => Cell::Float(*number as f64),
            (Native::Int(number), Type::Decimal { .. }) => {
                let _ = write!(scratch, "{number}");
                Cell::Digits(scratch)
            }
            (Native::Int(number), _) => Cell::Int(*number),
            (Native::UInt(number), _) => match i64::try_from(*number) {
                Ok(number) if !matches!(self.ty, Type::Decimal { .. }) => Cell::Int(number),
                _ => {
                    let _ = write!(scratch, "{number}");
                    Cell::Digits(scratch)
                }
            },
            (Native::Double(number), _) => float(*number)?,
            // As the shortest digits that read back to the same, of which the double has more.
            (Native::Float(number), _) => float(number.to_string().parse().unwrap_or_default())?,
            (Native::Date(0, ..) | Native::Date(_, 0, ..) | Native::Date(_, _, 0, ..), _) => Cell::Null,
            (Native::Date(year, month, day, hour, minute, second, us), ty) => {
                let _ = write!(scratch, "{year:04}-{month:02}-{day:02}");
                if *ty != Type::Date {
                    let _ = write!(scratch, "T{hour:02}:{minute:02}:{second:02}");
                    fraction(scratch, *us);
                    if *ty == Type::Timestamp {
                        scratch.push_str("+00:00");
                    }
                }
                Cell::Plain(scratch)
            }
            (Native::Time(is_negative, days, hours, minutes, seconds, us), _) => {
                let hours = days * 24 + u32::from(*hours);
                let sign = if *is_negative { "-" } else { "" };
                let _ = write!(scratch, "{sign}{hours:02}:{minutes:02}:{seconds:02}");
                fraction(scratch, *us);
                Cell::Plain(scratch)
            }
            (Native::Bytes(octets), Type::Bytes) => Cell::Bytes(octets),
            (Native::Bytes(octets), Type::Uuid) if octets.len() == 16 => {
                let uuid = uuid::Uuid::from_slice(octets).unwrap_or_default();
                scratch.push_str(uuid.hyphenated().encode_lower(&mut [0; 36]));
                Cell::Plain(scratch)
            }
            (Native::Bytes(octets), ty) => return text(octets, ty, sink),
        };
        sink.cell(cell);
        Ok(())
    }
}

/// Gives a cell that came as text.
fn text(octets: &[u8], ty: &Type, sink: &mut dyn RowSink) -> Result<(), StoreError> {
    let text = std::str::from_utf8(octets).map_err(|_| StoreError::NoText)?;
    let cell = match ty {
        Type::Decimal { .. } => match text.split_once('/') {
            Some((sum, count)) => {
                let mean = evaluate::mean(sum, count.parse().unwrap_or(1)).map_err(StoreError::Value)?;
                put(sink, &mean);
                return Ok(());
            }
            None if text.bytes().filter(u8::is_ascii_digit).count() > DIGITS_MAX => return Err(too_large("numeric")),
            None => Cell::Digits(text),
        },
        Type::Int | Type::BigInt => Cell::Int(text.parse().map_err(|_| too_large("bigint"))?),
        Type::Array(_) if text.starts_with(SEPARATOR) => {
            put(sink, &best(&text[SEPARATOR.len_utf8()..], ty)?);
            return Ok(());
        }
        Type::Json | Type::Array(_) => Cell::Json(text),
        Type::Bool => Cell::Bool(octets != [0] && text != "0"),
        Type::Float => float(text.parse().unwrap_or(f64::NAN))?,
        _ => Cell::Text(text),
    };
    sink.cell(cell);
    Ok(())
}

/// The least or the greatest of some arrays.
fn best(text: &str, ty: &Type) -> Result<Value, StoreError> {
    let is_least = text.starts_with('<');
    let mut best = Value::Null;
    for candidate in text[1..].split(SEPARATOR) {
        let candidate = Value::parse_json(ty, candidate).map_err(StoreError::Value)?;
        let is_better = match candidate.compare(&best) {
            None => best.is_null(),
            Some(order) => {
                if is_least {
                    order.is_lt()
                } else {
                    order.is_gt()
                }
            }
        };
        if is_better {
            best = candidate;
        }
    }
    Ok(best)
}

fn float<'c>(number: f64) -> Result<Cell<'c>, StoreError> {
    if number.is_finite() { Ok(Cell::Float(number)) } else { Err(too_large("double precision")) }
}

fn too_large(ty: &'static str) -> StoreError {
    StoreError::Value(ValueError::OutOfRange { ty, text: "the result of an aggregate".to_owned() })
}

/// Writes microseconds without trailing zeros.
fn fraction(out: &mut String, us: u32) {
    if us > 0 {
        let digits = format!(".{us:06}");
        out.push_str(digits.trim_end_matches('0'));
    }
}

/// The value of a column of this type.
///
/// # Errors
/// [`StoreError::NoText`] for a text that is not UTF-8, [`StoreError::Value`] for what is no value of the type.
pub(super) fn value(native: &Native, ty: &Type) -> Result<Value, StoreError> {
    Ok(match (native, ty) {
        (Native::NULL, _) => Value::Null,
        (Native::Bytes(octets), Type::Bytes) => Value::Bytes(octets.clone()),
        (Native::Bytes(octets), Type::Uuid) if octets.len() == 16 => {
            Value::Uuid(uuid::Uuid::from_slice(octets).unwrap_or_default())
        }
        (Native::Bytes(octets), ty) => {
            let text = std::str::from_utf8(octets).map_err(|_| StoreError::NoText)?;
            match ty {
                Type::Text => Value::Text(text.to_owned()),
                // What aggregates are made of.
                Type::Decimal { .. } if text.contains('/') => {
                    let (sum, count) = text.split_once('/').unwrap_or((text, "1"));
                    evaluate::mean(sum, count.parse().unwrap_or(1)).map_err(StoreError::Value)?
                }
                Type::Array(_) if text.starts_with(SEPARATOR) => best(&text[SEPARATOR.len_utf8()..], ty)?,
                Type::Decimal { .. } => Value::Decimal(Decimal::parse(text).map_err(StoreError::Value)?),
                Type::Json => Value::Json(Json::from_canonical(text.to_owned())),
                Type::Array(_) => Value::parse_json(ty, text).map_err(StoreError::Value)?,
                ty => Value::parse(ty, text).map_err(StoreError::Value)?,
            }
        }
        (native, ty) => {
            let mut one = One(Value::Null, ty.clone());
            CellKind::of(ty).give(native, &mut one, &mut String::new())?;
            one.0
        }
    })
}

/// The value of type `ty` that a native one stands for, of whatever type that is.
///
/// # Errors
/// [`StoreError::NoText`] for a text that is not UTF-8, [`StoreError::Value`] if it stands for none.
pub(super) fn taken(native: &Native, ty: &Type) -> Result<Value, StoreError> {
    let mut scratch = String::new();
    let cell = match native {
        Native::NULL | Native::Date(0, ..) | Native::Date(_, 0, ..) | Native::Date(_, _, 0, ..) => Cell::Null,
        Native::Int(number) => Cell::Int(*number),
        Native::UInt(number) => {
            let _ = write!(scratch, "{number}");
            Cell::Digits(&scratch)
        }
        Native::Double(number) => float(*number)?,
        Native::Float(number) => float(number.to_string().parse().unwrap_or_default())?,
        Native::Date(..) | Native::Time(..) => {
            let mut text = Printed(String::new());
            // Of a moment a date is the first part.
            let shown = if *ty == Type::Date { Type::Date } else { Type::Text };
            CellKind::of(&shown).give(native, &mut text, &mut String::new())?;
            scratch = text.0;
            Cell::Plain(&scratch)
        }
        Native::Bytes(octets) => match ty {
            Type::Bytes => Cell::Bytes(octets),
            Type::Uuid if octets.len() == 16 => {
                return Ok(Value::Uuid(uuid::Uuid::from_slice(octets).unwrap_or_default()));
            }
            Type::Bool if matches!(octets.as_slice(), [0 | 1]) => Cell::Bool(octets == &[1]),
            ty => {
                let text = std::str::from_utf8(octets).map_err(|_| StoreError::NoText)?;
                let is_number = matches!(ty, Type::Decimal { .. } | Type::Int | Type::BigInt | Type::Float);
                if is_number { Cell::Digits(text) } else { Cell::Text(text) }
            }
        },
    };
    typed(cell, ty).map_err(StoreError::Value)
}

/// Takes one cell as text.
struct Printed(String);

impl RowSink for Printed {
    fn start_row(&mut self) {}
    fn end_row(&mut self) {}
    fn start_list(&mut self) {}
    fn end_list(&mut self) {}

    fn cell(&mut self, cell: Cell<'_>) {
        if let Cell::Plain(text) = cell {
            text.clone_into(&mut self.0);
        }
    }
}

/// Takes one cell as a value.
struct One(Value, Type);

impl RowSink for One {
    fn start_row(&mut self) {}
    fn end_row(&mut self) {}
    fn start_list(&mut self) {}
    fn end_list(&mut self) {}

    fn cell(&mut self, cell: Cell<'_>) {
        self.0 = match cell {
            Cell::Bool(value) => Value::Bool(value),
            Cell::Int(value) => Value::Int(value),
            Cell::Float(value) => Value::Float(value),
            Cell::Digits(text) => Decimal::parse(text).map_or(Value::Null, Value::Decimal),
            Cell::Plain(text) => match &self.1 {
                Type::Date => Value::Date(text.to_owned()),
                Type::Time => Value::Time(text.to_owned()),
                _ => Value::Timestamp(text.to_owned()),
            },
            Cell::Null | Cell::Text(_) | Cell::Bytes(_) | Cell::Json(_) => Value::Null,
        };
    }
}

#[cfg(test)]
mod tests {
    use mainstay_query::plan::Shape;
    use mainstay_query::plan::{self, MemberKind};
    use mainstay_store::collect::{Collected, Member};

    use super::*;

    fn shown(native: &Native, ty: &Type) -> String {
        let shape = Shape { members: vec![plan::Member { name: "v".into(), kind: MemberKind::Value(ty.clone()) }] };
        let mut sink = Collected::new(shape);
        sink.start_row();
        CellKind::of(ty).give(native, &mut sink, &mut String::new()).expect("a cell");
        sink.end_row();
        match sink.finish().expect("a value").remove(0).remove(0) {
            Member::Value(value) => value.to_text().unwrap_or_else(|| "null".to_owned()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn cells_are_canonical() {
        let octets = |text: &str| Native::Bytes(text.as_bytes().to_vec());
        let decimal = Type::Decimal { precision: 38, scale: 16 };
        let ints = Type::Array(Box::new(Type::Int));
        for (native, ty, expected) in [
            (Native::Int(1), &Type::Bool, "true"),
            (Native::Int(-5), &Type::BigInt, "-5"),
            (octets("12.50"), &decimal, "12.50"),
            (octets("9.30/4"), &decimal, "2.3250000000000000"),
            (octets("21"), &Type::BigInt, "21"),
            (octets("\u{1e}<[10]\u{1e}[9]"), &ints, "{\"9\"}"),
            (octets("\u{1e}>[10]\u{1e}[9]"), &ints, "{\"10\"}"),
            (Native::Date(2026, 11, 23, 10, 0, 0, 100_000), &Type::Timestamp, "2026-11-23T10:00:00.1+00:00"),
            (Native::Date(1, 1, 1, 0, 0, 0, 0), &Type::Date, "0001-01-01"),
            (Native::Date(0, 0, 0, 0, 0, 0, 0), &Type::Date, "null"),
            (Native::Time(false, 0, 9, 59, 59, 999_999), &Type::Time, "09:59:59.999999"),
            (Native::Double(5e-324), &Type::Float, "5e-324"),
            (Native::Bytes(vec![0; 16]), &Type::Uuid, "00000000-0000-0000-0000-000000000000"),
        ] {
            assert_eq!(shown(&native, ty), expected, "{ty}");
            if ty != &decimal && !matches!(ty, Type::Array(_)) {
                let value = value(&native, ty).expect("a value").to_text().unwrap_or_else(|| "null".to_owned());
                assert_eq!(value, expected, "{ty}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let digits = Native::Bytes("1".repeat(39).into_bytes());
        let mut sink = Collected::new(Shape { members: vec![] });
        let decimal = CellKind::of(&Type::Decimal { precision: 38, scale: 0 });
        assert!(matches!(decimal.give(&digits, &mut sink, &mut String::new()), Err(StoreError::Value(_))));
    }
}
