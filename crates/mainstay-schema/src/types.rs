//! Column types and text formats.

use std::fmt;

/// The type of a column. The set is the same on every store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// 32-bit signed integer.
    Int,
    /// 64-bit signed integer.
    BigInt,
    /// IEEE 754 double; `NaN` and the infinities are refused.
    Float,
    /// Exact decimal number with `precision` digits in all, `scale` of them after the point.
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits after the point, 0 to `precision`.
        scale: u8,
    },
    /// UTF-8 text without NUL.
    Text,
    /// 128-bit identifier, printed in lower case with hyphens.
    Uuid,
    /// Octets, printed as `\x` and hex.
    Bytes,
    /// Calendar date, years 1 to 9999.
    Date,
    /// Time of day with microseconds, no zone.
    Time,
    /// Instant with microseconds, kept and printed in UTC, years 1 to 9999.
    Timestamp,
    /// Any JSON document.
    Json,
    /// List of one of the other types (not of another array).
    Array(Box<Type>),
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Bool => f.write_str("bool"),
            Type::Int => f.write_str("int"),
            Type::BigInt => f.write_str("bigint"),
            Type::Float => f.write_str("float"),
            Type::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Type::Text => f.write_str("text"),
            Type::Uuid => f.write_str("uuid"),
            Type::Bytes => f.write_str("bytes"),
            Type::Date => f.write_str("date"),
            Type::Time => f.write_str("time"),
            Type::Timestamp => f.write_str("timestamp"),
            Type::Json => f.write_str("json"),
            Type::Array(item) => write!(f, "{item}[]"),
        }
    }
}

impl Type {
    /// The name that PostgreSQL, and so the clients of its wire format, use in error messages.
    pub fn wire_name(&self) -> &'static str {
        match self {
            Type::Bool => "boolean",
            Type::Int => "integer",
            Type::BigInt => "bigint",
            Type::Float => "double precision",
            Type::Decimal { .. } => "numeric",
            Type::Text => "text",
            Type::Uuid => "uuid",
            Type::Bytes => "bytea",
            Type::Date => "date",
            Type::Time => "time",
            Type::Timestamp => "timestamp with time zone",
            Type::Json => "json",
            Type::Array(_) => "array",
        }
    }
}

/// What a text column must look like. Every format is checked when a value is written, never when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `local@domain` as in RFC 5321 without quoting and comments.
    Email,
    /// Absolute `http` or `https` URL.
    Url,
    /// Lower-case letters, digits and single hyphens.
    Slug,
    /// E.164: `+` and 8 to 15 digits.
    Phone,
    /// Host name as in RFC 1123.
    Hostname,
    /// IPv4 or IPv6 address.
    Ip,
    /// Rich text: every text is taken, and what a browser would run is removed before it is kept.
    Html,
}

impl Format {
    /// Every format with the word that names it in a schema file.
    pub const ALL: [(&'static str, Format); 7] = [
        ("email", Format::Email),
        ("url", Format::Url),
        ("slug", Format::Slug),
        ("phone", Format::Phone),
        ("hostname", Format::Hostname),
        ("ip", Format::Ip),
        ("html", Format::Html),
    ];

    /// The word that names the format in a schema file.
    pub fn name(self) -> &'static str {
        Format::ALL.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }
}
