//! What an assignment makes of the value that a column holds.

use mainstay_schema::check::{check, sanitize};
use mainstay_schema::value::Json;
use mainstay_schema::{Column, Type, Value, ValueError, Violation};

use super::document::{merge, patch};
use super::to_json;
use crate::plan::Assign;

/// Why an assignment cannot be made on a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AssignError {
    /// The result is no value of the column's type.
    Value(ValueError),
    /// The column's checks do not accept the result.
    Check(Violation),
    /// The result is null, which the column does not take.
    NotNull,
    /// A patch does not apply: a test failed, or a place is not there.
    Patch(String),
}

impl From<ValueError> for AssignError {
    fn from(error: ValueError) -> AssignError {
        AssignError::Value(error)
    }
}

/// The new value of a column that holds `old`. What is computed passes the column's checks, as a value of a body does.
///
/// Numbers are added exactly (floats as IEEE 754 does); the sum must be one that the column can hold. Null counts as 0,
/// as empty text, or as an empty list, so that no increment is lost.
///
/// # Errors
/// [`AssignError`] if there is no such value, or the column does not accept it.
pub fn assign(column: &Column, old: &Value, assign: &Assign) -> Result<Value, AssignError> {
    let made = match assign {
        Assign::Value(value) => return Ok(value.clone()),
        Assign::Add(number) => add(&column.ty, old, number)?,
        Assign::Append(more) => joined(old, more, false),
        Assign::Prepend(more) => joined(old, more, true),
        Assign::Remove(items) => without(old, items),
        Assign::Merge(patch) => {
            let document = merge(to_json(old).as_ref().map(Json::as_str), patch.as_str())?;
            Value::parse_json(&column.ty, &document)?
        }
        Assign::Patch(steps) => {
            let json = to_json(old);
            let document = patch(json.as_ref().map_or("null", Json::as_str), steps)?;
            Value::parse_json(&column.ty, &document)?
        }
    };
    if made.is_null() && !column.optional {
        return Err(AssignError::NotNull);
    }
    let made = sanitize(column, made);
    check(column, &made).map_err(AssignError::Check)?;
    Ok(made)
}

fn add(ty: &Type, old: &Value, number: &Value) -> Result<Value, ValueError> {
    let too_large = |text: String| ValueError::OutOfRange { ty: ty.wire_name(), text };
    match (old, number) {
        (Value::Int(a), Value::Int(b)) => {
            let fits = |sum: &i64| *ty != Type::Int || i32::try_from(*sum).is_ok();
            let sum = a.checked_add(*b).filter(fits);
            sum.map(Value::Int).ok_or_else(|| too_large((i128::from(*a) + i128::from(*b)).to_string()))
        }
        (Value::Float(a), Value::Float(b)) => {
            // Plus zero, because minus zero would print differently and equal it.
            let sum = a + b + 0.0;
            if sum.is_finite() { Ok(Value::Float(sum)) } else { Err(too_large(format!("{a} + {b}"))) }
        }
        (Value::Decimal(a), Value::Decimal(b)) => {
            let sum = a.plus(b)?;
            match ty {
                Type::Decimal { precision, scale } => sum.fit(*precision, *scale).map(Value::Decimal),
                _ => Ok(Value::Decimal(sum)),
            }
        }
        // Of null nothing is known to add to: the number is the first of its kind.
        (Value::Null, _) => Ok(number.clone()),
        // Another program may have left anything in the column, which must not be lost.
        _ => Err(ValueError::Syntax { ty: ty.wire_name(), text: old.to_text().unwrap_or_default() }),
    }
}

fn joined(old: &Value, more: &Value, before: bool) -> Value {
    match (old, more) {
        (Value::Text(old), Value::Text(more)) if before => Value::Text(format!("{more}{old}")),
        (Value::Text(old), Value::Text(more)) => Value::Text(format!("{old}{more}")),
        // Another program may have left a number in the column, which must not be lost.
        (old, Value::Text(more)) if !old.is_null() => {
            let old = old.to_text().unwrap_or_default();
            Value::Text(if before { format!("{more}{old}") } else { format!("{old}{more}") })
        }
        (Value::Array(old), Value::Array(more)) => {
            let (first, second) = if before { (more, old) } else { (old, more) };
            Value::Array(first.iter().chain(second).cloned().collect())
        }
        _ => more.clone(),
    }
}

fn without(old: &Value, items: &Value) -> Value {
    let (Value::Array(old), Value::Array(items)) = (old, items) else { return Value::Array(Vec::new()) };
    let is_named = |item: &&Value| {
        items.iter().any(|named| {
            if named.is_null() { item.is_null() } else { named.compare(item) == Some(std::cmp::Ordering::Equal) }
        })
    };
    Value::Array(old.iter().filter(|item| !is_named(item)).cloned().collect())
}

#[cfg(test)]
mod tests {
    use mainstay_schema::load::{SourceFile, load};

    use super::*;
    use crate::plan::{PatchOp, PatchStep};

    /// A column declared as in a schema file.
    fn column(declared: &str) -> Column {
        let text = format!("[t.fields]\nc = {declared}\n");
        let schema = load(&[SourceFile { path: "schema/t.toml".into(), text }]).unwrap();
        schema.find("t").unwrap().find_column("c").unwrap().clone()
    }

