//! Reviews out of a CSV file, some at a time, for servers that do not read such files themselves.

use std::fs::File;
use std::path::Path;

use anyhow::Context;

/// Rows of one part, and so of one statement of an import.
const PART_ROWS: usize = 1000;

/// One review: its number, its stars, and what it says.
pub(crate) type Review = (i64, i64, String);

/// A file that is being read.
pub(crate) struct Reviews(csv::DeserializeRecordsIntoIter<File, Review>);

impl Reviews {
    /// Opens a file whose first line has the names of the columns.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn open(file: &Path) -> anyhow::Result<Reviews> {
        let reader = csv::Reader::from_path(file).with_context(|| format!("reading {}", file.display()))?;
        Ok(Reviews(reader.into_deserialize()))
    }

    /// The next ones; none at the end of the file.
    ///
    /// # Errors
    /// When a line is no review.
    pub(crate) fn part(&mut self) -> anyhow::Result<Vec<Review>> {
        Ok(self.0.by_ref().take(PART_ROWS).collect::<Result<_, _>>()?)
    }
}
