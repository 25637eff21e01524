//! Which rows: conditions and tests.

use mainstay_schema::model::Pattern;
use mainstay_schema::{ColumnId, TableId, Value};

use super::{Expr, Join};
use crate::evaluate::SearchQuery;

/// Which rows: a condition in SQL's three-valued logic. A row passes when it is true.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Every row.
    True,
    /// No row.
    False,
    /// Neither true nor false, as a comparison with null is.
    Unknown,
    /// All hold.
    And(Vec<Filter>),
    /// One holds.
    Or(Vec<Filter>),
    /// The opposite; unknown stays unknown.
    Not(Box<Filter>),
    /// A test of one value.
    Test {
        /// The value tested; its type is that of the operands.
        expr: Expr,
        /// The test.
        test: Test,
    },
    /// A test of one value of the row against another. Both are of types that have an order among them; where a
    /// conversion is needed for that, the expression holds it.
    Columns {
        /// The value tested.
        left: Expr,
        /// The test.
        test: ColumnTest,
        /// What it is tested against.
        right: Expr,
    },
    /// Words in text columns that a full-text index holds.
    Search(Search),
    /// Whether more than `skip` related rows pass. Never unknown.
    Exists {
        /// How the rows are found.
        join: Join,
        /// The related table.
        table: TableId,
        /// What they must satisfy.
        filter: Box<Filter>,
        /// Rows that do not count.
        skip: u64,
    },
}

impl Filter {
    /// Whether it asks anywhere how ranges lie, which nobody but their database can tell.
    pub fn compares_ranges(&self) -> bool {
        match self {
            Filter::And(parts) | Filter::Or(parts) => parts.iter().any(Filter::compares_ranges),
            Filter::Not(part) => part.compares_ranges(),
            Filter::Exists { filter, .. } => filter.compares_ranges(),
            Filter::Test { test, .. } => matches!(test, Test::Range(..)),
            Filter::True | Filter::False | Filter::Unknown | Filter::Columns { .. } | Filter::Search(_) => false,
        }
    }

    /// All of `parts`, without needless nesting.
    pub fn all(parts: impl IntoIterator<Item = Filter>) -> Filter {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                Filter::True => {}
                Filter::False => return Filter::False,
                Filter::And(inner) => kept.extend(inner),
                other => kept.push(other),
            }
        }
        match kept.len() {
            0 => Filter::True,
            1 => kept.remove(0),
            _ => Filter::And(kept),
        }
    }
}

/// A search for words; unknown when all the columns are null.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// Which full-text index of the table.
    pub index: usize,
    /// The columns searched: one of its columns, or all.
    pub columns: Vec<ColumnId>,
    /// What is searched for, in the language of the index.
    pub query: SearchQuery,
}

/// A test of one value. Operands have the type of the tested expression and are never null.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// Comparison; unknown when the tested value is null.
    Compare(Comparison, Value),
    /// One of these; unknown for null, false for every value when the list is empty.
    In(Vec<Value>),
    /// Is null. Never unknown.
    IsNull,
    /// Is this truth value. Never unknown; only on `bool`.
    IsBool(bool),
    /// Differs from this value, null being different from every value. Never unknown.
    IsDistinct(Value),
    /// Text matches a pattern in which `%` is any text and `_` any character; backslash makes the next one literal.
    Like {
        /// The pattern, `*` already replaced by `%`.
        pattern: String,
        /// Whether letter case counts; when not, both sides are compared after Unicode simple case folding.
        case_sensitive: bool,
    },
    /// Text has a part that a regular expression matches; unknown for null.
    Match {
        /// The compiled expression.
        pattern: Pattern,
        /// Whether letter case counts.
        case_sensitive: bool,
    },
    /// JSON or array contains this one (`@>`).
    Contains(Value),
    /// JSON or array is contained in this one (`<@`).
    ContainedIn(Value),
    /// Arrays share an element.
    Overlaps(Value),
    /// How a range lies to the one that a text stands for, which only the database can read; unknown when it is null.
    Range(RangeTest, Value),
}

/// How one range lies to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeTest {
    /// It holds all of the other.
    Contains,
    /// The other holds all of it.
    ContainedIn,
    /// They have something in common.
    Overlaps,
    /// It ends before the other begins.
    StrictlyLeft,
    /// It begins after the other ends.
    StrictlyRight,
    /// It does not reach beyond the other.
    NotRight,
    /// It does not begin before the other.
    NotLeft,
    /// They lie side by side with nothing between them.
    Adjacent,
}

impl RangeTest {
    /// What PostgreSQL calls it.
    pub fn symbol(self) -> &'static str {
        match self {
            RangeTest::Contains => "@>",
            RangeTest::ContainedIn => "<@",
            RangeTest::Overlaps => "&&",
            RangeTest::StrictlyLeft => "<<",
            RangeTest::StrictlyRight => ">>",
            RangeTest::NotRight => "&<",
            RangeTest::NotLeft => "&>",
            RangeTest::Adjacent => "-|-",
        }
    }
}

/// A test of one value of a row against another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnTest {
    /// Comparison; unknown when either is null.
    Compare(Comparison),
    /// Differs, null being a value like others. Never unknown.
    IsDistinct,
    /// The left text matches the right one as a pattern, in which `%` is any text, `_` any character and `*` itself;
    /// unknown when either is null.
    Like {
        /// Whether letter case counts.
        case_sensitive: bool,
    },
}

/// Comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Equal.
    Eq,
    /// Not equal.
    Neq,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
}
