//! Columns as JSON Schema, and what a filter on one looks like.

use mainstay_schema::model::Checks;
use mainstay_schema::{Column, DefaultValue, Format, Type, Value};

use super::json::{Json, Object, list};

/// What a description of a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A value in an answer.
    Row,
    /// A value to be inserted: the only place for defaults, which a client may fill in.
    Insert,
    /// A value to be set.
    Update,
}

/// The schema of a column's values.
pub(super) fn schema(column: &Column, purpose: Purpose) -> Object {
    let mut schema = typed(&column.ty, column.optional, &column.checks);
    let mut words: Vec<String> = column.description.iter().cloned().collect();
    if purpose == Purpose::Insert {
        match &column.default {
            Some(DefaultValue::Literal(Value::Null)) | None => {}
            // Makers of clients write the text where their languages want a date.
            Some(DefaultValue::Literal(value @ (Value::Date(_) | Value::Time(_) | Value::Timestamp(_)))) => {
                words.push(format!("Left out: {}.", value.to_text().unwrap_or_default()));
            }
            Some(DefaultValue::Literal(value)) => schema.push("default", Json::of(value)),
            Some(DefaultValue::Now) => words.push("Left out: the time of the request.".to_owned()),
            Some(DefaultValue::Uuid7) => words.push("Left out: a fresh identifier.".to_owned()),
            Some(DefaultValue::Expression(_)) => words.push("Left out: what the database fills in.".to_owned()),
            Some(DefaultValue::Sequence) => words.push("Left out: the next number.".to_owned()),
        }
    }
    if purpose == Purpose::Update && column.touched {
        words.push("Left out: the time of the request.".to_owned());
    }
    if !words.is_empty() {
        schema.push("description", words.join("\n\n"));
    }
    schema.with("x-type", column.ty.to_string())
}

/// The schema of a value of a type, without any checks: for arguments and parts of arrays.
pub(super) fn of_type(ty: &Type, optional: bool) -> Object {
    typed(ty, optional, &Checks::default())
}

fn typed(ty: &Type, optional: bool, checks: &Checks) -> Object {
    let named = |name: &str| {
        let name: Json = if optional { list([name, "null"]) } else { name.into() };
        Object::new().with("type", name)
    };
    match ty {
        Type::Bool => named("boolean"),
        Type::Int => numeric(named("integer").with("format", "int32"), checks, Some(("-2147483648", "2147483647"))),
        Type::BigInt => numeric(named("integer").with("format", "int64"), checks, None),
        Type::Float => numeric(named("number").with("format", "double"), checks, None),
        Type::Decimal { .. } => numeric(named("number"), checks, None),
        Type::Text => text(named("string"), optional, checks),
        Type::Uuid => named("string").with("format", "uuid"),
        Type::Bytes => {
            // `\x` and two digits an octet.
            let digits = |bound: &Option<Value>| bound.as_ref().and_then(number).map(|octets| 2 + 2 * octets);
            named("string")
                .with_some("minLength", digits(&checks.min))
                .with_some("maxLength", digits(&checks.max))
                .with("pattern", r"^\\x([0-9a-f]{2})*$")
        }
        Type::Date => named("string").with("format", "date"),
        Type::Time => named("string").with("pattern", TIME),
        Type::Timestamp => named("string").with("format", "date-time"),
        // Anything at all, null included.
        Type::Json => Object::new(),
        Type::Array(item) => named("array")
            .with("items", of_type(item, true))
            .with_some("minItems", checks.min.as_ref().map(Json::of))
            .with_some("maxItems", checks.max.as_ref().map(Json::of)),
    }
}

fn numeric(schema: Object, checks: &Checks, range: Option<(&str, &str)>) -> Object {
    let bound = |check: &Option<Value>, default: Option<&str>| match check {
        Some(value) => Some(Json::of(value)),
        None => default.map(|text| Json::Raw(text.to_owned())),
    };
    schema
        .with_some("minimum", bound(&checks.min, range.map(|(least, _)| least)))
        .with_some("maximum", bound(&checks.max, range.map(|(_, most)| most)))
}

