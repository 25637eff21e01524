//! `POST /rest/v1/batch`: several requests as one, all of which happen or none.
//!
//! Everything that does not depend on an answer is read and checked before the transaction begins; what is left for
//! each step, on the way, is to put values into their places and to plan.

mod answers;
mod steps;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, IF_MATCH, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, Uri, request};
use mainstay_engine::{Context, Stage};
use mainstay_query::Limits;
use mainstay_query::batch::{self, BatchError, Step};
use mainstay_query::parse::prefer::Preferences;
use mainstay_query::parse::{self, Purpose};

use self::steps::{Prepared, Run};
use super::declared::{Declared, declared};
use super::functions;
use super::media::Media;
use super::precondition::Preconditions;
use super::prefer::{self, PREFER, PREFERENCE_APPLIED, TxEnd};
use super::translate::{Asked, name_profile, profile, translate};
use super::{VARIES, options};
use crate::app::App;
use crate::edge::Answer;
use crate::encode::zoned::Zone;
use crate::errors::Problem;
use crate::errors::codes::{BODY, MEDIA, METHOD, NOT_IMPLEMENTED, URL_LONG};

/// Name of the table whose path this is, were there one.
pub(crate) const NAME: &str = "batch";
/// The methods at this path when there is no such table.
const METHODS: &str = "OPTIONS,POST";

/// Carries out a batch.
pub(crate) async fn answer(
    app: &App,
    context: &Context,
    head: &request::Parts,
    body: Bytes,
) -> Result<Answer, Problem> {
    let Whole { rolls_back, zone, preferences } = check_head(head, app.answers.tx_end)?;
    let limits = app.engine.limits();
    let batch = batch::read(&body, limits).map_err(in_step)?;
    let mut steps = Vec::with_capacity(batch.steps.len());
    for (position, step) in batch.steps.into_iter().enumerate() {
        let id = step.id.clone();
        let step = prepare(app, step, zone.as_ref()).map_err(|problem| problem.at_step(position, id.as_deref()))?;
        steps.push(step);
    }
    context.note(Stage::Parse);
    let run = Run::new(steps, context.actor.clone(), limits.clone(), app.limits.clone(), rolls_back);
    let run = app.engine.run(context, run).await.map_err(|error| Problem::of(error, &context.actor))?;
    let body = run.finish()?;

    let mut response = Response::new(Default::default());
    let headers = response.headers_mut();
    headers.insert(VARY, VARIES);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    name_profile(head, headers);
    let rolled_back = (rolls_back && app.answers.tx_end.allows_override()).then(|| "tx=rollback".to_owned());
    let zone = preferences.timezone.map(|zone| format!("timezone={zone}"));
    let applied: Vec<String> = rolled_back.into_iter().chain(zone).collect();
    if let Some(applied) = HeaderValue::try_from(applied.join(", ")).ok().filter(|_| !applied.is_empty()) {
        headers.insert(PREFERENCE_APPLIED, applied);
    }
    *response.body_mut() = body.into();
    Ok(response)
}

/// Another method than `POST` at the path of batches, where no table has their name.
pub(crate) fn other_method(head: &request::Parts) -> Result<Answer, Problem> {
    if head.method != Method::OPTIONS {
        let message = format!("Unsupported HTTP method: {}", head.method);
        return Err(Problem::new(METHOD, message).allow(METHODS));
    }
    Ok(options(METHODS))
}

/// What the headers of the whole say.
struct Whole {
    /// Whether all is to be undone in the end.
    rolls_back: bool,
    /// The zone of the answers of steps that name none.
    zone: Option<Zone>,
    preferences: Preferences,
}

/// Checks the headers of the whole.
fn check_head(head: &request::Parts, end: TxEnd) -> Result<Whole, Problem> {
    profile(&head.method, &head.headers)?;
    if declared(&head.headers)?.is_some_and(|declared| !declared.is_any_json()) {
        return Err(Problem::new(BODY, "A batch is application/json"));
    }
    if !matches!(Media::negotiate(&head.headers)?, Media::Array(_)) {
        return Err(Problem::new(MEDIA, "The answer to a batch is application/json"));
    }
    let mut preferences = prefer::read(&head.headers);
    let rolls_back = end.rolls_back(&preferences);
    preferences.tx = None;
    let zone = prefer::check(&preferences)?;
    Ok(Whole { rolls_back, zone, preferences })
}

