//! The `Prefer` header.

use crate::request::Resolution;

/// What a request prefers. A preference that was not given is `None`; for a repeated one the first counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preferences {
    /// `return=`
    pub answer: Option<Return>,
    /// `count=`
    pub count: Option<CountPreference>,
    /// `resolution=`
    pub resolution: Option<Resolution>,
    /// `missing=`
    pub missing: Option<Missing>,
    /// `handling=`
    pub handling: Option<Handling>,
    /// `tx=`
    pub tx: Option<TxEnd>,
    /// `timezone=`, as written.
    pub timezone: Option<String>,
    /// `max-affected=`
    pub max_affected: Option<u64>,
    /// Everything else, as written: unknown names, and known names with unknown values.
    pub unknown: Vec<String>,
}

impl Preferences {
    /// Whether `handling=strict` was asked.
    pub fn is_strict(&self) -> bool {
        self.handling == Some(Handling::Strict)
    }
}

/// What a write answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Return {
    /// `minimal`: nothing.
    Minimal,
    /// `headers-only`: the place of the new row.
    HeadersOnly,
    /// `representation`: the rows.
    Representation,
}

/// How rows are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountPreference {
    /// `exact`: all rows that pass the filters.
    Exact,
    /// `planned`: what the store's planner guesses.
    Planned,
    /// `estimated`: exact for few rows, a guess for many.
    Estimated,
}

/// What members that a row lacks become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// `default`: the column's default.
    Default,
    /// `null`.
    Null,
}

/// What happens to preferences that are not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    /// `strict`: the request is refused.
    Strict,
    /// `lenient`: they are ignored.
    Lenient,
}

/// How the transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TxEnd {
    /// `commit`
    Commit,
    /// `rollback`
    Rollback,
}

/// Reads `Prefer` headers, one text each.
pub fn prefer<'a>(headers: impl IntoIterator<Item = &'a str>) -> Preferences {
    let mut preferences = Preferences::default();
    for preference in headers.into_iter().flat_map(|header| header.split(',')).map(str::trim) {
        if !preference.is_empty() && !take(&mut preferences, preference) {
            preferences.unknown.push(preference.to_owned());
        }
    }
    preferences
}

/// Remembers one preference if it is known.
fn take(preferences: &mut Preferences, text: &str) -> bool {
    let Some((name, value)) = text.split_once('=').map(|(name, value)| (name.trim(), value.trim())) else {
        return false;
    };
    match name {
        "return" => first(&mut preferences.answer, word(value, &RETURNS)),
        "count" => first(&mut preferences.count, word(value, &COUNTS)),
        "resolution" => first(&mut preferences.resolution, word(value, &RESOLUTIONS)),
        "missing" => first(&mut preferences.missing, word(value, &MISSINGS)),
        "handling" => first(&mut preferences.handling, word(value, &HANDLINGS)),
        "tx" => first(&mut preferences.tx, word(value, &TX_ENDS)),
        "timezone" => first(&mut preferences.timezone, Some(value.to_owned())),
        // u64 would read a sign as well.
        "max-affected" if value.bytes().all(|b| b.is_ascii_digit()) => {
            first(&mut preferences.max_affected, value.parse().ok())
        }
        _ => false,
    }
}

fn first<T>(slot: &mut Option<T>, value: Option<T>) -> bool {
    let known = value.is_some();
    if slot.is_none() {
        *slot = value;
    }
    known
}

fn word<T: Copy>(text: &str, words: &[(&str, T)]) -> Option<T> {
    words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value)
}

const RETURNS: [(&str, Return); 3] =
    [("minimal", Return::Minimal), ("headers-only", Return::HeadersOnly), ("representation", Return::Representation)];

const COUNTS: [(&str, CountPreference); 3] = [
    ("exact", CountPreference::Exact),
    ("planned", CountPreference::Planned),
    ("estimated", CountPreference::Estimated),
];

const RESOLUTIONS: [(&str, Resolution); 2] =
    [("merge-duplicates", Resolution::Merge), ("ignore-duplicates", Resolution::Ignore)];

const MISSINGS: [(&str, Missing); 2] = [("default", Missing::Default), ("null", Missing::Null)];

const HANDLINGS: [(&str, Handling); 2] = [("strict", Handling::Strict), ("lenient", Handling::Lenient)];

const TX_ENDS: [(&str, TxEnd); 2] = [("commit", TxEnd::Commit), ("rollback", TxEnd::Rollback)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_repeated_headers_are_one_list() {
        let preferences = prefer(["return=representation, count=exact", "handling=strict,max-affected=10"]);
        assert_eq!(preferences.answer, Some(Return::Representation));
        assert_eq!(preferences.count, Some(CountPreference::Exact));
        assert_eq!(preferences.max_affected, Some(10));
        assert!(preferences.is_strict());
        assert_eq!(preferences.unknown, Vec::<String>::new());
    }

    #[test]
    fn the_first_of_a_repeated_preference_wins() {
        let preferences = prefer(["tx=rollback, tx=commit", "missing=default,missing=null"]);
        assert_eq!(preferences.tx, Some(TxEnd::Rollback));
        assert_eq!(preferences.missing, Some(Missing::Default));
    }

    #[test]
    fn unknown_names_and_values_are_kept_as_written() {
        let preferences = prefer(["foo, return=all, Return=minimal, max-affected=-1, max-affected=, timezone=+05:30"]);
        let unknown = ["foo", "return=all", "Return=minimal", "max-affected=-1", "max-affected="];
        assert_eq!(preferences.unknown, unknown);
        assert_eq!(preferences.answer, None);
        assert_eq!(preferences.timezone.as_deref(), Some("+05:30"));
        assert_eq!(prefer([""]), Preferences::default());
    }
}
