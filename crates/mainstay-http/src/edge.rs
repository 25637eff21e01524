//! The way of every request through the layers to its route and back, and the one log line about it.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Instant;

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, REFERRER_POLICY, SERVER, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Version, request};
use http_body::Body;
use mainstay_engine::{Context, RequestId};
use mainstay_query::Actor;

use crate::app::App;
use crate::body::AnswerBody;
use crate::errors::Problem;
use crate::errors::codes::{
    BODY_COLUMN, FRAMING, HANDLER_TIME, INTERNAL, NO_RELATION, NO_ROUTE, PATH, SCHEMA_CHANGED, UNKNOWN_COLUMN,
    UNKNOWN_FUNCTION, UNKNOWN_TABLE,
};
use crate::layers::coding::compress;
use crate::layers::identify::identify;
use crate::layers::limits;
use crate::layers::timing::Timing;
use crate::router::Route;
use crate::routes::{batch, functions, health, query, records, reference, root, slow};

/// An answer.
pub(crate) type Answer = Response<AnswerBody>;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers one request, whatever happens on the way.
pub(crate) async fn answer<B>(app: &App, request: Request<B>) -> Answer
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let started = Instant::now();
    let id = RequestId::next();
    let (head, body) = request.into_parts();
    let route = Route::find(head.uri.path());
    let pattern = route.pattern();
    let is_page = matches!(route, Route::Reference(_));
    let mut seen = Seen { actor: None, timing: app.answers.timing.then(Timing::default) };

    let outcome = {
        // Pinned where it is made: it is large, and each hand that it went through would copy it.
        let run = pin!(run(app, id, route, &head, body, &mut seen));
        AssertUnwindSafe(run).catch_unwind().await
    };
    let outcome = outcome.unwrap_or_else(|panic| Err(panicked(&*panic)));
    let cause = outcome.as_ref().err().and_then(|problem| problem.log_cause().map(str::to_owned));
    let mut response = outcome.unwrap_or_else(|problem| refuse(app, problem, id, &head));
    finish(app, &head.headers, id, response.headers_mut());
    if !is_page {
        app.cors.apply(&head, response.headers_mut()); // Pages are for nobody else's pages.
    }
    if let Some(timing) = &seen.timing {
        timing.tell(response.headers_mut());
    }
    compress(&app.answers.compression, &head, &mut response).await;

    let entry = Entry { method: &head.method, pattern, actor: seen.actor.as_ref(), id, started };
    entry.log(response.status().as_u16(), cause.as_deref());
    response
}

/// What is known of a request by the time that it is answered.
struct Seen {
    actor: Option<Actor>,
    timing: Option<Timing>,
}

/// The layers in their order, then the route.
async fn run<B>(
    app: &App,
    id: RequestId,
    route: Route<'_>,
    head: &request::Parts,
    body: B,
    seen: &mut Seen,
) -> Result<Answer, Problem>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    limits::check_head(&app.limits, head)?;
    if let Route::Reference(file) = route {
        let _running = app.in_flight.enter(app.limits.in_flight_max)?;
        return reference::answer(app, head, file);
    }
    if let Some(response) = app.cors.preflight(head) {
        return Ok(response);
    }
    match route {
        Route::Live => return health::live(head),
        Route::Ready => return Box::pin(health::ready(app, head)).await,
        _ => {}
    }
    let _running = app.in_flight.enter(app.limits.in_flight_max)?;
    let started = Instant::now();
    let actor = identify(&app.keys, &head.headers)?;
    seen.actor = Some(actor.clone());
    if let Some(timing) = &mut seen.timing {
        timing.identified = Some((started, Instant::now()));
    }
    let is_query_path = matches!(route, Route::Query(_) | Route::FunctionQuery(_));
    let is_query = match &route {
        _ if is_query_path => {
            query::check_method(&head.method)?;
            head.method == Method::POST
        }
        Route::Records(_) | Route::Function(_) | Route::Batch => query::is_query(&head.method),
        _ => false,
    };
    let route = match route {
        Route::Query(table) => Route::Records(table),
        Route::FunctionQuery(function) => Route::Function(function),
        Route::Batch if head.method != Method::POST => Route::Records(batch::NAME.into()),
        Route::Records(_) | Route::Function(_) | Route::Batch => route,
        Route::Root => return Box::pin(root::answer(app, &actor, head)).await,
        Route::Slow => return slow::answer(app, &actor, head),
        other => return Err(no_records(&other)),
    };
    let mut body = match head.method {
        Method::POST | Method::PATCH | Method::PUT => limits::read_body(&app.limits, &head.headers, body).await?,
        _ if is_query => limits::read_body(&app.limits, &head.headers, body).await?,
        _ => Bytes::new(),
    };
    let as_get;
    let head = if is_query {
        as_get = query::as_get(head, &std::mem::take(&mut body))?;
        &as_get
    } else {
        head
    };
    let deadline = Instant::now() + app.limits.handler_time;
    let stages = seen.timing.as_mut().map(|timing| {
        timing.read = Some(Instant::now());
        timing.stages.clone()
    });
    let joined = app.engine.has_several_stores().then(Default::default);
    let context = Context { actor, deadline, request_id: id, stages, joined };
    let answer = pin!(async {
        let Some(known) = app.engine.followed_schema() else { return routed(app, &context, &route, head, body).await };
        let answer = routed(app, &context, &route, head, body.clone()).await;
        match &answer {
            // The tables may have changed, and what is asked for may be there by now.
            Err(problem) if may_be_there(&route, head, problem) && app.engine.is_outdated(&known, deadline).await => {
                Box::pin(routed(app, &context, &route, head, body)).await
            }
            _ => answer,
        }
    });
    let answer = tokio::time::timeout_at(deadline.into(), answer).await.unwrap_or_else(|_| Err(too_slow(app)));
    // Whether there is anything to be asked is for the path above to say; what it takes there is not so here.
    if is_query_path && head.method == Method::OPTIONS { answer.map(|_| query::options()) } else { answer }
}

