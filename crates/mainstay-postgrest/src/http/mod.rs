//! Requests as PostgREST takes them, and answers as it gives them.
//!
//! Knows headers, statuses and settings; what a request wants is planned in `plan/` and run by `run.rs`.

mod accept;
mod answer;
mod ask;
mod begin;
mod caller;
mod codes;
mod context;
mod cors;
mod failure;
mod root;
mod route;
mod settled;
mod timing;
mod tx;

use std::any::Any;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::Router;
use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{CONTENT_TYPE, SERVER};
use http::{HeaderValue, Method, Request, Response, StatusCode, request};
use http_body::Body;
use mainstay_http::{AnswerBody, Answers, Problem, RequestLimits, Verbosity, check_head, read_body};
use mainstay_stores::postgres::Pool;
use tower::service_fn;

use crate::catalog::{Catalog, Health, Live};
use crate::plan::{self, PlanLimits, Planner};
use crate::run::{self, Job};
use crate::settings::{LogLevel, Settings};
use ask::Deed;
use caller::Tokens;
use route::Route;
use timing::Timing;

pub use begin::Reread;
pub use caller::ProjectKeys;
pub use codes::CODES;
pub(crate) use failure::problem;
pub use route::Base;

/// Where a project without an admin server is asked whether it lives and is ready.
const LIVE: &str = "/health/live";
const READY: &str = "/health/ready";

/// What the header `Server` says: the programs that look at it look for PostgREST's version.
const PROGRAM: HeaderValue = HeaderValue::from_static(concat!("postgrest/16.1 mainstay/", env!("CARGO_PKG_VERSION")));

/// The API over one database. Cheap to clone.
#[derive(Clone)]
pub struct Api(Arc<Shared>);

/// What requests share.
struct Shared {
    pool: Pool,
    settings: RwLock<Arc<Settings>>,
    /// What keeps the catalog; empty until the settings of the database are known.
    catalog: OnceLock<Live>,
    tokens: Tokens,
    keys: Option<ProjectKeys>,
    base: Base,
    limits: RequestLimits,
    counters: Counters,
}

/// What the admin server tells besides.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Requests that found no connection in time.
    pub(crate) pool_timeouts: AtomicU64,
}

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// Longest time of a request, where nothing else ends it. PostgREST has no such limit.
pub const REQUEST_TIME_MAX: Duration = Duration::from_secs(24 * 3600);

/// How long a request that did not find a name waits for a reload that is under way.
const RELOAD_MAX: Duration = Duration::from_secs(10);

/// How long a connection may take to be had, when somebody asks whether one can be.
const PROBE_MAX: Duration = Duration::from_secs(2);

impl Api {
    /// An API that answers 503 until [`Api::begin`] has read what is in the database.
    pub fn new(pool: Pool, settings: Settings, base: Base, keys: Option<ProjectKeys>, limits: RequestLimits) -> Api {
        Api(Arc::new(Shared {
            pool,
            settings: RwLock::new(Arc::new(settings)),
            catalog: OnceLock::new(),
            tokens: Tokens::default(),
            keys,
            base,
            limits,
            counters: Counters::default(),
        }))
    }

    /// The API as a router, to mount beside others.
    pub fn router(&self) -> Router {
        let api = self.clone();
        Router::new().fallback_service(service_fn(move |request: Request<axum::body::Body>| {
            let api = api.clone();
            async move { Ok::<_, Infallible>(api.answer(request).await) }
        }))
    }

    /// The connections.
    pub fn pool(&self) -> &Pool {
        &self.0.pool
    }

    /// What is in the database; `None` while that was not read yet.
    pub fn catalog(&self) -> Option<Arc<Catalog>> {
        self.0.catalog.get().and_then(Live::catalog)
    }

    /// What takes the place of a catalog that is just being replaced; waits for it a little.
    async fn newer(&self, old: &Arc<Catalog>) -> Option<Arc<Catalog>> {
        self.0.catalog.get()?.newer(old, RELOAD_MAX).await
    }

    /// The settings that hold.
    pub fn settings(&self) -> Arc<Settings> {
        self.0.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How it stands with the catalog.
    pub(crate) fn health(&self) -> Health {
        let beginning = || {
            let mut health = Health::default();
            health.is_loading = true;
            health
        };
        self.0.catalog.get().map_or_else(beginning, Live::health)
    }

    /// Whether a connection can be had.
    pub(crate) async fn can_connect(&self) -> bool {
        self.0.pool.session(Instant::now() + PROBE_MAX).await.is_ok()
    }

    /// What the admin server tells.
    pub(crate) fn counters(&self) -> &Counters {
        &self.0.counters
    }

    /// The remembered tokens.
    pub(crate) fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }
}

