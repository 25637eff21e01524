//! What the server says about the statements of functions: whether they fit the tables that are there, what they give
//! back, and whether they change rows. Statements are prepared and never run.

use std::collections::HashMap;

use mainstay_schema::Schema;
use mainstay_schema::load::{Probed, Refused, Statement};
use mainstay_store::StoreError;
use tokio_postgres::error::ErrorPosition;

use super::errors::Failure;
use super::render::names;
use super::session::Session;
use super::types::{Param, Raw};

/// Where the columns of tables are told by number: names of tables and columns, by the numbers of both.
type Columns = HashMap<(u32, i16), (String, String)>;

/// Looks at statements, one after the other; the inner errors say what is wrong with each.
///
/// # Errors
/// [`StoreError`] if the server does not answer.
pub(super) async fn probe(
    session: &mut Session,
    schema: &Schema,
    statements: &[Statement],
) -> Result<Vec<Result<Probed, Refused>>, StoreError> {
    let columns = columns(session).await?;
    let mut answers = Vec::with_capacity(statements.len());
    for statement in statements {
        answers.push(one(session, schema, &columns, statement).await?);
    }
    Ok(answers)
}

async fn one(
    session: &mut Session,
    schema: &Schema,
    known: &Columns,
    statement: &Statement,
) -> Result<Result<Probed, Refused>, StoreError> {
    if let Some(refused) = crate::sql::typed::own_tables(statement) {
        return Ok(Err(refused));
    }
    let written = Written::new(statement, |number| format!("${number}"));
    let described = match session.describe(&written.text).await {
        Ok(described) => described,
        Err(failure) => return told(&written, failure).map(Err),
    };
    let of_table = |column: &tokio_postgres::Column| {
        let (table, name) = known.get(&(column.table_oid()?, column.column_id()?))?;
        Some(schema.find(table)?.find_column(name)?.ty.clone())
    };
    let columns = described.columns().iter().map(|column| (column.name().to_owned(), of_table(column))).collect();
    // What a procedure does is known to nobody.
    let writes = !statement.is_call && writes(session, statement).await?;
    Ok(Ok(Probed { columns, writes }))
}

/// A statement with its parameters as the server takes them.
struct Written {
    text: String,
    /// Where pieces of the text begin, and where they begin in the statement, in bytes.
    pieces: Vec<(usize, usize)>,
}

impl Written {
    fn new(statement: &Statement, parameter: impl Fn(usize) -> String) -> Written {
        let mut written = Written { text: String::new(), pieces: vec![(0, 0)] };
        let (mut from, mut names) = (0, Vec::<&str>::new());
        for ((range, name), ty) in statement.parameters.iter().zip(&statement.types) {
            written.text.push_str(&statement.text[from..range.start]);
            let place = names.iter().position(|known| known == name).unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            });
            written.pieces.push((written.text.len(), range.start));
            written.text.push_str(&parameter(place + 1));
            if let Some(ty) = ty {
                written.text.push_str("::");
                written.text.push_str(&names::type_name(ty));
            }
            from = range.end;
            written.pieces.push((written.text.len(), from));
        }
        written.text.push_str(&statement.text[from..]);
        written
    }

    /// The place in the statement of a place in the text that the server counts in letters, from 1.
    fn place(&self, letter: u32) -> usize {
        let at = self.text.char_indices().nth(letter.saturating_sub(1) as usize).map_or(self.text.len(), |(at, _)| at);
        let piece = self.pieces.iter().rev().find(|(start, _)| *start <= at);
        piece.map_or(at, |(start, place)| place + (at - start))
    }
}

/// What is wrong with a statement, where it is the statement that is wrong.
fn told(written: &Written, failure: Failure) -> Result<Refused, StoreError> {
    let Some(error) = failure.server() else { return Err(failure.verbatim()) };
    let at = match error.position() {
        Some(ErrorPosition::Original(letter)) => Some(written.place(*letter)),
        _ => None,
    };
    Ok(Refused { problem: failure.told(), remedy: "mend the SQL; it is PostgreSQL's".to_owned(), at })
}

/// Whether a statement changes or locks rows, by the steps that the server would take.
async fn writes(session: &mut Session, statement: &Statement) -> Result<bool, StoreError> {
    let first = statement.text.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    if ["insert", "update", "delete", "merge"].iter().any(|word| first.eq_ignore_ascii_case(word)) {
        return Ok(true);
    }
    // A plan for nulls has the same steps as far as they change anything.
    let written = Written::new(statement, |_| "NULL".to_owned());
    let rows = session.query_all(&format!("EXPLAIN (FORMAT JSON) {}", written.text), &[]).await;
    // Values that are computed while a plan is made may fail on null; when called they have values.
    let Ok(rows) = rows else { return Ok(false) };
    let text = rows.first().and_then(|row| row.try_get::<_, Raw<'_>>(0).ok());
    let text = text.map(|raw| String::from_utf8_lossy(raw.0).into_owned()).unwrap_or_default();
    Ok(["\"ModifyTable\"", "\"LockRows\""].iter().any(|step| text.contains(step)))
}

/// The columns of all tables that can be named without their schema.
async fn columns(session: &mut Session) -> Result<Columns, StoreError> {
    let sql = "SELECT a.attrelid::int8::text, a.attnum::text, c.relname::text, a.attname::text FROM pg_attribute a \
               JOIN pg_class c ON c.oid = a.attrelid WHERE a.attnum > 0 AND NOT a.attisdropped \
               AND c.relnamespace = current_schema()::regnamespace";
    let none: [Param<'_>; 0] = [];
    let rows = session.query_all(sql, &none).await?;
    let mut columns = Columns::new();
    for row in rows {
        let text = |at| row.try_get::<_, &str>(at).unwrap_or_default();
        let (Ok(table), Ok(number)) = (text(0).parse(), text(1).parse()) else { continue };
        columns.insert((table, number), (text(2).to_owned(), text(3).to_owned()));
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use mainstay_schema::Type;

    use super::*;

    #[test]
    fn places_are_those_of_the_statement() {
        let text = "SELECT :aé + :b, x FROM y WHERE :aé > 1";
        let parameters = vec![(7..11, "aé".to_owned()), (14..16, "b".to_owned()), (33..37, "aé".to_owned())];
        let types = vec![Some(Type::Int), None, Some(Type::Int)];
        let statement = Statement { text: text.to_owned(), parameters, types, ..Statement::default() };
        let written = Written::new(&statement, |number| format!("${number}"));
        assert_eq!(written.text, "SELECT $1::integer + $2, x FROM y WHERE $1::integer > 1");
        for (found, expected) in [("x FROM", "x FROM"), ("$2", ":b"), ("> 1", "> 1")] {
            let letter = written.text.find(found).unwrap() as u32 + 1;
            assert_eq!(Some(written.place(letter)), text.find(expected), "{found}");
        }
    }
}
