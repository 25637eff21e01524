//! How many rows the server would look at for a read, by what its planner expects.
//!
//! Costs are in units that every server sets for itself, so they are not used. Rows are: a scan looks at all rows of its
//! table, a step by an index at those that it finds, and a limit ends what comes below it early unless that has to be sorted
//! or grouped first.

use std::collections::HashMap;

use mainstay_query::plan::{Count, Read};
use mainstay_schema::Schema;
use mainstay_store::{Estimate, StoreError};
use serde::Deserialize;

use super::errors::Failure;
use super::read::params;
use super::render::{self, Bind, From, Postgres};
use super::session::{Access, Isolation, Session};
use super::types::Raw;
use crate::sql;

/// Rows of the tables in use; of those that nobody has looked at yet a guess from their size, at a hundred octets a row.
const SIZES: &str = "SELECT c.relname::text, \
                     CASE WHEN c.reltuples < 0 THEN pg_relation_size(c.oid) / 100 ELSE c.reltuples END::float8 \
                     FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r','p','m')";

/// Asks the planner about the statements of a read.
pub(super) async fn read(session: &mut Session, schema: &Schema, plan: &Read) -> Result<Estimate, StoreError> {
    let sql = render::read(schema, plan, From::Plan);
    session.begin(Access::Read, Isolation::ReadCommitted);
    let mut sizes = HashMap::new();
    for row in session.query_all(SIZES, &[]).await? {
        let size: (String, f64) = (row.try_get(0).map_err(Failure::from)?, row.try_get(1).map_err(Failure::from)?);
        sizes.insert(size.0, size.1);
    }
    let mut rows = examined(&ask(session, &sql.text, &sql.binds).await?, 1.0, &sizes);
    // What belongs to the rows is read for all of them at once, by keys that are not known yet.
    for level in sql.levels().iter().skip(1) {
        rows += examined(&ask_unbound(session, &level.text, level.binds.len()).await?, 1.0, &sizes);
    }
    if plan.count == Count::Exact {
        let (text, binds) = sql::count(Postgres, schema, plan, From::Plan);
        rows += examined(&ask(session, &text, &binds).await?, 1.0, &sizes);
    }
    session.rollback().await?;
    Ok(Estimate { rows: rows.max(0.0) as u64 })
}

