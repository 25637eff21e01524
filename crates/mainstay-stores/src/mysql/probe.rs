//! What the server says about the statements of functions: whether they fit the tables that are there, and what they give
//! back. Statements are prepared and never run.

use std::sync::Arc;

use mainstay_schema::load::{Probed, Refused, Statement};
use mainstay_schema::{ColumnId, Schema, Type};
use mainstay_store::StoreError;
use mysql_async::Column;

use super::errors::Failure;
use super::returning::Change;
use super::session::Session;
use crate::sql::typed::own_tables;

/// Looks at statements, one after the other; the inner errors say what is wrong with each.
///
/// # Errors
/// [`StoreError`] if the server does not answer.
pub(super) async fn probe(
    session: &mut Session,
    schema: &Schema,
    statements: &[Statement],
) -> Result<Vec<Result<Probed, Refused>>, StoreError> {
    let rows = session.query_text("SELECT DATABASE()").await?;
    let database: String = rows.first().and_then(|row| row.get(0)).unwrap_or_default();
    session.speak_standard().await?;
    let mut answers = Vec::with_capacity(statements.len());
    for statement in statements {
        answers.push(one(session, schema, &database, statement).await?);
    }
    Ok(answers)
}

async fn one(
    session: &mut Session,
    schema: &Schema,
    database: &str,
    statement: &Statement,
) -> Result<Result<Probed, Refused>, StoreError> {
    if let Some(refused) = own_tables(statement) {
        return Ok(Err(refused));
    }
    let pieces = statement.pieces(|_| Some(ColumnId(0)));
    let by_hand = Change::is_by_hand(session.server(), &pieces).then(|| Change::of(&pieces, schema)).transpose();
    let texts = match by_hand {
        Ok(None) => vec![with_marks(statement)],
        // The last one tells what is given back.
        Ok(Some(change)) => vec![change.changing(), change.showing()],
        Err(problem) => {
            let remedy = "change one table by UPDATE or DELETE, or give nothing back".to_owned();
            return Ok(Err(Refused { problem, remedy, at: statement.clauses.last().map(|(at, _)| *at) }));
        }
    };
    let has_change = texts.len() > 1;
    let mut described: Arc<[Column]> = Arc::default();
    for text in texts {
        described = match session.describe(&text).await {
            Ok(described) => described,
            Err(failure) => return told(statement, failure).map(Err),
        };
    }
    // What a query makes of rows is of no table, whatever it calls them.
    let of_table = |column: &Column| -> Option<Type> {
        let is_here = column.schema_str().eq_ignore_ascii_case(database);
        let table = schema.find(&column.org_table_str()).filter(|_| is_here)?;
        Some(table.find_column(&column.org_name_str())?.ty.clone())
    };
    let columns = described.iter().map(|column| (column.name_str().into_owned(), of_table(column))).collect();
    let first = statement.text.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    let reads = ["select", "with", "values"].iter().any(|word| first.eq_ignore_ascii_case(word));
    // `WITH` may lead to a change, which gives nothing.
    let writes = !statement.is_call && (!reads || has_change || described.is_empty());
    Ok(Ok(Probed { columns, writes }))
}

/// The text of a statement with its parameters as the server takes them.
fn with_marks(statement: &Statement) -> String {
    let (mut text, mut from) = (String::with_capacity(statement.text.len()), 0);
    for (range, _) in &statement.parameters {
        text.push_str(&statement.text[from..range.start]);
        text.push('?');
        from = range.end;
    }
    text.push_str(&statement.text[from..]);
    text
}

/// What is wrong with a statement, where it is the statement that is wrong. The server tells the place by what stands
/// there, in quotes.
fn told(statement: &Statement, failure: Failure) -> Result<Refused, StoreError> {
    if failure.server().is_none() {
        return Err(failure.verbatim());
    }
    let problem = failure.told();
    let named = |quoted: &str| {
        let name = quoted.rsplit('.').next().unwrap_or(quoted);
        // A parameter is another one here.
        let start = name.split('?').next().unwrap_or_default().trim_end();
        if start.is_empty() { None } else { statement.text.find(start) }
    };
    let at = problem.split('\'').skip(1).step_by(2).find_map(named);
    Ok(Refused { problem, remedy: "mend the SQL; it is that of MySQL and MariaDB".to_owned(), at })
}
