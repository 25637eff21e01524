//! Errors of the crates below → [`Problem`]. Every variant has its line here; an unknown one is internal.

use mainstay_engine::Error;
use mainstay_query::error::{Candidate, Mistaken, NestedPlace};
use mainstay_query::{Actor, Denied, ParseError, PlanError, Role};
use mainstay_schema::ValueError;
use mainstay_store::{BrokenReference, ReferenceEnd, StoreError};

use super::codes::*;
use super::{Problem, database};
use crate::encode::{TooLarge, push_string};

impl Problem {
    /// What this actor is told about an error of the engine.
    pub fn of(error: Error, actor: &Actor) -> Problem {
        match error {
            Error::Parse(error) => Problem::from(error),
            Error::Plan(error) => plan(error),
            Error::Denied(denied) => refused(&denied, actor),
            Error::TooHeavy(error) => {
                let index = error.index.as_ref().map(|index| format!("An index on {index} would help."));
                let hint =
                    index.unwrap_or_else(|| "Filter by columns that an index begins with, or ask for less.".to_owned());
                Problem::new(HEAVY, error.to_string()).hint(hint)
            }
            Error::Store(StoreError::Database(error)) => database::problem(&error, actor),
            Error::Store(error) => store(error),
            error => internal(&error),
        }
    }
}

impl From<ParseError> for Problem {
    fn from(error: ParseError) -> Problem {
        let message = error.to_string();
        match error {
            ParseError::Syntax { details, .. } => Problem::new(QUERY, message).details(details),
            ParseError::Body { details, .. } => {
                let problem = Problem::new(BODY, message);
                match details {
                    Some(details) => problem.details(details),
                    None => problem,
                }
            }
            ParseError::Range { details } => Problem::new(RANGE, message).details(details),
            ParseError::ReplaceRange => Problem::new(REPLACE_RANGE, message),
            ParseError::Parameter { hint, .. } => Problem::new(QUERY, message).hint(hint),
            ParseError::NotImplemented { details } => Problem::new(NOT_IMPLEMENTED, message).details(details),
            ParseError::TooMuch { limit, max, given } => too_much(limit, max, Some(given)),
            error => internal(&error),
        }
    }
}

impl From<TooLarge> for Problem {
    fn from(error: TooLarge) -> Problem {
        too_much("response_bytes_max", error.max as u64, None).hint("Ask for fewer rows or columns.")
    }
}

/// A bound was passed. Limits are named as in the settings.
fn too_much(limit: &str, max: u64, given: Option<u64>) -> Problem {
    let limit = limit.strip_prefix("limits.").unwrap_or(limit);
    let more = given.map_or("this answer has more".to_owned(), |given| format!("this request has {given}"));
    Problem::new(LIMIT, format!("limits.{limit} is {max}; {more}"))
}

