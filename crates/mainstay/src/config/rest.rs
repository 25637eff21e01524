//! `[rest]`.

use super::Kind;

section! {
    /// What the REST language offers.
    RestSettings in "rest" {
        /// Whether rows may be grouped: `sum()`, `avg()`, `min()`, `max()`, `count()` in `select`. Off, because one
        /// such request may read every row of a table; as PostgREST's `db-aggregates-enabled`.
        aggregates: String = Kind::Choice(&["on", "off"]), default "off";
        /// Whether filters, orders and limits may name an embed that has an alias by its target; such answers carry a
        /// `Warning`. As PostgREST's `url-use-legacy-target-names`.
        legacy_target_names: String = Kind::Choice(&["on", "off"]), default "on";
    }
}