    #[track_caller]
    fn check(declared: &str, old: &str, make: fn(Value) -> Assign, operand: &str, expected: Result<&str, &str>) {
        let column = column(declared);
        let value = |text: &str| match text {
            "-" => Value::Null,
            text => Value::parse(&column.ty, text).unwrap(),
        };
        let result = assign(&column, &value(old), &make(value(operand)));
        let result = result.map(|value| value.to_text().unwrap_or("-".to_owned()));
        let result = result.map_err(|error| match error {
            AssignError::Value(error) => format!("value: {error}"),
            AssignError::Check(violation) => format!("check: {violation}"),
            AssignError::NotNull => "null".to_owned(),
            AssignError::Patch(reason) => format!("patch: {reason}"),
        });
        assert_eq!(result, expected.map(str::to_owned).map_err(str::to_owned), "{declared} {old} {operand}");
    }

    #[test]
    fn sums_are_exact_and_in_range() {
        let add = Assign::Add;
        for (declared, old, operand, expected) in [
            ("{ type = \"int\" }", "5", "-7", Ok("-2")),
            (
                "{ type = \"int\" }",
                "2147483647",
                "1",
                Err("value: value \"2147483648\" is out of range for type integer"),
            ),
            ("{ type = \"bigint\" }", "9007199254740993", "1", Ok("9007199254740994")),
            (
                "{ type = \"bigint\" }",
                "9223372036854775807",
                "1",
                Err("value: value \"9223372036854775808\" is out of range for type bigint"),
            ),
            ("{ type = \"float\" }", "0.1", "0.2", Ok("0.30000000000000004")),
            ("{ type = \"decimal(10,2)\" }", "0.10", "0.20", Ok("0.30")),
            ("{ type = \"decimal(4,2)\" }", "-99.99", "0.99", Ok("-99.00")),
            ("{ type = \"int\", optional = true }", "-", "3", Ok("3")),
            ("{ type = \"int\", min = 0 }", "2", "-3", Err("check: c must be at least 0")),
            ("{ type = \"int\", max = 9 }", "9", "1", Err("check: c must be at most 9")),
        ] {
            check(declared, old, add, operand, expected);
        }
        let wide = "99999999999999999999999999999999999.999";
        check("{ type = \"decimal(38,3)\" }", wide, add, "-0.999", Ok("99999999999999999999999999999999999.000"));
        let (column, most) = (
            column("{ type = \"decimal(4,2)\" }"),
            Value::parse(&column("{ type = \"decimal(4,2)\" }").ty, "99.99").unwrap(),
        );
        let over = assign(&column, &most, &Assign::Add(most.clone()));
        assert!(matches!(over, Err(AssignError::Value(ValueError::OutOfRange { .. }))), "{over:?}");
    }

    #[test]
    fn lists_and_texts_grow_at_either_end() {
        for (declared, old, make, operand, expected) in [
            ("\"text[]\"", "{a}", Assign::Append as fn(Value) -> Assign, "{b,NULL}", Ok("{\"a\",\"b\",NULL}")),
            ("\"text[]\"", "{a}", Assign::Prepend, "{b}", Ok("{\"b\",\"a\"}")),
            ("\"int[]\"", "{1,2,1,NULL}", Assign::Remove, "{1,NULL}", Ok("{\"2\"}")),
            ("{ type = \"text[]\", max = 1 }", "{a}", Assign::Append, "{b}", Err("check: c must have at most 1 item")),
            ("{ type = \"text[]\", optional = true }", "-", Assign::Append, "{b}", Ok("{\"b\"}")),
            ("{ type = \"text[]\", optional = true }", "-", Assign::Remove, "{b}", Ok("{}")),
            ("\"text\"", "ab", Assign::Append, "é", Ok("abé")),
            (
                "{ type = \"text\", max = 3 }",
                "ab",
                Assign::Prepend,
                "cd",
                Err("check: c must have at most 3 characters"),
            ),
        ] {
            check(declared, old, make, operand, expected);
        }
    }

    #[test]
    fn documents_are_merged_and_patched() {
        let json = column("{ type = \"json\", optional = true }");
        let old = Value::parse(&json.ty, r#"{"a":{"b":1},"c":[1]}"#).unwrap();
        let merge = Assign::Merge(Json::parse(r#"{"a":{"b":null,"d":2}}"#).unwrap());
        assert_eq!(assign(&json, &old, &merge).unwrap().to_text().unwrap(), r#"{"a":{"d":2},"c":[1]}"#);
        assert_eq!(assign(&json, &Value::Null, &merge).unwrap().to_text().unwrap(), r#"{"a":{"d":2}}"#);
        let step = |path: &[&str], op| PatchStep { path: path.iter().map(|s| (*s).to_owned()).collect(), op };
        let one = |op| Assign::Patch(vec![step(&[], op)]);
        let number = column("\"int\"");
        let seven = Json::parse("7").unwrap();
        assert_eq!(assign(&number, &Value::Int(1), &one(PatchOp::Replace(seven.clone()))), Ok(Value::Int(7)));
        assert_eq!(assign(&number, &Value::Int(1), &one(PatchOp::Remove)), Err(AssignError::NotNull));
        assert_eq!(assign(&json, &old, &one(PatchOp::Remove)), Ok(Value::Null));
        let wrong = assign(&number, &Value::Int(1), &one(PatchOp::Test(seven)));
        assert!(matches!(wrong, Err(AssignError::Patch(_))), "{wrong:?}");
        let deeper = Assign::Patch(vec![step(&["x"], PatchOp::Remove)]);
        assert!(matches!(assign(&number, &Value::Int(1), &deeper), Err(AssignError::Patch(_))));
        let tags = column("\"text[]\"");
        let push = Assign::Patch(vec![step(&["-"], PatchOp::Add(Json::string("b")))]);
        let old = Value::parse(&tags.ty, "{a}").unwrap();
        assert_eq!(assign(&tags, &old, &push).unwrap().to_text().unwrap(), "{\"a\",\"b\"}");
    }
}
