//! One transaction for one request: the caller's role and settings, the function that is called first, the statement, and
//! what must hold of its rows, or all is undone.

use std::time::Instant;

use bytes::Bytes;
use mainstay_http::{Problem, codes};
use mainstay_stores::postgres::{Access, Failure, Isolation, Pool, Raw, Row, Session};
use serde_json::Value;

use crate::catalog::Name;
use crate::http::problem;
use crate::openapi::{self, Allowed};
use crate::plan::{Guess, Prepared};
use crate::sql::Sql;

/// What to run, and as whom.
pub(crate) struct Job<'a> {
    /// Where.
    pub(crate) pool: &'a Pool,
    /// Until when.
    pub(crate) deadline: Instant,
    /// What.
    pub(crate) prepared: &'a Prepared,
    /// What holds for the transaction: the role first of all.
    pub(crate) settings: Vec<(String, String)>,
    /// The isolation that the role wants, where the function wants none.
    pub(crate) isolation: Option<&'a str>,
    /// The function that is called first.
    pub(crate) pre_request: Option<&'a Name>,
    /// Whether what was written is undone.
    pub(crate) rolls_back: bool,
    /// Whether the caller has not said who it is.
    pub(crate) is_anonymous: bool,
    /// Whether the statement is logged.
    pub(crate) is_logged: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Rows in all, where they were counted or guessed.
    pub(crate) total: Option<u64>,
    /// Rows of the page, or that were changed.
    pub(crate) rows: u64,
    /// The body.
    pub(crate) body: Bytes,
    /// The setting `response.headers`.
    pub(crate) headers: Option<String>,
    /// The setting `response.status`.
    pub(crate) status: Option<String>,
    /// Rows that were inserted and not updated.
    pub(crate) inserted: Option<u64>,
    /// The parts of the key of the one row.
    pub(crate) location: Option<Vec<String>>,
}

/// Runs a request. Once more if the tables changed since its statement was prepared.
///
/// # Errors
/// The server's own problems, and PGRST115, 116 and 124.
pub(crate) async fn run(job: &Job<'_>) -> Result<Outcome, Problem> {
    match attempt(job).await {
        Err(Ended::Failure(failure)) if failure.is_stale() => attempt(job).await,
        other => other,
    }
    .map_err(|ended| match ended {
        Ended::Failure(failure) => problem(&failure, job.is_anonymous),
        Ended::Problem(problem) => problem,
    })
}

/// Why a transaction did not end well.
enum Ended {
    Failure(Failure),
    Problem(Problem),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Ended {
        Ended::Failure(failure)
    }
}

async fn attempt(job: &Job<'_>) -> Result<Outcome, Ended> {
    let prepared = job.prepared;
    let mut session = job.pool.session(job.deadline).await?;
    let isolation = prepared.isolation.as_deref().or(job.isolation).map_or(Isolation::ReadCommitted, isolation);
    session.begin_with(prepared.access, isolation, job.settings.clone());
    if let Some(function) = job.pre_request {
        call_first(&mut session, function).await?;
    }
    let (sql, params) = prepared.statement.finish();
    if job.is_logged {
        tracing::info!(target: "mainstay::query", sql, "statement");
    }
    let rows = session.query_all(&sql, &params).await?;
    let mut outcome = match prepared.plan() {
        Some(_) => plan(&rows)?,
        None => outcome(rows.first())?,
    };
    if prepared.plan().is_none() {
        expect(prepared, &outcome).map_err(Ended::Problem)?;
        if let Some(guess) = &prepared.guess {
            count(&mut session, guess, &mut outcome).await?;
        }
    }
    end(session, job).await?;
    Ok(outcome)
}

/// Calls the function that looks at every request first.
async fn call_first(session: &mut Session, function: &Name) -> Result<(), Failure> {
    let mut call = Sql::of("SELECT ");
    call.name(function).push("()");
    session.execute(&call.finish().0, &[]).await.map(drop)
}

/// What the role of the settings may use of a schema; once more if the tables changed since the statement was prepared.
pub(crate) async fn allowed(
    pool: &Pool,
    deadline: Instant,
    settings: &[(String, String)],
    pre_request: Option<&Name>,
    schema: &str,
) -> Result<Allowed, Failure> {
    let mut is_again = false;
    loop {
        let mut session = pool.session(deadline).await?;
        session.begin_with(Access::Read, Isolation::ReadCommitted, settings.to_vec());
        if let Some(function) = pre_request {
            call_first(&mut session, function).await?;
        }
        match openapi::allowed(&mut session, schema).await {
            Err(failure) if failure.is_stale() && !is_again => is_again = true,
            found => {
                session.finish_read();
                return found;
            }
        }
    }
}

