//! The SQL functions and collations that make SQLite mean what [`mainstay_query::evaluate`] means.
//!
//! Every connection registers all of them. They are deterministic and innocuous: they only look at their arguments.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::sync::Arc;

use mainstay_query::evaluate::{
    self, Accumulator, SearchQuery, cast, contained_in, contains, json_get, json_text, overlaps,
};
use mainstay_query::plan::{Assign, Function, PathStep};
use mainstay_query::request::SearchSyntax;
use mainstay_schema::value::{Decimal, Json};
use mainstay_schema::{ColumnId, Language, Table, Type, Value, ValueError};
use mainstay_store::StoreError;
use regex::Regex;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Error, Result};
use serde_json::value::RawValue;

use super::{computed, types};

/// `mainstay_like(pattern, text)`: case counts.
pub(super) const LIKE: &str = "mainstay_like";
/// `mainstay_ilike(pattern, text)`: case does not count.
pub(super) const ILIKE: &str = "mainstay_ilike";
/// `mainstay_match(pattern, text)`: a regular expression; case counts.
pub(super) const MATCH: &str = "mainstay_match";
/// `mainstay_imatch(pattern, text)`: case does not count.
pub(super) const IMATCH: &str = "mainstay_imatch";
/// `mainstay_like_column(pattern, text)`: the pattern may be another one in each row.
pub(super) const LIKE_COLUMN: &str = "mainstay_like_column";
/// `mainstay_ilike_column(pattern, text)`: case does not count.
pub(super) const ILIKE_COLUMN: &str = "mainstay_ilike_column";
/// `mainstay_words(text, language)`: the words of a text as a full-text index keeps them.
pub(super) const WORDS: &str = "mainstay_words";
/// `mainstay_search(search, text, …)`: whether texts answer a search, written as [`search_text`] does.
pub(super) const SEARCH: &str = "mainstay_search";
/// `mainstay_get(json, path)`: a part as JSON.
pub(super) const GET: &str = "mainstay_get";
/// `mainstay_text(json, path)`: a part as text.
pub(super) const TEXT: &str = "mainstay_text";
/// `mainstay_cast(value, from, to)`.
pub(super) const CAST: &str = "mainstay_cast";
/// `mainstay_as(value, type)`: what a function of the project computes, as a value of the type.
pub(super) const AS: &str = "mainstay_as";
/// `mainstay_contains(left, right, type)`.
pub(super) const CONTAINS: &str = "mainstay_contains";
/// `mainstay_contained(left, right, type)`.
pub(super) const CONTAINED: &str = "mainstay_contained";
/// `mainstay_overlaps(left, right, type)`.
pub(super) const OVERLAPS: &str = "mainstay_overlaps";
/// `mainstay_document(value)`: a value of a JSON column of another program in canonical form, if it is JSON at all.
pub(super) const DOCUMENT: &str = "mainstay_document";
/// `mainstay_assign(value, place)`: what the assignment at this place of the update that runs makes of a value.
pub(super) const ASSIGN: &str = "mainstay_assign";
/// `mainstay_sum(value, type)`: exact.
pub(super) const SUM: &str = "mainstay_sum";
/// `mainstay_avg(value, type)`: as exact as PostgreSQL's.
pub(super) const AVG: &str = "mainstay_avg";
/// `mainstay_uuid7()`: a new identifier, for rows that a migration gives one.
pub(super) const UUID7: &str = "mainstay_uuid7";

thread_local! {
    /// Why the last cast on this thread failed: SQLite carries only a message from a function to its caller.
    static FAILED: RefCell<Option<StoreError>> = const { RefCell::new(None) };
    /// What the update that runs on this thread computes.
    static COMPUTED: RefCell<Option<Computed>> = const { RefCell::new(None) };
}

/// Takes the reason of what just failed on this thread.
pub(super) fn take_error() -> Option<StoreError> {
    FAILED.take()
}

/// The assignments of an update, by their place in it.
struct Computed {
    table: Table,
    set: Vec<(ColumnId, Assign)>,
}

/// Forgets the assignments of an update when it is over.
pub(super) struct Computing;

impl Drop for Computing {
    fn drop(&mut self) {
        COMPUTED.set(None);
    }
}

/// Gives an update's assignments to [`ASSIGN`] for as long as the guard lives; `None` when it computes nothing.
pub(super) fn compute(table: &Table, set: &[(ColumnId, Assign)]) -> Option<Computing> {
    if set.iter().all(|(_, assign)| assign.as_value().is_some()) {
        return None;
    }
    COMPUTED.set(Some(Computed { table: table.clone(), set: set.to_vec() }));
    Some(Computing)
}

