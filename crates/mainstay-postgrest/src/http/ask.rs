//! What a request asks, checked in the order that the contract gives: path, profile, method, query string, range, body.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RANGE};
use http::{HeaderMap, HeaderName, Method, request};
use mainstay_http::{Problem, codes};
use mainstay_query::Limits;
use mainstay_query::parse::prefer::{self, Preferences};
use mainstay_query::parse::{self, Purpose};
use mainstay_query::request::Query;

use super::accept::accepted;
use super::route::Route;
use crate::plan::media::Media;
use crate::plan::payload::{BodyKind, For, Payload};
use crate::plan::wanted::{Action, Call, Wanted};
use crate::settings::{OpenApi, Settings};

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// A request that was read.
#[derive(Debug)]
pub(super) struct Ask<'h> {
    /// Where it leads.
    pub(super) route: Route<'h>,
    /// The schema that it is about.
    pub(super) schema: String,
    /// Whether the answer says which.
    pub(super) tells_schema: bool,
    /// What it does.
    pub(super) deed: Deed,
    /// The query string.
    pub(super) query: Query,
    /// Parameters of the query string that are arguments.
    pub(super) arguments: Vec<(String, String)>,
    /// The body.
    pub(super) payload: Option<Payload>,
    /// `Prefer`.
    pub(super) preferences: Preferences,
    /// `Accept`.
    pub(super) accept: Vec<Media>,
}

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    Read {
        is_head: bool,
    },
    Insert,
    Replace,
    Update,
    Delete,
    /// `POST` of a function.
    Call,
    /// `OPTIONS`.
    Info,
}

/// The head of a request, read as far as that goes without its body.
pub(super) fn head<'h>(settings: &Settings, head: &request::Parts, path: &'h str) -> Result<Ask<'h>, Problem> {
    let route = Route::find(path)?;
    let route = match (route, &settings.root_spec) {
        (Route::Root, Some(function)) => Route::Function(Cow::Owned(function.name.to_string())),
        // Where there is no document there is no path.
        (Route::Root, None) if settings.openapi == OpenApi::Disabled => {
            return Err(Problem::new(codes::ROOT, "Root endpoint metadata is disabled"));
        }
        (route, _) => route,
    };
    let (mut schema, tells_schema) = schema(settings, head)?;
    if let (Some(function), true) = (&settings.root_spec, path.trim_matches('/').is_empty())
        && !function.schema.is_empty()
    {
        schema = function.schema.to_string();
    }
    let deed = deed(&route, &head.method)?;
    let text = head.uri.query().unwrap_or_default();
    let limits = limits(settings);
    let (mut query, arguments) = match (&route, deed) {
        (Route::Function(_), Deed::Read { .. } | Deed::Info) => parse::call(text, &limits)?,
        (Route::Function(_), _) => (parse::query(Purpose::Call, text, &limits)?, Vec::new()),
        (Route::Root | Route::Relation(_), deed) => (parse::query(purpose(deed), text, &limits)?, Vec::new()),
    };
    if head.method == Method::GET
        && let Some(range) = head.headers.get(RANGE).and_then(|value| value.to_str().ok())
        && let Some(range) = parse::range(range)?
    {
        // That the two have no row in common is told as PostgREST tells it.
        range.narrow(&mut query).map_err(|_| {
            let details = "Limit should be greater than or equal to zero.";
            Problem::new(codes::RANGE, "Requested range not satisfiable").details(details)
        })?;
    }
    let texts = head.headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    let mut preferences = prefer::prefer(texts);
    // Known whatever its value is: what is no number of rows bounds nothing.
    preferences.unknown.retain(|text| !text.starts_with("max-affected="));
    if !super::tx::allows_override(settings.tx_end) {
        preferences.tx = None;
    }
    let accept = accepted(&head.headers);
    Ok(Ask { route, schema, tells_schema, deed, query, arguments, payload: None, preferences, accept })
}