fn plan(error: PlanError) -> Problem {
    let message = error.to_string();
    match error {
        PlanError::Parse(error) => Problem::from(error),
        PlanError::UnknownTable { schema, suggestion, .. } => {
            let hint = suggestion.map(|name| format!("Perhaps you meant the table '{schema}.{name}'"));
            Problem::new(UNKNOWN_TABLE, message).hint_if_any(hint)
        }
        PlanError::UnknownColumn { table, suggestion, .. } => {
            let hint = suggestion.map(|name| format!("Perhaps you meant to reference the column \"{table}.{name}\"."));
            Problem::new(UNKNOWN_COLUMN, message).hint_if_any(hint)
        }
        PlanError::UnknownBodyColumn { .. } => Problem::new(BODY_COLUMN, message),
        PlanError::UnknownType { .. } => Problem::new(UNKNOWN_TYPE, message),
        PlanError::Pattern { .. } => Problem::new(REGULAR_EXPRESSION, message),
        PlanError::SearchSyntax { .. } => Problem::new(SEARCH_SYNTAX, message),
        PlanError::UnknownLanguage { .. } => Problem::new(UNKNOWN_TYPE, message)
            .hint(format!("There are: {}.", mainstay_schema::Language::ALL.map(|(name, _)| name).join(", "))),
        PlanError::NotBoolean { .. } => Problem::new(DATATYPE, message),
        PlanError::NoCast { .. } => Problem::new(NO_CAST, message),
        PlanError::NoOperator { .. } | PlanError::Incomparable { .. } => Problem::new(NO_OPERATOR, message)
            .hint("No operator matches the given name and argument types. You might need to add explicit type casts."),
        PlanError::Value { error, column, row } => {
            value(&error).details(place(&format!("The value was meant for the column \"{column}\""), row))
        }
        PlanError::Check { violation, row, .. } => {
            Problem::new(CHECK, message).details(place(&violation.to_string(), row))
        }
        PlanError::NotNull { row, .. } => match row {
            Some(row) => Problem::new(NOT_NULL, message).details(format!("In row {row} of the body.")),
            None => Problem::new(NOT_NULL, message),
        },
        PlanError::UnknownFunction { details, hint, .. } => {
            Problem::new(UNKNOWN_FUNCTION, message).details(details).hint_if_any(hint)
        }
        PlanError::AmbiguousFunction { .. } => Problem::new(AMBIGUOUS_FUNCTION, message).hint(
            "Try renaming the parameters or the function itself in the database so function overloading can be resolved",
        ),
        PlanError::Argument { error, parameter } => {
            value(&error).details(place(&format!("The value was meant for the parameter \"{parameter}\""), None))
        }
        PlanError::ArgumentCheck { violation, .. } => Problem::new(CHECK, message).details(format!("{violation}.")),
        PlanError::ArgumentNull { .. } => Problem::new(NOT_NULL, message),
        PlanError::ReadOnlyCall { .. } => Problem::new(READ_ONLY_CALL, message).hint("Call it by POST.").allow("OPTIONS,POST"),
        PlanError::SingleAffected => Problem::new(SINGLE_AFFECTED, message),
        PlanError::NotEmbedded { name, alias: Some(alias) } => Problem::new(NOT_EMBEDDED, message)
            .details("Target names are not allowed in filters if they have an alias")
            .hint(format!("Change '{name}' to '{alias}' in filters, orders or limits.")),
        PlanError::AggregatesOff => Problem::new(AGGREGATES_OFF, message),
        PlanError::NoFunction { .. } => Problem::new(NO_OPERATOR, message)
            .hint("No function matches the given name and argument types. You might need to add explicit type casts."),
        PlanError::NotGrouped { .. } => Problem::new(NOT_GROUPED, message),
        PlanError::NotEmbedded { name, alias: None } => Problem::new(NOT_EMBEDDED, message)
            .hint(format!("Verify that '{name}' is included in the 'select' query parameter.")),
        PlanError::BadEmbedFilter { .. } => Problem::new(EMBED_FILTER, message)
            .details("Only is null or not is null filters are allowed on embedded resources"),
        PlanError::BadRelatedOrder { table, name } => Problem::new(RELATED_ORDER, message)
            .details(format!("'{table}' and '{name}' do not form a many-to-one or one-to-one relationship")),
        PlanError::NoRelation { parent, child, hint, schema, mistaken, suggestion } => {
            let instead_of = match mistaken {
                Mistaken::Parent => &parent,
                Mistaken::Child => &child,
            };
            let meant = suggestion.map(|name| format!("Perhaps you meant '{name}' instead of '{instead_of}'."));
            let using = hint.map_or(String::new(), |hint| format!(" using the hint '{hint}'"));
            Problem::new(NO_RELATION, message)
                .details(format!(
                    "Searched for a foreign key relationship between '{parent}' and '{child}'{using} in the schema \
                     '{schema}', but no matches were found."
                ))
                .hint_if_any(meant)
        }
        PlanError::Ambiguous { child, candidates, .. } => Problem::new(AMBIGUOUS, message)
            .details_json(candidates_json(&candidates))
            .hint(ambiguous_hint(&child, &candidates)),
        PlanError::ReplaceFilters => Problem::new(REPLACE_FILTERS, message),
        PlanError::ReplaceKey => Problem::new(REPLACE_KEY, message),
        PlanError::Nested { row, path, error, .. } => plan(*error).place(&nested_place(row, &path)),
        PlanError::NoSuchKey => Problem::new(NO_SUCH_KEY, message),
        PlanError::RepeatedKey => repeated_key(message),
        PlanError::NoFilter { .. } => Problem::new(NO_FILTER, message)
            .hint("Add a filter, or send `Prefer: handling=strict, max-affected=N` to say how many rows it may be."),
        PlanError::ReadOnly { .. } => Problem::new(READ_ONLY, message),
        error => internal(&error),
    }
}

