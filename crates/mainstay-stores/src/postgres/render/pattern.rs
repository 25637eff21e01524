//! Regular expressions as PostgreSQL writes them.
//!
//! What matches is decided by one parser for all stores, the evaluator's. PostgreSQL's own parser means other things by
//! the same text (`\b` is a backspace there, and what a letter is depends on the database), so it is given what ours has
//! understood: characters and ranges of characters, with nothing left to interpret.

use std::fmt::Write as _;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look};

/// Most repetitions that PostgreSQL counts.
const REPEAT_MAX: u32 = 255;
/// Most octets of a pattern in PostgreSQL's words.
const OCTETS_MAX: usize = 1 << 20;

/// The pattern, for the operator `~`; `None` if PostgreSQL has no words for it.
pub(super) fn translate(source: &str, case_sensitive: bool) -> Option<String> {
    // As the evaluator compiles it: `.` is any character.
    let mut parser = ParserBuilder::new().case_insensitive(!case_sensitive).dot_matches_new_line(true).build();
    let hir = parser.parse(source).ok()?;
    // Says which of PostgreSQL's kinds of patterns it is.
    let mut out = String::from("***:");
    write(&mut out, &hir)?;
    (out.len() <= OCTETS_MAX).then_some(out)
}

fn write(out: &mut String, hir: &Hir) -> Option<()> {
    if out.len() > OCTETS_MAX {
        return None;
    }
    match hir.kind() {
        HirKind::Empty => out.push_str("(?:)"),
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).ok()?.chars().for_each(|c| character(out, c)),
        HirKind::Class(Class::Unicode(class)) => write_class(out, class),
        HirKind::Class(Class::Bytes(class)) => write_class(out, &class.to_unicode_class()?),
        HirKind::Look(look) => write_look(out, *look)?,
        HirKind::Capture(capture) => group(out, |out| write(out, &capture.sub))?,
        HirKind::Concat(parts) => {
            for part in parts {
                match part.kind() {
                    HirKind::Alternation(_) => group(out, |out| write(out, part))?,
                    _ => write(out, part)?,
                }
            }
        }
        HirKind::Alternation(parts) => {
            for (position, part) in parts.iter().enumerate() {
                if position > 0 {
                    out.push('|');
                }
                write(out, part)?;
            }
        }
        HirKind::Repetition(repetition) => {
            let (min, max) = (repetition.min, repetition.max);
            if min > REPEAT_MAX || max.is_some_and(|max| max > REPEAT_MAX) {
                return None;
            }
            group(out, |out| write(out, &repetition.sub))?;
            let _ = match (min, max) {
                (0, None) => write!(out, "*"),
                (1, None) => write!(out, "+"),
                (0, Some(1)) => write!(out, "?"),
                (min, None) => write!(out, "{{{min},}}"),
                (min, Some(max)) => write!(out, "{{{min},{max}}}"),
            };
        }
    }
    Some(())
}

fn group(out: &mut String, inside: impl FnOnce(&mut String) -> Option<()>) -> Option<()> {
    out.push_str("(?:");
    inside(out)?;
    out.push(')');
    Some(())
}

/// Writes one character that stands for itself, inside brackets or outside.
fn character(out: &mut String, c: char) {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | ' ' => out.push(c),
        c if c.is_ascii() || (c as u32) <= 0xffff => {
            let _ = write!(out, "\\u{:04x}", c as u32);
        }
        c => {
            let _ = write!(out, "\\U{:08x}", c as u32);
        }
    }
}

fn write_class(out: &mut String, class: &ClassUnicode) {
    // No text holds the character 0.
    let start = |range: &ClassUnicodeRange| range.start().max('\u{1}');
    let mut ranges = class.ranges().iter().filter(|range| range.end() > '\0').peekable();
    if ranges.peek().is_none() {
        // What matches nothing.
        return out.push_str("(?!)");
    }
    out.push('[');
    for range in ranges {
        character(out, start(range));
        if range.end() > start(range) {
            out.push('-');
            character(out, range.end());
        }
    }
    out.push(']');
}

fn write_look(out: &mut String, look: Look) -> Option<()> {
    out.push_str(match look {
        Look::Start => r"\A",
        Look::End => r"\Z",
        Look::StartLF => r"(?:\A|(?<=\u000a))",
        Look::EndLF => r"(?:\Z|(?=\u000a))",
        Look::StartCRLF => r"(?:\A|(?<=\u000a)|(?<=\u000d)(?!\u000a))",
        Look::EndCRLF => r"(?:\Z|(?=\u000d)|(?<!\u000d)(?=\u000a))",
        _ => {
            let is_ascii = format!("{look:?}").contains("Ascii");
            let source = if is_ascii { r"(?-u:\w)" } else { r"\w" };
            let mut word = String::new();
            write(&mut word, &ParserBuilder::new().build().parse(source).ok()?)?;
            let (behind, ahead) = (format!("(?<={word})"), format!("(?={word})"));
            let (not_behind, not_ahead) = (format!("(?<!{word})"), format!("(?!{word})"));
            let text = match look {
                Look::WordAscii | Look::WordUnicode => format!("(?:{behind}{not_ahead}|{not_behind}{ahead})"),
                Look::WordAsciiNegate | Look::WordUnicodeNegate => {
                    format!("(?:{behind}{ahead}|{not_behind}{not_ahead})")
                }
                Look::WordStartAscii | Look::WordStartUnicode => format!("{not_behind}{ahead}"),
                Look::WordEndAscii | Look::WordEndUnicode => format!("{behind}{not_ahead}"),
                Look::WordStartHalfAscii | Look::WordStartHalfUnicode => not_behind,
                _ => not_ahead,
            };
            out.push_str(&text);
            return Some(());
        }
    });
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_understood_is_written_out() {
        for (source, case_sensitive, expected) in [
            ("ann", true, "***:ann"),
            ("^a.b$", true, r"***:\Aa[\u0001-\U0010ffff]b\Z"),
            ("a|bc", true, "***:a|bc"),
            ("(a|b)+x?", true, "***:(?:(?:[a-b]))+(?:x)?"),
            ("a{2,5}", true, "***:(?:a){2,5}"),
            (r"\.", true, r"***:\u002e"),
            ("k", false, r"***:[Kk\u212a]"),
            ("[[:upper:]]", true, "***:[A-Z]"),
        ] {
            assert_eq!(translate(source, case_sensitive).as_deref(), Some(expected), "{source}");
        }
        assert_eq!(translate("a{300}", true), None);
    }
}