/// The answer of a route below the API.
///
/// A future has room for all that it may come to wait for, and is moved as a whole, so what few requests come to is
/// boxed, here and further on.
async fn routed(
    app: &App,
    context: &Context,
    route: &Route<'_>,
    head: &request::Parts,
    body: Bytes,
) -> Result<Answer, Problem> {
    match route {
        Route::Records(table) if is_nothing_but_batch(app, table) => batch::other_method(head),
        Route::Records(table) => records::answer(app, context, head, table, body).await,
        Route::Function(function) => Box::pin(functions::answer(app, context, head, function, body)).await,
        Route::Batch => Box::pin(batch::answer(app, context, head, body)).await,
        other => Err(no_records(other)),
    }
}

/// Whether a request that met this problem may be answered anew once the tables have been read again: what it lacks is a
/// name, and nothing of it has happened.
fn may_be_there(route: &Route<'_>, head: &request::Parts, problem: &Problem) -> bool {
    let is_about_names = match problem.code() {
        UNKNOWN_TABLE | UNKNOWN_COLUMN | UNKNOWN_FUNCTION | BODY_COLUMN | NO_RELATION => true,
        // Statements on tables are undone when they fail. What else a function does is its own business.
        SCHEMA_CHANGED => matches!(route, Route::Records(_)) || matches!(head.method, Method::GET | Method::HEAD),
        _ => false,
    };
    is_about_names && !matches!(route, Route::Batch)
}

/// Whether this is the path of batches and no table has its name.
fn is_nothing_but_batch(app: &App, table: &str) -> bool {
    table == batch::NAME && app.engine.schema().find(table).is_none_or(|table| table.internal)
}

/// Why a route other than that of rows is refused.
fn no_records(route: &Route<'_>) -> Problem {
    match route {
        Route::Deeper => Problem::new(PATH, "Invalid path specified in request URL"),
        _ => Problem::new(NO_ROUTE, "Nothing is at this path").hint("Tables are at /rest/v1/{table}."),
    }
}

fn too_slow(app: &App) -> Problem {
    let seconds = app.limits.handler_time.as_secs();
    Problem::new(HANDLER_TIME, format!("limits.handler_time is {seconds} s; this request took longer"))
}

/// A panic ends its own request and nothing else.
fn panicked(panic: &(dyn Any + Send)) -> Problem {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let cause = std::io::Error::other(format!("panicked: {}", text.unwrap_or("no message")));
    Problem::new(INTERNAL, "internal error").cause(&cause)
}

/// The answer to a request that met a problem.
fn refuse(app: &App, problem: Problem, id: RequestId, head: &request::Parts) -> Answer {
    let code = problem.code();
    let problem = match code {
        INTERNAL => problem.hint(format!("The server's log has more under the request id {id}.")),
        _ => problem,
    };
    let mut response = problem.into_response(head.method == Method::HEAD, app.answers.errors);
    // After a request whose end is in doubt, nothing on the connection can be trusted to be the next one.
    if code == FRAMING && head.version <= Version::HTTP_11 {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Headers that every answer carries.
fn finish(app: &App, request: &HeaderMap, id: RequestId, answer: &mut HeaderMap) {
    lock_down(answer);
    if let Ok(id) = HeaderValue::from_bytes(&id.digits()) {
        answer.insert(REQUEST_ID, id);
    }
    if let Some(name) = &app.answers.trace_header {
        // Empty if the request has none, so that whoever looks for it finds that out.
        answer.insert(name, request.get(name).cloned().unwrap_or(HeaderValue::from_static("")));
    }
}

/// Headers that keep a browser from making more of an answer than the data that it is.
pub(crate) fn lock_down(answer: &mut HeaderMap) {
    answer.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    answer.entry(CONTENT_SECURITY_POLICY).or_insert(policy); // The reference has one of its own.
    answer.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    answer.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer.insert(SERVER, HeaderValue::from_static("mainstay"));
}

/// What the log says of a request.
struct Entry<'a> {
    method: &'a Method,
    pattern: &'static str,
    actor: Option<&'a Actor>,
    id: RequestId,
    started: Instant,
}

impl Entry<'_> {
    fn log(&self, status: u16, cause: Option<&str>) {
        let role = match self.actor {
            None => "none",
            Some(Actor::System) => "system",
            Some(Actor::Caller(role)) => role.name(),
        };
        let (method, route, request_id) = (self.method.as_str(), self.pattern, self.id);
        let duration_ms = self.started.elapsed().as_micros() as f64 / 1e3;
        match (status, cause) {
            (500, Some(cause)) => {
                tracing::error!(method, route, status, duration_ms, role, %request_id, cause, "request failed");
            }
            (500.., cause) => {
                let cause = cause.unwrap_or_default();
                tracing::warn!(method, route, status, duration_ms, role, %request_id, cause, "request not answered");
            }
            _ => tracing::info!(method, route, status, duration_ms, role, %request_id, "request answered"),
        }
    }
}