/// `In row 2, order_lines row 1, products of the body.`
fn nested_place(row: usize, path: &[NestedPlace]) -> String {
    let mut place = format!("In row {row}");
    for NestedPlace { name, row } in path {
        place.push_str(", ");
        place.push_str(name);
        if let Some(row) = row {
            place.push_str(&format!(" row {row}"));
        }
    }
    place.push_str(" of the body.");
    place
}

/// `what`, with the row of the body where there are rows.
fn place(what: &str, row: Option<usize>) -> String {
    match row {
        Some(row) => format!("{what}, in row {row} of the body."),
        None => format!("{what}."),
    }
}

fn value(error: &ValueError) -> Problem {
    let code = match error {
        ValueError::Syntax { .. } | ValueError::Json { .. } => SYNTAX,
        ValueError::OutOfRange { .. } => OUT_OF_RANGE,
        ValueError::NoSuchTime { .. } => NO_SUCH_TIME,
        ValueError::Nul => NUL,
        ValueError::LongPattern { .. } => PARAMETER_VALUE,
        error => return internal(error),
    };
    Problem::new(code, error.to_string())
}

fn refused(denied: &Denied, actor: &Actor) -> Problem {
    let code = if *actor == Actor::Caller(Role::Anon) { DENIED_ANONYMOUS } else { DENIED };
    let hint = match denied.operation {
        Denied::CALL => "Neither `access` in the function's file nor, for what the database holds, the setting \
                         stores.main.access.call lets this role call it."
            .to_owned(),
        operation => format!("The access rules of the table do not let this role {operation} rows."),
    };
    Problem::new(code, denied.to_string()).hint(hint)
}

fn store(error: StoreError) -> Problem {
    let message = error.to_string();
    match &error {
        StoreError::Duplicate { columns, values, .. } => {
            let columns = columns.join(", ");
            let details = match values {
                Some(values) => format!("Key ({columns})=({}) already exists.", values.join(", ")),
                None => format!("Key ({columns}) already exists."),
            };
            Problem::new(DUPLICATE, message).details(details)
        }
        StoreError::Reference { broken: None, .. } => Problem::new(REFERENCE, message),
        StoreError::Reference { broken: Some(broken), .. } => {
            Problem::new(REFERENCE, message).details(broken_key(broken))
        }
        StoreError::NotNull { .. } => Problem::new(NOT_NULL, message),
        StoreError::Check { .. } => Problem::new(CHECK, message),
        StoreError::Raised { .. } => Problem::new(RAISED, message),
        StoreError::Computed { column } => {
            Problem::new(COMPUTED, message).details(format!("Column \"{column}\" is a generated column."))
        }
        StoreError::NoText => Problem::new(NUL, message)
            .details("A text in the database is not UTF-8. Cast it to bytes there, or leave its column out."),
        StoreError::Unexpected { affected, single: true } => singular(*affected),
        StoreError::Unexpected { affected, single: false } => {
            Problem::new(MAX_AFFECTED, "Query result exceeds max-affected preference constraint")
                .details(format!("The query affects {affected} rows"))
        }
        StoreError::Function { .. } => Problem::new(FUNCTION_FAILED, message),
        StoreError::Value(error) => value(error),
        StoreError::Violation { violation, .. } => Problem::new(CHECK, message).details(format!("{violation}.")),
        StoreError::Patch { reason, .. } => Problem::new(PATCH_CONFLICT, message).details(reason),
        StoreError::SeveralRows { .. } => Problem::new(REPEATED_KEY, message)
            .hint("Declare the key that the view has, or ask for its rows as a list."),
        StoreError::RepeatedKey => repeated_key(message),
        StoreError::Deadline => Problem::new(STATEMENT_TIME, message),
        StoreError::Overloaded => Problem::new(OVERLOADED, message),
        StoreError::Unavailable(_) => Problem::new(UNAVAILABLE, "Database connection error.").cause(&error),
        StoreError::Down { .. } => Problem::new(UNAVAILABLE, message).cause(&error),
        StoreError::TooManyRows { .. } => Problem::new(JOIN_LARGE, message).hint(
            "Filter the rows of either store further, or ask for a smaller page; rows are joined across stores by looking up \
             the keys of the page.",
        ),
        StoreError::AfterWrite(_) => Problem::new(AFTER_WRITE, message)
            .hint("Do not write again. Read the rows, or write with Prefer: return=minimal.")
            .cause(&error),
        StoreError::CannotWrite(_) => Problem::new(CANNOT_WRITE, message).cause(&error),
        StoreError::SchemaChanged(_) => Problem::new(SCHEMA_CHANGED, message).cause(&error),
        StoreError::Unsupported { what } => Problem::new(NOT_IMPLEMENTED, "Feature not implemented").details(what),
        error => internal(error),
    }
}

