//! Defaults of found columns: a literal is understood, and anything else is left to SQLite.

use mainstay_schema::found::FoundColumn;
use mainstay_schema::{Column, DefaultValue, Type, Value};

/// What `text`, as SQLite tells it, is as a default of the column; `None` where it is null anyway.
pub(super) fn read(text: &str, column: &Column, about: &FoundColumn) -> Option<DefaultValue> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("null") {
        return None;
    }
    // In a column that keeps what comes, a number is not its digits.
    let value = if about.loose { quoted(text).map(Value::Text) } else { literal(text, &column.ty) };
    Some(value.map_or_else(|| DefaultValue::Expression(text.to_owned()), DefaultValue::Literal))
}

fn literal(text: &str, ty: &Type) -> Option<Value> {
    if let Some(text) = quoted(text) {
        return match ty {
            // Text in a column of octets stays text.
            Type::Bytes => None,
            _ => Value::parse(ty, &text).ok(),
        };
    }
    let is_true = text.eq_ignore_ascii_case("true");
    if is_true || text.eq_ignore_ascii_case("false") {
        return match ty {
            Type::Bool => Some(Value::Bool(is_true)),
            Type::BigInt => Some(Value::Int(i64::from(is_true))),
            _ => None,
        };
    }
    let digits = text.trim_start_matches(['-', '+']);
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'-' | b'+'));
    match ty {
        Type::Bool if text == "0" || text == "1" => Some(Value::Bool(text == "1")),
        Type::BigInt | Type::Float | Type::Decimal { .. } if is_number => Value::parse(ty, text).ok(),
        _ => None,
    }
}

/// The text of a literal in single quotes.
fn quoted(text: &str) -> Option<String> {
    let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
    let bare = inner.replace("''", "");
    (!bare.contains('\'')).then(|| inner.replace("''", "'"))
}

#[cfg(test)]
mod tests {
    use mainstay_schema::ColumnId;

    use super::*;

    fn check(ty: Type, text: &str, expected: Option<Value>) {
        let column = Column::new(ColumnId(0), "c", ty);
        let expected = expected.map_or_else(|| DefaultValue::Expression(text.to_owned()), DefaultValue::Literal);
        assert_eq!(read(text, &column, &FoundColumn::default()), Some(expected), "{text}");
    }

    #[test]
    fn literals_are_understood_and_the_rest_is_left() {
        check(Type::BigInt, "5", Some(Value::Int(5)));
        check(Type::BigInt, "-5", Some(Value::Int(-5)));
        check(Type::BigInt, "'7'", Some(Value::Int(7)));
        check(Type::BigInt, "0x10", None);
        check(Type::BigInt, "1 + 1", None);
        check(Type::Bool, "TRUE", Some(Value::Bool(true)));
        check(Type::Bool, "0", Some(Value::Bool(false)));
        check(Type::Float, "1.5", Some(Value::Float(1.5)));
        check(Type::Text, "'it''s'", Some(Value::Text("it's".to_owned())));
        check(Type::Text, "'a' || 'b'", None);
        check(Type::Text, "CURRENT_TIMESTAMP", None);
        check(Type::Text, "datetime('now')", None);
        check(Type::Bytes, "x'00'", None);
    }
}