impl Ask<'_> {
    /// Whether there is a body to read.
    pub(super) fn takes_body(&self) -> bool {
        matches!(self.deed, Deed::Insert | Deed::Replace | Deed::Update | Deed::Call)
    }

    /// Reads the body.
    pub(super) fn body(&mut self, headers: &HeaderMap, octets: Bytes) -> Result<(), Problem> {
        let kind = BodyKind::of(headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()))?;
        let target = if self.deed == Deed::Call { For::Function } else { For::Relation };
        self.payload = Some(Payload::read(kind, octets, self.query.columns.as_deref(), target)?);
        Ok(())
    }

    /// What the planner is asked; `None` where there is nothing to plan.
    pub(super) fn wanted(&self) -> Option<Wanted<'_>> {
        let payload = self.payload.as_ref();
        let (target, action) = match (&self.route, self.deed) {
            (Route::Root, _) => return None,
            (Route::Function(name), Deed::Call) => (name, Action::Call(Call::Post(payload?))),
            (Route::Function(name), deed) => {
                let is_head = matches!(deed, Deed::Read { is_head: true } | Deed::Info);
                (name, Action::Call(Call::Get { arguments: &self.arguments, is_head }))
            }
            (Route::Relation(name), deed) => {
                let action = match deed {
                    Deed::Read { is_head } => Action::Read { is_head },
                    Deed::Insert => Action::Insert(payload?),
                    Deed::Replace => Action::Replace(payload?),
                    Deed::Update => Action::Update(payload?),
                    Deed::Delete => Action::Delete,
                    Deed::Call | Deed::Info => Action::Read { is_head: true },
                };
                (name, action)
            }
        };
        let (query, preferences, accept) = (&self.query, &self.preferences, &self.accept[..]);
        Some(Wanted { target, action, query, preferences, accept })
    }

    /// Rows that are skipped at the top.
    pub(super) fn offset(&self) -> u64 {
        self.query.offset.iter().filter(|offset| offset.path.is_empty()).map(|offset| offset.what).max().unwrap_or(0)
    }
}

/// The schema by its header, and whether the answer tells it.
fn schema(settings: &Settings, head: &request::Parts) -> Result<(String, bool), Problem> {
    let is_write = matches!(head.method, Method::POST | Method::PATCH | Method::PUT | Method::DELETE);
    let name = if is_write { "content-profile" } else { "accept-profile" };
    let schemas = &settings.schemas;
    let Some(profile) = head.headers.get(name) else {
        return Ok((schemas.first().cloned().unwrap_or_default(), schemas.len() > 1));
    };
    let profile = String::from_utf8_lossy(profile.as_bytes()).into_owned();
    if !schemas.contains(&profile) {
        let hint = format!("Only the following schemas are exposed: {}", schemas.join(", "));
        return Err(Problem::new(codes::PROFILE, format!("Invalid schema: {profile}")).hint(hint));
    }
    Ok((profile, true))
}

fn deed(route: &Route<'_>, method: &Method) -> Result<Deed, Problem> {
    let is_function = matches!(route, Route::Function(_));
    let is_relation = matches!(route, Route::Relation(_));
    match method.as_str() {
        "GET" => Ok(Deed::Read { is_head: false }),
        "HEAD" => Ok(Deed::Read { is_head: true }),
        "OPTIONS" => Ok(Deed::Info),
        "POST" if is_function => Ok(Deed::Call),
        "POST" if is_relation => Ok(Deed::Insert),
        "PUT" if is_relation => Ok(Deed::Replace),
        "PATCH" if is_relation => Ok(Deed::Update),
        "DELETE" if is_relation => Ok(Deed::Delete),
        other if is_function => {
            Err(Problem::new(codes::FUNCTION_METHOD, format!("Cannot use the {other} method on RPC")))
        }
        other => Err(Problem::new(codes::METHOD, format!("Unsupported HTTP method: {other}"))),
    }
}

fn purpose(deed: Deed) -> Purpose {
    match deed {
        Deed::Insert => Purpose::Insert,
        Deed::Replace => Purpose::Replace,
        Deed::Update => Purpose::Update,
        Deed::Delete => Purpose::Delete,
        Deed::Read { .. } | Deed::Call | Deed::Info => Purpose::Read,
    }
}

/// Bounds on a query string that nobody meets by accident; what the rows are bounded by is `db-max-rows`.
fn limits(settings: &Settings) -> Limits {
    Limits {
        page_rows_max: u64::MAX,
        write_rows_max: usize::MAX,
        filters_max: 10_000,
        list_items_max: 1_000_000,
        embed_depth_max: 50,
        embeds_max: 500,
        logic_depth_max: 100,
        pattern_chars_max: 1 << 20,
        items_max: 10_000,
        batch_steps_max: 0,
        aggregates: settings.aggregates,
        legacy_target_names: settings.legacy_target_names,
        postgrest_only: true,
    }
}
