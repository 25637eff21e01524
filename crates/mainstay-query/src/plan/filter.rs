//! Conditions → filters: which test, on which value, joined how.

use mainstay_schema::{Table, Type};

use super::operand::Operand;
use super::{Expr, Filter, Test, columns, resolve, search};
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
                None => match operation {
                    Operation::Search { syntax, language, text } => {
                        search::plan(table, field, *syntax, language.as_deref(), text)
                    }
                    operation => self.test(table, resolve::expr(table, field)?, operation),
                },
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
        let operand = Operand::new(table, &expr, self.limits);
        let test = match operation {
            Operation::Is(word) => return is(&operand.ty, expr, *word),
            Operation::In(texts) => {
                Test::In(texts.iter().map(|text| operand.value(text)).collect::<Result<Vec<_>, _>>()?)
            }
            Operation::Column { operator, field } => return columns::plan(table, expr, *operator, field),
            Operation::Search { .. } => unreachable!("a search is planned from its field"),
            Operation::Binary { operator, quantifier: None, value } => operand.test(*operator, value)?,
            Operation::Binary { operator, quantifier: Some(quantifier), value } => {
                return self.quantified(&operand, &expr, *operator, *quantifier, value);
            }
        };
        Ok(Filter::Test { expr, test })
    }

    /// `op(any).{a,b}` is one test an element, except that equality with any of them is membership. An element that is
    /// null makes a test that is unknown.
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
        let has_null = elements.iter().any(Option::is_none);
        let present = elements.iter().flatten();
        let test = |test| Filter::Test { expr: expr.clone(), test };
        let mut tests: Vec<Filter> = if (operator, quantifier) == (Operator::Eq, Quantifier::Any) {
            let values = present.map(|element| operand.value(element)).collect::<Result<Vec<_>, _>>()?;
            vec![test(Test::In(values))]
        } else {
            self.expanded += elements.len();
            within("filters_max", self.limits.filters_max, self.expanded)?;
            present.map(|element| operand.test(operator, element).map(test)).collect::<Result<_, _>>()?
        };
        tests.extend(has_null.then_some(Filter::Unknown));
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
    let test = |test| Filter::Test { expr, test };
    let (name, planned) = match word {
        IsWord::Null => return Ok(test(Test::IsNull)),
        IsWord::NotNull => return Ok(negate(test(Test::IsNull))),
        IsWord::Unknown => ("UNKNOWN", test(Test::IsNull)),
        IsWord::True => ("TRUE", test(Test::IsBool(true))),
        IsWord::False => ("FALSE", test(Test::IsBool(false))),
    };
    if *ty == Type::Bool { Ok(planned) } else { Err(PlanError::NotBoolean { word: name, ty: ty.wire_name() }) }
}
