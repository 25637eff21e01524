//! Whether tables are what a schema says: the tables of the schema are made in a scratch database of the server, and both
//! are described by the server itself.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_schema::Schema;
use mainstay_store::StoreError;
use uuid::Uuid;

use super::errors::Failure;
use super::migrate;
use super::render::ddl::quoted;
use super::session::Session;
pub(super) use crate::sql::parts::Parts;
use crate::sql::parts::{Extra, differences};

/// What the names of scratch databases begin with; the rest is the time at which they were made.
const SCRATCH: &str = "_mainstay_scratch_";
/// Age at which a scratch database was left by a process that is no more.
const LEFT_AFTER: Duration = Duration::from_secs(6 * 3600);

/// Tries a migration on the tables of `old`; the inner error says what is wrong with it.
///
/// # Errors
/// [`StoreError`] if it cannot be tried, as when the user may not make databases.
pub async fn prove(
    session: &mut Session,
    old: &Schema,
    new: &Schema,
    sql: &str,
) -> Result<Result<(), Vec<String>>, StoreError> {
    let wanted = made(session, new, "").await?.map_err(|problem| format!("the new tables: {problem}"));
    let wanted = match wanted {
        Ok(wanted) => wanted,
        Err(problem) => return Ok(Err(vec![problem])),
    };
    Ok(match made(session, old, sql).await? {
        Err(problem) => Err(vec![problem]),
        Ok(found) => match differences(&wanted, &found, Extra::Told) {
            none if none.is_empty() => Ok(()),
            some => Err(some),
        },
    })
}

/// How the tables of the database differ from what `schema` says. Tables that it does not name are others' business.
///
/// # Errors
/// As [`prove`].
pub async fn drift(session: &mut Session, schema: &Schema) -> Result<Vec<String>, StoreError> {
    let found = described(session, None).await?;
    let wanted = made(session, schema, "").await?;
    let wanted = wanted.map_err(|problem| StoreError::Internal(problem.into()))?;
    Ok(differences(&wanted, &found, Extra::Ignored))
}

/// Makes the tables of a schema in a scratch database, runs statements on them, and tells what is there then. The inner
/// error is what the server says to a statement.
async fn made(session: &mut Session, schema: &Schema, sql: &str) -> Result<Result<Parts, String>, StoreError> {
    let home: Option<String> = text(session, "SELECT DATABASE()").await?;
    remove_left(session).await?;
    let name = format!("{SCRATCH}{}", Uuid::now_v7().simple());
    session.batch_execute(&format!("CREATE DATABASE {} CHARACTER SET utf8mb4", quoted(&name))).await?;
    let parts = in_scratch(session, &name, schema, sql).await;
    // Also when it failed. The connection goes back to others, who expect to be at home.
    let dropped = session.batch_execute(&format!("DROP DATABASE {}", quoted(&name))).await;
    session.batch_execute(&session.server().settings(false)).await?;
    if let Some(home) = home {
        session.batch_execute(&format!("USE {}", quoted(&home))).await?;
    }
    let parts = parts?;
    dropped?;
    Ok(parts)
}

async fn in_scratch(
    session: &mut Session,
    name: &str,
    schema: &Schema,
    sql: &str,
) -> Result<Result<Parts, String>, StoreError> {
    let create = migrate::plan(&Schema::default(), schema).sql;
    session.batch_execute(&format!("USE {}", quoted(name))).await?;
    session.batch_execute(migrate::SETTINGS).await?;
    for statement in [&*create, sql].iter().flat_map(|text| migrate::statements(text)) {
        match session.batch_execute(&statement).await {
            Err(failure) if failure.server().is_some() => return Ok(Err(failure.told())),
            done => done?,
        }
    }
    // The server quotes names in what it says as it would have them quoted.
    session.batch_execute(&session.server().settings(false)).await?;
    described(session, Some(name)).await.map(Ok)
}

/// What the server says of the tables of the database in use, with names as one sees them from inside.
pub(super) async fn described(session: &mut Session, scratch: Option<&str>) -> Result<Parts, StoreError> {
    let home = match scratch {
        Some(name) => Some(name.to_owned()),
        None => text(session, "SELECT DATABASE()").await?,
    };
    let inside = format!("{}.", quoted(&home.unwrap_or_default()));
    let rows = session.query_text(include_str!("proof.sql")).await?;
    let part = |row| {
        let (table, part, how): (String, String, Option<String>) = mysql_async::from_row(row);
        ((table, part), how.unwrap_or_default().replace(&inside, ""))
    };
    Ok(rows.into_iter().map(part).collect::<BTreeMap<_, _>>())
}

/// Drops scratch databases whose makers are gone.
async fn remove_left(session: &mut Session) -> Result<(), Failure> {
    let list = "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE '|_mainstay|_scratch|_%' ESCAPE '|'";
    let now = Uuid::now_v7().get_timestamp().map_or(0, |time| time.to_unix().0);
    for row in session.query_text(list).await? {
        let (name,): (String,) = mysql_async::from_row(row);
        let id = name.strip_prefix(SCRATCH).and_then(|id| Uuid::try_parse(id).ok());
        let made = id.and_then(|id| id.get_timestamp()).map(|time| time.to_unix().0);
        if made.is_some_and(|made| made + LEFT_AFTER.as_secs() < now) {
            session.batch_execute(&format!("DROP DATABASE IF EXISTS {}", quoted(&name))).await?;
        }
    }
    Ok(())
}

async fn text(session: &mut Session, sql: &str) -> Result<Option<String>, Failure> {
    let rows = session.query_text(sql).await?;
    Ok(rows.into_iter().next().and_then(|mut row| row.take::<Option<String>, _>(0)?))
}
