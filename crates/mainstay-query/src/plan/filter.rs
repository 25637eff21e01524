//! Conditions → filters: operands become values of the type of what they are compared with.

use mainstay_schema::value::Decimal;
use mainstay_schema::{Table, Type, Value, ValueError};

use super::resolve::{self, not_implemented};
use super::{Comparison, Expr, Filter, Test};
use crate::error::PlanError;
use crate::limits::Limits;
use crate::parse::within;
use crate::request::{Condition, Field, IsWord, Operation, Operator, Quantifier};

/// Plans the conditions of one request, and counts what lists of `(any)` and `(all)` expand to.
pub(super) struct Conditions<'a> {
    limits: &'a Limits,
    expanded: usize,
}

/// The embeds of a level, which conditions may test for null.
pub(super) trait Embeds {
    /// Whether at least one row of the embed with this name is there; `None` if there is no such embed.
    fn exists(&self, name: &str) -> Option<Result<Filter, PlanError>>;
}

impl<'a> Conditions<'a> {
    pub(super) fn new(limits: &'a Limits) -> Conditions<'a> {
        Conditions { limits, expanded: 0 }
    }

    pub(super) fn plan(
        &mut self,
        table: &Table,
        embeds: &dyn Embeds,
        condition: &Condition,
    ) -> Result<Filter, PlanError> {
        let mut all = |parts: &[Condition]| -> Result<Vec<Filter>, PlanError> {
            parts.iter().map(|part| self.plan(table, embeds, part)).collect()
        };
        match condition {
            Condition::And(parts) => all(parts).map(Filter::all),
            Condition::Or(parts) => all(parts).map(any),
            Condition::Not(part) => self.plan(table, embeds, part).map(negate),
            Condition::Test(field, operation) => match self.null_test(table, embeds, field, operation) {
                Some(filter) => filter,
                None => {
                    let expr = resolve::expr(table, field)?;
                    self.test(table, expr, operation)
                }
            },
        }
    }

    /// `films=is.null` where `films` is an embed. With any other operator the name must be a column.
    fn null_test(
        &self,
        table: &Table,
        embeds: &dyn Embeds,
        field: &Field,
        operation: &Operation,
    ) -> Option<Result<Filter, PlanError>> {
        if !field.path.is_empty() {
            return None;
        }
        let exists = embeds.exists(&field.name)?;
        match operation {
            Operation::Is(IsWord::Null) => Some(exists.map(negate)),
            Operation::Is(IsWord::NotNull) => Some(exists),
            _ if table.find_column(&field.name).is_some() => None,
            _ => Some(Err(PlanError::BadEmbedFilter { name: field.name.clone() })),
        }
    }

    fn test(&mut self, table: &Table, expr: Expr, operation: &Operation) -> Result<Filter, PlanError> {
        let operand = Operand { ty: expr.base_type(table), column: &table.column(expr.column).name };
        let test = match operation {
            Operation::Is(word) => return is(&operand.ty, expr, *word),
            Operation::In(texts) => {
                Test::In(texts.iter().map(|text| operand.value(text)).collect::<Result<Vec<_>, _>>()?)
            }
            Operation::Binary { operator, quantifier: None, value } => operand.test(*operator, value)?,
            Operation::Binary { operator, quantifier: Some(quantifier), value } => {
                return self.quantified(&operand, &expr, *operator, *quantifier, value);
            }
        };
        Ok(Filter::Test { expr, test })
    }

    /// `op(any).{a,b}` is one test an element, except that equality with any of them is membership.
    fn quantified(
        &mut self,
        operand: &Operand<'_>,
        expr: &Expr,
        operator: Operator,
        quantifier: Quantifier,
        text: &str,
    ) -> Result<Filter, PlanError> {
        let elements = operand.elements(text)?;
        within("list_items_max", self.limits.list_items_max, elements.len())?;
        if (operator, quantifier) == (Operator::Eq, Quantifier::Any) {
            let values = elements.iter().map(|element| operand.value(element)).collect::<Result<Vec<_>, _>>()?;
            return Ok(Filter::Test { expr: expr.clone(), test: Test::In(values) });
        }
        self.expanded += elements.len();
        within("filters_max", self.limits.filters_max, self.expanded)?;
        let tests = elements
            .iter()
            .map(|element| Ok(Filter::Test { expr: expr.clone(), test: operand.test(operator, element)? }));
        let tests: Vec<Filter> = tests.collect::<Result<_, PlanError>>()?;
        Ok(match quantifier {
            Quantifier::Any => any(tests),
            Quantifier::All => Filter::all(tests),
        })
    }
}

/// One of `parts`, without needless nesting.
fn any(mut parts: Vec<Filter>) -> Filter {
    match parts.len() {
        0 => Filter::False,
        1 => parts.remove(0),
        _ => Filter::Or(parts),
    }
}

/// The opposite; in three-valued logic, too, twice the opposite is the thing itself.
pub(super) fn negate(filter: Filter) -> Filter {
    match filter {
        Filter::True => Filter::False,
        Filter::False => Filter::True,
        Filter::Not(inner) => *inner,
        other => Filter::Not(Box::new(other)),
    }
}

fn is(ty: &Type, expr: Expr, word: IsWord) -> Result<Filter, PlanError> {
    if !matches!(word, IsWord::Null | IsWord::NotNull) && *ty != Type::Bool {
        return Err(PlanError::NoOperator { ty: ty.wire_name(), operator: "is" });
    }
    let test = |test| Filter::Test { expr, test };
    Ok(match word {
        IsWord::Null | IsWord::Unknown => test(Test::IsNull),
        IsWord::NotNull => negate(test(Test::IsNull)),
        IsWord::True => test(Test::IsBool(true)),
        IsWord::False => test(Test::IsBool(false)),
    })
}

/// What operands are compared with.
struct Operand<'a> {
    /// Its type, which operands are read as.
    ty: Type,
    /// Its column, for messages.
    column: &'a str,
}

