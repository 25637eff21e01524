//! A value of one type as one of another, in SQL that both servers understand: for columns that become ones of another
//! type. What has no meaning in the new type makes the statement fail, under the strict mode of migrations; nothing
//! becomes null or zero because of it.

use mainstay_schema::Type;

/// The value of the column or expression `value`, of type `from`, as one of type `to`, in the form in which each is kept.
pub(super) fn converted(value: &str, from: &Type, to: &Type) -> String {
    match (from, to) {
        (from, to) if from == to => value.to_owned(),
        (_, Type::Text) => text(value, from),
        (_, Type::Json) => json(value, from),
        (Type::Text, _) => parsed(value, to),
        // A document that is a text or a number means what it says.
        (Type::Json, _) => {
            parsed(&format!("CASE WHEN {value} <> 'null' THEN CONVERT(JSON_UNQUOTE({value}) USING utf8mb4) END"), to)
        }
        (Type::Array(_), Type::Array(_)) | (Type::Uuid, Type::Bytes) | (Type::Bool, Type::Int | Type::BigInt) => {
            value.to_owned()
        }
        (Type::Bytes, Type::Uuid) => {
            format!(
                "CASE WHEN LENGTH({value}) = 16 THEN {value} WHEN {value} IS NOT NULL THEN {} END",
                failing(value, to)
            )
        }
        (Type::Int | Type::BigInt, Type::Bool) => format!("({value} <> 0)"),
        (Type::Int | Type::BigInt | Type::Float | Type::Decimal { .. }, Type::Int | Type::BigInt) => {
            format!("CAST({value} AS SIGNED)")
        }
        (Type::Int | Type::BigInt | Type::Float | Type::Decimal { .. }, Type::Float) => {
            format!("CAST({value} AS DOUBLE)")
        }
        (Type::Int | Type::BigInt | Type::Float | Type::Decimal { .. }, Type::Decimal { precision, scale }) => {
            format!("CAST({value} AS DECIMAL({precision},{scale}))")
        }
        (Type::Date, Type::Timestamp) => format!("CAST({value} AS DATETIME(6))"),
        (Type::Timestamp, Type::Date) => format!("DATE({value})"),
        (Type::Timestamp, Type::Time) => format!("TIME({value})"),
        _ => format!("CASE WHEN {value} IS NOT NULL THEN {} END", failing(value, to)),
    }
}

/// The canonical text of a value.
fn text(value: &str, from: &Type) -> String {
    let without_zeros = |text: String| format!("TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM {text}))");
    match from {
        Type::Bool => format!("CASE {value} WHEN 0 THEN 'false' WHEN 1 THEN 'true' END"),
        Type::Int | Type::BigInt | Type::Float | Type::Decimal { .. } => format!("CAST({value} AS CHAR)"),
        Type::Uuid => format!(
            "LOWER(INSERT(INSERT(INSERT(INSERT(HEX({value}), 21, 0, '-'), 17, 0, '-'), 13, 0, '-'), 9, 0, '-'))"
        ),
        Type::Bytes => format!("CONCAT('\\x', LOWER(HEX({value})))"),
        Type::Date => format!("DATE_FORMAT({value}, '%Y-%m-%d')"),
        Type::Time => without_zeros(format!("TIME_FORMAT({value}, '%H:%i:%s.%f')")),
        Type::Timestamp => {
            let local = without_zeros(format!("DATE_FORMAT({value}, '%Y-%m-%dT%H:%i:%s.%f')"));
            format!("CONCAT({local}, '+00:00')")
        }
        Type::Text | Type::Json | Type::Array(_) => value.to_owned(),
    }
}

/// The document that a value is.
fn json(value: &str, from: &Type) -> String {
    match from {
        Type::Array(_) => value.to_owned(),
        Type::Bool | Type::Int | Type::BigInt | Type::Float | Type::Decimal { .. } => text(value, from),
        Type::Text => {
            format!(
                "CASE WHEN JSON_VALID({value}) THEN {value} WHEN {value} IS NOT NULL THEN {} END",
                failing(value, &Type::Json)
            )
        }
        _ => format!("JSON_QUOTE({})", text(value, from)),
    }
}

/// The value that a text means.
fn parsed(value: &str, to: &Type) -> String {
    let checked = |test: String, then: String| {
        format!("CASE WHEN {test} THEN {then} WHEN {value} IS NOT NULL THEN {} END", failing(value, to))
    };
    match to {
        Type::Bool => format!(
            "CASE WHEN LOWER({value}) IN ('true', 't', 'yes', 'y', 'on', '1') THEN 1 \
             WHEN LOWER({value}) IN ('false', 'f', 'no', 'n', 'off', '0') THEN 0 \
             WHEN {value} IS NOT NULL THEN {} END",
            failing(value, to)
        ),
        Type::Int | Type::BigInt => format!("CAST({value} AS SIGNED)"),
        Type::Float => format!("CAST({value} AS DOUBLE)"),
        Type::Decimal { precision, scale } => format!("CAST({value} AS DECIMAL({precision},{scale}))"),
        Type::Uuid => {
            let octets = format!("UNHEX(REPLACE({value}, '-', ''))");
            checked(format!("LENGTH({octets}) = 16"), octets)
        }
        Type::Bytes => {
            let octets = format!("UNHEX(SUBSTR({value}, 3))");
            checked(format!("LEFT({value}, 2) = '\\x' AND {octets} IS NOT NULL"), octets)
        }
        Type::Date => format!("CAST({value} AS DATE)"),
        Type::Time => format!("CAST({value} AS TIME(6))"),
        Type::Timestamp => format!("CAST(REPLACE(REPLACE({value}, 'Z', ''), '+00:00', '') AS DATETIME(6))"),
        Type::Array(_) => checked(format!("JSON_VALID({value}) AND LEFT({value}, 1) = '['"), value.to_owned()),
        Type::Text | Type::Json => value.to_owned(),
    }
}

/// What makes a statement fail that comes to it, with the value in the server's words.
fn failing(value: &str, to: &Type) -> String {
    format!("CAST(CONCAT('no {to}: ', {value}) AS SIGNED)")
}