fn in_step(error: BatchError) -> Problem {
    let problem = Problem::from(error.error);
    match error.step {
        None => problem,
        Some((position, id)) => problem.at_step(position, id.as_deref()),
    }
}

/// A step with its headers read and its query parsed once, so that what is wrong with it is found before anything
/// happens.
fn prepare(app: &App, step: Step, zone_of_all: Option<&Zone>) -> Result<Prepared, Problem> {
    let bytes = step.path.name.len() + step.path.query.len() + 2;
    if bytes > app.limits.url_bytes_max {
        let message = format!("limits.url_bytes_max is {}; this path has {bytes}", app.limits.url_bytes_max);
        return Err(Problem::new(URL_LONG, message));
    }
    let head = head_of(&step)?;
    let mut preferences = prefer::read(&head.headers);
    if step.path.is_call {
        preferences = functions::relevant(preferences, &head.method);
    }
    if preferences.tx.is_some() {
        let details = "tx is a preference of the whole batch: send it as a header of the request.";
        return Err(Problem::new(NOT_IMPLEMENTED, "Feature not implemented").details(details));
    }
    let own_zone = prefer::check(&preferences)?;
    let zone = if preferences.timezone.is_some() { own_zone } else { zone_of_all.cloned() };
    let media = Media::negotiate(&head.headers)?;
    if !matches!(media, Media::Array(_) | Media::Single(_)) {
        return Err(Problem::new(MEDIA, "The answer to a step is JSON"));
    }
    let conditions = Preconditions::read(&head.headers);
    let prepared = Prepared { step, head, preferences, media, zone, conditions };
    let path = &prepared.step.path;
    check_path(&prepared, app.engine.limits()).map_err(|problem| match path.misplaced_in(problem.message()) {
        Some(error) => error.into(),
        None => problem,
    })?;
    Ok(prepared)
}

/// Checks what a step asks for, but for the values.
fn check_path(prepared: &Prepared, limits: &Limits) -> Result<(), Problem> {
    let Prepared { step, head, preferences, .. } = prepared;
    let path = &step.path;
    let refused = || Problem::new(NOT_IMPLEMENTED, "Feature not implemented");
    if path.is_call {
        let call = functions::translate(head, &path.name, Bytes::new(), preferences, limits)?;
        path.check_call(call.ok_or_else(refused)?, limits)?;
    } else {
        let query = match translate(head, &path.name, Bytes::new(), preferences, limits)? {
            Asked::Read(request) => request.query,
            Asked::Write(request) => request.query,
            Asked::Options => return Err(refused()),
        };
        path.check(query, limits)?;
    }
    if !prepared.conditions.is_empty() {
        if path.is_call || head.method == Method::POST {
            let details = "if_match has no meaning for a POST or a function: GET, PUT, PATCH and DELETE take it.";
            return Err(refused().details(details));
        }
        path.check(parse::query(Purpose::Read, &path.query, limits)?, limits)?;
    }
    Ok(())
}

/// The head that a request of its own would have.
fn head_of(step: &Step) -> Result<request::Parts, Problem> {
    let (mut head, ()) = http::Request::new(()).into_parts();
    head.method = Method::from_bytes(step.method.name().as_bytes()).unwrap_or_default();
    head.uri = Uri::try_from(format!("/?{}", step.path.query)).map_err(|_| Problem::new(BODY, "A path is no URL"))?;
    put(&mut head.headers, PREFER, step.prefer.as_deref())?;
    put(&mut head.headers, ACCEPT, step.accept.as_deref())?;
    if step.content_type.as_deref().is_some_and(|declared| !Declared::new(declared.into()).is_any_json()) {
        return Err(Problem::new(BODY, "The body of a step is JSON"));
    }
    put(&mut head.headers, CONTENT_TYPE, step.content_type.as_deref())?;
    put(&mut head.headers, IF_MATCH, step.if_match.as_deref())?;
    Ok(head)
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: Option<&str>) -> Result<(), Problem> {
    if let Some(value) = value {
        let wrong = |_| Problem::new(BODY, format!("\"{value}\" cannot be the value of {name}"));
        headers.insert(name.clone(), HeaderValue::from_str(value).map_err(wrong)?);
    }
    Ok(())
}
