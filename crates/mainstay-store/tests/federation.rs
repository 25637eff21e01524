//! Several memory stores behind a federation answer as one memory store that holds everything.

use std::sync::Arc;

use mainstay_schema::{MAIN, Schema};
use mainstay_store::conformance::scattered::{Scattered, scatter};
use mainstay_store::{MemoryStore, Store};

fn over(names: &[&str], schema: &Schema) -> Arc<dyn Store> {
    let schema = scatter(names, schema);
    let open = |name: &&str| -> (Arc<str>, Arc<dyn Store>) {
        // A store without tables has no view of its own.
        let seen = schema.seen_by(Some(*name).filter(|name| *name != MAIN)).cloned();
        let seen = seen.unwrap_or_else(|| Arc::new(schema.clone()));
        (Arc::from(*name), Arc::new(MemoryStore::with_schema(seen)))
    };
    Arc::new(Scattered::new(names.iter().map(open).collect(), schema))
}

async fn open(schema: Arc<Schema>) -> Arc<dyn Store> {
    over(&["main", "docs"], &schema)
}

async fn open_three(schema: Arc<Schema>) -> Arc<dyn Store> {
    over(&["main", "docs", "crm"], &schema)
}

// All cases but those about what one store keeps by itself: references, transactions, its feed.
mainstay_store::conformance_cases! { open,
    filters: every_test_on_every_type, not_keeps_unknown, logic_trees_have_three_values, like_patterns,
        regular_expressions, patterns_are_compiled_once, unknown_passes_nowhere, column_against_column,
        column_against_column_of_another_type, paths_into_json, json_containment, related_rows_exist_or_do_not, exact_numbers,
        text_is_compared_by_code_point, lists_of_any_length;
    reads: values_come_back_as_they_went_in, nulls_go_where_they_are_told, pages_and_counts,
        order_by_several_terms, order_by_a_related_row, casts, a_cast_that_fails, explaining_changes_nothing;
    embeds: to_one_is_a_row_or_null, to_many_is_a_list, a_table_with_itself, through_a_junction,
        composite_keys, one_to_one_both_ways, pages_and_filters_inside;
    groups: aggregates_of_all_rows, aggregates_of_groups, exact_sums,
        aggregates_inside_embeds, conditions_and_order_of_groups, distinct_rows, an_aggregate_that_does_not_fit;
    places: pages_of_every_order, places_with_nulls, places_of_related_rows, counting_does_not_heed_the_place;
    spreads: one_row_into_its_parent, many_rows_as_arrays, spreads_in_spreads, offsets_of_existence;
    writes: rows_come_back_in_the_order_given, all_or_nothing, sequences_number_rows, updates, deletes,
        expectations, null_where_a_value_must_be, returned_rows_embed, returned_rows_compute, writing_nothing;
    random: scattered_scenarios_agree_with_the_reference;
}

mod three {
    mainstay_store::conformance_cases! { open_three,
        filters: related_rows_exist_or_do_not;
        embeds: to_one_is_a_row_or_null, to_many_is_a_list, a_table_with_itself, through_a_junction,
            composite_keys, one_to_one_both_ways, pages_and_filters_inside;
        spreads: one_row_into_its_parent, many_rows_as_arrays, spreads_in_spreads, offsets_of_existence;
        random: scattered_scenarios_agree_with_the_reference;
    }

    use super::open_three;
}
