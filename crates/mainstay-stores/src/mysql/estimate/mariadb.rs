//! Plans in the form of MariaDB's `EXPLAIN FORMAT=JSON`: blocks, in which tables are loops inside one another.

use serde_json::Value;

use super::{Driving, Most, Sizes, Told, Work};

/// A plan: its outermost block.
pub(super) struct Plan(Value);

/// Members of a block that are carried out beside its loops.
const BESIDE: [&str; 5] =
    ["subqueries", "having_subqueries", "order_by_subqueries", "group_by_subqueries", "optimized_away_subqueries"];

impl Told for Plan {
    fn read(json: &str) -> Option<Plan> {
        let mut told: Value = serde_json::from_str(json).ok()?;
        told.get_mut("query_block").map(Value::take).filter(Value::is_object).map(Plan)
    }

    fn driving(&self) -> Driving {
        let mut is_sorted = false;
        let table = first_table(&self.0, &mut is_sorted);
        let parts = table.and_then(|table| table.get("used_key_parts")).and_then(Value::as_array);
        Driving {
            is_scan: table.is_some_and(is_scan),
            // An index that is read from end to end leads nowhere.
            parts: match table.is_some_and(is_scan) {
                true => Vec::new(),
                false => parts.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
            },
            is_sorted,
        }
    }

    fn work(&self, sizes: &Sizes, most: Most) -> Work {
        // What is sorted together is joined before.
        let joined = most.joined.filter(|_| !gathers(&self.0));
        block(&self.0, sizes, Most { joined, ..most })
    }
}

/// The loops of a block so far.
struct Loops<'s> {
    sizes: &'s Sizes,
    /// How often what comes next is carried out.
    times: f64,
    rows: f64,
    /// For the table that comes next, if it is the first.
    most: Most,
    /// Rows that come out of whole blocks beside one another.
    united: f64,
}

fn block(told: &Value, sizes: &Sizes, most: Most) -> Work {
    let mut loops = Loops { sizes, times: 1.0, rows: 0.0, most, united: 0.0 };
    loops.walk(told);
    let given = if loops.united > 0.0 { loops.united } else { loops.times };
    Work { rows: loops.rows, given }
}

impl Loops<'_> {
    fn walk(&mut self, told: &Value) {
        match told {
            Value::Array(parts) => parts.iter().for_each(|part| self.walk(part)),
            Value::Object(members) => {
                for (name, part) in members.iter().filter(|(name, _)| !BESIDE.contains(&name.as_str())) {
                    match name.as_str() {
                        "table" => self.table(part),
                        "query_block" => {
                            let work = block(part, self.sizes, Most::default());
                            self.rows += work.rows;
                            self.united += work.given;
                        }
                        // Its rows are kept in memory, where the rows of the loops outside find theirs.
                        "block-nl-join" if is_hashed(part) => {
                            let times = std::mem::replace(&mut self.times, 1.0);
                            self.walk(part);
                            self.times *= times;
                        }
                        _ => self.walk(part),
                    }
                }
                for beside in BESIDE.iter().filter_map(|name| members.get(*name)) {
                    self.beside(beside);
                }
            }
            _ => {}
        }
    }

    fn table(&mut self, table: &Value) {
        if let Some(made) = table.get("materialized").and_then(|made| made.get("query_block")) {
            self.rows += block(made, self.sizes, Most::default()).rows;
        }
        let number = |name: &str| table.get(name).and_then(Value::as_f64);
        // Without rows it is one that was found to have none.
        let Some(told) = number("rows") else { return };
        let name = table.get("table_name").and_then(Value::as_str).unwrap_or_default();
        let rows = if is_scan(table) { self.sizes.rows(name, told) } else { told.max(1.0) };
        let most = std::mem::take(&mut self.most);
        let rows = most.first.map_or(rows, |most| rows.min(most));
        // What was made before was counted when it was made.
        if !name.starts_with('<') {
            self.rows += self.times * rows;
        }
        let passing = (rows * number("filtered").unwrap_or(100.0) / 100.0).max(1.0);
        self.times *= most.joined.map_or(passing, |most| passing.min(most));
    }

    /// Statements inside the statement. What is not made once depends on the row outside.
    fn beside(&mut self, told: &Value) {
        for part in told.as_array().into_iter().flatten() {
            let made = part.get("materialization").and_then(|made| made.get("query_block"));
            let cached = part.get("expression_cache").and_then(|cache| cache.get("query_block"));
            match (made, cached.or_else(|| part.get("query_block"))) {
                (Some(made), _) => self.rows += block(made, self.sizes, Most::default()).rows,
                (None, Some(inside)) => self.rows += self.times * block(inside, self.sizes, Most::default()).rows,
                (None, None) => {}
            }
        }
    }
}

/// Whether all tables of a block are joined before the first row comes out.
fn gathers(block: &Value) -> bool {
    ["filesort", "temporary_table", "window_functions_computation"].iter().any(|name| block.get(name).is_some())
}

fn is_hashed(join: &Value) -> bool {
    join.get("join_type").and_then(Value::as_str).is_some_and(|kind| kind.contains('H'))
}

fn is_scan(table: &Value) -> bool {
    matches!(table.get("access_type").and_then(Value::as_str), Some("ALL" | "index"))
}

