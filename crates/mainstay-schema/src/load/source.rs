//! Places in source text, and the mistakes found there.

use std::ops::Range;

use super::SourceFile;
use crate::error::Mistake;
use crate::near::near;

/// Where something stands: which file, and how many bytes into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Position in the list of files.
    pub(super) file: usize,
    /// Offset in bytes.
    pub(super) at: usize,
}

impl Place {
    /// The start of a span of this file.
    pub(super) fn new(file: usize, span: &Range<usize>) -> Place {
        Place { file, at: span.start }
    }
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Located<T> {
    /// What was written.
    pub(super) value: T,
    /// Where.
    pub(super) place: Place,
}

/// Everything found wrong so far. Finding one mistake never stops the search for the next.
#[derive(Debug, Default)]
pub(super) struct Mistakes {
    found: Vec<(Place, String, String)>,
}

impl Mistakes {
    /// Notes a mistake: what is wrong, and what would be right.
    pub(super) fn add(&mut self, place: Place, problem: impl Into<String>, remedy: impl Into<String>) {
        self.found.push((place, problem.into(), remedy.into()));
    }

    /// How many there are; compare two answers to learn whether a step found any.
    pub(super) fn count(&self) -> usize {
        self.found.len()
    }

    /// The mistakes for people, in order of file and place.
    pub(super) fn into_sorted(mut self, files: &[&SourceFile]) -> Vec<Mistake> {
        self.found.sort();
        self.found.dedup();
        let told = |(place, problem, remedy): (Place, String, String)| {
            let file = files[place.file];
            let (line, column) = line_and_column(&file.text, place.at);
            Mistake { file: file.path.clone(), line, column, problem, remedy }
        };
        self.found.into_iter().map(told).collect()
    }
}

/// Line and column in characters, both from 1, of a byte offset, which may lie at the end of the text or past it.
fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(at)];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

/// `did you mean ...?` when one of the names is near, and the other remedy when none is.
pub(super) fn near_or<'a>(
    name: &str,
    names: impl IntoIterator<Item = &'a str>,
    otherwise: impl FnOnce() -> String,
) -> String {
    near(name, names).map_or_else(otherwise, |meant| format!("did you mean `{meant}`?"))
}

/// `` `a`, `b` and `c` ``.
pub(super) fn listed<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let text = "a = 1\nö = \"日本\" # x\n";
        for (at, expected) in [(0, (1, 1)), (5, (1, 6)), (6, (2, 1)), (8, (2, 2)), (19, (2, 9)), (999, (3, 1))] {
            assert_eq!(line_and_column(text, at), expected, "{at}");
        }
    }

    #[test]
    fn lists_read_as_sentences() {
        for (names, expected) in [
            (&[] as &[&str], ""),
            (&["a"], "`a`"),
            (&["a", "b"], "`a` and `b`"),
            (&["a", "b", "c"], "`a`, `b` and `c`"),
        ] {
            assert_eq!(listed(names), expected);
        }
    }
}
