//! Plans of statements.

use super::statement::Sql;
use crate::plan::media::{PlanMedia, PlanOption};

/// What gives the server's plan of a statement in place of its answer.
pub fn explain(plan: &PlanMedia, statement: Sql) -> Sql {
    let mut sql = Sql::of("EXPLAIN (FORMAT ");
    sql.push(if plan.is_json { "JSON" } else { "TEXT" });
    for option in &plan.options {
        sql.push(match option {
            PlanOption::Analyze => ", ANALYZE",
            PlanOption::Verbose => ", VERBOSE",
            PlanOption::Settings => ", SETTINGS",
            PlanOption::Buffers => ", BUFFERS",
            PlanOption::Wal => ", WAL",
        });
    }
    sql.push(") ").append(statement);
    sql
}
