//! Fenced blocks of a Markdown page, found, compared and rewritten.

use std::path::{Path, PathBuf};

/// One page with its fenced blocks.
pub(crate) struct Page {
    path: PathBuf,
    lines: Vec<String>,
    /// The blocks in order.
    pub(crate) blocks: Vec<Block>,
}

/// One fenced block.
pub(crate) struct Block {
    /// The word after the fence.
    pub(crate) language: String,
    /// What is between the fences.
    pub(crate) text: String,
    /// `file:line` of the first line, for messages.
    pub(crate) place: String,
    first: usize,
    last: usize,
}

impl Page {
    /// Reads a page.
    pub(crate) fn read(path: &Path) -> Page {
        let text = std::fs::read_to_string(path).expect("a readable page");
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut blocks = Vec::new();
        let mut open: Option<(usize, String)> = None;
        for (at, line) in lines.iter().enumerate() {
            let Some(word) = line.trim_start().strip_prefix("```") else { continue };
            match open.take() {
                None => open = Some((at + 1, word.trim().to_owned())),
                Some((first, language)) => {
                    let text = lines[first..at].join("\n");
                    blocks.push(Block { language, text, place: format!("{name}:{}", first + 1), first, last: at });
                }
            }
        }
        Page { path: path.to_owned(), lines, blocks }
    }

    /// Writes the page with the blocks' present texts.
    pub(crate) fn write(&self) {
        let mut lines = self.lines.clone();
        for block in self.blocks.iter().rev() {
            lines.splice(block.first..block.last, block.text.lines().map(str::to_owned));
        }
        std::fs::write(&self.path, lines.join("\n") + "\n").expect("a writable page");
    }
}

/// Whether `actual` is `expected`, in which `…` stands for any text on its line, and a line that is only `…` for any
/// number of lines.
pub(crate) fn matches(expected: &str, actual: &str) -> bool {
    let expected: Vec<&str> = expected.trim_end().lines().map(str::trim_end).collect();
    let actual: Vec<&str> = actual.trim_end().lines().map(str::trim_end).collect();
    lines_match(&expected, &actual)
}

fn lines_match(expected: &[&str], actual: &[&str]) -> bool {
    match expected.split_first() {
        None => actual.is_empty(),
        Some((first, rest)) if first.trim() == "…" => {
            (0..=actual.len()).any(|skip| lines_match(rest, &actual[skip..]))
        }
        Some((first, rest)) => {
            actual.split_first().is_some_and(|(line, more)| line_matches(first, line) && lines_match(rest, more))
        }
    }
}

fn line_matches(expected: &str, actual: &str) -> bool {
    let mut parts = expected.split('…');
    let Some(mut left) = parts.next().and_then(|start| actual.strip_prefix(start)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((end, middle)) = parts.split_last() else { return left.is_empty() };
    for part in middle {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.ends_with(end)
}

#[test]
fn wildcards_match_what_they_stand_for() {
    assert!(matches("a…c", "abbc") && matches("…", "a\nb\nc") && matches("a\n…\nc", "a\nc") && matches("a…", "a"));
    assert!(!matches("a…c", "ab") && !matches("a", "a\nb") && !matches("a\nb", "a") && !matches("x…y…z", "xz"));
}