/// The table of the outermost loop, and whether its rows wait for the last of them.
fn first_table<'t>(told: &'t Value, is_sorted: &mut bool) -> Option<&'t Value> {
    match told {
        Value::Array(parts) => parts.iter().find_map(|part| first_table(part, is_sorted)),
        Value::Object(members) => {
            members.iter().filter(|(name, _)| !BESIDE.contains(&name.as_str())).find_map(|(name, part)| {
                match name.as_str() {
                    "table" => Some(part),
                    _ => {
                        let found = first_table(part, is_sorted);
                        let waits = matches!(name.as_str(), "filesort" | "temporary_table" | "union_result");
                        *is_sorted |= found.is_some() && waits;
                        found
                    }
                }
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn check(plan: &str, first: Option<f64>, expected: u64) -> Driving {
        let plan = Plan::read(&format!("{{\"query_block\":{plan}}}")).unwrap();
        let sizes = Sizes(HashMap::from([("t0".to_owned(), 1_000_000.0), ("t1".to_owned(), 100.0)]));
        assert_eq!(plan.work(&sizes, Most { first, joined: None }).rows as u64, expected, "{}", plan.0);
        plan.driving()
    }

    #[test]
    fn what_is_joined_is_joined_to_the_rows_that_are_wanted() {
        let one = r#"{"table":{"table_name":"t1","access_type":"eq_ref","rows":1,"filtered":100}}"#;
        let rows = |plan: String| {
            let plan = Plan::read(&format!("{{\"query_block\":{plan}}}")).unwrap();
            let sizes = Sizes(HashMap::from([("t0".to_owned(), 1_000_000.0)]));
            plan.work(&sizes, Most { first: None, joined: Some(10.0) }).rows as u64
        };
        let first = format!(r#"{{"read_sorted_file":{{"filesort":{SCAN}}}}}"#);
        assert_eq!(rows(format!(r#"{{"nested_loop":[{first},{one}]}}"#)), 1_000_010);
        let together = format!(r#"{{"filesort":{{"temporary_table":{{"nested_loop":[{SCAN},{one}]}}}}}}"#);
        assert_eq!(rows(together), 2_000_000);
    }

    const SCAN: &str =
        r#"{"table":{"table_name":"t0","access_type":"index","used_key_parts":["id"],"rows":10,"filtered":100}}"#;

    #[test]
    fn an_index_that_is_read_in_its_order_has_all_rows_of_the_table() {
        let loops = format!(r#"{{"nested_loop":[{SCAN}]}}"#);
        let driving = check(&loops, None, 1_000_000);
        assert_eq!((driving.is_scan, driving.is_sorted, driving.parts), (true, false, Vec::new()));
        check(&loops, Some(10.0), 10);
        let sorted = format!(r#"{{"nested_loop":[{{"read_sorted_file":{{"filesort":{SCAN}}}}}]}}"#);
        assert!(check(&sorted, None, 1_000_000).is_sorted);
        let grouped = format!(r#"{{"filesort":{{"temporary_table":{{"nested_loop":[{SCAN}]}}}}}}"#);
        assert!(check(&grouped, None, 1_000_000).is_sorted);
    }

    #[test]
    fn an_index_leads_to_the_rows_that_the_planner_tells() {
        let found =
            r#"{"nested_loop":[{"table":{"table_name":"t0","access_type":"ref","used_key_parts":["a"],"rows":9}}]}"#;
        assert_eq!(check(found, None, 9).parts, ["a"]);
        check(r#"{"table":{"message":"Impossible WHERE noticed after reading const tables"}}"#, None, 0);
    }

    #[test]
    fn what_is_done_for_each_row_counts_for_each_row() {
        let small = r#"{"table":{"table_name":"t1","access_type":"ALL","rows":100,"filtered":50}}"#;
        let one = r#"{"table":{"table_name":"t2","access_type":"ref","rows":3,"filtered":100}}"#;
        check(&format!(r#"{{"nested_loop":[{small},{one}]}}"#), None, 100 + 50 * 3);
        let joined = |kind: &str| {
            format!(
                r#"{{"nested_loop":[{small},{{"block-nl-join":{{"table":{{"table_name":"t1","access_type":"ALL","rows":100}},"join_type":"{kind}"}}}}]}}"#
            )
        };
        check(&joined("BNL"), None, 100 + 50 * 100);
        check(&joined("BNLH"), None, 200);
        let beside = |how: &str| format!(r#"{{"nested_loop":[{small}],"subqueries":[{how}]}}"#);
        let inside = format!(r#"{{"query_block":{{"nested_loop":[{one}]}}}}"#);
        check(&beside(&inside), None, 100 + 50 * 3);
        check(&beside(&format!(r#"{{"expression_cache":{inside}}}"#)), None, 100 + 50 * 3);
        check(&beside(&format!(r#"{{"materialization":{inside}}}"#)), None, 103);
        let made = format!(
            r#"{{"nested_loop":[{small},{{"table":{{"table_name":"<subquery2>","access_type":"eq_ref","rows":1,"materialized":{inside}}}}}]}}"#
        );
        check(&made, None, 103);
        check(&format!(r#"{{"union_result":{{"query_specifications":[{inside},{inside}]}}}}"#), None, 6);
    }
}
