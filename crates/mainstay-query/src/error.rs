//! Why a request is not one, cannot be planned, or is not allowed.

use mainstay_schema::{ValueError, Violation};

/// Text that is not a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// A query parameter does not parse (PGRST100).
    #[error("\"failed to parse {what} ({text})\" (line 1, column {column})")]
    Syntax {
        /// Which part: `filter`, `logic tree`, `order`, `select parameter`, …
        what: &'static str,
        /// The text that did not parse.
        text: String,
        /// Character position in it, from 1.
        column: usize,
        /// What was found and what would be right: `unexpected "x" expecting operator (eq, gt, …)`.
        details: String,
    },
    /// A body does not parse (PGRST102).
    #[error("{message}")]
    Body {
        /// What is wrong.
        message: String,
        /// Where.
        details: Option<String>,
    },
    /// A negative limit, an impossible range (PGRST103).
    #[error("Requested range not satisfiable")]
    Range {
        /// Why.
        details: String,
    },
    /// A `PUT` with a limit or an offset (PGRST114).
    #[error("limit/offset querystring parameters are not allowed for PUT")]
    ReplaceRange,
    /// A query parameter that is unknown or does not belong to this method (PGRST100).
    #[error("{message}")]
    Parameter {
        /// What is wrong.
        message: String,
        /// What would be right.
        hint: String,
    },
    /// Part of the language that this version does not have (PGRST127).
    #[error("Feature not implemented")]
    NotImplemented {
        /// Which.
        details: String,
    },
    /// A bound of [`Limits`](crate::Limits) was passed.
    #[error("{limit} is {max}; this request has {given}")]
    TooMuch {
        /// Name of the limit as in the settings.
        limit: &'static str,
        /// Its value.
        max: u64,
        /// What was asked.
        given: u64,
    },
}

