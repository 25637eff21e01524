//! Regular expressions as engines write them.
//!
//! What matches is decided by one parser for all stores, the evaluator's. An engine's own parser means other things by
//! the same text (`\b` is a backspace in PostgreSQL, and what a letter is depends on the database), so it is given what
//! ours has understood: characters and ranges of characters, with nothing left to interpret.

use std::fmt::Write as _;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look};

/// How an engine writes what is not the same in all of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words {
    /// What stands before every pattern.
    pub(crate) start: &'static str,
    /// The end of the text.
    pub(crate) end: &'static str,
    /// Writes a character that is no ASCII letter, digit, underscore or blank.
    pub(crate) character: fn(&mut String, char),
    /// Most repetitions that are counted.
    pub(crate) repeat_max: u32,
}

/// Most octets of a pattern in an engine's words.
const OCTETS_MAX: usize = 1 << 20;

/// The pattern; `None` if the engine has no words for it.
pub(crate) fn translate(words: Words, source: &str, case_sensitive: bool) -> Option<String> {
    // As the evaluator compiles it: `.` is any character.
    let mut parser = ParserBuilder::new().case_insensitive(!case_sensitive).dot_matches_new_line(true).build();
    let hir = parser.parse(source).ok()?;
    let mut out = Writer { words, text: words.start.to_owned() };
    out.write(&hir)?;
    let out = out.text;
    (out.len() <= OCTETS_MAX).then_some(out)
}

struct Writer {
    words: Words,
    text: String,
}

impl Writer {
    fn write(&mut self, hir: &Hir) -> Option<()> {
        if self.text.len() > OCTETS_MAX {
            return None;
        }
        match hir.kind() {
            HirKind::Empty => self.text.push_str("(?:)"),
            HirKind::Literal(literal) => std::str::from_utf8(&literal.0).ok()?.chars().for_each(|c| self.character(c)),
            HirKind::Class(Class::Unicode(class)) => self.class(class),
            HirKind::Class(Class::Bytes(class)) => self.class(&class.to_unicode_class()?),
            HirKind::Look(look) => self.look(*look)?,
            HirKind::Capture(capture) => self.group(|out| out.write(&capture.sub))?,
            HirKind::Concat(parts) => {
                for part in parts {
                    match part.kind() {
                        HirKind::Alternation(_) => self.group(|out| out.write(part))?,
                        _ => self.write(part)?,
                    }
                }
            }
            HirKind::Alternation(parts) => {
                for (position, part) in parts.iter().enumerate() {
                    if position > 0 {
                        self.text.push('|');
                    }
                    self.write(part)?;
                }
            }
            HirKind::Repetition(repetition) => {
                let (min, max) = (repetition.min, repetition.max);
                let most = self.words.repeat_max;
                if min > most || max.is_some_and(|max| max > most) {
                    return None;
                }
                self.group(|out| out.write(&repetition.sub))?;
                let _ = match (min, max) {
                    (0, None) => write!(self.text, "*"),
                    (1, None) => write!(self.text, "+"),
                    (0, Some(1)) => write!(self.text, "?"),
                    (min, None) => write!(self.text, "{{{min},}}"),
                    (min, Some(max)) => write!(self.text, "{{{min},{max}}}"),
                };
            }
        }
        Some(())
    }

    fn group(&mut self, inside: impl FnOnce(&mut Self) -> Option<()>) -> Option<()> {
        self.text.push_str("(?:");
        inside(self)?;
        self.text.push(')');
        Some(())
    }

    /// Writes one character that stands for itself, inside brackets or outside.
    fn character(&mut self, c: char) {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | ' ' => self.text.push(c),
            c => (self.words.character)(&mut self.text, c),
        }
    }

    fn class(&mut self, class: &ClassUnicode) {
        // No text holds the character 0.
        let start = |range: &ClassUnicodeRange| range.start().max('\u{1}');
        let mut ranges = class.ranges().iter().filter(|range| range.end() > '\0').peekable();
        if ranges.peek().is_none() {
            // What matches nothing.
            return self.text.push_str("(?!)");
        }
        self.text.push('[');
        for range in ranges {
            self.character(start(range));
            if range.end() > start(range) {
                self.text.push('-');
                self.character(range.end());
            }
        }
        self.text.push(']');
    }

    fn look(&mut self, look: Look) -> Option<()> {
        let (mut newline, mut carriage) = (String::new(), String::new());
        (self.words.character)(&mut newline, '\n');
        (self.words.character)(&mut carriage, '\r');
        let end = self.words.end;
        let text = match look {
            Look::Start => r"\A".to_owned(),
            Look::End => end.to_owned(),
            Look::StartLF => format!(r"(?:\A|(?<={newline}))"),
            Look::EndLF => format!("(?:{end}|(?={newline}))"),
            Look::StartCRLF => format!(r"(?:\A|(?<={newline})|(?<={carriage})(?!{newline}))"),
            Look::EndCRLF => format!("(?:{end}|(?={carriage})|(?<!{carriage})(?={newline}))"),
            _ => self.word_boundary(look)?,
        };
        self.text.push_str(&text);
        Some(())
    }

    fn word_boundary(&self, look: Look) -> Option<String> {
        let is_ascii = format!("{look:?}").contains("Ascii");
        let source = if is_ascii { r"(?-u:\w)" } else { r"\w" };
        let mut word = Writer { words: self.words, text: String::new() };
        word.write(&ParserBuilder::new().build().parse(source).ok()?)?;
        let word = word.text;
        let (behind, ahead) = (format!("(?<={word})"), format!("(?={word})"));
        let (not_behind, not_ahead) = (format!("(?<!{word})"), format!("(?!{word})"));
        Some(match look {
            Look::WordAscii | Look::WordUnicode => format!("(?:{behind}{not_ahead}|{not_behind}{ahead})"),
            Look::WordAsciiNegate | Look::WordUnicodeNegate => {
                format!("(?:{behind}{ahead}|{not_behind}{not_ahead})")
            }
            Look::WordStartAscii | Look::WordStartUnicode => format!("{not_behind}{ahead}"),
            Look::WordEndAscii | Look::WordEndUnicode => format!("{behind}{not_ahead}"),
            Look::WordStartHalfAscii | Look::WordStartHalfUnicode => not_behind,
            _ => not_ahead,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: Words = Words {
        start: "***:",
        end: r"\Z",
        character: |out, c| {
            let _ = write!(out, "\\u{:04x}", c as u32);
        },
        repeat_max: 255,
    };

    #[test]
    fn what_was_understood_is_written_out() {
        for (source, case_sensitive, expected) in [
            ("ann", true, "***:ann"),
            ("^a.b$", true, r"***:\Aa[\u0001-\u10ffff]b\Z"),
            ("a|bc", true, "***:a|bc"),
            ("(a|b)+x?", true, "***:(?:(?:[a-b]))+(?:x)?"),
            ("a{2,5}", true, "***:(?:a){2,5}"),
            (r"\.", true, r"***:\u002e"),
            ("k", false, r"***:[Kk\u212a]"),
            ("[[:upper:]]", true, "***:[A-Z]"),
        ] {
            assert_eq!(translate(WORDS, source, case_sensitive).as_deref(), Some(expected), "{source}");
        }
        assert_eq!(translate(WORDS, "a{300}", true), None);
    }
}
