//! Values of settings before they have their Rust type, and the type that keeps secrets out of logs.

use std::fmt;
use std::time::Duration;

/// A value of a setting, checked against its [`Kind`](super::Kind).
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Number(u64),
    /// `true` or `false`.
    Flag(bool),
    /// A list of texts.
    List(Vec<String>),
    /// Anything else that TOML can hold, by the name of its type: right for no setting.
    Other(&'static str),
}

impl Value {
    /// What kind of value this is, for messages.
    pub fn described(&self) -> &'static str {
        match self {
            Value::Text(_) => "a text",
            Value::Number(_) => "a number",
            Value::Flag(_) => "true or false",
            Value::List(_) => "a list",
            Value::Other(name) => name,
        }
    }
}

/// Text that is not printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text, for whoever must have it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// A Rust type that a setting can have. The value was checked against the setting's kind, so a wrong one is a bug in
/// the table; a test walks the whole table.
pub(super) trait FromValue {
    fn from_value(value: Option<Value>) -> Self;
}

const WRONG_KIND: &str = "the kind of a setting suits the type of its field";

impl FromValue for String {
    fn from_value(value: Option<Value>) -> String {
        Option::from_value(value).expect(WRONG_KIND)
    }
}

impl FromValue for Option<String> {
    fn from_value(value: Option<Value>) -> Option<String> {
        value.map(|value| match value {
            Value::Text(text) => text,
            _ => unreachable!("{WRONG_KIND}"),
        })
    }
}

impl FromValue for Option<Secret> {
    fn from_value(value: Option<Value>) -> Option<Secret> {
        Option::<String>::from_value(value).map(Secret)
    }
}

impl FromValue for bool {
    fn from_value(value: Option<Value>) -> bool {
        match value {
            Some(Value::Flag(flag)) => flag,
            _ => unreachable!("{WRONG_KIND}"),
        }
    }
}

impl FromValue for Vec<String> {
    fn from_value(value: Option<Value>) -> Vec<String> {
        match value {
            Some(Value::List(items)) => items,
            _ => unreachable!("{WRONG_KIND}"),
        }
    }
}

macro_rules! from_number {
    ($($type:ty),+) => {$(
        impl FromValue for $type {
            fn from_value(value: Option<Value>) -> $type {
                match value {
                    Some(Value::Number(number)) => number.try_into().expect(WRONG_KIND),
                    _ => unreachable!("{WRONG_KIND}"),
                }
            }
        }
    )+};
}

from_number!(u8, u16, u32, u64, usize);

impl FromValue for Duration {
    fn from_value(value: Option<Value>) -> Duration {
        Duration::from_secs(u64::from_value(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print_itself() {
        assert_eq!(format!("{:?}", Some(Secret::new("ms_secret_1"))), "Some([hidden])");
    }
}