/// Registers everything on a connection.
pub(super) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    for (name, syntax) in
        [(LIKE, Syntax::Like), (ILIKE, Syntax::Ilike), (MATCH, Syntax::Match), (IMATCH, Syntax::Imatch)]
    {
        connection.create_scalar_function(name, 2, flags, move |context| matches(context, syntax))?;
    }
    connection.create_scalar_function(LIKE_COLUMN, 2, flags, |context| like_column(context, true))?;
    connection.create_scalar_function(ILIKE_COLUMN, 2, flags, |context| like_column(context, false))?;
    connection.create_scalar_function(WORDS, 2, flags, words)?;
    connection.create_scalar_function(SEARCH, -1, flags, search)?;
    connection.create_scalar_function(GET, 2, flags, |context| part(context, json_get))?;
    connection.create_scalar_function(TEXT, 2, flags, |context| part(context, json_text))?;
    connection.create_scalar_function(CAST, 3, flags, convert)?;
    connection.create_scalar_function(DOCUMENT, 1, flags, document)?;
    connection.create_scalar_function(AS, 2, flags, take_as)?;
    connection.create_scalar_function(CONTAINS, 3, flags, |context| compare_sets(context, contains))?;
    connection.create_scalar_function(CONTAINED, 3, flags, |context| compare_sets(context, contained_in))?;
    connection.create_scalar_function(OVERLAPS, 3, flags, |context| compare_sets(context, overlaps))?;
    connection.create_aggregate_function(SUM, 2, flags, Total(Function::Sum))?;
    connection.create_aggregate_function(AVG, 2, flags, Total(Function::Avg))?;
    let fresh = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function(ASSIGN, 2, fresh, assign)?;
    connection.create_scalar_function(UUID7, 0, fresh, |_| Ok(uuid::Uuid::now_v7().to_string()))?;
    connection.create_collation(types::DECIMAL, compare_decimals)?;
    connection.create_collation(types::ARRAY, |left: &str, right: &str| compare_arrays(left, right, compare_items))?;
    connection
        .create_collation(types::DOCUMENTS, |left: &str, right: &str| compare_arrays(left, right, Json::compare))?;
    connection.create_collation(types::JSON, Json::compare)
}

fn text<'c>(context: &'c Context<'_>, index: usize) -> Option<&'c str> {
    match context.get_raw(index) {
        ValueRef::Text(text) => std::str::from_utf8(text).ok(),
        _ => None,
    }
}

/// How a pattern is written.
#[derive(Clone, Copy, PartialEq)]
enum Syntax {
    Like,
    Ilike,
    Match,
    Imatch,
}

impl Syntax {
    fn compile(self, source: &str) -> Result<Regex> {
        match self {
            Syntax::Like | Syntax::Ilike => Ok(evaluate::like_regex(source, self == Syntax::Like)),
            Syntax::Match | Syntax::Imatch => {
                evaluate::regex(source, self == Syntax::Match).map_err(|reason| Error::UserFunctionError(reason.into()))
            }
        }
    }
}

/// Compiled patterns that a thread keeps: the statement of an embed runs anew for each row above it.
const PATTERNS_MAX: usize = 16;

/// The compiled pattern, kept beyond the statement that asks for it.
fn compiled(syntax: Syntax, source: &str) -> Result<Arc<Regex>> {
    thread_local! {
        static KEPT: RefCell<Vec<(Syntax, String, Arc<Regex>)>> = const { RefCell::new(Vec::new()) };
    }
    KEPT.with_borrow_mut(|kept| {
        if let Some((.., regex)) = kept.iter().find(|(other, text, _)| *other == syntax && text == source) {
            return Ok(regex.clone());
        }
        let regex = Arc::new(syntax.compile(source)?);
        if kept.len() == PATTERNS_MAX {
            kept.remove(0);
        }
        kept.push((syntax, source.to_owned(), regex.clone()));
        Ok(regex)
    })
}

fn matches(context: &Context<'_>, syntax: Syntax) -> Result<Option<bool>> {
    // SQLite keeps it as long as the statement runs with this pattern.
    let pattern = context.get_or_create_aux(0, |source| compiled(syntax, source.as_str()?))?;
    Ok(text(context, 1).map(|text| pattern.is_match(text)))
}

fn like_column(context: &Context<'_>, case_sensitive: bool) -> Result<Option<bool>> {
    let (Some(pattern), Some(text)) = (text(context, 0), text(context, 1)) else { return Ok(None) };
    evaluate::like_column(pattern, text, case_sensitive).map(Some).map_err(failed_on)
}

