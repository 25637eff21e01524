//! The form in which settings are declared, and the macro that makes a typed struct and its table from one text.

use super::value::Value;

/// One section of `mainstay.toml`.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// Its name, dotted: `stores.main`.
    pub name: &'static str,
    /// What it is about.
    pub doc: &'static str,
    /// What may be set in it.
    pub settings: &'static [Setting],
}

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name in the section.
    pub name: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// Which values it takes.
    pub kind: Kind,
    /// The value when nobody sets it, as a person would write it; `None` for no value.
    pub default: Option<&'static str>,
    /// Environment names besides `MAINSTAY_<SECTION>_<NAME>`, in order of precedence.
    pub environment: &'static [&'static str],
}

/// Which values a setting takes.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Any text that is not empty.
    Text,
    /// Text of at least this many characters that is never printed.
    Secret(usize),
    /// A whole number between two bounds, both included.
    Number(u64, u64),
    /// A whole number of seconds between two bounds, both included.
    Seconds(u64, u64),
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of texts; separated by commas in the environment.
    List,
    /// Text of a form of its own.
    Form {
        /// What is right: `a URL that begins with sqlite:`.
        expected: &'static str,
        /// Says what is wrong with a text.
        check: fn(&str) -> Result<(), String>,
    },
}

impl Kind {
    /// What is right, for messages and the reference page.
    pub fn expected(&self) -> String {
        match self {
            Kind::Text => "a text".to_owned(),
            Kind::Secret(least) => format!("a text of at least {least} characters"),
            Kind::Number(min, max) => format!("a whole number from {min} to {max}"),
            Kind::Seconds(min, max) => format!("a whole number of seconds from {min} to {max}"),
            Kind::Flag => "true or false".to_owned(),
            Kind::Choice(words) => format!("one of {}", words.join(", ")),
            Kind::List => "a list of texts".to_owned(),
            Kind::Form { expected, .. } => (*expected).to_owned(),
        }
    }

    /// Reads a value from the text of an environment variable or the command line.
    ///
    /// # Errors
    /// What is wrong with it, to follow the name of the setting.
    pub fn read(&self, text: &str) -> Result<Value, String> {
        let value = match self {
            Kind::Number(..) | Kind::Seconds(..) => {
                Value::Number(text.trim().parse().map_err(|_| format!("is {text:?}"))?)
            }
            Kind::Flag => Value::Flag(text.trim().parse().map_err(|_| format!("is {text:?}"))?),
            Kind::List => {
                Value::List(text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect())
            }
            _ => Value::Text(text.to_owned()),
        };
        self.accept(value)
    }

    /// Lets a value through if it is one of this kind.
    ///
    /// # Errors
    /// What is wrong with it, to follow the name of the setting.
    pub fn accept(&self, value: Value) -> Result<Value, String> {
        match (self, &value) {
            (Kind::Text, Value::Text(text)) if text.is_empty() => Err("is empty".to_owned()),
            (Kind::Secret(least), Value::Text(text)) if text.chars().count() < *least => {
                Err(format!("has {} characters", text.chars().count()))
            }
            (Kind::Text | Kind::Secret(_), Value::Text(_)) | (Kind::List, Value::List(_)) => Ok(value),
            (Kind::Number(min, max) | Kind::Seconds(min, max), Value::Number(number)) => {
                if (min..=max).contains(&number) { Ok(value) } else { Err(format!("is {number}")) }
            }
            (Kind::Flag, Value::Flag(_)) => Ok(value),
            (Kind::Choice(words), Value::Text(text)) if words.contains(&text.as_str()) => Ok(value),
            (Kind::Choice(_), Value::Text(text)) => Err(format!("is {text:?}")),
            (Kind::Form { check, .. }, Value::Text(text)) => check(text).map(|()| value),
            (_, other) => Err(format!("is {}", other.described())),
        }
    }
}

impl Section {
    /// The environment name of one of its settings: `MAINSTAY_STORES_MAIN_URL`.
    pub fn environment_name(&self, setting: &Setting) -> String {
        format!("{}{}", self.environment_prefix(), setting.name.to_uppercase())
    }

    /// What the environment names of its settings begin with: `MAINSTAY_STORES_MAIN_`.
    pub fn environment_prefix(&self) -> String {
        format!("MAINSTAY_{}_", self.name.to_uppercase().replace('.', "_"))
    }
}

/// Declares a section: a struct with one typed field per setting, and the table that describes them.
///
/// ```text
/// section! {
///     /// What the section is about.
///     ServerSettings in "server" {
///         /// What the setting does.
///         port: u16 = Kind::Number(0, 65_535), default "8080", env ["PORT"];
///     }
/// }
/// ```
macro_rules! section {
    (
        $(#[doc = $doc:literal])+
        $type:ident in $section:literal {
            $(
                $(#[doc = $words:literal])+
                $field:ident: $rust:ty = $kind:expr $(, default $default:literal)? $(, env [$($name:literal),+])?;
            )+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $type {
            $($(#[doc = $words])+ pub $field: $rust,)+
        }

        impl $type {
            /// The table of this section.
            pub const SECTION: $crate::config::Section = $crate::config::Section {
                name: $section,
                doc: concat!($($doc),+),
                settings: &[$($crate::config::Setting {
                    name: stringify!($field),
                    doc: concat!($($words),+),
                    kind: $kind,
                    default: section!(@default $($default)?),
                    environment: &[$($($name),+)?],
                }),+],
            };

            /// Takes each value out of the section, in the order of its settings.
            pub(super) fn take(values: Vec<Option<$crate::config::Value>>) -> $type {
                let mut values = values.into_iter();
                $type { $($field: $crate::config::value::FromValue::from_value(values.next().flatten()),)+ }
            }
        }
    };
    (@default) => { None };
    (@default $default:literal) => { Some($default) };
}
