//! `match`: regular expressions.
//!
//! The syntax is that of the `regex` crate: what it has in common with PostgreSQL's means the same, and what it lacks
//! (back references, looking around) is refused. In return every search takes time linear in the text.

use mainstay_schema::model::Pattern;
use regex::{Regex, RegexBuilder};

/// Largest compiled form of a pattern, in octets. `Limits::pattern_chars_max` bounds the text, but `\w{500}` is short, and
/// a request may hold `Limits::filters_max` of them.
const COMPILED_BYTES_MAX: usize = 512 << 10;
/// Most octets that a search may keep of the automaton that it builds as it goes.
const AUTOMATON_BYTES_MAX: usize = 256 << 10;

/// Compiles a pattern, or says in one line what is wrong with it. It is not anchored, `^` and `$` are the ends of the
/// text, and `.` is any character, ends of lines too; case is folded by Unicode's simple rules when it does not count.
///
/// # Errors
/// What is wrong with it.
pub fn pattern(source: &str, case_sensitive: bool) -> Result<Pattern, String> {
    regex(source, case_sensitive).map(Pattern)
}

/// The same, as the bare expression.
///
/// # Errors
/// As [`pattern`].
pub fn regex(source: &str, case_sensitive: bool) -> Result<Regex, String> {
    let compiled = RegexBuilder::new(source)
        .case_insensitive(!case_sensitive)
        .dot_matches_new_line(true)
        .size_limit(COMPILED_BYTES_MAX)
        .dfa_size_limit(AUTOMATON_BYTES_MAX)
        .build();
    compiled.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "regular expression is too complex".to_owned(),
        // The message draws the pattern and points into it; what is wrong comes last.
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        }
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_pattern_is_sought_anywhere_and_anchors_are_the_ends_of_the_text() {
        for (source, text, expected) in [
            ("b", "abc", true),
            ("^b", "abc", false),
            ("^a.*c$", "a\nc", true),
            ("^b", "a\nb", false),
            ("[[:digit:]]+", "a1", true),
            ("a|x", "bab", true),
            ("(?i)A", "a", true),
            ("A", "a", false),
            ("", "", true),
            ("é", "É", false),
        ] {
            assert_eq!(pattern(source, true).unwrap().0.is_match(text), expected, "{source} {text}");
        }
        assert!(pattern("é", false).unwrap().0.is_match("É"));
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        for (source, reason) in [
            ("(", "unclosed group"),
            ("a{", "unclosed counted repetition"),
            ("[z-a]", "invalid character class range, the start must be <= the end"),
            (r"(a)\1", "backreferences are not supported"),
            ("(?=a)", "look-around, including look-ahead and look-behind, is not supported"),
            (r"\w{1000}", "regular expression is too complex"),
        ] {
            assert_eq!(pattern(source, true).err().as_deref(), Some(reason), "{source}");
        }
    }

    #[test]
    fn hostile_patterns_stay_linear() {
        let text = "a".repeat(100_000) + "b";
        let start = Instant::now();
        for source in ["(a+)+$", "(a|a)*c", "(.*)*x", "(a?){50}a{50}$"] {
            assert!(!pattern(source, true).unwrap().0.is_match(&text), "{source}");
        }
        for _ in 0..10 {
            let _ = pattern(&"(a?|b*)".repeat(146), false);
            let _ = pattern(&r"\w".repeat(500), false);
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    }
}
