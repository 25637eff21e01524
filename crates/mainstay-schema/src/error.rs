//! What can be wrong with a schema file, a value, or a value in its column.

use std::fmt;
use std::path::PathBuf;

/// One mistake in a project file, told so that a person can mend it.
///
/// Prints as `file:line:column: what is wrong; what would be right`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file, relative to the project folder.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub problem: String,
    /// What would be right.
    pub remedy: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}; {}", self.file.display(), self.line, self.column, self.problem, self.remedy)
    }
}

/// Why text or JSON is not a value of a type. `ty` is the wire name of the type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// It cannot be read as that type at all (SQLSTATE 22P02).
    #[error("invalid input syntax for type {ty}: \"{text}\"")]
    Syntax {
        /// Wire name of the type.
        ty: &'static str,
        /// The input, shortened to at most 200 characters.
        text: String,
    },
    /// It is a number, but not one that the type can hold (SQLSTATE 22003).
    #[error("value \"{text}\" is out of range for type {ty}")]
    OutOfRange {
        /// Wire name of the type.
        ty: &'static str,
        /// The input, shortened.
        text: String,
    },
    /// A date or time that does not exist or lies outside years 1 to 9999 (SQLSTATE 22008).
    #[error("date/time field value out of range: \"{text}\"")]
    NoSuchTime {
        /// The input, shortened.
        text: String,
    },
    /// Text with a NUL character (SQLSTATE 22021).
    #[error("text must not contain the character NUL")]
    Nul,
    /// A pattern that a row holds and that is too long to match with (SQLSTATE 22023).
    #[error("a pattern in a column may have at most {chars_max} characters")]
    LongPattern {
        /// How many.
        chars_max: usize,
    },
    /// JSON that is nested deeper than [`value::JSON_DEPTH_MAX`](crate::value::JSON_DEPTH_MAX), repeats a member, or is malformed (SQLSTATE 22P02).
    #[error("invalid JSON: {reason}")]
    Json {
        /// What is wrong with it.
        reason: String,
    },
}

/// A value of the right type that its column does not accept (SQLSTATE 23514).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{column} {problem}")]
pub struct Violation {
    /// The column.
    pub column: String,
    /// What is wrong, so that `{column} {problem}` reads as a sentence: `must be at least 0`.
    pub problem: String,
}

/// Why a recorded schema cannot be read. The record is ours, so it was changed by hand or written by a newer version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the recorded schema cannot be read: {reason}")]
pub struct RecordError {
    /// What is wrong with it.
    pub reason: String,
}