/// The key that points at nothing, or that is pointed at.
fn broken_key(broken: &BrokenReference) -> String {
    let columns = broken.columns.join(", ");
    let values = broken.values.as_ref().map_or(String::new(), |values| format!("=({})", values.join(", ")));
    let place = broken.row.map_or(String::new(), |row| format!(" (row {row} of the body)"));
    match (broken.end, &broken.other) {
        (ReferenceEnd::Pointing, Some(table)) => {
            format!("Key ({columns}){values} is not present in table \"{table}\".{place}")
        }
        (ReferenceEnd::Pointing, None) => {
            format!("Key ({columns}){values} is not present in the table that it refers to.{place}")
        }
        (ReferenceEnd::Target, Some(table)) => {
            format!("Key ({columns}){values} is still referenced from table \"{table}\".")
        }
        (ReferenceEnd::Target, None) => format!("Key ({columns}){values} is still referenced."),
    }
}

fn repeated_key(message: String) -> Problem {
    Problem::new(REPEATED_KEY, message)
        .hint("Ensure that no rows proposed for insertion within the same command have duplicate constrained values.")
}

/// Another number of rows than the one that was asked for.
pub(crate) fn singular(rows: u64) -> Problem {
    Problem::new(SINGULAR, "Cannot coerce the result to a single JSON object")
        .details(format!("The result contains {rows} rows"))
}

fn internal(error: &dyn std::error::Error) -> Problem {
    Problem::new(INTERNAL, "internal error").cause(error)
}

fn candidates_json(candidates: &[Candidate]) -> String {
    let mut out = vec![b'['];
    for (position, candidate) in candidates.iter().enumerate() {
        out.extend_from_slice(if position == 0 { b"{\"cardinality\":" } else { b",{\"cardinality\":" });
        push_string(&mut out, candidate.cardinality);
        out.extend_from_slice(b",\"embedding\":");
        push_string(&mut out, &candidate.embedding);
        out.extend_from_slice(b",\"relationship\":");
        push_string(&mut out, &candidate.relationship);
        out.push(b'}');
    }
    out.push(b']');
    String::from_utf8(out).unwrap_or_default()
}

fn ambiguous_hint(child: &str, candidates: &[Candidate]) -> String {
    let ways: Vec<_> = candidates.iter().map(|candidate| format!("'{}'", candidate.instead)).collect();
    format!(
        "Try changing '{child}' to one of the following: {}. Find the desired relationship in the 'details' key.",
        ways.join(", ")
    )
}