fn words(context: &Context<'_>) -> Result<Option<String>> {
    let language = context.get_or_create_aux(1, |name| Language::parse(name.as_str()?).ok_or(Error::InvalidQuery))?;
    Ok(text(context, 0).map(|text| evaluate::words(text, *language)))
}

/// A search as text: its operator, its language, and what is searched for.
pub(super) fn search_text(query: &SearchQuery) -> String {
    let (syntax, language, text) = query.source();
    format!("{} {} {text}", syntax.word(), language.name())
}

fn parse_search(text: &str) -> Option<SearchQuery> {
    let mut parts = text.splitn(3, ' ');
    let (word, language, text) = (parts.next()?, parts.next()?, parts.next()?);
    let (_, syntax) = SearchSyntax::ALL.into_iter().find(|(known, _)| *known == word)?;
    SearchQuery::parse(syntax, Language::parse(language)?, text).ok()
}

fn search(context: &Context<'_>) -> Result<Option<bool>> {
    let query = context.get_or_create_aux(0, |text| parse_search(text.as_str()?).ok_or(Error::InvalidQuery))?;
    let texts: Vec<&str> = (1..context.len()).filter_map(|index| text(context, index)).collect();
    Ok((!texts.is_empty()).then(|| query.matches(texts)))
}

fn part(context: &Context<'_>, take: fn(&str, &[PathStep]) -> Option<String>) -> Result<Option<String>> {
    let path = context.get_or_create_aux(1, |path| parse_path(path.as_str()?).ok_or(Error::InvalidQuery))?;
    Ok(text(context, 0).and_then(|json| take(json, &path)))
}

/// A path as the functions take it: a JSON array of names and numbers.
pub(super) fn path_text(path: &[PathStep]) -> String {
    let steps: Vec<String> = path
        .iter()
        .map(|step| match step {
            PathStep::Key(key) => Json::string(key).as_str().to_owned(),
            PathStep::Index(index) => index.to_string(),
        })
        .collect();
    format!("[{}]", steps.join(","))
}

fn parse_path(text: &str) -> Option<Vec<PathStep>> {
    let steps: Vec<serde_json::Value> = serde_json::from_str(text).ok()?;
    steps
        .into_iter()
        .map(|step| match step {
            serde_json::Value::String(key) => Some(PathStep::Key(key)),
            other => other.as_i64().map(PathStep::Index),
        })
        .collect()
}

fn type_argument(context: &Context<'_>, index: usize) -> Result<std::sync::Arc<Type>> {
    context.get_or_create_aux(index as i32, |name| parse_type(name.as_str()?).ok_or(Error::InvalidQuery))
}

/// Reads back what [`Type`] displays.
pub(super) fn parse_type(name: &str) -> Option<Type> {
    if let Some(item) = name.strip_suffix("[]") {
        return Some(Type::Array(Box::new(parse_type(item)?)));
    }
    if let Some(digits) = name.strip_prefix("decimal(").and_then(|rest| rest.strip_suffix(')')) {
        let (precision, scale) = digits.split_once(',')?;
        return Some(Type::Decimal { precision: precision.parse().ok()?, scale: scale.parse().ok()? });
    }
    let simple = [
        Type::Bool,
        Type::Int,
        Type::BigInt,
        Type::Float,
        Type::Text,
        Type::Uuid,
        Type::Bytes,
        Type::Date,
        Type::Time,
        Type::Timestamp,
        Type::Json,
    ];
    simple.into_iter().find(|ty| ty.to_string() == name)
}