impl Answers for Api {
    async fn answer<B>(&self, request: Request<B>) -> Response<AnswerBody>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let started = Instant::now();
        let (head, body) = request.into_parts();
        let settings = &self.settings();
        let Some(path) = self.0.base.below(head.uri.path()) else {
            if let Some(response) = self.probed(&head) {
                return response;
            }
            let problem = Problem::new(mainstay_http::codes::NO_ROUTE, "Nothing is at this path");
            return problem.into_response(head.method == Method::HEAD, settings.verbosity);
        };
        if let Some(mut response) = cors::preflight(&settings.cors, &head) {
            response.headers_mut().insert(SERVER, PROGRAM);
            trace(settings, &head, response.headers_mut());
            return response;
        }
        let mut timing = settings.timing.then(Timing::new);
        let mut role = None;
        let run = self.run(settings, &head, path, body, &mut timing, &mut role);
        let outcome = AssertUnwindSafe(run).catch_unwind().await.unwrap_or_else(|panic| Err(panicked(&*panic)));
        let cause = outcome.as_ref().err().and_then(|problem| problem.log_cause().map(str::to_owned));
        let mut response = outcome.unwrap_or_else(|problem| refuse(problem, &head, settings.verbosity));
        let headers = response.headers_mut();
        headers.insert(SERVER, PROGRAM);
        cors::apply(&settings.cors, &head, headers);
        trace(settings, &head, headers);
        if let Some(timing) = &timing {
            timing.tell(headers);
        }
        log(settings.log_level, &head, path, role.as_deref(), response.status().as_u16(), started, cause.as_deref());
        response
    }

    fn verbosity(&self) -> Verbosity {
        self.settings().verbosity
    }
}

impl Api {
    /// The steps of a request in their order.
    async fn run<B>(
        &self,
        settings: &Settings,
        head: &request::Parts,
        path: &str,
        body: B,
        timing: &mut Option<Timing>,
        role: &mut Option<String>,
    ) -> Result<Response<AnswerBody>, Problem>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut end = |stage| timing.as_mut().map_or((), |timing| timing.end(stage));
        check_head(&self.0.limits, head)?;
        let caller = caller::identify(settings, self.0.keys.as_ref(), &self.0.tokens, &head.headers)?;
        *role = Some(caller.role.clone());
        end("jwt");
        let mut catalog = self.catalog().ok_or_else(|| {
            Problem::new(codes::NO_CATALOG, "Could not query the database for the schema cache. Retrying.")
        })?;
        let mut ask = ask::head(settings, head, path)?;
        if ask.takes_body() {
            let octets = read_body(&self.0.limits, &head.headers, body).await?;
            ask.body(&head.headers, octets)?;
        }
        end("parse");
        if ask.deed == Deed::Info {
            let answered = self.info(settings, &catalog, &ask);
            // Every answer tells of the same stages.
            ["plan", "transaction", "response"].into_iter().for_each(end);
            return answered;
        }
        let Some(wanted) = ask.wanted() else {
            end("plan");
            let answered = root::answer(self, settings, &catalog, head, path, &caller, &ask).await;
            end("transaction");
            end("response");
            return answered;
        };
        let mut prepared = plan::prepare(&planner(settings, &catalog, &ask.schema), &wanted);
        if let Err(problem) = &prepared
            && is_missing(problem)
            && let Some(newer) = self.newer(&catalog).await
        {
            catalog = newer;
            prepared = plan::prepare(&planner(settings, &catalog, &ask.schema), &wanted);
        }
        let prepared = prepared?;
        end("plan");
        let isolation = catalog.role_settings.get(&caller.role).and_then(|role| role.isolation.as_deref());
        let job = Job {
            pool: &self.0.pool,
            deadline: Instant::now() + self.0.limits.handler_time,
            settings: context::settings(settings, &catalog, head, path, &caller, &ask, &prepared.settings),
            prepared: &prepared,
            isolation,
            pre_request: settings.pre_request.as_ref(),
            rolls_back: tx::rolls_back(settings.tx_end, ask.preferences.tx),
            is_anonymous: caller.is_anonymous,
            is_logged: settings.log_query,
        };
        let outcome = run::run(&job).await.inspect_err(|problem| {
            if problem.name() == codes::POOL_TIME.name {
                self.0.counters.pool_timeouts.fetch_add(1, Ordering::Relaxed);
            }
        })?;
        end("transaction");
        let answered = answer::answer(&catalog, head, &ask, &prepared, outcome);
        end("response");
        answered
    }

    /// The answer to a probe; `None` if it is none.
    fn probed(&self, head: &request::Parts) -> Option<Response<AnswerBody>> {
        let is_probe = matches!(head.method, Method::GET | Method::HEAD) && self.0.base == Base::RestV1;
        let (status, body) = match head.uri.path() {
            LIVE if is_probe => (StatusCode::OK, r#"{"status":"live"}"#),
            READY if is_probe && self.health().is_loaded => (StatusCode::OK, r#"{"status":"ready"}"#),
            READY if is_probe => (StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"loading"}"#),
            _ => return None,
        };
        let is_head = head.method == Method::HEAD;
        let mut response = Response::new(if is_head { AnswerBody::default() } else { AnswerBody::whole(body) });
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, JSON);
        Some(response)
    }

    /// The answer to `OPTIONS`.
    fn info(
        &self,
        settings: &Settings,
        catalog: &Catalog,
        ask: &ask::Ask<'_>,
    ) -> Result<Response<AnswerBody>, Problem> {
        let planner = planner(settings, catalog, &ask.schema);
        match &ask.route {
            Route::Root => {}
            Route::Relation(name) => drop(planner.relation(name)?),
            Route::Function(name) => {
                let name = crate::catalog::Name::new(ask.schema.as_str(), &**name);
                if !catalog.functions.contains_key(&name)
                    && let Some(wanted) = ask.wanted()
                {
                    plan::prepare(&planner, &wanted)?;
                }
            }
        }
        Ok(answer::info(catalog, ask))
    }
}

