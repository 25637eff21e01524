//! What the server would run for a plan, and how it would go about it.

use mainstay_query::plan::{Count, Delete, Read, Update, Write};
use mainstay_schema::Schema;
use mainstay_store::{Explanation, StoreError};
use mysql_async::Value as Native;

use super::insert::plain;
use super::level::with_keys;
use super::read::native_params;
use super::render::{self, Bind, From, Mysql, ReadSql};
use super::session::Session;
use crate::{server, sql};

/// Explains a read: one statement a level, and one for the count where it does not come along. Tests that are answered before (see `hard.rs`) are
/// not among them.
pub(super) async fn read(session: &mut Session, schema: &Schema, plan: &Read) -> Result<Explanation, StoreError> {
    if let Some(text) = super::function::text(session.server(), schema, plan) {
        return Ok(Explanation { statements: vec![text], details: Vec::new() });
    }
    if let Some(call) = &plan.call {
        super::function::prepare(session, schema, call).await?;
    }
    let sql = render::read(session.server(), schema, plan, From::Plan);
    let mut statements = Vec::new();
    for level in sql.levels() {
        statements.push(of_level(level));
    }
    if plan.count != Count::None && sql.total.is_none() {
        let (text, binds) = sql::count(Mysql(session.server()), schema, plan, From::Plan);
        statements.push((text, native_params(&binds)));
    }
    explain(session, statements).await
}

/// A level with one key, which is null.
fn of_level(level: &ReadSql<'_>) -> (String, Vec<Native>) {
    match &level.listed {
        None => (level.text.clone(), native_params(&level.binds)),
        Some(listed) => with_keys(level, &[vec![Native::NULL; listed.columns.len()]]),
    }
}

/// Explains a write. Nothing is changed.
pub(super) async fn write(session: &mut Session, schema: &Schema, plan: &Write) -> Result<Explanation, StoreError> {
    let mut statements = Vec::new();
    let mut add = |text: String, binds: &[Bind<'_>]| statements.push((text, native_params(binds)));
    server::explain::statements(Mysql(session.server()), schema, plan, bare, &mut add);
    explain(session, statements).await
}

/// A write without what it gives back and without the look for keys that are there already: statements of their own.
fn bare(plan: Write) -> Write {
    match plan {
        Write::Insert(plan) => Write::Insert(plain(&plan, plan.rows.clone())),
        Write::Update(plan) => Write::Update(Update { returning: None, ..plan }),
        Write::Delete(plan) => Write::Delete(Delete { returning: None, ..plan }),
        other => other,
    }
}

/// Asks the server's planner about each statement.
async fn explain(session: &mut Session, statements: Vec<(String, Vec<Native>)>) -> Result<Explanation, StoreError> {
    let mut details = Vec::new();
    // In the old form, which both servers have.
    let word = if session.server().is_mariadb() { "EXPLAIN" } else { "EXPLAIN FORMAT=TRADITIONAL" };
    for (text, params) in &statements {
        let rows = session.query_native(&format!("{word} {text}"), params.clone()).await?.all().await?;
        for row in rows {
            let cell = |(at, column): (usize, &mysql_async::Column)| {
                let shown = match row.as_ref(at)? {
                    Native::NULL => return None,
                    Native::Bytes(text) => String::from_utf8_lossy(text).into_owned(),
                    other => other.as_sql(true).trim_matches('\'').to_owned(),
                };
                Some(format!("{}: {shown}", column.name_str()))
            };
            let line: Vec<String> = row.columns_ref().iter().enumerate().filter_map(cell).collect();
            details.push(line.join(", "));
        }
    }
    Ok(Explanation { statements: statements.into_iter().map(|(text, _)| text).collect(), details })
}
