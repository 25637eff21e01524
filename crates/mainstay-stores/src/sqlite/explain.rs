//! What SQLite would run for a plan, and how it would go about it.

use mainstay_query::plan::{Count, Read, Write};
use mainstay_schema::Schema;
use mainstay_store::{Explanation, StoreError};
use rusqlite::Connection;

use super::errors;
use super::render::{self, From};

/// Explains a read: one statement a level, and one for the count.
pub(super) fn read(connection: &Connection, schema: &Schema, plan: &Read) -> Result<Explanation, StoreError> {
    let sql = render::read(schema, plan, From::Plan);
    let mut statements: Vec<String> = sql.levels().iter().map(|level| level.text.clone()).collect();
    if plan.count != Count::None {
        statements.push(render::count(schema, plan, From::Plan).0);
    }
    explain(connection, schema, statements)
}

/// Explains a write. Nothing is changed.
pub(super) fn write(connection: &Connection, schema: &Schema, plan: &Write) -> Result<Explanation, StoreError> {
    let mut statements = Vec::new();
    list(schema, plan, &mut statements);
    explain(connection, schema, statements)
}

fn list(schema: &Schema, plan: &Write, statements: &mut Vec<String>) {
    match plan {
        Write::Insert(plan) => statements.push(render::insert(schema, plan).text),
        Write::Update(plan) if plan.set.is_empty() => {}
        Write::Update(plan) => statements.push(render::update(schema, plan).text),
        Write::UpdateEach(plan) => {
            if let Some(change) = plan.rows.first() {
                statements.push(render::update(schema, &plan.update(change)).text);
            }
        }
        Write::Delete(plan) => statements.push(render::delete(schema, plan).text),
        Write::Nested(plan) => {
            plan.parts.iter().for_each(|part| statements.push(render::insert(schema, &part.insert).text));
        }
        Write::Batch(plans) => plans.iter().for_each(|plan| list(schema, plan, statements)),
        // What is made of its rows is read from them, once they are there.
        Write::Run(plan) => statements.push(render::function(schema, &plan.call).0),
    }
    // What a delete gives back is read before it, by the same filter.
    let from = match plan {
        Write::Delete(plan) => From::Filter(&plan.filter),
        _ => From::Key,
    };
    let read = plan.returning().filter(|read| render::is_read_apart(read) && !matches!(plan, Write::Run(_)));
    if let Some(read) = read {
        statements.extend(render::read(schema, read, from).levels().iter().map(|level| level.text.clone()));
    }
}

/// Asks SQLite's planner about each statement, with parameters left open.
fn explain(connection: &Connection, schema: &Schema, statements: Vec<String>) -> Result<Explanation, StoreError> {
    let ask = || {
        let mut details = Vec::new();
        for statement in &statements {
            let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}"))?;
            let mut rows = plan.raw_query();
            while let Some(row) = rows.next()? {
                details.push(row.get::<_, String>(3)?);
            }
        }
        Ok(details)
    };
    let details = ask().map_err(|error| errors::translate(error, schema, None))?;
    Ok(Explanation { statements, details })
}