async fn ask(session: &mut Session, text: &str, binds: &[Bind<'_>]) -> Result<Step, StoreError> {
    let rows = session.query_all(&format!("EXPLAIN (FORMAT JSON) {text}"), &params(binds)).await?;
    topmost(&rows)
}

async fn ask_unbound(session: &mut Session, text: &str, parameters: usize) -> Result<Step, StoreError> {
    const NAME: &str = "mainstay_estimate";
    let nulls = vec!["NULL"; parameters].join(",");
    let arguments = if parameters == 0 { String::new() } else { format!("({nulls})") };
    session.batch_execute("SET LOCAL plan_cache_mode = force_generic_plan").await?;
    session.batch_execute(&format!("PREPARE {NAME} AS {text}")).await?;
    let rows = session.query_all(&format!("EXPLAIN (FORMAT JSON) EXECUTE {NAME}{arguments}"), &[]).await;
    let gone = session.batch_execute(&format!("DEALLOCATE {NAME}")).await;
    let rows = rows?;
    gone?;
    topmost(&rows)
}

fn topmost(rows: &[tokio_postgres::Row]) -> Result<Step, StoreError> {
    let text: Option<Raw<'_>> = rows.first().map(|row| row.try_get(0)).transpose().map_err(Failure::from)?;
    let explained: Option<Vec<Explained>> = text.and_then(|raw| serde_json::from_slice(raw.0).ok());
    let first = explained.and_then(|mut explained| explained.pop());
    first.map(|explained| explained.plan).ok_or_else(|| StoreError::Internal("the planner gave no plan".into()))
}

#[derive(Deserialize)]
struct Explained {
    #[serde(rename = "Plan")]
    plan: Step,
}

/// A step of a plan.
#[derive(Deserialize)]
struct Step {
    #[serde(rename = "Node Type")]
    kind: String,
    #[serde(rename = "Plan Rows")]
    rows: f64,
    #[serde(rename = "Relation Name", default)]
    table: Option<String>,
    #[serde(rename = "Index Cond", default)]
    condition: Option<String>,
    #[serde(rename = "Parent Relationship", default)]
    relationship: Option<String>,
    #[serde(rename = "Plans", default)]
    steps: Vec<Step>,
}

/// Rows that a step and those below look at, when only this share of what it gives is taken.
fn examined(step: &Step, share: f64, sizes: &HashMap<String, f64>) -> f64 {
    let all = || step.table.as_ref().and_then(|table| sizes.get(table)).copied().unwrap_or(step.rows);
    let given = (step.rows * share).max(1.0);
    // Some steps are carried out beside: once, or for each row.
    let is_beside = |below: &&Step| matches!(below.relationship.as_deref(), Some("InitPlan" | "SubPlan"));
    let times = |below: &Step| if below.relationship.as_deref() == Some("InitPlan") { 1.0 } else { given };
    let beside: f64 = step.steps.iter().filter(is_beside).map(|below| times(below) * examined(below, 1.0, sizes)).sum();
    let below: Vec<&Step> = step.steps.iter().filter(|below| !is_beside(below)).collect();
    let sum = |share: f64| below.iter().map(|below| examined(below, share, sizes)).sum::<f64>();
    beside
        + match step.kind.as_str() {
            "Seq Scan" | "Sample Scan" => all() * share,
            "Index Scan" | "Index Only Scan" if step.condition.is_none() => all() * share,
            "Index Scan" | "Index Only Scan" => given,
            "Bitmap Heap Scan" => below.first().map_or(step.rows, |index| index.rows) * share,
            "Limit" => {
                let given = below.first().map_or(0.0, |below| below.rows);
                sum(if given > 0.0 { (step.rows / given).min(share) } else { 1.0 })
            }
            // All must be there before the first comes out.
            "Sort" | "Aggregate" | "Hash" | "SetOp" | "WindowAgg" | "Materialize" => sum(1.0),
            "Nested Loop" => match below.as_slice() {
                [outer, inner] => {
                    let times = (outer.rows * share).max(1.0);
                    examined(outer, share, sizes) + times * examined(inner, 1.0, sizes)
                }
                _ => sum(share),
            },
            "Hash Join" | "Merge Join" => match below.as_slice() {
                [outer, inner] => examined(outer, share, sizes) + examined(inner, 1.0, sizes),
                _ => sum(share),
            },
            _ => sum(share),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(plan: &str, expected: u64) {
        let step: Step = serde_json::from_str(plan).unwrap();
        let sizes = HashMap::from([("big".to_owned(), 1_000_000.0), ("small".to_owned(), 100.0)]);
        assert_eq!(examined(&step, 1.0, &sizes) as u64, expected, "{plan}");
    }

    #[test]
    fn a_scan_looks_at_the_whole_table_however_few_rows_pass() {
        check(r#"{"Node Type":"Seq Scan","Relation Name":"big","Plan Rows":3}"#, 1_000_000);
        check(r#"{"Node Type":"Index Scan","Relation Name":"big","Plan Rows":3,"Index Cond":"(a = 1)"}"#, 3);
        check(r#"{"Node Type":"Index Only Scan","Relation Name":"big","Plan Rows":3}"#, 1_000_000);
        check(
            r#"{"Node Type":"Bitmap Heap Scan","Relation Name":"big","Plan Rows":3,
                "Plans":[{"Node Type":"Bitmap Index Scan","Plan Rows":500,"Index Cond":"x"}]}"#,
            500,
        );
    }

    #[test]
    fn a_limit_ends_a_scan_early_unless_it_is_sorted_first() {
        let scan = r#"{"Node Type":"Index Scan","Relation Name":"big","Plan Rows":1000000}"#;
        check(&format!(r#"{{"Node Type":"Limit","Plan Rows":10,"Plans":[{scan}]}}"#), 10);
        let filtered = scan.replace("\"Plan Rows\":1000000", "\"Plan Rows\":100");
        check(&format!(r#"{{"Node Type":"Limit","Plan Rows":10,"Plans":[{filtered}]}}"#), 100_000);
        let sort = format!(r#"{{"Node Type":"Sort","Plan Rows":1000000,"Plans":[{scan}]}}"#);
        check(&format!(r#"{{"Node Type":"Limit","Plan Rows":10,"Plans":[{sort}]}}"#), 1_000_000);
    }

    #[test]
    fn what_is_done_for_each_row_counts_for_each_row() {
        let scan = |more: &str| format!(r#"{{"Node Type":"Seq Scan","Relation Name":"small","Plan Rows":100{more}}}"#);
        check(&format!(r#"{{"Node Type":"Nested Loop","Plan Rows":9,"Plans":[{},{}]}}"#, scan(""), scan("")), 10_100);
        check(&format!(r#"{{"Node Type":"Hash Join","Plan Rows":9,"Plans":[{},{}]}}"#, scan(""), scan("")), 200);
        let each = scan(r#","Parent Relationship":"SubPlan""#);
        check(&format!(r#"{{"Node Type":"Seq Scan","Relation Name":"small","Plan Rows":10,"Plans":[{each}]}}"#), 1100);
    }
}