impl Operand<'_> {
    fn test(&self, operator: Operator, text: &str) -> Result<Test, PlanError> {
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
                Ok(Test::Like { pattern: text.replace('*', "%"), case_sensitive: operator == Operator::Like })
            }
            Operator::Contains if is_nested => self.value(text).map(Test::Contains),
            Operator::ContainedIn if is_nested => self.value(text).map(Test::ContainedIn),
            Operator::Overlaps if matches!(self.ty, Type::Array(_)) => self.value(text).map(Test::Overlaps),
            Operator::Match | Operator::Imatch => {
                Err(not_implemented("This version does not have regular expressions.".to_owned()))
            }
            Operator::Like | Operator::Ilike | Operator::Contains | Operator::ContainedIn | Operator::Overlaps => {
                Err(PlanError::NoOperator { ty: self.ty.wire_name(), operator: word(operator) })
            }
        }
    }

    fn value(&self, text: &str) -> Result<Value, PlanError> {
        let value = Value::parse(&self.ty, text).or_else(|error| match (&self.ty, &error) {
            // A number that the column cannot hold can still be compared with those that it holds.
            (Type::Decimal { .. }, ValueError::OutOfRange { .. }) => {
                Decimal::parse(text).map(Value::Decimal).map_err(|_| error)
            }
            _ => Err(error),
        });
        value.map_err(|error| self.wrong(error))
    }

    /// The elements of an array literal, as text.
    fn elements(&self, text: &str) -> Result<Vec<String>, PlanError> {
        let literal = Value::parse(&Type::Array(Box::new(Type::Text)), text).map_err(|error| self.wrong(error))?;
        let Value::Array(items) = literal else { return Ok(Vec::new()) };
        let texts: Option<Vec<String>> = items.iter().map(Value::to_text).collect();
        texts.ok_or_else(|| not_implemented("This version does not take null in a list of any or all.".to_owned()))
    }

    fn wrong(&self, error: ValueError) -> PlanError {
        PlanError::Value { error, column: self.column.to_owned(), row: None }
    }
}

fn word(operator: Operator) -> &'static str {
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
    }
}
