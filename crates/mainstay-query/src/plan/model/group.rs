//! Grouped rows: aggregates, and what is asked of the groups.

use mainstay_schema::{Table, Type};

use super::{Expr, Filter, Order};

/// What is asked of groups of rows.
///
/// Without any member that is no aggregate there is exactly one group, even of no rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Groups {
    /// The groups as rows of a table: one column for each value, in the order of the members, those of to-one embeds
    /// and spreads among them at their place. Names are those that conditions and orders use; stores do not.
    pub table: Table,
    /// Which groups.
    pub having: Filter,
    /// Their order; total, but for groups that differ only in whether a related row is there.
    pub order: Vec<Order>,
}

/// A value made from all rows of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// How.
    pub function: Function,
    /// From what; `None` counts rows.
    pub input: Option<Expr>,
    /// The result is converted to this type.
    pub cast: Option<Type>,
}

/// Ways to make one value from many. None of them heeds null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// Number of values; 0 for none.
    Count,
    /// Sum; null for none.
    Sum,
    /// Arithmetic mean; null for none.
    Avg,
    /// Smallest; null for none.
    Min,
    /// Largest; null for none.
    Max,
}

impl Function {
    /// Its word in requests.
    pub fn word(self) -> &'static str {
        match self {
            Function::Count => "count",
            Function::Sum => "sum",
            Function::Avg => "avg",
            Function::Min => "min",
            Function::Max => "max",
        }
    }

    /// The type of the result for values of type `input`, as in PostgreSQL; `None` if there is no such function.
    ///
    /// A mean has as many digits as it needs: the scale here is only the least.
    pub fn result(self, input: &Type) -> Option<Type> {
        let exact = |scale| Some(Type::Decimal { precision: 38, scale });
        match (self, input) {
            (Function::Count, _) | (Function::Sum, Type::Int) => Some(Type::BigInt),
            (Function::Sum, Type::BigInt) => exact(0),
            (Function::Sum, Type::Decimal { scale, .. }) => exact(*scale),
            (Function::Sum | Function::Avg, Type::Float) => Some(Type::Float),
            (Function::Avg, Type::Int | Type::BigInt | Type::Decimal { .. }) => exact(16),
            (Function::Sum | Function::Avg, _) => None,
            (Function::Min | Function::Max, Type::Bool | Type::Uuid | Type::Bytes | Type::Json) => None,
            (Function::Min | Function::Max, ordered) => Some(ordered.clone()),
        }
    }
}

impl Aggregate {
    /// The type before the cast.
    pub fn base_type(&self, table: &Table) -> Type {
        match &self.input {
            None => Type::BigInt,
            Some(input) => {
                let input = input.ty(table);
                // The planner refuses what has no result.
                self.function.result(&input).unwrap_or(input)
            }
        }
    }

    /// The type of the result.
    pub fn ty(&self, table: &Table) -> Type {
        self.cast.clone().unwrap_or_else(|| self.base_type(table))
    }
}