fn text(schema: Object, optional: bool, checks: &Checks) -> Object {
    if !checks.variants.is_empty() {
        let mut variants: Vec<Json> = checks.variants.iter().map(Json::from).collect();
        if optional {
            variants.push(Json::null());
        }
        return schema.with("enum", Json::List(variants));
    }
    let length = |bound: &Option<Value>| bound.as_ref().map(Json::of);
    let schema = schema.with_some("minLength", length(&checks.min)).with_some("maxLength", length(&checks.max));
    let schema = match checks.format {
        Some(Format::Email) => schema.with("format", "email"),
        Some(Format::Url) => schema.with("format", "uri"),
        Some(Format::Hostname) => schema.with("format", "hostname"),
        Some(Format::Slug) => schema.with("pattern", "^[a-z0-9]+(-[a-z0-9]+)*$"),
        Some(Format::Phone) => schema.with("pattern", r"^\+[1-9][0-9]{7,14}$"),
        Some(Format::Ip) => schema.with("x-format", "ip"),
        Some(Format::Html) => schema.with("x-format", "html"),
        None => schema,
    };
    match checks.pattern.as_ref().map(|pattern| pattern.0.as_str()) {
        Some(pattern) if checks.format.is_none() && is_portable(pattern) => schema.with("pattern", pattern),
        // Of a dialect that readers of the description need not know.
        Some(pattern) => schema.with("x-pattern", pattern),
        None => schema,
    }
}

/// Whether a regular expression means the same to JSON Schema as it does here.
fn is_portable(pattern: &str) -> bool {
    let is_special = |part: &str| pattern.contains(part);
    let has_group_flags = pattern.match_indices("(?").any(|(at, _)| !pattern[at..].starts_with("(?:"));
    // Classes of ASCII there, of Unicode here.
    let classes = [r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", r"\b", r"\B", r"\p", r"\P", r"\A", r"\z", r"\x", r"\u"];
    !has_group_flags
        && !["[[", "[:", "&&", "--", "~~"].into_iter().any(is_special)
        && !classes.into_iter().any(is_special)
}

fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        _ => None,
    }
}

const TIME: &str = r"^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?$";

/// A filter on a column that shows what is possible: `eq.5`.
pub(super) fn filter_example(column: &Column) -> String {
    if let Some(variant) = column.checks.variants.first() {
        return format!("eq.{variant}");
    }
    let text = match &column.ty {
        Type::Bool => "is.true",
        Type::Int | Type::BigInt => "gte.1",
        Type::Float | Type::Decimal { .. } => "lt.9.5",
        Type::Text => "ilike.*a*",
        Type::Uuid => "eq.01890a5d-ac96-774b-bcce-b302099a8057",
        Type::Bytes => r"eq.\x00ff",
        Type::Date => "gte.2026-01-01",
        Type::Time => "lt.12:00:00",
        Type::Timestamp => "gte.2026-01-01T00:00:00Z",
        Type::Json | Type::Array(_) => "not.is.null",
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(toml: &str, expected: &str) {
        let text = format!("[t.fields]\nid = {{ type = \"int\", primary = true }}\nc = {toml}\n");
        let file = mainstay_schema::load::SourceFile { path: "schema/t.toml".into(), text };
        let loaded = mainstay_schema::load::load(&[file]).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
        let column = loaded.find("t").unwrap().find_column("c").unwrap().clone();
        let text = String::from_utf8(schema(&column, Purpose::Insert).into_bytes()).unwrap();
        assert_eq!(text, expected, "{toml}");
    }

    #[test]
    fn columns_become_schemas() {
        check(r#""bool""#, r#"{"type":"boolean","x-type":"bool"}"#);
        check(
            r#"{ type = "int", min = 1, optional = true }"#,
            r#"{"type":["integer","null"],"format":"int32","minimum":1,"maximum":2147483647,"x-type":"int"}"#,
        );
        check(
            r#"{ type = "decimal(10,2)", min = 0, default = "1.50" }"#,
            r#"{"type":"number","minimum":0.00,"default":1.50,"x-type":"decimal(10,2)"}"#,
        );
        check(
            r#"{ enum = ["a", "b"], optional = true, description = "Which." }"#,
            r#"{"type":["string","null"],"enum":["a","b",null],"description":"Which.","x-type":"text"}"#,
        );
        check(
            r#"{ type = "text[]", default = [], max = 10 }"#,
            r#"{"type":"array","items":{"type":["string","null"]},"maxItems":10,"default":[],"x-type":"text[]"}"#,
        );
        check(
            r#"{ type = "timestamp", default = "now" }"#,
            r#"{"type":"string","format":"date-time","description":"Left out: the time of the request.","x-type":"timestamp"}"#,
        );
        check(r#""json""#, r#"{"x-type":"json"}"#);
    }

    #[test]
    fn only_patterns_that_everybody_reads_alike_are_patterns() {
        check(
            r#"{ type = "text", pattern = "^[a-z]+$" }"#,
            r#"{"type":"string","pattern":"^[a-z]+$","x-type":"text"}"#,
        );
        check(r#"{ type = "text", pattern = "(?i)^a" }"#, r#"{"type":"string","x-pattern":"(?i)^a","x-type":"text"}"#);
    }
}
