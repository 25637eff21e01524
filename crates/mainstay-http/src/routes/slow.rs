//! `/admin/v1/slow`: what took the database long since this process began, for whoever looks after it.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response, request};
use mainstay_engine::SlowStatement;
use mainstay_query::{Actor, Role};
use serde::Serialize;

use super::options;
use super::root::put;
use crate::app::App;
use crate::body::AnswerBody;
use crate::edge::Answer;
use crate::errors::Problem;
use crate::errors::codes::{DENIED, DENIED_ANONYMOUS, METHOD, NO_ROUTE};

const METHODS: &str = "OPTIONS,GET,HEAD";

/// A slow statement, in the form of `mainstay slow --json`.
#[derive(Serialize)]
struct Statement<'s> {
    outline: &'s str,
    count: u64,
    total_ms: u128,
    p99_ms: u128,
    worst_ms: u128,
    plan: &'s [String],
    indexes: Vec<Wanted<'s>>,
}

#[derive(Serialize)]
struct Wanted<'s> {
    table: &'s str,
    columns: &'s [(String, bool)],
}

/// Answers `GET`, `HEAD` and `OPTIONS`. Outlines name tables and columns, so they are for the secret key alone.
pub(crate) fn answer(app: &App, actor: &Actor, head: &request::Parts) -> Result<Answer, Problem> {
    let refused = "Slow statements are for the secret key alone";
    match actor {
        Actor::Caller(Role::Service) | Actor::System => {}
        Actor::Caller(Role::Authenticated) => return Err(Problem::new(DENIED, refused)),
        Actor::Caller(Role::Anon) => return Err(Problem::new(DENIED_ANONYMOUS, refused)),
    }
    match head.method {
        Method::GET | Method::HEAD => {}
        Method::OPTIONS => return Ok(options(METHODS)),
        ref method => return Err(Problem::new(METHOD, format!("Unsupported HTTP method: {method}")).allow(METHODS)),
    }
    if !app.engine.keeps_slow() {
        return Err(Problem::new(NO_ROUTE, "Slow statements are not kept").hint("log.slow_ms is 0."));
    }
    let statements = app.engine.slow_statements();
    let statements: Vec<Statement<'_>> = statements.iter().map(told).collect();
    let body = serde_json::to_vec(&statements).expect("strings, numbers and lists always have a JSON form");
    let mut response = Response::new(AnswerBody::default());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    if head.method == Method::GET {
        put(&mut response, Bytes::from(body));
    }
    Ok(response)
}

fn told(slow: &SlowStatement) -> Statement<'_> {
    Statement {
        outline: &slow.outline,
        count: slow.count,
        total_ms: slow.total.as_millis(),
        p99_ms: slow.p99.as_millis(),
        worst_ms: slow.worst.as_millis(),
        plan: &slow.plan,
        indexes: slow.indexes.iter().map(|(table, columns)| Wanted { table, columns }).collect(),
    }
}
