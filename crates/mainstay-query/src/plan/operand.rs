//! The text of operands → values of the type of what they are compared with.

use mainstay_schema::model::Texts;
use mainstay_schema::value::Decimal;
use mainstay_schema::{Column, Table, Type, Value, ValueError};

use super::{Comparison, Expr, RangeTest, Test, resolve};
use crate::error::PlanError;
use crate::evaluate;
use crate::limits::Limits;
use crate::parse::within;
use crate::request::Operator;

/// What operands are compared with.
pub(super) struct Operand<'a> {
    /// Its type, which operands are read as.
    pub(super) ty: Type,
    table: &'a Table,
    column: &'a Column,
    /// Whether it is a range as a whole.
    is_range: bool,
    limits: &'a Limits,
}

impl<'a> Operand<'a> {
    pub(super) fn new(table: &'a Table, expr: &Expr, limits: &'a Limits) -> Operand<'a> {
        let column = table.column(expr.column);
        let is_range = column.texts == Texts::Ranges && expr.path.is_empty() && expr.cast.is_none();
        Operand { ty: expr.base_type(table), table, column, is_range, limits }
    }

    /// The test of an operator with one operand.
    pub(super) fn test(&self, operator: Operator, text: &str) -> Result<Test, PlanError> {
        let is_nested = matches!(self.ty, Type::Json | Type::Array(_));
        let compare = |comparison| self.value(text).map(|value| Test::Compare(comparison, value));
        match operator {
            Operator::Eq => compare(Comparison::Eq),
            Operator::Neq => compare(Comparison::Neq),
            Operator::Gt => compare(Comparison::Gt),
            Operator::Gte => compare(Comparison::Gte),
            Operator::Lt => compare(Comparison::Lt),
            Operator::Lte => compare(Comparison::Lte),
            Operator::IsDistinct => self.value(text).map(Test::IsDistinct),
            Operator::Like | Operator::Ilike if self.ty == Type::Text => {
                self.check_pattern(text)?;
                Ok(Test::Like { pattern: text.replace('*', "%"), case_sensitive: operator == Operator::Like })
            }
            Operator::Match | Operator::Imatch if self.ty == Type::Text => {
                self.check_pattern(text)?;
                let case_sensitive = operator == Operator::Match;
                let pattern =
                    evaluate::pattern(text, case_sensitive).map_err(|reason| PlanError::Pattern { reason })?;
                Ok(Test::Match { pattern, case_sensitive })
            }
            Operator::Contains if is_nested => self.value(text).map(Test::Contains),
            Operator::ContainedIn if is_nested => self.value(text).map(Test::ContainedIn),
            Operator::Overlaps if matches!(self.ty, Type::Array(_)) => self.value(text).map(Test::Overlaps),
            operator if self.is_range && range_test(operator).is_some() => self.range(operator, text),
            operator if operator.is_of_ranges() => Err(self.no_range(operator)),
            _ => Err(PlanError::NoOperator { ty: self.ty.wire_name(), operator: word(operator) }),
        }
    }

    /// The test of a range; what its text says is for the database to read.
    fn range(&self, operator: Operator, text: &str) -> Result<Test, PlanError> {
        let test = range_test(operator).ok_or_else(|| self.no_range(operator))?;
        self.value(text).map(|value| Test::Range(test, value))
    }

    fn no_range(&self, operator: Operator) -> PlanError {
        let (table, column, ty) = (&self.table.name, &self.column.name, self.ty.wire_name());
        let word = word(operator);
        resolve::not_implemented(format!(
            "The operator {word} is about ranges, and {table}.{column} is {ty}: only range columns of a PostgreSQL database \
             that is served as it was found have it."
        ))
    }

    /// One operand.
    pub(super) fn value(&self, text: &str) -> Result<Value, PlanError> {
        let value = Value::parse(&self.ty, text).or_else(|error| match (&self.ty, &error) {
            // A number that the column cannot hold can still be compared with those that it holds.
            (Type::Decimal { .. }, ValueError::OutOfRange { .. }) => {
                Decimal::parse(text).map(Value::Decimal).map_err(|_| error)
            }
            _ => Err(error),
        });
        value.map_err(|error| self.wrong(error))
    }

    /// The elements of an array literal, as text or null.
    pub(super) fn elements(&self, text: &str) -> Result<Vec<Option<String>>, PlanError> {
        let literal = Value::parse(&Type::Array(Box::new(Type::Text)), text).map_err(|error| self.wrong(error))?;
        let Value::Array(items) = literal else { return Ok(Vec::new()) };
        Ok(items.iter().map(Value::to_text).collect())
    }

    fn check_pattern(&self, pattern: &str) -> Result<(), PlanError> {
        Ok(within("pattern_chars_max", self.limits.pattern_chars_max, pattern.chars().count())?)
    }

    fn wrong(&self, error: ValueError) -> PlanError {
        PlanError::Value { error, column: self.column.name.to_string(), row: None }
    }
}

/// What an operator asks of a range.
fn range_test(operator: Operator) -> Option<RangeTest> {
    Some(match operator {
        Operator::Contains => RangeTest::Contains,
        Operator::ContainedIn => RangeTest::ContainedIn,
        Operator::Overlaps => RangeTest::Overlaps,
        Operator::StrictlyLeft => RangeTest::StrictlyLeft,
        Operator::StrictlyRight => RangeTest::StrictlyRight,
        Operator::NotRight => RangeTest::NotRight,
        Operator::NotLeft => RangeTest::NotLeft,
        Operator::Adjacent => RangeTest::Adjacent,
        _ => return None,
    })
}

/// The operator as requests write it.
pub(super) fn word(operator: Operator) -> &'static str {
    match operator {
        Operator::Eq => "eq",
        Operator::Neq => "neq",
        Operator::Gt => "gt",
        Operator::Gte => "gte",
        Operator::Lt => "lt",
        Operator::Lte => "lte",
        Operator::Like => "like",
        Operator::Ilike => "ilike",
        Operator::Match => "match",
        Operator::Imatch => "imatch",
        Operator::IsDistinct => "isdistinct",
        Operator::Contains => "cs",
        Operator::ContainedIn => "cd",
        Operator::Overlaps => "ov",
        Operator::StrictlyLeft => "sl",
        Operator::StrictlyRight => "sr",
        Operator::NotRight => "nxr",
        Operator::NotLeft => "nxl",
        Operator::Adjacent => "adj",
    }
}
