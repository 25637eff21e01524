//! `like`: patterns with `%` and `_`.

use std::cell::RefCell;

use mainstay_schema::ValueError;
use regex::{Regex, RegexBuilder};

/// Compiled patterns that a thread keeps: a query runs a few patterns over many rows.
const CACHED_PATTERNS_MAX: usize = 16;

/// Whether all of `text` matches `pattern`, in which `%` is any text, `_` any one character, and backslash makes the
/// next character literal (at the very end it stands for itself). When case does not count, both sides are compared
/// after Unicode simple case folding. Takes time linear in `text`, whatever the pattern.
pub fn like(pattern: &str, text: &str, case_sensitive: bool) -> bool {
    thread_local! {
        static CACHE: RefCell<Vec<(String, bool, Regex)>> = const { RefCell::new(Vec::new()) };
    }
    CACHE.with_borrow_mut(|cache| {
        let found = cache.iter().position(|(source, case, _)| *case == case_sensitive && source == pattern);
        let at = found.unwrap_or_else(|| {
            if cache.len() == CACHED_PATTERNS_MAX {
                cache.remove(0);
            }
            cache.push((pattern.to_owned(), case_sensitive, compile(pattern, case_sensitive)));
            cache.len() - 1
        });
        cache[at].2.is_match(text)
    })
}

/// Characters of a pattern that a row holds: those of a request have their own limit, and each row's is compiled anew.
const COLUMN_PATTERN_CHARS_MAX: usize = 1024;

/// The same with a pattern that comes from a row.
///
/// # Errors
/// [`ValueError::LongPattern`] if it is longer than 1024 characters.
pub fn like_column(pattern: &str, text: &str, case_sensitive: bool) -> Result<bool, ValueError> {
    if pattern.len() > COLUMN_PATTERN_CHARS_MAX && pattern.chars().count() > COLUMN_PATTERN_CHARS_MAX {
        return Err(ValueError::LongPattern { chars_max: COLUMN_PATTERN_CHARS_MAX });
    }
    Ok(like(pattern, text, case_sensitive))
}

/// The regular expression that matches what `pattern` matches: for those who have a place to keep it.
pub fn like_regex(pattern: &str, case_sensitive: bool) -> Regex {
    compile(pattern, case_sensitive)
}

/// Case folding is the reason to go by a regular expression: `(?i)` folds exactly by Unicode's simple rules, and its
/// automaton never backtracks.
fn compile(pattern: &str, case_sensitive: bool) -> Regex {
    let mut source = String::with_capacity(pattern.len() + 8);
    source.push_str(r"\A");
    let mut chars = pattern.chars();
    let mut literal = [0; 4];
    while let Some(c) = chars.next() {
        match c {
            '%' => source.push_str(".*"),
            '_' => source.push('.'),
            '\\' => source.push_str(&regex::escape(chars.next().unwrap_or('\\').encode_utf8(&mut literal))),
            c => source.push_str(&regex::escape(c.encode_utf8(&mut literal))),
        }
    }
    source.push_str(r"\z");
    RegexBuilder::new(&source)
        .dot_matches_new_line(true)
        .case_insensitive(!case_sensitive)
        // `Limits::pattern_chars_max` bounds the pattern, so the size needs no second bound that could refuse it here.
        .size_limit(usize::MAX)
        .build()
        .expect("literals are escaped and the rest is ours")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_and_escapes() {
        for (pattern, text, expected) in [
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("a%", "a", true),
            ("%b%", "abc", true),
            ("a_c", "aéc", true),
            ("a_c", "ac", false),
            ("%", "", true),
            ("", "", true),
            ("", "x", false),
            ("_", "\n", true),
            ("a%z", "a\nz", true),
            (r"100\%", "100%", true),
            (r"100\%", "1000", false),
            (r"a\_b", "a_b", true),
            (r"a\_b", "axb", false),
            (r"a\\b", r"a\b", true),
            (r"a\", r"a\", true),
            ("a.c", "abc", false),
            ("[a]", "a", false),
            ("ABC", "abc", false),
            ("a%b", "ab\n", false),
        ] {
            assert_eq!(like(pattern, text, true), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn folding_is_unicode_simple_case_folding() {
        for (pattern, text, expected) in [
            ("ÄRGER%", "ärgerlich", true),
            ("σ", "ς", true),
            ("ſ", "S", true),
            ("k", "\u{212a}", true),
            ("straße", "STRASSE", false),
            ("ß", "ẞ", true),
            ("é", "e", false),
            ("%ИЯ", "мария", true),
        ] {
            assert_eq!(like(pattern, text, false), expected, "{pattern} {text}");
            assert!(!like(pattern, text, true), "{pattern} {text} with case");
        }
    }

    #[test]
    fn hostile_patterns_stay_linear() {
        let pattern = "%a_".repeat(341);
        let text = "a".repeat(20_000);
        let start = std::time::Instant::now();
        assert!(like(&pattern, &text, true));
        assert!(!like(&(pattern + "b"), &text, true));
        assert!(like(&"_".repeat(1024), &"é".repeat(1024), false));
        assert!(start.elapsed() < std::time::Duration::from_secs(20), "{:?}", start.elapsed());
    }

    #[test]
    fn more_patterns_than_are_kept() {
        for round in 0..3 {
            for number in 0..CACHED_PATTERNS_MAX * 2 {
                assert!(like(&format!("{number}%"), &format!("{number} {round}"), true));
            }
        }
    }
}
