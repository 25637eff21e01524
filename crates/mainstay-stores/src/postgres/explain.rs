//! What PostgreSQL would run for a plan, and how it would go about it.

use mainstay_query::plan::{Count, Read, Write};
use mainstay_schema::Schema;
use mainstay_store::{Explanation, StoreError};

use super::render::{self, Bind, From, Postgres};
use super::session::Session;
use crate::sql;

/// Explains a read: one statement a level, and one for the count.
pub(super) async fn read(session: &mut Session, schema: &Schema, plan: &Read) -> Result<Explanation, StoreError> {
    let sql = render::read(schema, plan, From::Plan);
    let mut statements = Vec::new();
    for level in sql.levels() {
        statements.push((level.text.clone(), level.binds.len()));
    }
    if plan.count != Count::None {
        let (text, binds) = sql::count(Postgres, schema, plan, From::Plan);
        statements.push((text, binds.len()));
    }
    explain(session, statements).await
}

/// Explains a write. Nothing is changed.
pub(super) async fn write(session: &mut Session, schema: &Schema, plan: &Write) -> Result<Explanation, StoreError> {
    let mut statements = Vec::new();
    list(schema, plan, &mut statements);
    explain(session, statements).await
}

fn list(schema: &Schema, plan: &Write, statements: &mut Vec<(String, usize)>) {
    let mut add = |text: String, binds: &[Bind<'_>]| statements.push((text, binds.len()));
    match plan {
        Write::Insert(plan) => {
            let sql = sql::insert(Postgres, schema, plan);
            add(sql.text, &sql.binds);
        }
        Write::Update(plan) if plan.set.iter().all(|(_, assign)| assign.as_value().is_some()) => {
            if !plan.set.is_empty() {
                let sql = sql::update(Postgres, schema, plan);
                add(sql.text, &sql.binds);
            }
        }
        // The rows are read and computed first.
        Write::Update(plan) => {
            let read = Read::new(plan.table);
            let sql = render::read(schema, &read, From::Filter(&plan.filter));
            add(sql.text, &sql.binds);
        }
        Write::UpdateEach(plan) => {
            if let Some(change) = plan.rows.first() {
                list(schema, &Write::Update(plan.update(change)), statements);
            }
        }
        Write::Delete(plan) => {
            let sql = sql::delete(Postgres, schema, plan);
            add(sql.text, &sql.binds);
        }
        Write::Nested(plan) => {
            for part in &plan.parts {
                let sql = sql::insert(Postgres, schema, &part.insert);
                add(sql.text, &sql.binds);
            }
        }
        Write::Batch(plans) => plans.iter().for_each(|plan| list(schema, plan, statements)),
        Write::Run(_) => {}
    }
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
