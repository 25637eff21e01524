//! What happens to a row whose key is in the table already.

use mainstay_query::plan::Conflict;
use mainstay_schema::{ColumnId, Table};

/// What happens to a row whose key is in the table already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum OnConflict {
    /// It is a bad record.
    #[default]
    Fail,
    /// The row in the table stays as it is.
    Skip,
    /// The row in the table takes the values of the file.
    Merge,
}

impl OnConflict {
    /// The clause of the plan, where `given` are the columns that the file sets.
    pub(super) fn clause(self, table: &Table, given: &[ColumnId]) -> Option<Conflict> {
        let merge = match self {
            OnConflict::Fail => return None,
            OnConflict::Skip => None,
            OnConflict::Merge => {
                let touched = table.columns.iter().filter(|column| column.touched).map(|column| column.id);
                let taken = given.iter().copied().chain(touched.filter(|id| !given.contains(id)));
                Some(taken.filter(|id| !table.primary_key.contains(id)).collect())
            }
        };
        Some(Conflict { target: table.primary_key.clone(), merge })
    }
}
