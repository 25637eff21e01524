//! What a store does exactly, and what is left for us.

/// How well an engine carries out a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// Gives exactly the rows that pass.
    Exact,
    /// Gives all rows that pass and perhaps more.
    Superset,
    /// Cannot use it.
    Unsupported,
}