/// A request that cannot become a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// No such table or view (PGRST205).
    #[error("Could not find the table '{schema}.{table}' in the schema cache")]
    UnknownTable {
        /// Schema name on the wire, `public`.
        schema: &'static str,
        /// The name asked for.
        table: String,
        /// A near name.
        suggestion: Option<String>,
    },
    /// A column in select, filter or order that the table lacks (42703).
    #[error("column {table}.{column} does not exist")]
    UnknownColumn {
        /// The table.
        table: String,
        /// The name asked for.
        column: String,
        /// A near name.
        suggestion: Option<String>,
    },
    /// A column in a body or in `columns` that the table lacks (PGRST204).
    #[error("Could not find the '{column}' column of '{table}' in the schema cache")]
    UnknownBodyColumn {
        /// The table.
        table: String,
        /// The name asked for.
        column: String,
    },
    /// A cast to a type that does not exist (42704).
    #[error("type \"{name}\" does not exist")]
    UnknownType {
        /// The name asked for.
        name: String,
    },
    /// An operator on a type that does not have it (42883).
    #[error("operator does not exist: {ty} {operator}")]
    NoOperator {
        /// Wire name of the type.
        ty: &'static str,
        /// The operator's word.
        operator: &'static str,
    },
    /// `is` with a truth value on a column that has none (42804).
    #[error("argument of IS {word} must be type boolean, not type {ty}")]
    NotBoolean {
        /// `TRUE`, `FALSE` or `UNKNOWN`.
        word: &'static str,
        /// Wire name of the type.
        ty: &'static str,
    },
    /// Two columns of types that have no order among them (42883).
    #[error("operator does not exist: {left} {operator} {right}")]
    Incomparable {
        /// Wire name of the type on the left.
        left: &'static str,
        /// The operator's word.
        operator: &'static str,
        /// Wire name of the type on the right.
        right: &'static str,
    },
    /// A cast between types that have nothing in common (42846).
    #[error("cannot cast type {from} to {to}")]
    NoCast {
        /// Wire name of the type of the value.
        from: &'static str,
        /// Wire name of the type asked for.
        to: &'static str,
    },
    /// A pattern of `match` that is no regular expression, or one too large (2201B).
    #[error("invalid regular expression: {reason}")]
    Pattern {
        /// What is wrong with it.
        reason: String,
    },
    /// A search that does not parse (42601).
    #[error("syntax error in tsquery: \"{text}\"")]
    SearchSyntax {
        /// The search, shortened.
        text: String,
    },
    /// A language that is not known (42704).
    #[error("text search configuration \"{name}\" does not exist")]
    UnknownLanguage {
        /// The name asked for.
        name: String,
    },
    /// A value that is not of the column's type (22P02, 22003, 22008, 22021).
    #[error("{error}")]
    Value {
        /// Why.
        error: ValueError,
        /// The column it was meant for.
        column: String,
        /// Row of the body, from 1, for writes.
        row: Option<usize>,
    },
    /// A value that its column does not accept (23514).
    #[error("new row for relation \"{table}\" violates check constraint \"{table}_{}_check\"", violation.column)]
    Check {
        /// The table.
        table: String,
        /// Which check.
        violation: Violation,
        /// Row of the body, from 1.
        row: Option<usize>,
    },
    /// Null or nothing for a required column (23502).
    #[error("null value in column \"{column}\" of relation \"{table}\" violates not-null constraint")]
    NotNull {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Row of the body, from 1.
        row: Option<usize>,
    },
    /// A filter, order or limit on something not embedded (PGRST108).
    #[error("'{name}' is not an embedded resource in this request")]
    NotEmbedded {
        /// The name asked for.
        name: String,
        /// The alias by which the embed must be named instead.
        alias: Option<String>,
    },
    /// An aggregate where they are turned off (PGRST123).
    #[error("Use of aggregate functions is not allowed")]
    AggregatesOff,
    /// An aggregate of values that it cannot be made of (42883).
    #[error("function {name}({ty}) does not exist")]
    NoFunction {
        /// The function's word.
        name: &'static str,
        /// Wire name of the type.
        ty: &'static str,
    },
    /// Groups ordered by a column that they do not have (42803).
    #[error("column \"{table}.{column}\" must appear in the GROUP BY clause or be used in an aggregate function")]
    NotGrouped {
        /// The table or embed.
        table: String,
        /// The column.
        column: String,
    },
    /// An operator other than the null tests on an embed (PGRST120).
    #[error("Bad operator on the '{name}' embedded resource")]
    BadEmbedFilter {
        /// The embed.
        name: String,
    },
    /// Ordering by a to-many embed (PGRST118).
    #[error("A related order on '{name}' is not possible")]
    BadRelatedOrder {
        /// The parent table.
        table: String,
        /// The embed.
        name: String,
    },
    /// No relation between two tables (PGRST200).
    #[error("Could not find a relationship between '{parent}' and '{child}' in the schema cache")]
    NoRelation {
        /// The near table.
        parent: String,
        /// The target as written.
        child: String,
        /// The hint as written.
        hint: Option<String>,
        /// Schema name on the wire.
        schema: &'static str,
        /// Which of the two names is probably mistaken.
        mistaken: Mistaken,
        /// A near name in its place: of a related table or, if the near table is related to none, of one that is.
        suggestion: Option<String>,
    },
    /// More than one relation between two tables (PGRST201).
    #[error("Could not embed because more than one relationship was found for '{parent}' and '{child}'")]
    Ambiguous {
        /// The near table.
        parent: String,
        /// The target as written.
        child: String,
        /// Every candidate.
        candidates: Vec<Candidate>,
    },
    /// A `PUT` whose filters are not the primary key (PGRST105).
    #[error("Filters must include all and only primary key columns with 'eq' operators")]
    ReplaceFilters,
    /// A `PUT` whose body is not the one row of its URL (PGRST115).
    #[error("Payload values do not match URL in primary key column(s)")]
    ReplaceKey,
    /// What is wrong is wrong with a row inside a row.
    #[error("{error}")]
    Nested {
        /// Row of the body, from 1.
        row: usize,
        /// From there to the row, member by member.
        path: Vec<NestedPlace>,
        /// The tables of the members.
        tables: Vec<String>,
        /// What is wrong.
        error: Box<PlanError>,
    },
    /// `on_conflict` names no unique key (42P10).
    #[error("there is no unique or exclusion constraint matching the ON CONFLICT specification")]
    NoSuchKey,
    /// One key twice in one merge (21000).
    #[error("ON CONFLICT DO UPDATE command cannot affect row a second time")]
    RepeatedKey,
    /// An update or delete without a filter (21000).
    #[error("{verb} requires a WHERE clause")]
    NoFilter {
        /// `UPDATE` or `DELETE`.
        verb: &'static str,
    },
    /// A write to a view (55000).
    #[error("cannot write to view \"{table}\"")]
    ReadOnly {
        /// The view.
        table: String,
    },
    /// No function of that name takes these arguments (PGRST202).
    #[error("{message}")]
    UnknownFunction {
        /// What was not found.
        message: String,
        /// What was looked for.
        details: String,
        /// What was probably meant.
        hint: Option<String>,
    },
    /// Several functions of that name take these arguments (PGRST203).
    #[error("Could not choose the best candidate function between: {candidates}")]
    AmbiguousFunction {
        /// Their names and parameters.
        candidates: String,
    },
    /// An argument that is not of its parameter's type (22P02, 22003, 22008, 22021).
    #[error("{error}")]
    Argument {
        /// Why.
        error: ValueError,
        /// The parameter it was meant for.
        parameter: String,
    },
    /// An argument that its parameter does not accept (23514).
    #[error("value for parameter \"{}\" of function {function} violates its check", violation.column)]
    ArgumentCheck {
        /// The function.
        function: String,
        /// Which check, of which parameter.
        violation: Violation,
    },
    /// Null for a parameter that must have a value (23502).
    #[error("null value for parameter \"{parameter}\" of function {function}")]
    ArgumentNull {
        /// The function.
        function: String,
        /// The parameter.
        parameter: String,
    },
    /// A function that writes, called by a method that must not (25006).
    #[error("cannot execute function {function} in a read-only transaction")]
    ReadOnlyCall {
        /// The function.
        function: String,
    },
    /// `max-affected` on a function that does not return a list (PGRST128).
    #[error("Function must return SETOF or TABLE when max-affected preference is used with handling=strict")]
    SingleAffected,
    /// A request that does not parse in a part that needs the schema, or a bound passed.
    #[error(transparent)]
    Parse(#[from] ParseError),
}

