//! Plans in the second form of MySQL's `EXPLAIN FORMAT=JSON`: a tree of steps, each with the rows that come out of it.

use serde_json::Value;

use super::{Driving, Most, Sizes, Told, Work};

/// A plan: its topmost step.
pub(super) struct Plan(Value);

/// What a step costs. A step inside a loop is carried out for each row outside, but what it made before only once.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    each: f64,
    once: f64,
    given: f64,
}

impl Told for Plan {
    fn read(json: &str) -> Option<Plan> {
        let mut told: Value = serde_json::from_str(json).ok()?;
        told.get_mut("query_plan").map(Value::take).filter(Value::is_object).map(Plan)
    }

    fn driving(&self) -> Driving {
        let mut driving = Driving::default();
        let mut step = &self.0;
        loop {
            driving.is_sorted |= gathers(step);
            let Some(below) = inputs(step).find(|below| !is_beside(below)) else { break };
            step = below;
        }
        driving.is_scan = is_scan(step);
        let parts = step.get("key_columns").and_then(Value::as_array).into_iter().flatten();
        driving.parts = parts.filter_map(Value::as_str).map(str::to_owned).collect();
        driving
    }

    fn work(&self, sizes: &Sizes, most: Most) -> Work {
        let cost = cost(&self.0, sizes, most);
        Work { rows: cost.each + cost.once, given: cost.given }
    }
}

/// `most` goes the way to the first table and nowhere else.
fn cost(step: &Value, sizes: &Sizes, most: Most) -> Cost {
    let told = step.get("estimated_rows").and_then(Value::as_f64);
    // What gathers all rows takes all rows.
    let most = if gathers(step) { Most { joined: None, ..most } } else { most };
    let below: Vec<&Value> = inputs(step).filter(|below| !is_beside(below)).collect();
    let mut cost = match (text(step, "access_type"), below.as_slice()) {
        ("table" | "index", []) => {
            let told = told.unwrap_or(0.0).max(1.0);
            let rows = if is_scan(step) { sizes.rows(text(step, "table_name"), told) } else { told };
            let rows = most.first.map_or(rows, |most| rows.min(most));
            Cost { each: rows, once: 0.0, given: rows }
        }
        // Of what was made before.
        ("table" | "index", below) => {
            let made = sum(below, sizes, most);
            Cost { each: 0.0, once: made.each + made.once, given: told.unwrap_or(made.given) }
        }
        ("count_rows", _) => Cost { each: sizes.rows(text(step, "table_name"), 1.0), once: 0.0, given: 1.0 },
        ("rows_fetched_before_execution", _) => Cost { each: 0.0, once: 1.0, given: 1.0 },
        ("join", [outer, inner]) => {
            let (outer, inner) = (cost(outer, sizes, most), cost(inner, sizes, Most::default()));
            let is_hash = text(step, "join_algorithm") == "hash";
            let wanted = most.joined.map_or(outer.given, |most| outer.given.min(most));
            let times = if is_hash { 1.0 } else { wanted.max(1.0) };
            let most = outer.given.max(1.0) * inner.given.max(1.0);
            Cost {
                each: outer.each + times * inner.each,
                once: outer.once + inner.once,
                given: told.unwrap_or(most).min(most),
            }
        }
        ("limit", below) => {
            let made = sum(below, sizes, most);
            let limit = step.get("limit").and_then(Value::as_f64).unwrap_or(made.given);
            Cost { given: made.given.min(limit), ..made }
        }
        (_, below) => {
            let made = sum(below, sizes, most);
            Cost { given: told.unwrap_or(made.given).min(made.given), ..made }
        }
    };
    // A condition is tested on the rows that come in, an expression shown for those that come out.
    let times = match text(step, "access_type") {
        "filter" => below.first().map_or(cost.given, |_| sum(&below, sizes, most).given),
        _ => cost.given,
    };
    for beside in inputs(step).filter(|below| is_beside(below)) {
        let inside = self::cost(beside, sizes, Most::default());
        let is_dependent = beside.get("dependent").and_then(Value::as_bool).unwrap_or(true);
        let times = if is_dependent { times.max(1.0) } else { 1.0 };
        cost.each += times * inside.each;
        cost.once += inside.once;
    }
    cost
}

fn sum(steps: &[&Value], sizes: &Sizes, most: Most) -> Cost {
    let mut sum = Cost::default();
    for (position, step) in steps.iter().enumerate() {
        let one = cost(step, sizes, if position == 0 { most } else { Most::default() });
        sum = Cost { each: sum.each + one.each, once: sum.once + one.once, given: sum.given + one.given };
    }
    sum
}

/// The steps that a step takes rows from, and those that are carried out beside.
fn inputs(step: &Value) -> impl Iterator<Item = &Value> {
    let members = step.as_object().into_iter().flatten();
    members.filter(|(name, _)| name.starts_with("inputs")).filter_map(|(_, steps)| steps.as_array()).flatten()
}

