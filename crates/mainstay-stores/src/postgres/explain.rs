//! What PostgreSQL would run for a plan, and how it would go about it.

use mainstay_query::plan::{Count, Read, Write};
use mainstay_schema::Schema;
use mainstay_store::{Explanation, StoreError};

use super::render::{self, Bind, From, Postgres};
use super::session::Session;
use crate::{server, sql};

/// Explains a read: one statement a level, and one for the count where it does not come along.
pub(super) async fn read(session: &mut Session, schema: &Schema, plan: &Read) -> Result<Explanation, StoreError> {
    if let Some(text) = super::function::text(schema, plan) {
        return Ok(Explanation { statements: vec![text], details: Vec::new() });
    }
    let sql = render::read(schema, plan, From::Plan);
    let mut statements = Vec::new();
    for level in sql.levels() {
        statements.push((level.text.clone(), level.binds.len()));
    }
    if plan.count != Count::None && sql.total.is_none() {
        let (text, binds) = sql::count(Postgres, schema, plan, From::Plan);
        statements.push((text, binds.len()));
    }
    explain(session, statements).await
}

/// Explains a write. Nothing is changed.
pub(super) async fn write(session: &mut Session, schema: &Schema, plan: &Write) -> Result<Explanation, StoreError> {
    let mut statements = Vec::new();
    let mut add = |text: String, binds: &[Bind<'_>]| statements.push((text, binds.len()));
    server::explain::statements(Postgres, schema, plan, |plan| plan, &mut add);
    explain(session, statements).await
}

/// Asks the server's planner about each statement. Parameters stay open: the plan is the one that the server makes for
/// any values, as 16 and later give it for `GENERIC_PLAN`; before, a prepared statement is asked in that mode.
async fn explain(session: &mut Session, statements: Vec<(String, usize)>) -> Result<Explanation, StoreError> {
    use super::session::{Access, Isolation};
    let mut details = Vec::new();
    session.begin(Access::Read, Isolation::ReadCommitted);
    session.batch_execute("SET LOCAL plan_cache_mode = force_generic_plan").await?;
    for (position, (text, parameters)) in statements.iter().enumerate() {
        let nulls = vec!["NULL"; *parameters].join(",");
        let arguments = if *parameters == 0 { String::new() } else { format!("({nulls})") };
        let name = format!("mainstay_explain_{position}");
        session.batch_execute(&format!("PREPARE {name} AS {text}")).await?;
        let rows = session.query_all(&format!("EXPLAIN EXECUTE {name}{arguments}"), &[]).await;
        let gone = session.batch_execute(&format!("DEALLOCATE {name}")).await;
        for row in rows? {
            details.push(row.try_get(0).unwrap_or_default());
        }
        gone?;
    }
    session.rollback().await?;
    Ok(Explanation { statements: statements.into_iter().map(|(text, _)| text).collect(), details })
}