/// Ends a transaction in which all went well. One that is left without this is undone.
async fn end(mut session: Session, job: &Job<'_>) -> Result<(), Failure> {
    match (job.prepared.access, job.rolls_back) {
        (Access::Read, _) => session.finish_read(),
        (Access::Write, false) => session.commit().await?,
        (Access::Write, true) => {
            // What a commit would have refused is refused all the same.
            session.batch_execute("SET CONSTRAINTS ALL IMMEDIATE").await?;
            session.rollback().await?;
        }
    }
    Ok(())
}

fn isolation(name: &str) -> Isolation {
    match name {
        "serializable" => Isolation::Serializable,
        "repeatable read" => Isolation::RepeatableRead,
        _ => Isolation::ReadCommitted,
    }
}

/// Reads the row that every statement gives: see [`crate::sql::answer`].
fn outcome(row: Option<&Row>) -> Result<Outcome, Failure> {
    let Some(row) = row else { return Ok(Outcome::default()) };
    let number = |at: usize| -> Result<Option<u64>, Failure> {
        let number: Option<i64> = row.try_get(at)?;
        Ok(number.and_then(|number| u64::try_from(number).ok()))
    };
    Ok(Outcome {
        total: number(0)?,
        rows: number(1)?.unwrap_or(0),
        body: octets(row, 2)?,
        headers: row.try_get(3)?,
        status: row.try_get(4)?,
        inserted: number(5)?,
        location: row.try_get(6)?,
    })
}

/// The octets of a value as its type has them in text, but for `bytea`, which is octets.
fn octets(row: &Row, at: usize) -> Result<Bytes, Failure> {
    let raw: Option<Raw<'_>> = row.try_get(at)?;
    let raw = raw.map_or(&[][..], |raw| raw.0);
    let is_jsonb = row.columns()[at].type_().name() == "jsonb";
    // The binary form of jsonb begins with its version.
    Ok(Bytes::copy_from_slice(if is_jsonb { raw.get(1..).unwrap_or_default() } else { raw }))
}

/// The server's plan: lines of text, or one JSON document.
fn plan(rows: &[Row]) -> Result<Outcome, Failure> {
    let mut body = Vec::new();
    for row in rows {
        body.extend_from_slice(&octets(row, 0)?);
        body.push(b'\n');
    }
    Ok(Outcome { body: body.into(), ..Outcome::default() })
}

fn expect(prepared: &Prepared, outcome: &Outcome) -> Result<(), Problem> {
    let (expect, rows) = (&prepared.expect, outcome.rows);
    if expect.is_replaced && rows != 1 {
        return Err(Problem::new(codes::REPLACE_KEY, "Payload values do not match URL in primary key column(s)"));
    }
    if expect.is_singular && rows != 1 {
        return Err(Problem::new(codes::SINGULAR, "Cannot coerce the result to a single JSON object")
            .details(format!("The result contains {rows} rows")));
    }
    if expect.affected_max.is_some_and(|most| rows > most) {
        return Err(Problem::new(codes::MAX_AFFECTED, "Query result exceeds max-affected preference constraint")
            .details(format!("The query affects {rows} rows")));
    }
    Ok(())
}

/// Counts by the guess of the server's planner, as far as that is wanted.
async fn count(session: &mut Session, guess: &Guess, outcome: &mut Outcome) -> Result<(), Failure> {
    let counted = outcome.total.filter(|_| guess.counted);
    if let (Some(counted), Some(up_to)) = (counted, guess.up_to)
        && counted <= up_to
    {
        return Ok(());
    }
    let (sql, params) = guess.explain.finish();
    let rows = session.query_all(&sql, &params).await?;
    let json = rows.first().map(|row| octets(row, 0)).transpose()?.unwrap_or_default();
    let document: Value = serde_json::from_slice(&json).unwrap_or_default();
    let guessed = document[0]["Plan"]["Plan Rows"].as_u64().unwrap_or(0);
    outcome.total = Some(counted.map_or(guessed, |counted| counted.max(guessed)));
    Ok(())
}
