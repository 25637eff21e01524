//! Named bounds on what one request may ask.

/// Bounds on one request. Past one of them the request is refused with the name of the bound. Three parts of the
/// language are bounded to all or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Rows in one page; a larger or absent `limit` is cut to this, at the top and in every embed.
    pub page_rows_max: u64,
    /// Rows in one insert.
    pub write_rows_max: usize,
    /// Filters of one request, counted as single comparisons, in trees and in embeds together.
    pub filters_max: usize,
    /// Elements of one `in` list.
    pub list_items_max: usize,
    /// Levels of embeds below the root.
    pub embed_depth_max: usize,
    /// Embeds of one request in all.
    pub embeds_max: usize,
    /// Nesting of `and(…)`/`or(…)`.
    pub logic_depth_max: usize,
    /// Characters of one pattern of `like` or `match`.
    pub pattern_chars_max: usize,
    /// Selected members of one level, order terms of one level.
    pub items_max: usize,
    /// Steps of one batch.
    pub batch_steps_max: usize,
    /// Whether rows may be grouped by aggregates.
    pub aggregates: bool,
    /// Whether filters, orders and limits may name an embed that has an alias by its target.
    pub legacy_target_names: bool,
    /// Whether only PostgREST's own language is read: none of our words, and operators for types of PostgreSQL's.
    pub postgrest_only: bool,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            page_rows_max: 1000,
            write_rows_max: 10_000,
            filters_max: 100,
            list_items_max: 10_000,
            embed_depth_max: 8,
            embeds_max: 32,
            logic_depth_max: 16,
            pattern_chars_max: 1024,
            items_max: 2048,
            batch_steps_max: 100,
            aggregates: false,
            legacy_target_names: true,
            postgrest_only: false,
        }
    }
}