/// Whether the first row comes out when the last came in.
fn gathers(step: &Value) -> bool {
    matches!(text(step, "access_type"), "sort" | "aggregate" | "temp_table_aggregate" | "materialize" | "window")
}

fn is_beside(step: &Value) -> bool {
    step.get("subquery").and_then(Value::as_bool).unwrap_or(false)
}

fn is_scan(step: &Value) -> bool {
    text(step, "access_type") == "table" || text(step, "index_access_type") == "index_scan"
}

fn text<'s>(step: &'s Value, name: &str) -> &'s str {
    step.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn check(plan: &str, first: Option<f64>, expected: u64) -> Driving {
        let plan = Plan::read(&format!("{{\"query_plan\":{plan}}}")).unwrap();
        let sizes = Sizes(HashMap::from([("big".to_owned(), 1_000_000.0), ("small".to_owned(), 100.0)]));
        assert_eq!(plan.work(&sizes, Most { first, joined: None }).rows as u64, expected, "{}", plan.0);
        plan.driving()
    }

    #[test]
    fn what_is_joined_is_joined_to_the_rows_that_are_wanted() {
        let one =
            r#"{"access_type":"index","index_access_type":"index_lookup","table_name":"small","estimated_rows":1.0}"#;
        let join = |outer: &str| {
            format!(
                r#"{{"access_type":"join","join_algorithm":"nested_loop","join_type":"left join","inputs":[{outer},{one}]}}"#
            )
        };
        let rows = |plan: &str| {
            let plan = Plan::read(&format!("{{\"query_plan\":{plan}}}")).unwrap();
            let sizes = Sizes(HashMap::from([("big".to_owned(), 1_000_000.0)]));
            plan.work(&sizes, Most { first: None, joined: Some(10.0) }).rows as u64
        };
        assert_eq!(rows(&join(&format!(r#"{{"access_type":"sort","inputs":[{SCAN}]}}"#))), 1_000_010);
        assert_eq!(rows(&format!(r#"{{"access_type":"sort","inputs":[{}]}}"#, join(SCAN))), 2_000_000);
    }

    const SCAN: &str =
        r#"{"access_type":"index","index_access_type":"index_scan","table_name":"big","estimated_rows":10.0}"#;

    #[test]
    fn an_index_that_is_read_in_its_order_has_all_rows_of_the_table() {
        let limit = format!(r#"{{"access_type":"limit","limit":10,"estimated_rows":10.0,"inputs":[{SCAN}]}}"#);
        assert!(check(&limit, None, 1_000_000).is_scan);
        check(&limit, Some(10.0), 10);
        let filter = format!(r#"{{"access_type":"filter","estimated_rows":1.0,"inputs":[{SCAN}]}}"#);
        check(&filter, None, 1_000_000);
        let sorted = format!(r#"{{"access_type":"sort","inputs":[{filter}]}}"#);
        assert!(check(&sorted, None, 1_000_000).is_sorted);
    }

    #[test]
    fn an_index_leads_to_the_rows_that_the_planner_tells() {
        let found = r#"{"access_type":"index","index_access_type":"index_lookup","table_name":"big","key_columns":["a"],
                        "estimated_rows":25.1}"#;
        let driving = check(found, None, 25);
        assert_eq!((driving.is_scan, driving.parts), (false, vec!["a".to_owned()]));
        check(r#"{"access_type":"rows_fetched_before_execution","estimated_rows":1.0}"#, None, 1);
        check(r#"{"access_type":"zero_rows","estimated_rows":0.0}"#, None, 0);
        check(r#"{"access_type":"count_rows","table_name":"big"}"#, None, 1_000_000);
    }

    #[test]
    fn what_is_done_for_each_row_counts_for_each_row() {
        let small = r#"{"access_type":"table","table_name":"small","estimated_rows":100.0}"#;
        let one =
            r#"{"access_type":"index","index_access_type":"index_lookup","table_name":"big","estimated_rows":3.0}"#;
        let join = |algorithm: &str, inner: &str| {
            format!(
                r#"{{"access_type":"join","join_algorithm":"{algorithm}","estimated_rows":300.0,"inputs":[{small},{inner}]}}"#
            )
        };
        check(&join("nested_loop", one), None, 400);
        check(&join("nested_loop", small), None, 10_100);
        check(&join("hash", small), None, 200);
        // Made once, and looked up for each row.
        let made = format!(
            r#"{{"access_type":"index","index_access_type":"index_lookup","table_name":"<subquery2>","estimated_rows":1.0,
                 "inputs":[{{"access_type":"materialize","inputs":[{SCAN}]}}]}}"#
        );
        check(&join("nested_loop", &made), None, 1_000_100);
        let beside = |dependent: bool| {
            let inside = one.replacen('{', &format!("{{\"subquery\":true,\"dependent\":{dependent},"), 1);
            format!(
                r#"{{"access_type":"filter","estimated_rows":10.0,"inputs":[{small}],"inputs_from_condition":[{inside}]}}"#
            )
        };
        check(&beside(true), None, 400);
        check(&beside(false), None, 103);
    }
}
