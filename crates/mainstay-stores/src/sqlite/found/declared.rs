//! Declared types → our types.
//!
//! SQLite takes any words for a type and keeps any value in any column; from the words it makes an *affinity*, by which
//! it converts what looks like a number. A type here says how the operands of filters and the values of bodies are
//! read; what a column holds goes out as it is kept, whatever its type.

use mainstay_schema::Type;

/// Digits that a double keeps exactly, which is what SQLite makes of decimals.
const EXACT_DIGITS: u8 = 15;

/// The type for a declaration, and whether SQLite leaves values in such a column exactly as they come.
pub(super) fn data_type(declared: &str, strict: bool) -> (Type, bool) {
    let upper = declared.trim().to_ascii_uppercase();
    let (word, arguments) = match upper.split_once('(') {
        Some((word, rest)) => (word.trim(), rest.trim_end_matches(')')),
        None => (upper.as_str(), ""),
    };
    let has = |parts: &[&str]| parts.iter().any(|part| upper.contains(part));
    match word {
        "" => return (Type::Text, true),
        "ANY" if strict => return (Type::Text, true),
        "BOOL" | "BOOLEAN" => return (Type::Bool, false),
        "JSON" => return (Type::Json, false),
        _ => {}
    }
    // The order of the rules is SQLite's (datatype3.html, 3.1): `INT` goes before everything else.
    let ty = if has(&["INT"]) {
        Type::BigInt
    } else if has(&["CHAR", "CLOB", "TEXT"]) {
        Type::Text
    } else if has(&["BLOB"]) {
        Type::Bytes
    } else if has(&["REAL", "FLOA", "DOUB"]) {
        Type::Float
    } else if has(&["NUMERIC", "DECIMAL", "NUMBER", "MONEY"]) || word == "NUM" || word == "DEC" {
        decimal(arguments).unwrap_or(Type::Float)
    } else {
        // Dates, times, uuids and whatever else people write: as text, in the form in which it is kept.
        Type::Text
    };
    (ty, false)
}

/// `p` or `p,s`, as long as a double keeps all its digits.
fn decimal(arguments: &str) -> Option<Type> {
    let mut numbers = arguments.split(',').map(|part| part.trim().parse::<u8>());
    let precision = numbers.next()?.ok()?;
    let scale = numbers.next().transpose().ok()?.unwrap_or(0);
    let is_exact = (1..=EXACT_DIGITS).contains(&precision) && scale <= precision && numbers.next().is_none();
    is_exact.then_some(Type::Decimal { precision, scale })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_names_have_their_types() {
        let decimal = |precision, scale| Type::Decimal { precision, scale };
        for (declared, expected) in [
            ("INTEGER", Type::BigInt),
            ("int", Type::BigInt),
            ("TINYINT(1)", Type::BigInt),
            ("UNSIGNED BIG INT", Type::BigInt),
            ("FLOATING POINT", Type::BigInt),
            ("VARCHAR(255)", Type::Text),
            ("NVARCHAR(160)", Type::Text),
            ("character varying", Type::Text),
            ("CLOB", Type::Text),
            ("BLOB", Type::Bytes),
            ("REAL", Type::Float),
            ("double precision", Type::Float),
            ("FLOAT", Type::Float),
            ("NUMERIC(10,2)", decimal(10, 2)),
            ("decimal ( 5 )", decimal(5, 0)),
            ("DECIMAL(38,10)", Type::Float),
            ("NUMERIC", Type::Float),
            ("NUMERIC(-1)", Type::Float),
            ("BOOLEAN", Type::Bool),
            ("DATE", Type::Text),
            ("DATETIME", Type::Text),
            ("TIMESTAMP", Type::Text),
            ("UUID", Type::Text),
            ("JSON", Type::Json),
            ("JSONB", Type::Text),
            ("ANY", Type::Text),
        ] {
            assert_eq!(data_type(declared, false), (expected, false), "{declared}");
        }
        assert_eq!(data_type("", false), (Type::Text, true));
        assert_eq!(data_type("ANY", true), (Type::Text, true));
    }
}
