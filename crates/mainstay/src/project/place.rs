//! Offsets in a file as lines and columns.

use std::path::PathBuf;

use mainstay_schema::Mistake;

/// A place in a text, counted as editors count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    line: usize,
    column: usize,
}

impl Place {
    /// Where the byte `offset` lies in `text`; its end when the offset is beyond it.
    pub(crate) fn of(text: &str, offset: usize) -> Place {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Place { line, column }
    }

    pub(crate) fn mistake(self, file: impl Into<PathBuf>, problem: String, remedy: String) -> Mistake {
        Mistake { file: file.into(), line: self.line, column: self.column, problem, remedy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_from_one() {
        for (offset, line, column) in [(0, 1, 1), (2, 1, 2), (3, 2, 1), (4, 2, 2), (99, 2, 2)] {
            assert_eq!(Place::of("ä\nb", offset), Place { line, column }, "{offset}");
        }
    }
}