fn convert(context: &Context<'_>) -> Result<ToSqlOutput<'static>> {
    let (from, to) = (type_argument(context, 1)?, type_argument(context, 2)?);
    let value = types::value(&from, context.get_raw(0));
    match cast(&value, &to) {
        Ok(value) => Ok(ToSqlOutput::Owned(types::native(&value))),
        Err(error) => Err(failed_on(error)),
    }
}

/// Leaves the reason where [`take_error`] finds it.
pub(super) fn failed(error: StoreError) -> Error {
    FAILED.set(Some(error));
    Error::UserFunctionError("a value cannot be worked with".into())
}

fn failed_on(error: ValueError) -> Error {
    failed(StoreError::Value(error))
}

/// A value as it is. Text that is not UTF-8 compares like nothing.
fn kept(value: ValueRef<'_>) -> rusqlite::types::Value {
    value.try_into().unwrap_or(rusqlite::types::Value::Null)
}

fn document(context: &Context<'_>) -> Result<ToSqlOutput<'static>> {
    let value = match context.get_raw(0) {
        // SQLite takes a document that is a number for a number.
        ValueRef::Integer(number) => rusqlite::types::Value::Text(number.to_string()),
        ValueRef::Text(text) => match std::str::from_utf8(text).map(|text| Value::parse_json(&Type::Json, text)) {
            Ok(Ok(Value::Json(json))) => rusqlite::types::Value::Text(json.as_str().to_owned()),
            Ok(Ok(Value::Null)) => rusqlite::types::Value::Text("null".to_owned()),
            _ => kept(context.get_raw(0)),
        },
        ValueRef::Real(number) if number.is_finite() => {
            rusqlite::types::Value::Text(Value::Float(number).to_text().unwrap_or_default())
        }
        other => kept(other),
    };
    Ok(ToSqlOutput::Owned(value))
}

fn assign(context: &Context<'_>) -> Result<ToSqlOutput<'static>> {
    let place = usize::try_from(context.get::<i64>(1)?).map_err(|_| Error::InvalidQuery)?;
    COMPUTED.with_borrow(|computed| {
        let Computed { table, set } = computed.as_ref().ok_or(Error::InvalidQuery)?;
        let (column, assign) = set.get(place).ok_or(Error::InvalidQuery)?;
        let column = table.column(*column);
        let old = types::value(&column.ty, context.get_raw(0));
        match evaluate::assign(column, &old, assign) {
            Ok(value) => Ok(ToSqlOutput::Owned(types::native(&value))),
            Err(error) => {
                FAILED.set(Some(StoreError::of_assignment(table, column, error)));
                Err(Error::UserFunctionError("a value cannot be assigned".into()))
            }
        }
    })
}

fn take_as(context: &Context<'_>) -> Result<ToSqlOutput<'static>> {
    let ty = type_argument(context, 1)?;
    let value = computed::value(&ty, context.get_raw(0)).map_err(failed_on)?;
    Ok(ToSqlOutput::Owned(types::native(&value)))
}

/// An aggregate of the evaluator.
struct Total(Function);

impl Aggregate<(Type, Accumulator), ToSqlOutput<'static>> for Total {
    fn init(&self, context: &mut Context<'_>) -> Result<(Type, Accumulator)> {
        let ty = parse_type(text(context, 1).unwrap_or_default()).ok_or(Error::InvalidQuery)?;
        let accumulator = Accumulator::new(self.0, &ty);
        Ok((ty, accumulator))
    }

    fn step(&self, context: &mut Context<'_>, (ty, accumulator): &mut (Type, Accumulator)) -> Result<()> {
        accumulator.add(&types::value(ty, context.get_raw(0))).map_err(failed_on)
    }

    fn finalize(&self, _: &mut Context<'_>, accumulator: Option<(Type, Accumulator)>) -> Result<ToSqlOutput<'static>> {
        // None came: no rows.
        let Some((_, accumulator)) = accumulator else { return Ok(ToSqlOutput::Owned(types::native(&Value::Null))) };
        accumulator.finish().map(|value| ToSqlOutput::Owned(types::native(&value))).map_err(failed_on)
    }
}

fn compare_sets(context: &Context<'_>, holds: fn(&Value, &Value) -> bool) -> Result<Option<bool>> {
    let ty = type_argument(context, 2)?;
    let left = types::value(&ty, context.get_raw(0));
    if left.is_null() {
        return Ok(None);
    }
    let right = context.get_or_create_aux(1, |right| Ok::<_, Error>(types::value(&ty, right)))?;
    Ok(Some(holds(&left, &right)))
}

/// Compares decimal digits as numbers; what is no number comes after all numbers, in byte order.
fn compare_decimals(left: &str, right: &str) -> Ordering {
    if left == right {
        return Ordering::Equal;
    }
    match (Decimal::parse(left), Decimal::parse(right)) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => left.cmp(right),
    }
}

/// Compares JSON arrays item by item, null last, shorter first.
fn compare_arrays(left: &str, right: &str, items: fn(&str, &str) -> Ordering) -> Ordering {
    let read = |text| serde_json::from_str::<Vec<&RawValue>>(text);
    let (Ok(a), Ok(b)) = (read(left), read(right)) else { return left.cmp(right) };
    let item = |(a, b): (&&RawValue, &&RawValue)| match (a.get(), b.get()) {
        ("null", "null") => Ordering::Equal,
        ("null", _) => Ordering::Greater,
        (_, "null") => Ordering::Less,
        (a, b) => items(a, b),
    };
    a.iter().zip(&b).map(item).find(|order| order.is_ne()).unwrap_or_else(|| a.len().cmp(&b.len()))
}

/// Compares two items of one type: numbers as numbers, strings by their content, `false` before `true`.
fn compare_items(left: &str, right: &str) -> Ordering {
    let string = |text| serde_json::from_str::<String>(text);
    if let (Ok(a), Ok(b)) = (string(left), string(right)) {
        return a.cmp(&b);
    }
    // A float with an exponent may have more digits than a decimal takes; as floats they have an order too.
    match (Decimal::parse(left), Decimal::parse(right)) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => match (left.parse::<f64>(), right.parse::<f64>()) {
            (Ok(a), Ok(b)) => a.total_cmp(&b),
            _ => left.cmp(right),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        connection
    }

    fn ask(sql: &str) -> rusqlite::types::Value {
        connection().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn functions_mean_what_the_evaluator_means() {
        for (sql, expected) in [
            ("mainstay_like('a%', 'abc')", Some(1)),
            ("mainstay_like('A%', 'abc')", Some(0)),
            ("mainstay_ilike('Ä%', 'äbc')", Some(1)),
            ("mainstay_match('b+', 'abbc')", Some(1)),
            ("mainstay_match('B', 'abc')", Some(0)),
            ("mainstay_imatch('B', 'abc')", Some(1)),
            ("mainstay_match('b', NULL)", None),
            ("mainstay_like_column('a%', 'abc')", Some(1)),
            ("mainstay_ilike_column('A%', 'abc')", Some(1)),
            ("mainstay_like_column(NULL, 'abc')", None),
            ("mainstay_words('The Cats', 'english') = 'the cat'", Some(1)),
            ("mainstay_words(NULL, 'english')", None),
            ("mainstay_search('fts english cats & !dog', 'A cat')", Some(1)),
            ("mainstay_search('phfts simple a b', 'a', 'b')", Some(0)),
            ("mainstay_search('fts simple a', NULL, NULL)", None),
            ("mainstay_like('a', NULL)", None),
            ("mainstay_contains('[1,2,3]', '[2]', 'int[]')", Some(1)),
            ("mainstay_contained('[1,2,3]', '[2]', 'int[]')", Some(0)),
            ("mainstay_overlaps('[1,2]', '[2,9]', 'int[]')", Some(1)),
            ("mainstay_contains('{\"a\":{\"b\":1,\"c\":2}}', '{\"a\":{\"b\":1}}', 'json')", Some(1)),
            ("mainstay_contains(NULL, '[2]', 'int[]')", None),
            ("mainstay_get('{\"a\":[1,2]}', '[\"a\",-1]') = '2'", Some(1)),
            ("mainstay_text('{\"a\":\"x\"}', '[\"a\"]') = 'x'", Some(1)),
            ("mainstay_text('{\"a\":null}', '[\"a\"]')", None),
            ("mainstay_cast('12.5', 'decimal(5,2)', 'int')", Some(13)),
            ("mainstay_cast(1, 'bool', 'text') = 'true'", Some(1)),
        ] {
            let expected = expected.map_or(rusqlite::types::Value::Null, rusqlite::types::Value::Integer);
            assert_eq!(ask(&format!("SELECT {sql}")), expected, "{sql}");
        }
    }

    #[test]
    fn a_failed_cast_tells_why() {
        let connection = connection();
        let result = connection.query_row("SELECT mainstay_cast('x', 'text', 'int')", [], |row| row.get::<_, i64>(0));
        assert!(result.is_err());
        assert!(matches!(take_error(), Some(StoreError::Value(ValueError::Syntax { ty: "integer", .. }))));
        assert!(take_error().is_none());
    }

    #[test]
    fn collations_order_by_value() {
        for (collation, sorted) in [
            ("decimal", vec!["-10.5", "-9", "0.00", "2.50", "10.00"]),
            ("array", vec!["[]", "[1]", "[1,2]", "[2]", "[10]", "[1e300]", "[null]"]),
            ("array", vec!["[\"a\"]", "[\"a\",\"b\"]", "[\"b\"]"]),
            ("documents", vec!["[2]", "[10]", "[{}]"]),
            ("json", vec!["null", "\"9\"", "9", "20", "true", "[9]", "[20]", "{}"]),
        ] {
            for pair in sorted.windows(2) {
                let sql = format!("SELECT '{}' < '{}' COLLATE {collation}", pair[0], pair[1]);
                assert_eq!(ask(&sql), rusqlite::types::Value::Integer(1), "{sql}");
            }
        }
    }

    #[test]
    fn type_names_read_back() {
        for name in ["bool", "bigint", "decimal(12,2)", "timestamp[]", "decimal(5,0)[]", "json"] {
            assert_eq!(parse_type(name).map(|ty| ty.to_string()).as_deref(), Some(name));
        }
        assert_eq!(parse_type("nope"), None);
    }
}
