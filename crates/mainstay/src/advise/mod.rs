//! What would make a database faster or safer: indexes that are missing, that nobody needs, tables without keys.
//!
//! ```text
//! structure.rs  what the tables alone tell, and what the engine has counted
//! slow.rs       what slow statements tell
//! change.rs     advice as changes of a schema      edit.rs  those changes in the files of a project
//! ```
//!
//! Knows no engine: tables come as a [`Schema`](mainstay_schema::Schema), counts as [`Statistics`](mainstay_store::Statistics).
//! Called by the command `advise`.

mod change;
mod edit;
mod slow;
mod structure;

use serde::Serialize;

pub use change::{Change, changed};
pub use edit::{EditError, edit};
pub use slow::heed;
pub use structure::examine;

/// One piece of advice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// What it is about.
    pub kind: Kind,
    /// The table.
    pub table: String,
    /// What was found, as a sentence.
    pub found: String,
    /// What to do.
    pub remedy: String,
    /// About how many rows the table has, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// What to do, for `--write`; nothing where only people know it.
    #[serde(skip)]
    pub change: Option<Change>,
}

/// What a piece of advice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Rows cannot be told apart.
    NoKey,
    /// Rows are looked for by columns that no index leads to.
    MissingIndex,
    /// What an index does, another one does as well.
    RedundantIndex,
    /// An index that nobody has used.
    UnusedIndex,
}
