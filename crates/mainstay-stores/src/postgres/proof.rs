//! Whether tables are what a schema says: the tables of the schema are made in a scratch schema of the database, inside
//! a transaction that is rolled back, and both are described by the server itself.

use mainstay_schema::Schema;
use mainstay_store::StoreError;

use super::errors::Failure;
use super::migrate;
use super::render::ddl::quoted;
use super::session::{Access, Isolation, Session};
use super::types::Param;
use crate::sql::parts::{Extra, Parts, differences};

/// Tries a migration on the tables of `old`; the inner error says what is wrong with it.
pub(super) async fn prove(
    session: &mut Session,
    old: &Schema,
    new: &Schema,
    sql: &str,
) -> Result<Result<(), Vec<String>>, StoreError> {
    session.begin(Access::Write, Isolation::ReadCommitted);
    let proved = async {
        let wanted = made(session, new, "").await?.map_err(|problem| format!("the new tables: {problem}"));
        let found = made(session, old, sql).await?;
        Ok(wanted.and_then(|wanted| Ok((wanted, found?))))
    };
    let proved: Result<_, StoreError> = proved.await;
    // Nothing of it stays, also when the connection is gone.
    let _ = session.rollback().await;
    Ok(match proved? {
        Err(problem) => Err(vec![problem]),
        Ok((wanted, found)) => match differences(&wanted, &found, Extra::Told) {
            none if none.is_empty() => Ok(()),
            some => Err(some),
        },
    })
}

/// How the tables of the database differ from what `schema` says. Tables that it does not name are others' business.
pub(super) async fn drift(session: &mut Session, schema: &Schema) -> Result<Vec<String>, StoreError> {
    session.begin(Access::Write, Isolation::ReadCommitted);
    let compared = async {
        let namespace = text(session, "SELECT current_schema()::text").await?;
        let found = described(session, &namespace).await?;
        let wanted = made(session, schema, "").await?;
        Ok(wanted.map(|wanted| differences(&wanted, &found, Extra::Ignored)))
    };
    let compared: Result<_, StoreError> = compared.await;
    let _ = session.rollback().await;
    compared?.map_err(|problem| StoreError::Internal(problem.into()))
}

/// Makes the tables of a schema in a scratch schema of the database, runs statements on them, and tells what is there
/// then. The inner error is what the server says to a statement.
async fn made(session: &mut Session, schema: &Schema, sql: &str) -> Result<Result<Parts, String>, StoreError> {
    let name = format!("_mainstay_scratch_{}", uuid::Uuid::now_v7().simple());
    let path = text(session, "SELECT current_setting('search_path')").await?;
    session.batch_execute(&format!("CREATE SCHEMA {name}")).await?;
    let create = migrate::plan(&Schema::default(), schema).sql;
    session.savepoint().await?;
    for statements in [create.as_str(), sql] {
        // What is not found in the scratch schema is looked for where the project has it, such as functions.
        session.batch_execute(&format!("SET LOCAL search_path = {name}, {path}")).await?;
        match session.batch_execute(statements).await {
            Err(failure) if failure.server().is_some() => {
                session.rollback_to().await?;
                return Ok(Err(failure.told()));
            }
            done => done?,
        }
    }
    session.release().await?;
    let parts = described(session, &name).await?;
    session.batch_execute(&format!("SET LOCAL search_path = {path}")).await?;
    Ok(Ok(parts))
}

/// What the server says of the tables of one of its schemas, with names as one sees them from inside.
async fn described(session: &mut Session, namespace: &str) -> Result<Parts, StoreError> {
    let path = text(session, "SELECT current_setting('search_path')").await?;
    session.batch_execute(&format!("SET LOCAL search_path = {}", quoted(namespace))).await?;
    let rows = session.query_all(include_str!("proof.sql"), &[Param::Text(&quoted(namespace))]).await?;
    session.batch_execute(&format!("SET LOCAL search_path = {path}")).await?;
    let parts = rows.iter().map(|row| Ok(((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?)));
    parts.collect::<Result<Parts, tokio_postgres::Error>>().map_err(|error| Failure::from(error).into())
}

async fn text(session: &mut Session, sql: &str) -> Result<String, StoreError> {
    let rows = session.query_all(sql, &[]).await?;
    let row = rows.first().ok_or_else(|| StoreError::Internal("the server gave no answer".into()))?;
    row.try_get(0).map_err(|error| Failure::from(error).into())
}
