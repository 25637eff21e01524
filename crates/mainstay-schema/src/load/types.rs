//! The words that name types.

use crate::near::near;
use crate::types::Type;

/// Types that need no more than their name.
pub(crate) const PLAIN_TYPES: [(&str, Type); 11] = [
    ("bool", Type::Bool),
    ("int", Type::Int),
    ("bigint", Type::BigInt),
    ("float", Type::Float),
    ("text", Type::Text),
    ("uuid", Type::Uuid),
    ("bytes", Type::Bytes),
    ("date", Type::Date),
    ("time", Type::Time),
    ("timestamp", Type::Timestamp),
    ("json", Type::Json),
];

/// Digits that a decimal can have: what every store can keep exactly.
const DECIMAL_PRECISION_MAX: u8 = 38;

/// What other systems call our types, for people whose fingers remember those.
const FOREIGN_NAMES: [(&str, &str); 30] = [
    ("string", "text"),
    ("str", "text"),
    ("varchar", "text"),
    ("char", "text"),
    ("character", "text"),
    ("citext", "text"),
    ("enum", "text"),
    ("email", "text"),
    ("url", "text"),
    ("boolean", "bool"),
    ("integer", "int"),
    ("int4", "int"),
    ("smallint", "int"),
    ("serial", "int"),
    ("number", "float"),
    ("int8", "bigint"),
    ("long", "bigint"),
    ("bigserial", "bigint"),
    ("double", "float"),
    ("real", "float"),
    ("float8", "float"),
    ("numeric", "decimal(12,2)"),
    ("money", "decimal(12,2)"),
    ("datetime", "timestamp"),
    ("timestamptz", "timestamp"),
    ("blob", "bytes"),
    ("bytea", "bytes"),
    ("jsonb", "json"),
    ("object", "json"),
    ("guid", "uuid"),
];

/// Reads the name of a type, or says what is wrong with it and what would be right.
pub fn parse_type(text: &str) -> Result<Type, (String, String)> {
    let Some(item) = text.strip_suffix("[]") else {
        return scalar(text);
    };
    if item.ends_with("[]") {
        let remedy = "write one [] only, or use json for lists of lists".to_owned();
        return Err((format!("`{text}` is a list of lists"), remedy));
    }
    scalar(item).map(|ty| Type::Array(Box::new(ty)))
}

fn scalar(text: &str) -> Result<Type, (String, String)> {
    if let Some((_, ty)) = PLAIN_TYPES.iter().find(|(name, _)| *name == text) {
        return Ok(ty.clone());
    }
    if let Some(rest) = text.strip_prefix("decimal") {
        let refused = || {
            let remedy = format!(
                "write decimal(p,s): p digits in all, 1 to {DECIMAL_PRECISION_MAX}, s of them after the point, as in decimal(12,2)"
            );
            (format!("`{text}` is not a type"), remedy)
        };
        return decimal(rest).ok_or_else(refused);
    }
    let problem = format!("unknown type `{text}`");
    let word = text.split(['(', ' ']).next().unwrap_or_default().to_ascii_lowercase();
    if let Some((_, ours)) = FOREIGN_NAMES.iter().find(|(foreign, _)| *foreign == word) {
        return Err((problem, format!("write `{ours}`")));
    }
    let names = PLAIN_TYPES.iter().map(|(name, _)| *name);
    let remedy = match near(text, names.clone()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("the types are {}, decimal(p,s), and T[] for a list", names.collect::<Vec<_>>().join(", ")),
    };
    Err((problem, remedy))
}

fn decimal(rest: &str) -> Option<Type> {
    let (precision, scale) = rest.strip_prefix('(')?.strip_suffix(')')?.split_once(',')?;
    let number = |text: &str| {
        let digits = text.trim_matches(' ');
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u8>().ok())?
    };
    let (precision, scale) = (number(precision)?, number(scale)?);
    let fits = (1..=DECIMAL_PRECISION_MAX).contains(&precision) && scale <= precision;
    fits.then_some(Type::Decimal { precision, scale })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_reads_what_it_prints() {
        let decimal = Type::Decimal { precision: 38, scale: 38 };
        let types = PLAIN_TYPES.iter().map(|(_, ty)| ty.clone()).chain([decimal]);
        for ty in types.flat_map(|ty| [ty.clone(), Type::Array(Box::new(ty))]) {
            assert_eq!(parse_type(&ty.to_string()), Ok(ty.clone()), "{ty}");
        }
        assert_eq!(parse_type("decimal(12, 2)"), Ok(Type::Decimal { precision: 12, scale: 2 }));
    }

    #[test]
    fn refused_names_say_what_would_be_right() {
        for (text, expected) in [
            ("string", "unknown type `string`; write `text`"),
            ("varchar(20)", "unknown type `varchar(20)`; write `text`"),
            ("tetx", "unknown type `tetx`; did you mean `text`?"),
            ("text[][]", "`text[][]` is a list of lists; write one [] only, or use json for lists of lists"),
        ] {
            assert_eq!(parse_type(text), Err(expected.split_once("; ").map(|(a, b)| (a.into(), b.into())).unwrap()));
        }
        for text in [
            "",
            "[]",
            "Text",
            "text ",
            "decimal",
            "decimal()",
            "decimal(12)",
            "decimal(0,0)",
            "decimal(39,2)",
            "decimal(2,3)",
            "decimal(-1,2)",
            "decimal(+5,2)",
            "decimal(300,2)",
            "decimal(,)",
            "decimal(5,2",
            "polygon",
        ] {
            assert!(parse_type(text).is_err(), "{text}");
        }
    }
}
