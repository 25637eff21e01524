//! The suite that every store passes. One behaviour on all engines means: these cases, run by each.
//!
//! Knows no engine. A store's own tests bring a function that opens an empty store with the tables of a schema, and
//! [`conformance!`](crate::conformance!) makes one test of each case:
//!
//! ```ignore
//! async fn open(schema: Arc<Schema>) -> Arc<dyn Store> { /* create the tables */ }
//! mainstay_store::conformance!(open);
//! ```
//!
//! Needs the cargo feature `conformance`, tokio's `macros` and `rt-multi-thread`, and nothing else. The random case
//! runs `MAINSTAY_CASES` scenarios (64) from `MAINSTAY_SEED` (a new one each time); a failure prints the seed.

pub mod changes;
pub mod computed;
pub mod conflicts;
pub mod embeds;
pub mod filters;
pub mod groups;
pub mod limits;
pub mod nested;
pub mod places;
pub mod random;
pub mod reads;
pub mod references;
pub mod scattered;
pub mod scripts;
pub mod searches;
pub mod spreads;
pub mod writes;

mod digits;
mod families;
mod generate;
mod kit;
mod plans;
mod tables;

use std::future::Future;
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};
use mainstay_schema::Schema;

use crate::store::Store;

/// Opens an empty store with the tables of a schema; every case opens its own.
pub trait Open: Send + Sync {
    /// A store that nobody else uses.
    fn open(&self, schema: Arc<Schema>) -> BoxFuture<'_, Arc<dyn Store>>;
}

impl<F, Opened> Open for F
where
    F: Fn(Arc<Schema>) -> Opened + Send + Sync,
    Opened: Future<Output = Arc<dyn Store>> + Send + 'static,
{
    fn open(&self, schema: Arc<Schema>) -> BoxFuture<'_, Arc<dyn Store>> {
        self(schema).boxed()
    }
}

/// Opens a store over tables that another program made.
pub trait OpenFound: Send + Sync {
    /// A store that nobody else uses, over the tables of a schema as that program would have made them.
    fn open(&self, schema: Arc<Schema>) -> BoxFuture<'_, Found>;
}

impl<F, Opened> OpenFound for F
where
    F: Fn(Arc<Schema>) -> Opened + Send + Sync,
    Opened: Future<Output = Found> + Send + 'static,
{
    fn open(&self, schema: Arc<Schema>) -> BoxFuture<'_, Found> {
        self(schema).boxed()
    }
}

/// A store over tables that another program made.
pub struct Found {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The tables as they were found.
    pub schema: Arc<Schema>,
    /// Has the other program put what it keeps in other words that mean the same.
    pub reword: Box<dyn Fn() + Send + Sync>,
}

/// Makes the test of tables that were found, for the store that `$open` opens as [`OpenFound`](crate::conformance::OpenFound).
#[macro_export]
macro_rules! conformance_found {
    ($open:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn found_scenarios_agree_with_the_reference() {
            $crate::conformance::random::found_scenarios_agree_with_the_reference(&$open).await;
        }
    };
}

/// Makes one test of each case of the suite, for the store that `$open` opens.
#[macro_export]
macro_rules! conformance {
    ($open:ident) => {
        $crate::conformance_cases! { $open,
            filters: every_test_on_every_type, not_keeps_unknown, logic_trees_have_three_values, like_patterns,
                regular_expressions, patterns_are_compiled_once, unknown_passes_nowhere, column_against_column,
                column_against_column_of_another_type, paths_into_json, json_containment, related_rows_exist_or_do_not, exact_numbers,
                text_is_compared_by_code_point, lists_of_any_length;
            reads: values_come_back_as_they_went_in, nulls_go_where_they_are_told, pages_and_counts,
                order_by_several_terms, order_by_a_related_row, casts, a_cast_that_fails, explaining_changes_nothing;
            embeds: to_one_is_a_row_or_null, to_many_is_a_list, a_table_with_itself, through_a_junction,
                composite_keys, one_to_one_both_ways, pages_and_filters_inside;
            groups: aggregates_of_all_rows, aggregates_of_groups, exact_sums, groups_by_related_rows, hoisted_aggregates,
                aggregates_inside_embeds, conditions_and_order_of_groups, distinct_rows, an_aggregate_that_does_not_fit;
            places: pages_of_every_order, places_with_nulls, places_of_related_rows, counting_does_not_heed_the_place;
            spreads: one_row_into_its_parent, many_rows_as_arrays, spreads_in_spreads, offsets_of_existence;
            writes: rows_come_back_in_the_order_given, all_or_nothing, sequences_number_rows, updates, deletes,
                batches, expectations, null_where_a_value_must_be, returned_rows_embed, returned_rows_compute, writing_nothing;
            computed: sums_lists_and_documents, a_result_that_is_none_undoes_all, each_row_in_its_own_way,
                returned_rows_may_be_left_out;
            conflicts: merge_by_primary_key, merge_by_unique_key, skip, null_conflicts_with_nothing,
                another_key_still_refuses, one_key_twice, merging_changes_keys,
                a_duplicate_tells_its_values;
            references: targets_must_exist, null_points_at_nothing, rows_may_come_in_any_order, merging_what_is_pointed_at,
                each_write_of_a_batch_stands_alone,
                deleting_a_target, changing_a_target, cascades_go_on, a_tree_goes_at_once, failure_leaves_all_as_it_was,
                missing_targets_are_told, holders_are_told, holders_behind_a_cascade_are_told;
            searches: every_search_finds_what_the_evaluator_says, searches_keep_in_step,
                searches_forget_what_was_undone;
            changes: every_commit_once_in_order, cascades_are_told, nothing_of_what_was_undone,
                a_replica_built_from_the_feed, telling_of_concurrent_writes;
            limits: deadline_before_the_start, deadline_on_the_way, concurrent_writers, readers_see_whole_commits,
                dropped_futures, slow_sinks_hold_up_nobody_else, a_closed_store;
            scripts: later_steps_use_earlier_ones, rolling_back, a_failing_step_undoes_all,
                references_are_checked_at_each_step, a_script_is_one_commit, deadlines_of_scripts, concurrent_scripts,
                scripts_of_a_closed_store;
            nested: keys_go_along, roots_come_back_with_what_they_hold, nested_rows_are_all_or_nothing,
                through_a_junction_both_sides_are_new, a_tree_in_one_write;
            random: scenarios_agree_with_the_reference;
        }
    };
}

/// The tests of [`conformance!`]; separate so that a test can walk the list, and that stores which keep tables apart from one
/// another run `scattered_scenarios_agree_with_the_reference` instead of the other scenarios.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_cases {
    ($open:ident, $($group:ident: $($case:ident),+;)+) => {
        $(mod $group {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::conformance::$group::$case(&super::$open).await;
            })+
        })+
    };
}
