//! Casts inside of groups, which are computed where the rows are. A server's own casts give some number for every text, and
//! the nearest one for what is out of range; here both are errors, as they are everywhere else.

use mainstay_schema::Type;

use super::Sql;
use super::names::text_literal;

/// The operand of `exp`, too large for a double, by which a server is made to refuse a value that is none of the type.
pub(in crate::mysql) const NO_VALUE: u16 = 711;
/// The same for a value that is out of the range of the type.
pub(in crate::mysql) const OUT_OF_RANGE: u16 = 712;

/// A whole number, as text has it.
const WHOLE: &str = r"^-?[0-9]+\z";
/// Any number.
const NUMBER: &str = r"^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,2})?\z";

/// Whether the servers can be told to convert as the evaluator does, or refuse what it refuses.
pub(in crate::mysql) fn can_cast(from: &Type, to: &Type) -> bool {
    let is_number = |ty: &Type| matches!(ty, Type::Int | Type::BigInt | Type::Float | Type::Decimal { .. });
    match (from, to) {
        (from, to) if from == to => true,
        (_, Type::Json) | (Type::Array(_), _) | (Type::Float, Type::Text | Type::Int | Type::BigInt) => false,
        (Type::Text | Type::Json, to) => is_number(to) || *to == Type::Text,
        _ => true,
    }
}

/// Writes the cast of a value.
pub(super) fn cast<'p>(sql: &mut Sql<'p>, from: &Type, to: &Type, value: impl FnOnce(&mut Sql<'p>)) {
    let value = sql.written(value);
    let text = match (from, to) {
        (from, Type::Text) => format!("{} COLLATE {}", text(from, &value), sql.dialect.0.text_collation()),
        (Type::Text, to) => number_in(&value, to, false),
        (Type::Json, to) => number_in(&format!("nullif(trim(BOTH '\"' FROM {value}),'null')"), to, true),
        (Type::BigInt, Type::Int) | (Type::Decimal { .. }, Type::Int | Type::BigInt | Type::Decimal { .. }) => {
            ranged(&value, to)
        }
        (Type::Float, Type::Decimal { .. }) => ranged(&value, to),
        (_, Type::Int | Type::BigInt) => format!("cast({value} AS signed)"),
        (Type::Int | Type::BigInt, Type::Bool) => format!("({value}<>0)"),
        (_, Type::Float) => format!("cast({value} AS double)"),
        (_, Type::Decimal { precision, scale }) => format!("cast({value} AS decimal({precision},{scale}))"),
        (_, Type::Date) => format!("cast({value} AS date)"),
        (_, Type::Time) => format!("cast({value} AS time(6))"),
        (_, Type::Timestamp) => format!("cast({value} AS datetime(6))"),
        _ => format!("({value})"),
    };
    sql.push(&text);
}

/// The canonical text of a value.
fn text(from: &Type, value: &str) -> String {
    let without_zeros =
        |moment: &str| format!("trim(TRAILING '.' FROM trim(TRAILING '0' FROM cast({moment} AS char)))");
    match from {
        Type::Bool => format!("(CASE WHEN {value} THEN 'true' WHEN NOT {value} THEN 'false' END)"),
        Type::Bytes => format!(r"concat('\x',lower(hex({value})))"),
        Type::Uuid => {
            let hex = format!("lower(hex({value}))");
            ["9", "14", "19", "24"].iter().fold(hex, |hex, place| format!("insert({hex},{place},0,'-')"))
        }
        Type::Time => without_zeros(&format!("cast({value} AS time(6))")),
        Type::Timestamp => {
            let moment = without_zeros(&format!("cast({value} AS datetime(6))"));
            format!("concat(replace({moment},' ','T'),'+00:00')")
        }
        _ => format!("cast({value} AS char)"),
    }
}

/// What the servers call a type to which they convert.
fn target(to: &Type) -> String {
    match to {
        Type::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
        Type::Float => "double".to_owned(),
        _ => "signed".to_owned(),
    }
}

/// The number that a text holds, which is rounded if it is one of a document.
fn number_in(value: &str, to: &Type, is_rounded: bool) -> String {
    let decimal = |scale: u8| format!(r"^-?[0-9]+(\.[0-9]{{1,{}}})?\z", scale.max(1));
    let pattern = match to {
        Type::Int | Type::BigInt if !is_rounded => WHOLE.to_owned(),
        Type::Decimal { scale, .. } if !is_rounded => decimal(*scale),
        _ => NUMBER.to_owned(),
    };
    let number = match to {
        Type::Float => format!("cast({value} AS double)"),
        _ => ranged(&format!("cast({value} AS decimal(65,30))"), to),
    };
    format!(
        "(CASE WHEN {value} IS NULL THEN NULL WHEN {value} REGEXP {} THEN {number} ELSE {} END)",
        text_literal(&pattern),
        raised(NO_VALUE, value, to)
    )
}

/// A number, if it is in the range of a type.
fn ranged(number: &str, to: &Type) -> String {
    let (least, most) = match to {
        Type::Int => (i32::MIN.to_string(), i32::MAX.to_string()),
        Type::Decimal { precision, scale } => {
            let mut digits = "9".repeat(usize::from(precision - scale).max(1));
            if *scale > 0 {
                digits = format!("{digits}.{}", "9".repeat(usize::from(*scale)));
            }
            (format!("-{digits}"), digits)
        }
        _ => (i64::MIN.to_string(), i64::MAX.to_string()),
    };
    format!(
        "(CASE WHEN {number} IS NULL THEN NULL WHEN {number} BETWEEN {least} AND {most} THEN cast({number} AS {}) ELSE {} END)",
        target(to),
        raised(OUT_OF_RANGE, number, to)
    )
}

/// Has the server refuse a value. The operand is none that a server computes before it has seen a row.
fn raised(why: u16, value: &str, to: &Type) -> String {
    format!("cast(exp({why}+0*char_length({value})) AS {})", target(to))
}