/// Which name of two that are not related is probably mistaken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistaken {
    /// That of the near table.
    Parent,
    /// That of the target.
    Child,
}

/// A step from a row to a row inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NestedPlace {
    /// The member.
    pub name: String,
    /// The row in its list, from 1; `None` where it holds one.
    pub row: Option<usize>,
}

/// One way that an ambiguous embed could have meant (PGRST201 details).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// `many-to-one`, `one-to-many`, `one-to-one` or `many-to-many`.
    pub cardinality: &'static str,
    /// `films with directors`.
    pub embedding: String,
    /// `constraint using A(cols) and B(cols)`.
    pub relationship: String,
    /// What to write instead: `directors!constraint`.
    pub instead: String,
}

/// The rules do not allow it (42501).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("permission denied for {} {table}", if *operation == Denied::CALL { "function" } else { "table" })]
pub struct Denied {
    /// The first table whose rule refused, or the function.
    pub table: String,
    /// What was refused there: `read`, `create`, `update` or `delete`; [`Denied::CALL`] for a function.
    pub operation: &'static str,
}

impl Denied {
    /// The operation on a function.
    pub const CALL: &'static str = "call";

    /// The refusal to call a function.
    pub fn call(function: &str) -> Denied {
        Denied { table: function.to_owned(), operation: Denied::CALL }
    }
}