/// Whether a name was not found, which a reload may bring.
fn is_missing(problem: &Problem) -> bool {
    use mainstay_http::codes::{BODY_COLUMN, NO_RELATION, UNKNOWN_FUNCTION, UNKNOWN_TABLE};
    [NO_RELATION, UNKNOWN_FUNCTION, BODY_COLUMN, UNKNOWN_TABLE].iter().any(|code| code.name == problem.name())
}

fn planner<'c>(settings: &Settings, catalog: &'c Catalog, schema: &'c str) -> Planner<'c> {
    Planner {
        catalog,
        schema,
        limits: PlanLimits {
            rows_max: settings.rows_max,
            aggregates: settings.aggregates,
            plans_allowed: settings.plans,
            legacy_target_names: settings.legacy_target_names,
        },
    }
}

/// Copies the header by which requests are followed.
fn trace(settings: &Settings, head: &request::Parts, answer: &mut http::HeaderMap) {
    if let Some(name) = &settings.trace_header {
        answer.insert(name, head.headers.get(name).cloned().unwrap_or(HeaderValue::from_static("")));
    }
}

/// The answer to a request that met a problem.
fn refuse(problem: Problem, head: &request::Parts, verbosity: Verbosity) -> Response<AnswerBody> {
    let mut response = problem.into_response(head.method == Method::HEAD, verbosity);
    response.headers_mut().entry(CONTENT_TYPE).or_insert(JSON);
    response
}

/// A panic ends its own request and nothing else.
fn panicked(panic: &(dyn Any + Send)) -> Problem {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let cause = std::io::Error::other(format!("panicked: {}", text.unwrap_or("no message")));
    Problem::new(mainstay_http::codes::INTERNAL, "internal error").cause(&cause)
}

/// One line about a request, if the level asks for it.
fn log(
    level: LogLevel,
    head: &request::Parts,
    path: &str,
    role: Option<&str>,
    status: u16,
    started: Instant,
    cause: Option<&str>,
) {
    let least = match status {
        500.. => LogLevel::Error,
        400.. => LogLevel::Warn,
        _ => LogLevel::Info,
    };
    if level < least {
        return;
    }
    let (method, route) = (head.method.as_str(), Route::pattern(path));
    let role = role.unwrap_or("none");
    let duration_ms = started.elapsed().as_micros() as f64 / 1e3;
    match status {
        500.. => {
            let cause = cause.unwrap_or_default();
            tracing::error!(method, route, status, duration_ms, role, cause, "request not answered");
        }
        400.. => tracing::warn!(method, route, status, duration_ms, role, "request refused"),
        _ => tracing::info!(method, route, status, duration_ms, role, "request answered"),
    }
}
